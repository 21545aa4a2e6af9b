"""How an object that says the same to everybody was told: texts, beside it as long as it lives."""

from __future__ import annotations

from datetime import date

from connectors.registry import Registry

#: How many ways it was told in are kept: another selection, other languages.
MOST = 16


class Texts(dict[object, tuple[Registry, date, str]]):
    """How it was told, by what was asked and in which languages: by whom, and on which day."""

    def keep(self, asked: object, told: tuple[Registry, date, str]) -> None:
        """Keep how it was told what was asked; of what was asked last, a few."""
        while len(self) >= MOST:
            del self[next(iter(self))]
        self[asked] = told

"""How an object that says the same to everybody was told: texts, beside it as long as it lives."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import date
from typing import Protocol
from weakref import ref

#: How many ways an object was told in are kept, and of places, in how many languages.
MOST = 16


class Surroundings(Protocol):
    """What a query has around it, as far as it changes how an object is told."""

    @property
    def catalogue(self) -> object: ...
    @property
    def registry(self) -> object: ...
    @property
    def today(self) -> date: ...
    @property
    def languages(self) -> Hashable: ...


class Way:
    """One way of telling: what stands in a place, in which languages, of which menu, when."""

    __slots__ = ("is_over",)

    def __init__(self) -> None:
        #: Whether nothing will be told this way again.
        self.is_over = False


class Places:
    """Some places in a document, where objects are told that say the same to everybody."""

    __slots__ = ("_catalogue", "_day", "_many", "_registry", "_ways")

    def __init__(self, many: int) -> None:
        self._many = many
        #: The menu and the partners that it was told with last; neither is kept alive by it.
        self._catalogue: Callable[[], object] = _nothing
        self._registry: Callable[[], object] = _nothing
        self._day: date | None = None
        self._ways: dict[Hashable, Sequence[Way]] = {}

    def ways(self, around: Surroundings) -> Sequence[Way]:
        """Return the way, a place, in which it is told with this around it."""
        if (
            around.registry is not self._registry()
            or around.catalogue is not self._catalogue()
            or around.today != self._day
        ):
            # An object may outlive a menu, and lead into it: what a partner offers does.
            self._forget(len(self._ways))
            self._registry, self._catalogue = ref(around.registry), ref(around.catalogue)
            self._day = around.today
        return self._ways.get(around.languages) or self._begun(around.languages)

    def _begun(self, languages: Hashable) -> Sequence[Way]:
        self._forget(len(self._ways) + 1 - MOST)
        found = self._ways[languages] = tuple(Way() for _ in range(self._many))
        return found

    def _forget(self, many: int) -> None:
        for languages in list(self._ways)[: max(0, many)]:
            for one in self._ways.pop(languages):
                one.is_over = True


def _nothing() -> None:
    """Return that nothing was told yet."""


class Texts(dict[Way, str]):
    """How an object was told, by the way of telling."""

    def keep(self, way: Way, text: str) -> None:
        """Keep how it was told; of what was asked last, a few."""
        for one in [one for one in self if one.is_over]:
            del self[one]
        while len(self) >= MOST:
            del self[next(iter(self))]
        self[way] = text

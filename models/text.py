"""A text in several languages, which always says in which one it answered."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pydantic

V = TypeVar("V")

#: Languages with text of their own today; English is the one every text has.
LANGUAGES = ("en", "zh")
#: Of so many wishes for languages a text keeps what was made of it.
_VIEWS = 8


@dataclass(frozen=True, slots=True)
class Said:
    """A text as said: ``language`` is what it is in, ``fallback`` that another was asked for."""

    text: str
    language: str
    fallback: bool


class Text(pydantic.RootModel[dict[str, str]]):
    """A text by language code; ``en`` is always there."""

    model_config = pydantic.ConfigDict(frozen=True)

    @pydantic.field_validator("root")
    @classmethod
    def _whole(cls, root: dict[str, str]) -> dict[str, str]:
        if not root.get("en", "").strip():
            raise ValueError("Every text needs its English under the key “en”")
        if empty := [language for language, text in root.items() if not text.strip()]:
            raise ValueError(f"The text is empty in: {', '.join(empty)}")
        return root

    def said(self, languages: Sequence[str]) -> Said:
        """Return the text in the first of these languages that it has; else English, marked."""
        for language in languages:
            if text := self.root.get(language):
                return Said(text, language, fallback=language != languages[0])
        return Said(self.root["en"], "en", fallback=bool(languages))

    def view(self, languages: Sequence[str], make: Callable[[Said], V]) -> V:
        """Return what the layer above makes of the text as said, and keep it in ``views``."""
        while len(self.views) >= _VIEWS:
            del self.views[next(iter(self.views))]
        found = self.views[languages] = make(self.said(languages))
        return found

    @functools.cached_property
    def views(self) -> dict[Sequence[str], Any]:
        """What was made of the text as said, by the languages that were wanted last."""
        return {}

    def lacks(self) -> tuple[str, ...]:
        """Return the languages of ours that this text is not in."""
        return tuple(language for language in LANGUAGES if language not in self.root)


@functools.lru_cache(maxsize=128)
def wanted(language_range: str | None) -> tuple[str, ...]:
    """Return primary language codes in the order wanted, from an Accept-Language list.

    RFC 9110, section 12.5.4; regions and scripts are dropped: ``zh-CN`` wants ``zh``.

    >>> wanted("zh-CN,zh;q=0.9,en;q=0.8")
    ('zh', 'en')
    >>> wanted(None)
    ('en',)
    """
    weighed = []
    for place, part in enumerate((language_range or "en").split(",")):
        tag, _, parameter = part.strip().partition(";")
        primary = tag.partition("-")[0].strip().lower()
        if primary.isalpha() and len(primary) <= 3 and (weight := _weight(parameter)) > 0:  # noqa: PLR2004 - ISO 639 codes
            weighed.append((-weight, place, primary))
    return tuple(dict.fromkeys(primary for _, _, primary in sorted(weighed))) or ("en",)


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return float(value) if name == "q" else 1.0
    except ValueError:
        return 0.0

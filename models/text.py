"""A text in several languages, which always says in which one it answered."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pydantic

from models import errors

V = TypeVar("V")

#: Languages with text of their own today; English is the one every text has.
LANGUAGES = ("en", "zh")
#: Of so many wishes for languages a text keeps what was made of it.
_VIEWS = 8
#: The most characters of what somebody asks for: a list of some twenty languages.
LONGEST_RANGE = 200
#: The most characters of a word or a few that somebody gives, and the most words of a search.
LONGEST, MOST_SOUGHT = 200, 10
#: What a list of languages may hold: any (``*``), or a well-formed tag (RFC 5646, section 2.1);
#: each with its weight.
_RANGE = re.compile(
    r"""(?: \*
        | (?: [a-z]{2,3} (-[a-z]{3}){0,3} | [a-z]{4,8} )   # the language
          (-[a-z]{4})? (-(?: [a-z]{2} | \d{3} ))?          # script, region
          (-(?: [a-z\d]{5,8} | \d[a-z\d]{3} ))*            # variants
          (-[a-wyz\d] (-[a-z\d]{2,8})+)*                   # extensions
          (-x (-[a-z\d]{1,8})+)?                           # for private use, as is the next
        | x (-[a-z\d]{1,8})+
        | i-[a-z]{3,8} | en-gb-oed | sgn-be-fr | sgn-be-nl | sgn-ch-de   # of old
        )
        (\s*;\s* q=(?: 0(\.\d{0,3})? | 1(\.0{0,3})? ))?""",
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
#: How long a primary code of ISO 639 is at most, and the first part of a tag.
_CODE, _SUBTAG = 3, 8
_EXAMPLES = "Write a tag as `zh-CN`, or a list as `ja, zh;q=0.5`."


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

    RFC 9110, section 12.5.4; regions and scripts are dropped: ``zh-CN`` wants ``zh``. What is no
    language there is passed over.

    >>> wanted("zh-CN,zh;q=0.9,en;q=0.8")
    ('zh', 'en')
    >>> wanted(None)
    ('en',)
    """
    return _in_order((language_range or "en").split(","), _CODE)


@functools.lru_cache(maxsize=128)
def asked(language_range: str) -> tuple[str, ...]:
    """Return the same from what somebody asks for by an argument, who can be told of mistakes.

    >>> asked("zh-Hant-TW, en;q=0.5")
    ('zh', 'en')

    Raises:
        BadInputError: it is too long, or something in it is no language range.
    """
    many = len(language_range)
    if many > LONGEST_RANGE:
        raise errors.BadInputError(
            f"`language` has {many} characters; at most {LONGEST_RANGE} may be given.", _EXAMPLES
        )
    parts = [part.strip() for part in language_range.split(",")]
    for part in parts:
        if not _RANGE.fullmatch(part):
            better = part.replace("_", "-")
            hint = errors.did_you_mean((better,)) if _RANGE.fullmatch(better) else _EXAMPLES
            raise errors.BadInputError(f"“{errors.shown(part)}” is no language tag.", hint)
    return _in_order(parts, _SUBTAG)


def bounded(name: str, given: str) -> str:
    """Return what somebody gives for an argument, where it is no longer than anything there is.

    Raises:
        BadInputError: it is longer.
    """
    if len(given) > LONGEST:
        raise errors.BadInputError(
            f"`{name}` has {len(given)} characters; at most {LONGEST} may be given.",
            "Give fewer words of it.",
        )
    return given


def sought(given: str) -> list[str]:
    """Return the words of a search, case folded.

    >>> sought("Film  TICKETS")
    ['film', 'tickets']

    Raises:
        BadInputError: it is too long, or has too many words.
    """
    words = bounded("text", given).casefold().split()
    if len(words) > MOST_SOUGHT:
        raise errors.BadInputError(
            f"`text` has {len(words)} words; at most {MOST_SOUGHT} may be sought at once.",
            "Give those that tell the most.",
        )
    return words


def _in_order(parts: Sequence[str], longest: int) -> tuple[str, ...]:
    """Return the primary codes in the order wanted, those that are longer passed over."""
    weighed = []
    for place, part in enumerate(parts):
        tag, _, parameter = part.strip().partition(";")
        primary = tag.partition("-")[0].strip().lower()
        if primary.isalpha() and len(primary) <= longest and (weight := _weight(parameter)) > 0:
            weighed.append((-weight, place, primary))
    return tuple(dict.fromkeys(primary for _, _, primary in sorted(weighed))) or ("en",)


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return float(value) if name.lower() == "q" else 1.0
    except ValueError:
        return 0.0

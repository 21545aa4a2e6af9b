"""How facts stand in columns: each value as a whole number or a text, one to one; None for unknown.

The same form serves what is known of people and what rules compare it with.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from eligibility.condition import NOTHING, Value
from eligibility.fact import Fact, Kind

#: A value as a column holds it; None is not known.
Code = int | str | None

#: Numbers are kept within this, which is beyond all that rules compare with.
_MOST = 2**62
_NO_NUMBER = -(2**63)
_NO_DAY = 0
_NO_WORD = "-"


def is_text(fact: Fact) -> bool:
    """Return whether a fact stands as text; if not, as a whole number."""
    return fact.kind in {Kind.TEXT, Kind.WORDS} or (fact.kind is Kind.CHOICE and not fact.choices)


def code(fact: Fact, value: Value | None) -> Code:
    """Return a fact's value as its column holds it.

    >>> flag = Fact(Kind.CHOICE, {}, {}, "", lambda person, on: None, choices=("LOW", "HIGH"))
    >>> code(flag, "HIGH"), code(flag, None)
    (1, None)
    """
    return None if value is None else _CODES[fact.kind](fact, value)


def codes(known: Mapping[str, Value | None], facts: Iterable[Fact]) -> tuple[Code, ...]:
    """Return what is known of somebody as a row: the codes of these facts in their order."""
    return tuple(code(fact, known.get(fact.name)) for fact in facts)


def least(fact: Fact) -> int | None:
    """Return the least code of a value, where known to have none is less than all; else None."""
    if not fact.may_be_none:
        return None
    return _NO_DAY + 1 if fact.kind is Kind.DAY else _NO_NUMBER + 1


def item(word: str) -> str:
    r"""Return a word as it stands within a set, between bars.

    >>> item("film"), item("a|b")
    ('|film|', '|a\\pb|')
    """
    return f"|{_plain(word)}|"


def digest(facts: Iterable[Fact]) -> str:
    """Return 8 hexadecimal digits that tell these facts, by name and form, from others."""
    said = [(one.name, one.kind.value, one.choices, one.may_be_none) for one in facts]
    return hashlib.sha256(repr(said).encode()).hexdigest()[:8]


@functools.lru_cache(maxsize=1 << 14)
def _plain(text: str) -> str:
    r"""Return a text that every database takes, one to one: neither NUL, nor bar, nor half a pair.

    >>> _plain("é\\\0|\udc80")
    'é\\\\\\0\\p\\udc80'
    """
    escaped = text.replace("\\", "\\\\").replace("\0", "\\0").replace("|", "\\p")
    return escaped.encode("utf-8", "backslashreplace").decode()


def _choice(fact: Fact, value: Any) -> Code:  # noqa: ANN401 - a word
    if not fact.choices:
        return _text(fact, value)
    if value is NOTHING:
        return _NO_NUMBER
    # A word that is none of the choices is known all the same, and is none of them.
    return fact.choices.index(value) if value in fact.choices else -1


def _text(fact: Fact, value: Any) -> Code:  # noqa: ANN401 - a text
    if not fact.may_be_none:
        return _plain(value)
    return _NO_WORD if value is NOTHING else f"+{_plain(value)}"


def _number(_: Fact, value: Any) -> Code:  # noqa: ANN401 - a number
    return _NO_NUMBER if value is NOTHING else max(-_MOST, min(_MOST, int(value)))


def _day(_: Fact, value: Any) -> Code:  # noqa: ANN401 - a day
    return _NO_DAY if value is NOTHING else date.toordinal(value)


def _words(_: Fact, value: Any) -> Code:  # noqa: ANN401 - a set of words
    return "|" + "".join(f"{_plain(word)}|" for word in sorted(value))


_CODES: Mapping[Kind, Callable[[Fact, Any], Code]] = {
    Kind.YES_NO: _number,
    Kind.NUMBER: _number,
    Kind.CHOICE: _choice,
    Kind.TEXT: _text,
    Kind.DAY: _day,
    Kind.WORDS: _words,
    # Its members stand in a table of their own; the person's column says how many they are.
    Kind.HOUSEHOLD: lambda _, value: len(value),
}

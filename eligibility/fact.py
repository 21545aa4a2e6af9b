"""What can be known of a person, by name: one fact, one file in ``eligibility/facts``."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from eligibility import condition, period
from eligibility.condition import NOTHING, Value
from models import text

#: A fact's reader: whom it is about (a person; a member of a household), and the day.
Reader = Callable[[Any, date], Any]
#: On which days a fact comes to be so many; see ``Fact.reached``.
Reached = Callable[[Any, int], Iterable[date]]


class Kind(StrEnum):
    """What sort of value a fact has."""

    YES_NO = "YES_NO"
    NUMBER = "NUMBER"
    CHOICE = "CHOICE"
    TEXT = "TEXT"
    DAY = "DAY"
    WORDS = "WORDS"
    HOUSEHOLD = "HOUSEHOLD"


#: A number beyond this is a slip, and no database holds it exactly everywhere.
MOST_NUMBER = 10**15
MOST_TEXT = 2000
MOST_WORDS = 1000


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: what it is called, how it is asked for, on what it rests, how it is read.

    ``choices`` are the words of a CHOICE, lowest first where ``ordered``. ``read`` is pure: the
    person and the day in, the value out, or None where it is not known. ``may_be_none``: it may be
    known to have no value (``null``), which is another thing. ``reached`` gives, for a number that
    grows by itself, the days on which it comes to be so many. ``reads`` are the lists of a person
    that it is read of, where it needs no others: who asks for nothing else need not load them.
    """

    kind: Kind
    label: text.Text
    question: text.Text
    reference: str
    read: Reader
    unit: str | None = None
    choices: tuple[str, ...] = ()
    ordered: bool = False
    may_be_none: bool = False
    reached: Reached | None = None
    reads: frozenset[str] | None = None

    @property
    def name(self) -> str:
        """Its name in rules and in the graph: the name of its file and of its function."""
        return self.read.__name__

    def taken(self, found: object) -> Value | None:
        """Return a value of YAML or JSON as this fact's, or None where it is not of its sort.

        >>> flag = Fact(Kind.DAY, {}, {}, "", lambda person, on: None, may_be_none=True)
        >>> flag.taken("2024-02-29"), flag.taken("2023-02-29"), flag.taken(None)
        (datetime.date(2024, 2, 29), None, <Nothing.NOTHING: 'nothing'>)
        """
        if found is None:
            return NOTHING if self.may_be_none else None
        return _TAKEN[self.kind](self, found)

    def known(self, whom: object, on: date) -> Value | None:
        """Return what is known of somebody on a day, in the form that rules compare."""
        value: Value | None = self.read(whom, on)
        return condition.fold(value) if self.kind is Kind.TEXT and isinstance(value, str) else value

    def shape(self) -> str:
        """Return what its values look like, for a sentence."""
        return ", ".join(self.choices) or _SHAPES[self.kind]


def _taken_yes_no(_: Fact, found: object) -> Value | None:
    return found if isinstance(found, bool) else None


def _taken_number(_: Fact, found: object) -> Value | None:
    if isinstance(found, bool) or not isinstance(found, int):
        return None
    return found if abs(found) <= MOST_NUMBER else None


def _taken_choice(fact: Fact, found: object) -> Value | None:
    if not isinstance(found, str) or len(found) > MOST_TEXT:
        return None
    return found if not fact.choices or found in fact.choices else None


def _taken_text(_: Fact, found: object) -> Value | None:
    return condition.fold(found) if isinstance(found, str) and len(found) <= MOST_TEXT else None


def _taken_day(_: Fact, found: object) -> Value | None:
    return period.day_of(found)


def _taken_words(_: Fact, found: object) -> Value | None:
    if not isinstance(found, list | tuple) or len(found) > MOST_WORDS:
        return None
    return frozenset(found) if all(isinstance(word, str) for word in found) else None


def _taken_household(_: Fact, __: object) -> Value | None:
    return None  # It has no short form.


_TAKEN: Mapping[Kind, Callable[[Fact, object], Value | None]] = {
    Kind.YES_NO: _taken_yes_no,
    Kind.NUMBER: _taken_number,
    Kind.CHOICE: _taken_choice,
    Kind.TEXT: _taken_text,
    Kind.DAY: _taken_day,
    Kind.WORDS: _taken_words,
    Kind.HOUSEHOLD: _taken_household,
}
_SHAPES: Mapping[Kind, str] = {
    Kind.YES_NO: "yes/no",
    Kind.NUMBER: "a whole number",
    Kind.CHOICE: "a word",
    Kind.TEXT: "a text",
    Kind.DAY: "a day such as 2024-02-29",
    Kind.WORDS: "a list of words",
    Kind.HOUSEHOLD: "the members of a household",
}


def yes_no(
    en: str,
    zh: str,
    ask_en: str,
    ask_zh: str,
    reference: str,
    *,
    reads: Collection[str] | None = None,
) -> Callable[[Reader], Fact]:
    """Return a decorator that makes a YES_NO fact of its reader."""
    words = (en, zh, ask_en, ask_zh)
    read = None if reads is None else frozenset(reads)
    return _maker(Kind.YES_NO, words, reference, reads=read)


def number(
    en: str,
    zh: str,
    ask_en: str,
    ask_zh: str,
    reference: str,
    *,
    unit: str,
    reached: Reached | None = None,
) -> Callable[[Reader], Fact]:
    """Return a decorator that makes a NUMBER fact, a whole number of ``unit``, of its reader."""
    words = (en, zh, ask_en, ask_zh)
    return _maker(Kind.NUMBER, words, reference, unit=unit, reached=reached)


def choice(
    en: str,
    zh: str,
    ask_en: str,
    ask_zh: str,
    reference: str,
    *,
    choices: tuple[str, ...] = (),
    ordered: bool = False,
    may_be_none: bool = False,
) -> Callable[[Reader], Fact]:
    """Return a decorator that makes a CHOICE fact of its reader; no ``choices``: any slug."""
    words = (en, zh, ask_en, ask_zh)
    return _maker(
        Kind.CHOICE, words, reference, choices=choices, ordered=ordered, may_be_none=may_be_none
    )


def text_of(en: str, zh: str, ask_en: str, ask_zh: str, reference: str) -> Callable[[Reader], Fact]:
    """Return a decorator that makes a TEXT fact of its reader; see ``condition.fold``."""
    return _maker(Kind.TEXT, (en, zh, ask_en, ask_zh), reference)


def day(
    en: str, zh: str, ask_en: str, ask_zh: str, reference: str, *, may_be_none: bool = False
) -> Callable[[Reader], Fact]:
    """Return a decorator that makes a DAY fact of its reader."""
    return _maker(Kind.DAY, (en, zh, ask_en, ask_zh), reference, may_be_none=may_be_none)


def words(en: str, zh: str, ask_en: str, ask_zh: str, reference: str) -> Callable[[Reader], Fact]:
    """Return a decorator that makes a WORDS fact, a set of slugs, of its reader."""
    return _maker(Kind.WORDS, (en, zh, ask_en, ask_zh), reference)


def household(
    en: str, zh: str, ask_en: str, ask_zh: str, reference: str
) -> Callable[[Reader], Fact]:
    """Return a decorator that makes the HOUSEHOLD of its reader."""
    return _maker(Kind.HOUSEHOLD, (en, zh, ask_en, ask_zh), reference)


def _maker(
    kind: Kind,
    said: tuple[str, str, str, str],
    reference: str,
    **more: Any,  # noqa: ANN401 - the other fields of Fact
) -> Callable[[Reader], Fact]:
    label, question = (text.Text({"en": said[at], "zh": said[at + 1]}) for at in (0, 2))
    return functools.partial(Fact, kind, label, question, reference, **more)

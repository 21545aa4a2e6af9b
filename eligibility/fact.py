"""What can be known of a person, by name: one fact, one file in ``eligibility/facts``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from models import talent, text

#: What a fact is known as; None stands for "not known", and never for no, zero or nothing.
Value = bool | int | str
Reader = Callable[[talent.Talent, date], Value | None]


class Kind(StrEnum):
    """What sort of value a fact has."""

    YES_NO = "YES_NO"
    NUMBER = "NUMBER"
    CHOICE = "CHOICE"


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: what it is called, how it is asked for, on what it rests, how it is read.

    ``choices`` are the words of a CHOICE, lowest first where ``ordered``. ``read`` is pure: the
    person and the day in, the value out, or None where it is not known.
    """

    kind: Kind
    label: text.Text
    question: text.Text
    reference: str
    read: Reader
    unit: str | None = None
    choices: tuple[str, ...] = ()
    ordered: bool = False

    @property
    def name(self) -> str:
        """Its name in rules and in the graph: the name of its file and of its function."""
        return self.read.__name__

    def admits(self, value: object) -> bool:
        """Return whether a value is of this fact's sort."""
        if self.kind is Kind.YES_NO:
            return isinstance(value, bool)
        if self.kind is Kind.NUMBER:
            return isinstance(value, int) and not isinstance(value, bool)
        return value in self.choices if self.choices else isinstance(value, str)


def yes_no(en: str, zh: str, ask_en: str, ask_zh: str, reference: str) -> Callable[[Reader], Fact]:
    """Return a decorator that makes a YES_NO fact of its reader."""
    return functools.partial(_made, Kind.YES_NO, (en, zh, ask_en, ask_zh), reference)


def number(
    en: str, zh: str, ask_en: str, ask_zh: str, reference: str, *, unit: str
) -> Callable[[Reader], Fact]:
    """Return a decorator that makes a NUMBER fact, a whole number of ``unit``, of its reader."""
    return functools.partial(_made, Kind.NUMBER, (en, zh, ask_en, ask_zh), reference, unit=unit)


def choice(
    en: str,
    zh: str,
    ask_en: str,
    ask_zh: str,
    reference: str,
    *,
    choices: tuple[str, ...] = (),
    ordered: bool = False,
) -> Callable[[Reader], Fact]:
    """Return a decorator that makes a CHOICE fact of its reader; no ``choices``: any slug."""
    words = (en, zh, ask_en, ask_zh)
    return functools.partial(_made, Kind.CHOICE, words, reference, choices=choices, ordered=ordered)


def _made(
    kind: Kind,
    words: tuple[str, str, str, str],
    reference: str,
    read: Reader,
    *,
    unit: str | None = None,
    choices: tuple[str, ...] = (),
    ordered: bool = False,
) -> Fact:
    label, question = ({"en": words[at], "zh": words[at + 1]} for at in (0, 2))
    return Fact(
        kind=kind,
        label=text.Text(label),
        question=text.Text(question),
        reference=reference,
        read=read,
        unit=unit,
        choices=choices,
        ordered=ordered,
    )

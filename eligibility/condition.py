"""What a clause comes to on a day: one of three tests of one fact, which every compiler knows."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from typing import Any


class Nothing(Enum):
    """The value of a fact that is known to have none, as opposed to one that is not known."""

    NOTHING = "nothing"


NOTHING = Nothing.NOTHING

#: What a fact is known as; None stands for "not known", and never for no, zero or nothing.
Value = bool | int | str | date | frozenset[str] | Nothing


@dataclass(frozen=True, slots=True)
class Among:
    """The value is one of these; or, ``negated``, is not."""

    fact: str
    values: frozenset[Value]
    negated: bool = False

    def holds(self, value: Value) -> bool:
        """Return whether it holds of a known value."""
        return (value in self.values) is not self.negated

    def critical(self) -> Iterable[Value]:
        """Return the values around which the answer may turn."""
        return self.values


@dataclass(frozen=True, slots=True)
class Between:
    """The value (a number or a day) is from ``low`` to ``high``, both included; None is open.

    What is known to have no value lies nowhere.
    """

    fact: str
    low: Any = None
    high: Any = None

    def holds(self, value: Any) -> bool:  # noqa: ANN401 - of the sort of its ends
        """Return whether it holds of a known value."""
        if value is NOTHING:
            return False
        return (self.low is None or self.low <= value) and (self.high is None or value <= self.high)

    def critical(self) -> Iterable[Value]:
        """Return the values around which the answer may turn."""
        if self.low is not None:
            yield from (self.low, beside(self.low, -1))
        if self.high is not None:
            yield from (self.high, beside(self.high, 1))


@dataclass(frozen=True, slots=True)
class Includes:
    """The set of words has this one; or, ``negated``, lacks it."""

    fact: str
    item: str
    negated: bool = False

    def holds(self, value: Any) -> bool:  # noqa: ANN401 - a frozenset
        """Return whether it holds of a known value."""
        return (self.item in value) is not self.negated

    def critical(self) -> Iterable[Value]:
        """Return the values around which the answer may turn."""
        yield from (frozenset({self.item}), frozenset())


Condition = Among | Between | Includes


def fold(text: str) -> str:
    """Return a text as rules compare it: no case, width or spare space; accents stay.

    NFKC, then Unicode's full case folding, then NFKC again; runs of white space are one space.

    >>> fold("  ＺÜRICH\u3000Straße ")
    'zürich strasse'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def beside(value: Any, step: int) -> Any:  # noqa: ANN401 - a number or a day
    """Return the number or the day next to one, on this side or on that; days have an end.

    >>> beside(7, -1), beside(date(2024, 2, 28), 1), beside(date.max, 1) == date.max
    (6, datetime.date(2024, 2, 29), True)
    """
    if isinstance(value, date):
        end = date.max if step > 0 else date.min
        return value if value == end else value + timedelta(step)
    return value + step

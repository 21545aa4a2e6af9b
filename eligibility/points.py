"""Tables of points: what each fact brings, line by line, and the sum as far as it is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from eligibility.condition import Condition, Value
from eligibility.fact import Fact
from models import text
from models.menu import TalentClass

Known = Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact of a line: the points of the first band that holds; none where no band does."""

    fact: Fact
    bands: tuple[tuple[Condition, int], ...]

    def points(self, value: Value) -> int:
        """Return the points of a known value."""
        return next((points for band, points in self.bands if band.holds(value)), 0)

    @property
    def most(self) -> int:
        """The most that it may bring."""
        return max(points for _, points in self.bands)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: the best of its entries counts, and no more than ``most``."""

    id: str
    name: text.Text
    most: int
    entries: tuple[Entry, ...]

    def span(self, known: Known) -> tuple[int, int]:
        """Return the least and the most points that it may bring, on what is known."""
        least = most = 0
        for entry in self.entries:
            value = known.get(entry.fact.name)
            if value is None:
                most = max(most, entry.most)
            else:
                points = entry.points(value)
                least, most = max(least, points), max(most, points)
        return min(least, self.most), min(most, self.most)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of points as it was in force from a day on (and until one, if it has ended).

    ``high`` and ``medium`` are the points from which on these classes are reached.
    """

    code: str
    version: str
    name: text.Text
    since: date
    until: date | None
    reference: str
    high: int
    medium: int
    lines: tuple[Line, ...]

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts it asks for, each once, in its order."""
        found = {entry.fact.name: entry.fact for line in self.lines for entry in line.entries}
        return tuple(found.values())

    def span(self, known: Known) -> tuple[int, int]:
        """Return the least and the most points in all, on what is known."""
        spans = [line.span(known) for line in self.lines]
        return sum(least for least, _ in spans), sum(most for _, most in spans)

    def reached(self, known: Known) -> TalentClass | None:
        """Return the class that the points reach, None where what is not known may still decide.

        Points that reach neither of the upper classes leave the lowest.
        """
        least, most = (self._class(points) for points in self.span(known))
        return least if least is most else None

    def _class(self, points: int) -> TalentClass:
        if points >= self.high:
            return TalentClass.HIGH
        return TalentClass.MEDIUM if points >= self.medium else TalentClass.LOW


@dataclass(frozen=True, slots=True)
class Total:
    """The points of a table are from ``low`` to ``high``, both included; None is open."""

    table: Table
    low: int | None = None
    high: int | None = None

    def holds(self, points: int) -> bool:
        """Return whether it holds of a sum."""
        return (self.low is None or self.low <= points) and (
            self.high is None or points <= self.high
        )

    def truth(self, known: Known) -> bool | None:
        """Return whether it holds, None where what is not known may still decide it."""
        return self.within(*self.table.span(known))

    def within(self, least: int, most: int) -> bool | None:
        """Return whether it holds of all sums from one to another; None where of some alone."""
        outside = (self.low is not None and most < self.low) or (
            self.high is not None and self.high < least
        )
        if outside:
            return False
        return True if self.holds(least) and self.holds(most) else None

"""Periods of the calendar (ISO 8601 ``P1Y6M``, ``P2W``, ``P90D``), counted as the law counts them.

Civil Code of the PRC (2021), articles 201 and 202: the day it begins on does not count; a period of
months or years ends with the day of that number, or, where the month has none, with its last day.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

_FORM = re.compile(r"P(?=\d)(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole months and days, both from nought."""

    months: int
    days: int

    @classmethod
    def of(cls, text: object) -> Period | None:
        """Return the period that a text means, or None where it means none.

        >>> Period.of("P1Y6M"), Period.of("P2W"), Period.of("PT5H")
        (Period(months=18, days=0), Period(months=0, days=14), None)
        """
        found = _FORM.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            return None
        years, months, weeks, days = (int(part or 0) for part in found.groups())
        return cls(12 * years + months, 7 * weeks + days)

    def last_day(self, start: date) -> date:
        """Return the last day of the period that begins on a day; years end with 9999.

        >>> Period(12, 0).last_day(date(2024, 2, 29)), Period(0, 10).last_day(date(2024, 2, 25))
        (datetime.date(2025, 2, 28), datetime.date(2024, 3, 6))
        """
        year, month = divmod(start.year * 12 + start.month - 1 + self.months, 12)
        if year > date.max.year:
            return date.max
        day = min(start.day, calendar.monthrange(year, month + 1)[1])
        return _plus(date(year, month + 1, day), self.days)

    def first_start(self, on: date) -> date:
        """Return the earliest day that the period may have begun on and still last on a day.

        >>> year = Period(12, 0)
        >>> year.first_start(date(2025, 2, 28)), year.first_start(date(2025, 3, 1))
        (datetime.date(2024, 2, 28), datetime.date(2024, 3, 1))
        """
        reached = _plus(on, -self.days)
        year, month = divmod(reached.year * 12 + reached.month - 1 - self.months, 12)
        if year < date.min.year:
            return date.min
        # A month that has no such day ends before it; the next one begins just in time.
        first, there = date(year, month + 1, 1), calendar.monthrange(year, month + 1)[1]
        return first + timedelta(min(reached.day - 1, there))


def day_of(found: object) -> date | None:
    """Return the day that a text such as 2024-02-29 means, or None where it means none.

    >>> day_of("2024-02-29"), day_of("2023-02-29"), day_of("20240229")
    (datetime.date(2024, 2, 29), None, None)
    """
    if not isinstance(found, str) or not _DAY.fullmatch(found):
        return None
    try:
        return date.fromisoformat(found)
    except ValueError:
        return None


def _plus(day: date, days: int) -> date:
    """Return the day so many days on, or the end of the calendar that is nearest."""
    try:
        return day + timedelta(days)
    except OverflowError:
        return date.max if days > 0 else date.min

"""Reading a person's dated rows on a day: what holds then, and what is simply not known."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import Protocol, TypeVar

from eligibility import period
from models.talent import Employment, Member, Permit, Talent


class Dated(Protocol):
    """A row that holds from a day on, and until the day before another where that is known."""

    valid_from: date
    valid_until: date | None


D = TypeVar("D", bound=Dated)

DEGREES = ("BACHELOR", "MASTER", "DOCTOR")
CLASSES = ("LOW", "MEDIUM", "HIGH")


def holding(rows: Iterable[D], on: date) -> list[D]:
    """Return the rows that hold on a day, latest start first; the last day counts."""
    held = [
        row
        for row in rows
        if row.valid_from <= on and (row.valid_until is None or on <= row.valid_until)
    ]
    return sorted(held, key=lambda row: row.valid_from, reverse=True)


def attested(person: Talent, name: str, on: date) -> bool | int | str | None:
    """Return what was last attested of a person under this name, None where nothing was."""
    held = holding((row for row in person.attestations if row.name == name), on)
    return held[0].value if held else None


def attested_yes_no(person: Talent, name: str, on: date) -> bool | None:
    """Return an attested yes or no, None where nothing (or something else) was attested."""
    value = attested(person, name, on)
    return value if isinstance(value, bool) else None


def attested_number(person: Talent, name: str, on: date) -> int | None:
    """Return an attested whole number, None where nothing (or something else) was attested."""
    value = attested(person, name, on)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def attested_day(person: Talent, name: str, on: date) -> date | None:
    """Return an attested day (ISO 8601 text), None where nothing (or something else) was."""
    return period.day_of(attested(person, name, on))


def attested_word(person: Talent, name: str, words: Collection[str], on: date) -> str | None:
    """Return an attested word, None where nothing (or none of these words) was attested."""
    value = attested(person, name, on)
    return value if isinstance(value, str) and value in words else None


def attested_days(person: Talent, name: str) -> list[date]:
    """Return every day (ISO 8601 text) that was ever attested under this name."""
    found = (period.day_of(row.value) for row in person.attestations if row.name == name)
    return [day for day in found if day]


def employment(person: Talent, on: date) -> Employment | None:
    """Return the employment of a day, the latest where there are several."""
    held = holding(person.employments, on)
    return held[0] if held else None


def permits(person: Talent, kind: str, on: date) -> list[Permit]:
    """Return the permits of a kind that hold on a day, latest start first."""
    return holding((permit for permit in person.permits if permit.kind == kind), on)


def holds_permit(person: Talent, kind: str, on: date) -> bool | None:
    """Return whether a permit of a kind holds; None where the hub never heard of one.

    Citizens need none of these permits, so for them the answer is no. For others the hub's own
    record may be incomplete, so silence is not no; an expired permit is.
    """
    if permits(person, kind, on):
        return True
    if person.nationality == "CN" or any(permit.kind == kind for permit in person.permits):
        return False
    return None


def spouse(person: Talent) -> Member | None:
    """Return the spouse in the household, if there is one."""
    return next((member for member in person.household if member.relation == "SPOUSE"), None)


def children_aged(person: Talent, on: date, youngest: int, oldest: int) -> int | None:
    """Return how many children are of an age (years, both ends included) on a day.

    None where a child's birth date is missing and could change a count of nought.
    """
    children = [member for member in person.household if member.relation == "CHILD"]
    ages = [years_between(child.birth_date, on) for child in children if child.birth_date]
    count = sum(youngest <= age <= oldest for age in ages)
    return count if count or len(ages) == len(children) else None


def years_between(start: date, on: date) -> int:
    """Return whole years from a day to another; who is born on 29 February is older on 1 March.

    >>> years_between(date(2004, 2, 29), date(2025, 2, 28))
    20
    """
    return on.year - start.year - ((on.month, on.day) < (start.month, start.day))


def months_between(start: date, on: date) -> int:
    """Return whole months from a day to another.

    >>> months_between(date(2025, 1, 31), date(2025, 2, 28))
    0
    """
    return (on.year - start.year) * 12 + on.month - start.month - (on.day < start.day)


def anniversaries(starts: Iterable[date | None], years: int) -> list[date]:
    """Return the days on which it is so many whole years since each of these days.

    >>> anniversaries([date(2004, 2, 29), None], 21)
    [datetime.date(2025, 3, 1)]
    """
    return months_on(starts, 12 * years)


def months_on(starts: Iterable[date | None], months: int) -> list[date]:
    """Return the days on which it is so many whole months since each of these days.

    >>> months_on([date(2025, 1, 31)], 1)
    [datetime.date(2025, 3, 1)]
    """
    found = []
    for start in starts:
        if start is None:
            continue
        year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
        if date.min.year <= year < date.max.year:
            first = date(year, month + 1, 1)
            day = first + timedelta(start.day - 1)
            following = (first + timedelta(31)).replace(day=1)
            found.append(min(day, following))
    return found


def days_on(starts: Iterable[date | None], days: int) -> list[date]:
    """Return the days that are so many days after each of these days, as far as days go.

    >>> days_on([date(2024, 2, 28), date.max], 1)
    [datetime.date(2024, 2, 29)]
    """
    ordinals = (start.toordinal() + days for start in starts if start is not None)
    last = date.max.toordinal()
    return [date.fromordinal(ordinal) for ordinal in ordinals if 1 <= ordinal <= last]


def band_days(person: Talent, youngest: int, oldest: int) -> list[date]:
    """Return the days on which a child comes into an age band (in years) or leaves it."""
    births = [one.birth_date for one in person.household if one.relation == "CHILD"]
    return [*anniversaries(births, youngest), *anniversaries(births, oldest + 1)]

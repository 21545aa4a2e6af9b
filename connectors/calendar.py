"""What happens in a window of time by an iCalendar object: recurrence unfolded, within bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events  # type: ignore[import-untyped]  # it has no types

from connectors import errors

#: A rule finer than a day may fill a window with more than anybody can go to.
_FREQUENCIES = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_MOST_A_DAY = 24
#: Rules are unfolded from their beginning; before this nobody's calendar begins.
_EARLIEST = 1970
_MOST_EVENTS = 10_000
_MOST_OCCURRENCES = 5_000


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that something takes place; ``start`` and ``end`` are aware."""

    uid: str
    title: str
    start: datetime
    end: datetime
    where: str
    url: str | None
    note: str | None
    categories: frozenset[str]


def occurrences(
    texts: Sequence[bytes], since: datetime, until: datetime, zone: ZoneInfo
) -> list[Occurrence]:
    """Return what starts in the window and was not called off, sorted by time, then name.

    Args:
        texts: iCalendar objects (RFC 5545).
        since: The earliest start.
        until: The end of the window, excluded.
        zone: The zone of times without one, and of whole days.

    Raises:
        Misconfigured: one of them is no iCalendar object, or would unfold to too much.
    """
    found: list[Occurrence] = []
    for text in texts:
        # What the libraries raise for what they cannot read is not one family of errors.
        try:
            calendar = icalendar.Calendar.from_ical(text)
            _tame(calendar, until)
            events = recurring_ical_events.of(calendar).between(since, until)
            found += (_occurrence(one, zone) for one in events[:_MOST_OCCURRENCES])
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError):
            raise errors.unreadable("is not a calendar that can be read") from None
        if len(found) >= _MOST_OCCURRENCES:
            raise errors.bad_answer(f"holds more than {_MOST_OCCURRENCES} events in the window")
    on = (one for one in found if one.title and since <= one.start < until)
    return sorted(on, key=lambda one: (one.start, one.uid))


def _tame(calendar: Any, until: datetime) -> None:  # noqa: ANN401 - the library's own component
    """End every rule at the window, and leave out what was called off.

    Raises:
        Misconfigured: a rule would take too long to unfold, whatever the window.
    """
    events = calendar.walk("VEVENT")
    if len(events) > _MOST_EVENTS:
        raise errors.bad_answer(f"holds more than {_MOST_EVENTS} events")
    for event in events:
        for rule in _rules(event):
            each = (len(rule.get(part, [0])) for part in ("BYHOUR", "BYMINUTE", "BYSECOND"))
            coarse = rule["FREQ"][0] in _FREQUENCIES and math.prod(each) <= _MOST_A_DAY
            advances = rule.get("INTERVAL", [1])[0] > 0
            if not coarse or not advances or event["DTSTART"].dt.year < _EARLIEST:
                raise errors.bad_answer("repeats an event more often than can be followed")
            if "UNTIL" not in rule and "COUNT" not in rule:
                rule["UNTIL"] = [_end(event["DTSTART"].dt, until)]


def _rules(event: Any) -> Iterator[Any]:  # noqa: ANN401 - the library's own component
    rules = event.get("RRULE", [])
    yield from rules if isinstance(rules, list) else [rules]


def _end(start: date, until: datetime) -> date:
    """Return the window's end as a rule says it: as the start is said, a zone's times in UTC."""
    if not isinstance(start, datetime):
        return until.date() + timedelta(days=1)
    if start.tzinfo is None:
        return until.replace(tzinfo=None) + timedelta(days=1)
    return until.astimezone(ZoneInfo("UTC"))


def _occurrence(event: Any, zone: ZoneInfo) -> Occurrence:  # noqa: ANN401 - the library's own
    off = str(event.get("STATUS", "")).upper() == "CANCELLED"
    categories = event.get("CATEGORIES", [])
    lists = categories if isinstance(categories, list) else [categories]
    return Occurrence(
        uid=str(event["UID"]),
        title="" if off else str(event.get("SUMMARY", "")) or "Event",
        start=_moment(event["DTSTART"].dt, zone),
        end=_moment(event["DTEND"].dt, zone),
        where=str(event.get("LOCATION", "")),
        url=str(event["URL"]) if "URL" in event else None,
        note=str(event["DESCRIPTION"]) if "DESCRIPTION" in event else None,
        categories=frozenset(str(name).casefold() for several in lists for name in several.cats),
    )


def _moment(when: date, zone: ZoneInfo) -> datetime:
    if not isinstance(when, datetime):
        return datetime.combine(when, time.min, zone)
    return when.replace(tzinfo=zone) if when.tzinfo is None else when

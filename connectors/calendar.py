"""What happens in a window of time by an iCalendar object: recurrence unfolded, within bounds.

The libraries that read it take memory, and few hubs have a partner with a calendar: they are loaded
by name, where the first one is read.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo

from connectors import errors

#: An event or a calendar, as the library has it.
Component = Any

#: A rule finer than a day may fill a window with more than anybody can go to.
_FREQUENCIES = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_MOST_A_DAY = 24
#: Rules are unfolded from their beginning; before this nobody's calendar begins.
_EARLIEST = 1970
_MOST_EVENTS = 10_000
_MOST_OCCURRENCES = 5_000
#: Of the processor's time. A rule that never comes true is tried up to the year 9999, which
#: takes seconds; how long is looked at between one event's rule and the next.
_MOST_SECONDS = 5.0
#: What the libraries raise for what they cannot read is not one family of errors.
_UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


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


def events(texts: Sequence[str | bytes]) -> list[Component]:
    """Return the events of iCalendar objects (RFC 5545), as they are written.

    Raises:
        Misconfigured: UNREADABLE, one of them is none; BAD_ANSWER, there are too many events.
    """
    return [event for one in _read(texts) for event in one.walk("VEVENT")]


def unfolded(texts: Sequence[str | bytes], since: datetime, until: datetime) -> list[Component]:
    """Return the events that touch a window, each that recurs once for every time in it.

    Raises:
        Misconfigured: UNREADABLE, an object or an event cannot be read; BAD_ANSWER, they would
            unfold to too much, or take too long.
    """
    found: list[Component] = []
    started = time.thread_time()
    calendars = _read(texts)
    unfolding = import_module("recurring_ical_events")
    try:
        for series in itertools.chain.from_iterable(_series(one, until) for one in calendars):
            found += unfolding.of(series).between(since, until)
            if len(found) > _MOST_OCCURRENCES:
                raise errors.bad_answer(f"holds more than {_MOST_OCCURRENCES} events in the window")
            if time.thread_time() - started > _MOST_SECONDS:
                raise _endless()
    except _UNREADABLE:
        raise _unreadable() from None
    return found


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
    touching = unfolded(texts, since, until)
    try:
        found = [_occurrence(one, zone) for one in touching]
    except _UNREADABLE:
        raise _unreadable() from None
    on = (one for one in found if one.title and since <= one.start < until)
    return sorted(on, key=lambda one: (one.start, one.uid))


def _unreadable() -> errors.Misconfigured:
    return errors.unreadable("is not a calendar that can be read")


def _endless() -> errors.Misconfigured:
    return errors.bad_answer("repeats an event more often than can be followed")


def _read(texts: Sequence[str | bytes]) -> list[Component]:
    icalendar = import_module("icalendar")
    try:
        calendars = [icalendar.Calendar.from_ical(text) for text in texts]
    except _UNREADABLE:
        raise _unreadable() from None
    if sum(len(one.walk("VEVENT")) for one in calendars) > _MOST_EVENTS:
        raise errors.bad_answer(f"holds more than {_MOST_EVENTS} events")
    return calendars


def _series(calendar: Component, until: datetime) -> Iterator[Component]:
    """Yield a calendar for every event with what changes it, its rule ended at the window."""
    icalendar = import_module("icalendar")
    by_uid: dict[Any, Component] = {}
    for event in calendar.walk("VEVENT"):
        _tame(event, until)
        # Each has the properties of the whole, as it may say the time zone there.
        series = by_uid.setdefault(event.get("UID", id(event)), icalendar.Calendar(calendar))
        series.add_component(event)
    yield from by_uid.values()


def _tame(event: Any, until: datetime) -> None:  # noqa: ANN401 - the library's own component
    """End an event's rule at the window.

    Raises:
        Misconfigured: BAD_ANSWER, it would take too long to unfold, whatever the window.
    """
    rule = event.get("RRULE")
    if rule is None:
        return
    if isinstance(rule, list):
        # RFC 5545, section 3.8.5.3: one rule is all that an event should have.
        raise _endless()
    each = (len(rule.get(part, [0])) for part in ("BYHOUR", "BYMINUTE", "BYSECOND"))
    coarse = rule["FREQ"][0] in _FREQUENCIES and math.prod(each) <= _MOST_A_DAY
    advances = rule.get("INTERVAL", [1])[0] > 0
    if not coarse or not advances or event["DTSTART"].dt.year < _EARLIEST:
        raise _endless()
    if "UNTIL" not in rule and "COUNT" not in rule:
        rule["UNTIL"] = [_end(event["DTSTART"].dt, until)]


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
        return datetime.combine(when, clock.min, zone)
    return when.replace(tzinfo=zone) if when.tzinfo is None else when

"""A venue or a practice that publishes a calendar: its events are showings or appointments."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pydantic

from connectors import base, calendar, wire
from models import offer

#: RFC 4791, section 7.8: the whole events that have an occurrence in a window.
_QUERY = """<?xml version="1.0" encoding="utf-8"?>
<c:calendar-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">
<d:prop><c:calendar-data/></d:prop>
<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">
<c:time-range start="{since:%Y%m%dT%H%M%SZ}" end="{until:%Y%m%dT%H%M%SZ}"/>
</c:comp-filter></c:comp-filter></c:filter>
</c:calendar-query>"""
_DATA = "{urn:ietf:params:xml:ns:caldav}calendar-data"


class Options(base.Options):
    """What a calendar's file says beside its address."""

    path: str = pydantic.Field(
        default="", description="Where the calendar is, below the address; the address itself."
    )
    caldav: bool = pydantic.Field(
        default=False, description="It is a CalDAV collection, asked for a window; else a feed."
    )
    gives: Literal["showing", "appointment"] = pydantic.Field(
        default="showing", description="What its events are."
    )
    categories: Mapping[str, str] = pydantic.Field(
        default={}, description="The calendar's category by topic; an empty one takes every event."
    )
    where: str = pydantic.Field(
        default="", description="The place of events that say none; without it they are left out."
    )
    zone: ZoneInfo = pydantic.Field(
        default=ZoneInfo("Asia/Shanghai"),
        description="The time zone of times that come without one, and of whole days.",
    )


class _Link(wire.Record):
    url: wire.WebAddress


class Ical(base.Connector[Options]):
    """One read of the calendar answers all inquiries; recurrence is unfolded here.

    Servers give the event as it was written, with its rule, whatever window they are asked for.
    """

    slug = "ical"
    label: ClassVar[Mapping[str, str]] = {"en": "Calendar", "zh": "日历"}
    capabilities = frozenset({offer.Capability.SHOWING, offer.Capability.APPOINTMENT})
    options_model = Options
    EXAMPLE_OPTIONS: ClassVar[Mapping[str, object]] = {
        "path": "programme.ics",
        "categories": {"anything": ""},
        "where": "Culture Hall",
    }
    EXAMPLES = (
        base.Example(
            name="a weekly event on its second evening, moved once; one called off is left out",
            inquiries=tuple(
                base.Inquiry(
                    offer.Capability.SHOWING,
                    topic,
                    datetime.fromisoformat("2026-11-23T00:00:00+08:00"),
                    datetime.fromisoformat("2026-12-07T00:00:00+08:00"),
                )
                for topic in ("concert", "anything")
            ),
            replies=(
                base.Reply(
                    path="programme.ics",
                    content_type="text/calendar",
                    body="\r\n".join(
                        (
                            "BEGIN:VCALENDAR",
                            "VERSION:2.0",
                            "PRODID:-//Example//Programme//EN",
                            "BEGIN:VEVENT",
                            "UID:strings",
                            "DTSTAMP:20261101T000000Z",
                            "DTSTART;TZID=Asia/Shanghai:20261117T190000",
                            "DTEND;TZID=Asia/Shanghai:20261117T204000",
                            "RRULE:FREQ=WEEKLY",
                            "SUMMARY:String quartet",
                            "CATEGORIES:Concert,Music",
                            "END:VEVENT",
                            "BEGIN:VEVENT",
                            "UID:strings",
                            "DTSTAMP:20261101T000000Z",
                            "RECURRENCE-ID;TZID=Asia/Shanghai:20261201T190000",
                            "DTSTART;TZID=Asia/Shanghai:20261202T193000",
                            "DTEND;TZID=Asia/Shanghai:20261202T211000",
                            "SUMMARY:String quartet",
                            "CATEGORIES:Concert",
                            "LOCATION:Small Hall",
                            "END:VEVENT",
                            "BEGIN:VEVENT",
                            "UID:fair",
                            "DTSTAMP:20261101T000000Z",
                            "DTSTART;VALUE=DATE:20261128",
                            "SUMMARY:Book fair",
                            "END:VEVENT",
                            "BEGIN:VEVENT",
                            "UID:off",
                            "DTSTAMP:20261101T000000Z",
                            "DTSTART:20261125T110000Z",
                            "SUMMARY:Recital",
                            "STATUS:CANCELLED",
                            "CATEGORIES:Concert",
                            "END:VEVENT",
                            "END:VCALENDAR",
                            "",
                        )
                    ),
                ),
            ),
            offers=(
                (
                    {"title": "String quartet", "start": "2026-11-24T19:00:00+08:00"},
                    {"start": "2026-12-02T19:30:00+08:00", "venue": "Small Hall"},
                ),
                (
                    {"start": "2026-11-24T19:00:00+08:00", "venue": "Culture Hall"},
                    {"title": "Book fair", "start": "2026-11-28T00:00:00+08:00"},
                    {"id": "strings/20261202T113000Z"},
                ),
            ),
        ),
    )

    @classmethod
    def capabilities_of(cls, options: Options) -> frozenset[offer.Capability]:
        """Return what its events are taken for."""
        return frozenset({offer.Capability(options.gives)})

    async def answer(self, inquiries: Sequence[base.Inquiry]) -> Sequence[Sequence[offer.Offer]]:
        """Return the events of each inquiry's category that start in its window."""
        since = min(one.since for one in inquiries)
        until = max(one.until for one in inquiries)
        texts = await (self._asked(since, until) if self.options.caldav else self._read())
        # A long calendar takes a while to read: others are served meanwhile.
        found = await asyncio.to_thread(
            calendar.occurrences, texts, since, until, self.options.zone
        )
        return [
            [
                self._offer(one)
                for one in found
                if self._belongs(one, asked) and asked.since <= one.start < asked.until
            ]
            for asked in inquiries
        ]

    async def _read(self) -> list[bytes]:
        reply = await self.partner.get(self.options.path, accept="text/calendar")
        return [reply.body]

    async def _asked(self, since: datetime, until: datetime) -> list[bytes]:
        query = _QUERY.format(since=since.astimezone(UTC), until=until.astimezone(UTC))
        reply = await self.partner.send(
            "REPORT",
            self.options.path,
            headers={"Depth": "1"},
            content=query.encode(),
            content_type="application/xml; charset=utf-8",
            accept="application/xml",
            reads=True,
        )
        return [(data.text or "").encode() for data in reply.xml().iter(_DATA)]

    def _belongs(self, one: calendar.Occurrence, asked: base.Inquiry) -> bool:
        category = self.options.categories.get(asked.topic, asked.topic)
        placed = one.where or self.options.where
        return bool(placed) and (not category or category.casefold() in one.categories)

    def _offer(self, one: calendar.Occurrence) -> offer.Offer:
        where = one.where or self.options.where
        name = f"{quote(one.uid, safe='@')}/{one.start.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        url = str(wire.read(_Link, {"url": one.url}).url) if one.url else None
        notes = (offer.Attribute("note", "Note", one.note),) if one.note else ()
        shared: dict[str, Any] = {"id": name, "title": one.title, "url": url, "attributes": notes}
        if self.options.gives == "appointment":
            return offer.Appointment(**shared, start=one.start, end=one.end, where=where)
        return offer.Showing(**shared, start=one.start, end=one.end, venue=where)

"""A venue with an OData v4 service, as cinema systems have them: its sessions are showings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pydantic

from connectors import base, errors, wire
from models import offer


class Properties(base.Options):
    """Under which names the service has what is read; `Film/Title` is a property of a property."""

    id: str = pydantic.Field(default="ID", description="What names a session.")
    title: str = pydantic.Field(default="Title", description="What is shown.")
    start: str = pydantic.Field(default="Showtime", description="When it starts.")
    topic: str = pydantic.Field(default="", description="What topics are compared with; none.")
    venue: str = pydantic.Field(default="", description="Where it is shown; the file's `venue`.")
    end: str = pydantic.Field(default="", description="When it ends.")
    seats: str = pydantic.Field(default="", description="How many seats are left.")
    price: str = pydantic.Field(default="", description="What a seat costs.")
    url: str = pydantic.Field(default="", description="Where it is sold.")


class Options(base.Options):
    """What a service's file says beside its address."""

    path: str = pydantic.Field(
        default="Sessions", description="The entity set of sessions, below the address."
    )
    properties: Properties = pydantic.Field(
        default=Properties(), description="Under which names the service has what is read."
    )
    expand: tuple[str, ...] = pydantic.Field(
        default=(), description="The properties that are entities of their own, and must be asked."
    )
    topics: Mapping[str, str] = pydantic.Field(
        default={}, description="The service's own value by topic, where the two differ."
    )
    venue: str = pydantic.Field(default="", description="The venue, where sessions name none.")
    currency: str = pydantic.Field(default="CNY", description="The currency of prices.")
    local: bool = pydantic.Field(
        default=False, description="Times are the zone's, whatever offset stands behind them."
    )
    zone: ZoneInfo = pydantic.Field(
        default=ZoneInfo("Asia/Shanghai"),
        description="The time zone of times that come without an offset.",
    )
    page_size: int = pydantic.Field(
        default=200, ge=1, le=1000, description="Sessions asked for in one page."
    )


class _Page(wire.Record):
    value: tuple[dict[str, Any], ...]
    following: str | None = pydantic.Field(default=None, alias="@odata.nextLink")


class _Session(wire.Record):
    """A session by the words for its properties."""

    id: str | int
    title: str
    start: datetime
    topic: str | int | None = None
    venue: str | None = None
    end: datetime | None = None
    seats: int | None = pydantic.Field(default=None, ge=0)
    price: Decimal | None = None
    url: wire.WebAddress | None = None


class Odata(base.Connector[Options]):
    """One query answers all inquiries: their topics joined by `or`, their windows in one."""

    slug = "odata"
    label: ClassVar[Mapping[str, str]] = {"en": "OData service", "zh": "OData 服务"}
    capabilities = frozenset({offer.Capability.SHOWING})
    options_model = Options
    EXAMPLE_OPTIONS: ClassVar[Mapping[str, object]] = {
        "properties": {"title": "Film/Title", "topic": "Series", "seats": "SeatsAvailable"},
        "expand": ["Film"],
        "topics": {"children": "Children's Cinema"},
        "venue": "Lantern Cinema",
        "local": True,
    }
    EXAMPLES = (
        base.Example(
            name="a quote in a name, a title one entity further, local times, a second page",
            inquiries=tuple(
                base.Inquiry(
                    offer.Capability.SHOWING,
                    topic,
                    datetime.fromisoformat("2026-11-24T00:00:00+08:00"),
                    datetime.fromisoformat("2026-11-25T00:00:00+08:00"),
                )
                for topic in ("children", "classics")
            ),
            replies=(
                base.Reply(
                    path="Sessions",
                    query={
                        "$filter": "Showtime ge 2026-11-24T00:00:00Z"
                        " and Showtime lt 2026-11-25T00:00:00Z"
                        " and (Series eq 'Children''s Cinema' or Series eq 'classics')",
                        "$orderby": "Showtime,ID",
                        "$select": "ID,SeatsAvailable,Series,Showtime",
                        "$expand": "Film($select=Title)",
                    },
                    body='{"value": [{"ID": 7, "Showtime": "2026-11-24T10:00:00",'
                    ' "Series": "Children\'s Cinema", "SeatsAvailable": 12,'
                    ' "Film": {"Title": "The Paper Boat"}}],'
                    ' "@odata.nextLink": "Sessions?$skiptoken=7"}',
                ),
                base.Reply(
                    path="Sessions",
                    query={"$skiptoken": "7"},
                    body='{"value": [{"ID": 8, "Showtime": "2026-11-24T19:30:00Z",'
                    ' "Series": "classics", "SeatsAvailable": 0,'
                    ' "Film": {"Title": "Street of Planes"}}]}',
                ),
            ),
            offers=(
                ({"id": "7", "title": "The Paper Boat", "start": "2026-11-24T10:00:00+08:00"},),
                ({"id": "8", "start": "2026-11-24T19:30:00+08:00", "seats": "0"},),
            ),
        ),
    )

    async def answer(self, inquiries: Sequence[base.Inquiry]) -> Sequence[Sequence[offer.Offer]]:
        """Return the sessions of each inquiry's topic that start in its window.

        Where sessions have no property for topics, every topic takes them all.
        """
        rows = [self._named(row) for row in await self._rows(self._query(inquiries))]
        sessions = {str(one.id): one for one in wire.read(list[_Session], rows)}.values()
        return [self._showings(one, sessions) for one in inquiries]

    def _query(self, inquiries: Sequence[base.Inquiry]) -> list[tuple[str, str]]:
        has = self.options.properties
        since = self._literal(min(one.since for one in inquiries))
        until = self._literal(max(one.until for one in inquiries))
        wanted = f"{has.start} ge {since} and {has.start} lt {until}"
        if has.topic:
            values = sorted({self._value(one) for one in inquiries})
            wanted += f" and ({' or '.join(f'{has.topic} eq {_quoted(one)}' for one in values)})"
        paths = sorted({path for path in has.model_dump().values() if path})
        own = [path for path in paths if path.partition("/")[0] not in self.options.expand]
        query = [("$filter", wanted), ("$orderby", f"{has.start},{has.id}")]
        query.append(("$select", ",".join(own)))
        for entity in self.options.expand:
            inner = [path.partition("/")[2] for path in paths if path.startswith(f"{entity}/")]
            query.append(("$expand", f"{entity}($select={','.join(inner)})"))
        return query

    async def _rows(self, query: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        headers = {"Prefer": f"odata.maxpagesize={self.options.page_size}"}
        reply = await self.partner.get(self.options.path, query=query, headers=headers)
        pages = [wire.read(_Page, reply.json())]
        most = self.partner.policy.pages
        while (following := pages[-1].following) is not None:
            if len(pages) == most:
                raise errors.bad_answer(f"goes on for more than {most} pages")
            reply = await self.partner.follow(following, headers=headers)
            pages.append(wire.read(_Page, reply.json()))
        return [row for page in pages for row in page.value]

    def _named(self, row: Mapping[str, Any]) -> dict[str, Any]:
        paths = self.options.properties.model_dump().items()
        return {name: _at(row, path) for name, path in paths if path}

    def _value(self, asked: base.Inquiry) -> str:
        return self.options.topics.get(asked.topic, asked.topic)

    def _literal(self, moment: datetime) -> str:
        """Return a moment as Edm.DateTimeOffset is written in a URL (OData 4.01 ABNF).

        A service whose times are local all the same gets the local time as if it were UTC.
        """
        zone = self.options.zone if self.options.local else UTC
        return f"{moment.astimezone(zone):%Y-%m-%dT%H:%M:%SZ}"

    def _moment(self, given: datetime) -> datetime:
        if self.options.local or given.tzinfo is None:
            return given.replace(tzinfo=self.options.zone)
        return given

    def _showings(self, asked: base.Inquiry, sessions: Iterable[_Session]) -> list[offer.Showing]:
        topical = self.options.properties.topic
        showings = [
            self._showing(one)
            for one in sessions
            if not topical or str(one.topic) == self._value(asked)
        ]
        within = (one for one in showings if asked.since <= one.start < asked.until)
        return sorted(within, key=lambda one: (one.start, one.id))

    def _showing(self, one: _Session) -> offer.Showing:
        return offer.Showing(
            id=str(one.id),
            title=one.title,
            url=str(one.url) if one.url else None,
            start=self._moment(one.start),
            end=self._moment(one.end) if one.end else None,
            venue=one.venue or self.options.venue,
            seats=one.seats,
            price=one.price,
            price_currency=self.options.currency if one.price is not None else None,
        )


def _quoted(value: str) -> str:
    """Return a string literal: quotes within are doubled (OData 4.01 URL conventions, 5.1.1.14)."""
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def _at(row: Mapping[str, Any], path: str) -> object:
    found: object = row
    for name in path.split("/"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found

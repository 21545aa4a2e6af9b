"""A cinema or cultural venue that lists schema.org events: what it shows are showings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

import pydantic

from connectors import base, decode, errors, exchange, wire
from models import offer

#: The event type of each topic; any other topic is taken for an event type itself.
_TYPES = {
    "film": "ScreeningEvent",
    "concert": "MusicEvent",
    "exhibition": "ExhibitionEvent",
    "theatre": "TheaterEvent",
}
#: Whether an event of this status can be gone to.
_ON = {
    "EventScheduled": True,
    "EventRescheduled": True,
    "EventMovedOnline": False,
    "EventPostponed": False,
    "EventCancelled": False,
}
_ATTRIBUTES = {"videoFormat": "Format", "inLanguage": "Language"}


class Options(base.Options):
    """What a venue's file says beside its address."""

    path: str = pydantic.Field(
        default="events", description="Where the list of events is, below the address."
    )
    format: Literal["json", "html"] = pydantic.Field(
        default="json", description="Whether it is JSON-LD itself, or a page with JSON-LD inside."
    )
    zone: ZoneInfo = pydantic.Field(
        default=ZoneInfo("Asia/Shanghai"),
        description="The time zone of times that come without an offset.",
    )


def _listed(value: object) -> object:
    """JSON-LD lets a list of one stand without its brackets."""
    return value if isinstance(value, list) else [value]


def _when(text: object) -> date:
    written = str(text)
    return (date if len(written) == len("2026-01-31") else datetime).fromisoformat(written)


def _takes_place(text: object) -> bool:
    try:
        return _ON[str(text).rpartition("/")[2]]
    except KeyError:
        raise ValueError from None


_When = Annotated[date, pydantic.PlainValidator(_when)]


class _Price(wire.Record):
    price: Decimal | None = pydantic.Field(
        default=None, validation_alias=pydantic.AliasChoices("price", "lowPrice")
    )
    price_currency: str | None = None
    url: wire.WebAddress | None = None


class _Location(wire.Record):
    name: str


class _Typed(wire.Record):
    type: Annotated[tuple[str, ...], pydantic.BeforeValidator(_listed)] = pydantic.Field(
        alias="@type"
    )


class _Event(_Typed):
    id: str = pydantic.Field(validation_alias=pydantic.AliasChoices("identifier", "@id", "url"))
    name: str
    start_date: _When
    end_date: _When | None = None
    event_status: Annotated[bool, pydantic.PlainValidator(_takes_place)] = True
    location: _Location
    remaining_attendee_capacity: int | None = pydantic.Field(default=None, ge=0)
    offers: Annotated[tuple[_Price, ...], pydantic.BeforeValidator(_listed)] = ()
    url: wire.WebAddress | None = None
    # schema.org lets these be things of their own; only words are shown.
    video_format: object = None
    in_language: object = None


class Cinema(base.Connector[Options]):
    """The months and types of all inquiries are asked for at once."""

    slug = "cinema"
    label: ClassVar[Mapping[str, str]] = {"en": "Cinema or cultural venue", "zh": "影院和文化场馆"}
    capabilities = frozenset({offer.Capability.SHOWING})
    options_model = Options

    async def answer(self, inquiries: Sequence[base.Inquiry]) -> Sequence[Sequence[offer.Offer]]:
        """Return, for each inquiry, what starts in its window; an exhibition, what is open in it.

        A record of a type that was not asked for is passed over, as lists of JSON-LD mix types;
        so is an event that was called off.
        """
        types = {_type(one) for one in inquiries}
        months = sorted({month for one in inquiries for month in self._months(one)})
        reply = await self._programme(
            [("month", month) for month in months] + [("type", name) for name in sorted(types)]
        )
        records = self._records(reply)
        typed = zip(wire.read(list[_Typed], records), records, strict=True)
        wanted = [record for its, record in typed if not types.isdisjoint(its.type)]
        events = wire.read(list[_Event], wanted)
        return [self._showings(one, events) for one in inquiries]

    async def _programme(self, query: exchange.Pairs) -> exchange.Reply:
        """Return the programme: a page for people is for nothing less than all."""
        if self.options.format == "html":
            return await self.partner.get(self.options.path, accept="text/html")
        return await self.partner.get(self.options.path, query=query, accept="application/ld+json")

    def _records(self, reply: exchange.Reply) -> list[Any]:
        if self.options.format == "html":
            nodes = decode.json_ld(reply.text())
            return [one for one in nodes if isinstance(one, dict) and "@type" in one]
        return _records(reply.json())

    def _months(self, inquiry: base.Inquiry) -> list[str]:
        month = inquiry.since.astimezone(self.options.zone).date().replace(day=1)
        months = []
        while datetime.combine(month, time.min, self.options.zone) < inquiry.until:
            months.append(f"{month:%Y-%m}")
            month = (month + timedelta(days=31)).replace(day=1)
        return months

    def _showings(self, inquiry: base.Inquiry, events: Sequence[_Event]) -> Sequence[offer.Showing]:
        name = _type(inquiry)
        showings = [
            self._showing(event)
            for event in events
            if event.event_status and name in event.type and self._within(event, inquiry)
        ]
        return sorted(showings, key=lambda one: (one.start, one.id))

    def _within(self, event: _Event, inquiry: base.Inquiry) -> bool:
        """A film is caught at its start; an exhibition can be walked into until it ends."""
        start = self._moment(event.start_date)
        if inquiry.topic == "exhibition" and event.end_date:
            end = self._moment(event.end_date, last=True)
            return start < inquiry.until and end > inquiry.since
        return inquiry.since <= start < inquiry.until

    def _showing(self, event: _Event) -> offer.Showing:
        priced = [one for one in event.offers if one.price is not None]
        cheapest = min(priced, key=lambda one: one.price or 0, default=_Price())
        url = event.url or cheapest.url
        found = {"videoFormat": event.video_format, "inLanguage": event.in_language}
        return offer.Showing(
            id=event.id,
            title=event.name,
            url=str(url) if url else None,
            start=self._moment(event.start_date),
            end=self._moment(event.end_date, last=True) if event.end_date else None,
            venue=event.location.name,
            seats=event.remaining_attendee_capacity,
            price=cheapest.price,
            price_currency=cheapest.price_currency,
            attributes=tuple(
                offer.Attribute(name, _ATTRIBUTES[name], value)
                for name, value in found.items()
                if isinstance(value, str)
            ),
        )

    def _moment(self, when: date, *, last: bool = False) -> datetime:
        """Return a time as an aware one; a day begins at midnight and, as the last one, ends."""
        if isinstance(when, datetime):
            return when if when.tzinfo else when.replace(tzinfo=self.options.zone)
        # What stays for ever is often said to end on the last day there is.
        after = timedelta(days=last and when < date.max)
        return datetime.combine(when + after, time.min, self.options.zone)


def _type(inquiry: base.Inquiry) -> str:
    return _TYPES.get(inquiry.topic, inquiry.topic)


def _records(data: Any) -> list[Any]:  # noqa: ANN401 - whatever the partner sent
    records = data.get("@graph") if isinstance(data, dict) else data
    if not isinstance(records, list):
        raise errors.bad_answer("is not a list of events")
    return records

"""A cinema and a culture hall: their programme as schema.org events, by month and by type."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from aiohttp import web

from sandbox import day, secret

Event = dict[str, Any]


@dataclass(frozen=True)
class Work:
    """Something shown: on which weekdays, at which hours, for how long and at what price."""

    kind: str
    title: str
    weekdays: tuple[int, ...]
    hours: tuple[int, ...]
    minutes: int
    price: str


@dataclass(frozen=True)
class Tenant:
    """One venue: its halls' names by kind of event, and its programme."""

    venue: str
    seats: int
    works: tuple[Work, ...]


_DAILY = (0, 1, 2, 3, 4, 5, 6)
TENANTS = {
    "hongqiao-cinema": Tenant(
        "Hongqiao Cinema (sandbox)",
        120,
        (
            Work(
                "ScreeningEvent", "The Lantern Maker of Suzhou Creek", _DAILY, (19,), 112, "60.00"
            ),
            Work("ScreeningEvent", "Two Umbrellas 两把伞", (4, 5, 6), (14, 21), 98, "45.00"),
            Work("MusicEvent", "Film Music by Candlelight", (5,), (20,), 90, "120.00"),
        ),
    ),
    "xinhua-culture-hall": Tenant(
        "Xinhua Culture Hall (sandbox)",
        300,
        (
            Work("MusicEvent", "Plane Tree String Quartet", (2, 6), (19,), 100, "180.00"),
            Work("TheaterEvent", "The Teahouse on Panyu Road", (4, 5), (19,), 130, "150.00"),
            Work("ExhibitionEvent", "Shikumen in Ink", (), (), 0, "0"),
        ),
    ),
}


def routes(clock: day.Clock) -> list[web.RouteDef]:
    """Return both venues' programmes: the cinema's key in a header, the hall's in the query."""
    return [web.get(f"/{slug}/events", _Programme(slug, clock).answer) for slug in TENANTS]


class _Programme:
    """The programme of this month and the next."""

    def __init__(self, slug: str, clock: day.Clock) -> None:
        self.slug = slug
        self.clock = clock

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request."""
        if not self._known(request):
            return web.json_response({"error": "no valid token"}, status=401)
        months = tuple(sorted(set(request.query.getall("month", []))))
        types = tuple(sorted(set(request.query.getall("type", []))))
        try:
            body = _programme(self.slug, day.today(self.clock), months, types)
        except ValueError:
            return web.json_response({"error": "month is yyyy-mm"}, status=400)
        return web.Response(body=body, headers={"Content-Type": "application/ld+json"})

    def _known(self, request: web.Request) -> bool:
        if self.slug == "hongqiao-cinema":
            given = request.headers.get("connectapitoken")
            return secret.matches("hongqiao-cinema-token", given)
        return secret.matches("xinhua-culture-hall-key", request.query.get("key"))


@functools.lru_cache(maxsize=64)
def _programme(slug: str, today: date, months: tuple[str, ...], types: tuple[str, ...]) -> bytes:
    first = today.replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    shown = {f"{month:%Y-%m}": month for month in (first, following)}
    wanted = {f"{date.fromisoformat(f'{month}-01'):%Y-%m}" for month in months} or set(shown)
    events = [
        event
        for name, month in shown.items()
        if name in wanted
        for event in _month(slug, month)
        if not types or event["@type"] in types
    ]
    return json.dumps(events, ensure_ascii=False).encode()


def _month(slug: str, month: date) -> Iterator[Event]:
    following = (month + timedelta(days=32)).replace(day=1)
    for work in TENANTS[slug].works:
        if not work.weekdays:
            last = following - timedelta(days=1)
            yield _event(slug, work, f"{month}", f"{last}", None)
        for ahead in range((following - month).days):
            on = month + timedelta(days=ahead)
            for hour in work.hours if on.weekday() in work.weekdays else ():
                # Local times without an offset, as cinema systems give them.
                start = datetime.combine(on, time(hour, 30))
                end = start + timedelta(minutes=work.minutes)
                taken = (on.toordinal() * 13 + hour) % TENANTS[slug].seats
                yield _event(slug, work, start.isoformat(), end.isoformat(), taken)


def _event(slug: str, work: Work, start: str, end: str, taken: int | None) -> Event:
    tenant = TENANTS[slug]
    place = tenant.works.index(work) + 1
    number = f"{place}-{start.replace('-', '').replace(':', '')}"
    event: Event = {
        "@context": "https://schema.org",
        "@type": work.kind,
        "identifier": number,
        "name": work.title,
        "startDate": start,
        "endDate": end,
        "eventStatus": "https://schema.org/EventScheduled",
        "inLanguage": "zh",
        "location": {"@type": "Place", "name": f"{tenant.venue}, Hall {place}"},
        "offers": {
            "@type": "Offer",
            "price": work.price,
            "priceCurrency": "CNY",
            "url": f"https://{slug}.example/events/{number}",
        },
    }
    if taken is not None:
        event["maximumAttendeeCapacity"] = tenant.seats
        event["remainingAttendeeCapacity"] = tenant.seats - taken
    return event

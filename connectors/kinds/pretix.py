"""A venue that sells by pretix's REST interface: the dates of an event series are showings."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Literal

import pydantic

from connectors import base, errors, exchange, wire
from models import offer

#: How far an order of each status is: pending, paid, expired, cancelled.
_STEPS = {
    "n": base.Step.HELD,
    "p": base.Step.CONFIRMED,
    "e": base.Step.CANCELLED,
    "c": base.Step.CANCELLED,
}
_CODE_LETTERS = 12
#: pretix answers so where it waited in vain for others who buy at the same time.
_LOCKED = 409


class Options(base.Options):
    """What a venue's file says beside its address, which is that of an event series."""

    items: Mapping[str, int] = pydantic.Field(description="The item that is sold, by topic.")
    language: str = pydantic.Field(default="en", description="The language of names.")
    venue: str = pydantic.Field(default="", description="The venue of dates that name none.")
    currency: str = pydantic.Field(default="CNY", description="The currency of the series.")
    email: str | None = pydantic.Field(
        default=None, description="An address of the operator's for what is sent about orders."
    )


_Words = Mapping[str, str]


class _Named(wire.Record):
    """pretix writes its names with underscores."""

    model_config = pydantic.ConfigDict(alias_generator=None)


class _Override(_Named):
    item: int
    price: Decimal | None = None


class _Date(_Named):
    id: int
    name: _Words
    active: bool
    date_from: pydantic.AwareDatetime
    date_to: pydantic.AwareDatetime | None = None
    location: _Words | None = None
    item_price_overrides: tuple[_Override, ...] = ()


class _Quota(_Named):
    subevent: int | None
    items: tuple[int, ...]
    available: bool
    available_number: int | None


class _Item(_Named):
    id: int
    default_price: Decimal


class _Page(_Named):
    next: str | None
    results: tuple[dict[str, Any], ...]


class _Order(_Named):
    code: str
    status: Literal["n", "p", "e", "c"]
    expires: pydantic.AwareDatetime | None = None


class Pretix(base.Connector[Options]):
    """Dates, quotas and items are read once each for all inquiries.

    An order's code is made from the booking's key: so an order that was sent twice is refused,
    and one whose answer was lost is found.
    """

    slug = "pretix"
    label: ClassVar[Mapping[str, str]] = {"en": "Ticket shop (pretix)", "zh": "票务系统（pretix）"}
    capabilities = frozenset({offer.Capability.SHOWING})
    books = frozenset({offer.Capability.SHOWING})
    options_model = Options
    EXAMPLE_OPTIONS: ClassVar[Mapping[str, object]] = {"items": {"concert": 7}, "language": "zh"}
    EXAMPLES = (
        base.Example(
            name="a date on the second page, its seats the fewest of its quotas, its own price",
            inquiries=(
                base.Inquiry(
                    offer.Capability.SHOWING,
                    "concert",
                    datetime.fromisoformat("2026-11-23T00:00:00+08:00"),
                    datetime.fromisoformat("2026-11-30T00:00:00+08:00"),
                ),
            ),
            replies=(
                base.Reply(
                    path="subevents/",
                    query={"date_from_after": "2026-11-23T00:00:00+08:00", "active": "true"},
                    body='{"next": "{address}/subevents/?page=2", "results": []}',
                ),
                base.Reply(
                    path="subevents/",
                    query={"page": "2"},
                    body='{"next": null, "results": [{"id": 31, "active": true,'
                    ' "name": {"en": "Strings", "zh": "弦乐四重奏"},'
                    ' "date_from": "2026-11-24T19:00:00+08:00", "date_to": null,'
                    ' "location": {"en": "Small Hall"},'
                    ' "item_price_overrides": [{"item": 7, "price": "80.00"}]}]}',
                ),
                base.Reply(
                    path="quotas/",
                    query={"with_availability": "true", "subevent__in": "31"},
                    body='{"next": null, "results": ['
                    '{"subevent": 31, "items": [7], "available": true, "available_number": 50},'
                    '{"subevent": 31, "items": [7, 8], "available": true, "available_number": 4},'
                    '{"subevent": 31, "items": [8], "available": false, "available_number": 0}]}',
                ),
                base.Reply(
                    path="items/",
                    body='{"next": null, "results": [{"id": 7, "default_price": "120.00"}]}',
                ),
            ),
            offers=(
                (
                    {
                        "id": "31-7",
                        "title": "弦乐四重奏",
                        "venue": "Small Hall",
                        "seats": "4",
                        "price": "80.00",
                    },
                ),
            ),
        ),
        base.Example(
            name="two seats are ordered, then paid for",
            order=base.Order(
                "example0booking0key000", "somebody", offer.Capability.SHOWING, "concert", "31-7", 2
            ),
            steps=(base.Act.RESERVE, base.Act.CONFIRM),
            replies=(
                base.Reply(
                    path="orders/",
                    method="POST",
                    status=201,
                    sends={"positions": [{"item": 7, "subevent": 31}, {"item": 7, "subevent": 31}]},
                    body='{"code": "E4WX9", "status": "n", "expires": "2026-11-24T23:59:59+08:00"}',
                ),
                base.Reply(path="orders/E4WX9/", body='{"code": "E4WX9", "status": "n"}'),
                base.Reply(
                    path="orders/E4WX9/mark_paid/",
                    method="POST",
                    body='{"code": "E4WX9", "status": "p"}',
                ),
            ),
            booked={"step": "confirmed", "reference": "E4WX9"},
        ),
    )

    async def answer(self, inquiries: Sequence[base.Inquiry]) -> Sequence[Sequence[offer.Offer]]:
        """Return the dates on which each inquiry's item is sold and that start in its window."""
        since = min(one.since for one in inquiries).isoformat()
        until = max(one.until for one in inquiries).isoformat()
        window = [("date_from_after", since), ("date_from_before", until)]
        rows = await self._all("subevents/", [("active", "true"), *window])
        dates = [one for one in wire.read(list[_Date], rows) if one.active]
        if not dates:
            return [[] for _ in inquiries]
        quotas = await self._quotas([one.id for one in dates])
        items = wire.read(list[_Item], await self._all("items/", [("active", "true")]))
        prices = {item.id: item.default_price for item in items}
        return [self._showings(asked, dates, quotas, prices) for asked in inquiries]

    async def reserve(self, order: base.Order) -> base.Booked:
        """Order so many seats; pretix holds them until the order expires."""
        date, item = self._ordered(order)
        sent = {
            "code": _code(order.key),
            "email": self.options.email,
            "locale": self.options.language,
            "comment": f"Greenway: {order.subject}",
            "positions": [{"item": item, "subevent": date}] * order.units,
        }
        try:
            return await self._act("orders/", sent, order.key)
        except errors.Refused as failure:
            # What is sold out is worded like what is wrong; what is left tells them apart.
            left = _left(await self._quotas([date]), date, item)
            if left is not None and left < order.units:
                sentence = "So many seats are not left."
                raise errors.Refused(sentence, errors.Problem.CONFLICT) from failure
            raise

    async def confirm(self, order: base.Order, booked: base.Booked) -> base.Booked:
        """Mark the order as paid."""
        return await self._turn(order, booked, "mark_paid", base.Step.CONFIRMED)

    async def cancel(self, order: base.Order, booked: base.Booked) -> base.Booked:
        """Cancel the order, whether it was paid or not."""
        return await self._turn(order, booked, "mark_canceled", base.Step.CANCELLED)

    async def find(self, order: base.Order) -> base.Booked | None:
        """Return the order whose code the booking's key makes."""
        try:
            return await self._read(_code(order.key))
        except errors.Refused as failure:
            if failure.problem is errors.Problem.NOT_FOUND:
                return None
            raise

    async def _all(self, path: str, query: exchange.Pairs) -> list[dict[str, Any]]:
        reply = await self.partner.get(path, query=query)
        pages = [wire.read(_Page, reply.json())]
        most = self.partner.policy.pages
        while (following := pages[-1].next) is not None:
            if len(pages) == most:
                raise errors.bad_answer(f"goes on for more than {most} pages")
            pages.append(wire.read(_Page, (await self.partner.follow(following)).json()))
        return [row for page in pages for row in page.results]

    async def _quotas(self, dates: Sequence[int]) -> list[_Quota]:
        among = ",".join(map(str, dates))
        query = [("with_availability", "true"), ("subevent__in", among)]
        return wire.read(list[_Quota], await self._all("quotas/", query))

    async def _read(self, code: str) -> base.Booked:
        reply = await self.partner.get(f"orders/{code}/", headers={"Cache-Control": "no-cache"})
        return _booked(reply)

    async def _act(self, path: str, sent: Mapping[str, object], key: str) -> base.Booked:
        content = json.dumps(sent).encode()
        headers = {"X-Idempotency-Key": key}
        try:
            return _booked(await self.partner.send("POST", path, headers=headers, content=content))
        except errors.Refused as failure:
            if failure.status != _LOCKED:
                raise
            sentence = "The shop is busy with another order."
            raise errors.Retriable(errors.Problem.BUSY, sentence, errors.RETRY_SECONDS) from failure

    async def _turn(
        self, order: base.Order, booked: base.Booked, act: str, step: base.Step
    ) -> base.Booked:
        """Do this to the order, unless it has come as far already."""
        now = await self._read(booked.reference)
        if now.step is step:
            return now
        return await self._act(
            f"orders/{booked.reference}/{act}/", {"send_email": False}, f"{order.key}-{act}"
        )

    def _ordered(self, order: base.Order) -> tuple[int, int]:
        """Return the date and the item that an offer's id names."""
        date, _, item = order.offer.partition("-")
        if not (date.isdecimal() and item.isdecimal()):
            raise errors.Refused("There is no such date.", errors.Problem.NOT_FOUND)
        return int(date), int(item)

    def _showings(
        self,
        asked: base.Inquiry,
        dates: Sequence[_Date],
        quotas: Sequence[_Quota],
        prices: Mapping[int, Decimal],
    ) -> list[offer.Showing]:
        item = self.options.items.get(asked.topic)
        sold = {quota.subevent for quota in quotas if item in quota.items}
        if item is None or item not in prices:
            return []
        showings = [
            offer.Showing(
                id=f"{one.id}-{item}",
                title=self._word(one.name),
                start=one.date_from,
                end=one.date_to,
                venue=self._word(one.location or {}) or self.options.venue,
                seats=_left(quotas, one.id, item),
                price=_price(one, item, prices[item]),
                price_currency=self.options.currency,
            )
            for one in dates
            if one.id in sold and asked.since <= one.date_from < asked.until
        ]
        return sorted(showings, key=lambda one: (one.start, one.id))

    def _word(self, words: _Words) -> str:
        return words.get(self.options.language) or next(filter(None, words.values()), "")


def _left(quotas: Sequence[_Quota], date: int, item: int) -> int | None:
    """Return how many are left: what every quota of the item still gives; None is no limit."""
    bounds = [one for one in quotas if one.subevent == date and item in one.items]
    numbers = [one.available_number for one in bounds if one.available_number is not None]
    if not all(one.available for one in bounds):
        return 0
    return min(numbers, default=None)


def _price(date: _Date, item: int, default: Decimal) -> Decimal:
    own = (one.price for one in date.item_price_overrides if one.item == item)
    return next((price for price in own if price is not None), default)


def _booked(reply: exchange.Reply) -> base.Booked:
    order = wire.read(_Order, reply.json())
    step = _STEPS[order.status]
    return base.Booked(step, order.code, order.expires if step is base.Step.HELD else None)


def _code(key: str) -> str:
    """Return an order's code: capitals and digits, but no O and no 1, which pretix leaves out."""
    digest = hashlib.sha256(key.encode()).digest()
    return base64.b32encode(digest).decode()[:_CODE_LETTERS].replace("O", "8")

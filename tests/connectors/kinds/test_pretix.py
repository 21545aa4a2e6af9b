"""The pretix kind against a loopback shop that keeps its rules, and against odd answers."""

from __future__ import annotations

import json

import pytest
from aiohttp import web

from connectors import base, errors
from connectors.kinds import pretix
from models import offer
from tests import partner

OPTIONS = {"items": {"concert": 7, "tour": 9}, "venue": "Small Hall"}


class Shop:
    """A shop with one date and two seats, which counts what it sells and knows codes."""

    def __init__(self):
        self.left, self.orders, self.calls = 2, {}, []

    async def does(self, request):
        self.calls.append((request.method, request.path))
        parts = request.path.strip("/").split("/")
        if request.method == "POST":
            sent = await request.json()
            return self.sells(sent) if len(parts) == 1 else self.turns(*parts[1:])
        if parts[0] == "orders":
            found = self.orders.get(parts[1])
            return web.json_response(found or {}, status=200 if found else 404)
        return web.json_response({"next": None, "results": self.lists()[parts[0]]})

    def lists(self):
        start = "2026-11-24T19:00:00+08:00"
        date = {"id": 31, "name": {"en": "Strings"}, "active": True, "date_from": start}
        left = {"available": self.left > 0, "available_number": self.left}
        return {
            "subevents": [date],
            "quotas": [{"subevent": 31, "items": [7], **left}],
            "items": [{"id": 7, "default_price": "120.00"}],
        }

    def sells(self, sent):
        if sent["code"] in self.orders or len(sent["positions"]) > self.left:
            return web.json_response({"positions": [{"item": ["No."]}]}, status=400)
        self.left -= len(sent["positions"])
        order = {"code": sent["code"], "status": "n", "expires": "2026-11-24T23:59:59+08:00"}
        self.orders[sent["code"]] = order
        return web.json_response(order, status=201)

    def turns(self, code, act):
        order = self.orders[code]
        order["status"] = {"mark_paid": "p", "mark_canceled": "c"}[act]
        self.left += order["status"] == "c"
        return web.json_response(order)


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
async def connector(shop, client):
    async with partner.running(shop.does) as loopback:
        yield pretix.Pretix(pretix.Options(**OPTIONS), client.partner("shop", loopback.url))


def order(key, units=1, name="31-7"):
    return base.Order(key, "somebody", offer.Capability.SHOWING, "concert", name, units)


async def test_all_inquiries_are_three_calls(connector, shop, asked):
    concerts, tours, films = await connector.answer(
        [asked("showing", topic) for topic in ("concert", "tour", "film")]
    )

    assert len(shop.calls) == 3
    assert [(one.title, one.venue, one.seats) for one in concerts] == [("Strings", "Small Hall", 2)]
    assert (tours, films) == ([], [])


async def test_an_order_goes_from_held_to_confirmed_to_cancelled(connector, shop):
    held = await connector.reserve(order("a"))
    assert (held.step, held.expires_at.isoformat()) == (
        base.Step.HELD,
        "2026-11-24T23:59:59+08:00",
    )

    confirmed = await connector.confirm(order("a"), held)
    assert confirmed.step is base.Step.CONFIRMED
    assert await connector.confirm(order("a"), held) == confirmed

    cancelled = await connector.cancel(order("a"), confirmed)
    assert cancelled.step is base.Step.CANCELLED
    assert await connector.cancel(order("a"), confirmed) == cancelled
    assert shop.left == 2
    assert len([call for call in shop.calls if call[0] == "POST"]) == 3


async def test_what_is_sold_out_is_a_conflict(connector):
    await connector.reserve(order("a", units=2))

    with pytest.raises(errors.Refused) as raised:
        await connector.reserve(order("b"))

    assert raised.value.problem is errors.Problem.CONFLICT


async def test_an_order_sent_twice_sells_once(connector, shop):
    await connector.reserve(order("a"))

    with pytest.raises(errors.Refused) as raised:
        await connector.reserve(order("a"))

    assert raised.value.problem is errors.Problem.REFUSED
    assert shop.left == 1
    assert (await connector.find(order("a"))).step is base.Step.HELD


async def test_nothing_is_found_of_what_was_never_ordered(connector):
    assert await connector.find(order("never")) is None


@pytest.mark.parametrize("name", ["", "31", "31-x", "x-7", "../orders"])
async def test_an_offer_that_is_none_of_the_shops_is_not_ordered(connector, shop, name):
    with pytest.raises(errors.Refused) as raised:
        await connector.reserve(order("a", name=name))

    assert raised.value.problem is errors.Problem.NOT_FOUND
    assert shop.calls == []


@pytest.mark.parametrize("body", [{}, {"next": None}, {"next": None, "results": [{"id": 1}]}, [1]])
async def test_what_is_no_page_is_a_bad_answer(odd, asked, body):
    connector, _ = await odd(pretix.Pretix, OPTIONS, json.dumps(body))

    with pytest.raises(errors.Misconfigured) as raised:
        await connector.answer([asked("showing", "concert")])

    assert raised.value.problem is errors.Problem.BAD_ANSWER


async def test_a_shop_that_is_busy_with_others_may_be_asked_again(client):
    async with partner.running(partner.says("{}", status=409)) as loopback:
        shop = pretix.Pretix(pretix.Options(**OPTIONS), client.partner("shop", loopback.url))
        with pytest.raises(errors.Retriable) as raised:
            await shop.reserve(order("a"))

    assert raised.value.problem is errors.Problem.BUSY
    assert not raised.value.may_have_acted

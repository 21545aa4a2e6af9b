"""Whoever goes away: what a query asked of partners is given up, and a mutation is done."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit

import pytest

from models import demo
from tests import asgi, partner
from tests import booth as cinema
from tests.hub import eventually

pytestmark = [pytest.mark.any_database, pytest.mark.viewer("holder", demo.RETURNEE)]

OFFERS = """{ service(code: "film-tickets") { ... on Service { offers { pages {
  partnerCode freshness nodes { id } } } } } }"""
BOOKINGS = "{ bookings { state } }"


@pytest.fixture
async def held(hub):
    """The cinema, at work in the hub; it answers when the test lets it."""
    booth = cinema.Booth()
    booth.open = asyncio.Event()

    async def does(request):
        await booth.open.wait()
        return await booth.does(request)

    async with partner.running(does) as booth.loopback:
        await cinema.join(hub, booth.loopback.url)
        yield booth


@pytest.fixture
async def send(hub):
    """Send an operation over a connection of its own, and return what closes that."""
    writers = []

    async with asgi.served(hub.app) as url:
        where = urlsplit(url)

        async def send(document, variables=None):
            body = json.dumps({"query": document, "variables": variables}).encode()
            said = {
                "host": where.netloc,
                "content-type": "application/json",
                "content-length": str(len(body)),
                **hub.bearer("holder"),
            }
            head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
            _, writer = await asyncio.open_connection(where.hostname, where.port)
            writer.write(f"POST /graphql HTTP/1.1\r\n{head}\r\n".encode() + body)
            writers.append(writer)
            return writer

        yield send
        for one in writers:
            one.close()


async def heard(booth, many=1):
    async def asked():
        return len(booth.loopback.calls) >= many

    await eventually(asked)


async def test_a_query_that_nobody_waits_for_leaves_its_partners_in_peace(hub, held, send):
    client = await send(OFFERS)
    await heard(held)
    client.close()

    async def left():
        return held.loopback.left == 1

    await eventually(left, 0.9)  # its own deadline would end the call after a second
    held.open.set()
    pages = (await hub.ask(OFFERS)).json()["data"]["service"]["offers"]["pages"]
    assert "LIVE" in {page["freshness"] for page in pages}


async def test_who_asks_the_same_and_stays_is_answered_by_the_same_call(hub, held, send):
    client = await send(OFFERS)
    await heard(held)
    staying = asyncio.create_task(hub.ask(OFFERS))
    await asyncio.sleep(0.2)
    client.close()
    await asyncio.sleep(0.2)
    held.open.set()

    pages = (await staying).json()["data"]["service"]["offers"]["pages"]

    [page] = [one for one in pages if one["partnerCode"] == cinema.SLUG]
    assert (page["freshness"], held.loopback.left) == ("LIVE", 0)


async def test_a_booking_under_way_is_made_whoever_waits(hub, held, send):
    held.open.set()
    held.answering.clear()
    client = await send(cinema.RESERVE, {"input": cinema.SEAT})
    async with asyncio.timeout(5):
        await held.acted.wait()
    client.close()
    await asyncio.sleep(0.2)
    held.answering.set()

    async def booked():
        return (await hub.ask(BOOKINGS)).json()["data"]["bookings"] == [{"state": "HELD"}]

    await eventually(booked)
    assert held.loopback.left == 0

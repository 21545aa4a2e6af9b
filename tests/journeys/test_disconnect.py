"""Whoever goes away: what a query asked of partners is given up, and a mutation is done."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit

import pytest

from endpoints import protocol
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


@pytest.fixture(params=["any server", "a head that is new", "a head that is known"])
async def send(hub, request):
    """Send an operation over a connection of its own, and return what closes that."""
    writers = []
    http = "auto" if request.param == "any server" else protocol.Crowd(protocol.Bounds()).protocol()

    async with asgi.served(hub.app, http=http) as url:
        where, who = urlsplit(url), hub.bearer("holder")

        async def known(document, variables):
            # It is the length that heads differ by.
            body = json.dumps({"query": document, "variables": variables})
            short = json.dumps({"query": "{ __typename }", "variables": None})
            reader, writer = await sent(short.ljust(len(body)).encode())
            async with asyncio.timeout(5):
                await reader.readuntil(b"__typename")
            writer.close()

        async def send(document, variables=None):
            if request.param == "a head that is known":
                await known(document, variables)
            body = json.dumps({"query": document, "variables": variables}).encode()
            return (await sent(body))[1]

        async def sent(body):
            said = {
                "host": where.netloc,
                "content-type": "application/json",
                "content-length": str(len(body)),
                **who,
            }
            head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
            reader, writer = await asyncio.open_connection(where.hostname, where.port)
            writer.write(f"POST /graphql HTTP/1.1\r\n{head}\r\n".encode() + body)
            writers.append(writer)
            return reader, writer

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

"""A hub at work is told to end: whoever asked is answered, and whoever asks next is sent away."""

from __future__ import annotations

import asyncio
import json
import time

import aiohttp
import pytest

import server
from models import demo
from resolvers.viewer import Role
from sandbox.fault import Fault, Mode
from tests import asgi, follow, port, process

pytestmark = pytest.mark.any_database

BODY = json.dumps({"query": "{ menu(first: 20) { nodes { code } } }"}).encode()
CLIENTS = 6
#: How often one may ask is nothing of this.
FREE = {"POINTS_PER_SECOND": "0"}


@pytest.fixture
async def serve(furnished_url, tmp_path):
    """Start a hub as operators do, with these settings."""
    started = []

    async def serve(**settings):
        started.append(await process.serve(tmp_path, furnished_url, **FREE, **settings))
        return started[-1]

    yield serve
    for one in started:
        await one.kill()


@pytest.fixture
async def client():
    async with aiohttp.ClientSession() as session:
        yield session


async def ready(client, url) -> int:
    """Return the status that a balancer sees; 0 where nobody listens."""
    try:
        async with client.get(f"{url}/readyz") as answer:
            return answer.status
    except aiohttp.ClientConnectionError:
        return 0


async def asked(client, url) -> int:
    said = {"content-type": "application/json"}
    async with client.post(f"{url}/graphql", data=BODY, headers=said) as answer:
        found = await answer.json()
        assert len(found["data"]["menu"]["nodes"]) == 20
        return answer.status


@pytest.mark.parametrize("processes", ["1", pytest.param("2", marks=pytest.mark.conformance_long)])
async def test_no_request_is_lost_that_a_balancer_sent(serve, client, processes):
    hub = await serve(PROCESSES=processes, LEAVING_SECONDS="1")
    statuses, seen = [], [200]
    stop = asyncio.Event()

    async def balance():
        while not stop.is_set():
            await asyncio.sleep(0.05)
            if (status := await ready(client, hub.url)) != 200:
                seen.append(status)
                stop.set()

    async def ask():
        async with aiohttp.ClientSession() as session:
            while not stop.is_set():
                statuses.append(await asked(session, hub.url))

    balancing = asyncio.create_task(balance())
    asking = [asyncio.create_task(ask()) for _ in range(CLIENTS)]
    await asyncio.sleep(0.5)
    before = len(statuses)
    async with asyncio.timeout(10):
        code = await hub.terminate()
        await asyncio.gather(balancing, *asking)

    assert code == 0
    assert seen == [200, 503]
    assert set(statuses) == {200}
    assert before > 0
    assert await ready(client, hub.url) == 0


async def test_a_request_that_is_on_its_way_when_the_hub_ends_is_answered(serve):
    hub = await serve(LEAVING_SECONDS="0.2")
    host, port = hub.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /graphql HTTP/1.1\r\nhost: hub\r\ncontent-type: application/json\r\n"
        b"content-length: %d\r\n\r\n%s" % (len(BODY), BODY[:10])
    )
    await asyncio.sleep(0.2)

    ending = asyncio.create_task(hub.terminate())
    await asyncio.sleep(0.8)
    writer.write(BODY[10:])
    async with asyncio.timeout(5):
        told = await reader.read()
        code = await ending

    assert told.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in told.lower()
    assert told.endswith(b"}")
    assert code == 0
    writer.close()


OFFERS = """{ service(code: "physical-check") { ... on Service { offers(first: 3) { pages {
  partnerCode nodes { id } } } } } }"""
RESERVE = """mutation ($input: ReserveOfferInput!) { reserveOffer(input: $input) {
  __typename ... on Booking { state } } }"""
SLOW = {"mode": "latency", "milliseconds": 1_500}


async def test_a_mutation_under_way_is_answered_however_it_was_sent(serve, client, hub):
    [sandbox] = port.free(1)
    holder = server.development_token(hub.hub.settings, Role.HOLDER, demo.handle(demo.PILOT))
    said = {"authorization": f"Bearer {holder}"}
    running = await serve(
        DEMO="1", SANDBOX_PORT=str(sandbox), ALWAYS_LIVE="1", LEAVING_SECONDS="0.5"
    )
    where = f"{running.url}/graphql"
    async with client.post(where, json={"query": OFFERS}, headers=said) as answer:
        pages = (await answer.json())["data"]["service"]["offers"]["pages"]
    page = next(one for one in pages if one["nodes"])
    faults = f"http://127.0.0.1:{sandbox}/systems/hospital/faults"
    async with client.post(faults, json=SLOW) as answer:
        assert answer.status == 200

    def reserve(number):
        chosen = {"partner": page["partnerCode"], "offer": page["nodes"][number]["id"]}
        asked = {"service": "physical-check", "idempotencyKey": f"k{number}", **chosen}
        return {"query": RESERVE, "variables": {"input": asked}}

    async def posted(accept, number):
        headers = {"accept": accept, **said}
        async with client.post(where, json=reserve(number), headers=headers) as answer:
            return await answer.text()

    async with client.ws_connect(where, protocols=[follow.PROTOCOL]) as socket:
        await socket.send_json({**follow.INIT, "payload": said})
        await socket.receive_json()
        await socket.send_json({"type": "subscribe", "id": "1", "payload": reserve(0)})
        by_post = asyncio.create_task(posted("application/json", 1))
        by_events = asyncio.create_task(posted("text/event-stream", 2))
        await asyncio.sleep(0.5)
        async with asyncio.timeout(20):
            ending = asyncio.create_task(running.terminate())
            await asyncio.sleep(0.2)
            async with client.post(
                where, json={"query": "{ edition { revision } }"},
                headers={"accept": "text/event-stream"},
            ) as late:  # fmt: skip
                answered = await late.text()
            on_socket = [json.loads(one.data) async for one in socket]
            answers = [await by_post, await by_events]
            code = await ending

    assert '"revision":1' in answered
    assert [one for one in answers if '"__typename":"Booking"' not in one] == []
    assert [one["type"] for one in on_socket] == ["next", "complete"]
    assert on_socket[0]["payload"]["data"]["reserveOffer"]["__typename"] == "Booking"
    assert (socket.close_code, code) == (1012, 0)


async def test_the_hub_waits_for_a_mutation_whose_client_has_gone(stand, systems):
    hub = stand(always_live=True).asked_by("holder", demo.PILOT)
    pages = (await hub.ask(OFFERS)).json()["data"]["service"]["offers"]["pages"]
    page = next(one for one in pages if one["nodes"])
    chosen = {"partner": page["partnerCode"], "offer": page["nodes"][0]["id"]}
    asked = {"input": {"service": "physical-check", "idempotencyKey": "k", **chosen}}
    await systems["hospital"].inject(Fault(Mode.LATENCY, milliseconds=500))
    async with asgi.alive(hub.app), follow.Socket(hub.app) as socket:
        await socket.begin(**hub.bearer("holder", demo.PILOT))
        socket.ask(RESERVE, variables=asked)
        await follow.until(lambda: hub.hub.measures.under_way == 1)

    found = await stand().ask("{ bookings { state } }", viewer="holder", person=demo.PILOT)

    assert found.json()["data"]["bookings"] == [{"state": "HELD"}]


async def test_connections_without_a_request_hold_nothing_up(serve):
    hub = await serve(LEAVING_SECONDS="0")
    host, port = hub.url.removeprefix("http://").split(":")
    idle = [await asyncio.open_connection(host, int(port)) for _ in range(20)]
    began = time.monotonic()

    async with asyncio.timeout(10):
        await hub.terminate()

    assert time.monotonic() - began < 5
    assert [await reader.read() for reader, _ in idle] == [b""] * 20
    for _, writer in idle:
        writer.close()

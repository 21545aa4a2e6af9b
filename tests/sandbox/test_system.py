"""A running system counts its calls and plays every fault it is told to."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest
from aiohttp import test_utils

from sandbox import control, fault, outline, system

PATH = "/xinhua-bank/open-banking/v2.3/branches"
OTHER = "/jiangsu-road-bank/open-banking/v2.3/branches"
QUICK = aiohttp.ClientTimeout(total=0.5)


@pytest.fixture
async def bank(running):
    return await running("bank")


@pytest.fixture
async def get(bank, client):
    async def ask(path=PATH, **options):
        async with client.get(bank.url + path, **options) as reply:
            return reply.status, reply.headers, await reply.read()

    return ask


def test_the_systems_that_are_known_without_running_them_are_those_that_run():
    assert tuple(system.ROUTES) == outline.SYSTEMS


async def test_calls_are_counted_by_tenant(bank, get):
    await get()
    await get()
    await get(OTHER)

    assert bank.calls == {"xinhua-bank": 2, "jiangsu-road-bank": 1}


async def test_down_closes_the_port_and_none_opens_the_same_one_again(bank, get):
    await get()
    await bank.inject(fault.Fault(fault.Mode.DOWN))

    with pytest.raises(aiohttp.ClientConnectionError):
        await get()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", bank.port)

    await bank.inject(fault.Fault())
    status, _, _ = await get()
    assert status == 200


async def test_a_tenant_alone_can_be_down(bank, get):
    await bank.inject(fault.Fault(fault.Mode.DOWN), "xinhua-bank")

    with pytest.raises(aiohttp.ClientConnectionError):
        await get()
    status, _, _ = await get(OTHER)

    assert status == 200


async def test_hang_answers_nobody(bank, get):
    await bank.inject(fault.Fault(fault.Mode.HANG))

    with pytest.raises(TimeoutError):
        await get(timeout=QUICK)


async def test_latency_delays_the_true_answer(bank, get):
    _, _, whole = await get()
    await bank.inject(fault.Fault(fault.Mode.LATENCY, milliseconds=200))
    loop = asyncio.get_running_loop()
    began = loop.time()

    _, _, delayed = await get()

    assert delayed == whole
    assert loop.time() - began >= 0.2


async def test_a_systems_own_latency_delays_every_answer(running, client):
    slow = await running("bank", latency_seconds=0.1)
    loop = asyncio.get_running_loop()
    began = loop.time()

    async with client.get(slow.url + PATH) as reply:
        assert reply.status == 200

    assert loop.time() - began >= 0.1


@pytest.mark.parametrize(
    ("what", "status"),
    [
        (fault.Fault(fault.Mode.ERROR), 500),
        (fault.Fault(fault.Mode.ERROR, status=503), 503),
        (fault.Fault(fault.Mode.UNAUTHORIZED), 401),
        (fault.Fault(fault.Mode.BUSY, milliseconds=7000), 429),
    ],
)
async def test_refusals_have_their_status(bank, get, what, status):
    await bank.inject(what)

    answered, headers, _ = await get()

    assert answered == status
    assert headers.get("Retry-After") == ("7" if status == 429 else None)


async def test_html_is_a_page_with_status_200(bank, get):
    await bank.inject(fault.Fault(fault.Mode.HTML))

    status, headers, body = await get()

    assert (status, headers["Content-Type"].partition(";")[0]) == (200, "text/html")
    assert body.startswith(b"<!doctype html>")


async def test_truncated_is_half_of_the_true_answer(bank, get):
    _, true_headers, whole = await get()
    await bank.inject(fault.Fault(fault.Mode.TRUNCATED))

    status, headers, half = await get()

    assert (status, half) == (200, whole[: len(whole) // 2])
    assert headers["Content-Type"] == true_headers["Content-Type"]


async def test_huge_streams_fifty_megabytes(bank, client):
    await bank.inject(fault.Fault(fault.Mode.HUGE))
    received = 0

    async with client.get(bank.url + PATH) as reply:
        async for piece in reply.content.iter_any():
            received += len(piece)

    assert received == fault.HUGE_BYTES


async def test_drip_gives_the_true_answer_a_byte_at_a_time(bank, client):
    await bank.inject(fault.Fault(fault.Mode.DRIP, milliseconds=50))
    loop = asyncio.get_running_loop()
    began = loop.time()

    async with client.get(bank.url + PATH) as reply:
        first = await reply.content.readexactly(4)

    assert first == b'{"me'
    assert loop.time() - began >= 0.15


async def test_wrong_is_sound_json_of_another_shape(bank, get):
    await bank.inject(fault.Fault(fault.Mode.WRONG))

    status, headers, body = await get()

    assert status == 200
    assert headers["Content-Type"].endswith("+json")
    assert json.loads(body)["data"] == 42


async def test_stopping_is_quick_while_callers_hang(running, client):
    hung = await running("bank")
    await hung.inject(fault.Fault(fault.Mode.HANG))
    waiting = asyncio.create_task(client.get(hung.url + PATH).__aenter__())
    await asyncio.wait({waiting}, timeout=0.3)
    assert hung.calls == {"xinhua-bank": 1}
    loop = asyncio.get_running_loop()
    began = loop.time()

    await hung.stop()

    assert loop.time() - began < 1
    with pytest.raises(aiohttp.ClientError):
        await waiting


async def test_the_control_port_lists_spoils_counts_and_resets(bank):
    async with test_utils.TestClient(
        test_utils.TestServer(control.app({"bank": bank}), host="127.0.0.1")
    ) as hand:
        ordered = {"mode": "busy", "tenant": "xinhua-bank", "milliseconds": 3000}
        spoilt = await hand.post("/systems/bank/faults", json=ordered)
        listed = await (await hand.get("/systems")).json()
        bank.calls["xinhua-bank"] += 2
        counted = await (await hand.get("/systems/bank/calls")).json()
        await hand.delete("/systems/bank/calls")

    assert spoilt.status == 200
    assert listed["bank"]["url"] == bank.url
    assert listed["bank"]["faults"] == {"xinhua-bank": "busy"}
    assert bank.faults == {"xinhua-bank": fault.Fault(fault.Mode.BUSY, 3000)}
    assert counted == {"xinhua-bank": 2}
    assert not bank.calls


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/systems/bank/faults", '{"mode": "sulk"}', 400),
        ("/systems/bank/faults", "[]", 400),
        ("/systems/bank/faults", "not json", 400),
        ("/systems/bank/faults", '{"mode": "hang", "tenant": "nobody"}', 400),
        ("/systems/casino/faults", '{"mode": "hang"}', 404),
    ],
)
async def test_the_control_port_refuses_what_it_does_not_know(bank, path, body, status):
    async with test_utils.TestClient(
        test_utils.TestServer(control.app({"bank": bank}), host="127.0.0.1")
    ) as hand:
        reply = await hand.post(path, data=body)

    assert reply.status == status
    assert not bank.faults


async def test_every_tenant_answers_under_its_own_name(running):
    for name, tenants in system.TENANTS.items():
        one = await running(name)
        paths = {route.resource.canonical for route in one._runner.app.router.routes()}
        assert {path.split("/")[1] for path in paths} == set(tenants)

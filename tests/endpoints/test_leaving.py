from __future__ import annotations

import asyncio
import os
import signal

import pytest

from endpoints import leaving, protocol
from tests import asgi


@pytest.fixture
def ended():
    """The signals that the server beneath has seen, in place of its own handling."""
    seen = []
    before = signal.signal(signal.SIGTERM, lambda number, _: seen.append(number))
    yield seen
    assert signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
async def living(ended):
    """Let an application live, with so many seconds to leave in; yield it and what it was told."""
    running = []
    stop = asyncio.Event()

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await stop.wait()
        else:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"x"})

    async def living(seconds):
        told = []
        one = leaving.Leaving(app, seconds, lambda: told.append("drain"))
        state = {}
        running.append(asyncio.create_task(one({"type": "lifespan", "state": state}, None, None)))
        await asyncio.sleep(0)
        assert state[protocol.LEAVING] is one
        return one, told

    yield living
    stop.set()
    await asyncio.gather(*running)


async def test_before_the_server_hears_of_it_others_do_and_requests_are_answered(living, ended):
    one, told = await living(0.2)

    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(1):
        await one.told.wait()

    assert (one.begun, told, ended) == (True, ["drain"], [])
    assert (await asgi.call(one)).status == 200
    await asyncio.sleep(0.3)
    assert ended == [signal.SIGTERM]


async def test_who_is_told_twice_leaves_at_once(living, ended):
    one, told = await living(60)
    os.kill(os.getpid(), signal.SIGTERM)
    await one.told.wait()

    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(0.05)

    assert (ended, told) == ([signal.SIGTERM], ["drain"])


async def test_afterwards_the_server_hears_of_it_itself(living, ended):
    handler = signal.getsignal(signal.SIGTERM)

    async def nothing(scope, receive, send):
        assert signal.getsignal(signal.SIGTERM) is not handler

    await leaving.Leaving(nothing, 1, list)({"type": "lifespan", "state": {}}, None, None)

    assert signal.getsignal(signal.SIGTERM) is handler

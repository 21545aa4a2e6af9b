"""Two processes are one hub: one answers for the other, and what one learns both know."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest

import server
from models import demo
from resolvers.viewer import Role
from sandbox import system
from sandbox.fault import Fault, Mode
from settings import Settings
from tests import port, process, store

pytestmark = [
    pytest.mark.conformance_long,
    pytest.mark.skipif(store.SERVER is None, reason=store.WHY_NOT),
    pytest.mark.any_database,
]

CINEMA = "hongqiao-cinema"
MENU = "{ edition { revision } menu(first: 100) { totalCount nodes { code } } }"
OFFERS = """{ service(code: "film-tickets") { ... on Service { offers { pages {
  partnerCode freshness problem { code } } } } } }"""
STATES = "{ connectors { code breaker } }"
CLIENTS = 6
#: What one learns, the other has to know within.
SOON_SECONDS = 1.0
#: What a busy machine may take longer than that to answer.
SLACK_SECONDS = 2.0


@asynccontextmanager
async def partners(first):
    """Run the sandbox's systems where hubs in demo mode look for them."""
    async with AsyncExitStack() as stack:
        found = {}
        for place, name in enumerate(system.ROUTES, start=1):
            found[name] = await system.start(name, first + place)
            stack.push_async_callback(found[name].stop)
        yield found


@pytest.fixture
async def drill(furnished_url, tmp_path, server_of_boards):
    """Two hubs on one database and one store, with partners to break; and who asks them."""
    first, *_ = port.free(5)
    menu = shutil.copytree(process.ROOT / "menu", tmp_path / "menu")
    said = {
        "SHARED_URL": server_of_boards.url,
        "SANDBOX_PORT": str(first),
        "MENU": str(menu),
        "EGRESS_ALLOW": "127.0.0.0/8",
        "ALWAYS_LIVE": "1",
        "POINTS_PER_SECOND": "0",
    }
    async with partners(first) as systems, aiohttp.ClientSession() as client:
        starting = (process.start(tmp_path, furnished_url, **said) for _ in range(2))
        hubs = await asyncio.gather(*starting)
        settings = Settings(data=tmp_path, database_url=furnished_url, demo=True)
        bearer = server.development_token(settings, Role.HOLDER, demo.handle(demo.RETURNEE))

        async def ask(hub, document):
            async with client.post(
                f"{hub.url}/graphql",
                json={"query": document},
                headers={"authorization": f"Bearer {bearer}"},
            ) as answer:
                return (await answer.json())["data"]

        yield hubs, ask, systems, menu, said
        for one in hubs:
            await one.kill()


@pytest.fixture
def server_of_boards():
    with store.running() as found:
        yield found


async def after(question, seconds=SOON_SECONDS + SLACK_SECONDS) -> float:
    """Return after how long a question says yes, which it does in time."""
    began = time.monotonic()
    async with asyncio.timeout(seconds):
        while not await question():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.02)
    return time.monotonic() - began


async def test_one_is_killed_under_load_and_the_other_answers_as_ever(drill):
    (one, other), ask, *_ = drill
    right = await ask(other, MENU)
    heard = {one.url: [], other.url: []}
    stop = asyncio.Event()

    async def load(hub):
        while not stop.is_set():
            try:
                heard[hub.url].append(await ask(hub, MENU))
            except aiohttp.ClientError:
                heard[hub.url].append(None)
                await asyncio.sleep(0.05)

    loading = [asyncio.create_task(load(hub)) for hub in (one, other) for _ in range(CLIENTS // 2)]
    await asyncio.sleep(1)
    await one.kill()
    before = len(heard[other.url])
    await asyncio.sleep(1)
    stop.set()
    await asyncio.gather(*loading)

    assert [found for found in heard[one.url] if found not in (right, None)] == []
    assert None in heard[one.url]
    assert heard[other.url].count(right) == len(heard[other.url]) > before > 0


async def test_a_breaker_that_one_opened_the_other_has_open(drill):
    (one, other), ask, systems, *_ = drill
    await ask(other, OFFERS)

    async def state(hub):
        return {found["code"]: found["breaker"] for found in (await ask(hub, STATES))["connectors"]}

    await systems["cinema"].inject(Fault(Mode.ERROR))
    for _ in range(5):
        await ask(one, OFFERS)
    assert (await state(one))[CINEMA] == "OPEN"

    async def open_too():
        return (await state(other))[CINEMA] == "OPEN"

    await after(open_too)
    systems["cinema"].calls.clear()
    pages = (await ask(other, OFFERS))["service"]["offers"]["pages"]
    [page] = [found for found in pages if found["partnerCode"] == CINEMA]
    assert page["freshness"] in ("STALE", "UNAVAILABLE")
    assert systems["cinema"].calls.total() == 0


async def test_a_menu_that_is_published_both_have_in_force_soon(drill, tmp_path, furnished_url):
    hubs, ask, _, menu, said = drill
    path = menu / "services" / "talent-apartment.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"less_than: 12\b", "less_than: 24", text), encoding="utf-8")
    first = (await ask(hubs[0], MENU))["edition"]["revision"]

    published = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "server", "menu", "publish"],
        cwd=process.ROOT,
        env={
            **os.environ,
            **{f"GREENWAY_{name}": value for name, value in said.items()},
            "GREENWAY_DEMO": "1",
            "GREENWAY_DATA": str(tmp_path),
            "GREENWAY_DATABASE_URL": furnished_url,
        },
        check=True,
        capture_output=True,
        text=True,
    )

    async def both():
        revisions = [(await ask(hub, MENU))["edition"]["revision"] for hub in hubs]
        return revisions == [first + 1] * 2

    assert f"Revision {first + 1} is published" in published.stdout
    await after(both)

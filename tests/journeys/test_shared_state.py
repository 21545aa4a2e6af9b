"""Two processes of one hub: what a partner tells one of them, the other knows."""

from __future__ import annotations

import asyncio

import pytest

from models import demo
from sandbox.fault import Fault, Mode
from tests import store
from tests.hub import eventually

pytestmark = [
    pytest.mark.skipif(store.SERVER is None, reason=store.WHY_NOT),
    pytest.mark.any_database,
    pytest.mark.viewer("holder", demo.PILOT),
]

OFFICE = "changning-school-office"
OFFERS = """{ service(code: "film-tickets") { ... on Service { offers { pages {
  partnerCode freshness observedAt problem { code } nodes { id title } } } } } }"""
VERDICT = """{ service(code: "children-tutoring") { ... on Service {
  verdict { outcome silentPartners } } } }"""
#: A holder of whose household no child is on record: the school office is asked.
CHILDLESS = 1


@pytest.fixture
async def two(stand, server):
    """Two hubs that share, as two processes of one do."""
    hubs = [stand(shared_url=server.url) for _ in range(2)]
    following = [asyncio.create_task(one.hub.board.follow()) for one in hubs]
    async with asyncio.timeout(5):
        for one in hubs:
            await one.hub.board.joined.wait()
    yield hubs
    for task in following:
        task.cancel()
    await asyncio.wait(following)


@pytest.fixture
def pages():
    """Ask a hub for the pages of offers, by partner."""

    async def pages(hub):
        found = (await hub.ask(OFFERS)).json()["data"]["service"]["offers"]["pages"]
        return {page["partnerCode"]: page for page in found}

    return pages


async def known_to(hub, slug):
    """Wait until a hub has heard what a partner told the other."""

    async def heard():
        return len((await hub.hub.partners.current()).partners[slug]._memory) > 0

    await eventually(heard)


async def test_what_one_was_told_the_other_serves_from_memory_with_its_time(two, pages):
    one, other = two

    live = await pages(one)
    for slug in live:
        await known_to(other, slug)
    calls = one.calls()
    cached = await pages(other)

    assert {page["freshness"] for page in live.values()} == {"LIVE"}
    assert {page["freshness"] for page in cached.values()} == {"CACHED"}
    assert {slug: {**page, "freshness": "LIVE"} for slug, page in cached.items()} == live
    assert sum(calls.values()) > 0
    assert sum(other.calls().values()) == 0


async def test_when_the_partner_fails_the_other_serves_it_stale(two, pages, systems, clock):
    one, other = two

    live = await pages(one)
    for slug in live:
        await known_to(other, slug)
    await systems["cinema"].inject(Fault(Mode.ERROR))
    clock.pass_seconds(60)
    stale = await pages(other)

    assert {page["freshness"] for page in stale.values()} == {"STALE"}
    assert {page["problem"]["code"] for page in stale.values()} == {"PARTNER_UNWELL"}
    assert {slug: page["nodes"] for slug, page in stale.items()} == {
        slug: page["nodes"] for slug, page in live.items()
    }


async def test_nothing_of_a_person_is_where_the_processes_share(two, server, pages):
    one, other = two
    one.asked_by("holder", CHILDLESS)

    verdict = (await one.ask(VERDICT)).json()["data"]["service"]["verdict"]
    asked = one.calls()
    # What is told is told in order: once the pages are there, nothing from before is on its way.
    for slug in await pages(one):
        await known_to(other, slug)

    assert (asked[OFFICE], verdict["silentPartners"]) == (1, [])
    kept = b"".join(written(server.client))
    assert b"film" in kept
    handle = demo.handle(CHILDLESS)
    assert handle.encode() not in kept
    assert one.hub.authority.pseudonyms.of(OFFICE, handle).encode() not in kept
    assert b"children" not in kept
    assert b"127.0.0.1" not in kept


def written(client):
    """Return all that stands on the server: names and values."""
    for key in client.scan_iter():
        yield key
        if client.type(key) == b"hash":
            yield from (part for pair in client.hgetall(key).items() for part in pair)
        elif client.type(key) == b"string":
            yield client.get(key)

"""Faults of a server that others wrote, WireMock, each with its own problem and its own partner."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from connectors import base, errors, manifest, registry
from models import offer
from tests import partner, server

ENTRY = manifest.load(Path(__file__).parent / "partners/weathervane-theatre.yaml", registry.kinds())
SHANGHAI = ZoneInfo("Asia/Shanghai")
WEEK = base.Inquiry(
    offer.Capability.SHOWING,
    "play",
    datetime(2026, 11, 23, tzinfo=SHANGHAI),
    datetime(2026, 11, 30, tzinfo=SHANGHAI),
)
ORDER = base.Order("key-1", "somebody", offer.Capability.SHOWING, "play", "p1")
GOOD = {
    "jsonBody": {
        "number": "S-1",
        "plays": [{"id": "p1", "title": "The Kite", "start": "2026-11-24T20:00:00+08:00"}],
    },
    "headers": {"Content-Type": "application/json"},
}
LONG = {"type": "lognormal", "median": 20_000, "sigma": 0.1}
DRIBBLE = {"numberOfChunks": 5, "totalDuration": 20_000}
#: By fault: what WireMock answers with, the problem that it is, and the attempts at a GET.
FAULTS = {
    "hangs up": ({"fault": "EMPTY_RESPONSE"}, "UNREACHABLE", 2),
    "resets": ({"fault": "CONNECTION_RESET_BY_PEER"}, "UNREACHABLE", 2),
    "breaks a chunk": ({"fault": "MALFORMED_RESPONSE_CHUNK"}, "UNREADABLE", 1),
    "sends rubbish": ({"fault": "RANDOM_DATA_THEN_CLOSE"}, "UNREADABLE", 1),
    "waits": (GOOD | {"fixedDelayMilliseconds": 20_000}, "TIMEOUT", 1),
    "waits by chance": (GOOD | {"delayDistribution": LONG}, "TIMEOUT", 1),
    "dribbles": (GOOD | {"chunkedDribbleDelay": DRIBBLE}, "TIMEOUT", 1),
    "is busy": ({"status": 503, "headers": {"Retry-After": "40"}}, "BUSY", 1),
    "had enough": ({"status": 429, "headers": {"Retry-After": "40"}}, "RATE_LIMITED", 1),
    "fails": ({"status": 502}, "UNWELL", 2),
}
#: After these problems it is known that nothing was done.
SETTLED = {"BUSY", "RATE_LIMITED"}
faulty = pytest.mark.parametrize(("answer", "problem", "attempts"), FAULTS.values(), ids=FAULTS)


@pytest.fixture(scope="module")
def wiremock():
    """The address of a WireMock."""
    if shutil.which("java") is None:
        pytest.skip("java is not installed: WireMock does not run")
    with server.node("faults.js", {}) as url:
        yield url


@pytest.fixture
async def theirs(wiremock):
    """Ask at WireMock's own desk, where nothing is left of an earlier test."""
    async with aiohttp.ClientSession(f"{wiremock}/__admin/") as session:

        async def ask(method, path, body=None):
            async with session.request(method, path, json=body) as reply:
                reply.raise_for_status()
                return await reply.json(content_type=None)

        await ask("POST", "reset")
        yield ask


@pytest.fixture
async def at(wiremock):
    """Build the theatre's connector at a path of WireMock."""
    async with partner.client() as client:

        def build(place):
            policy = ENTRY.manifest.limits.policy()
            return ENTRY.kind(ENTRY.options, client.partner(place, f"{wiremock}/{place}/", policy))

        yield build


async def answers(theirs, place, answer, **scenario):
    mapping = {
        "request": {"method": "ANY", "urlPathPattern": f"/{place}/.*"},
        "response": answer,
    }
    await theirs("POST", "mappings", mapping | scenario)


async def seen(theirs, method):
    """Return how many requests by this method came to where it fails."""
    asked = {"method": method, "urlPathPattern": "/faulty/.*"}
    return (await theirs("POST", "requests/count", asked))["count"]


@faulty
async def test_a_fault_has_its_problem_and_leaves_another_partner_alone(
    theirs, at, answer, problem, attempts
):
    await answers(theirs, "faulty", answer)
    await answers(theirs, "sound", GOOD)

    with pytest.raises(errors.PartnerError) as failed:
        await at("faulty").answer([WEEK])
    [[sibling]] = await at("sound").answer([WEEK])

    assert failed.value.problem is errors.Problem[problem]
    assert not failed.value.may_have_acted
    assert await seen(theirs, "GET") == attempts
    assert sibling.title == "The Kite"


@faulty
async def test_an_act_that_meets_a_fault_is_sent_once_and_tells_whether_it_may_be_done(
    theirs, at, answer, problem, attempts
):
    await answers(theirs, "faulty", answer)

    with pytest.raises(errors.PartnerError) as failed:
        await at("faulty").reserve(ORDER)

    assert failed.value.problem is errors.Problem[problem]
    assert failed.value.may_have_acted == (problem not in SETTLED)
    assert await seen(theirs, "POST") == 1


async def test_a_partner_that_is_busy_for_a_moment_is_asked_again(theirs, at):
    scenario = {"scenarioName": "busy", "requiredScenarioState": "Started"}
    busy = {"status": 503, "headers": {"Retry-After": "0"}}
    await answers(theirs, "faulty", busy, **scenario, newScenarioState="well")
    await answers(theirs, "faulty", GOOD, scenarioName="busy", requiredScenarioState="well")

    [[found]] = await at("faulty").answer([WEEK])

    assert found.title == "The Kite"
    assert await seen(theirs, "GET") == 2

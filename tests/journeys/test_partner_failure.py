"""A broken partner breaks only itself: its siblings answer as ever, and it says what is wrong."""

from __future__ import annotations

import asyncio
import copy
from datetime import datetime

import orjson
import pytest

from connectors.registry import PARTNERS
from models import demo
from sandbox import system
from sandbox.fault import Fault, Mode
from tests import asgi
from tests.hub import eventually

pytestmark = [pytest.mark.any_database, pytest.mark.viewer("holder", demo.PILOT)]

HEALTHY = Fault()
#: How a partner can be broken, and what is then said of it.
BROKEN = {
    Fault(Mode.DOWN): "PARTNER_UNREACHABLE",
    Fault(Mode.HANG): "PARTNER_TIMEOUT",
    Fault(Mode.HTML): "PARTNER_WRONG_TYPE",
    Fault(Mode.TRUNCATED): "PARTNER_UNREADABLE",
    Fault(Mode.WRONG): "PARTNER_BAD_ANSWER",
    Fault(Mode.HUGE): "PARTNER_TOO_LARGE",
    Fault(Mode.DRIP): "PARTNER_TIMEOUT",
    Fault(Mode.ERROR): "PARTNER_UNWELL",
    Fault(Mode.UNAUTHORIZED): "PARTNER_UNAUTHORIZED",
    # The last: a partner that asks to be left alone is left alone.
    Fault(Mode.BUSY): "PARTNER_RATE_LIMITED",
}
#: What a person must mend is not worth asking again.
HOPELESS = {
    "PARTNER_BAD_ANSWER",
    "PARTNER_TOO_LARGE",
    "PARTNER_UNAUTHORIZED",
    "PARTNER_UNREADABLE",
    "PARTNER_WRONG_TYPE",
}
EVERY_PARTNER = sorted(path.stem for path in PARTNERS.glob("*.yaml"))
#: These are waited for until the deadline.
SLOW = {Mode.HANG, Mode.DRIP}
DEADLINE_SECONDS = 0.3
#: Far more than that deadline, for the noise; and less than the 2 s that partners have by default.
MOST_SECONDS = 1.9


@pytest.fixture
def page(home) -> str:
    """The home page, with the exchange that it leaves out."""
    return home.replace(
        "  stations {", '  rates: service(code: "exchange-rates") { ...Offers }\n  stations {'
    )


@pytest.fixture
def spoil(systems):
    """Break one partner, or heal it."""

    async def spoil(partner: str, how: Fault) -> None:
        for name, tenants in system.TENANTS.items():
            if partner in tenants:
                await systems[name].inject(how, partner)

    return spoil


def pages_of(answer, partner):
    """Return the partner's pages of offers, with their path, taken out of the answer's data."""
    return {
        (name, "offers", "pages", place): one
        for name, found in answer["data"].items()
        if isinstance(found, dict) and found.get("offers")
        for place, one in enumerate(found["offers"]["pages"])
        if one["partner"]["code"] == partner
    }


def siblings(answer, partner) -> bytes:
    """Return all of an answer's data but the partner's pages."""
    left = copy.deepcopy(answer["data"])
    for name, _, _, place in pages_of(answer, partner):
        left[name]["offers"]["pages"][place] = None
    return orjson.dumps(left)


@pytest.fixture(scope="module")
def healthy() -> dict:
    """What the page says while every partner is well: the same for all of this module."""
    return {}


@pytest.mark.parametrize("partner", EVERY_PARTNER)
async def test_a_partner_broken_in_any_way_leaves_its_siblings_as_they_were(
    stand, page, limited, spoil, healthy, partner
):
    if not healthy:
        healthy.update((await stand().ask(page)).json())
    limits = f"deadline_seconds: {DEADLINE_SECONDS}, breaker_failures: 100"
    hasty = stand(partners=limited(partner, limits), always_live=True)
    # The other file takes its place in the folder, and in the database of both.
    await hasty.hub.partners.current()
    patient = stand(partners=limited(partner, "breaker_failures: 100"), always_live=True)
    clock = asyncio.get_running_loop().time

    for how, code in BROKEN.items():
        await spoil(partner, how)
        began = clock()
        answer = await (hasty if how.mode in SLOW else patient).ask(page)
        took = clock() - began

        said = answer.json()
        pages = pages_of(said, partner)
        (error,) = said["errors"]
        assert answer.status == 294, how
        assert took < MOST_SECONDS, how
        assert error["extensions"]["code"] == code, how
        assert error["extensions"]["partner"] == partner
        assert error["extensions"]["freshness"] == "UNAVAILABLE"
        assert ("retryAfter" in error["extensions"]) is (code not in HOPELESS)
        assert tuple(error["path"]) == next(iter(pages))
        for one in pages.values():
            assert one["freshness"] == "UNAVAILABLE"
            assert one["observedAt"] is None
            assert one["nodes"] == []
            assert one["problem"] == {"code": code, "message": error["message"]}
            assert one["retryAfter"] == error["extensions"].get("retryAfter")
        assert siblings(said, partner) == siblings(healthy, partner)


@pytest.mark.parametrize("how", [Fault(Mode.DOWN), Fault(Mode.HTML), Fault(Mode.BUSY)], ids=str)
async def test_what_a_broken_partner_said_last_is_stale_and_says_since_when(
    stand, page, spoil, clock, how
):
    hub = stand(always_live=True)
    before = (await hub.ask(page)).json()
    said_at = clock.now
    clock.pass_seconds(600)

    await spoil("xinhua-bank", how)
    answer = (await hub.ask(page)).json()

    (stale,) = pages_of(answer, "xinhua-bank").values()
    (error,) = answer["errors"]
    assert stale["freshness"] == "STALE"
    assert datetime.fromisoformat(stale["observedAt"]) == said_at
    assert stale["nodes"] == next(iter(pages_of(before, "xinhua-bank").values()))["nodes"]
    assert stale["problem"]["code"] == BROKEN[how] == error["extensions"]["code"]
    assert error["extensions"]["freshness"] == "STALE"


async def test_with_every_partner_dead_the_hub_is_ready_and_the_menu_answers(
    stand, page, systems, limited
):
    for one in systems.values():
        await one.inject(Fault(Mode.DOWN))
    for partner in EVERY_PARTNER:
        folder = limited(partner, "breaker_failures: 1, breaker_seconds: 0.2")
    hub = stand(partners=folder)

    async def is_ready() -> bool:
        return (await asgi.call(hub.app, path="/readyz")).status == 200

    async with asgi.alive(hub.app):
        await eventually(is_ready)
        dead = (await hub.ask(page)).json()
        for one in systems.values():
            await one.inject(HEALTHY)
        await asyncio.sleep(0.25)
        alive = (await hub.ask(page)).json()

    assert len(dead["data"]["categories"]) == 14
    assert sorted(error["extensions"]["partner"] for error in dead["errors"]) == EVERY_PARTNER
    assert "errors" not in alive


async def test_a_partner_that_fails_is_left_to_rest_and_comes_back_by_itself(
    stand, page, limited, spoil
):
    partner = "hongqiao-cinema"
    hub = stand(partners=limited(partner, "breaker_failures: 1, breaker_seconds: 0.3"))
    health = "{ connectors { code breaker calls failures } }"

    async def line():
        found = (await hub.ask(health)).json()["data"]["connectors"]
        return next(one for one in found if one["code"] == partner)

    await spoil(partner, Fault(Mode.ERROR))
    failed = await hub.ask(page)
    broken = await line()
    rested = await hub.ask(page)
    resting = await line()
    await spoil(partner, HEALTHY)
    await asyncio.sleep(0.35)
    back = await hub.ask(page)

    assert failed.codes == ["PARTNER_UNWELL"]
    assert rested.codes == ["PARTNER_RESTING"]
    assert broken["breaker"] == "OPEN"
    assert resting["calls"] == broken["calls"] == 1
    assert back.codes == []
    assert (await line())["breaker"] == "CLOSED"


async def test_a_partner_file_with_a_mistake_sets_that_partner_aside_alone(
    stand, page, limited, caplog
):
    hub = stand(partners=limited("xinhua-bank", "deadline: 2"))

    answer = (await hub.ask(page)).json()
    lines = await hub.ask("{ connectors { code state mistakes } }", viewer="integrator")
    closed = await hub.ask("{ connectors { code state mistakes } }")

    (error,) = answer["errors"]
    assert error["extensions"]["partner"] == "xinhua-bank"
    assert error["extensions"]["code"] == "PARTNER_MISCONFIGURED"
    assert "retryAfter" not in error["extensions"]
    aside = [one for one in lines.json()["data"]["connectors"] if one["mistakes"]]
    assert [(one["code"], one["state"]) for one in aside] == [("xinhua-bank", "MISCONFIGURED")]
    assert "“deadline”" in aside[0]["mistakes"][0]
    assert {one["mistakes"] for one in closed.json()["data"]["connectors"]} == {None}
    assert set(closed.codes) == {"FORBIDDEN"}
    assert "set aside" in caplog.text

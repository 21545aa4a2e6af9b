"""Everybody sees how good and how healthy each line to a partner is, and by what evidence."""

from __future__ import annotations

import re

import pytest

from connectors.registry import PARTNERS
from models import demo
from sandbox.fault import Fault, Mode

pytestmark = [pytest.mark.any_database, pytest.mark.viewer("holder", demo.PILOT)]

HOSPITAL, CINEMA = "jinzhong-road-hospital", "hongqiao-cinema"
HEALTH = """
{
  connectors {
    id
    code
    kind
    version
    state
    grade
    gradeReasons { criterion grade isMet message }
    breaker
    p95
    errorRate
    calls
    lastSuccess
  }
}
"""
SLOTS = """
{
  service(code: "medical-green-channel") {
    ... on Service { offers { pages { partnerCode freshness problem { code } } } }
  }
}
"""
FILMS = SLOTS.replace("medical-green-channel", "film-tickets")
#: So many asks say how often a partner fails.
ENOUGH = 20


async def line(hub, partner) -> dict:
    found = (await hub.ask(HEALTH, viewer="anonymous")).json()["data"]["connectors"]
    return next(one for one in found if one["code"] == partner)


def missing(said) -> set[str]:
    return {one["criterion"] for one in said["gradeReasons"] if not one["isMet"]}


async def problems(hub, document, partner) -> str | None:
    pages = (await hub.ask(document)).json()["data"]["service"]["offers"]["pages"]
    found = next(one["problem"] for one in pages if one["partnerCode"] == partner)
    return found and found["code"]


async def test_a_partner_rises_by_what_it_is_seen_to_do_and_falls_when_its_tests_go(
    stand, tmp_path
):
    folder = tmp_path / "partners"
    folder.mkdir()
    hub = stand(partners=folder, always_live=True)
    new = await line(hub, HOSPITAL)
    for _ in range(ENOUGH):
        await hub.ask(SLOTS)
    known = await line(hub, HOSPITAL)

    (folder / f"{HOSPITAL}.yaml").write_text(_without_failures(), encoding="utf-8")
    await hub.hub.partners.refreshed()
    await hub.hub.partners.refreshed()
    for _ in range(ENOUGH):
        await hub.ask(SLOTS)
    fallen = await line(hub, HOSPITAL)

    assert (new["grade"], new["errorRate"], new["p95"]) == ("SILVER", None, None)
    assert missing(new) == {"SELDOM_FAILS", "FAST", "NO_DRIFT", "STEADY"}
    assert (known["grade"], known["errorRate"]) == ("GOLD", 0)
    assert 0 < known["p95"] < 1000
    assert missing(known) == {"NO_DRIFT", "STEADY"}
    assert fallen["grade"] == "SILVER"
    assert missing(fallen) == {"FAILURES_SHOWN", "NO_DRIFT", "STEADY"}


async def test_a_partner_that_keeps_failing_rests_uncalled_until_it_has_cooled_down(
    stand, limited, systems
):
    limits = "attempts: 1, breaker_failures: 3, breaker_seconds: 60"
    hub = stand(partners=limited(CINEMA, limits), always_live=True)
    await systems["cinema"].inject(Fault(Mode.ERROR), CINEMA)

    told = [await problems(hub, FILMS, CINEMA) for _ in range(5)]

    said = await line(hub, CINEMA)
    assert told == [*["PARTNER_UNWELL"] * 3, *["PARTNER_RESTING"] * 2]
    assert hub.calls()[CINEMA] == 3
    assert (said["breaker"], said["errorRate"], said["lastSuccess"]) == ("OPEN", 1, None)
    assert {"SELDOM_FAILS", "STEADY"} <= missing(said)


async def test_a_partner_that_sends_the_hub_away_is_not_called_earlier(stand, limited, systems):
    hub = stand(partners=limited(CINEMA, "attempts: 2"), always_live=True)
    await systems["cinema"].inject(Fault(Mode.BUSY, milliseconds=60_000), CINEMA)

    told = [await problems(hub, FILMS, CINEMA) for _ in range(3)]

    said = await line(hub, CINEMA)
    assert told == ["PARTNER_RATE_LIMITED"] * 3
    assert hub.calls()[CINEMA] == 1
    assert said["breaker"] == "CLOSED"


async def test_a_file_that_is_set_aside_has_no_grade(stand, limited):
    hub = stand(partners=limited(CINEMA, "deadline: 2"))

    said = await line(hub, CINEMA)

    assert (said["state"], said["grade"], said["gradeReasons"]) == ("MISCONFIGURED", None, [])
    assert (said["kind"], said["version"]) == ("", None)


async def test_every_partner_of_the_sandbox_shows_enough_for_gold_and_lacks_only_asks(hub):
    found = (await hub.ask(HEALTH, viewer="anonymous")).json()["data"]["connectors"]

    assert {one["code"]: one["grade"] for one in found} == {
        path.stem: "SILVER" for path in sorted(PARTNERS.glob("*.yaml"))
    }
    for one in found:
        assert missing(one) == {"SELDOM_FAILS", "FAST", "NO_DRIFT", "STEADY"}, one["code"]


def _without_failures() -> str:
    """Return the hospital's file without the examples of failures, in an edition of its own."""
    text = (PARTNERS / f"{HOSPITAL}.yaml").read_text(encoding="utf-8")
    head, *examples = re.split(r"(?m)^  - name: ", text)
    shown = [one for one in examples if not re.search(r"(?m)^    problem: ", one)]
    assert len(shown) < len(examples)
    return "  - name: ".join([head, *shown])

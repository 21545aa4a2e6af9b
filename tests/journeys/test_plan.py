"""A plan says what a query asks of partners, at what cost; alone, it asks nobody."""

from __future__ import annotations

import asyncio

import pytest

from models import demo
from sandbox.fault import Fault, Mode
from tests import asgi, follow

pytestmark = [pytest.mark.any_database, pytest.mark.viewer("holder", demo.PILOT)]

CINEMA = "hongqiao-cinema"
FILMS = '{ service(code: "film-tickets") { ... on Service { offers { pages { freshness } } } } }'
ONLY, WITH = {"X-Greenway-Plan": "only"}, {"X-Greenway-Plan": "with"}


def plan_of(answer) -> dict:
    return answer.json()["extensions"]["plan"]


def part_of(answer, partner=CINEMA) -> dict:
    return next(one for one in plan_of(answer)["partners"] if one["partner"] == partner)


async def test_a_plan_alone_lists_whom_the_home_page_asks_and_calls_nobody(hub, ask, home):
    answer = await ask(home, headers=ONLY)

    plan = plan_of(answer)
    assert answer.status == 200
    assert answer.json()["data"] is None
    assert "errors" not in answer.json()
    assert hub.calls() == {}
    assert plan["mode"] == "only"
    assert 0 < plan["cost"] < plan["costLimit"]
    assert plan["calls"] == len(plan["partners"]) > 3
    assert {one["calls"] for one in plan["partners"]} == {1}
    assert {tuple(one["answers"]) for one in plan["partners"]} == {("LIVE",)}
    # Nobody was asked yet, so nobody knows how long they take.
    assert plan["milliseconds"] is None


async def test_what_was_planned_is_what_comes(hub, ask, home):
    planned = plan_of(await ask(home, headers=ONLY))
    found = await ask(home, headers=WITH)

    done = plan_of(found)
    expected = [(one["partner"], one["inquiries"], one["answers"]) for one in planned["partners"]]
    assert [(one["partner"], one["inquiries"], one["answers"]) for one in done["partners"]] == (
        expected
    )
    assert done["calls"] == sum(hub.calls().values()) + _token_calls(done)
    assert done["cost"] == planned["cost"]
    assert done["milliseconds"] == max(one["milliseconds"] for one in done["partners"]) > 0
    assert found.json()["data"]["me"] == (await ask(home)).json()["data"]["me"]


async def test_what_is_remembered_is_planned_from_memory(hub, ask):
    await ask(FILMS)
    hub.calls()

    part = part_of(await ask(FILMS, headers=ONLY))

    assert (part["calls"], part["answers"], part["milliseconds"]) == (0, {"CACHED": 1}, 0)
    assert hub.calls() == {}


async def test_a_partner_that_rests_is_planned_without_a_call(stand, limited, systems):
    hub = stand(partners=limited(CINEMA, "breaker_failures: 1"), always_live=True)
    await hub.ask(FILMS)
    await systems["cinema"].stop()
    await hub.ask(FILMS)
    hub.calls()

    part = part_of(await hub.ask(FILMS, headers=ONLY))

    assert part["problem"] == "PARTNER_RESTING"
    assert (part["calls"], part["answers"]) == (0, {"STALE": 1})


async def test_after_asks_a_plan_says_how_long_they_took(stand):
    hub = stand(always_live=True)
    await hub.ask(FILMS)

    planned = await hub.ask(FILMS, headers=ONLY)

    part = part_of(planned)
    assert part["calls"] == 1
    assert plan_of(planned)["milliseconds"] >= part["milliseconds"] > 0


async def test_a_query_that_waits_for_anothers_call_makes_none(stand, systems):
    hub = stand(always_live=True)
    await systems["cinema"].inject(Fault(Mode.LATENCY, milliseconds=1000))

    answers = await asyncio.gather(*(hub.ask(FILMS, headers=WITH) for _ in range(4)))

    assert sorted(part_of(one)["calls"] for one in answers) == [0, 0, 0, 1]


async def test_what_fails_is_told_in_the_plan_too(ask):
    answer = await ask(FILMS, headers={**WITH, "X-Greenway-Fault": f"{CINEMA}=error"})

    part = part_of(answer)
    assert (part["problem"], part["answers"]) == ("PARTNER_UNWELL", {"UNAVAILABLE": 1})
    assert answer.codes == ["PARTNER_UNWELL"]


async def test_a_plan_may_be_asked_for_in_the_body_or_by_get(hub):
    who = hub.bearer("holder", demo.PILOT)
    body = await asgi.ask(hub.app, FILMS, headers=who, extensions={"plan": "only"})
    get = await asgi.call(hub.app, query={"query": FILMS}, headers={**who, **ONLY})

    assert plan_of(body) == plan_of(get)
    assert hub.calls() == {}


async def test_without_being_asked_for_there_is_no_plan(ask):
    assert "plan" not in (await ask(FILMS)).json()["extensions"]


async def test_a_plan_alone_never_acts(ask):
    document = 'mutation { cancelBooking(input: { id: "b" }) { __typename } }'

    answer = await ask(document, headers=ONLY)

    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream", "*/*"])
async def test_what_is_followed_has_no_plan(ask, accept):
    answer = await ask("subscription { edition { revision } }", headers={**WITH, "accept": accept})

    assert answer.status in {400, 406}
    assert "event-stream" not in answer.json()["errors"][0]["message"] or accept != (
        "text/event-stream"
    )


async def test_over_a_socket_a_plan_is_the_same_and_never_acts(hub):
    document = 'mutation { cancelBooking(input: { id: "b" }) { __typename } }'
    async with follow.Socket(hub.app) as socket:
        await socket.begin(**hub.bearer("holder", demo.PILOT))

        [planned, _] = await socket.answers(FILMS, extensions={"plan": "only"})
        assert planned["payload"]["data"] is None
        assert planned["payload"]["extensions"]["plan"]["calls"] == 2
        assert hub.calls() == {}
        [done, _] = await socket.answers(FILMS, extensions={"plan": "with"})
        assert done["payload"]["data"]["service"]["offers"]["pages"]
        assert done["payload"]["extensions"]["plan"]["calls"] == 2
        for text, plan in [
            (document, "only"),
            ("subscription { edition { revision } }", "with"),
            (FILMS, "maybe"),
            (FILMS, 1),
        ]:
            [refused] = await socket.answers(text, extensions={"plan": plan})
            assert refused["type"] == "error"
            assert [one["extensions"]["code"] for one in refused["payload"]] == ["BAD_REQUEST"]


async def test_a_plan_of_another_sort_is_refused(ask):
    answer = await ask(FILMS, headers={"X-Greenway-Plan": "maybe"})

    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])


async def test_a_document_that_does_not_hold_has_no_plan(ask):
    answer = await ask("{ nothing }", headers=ONLY)

    assert (answer.status, answer.codes) == (422, ["GRAPHQL_VALIDATION_FAILED"])
    assert "extensions" not in answer.json()


def _token_calls(plan) -> int:
    """Return the calls for a token: the schools' partners ask for one first."""
    return sum(one["calls"] - 1 for one in plan["partners"] if one["kind"] == "school")

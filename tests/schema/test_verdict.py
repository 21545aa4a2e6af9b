"""What a verdict is asked on and what it says, through the graph over the real menu."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import date

import pytest

from eligibility.diagram import Diagram
from models import demo
from tests.hub import NOW

pytestmark = [pytest.mark.any_database, pytest.mark.asyncio(loop_scope="module")]

OUTCOME = """query Outcome($facts: [FactInput!], $asOf: Date, $knownAt: DateTime) {
  service(code: "talent-apartment") { ... on Service {
    verdict(facts: $facts, asOf: $asOf, knownAt: $knownAt) { outcome knownAt asOf } name { text }
  } } }"""
RANKED = """query Ranked($first: Int, $after: String, $facts: [FactInput!]) {
  eligibleServices(first: $first, after: $after, facts: $facts) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { service { code } verdict { outcome missing { name } } } } }"""


@pytest.fixture
def hub(shared_hub):
    return shared_hub


@pytest.fixture
def refused(ask):
    """Ask what is refused; the service beside the verdict is answered all the same."""

    async def refused(variables):
        answer = (await ask(OUTCOME, variables)).json()
        [error] = answer["errors"]
        assert error["path"] == ["service", "verdict"]
        assert answer["data"]["service"]["verdict"] is None
        assert answer["data"]["service"]["name"]
        return error

    return refused


@pytest.fixture
def ill_fitting(ask):
    async def ill_fitting(document, variables=None):
        answer = (await ask(document, variables)).json()
        return [error["extensions"]["code"] for error in answer["errors"]]

    return ill_fitting


def with_facts(text: str) -> str:
    return (
        '{ service(code: "talent-apartment") { ... on Service { '
        f"verdict(facts: [{text}]) {{ outcome }} }} }} }}"
    )


async def test_an_unknown_fact_is_refused_with_the_nearest(refused):
    error = await refused({"facts": [{"name": "school_rnak", "value": 5}]})

    assert error["extensions"]["code"] == "UNKNOWN_CODE"
    assert error["extensions"]["nearest"][0] == "school_rank"


async def test_an_unknown_word_is_refused_with_the_nearest(refused):
    error = await refused({"facts": [{"name": "degree_level", "value": "DOKTOR"}]})

    assert error["extensions"]["code"] == "UNKNOWN_CODE"
    assert error["extensions"]["nearest"] == ["DOCTOR"]


@pytest.mark.parametrize(
    "variables",
    [
        {"facts": [{"name": "age", "value": "old"}]},
        {"facts": [{"name": "age", "value": None}]},
        {"facts": [{"name": "age"}]},
        {"facts": [{"name": "age", "value": 5}] * 2},
        {"facts": [{"name": f"f{number}", "value": 5} for number in range(101)]},
        {"asOf": "2016-11-21"},
        {"asOf": "9999-12-31"},
        {"asOf": "0001-01-01"},
        {"knownAt": "2026-11-22T10:01:01+08:00"},
        {"knownAt": "2026-11-22T09:59:59+08:00"},
        {"knownAt": "0001-01-01T00:00:00Z"},
        {"knownAt": "9999-12-31T23:59:59Z"},
    ],
    ids=str,
)
async def test_what_is_out_of_range_is_refused(refused, variables):
    error = await refused(variables)

    assert error["extensions"]["code"] == "BAD_INPUT"


@pytest.mark.parametrize("value", [1.5, 33.0, {}, [1], [["a"]], 1e300])
async def test_what_is_no_fact_at_all_does_not_fit(ill_fitting, value):
    variables = {"facts": [{"name": "age", "value": value}]}

    assert await ill_fitting(OUTCOME, variables) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("literal", ["1.5", "{}", "[1]", "9" * 5000])
async def test_what_is_no_fact_at_all_is_no_literal_either(ill_fitting, literal):
    document = with_facts(f'{{name: "age", value: {literal}}}')

    assert await ill_fitting(document) == ["GRAPHQL_VALIDATION_FAILED"]


@pytest.mark.parametrize(
    "moment", ["2026-11-22T09:00:00", "2026-11-22", "0001-01-01T00:00:00+23:00"]
)
async def test_a_moment_has_its_offset_and_stands_in_the_calendar(ill_fitting, moment):
    assert await ill_fitting(OUTCOME, {"knownAt": moment}) == ["BAD_USER_INPUT"]


async def test_facts_may_stand_in_the_document(ask):
    facts = ", ".join(
        f'{{name: "{name}", value: {value}}}'
        for name, value in {
            "degree_level": "DOCTOR",
            "subject_rank": 20,
            "months_since_return": 11,
            "owns_home_in_city": "false",
            "spouse_owns_home_in_city": "false",
            "had_housing_benefit": "false",
            "spouse_had_housing_benefit": "false",
            "services_granted": '["a"]',
        }.items()
    )

    answer = (await ask(with_facts(facts))).json()

    assert answer["data"]["service"]["verdict"] == {"outcome": "ELIGIBLE"}


async def test_facts_that_are_sent_again_say_the_same(ask):
    variables = {"facts": [{"name": "services_granted", "value": ["talent-apartment", "a"]}]}

    first, *more = [(await ask(OUTCOME, variables)).json() for _ in range(4)]

    assert "errors" not in first
    assert [one["data"]["service"]["verdict"]["outcome"] for one in more] == [
        first["data"]["service"]["verdict"]["outcome"]
    ] * 3


async def test_an_empty_list_of_facts_is_none(ask):
    answer = (await ask(OUTCOME, {"facts": [], "asOf": None, "knownAt": None})).json()

    found = answer["data"]["service"]["verdict"]
    assert found == {
        "outcome": "NEEDS_FACTS",
        "asOf": "2026-11-22",
        "knownAt": NOW.isoformat(),
    }


async def test_what_is_known_now_is_what_was_known_now(ask):
    found = [
        (await ask(OUTCOME, variables, viewer="holder", person=demo.RETURNEE)).json()["data"]
        for variables in ({}, {"knownAt": NOW.isoformat()})
    ]

    outcomes = [one["service"]["verdict"]["outcome"] for one in found]
    assert outcomes == ["ELIGIBLE", "ELIGIBLE"]


async def test_services_are_ranked_for_whoever_asks_page_by_page(ask):
    found, after = [], None
    while after is None or found[-1]["pageInfo"]["hasNextPage"]:
        answer = (await ask(RANKED, {"first": 30, "after": after}, viewer="holder")).json()
        found.append(answer["data"]["eligibleServices"])
        after = found[-1]["pageInfo"]["endCursor"]

    nodes = [node for one in found for node in one["nodes"]]
    ranks = [(node["verdict"]["outcome"], len(node["verdict"]["missing"])) for node in nodes]
    order = {"ELIGIBLE": 0, "NEEDS_FACTS": 1, "UNDETERMINED": 2, "INELIGIBLE": 3}
    assert len({node["service"]["code"] for node in nodes}) == len(nodes) == found[0]["totalCount"]
    assert ranks == sorted(ranks, key=lambda rank: (order[rank[0]], rank[1]))
    assert {rank[0] for rank in ranks} == {"ELIGIBLE", "NEEDS_FACTS", "INELIGIBLE"}


async def test_a_fact_moves_services_to_the_front(ask):
    found = [
        (await ask(RANKED, {"first": 100, "facts": facts})).json()["data"]["eligibleServices"]
        for facts in ([], [{"name": "holds_card", "value": True}])
    ]

    may = [sum(node["verdict"]["outcome"] == "ELIGIBLE" for node in one["nodes"]) for one in found]
    assert 0 < may[0] < may[1]


#: A rule that sums points.
OF_POINTS = """query OfPoints($asOf: Date!) {
  service(code: "work-permit-first") { ... on Service {
    verdict(asOf: $asOf) { outcome missing { name } } } } }"""


@contextlib.asynccontextmanager
async def ticking():
    """Give the pauses, in seconds, that somebody has who wants to go on all the time."""
    pauses = [0.0]

    async def tick():
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            pauses[0], last = max(pauses[0], now - last), now

    task = asyncio.create_task(tick())
    await asyncio.sleep(0)
    yield pauses
    await asyncio.sleep(0)
    task.cancel()


async def test_others_have_their_turns_while_a_verdict_is_worked_out(hub, ask):
    rules, day = hub.hub.catalogue.rulebook, date(2027, 1, 15)
    in_one_go, longest = [], []

    for _ in range(5):
        # As in a process that nobody has asked yet.
        rules._calendars.clear()
        async with ticking() as pauses:
            answer = (await ask(OF_POINTS, {"asOf": day.isoformat()})).json()
        longest += pauses
        assert answer["data"]["service"]["verdict"]["outcome"] == "NEEDS_FACTS"
        judge = rules.judge("work-permit-first", day)
        assert judge.is_drawn
        began = time.perf_counter()
        Diagram(judge.tree)
        in_one_go.append(time.perf_counter() - began)

    # Whatever the pace of the machine: what else it is busy with only adds to a time.
    assert min(longest) < min(in_one_go) / 3


async def test_a_verdict_for_another_day_of_the_same_rule_draws_nothing_anew(hub, ask):
    calendar = hub.hub.catalogue.rulebook.calendar("work-permit-first")
    calendar._judges.clear()

    days = [f"2027-{month:02}-01" for month in range(1, 13)]
    answers = [(await ask(OF_POINTS, {"asOf": day})).json()["data"] for day in days]

    assert all(one == answers[0] for one in answers)
    [judge] = calendar._judges.values()
    assert judge.is_drawn


@pytest.mark.parametrize(
    ("variables", "more"),
    [
        ({}, 0),
        ({"facts": [], "asOf": "2027-01-01"}, 2_004),
        ({"knownAt": NOW.isoformat()}, 20_000),
    ],
)
async def test_what_is_asked_on_something_else_costs_what_it_takes(ask, variables, more):
    plain = (await ask(OUTCOME)).json()["extensions"]["cost"]["requested"]
    answer = (await ask(OUTCOME, variables)).json()

    assert answer["extensions"]["cost"]["requested"] == plain + more

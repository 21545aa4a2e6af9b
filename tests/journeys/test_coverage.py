"""An officer asks whom a rule covers; every list is what one-by-one judging says."""

from __future__ import annotations

from collections import defaultdict

import pytest

from eligibility import rulebook
from eligibility.verdict import Outcome
from models import demo, dossier

LIST = """query ($code: String!, $outcome: Outcome!, $after: String) {
  coverage(service: $code) {
    asOf
    counts { eligible ineligible needsFacts }
    people(outcome: $outcome, first: 100, after: $after) {
      totalCount
      nodes { id }
      pageInfo { hasNextPage endCursor }
    }
  }
}"""
ASKED = (Outcome.ELIGIBLE, Outcome.INELIGIBLE, Outcome.NEEDS_FACTS)


async def everybody(hub, today):
    """All that is known of all, by id of the graph."""
    facts = rulebook.known_facts().values()
    async with hub.hub.database.session() as session:
        people = await dossier.by_ids(session, range(1, demo.PEOPLE + 1))
    return {f"Talent:{one.handle}": rulebook.facts_of(one, today, facts) for one in people}


async def listed(hub, code, outcome):
    """The whole list of an outcome, by walking its pages; and what the last one says beside."""
    found, after = [], None
    while True:
        answer = await hub.ask(LIST, {"code": code, "outcome": outcome, "after": after})
        told = answer.json()["data"]["coverage"]
        page = told["people"]
        found += [one["id"] for one in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found, told
        after = page["pageInfo"]["endCursor"]


async def test_every_service_covers_whom_its_rule_holds_of_one_by_one(hub, today):
    hub.asked_by("officer")
    await hub.ask("{ edition { revision } }")
    people = await everybody(hub, today)

    for code in hub.hub.catalogue.services:
        judge = hub.hub.catalogue.rulebook.judge(code, today)
        expected = defaultdict(list)
        for id_, known in people.items():
            expected[judge.judge(known).outcome].append(id_)
        for outcome in (Outcome.ELIGIBLE, Outcome.NEEDS_FACTS):
            found, told = await listed(hub, code, outcome)
            assert found == expected[outcome], (code, outcome)
            assert told["people"]["totalCount"] == len(found)
        counts = dict(zip(ASKED, told["counts"].values(), strict=True))
        assert counts == {outcome: len(expected[outcome]) for outcome in ASKED}, code
        assert told["asOf"] == today.isoformat()


@pytest.mark.any_database
async def test_nobody_is_undetermined_where_no_partner_is_asked(hub):
    hub.asked_by("officer")

    found, _ = await listed(hub, "talent-apartment", Outcome.UNDETERMINED)

    assert found == []


@pytest.mark.any_database
async def test_a_service_that_is_not_there_is_told_with_the_nearest(hub):
    answer = await hub.ask(
        LIST, {"code": "talent-apartmnt", "outcome": "ELIGIBLE"}, viewer="officer"
    )

    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] == "UNKNOWN_CODE"
    assert "talent-apartment" in error["extensions"]["nearest"]


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("arguments", "code"), [("first: 101", "BAD_INPUT"), ('after: "bm8"', "BAD_CURSOR")]
)
async def test_a_page_that_cannot_be_is_refused(hub, arguments, code):
    document = f"""{{ coverage(service: "talent-apartment") {{
      people({arguments}) {{ nodes {{ id }} }}
    }} }}"""

    answer = await hub.ask(document, viewer="officer")

    assert answer.json()["data"]["coverage"] == {"people": None}
    assert answer.json()["errors"][0]["extensions"]["code"] == code


@pytest.mark.any_database
async def test_where_everybodys_facts_are_many_they_are_gathered_beside_the_hub(hub):
    hub.asked_by("officer")
    hub.hub.keeper.most = 10
    variables = {"code": "talent-apartment", "outcome": "ELIGIBLE"}

    first = await hub.ask(LIST, variables)
    process = hub.hub.gathering._process
    again = await hub.ask(LIST, variables)
    assert hub.hub.gathering._process is process
    process.wait(60)
    at_last = await hub.ask(LIST, variables)

    for answer in (first, again):
        assert {one["extensions"]["code"] for one in answer.json()["errors"]} == {
            "STANDING_MISSING"
        }
        assert answer.json()["data"]["coverage"]["people"] is None
    assert at_last.json()["data"]["coverage"]["people"]["totalCount"] > 0

"""An officer sees what another rule does before it is published; then it does just that."""

from __future__ import annotations

from collections import Counter

import pytest

from eligibility import rulebook
from models import demo, dossier, source
from models import menu as menus
from models.database import Database
from resolvers import menu as catalogue
from resolvers import population
from tests.hub import NOW

CODE = "talent-apartment"
PROPOSED = """eligibility:
  all:
    - id: grown
      fact: age
      at_least: 26
      text: {en: Is 26 or older, zh: 年满26岁}
      reference: hub
    - of:
        - id: returned
          fact: months_since_return
          less_than: 24
          text: {en: Returned less than two years ago, zh: 回国不满两年}
          reference: hub
        - id: homeless
          fact: owns_home_in_city
          is: false
          text: {en: Owns no home in the city, zh: 本人在本市无住房}
          reference: hub
        - id: abroad
          fact: degree_from_abroad
          is: true
          text: {en: Has a degree from abroad, zh: 持有境外学位}
          reference: hub
      at_least: 2
"""
COUNTS = """{ coverage(service: "talent-apartment") {
  counts { eligible ineligible needsFacts } } }"""

pytestmark = pytest.mark.viewer("officer")


@pytest.fixture
async def data(furnished_url):
    database = Database(furnished_url)
    yield database
    await database.close()


async def proposed(data):
    """The menu in force with the other rule."""
    found = (await catalogue.newest(data)).lists
    rule = source.parse(PROPOSED, "rule").data["eligibility"]
    services = tuple(
        one.model_copy(update={"eligibility": rule}) if one.code == CODE else one
        for one in found.services
    )
    return found.model_copy(update={"services": services})


async def judged(data, found):
    """The truth of everybody, one by one."""
    judge = rulebook.Rulebook.of(found).judge(CODE, NOW.date())
    async with data.session() as session:
        people = await dossier.by_ids(session, range(1, demo.PEOPLE + 1))
    facts = judge.tree.facts.values()
    return [judge.truth(rulebook.facts_of(one, NOW.date(), facts)) for one in people]


async def test_a_rule_does_what_its_impact_said(ask, stand, data, document):
    variables = {"input": {"service": CODE, "eligibility": PROPOSED}}

    told = (await ask(document("impact"), variables)).json()["data"]["ruleImpact"]
    before = (await ask(COUNTS)).json()["data"]["coverage"]["counts"]
    was = await judged(data, (await catalogue.newest(data)).lists)
    found = await proposed(data)
    async with data.begin() as session:
        menus.publish(session, found, "a test", NOW)
    after = (await stand().ask(COUNTS, viewer="officer")).json()["data"]["coverage"]["counts"]

    [one] = told["services"]
    assert (told["asOf"], one["service"]["code"]) == (NOW.date().isoformat(), CODE)
    assert (one["before"], one["after"]) == (before, after)
    ways = Counter(zip(was, await judged(data, found), strict=True))
    assert one["tally"] == {
        "people": demo.PEOPLE,
        "gains": ways[False, True] + ways[None, True],
        "loses": ways[True, False],
        "ruledOut": ways[None, False],
        "becomesUnknown": ways[True, None] + ways[False, None],
        "stays": sum(ways[truth, truth] for truth in (True, False, None)),
    }
    assert one["tally"]["gains"] > 0
    assert {fact["name"]: fact["label"]["text"] for fact in one["asks"]}["age"] == "年龄"
    assert "school_rank" in {fact["name"] for fact in one["drops"]}


async def test_the_command_line_tells_what_the_endpoint_does(ask, data, document):
    variables = {"input": {"service": CODE, "eligibility": PROPOSED}}

    told = (await ask(document("impact"), variables)).json()["data"]["ruleImpact"]
    [found] = await population.preview(data, await proposed(data), NOW.date())

    [one] = told["services"]
    names = [fact["name"] for fact in one["asks"]], [fact["name"] for fact in one["drops"]]
    assert found.plain() == {
        **one, "service": CODE, "asks": names[0], "drops": names[1],
        **{by: [{"groups": part["groups"], **part["tally"]} for part in one[by]]
           for by in ("byClass", "byIndustry", "byDistrict")},
    }  # fmt: skip


async def test_a_rule_with_mistakes_is_answered_with_all_of_them(ask, document):
    text = PROPOSED.replace("months_since_return", "month_since_return").replace(
        "at_least: 2\n", ""
    )
    variables = {"input": {"service": CODE, "eligibility": text}}

    told = (await ask(document("impact"), variables)).json()["data"]["ruleImpact"]

    assert (told["__typename"], told["code"]) == ("MistakesFault", "BAD_INPUT")
    assert [(one["line"], one["path"]) for one in told["mistakes"]] == [
        (8, "eligibility.all[1]"),
        (10, "eligibility.all[1].of[0].fact"),
    ]
    assert told["mistakes"][1]["hint"] == "Did you mean “months_since_return”?"
    assert told["mistakes"][1]["file"] == f"{CODE}.yaml"


async def test_a_service_that_is_not_there_is_a_fault(ask, document):
    variables = {"input": {"service": "talent-appartment", "eligibility": PROPOSED}}

    told = (await ask(document("impact"), variables)).json()["data"]["ruleImpact"]

    assert (told["__typename"], told["nearest"][0]) == ("UnknownCodeFault", CODE)


@pytest.mark.viewer("holder")
async def test_who_is_no_officer_is_told_nothing(ask, document):
    answer = await ask(
        document("impact"), {"input": {"service": CODE, "eligibility": "eligibility: everyone"}}
    )

    assert answer.json()["data"] == {"ruleImpact": None}
    assert answer.codes == ["FORBIDDEN"]


async def test_a_fact_that_a_partner_supplies_is_told_with_the_partner(ask):
    rule = """eligibility:
  id: card
  fact: holds_card
  is: true
  text: {en: Holds a live talent card, zh: 持有有效人才卡}
  reference: s3
"""
    asked = """query($input: RuleImpactInput!) { ruleImpact(input: $input) { ... on RuleImpact {
      services { drops { name supplier } } } } }"""

    answer = await ask(asked, {"input": {"service": "children-tutoring", "eligibility": rule}})

    (impact,) = answer.json()["data"]["ruleImpact"]["services"]
    assert {one["name"]: one["supplier"] for one in impact["drops"]} == {
        "children_of_school_age": None,
        "children_of_kindergarten_age": None,
        "children_at_district_school": "changning-school-office",
    }

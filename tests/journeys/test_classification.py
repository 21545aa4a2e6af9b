"""People learn their class and by what: points line by line, under each table, and by pay."""

from __future__ import annotations

import pytest

from models import demo

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOREIGNERS = (demo.PILOT, demo.ENGINEER)


@pytest.fixture
def hub(shared_hub):
    return shared_hub


@pytest.fixture
def classification(ask, document):
    """Ask for somebody's classification as they see it."""

    async def classification(person, **variables):
        answer = await ask(document("classification"), variables, viewer="holder", person=person)
        assert not answer.codes
        return answer.json()["data"]["me"]["classification"]

    return classification


def points_of(found, version):
    [table] = [one for one in found["points"] if one["version"] == version]
    return table


def unknown(table):
    return [fact["name"] for line in table["lines"] for fact in line["facts"] if not fact["known"]]


@pytest.mark.viewer("holder")
async def test_foreigners_learn_their_class_line_by_line(ask, document, told):
    answers = [
        await ask(document("classification"), {"language": "zh"}, person=number)
        for number in FOREIGNERS
    ]

    assert told("classification", [answer.json() for answer in answers])


async def test_of_the_pilot_the_points_of_the_place_decide_and_the_pay_has_decided(classification):
    found = await classification(demo.PILOT)

    table = points_of(found, "provisional")
    assert (found["talentClass"], found["classAlias"]) == ("HIGH", "A")
    assert (table["leastPoints"], table["mostPoints"], table["talentClass"]) == (81, 91, None)
    assert unknown(table) == ["local_points"]
    assert [(one["code"], one["reached"]) for one in found["payLines"]] == [
        ("class-a", True),
        ("class-b", True),
    ]


async def test_the_engineer_is_of_the_medium_class_whatever_their_chinese_turns_out(classification):
    table = points_of(await classification(demo.ENGINEER), "provisional")

    assert (table["leastPoints"], table["mostPoints"]) == (78, 83)
    assert table["talentClass"] == "MEDIUM"
    assert unknown(table) == ["chinese_level"]


@pytest.mark.parametrize(
    ("as_of", "version", "lines"),
    [
        ("2016-11-22", None, {"class-a": "600000"}),
        ("2017-03-31", "trial", {"class-a": "600000"}),
        ("2017-04-01", "provisional", {"class-a": "600000"}),
        ("2026-02-02", "provisional", {"class-a": "600000"}),
        ("2026-02-03", "provisional", {"class-a": "895248", "class-b": "596832"}),
        ("2036-11-22", "provisional", {"class-a": "895248", "class-b": "596832"}),
    ],
)
async def test_each_day_has_its_table_and_its_pay_lines(classification, as_of, version, lines):
    found = await classification(demo.FOUNDER, asOf=as_of)

    assert found["asOf"] == as_of
    assert [one["version"] for one in found["points"]] == ["trial", "provisional"]
    assert [one["version"] for one in found["points"] if one["inForce"]] == [version][
        : bool(version)
    ]
    assert {one["code"]: one["amount"] for one in found["payLines"]} == lines


@pytest.mark.parametrize("as_of", ["0001-01-01", "2016-11-21", "2036-11-23", "9999-12-31"])
async def test_a_day_more_than_ten_years_away_is_refused_as_it_is_for_a_verdict(ask, as_of):
    answer = await ask(
        """query Days($asOf: Date) { me { classification(asOf: $asOf) { asOf } }
          service(code: "film-tickets") { ... on Service { verdict(asOf: $asOf) { asOf } } } }""",
        {"asOf": as_of},
        viewer="holder",
        person=demo.PILOT,
    )

    assert answer.codes == ["BAD_INPUT"] * 2
    [sentence] = {error["message"] for error in answer.json()["errors"]}
    assert sentence == f"`asOf` is {as_of}; it may be 2016-11-22 to 2036-11-22."


async def test_facts_are_those_of_the_day(classification):
    then, now = [await classification(demo.PILOT, asOf=day) for day in ("2020-01-01", "2026-11-22")]

    pay = [points_of(one, "provisional")["lines"][0]["facts"] for one in (then, now)]
    assert pay == [
        [{"name": "annual_salary", "known": False, "value": None, "unit": "CNY"}],
        [{"name": "annual_salary", "known": True, "value": "980000", "unit": "CNY"}],
    ]
    assert {one["reached"] for one in then["payLines"]} == {None}


async def test_officers_see_the_same_of_everybody(ask, classification):
    document = """query One($id: ID!) { node(id: $id) { ... on Talent {
      classification { points { version leastPoints mostPoints } } } } }"""

    found = await ask(document, {"id": f"Talent:{demo.handle(demo.PILOT)}"}, viewer="officer")

    own = await classification(demo.PILOT)
    assert found.json()["data"]["node"]["classification"]["points"] == [
        {key: one[key] for key in ("version", "leastPoints", "mostPoints")} for one in own["points"]
    ]


@pytest.mark.parametrize("viewer", ["anonymous", "holder", "partner", "integrator"])
async def test_nobody_else_learns_anybodys_class(ask, viewer):
    document = "query One($id: ID!) { node(id: $id) { ... on Talent { classification { asOf } } } }"

    found = await ask(
        document, {"id": f"Talent:{demo.handle(demo.PILOT)}"}, viewer=viewer, person=demo.ENGINEER
    )

    assert found.json()["data"]["node"] is None

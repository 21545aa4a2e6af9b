"""People learn why, why not, and what is missing (story F3), in the language they ask in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from models import demo, talent
from tests.hub import NOW

#: The returnee of the demo came home on this day.
RETURNED = NOW.date() - timedelta(152)
#: All that the rule of the apartment asks, so answered that it may be had.
ANSWERS = {
    "degree_level": "DOCTOR",
    "school_rank": 100,
    "months_since_return": 3,
    "owns_home_in_city": False,
    "spouse_owns_home_in_city": False,
    "had_housing_benefit": False,
    "spouse_had_housing_benefit": False,
}
LANGUAGES = pytest.mark.parametrize("language", ["en", "zh-CN"])
QUESTIONS = {
    "en": "What was the world ranking of the university of your highest degree?",
    "zh-CN": "您最高学位毕业院校的世界排名是？",
}
OWNS_A_HOME = {
    "en": "The spouse owns a home in the city",
    "zh-CN": "配偶在本市有住房",
}


@pytest.fixture
def why(ask, document):
    async def why(language="en", facts=None, viewer=None, **asked):
        variables = {**asked}
        if facts is not None:
            variables["facts"] = [{"name": name, "value": facts[name]} for name in facts]
        answer = await ask(
            document("why"), variables, viewer=viewer, headers={"accept-language": language}
        )
        told = answer.json()
        assert "errors" not in told
        return told["data"]["service"]["verdict"]

    return why


@pytest.fixture
async def without_rank(hub):
    """Of the returnee's schools nobody knows the ranks."""
    async with hub.hub.database.begin() as session:
        await session.execute(sa.update(talent.Degree).values(school_rank=None))


@LANGUAGES
@pytest.mark.viewer("holder", demo.RETURNEE)
async def test_who_lacks_the_schools_rank_is_asked_for_exactly_that(without_rank, why, language):
    found = await why(language)

    assert found["outcome"] == "NEEDS_FACTS"
    assert [one["name"] for one in found["missing"]] == ["school_rank"]
    assert found["missing"][0]["question"] == {
        "text": QUESTIONS[language],
        "language": language[:2],
        "isFallback": False,
    }
    assert found["eligibleFrom"] is None


@LANGUAGES
@pytest.mark.viewer("holder", demo.RETURNEE)
async def test_who_says_that_it_is_a_top_100_school_may_have_it_month_by_month(
    without_rank, why, language
):
    found = await why(language, {"school_rank": 100})
    again = await why(language)

    assert found["outcome"] == "ELIGIBLE"
    assert [one["amount"] for one in found["subsidy"]["months"]] == (
        ["3000"] * 3 + ["2500"] * 3 + ["3000"] * 6
    )
    assert [one["sure"] for one in found["subsidy"]["months"]] == [True] * 6 + [False] * 6
    assert found["subsidy"]["total"] == "34500"
    assert again["outcome"] == "NEEDS_FACTS"


@LANGUAGES
@pytest.mark.viewer("holder", demo.RETURNEE)
async def test_a_spouses_home_is_the_one_reason_against_and_the_one_thing_to_change(why, language):
    found = await why(language, {"spouse_owns_home_in_city": True})

    assert found["outcome"] == "INELIGIBLE"
    assert found["reasons"] == [
        {
            "clause": "spouse-home",
            "met": True,
            "text": {"text": OWNS_A_HOME[language], "language": language[:2]},
            "reference": "changning-apartment-2023",
        }
    ]
    [alternative] = found["wouldChange"]
    [change] = alternative["changes"]
    assert change["name"] == "spouse_owns_home_in_city"
    assert change["clauses"] == [{"clause": "spouse-home", "met": False}]
    assert change["example"] == "false"


@LANGUAGES
@pytest.mark.viewer("holder", demo.RETURNEE)
async def test_who_returned_13_months_ago_is_late_and_two_months_earlier_was_not(
    hub, why, language
):
    hub.clock.now = datetime(2027, 7, 23, 10, tzinfo=NOW.tzinfo)
    assert date(2026, 6, 23) == RETURNED

    late = await why(language)
    in_time = await why(language, asOf="2027-05-23")

    assert late["outcome"] == "INELIGIBLE"
    assert [(one["clause"], one["met"]) for one in late["reasons"]] == [("returned", False)]
    assert (late["eligibleFrom"], late["lapsesOn"]) == (None, None)
    assert in_time["outcome"] == "ELIGIBLE"
    assert (in_time["eligibleFrom"], in_time["lapsesOn"]) == ("2027-05-23", "2027-06-23")


async def test_whoever_has_no_account_asks_what_if_and_nothing_is_kept(hub, why, queries):
    asked = await why()
    queries.clear()
    told = await why(facts=ANSWERS)

    assert asked["outcome"] == "NEEDS_FACTS"
    assert {one["name"] for one in asked["missing"]} >= {"degree_level", "months_since_return"}
    assert told["outcome"] == "ELIGIBLE"
    assert told["subsidy"]["total"] == "45000"
    assert queries == []


async def test_what_is_missing_is_what_would_change_it(why):
    facts = {**ANSWERS, "subject_rank": 40}
    del facts["school_rank"]

    found = await why(facts=facts)

    changes = [[one["name"] for one in each["changes"]] for each in found["wouldChange"]]
    assert found["outcome"] == "NEEDS_FACTS"
    assert changes == [["school_rank"], ["subject_rank"]]


async def test_an_example_of_a_change_may_be_put_forward_as_it_is_told(why):
    facts = {**ANSWERS, "degree_level": "BACHELOR", "school_rank": 101, "subject_rank": 21}

    [degree_and_rank, *_] = (await why(facts=facts))["wouldChange"]
    changes = {one["name"]: one["example"] for one in degree_and_rank["changes"]}
    found = await why(facts={**facts, **changes, "school_rank": int(changes["school_rank"])})

    assert changes == {"degree_level": "MASTER", "school_rank": "100"}
    assert found["outcome"] == "ELIGIBLE"


@pytest.mark.viewer("holder", demo.RETURNEE)
async def test_what_was_recorded_later_was_not_known_before(hub, why):
    hub.clock.pass_seconds(3600)
    async with hub.hub.database.begin() as session:
        person = await session.scalar(
            sa.select(talent.Talent).where(talent.Talent.handle == demo.handle(demo.RETURNEE))
        )
        session.add(
            talent.Member(
                talent_id=person.id,
                relation=talent.Relation.SPOUSE,
                name="枫米",
                owns_home=True,
                had_housing_benefit=False,
                source="a test",
                recorded_at=hub.clock.now.astimezone(UTC),
            )
        )
    moment = NOW + timedelta(minutes=30)

    now = await why()
    before = await why(knownAt=moment.isoformat())

    assert now["outcome"] == "INELIGIBLE"
    assert before["outcome"] == "ELIGIBLE"
    assert datetime.fromisoformat(before["knownAt"]) == moment
    assert before["asOf"] == now["asOf"]
    assert before["rule"] == now["rule"]
    assert len(now["rule"]["version"]) == 64
    assert now["rule"]["reference"] == ["changning-apartment-2023"]

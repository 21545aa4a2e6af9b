"""A person learns whether they may have a talent apartment, why, and what is missing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from models import demo, talent

PERSONAS = range(demo.RETURNEE, demo.RESEARCHER + 1)


@pytest.mark.viewer("holder")
async def test_everybody_learns_why_they_may_have_an_apartment_or_not(ask, document, told):
    answers = [
        await ask(document("apartment"), {"language": "zh"}, person=number) for number in PERSONAS
    ]

    assert told("apartment", [answer.json() for answer in answers])


@pytest.mark.viewer("holder", demo.RETURNEE)
async def test_a_returnee_without_a_school_rank_is_asked_exactly_that(hub, ask, document):
    async with hub.hub.database.begin() as session:
        await session.execute(sa.update(talent.Degree).values(school_rank=None))

    verdicts = [
        (await ask(document("apartment"), {"language": language})).json()
        for language in ("zh-CN", "fr")
    ]

    chinese, french = (one["data"]["service"]["verdict"] for one in verdicts)
    assert chinese["outcome"] == "NEEDS_FACTS"
    assert [one["name"] for one in chinese["missing"]] == ["school_rank"]
    assert chinese["missing"][0]["question"] == {
        "text": "您最高学位毕业院校的世界排名是？",
        "language": "zh",
        "isFallback": False,
    }
    assert french["missing"][0]["question"]["isFallback"] is True


@pytest.mark.viewer("holder", demo.RETURNEE)
async def test_a_spouse_who_owns_a_home_is_the_only_reason_against(hub, ask, document):
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
                recorded_at=datetime(2026, 11, 1, tzinfo=UTC),
            )
        )

    found = (await ask(document("apartment"))).json()["data"]["service"]["verdict"]

    assert found["outcome"] == "INELIGIBLE"
    assert [(one["clause"], one["met"]) for one in found["reasons"]] == [("spouse-home", True)]
    assert found["missing"] == []

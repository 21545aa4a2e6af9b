"""One rule tree, compiled three ways: for one person, for the database, for a whole population."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eligibility import household, population, sql
from eligibility import standing as forms
from eligibility.single import Judge
from eligibility.tree import HOUSEHOLD
from models import population as columns
from models import standing
from tests import rules

FACTS = tuple(rules.FACTS.values())
MEMBER_FACTS = tuple(household.FACTS.values())


@pytest.fixture
async def over(database):
    """A standing of the facts of random rules, of nobody yet."""
    texts = [{one.name: forms.is_text(one) for one in facts} for facts in (FACTS, MEMBER_FACTS)]
    found = standing.Standing.of(date(2026, 6, 30), "00000000", *texts)
    async with database.begin() as session:
        await standing.keep(session, found, [], [])
    yield found
    async with database.begin() as session:
        await standing.drop(session)


async def whole(session, over):
    """A standing as a frame, as the command line loads it."""
    loaded = []
    for table, facts in zip(over.tables, (FACTS, MEMBER_FACTS), strict=True):
        ids, *found = await columns.columns(session, table, ["talent_id", *(f.name for f in facts)])
        named = dict(zip((one.name for one in facts), found, strict=True))
        loaded.append({population.PERSON: ids, **named})
    return population.frame(FACTS, *loaded)


def rows_of(people):
    whole = [
        (number, *forms.codes(known, FACTS), None, None, None)
        for number, known in enumerate(people)
    ]
    members = [
        (number, place, *forms.codes(member, MEMBER_FACTS))
        for number, known in enumerate(people)
        for place, member in enumerate(known.get(HOUSEHOLD) or ())
    ]
    return whole, members


@st.composite
def crowds(draw):
    """Draw the trees of a few rules, and a few dozen people to judge by them."""
    several = [
        rules.read(draw(rules.trees())).on(draw(rules.days)) for _ in range(draw(st.integers(1, 4)))
    ]
    some = st.one_of(*(rules.profiles(tree) for tree in several))
    return several, draw(st.lists(some, min_size=1, max_size=30))


@settings(
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(crowd=crowds())
async def test_the_three_compilers_say_the_same_of_everybody(database, over, crowd):
    trees, people = crowd
    named = {f"rule {number}": tree for number, tree in enumerate(trees)}

    async with database.begin() as session:
        await standing.put(session, over, *rows_of(people))
        told = [sql.truth(tree, over) for tree in trees]
        asked = sa.select(*told).select_from(over.people).order_by(over.people.c.talent_id)
        by_sql = [tuple(map(truth_of, row)) for row in await session.execute(asked)]
        frame = await whole(session, over)
        await session.rollback()
    by_frame = population.truths(frame, named).drop(population.PERSON).collect().rows()

    judges = [Judge(tree) for tree in trees]
    by_one = [tuple(judge.truth(known) for judge in judges) for known in people]
    assert by_sql == by_one
    assert by_frame == by_one


def truth_of(told):
    return None if told is None else bool(told)

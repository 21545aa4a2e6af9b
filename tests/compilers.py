"""The three compilers side by side: random rules, a crowd in a database, and what each says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from hypothesis import strategies as st

from eligibility import household, population, sql
from eligibility import standing as forms
from eligibility.fact import Fact
from eligibility.single import Judge
from eligibility.tree import HOUSEHOLD, Known, Tree
from models import population as columns
from models import standing
from models.database import Session
from models.standing import Standing
from tests import rules

FACTS = tuple(rules.FACTS.values())
MEMBER_FACTS = tuple(household.FACTS.values())

#: What a compiler says: for each person, the truth of each rule.
Told = list[tuple[bool | None, ...]]


def nobody(facts: Sequence[Fact] = FACTS) -> Standing:
    """Return a standing of these facts, or of those of random rules."""
    texts = [{one.name: forms.is_text(one) for one in some} for some in (facts, MEMBER_FACTS)]
    return Standing.of(date(2026, 6, 30), "00000000", *texts)


@st.composite
def crowds(draw: st.DrawFn, most: int = 30) -> tuple[list[Tree], list[Known]]:
    """Draw the trees of a few rules, and a crowd to judge by them."""
    several = [
        rules.read(draw(rules.trees())).on(draw(rules.days)) for _ in range(draw(st.integers(1, 4)))
    ]
    some = st.one_of(*(rules.profiles(tree) for tree in several))
    return several, draw(st.lists(some, min_size=1, max_size=most))


async def told(
    session: Session,
    over: Standing,
    trees: Sequence[Tree],
    people: Sequence[Known],
    facts: Sequence[Fact] = FACTS,
) -> tuple[Told, Told, Told]:
    """Return what is said of each person alone, by the database, and of all at once.

    The people stay in the standing, which is of these facts, until the session's caller takes it
    back.
    """
    await standing.put(session, over, *_rows(people, facts))
    asked = sa.select(*(sql.truth(tree, over) for tree in trees))
    found = await session.execute(asked.select_from(over.people).order_by(over.people.c.talent_id))
    by_sql = [tuple(None if one is None else bool(one) for one in row) for row in found]
    frame = await _frame(session, over, facts)
    judges = [Judge(tree) for tree in trees]
    by_one = [tuple(judge.truth(known) for judge in judges) for known in people]
    named = {f"rule {number}": tree for number, tree in enumerate(trees)}
    by_frame = population.truths(frame, population.Judges(named)).drop(population.PERSON).rows()
    return by_one, by_sql, by_frame


async def _frame(session: Session, over: Standing, facts: Sequence[Fact]) -> population.Frame:
    """Return a standing as a frame, as the command line loads it."""
    loaded: list[dict[str, Any]] = []
    for table, some in zip(over.tables, (facts, MEMBER_FACTS), strict=True):
        names = [one.name for one in some]
        ids, *found = await columns.columns(session, table, ["talent_id", *names])
        loaded.append({population.PERSON: ids, **dict(zip(names, found, strict=True))})
    return population.frame(facts, *loaded)


def _rows(
    people: Sequence[Known], facts: Sequence[Fact]
) -> tuple[list[standing.Row], list[standing.Row]]:
    whole = [
        (number, *forms.codes(known, facts), None, None, None)
        for number, known in enumerate(people)
    ]
    homes: list[Any] = [known.get(HOUSEHOLD) or () for known in people]
    members = [
        (number, place, *forms.codes(member, MEMBER_FACTS))
        for number, home in enumerate(homes)
        for place, member in enumerate(home)
    ]
    return whole, members

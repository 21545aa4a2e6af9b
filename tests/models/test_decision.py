"""The mark of a person's decisions: another once one of them is, or what is known for a draft."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from models import card, decision, talent
from models.decision import Decision, State
from tests import factories

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
FACTS = {
    "a degree": factories.a_degree,
    "a post": factories.an_employment,
    "a paper": factories.a_permit,
    "a member of the household": factories.a_member,
    "an award": factories.an_award,
    "an attestation": factories.an_attestation,
}


@pytest.fixture
async def people(database):
    """Somebody with a draft, and somebody who has submitted what they asked."""
    found = [factories.a_talent(cards=[factories.a_card()]) for _ in range(2)]
    async with database.begin() as session:
        session.add_all(found)
        await session.flush()
        states = zip(found, (State.DRAFT, State.SUBMITTED), strict=True)
        session.add_all(
            Decision(
                handle=decision.new_handle(),
                talent_id=one.id,
                service="talent-apartment",
                state=state,
                given=[],
                statement=b"{}",
                saved_at=NOW,
                submitted_at=NOW if state is State.SUBMITTED else None,
            )
            for one, state in states
        )
    return [one.id for one in found]


@pytest.fixture
def told(database, people):
    """Write something, and say for whom the mark is another then."""

    async def told(write):
        async with database.session() as session:
            before = await decision.marks(session, people)
        async with database.begin() as session:
            await write(session)
        async with database.session() as session:
            after = await decision.marks(session, people)
        return [before.get(one) != after.get(one) for one in people]

    return told


@pytest.mark.parametrize("make", FACTS.values(), ids=FACTS)
async def test_what_is_known_anew_marks_whoever_has_a_draft_and_nobody_else(people, told, make):
    async def write(session):
        session.add_all(make(talent_id=one) for one in people)

    assert await told(write) == [True, False]


async def test_who_joins_a_team_is_marked_as_well(people, told):
    async def write(session):
        team = factories.a_team()
        session.add(team)
        await session.flush()
        rows = [{"talent_id": one, "team_id": team.id} for one in people]
        await session.execute(sa.insert(talent.membership), rows)

    assert await told(write) == [True, False]


async def test_whatever_befalls_a_card_marks_its_holder(people, told):
    async def write(session):
        held = await session.scalars(sa.select(card.Card).where(card.Card.talent_id.in_(people)))
        for one in held:
            said = {"change": card.Change.SUSPENDED, "reason": card.Reason.MISUSE, "by": "x"}
            session.add(card.Event(card_id=one.id, at=NOW, **said))

    assert await told(write) == [True, False]


async def test_a_decision_that_is_submitted_or_gone_is_another(people, told):
    async def submit(session):
        await session.execute(sa.update(Decision).values(submitted_at=datetime.now(UTC)))

    async def discard(session):
        await session.execute(sa.delete(Decision).where(Decision.state == State.SUBMITTED))

    assert await told(submit) == [True, True]
    assert await told(discard) == [False, True]


async def test_nothing_new_is_no_other_mark(told):
    async def write(session):
        session.add(factories.a_talent(degrees=[factories.a_degree()]))

    assert await told(write) == [False, False]

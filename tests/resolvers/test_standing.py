"""The standing of a day comes about once, where it is needed, or its lack is told."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from eligibility import rulebook
from eligibility import standing as forms
from models import census, demo, dossier, errors
from models import standing as tables
from resolvers import standing
from tests import factories


@pytest.fixture
async def everybody(database, today):
    """A database with demo people, and no standing."""
    await demo.build(database, 300, today)
    yield database
    async with database.begin() as session:
        await tables.drop(session)


async def rows(database, made):
    async with database.session() as session:
        return {row.talent_id: row for row in await session.execute(sa.select(made.people))}


async def test_every_fact_of_everybody_stands_as_it_is(everybody, today):
    assert await standing.make(everybody, today) == 300

    found = await rows(everybody, standing.of(today))
    async with everybody.session() as session:
        people = await dossier.by_ids(session, range(1, 301))
    for person in people:
        facts = rulebook.known_facts().values()
        known = rulebook.facts_of(person, today, facts)
        row = found[person.id]
        assert {one.name: getattr(row, one.name) for one in facts} == {
            one.name: forms.code(one, known[one.name]) for one in facts
        }
        assert (row.of_class, row.of_industry, row.of_district) == (
            person.talent_class,
            person.industry,
            person.district,
        )


async def test_every_member_of_a_household_stands_with_whose_it_is(everybody, today):
    await standing.make(everybody, today)

    made = standing.of(today)
    async with everybody.session() as session:
        [pilot] = await dossier.by_handles(session, [demo.handle(demo.PILOT)])
        mine = sa.select(made.members).where(made.members.c.talent_id == pilot.id)
        found = (await session.execute(mine.order_by("place"))).all()

    relations = [("SPOUSE", "CHILD")[row.relation] for row in found]
    assert relations == [one.relation for one in pilot.household]


async def test_many_who_need_it_at_once_have_it_made_once(everybody, today):
    keeper = standing.Keeper(everybody)

    found = await asyncio.gather(*(keeper.of(today) for _ in range(8)))

    assert {one.people.name for one in found} == {standing.of(today).people.name}
    assert len(await rows(everybody, found[0])) == 300


async def test_another_day_has_another_standing(everybody, today):
    keeper = standing.Keeper(everybody)
    await keeper.of(today)

    tomorrow = await keeper.of(today + timedelta(1))

    assert len(await rows(everybody, tomorrow)) == 300
    async with everybody.session() as session:
        assert not await tables.is_there(session, standing.of(today))


async def test_of_too_many_to_wait_for_it_is_started_elsewhere_and_its_lack_told(everybody, today):
    started = []
    keeper = standing.Keeper(everybody, started.append, most=299)

    for _ in range(2):
        with pytest.raises(errors.StandingMissingError, match="being gathered"):
            await keeper.of(today)
    await standing.make(everybody, today)
    await keeper.of(today)

    assert started == [today, today]


async def test_it_is_gone_with_the_people_in_it(everybody, today):
    keeper = standing.Keeper(everybody)
    await keeper.of(today)

    await demo.build(everybody, 7, today)

    assert len(await rows(everybody, await keeper.of(today))) == 7


async def test_a_person_of_whom_more_is_known_stands_anew(everybody, today):
    await standing.make(everybody, today)
    person = factories.a_talent(
        birth_date=today - timedelta(30 * 365), household=[factories.a_member()]
    )

    async with everybody.begin() as session:
        session.add(person)
        await session.flush()
        await standing.renew(session, [person], today)

    found = await rows(everybody, standing.of(today))
    assert (found[person.id].age, found[person.id].household) == (29, 1)
    async with everybody.session() as session:
        assert await census.count(session) == len(found)


async def test_where_there_is_no_standing_none_is_renewed(everybody, today):
    async with everybody.begin() as session:
        await standing.renew(session, [factories.a_talent(id=1)], today)

    async with everybody.session() as session:
        assert not await tables.is_there(session, standing.of(today))

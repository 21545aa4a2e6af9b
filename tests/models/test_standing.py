"""A standing is there whole or not at all, beside no other of an earlier day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from alembic import command

from models import errors, page, standing
from tests import factories

DAY = date(2026, 11, 22)
SCOPE = page.Scope("a rule")


def of(on=DAY, digest="0" * 8, **facts):
    return standing.Standing.of(on, digest, facts or {"age": False, "word": True}, {"age": False})


def a_row(talent_id, age=None, word=None):
    return talent_id, age, word, "HIGH", None, "changning"


@pytest.fixture(autouse=True)
async def gone_afterwards(database):
    yield
    async with database.begin() as session:
        await standing.drop(session)


async def kept(database, made, people=(), members=()):
    async with database.begin() as session:
        await standing.keep(session, made, [list(people)], [list(members)])
    return made


async def ages(database, made):
    async with database.session() as session:
        found = sa.select(made.people.c.talent_id, made.people.c.age).order_by("talent_id")
        return [tuple(row) for row in await session.execute(found)]


async def is_there(database, made):
    async with database.session() as session:
        return await standing.is_there(session, made)


async def test_a_standing_is_found_by_its_day_and_its_facts(database):
    await kept(database, of(), [a_row(1, 30, "word")])

    assert await is_there(database, of())
    assert not await is_there(database, of(DAY + timedelta(1)))
    assert not await is_there(database, of(digest="1" * 8))


async def test_what_fails_before_it_is_whole_is_not_there(database):
    def half():
        yield [a_row(1)]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        async with database.begin() as session:
            await standing.keep(session, of(), half(), [])

    assert not await is_there(database, of())


async def test_the_first_to_be_kept_stays(database):
    await kept(database, of(), [a_row(1, 30)])
    await kept(database, of(), [a_row(1, 31)])

    assert await ages(database, of()) == [(1, 30)]


async def test_those_of_earlier_days_go_when_a_new_one_is_whole(database):
    others = [of(DAY - timedelta(1)), of(digest="1" * 8), of(DAY + timedelta(1))]
    for one in others:
        await kept(database, one)
    await kept(database, of(DAY + timedelta(1), digest="2" * 8))

    assert [await is_there(database, one) for one in others] == [False, False, True]


async def test_single_people_are_put_anew_with_their_households(database):
    rows = [a_row(1, 30), a_row(2, 40), a_row(3, 50)]
    await kept(database, of(), rows, [(1, 0, 5), (2, 0, 6), (2, 1, 7)])

    async with database.begin() as session:
        await standing.put(session, of(), [a_row(2, 41), a_row(4, 60)], [(2, 0, 8)])

    async with database.session() as session:
        members = (await session.execute(sa.select(of().members).order_by("talent_id"))).all()
    assert await ages(database, of()) == [(1, 30), (2, 41), (3, 50), (4, 60)]
    assert [tuple(row) for row in members] == [(1, 0, 5), (2, 0, 8)]


async def test_the_migrations_know_nothing_of_it(database):
    await kept(database, of(), [a_row(1)])

    await database.migrate(command.check)


async def test_one_alone_may_claim_to_make_it_where_the_database_can_tell(database, kind):
    async with database.session() as one, database.session() as other:
        first = await standing.claim(one)
        second = await standing.claim(other)
    async with database.session() as later:
        third = await standing.claim(later)

    assert (first, second, third) == (True, kind == "sqlite", True)


async def test_pages_and_counts_are_of_those_for_whom_it_is_true(database):
    people = [factories.a_talent() for _ in range(5)]
    async with database.begin() as session:
        session.add_all(people)
    ids = sorted(one.id for one in people)
    codes = zip(ids, (20, None, 17, 30, 40), strict=True)
    made = await kept(database, of(), [a_row(id_, age) for id_, age in codes])
    grown = made.people.c.age >= 18

    async with database.session() as session:
        first = await standing.page(session, made, grown, SCOPE, 2)
        second = await standing.page(session, made, grown, SCOPE, 2, first.cursors[-1])
        counts = await standing.counts(session, made, grown)
        count = await standing.count(session, made, sa.not_(grown))
        with pytest.raises(errors.BadCursorError):
            await standing.page(session, made, grown, page.Scope("another"), 2, first.cursors[-1])

    assert [one.id for one in first.items] == [ids[0], ids[3]]
    assert [one.id for one in second.items] == [ids[4]]
    assert (first.has_next, second.has_next) == (True, False)
    assert (counts, count) == (standing.Counts(true=3, false=1, unknown=1), 1)


async def test_of_nobody_all_counts_are_nought(database):
    made = await kept(database, of())

    async with database.session() as session:
        found = await standing.counts(session, made, made.people.c.age >= 18)

    assert found == standing.Counts(0, 0, 0)

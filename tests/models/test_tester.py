"""Test people are there once, and their cards are test cards."""

from __future__ import annotations

import sqlalchemy as sa

from models import card, talent, tester
from models.card import Card, Event, Status
from tests.hub import NOW


async def test_test_people_are_added_once(database):
    first = await tester.build(database, NOW)
    again = await tester.build(database, NOW)

    assert (first, again) == (5, 0)


async def test_there_is_somebody_for_each_case(database):
    await tester.build(database, NOW)

    async with database.session() as session:
        found = (await session.scalars(sa.select(Card).order_by(Card.id))).all()
        events = (await session.scalars(sa.select(Event))).all()
        people = await talent.page(session, talent.Filter(district=card.SANDBOX))
        named = await talent.count(session, talent.Filter(text="highcard"))
    today = NOW.date()
    assert [one.serial for one in found] == [tester.serial(n) for n in range(1, 6)]
    assert all(one.sandbox for one in found)
    assert {one.tier for one in found} == set(talent.TalentClass)
    assert [one.status for one in found].count(Status.SUSPENDED) == 1
    assert [one.valid_until < today for one in found].count(True) == 1
    assert len(events) == 6
    assert len(people.items) == 5
    assert named == 1

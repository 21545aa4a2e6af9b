from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from models import talent
from resolvers.loaders import Loaders
from resolvers.reads import Reads
from tests import factories


@pytest.fixture
async def people(database) -> list[talent.Talent]:
    people = [factories.a_talent(handle=f"person{number}") for number in range(3)]
    async with database.begin() as session:
        session.add_all(people)
    return people


@pytest.fixture
def statements(database):
    sent: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        sent.append(statement)

    engine = database._engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(engine, "before_cursor_execute", note)


async def test_answers_come_in_the_order_asked_with_none_for_nobody(database, people):
    loaders = Loaders(database, Reads())

    found = await asyncio.gather(
        *(loaders.people_by_handle.load(handle) for handle in ("person2", "nobody", "person0"))
    )

    assert [one and one.handle for one in found] == ["person2", None, "person0"]


async def test_however_many_ask_the_database_is_asked_once(database, people, statements):
    loaders = Loaders(database, Reads())

    await asyncio.gather(*(loaders.cards_by_holder.load(one.id) for one in people * 5))

    assert len([one for one in statements if one.startswith("SELECT")]) == 1


async def test_loaders_of_one_query_keep_nothing_for_the_next(database, people, statements):
    for _ in range(2):
        await Loaders(database, Reads()).cards_by_holder.load(people[0].id)

    assert len([one for one in statements if one.startswith("SELECT")]) == 2

"""What a line says of its database: a mark, which is another once anything was kept."""

import pytest
import sqlalchemy as sa

from models import document
from models.database import Database
from models.line import Line

SOME = {"hash": "0" * 64, "text": "{ hello }"}


async def keep(data, **said):
    async with data.begin() as session:
        await session.execute(sa.insert(document.Document).values({**SOME, **said}))


async def test_the_mark_stays_while_nothing_is_kept(database):
    line = Line(database)
    first = await line.mark()
    async with database.session() as session:
        await session.execute(sa.select(document.Document))

    assert await line.mark() == first


async def test_the_mark_is_another_whoever_kept_something(database, database_url):
    line, other = Line(database), Database(database_url)
    marks = [await line.mark()]

    for data, name in ((database, "1"), (other, "2")):
        await keep(data, hash=name * 64)
        marks.append(await line.mark())
    await other.close()

    assert len(set(marks)) == 3


async def test_what_was_undone_is_not_missed_when_it_is_kept_after_all(database):
    line = Line(database)
    async with database.begin() as session:
        await session.execute(sa.insert(document.Document).values(SOME))
        await session.flush()
        under_way = await line.mark()

    assert await line.mark() != under_way


async def test_a_line_that_was_lost_is_opened_anew(database):
    line = Line(database)
    first = await line.mark()
    await line._connection.close()
    with pytest.raises(sa.exc.SQLAlchemyError):
        await line.mark()

    assert await line.mark() == first


async def test_a_database_in_memory_is_looked_at_each_time():
    data = Database("sqlite://")
    line = Line(data)

    assert await line.mark() != await line.mark()
    await data.close()

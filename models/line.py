"""Lines: connections of their own for what is asked, or noted, thousands of times a second.

A session, a transaction and a mapped row cost more than what they are for where the statement is
one, is always the same, and stands alone. So on PostgreSQL a line keeps a connection and gives the
driver its words as they are; on SQLite, where nothing lies between, it does the same by a session.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext import asyncio as aio

from models import base, database, trace

B = TypeVar("B", bound=base.Base)
T = TypeVar("T")
Row_co = TypeVar("Row_co", covariant=True)

#: How any of the keys is asked for, by the kind of database: they are its only parameter.
ANY_KEY: Mapping[str, str] = {
    "postgresql": "= ANY($1)",
    "sqlite": "IN (SELECT value FROM json_each(?1))",
}


class Question(Protocol[Row_co]):
    """A statement that finds rows by many keys at once; they are all texts."""

    @property
    def table(self) -> sa.Table:
        """The table that it is about."""

    def text(self, dialect: str) -> str:
        """Return it in a database's words."""

    def row(self, values: Sequence[Any], dialect: str) -> Row_co:
        """Return what a row of values is."""


class Line:
    """A connection for one thing at a time; opened when it is first needed, and again when lost."""

    def __init__(self, data: database.Database) -> None:
        self._data = data
        self._connection: aio.AsyncConnection | None = None

    async def found(self, question: Question[T], keys: Sequence[str]) -> list[T]:
        """Return what a question finds under any of these keys, row by row."""
        with trace.span("statement", sort="SELECT", table=question.table.name):
            if self._data.dialect == "postgresql":
                async with self._driver() as driver:
                    rows = await driver.fetch(question.text("postgresql"), keys)
            else:
                async with self._data.session() as session:
                    connection = await session.connection()
                    text = question.text(self._data.dialect)
                    said = await connection.exec_driver_sql(text, (json.dumps(keys),))
                    rows = said.fetchall()
        return [question.row(row, self._data.dialect) for row in rows]

    async def mark(self) -> Hashable:
        """Return what is another as soon as anything was kept in the database, by anybody."""
        if self._data.is_fleeting:
            return object()
        async with self._driver() as driver:
            if self._data.dialect == "postgresql":
                # Which transactions are over, and which are under way.
                snapshot: str = await driver.fetchval("SELECT pg_current_snapshot()::text")
                return snapshot
            async with driver.execute("PRAGMA data_version") as found:
                return tuple(await found.fetchone())

    async def keep(self, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows, all or none; what is not said of one is null."""
        with trace.span("statement", sort="INSERT", table=table.name):
            if self._data.dialect != "postgresql":
                async with self._data.begin() as session:
                    await database.run(session, sa.insert(table), rows)
                return
            names = [column.name for column in table.columns if column.name != "id"]
            encode = _encoders(table, tuple(names))
            records = [
                [one(row.get(name)) if one else row.get(name) for one, name in encode]
                for row in rows
            ]
            async with self._driver() as driver:
                await driver.copy_records_to_table(table.name, columns=names, records=records)

    @contextlib.asynccontextmanager
    async def _driver(self) -> AsyncIterator[Any]:
        if self._connection is None:
            self._connection = await self._data.alone()
        connection = self._connection
        try:
            raw = await connection.get_raw_connection()
            yield raw.driver_connection
        except BaseException:
            # Whatever went wrong, another connection knows nothing of it.
            self._connection = None
            await self._data.lose(connection)
            raise


class Rows:
    """The question for rows of some tables; a row is an object a table.

    Args:
        statement: What is selected: the columns of these tables, one after the other.
        mapped: The tables' classes.
        key: The column that holds the keys.
    """

    def __init__(
        self,
        statement: sa.Select[Any],
        mapped: Sequence[type[base.Base]],
        key: orm.InstrumentedAttribute[str],
    ) -> None:
        self._statement = statement
        self._key = key
        self._makers = [_Maker(one) for one in mapped]
        self.table: sa.Table = mapped[0].__table__  # type: ignore[assignment]  # a table, as declared

    @lru_cache(maxsize=2)  # noqa: B019 - a question lives as long as the process
    def text(self, dialect: str) -> str:
        """Return it in a database's words."""
        return f"{words(self._statement, dialect)} WHERE {self._key.expression} {ANY_KEY[dialect]}"

    def row(self, values: Sequence[Any], dialect: str) -> tuple[Any, ...]:
        """Return the objects that a row of values is."""
        found, place = [], 0
        for maker in self._makers:
            found.append(maker.made(values, place, dialect))
            place += maker.width
        return tuple(found)


def words(statement: sa.SelectBase, dialect: str) -> str:
    """Return a statement without parameters in a database's words."""
    return str(statement.compile(dialect=_DIALECTS[dialect]))


class _Maker:
    """Makes objects of what was read of a table's columns, for reading alone."""

    def __init__(self, mapped: type[B]) -> None:
        mapper = sa.inspect(mapped)
        self._new = base.reading(mapped)
        table: sa.Table = mapped.__table__  # type: ignore[assignment]  # a table, as declared
        self._keys = [mapper.get_property_by_column(column).key for column in table.columns]
        self._columns = list(table.columns)
        self.width = len(self._keys)

    @lru_cache(maxsize=2)  # noqa: B019 - a maker lives as long as the process
    def _decoders(self, dialect: str) -> list[tuple[int, str, Callable[[Any], Any]]]:
        found: list[tuple[int, str, Callable[[Any], Any]]] = []
        for place, (key, column) in enumerate(zip(self._keys, self._columns, strict=True)):
            known = _DIALECTS[dialect]
            decode = column.type.dialect_impl(known).result_processor(known, None)
            if decode is not None:
                if isinstance(column.type, sa.Enum):
                    # SQLAlchemy looks a member up by three calls each time.
                    decode = lru_cache(maxsize=256)(decode)
                found.append((place, key, decode))
        return found

    def made(self, values: Sequence[Any], start: int, dialect: str) -> Any:  # noqa: ANN401 - as the mapped class has it
        """Return an object of the values from a place on."""
        known = dict(zip(self._keys, values[start : start + self.width], strict=True))
        for place, key, decode in self._decoders(dialect):
            known[key] = decode(values[start + place])
        return self._new(known)


@lru_cache(maxsize=16)
def _encoders(
    table: sa.Table, names: Iterable[str]
) -> list[tuple[Callable[[Any], Any] | None, str]]:
    """Return what makes of a column's value what the driver takes, if that is another."""
    dialect = _DIALECTS["postgresql"]
    types = {name: table.columns[name].type.dialect_impl(dialect) for name in names}
    return [(kind.bind_processor(dialect), name) for name, kind in types.items()]


_DIALECTS: Mapping[str, sa.Dialect] = {
    name: sa.make_url(f"{driver}://").get_dialect()() for name, driver in database.DRIVERS.items()
}

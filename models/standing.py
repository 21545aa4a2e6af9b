"""The standing: a table of everybody's facts as they stand on one day, for lists and counts.

It is derived: made anew each day of what is known of people, and no part of the migrations. Its
name carries the day and a digest of the facts it holds, so that one of other facts is another
table. It is there whole or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from models import database, talent
from models import page as paging

#: What the names of these tables begin with.
PREFIX = "standing_"
_MEMBERS = f"{PREFIX}member_"
#: The number of our advisory lock in PostgreSQL.
_LOCK = 5_382_301
#: More people than there can be.
_SHIFT = 2**31

#: Values of one row, in the order of its table's columns.
Row = Sequence[Any]
_BYTES = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


@dataclass(frozen=True, slots=True)
class Standing:
    """The tables of one day: ``people``, a row each; ``members``, one for each in a household.

    Their columns are called as the facts are. Beside them, a person has ``talent_id`` and, for
    lists to sort by, ``of_class``, ``of_industry`` and ``of_district``; a member has the
    ``talent_id`` of whose household it is, and a ``place`` in it.
    """

    on: date
    people: sa.Table
    members: sa.Table

    @classmethod
    def of(
        cls, on: date, digest: str, facts: Mapping[str, bool], member_facts: Mapping[str, bool]
    ) -> Standing:
        """Return the tables for facts by name, each with whether it stands as text.

        What is no text is a whole number of at most 64 bits.
        """
        name = f"{on:%Y%m%d}_{digest}"
        catalogue = sa.MetaData()
        people = sa.Table(
            f"{PREFIX}{name}",
            catalogue,
            sa.Column("talent_id", sa.Integer, primary_key=True, autoincrement=False),
            *_columns(facts),
            *(sa.Column(f"of_{word}", _BYTES) for word in ("class", "industry", "district")),
        )
        members = sa.Table(
            f"{_MEMBERS}{name}",
            catalogue,
            sa.Column("talent_id", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
            *_columns(member_facts),
            # The members of a household lie side by side.
            sqlite_with_rowid=False,
        )
        return cls(on, people, members)

    @property
    def tables(self) -> tuple[sa.Table, sa.Table]:
        """Both tables."""
        return self.people, self.members


def _columns(facts: Mapping[str, bool]) -> Iterable[sa.Column[Any]]:
    return (
        sa.Column(name, _BYTES if text else sa.BigInteger, nullable=True)
        for name, text in facts.items()
    )


async def is_there(session: AsyncSession, standing: Standing) -> bool:
    """Return whether the tables are there, which they are whole."""
    connection = await session.connection()
    name = standing.people.name
    return await connection.run_sync(lambda sync: sa.inspect(sync).has_table(name))


async def _names(session: AsyncSession) -> list[str]:
    connection = await session.connection()
    names = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    return [name for name in names if name.startswith(PREFIX)]


async def claim(session: AsyncSession) -> bool:
    """Claim, until the session ends, to be the one who makes tables; False where another does.

    On SQLite, which has no such lock, everybody may; the first to be ready is the one.
    """
    if session.get_bind().dialect.name == "sqlite":
        return True
    return bool(await session.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))))


async def keep(
    session: AsyncSession,
    standing: Standing,
    people: Iterable[Sequence[Row]],
    members: Iterable[Sequence[Row]],
) -> None:
    """Make the tables with these rows, given in batches, and drop those of earlier days."""
    if await is_there(session, standing):
        return
    connection = await session.connection()
    for table, batches in zip(standing.tables, (people, members), strict=True):
        await connection.run_sync(table.create)
        for rows in batches:
            if rows:
                await database.load(session, table, rows)
    await _settle(session, standing)
    earlier = [
        name for name in await _names(session) if name.split("_")[-2] < f"{standing.on:%Y%m%d}"
    ]
    await _drop(session, earlier)


async def _settle(session: AsyncSession, standing: Standing) -> None:
    # Without it, PostgreSQL's planner knows nothing of a table for its first minute.
    if session.get_bind().dialect.name == "postgresql":
        for table in standing.tables:
            await session.execute(sa.text(f"ANALYZE {table.name}"))


async def put(
    session: AsyncSession, standing: Standing, people: Sequence[Row], members: Sequence[Row]
) -> None:
    """Set the rows of single people anew, whose ``talent_id`` stands first in each."""
    whose = [row[0] for row in people]
    for table, rows in zip(standing.tables, (people, members), strict=True):
        await session.execute(table.delete().where(table.c.talent_id.in_(whose)))
        if rows:
            await database.load(session, table, rows)


async def drop(session: AsyncSession) -> None:
    """Drop all standings: the people in them are no more."""
    await _drop(session, await _names(session))


async def _drop(session: AsyncSession, names: Iterable[str]) -> None:
    connection = await session.connection()
    for name in names:
        await connection.run_sync(sa.Table(name, sa.MetaData()).drop)


# ── what is asked of it ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Counts:
    """Of how many people something holds, of how many it does not, of how many nobody knows."""

    true: int
    false: int
    unknown: int


async def page(
    session: AsyncSession,
    standing: Standing,
    holds: sa.ColumnElement[bool],
    scope: paging.Scope,
    first: int | None = None,
    after: str | None = None,
) -> paging.Page[talent.Talent]:
    """Return a page of bare people, by id, for whom an expression over the tables is true.

    Raises:
        BadCursorError: the cursor was not given out for this scope.
        BadInputError: ``first`` is out of range.
    """
    many = paging.size(first)
    beyond = int(scope.key(after)) if after is not None else 0
    key = standing.people.c.talent_id
    found = sa.select(key).where(key > beyond, holds).order_by(key).limit(many + 1)
    ids = (await session.scalars(found)).all()
    rows = await session.scalars(
        sa.select(talent.Talent).where(talent.Talent.id.in_(ids)).order_by(talent.Talent.id)
    )
    return scope.page(rows.all(), many, lambda person: person.id)


async def count(session: AsyncSession, standing: Standing, holds: sa.ColumnElement[bool]) -> int:
    """Return of how many people an expression over the tables is true."""
    found = sa.select(sa.func.count()).select_from(standing.people).where(holds)
    return await session.scalar(found) or 0


async def counts(
    session: AsyncSession, standing: Standing, truth: sa.ColumnElement[bool]
) -> Counts:
    """Return how many people there are for each truth of an expression over the tables."""
    # The two sums share one number, so that everybody is passed once. As a condition, and not as
    # a value, the expression is left by SQLite as soon as it is decided.
    told = sa.case((truth, 1), (sa.not_(truth), _SHIFT), else_=0)
    found = sa.select(sa.func.sum(told), sa.func.count()).select_from(standing.people)
    total, everybody = (await session.execute(found)).one()
    false, true = divmod(int(total or 0), _SHIFT)
    return Counts(true, false, everybody - true - false)

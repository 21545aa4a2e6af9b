"""What an audit reads: rows as they are kept, so that nothing is made good on the way."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession

from models import base, ledger
from models.ledger import Head
from models.verification import Verification

#: So many rows are held at once.
CHUNK = 2048

R = TypeVar("R", bound=base.Base)


@dataclass(frozen=True, slots=True)
class Kept(Generic[R]):
    """A row as it is kept: ``row`` is None where a column of it is not as the hub writes it."""

    id: object
    row: R | None
    spoilt: tuple[str, ...] = ()
    place: int | None = field(default=None, kw_only=True)


async def size(session: AsyncSession) -> int:
    """Return how many leaves the log has, by its nodes or by the checks in it."""
    leaves = sa.select(sa.func.count()).select_from(ledger.node).where(ledger.node.c.level == 0)
    placed = sa.select(sa.func.count(Verification.position))
    return max(await session.scalar(leaves) or 0, await session.scalar(placed) or 0)


async def placed(session: AsyncSession, start: int, stop: int) -> list[Kept[Verification]]:
    """Return the checks at these places of the log, in their order."""
    place = Verification.position
    return await _kept(
        session, Verification, sa.and_(place >= start, place < stop), place, Verification.id
    )


async def elsewhere(session: AsyncSession, of: int) -> list[Kept[Verification]]:
    """Return checks that say they are at places that the log does not have; not all, if many."""
    place = Verification.position
    found = sa.or_(place < 0, place >= of)
    return await _kept(session, Verification, found, place, Verification.id)


async def waiting(session: AsyncSession) -> AsyncIterator[Kept[Verification]]:
    """Yield the checks that are not in the log yet."""
    last = -1
    while True:
        found = await _kept(
            session,
            Verification,
            sa.and_(Verification.position.is_(None), Verification.id > last),
            Verification.id,
            Verification.id,
        )
        for one in found:
            yield one
        if len(found) < CHUNK:
            return
        last = int(str(found[-1].id))


async def heads(session: AsyncSession, above: int, to: int) -> list[Kept[Head]]:
    """Return the heads of more than so many leaves, and of so many at most."""
    return await _kept(
        session, Head, sa.and_(Head.size > above, Head.size <= to), Head.size, Head.size
    )


async def stray_heads(session: AsyncSession, of: int) -> list[Kept[Head]]:
    """Return heads of more leaves than there are, or of none; not all, if many."""
    return await _kept(session, Head, sa.or_(Head.size < 1, Head.size > of), Head.size, Head.size)


async def nodes(session: AsyncSession, start: int, stop: int) -> Mapping[tuple[int, int], bytes]:
    """Return the nodes that are complete with the leaves at these places, and not before."""
    node = ledger.node.c
    wanted = [
        sa.and_(node.level == level, node.position >= start >> level, node.position < stop >> level)
        for level in range(stop.bit_length())
    ]
    found = await session.execute(
        sa.select(node.level, node.position, node.hash).where(sa.or_(*wanted))
    )
    return {(level, place): value for level, place, value in found}


async def stray_nodes(session: AsyncSession, of: int) -> Sequence[tuple[int, int]]:
    """Return where nodes are that no tree of so many leaves has; not all, if many."""
    node, levels = ledger.node.c, max(of.bit_length(), 1)
    beyond = [sa.and_(node.level == level, node.position >= of >> level) for level in range(levels)]
    wrong = sa.or_(node.position < 0, node.level < 0, node.level >= levels, *beyond)
    found = await session.execute(sa.select(node.level, node.position).where(wrong).limit(CHUNK))
    return [(level, place) for level, place in found]


async def _kept(
    session: AsyncSession,
    kind: type[R],
    where: sa.ColumnElement[bool],
    order: orm.InstrumentedAttribute[Any],
    key: orm.InstrumentedAttribute[Any],
) -> list[Kept[R]]:
    columns = list(base.Base.metadata.tables[kind.__tablename__].columns)
    found = await session.execute(
        sa.select(*map(_raw, columns)).where(where).order_by(order).limit(CHUNK)
    )
    dialect = session.get_bind().dialect
    return [
        _read(kind, dict(zip(columns, values, strict=True)), dialect, order.key, key.key)
        for values in found
    ]


def _read(
    kind: type[R],
    raw: Mapping[sa.Column[Any], Any],
    dialect: sa.Dialect,
    order: str,
    key: str,
) -> Kept[R]:
    by_name = {column.name: value for column, value in raw.items()}
    place = by_name[order]
    values, spoilt = {}, []
    for column, value in raw.items():
        try:
            values[column.name] = _value(column, value, dialect)
        except (ValueError, TypeError, LookupError, AttributeError):
            spoilt.append(column.name)
    row = None if spoilt else kind(**values)
    return Kept(by_name[key], row, tuple(spoilt), place=place)


def _raw(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    if isinstance(column.type, sa.JSON):
        return sa.cast(column, sa.Text())
    return sa.type_coerce(column, sa.types.NullType())


def _value(column: sa.Column[Any], raw: Any, dialect: sa.Dialect) -> Any:  # noqa: ANN401 as kept
    """Return what is kept, read.

    Raises:
        ValueError, TypeError, LookupError, AttributeError: the hub would write it otherwise, if at
            all.
    """
    if isinstance(column.type, sa.JSON):
        value = json.loads(raw)
        again: object = json.dumps(value)
    else:
        kind = column.type.dialect_impl(dialect)
        read, write = kind.result_processor(dialect, None), kind.bind_processor(dialect)
        value = read(raw) if read else raw
        again = write(value) if write else value
    if again != raw:
        raise ValueError("It is written otherwise.")
    return value

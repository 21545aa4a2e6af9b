"""The ledger: the Merkle tree (RFC 9162) over all receipts, node by node, and its signed heads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession

from models import base
from models.verification import Verification

#: Every complete node: leaves are level 0, and node (l, p) stands over (l-1, 2p) and (l-1, 2p+1).
node = sa.Table(
    "ledger_node",
    base.Base.metadata,
    sa.Column("level", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary(), nullable=False),
    sqlite_with_rowid=False,
)
_IS_LEAF = node.c.level == 0
sa.Index("ix_ledger_node_leaf", node.c.hash, sqlite_where=_IS_LEAF, postgresql_where=_IS_LEAF)

#: The number of the lock under which one process at a time adds leaves.
_SEQUENCING = 0x6C6F67


class Head(base.Base):
    """A signed head: so many leaves had this root at this time; ``cosigned`` by other hubs.

    Each cosignature is a mapping of ``iss``, ``jwk`` and ``jws``.
    """

    __tablename__ = "ledger_head"

    size: orm.Mapped[int] = orm.mapped_column(primary_key=True, autoincrement=False)
    root: orm.Mapped[str]
    signed: orm.Mapped[str]
    signed_at: orm.Mapped[datetime]
    cosigned: orm.Mapped[Any] = orm.mapped_column(sa.JSON, nullable=False)


async def alone(session: AsyncSession) -> bool:
    """Say whether this transaction alone may add leaves until it ends, and keep others from it.

    SQLite's writers are alone anyway; on PostgreSQL nobody waits: whoever has the lock does it.
    """
    if session.get_bind().dialect.name != "postgresql":
        return True
    return bool(await session.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_SEQUENCING))))


async def size(session: AsyncSession) -> int:
    """Return how many leaves there are."""
    last = sa.select(sa.func.max(node.c.position)).where(node.c.level == 0)
    found = await session.scalar(last)
    return 0 if found is None else int(found) + 1


async def waiting(session: AsyncSession, most: int) -> Sequence[tuple[int, str, str]]:
    """Return the id, salt and receipt of checks that are not in the log, the first of them.

    A row of a smaller id may come after one of a larger, so what has no place is what waits.
    """
    row = Verification
    found = await session.execute(
        sa.select(row.id, row.salt, row.receipt)
        .where(row.position.is_(None))
        .order_by(row.id)
        .limit(most)
    )
    return [(id_, salt, receipt) for id_, salt, receipt in found]


async def hashes(
    session: AsyncSession, places: Collection[tuple[int, int]]
) -> Mapping[tuple[int, int], bytes]:
    """Return the hashes of nodes, by level and position, in one statement."""
    if not places:
        return {}
    by_level: dict[int, list[int]] = {}
    for level, position in places:
        by_level.setdefault(level, []).append(position)
    wanted = [
        sa.and_(node.c.level == level, node.c.position.in_(positions))
        for level, positions in by_level.items()
    ]
    found = await session.execute(
        sa.select(node.c.level, node.c.position, node.c.hash).where(sa.or_(*wanted))
    )
    return {(level, position): value for level, position, value in found}


async def add(
    session: AsyncSession,
    placed: Mapping[int, int],
    nodes: Iterable[tuple[int, int, bytes]],
) -> None:
    """Add nodes, and say of each check by id at which place of the log it is."""
    await session.execute(
        sa.insert(node),
        [{"level": level, "position": place, "hash": value} for level, place, value in nodes],
    )
    table = base.Base.metadata.tables[Verification.__tablename__]
    await session.execute(
        sa.update(table)
        .where(table.c.id == sa.bindparam("row"))
        .values(position=sa.bindparam("place")),
        [{"row": row, "place": place} for row, place in placed.items()],
    )


async def place(session: AsyncSession, leaf: bytes) -> int | None:
    """Return where a leaf stands, if it does."""
    return await session.scalar(sa.select(node.c.position).where(_IS_LEAF, node.c.hash == leaf))


async def newest(session: AsyncSession) -> Head | None:
    """Return the newest signed head."""
    return await session.scalar(sa.select(Head).order_by(Head.size.desc()).limit(1))


async def head(session: AsyncSession, of: int) -> Head | None:
    """Return the signed head of a size; nobody else changes it until this transaction ends."""
    return await session.get(Head, of, with_for_update=True)

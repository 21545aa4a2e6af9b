"""Status entries: which place in which status list a credential has, given at random."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from models import base
from models.card import Card, Event, Status

#: So many places has a list: one of 2 bits each is 32 kB, and packed 0.5 to 5.5 kB.
SIZE = 131_072
#: So many rows are read at once: more would hold the event loop.
_CHUNK = 500


class StatusEntry(base.Base):
    """The place of one credential of one card; its status is its card's unless it has ended.

    ``device_id`` is whose key it is bound to, so that what a lost phone holds can be ended alone.
    """

    __tablename__ = "status_entry"
    __table_args__ = (sa.UniqueConstraint("list_number", "place"),)

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    list_number: orm.Mapped[int]
    place: orm.Mapped[int]
    card_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("card.id"), index=True)
    device_id: orm.Mapped[int | None] = orm.mapped_column(sa.ForeignKey("device.id"), index=True)
    expires_at: orm.Mapped[datetime] = orm.mapped_column(index=True)
    ended_at: orm.Mapped[datetime | None] = orm.mapped_column(index=True)


class Mark(NamedTuple):
    """A place whose credential does not count: for good, or ``suspended`` for now.

    ``is_open`` is whether it would count by its own dates, so that somebody may still show it.
    """

    id: int
    card_id: int
    list_number: int
    place: int
    suspended: bool
    is_open: bool


_DIALECTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


async def newest(session: AsyncSession) -> tuple[int, int]:
    """Return the number of the newest list and how many of its places are taken; (0, 0) of none."""
    number = StatusEntry.list_number
    last = sa.select(sa.func.max(number)).scalar_subquery()
    found = await session.execute(
        sa.select(sa.func.max(number), sa.func.count()).where(number == last)
    )
    highest, many = found.one()
    return highest or 0, many


async def take(
    session: AsyncSession,
    number: int,
    place: int,
    *,
    card_id: int,
    device_id: int | None,
    expires_at: datetime,
) -> bool:
    """Take a place in a list for a credential, and say whether it was free until now."""
    insert = _DIALECTS[session.get_bind().dialect.name](StatusEntry.__table__)
    added = await session.execute(
        insert.values(
            list_number=number,
            place=place,
            card_id=card_id,
            device_id=device_id,
            expires_at=expires_at,
        ).on_conflict_do_nothing()
    )
    return bool(added.rowcount)  # type: ignore[attr-defined]  # a cursor's, of one statement


async def end(
    session: AsyncSession,
    now: datetime,
    *,
    cards: Sequence[int] = (),
    devices: Sequence[int] = (),
) -> None:
    """End what was entered for these cards, and for these devices; what has ended stays so."""
    whose = sa.or_(StatusEntry.card_id.in_(cards), StatusEntry.device_id.in_(devices))
    await session.execute(
        sa.update(StatusEntry).where(whose, StatusEntry.ended_at.is_(None)).values(ended_at=now)
    )


async def changed(session: AsyncSession, since: datetime) -> tuple[int, int, int]:
    """Return what differs as soon as any status has been changed since a moment, or a list begun.

    All are read from the end of an index.
    """
    events = await session.scalar(sa.select(sa.func.max(Event.id)))
    ended = sa.select(sa.func.count()).where(StatusEntry.ended_at >= since)
    lists = await session.scalar(sa.select(sa.func.max(StatusEntry.list_number)))
    return events or 0, await session.scalar(ended) or 0, lists or 0


async def numbers(session: AsyncSession) -> int:
    """Return how many lists there are: they are counted from 1."""
    return (await newest(session))[0]


async def marks(session: AsyncSession, today: date, now: datetime) -> AsyncIterator[Sequence[Mark]]:
    """Yield, in a few rows each, the places of all lists that do not count on a day.

    Few cards are not well, so it begins with those: what is well is not looked at.
    """
    over = sa.or_(Card.status == Status.REVOKED, Card.valid_until < today)
    wanted = (
        StatusEntry.id,
        StatusEntry.card_id,
        StatusEntry.list_number,
        StatusEntry.place,
    )
    is_open = StatusEntry.expires_at > now
    unwell = (
        sa.select(*wanted, sa.and_(sa.not_(over), StatusEntry.ended_at.is_(None)), is_open)
        .select_from(Card)
        .join(StatusEntry, StatusEntry.card_id == Card.id)
        .where(sa.or_(over, Card.status != Status.ACTIVE))
        .order_by(Card.id, StatusEntry.id)
    )
    after = sa.tuple_(Card.id, StatusEntry.id)
    async for some in _parts(session, unwell, lambda one: after > (one.card_id, one.id)):
        yield some
    ended = sa.select(*wanted, sa.false(), is_open).where(StatusEntry.ended_at.is_not(None))
    ended = ended.order_by(StatusEntry.id)
    async for some in _parts(session, ended, lambda one: StatusEntry.id > one.id):
        yield some


async def _parts(
    session: AsyncSession,
    statement: sa.Select[*tuple[Any, ...]],
    beyond: Callable[[Mark], sa.ColumnElement[bool]],
) -> AsyncIterator[Sequence[Mark]]:
    wanted = statement.limit(_CHUNK)
    while found := [Mark(*row) for row in await session.execute(wanted)]:
        yield found
        if len(found) < _CHUNK:
            return
        wanted = statement.where(beyond(found[-1])).limit(_CHUNK)

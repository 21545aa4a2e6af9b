"""Bookings: what a person asked a partner to keep for them, and how far that has come."""

from __future__ import annotations

import enum
import secrets
import string
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc, orm
from sqlalchemy.ext.asyncio import AsyncSession

from models import base
from models.offer import Capability
from models.talent import HANDLE

#: Of a person's bookings the newest so many are listed.
MOST = 100

_LETTERS = string.ascii_letters + string.digits
#: So many letters and digits hold 128 bits, and pass through every protocol as they are.
_KEY_LENGTH = 22


class State(enum.StrEnum):
    """How far a booking is; ``Booking.state_at`` says which it is in at a moment."""

    RESERVING = "RESERVING"
    HELD = "HELD"
    CONFIRMING = "CONFIRMING"
    CONFIRMED = "CONFIRMED"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"
    REFUSED = "REFUSED"
    EXPIRED = "EXPIRED"
    UNCERTAIN = "UNCERTAIN"


#: While the hub is at it with the partner.
UNDER_WAY = frozenset({State.RESERVING, State.CONFIRMING, State.CANCELLING})


class Booking(base.Base):
    """One offer of one partner, booked by one person; ``handle`` is its name for that person.

    ``idempotency_key`` is the person's own for what they asked, ``key`` the hub's before the
    partner. ``title`` and ``starts_at`` are the offer's when it was booked. ``reference``,
    ``expires_at`` and ``details`` are the partner's; the problem is that of the last act.

    Whoever acts says so first: ``acted_at`` is when, and until ``leased_until`` nobody else does.
    ``turn`` counts the changes, so that nobody writes over what they have not seen.
    """

    __tablename__ = "booking"
    __table_args__ = (sa.UniqueConstraint("talent_id", "idempotency_key"),)

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    handle: orm.Mapped[str] = orm.mapped_column(unique=True)
    talent_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("talent.id"))
    idempotency_key: orm.Mapped[str]
    key: orm.Mapped[str] = orm.mapped_column(unique=True)
    service: orm.Mapped[str]
    partner: orm.Mapped[str]
    capability: orm.Mapped[Capability]
    topic: orm.Mapped[str]
    offer: orm.Mapped[str]
    units: orm.Mapped[int]
    title: orm.Mapped[str]
    starts_at: orm.Mapped[datetime | None]
    state: orm.Mapped[State]
    reference: orm.Mapped[str | None]
    expires_at: orm.Mapped[datetime | None]
    details: orm.Mapped[Any] = orm.mapped_column(sa.JSON, nullable=False)
    problem: orm.Mapped[str | None]
    sentence: orm.Mapped[str | None]
    retry_at: orm.Mapped[datetime | None]
    asked_at: orm.Mapped[datetime]
    acted_at: orm.Mapped[datetime]
    leased_until: orm.Mapped[datetime | None]
    turn: orm.Mapped[int]

    def state_at(self, now: datetime) -> State:
        """Return how far it is: what nobody is at any more is UNCERTAIN, and holds run out."""
        if self.state in UNDER_WAY and (self.leased_until is None or self.leased_until <= now):
            return State.UNCERTAIN
        if self.state is State.HELD and self.expires_at is not None and self.expires_at <= now:
            return State.EXPIRED
        return self.state


def new_handle() -> str:
    """Return a name for a booking that nobody can guess."""
    return secrets.token_hex(16)


def new_key() -> str:
    """Return a key for a booking that no other has."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_KEY_LENGTH))


async def of_person(session: AsyncSession, talent_id: int) -> Sequence[Booking]:
    """Return a person's bookings, the newest first."""
    wanted = sa.select(Booking).where(Booking.talent_id == talent_id)
    found = await session.scalars(wanted.order_by(Booking.id.desc()).limit(MOST))
    return found.all()


async def marks(
    session: AsyncSession, people: Iterable[int], now: datetime
) -> Mapping[int, object]:
    """Return of each of these people what is another once one of their bookings is."""
    # What ``Booking.state_at`` makes of the clock.
    over = sa.or_(
        sa.and_(
            Booking.state.in_(UNDER_WAY),
            sa.or_(Booking.leased_until.is_(None), Booking.leased_until <= now),
        ),
        sa.and_(Booking.state == State.HELD, Booking.expires_at <= now),
    )
    turns, ended = sa.func.sum(Booking.turn), sa.func.sum(sa.case((over, 1), else_=0))
    wanted = sa.select(Booking.talent_id, sa.func.count(), turns, ended)
    found = await session.execute(
        wanted.where(Booking.talent_id.in_(people)).group_by(Booking.talent_id)
    )
    return {person: tuple(mark) for person, *mark in found}


async def by_handle(session: AsyncSession, talent_id: int, handle: str) -> Booking | None:
    """Return a person's booking by its handle, or None where they have none so called."""
    if not HANDLE.fullmatch(handle):
        return None
    wanted = sa.select(Booking).where(Booking.talent_id == talent_id, Booking.handle == handle)
    return (await session.scalars(wanted)).one_or_none()


async def by_key(session: AsyncSession, talent_id: int, key: str) -> Booking | None:
    """Return what a person asked under an idempotency key of theirs, or None."""
    wanted = sa.select(Booking).where(
        Booking.talent_id == talent_id, Booking.idempotency_key == key
    )
    return (await session.scalars(wanted)).one_or_none()


async def add(session: AsyncSession, new: Booking) -> Booking | None:
    """Add a booking; or return the one that its person has under its idempotency key already.

    Of two that come at once the database lets one in, whichever process they come to.
    """
    try:
        async with session.begin_nested():
            session.add(new)
    except exc.IntegrityError:
        found = await by_key(session, new.talent_id, new.idempotency_key)
        if found is None:
            raise
        return found
    return None


async def turn(session: AsyncSession, seen: Booking, **values: object) -> Booking | None:
    """Change a booking that is as it was seen, and return it; None where it is not any more."""
    changed = (
        sa.update(Booking)
        .where(Booking.id == seen.id, Booking.turn == seen.turn)
        .values(**values, turn=seen.turn + 1)
        .returning(Booking)
    )
    return (await session.scalars(changed)).one_or_none()

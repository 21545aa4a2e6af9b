"""Presentations: what holders show, as the hub keeps it: devices, tickets, challenges."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession

from models import base
from models.card import Card
from models.consent import Consent, Means
from models.status import StatusEntry

#: A device's handle in fallback codes, in bytes.
HANDLE_BYTES = 8


class Device(base.Base):
    """A phone of a holder; ``handle`` names it in fallback codes, 64 random bits as 16 hex digits.

    ``public`` is its own public key (a P-256 JWK), or None where it made none; ``unlinked_at`` is
    when its codes and passes stopped to count.
    """

    __tablename__ = "device"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    handle: orm.Mapped[str] = orm.mapped_column(unique=True)
    talent_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("talent.id"), index=True)
    name: orm.Mapped[str]
    public: orm.Mapped[Any] = orm.mapped_column(sa.JSON, nullable=True)
    linked_at: orm.Mapped[datetime]
    unlinked_at: orm.Mapped[datetime | None]


class Ticket(base.Base):
    """A live code, by the SHA-256 of its secret: for one card, verifier and service, once.

    ``consent_id`` is what the holder agreed to by having it minted, where anything personal is
    disclosed by it.
    """

    __tablename__ = "ticket"

    digest: orm.Mapped[str] = orm.mapped_column(primary_key=True)
    card_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("card.id"))
    verifier: orm.Mapped[str]
    service: orm.Mapped[str]
    consent_id: orm.Mapped[int | None] = orm.mapped_column(sa.ForeignKey("consent.id"))
    minted_at: orm.Mapped[datetime]
    expires_at: orm.Mapped[datetime] = orm.mapped_column(index=True)
    used_at: orm.Mapped[datetime | None]


class Challenge(base.Base):
    """A nonce that a verifier was given for one presentation of a portable credential."""

    __tablename__ = "challenge"

    nonce: orm.Mapped[str] = orm.mapped_column(primary_key=True)
    verifier: orm.Mapped[str]
    service: orm.Mapped[str]
    live: orm.Mapped[bool]
    expires_at: orm.Mapped[datetime] = orm.mapped_column(index=True)
    used_at: orm.Mapped[datetime | None]


def new_handle() -> str:
    """Return a name for a device that nobody can guess."""
    return secrets.token_hex(HANDLE_BYTES)


async def linked(session: AsyncSession, talent_id: int) -> Sequence[Device]:
    """Return the devices that a person has linked, in the order in which they were."""
    wanted = sa.select(Device).where(Device.talent_id == talent_id, Device.unlinked_at.is_(None))
    return (await session.scalars(wanted.order_by(Device.id))).all()


async def by_handle(session: AsyncSession, talent_id: int, handle: str) -> Device | None:
    """Return a device of a person by its handle, unlinked or not; None if none is so called."""
    wanted = sa.select(Device).where(Device.talent_id == talent_id, Device.handle == handle)
    return (await session.scalars(wanted)).one_or_none()


async def unlink(session: AsyncSession, devices: Sequence[Device], now: datetime) -> None:
    """End devices: none of their codes and passes counts from now on."""
    await session.execute(
        sa.update(Device)
        .where(Device.id.in_([one.id for one in devices]), Device.unlinked_at.is_(None))
        .values(unlinked_at=now)
    )


async def end_passes(
    session: AsyncSession, now: datetime, talent_id: int, expires_at: datetime
) -> None:
    """End what was entered for a person's phones to expire at this very moment."""
    phones = sa.select(Device.id).where(Device.talent_id == talent_id)
    await session.execute(
        sa.update(StatusEntry)
        .where(
            StatusEntry.device_id.in_(phones),
            StatusEntry.expires_at == expires_at,
            StatusEntry.ended_at.is_(None),
        )
        .values(ended_at=now)
    )


async def cancel_tickets(session: AsyncSession, talent_id: int) -> None:
    """Take back every code that a person was given and nobody has scanned."""
    cards = sa.select(Card.id).where(Card.talent_id == talent_id)
    await session.execute(
        sa.delete(Ticket).where(Ticket.card_id.in_(cards), Ticket.used_at.is_(None))
    )


async def forget_tickets(session: AsyncSession, card_id: int, before: datetime) -> None:
    """Forget a card's codes that ran out before a moment, with what was agreed to for them alone.

    Nobody scanned them, so nothing was told on these consents.
    """
    stale = sa.and_(Ticket.card_id == card_id, Ticket.used_at.is_(None), Ticket.expires_at < before)
    given = (await session.scalars(sa.select(Ticket.consent_id).where(stale))).all()
    await session.execute(sa.delete(Ticket).where(stale))
    ids = [one for one in given if one is not None]
    if not ids:
        return
    own = sa.select(Consent).where(Consent.id.in_(ids), Consent.means == Means.CODE)
    for one in await session.scalars(own):
        # A guardian's own, and what was given for children at the same time.
        await session.execute(
            sa.delete(Consent).where(
                Consent.talent_id == one.talent_id,
                Consent.means == Means.CODE,
                Consent.text_digest == one.text_digest,
                Consent.given_at == one.given_at,
            )
        )

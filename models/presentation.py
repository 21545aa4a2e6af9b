"""Presentations: what holders show, as the hub keeps it: devices, tickets, challenges."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from models import base


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

"""Issuers: other districts whose cards are honoured here, and for which services."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession

from models import base


class Issuer(base.Base):
    """A hub of another district; ``keys`` are its public JWKs, which count for its cards alone.

    ``vcts`` are the types of card taken from it, ``services`` the codes for which they open
    anything here. ``sequence`` counts the changes of the whole list; whoever is struck from it
    stays, with the time at which that was, so that the count never falls.
    """

    __tablename__ = "issuer"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    url: orm.Mapped[str] = orm.mapped_column(unique=True)
    district: orm.Mapped[str]
    keys: orm.Mapped[Any] = orm.mapped_column(sa.JSON, nullable=False)
    vcts: orm.Mapped[Any] = orm.mapped_column(sa.JSON, nullable=False)
    services: orm.Mapped[Any] = orm.mapped_column(sa.JSON, nullable=False)
    trusted_from: orm.Mapped[datetime]
    trusted_until: orm.Mapped[datetime]
    sequence: orm.Mapped[int]


async def sequence(session: AsyncSession) -> int:
    """Return how often the list was changed; 0 of one that never had anybody."""
    return await session.scalar(sa.select(sa.func.max(Issuer.sequence))) or 0


async def everyone(session: AsyncSession) -> Sequence[Issuer]:
    """Return all issuers there ever were, those whose time is over among them, by address."""
    return (await session.scalars(sa.select(Issuer).order_by(Issuer.url))).all()


async def by_url(session: AsyncSession, url: str) -> Issuer | None:
    """Return the issuer at an address, if it was ever trusted."""
    return await session.scalar(sa.select(Issuer).where(Issuer.url == url))


async def alone(session: AsyncSession) -> None:
    """Let nobody else change the list until this transaction ends; SQLite's writers are alone."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(sa.text("LOCK TABLE issuer IN SHARE ROW EXCLUSIVE MODE"))

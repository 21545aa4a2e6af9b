"""The hub's signing keys as they are kept: sealed, and public."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession

from models import base


class SigningKey(base.Base):
    """A key of one purpose; ``id`` is its RFC 7638 thumbprint, ``sealed`` the private part."""

    __tablename__ = "signing_key"

    id: orm.Mapped[str] = orm.mapped_column(primary_key=True)
    purpose: orm.Mapped[str]
    public: orm.Mapped[Any] = orm.mapped_column(sa.JSON, nullable=False)
    sealed: orm.Mapped[str]
    published_at: orm.Mapped[datetime]
    signs_from: orm.Mapped[datetime]
    signs_until: orm.Mapped[datetime]
    public_until: orm.Mapped[datetime]
    compromised_at: orm.Mapped[datetime | None]


async def alone(session: AsyncSession) -> None:
    """Let nobody else make keys until this transaction ends; SQLite's writers are alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(sa.text("LOCK TABLE signing_key IN SHARE ROW EXCLUSIVE MODE"))


async def everyone(session: AsyncSession) -> Sequence[SigningKey]:
    """Return all keys."""
    return (await session.scalars(sa.select(SigningKey).order_by(SigningKey.published_at))).all()

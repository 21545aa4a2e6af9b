"""Status entries: which place in which status list a credential has, given at random."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm

from models import base

#: So many places has a list: one of 2 bits each is 32 kB, and packed 0.5 to 5.5 kB.
SIZE = 131_072


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
    ended_at: orm.Mapped[datetime | None]

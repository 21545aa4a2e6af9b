"""Webhooks: where verifiers want to hear of changes of cards, and how far they have heard."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm

from models import base


class Webhook(base.Base):
    """Where a verifier hears; ``secret`` is sealed, ``next_secret`` the one that follows it."""

    __tablename__ = "webhook"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    handle: orm.Mapped[str] = orm.mapped_column(unique=True)
    verifier: orm.Mapped[str]
    live: orm.Mapped[bool]
    url: orm.Mapped[str]
    secret: orm.Mapped[str]
    created_at: orm.Mapped[datetime]
    ended_at: orm.Mapped[datetime | None]
    #: Events up to this one were looked at for it.
    seen: orm.Mapped[int]
    leased_until: orm.Mapped[datetime | None]


class Delivery(base.Base):
    """One event for one webhook: sent until it is taken, in order for each holder."""

    __tablename__ = "delivery"
    __table_args__ = (sa.UniqueConstraint("webhook_id", "event_id"),)

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    handle: orm.Mapped[str] = orm.mapped_column(unique=True)
    webhook_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("webhook.id"))
    event_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("card_event.id"))
    holder: orm.Mapped[str]
    attempts: orm.Mapped[int]
    next_at: orm.Mapped[datetime | None] = orm.mapped_column(index=True)
    delivered_at: orm.Mapped[datetime | None]
    problem: orm.Mapped[str | None]

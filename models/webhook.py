"""Webhooks: where verifiers want to hear of changes of cards, and how far they have heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession

from models import base
from models.card import Card, Change, Event
from models.talent import Talent
from models.verification import Outcome, Verification


class Webhook(base.Base):
    """Where a verifier hears; ``secret`` is sealed: the secrets that count, as JSON."""

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


class Delivery(base.Base):
    """One event for one webhook: sent until it is taken, in order for each holder.

    ``holder`` is what the verifier calls them. ``next_at`` is when it is sent next, or None once
    it was taken or given up; whoever sends it moves that beyond the time it takes.
    """

    __tablename__ = "delivery"
    __table_args__ = (sa.UniqueConstraint("webhook_id", "event_id"),)

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    webhook_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("webhook.id"))
    event_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("card_event.id"))
    holder: orm.Mapped[str]
    attempts: orm.Mapped[int]
    next_at: orm.Mapped[datetime | None] = orm.mapped_column(index=True)
    delivered_at: orm.Mapped[datetime | None]
    problem: orm.Mapped[str | None]


@dataclass(frozen=True, slots=True)
class Befell:
    """Something that befell the card of a holder, by their handle."""

    id: int
    change: Change
    at: datetime
    holder: str


async def last_event(session: AsyncSession) -> int:
    """Return the id of the last thing that befell any card."""
    return await session.scalar(sa.select(sa.func.max(Event.id))) or 0


async def befell(
    session: AsyncSession, verifier: str, *, live: bool, after: int, most: int
) -> Sequence[Befell]:
    """Return what befell, after an event, the cards of holders whom a verifier had accepted."""
    accepted = sa.select(Verification.id).where(
        Verification.subject == Talent.handle,
        Verification.verifier == verifier,
        Verification.live == live,
        Verification.outcome == Outcome.ACCEPTED,
        Verification.checked_at <= Event.at,
    )
    found = await session.execute(
        sa.select(Event.id, Event.change, Event.at, Talent.handle)
        .join(Card, Card.id == Event.card_id)
        .join(Talent, Talent.id == Card.talent_id)
        .where(Event.id > after, Card.sandbox != live, accepted.exists())
        .order_by(Event.id)
        .limit(most)
    )
    return [Befell(*row) for row in found]


async def of_verifier(session: AsyncSession, verifier: str, *, live: bool) -> Sequence[Webhook]:
    """Return a verifier's webhooks that have not ended."""
    wanted = sa.select(Webhook).where(
        Webhook.verifier == verifier, Webhook.live == live, Webhook.ended_at.is_(None)
    )
    return (await session.scalars(wanted.order_by(Webhook.id))).all()


async def behind(session: AsyncSession) -> Sequence[Webhook]:
    """Return the webhooks for which there are events that nobody has looked at."""
    last = sa.select(sa.func.max(Event.id)).scalar_subquery()
    wanted = sa.select(Webhook).where(Webhook.ended_at.is_(None), Webhook.seen < last)
    return (await session.scalars(wanted.order_by(Webhook.id))).all()


async def advance(session: AsyncSession, hook: Webhook, to: int) -> bool:
    """Note that events up to this one were looked at, and say whether nobody else did before."""
    is_so = (Webhook.id == hook.id, Webhook.seen == hook.seen, Webhook.ended_at.is_(None))
    moved = await session.execute(sa.update(Webhook).where(*is_so).values(seen=to))
    return bool(moved.rowcount)  # type: ignore[attr-defined]  # a cursor's, of one statement


async def rewind(session: AsyncSession, hook: Webhook, to: int) -> None:
    """Have all events after this one looked at and sent again."""
    await session.execute(
        sa.delete(Delivery).where(Delivery.webhook_id == hook.id, Delivery.event_id > to)
    )
    await session.execute(sa.update(Webhook).where(Webhook.id == hook.id).values(seen=to))


async def queue(
    session: AsyncSession, hook: Webhook, holders: Mapping[int, str], now: datetime
) -> None:
    """Have events sent from now on: ``holders`` says by id whose they are, as they are called."""
    session.add_all(
        Delivery(webhook_id=hook.id, event_id=event, holder=holder, attempts=0, next_at=now)
        for event, holder in holders.items()
    )
    await session.flush()


async def due(
    session: AsyncSession, now: datetime, each: int
) -> Sequence[tuple[Delivery, Webhook, Event]]:
    """Return what is to be sent now: of a holder the earliest, of a webhook so many at most."""
    heads = (
        sa.select(sa.func.min(Delivery.id).label("id"))
        .where(Delivery.next_at.is_not(None))
        .group_by(Delivery.webhook_id, Delivery.holder)
        .subquery()
    )
    place = sa.func.row_number().over(partition_by=Delivery.webhook_id, order_by=Delivery.id)
    ready = (
        sa.select(Delivery.id, place.label("place"))
        .join(heads, heads.c.id == Delivery.id)
        .join(Webhook, Webhook.id == Delivery.webhook_id)
        .where(Delivery.next_at <= now, Webhook.ended_at.is_(None))
        .subquery()
    )
    found = await session.execute(
        sa.select(Delivery, Webhook, Event)
        .join(ready, ready.c.id == Delivery.id)
        .join(Webhook, Webhook.id == Delivery.webhook_id)
        .join(Event, Event.id == Delivery.event_id)
        .where(ready.c.place <= each)
        .order_by(Delivery.id)
    )
    return [(delivery, hook, event) for delivery, hook, event in found]


async def claim(session: AsyncSession, seen: Delivery, until: datetime) -> bool:
    """Begin to send what nobody else sends, and say whether that is so.

    Whoever is gone by then has not said what came of it, and it is sent again.
    """
    is_so = (
        Delivery.id == seen.id,
        Delivery.attempts == seen.attempts,
        Delivery.next_at == seen.next_at,
    )
    values = {"attempts": seen.attempts + 1, "next_at": until}
    moved = await session.execute(sa.update(Delivery).where(*is_so).values(**values))
    return bool(moved.rowcount)  # type: ignore[attr-defined]  # a cursor's, of one statement


async def settle(
    session: AsyncSession,
    seen: Delivery,
    *,
    delivered_at: datetime | None = None,
    next_at: datetime | None = None,
    problem: str | None = None,
) -> None:
    """Note what came of sending what was claimed."""
    values = {"delivered_at": delivered_at, "next_at": next_at, "problem": problem}
    sent = sa.update(Delivery).where(Delivery.id == seen.id, Delivery.attempts == seen.attempts + 1)
    await session.execute(sent.values(**values))

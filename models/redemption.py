"""Redemptions in SQL: units of a quota are taken, held, confirmed and given back, exactly."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from models import card
from models.card import Redemption, Spell, Use


@dataclass(frozen=True, slots=True)
class Quota:
    """How much of an area a holder may use in one period; None is no limit."""

    area: str
    units: int | None
    since: datetime
    until: datetime | None


def new_handle() -> str:
    """Return a name for what one check uses, that nobody can guess."""
    return secrets.token_hex(16)


async def alone_with(session: AsyncSession, subject: str) -> None:
    """Let nobody else count this holder's units until this transaction ends.

    SQLite's writers are alone anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        lock = sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(subject, 0))
        await session.execute(sa.select(lock))


async def left(
    session: AsyncSession, subject: str, quotas: Sequence[Quota], now: datetime
) -> int | None:
    """Return how many units a holder may still use of all these areas at once; None: no limit."""
    limited = [one for one in quotas if one.units is not None]
    spells = [Spell(subject, one.area, one.since, now, one.until) for one in limited]
    used = await card.used(session, spells)
    rest = [(one.units or 0) - units for one, units in zip(limited, used, strict=True)]
    return max(0, min(rest)) if rest else None


async def of(
    session: AsyncSession, handle: str, verifier: str, *, locked: bool = False
) -> Sequence[Redemption]:
    """Return what one check of this verifier used or held, area by area; none if there is none."""
    wanted = sa.select(Redemption).where(
        Redemption.handle == handle, Redemption.verifier == verifier
    )
    if locked:
        wanted = wanted.with_for_update()
    return (await session.scalars(wanted.order_by(Redemption.id))).all()


async def settle(session: AsyncSession, handle: str, state: Use) -> None:
    """Bring what is held into another state; the caller has it locked."""
    values = {"state": state, "expires_at": None} if state is Use.USED else {"state": state}
    held = sa.update(Redemption).where(Redemption.handle == handle, Redemption.state == Use.HELD)
    await session.execute(held.values(**values))

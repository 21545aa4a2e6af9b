"""Redemptions in SQL: units of a quota are taken, held, confirmed and given back, exactly."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from models import card, database
from models.card import Redemption, Spell, Use


@dataclass(frozen=True, slots=True)
class Quota:
    """How much of an area a holder may use in one period; None is no limit."""

    area: str
    units: int | None
    since: datetime
    until: datetime | None


_SUBJECTS: sa.BindParameter[Sequence[str]] = sa.bindparam(
    "subjects", type_=postgresql.ARRAY(sa.Text())
)
_EACH = sa.func.unnest(_SUBJECTS).column_valued("subject")
_LOCK = sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(_EACH, 0)))


async def alone_with(session: AsyncSession, subjects: Collection[str]) -> None:
    """Let nobody else count these holders' units until this transaction ends.

    SQLite's writers are alone anyway. All are taken in one order, lest two wait for each other.
    """
    if subjects and session.get_bind().dialect.name == "postgresql":
        await database.run(session, _LOCK, {"subjects": sorted(subjects)})


async def left(
    session: AsyncSession, several: Sequence[tuple[str, Sequence[Quota]]], now: datetime
) -> list[list[int | None]]:
    """Return how many units holders may still use, area by area, in order; None: no limit."""
    spells = [
        Spell(subject, one.area, one.since, now, one.until)
        for subject, quotas in several
        for one in quotas
        if one.units is not None
    ]
    used = iter(await card.used(session, spells))
    return [
        [None if one.units is None else max(0, one.units - next(used)) for one in quotas]
        for _, quotas in several
    ]


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

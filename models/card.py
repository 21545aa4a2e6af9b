"""Talent cards: their printed serials, who holds them and what has been used of them."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from operator import attrgetter

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession

from models import base, menu

SERIAL_BITS = 40
_PREFIX = "GW"
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHECKS = _DIGITS + "*~$=U"
# How people read a printed serial aloud or type it back.
_MISREAD = str.maketrans("OIL", "011", "- ")


class Status(enum.StrEnum):
    """Whether a card may be used, apart from its dates."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    REVOKED = "REVOKED"


class Card(base.Sourced, base.Base):
    """A card as issued; whoever holds it is named by ``talent_id`` alone."""

    __tablename__ = "card"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    serial: orm.Mapped[str] = orm.mapped_column(unique=True)
    talent_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("talent.id"), index=True)
    batch: orm.Mapped[int]
    issued_on: orm.Mapped[date]
    valid_until: orm.Mapped[date]
    status: orm.Mapped[Status]
    tier: orm.Mapped[menu.TalentClass]


class Redemption(base.Sourced, base.Base):
    """Units of one area used with a card at one time."""

    __tablename__ = "redemption"
    __table_args__ = (sa.Index(None, "card_id", "area", "used_at"),)

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    card_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("card.id"))
    area: orm.Mapped[str]
    units: orm.Mapped[int]
    used_at: orm.Mapped[datetime]


def serial(bits: int) -> str:
    """Return the printed serial of 40 random bits: Crockford base32 and its check character.

    >>> serial(0x7F3C94D457)
    'GW-FWY9-9N2Q-F'
    """
    if not 0 <= bits < 1 << SERIAL_BITS:
        raise ValueError("A serial holds 40 bits.")
    digits = "".join(_DIGITS[bits >> shift & 31] for shift in range(SERIAL_BITS - 5, -1, -5))
    return f"{_PREFIX}-{digits[:4]}-{digits[4:]}-{_CHECKS[bits % 37]}"


def normal_serial(text: str) -> str | None:
    """Return the printed form of a serial as somebody typed it, or None if it cannot be one.

    >>> normal_serial("gw fwy9 9n2qf")
    'GW-FWY9-9N2Q-F'
    >>> normal_serial("GW-FWY9-9N2Q-W") is None
    True
    """
    typed = text.upper().translate(_MISREAD).removeprefix(_PREFIX)
    digits, check = typed[: SERIAL_BITS // 5], typed[SERIAL_BITS // 5 :]
    if len(typed) * 5 != SERIAL_BITS + 5 or any(digit not in _DIGITS for digit in digits):
        return None
    bits = 0
    for digit in digits:
        bits = bits << 5 | _DIGITS.index(digit)
    printed = serial(bits)
    return printed if printed[-1] == check else None


async def by_serial(session: AsyncSession, text: str) -> Card | None:
    """Return the card of a serial in any spelling that ``normal_serial`` takes."""
    return await session.scalar(sa.select(Card).where(Card.serial == normal_serial(text)))


def best(cards: Iterable[Card]) -> Card | None:
    """Return the newest active card, or else the newest; None of none."""
    order = attrgetter("issued_on", "id")
    return max(cards, key=lambda one: (one.status is Status.ACTIVE, order(one)), default=None)


async def by_holders(session: AsyncSession, talent_ids: Sequence[int]) -> list[Card | None]:
    """Return each holder's best card, in the order asked."""
    rows = await session.scalars(sa.select(Card).where(Card.talent_id.in_(set(talent_ids))))
    held: defaultdict[int, list[Card]] = defaultdict(list)
    for card in rows:
        held[card.talent_id].append(card)
    return [best(held[talent_id]) for talent_id in talent_ids]


async def used(session: AsyncSession, keys: Sequence[tuple[int, str, datetime]]) -> list[int]:
    """Return the units used of each (card id, area) at or after the given time, in order."""
    if not keys:
        return []
    rows = await session.execute(
        sa.select(Redemption.card_id, Redemption.area, Redemption.used_at, Redemption.units).where(
            Redemption.card_id.in_({card_id for card_id, _, _ in keys}),
            Redemption.used_at >= min(since for _, _, since in keys),
        )
    )
    uses: defaultdict[tuple[int, str], list[tuple[datetime, int]]] = defaultdict(list)
    for card_id, area, used_at, units in rows:
        uses[card_id, area].append((used_at, units))
    return [
        sum(units for used_at, units in uses[card_id, area] if used_at >= since)
        for card_id, area, since in keys
    ]

"""Talent cards: their printed serials, who holds them, what befell them, what has been used."""

from __future__ import annotations

import enum
import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession

from models import base, database, menu

#: The people of this district are made up: they have test cards, and nobody else has.
SANDBOX = "sandbox"
SERIAL_BITS = 40
_PREFIX = "GW"
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHECKS = _DIGITS + "*~$=U"
_EACH_DIGIT = frozenset(_DIGITS)
#: The same digits as Python's own of base 32.
_AS_32 = str.maketrans(_DIGITS, "0123456789abcdefghijklmnopqrstuv")
# How people read a printed serial aloud or type it back.
_MISREAD = str.maketrans("OIL", "011", "- ")


class Status(enum.StrEnum):
    """Whether a card may be used, apart from its dates."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    REVOKED = "REVOKED"


class Reason(enum.StrEnum):
    """Why something befell a card."""

    ENTITLED = "ENTITLED"
    HOLDER_ASKED = "HOLDER_ASKED"
    LOST = "LOST"
    DAMAGED = "DAMAGED"
    LEFT_DISTRICT = "LEFT_DISTRICT"
    NO_LONGER_ENTITLED = "NO_LONGER_ENTITLED"
    UNDER_REVIEW = "UNDER_REVIEW"
    REVIEW_ENDED = "REVIEW_ENDED"
    MISUSE = "MISUSE"
    MISTAKE = "MISTAKE"
    TERM_ENDED = "TERM_ENDED"


class Change(enum.StrEnum):
    """What befalls a card."""

    ISSUED = "ISSUED"
    SUSPENDED = "SUSPENDED"
    RESUMED = "RESUMED"
    REVOKED = "REVOKED"
    REPLACED = "REPLACED"
    RENEWED = "RENEWED"


class Use(enum.StrEnum):
    """How far a redemption is; one that is held is so until it runs out."""

    HELD = "HELD"
    USED = "USED"
    RELEASED = "RELEASED"


class Card(base.Sourced, base.Base):
    """A card as issued; whoever holds it is named by ``talent_id`` alone.

    ``sandbox`` is a test card, of a test person: no live key sees it, and a test key no other.
    """

    __tablename__ = "card"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    serial: orm.Mapped[str] = orm.mapped_column(unique=True)
    talent_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("talent.id"), index=True)
    batch: orm.Mapped[int]
    issued_on: orm.Mapped[date]
    valid_until: orm.Mapped[date]
    status: orm.Mapped[Status]
    tier: orm.Mapped[menu.TalentClass]
    sandbox: orm.Mapped[bool]


class Event(base.Base):
    """Something that befell a card; ``id`` is the order in which things befell, for everybody."""

    __tablename__ = "card_event"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    card_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("card.id"), index=True)
    change: orm.Mapped[Change]
    reason: orm.Mapped[Reason]
    at: orm.Mapped[datetime]
    by: orm.Mapped[str]


class Redemption(base.Sourced, base.Base):
    """Units of one area that a holder used, or has held for them, at one time.

    ``subject`` is the holder: a person's handle, so that what is used stays used when the card is
    issued anew; or another district's issuer and its name for them. ``handle`` names what was used
    by one check, which may be of several areas. A hold
    runs out at ``expires_at``; what is used has none.
    """

    __tablename__ = "redemption"
    __table_args__ = (
        sa.Index(None, "subject", "area", "used_at"),
        sa.UniqueConstraint("handle", "area"),
    )

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    subject: orm.Mapped[str]
    area: orm.Mapped[str]
    units: orm.Mapped[int]
    used_at: orm.Mapped[datetime]
    handle: orm.Mapped[str]
    state: orm.Mapped[Use]
    expires_at: orm.Mapped[datetime | None]
    service: orm.Mapped[str | None]
    verifier: orm.Mapped[str | None]


async def alone(session: AsyncSession) -> None:
    """Let nothing else befall a card until this transaction ends.

    So events can be read in the order of their ids: nobody who has read one has missed an earlier.
    SQLite's writers are alone anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(sa.text("LOCK TABLE card_event IN SHARE ROW EXCLUSIVE MODE"))


def new_serial() -> str:
    """Return a serial that nobody can guess; that it is new is to be looked up."""
    return serial(secrets.randbits(SERIAL_BITS))


async def new_serials(session: AsyncSession, many: int) -> list[str]:
    """Return so many serials that no card has. The caller is ``alone``."""
    found: set[str] = set()
    while len(found) < many:
        drawn = {new_serial() for _ in range(many - len(found))}
        taken = await session.scalars(sa.select(Card.serial).where(Card.serial.in_(drawn)))
        found |= drawn - set(taken)
    return list(found)


async def next_batch(session: AsyncSession) -> int:
    """Return the number of the batch that is issued next. The caller is ``alone``."""
    return (await session.scalar(sa.select(sa.func.max(Card.batch))) or 0) + 1


async def with_one(session: AsyncSession, talent_ids: Sequence[int], today: date) -> set[int]:
    """Return those of these people who have a card that is neither revoked nor over."""
    held = sa.select(Card.talent_id).where(
        Card.talent_id.in_(talent_ids), Card.status != Status.REVOKED, Card.valid_until >= today
    )
    return set(await session.scalars(held))


async def all_of(session: AsyncSession, talent_id: int) -> Sequence[Card]:
    """Return all cards of a person, the newest first."""
    held = sa.select(Card).where(Card.talent_id == talent_id)
    return (await session.scalars(held.order_by(Card.id.desc()))).all()


async def events_of(session: AsyncSession, card_ids: Sequence[int]) -> Sequence[Event]:
    """Return what befell these cards, the newest first."""
    befell = sa.select(Event).where(Event.card_id.in_(card_ids))
    return (await session.scalars(befell.order_by(Event.id.desc()))).all()


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
    typed = text.upper().translate(_MISREAD)
    if len(typed) * 5 > SERIAL_BITS + 5:
        # Without its prefix a serial may begin with the same letters.
        typed = typed.removeprefix(_PREFIX)
    digits, check = typed[: SERIAL_BITS // 5], typed[SERIAL_BITS // 5 :]
    if len(typed) * 5 != SERIAL_BITS + 5 or not _EACH_DIGIT.issuperset(digits):
        return None
    if check != _CHECKS[int(digits.translate(_AS_32), 32) % 37]:
        return None
    return f"{_PREFIX}-{digits[:4]}-{digits[4:]}-{check}"


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


@dataclass(frozen=True, slots=True)
class Spell:
    """What of a holder is counted: one area, in one period of it, as of now."""

    subject: str
    area: str
    since: datetime
    now: datetime
    until: datetime | None = None


_USED = sa.select(
    Redemption.subject,
    Redemption.area,
    Redemption.used_at,
    Redemption.units,
    Redemption.expires_at,
).where(
    Redemption.subject.in_(sa.bindparam("subjects", expanding=True)),
    Redemption.used_at >= sa.bindparam("since", type_=base.Instant()),
    Redemption.state != Use.RELEASED,
)


async def used(session: AsyncSession, spells: Sequence[Spell]) -> list[int]:
    """Return the units used in each spell, in order; what is held counts until it runs out."""
    if not spells:
        return []
    asked = {
        "subjects": list({one.subject for one in spells}),
        "since": min(one.since for one in spells),
    }
    rows = await database.run(session, _USED, asked)
    uses: defaultdict[tuple[str, str], list[tuple[datetime, int, datetime | None]]]
    uses = defaultdict(list)
    for subject, area, used_at, units, expires_at in rows:
        uses[subject, area].append((used_at, units, expires_at))
    return [
        sum(
            units
            for used_at, units, expires_at in uses[one.subject, one.area]
            if used_at >= one.since
            and (one.until is None or used_at < one.until)
            and (expires_at is None or expires_at > one.now)
        )
        for one in spells
    ]

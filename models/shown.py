"""What is shown, in SQL: codes are used up, and cards are found by what was shown of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from models import card, database
from models.card import Card, Change, Event, Status
from models.presentation import Challenge, Device, Ticket
from models.status import StatusEntry
from models.talent import Talent

#: After which a card does not count, until something else befalls it.
_ENDING = frozenset({Change.SUSPENDED, Change.REVOKED, Change.REPLACED})


@dataclass(frozen=True, slots=True)
class Entry:
    """The place of a credential: its card, and whether it or its device has ended."""

    card: Card
    ended: bool


@dataclass(frozen=True, slots=True)
class Scanned:
    """A live code as it is kept, and whose card it is of."""

    digest: str
    card_id: int
    talent_id: int
    verifier: str
    service: str
    consent_id: int | None
    expires_at: datetime
    used_at: datetime | None


_DIGESTS: sa.BindParameter[Sequence[str]] = sa.bindparam("digests", expanding=True)
_TICKETS = (
    sa.select(
        Ticket.digest,
        Ticket.card_id,
        Card.talent_id,
        Ticket.verifier,
        Ticket.service,
        Ticket.consent_id,
        Ticket.expires_at,
        Ticket.used_at,
    )
    .join(Card, Card.id == Ticket.card_id)
    .where(Ticket.digest.in_(_DIGESTS))
    # In one order, so that two who want the same do not wait for each other.
    .order_by(Ticket.digest)
    .with_for_update(of=Ticket)
)
_USE = (
    sa.update(Ticket.__table__)  # type: ignore[arg-type]  # a table, as declared
    .where(Ticket.digest.in_(_DIGESTS))
    .values(used_at=sa.bindparam("now"))
)


async def tickets(session: AsyncSession, digests: Collection[str]) -> dict[str, Scanned]:
    """Return those of these live codes that there are; nobody else uses them meanwhile."""
    if not digests:
        return {}
    found = await database.run(session, _TICKETS, {"digests": sorted(digests)})
    return {row.digest: Scanned(*row) for row in found}


async def use(session: AsyncSession, digests: Collection[str], now: datetime) -> None:
    """Use up live codes of ``tickets``."""
    if digests:
        await database.run(session, _USE, {"digests": sorted(digests), "now": now})


async def card_of(session: AsyncSession, card_id: int | None) -> Card | None:
    """Return a card by its id, or None where there is none."""
    return None if card_id is None else await session.get(Card, card_id)


async def card_of_device(session: AsyncSession, handle: str) -> Card | None:
    """Return the best card of the holder of a linked device, or None."""
    held = (
        sa.select(Card)
        .join(Device, Device.talent_id == Card.talent_id)
        .where(Device.handle == handle, Device.unlinked_at.is_(None))
    )
    return card.best((await session.scalars(held)).all())


async def entry(session: AsyncSession, list_number: int, place: int) -> Entry | None:
    """Return what has this place in a status list, or None where nothing has."""
    wanted = (
        sa.select(StatusEntry, Card, Device)
        .join(Card, Card.id == StatusEntry.card_id)
        .outerjoin(Device, Device.id == StatusEntry.device_id)
        .where(StatusEntry.list_number == list_number, StatusEntry.place == place)
    )
    found = (await session.execute(wanted)).one_or_none()
    if found is None:
        return None
    given, held, device = found
    unlinked = device is not None and device.unlinked_at is not None
    return Entry(held, ended=given.ended_at is not None or unlinked)


class Dated(Protocol):
    """A card as far as it says whether it counts."""

    @property
    def issued_on(self) -> date:
        """The first day on which it does."""

    @property
    def valid_until(self) -> date:
        """The last day on which it does."""

    @property
    def status(self) -> Status:
        """Whether it does on these."""

    @property
    def sandbox(self) -> bool:
        """Whether it is a test card."""


@dataclass(frozen=True, slots=True)
class Named:
    """The card of a printed serial, and whose it is."""

    id: int
    whose: str
    issued_on: date
    valid_until: date
    status: Status
    sandbox: bool


#: One row comes of it whether or not there is such a card, so that both take as long.
_ONE = sa.select(sa.literal(1).label("one")).subquery()
_NAMED = (
    sa.select(Card.id, Talent.handle, Card.issued_on, Card.valid_until, Card.status, Card.sandbox)
    .select_from(_ONE)
    .outerjoin(Card, Card.serial == sa.bindparam("printed"))
    .outerjoin(Talent, Talent.id == Card.talent_id)
)
_NOBODYS = Named(0, "", date.min, date.min, Status.REVOKED, sandbox=False)


async def by_serial(session: AsyncSession, printed: str) -> tuple[Named, bool]:
    """Return the card of a printed serial, and whether there is one; else one that never counts."""
    row = (await database.run(session, _NAMED, {"printed": printed})).one()
    found = Named(*row)
    known = row[0] is not None
    return (found if known else _NOBODYS), known


async def counted_at(session: AsyncSession, card_id: int, at: datetime) -> bool:
    """Return whether a card was neither suspended nor revoked at a moment in the past."""
    befell = sa.select(Event).where(Event.card_id == card_id, Event.at <= at)
    last = (await session.scalars(befell.order_by(Event.id.desc()).limit(1))).one_or_none()
    return last is None or last.change not in _ENDING


async def use_challenge(
    session: AsyncSession, nonce: str, verifier: str, *, live: bool, now: datetime
) -> Challenge | None:
    """Use up a nonce that was given to this verifier; None where it is not to be used now."""
    used = (
        sa.update(Challenge)
        .where(
            Challenge.nonce == nonce,
            Challenge.verifier == verifier,
            Challenge.live == live,
            Challenge.expires_at > now,
            Challenge.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(Challenge)
    )
    return (await session.scalars(used)).one_or_none()

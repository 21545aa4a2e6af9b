"""Cards: issued in batches, suspended, renewed, replaced, revoked; and lost, by who holds them.

Whatever befalls a card is on record in the same transaction, and one thing befalls after another,
in all of the hub's processes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from models import card as rows
from models import errors, presentation, status, talent
from models.card import Card, Change, Event, Reason, Status
from models.database import Session
from models.errors import NotIssued
from resolvers import access
from resolvers.context import Context
from resolvers.viewer import OFFICERS

#: So many people at most are issued cards in one batch.
MOST = 500
#: Cards are valid so long where nobody says otherwise, and no longer than the other.
TERM = timedelta(days=730)
LONGEST_TERM = timedelta(days=3653)
#: Why a card may be issued anew in place of another.
REPLACES = frozenset({Reason.LOST, Reason.DAMAGED})
_SOURCE = "card office"
#: What of a holder's record is shown to whoever is shown a card, or hears why it is not changed.
_SHOWN = ("card",)


class Problem(StrEnum):
    """Why somebody cannot be issued a card."""

    UNKNOWN_HOLDER = "UNKNOWN_HOLDER"
    NAMED_TWICE = "NAMED_TWICE"
    HAS_CARD = "HAS_CARD"
    NO_CLASS = "NO_CLASS"


@dataclass(frozen=True, slots=True)
class Which:
    """Which card is meant: by its serial, or else the one that a holder has, by handle."""

    serial: str | None = None
    holder: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A card as officers see it: with its holder's handle, and what befell it, newest first."""

    card: Card
    holder: str
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class Lost:
    """What came of a card being reported lost: how it is now, and how many phones were unlinked."""

    status: Status
    unlinked: int


async def issue(
    context: Context, holders: Sequence[str], valid_until: date | None, reason: Reason
) -> list[Record]:
    """Issue a card to each of these people, or to none of them; return them in the order asked.

    Raises:
        BadInputError: nobody or too many are named, or the day is out of its range.
        CardsNotIssuedError: somebody cannot have a card; all of them are named.
        UnauthenticatedError, ForbiddenError: the viewer is no officer.
    """
    context.viewer.require(OFFICERS)
    if not 1 <= len(holders) <= MOST:
        raise errors.BadInputError(f"`holders` must name 1 to {MOST} people.")
    until = _until(context, valid_until)
    async with context.database.begin() as session:
        await rows.alone(session)
        people = await talent.bare(session, holders)
        access.looked(context, people, _SHOWN)
        held = await rows.with_one(session, [one.id for one in people.values()], context.today)
        if wrong := list(_wrong(holders, people, held)):
            raise errors.CardsNotIssuedError(wrong)
        batch = await rows.next_batch(session)
        serials = await rows.new_serials(session, len(holders))
        named = [people[handle] for handle in holders]
        issued = [
            _new(context, one, serial, batch, until)
            for one, serial in zip(named, serials, strict=True)
        ]
        session.add_all(issued)
        await session.flush()
        events = [_event(context, one, Change.ISSUED, reason) for one in issued]
        session.add_all(events)
        await session.flush()
    found = zip(issued, holders, events, strict=True)
    return [Record(one, handle, [event]) for one, handle, event in found]


async def suspend(context: Context, which: Which, reason: Reason) -> Record:
    """Suspend a card; what is suspended already stays so.

    Raises:
        UnknownCardError: there is no such card.
        CardStateError: it is revoked.
        UnauthenticatedError, ForbiddenError: the viewer is no officer.
    """
    return await _changed(context, which, Status.SUSPENDED, Change.SUSPENDED, reason)


async def resume(context: Context, which: Which, reason: Reason) -> Record:
    """Let a suspended card count again; one that counts stays so. Raises as ``suspend``."""
    return await _changed(context, which, Status.ACTIVE, Change.RESUMED, reason)


async def revoke(context: Context, which: Which, reason: Reason) -> Record:
    """Revoke a card for good; what is revoked already stays so. Raises as ``suspend``."""
    return await _changed(context, which, Status.REVOKED, Change.REVOKED, reason)


async def renew(context: Context, which: Which, valid_until: date | None, reason: Reason) -> Record:
    """Give a card another last day; raises as ``suspend``, and BadInputError for that day."""
    until = _until(context, valid_until)

    async def act(session: Session, found: Card) -> None:
        if found.status is Status.REVOKED:
            raise errors.CardStateError(found.status)
        if found.valid_until != until:
            found.valid_until = until
            session.add(_event(context, found, Change.RENEWED, reason))

    return await _act(context, which, act)


async def replace(context: Context, which: Which, reason: Reason) -> tuple[Record, Record]:
    """Issue a card anew, and return the new one and the one that it takes the place of.

    The holder stays the same, and with them what they used, and their names before partners.
    What was issued of the old card ends; a lost one's phones are unlinked.

    Raises:
        BadInputError: the reason is none for this.
        CardStateError: the card is revoked, or over.
        UnknownCardError: there is no such card.
        UnauthenticatedError, ForbiddenError: the viewer is no officer.
    """
    context.viewer.require(OFFICERS)
    if reason not in REPLACES:
        raise errors.BadInputError(f"`reason` must be {' or '.join(sorted(REPLACES))}.")
    async with context.database.begin() as session:
        await rows.alone(session)
        old = await _found(context, session, which)
        if old.status is Status.REVOKED:
            raise errors.CardStateError(old.status)
        if old.valid_until < context.today:
            raise errors.CardStateError("OVER")
        person = await session.get_one(talent.Talent, old.talent_id)
        [serial] = await rows.new_serials(session, 1)
        new = _new(context, person, serial, await rows.next_batch(session), old.valid_until)
        old.status = Status.REVOKED
        session.add(new)
        await session.flush()
        session.add(_event(context, old, Change.REPLACED, reason))
        await session.flush()
        session.add(_event(context, new, Change.ISSUED, reason))
        await status.end(session, context.now, cards=[old.id])
        await presentation.cancel_tickets(session, person.id)
        if reason is Reason.LOST:
            await _unlinked(session, context.now, person.id)
        await session.flush()
        return await _record(session, new), await _record(session, old)


async def lost(context: Context, *, unlink: bool = True) -> Lost:
    """Suspend the card of the viewer, who has lost it or a phone; ``unlink`` their phones too.

    Raises:
        UnknownCardError: the viewer has no card that is not revoked.
        UnauthenticatedError, ForbiddenError: the viewer is no person we know.
    """
    person = context.holder()
    async with context.database.begin() as session:
        await rows.alone(session)
        held = [
            one for one in await rows.all_of(session, person.id) if one.status is not Status.REVOKED
        ]
        if not held:
            raise errors.UnknownCardError
        for one in held:
            if one.status is Status.ACTIVE:
                one.status = Status.SUSPENDED
                session.add(_event(context, one, Change.SUSPENDED, Reason.LOST))
        unlinked = await _unlinked(session, context.now, person.id) if unlink else 0
        return Lost(Status.SUSPENDED, unlinked)


async def history(context: Context, which: Which) -> list[Record]:
    """Return a card with what befell it; of a holder all cards, the newest first.

    Raises:
        UnauthenticatedError, ForbiddenError: the viewer is no officer.
    """
    context.viewer.require(OFFICERS)
    async with context.reads.one(), context.database.session() as session:
        return [await _record(session, one) for one in await _all(context, session, which)]


async def _changed(
    context: Context, which: Which, into: Status, change: Change, reason: Reason
) -> Record:
    async def act(session: Session, found: Card) -> None:
        if found.status is into:
            return
        if found.status is Status.REVOKED:
            raise errors.CardStateError(found.status)
        found.status = into
        session.add(_event(context, found, change, reason))

    return await _act(context, which, act)


async def _act(
    context: Context, which: Which, act: Callable[[Session, Card], Awaitable[None]]
) -> Record:
    context.viewer.require(OFFICERS)
    async with context.database.begin() as session:
        await rows.alone(session)
        found = await _found(context, session, which)
        await act(session, found)
        await session.flush()
        return await _record(session, found)


async def _unlinked(session: Session, now: datetime, talent_id: int) -> int:
    """Unlink all phones of a person, end what was issued to them, and return how many."""
    linked = await presentation.linked(session, talent_id)
    await presentation.unlink(session, linked, now)
    await status.end(session, now, devices=[one.id for one in linked])
    return len(linked)


async def _found(context: Context, session: Session, which: Which) -> Card:
    found = rows.best(await _all(context, session, which))
    if found is None:
        raise errors.UnknownCardError
    return found


async def _all(context: Context, session: Session, which: Which) -> Sequence[Card]:
    """Return the cards that are meant; it is noted whose, as even a refusal tells of them."""
    if which.serial is not None:
        found = await rows.by_serial(session, which.serial)
        if found is None:
            return []
        access.looked(context, [await talent.handle_of(session, found.talent_id)], _SHOWN)
        return [found]
    handle = which.holder or ""
    person = (await talent.bare(session, [handle])).get(handle)
    if person is None:
        return []
    access.looked(context, [handle], _SHOWN)
    return await rows.all_of(session, person.id)


async def _record(session: Session, found: Card) -> Record:
    holder = await talent.handle_of(session, found.talent_id)
    return Record(found, holder, await rows.events_of(session, [found.id]))


def _wrong(
    holders: Sequence[str], people: Mapping[str, talent.Talent], held: Set[int]
) -> Iterator[NotIssued]:
    """Yield whom a batch cannot have a card for."""
    seen: set[str] = set()
    for position, handle in enumerate(holders):
        person = people.get(handle)
        if person is None:
            yield NotIssued(position, Problem.UNKNOWN_HOLDER)
        elif handle in seen:
            yield NotIssued(position, Problem.NAMED_TWICE)
        elif person.id in held:
            yield NotIssued(position, Problem.HAS_CARD)
        elif person.talent_class is None:
            yield NotIssued(position, Problem.NO_CLASS)
        seen.add(handle)


def _until(context: Context, given: date | None) -> date:
    until = given or context.today + TERM
    if not context.today <= until <= context.today + LONGEST_TERM:
        raise errors.BadInputError(
            f"`validUntil` must be from today to {LONGEST_TERM.days} days from now."
        )
    return until


def _new(context: Context, person: talent.Talent, serial: str, batch: int, until: date) -> Card:
    return Card(
        serial=serial,
        talent_id=person.id,
        batch=batch,
        issued_on=context.today,
        valid_until=until,
        status=Status.ACTIVE,
        tier=person.talent_class,
        sandbox=person.district == rows.SANDBOX,
        source=_SOURCE,
        recorded_at=context.now,
    )


def _event(context: Context, found: Card, change: Change, reason: Reason) -> Event:
    return Event(
        card_id=found.id, change=change, reason=reason, at=context.now, by=context.viewer.subject
    )

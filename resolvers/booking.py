"""Bookings: what a person has a partner keep for them, and what is done where nobody knows.

What is meant is on record before a partner is asked, and what came of it after: a hub that ends
in between leaves a booking UNCERTAIN, as an answer that never comes does. Nothing is sent again
then: the partner is asked what it has, by the next act about the booking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any

from connectors.base import Act, Booked, Order, Step
from connectors.errors import PartnerError, Problem
from eligibility.verdict import Outcome
from models import booking, errors, menu, talent
from models.booking import Booking, State
from models.database import Session
from models.offer import Offer
from models.verification import Category
from resolvers import access, offer, verdict
from resolvers.context import Context
from resolvers.verdict import Path
from resolvers.viewer import HOLDERS

#: For so long nobody else acts on a booking that somebody acts on: longer than any deadline.
LEASE = timedelta(minutes=1)
#: That a partner has nothing counts so long after it was asked: it may still have been at it.
SETTLES = timedelta(minutes=1)
MOST_UNITS = 20
LONGEST_KEY = 100

_STATES = {
    Step.HELD: State.HELD,
    Step.CONFIRMED: State.CONFIRMED,
    Step.CANCELLED: State.CANCELLED,
}
_STEPS = {state: step for step, state in _STATES.items()}
_NO_PROBLEM: dict[str, Any] = {"problem": None, "sentence": None, "retry_at": None}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be booked; under one ``idempotency_key`` it is booked once, however often sent."""

    service: str
    partner: str
    offer: str
    units: int
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class _Move:
    """An act about a booking that there is: from which states, by way of which, to which."""

    act: Act
    begins: frozenset[State]
    way: State
    goal: State


_CONFIRM = _Move(Act.CONFIRM, frozenset({State.HELD}), State.CONFIRMING, State.CONFIRMED)
_CANCEL = _Move(
    Act.CANCEL, frozenset({State.HELD, State.CONFIRMED}), State.CANCELLING, State.CANCELLED
)


async def mine(context: Context) -> Sequence[Booking]:
    """Return the viewer's bookings, the newest first.

    Raises:
        UnauthenticatedError: nobody in particular is asking.
        ForbiddenError: a role that is no person is asking.
    """
    context.viewer.require(HOLDERS)
    if context.person is None:
        return ()
    async with context.reads.one(), context.database.session() as session:
        return await booking.of_person(session, context.person.id)


async def reserve(context: Context, wanted: Wanted, path: Path) -> Booking:
    """Book an offer, and return the booking; sent again, return what came of it.

    ``path`` leads to the field that asks, as for ``verdict.settled``.

    Raises:
        BadInputError: the units or the key are out of their range.
        KeyReusedError: the key stands for something else.
        UnknownCodeError: there is no such service, or it does not ask such a partner.
        NotEligibleError: the viewer may not have the service, or not as far as is known.
        NotBookableError: the partner takes no bookings for it, or has no such offer.
        NotDoneError: the partner surely did not book it.
        UnauthenticatedError, ForbiddenError: the viewer is no person we know.
    """
    _check(wanted)
    person = context.holder()
    before = await _under_key(context, person, wanted)
    if before is None:
        try:
            new = _new(context, person, wanted, *await _bookable(context, wanted, path))
        except errors.NotBookableError:
            # Who asked the same a moment earlier may have it: then it is offered no more.
            before = await _under_key(context, person, wanted)
            if before is None:
                raise
        else:
            async with context.database.begin() as session:
                before = await booking.add(session, new)
                if before is None:
                    _note(session, context, new)
            if before is None:
                return await _act(context, new, Act.RESERVE, None, otherwise=State.REFUSED)
    return await _again(context, before, wanted)


async def confirm(context: Context, handle: str) -> Booking:
    """Confirm what is held, and return the booking; what is confirmed already stays so.

    Raises:
        UnknownBookingError: the viewer has none of this name.
        BookingStateError: it is not held.
        NotDoneError: the partner surely did not confirm it.
        UnauthenticatedError, ForbiddenError: the viewer is no person we know.
    """
    return await _move(context, handle, _CONFIRM)


async def cancel(context: Context, handle: str) -> Booking:
    """Give back what is held or confirmed, and return the booking; raises as ``confirm``."""
    return await _move(context, handle, _CANCEL)


async def settle(context: Context, handle: str) -> Booking:
    """Ask the partner how a booking stands where nobody knows, and return the booking.

    Raises:
        UnknownBookingError: the viewer has none of this name.
        UnauthenticatedError, ForbiddenError: the viewer is no person we know.
    """
    return await _settled(context, await _of_viewer(context, handle))


def _check(wanted: Wanted) -> None:
    if not 1 <= wanted.units <= MOST_UNITS:
        raise errors.BadInputError(f"`units` must be from 1 to {MOST_UNITS}.")
    key = wanted.idempotency_key
    if not (1 <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise errors.BadInputError(
            f"`idempotencyKey` must have 1 to {LONGEST_KEY} printable ASCII characters."
        )


async def _under_key(context: Context, person: talent.Talent, wanted: Wanted) -> Booking | None:
    async with context.reads.one(), context.database.session() as session:
        return await booking.by_key(session, person.id, wanted.idempotency_key)


async def _bookable(context: Context, wanted: Wanted, path: Path) -> tuple[menu.Ask, Offer]:
    """Return the offer that is wanted, and for which of the service's asks it is one.

    That it is one of the service's own is looked up: the verdict is on this service alone, and a
    partner has offers for others too.
    """
    service = context.catalogue.service(wanted.service)
    partners = {ask.partner for ask in service.partners}
    if wanted.partner not in partners:
        raise errors.UnknownCodeError("partner of this service", wanted.partner, partners)
    judged = await verdict.settled(context, await verdict.passed(context, service), path)
    if judged.verdict.outcome is not Outcome.ELIGIBLE:
        raise errors.NotEligibleError(service.code, judged.verdict.outcome)
    at_work = context.registry.partners.get(wanted.partner)
    books = at_work.books if at_work else frozenset()
    asks = [
        ask for ask in service.partners if ask.partner == wanted.partner and ask.capability in books
    ]
    if not asks:
        raise errors.NotBookableError(
            f"“{wanted.partner}” takes no bookings for this through us.", wanted.partner
        )
    try:
        found = await offer.named(context, asks, wanted.offer)
    except PartnerError as failure:
        raise errors.NotBookableError(
            f"What “{wanted.partner}” offers cannot be looked up now.",
            wanted.partner,
            failure,
            context.moment(failure.retry_after_seconds),
        ) from None
    if found is None:
        shown = errors.shown(wanted.offer)
        raise errors.NotBookableError(
            f"“{wanted.partner}” has no offer “{shown}” for this.", wanted.partner
        )
    return found


def _new(
    context: Context, person: talent.Talent, wanted: Wanted, ask: menu.Ask, found: Offer
) -> Booking:
    now = context.now.astimezone(UTC)
    return Booking(
        handle=booking.new_handle(),
        talent_id=person.id,
        idempotency_key=wanted.idempotency_key,
        key=booking.new_key(),
        service=wanted.service,
        partner=ask.partner,
        capability=ask.capability,
        topic=ask.topic,
        offer=found.id,
        units=wanted.units,
        title=found.title,
        starts_at=getattr(found, "start", None),
        state=State.RESERVING,
        details={},
        asked_at=now,
        acted_at=now,
        leased_until=now + LEASE,
        turn=1,
    )


async def _again(context: Context, before: Booking, wanted: Wanted) -> Booking:
    """Return what came of what is asked again."""
    asked = (before.service, before.partner, before.offer, before.units)
    if asked != (wanted.service, wanted.partner, wanted.offer, wanted.units):
        raise errors.KeyReusedError
    found = await _settled(context, before)
    if found.state is State.REFUSED:
        raise _not_done(found)
    return found


async def _move(context: Context, handle: str, move: _Move) -> Booking:
    found = await _settled(context, await _of_viewer(context, handle))
    state = found.state_at(context.now)
    if state in {move.goal, move.way, State.UNCERTAIN}:
        return found
    if state not in move.begins:
        raise errors.BookingStateError(found, state)
    now = context.now.astimezone(UTC)
    mine = await _turned(context, found, state=move.way, acted_at=now, leased_until=now + LEASE)
    if mine is None:
        return await _of_viewer(context, handle)
    return await _act(context, mine, move.act, _booked(found), otherwise=found.state)


async def _act(
    context: Context, mine: Booking, act: Act, booked: Booked | None, *, otherwise: State
) -> Booking:
    """Do what this hub alone does now, and return the booking as it is after.

    Args:
        context: The query's surroundings.
        mine: The booking, on its way.
        act: What is done.
        booked: What the partner said of it last.
        otherwise: The state it is in where the partner surely did nothing.
    """
    try:
        told = await context.desk.book(mine.partner, act, _order(context, mine), booked)
    except PartnerError as failure:
        if failure.may_have_acted:
            return await _noted(context, mine, **_problem(context, failure))
        found = await _noted(context, mine, state=otherwise, **_problem(context, failure))
        raise _not_done(found) from None
    return await _noted(context, mine, **_told(context, mine, told))


async def _settled(context: Context, found: Booking) -> Booking:
    """Return a booking as its partner says it stands, where that is not known."""
    if found.state_at(context.now) is not State.UNCERTAIN:
        return found
    now = context.now.astimezone(UTC)
    mine = await _turned(context, found, leased_until=now + LEASE)
    if mine is None:
        return await _of_viewer(context, found.handle)
    try:
        told = await context.desk.book(mine.partner, Act.FIND, _order(context, mine))
    except PartnerError as failure:
        return await _noted(context, mine, **_problem(context, failure))
    return await _noted(context, mine, **_told(context, mine, told))


def _told(context: Context, mine: Booking, told: Booked | None) -> dict[str, Any]:
    """Return what is noted of what a partner says of a booking."""
    if told is None:
        return _nothing(context, mine)
    return {
        "state": _STATES[told.step],
        "reference": told.reference,
        "expires_at": told.expires_at,
        "details": dict(told.handle),
        **_NO_PROBLEM,
    }


def _nothing(context: Context, mine: Booking) -> dict[str, Any]:
    """Return what it means that a partner has nothing where an act was under way."""
    if mine.state is State.CANCELLING:
        return {"state": State.CANCELLED, **_NO_PROBLEM}
    if mine.state is State.CONFIRMING:
        return {"state": State.EXPIRED, **_NO_PROBLEM}
    settles = mine.acted_at + SETTLES
    if context.now < settles:
        return {"retry_at": settles}
    return {
        "state": State.REFUSED,
        "problem": Problem.NOT_FOUND,
        "sentence": "The partner never had this booking.",
        "retry_at": None,
    }


def _problem(context: Context, failure: PartnerError) -> dict[str, Any]:
    moment = context.moment(failure.retry_after_seconds)
    return {"problem": failure.code, "sentence": failure.sentence, "retry_at": moment}


def _not_done(found: Booking) -> errors.NotDoneError[Booking]:
    return errors.NotDoneError(found, found.problem or "", found.sentence or "")


def _note(session: Session, context: Context, new: Booking) -> None:
    """Note for the person that the partner hears what it alone calls them by."""
    at_work = context.registry.partners.get(new.partner)
    name = at_work.manifest.name.said(("en",)).text if at_work else new.partner
    purpose = access.Purpose(new.partner, name, new.service)
    told = [access.Told(Category.PSEUDONYM)]
    access.left(session, context.holder().handle, told, purpose, context.now)


def _order(context: Context, mine: Booking) -> Order:
    return Order(
        key=mine.key,
        subject=context.pseudonyms.of(mine.partner, context.viewer.subject),
        capability=mine.capability,
        topic=mine.topic,
        offer=mine.offer,
        units=mine.units,
    )


def _booked(found: Booking) -> Booked:
    return Booked(
        step=_STEPS[found.state],
        reference=found.reference or "",
        expires_at=found.expires_at,
        handle=found.details,
    )


async def _of_viewer(context: Context, handle: str) -> Booking:
    person = context.holder()
    async with context.reads.one(), context.database.session() as session:
        found = await booking.by_handle(session, person.id, handle)
    if found is None:
        raise errors.UnknownBookingError
    return found


async def _turned(context: Context, seen: Booking, **values: object) -> Booking | None:
    async with context.database.begin() as session:
        return await booking.turn(session, seen, **values)


async def _noted(context: Context, mine: Booking, **values: object) -> Booking:
    noted = await _turned(context, mine, leased_until=None, **values)
    return noted or await _late(context, mine)


async def _late(context: Context, mine: Booking) -> Booking:
    """Leave it UNCERTAIN that somebody went on from while this hub was held up, past its lease.

    Of what either heard nobody can tell which is newer; the partner can.
    """
    found = await _of_viewer(context, mine.handle)
    if found.state in booking.UNDER_WAY:
        return found
    return await _turned(context, found, state=mine.state, leased_until=None) or found

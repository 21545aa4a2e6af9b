"""A booking is asked for once, changed by whoever saw it last, and says itself how far it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import exc

from models import booking
from models.booking import Booking, State
from models.offer import Capability
from tests import factories

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
SOON = NOW + timedelta(minutes=1)


@pytest.fixture
async def person(database):
    person = factories.a_talent()
    async with database.begin() as session:
        session.add(person)
    return person


def a_booking(person, **given) -> Booking:
    known = {
        "handle": booking.new_handle(),
        "talent_id": person.id,
        "idempotency_key": "first",
        "key": booking.new_key(),
        "service": "film-tickets",
        "partner": "a-cinema",
        "capability": Capability.SHOWING,
        "topic": "film",
        "offer": "seat-1",
        "units": 1,
        "title": "A film",
        "state": State.RESERVING,
        "details": {},
        "asked_at": NOW,
        "acted_at": NOW,
        "leased_until": SOON,
        "turn": 1,
    }
    return Booking(**{**known, **given})


async def added(database, new):
    async with database.begin() as session:
        return await booking.add(session, new)


async def test_of_two_under_one_key_the_first_is_kept_and_told(database, person):
    first = a_booking(person)

    kept = await added(database, first)
    told = await added(database, a_booking(person, units=2))

    assert kept is None
    assert (told.handle, told.units) == (first.handle, 1)
    async with database.session() as session:
        assert [one.handle for one in await booking.of_person(session, person.id)] == [first.handle]


async def test_a_key_is_a_persons_own(database, person):
    other = factories.a_talent()
    async with database.begin() as session:
        session.add(other)

    assert await added(database, a_booking(person)) is None
    assert await added(database, a_booking(other)) is None


async def test_a_booking_of_nobody_is_refused(database, person):
    with pytest.raises(exc.IntegrityError):
        await added(database, a_booking(person, talent_id=person.id + 1))


async def test_only_who_saw_it_as_it_is_changes_a_booking(database, person):
    seen = a_booking(person)
    await added(database, seen)

    async with database.begin() as session:
        changed = await booking.turn(session, seen, state=State.HELD, leased_until=None)
    async with database.begin() as session:
        too_late = await booking.turn(session, seen, state=State.REFUSED)

    assert too_late is None
    async with database.session() as session:
        found = await booking.by_handle(session, person.id, seen.handle)
    assert (found.state, found.turn, found.leased_until) == (State.HELD, 2, None)
    assert changed.turn == 2


@pytest.mark.parametrize("handle", ["", "nobody", "\x00", "’", "x" * 99])
async def test_a_handle_that_nobody_gave_out_is_of_no_booking(database, person, handle):
    await added(database, a_booking(person))

    async with database.session() as session:
        assert await booking.by_handle(session, person.id, handle) is None


@pytest.mark.parametrize("state", sorted(booking.UNDER_WAY))
@pytest.mark.parametrize("leased_until", [None, NOW, SOON], ids=str)
def test_what_nobody_is_at_any_more_is_uncertain(state, leased_until):
    found = Booking(state=state, leased_until=leased_until)

    assert found.state_at(NOW) is (state if leased_until == SOON else State.UNCERTAIN)


@pytest.mark.parametrize(
    ("expires_at", "state"),
    [(None, State.HELD), (SOON, State.HELD), (NOW, State.EXPIRED)],
    ids=str,
)
def test_a_hold_runs_out_and_nothing_else_does(expires_at, state):
    assert Booking(state=State.HELD, expires_at=expires_at).state_at(NOW) is state
    confirmed = Booking(state=State.CONFIRMED, expires_at=expires_at)
    assert confirmed.state_at(NOW) is State.CONFIRMED


def test_a_key_is_22_letters_and_digits_and_never_the_same():
    keys = {booking.new_key() for _ in range(100)}

    assert len(keys) == 100
    assert all(len(key) == 22 and key.isascii() and key.isalnum() for key in keys)

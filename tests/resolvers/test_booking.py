"""Bookings are made once, whoever asks how often, and end in what the partner has."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from datetime import timedelta
from types import SimpleNamespace

import pytest

from connectors import base
from connectors import errors as partner_errors
from connectors.base import Act, Booked, Step
from connectors.errors import Problem
from connectors.partner import Answer, Freshness
from eligibility.verdict import Outcome
from models import booking as rows
from models import errors, offer, text
from models.booking import State
from models.database import Database
from resolvers import booking
from resolvers.viewer import Role, Viewer
from tests import factories
from tests.catalogue import CARD_HOLDERS, NOW, a_service

HOLD = timedelta(minutes=10)
LATER = booking.LEASE + timedelta(seconds=1)
SEAT = booking.Wanted("films", "cinema", "seat-1", 1, "first")
TOO_LATE = partner_errors.too_slow()
GONE = partner_errors.Retriable(Problem.UNREACHABLE, "The partner cannot be reached.", 7.0)
TAKEN = partner_errors.Refused("This is taken.", Problem.CONFLICT)
CANNOT_FIND = partner_errors.Misconfigured(Problem.MISCONFIGURED, "Its people must be asked.")


class Cinema:
    """A partner that keeps seats by the key of their order.

    ``fails`` is raised instead of an act, ``fails_after`` after it. The ``slow`` wait for ``open``.
    Once it is ``away`` what it said before is STALE, or forgotten.
    """

    def __init__(self, clock) -> None:
        self.manifest = SimpleNamespace(name=text.Text({"en": "A cinema"}))
        self.books = frozenset({offer.Capability.SHOWING})
        self.clock = clock
        self.kept: dict[str, Booked] = {}
        self.heard: list[tuple[Act, base.Order]] = []
        self.fails: Exception | None = None
        self.fails_after: Exception | None = None
        self.slow = set(Act)
        self.open = asyncio.Event()
        self.open.set()
        self.reached = asyncio.Event()
        self.away: partner_errors.PartnerError | None = None
        self.freshness = Freshness.UNAVAILABLE

    def has(self, key) -> Booked | None:
        """Return what is kept under a key; holds run out."""
        found = self.kept.get(key)
        held = found is not None and found.step is Step.HELD
        return None if held and found.expires_at <= self.clock.now else found

    def acts(self) -> list[Act]:
        return [act for act, _ in self.heard]

    async def ask(self, inquiries, _deadline):
        if self.away:
            return [
                Answer(
                    "cinema",
                    self.freshness,
                    offers=_showings(one) if self.freshness is Freshness.STALE else offer.Offers(),
                    problem=self.away.problem,
                    sentence=self.away.sentence,
                    retry_after_seconds=self.away.retry_after_seconds,
                )
                for one in inquiries
            ]
        return [
            Answer("cinema", Freshness.LIVE, offers=_showings(one), observed_at=NOW)
            for one in inquiries
        ]

    async def book(self, act, order, booked, _deadline):
        self.heard.append((act, order))
        self.reached.set()
        if act in self.slow:
            await self.open.wait()
        if self.fails:
            raise self.fails
        done = self._done(act, order, booked)
        if self.fails_after:
            raise self.fails_after
        return done

    def _done(self, act, order, booked):
        if act is Act.FIND:
            return self.has(order.key)
        if act is Act.RESERVE:
            expires_at = self.clock.now + HOLD
            told = Booked(Step.HELD, f"ref-{len(self.kept)}", expires_at, {"version": "1"})
        else:
            assert booked.handle == {"version": "1"}
            if self.has(order.key) is None:
                raise partner_errors.Refused("There is none.", Problem.NOT_FOUND)
            step = Step.CONFIRMED if act is Act.CONFIRM else Step.CANCELLED
            told = Booked(step, booked.reference, None, booked.handle)
        self.kept[order.key] = told
        return told


def _showings(asked):
    """Films are shown tomorrow and in 30 days, what is not asked about ever."""
    days = {"film": (1, 30), "concert": (2,)}[asked.topic]
    return offer.Offers(
        offer.Showing(
            id=f"seat-{day}" if asked.topic == "film" else f"stall-{day}",
            title="A film",
            start=start,
            venue="Hall",
        )
        for day in days
        if asked.since <= (start := NOW + timedelta(days=day)) < asked.until
    )


@pytest.fixture
def time():
    return SimpleNamespace(now=NOW)


@pytest.fixture
def cinema(registry, time):
    registry.partners["cinema"] = Cinema(time)
    return registry.partners["cinema"]


@pytest.fixture
async def person(database):
    person = factories.a_talent()
    async with database.begin() as session:
        session.add(person)
    return person


@pytest.fixture
def menu(catalogue_of):
    def asks(*topics):
        return [{"partner": "cinema", "capability": "showing", "topic": one} for one in topics]

    return catalogue_of(
        a_service("films", partners=asks("film")),
        a_service("concerts", partners=asks("concert"), eligibility=CARD_HOLDERS),
        a_service("guide"),
    )


@pytest.fixture
def query(context_of, menu, database, person, time, cinema):
    """Make the context of a person's query, at the time it is."""

    def query(who=person, data=database):
        context = context_of(Viewer(Role.HOLDER, who.handle), menu, data)
        context.person = who
        context.now = time.now
        return context

    return query


@pytest.fixture
def reserve(query):
    async def reserve(wanted=SEAT, **who):
        return await booking.reserve(query(**who), wanted, ())

    return reserve


@pytest.fixture
def mine(query):
    async def mine():
        context = query()
        return [one.state_at(context.now) for one in await booking.mine(context)]

    return mine


async def test_an_offer_is_held_confirmed_and_given_back(reserve, query, cinema, person):
    held = await reserve()
    confirmed = await booking.confirm(query(), held.handle)
    cancelled = await booking.cancel(query(), held.handle)

    assert [one.state for one in (held, confirmed, cancelled)] == [
        State.HELD,
        State.CONFIRMED,
        State.CANCELLED,
    ]
    assert (held.reference, held.expires_at, held.title) == ("ref-0", NOW + HOLD, "A film")
    assert held.starts_at == NOW + timedelta(days=1)
    assert cinema.acts() == [Act.RESERVE, Act.CONFIRM, Act.CANCEL]
    (order,) = {order for _, order in cinema.heard}
    assert (order.topic, order.offer, order.units, order.key) == ("film", "seat-1", 1, held.key)
    assert order.subject == query().pseudonyms.of("cinema", person.handle)


async def test_sent_again_it_is_the_same_booking_and_no_call(reserve, query, cinema):
    held = await reserve()
    again = await reserve()
    confirmed = [await booking.confirm(query(), held.handle) for _ in range(2)]
    cancelled = [await booking.cancel(query(), held.handle) for _ in range(2)]

    assert {one.handle for one in (held, again, *confirmed, *cancelled)} == {held.handle}
    assert [one.state for one in (*confirmed, *cancelled)] == [State.CONFIRMED] * 2 + [
        State.CANCELLED
    ] * 2
    assert cinema.acts() == [Act.RESERVE, Act.CONFIRM, Act.CANCEL]


@pytest.mark.parametrize(
    "other",
    [
        booking.Wanted("films", "cinema", "seat-1", 2, "first"),
        booking.Wanted("films", "cinema", "seat-30", 1, "first"),
        booking.Wanted("guide", "cinema", "seat-1", 1, "first"),
    ],
    ids=str,
)
async def test_a_key_means_what_it_meant(reserve, cinema, other):
    await reserve()

    with pytest.raises(errors.KeyReusedError):
        await reserve(other)
    assert cinema.acts() == [Act.RESERVE]


async def test_of_many_at_once_under_one_key_one_asks_the_partner(
    reserve, cinema, kind, database_url
):
    cinema.open.clear()
    other = Database(database_url)

    asking = [
        asyncio.create_task(reserve(data=data)) if data else asyncio.create_task(reserve())
        for data in [None, other] * 4
    ]
    await cinema.reached.wait()
    done, waiting = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
    cinema.open.set()
    found = await asyncio.gather(*asking)
    await other.close()

    assert done
    assert waiting
    assert len({one.handle for one in found}) == 1
    assert Counter(one.state for one in found)[State.HELD] >= 1
    assert {one.state for one in found} <= {State.HELD, State.RESERVING}
    assert cinema.acts() == [Act.RESERVE]


async def test_who_asks_for_what_their_own_other_request_took_meanwhile_has_it(
    reserve, cinema, monkeypatch
):
    async def gone(inquiries, _deadline):
        return [Answer("cinema", Freshness.LIVE, observed_at=NOW) for _ in inquiries]

    async def taken_meanwhile(inquiries, deadline):
        monkeypatch.undo()
        await reserve()
        monkeypatch.setattr(cinema, "ask", gone)
        return await gone(inquiries, deadline)

    monkeypatch.setattr(cinema, "ask", taken_meanwhile)
    found = await reserve()

    assert found.state is State.HELD
    assert cinema.acts() == [Act.RESERVE]


@pytest.fixture
def at_once(monkeypatch):
    """Have two who change a booking begin at once, each with what it was before."""
    both, turn = asyncio.Barrier(2), rows.turn
    begun = itertools.count()

    async def together(*given, **values):
        if next(begun) < 2:
            await both.wait()
        return await turn(*given, **values)

    return lambda: monkeypatch.setattr(rows, "turn", together)


async def test_of_two_that_confirm_at_once_one_asks_the_partner(reserve, query, cinema, at_once):
    held = await reserve()
    at_once()

    found = await asyncio.gather(*(booking.confirm(query(), held.handle) for _ in range(2)))

    assert {one.state for one in found} <= {State.CONFIRMING, State.CONFIRMED}
    assert cinema.acts() == [Act.RESERVE, Act.CONFIRM]


async def test_of_two_that_settle_at_once_one_asks_the_partner(reserve, query, cinema, at_once):
    cinema.fails_after = TOO_LATE
    lost = await reserve()
    cinema.fails_after = None
    at_once()

    found = await asyncio.gather(*(booking.settle(query(), lost.handle) for _ in range(2)))

    assert {one.state for one in found} <= {State.RESERVING, State.HELD}
    assert cinema.acts() == [Act.RESERVE, Act.FIND]


async def test_what_is_taken_is_refused_and_stays_so_under_its_key(reserve, cinema, mine):
    cinema.fails = TAKEN

    with pytest.raises(errors.NotDoneError) as first:
        await reserve()
    cinema.fails = None
    with pytest.raises(errors.NotDoneError) as again:
        await reserve()

    assert (first.value.code, first.value.sentence) == ("PARTNER_CONFLICT", "This is taken.")
    assert (again.value.code, again.value.booking.handle) == (
        "PARTNER_CONFLICT",
        first.value.booking.handle,
    )
    assert cinema.acts() == [Act.RESERVE]
    assert await mine() == [State.REFUSED]


@pytest.mark.parametrize("act", [booking.confirm, booking.cancel])
async def test_what_a_partner_surely_did_not_do_leaves_the_booking_as_it_was(
    reserve, query, cinema, act, mine
):
    held = await reserve()
    cinema.fails = GONE

    with pytest.raises(errors.NotDoneError) as refused:
        await act(query(), held.handle)

    assert refused.value.code == refused.value.booking.problem == "PARTNER_UNREACHABLE"
    assert refused.value.booking.retry_at == NOW + timedelta(seconds=7)
    assert await mine() == [State.HELD]
    cinema.fails = None
    assert (await act(query(), held.handle)).problem is None


@pytest.mark.parametrize("handed", ["again", "settle", "confirm", "cancel"])
async def test_where_the_answer_never_came_the_partner_is_asked_and_nothing_is_sent_again(
    reserve, query, cinema, handed
):
    cinema.fails_after = TOO_LATE
    lost = await reserve()
    cinema.fails_after = None

    state = lost.state_at(NOW)
    found = await {
        "again": reserve,
        "settle": lambda: booking.settle(query(), lost.handle),
        "confirm": lambda: booking.confirm(query(), lost.handle),
        "cancel": lambda: booking.cancel(query(), lost.handle),
    }[handed]()

    assert (state, lost.problem) == (State.UNCERTAIN, "PARTNER_TIMEOUT")
    assert found.problem is None
    assert found.state is {"confirm": State.CONFIRMED, "cancel": State.CANCELLED}.get(
        handed, State.HELD
    )
    assert cinema.acts()[:2] == [Act.RESERVE, Act.FIND]
    assert cinema.acts().count(Act.RESERVE) == 1


@pytest.mark.parametrize(
    ("act", "goal"), [(booking.confirm, State.CONFIRMED), (booking.cancel, State.CANCELLED)]
)
async def test_a_lost_answer_to_a_later_act_is_looked_up_too(reserve, query, cinema, act, goal):
    held = await reserve()
    cinema.fails_after = TOO_LATE
    lost = await act(query(), held.handle)
    cinema.fails_after = None

    found = await act(query(), held.handle)

    assert lost.state_at(NOW) is State.UNCERTAIN
    assert found.state is goal
    assert cinema.acts()[2:] == [Act.FIND]


async def test_that_a_partner_has_nothing_counts_when_it_can_no_longer_be_at_it(
    reserve, query, cinema, time
):
    cinema.fails = TOO_LATE
    lost = await reserve()
    cinema.fails = None

    early = await booking.settle(query(), lost.handle)
    time.now += booking.SETTLES
    with pytest.raises(errors.NotDoneError) as never:
        await reserve()

    assert early.state_at(NOW) is State.UNCERTAIN
    assert early.retry_at == NOW + booking.SETTLES
    assert never.value.code == "PARTNER_NOT_FOUND"
    assert never.value.booking.state is State.REFUSED
    assert cinema.acts() == [Act.RESERVE, Act.FIND, Act.FIND]


@pytest.mark.parametrize(
    ("act", "ends"), [(booking.confirm, State.EXPIRED), (booking.cancel, State.CANCELLED)]
)
async def test_what_a_partner_has_no_longer_is_over(reserve, query, cinema, act, ends):
    held = await reserve()
    cinema.fails = TOO_LATE
    await act(query(), held.handle)
    cinema.fails = None
    cinema.kept.clear()

    assert (await booking.settle(query(), held.handle)).state is ends


async def test_a_partner_that_cannot_be_asked_leaves_it_uncertain_and_says_so(
    reserve, query, cinema, mine
):
    cinema.fails_after = TOO_LATE
    lost = await reserve()
    cinema.fails, cinema.fails_after = CANNOT_FIND, None

    found = await booking.confirm(query(), lost.handle)

    assert (found.problem, found.sentence) == ("PARTNER_MISCONFIGURED", "Its people must be asked.")
    assert await mine() == [State.UNCERTAIN]
    assert cinema.acts() == [Act.RESERVE, Act.FIND]


@pytest.mark.parametrize("acted", [False, True])
async def test_a_hub_that_ends_in_between_leaves_it_to_the_next_who_asks(
    reserve, query, cinema, time, mine, acted
):
    cinema.fails_after = asyncio.CancelledError()
    if not acted:
        cinema.fails = cinema.fails_after
    with pytest.raises(asyncio.CancelledError):
        await reserve()
    cinema.fails = cinema.fails_after = None

    leased = await reserve()
    before = await mine()
    time.now += LATER
    after = await mine()
    found = await booking.settle(query(), leased.handle)

    assert (before, after) == ([State.RESERVING], [State.UNCERTAIN])
    assert found.state is (State.HELD if acted else State.REFUSED)
    assert cinema.acts() == [Act.RESERVE, Act.FIND]


@pytest.mark.parametrize("act", [Act.RESERVE, Act.CONFIRM])
async def test_who_is_held_up_past_the_lease_leaves_it_to_the_partner_to_say(
    reserve, query, cinema, time, act
):
    if act is Act.CONFIRM:
        await reserve()
    cinema.slow = {act}
    cinema.open.clear()
    cinema.reached.clear()
    late = asyncio.create_task(reserve() if act is Act.RESERVE else confirm_mine(query))
    await cinema.reached.wait()
    time.now += LATER
    meanwhile = await settle_mine(query)
    cinema.open.set()

    found = await late

    assert meanwhile.state is {Act.RESERVE: State.REFUSED, Act.CONFIRM: State.HELD}[act]
    assert found.state_at(time.now) is State.UNCERTAIN
    settled = await settle_mine(query)
    assert settled.state is {Act.RESERVE: State.HELD, Act.CONFIRM: State.CONFIRMED}[act]
    assert cinema.acts().count(act) == 1


async def confirm_mine(query):
    (one,) = await booking.mine(query())
    return await booking.confirm(query(), one.handle)


async def settle_mine(query):
    (one,) = await booking.mine(query())
    return await booking.settle(query(), one.handle)


async def test_a_hold_that_ran_out_can_be_neither_confirmed_nor_given_back(
    reserve, query, cinema, time, mine
):
    held = await reserve()
    time.now += HOLD

    for act in (booking.confirm, booking.cancel):
        with pytest.raises(errors.BookingStateError) as refused:
            await act(query(), held.handle)
        assert refused.value.booking.handle == held.handle

    assert await mine() == [State.EXPIRED]
    assert cinema.acts() == [Act.RESERVE]


async def test_nothing_is_booked_for_who_may_not_have_it(reserve, cinema, mine):
    with pytest.raises(errors.NotEligibleError) as refused:
        await reserve(booking.Wanted("concerts", "cinema", "stall-2", 1, "first"))

    assert refused.value.outcome == Outcome.INELIGIBLE
    assert cinema.acts() == []
    assert await mine() == []


async def test_an_offer_of_another_service_is_none_of_this_one(reserve, cinema):
    with pytest.raises(errors.NotBookableError):
        await reserve(booking.Wanted("films", "cinema", "stall-2", 1, "first"))

    assert cinema.acts() == []


async def test_an_offer_far_ahead_is_found_too(reserve):
    found = await reserve(booking.Wanted("films", "cinema", "seat-30", 1, "first"))

    assert found.state is State.HELD


async def test_what_a_partners_file_does_not_book_is_not_booked(reserve, cinema):
    cinema.books = frozenset({offer.Capability.PASS})

    with pytest.raises(errors.NotBookableError):
        await reserve()


@pytest.mark.parametrize("freshness", [Freshness.UNAVAILABLE, Freshness.STALE])
async def test_a_partner_whose_offers_are_not_known_now_books_nothing(
    reserve, cinema, mine, freshness
):
    cinema.away, cinema.freshness = GONE, freshness

    with pytest.raises(errors.NotBookableError) as refused:
        await reserve()

    assert refused.value.failure.code == "PARTNER_UNREACHABLE"
    assert refused.value.retry_at == NOW + timedelta(seconds=7)
    assert cinema.acts() == []
    assert await mine() == []


@pytest.mark.parametrize(
    "wanted",
    [
        booking.Wanted("filns", "cinema", "seat-1", 1, "first"),
        booking.Wanted("films", "cinama", "seat-1", 1, "first"),
        booking.Wanted("guide", "cinema", "seat-1", 1, "first"),
    ],
    ids=str,
)
async def test_a_code_that_stands_in_no_list_is_told(reserve, wanted):
    with pytest.raises(errors.UnknownCodeError):
        await reserve(wanted)


@pytest.mark.parametrize(
    ("units", "key"),
    [(0, "k"), (booking.MOST_UNITS + 1, "k"), (1, ""), (1, "k" * 101), (1, "\x00"), (1, "钥匙")],
)
async def test_what_is_out_of_range_is_refused(reserve, units, key):
    with pytest.raises(errors.BadInputError):
        await reserve(booking.Wanted("films", "cinema", "seat-1", units, key))


async def test_a_booking_is_its_persons_alone(reserve, query, database):
    other = factories.a_talent()
    async with database.begin() as session:
        session.add(other)
    held = await reserve()

    assert await booking.mine(query(other)) == []
    for act in (booking.confirm, booking.cancel, booking.settle):
        with pytest.raises(errors.UnknownBookingError):
            await act(query(other), held.handle)


async def test_a_partner_that_is_no_longer_at_work_leaves_a_booking_as_it_is(
    reserve, query, registry
):
    held = await reserve()
    del registry.partners["cinema"]

    with pytest.raises(errors.NotDoneError) as refused:
        await booking.cancel(query(), held.handle)

    assert (refused.value.code, refused.value.booking.state) == (
        "PARTNER_MISCONFIGURED",
        State.HELD,
    )


#: What may befall an act: what is raised instead of it, and after it.
BEFALLS = [
    *[(None, None)] * 4,
    (TAKEN, None),
    (GONE, None),
    (TOO_LATE, None),
    (None, TOO_LATE),
    (asyncio.CancelledError(), None),
    (None, asyncio.CancelledError()),
]


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_befalls_a_booking_says_what_the_partner_has_or_that_nobody_knows(
    reserve, query, cinema, time, seed
):
    chance = random.Random(seed)  # noqa: S311 - the same steps each time, no secret
    seats = [booking.Wanted("films", "cinema", "seat-1", 1, str(number)) for number in range(40)]
    seen = Counter()

    for _ in range(200):
        time.now += chance.choice([timedelta(), timedelta(seconds=20), LATER])
        cinema.fails, cinema.fails_after = chance.choice(BEFALLS)
        known = [one.handle for one in await booking.mine(query())]
        act = chance.choice([booking.confirm, booking.cancel, booking.settle, None])
        try:
            if act is None or not known:
                await reserve(chance.choice(seats))
            else:
                await act(query(), chance.choice(known))
        except (errors.GreenwayError, asyncio.CancelledError):
            pass

        for one in await booking.mine(query()):
            state, kept = one.state_at(time.now), cinema.has(one.key)
            seen[state] += 1
            assert _agrees(state, kept and kept.step), (state, kept)
    cinema.fails = cinema.fails_after = None
    time.now += LATER
    settled = [await booking.settle(query(), one.handle) for one in await booking.mine(query())]

    reserved = Counter(order.key for act, order in cinema.heard if act is Act.RESERVE)
    assert set(reserved.values()) == {1}
    assert len(reserved) == len(settled)
    assert State.UNCERTAIN not in {one.state_at(time.now) for one in settled}
    assert set(seen) == set(State)


def _agrees(state: State, step: Step | None) -> bool:
    """Return whether a partner may have this where a booking says so."""
    if state in {State.UNCERTAIN, State.RESERVING, State.CONFIRMING, State.CANCELLING}:
        return True
    if state in {State.REFUSED, State.EXPIRED}:
        return step is None
    if state is State.CANCELLED:
        return step in {None, Step.CANCELLED}
    return step == {State.HELD: Step.HELD, State.CONFIRMED: Step.CONFIRMED}[state]

import asyncio
import contextlib
import itertools
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from connectors import base, board, http, memory
from models import offer
from tests import store

pytestmark = pytest.mark.skipif(store.SERVER is None, reason=store.WHY_NOT)

DAY = datetime(2026, 11, 2, 8, tzinfo=UTC)
LATER = DAY + timedelta(minutes=5)
ADDRESS = "https://clinic.example/"
ATTRIBUTES = (offer.Attribute("floor", "Floor", "7"), offer.Attribute("way", "Way", "200", "m"))

#: An offer of each shape, with every field of it filled in.
OFFERS = {
    offer.Capability.APPOINTMENT: offer.Appointment(
        id="1", title="齿科", url="https://x.example", start=DAY, end=LATER, where="7", remaining=2
    ),
    offer.Capability.QUOTE: offer.Quote(
        id="2",
        title="USD/CNY",
        instrument="USD/CNY",
        currency="CNY",
        amount=Decimal("1.10"),
        rate=Decimal("7.123456"),
        observed_on=date(2026, 11, 2),
        valid_until=LATER,
    ),
    offer.Capability.PLACE: offer.Place(
        id="3", title="P", where="W", intake="I", capacity=9, remaining=0, apply_by=DAY.date()
    ),
    offer.Capability.SHOWING: offer.Showing(
        id="4",
        title="F",
        start=DAY,
        venue="V",
        end=LATER,
        seats=1,
        price=Decimal("30.00"),
        price_currency="CNY",
    ),
    offer.Capability.PASS: offer.Pass(
        id="5",
        title="G",
        where="W",
        units=3,
        window_start=DAY,
        window_end=LATER,
        attributes=ATTRIBUTES,
    ),
}


@contextlib.asynccontextmanager
async def process(server, version="1"):
    """What one process remembers of the partner."""
    place = board.Board(server.url)
    following = asyncio.create_task(place.follow())
    async with asyncio.timeout(5):
        await place.joined.wait()
    async with http.HTTPClient(common=place) as client:
        yield memory.Memory(client.partner("clinic", ADDRESS), version, 600, lambda: LATER)
    following.cancel()
    await asyncio.wait([following])
    await place.close()


def about(topic="a", capability=offer.Capability.PASS):
    return base.Inquiry(capability, topic, DAY, DAY + timedelta(days=1))


def answer(word, at=DAY, era=None):
    given = offer.Pass(id=word, title=word, where="here")
    return memory.Remembered((given,), at, era or memory.Era())


def remembered(capability):
    return memory.Remembered((OFFERS[capability],), DAY, memory.Era())


async def until(true):
    """Wait until news have come, which have no event of their own here."""
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - as said
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("capability", offer.Capability)
async def test_an_answer_is_to_the_others_what_it_is_to_whom_it_was_given(server, capability):
    asked, given = about(capability=capability), remembered(capability)

    async with process(server) as one, process(server) as other:
        one.remember({asked: given})
        await until(lambda: other.get(asked))

    assert other.get(asked) == given


async def test_a_process_that_starts_later_remembers_what_the_others_were_told(server):
    async with process(server) as one, process(server) as other:
        one.remember({about("a"): answer("x"), about("b"): answer("y")})
        await until(lambda: other.get(about("b")))
        async with process(server) as late:
            await until(lambda: len(late) == 2)

    assert late.get(about("a")) == answer("x")


async def test_an_answer_is_not_younger_for_a_clock_that_is_ahead(server):
    async with process(server) as ahead, process(server) as other:
        ahead.remember({about(): answer("x", LATER + timedelta(days=1))})
        await until(lambda: other.get(about()))

    assert other.get(about()) == answer("x", LATER)


async def test_of_two_answers_to_one_question_the_later_counts(server):
    async with process(server) as one, process(server) as other:
        other.remember({about("a"): answer("new", LATER)})
        await until(lambda: one.get(about("a")))
        one.remember({about("a"): answer("old"), about("b"): answer("old")})
        await until(lambda: other.get(about("b")))

    assert other.get(about("a")) == answer("new", LATER)


async def test_what_a_booking_makes_untrue_all_forget_and_nobody_hears_later(server):
    place = about(capability=offer.Capability.PLACE)
    other_sort = remembered(offer.Capability.PLACE)

    async with process(server) as one, process(server) as other:
        one.remember({about("a"): answer("x"), place: other_sort})
        await until(lambda: len(other) == 2)
        era = other.era
        one.forget(offer.Capability.PASS)
        await until(lambda: era.is_over)
        other.remember({about("a"): answer("asked before", era=era)})
        async with process(server) as late:
            await until(lambda: late.get(place))

    assert [who.get(about("a")) for who in (one, other, late)] == [None, None, None]
    assert other.get(place) == other_sort


async def test_another_version_of_the_file_has_its_own_memory(server):
    async with process(server) as one, process(server, "2") as changed, process(server) as same:
        one.remember({about("a"): answer("x")})
        await until(lambda: same.get(about("a")))

    assert len(changed) == 0


async def test_what_others_tell_is_bounded_too(server):
    topics = [str(number) for number in range(memory.MOST + 5)]

    async with process(server) as one, process(server) as other:
        one.remember({about(topic): answer("x") for topic in topics})
        await until(lambda: other.get(about(topics[-1])))
        kept = {len(server.client.hgetall(key)) for key in server.client.keys("*answers")}

    assert (len(other), kept) == (memory.MOST, {memory.MOST})


@pytest.mark.parametrize(
    "nonsense",
    [
        None,
        [1, 2, 3],
        [{"capability": "song", "topic": "a", "since": DAY, "until": DAY}, [], DAY],
        [{"capability": "pass", "topic": "a", "since": DAY, "until": DAY}, [{"id": 1}], DAY],
    ],
)
async def test_an_answer_that_cannot_be_read_is_passed_over(server, nonsense):
    async with process(server) as one, process(server) as other:
        one._sheet.answered("pass:x", nonsense, 60, memory.MOST)
        one.remember({about("b"): answer("y")})
        await until(lambda: other.get(about("b")))

    assert len(other) == 1


def test_equal_questions_have_one_name_in_whatever_zone_they_are_asked():
    shanghai = datetime.fromisoformat("2026-11-02T16:00:00+08:00")
    questions = [
        base.Inquiry(capability, topic, since, DAY + timedelta(days=1))
        for capability, topic, since in itertools.product(
            (offer.Capability.PASS, offer.Capability.PLACE), "ab", (DAY, shanghai)
        )
    ]

    assert len({memory._question(one) for one in questions}) == len(set(questions)) == 4

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from connectors.base import Inquiry
from connectors.partner import Freshness
from models.offer import Capability
from resolvers.desk import Desk
from resolvers.reads import QUIET_TURNS, Reads
from tests.catalogue import NOW


def about(topic: str) -> Inquiry:
    return Inquiry(Capability.SHOWING, topic, NOW, NOW + timedelta(days=1))


@pytest.fixture
async def desk(registry):
    return Desk(registry, Reads(), asyncio.get_running_loop().time() + 5)


async def test_all_that_is_asked_at_once_is_one_ask_a_partner(desk, partners):
    answers = await asyncio.gather(
        *(desk.ask("first", about(topic)) for topic in ("film", "concert", "film")),
        desk.ask("second", about("film")),
    )

    assert [answer.partner for answer in answers] == ["first", "first", "first", "second"]
    assert partners["first"].asked == [(about("film"), about("concert"))]
    assert partners["second"].asked == [(about("film"),)]


async def test_what_was_asked_before_is_not_asked_again(desk, partners):
    before = await desk.ask("first", about("film"))
    after, new = await asyncio.gather(
        desk.ask("first", about("film")), desk.ask("first", about("concert"))
    )

    assert after is before
    assert partners["first"].asked == [(about("film"),), (about("concert"),)]
    assert new.partner == "first"


async def test_partners_are_asked_when_reading_is_over(registry, partners):
    reads = Reads()
    desk = Desk(registry, reads, asyncio.get_running_loop().time() + 5)
    gate = asyncio.Event()

    async def reads_then_asks():
        async with reads.one():
            await gate.wait()
        return await desk.ask("first", about("late"))

    early = asyncio.ensure_future(desk.ask("first", about("early")))
    late = asyncio.create_task(reads_then_asks())
    await asyncio.sleep(0.02)
    asked_before = list(partners["first"].asked)
    gate.set()
    await asyncio.gather(early, late)

    assert asked_before == []
    assert partners["first"].asked == [(about("early"), about("late"))]


async def test_whoever_hurried_before_does_not_hurry_what_is_asked_later(desk, partners):
    early = desk.ask("first", about("early"))
    early.hurry()
    await early
    early.hurry()

    async def a_few_turns_later():
        for _ in range(QUIET_TURNS // 2):
            await asyncio.sleep(0)
        return await desk.ask("first", about("later"))

    late = asyncio.create_task(a_few_turns_later())
    await asyncio.gather(late, desk.ask("first", about("sooner")))

    assert partners["first"].asked == [(about("early"),), (about("sooner"), about("later"))]


async def test_a_partner_that_is_not_at_work_is_unavailable_without_being_asked(desk):
    answer = await desk.ask("nobody", about("film"))

    assert answer.freshness is Freshness.UNAVAILABLE
    assert answer.problem == "PARTNER_MISCONFIGURED"
    assert answer.retry_after_seconds is None


async def test_a_partner_that_raises_lets_nobody_wait_for_ever(desk, partners):
    partners["first"].raises = RuntimeError("a fault of ours")

    async with asyncio.timeout(1):
        results = await asyncio.gather(
            desk.ask("first", about("film")),
            desk.ask("first", about("concert")),
            return_exceptions=True,
        )

    assert [type(result) for result in results] == [RuntimeError, RuntimeError]


async def test_all_facts_of_a_person_are_one_ask_a_partner_apart_from_offers(desk, partners):
    partners["first"].knows = {"age": 7}
    asked = [("first", "me", "age"), ("first", "me", "employed"), ("second", "me2", "age")]

    age, employed, _ = await asyncio.gather(*(desk.supply(*one) for one in (*asked,)))
    again, _ = await asyncio.gather(desk.supply(*asked[0]), desk.ask("first", about("film")))

    assert partners["first"].supplied == [("me", {"age", "employed"})]
    assert partners["second"].supplied == [("me2", {"age"})]
    assert age.facts == {"age": 7}
    assert employed is age is again
    assert partners["first"].asked == [(about("film"),)]


async def test_a_supplier_that_raises_lets_nobody_wait_for_ever(desk, partners):
    partners["first"].raises = RuntimeError("a fault of ours")

    async with asyncio.timeout(1):
        [result] = await asyncio.gather(desk.supply("first", "me", "age"), return_exceptions=True)

    assert type(result) is RuntimeError


async def test_who_leaves_does_not_take_the_answer_from_the_others(desk, partners):
    leaving = asyncio.ensure_future(desk.ask("first", about("film")))
    staying = asyncio.ensure_future(desk.ask("first", about("film")))
    await asyncio.sleep(0)

    leaving.cancel()

    assert (await staying).partner == "first"
    assert len(partners["first"].asked) == 1

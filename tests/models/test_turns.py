"""What takes long lets others have their turns, and goes on where it was."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import time
import weakref

import pytest

from models import turns

SEEN = contextvars.ContextVar("SEEN", default="nothing")


def long_work(pieces=5):
    """Take more than a piece's time, so many times."""
    for _ in range(pieces):
        ends = time.monotonic() + turns.PIECE_SECONDS * 1.5
        while time.monotonic() < ends:
            pass
        turns.breathe()
    return pieces


async def counted(count):
    while True:
        count.append(None)
        await asyncio.sleep(0)


async def turned(order, names):
    """Return in which turns of the loop those of these names came, of those that were put."""
    found = []
    while len(found) < len(names):
        await asyncio.sleep(0)
        found += [turned.count] * (len(order) - len(found))
        turned.count += 1
    assert "".join(order) == names
    return found


async def test_between_each_and_the_next_are_turns_for_what_is_small():
    order = []
    turned.count = 0
    for name in "abc":
        turns.put(lambda name=name: order.append(name))
    first, second, third = await turned(order, "abc")

    assert first == 0
    assert second - first > 8
    assert third - second > 8


async def test_what_comes_right_after_another_waits_as_long_as_if_both_had_come_together():
    order = []
    turned.count = 0
    turns.put(lambda: order.append("a"))
    await turned(order, "a")
    turns.put(lambda: order.append("b"))

    _, second = await turned(order, "ab")

    assert second > 8


async def test_what_goes_wrong_takes_nobodys_turn(caplog):
    order = []
    failed = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: failed.append(told))
    turns.put([].pop)
    turns.put(lambda: order.append("next"))
    await asyncio.sleep(0.01)

    assert order == ["next"]
    assert isinstance(failed[0]["exception"], IndexError)


async def test_others_go_on_while_long_work_is_done():
    count = []
    counting = asyncio.create_task(counted(count))

    assert await turns.piecemeal(long_work) == 5
    assert len(count) >= 5
    counting.cancel()


async def test_of_two_that_take_long_one_piece_is_done_in_a_turn():
    order = []

    def work(name):
        for _ in range(3):
            long_work(1)
            order.append(name)

    await asyncio.gather(*(turns.piecemeal(lambda name=name: work(name)) for name in "ab"))

    assert "".join(order) in {"ababab", "bababa"}


async def test_short_work_takes_no_turn():
    count = []
    counting = asyncio.create_task(counted(count))

    assert await turns.piecemeal(lambda: "done") == "done"
    assert count == []
    counting.cancel()


async def test_work_in_turn_waits_for_its_turn_however_short_it_is():
    order = []
    turned.count = 0
    work = [
        asyncio.create_task(turns.in_turn(lambda name=name: order.append(name))) for name in "ab"
    ]

    first, second = await turned(order, "ab")

    assert second - first > 8
    await asyncio.gather(*work)


def test_whoever_is_no_piece_breathes_without_a_loop():
    assert long_work(2) == 2


async def test_it_sees_and_sets_what_its_task_does():
    SEEN.set("before")
    seen = []

    def work():
        long_work(1)
        seen.append(SEEN.get())
        SEEN.set("inside")

    await turns.piecemeal(work)

    assert (seen, SEEN.get()) == (["before"], "inside")


async def test_what_it_raises_is_raised():
    def work():
        long_work(1)
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        await turns.piecemeal(work)


async def test_who_is_cancelled_ends_where_it_was():
    ended = []

    def work():
        try:
            long_work(1_000)
        finally:
            ended.append(True)

    working = asyncio.create_task(turns.piecemeal(work))
    await asyncio.sleep(turns.PIECE_SECONDS * 4)
    working.cancel()

    with pytest.raises(asyncio.CancelledError):
        await working
    assert ended == [True]


def test_no_loop_is_kept_alive():
    async def takes_a_turn():
        turns.put(lambda: None)
        await asyncio.sleep(0)
        return weakref.ref(asyncio.get_running_loop())

    loop = asyncio.run(takes_a_turn())
    gc.collect()

    assert loop() is None

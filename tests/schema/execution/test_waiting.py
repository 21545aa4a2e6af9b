"""What fills gaps, when it comes, and what is known of it afterwards."""

from __future__ import annotations

import asyncio

import pytest
from graphql.pyutils import Path

from resolvers.pending import Pending
from schema.execution.waiting import UnusualError, Waits


def told(value, _path):
    return f"<{value}>"


async def later(value, turns=1):
    for _ in range(turns):
        await asyncio.sleep(0)
    return value


def at(*keys):
    steps = path = None
    for key in keys:
        steps, path = (steps, key), Path(path, key, None)
    return steps, path


def never():
    raise AssertionError


async def test_what_is_there_is_told_at_once():
    waits = Waits()

    assert waits.put("here", told, (None, "a")) == "<here>"
    assert not waits


@pytest.mark.parametrize("many", [1, 2, 40])
async def test_each_gap_is_filled_with_what_comes_of_it(many):
    waits = Waits()
    text = "|".join(waits.put(later(n, many - n), told, (None, n)) for n in range(many))

    assert await waits.filled(text) == "|".join(f"<{n}>" for n in range(many))


@pytest.mark.parametrize("beside", [False, True])
async def test_what_fills_a_gap_may_have_gaps(beside):
    waits = Waits()

    def outer(value, path):
        inner = [waits.put(later(f"{value}{n}"), told, (path, n)) for n in range(3)]
        return f"[{' '.join(inner)}]"

    text = waits.put(later("a"), outer, (None, "a"))
    if beside:
        text += waits.put(later("b"), outer, (None, "b"))

    assert await waits.filled(text) == "[<a0> <a1> <a2>]" + "[<b0> <b1> <b2>]" * beside


async def test_a_gap_is_filled_as_soon_as_it_can_be():
    waits, order, gate = Waits(), [], asyncio.Event()

    async def held():
        await gate.wait()
        return "late"

    def outer(value, path):
        order.append(value)
        gate.set()
        return waits.put(later("inner"), noted, (path, "inner"))

    def noted(value, path):
        order.append(value)
        return told(value, path)

    text = waits.put(held(), noted, (None, "a")) + waits.put(later("first"), outer, (None, "b"))

    assert await waits.filled(text) == "<late><inner>"
    assert order[0] == "first"


async def test_many_that_wait_for_the_same_take_no_task():
    waits, future = Waits(), asyncio.get_running_loop().create_future()
    hurried = []
    pendings = [Pending((future,), lambda: hurried.append(None), lambda n: n, n) for n in range(3)]
    text = "".join(waits.put(one, told, (None, n)) for n, one in enumerate(pendings))
    filling = asyncio.create_task(waits.filled(text))
    await asyncio.sleep(0)
    tasks = len(asyncio.all_tasks())

    future.set_result(None)

    assert await filling == "<0><1><2>"
    assert tasks == 2
    assert hurried


async def test_nobody_is_hurried_while_more_may_be_asked():
    waits, future = Waits(), asyncio.get_running_loop().create_future()
    hurried = []
    pending = Pending((future,), lambda: hurried.append(None), lambda: "said")
    text = waits.put(pending, told, (None, "a")) + waits.put(later("read"), told, (None, "b"))
    filling = asyncio.create_task(waits.filled(text))
    await asyncio.sleep(0.01)
    future.set_result(None)

    assert await filling == "<said><read>"
    assert not hurried


async def test_what_comes_to_many_at_once_is_written_one_each_turn():
    future, written = asyncio.get_running_loop().create_future(), []

    def noted(value, path):
        written.append(value)
        return told(value, path)

    async def run(name):
        waits = Waits()
        pendings = [Pending((future,), lambda: None, lambda: name) for _ in range(2)]
        text = "".join(waits.put(one, noted, (None, n)) for n, one in enumerate(pendings))
        return await waits.filled(text)

    running = [asyncio.create_task(run(name)) for name in "abc"]
    await asyncio.sleep(0.01)
    future.set_result(None)
    seen = []
    while not all(one.done() for one in running):
        await asyncio.sleep(0)
        seen.append(len(written))

    assert "".join(written) == "aabbcc"
    assert {2, 4, 6} <= set(seen)


async def test_what_has_come_is_given_again_and_nobody_is_asked_twice():
    waits = Waits()
    (one, to_one), (other, to_other), (here, to_here) = at("a", 0), at("a", 1), at("b")
    waits.put("here", told, here)
    text = waits.put(later("came"), told, one) + waits.put(wrong(), told, other)

    with pytest.raises(ValueError, match="wrong"):
        await waits.filled(text)

    assert await waits.again(to_one, never) == "came"
    assert waits.again(to_one, lambda: "asked anew") == "asked anew"
    with pytest.raises(ValueError, match="wrong"):
        await waits.again(to_other, never)
    assert waits.again(to_here, never) == "here"
    assert waits.again(to_here, lambda: "asked anew") == "asked anew"
    await waits.end()


async def wrong():
    raise ValueError("wrong")


async def test_what_had_not_begun_is_asked_again():
    waits = Waits()
    steps, path = at("a")
    begun = later("never")
    waits.put(begun, told, steps)

    assert waits.again(path, lambda: "anew") == "anew"
    assert begun.cr_frame is None


@pytest.mark.parametrize("beside", [False, True])
async def test_who_asked_for_more_than_was_told_is_asked_again(beside):
    async def asks_more():
        raise UnusualError

    waits = Waits()
    steps, path = at("a")
    text = waits.put(asks_more(), told, steps)
    if beside:
        text += waits.put(later("b"), told, (None, "b"))

    with pytest.raises(UnusualError):
        await waits.filled(text)

    found = waits.again(path, lambda: later("anew"))
    assert await found == "anew"
    await waits.end()


async def test_whoever_leaves_ends_what_was_begun_for_them_and_nothing_of_others():
    ended, shared = [], asyncio.get_running_loop().create_future()

    async def long():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    waits = Waits()
    text = waits.put(long(), told, (None, "a")) + waits.put(shared, told, (None, "b"))
    filling = asyncio.create_task(waits.filled(text))
    await asyncio.sleep(0.01)

    filling.cancel()
    await asyncio.gather(filling, return_exceptions=True)
    await waits.end()

    assert ended == [True]
    assert not shared.cancelled()

"""Work that is begun before its bounds are set goes as if it had been awaited within them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.execution.patience import bounded

Log = list[str]
Step = Callable[[Log], Awaitable[None]]


class MistakeError(Exception):
    pass


@pytest.fixture(autouse=True)
def _nothing_is_left():
    """Have whatever was left behind complain of it: coroutines that nobody awaited."""
    yield
    gc.collect()


async def _turn(log: Log) -> None:
    await asyncio.sleep(0)
    log.append("turn")


async def _fail(log: Log) -> None:
    raise MistakeError


async def _fail_later(log: Log) -> None:
    await asyncio.create_task(_fail(log))


async def _swallow(log: Log) -> None:
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        log.append("swallowed")


async def _clean(log: Log) -> None:
    try:
        await asyncio.sleep(0)
    finally:
        await asyncio.sleep(0)
        log.append("cleaned")


async def _numbers(log: Log) -> AsyncIterator[int]:
    try:
        for n in range(3):
            await asyncio.sleep(0)
            yield n
    finally:
        await asyncio.sleep(0)
        log.append("closed")


async def _iterate(log: Log) -> None:
    async with contextlib.aclosing(_numbers(log)) as numbers:
        async for n in numbers:
            log.append(str(n))


async def _leave_early(log: Log) -> None:
    async with contextlib.aclosing(_numbers(log)) as numbers:
        async for n in numbers:
            log.append(str(n))
            break


async def _at_once(log: Log) -> None:
    log.append("at once")


async def _out_of_time(log: Log) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0):
            await asyncio.sleep(9)
    log.append("out of time")


async def _bounded(log: Log) -> None:
    await bounded(_clean(log), lambda: asyncio.timeout(9))


async def _bounded_shortly(log: Log) -> None:
    try:
        await bounded(_forever(log), lambda: asyncio.timeout(0))
    except TimeoutError:
        log.append("inner timeout")


async def _forever(log: Log) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        log.append("ended")


STEPS: list[Step] = [
    _turn, _fail, _fail_later, _swallow, _clean, _iterate, _leave_early, _at_once, _out_of_time,
    _bounded, _bounded_shortly,
]  # fmt: skip


async def _work(steps: list[Step], log: Log) -> int:
    try:
        for step in steps:
            await step(log)
        return len(log)
    finally:
        log.append("over")


async def _ran(work: Awaitable[int], log: Log, cancelled_at: int | None) -> tuple[str, Log]:
    """Return how some work ended, cancelled after so many turns, and what it noted."""
    task = asyncio.ensure_future(work)
    turns = 0
    while not task.done():
        if turns == cancelled_at:
            task.cancel()
        turns += 1
        await asyncio.sleep(0)
        if turns > 500:
            await asyncio.wait([task])
    await asyncio.sleep(0)
    if task.cancelled():
        return "cancelled", log
    return repr(task.exception() or task.result()), log


async def _awaited(work: Awaitable[int], bound: Callable) -> int:
    async with bound():
        return await work


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(STEPS), max_size=5),
    st.none() | st.integers(1, 12),
    st.sampled_from([contextlib.AsyncExitStack, lambda: asyncio.timeout(9)]),
)
def test_whenever_it_is_cancelled_and_however_it_ends_it_ends_as_ever(steps, cancelled_at, bound):
    async def ask() -> None:
        plain: Log = []
        log: Log = []
        as_ever = await _ran(_awaited(_work(steps, plain), bound), plain, cancelled_at)
        assert await _ran(bounded(_work(steps, log), bound), log, cancelled_at) == as_ever

    asyncio.run(ask())


async def test_what_is_done_at_once_is_bound_by_nothing():
    log: Log = []

    assert await bounded(_work([_at_once], log), _never) == 1
    with pytest.raises(MistakeError):
        await bounded(_work([_at_once, _fail], log), _never)


def _never() -> contextlib.AbstractAsyncContextManager[object]:
    raise AssertionError("There was something to wait for.")


async def test_what_waits_too_long_is_ended_and_cleans_up():
    log: Log = []

    with pytest.raises(TimeoutError):
        await bounded(_work([_turn, _forever], log), lambda: asyncio.timeout(0.01))

    assert log == ["turn", "ended", "over"]


@pytest.mark.parametrize(("outer", "inner"), [(0.01, 9), (9, 0.01)])
async def test_of_two_bounds_the_nearer_ends_it(outer, inner):
    log: Log = []

    with pytest.raises(TimeoutError):
        await bounded(
            bounded(_forever(log), lambda: asyncio.timeout(inner)), lambda: asyncio.timeout(outer)
        )

    assert log == ["ended"]


@pytest.mark.parametrize("waits", [False, True])
async def test_where_a_bound_cannot_be_set_the_work_is_ended(waits):
    log: Log = []

    @contextlib.asynccontextmanager
    async def bound() -> AsyncIterator[None]:
        await asyncio.sleep(0 if waits else 0.001)
        log.append("unset")
        raise MistakeError
        yield

    task = asyncio.ensure_future(bounded(_forever(log), bound))
    with pytest.raises(MistakeError) as told:
        await task

    assert log == ["unset", "ended"]
    assert told.value


async def test_work_that_is_dropped_while_it_waits_is_closed():
    log: Log = []
    work = bounded(_forever(log), contextlib.AsyncExitStack)
    work.send(None)

    work.close()

    assert log == ["ended"]


async def test_a_generator_that_works_within_bounds_is_closed_with_all_it_holds():
    log: Log = []

    async def parts() -> AsyncIterator[int]:
        async with contextlib.aclosing(_numbers(log)) as numbers:
            while True:
                yield await bounded(anext(numbers), lambda: asyncio.timeout(9))

    async with contextlib.aclosing(parts()) as found:
        assert [await anext(found), await anext(found)] == [0, 1]

    assert log == ["closed"]

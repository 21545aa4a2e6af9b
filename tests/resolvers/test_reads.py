from __future__ import annotations

import asyncio

import pytest

from resolvers import reads


@pytest.fixture
def counted():
    return reads.Reads()


async def test_with_nothing_to_read_it_is_quiet_at_once(counted):
    async with asyncio.timeout(1):
        await counted.quiet()


async def test_it_is_not_quiet_while_a_read_is_under_way(counted):
    gate, read = asyncio.Event(), asyncio.Event()

    async def reading():
        async with counted.one():
            await gate.wait()
        read.set()

    tasks = [asyncio.create_task(reading()) for _ in range(3)]
    quiet = asyncio.create_task(counted.quiet())
    await asyncio.sleep(0.02)
    early = quiet.done()
    gate.set()
    await quiet

    assert not early
    assert read.is_set()
    await asyncio.gather(*tasks)


async def test_a_read_that_follows_a_read_is_waited_for(counted):
    done = []

    async def one_after_another():
        for number in range(5):
            async with counted.one():
                await asyncio.sleep(0.001)
            done.append(number)
            await asyncio.sleep(0)

    task = asyncio.create_task(one_after_another())
    await asyncio.sleep(0)
    await counted.quiet()

    assert done == [0, 1, 2, 3, 4]
    await task


async def test_a_read_that_fails_is_over(counted):
    with pytest.raises(RuntimeError):
        async with counted.one():
            raise RuntimeError

    async with asyncio.timeout(1):
        await counted.quiet()


async def test_who_is_hurried_waits_for_what_is_read_and_for_nothing_else(counted):
    gate, turns = asyncio.Event(), []

    async def reading():
        async with counted.one():
            await gate.wait()

    async def counting():
        while True:
            turns.append(None)
            await asyncio.sleep(0)

    read = asyncio.create_task(reading())
    await asyncio.sleep(0)
    counted.hurry()
    quiet = asyncio.create_task(counted.quiet())
    await asyncio.sleep(0.02)
    early = quiet.done()
    count = asyncio.create_task(counting())
    gate.set()
    await quiet
    count.cancel()

    assert not early
    assert len(turns) < reads.QUIET_TURNS / 2
    await read

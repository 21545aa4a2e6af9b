"""Rounds: they begin when a mark is another, and once more after that."""

import asyncio
import contextlib

from resolvers.rounds import Rounds

SOON = 0.01
LATE = 60.0


class Marked:
    """A mark that tests set, and how often it was looked at."""

    def __init__(self) -> None:
        self.mark = 0
        self._looks = asyncio.Semaphore(0)

    async def __call__(self):
        self._looks.release()
        if self.mark is None:
            raise OSError
        return self.mark

    async def looked_at(self, times):
        while not self._looks.locked():
            await self._looks.acquire()
        for _ in range(times):
            await self._looks.acquire()


@contextlib.asynccontextmanager
async def running(mark):
    rounds = Rounds(mark, SOON)
    task = asyncio.create_task(rounds.run())
    await mark.looked_at(4)
    yield rounds
    rounds.stop()
    await task


async def test_no_round_begins_while_the_mark_stays():
    mark = Marked()
    async with running(mark) as rounds:
        seen = await rounds.next(-1, LATE)
        await mark.looked_at(4)

        assert await rounds.next(seen, 0) == seen


async def test_two_rounds_begin_when_the_mark_is_another():
    mark = Marked()
    async with running(mark) as rounds:
        seen = await rounds.next(-1, LATE)
        mark.mark = 1
        first = await rounds.next(seen, LATE)
        second = await rounds.next(first, LATE)
        await mark.looked_at(4)

        assert (first - seen, second - seen) == (1, 2)
        assert await rounds.next(second, 0) == second


async def test_each_look_begins_a_round_where_there_is_no_mark():
    mark = Marked()
    async with running(mark) as rounds:
        mark.mark = None
        await mark.looked_at(2)
        seen = await rounds.next(-1, LATE)

        for _ in range(3):
            seen = await rounds.next(seen, LATE)


async def test_whoever_has_waited_enough_goes_on_without_a_round():
    mark = Marked()
    async with running(mark) as rounds:
        seen = await rounds.next(-1, LATE)

        assert await asyncio.wait_for(rounds.next(seen, SOON), LATE) == seen


async def test_nobody_waits_once_it_is_stopped():
    mark = Marked()
    async with running(mark) as rounds:
        seen = await rounds.next(-1, LATE)
        waiting = asyncio.create_task(rounds.next(seen, LATE))
        await asyncio.sleep(0)

    assert await asyncio.wait_for(waiting, 1) == seen
    assert await asyncio.wait_for(rounds.next(seen, LATE), 1) == seen

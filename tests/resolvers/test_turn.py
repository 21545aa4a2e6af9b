"""Who comes while others are served is served with all who have come meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from operator import attrgetter

import pytest

from resolvers.turn import MOST, SERVERS, Turns


@dataclass(eq=False)
class Item:
    key: object
    served: bool = False


class Server:
    """Serves when it is let, and notes how many at a time."""

    def __init__(self) -> None:
        self.turns: list[list[object]] = []
        self.go = asyncio.Event()
        self.failure: Exception | None = None

    async def serve(self, items) -> list[object]:
        self.turns.append([one.key for one in items])
        await self.go.wait()
        if self.failure is not None:
            raise self.failure
        for one in items:
            one.served = True
        return [one.key for one in items]


async def come(turns, server, *keys):
    """Have items come, one after another, and return those who wait for them."""
    waiting = []
    for key in keys:
        waiting.append(turns.take(Item(key), server.serve))
        for _ in range(3):
            await asyncio.sleep(0)
    return waiting


async def test_who_comes_first_waits_for_nobody_and_who_comes_later_comes_together():
    turns, server = Turns(), Server()

    waiting = await come(turns, server, *range(SERVERS + 5))
    before = list(server.turns)
    server.go.set()
    found = await asyncio.gather(*waiting)

    assert found == list(range(SERVERS + 5))
    assert before == [[number] for number in range(SERVERS)]
    assert server.turns[SERVERS:] == [list(range(SERVERS, SERVERS + 5))]


async def test_no_more_are_served_together_than_is_good():
    turns, server = Turns(), Server()
    server.go.set()

    await asyncio.gather(*(turns.take(Item(n), server.serve) for n in range(3 * MOST)))

    assert sum(map(len, server.turns)) == 3 * MOST
    assert max(map(len, server.turns)) == MOST


async def test_two_under_one_key_are_never_served_together():
    turns, server = Turns(key=attrgetter("key")), Server()

    waiting = await come(turns, server, *range(SERVERS), "same", "other", "same")
    server.go.set()
    await asyncio.gather(*waiting)

    assert server.turns[SERVERS:] == [["same", "other"], ["same"]]


async def test_what_fails_reaches_all_who_were_served_and_nobody_else():
    turns, server = Turns(), Server()
    server.failure = LookupError("no database")

    waiting = await come(turns, server, *range(SERVERS), "a", "b")
    server.go.set()
    failed = await asyncio.gather(*waiting, return_exceptions=True)
    server.failure = None
    await turns.take(Item("later"), server.serve)

    assert all(isinstance(one, LookupError) for one in failed)
    assert server.turns[-1] == ["later"]


async def test_who_goes_away_is_served_all_the_same():
    turns, server = Turns(), Server()
    item = Item("gone")

    waiting = turns.take(item, server.serve)
    for _ in range(3):
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    server.go.set()
    await turns.take(Item("next"), server.serve)
    await asyncio.sleep(0)

    assert item.served

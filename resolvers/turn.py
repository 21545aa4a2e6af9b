"""Turns: whoever comes while others are served is served with all who have come meanwhile."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, Protocol, TypeVar

#: So many are served together at most, by so many servers at a time.
MOST = 32
SERVERS = 2


class Item(Protocol):
    """What is served; of several with one key, each is served in a turn of its own."""

    @property
    def key(self) -> Hashable:
        """By which it is told from others."""


T = TypeVar("T", bound=Item)


class Turns(Generic[T]):
    """A queue of what waits to be served, of one process.

    Nobody waits for others to come: as long as there is a server free, whoever comes is served.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[T, asyncio.Future[None]]] = deque()
        self._servers: set[asyncio.Task[None]] = set()

    async def take(self, item: T, serve: Callable[[Sequence[T]], Awaitable[None]]) -> None:
        """Have an item served, with others or alone.

        Args:
            item: It; ``serve`` leaves on it what comes of it.
            serve: Serves several. What it raises reaches all of them.
        """
        served: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, served))
        if len(self._servers) < SERVERS:
            server = asyncio.create_task(self._work(serve))
            self._servers.add(server)
            server.add_done_callback(self._servers.discard)
        await served

    async def _work(self, serve: Callable[[Sequence[T]], Awaitable[None]]) -> None:
        # Whoever comes in the same turn of the loop is served in one go.
        await asyncio.sleep(0)
        while self._waiting:
            together = self._next()
            failure: Exception | None = None
            try:
                await serve([item for item, _ in together])
            except Exception as wrong:  # noqa: BLE001 - it is told to whoever waits
                failure = wrong
            for _, served in together:
                _tell(served, failure)

    def _next(self) -> list[tuple[T, asyncio.Future[None]]]:
        taken: dict[Hashable, tuple[T, asyncio.Future[None]]] = {}
        later = []
        while self._waiting and len(taken) < MOST:
            one = self._waiting.popleft()
            if one[0].key in taken:
                later.append(one)
            else:
                taken[one[0].key] = one
        self._waiting.extendleft(reversed(later))
        return list(taken.values())


def _tell(served: asyncio.Future[None], failure: Exception | None) -> None:
    # Who went away does not hear what came of it; it came of it all the same.
    if served.done():
        return
    if failure is None:
        served.set_result(None)
    else:
        served.set_exception(failure)

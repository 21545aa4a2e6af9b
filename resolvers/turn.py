"""Turns: whoever comes while others are served is served with all who have come meanwhile."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

#: So many are served together at most where nobody says otherwise, by so many servers at a time.
MOST = 32
SERVERS = 2

T = TypeVar("T")
V = TypeVar("V")

#: Serves several: returns what comes of each, in order. What it raises reaches all of them.
Serve = Callable[[Sequence[T]], Awaitable[Sequence[V]]]


class Turns(Generic[T, V]):
    """A queue of what waits to be served, of one process.

    Nobody waits for others to come: as long as there is a server free, whoever comes is served.
    Who goes away is served all the same.

    Args:
        most: So many are served together at most.
        key: By which those are told from each other that are never served together.
    """

    def __init__(self, most: int = MOST, key: Callable[[T], Hashable] | None = None) -> None:
        self._most = most
        self._key = key
        self._waiting: deque[tuple[T, asyncio.Future[V]]] = deque()
        self._servers: set[asyncio.Task[None]] = set()

    def take(self, item: T, serve: Serve[T, V]) -> asyncio.Future[V]:
        """Have an item served, with others or alone, and return what comes of it."""
        loop = asyncio.get_running_loop()
        served: asyncio.Future[V] = loop.create_future()
        self._waiting.append((item, served))
        if len(self._servers) < SERVERS:
            server = loop.create_task(self._work(serve))
            self._servers.add(server)
            server.add_done_callback(self._servers.discard)
        return served

    async def _work(self, serve: Serve[T, V]) -> None:
        while self._waiting:
            together = self._next() if self._key is None else self._next_apart(self._key)
            try:
                found = await serve([item for item, _ in together])
            except Exception as wrong:  # noqa: BLE001 - it is told to whoever waits
                for _, served in together:
                    if not served.done():
                        served.set_exception(wrong)
                continue
            for (_, served), value in zip(together, found, strict=True):
                # Who went away does not hear what came of it.
                if not served.done():
                    served.set_result(value)

    def _next(self) -> list[tuple[T, asyncio.Future[V]]]:
        waiting = self._waiting
        return [waiting.popleft() for _ in range(min(len(waiting), self._most))]

    def _next_apart(self, key: Callable[[T], Hashable]) -> list[tuple[T, asyncio.Future[V]]]:
        taken: dict[Hashable, tuple[T, asyncio.Future[V]]] = {}
        later = []
        while self._waiting and len(taken) < self._most:
            one = self._waiting.popleft()
            # Who comes second under a key is among those who are served next.
            if taken.setdefault(key(one[0]), one) is not one:
                later.append(one)
        self._waiting.extendleft(reversed(later))
        return list(taken.values())

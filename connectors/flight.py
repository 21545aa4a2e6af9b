"""Single flight: whoever asks what is already being asked waits for that answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Flights(Generic[K, T]):
    """The calls in flight, by what they ask."""

    def __init__(self) -> None:
        self._flying: dict[K, tuple[float, asyncio.Task[T]]] = {}

    async def join(
        self,
        key: K,
        start: Callable[[], Coroutine[Any, Any, T]],
        *,
        ends: float,
        deadline: float,
    ) -> T:
        """Return what the call for this key returns, starting it when none is in flight.

        The call belongs to no waiter: a waiter that is cancelled or leaves early takes nothing
        from the others, and the answer comes to be known all the same.

        Args:
            key: What is asked.
            start: Makes the call.
            ends: When a call started now ends by itself, in the running loop's time.
            deadline: When this waiter leaves, whoever started the call.

        Raises:
            TimeoutError: this waiter's deadline is earlier than the call's, and has passed.
        """
        if key not in self._flying:
            task = asyncio.create_task(start())
            self._flying[key] = ends, task
            task.add_done_callback(lambda done: self._land(key, done))
        ends, task = self._flying[key]
        # A call that ends by then says itself why, which a waiter's own alarm could not.
        async with asyncio.timeout_at(deadline if deadline < ends else None):
            return await asyncio.shield(task)

    async def close(self) -> None:
        """End every call in flight."""
        tasks = [task for _, task in self._flying.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _land(self, key: K, done: asyncio.Task[T]) -> None:
        del self._flying[key]
        if not done.cancelled():
            # When every waiter has left, nobody else fetches the error and asyncio complains.
            done.exception()

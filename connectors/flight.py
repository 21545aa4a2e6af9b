"""Single flight: whoever asks what is already being asked waits for that answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


@dataclass(slots=True)
class _Flight(Generic[T]):
    """A call: when it ends by itself, and how many have joined it and not been cancelled."""

    ends: float
    task: asyncio.Task[T]
    joined: int = 0


class Flights(Generic[K, T]):
    """The calls in flight, by what they ask."""

    def __init__(self) -> None:
        self._flying: dict[K, _Flight[T]] = {}

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
        from the others. The answer that nobody waited for long enough comes to be known all the
        same; only a call whose every waiter was cancelled is given up.

        Args:
            key: What is asked.
            start: Makes the call.
            ends: When a call started now ends by itself, in the running loop's time.
            deadline: When this waiter leaves, whoever started the call.

        Raises:
            TimeoutError: this waiter's deadline is earlier than the call's, and has passed.
        """
        found = self._flying.get(key) or self._begun(key, start, ends)
        found.joined += 1
        try:
            if deadline >= found.ends:
                # A call that ends by then says itself why, which a waiter's own alarm could not.
                return await asyncio.shield(found.task)
            async with asyncio.timeout_at(deadline):
                return await asyncio.shield(found.task)
        except asyncio.CancelledError:
            found.joined -= 1
            if not found.joined:
                # Whoever asks now is not to join a call that is about to end.
                self._forget(key, found)
                found.task.cancel()
            raise
        finally:
            # What the call raises knows this frame, which would keep the call, and so what it
            # raised, in a cycle.
            del found

    def _begun(
        self, key: K, start: Callable[[], Coroutine[Any, Any, T]], ends: float
    ) -> _Flight[T]:
        begun = self._flying[key] = _Flight(ends, asyncio.create_task(start()))
        begun.task.add_done_callback(lambda _: self._land(key, begun))
        return begun

    async def close(self) -> None:
        """End every call in flight."""
        tasks = [one.task for one in self._flying.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _land(self, key: K, landed: _Flight[T]) -> None:
        self._forget(key, landed)
        if not landed.task.cancelled():
            # When every waiter has left, nobody else fetches the error and asyncio complains.
            landed.task.exception()

    def _forget(self, key: K, one: _Flight[T]) -> None:
        if self._flying.get(key) is one:
            del self._flying[key]

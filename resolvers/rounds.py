"""Rounds: when a process looks again at what other processes may have changed.

The menu, the partners, the keys, the webhooks and so on are each looked at by statements of their
own. Mostly there is nothing new, and one mark of all says so: as long as it stays the same, nobody
looks but now and then, for what changes by the clock alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Hashable

_log = logging.getLogger("greenway")


class Rounds:
    """Begins a round when anything was changed, and another after it.

    The second is for what has to be looked at twice: a file counts once it has stood still.

    Args:
        mark: Returns the mark. Where it cannot, each look at it begins a round.
        seconds: Between two looks at the mark.
    """

    def __init__(self, mark: Callable[[], Awaitable[Hashable]], seconds: float) -> None:
        self._mark = mark
        self._seconds = seconds
        self._number = 0
        self._begins = asyncio.Event()
        self._closing = asyncio.Event()

    async def run(self) -> None:
        """Look at the mark until stopped."""
        last, is_second = None, False
        while not self._closing.is_set():
            mark = await self._marked()
            is_new = mark is None or mark != last
            if is_new or is_second:
                self._begin()
            last, is_second = mark, is_new
            await within(self._seconds, self._closing)

    async def next(self, seen: int, most: float) -> int:
        """Return the round under way once it is not the one that was seen, or ``most`` is over."""
        if self._number == seen and not self._closing.is_set():
            await within(most, self._begins)
        return self._number

    def stop(self) -> None:
        """Let nobody wait any more."""
        self._closing.set()
        self._begins.set()

    def _begin(self) -> None:
        self._number += 1
        begins, self._begins = self._begins, asyncio.Event()
        begins.set()

    async def _marked(self) -> Hashable | None:
        try:
            return await self._mark()
        except Exception:  # noqa: BLE001 - whoever looks says what is wrong
            _log.debug("there is no mark", exc_info=True)
            return None


async def within(seconds: float, event: asyncio.Event) -> None:
    """Wait for an event, but no longer than so many seconds."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)

"""Taking turns: what takes long is done in pieces, one each few turns of the event loop.

What many wait for comes to all of them at once, and what somebody sends may take long to read. Were
it all done in one turn, nobody would be answered before the last, and nothing be begun meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from greenlet import getcurrent, greenlet

T = TypeVar("T")

#: A piece is over after so long, at the next breath. What is known is done in longer ones: most of
#: it is done in the first, and others wait no longer for it than they did.
PIECE_SECONDS = 0.0005
LONG_PIECE_SECONDS = 0.004
#: So many turns of the loop are between two pieces: what is small has several until it is answered,
#: or until a partner is asked, and would wait for a piece in each.
_BETWEEN = 8


class _Queue:
    """What has to be done in an event loop, in the order in which it was put.

    It does not hold the loop, which it would keep alive.
    """

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        #: Whether something is done in a turn to come, or was in one of the last few.
        self._is_busy = False

    def put(self, work: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
        self._waiting.append(work)
        if not self._is_busy:
            self._is_busy = True
            loop.call_soon(self._next)

    def _next(self) -> None:
        if not self._waiting:
            self._is_busy = False
            return
        try:
            self._waiting.popleft()()
        finally:
            self._rest(_BETWEEN)

    def _rest(self, turns: int) -> None:
        """Go on after so many turns of the loop."""
        then = partial(self._rest, turns - 1) if turns else self._next
        asyncio.get_running_loop().call_soon(then)


_queues: WeakKeyDictionary[asyncio.AbstractEventLoop, _Queue] = WeakKeyDictionary()


def put(work: Callable[[], None]) -> None:
    """Have something done in a turn of its own, after what was put before."""
    loop = asyncio.get_running_loop()
    queue = _queues.get(loop)
    if queue is None:
        queue = _queues[loop] = _Queue()
    queue.put(work, loop)


async def piecemeal(
    work: Callable[[], T],
    seconds: float = PIECE_SECONDS,
    around: Callable[[], AbstractAsyncContextManager[object]] = nullcontext,
) -> T:
    """Return what some work comes to, which breathes now and then; others have their turns then.

    A piece of it takes so many ``seconds``. If it is more than one, the others are done inside what
    ``around`` returns.
    """
    pieces = _Pieces(work, seconds)
    found: Any = pieces.switch()
    if not pieces.dead:
        async with around():
            while not pieces.dead:
                try:
                    await _turn()
                except BaseException as wrong:  # noqa: BLE001 - it is the work's to raise
                    found = pieces.throw(wrong)
                else:
                    found = pieces.switch()
    done: T = found
    return done


async def in_turn(work: Callable[[], T]) -> T:
    """Return what some work comes to, piecemeal; even the first piece waits for its turn.

    So it is with what a query may ask for many times: the first pieces are not all done at once.
    """
    await _turn()
    return await piecemeal(work)


def breathe() -> None:
    """End a piece, if it is one and has taken its time."""
    current = getcurrent()
    if isinstance(current, _Pieces):
        current.breathe()


def is_piecemeal() -> bool:
    """Say whether what asks is done piecemeal."""
    return isinstance(getcurrent(), _Pieces)


class _Pieces(greenlet):
    """Work that is left in the middle, and gone on with."""

    def __init__(self, work: Callable[[], object], seconds: float) -> None:
        super().__init__(work)
        around = getcurrent()
        self.gr_context = around.gr_context
        self._around = around
        self._seconds = seconds
        self._ends = time.monotonic() + seconds

    def breathe(self) -> None:
        if time.monotonic() > self._ends:
            self._around.switch()
            self._ends = time.monotonic() + self._seconds


async def _turn() -> None:
    """Wait for a turn of one's own."""
    come = asyncio.get_running_loop().create_future()

    def comes() -> None:
        if not come.done():
            come.set_result(None)

    put(comes)
    await come

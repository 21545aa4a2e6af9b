"""Whether whoever asked is still there: what nobody waits for any more is given up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType

from starlette.types import Receive

#: A query that is over by then is never watched: looking out costs more than it would save.
PATIENCE_SECONDS = 0.05

_MESSAGES = 2


class GoneError(Exception):
    """The client went away before its answer was there; nobody is left to tell."""


class Departure:
    """That a client has left, as a server tells of it, or is about to."""

    __slots__ = ("_has_come", "_listens")

    def __init__(self) -> None:
        self._has_come = False
        self._listens: Callable[[], object] | None = None

    def come(self) -> None:
        """Tell whoever listens."""
        self._has_come = True
        if self._listens is not None:
            self._listens()

    def listen(self, tell: Callable[[], object]) -> None:
        """Have it told; at once, where it has come."""
        self._listens = tell
        if self._has_come:
            tell()

    def ignore(self) -> None:
        """Have it told to nobody any more."""
        self._listens = None


class Received(Departure):
    """It, where a server tells only of what is received: whoever listens soon looks out for it.

    The request's body must have been read, since what is received here is thrown away.
    """

    __slots__ = ("_receive", "_timer", "_watching")

    def __init__(self, receive: Receive) -> None:
        super().__init__()
        self._receive = receive
        self._timer: asyncio.TimerHandle | None = None
        self._watching: asyncio.Task[None] | None = None

    def listen(self, tell: Callable[[], object]) -> None:
        """Have it told, where it comes after a while."""
        super().listen(tell)
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(PATIENCE_SECONDS, self._watch, loop)

    def ignore(self) -> None:
        """Look out for it no more."""
        super().ignore()
        # They know this, which would be left in a cycle with them.
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        self._watching = loop.create_task(self._look())

    async def _look(self) -> None:
        # What is received first may be the end of a body that there was none of.
        for _ in range(_MESSAGES):
            if (await self._receive())["type"] == "http.disconnect":
                self.come()
                return


class WhileThere:
    """Cancels what runs inside it once the client is gone, and then raises ``GoneError``.

    For queries alone: a mutation that has begun goes on to its end, whoever waits.
    """

    __slots__ = ("_before", "_departure", "_gone", "_task")

    def __init__(self, departure: Departure) -> None:
        self._departure = departure
        self._gone = False

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("Only a task can be given up.")
        self._task, self._before = task, task.cancelling()
        self._departure.listen(self._give_up)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._departure.ignore()
        # As a time limit does it: who else cancels the task meanwhile is not robbed of that.
        if self._gone and self._task.uncancel() <= self._before and kind is asyncio.CancelledError:
            raise GoneError from error

    def _give_up(self) -> None:
        self._gone = True
        self._task.cancel()

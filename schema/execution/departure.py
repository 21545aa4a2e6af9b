"""Whether whoever asked is still there: what nobody waits for any more is given up."""

from __future__ import annotations

import asyncio
from types import TracebackType

from starlette.types import Receive

#: A query that is over by then is never watched: looking out costs more than it would save.
PATIENCE_SECONDS = 0.05

_MESSAGES = 2


class GoneError(Exception):
    """The client went away before its answer was there; nobody is left to tell."""


class WhileThere:
    """Cancels what runs inside it once the client is gone, and then raises ``GoneError``.

    For queries alone: a mutation that has begun goes on to its end, whoever waits. The request's
    body must have been read, since what is received here is thrown away.
    """

    __slots__ = ("_before", "_gone", "_receive", "_task", "_timer", "_watching")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._gone = False
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("Only a task can be given up.")
        self._task, self._before = task, task.cancelling()
        self._timer = loop.call_later(PATIENCE_SECONDS, self._watch, loop)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._watching is None:
            return
        self._watching.cancel()
        # As a time limit does it: who else cancels the task meanwhile is not robbed of that.
        if self._gone and self._task.uncancel() <= self._before and kind is asyncio.CancelledError:
            raise GoneError from error

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        self._watching = loop.create_task(self._departure())

    async def _departure(self) -> None:
        # What is received first may be the end of a body that there was none of.
        for _ in range(_MESSAGES):
            if (await self._receive())["type"] == "http.disconnect":
                self._gone = True
                self._task.cancel()
                return

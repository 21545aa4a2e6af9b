"""How a process ends: those before it hear of it first, while it still answers."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from starlette.types import ASGIApp, Receive, Scope, Send

from endpoints import protocol


class Leaving:
    """An application that hears of SIGTERM, and tells, before the server beneath acts on it.

    A balancer sends requests until it has seen ``/readyz`` say no, and a client as long as it has
    a connection. So for some seconds everything is answered as before, each answer being the last
    of its connection; only then the server stops listening. A second SIGTERM ends the wait.
    """

    def __init__(self, app: ASGIApp, seconds: float, drain: Callable[[], object]) -> None:
        """Call ``drain`` when it hears of it, and go on for so many seconds."""
        self.begun = False
        #: For answers that would last longer than the process.
        self.told = asyncio.Event()
        self._app = app
        self._seconds = seconds
        self._drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or live as long as the process."""
        if scope["type"] == "lifespan":
            scope["state"][protocol.LEAVING] = self
            with self._noticing():
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    @contextlib.contextmanager
    def _noticing(self) -> Iterator[None]:
        server = signal.getsignal(signal.SIGTERM)
        if not callable(server) or threading.current_thread() is not threading.main_thread():
            yield
            return
        ends: Callable[[int, FrameType | None], object] = server
        loop = asyncio.get_running_loop()

        def handle(number: int, _: FrameType | None) -> None:
            loop.call_soon_threadsafe(self._begin, lambda: ends(number, None))

        signal.signal(signal.SIGTERM, handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, server)

    def _begin(self, end: Callable[[], object]) -> None:
        if self.begun:
            end()
            return
        self.begun = True
        self._drain()
        self.told.set()
        asyncio.get_running_loop().call_later(self._seconds, end)

"""What a socket's client may send beside whole messages, and when it is read.

The server beneath reads all that has come in one turn, keeps a message's fragments as long as it
takes the last to come, and answers pings of whoever fetches no answer. One client would hold up
everybody that way, so here what has come is read in pieces, and what is no message has bounds.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import CloseCode, Frame
from websockets.protocol import State

from endpoints import protocol
from models import turns

#: So many bytes are read at once: some forty of the smallest frames.
_PIECE_BYTES = 256
#: So many fragments may a message have.
_FRAGMENTS = 256
#: So many pings and pongs may come in a second.
_SIGNS = 20


class Sockets:
    """All sockets of a process, and what makes them, as ``uvicorn.Config(ws=…)`` takes it.

    ``message_seconds`` is how long a message may be on its way.
    """

    def __init__(self, message_seconds: float = 10.0) -> None:
        self.message_seconds = message_seconds
        #: Those of which something may be read, in the order of their turns.
        self._waiting: dict[_Socket, None] = {}

    def protocol(self) -> type[asyncio.Protocol]:
        """Return it as the server has it, which calls a class and this alike."""
        return cast("type[asyncio.Protocol]", partial(_Socket, self))

    def wait(self, one: _Socket) -> None:
        """Have a socket read what has come, as its turn comes."""
        if not self._waiting:
            one.loop.call_soon(self._read)
        self._waiting[one] = None

    def _read(self) -> None:
        """Have each in turn read a piece, until nothing is left or others are to have a turn."""
        ends = time.monotonic() + turns.PIECE_SECONDS
        try:
            while self._waiting and time.monotonic() < ends:
                one = next(iter(self._waiting))
                del self._waiting[one]
                if one.read():
                    self._waiting[one] = None
        finally:
            if self._waiting:
                turns.put(self._read)


class _Socket(WebSocketsSansIOProtocol):
    """One socket. While the application has not taken a message, nothing after it is read."""

    def __init__(
        self,
        sockets: Sockets,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._sockets = sockets
        #: What has come and is not read yet; no more is taken in meanwhile.
        self._ahead = bytearray()
        #: What ends a message that is not whole by then.
        self._late: asyncio.TimerHandle | None = None
        #: How many pings and pongs have come until when the count begins anew.
        self._signs = 0
        self._counted_until = 0.0

    def connection_lost(self, exc: Exception | None) -> None:
        self._ahead.clear()
        self._stop_waiting()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Leave an open socket to its application, which closes it once all is told.

        Unless it has not heard that the process ends: then nobody else would.
        """
        leaving = self.app_state.get(protocol.LEAVING)
        is_open = self.handshake_complete and not self.close_sent
        if not is_open or leaving is None or not leaving.begun:
            super().shutdown()

    def data_received(self, data: bytes) -> None:
        if not self.handshake_initiated:
            super().data_received(data)
            return
        self.transport.pause_reading()
        self._ahead += data
        self._sockets.wait(self)

    def read(self) -> bool:
        """Read a piece of what has come, if it may be read, and say whether to go on."""
        if self.transport.is_closing() or self.read_paused or not self.handshake_complete:
            return False
        if self._ahead:
            piece = bytes(self._ahead[:_PIECE_BYTES])
            del self._ahead[:_PIECE_BYTES]
            super().data_received(piece)
            return True
        self._wait()
        self.transport.resume_reading()
        return False

    def _wait(self) -> None:
        """Wait for the rest of a message, if one has begun, and not for ever."""
        if not (self.frames or self.conn.reader.buffer):
            self._stop_waiting()
        elif self._late is None:
            why = CloseCode.POLICY_VIOLATION, "A message took too long to come."
            self._late = self.loop.call_later(self._sockets.message_seconds, self._hang_up, *why)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    async def receive(self) -> Any:  # noqa: ANN401 - as the server has it
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self._sockets.wait(self)
        return message

    async def send(self, message: Any) -> None:  # noqa: ANN401 - as the server has it
        if self.disconnected and message["type"] == "websocket.close":
            # Whoever has just gone need not be told.
            return
        await super().send(message)
        # What has come before the socket was accepted, or closed, may be read now.
        if self._ahead:
            self._sockets.wait(self)

    def send_receive_event_to_app(self) -> None:
        self._stop_waiting()
        if self.curr_msg_data_type == "text" and not _is_text(b"".join(self.frames)):
            self._hang_up(CloseCode.INVALID_DATA, "A message is not UTF-8.")
            return
        super().send_receive_event_to_app()

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) < _FRAGMENTS:
            super().handle_cont(event)
        else:
            most = f"A message has at most {_FRAGMENTS} fragments."
            self._hang_up(CloseCode.POLICY_VIOLATION, most)

    def handle_ping(self) -> None:
        if not self._is_heeded():
            return
        if self.writable.is_set() or self.conn.state is not State.OPEN:
            super().handle_ping()
        else:
            # Of pings that came meanwhile the last is answered (RFC 6455, section 5.5.3).
            del self.conn.writes[:-1]

    def handle_pong(self, event: Frame) -> None:
        if self._is_heeded():
            super().handle_pong(event)

    def _is_heeded(self) -> bool:
        """Count a ping or a pong, and say whether it is one of as many as may come."""
        now = self.loop.time()
        if now >= self._counted_until:
            self._counted_until, self._signs = now + 1, 0
        self._signs += 1
        if self._signs > _SIGNS:
            most = f"A socket has at most {_SIGNS} pings and pongs a second."
            self._hang_up(CloseCode.POLICY_VIOLATION, most)
        return not self.transport.is_closing()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.transport.is_closing():
            self.transport.write(b"".join(self.conn.data_to_send()))

    def _hang_up(self, code: CloseCode, reason: str) -> None:
        if not self.transport.is_closing():
            self.conn.fail(code, reason)
            self.handle_parser_exception()

    def handle_parser_exception(self) -> None:
        super().handle_parser_exception()
        self._end()

    def handle_close(self, event: Frame) -> None:
        super().handle_close(event)
        self._end()

    def _end(self) -> None:
        """Have nobody wait for what cannot be sent any more."""
        self.close_sent = self.disconnected = True
        self.writable.set()


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True

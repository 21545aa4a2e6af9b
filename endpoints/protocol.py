"""What a connection may take before it is cut: time to ask, bytes of a request, places in all.

The server beneath waits for a request as long as it takes to come. A few slow clients would keep
every place that way, so each connection here has a moment by which it must have moved on.
"""

from __future__ import annotations

import asyncio
import ipaddress
import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from endpoints.head import Head, Heads
from schema.execution import WHOLE, Departure

#: What the application may put into the state of its lifespan: whether the process is leaving.
LEAVING = "leaving"
#: And by path what answers a request at once, if it can; see ``Instant``.
INSTANT = "instant"
#: Returns the answer to a whole request that needs nothing but what is at hand, of its scope and
#: its body: the status, the head's lines with the empty one after them, the body. None for others.
Instant = Callable[[Any, bytes], tuple[int, bytes, bytes] | None]

_LOOK_SECONDS = 1.0
#: An answer with a larger body is sent as soon as it is there.
_SMALL_BYTES = 16 * 1024
#: So many bytes more than its head may a request have: no route takes a body of half as much.
_BODY_BYTES = 512 * 1024
#: So many bytes are read at once: of what comes after a request, no more is read before its turn.
_PIECE_BYTES = 1024
#: So many bytes may wait for their turn; as long as there are more, none are taken in.
_AHEAD_BYTES = 64 * 1024
#: What a request has that has a body.
_OF_BODIES = frozenset({b"content-length", b"transfer-encoding"})
_REFUSALS = {
    400: "This is no HTTP request.",
    431: "The head of the request is too large.",
    503: "There are too many connections; try again soon.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What connections may take.

    ``head_seconds`` is how long the head of a request may be on its way, ``idle_seconds`` how long
    a connection may stay without a request, or with an answer that nobody fetches. ``each`` is the
    most connections of one address, those of ``proxies`` (addresses and networks) apart; 0 for
    any number.
    """

    head_seconds: float = 10.0
    head_bytes: int = 32 * 1024
    idle_seconds: float = 65.0
    connections: int = 1024
    each: int = 0
    proxies: Collection[str] = ()


class Crowd:
    """All connections of a process, and what makes them, as ``uvicorn.Config(http=…)`` takes it."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        #: Those without a request under way, the longest so first: they make room for others.
        self.waiting: dict[_Connection, None] = {}
        #: The heads that were read of requests, of whichever connection.
        self.heads = Heads()
        self._unsent: list[_Connection] = []
        self._headers: list[tuple[bytes, bytes]] = []
        self._common = b""
        self._all: set[_Connection] = set()
        self._by_address: Counter[str] = Counter()
        #: Connections that became sockets, and by when those that are closing are to be gone.
        self._sockets: dict[asyncio.Transport, float] = {}
        self._looking = False

    def protocol(self) -> type[asyncio.Protocol]:
        """Return it as the server has it, which calls a class and this alike."""
        return cast("type[asyncio.Protocol]", partial(_Connection, self))

    def admits(self, one: _Connection) -> bool:
        """Take in a connection, and say whether there is a place for it.

        Where all are taken, whoever has waited longest without a request leaves its place: those
        who hold connections and ask nothing keep out nobody who asks.
        """
        if not self._looking:
            self._looking = True
            one.loop.call_later(_LOOK_SECONDS, self._look, one.loop)
        self._all.add(one)
        self._by_address[one.address] += 1
        each = self.bounds.each
        if each and self._by_address[one.address] > each and not self._is_proxy(one.address):
            return False
        if len(self._all) > self.bounds.connections:
            longest = next(iter(self.waiting), None)
            if longest is None:
                return False
            longest.cut()
        self.rests(one)
        return True

    def rests(self, one: _Connection) -> None:
        """Have a connection make room for others, until it asks for something."""
        if one in self._all:
            self.waiting[one] = None

    def common(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        """Return the lines that all answers have, which are others each second."""
        if headers is not self._headers:
            self._headers = headers
            self._common = b"".join(b"%s: %s\r\n" % one for one in headers)
        return self._common

    def flush_soon(self, one: _Connection) -> None:
        """Send what a connection has not sent yet, with the others', at the end of this turn.

        Whoever waits for a first answer has to be woken, which takes longer than sending it; who
        waits for more of them, as a proxy does, is still awake for those right after it.
        """
        if not self._unsent:
            one.loop.call_soon(self._flush)
        self._unsent.append(one)

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        for one in unsent:
            one.flush()

    def forget(self, one: _Connection) -> None:
        """Give a connection's place to others."""
        if one in self._all:
            self._all.remove(one)
            self.waiting.pop(one, None)
            self._by_address[one.address] -= 1
            if not self._by_address[one.address]:
                del self._by_address[one.address]

    def opened(self, one: _Connection) -> None:
        """Take a connection for a socket, which has bounds of its own, until it is to be closed."""
        self.forget(one)
        self._sockets[one.transport] = math.inf

    def _is_proxy(self, address: str) -> bool:
        networks = (ipaddress.ip_network(one) for one in self.bounds.proxies)
        return any(ipaddress.ip_address(address) in one for one in networks)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        ends = now + self.bounds.idle_seconds
        for one in self._all:
            if one.transport.is_closing():
                # What is closed waits for whoever does not fetch what was sent before.
                one.due = min(one.due, ends)
        for late in [one for one in self._all if one.due < now]:
            late.cut()
        for socket, due in list(self._sockets.items()):
            if due < now:
                socket.abort()
                del self._sockets[socket]
            elif socket.is_closing():
                self._sockets[socket] = min(due, ends)
        self._looking = bool(self._all or self._sockets)
        if self._looking:
            loop.call_later(_LOOK_SECONDS, self._look, loop)


class _Connection(HttpToolsProtocol):
    """One connection: ``due`` is when it must have moved on, in the loop's time."""

    def __init__(
        self,
        crowd: Crowd,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.flow: _Flow
        self._crowd = crowd
        self._bounds = crowd.bounds
        #: How many bytes may come until the head, or the request, is whole.
        self._room = crowd.bounds.head_bytes
        self._leaving = app_state.get(LEAVING)
        self._instant: Mapping[str, Instant] = app_state.get(INSTANT) or {}
        #: The request whose turn it is, or was last.
        self._turn: RequestResponseCycle | None = None
        #: It and its application, while more of it may be in the bytes that are being read.
        self._held: tuple[RequestResponseCycle, Any] | None = None
        self._is_reading = False
        #: What has come after a whole request that is not answered yet.
        self._ahead = bytearray()
        #: Whether the connection outlives the answer to the request that is being read.
        self._keeps = False
        #: Whether nothing more is read, and how that is to be told once all before is answered.
        self._is_over = False
        self._refusal: int | None = None
        #: Whether all that came has been read, so that the next to come is a head.
        self._is_between = True
        #: An answer that is sent at the end of this turn.
        self._unsent: tuple[bytes, ...] = ()
        self.address = ""
        self.due = math.inf

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as the server has it
        super().connection_made(transport)
        self.flow = _Flow(transport)
        self.address = self.client[0] if self.client else ""
        self.due = self.loop.time() + self._bounds.head_seconds
        if not self._crowd.admits(self):
            self._refuse(503)

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.forget(self)
        self.pipeline.clear()
        self._ahead.clear()
        # It is the request under way whose client has gone, whatever else had come.
        self.cycle = cycle = self._turn or self.cycle
        super().connection_lost(exc)
        if isinstance(cycle, _Cycle) and not cycle.response_complete:
            cycle.departure.come()

    def handle_websocket_upgrade(self) -> None:
        self._crowd.opened(self)
        self._is_over = True
        super().handle_websocket_upgrade()
        socket: Any = self.transport.get_protocol()
        if not socket.handshake_initiated:
            # What reads it has found nothing wrong, nor a handshake: it waits for more.
            self._refuse(400)

    def flush(self) -> None:
        """Send what is not sent yet."""
        if self._unsent and not self.transport.is_closing():
            self.transport.writelines(self._unsent)
        self._unsent = ()

    def shutdown(self) -> None:
        self.flush()
        self._keeps = False
        super().shutdown()

    def eof_received(self) -> None:
        self.flush()

    def data_received(self, data: bytes) -> None:
        if self._unsent:
            self.flush()
        if self._ahead or self._has_come():
            self._wait(data)
        else:
            self._take(data)

    def _has_come(self) -> bool:
        """Say whether a request under way is whole, so that what comes now has to wait."""
        turn = self._turn
        return turn is not None and not turn.response_complete and not turn.more_body

    def _wait(self, data: bytes) -> None:
        """Keep what came before its turn. Reading goes on, to notice who leaves, up to a bound."""
        if self._is_over:
            return
        self._ahead += data
        if len(self._ahead) > _AHEAD_BYTES:
            self.flow.is_full = True
            self.flow.pause_reading()

    def _go_on(self) -> None:
        """Take in what waited, as far as its turn has come."""
        if self.transport.is_closing() or self._has_come():
            return
        self.flush()
        data, self._ahead = bytes(self._ahead), bytearray()
        self.flow.is_full = False
        self.flow.resume_reading()
        self._take(data)

    def _take(self, data: bytes) -> None:
        """Take in bytes whose turn it is."""
        is_first = self._is_between and not self._is_answering()
        if is_first and (head := self._crowd.heads.of(data)) is not None:
            self._begin(head, data)
            return
        self._is_reading = True
        self._read(data)
        self._is_reading = False
        if self._held is not None:
            cycle, app = self._held
            self._held = None
            if is_first and self._is_between:
                self._crowd.heads.learn(data, cycle)
            if not self._is_answered(cycle) and not self.transport.is_closing():
                super()._start_asgi_task(cycle, app)

    def _begin(self, head: Head, request: bytes) -> None:
        """Answer a request whose head was read before, as if it had been read."""
        self._engage()
        body, departure = request[len(request) - head.length :], Departure()
        scope = {
            **head.scope,
            "server": self.server,
            "client": self.client,
            "state": self.app_state.copy(),
            "extensions": {WHOLE: {"known": head.known, "body": body, "departure": departure}},
        }
        cycle = _Cycle(self, scope, body, departure, keep_alive=not self._is_leaving())
        self.cycle = self._turn = cycle
        if not self._is_answered(cycle):
            super()._start_asgi_task(cycle, self.app)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401 - as the server has it
        self._turn = cycle
        if self._is_reading:
            self._held = cycle, app
        else:
            super()._start_asgi_task(cycle, app)

    def _is_answered(self, cycle: RequestResponseCycle) -> bool:
        """Answer a request at once, if that can be: it takes no task, and no turn of the loop."""
        instant = self._instant.get(cycle.scope["path"])
        if instant is None or cycle.more_body or not cycle.keep_alive:
            return False
        if cycle.scope["method"] == "HEAD":
            return False
        if self.flow.write_paused or self.transport.is_closing():
            return False
        answer = instant(cycle.scope, bytes(cycle.body))
        if answer is None:
            return False
        self.respond(cycle, *answer)
        return True

    def respond(self, cycle: RequestResponseCycle, status: int, head: bytes, body: bytes) -> None:
        """Write a whole answer: its status, its head's lines with the empty one, and its body."""
        common = self._crowd.common(self.server_state.default_headers)
        ends = b"" if cycle.keep_alive else b"connection: close\r\n"
        self._unsent = STATUS_LINE[status], common, ends, head, body
        if len(body) > _SMALL_BYTES or self.pipeline or not cycle.keep_alive:
            self.flush()
        else:
            self._crowd.flush_soon(self)
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _read(self, data: bytes) -> None:
        """Read bytes piece by piece, up to the end of a request: what follows has to wait."""
        for start in range(0, len(data), _PIECE_BYTES):
            if self._is_over or self.transport.is_closing():
                return
            if self._has_come():
                self._wait(data[start:])
                return
            self._read_piece(data[start : start + _PIECE_BYTES])

    def _read_piece(self, data: bytes) -> None:
        room = self._room - len(data)
        if room < 0:
            self._fill(data)
        else:
            self._room = room
            self._parse(data)

    def _fill(self, data: bytes) -> None:
        """Take in what there is room for; the rest, where that made a head or a request whole."""
        room, self._room = self._room, 0
        self._parse(data[:room])
        if self._is_over or self.transport.is_closing():
            return
        if self._ahead:
            self._wait(data[room:])
        elif self._room:
            self._read_piece(data[room:])
        elif self._is_answering():
            self.cut()
        else:
            self._refuse(431)

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._refuse(400)

    def _upgrade(self, rest: bytes) -> None:
        """Go on after a head that asks for another protocol.

        The parser takes what follows for that protocol. Where it is none that is spoken here, it
        is as if it had not been asked for (RFC 9110, section 7.8): the head is read without.
        """
        is_socket = self._should_upgrade()
        if is_socket and self.flow.write_paused:
            # Whoever fetches no answer opens no socket.
            self.cut()
            return
        if is_socket and not self._is_answering():
            self.handle_websocket_upgrade()
            return
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        if method == b"CONNECT":
            self._refuse(400)
            return
        lines = [b"%s %s HTTP/%s" % (method, self.url, version)]
        fields = [one for one in self.headers if is_socket or one[0] != b"upgrade"]
        head = b"\r\n".join([*lines, *(b"%s: %s" % one for one in fields), b"", b""])
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._is_between = True
        if is_socket:
            # It has its turn once what was asked before is answered.
            self._wait(head + rest)
        else:
            self._parse(head)
            self._read_piece(rest)

    def _should_upgrade(self) -> bool:
        # A handshake has no body (RFC 6455, section 4.1).
        has_body = not _OF_BODIES.isdisjoint(name for name, _ in self.headers)
        is_handshake = self.parser.get_method() == b"GET" and not has_body
        return is_handshake and super()._should_upgrade()

    def on_message_begin(self) -> None:
        if not self._is_answering():
            self.due = self.loop.time() + self._bounds.head_seconds
        self._is_between = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._engage()
        self._room = _BODY_BYTES
        if self.parser.should_upgrade():
            self.scope["method"] = self.parser.get_method().decode()
            return
        super().on_headers_complete()
        # One more of the same piece waits for its turn: who leaves is to be noticed meanwhile.
        self.flow.resume_reading()
        # Whoever is answered before the body has come is answered for good: nobody reads the rest.
        self._keeps = self.cycle.keep_alive and not self._is_leaving()
        self.cycle.keep_alive = False

    def _engage(self) -> None:
        """Have a request to answer: there is no moment by which that must be done.

        Unless an answer before it waits to be fetched.
        """
        if not self.flow.write_paused:
            self.due = math.inf
        self._crowd.waiting.pop(self, None)

    def _is_leaving(self) -> bool:
        return self._leaving is not None and self._leaving.begun

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._room = self._bounds.head_bytes
        self._is_between = True
        super().on_message_complete()
        if not self.cycle.response_started:
            self.cycle.keep_alive = self._keeps

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.pipeline and not self.transport.is_closing():
            self._start_asgi_task(*self.pipeline.pop())
        else:
            # A head that has begun to come is waited for as long as any.
            bounds = self._bounds
            seconds = bounds.idle_seconds if self._is_between else bounds.head_seconds
            self.due = self.loop.time() + seconds
            if not self._ahead:
                self._crowd.rests(self)
            if self._refusal is not None:
                self._refuse(self._refusal)
        if self.transport.is_closing():
            return
        if self.flow.read_paused:
            self.flow.resume_reading()
        if self._ahead and not self._has_come():
            self.loop.call_soon(self._go_on)

    def pause_writing(self) -> None:
        self.due = self.loop.time() + self._bounds.idle_seconds
        super().pause_writing()

    def resume_writing(self) -> None:
        if self._is_answering():
            self.due = math.inf
        super().resume_writing()

    def cut(self) -> None:
        """End it at once: what the other end has not taken yet is not waited for."""
        self.flush()
        self._crowd.forget(self)
        self.transport.abort()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, status: int) -> None:
        """Say why nothing more is read, after all that is still to be answered, and end it."""
        self._is_over = True
        if self.pipeline and self.cycle.more_body:
            # What cannot be read to its end is not begun.
            self.pipeline.popleft()
            before = self.pipeline[0][0] if self.pipeline else self._turn
            self.cycle = cast("RequestResponseCycle", before)
        if self._has_come():
            self._refusal = status
            return
        if self._is_answering() and self.cycle.response_started:
            self.cut()
            return
        self.flush()
        text = _REFUSALS[status].encode()
        self.transport.write(
            STATUS_LINE[status] + b"content-type: text/plain; charset=utf-8\r\n"
            b"x-content-type-options: nosniff\r\ncache-control: no-store\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n%s" % (len(text), text)
        )
        self.transport.close()


class _Flow(FlowControl):
    """Whether bytes are taken in: not while too many wait for their turn, whoever asks for more."""

    is_full = False

    def resume_reading(self) -> None:
        if not self.is_full:
            super().resume_reading()


#: That what is waited for is there already: all requests that came whole begin with this one.
_HAS_COME = asyncio.Event()
_HAS_COME.set()


class _Cycle(RequestResponseCycle):
    """A request that came whole, and its answer, which may be one message as well."""

    def __init__(
        self,
        connection: _Connection,
        scope: Any,  # noqa: ANN401 - as the server has it
        body: bytes,
        departure: Departure,
        *,
        keep_alive: bool,
    ) -> None:
        super().__init__(
            scope=scope,
            transport=connection.transport,
            flow=connection.flow,
            logger=connection.logger,
            access_logger=connection.access_logger,
            access_log=connection.access_log,
            default_headers=connection.server_state.default_headers,
            message_event=_HAS_COME,
            expect_100_continue=False,
            keep_alive=keep_alive,
            on_response=connection.on_response_complete,
        )
        self.departure = departure
        self._connection = connection
        self.body = bytearray(body)
        self.more_body = False

    async def receive(self) -> Any:  # noqa: ANN401 - as the server has it
        if self.message_event is _HAS_COME:
            self.message_event = asyncio.Event()
            self.message_event.set()
        return await super().receive()

    async def send(self, message: Any) -> None:  # noqa: ANN401 - as the server has it
        if message["type"] != WHOLE:
            await super().send(message)
            return
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if not self.disconnected:
            self._connection.respond(self, message["status"], message["head"], message["body"])

"""GraphQL over a WebSocket: the graphql-transport-ws protocol, and what a socket may take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import orjson
from starlette.requests import Request
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from models import errors
from schema.execution import problems
from schema.execution.code import Code
from schema.execution.documents import Documents
from schema.execution.live import Live, RefusedError, refusing
from schema.execution.schema import NO_PLAN, PLANS, Asked
from schema.execution.seat import FullError, Seats, address_of

PROTOCOL = "graphql-transport-ws"

#: Makes the context of an operation, of a scope with the headers of who opened the socket, and of
#: how a plan of it is asked for.
Context = Callable[[Scope, str | None], Awaitable[Any]]

#: Why a client is hung up on, as the protocol numbers it.
_BAD, _UNAUTHORIZED, _FORBIDDEN, _UNACCEPTABLE = 4400, 4401, 4403, 4406
_LATE, _TAKEN, _TOO_MANY = 4408, 4409, 4429
_GOING, _UNWELL, _RESTARTING = 1000, 1011, 1012
#: What the members of a `subscribe` message are.
_SHAPES: dict[str, Any] = {
    "query": str | None,
    "variables": dict | None,
    "operationName": str | None,
    "extensions": dict | None,
    "documentId": str | None,
}
#: A reason has so many bytes at most (RFC 6455).
_REASON = 123
#: What of the handshake says who asks, and how; no key that is shown once a request.
_HEADERS = (b"accept-language", b"authorization", b"host")


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketLimits:
    """What one socket may take.

    ``idle_seconds`` is how long it may stay without an operation and without a word.
    """

    init_seconds: float = 3.0
    idle_seconds: float = 60.0
    operations: int = 20
    message_bytes: int = 256 * 1024


class _HungUpError(Exception):
    """The client does not keep to the protocol, or its time is over."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class GraphQLSocket:
    """The ASGI application behind a path that speaks to sockets.

    Args:
        live: What answers.
        context: Makes what resolvers see.
        seats: How many sockets there may be.
        limits: What one may take.
        documents: Finds documents by their hash, where that is offered.
        leaving: Returns once the process is to end: a socket is closed then, when nothing runs on
            it any more.
        origins: Which pages of others may open one; ``*`` for any.
        headers: Which headers of the handshake count beside those that always do.
    """

    def __init__(
        self,
        live: Live,
        context: Context,
        *,
        seats: Seats | None = None,
        limits: SocketLimits | None = None,
        documents: Documents | None = None,
        leaving: Callable[[], Awaitable[object]] | None = None,
        origins: Collection[str] = (),
        headers: Collection[str] = (),
    ) -> None:
        self._live = live
        self._context = context
        self._documents = documents
        self._leaving = leaving or asyncio.Event().wait
        self._seats = seats or Seats()
        self._limits = limits or SocketLimits()
        self._origins = frozenset(origins)
        self._headers = {*_HEADERS, *(name.lower().encode() for name in headers)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        if not self._is_welcome(socket):
            await socket.close(_FORBIDDEN)
            return
        try:
            with self._seats.taken(address_of(scope)):
                await self._talk(socket)
        except FullError:
            await socket.accept(PROTOCOL if PROTOCOL in socket["subprotocols"] else None)
            await socket.close(_TOO_MANY, "There are too many sockets; try again later.")

    def _is_welcome(self, socket: WebSocket) -> bool:
        """Say whether a page may open a socket: one of ours, or one that was named."""
        origin = socket.headers.get("origin")
        if origin is None or not self._origins.isdisjoint({origin, "*"}):
            return True
        return urlsplit(origin).netloc == socket.headers.get("host", "")

    async def _talk(self, socket: WebSocket) -> None:
        spoken = PROTOCOL in socket["subprotocols"]
        await socket.accept(PROTOCOL if spoken else None)
        if not spoken:
            await socket.close(_UNACCEPTABLE, f"Speak {PROTOCOL}.")
            return
        request = partial(_request, socket.scope, self._headers)
        talk = _Talk(socket, self._limits, request, self._context, self._live, self._documents)
        async with talk:
            try:
                async with self._until_it_leaves(talk):
                    await talk.go_on()
            except _HungUpError as hung_up:
                await socket.close(hung_up.code, _reason(str(hung_up)))
            except WebSocketDisconnect:
                return

    @asynccontextmanager
    async def _until_it_leaves(self, talk: _Talk) -> AsyncIterator[None]:
        """Go on until the process leaves, and what runs then has ended and been told.

        Raises:
            _HungUpError: it has.
        """

        async def leave(patience: asyncio.Timeout) -> None:
            await self._leaving()
            await talk.settled()
            patience.reschedule(asyncio.get_running_loop().time())

        try:
            async with asyncio.timeout(None) as patience:
                leaving = asyncio.create_task(leave(patience))
                try:
                    yield
                finally:
                    leaving.cancel()
        except TimeoutError:
            raise _HungUpError(_RESTARTING, "The hub is about to end.") from None


@dataclass(frozen=True, slots=True)
class _Sent:
    """What a `subscribe` message asks for, its shape checked."""

    query: str
    variables: dict[str, Any]
    name: str | None
    extensions: dict[str, Any] | None
    document_id: str | None


class _Talk:
    """One socket's conversation; ``request`` makes a request of what a client shows."""

    def __init__(
        self,
        socket: WebSocket,
        limits: SocketLimits,
        request: Callable[[str | None], Request],
        context: Context,
        live: Live,
        documents: Documents | None,
    ) -> None:
        self._socket = socket
        self._limits = limits
        self._shown = request
        self._request = request(None)
        self._context = context
        self._live = live
        self._documents = documents
        self._running: dict[str, asyncio.Task[None]] = {}
        #: Those included that end because the client wants no more of them.
        self._tasks: set[asyncio.Task[None]] = set()
        #: Whether nothing new is begun.
        self._is_leaving = False

    async def __aenter__(self) -> _Talk:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let nothing run for a client that has gone."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def settled(self) -> None:
        """Begin nothing new, and wait until nothing runs, as long as an operation may take."""
        self._is_leaving = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._live.seconds)

    async def go_on(self) -> None:
        """Talk until one side hangs up.

        Raises:
            WebSocketDisconnect: the client did.
        """
        await self._begin()
        async for message in self._messages():
            match message:
                case {"type": "ping"}:
                    await self._tell({"type": "pong"})
                case {"type": "pong"}:
                    pass
                case {"type": "subscribe", "id": str(id_), "payload": dict(payload)} if id_:
                    await self._subscribe(id_, _sent(payload))
                case {"type": "complete", "id": str(id_)}:
                    if task := self._running.pop(id_, None):
                        task.cancel()
                case {"type": "connection_init"}:
                    raise _HungUpError(_TOO_MANY, "Too many initialisation requests")
                case _:
                    raise _invalid()

    async def _begin(self) -> None:
        """Hear who it is; nothing is done for them before.

        Raises:
            WebSocketDisconnect: the client hung up.
        """
        try:
            async with asyncio.timeout(self._limits.init_seconds):
                given = _authorization(await self._first())
        except TimeoutError:
            raise _HungUpError(_LATE, "Connection initialisation timeout") from None
        if given is not None:
            self._request = self._shown(given)
        try:
            # Whoever shows what does not hold is told at once, not with their first operation.
            await self._context(self._request.scope, None)
        except errors.UnauthenticatedError as refused:
            raise _HungUpError(_FORBIDDEN, refused.sentence) from None
        except errors.GreenwayError as refused:
            raise _HungUpError(_UNWELL, refused.sentence) from None
        await self._tell({"type": "connection_ack"})

    async def _first(self) -> dict[str, Any]:
        """Return the first message that is no sign of life."""
        while True:
            message = await self._heard()
            if message.get("type") == "ping":
                await self._tell({"type": "pong"})
            elif message.get("type") != "pong":
                return message

    async def _messages(self) -> AsyncIterator[dict[str, Any]]:
        while True:
            try:
                async with asyncio.timeout(self._limits.idle_seconds):
                    message = await self._heard()
            except TimeoutError:
                if self._running:
                    continue
                raise _HungUpError(_GOING, "Nothing was asked for a while.") from None
            yield message

    async def _heard(self) -> dict[str, Any]:
        """Return the client's next message.

        Raises:
            WebSocketDisconnect: the client hung up.
        """
        said = await self._socket.receive()
        if said["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(said.get("code", 1005))
        text = said.get("text")
        if text is None or len(text) > self._limits.message_bytes:
            raise _invalid()
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise _invalid() from None
        if not isinstance(message, dict):
            raise _invalid()
        return message

    async def _subscribe(self, id_: str, sent: _Sent) -> None:
        if id_ in self._running:
            raise _HungUpError(_TAKEN, f"Subscriber for {id_} already exists")
        if len(self._running) >= self._limits.operations:
            most = f"A socket has at most {self._limits.operations} operations at once."
            error = {"message": most, "extensions": {"code": Code.TOO_MANY_STREAMS}}
            await self._tell({"id": id_, "type": "error", "payload": [error]})
            return
        if self._is_leaving:
            left = problems.leaving().formatted
            await self._tell({"id": id_, "type": "error", "payload": [left]})
            return
        self._running[id_] = task = asyncio.create_task(self._run(id_, sent))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, id_: str, sent: _Sent) -> None:
        with suppress(WebSocketDisconnect):
            last = await self._told(id_, sent)
            # Its id is free before the client can know that it is.
            self._running.pop(id_, None)
            await self._tell(last)

    async def _told(self, id_: str, sent: _Sent) -> dict[str, Any]:
        """Send what an operation answers, and return the message that ends it."""
        try:
            with refusing(self._live.seconds):
                asked = Asked(await self._text(sent), sent.variables, sent.name)
            surroundings = partial(self._context, self._request.scope, _plan(sent))
            asking = self._live.answers(asked, surroundings)
            async with aclosing(asking) as parts:
                async for part in parts:
                    await self._tell({"id": id_, "type": "next", "payload": part})
        except RefusedError as refused:
            return {"id": id_, "type": "error", "payload": refused.errors}
        except WebSocketDisconnect:
            raise
        except Exception as error:  # noqa: BLE001 - the last place where it can be told safely
            return {"id": id_, "type": "error", "payload": [problems.masked(error).formatted]}
        return {"id": id_, "type": "complete"}

    async def _text(self, sent: _Sent) -> str:
        """Return the text to run."""
        documents = self._documents
        wanted = sent.query, sent.document_id, sent.extensions
        if documents is None or not documents.concern(*wanted):
            return sent.query
        await documents.begun()
        return documents.resolved(*wanted)

    async def _tell(self, message: dict[str, Any]) -> None:
        if self._socket.application_state is not WebSocketState.CONNECTED:
            raise WebSocketDisconnect
        await self._socket.send_text(orjson.dumps(message).decode())


def _authorization(message: dict[str, Any]) -> str | None:
    """Return what a client shows as its first message, as the header of that name has it."""
    payload: dict[str, Any] = {}
    match message:
        case {"type": "connection_init", "payload": dict(payload)}:
            pass
        case {"type": "connection_init"} if message.get("payload") is None:
            pass
        case {"type": "subscribe"}:
            raise _HungUpError(_UNAUTHORIZED, "Unauthorized")
        case _:
            raise _invalid()
    given = {name.lower(): value for name, value in payload.items()}.get("authorization")
    if not isinstance(given, str | None):
        raise _HungUpError(_FORBIDDEN, "`authorization` must be a string.")
    return given


def _sent(payload: dict[str, Any]) -> _Sent:
    found: list[Any] = []
    for name, kind in _SHAPES.items():
        found.append(payload.get(name))
        if not isinstance(found[-1], kind):
            raise _invalid()
    query, variables, name, extensions, document_id = found
    if not (query or extensions or document_id):
        raise _invalid()
    return _Sent(query or "", variables or {}, name or None, extensions, document_id)


def _plan(sent: _Sent) -> str | None:
    """Return how a plan of it is asked for."""
    plan: str | None = (sent.extensions or {}).get("plan")
    if plan is not None and plan not in PLANS:
        raise RefusedError.of(NO_PLAN)
    return plan


def _request(scope: Scope, headers: Collection[bytes], authorization: str | None) -> Request:
    """Return a request as who opened a socket might send it."""
    kept = [(name, value) for name, value in scope["headers"] if name in headers]
    if authorization is not None:
        kept = [(name, value) for name, value in kept if name != b"authorization"]
        kept.append((b"authorization", authorization.encode("latin-1", "replace")))
    return Request({**scope, "type": "http", "method": "GET", "headers": kept})


def _invalid() -> _HungUpError:
    return _HungUpError(_BAD, "Invalid message received")


def _reason(sentence: str) -> str:
    return sentence.encode()[:_REASON].decode(errors="ignore")

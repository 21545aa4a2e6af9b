"""Answers in parts over HTTP: as events (graphql-sse), or as the parts of a multipart body.

There are three ways: server-sent events for whatever is asked, for those who want events first of
all; a multipart body for a subscription; and a multipart body for a query that asks for some of
its data later (`@defer`, `@stream`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from enum import Enum

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Send
from strawberry.types.graphql import OperationType

from schema.execution import negotiation, problems
from schema.execution.code import Code
from schema.execution.live import (
    Live,
    Read,
    RefusedError,
    Silence,
    Surroundings,
    paced,
)
from schema.execution.part import Part
from schema.execution.schema import Asked
from schema.execution.seat import FullError, Seats
from schema.execution.socket import address_of

EVENTS = "text/event-stream"
MULTIPART = "multipart/mixed"

#: What keeps those between from holding an answer back, or from hanging up on a quiet one.
_HEADERS = {
    "cache-control": "no-store",
    "vary": "accept, accept-language, authorization",
    "x-accel-buffering": "no",
    "x-content-type-options": "nosniff",
}
_RETRY_SECONDS = 5


def wanted(types: Sequence[str]) -> bool:
    """Return whether who takes these media types may want an answer in parts."""
    return EVENTS in types or MULTIPART in types


def wants_events(types: Sequence[str]) -> bool:
    """Return whether who takes these wants events first of all, whatever is asked."""
    return types[:1] == [EVENTS]


class Way(Enum):
    """How an answer in parts is sent."""

    EVENTS = "events"
    SUBSCRIPTION = "subscription"
    PIECES = "pieces"

    @property
    def media(self) -> str:
        """The answer's media type."""
        return {
            Way.EVENTS: f"{EVENTS}; charset=utf-8",
            Way.SUBSCRIPTION: f'{MULTIPART}; boundary="graphql"; subscriptionSpec=1.0',
            Way.PIECES: f'{MULTIPART}; boundary="-"',
        }[self]

    @property
    def seconds(self) -> float:
        """How long an answer may be silent."""
        return 5.0 if self is Way.SUBSCRIPTION else 15.0

    def begun(self) -> bytes:
        """Return what an answer begins with."""
        # A comment, so that the client hears at once that it is listened to.
        return {Way.EVENTS: b":\n\n", Way.SUBSCRIPTION: b"--graphql", Way.PIECES: b"---"}[self]

    def part(self, part: Part) -> bytes:
        """Return a part as it is sent."""
        if self is Way.EVENTS:
            return b"event: next\ndata: " + orjson.dumps(part) + b"\n\n"
        # With what is between this part and the next, without which this one is not whole.
        said = orjson.dumps({"payload": part} if self is Way.SUBSCRIPTION else part)
        return b"\r\ncontent-type: application/json\r\n\r\n" + said + b"\r\n" + self.begun()

    def silent(self) -> bytes:
        """Return what says that there is nothing to say."""
        if self is Way.EVENTS:
            return b":\n\n"
        return b"\r\ncontent-type: application/json\r\n\r\n{}\r\n" + self.begun()

    def ended(self) -> bytes:
        """Return what an answer ends with."""
        return b"event: complete\ndata:\n\n" if self is Way.EVENTS else b"--\r\n"


class Streams:
    """Sends answers in parts, as many at once as there are seats.

    ``leaving`` returns once the process is to end, and with it what would go on for ever.
    """

    def __init__(
        self,
        live: Live,
        *,
        seats: Seats | None = None,
        leaving: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self._live = live
        self._seats = seats or Seats()
        self._leaving = leaving or asyncio.Event().wait

    async def way(self, request: Request, asked: Asked, context: object) -> Way | None:
        """Return how the answer to an operation is sent in parts; None: it is sent as one.

        Raises:
            RateLimitedError: who asks has spent too much.
        """
        types = negotiation.ranked(", ".join(request.headers.getlist("accept")))
        if not wanted(types):
            return None
        try:
            read = await self._live.read(asked, context)
        except RefusedError:
            return Way.EVENTS if wants_events(types) else None
        return _way(types, read, request.method)

    async def respond(
        self,
        way: Way,
        asked: Asked,
        surroundings: Surroundings,
        request: Request,
        send: Send,
    ) -> None:
        """Answer a request, whose body has been read, in parts, as long as the client is there."""
        try:
            with self._seats.taken(address_of(request.scope)):
                await self._send(way, asked, surroundings, request.receive, send)
        except FullError:
            await _full()(request.scope, request.receive, send)

    async def _send(
        self,
        way: Way,
        asked: Asked,
        surroundings: Surroundings,
        receive: Receive,
        send: Send,
    ) -> None:
        headers = {**_HEADERS, "content-type": way.media}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": raw})
        await _write(send, way.begun())
        answers = self._live.answers(asked, surroundings, delivering=way is Way.PIECES)
        telling = asyncio.create_task(_tell(way, answers, send))
        gone = asyncio.create_task(_gone(receive))
        leaving = asyncio.ensure_future(self._leaving())
        try:
            await asyncio.wait({telling, gone, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in (telling, gone, leaving):
                one.cancel()
            await asyncio.gather(telling, gone, leaving, return_exceptions=True)
        with suppress(OSError):
            await _write(send, way.ended(), more=False)


def _way(types: list[str], read: Read, method: str) -> Way | None:
    if read.prepared.kind is OperationType.MUTATION and method == "GET":
        return None
    if wants_events(types):
        return Way.EVENTS
    if read.prepared.kind is OperationType.SUBSCRIPTION:
        first = next((one for one in types if one in {EVENTS, MULTIPART}), None)
        return {EVENTS: Way.EVENTS, MULTIPART: Way.SUBSCRIPTION}.get(first or "")
    return Way.PIECES if read.in_pieces and MULTIPART in types else None


async def _tell(way: Way, answers: AsyncGenerator[Part, None], send: Send) -> None:
    try:
        async with aclosing(paced(answers, way.seconds)) as parts:
            async for part in parts:
                await _write(send, way.silent() if part is Silence.SILENCE else way.part(part))
    except RefusedError as refused:
        await _write(send, way.part({"errors": refused.errors}))
    except OSError:
        # The client has gone.
        return
    except Exception as error:  # noqa: BLE001 - the last place where it can be told safely
        await _write(send, way.part({"errors": [problems.masked(error).formatted]}))


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Send, said: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": said, "more_body": more})


def _full() -> Response:
    error = {
        "message": "There are too many streams; try again later.",
        "extensions": {"code": Code.TOO_MANY_STREAMS},
    }
    return Response(
        orjson.dumps({"errors": [error]}),
        503,
        {"retry-after": str(_RETRY_SECONDS), **_HEADERS},
        negotiation.JSON,
    )

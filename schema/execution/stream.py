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
from starlette.types import Receive, Send
from strawberry.types.graphql import OperationType

from schema.execution import negotiation, problems
from schema.execution.answer import Headers
from schema.execution.live import (
    Live,
    Read,
    RefusedError,
    Silence,
    paced,
)
from schema.execution.part import Part
from schema.execution.schema import Asked
from schema.execution.seat import Seats, address_of

EVENTS = "text/event-stream"
MULTIPART = "multipart/mixed"

#: What keeps those between from holding an answer back, or from hanging up on a quiet one.
_HEADERS = ((b"cache-control", b"no-store"), (b"x-accel-buffering", b"no"))


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
    """Sends answers in parts, as many at once as there are seats."""

    def __init__(self, live: Live, *, seats: Seats | None = None) -> None:
        self.live = live
        self._seats = seats or Seats()

    def way(self, request: Request, asked: Asked) -> Way | None:
        """Return how the answer to an operation that was read is sent in parts.

        None: it is sent as one.
        """
        types = negotiation.ranked(", ".join(request.headers.getlist("accept")))
        read = self.live.found(asked)
        if read is None:
            return Way.EVENTS if wants_events(types) else None
        return _way(types, read, request.method)

    async def respond(
        self,
        way: Way,
        begin: Callable[..., Awaitable[AsyncGenerator[Part, None]]],
        request: Request,
        send: Send,
        said: Headers = (),
    ) -> None:
        """Answer a request, whose body has been read, in parts, as long as the client is there.

        Args:
            way: How.
            begin: ``Live.begun``, with what is asked.
            request: Who is there, or not any more.
            send: Where to.
            said: Which headers the answer has beside its own.

        Raises:
            FullError: there is no seat for whoever asks.
            RateLimitedError: who asks has spent too much.
        """
        with self._seats.taken(address_of(request.scope)):
            parts = await begin(delivering=way is Way.PIECES)
            headers = [(b"content-type", way.media.encode()), *_HEADERS, *said]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await _send(way, parts, request.receive, send)


async def _send(way: Way, parts: AsyncGenerator[Part, None], receive: Receive, send: Send) -> None:
    await _write(send, way.begun())
    telling = asyncio.create_task(_tell(way, parts, send))
    gone = asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait({telling, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in (telling, gone):
            one.cancel()
        await asyncio.gather(telling, gone, return_exceptions=True)
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

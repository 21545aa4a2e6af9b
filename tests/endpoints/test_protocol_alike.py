"""However requests come, ours answers as the server's own protocol does: a shortcut is none."""

from __future__ import annotations

import asyncio
import re

import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from endpoints import protocol
from schema.execution import WHOLE


class Wire:
    """A transport that notes what is written to it."""

    def __init__(self) -> None:
        self.said = b""
        self.is_over = self.is_paused = False

    def write(self, data: bytes) -> None:
        if not self.is_over:
            self.said += data

    def writelines(self, pieces) -> None:
        self.write(b"".join(pieces))

    def is_closing(self) -> bool:
        return self.is_over

    def close(self) -> None:
        self.is_over = True

    abort = close

    def pause_reading(self) -> None:
        self.is_paused = True

    def resume_reading(self) -> None:
        self.is_paused = False

    def get_extra_info(self, _name, default=None):
        return default


def instant(scope, body):
    """Answer at once what does not ask for later."""
    if b"later" in bytes(body):
        return None
    said = _said(scope, body)
    return 200, b"content-length: %d\r\n\r\n" % len(said), said


def _said(scope, body) -> bytes:
    seen = scope["method"], scope["path"], scope["query_string"], [*scope["headers"]], bytes(body)
    return repr(seen).encode()


async def echoes(scope, receive, send):
    """Say what was asked; in one message where that may be, and slowly where that is asked for."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message["body"], message["more_body"]
    for _ in range(12 if scope["path"] == "/slow" else 0):
        await asyncio.sleep(0)
    said = _said(scope, body)
    head = (b"content-length", b"%d" % len(said))
    if WHOLE in scope.get("extensions", ()) and scope["path"] == "/whole":
        await send({"type": WHOLE, "status": 200, "head": b"%s: %s\r\n\r\n" % head, "body": said})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [head]})
    await send({"type": "http.response.body", "body": said})


def _asks(path: bytes, body: bytes, line: bytes) -> bytes:
    length = b"content-length: %d\r\n" % len(body)
    return b"POST %s HTTP/1.1\r\nhost: x\r\n%s%s\r\n%s" % (path, line, length, body)


PATHS = st.sampled_from([b"/", b"/slow", b"/whole?x", b"/instant"])
#: What a body may look like that is none of its own.
BODIES = st.sampled_from(
    [b"", b"hello", b"later", b"G\r\n\r\n", b"GET / HTTP/1.1\r\nhost: x\r\n\r\n", b"x" * 1500]
)
LINES = st.sampled_from(
    [
        b"", b"connection: close\r\n", b"connection: keep-alive\r\n", b"x: \xff\r\n",
        b"transfer-encoding: chunked\r\n", b"content-length: 3\r\n", b"expect: 100-continue\r\n",
        b"content-length : 0\r\n", b" folded\r\n", b"\0: 1\r\n",
    ]
)  # fmt: skip
GETS = st.builds(lambda path: b"GET %s HTTP/1.1\r\nhost: x\r\n\r\n" % path, PATHS)
POSTS = st.builds(_asks, PATHS, BODIES, st.just(b"") | LINES)
CHUNKED = st.builds(
    lambda path, body: (
        b"POST %s HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
        % (path, len(body), body)
    ),
    PATHS,
    BODIES.filter(bool),
)
BROKEN = st.builds(
    lambda path, size: (
        b"POST %s HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n%s\r\nab\r\n"
        % (path, size)
    ),
    PATHS,
    st.sampled_from([b"z", b"-1", b"1", b"2;x=y", b""]),
)
STRAY = st.sampled_from([b"\r\n", b"\n", b"\0", b" ", b"0\r\n\r\n", b"HEAD / HTTP/1.0\r\n\r\n"])
REQUESTS = st.lists(GETS | POSTS | CHUNKED | BROKEN | STRAY, min_size=1, max_size=5)


@st.composite
def arrivals(draw):
    """Requests, some of them again and again, cut anywhere, with turns of the loop between."""
    asked = draw(REQUESTS)
    asked = [asked[0]] * draw(st.integers(0, 2)) + asked
    if draw(st.booleans()):
        pieces = asked
    else:
        whole = b"".join(asked)
        cuts = sorted(draw(st.sets(st.integers(0, len(whole)), max_size=6)))
        ends = [*cuts, len(whole)]
        pieces = [whole[a:b] for a, b in zip([0, *cuts], ends, strict=True) if a < b]
    return [(one, draw(st.sampled_from([0, 1, 2, 30]))) for one in pieces]


async def answered(connection, arriving) -> tuple[bytes, bool]:
    """Return what is said to all that arrives, and whether the connection is over then."""
    wire = Wire()
    connection.connection_made(wire)
    for piece, turns in arriving:
        for _ in range(400):
            if not wire.is_paused:
                break
            await asyncio.sleep(0)
        if wire.is_over:
            break
        connection.data_received(piece)
        for _ in range(turns):
            await asyncio.sleep(0)
    for _ in range(200):
        await asyncio.sleep(0)
    connection.connection_lost(None)
    # That it may send the body need not be said to who has sent it; refusals have other words.
    said = wire.said.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")
    return re.sub(rb"HTTP/1.1 400 .*", b"HTTP/1.1 400", said, flags=re.DOTALL), wire.is_over


CROWD = protocol.Crowd(protocol.Bounds())
OURS = uvicorn.Config(echoes, http=CROWD.protocol(), lifespan="off", log_level="critical")
THEIRS = uvicorn.Config(echoes, http="httptools", lifespan="off", log_level="critical")
STATE = {protocol.INSTANT: {"/instant": instant}}


@given(arrivals())
def test_however_requests_come_they_are_answered_as_by_the_server_itself(arriving):
    async def both():
        loop = asyncio.get_running_loop()
        theirs = HttpToolsProtocol(THEIRS, ServerState(), {}, loop)
        return (
            await answered(OURS.http(OURS, ServerState(), STATE, loop), arriving),
            await answered(theirs, arriving),
        )

    ours, theirs = asyncio.run(both())

    # Where the server's own gives up answers that are due, ours does not.
    refused = b"HTTP/1.1 400"
    if theirs[0].endswith(refused) and ours[0].endswith(refused):
        assert ours[0].startswith(theirs[0].removesuffix(refused))
    else:
        assert ours == theirs
    assert not CROWD.waiting
    assert not CROWD._all

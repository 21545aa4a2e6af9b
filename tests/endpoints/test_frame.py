from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time

import pytest
import uvicorn
from uvicorn.protocols.utils import ClientDisconnected
from websockets.frames import Opcode

from endpoints import frame as frames
from endpoints import protocol
from tests import follow

SOCKET = b"\r\n".join(
    (
        b"GET /socket HTTP/1.1",
        b"host: x",
        b"connection: upgrade",
        b"upgrade: websocket",
        b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
        b"sec-websocket-version: 13",
        b"",
        b"",
    )
)
TEXT, CONT, PING, PONG, CLOSE = Opcode.TEXT, Opcode.CONT, Opcode.PING, Opcode.PONG, Opcode.CLOSE
INVALID, POLICY = 1007, 1008
#: More than the system and the server keep of what is sent.
MUCH = b"x" * 8_000_000


@contextlib.asynccontextmanager
async def serving(app, **bounds):
    """Serve an application; yield its port, and what it is served by."""
    config = uvicorn.Config(
        app,
        "127.0.0.1",
        0,
        http=protocol.Crowd(protocol.Bounds()).protocol(),
        ws=frames.Sockets(**bounds).protocol(),
        log_config=None,
        log_level="error",
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has a flag, not an event
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1], server
    server.should_exit = True
    await running


def frame(opcode, data=b"", *, fin=True):
    """Return a frame as a client sends it, under a mask that changes nothing."""
    head = bytes([fin << 7 | opcode])
    if len(data) < 126:
        return head + bytes([128 | len(data)]) + bytes(4) + data
    return head + struct.pack("!BH", 128 | 126, len(data)) + bytes(4) + data


GOODBYE = frame(CLOSE, struct.pack("!H", 1000))


class Client:
    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def begin(self):
        self.writer.write(SOCKET)
        opened = await self.reader.readuntil(b"\r\n\r\n")
        assert opened.startswith(b"HTTP/1.1 101 ")

    def say(self, *sent):
        self.writer.write(b"".join(sent))

    async def hear(self):
        """Return the next frame: its opcode and its data."""
        async with asyncio.timeout(5):
            first, length = await self.reader.readexactly(2)
            if length == 126:
                [length] = struct.unpack("!H", await self.reader.readexactly(2))
            elif length == 127:
                [length] = struct.unpack("!Q", await self.reader.readexactly(8))
            return first & 15, await self.reader.readexactly(length)

    async def end(self):
        """Return the code by which the server hangs up."""
        while (heard := await self.hear())[0] != CLOSE:
            pass
        return struct.unpack("!H", heard[1][:2])[0]


@pytest.fixture
async def connect():
    """Open connections to a port, of which little is fetched unasked, and abort them at the end."""
    opened = []

    async def connect(port):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.settimeout(0)
        await asyncio.get_running_loop().sock_connect(one, ("127.0.0.1", port))
        opened.append(Client(*await asyncio.open_connection(sock=one, limit=4096)))
        return opened[-1]

    yield connect
    for one in opened:
        one.writer.transport.abort()


@pytest.fixture
async def opened(connect):
    async def opened(port):
        client = await connect(port)
        await client.begin()
        return client

    return opened


class App:
    """It accepts a socket and keeps what it hears; what it does with it is ``does``."""

    def __init__(self, does=None):
        self.heard, self.most, self.failure = [], 0, None
        self._does = does

    async def __call__(self, _scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        try:
            while True:
                self.most = max(self.most, receive.__self__.queue.qsize())
                self.heard.append(message := await receive())
                if self._does:
                    await self._does(message, send)
                if message["type"] == "websocket.disconnect":
                    break
        except BaseException as failure:
            self.failure = failure
            raise

    @property
    def texts(self):
        return [one["text"] for one in self.heard if "text" in one]

    @property
    def has_ended(self):
        return bool(self.heard) and self.heard[-1]["type"] == "websocket.disconnect"


async def echoes(message, send):
    if "text" in message:
        await send({"type": "websocket.send", "text": message["text"]})


async def answers_much(message, send):
    if "text" in message:
        await send({"type": "websocket.send", "bytes": MUCH})


SAID = (
    frame(TEXT, "你好".encode()[:4], fin=False),
    frame(PING, b"there?"),
    frame(CONT, "你好".encode()[4:]),
    frame(TEXT),
    frame(TEXT, b"y" * 3_000),
    frame(PONG, b"I am"),
    frame(TEXT, b"z"),
)


@pytest.mark.parametrize("size", [1, 500, 1_000_000])
async def test_messages_are_heard_whole_and_in_their_order_however_they_are_cut(opened, size):
    said, app = b"".join(SAID), App(echoes)
    async with serving(app) as (port, _):
        client = await opened(port)
        for start in range(0, len(said), size):
            client.say(said[start : start + size])
            await asyncio.sleep(0)

        heard = [await client.hear() for _ in range(5)]

        assert (PONG, b"there?") in heard
        assert [data for opcode, data in heard if opcode == TEXT] == [
            "你好".encode(),
            b"",
            b"y" * 3_000,
            b"z",
        ]


async def test_no_more_is_read_than_the_application_takes(opened):
    app, turns = App(), 0
    async with serving(app) as (port, _):
        client = await opened(port)
        client.say(frame(TEXT, b"a") * 20_000)
        while len(app.heard) < 20_000:
            turns += 1
            await asyncio.sleep(0)

        assert app.most < 100
        assert turns > 500


async def test_others_are_answered_while_one_sends_much_of_little(opened):
    app = App(echoes)
    async with serving(app) as (port, _):
        busy, other = await opened(port), await opened(port)
        busy.say((frame(TEXT, fin=False) + frame(CONT, fin=False) * 200 + frame(CONT)) * 200)
        await asyncio.sleep(0.01)
        other.say(frame(TEXT, b"me"))

        assert await other.hear() == (TEXT, b"me")
        assert len(app.texts) < 100


@pytest.mark.parametrize("opcode", [PING, PONG])
async def test_who_sends_signs_of_life_without_end_is_hung_up_on(opened, opcode):
    app = App()
    async with serving(app) as (port, _):
        client = await opened(port)
        for _ in range(2):
            client.say(frame(opcode) * 20)
            await asyncio.sleep(1.1)
        client.say(frame(opcode) * 21)

        assert await client.end() == POLICY
        await follow.until(lambda: app.has_ended)


async def test_of_pings_whose_answers_nobody_fetches_the_last_is_answered(opened):
    app = App(answers_much)
    async with serving(app) as (port, _):
        client = await opened(port)
        client.say(frame(TEXT, b"much"))
        await asyncio.sleep(0.1)
        for number in range(20):
            client.say(frame(PING, b"%d" % number))
            await asyncio.sleep(0.01)

        assert (await client.hear())[1] == MUCH
        assert await client.hear() == (PONG, b"19")
        client.say(frame(PING, b"20"))
        assert await client.hear() == (PONG, b"20")


async def test_a_message_has_so_many_fragments(opened):
    app = App()
    async with serving(app) as (port, _):
        client = await opened(port)
        for _ in range(2):
            client.say(frame(TEXT, fin=False), frame(CONT, b"a", fin=False) * 254, frame(CONT))
        await follow.until(lambda: app.texts == ["a" * 254] * 2)
        client.say(frame(TEXT, fin=False), frame(CONT, b"a", fin=False) * 255, frame(CONT))

        assert await client.end() == POLICY
        await follow.until(lambda: app.has_ended)
        assert len(app.texts) == 2


@pytest.mark.parametrize(
    "pieces",
    [
        (frame(TEXT, b"a", fin=False), frame(CONT, fin=False), frame(CONT)),
        (frame(TEXT, b"a", fin=False), frame(PING), frame(CONT)),
        (frame(TEXT, b"a" * 100)[:50], b"aa", frame(TEXT, b"a" * 100)[52:]),
    ],
    ids=["fragments", "a fragment and a ping", "pieces of a frame"],
)
async def test_a_message_that_is_not_finished_is_not_waited_for(opened, pieces):
    app = App()
    async with serving(app, message_seconds=0.4) as (port, _):
        client = await opened(port)
        client.say(frame(TEXT, b"whole"))
        await asyncio.sleep(0.6)
        for _ in range(4):
            for piece in pieces:
                client.say(piece)
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.6)
        client.say(pieces[0])
        await asyncio.sleep(0.2)
        client.say(pieces[1])
        began = time.monotonic()

        assert await client.end() == POLICY
        assert time.monotonic() - began < 0.4
        assert len(app.texts) == 5


@pytest.mark.parametrize(
    "pieces",
    [
        (frame(TEXT, b"a") + frame(TEXT, b"b", fin=False), frame(CONT)),
        (frame(TEXT, b"a", fin=False), frame(CONT) + frame(TEXT, b"b")),
    ],
    ids=["to be finished", "finished"],
)
async def test_a_message_whose_turn_has_not_come_is_waited_for(opened, pieces):
    async def slow(message, send):
        await asyncio.sleep(0.6)

    app = App(slow)
    async with serving(app, message_seconds=0.3) as (port, _):
        client = await opened(port)
        for piece in pieces:
            client.say(piece)
            await asyncio.sleep(0.1)
        await follow.until(lambda: app.texts == ["a", "b"])
        client.say(frame(TEXT, b"c"))

        await follow.until(lambda: app.texts == ["a", "b", "c"])


@pytest.mark.parametrize(
    "sent",
    [
        (frame(TEXT, b"\xff\xfe"),),
        (frame(TEXT, b"\xe4", fin=False), frame(CONT, b"a")),
        (frame(TEXT, b"\xff"), GOODBYE),
    ],
    ids=["whole", "in fragments", "with a goodbye"],
)
async def test_what_is_no_text_is_hung_up_on_and_makes_no_noise(opened, sent, caplog):
    app = App()
    async with serving(app) as (port, _):
        client = await opened(port)
        client.say(*sent)

        assert await client.end() == (1000 if sent[-1] == GOODBYE else INVALID)
        await follow.until(lambda: app.has_ended)
        assert app.texts == []
    assert caplog.records == []


def late(app):
    """Return the same application, which is in no hurry to begin."""

    async def begins_late(scope, receive, send):
        await asyncio.sleep(0.1)
        await app(scope, receive, send)

    return begins_late


@pytest.mark.parametrize(
    ("sent", "heard", "code"),
    [(GOODBYE, ["early"], 1000), (b"\xff\xff", [], 1002)],
    ids=["messages", "what is none"],
)
async def test_what_comes_before_a_socket_is_accepted_waits_until_it_is(
    connect, sent, heard, code, caplog
):
    app = App()

    async with serving(late(app)) as (port, _):
        client = await connect(port)
        client.say(SOCKET)
        await asyncio.sleep(0.05)
        client.say(frame(TEXT, b"early"), sent)
        await client.reader.readuntil(b"\r\n\r\n")

        assert await client.end() == code
        await follow.until(lambda: app.has_ended)
        assert app.texts == heard
    assert caplog.records == []


@pytest.mark.parametrize("many", [1, 1_000])
async def test_what_was_sent_before_a_client_left_is_heard(connect, many):
    app = App()

    async with serving(late(app)) as (port, _):
        client = await connect(port)
        client.say(SOCKET)
        await asyncio.sleep(0.05)
        client.say(*[frame(TEXT, b"%d" % number) for number in range(many)])
        client.writer.write_eof()

        await follow.until(lambda: app.has_ended)
        assert [int(one) for one in app.texts] == list(range(many))


@pytest.mark.parametrize(
    "goodbye",
    [GOODBYE, frame(CONT), frame(TEXT, b"\xff"), frame(PONG) * 21],
    ids=["a goodbye", "no message", "no text", "too much"],
)
async def test_nobody_waits_to_send_to_who_has_hung_up(opened, goodbye, caplog):
    sending, ended = [], asyncio.Event()

    async def app(scope, receive, send):
        async def sends():
            while True:
                await send({"type": "websocket.send", "bytes": MUCH})

        await receive()
        await send({"type": "websocket.accept"})
        task = asyncio.create_task(sends())
        sending.append(task)
        while (await receive())["type"] != "websocket.disconnect":
            pass
        await asyncio.wait([task])
        await send({"type": "websocket.close"})
        ended.set()

    async with serving(app) as (port, server):
        client = await opened(port)
        await asyncio.sleep(0.1)
        client.say(goodbye)
        async with asyncio.timeout(5):
            await ended.wait()

        assert isinstance(sending[0].exception(), ClientDisconnected)
        # It still holds what nobody fetches, and the server ends all the same.
        assert len(server.server_state.connections) == 1
        assert caplog.records == []

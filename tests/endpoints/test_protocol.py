from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from types import SimpleNamespace

import pytest
import uvicorn

from endpoints import protocol
from endpoints.head import Heads
from schema import execution

ASK = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
#: The look at who is late comes once a second.
SOON = 3.5


@contextlib.asynccontextmanager
async def serving(app=None, **bounds):
    """Serve an application within these bounds; yield its port and its crowd."""
    crowd = protocol.Crowd(protocol.Bounds(**bounds))
    config = uvicorn.Config(
        app or answers,
        "127.0.0.1",
        0,
        http=crowd.protocol(),
        log_level="error",
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has a flag, not an event
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1], crowd
    server.should_exit = True
    await running


async def answers(scope, receive, send):
    """Read the body, and answer with its length."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    await says(send, b"%d" % size)


async def answers_at_once(scope, receive, send):
    await says(send, b"read nothing")


async def says(send, body):
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def connect():
    """Open connections to a port, and close them at the end."""
    opened = []

    async def connect(port, local="127.0.0.1"):
        pair = await asyncio.open_connection("127.0.0.1", port, local_addr=(local, 0))
        opened.append(pair[1])
        return pair

    yield connect
    for one in opened:
        one.close()


async def asked(pair, request=ASK):
    """Send a request, and return the status and body of its answer."""
    reader, writer = pair
    writer.write(request)
    async with asyncio.timeout(SOON):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        return int(head.split()[1]), await reader.readexactly(length)


async def ended(pair) -> float:
    """Return after how many seconds the connection is ended, which it is soon."""
    began = time.monotonic()
    async with asyncio.timeout(SOON):
        with contextlib.suppress(ConnectionResetError):
            while await pair[0].read(65536):
                pass
    return time.monotonic() - began


async def dribbled(pair, piece, times=100):
    """Send a piece again and again until the other end has gone, and say that it has."""
    with contextlib.suppress(ConnectionError):
        for _ in range(times):
            pair[1].write(piece)
            await pair[1].drain()
            if pair[0].at_eof():
                return True
            await asyncio.sleep(0.05)
    return pair[0].at_eof() or pair[1].is_closing() or pair[0].exception() is not None


async def test_requests_are_answered_one_after_another_on_one_connection(connect):
    async with serving() as (port, crowd):
        pair = await connect(port)

        found = [await asked(pair) for _ in range(3)]

        assert found == [(200, b"0")] * 3
        assert len(crowd.waiting) == 1


async def test_requests_that_come_together_are_answered_in_order(connect):
    post = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s"
    async with serving(head_bytes=200) as (port, _):
        pair = await connect(port)
        pair[1].write(b"".join(post % (size, b"x" * size) for size in (300, 0, 70)))

        found = [(await asked(pair, b""))[1] for _ in range(3)]

        assert found == [b"300", b"0", b"70"]


async def test_a_head_that_dribbles_in_is_not_waited_for(connect):
    async with serving(head_seconds=0.3) as (port, crowd):
        pair = await connect(port)
        pair[1].write(b"GET / HTTP/1.1\r\n")

        assert await dribbled(pair, b"x-more: 1\r\n")
        assert not crowd.waiting


async def test_a_second_head_that_dribbles_in_is_not_waited_for_either(connect):
    async with serving(head_seconds=0.3) as (port, _):
        pair = await connect(port)
        await asked(pair)

        assert await dribbled(pair, b"GET /")


async def test_who_connects_and_says_nothing_is_let_go(connect):
    async with serving(head_seconds=0.3) as (port, _):
        assert await ended(await connect(port)) < SOON


async def test_empty_lines_between_requests_keep_no_connection(connect):
    async with serving(idle_seconds=0.3) as (port, _):
        pair = await connect(port)
        await asked(pair)

        assert await dribbled(pair, b"\r\n")


@pytest.mark.parametrize(
    "head",
    [b"x-long: " + b"x" * 5000, b"x: y\r\n" * 800, b"x" * 5000],
    ids=["one long header", "many headers", "one long name"],
)
async def test_a_head_that_is_too_large_is_refused_and_a_smaller_one_is_not(connect, head):
    async with serving(head_bytes=4000) as (port, _):
        large = await asked(await connect(port), b"GET / HTTP/1.1\r\n" + head + b"\r\n\r\n")
        line = await asked(await connect(port), b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\n\r\n")
        small = await asked(
            await connect(port), b"GET / HTTP/1.1\r\nx: " + b"x" * 3000 + b"\r\n\r\n"
        )

    assert (large[0], line[0], small[0]) == (431, 431, 200)


async def test_a_body_beside_a_small_head_does_not_count_into_the_head(connect):
    post = b"POST / HTTP/1.1\r\ncontent-length: 50000\r\n\r\n" + b"x" * 50000
    async with serving(head_bytes=1000) as (port, _):
        assert await asked(await connect(port), post) == (200, b"50000")


async def test_headers_after_a_body_are_no_way_to_fill_the_memory(connect):
    async with serving() as (port, _):
        pair = await connect(port)
        pair[1].write(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n")

        with contextlib.suppress(ConnectionError):
            for _ in range(20):
                pair[1].write(b"x: y\r\n" * 10_000)
                await pair[1].drain()
        assert await ended(pair) < SOON


async def test_a_body_that_nobody_reads_ends_with_the_answer(connect):
    async with serving(answers_at_once) as (port, _):
        pair = await connect(port)

        pair[1].write(b"POST / HTTP/1.1\r\ncontent-length: 100000\r\n\r\nx")
        head = await pair[0].readuntil(b"\r\n\r\n")

        assert head.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close\r\n" in head
        assert await ended(pair) < 1


async def test_who_does_not_fetch_an_answer_is_let_go(connect):
    async def much(scope, receive, send):
        await says(send, b"x" * 50_000_000)

    async with serving(much, idle_seconds=0.3) as (port, crowd):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.setblocking(False)  # noqa: FBT003 - Python's own signature
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, ("127.0.0.1", port))
        await loop.sock_sendall(sock, ASK)
        async with asyncio.timeout(SOON):
            await asyncio.sleep(0.2)
            while crowd._all:  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.05)
        sock.close()


async def test_an_answer_that_takes_its_time_is_waited_for(connect):
    async def slow(scope, receive, send):
        await asyncio.sleep(1.5)
        await says(send, b"there")

    async with serving(slow, head_seconds=0.2, idle_seconds=0.2) as (port, _):
        assert await asked(await connect(port)) == (200, b"there")


async def test_where_all_places_are_taken_who_waited_longest_makes_room(connect):
    async with serving(connections=3) as (port, _):
        silent = [await connect(port) for _ in range(3)]
        await asked(silent[0])

        newcomer = await asked(await connect(port))

        assert newcomer[0] == 200
        assert await ended(silent[1]) < 1
        assert [(await asked(one))[0] for one in (silent[0], silent[2])] == [200, 200]


async def test_where_all_are_being_answered_one_more_is_asked_to_come_again(connect):
    go = asyncio.Event()

    async def held(scope, receive, send):
        await go.wait()
        await says(send, b"there")

    async with serving(held, connections=2) as (port, _):
        pairs = [await connect(port) for _ in range(2)]
        asking = [asyncio.create_task(asked(pair)) for pair in pairs]
        await asyncio.sleep(0.1)

        refused = await asked(await connect(port), b"")
        go.set()

        assert refused[0] == 503
        assert [await one for one in asking] == [(200, b"there")] * 2
        # A place that was left is there again.
        pairs[0][1].close()
        await asyncio.sleep(0.05)
        assert await asked(await connect(port)) == (200, b"there")


async def test_one_address_has_so_many_connections_and_a_proxy_any_number(connect):
    async with serving(each=2, proxies=["127.0.0.9/32", "::1"]) as (port, crowd):
        for _ in range(2):
            assert (await asked(await connect(port, "127.0.0.7")))[0] == 200

        assert (await asked(await connect(port, "127.0.0.7"), b""))[0] == 503
        assert (await asked(await connect(port, "127.0.0.8")))[0] == 200
        for _ in range(4):
            assert (await asked(await connect(port, "127.0.0.9")))[0] == 200

    assert not crowd._by_address


async def test_slow_clients_keep_nobody_out(connect):
    async with serving(connections=50) as (port, crowd):
        for _ in range(150):
            (await connect(port))[1].write(b"GET / HTTP/1.1\r\nx-slow: ")

        assert await asked(await connect(port)) == (200, b"0")
        assert len(crowd._all) <= 50


async def test_what_is_no_http_is_refused_with_a_plain_sentence(connect):
    async with serving() as (port, _):
        reader, writer = await connect(port)
        writer.write(b"\x16\x03\x01\x00\xff\x00\r\n\r\n")

        told = await reader.read()

    assert told.startswith(b"HTTP/1.1 400 ")
    assert b"x-content-type-options: nosniff" in told
    assert told.endswith(b"This is no HTTP request.")


@contextlib.asynccontextmanager
async def living(answer=None, **state):
    """Serve an application whose lifespan has this state; yield its port."""

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            scope["state"].update(state)
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
        else:
            await (answer or answers)(scope, receive, send)

    crowd = protocol.Crowd(protocol.Bounds())
    config = uvicorn.Config(app, "127.0.0.1", 0, http=crowd.protocol(), log_level="error")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has a flag, not an event
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


async def test_while_the_process_is_leaving_each_answer_is_the_last_of_its_connection(connect):
    leaving = SimpleNamespace(begun=False)
    async with living(**{protocol.LEAVING: leaving}) as port:
        pair = await connect(port)
        first = await asked(pair)
        leaving.begun = True

        last = await asked(pair)

        assert (first, last) == ((200, b"0"), (200, b"0"))
        assert await ended(pair) < 1


@contextlib.asynccontextmanager
async def instant():
    """Serve what answers at once, to bodies that want it; yield its port and what was asked."""
    heard = []

    def answer(scope, body):
        heard.append(body)
        return (200, b"content-length: 7\r\n\r\n", b"at once") if body == b"now" else None

    async with living(**{protocol.INSTANT: {"/now": answer}}) as port:
        yield port, heard


def sent(body, path=b"/now", more=b""):
    head = b"POST %s HTTP/1.1\r\nhost: x\r\n%scontent-length: %d\r\n\r\n"
    return head % (path, more, len(body)) + body


async def test_what_is_at_hand_is_answered_at_once_and_the_rest_as_ever(connect):
    async with instant() as (port, heard):
        pair = await connect(port)

        found = [await asked(pair, sent(body)) for body in (b"now", b"later", b"now")]
        elsewhere = await asked(pair, sent(b"now", path=b"/"))

    assert found == [(200, b"at once"), (200, b"5"), (200, b"at once")]
    assert elsewhere == (200, b"3")
    assert heard == [b"now", b"later", b"now"]


async def test_requests_that_come_together_are_answered_in_their_order(connect):
    async with instant() as (port, _):
        reader, writer = await connect(port)

        writer.write(sent(b"now") + sent(b"later") + sent(b"now"))
        found = b""
        while found.count(b"HTTP/1.1 200") < 3 or not found.endswith((b"3", b"at once")):
            found += await asyncio.wait_for(reader.read(65536), 2)

    bodies = [one.partition(b"\r\n\r\n")[2] for one in found.split(b"HTTP/1.1 200 OK")[1:]]
    assert bodies[:2] == [b"at once", b"5"]
    assert bodies[2] in {b"at once", b"3"}


async def test_a_request_that_is_not_whole_yet_is_answered_as_ever(connect):
    async with instant() as (port, heard):
        reader, writer = await connect(port)
        whole = sent(b"now")

        writer.write(whole[:-1])
        await asyncio.sleep(0.1)
        found = await asked((reader, writer), whole[-1:])

    assert found == (200, b"3")
    assert heard == []


async def test_whoever_wants_the_connection_ended_has_it_ended(connect):
    async with instant() as (port, heard):
        pair = await connect(port)

        found = await asked(pair, sent(b"now", more=b"connection: close\r\n"))

        assert found == (200, b"3")
        assert await ended(pair) < 1
    assert heard == []


@contextlib.asynccontextmanager
async def remembering():
    """Serve what tells the length of a body; yield its port, and the scopes and bodies seen."""
    seen = []

    async def tells(scope, receive, send):
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        seen.append((scope, body))
        await says(send, b"%d" % len(body))

    async with serving(tells) as (port, crowd):
        yield port, crowd, seen


def is_known(scope):
    return execution.WHOLE in scope.get("extensions", {})


async def test_a_head_that_was_read_before_comes_to_the_same(connect):
    ask = sent(b"abc", path=b"/a%20b?c=d", more=b"X-Odd: 1\r\nx-odd: \xe9\r\n")
    async with remembering() as (port, _, seen):
        for _ in range(2):
            pair = await connect(port)
            assert [await asked(pair, ask), await asked(pair, ask)] == [(200, b"3")] * 2

    assert [is_known(scope) for scope, _ in seen] == [False, True, True, True]
    assert [body for _, body in seen] == [b"abc"] * 4
    (first, _), *others = seen
    assert first["path"] == "/a b"
    for scope, _ in others:
        known = scope | {"headers": list(scope["headers"]), "client": first["client"]}
        assert known == first | {"extensions": scope["extensions"]}
        assert scope["extensions"][execution.WHOLE]["body"] == b"abc"


async def test_what_is_kept_with_a_head_is_there_for_the_next_with_that_head_alone(connect):
    async def counts(scope, receive, send):
        known = scope["extensions"][execution.WHOLE]["known"] if is_known(scope) else {}
        known["times"] = known.get("times", 0) + 1
        await says(send, b"%d" % known["times"])

    async with serving(counts) as (port, _):
        pair = await connect(port)
        found = [(await asked(pair, sent(body)))[1] for body in (b"a", b"b", b"c", b"dd", b"e")]

    assert found == [b"1", b"1", b"2", b"1", b"3"]


@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\nconnection: close\r\n\r\n",
        b"POST / HTTP/1.0\r\nhost: x\r\ncontent-length: 3\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\nx: %s\r\n\r\n" % (b"x" * 5000),
    ],
)
async def test_a_head_that_asks_for_more_or_is_long_is_read_each_time(connect, head):
    async with remembering() as (port, _, seen):
        for _ in range(3):
            reader, writer = await connect(port)
            writer.write(head + b"abc")
            while b"\r\n\r\n3" not in (found := await reader.read(1000)):
                assert found

    assert [is_known(scope) for scope, _ in seen] == [False] * 3


async def test_a_body_in_chunks_is_read_each_time(connect):
    ask = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n%s"
    chunks = (b"3\r\nabc\r\n0\r\n\r\n", b"4\r\nabcd\r\n0\r\n\r\n")
    async with remembering() as (port, _, seen):
        pair = await connect(port)
        found = [(await asked(pair, ask % chunk))[1] for chunk in chunks * 2]

    assert found == [b"3", b"4"] * 2
    assert not any(is_known(scope) for scope, _ in seen)


async def test_after_the_body_of_a_known_head_comes_the_next_request(connect):
    async with remembering() as (port, _, seen):
        pair = await connect(port)
        await asked(pair, sent(b"abc"))
        # Together with it, and a part of it: neither is taken for a body.
        pair[1].write(sent(b"abc") + sent(b"defg")[:-2])
        first = await asked(pair, b"")
        pair[1].write(b"fg" + sent(b"hij") + sent(b"klm"))

        found = [first, *[await asked(pair, b"") for _ in range(3)]]

    assert found == [(200, b"3"), (200, b"4"), (200, b"3"), (200, b"3")]
    assert [body for _, body in seen] == [b"abc", b"abc", b"defg", b"hij", b"klm"]


async def test_what_looks_like_a_known_head_inside_another_request_is_none(connect):
    inner = sent(b"abc")
    outer = b"POST /outer HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(inner)
    async with remembering() as (port, _, seen):
        pair = await connect(port)
        await asked(pair, inner)
        for before, after in ((outer, inner), (b"GET /got HTTP/1.1\r\nx-inside: ", inner)):
            pair[1].write(before)
            await asyncio.sleep(0.05)
            await asked(pair, after)

    assert [scope["path"] for scope, _ in seen[:3]] == ["/now", "/outer", "/got"]
    assert seen[1][1] == inner


async def answers_whole(scope, receive, send):
    """Answer by one message where that can be."""
    if is_known(scope):
        head = b"content-length: 5\r\nx-whole: 1\r\n\r\n"
        await send({"type": execution.WHOLE, "status": 201, "head": head, "body": b"whole"})
    else:
        await says(send, b"parts")


async def test_an_answer_that_is_one_message_is_sent_like_any_other(connect):
    async with serving(answers_whole) as (port, _):
        pair = await connect(port)
        found = [await asked(pair) for _ in range(3)]

    assert found == [(200, b"parts"), (201, b"whole"), (201, b"whole")]


async def test_one_whole_answer_is_the_last_while_the_process_is_leaving(connect):
    leaving = SimpleNamespace(begun=False)
    async with living(answers_whole, **{protocol.LEAVING: leaving}) as port:
        pair = await connect(port)
        await asked(pair)
        assert await asked(pair) == (201, b"whole")
        leaving.begun = True
        pair[1].write(ASK)

        head = await pair[0].readuntil(b"\r\n\r\n")

        assert b"connection: close" in head
        assert b"x-whole: 1" in head
        assert await ended(pair) < 1


def test_no_more_heads_are_known_than_there_is_room_for():
    scope = {"method": "GET", "headers": [(b"host", b"x")]}
    read = SimpleNamespace(scope=scope, keep_alive=True, more_body=False, body=b"")
    heads, ask = Heads(), b"GET /%d HTTP/1.1\r\nhost: x\r\n\r\n"
    for number in range(1000):
        heads.learn(ask % number, read)
        heads.of(ask % 0)

    known = [number for number in range(1000) if heads.of(ask % number)]
    assert known == [0, *range(745, 1000)]


def post(body, *lines):
    head = [b"POST / HTTP/1.1", b"host: x", b"content-length: %d" % len(body), *lines, b"", body]
    return b"\r\n".join(head)


async def echoes(scope, receive, send):
    """Answer with the method, the names of the headers, and the body; accept any socket."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    names = b",".join(sorted(name for name, _ in scope["headers"]))
    await says(send, b"%s %s %s" % (scope["method"].encode(), names, body))


H2C = (b"connection: upgrade, http2-settings", b"upgrade: h2c", b"http2-settings: x")


@pytest.mark.parametrize("gap", [0, 1, 60, 150])
async def test_another_protocol_that_is_offered_is_as_if_it_were_not(connect, gap):
    asks = post(b"this is " + post(b"no request"), *H2C)
    async with serving(echoes) as (port, _):
        pair = await connect(port)
        for _ in range(2):
            pair[1].write(asks[: -gap or None])
            await asyncio.sleep(0.05)
            pair[1].write(asks[len(asks) - gap :])
            told = await asked(pair, b"")

            assert told[1].endswith(b"this is " + post(b"no request"))
            assert b"upgrade" not in told[1].split()[1].split(b",")

        assert (await asked(pair))[1] == b"GET host "


async def test_what_follows_such_an_offer_is_the_next_request(connect):
    async with serving(echoes) as (port, _):
        pair = await connect(port)
        pair[1].write(post(b"one", *H2C) + post(b"two") + post(b"three", *H2C) + ASK)

        found = [(await asked(pair, b""))[1].split()[-1] for _ in range(4)]

        assert found == [b"one", b"two", b"three", b"host"]


async def test_who_wants_a_tunnel_is_refused(connect):
    async with serving() as (port, _):
        told = await asked(await connect(port), b"CONNECT x:443 HTTP/1.1\r\nhost: x\r\n\r\n")

        assert told[0] == 400


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


@pytest.mark.parametrize("line", [b"content-length: 4", b"content-length: 0"])
async def test_a_handshake_with_a_body_is_a_plain_request(connect, line):
    async with serving(echoes) as (port, crowd):
        body = b"body" if line[-1:] == b"4" else b""
        asks = SOCKET.replace(b"host: x", b"host: x\r\n" + line) + body

        told = await asked(await connect(port), asks)

        assert told[0] == 200
        assert told[1].endswith(body)
        assert len(crowd._all) == 1


@pytest.mark.parametrize(
    "lines", [b"x-many: 1\r\n" * 200, b"x-long: %s\r\n" % (b"y" * 10_000)], ids=["many", "long"]
)
async def test_a_handshake_that_cannot_be_read_is_refused(connect, lines):
    async with serving(echoes) as (port, crowd):
        pair = await connect(port)

        told = await asked(pair, SOCKET.replace(b"host: x\r\n", b"host: x\r\n" + lines))

        assert told[0] == 400
        assert await ended(pair) < 1
        assert not crowd._all


async def test_a_socket_opens_once_what_was_asked_before_is_answered(connect):
    async with serving(echoes) as (port, crowd):
        for pieces in [(post(b"one") + SOCKET,), (post(b"one"), SOCKET)]:
            pair = await connect(port)
            for piece in pieces:
                pair[1].write(piece)

            assert (await asked(pair, b""))[1].endswith(b"one")
            opened = await pair[0].readuntil(b"\r\n\r\n")

            assert opened.startswith(b"HTTP/1.1 101 ")
            pair[1].close()
        await asyncio.sleep(0.1)
        assert not crowd._all
        assert not crowd.waiting


async def test_no_more_is_taken_in_than_may_wait_for_its_turn(connect):
    go = asyncio.Event()

    async def slow(scope, receive, send):
        await go.wait()
        await answers(scope, receive, send)

    async with serving(slow) as (port, crowd):
        reader, writer = await connect(port)
        writer.write(ASK * 500_000)
        await asyncio.sleep(1)

        [connection] = crowd._all
        assert len(connection._ahead) < 512 * 1024
        assert len(connection.pipeline) < 64
        assert len(connection.tasks) == 1
        assert writer.transport.get_write_buffer_size() > 100_000

        go.set()
        most, seen = 0, 0
        while seen < 2_000:
            seen += (await reader.read(4096)).count(b"HTTP/1.1 200 OK")
            most = max(most, len(connection._ahead) + len(connection.pipeline) * 1024)
        assert most < 512 * 1024


@pytest.mark.parametrize("pause", [0, 0.05])
async def test_who_leaves_is_noticed_whatever_else_they_had_asked(connect, pause):
    begun, gone = [], asyncio.Event()

    async def waits(scope, receive, send):
        begun.append(scope)
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()

    async with serving(waits) as (port, crowd):
        _, writer = await connect(port)
        writer.write(ASK)
        await asyncio.sleep(pause)
        writer.write(post(b"another") * 3)
        await asyncio.sleep(0.1)
        writer.transport.abort()

        async with asyncio.timeout(SOON):
            await gone.wait()
        await asyncio.sleep(0.1)

        assert len(begun) == 1
        assert not crowd._all
        assert not crowd.waiting


async def test_a_request_whose_turn_has_come_is_waited_for_like_any(connect):
    async def takes_its_time(scope, receive, send):
        await asyncio.sleep(2.5 if scope["method"] == "GET" else 0)
        await answers(scope, receive, send)

    async with serving(takes_its_time, idle_seconds=0.5, head_seconds=0.5) as (port, crowd):
        pair = await connect(port)
        pair[1].write(post(b"first") + ASK + ASK[:10])

        assert await asked(pair, b"") == (200, b"5")
        await asyncio.sleep(0.1)
        assert not crowd.waiting
        assert await asked(pair, b"") == (200, b"0")
        # The head that has begun to come is not waited for so long.
        assert await ended(pair) < 2.5


async def test_what_is_no_request_takes_no_answer_that_is_due(connect):
    go = asyncio.Event()

    async def slow(scope, receive, send):
        await go.wait()
        await answers(scope, receive, send)

    async with serving(slow) as (port, _):
        for pieces in [(ASK + b"\x16\x03\r\n\r\n",), (ASK, b"\x16\x03\r\n\r\n", ASK)]:
            go.clear()
            pair = await connect(port)
            for piece in pieces:
                pair[1].write(piece)
                await asyncio.sleep(0.05)
            go.set()

            assert await asked(pair, b"") == (200, b"0")
            assert (await asked(pair, b""))[0] == 400
            assert await ended(pair) < 1


async def test_a_place_that_was_left_is_nobodys(connect):
    async with serving(echoes, connections=3) as (port, crowd):
        for _ in range(3):
            _, writer = await connect(port)
            writer.write(ASK + SOCKET)
            await asyncio.sleep(0.1)
            writer.transport.abort()
        await asyncio.sleep(0.2)
        assert not crowd.waiting

        for _ in range(20):
            (await connect(port))[1].write(b"GET / HTTP/1.1\r\nx-slow: ")
        await asyncio.sleep(0.2)

        assert len(crowd._all) <= 3


BAD_CHUNK = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nno size\r\n"


async def test_a_body_that_cannot_be_read_is_waited_for_by_nobody(connect):
    begun = []

    async def notes(scope, receive, send):
        begun.append(scope)
        await asyncio.sleep(0.1)
        await answers(scope, receive, send)

    async with serving(notes) as (port, crowd):
        for pieces, due in [
            ([BAD_CHUNK], 0),
            ([BAD_CHUNK[:-9], BAD_CHUNK[-9:]], 0),
            ([ASK + BAD_CHUNK], 1),
            ([ASK + BAD_CHUNK[:-9], BAD_CHUNK[-9:]], 1),
            ([ASK, BAD_CHUNK, ASK], 1),
        ]:
            pair = await connect(port)
            for piece in pieces:
                pair[1].write(piece)
                await asyncio.sleep(0.02)

            for _ in range(due):
                assert await asked(pair, b"") == (200, b"0")
            assert (await asked(pair, b""))[0] == 400
            assert await ended(pair) < 1
        await asyncio.sleep(0.2)
        assert not crowd._all
        # One of them was begun before more of it came.
        assert len(begun) - 3 <= 2


@pytest.fixture
async def unfetched():
    """Ask for a large answer, fetch nothing of it, and send more."""
    opened = []

    async def unfetched(port, more):
        one = socket.socket()
        opened.append(one)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.settimeout(0)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(one, ("127.0.0.1", port))
        await loop.sock_sendall(one, ASK)
        await asyncio.sleep(0.1)
        await loop.sock_sendall(one, more)

    yield unfetched
    for one in opened:
        one.close()


@pytest.mark.parametrize(
    "more",
    [
        ASK,
        post(b"something"),
        BAD_CHUNK,
        b"CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n",
        SOCKET,
        SOCKET.replace(b"host: x\r\n", b"host: x\r\n" + b"x-many: 1\r\n" * 200),
    ],
    ids=["get", "post", "broken", "tunnel", "socket", "no-socket"],
)
async def test_who_fetches_nothing_is_let_go_whatever_else_they_ask(unfetched, more):
    async def much(scope, receive, send):
        await says(send, b"x" * 8_000_000)

    async with serving(much, idle_seconds=0.5, head_seconds=0.5) as (port, crowd):
        for _ in range(3):
            await unfetched(port, more)
        await asyncio.sleep(0.2)
        held = [one.transport for one in crowd._all]

        async with asyncio.timeout(SOON):
            while crowd._all or crowd._sockets:  # noqa: ASYNC110 - it is looked at, and no event
                await asyncio.sleep(0.05)
        assert not crowd._by_address
        assert all(one.is_closing() for one in held)


async def test_a_socket_that_is_closed_while_its_client_fetches_nothing_is_let_go(unfetched):
    async def talks(scope, receive, send):
        if scope["type"] == "http":
            await answers(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "bytes": b"x" * 8_000_000})
        await receive()

    async with serving(talks, idle_seconds=0.5) as (port, crowd):
        await unfetched(port, SOCKET)
        await asyncio.sleep(0.2)
        [transport] = crowd._sockets
        assert transport.get_write_buffer_size() > 1_000_000

        transport.close()

        async with asyncio.timeout(SOON):
            while crowd._sockets:  # noqa: ASYNC110 - it is looked at, and no event
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.05)
        assert transport.get_write_buffer_size() == 0

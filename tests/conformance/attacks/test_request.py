"""Hostile HTTP: whatever is sent, the answer is a plain refusal, soon, and the hub goes on."""

from __future__ import annotations

import base64
import json
import os
import socket
import threading
import time

import pytest
from websockets.sync.client import connect

pytestmark = pytest.mark.any_database

RESPONSE = b"accept: application/graphql-response+json"
GOOD = b'{"query": "{ __typename }"}'
MULTIPART = (
    b'--x\r\ncontent-disposition: form-data; name="operations"\r\n\r\n'
    b'{"query": "mutation { __typename }"}\r\n--x--\r\n'
)
REFUSED_SECONDS = 0.050


def post(body=GOOD, *more: bytes, media=b"application/json", length=None) -> bytes:
    """Return a request as bytes; with further header lines."""
    size = len(body) if length is None else length
    lines = [b"host: hub", RESPONSE, b"content-length: %d" % size, *more]
    if media is not None:
        lines.append(b"content-type: " + media)
    return b"POST /graphql HTTP/1.1\r\n" + b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunked(*pieces: bytes) -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in (*pieces, b""))
    head = b"POST /graphql HTTP/1.1\r\nhost: hub\r\ncontent-type: application/json\r\n"
    return head + b"transfer-encoding: chunked\r\n\r\n" + body


def get(query: bytes) -> bytes:
    return b"GET /graphql?" + query + b" HTTP/1.1\r\nhost: hub\r\n" + RESPONSE + b"\r\n\r\n"


def said(**parameters: object) -> bytes:
    return post(json.dumps({"query": "{ __typename }", **parameters}).encode())


DEEP = 100_000
#: What is sent, and the statuses that refuse it; 0 is a connection that was ended unanswered.
REQUESTS = {
    # Bodies that are no object of JSON.
    "null": (post(b"null"), {400}),
    "a number": (post(b"1"), {400}),
    "a string": (post(b'"{ __typename }"'), {400}),
    "true": (post(b"true"), {400}),
    "a list": (post(b"[]"), {400}),
    "a list of null": (post(b"[null]"), {400}),
    "a list of numbers": (post(b"[1, 2]"), {400}),
    "nothing": (post(b""), {400}),
    "blanks": (post(b"   \r\n "), {400}),
    "half an object": (post(b'{"query": "{ __ty'), {400}),
    "two objects": (post(GOOD + GOOD), {400}),
    "no JSON": (post(b"query={__typename}"), {400}),
    "NaN": (post(b'{"query": "{ __typename }", "variables": {"a": NaN}}'), {400}),
    "a comment": (post(b'{"query": "{ __typename }" /* x */}'), {400}),
    "a byte order mark": (post(b"\xef\xbb\xbf" + GOOD), {400}),
    "UTF-16": (post(GOOD.decode().encode("utf-16")), {400}),
    "bad UTF-8": (post(b'{"query": "{ a(b: \\"\xff\xfe\\") }"}'), {400}),
    "a lone surrogate": (post(b'{"query": "{ a(b: \\"\\ud800\\") }"}'), {400, 422}),
    "NUL in the body": (post(GOOD + b"\0"), {400}),
    "NUL in the document": (post(b'{"query": "{ \\u0000 }"}'), {400}),
    "an endless number": (post(b'{"query": "x", "variables": {"a": %s}}' % (b"9" * 5_000)), {400}),
    "lists in lists": (post(b"[" * DEEP + b"]" * DEEP), {400}),
    "variables in variables": (
        post(b'{"query": "{ __typename }", "variables": {"a": %s}}' % (b"[" * DEEP + b"]" * DEEP)),
        {400},
    ),
    "objects in objects": (post(b'{"a":' * 40_000 + b"1" + b"}" * 40_000), {400}),
    # Parameters of another sort.
    "no query": (post(b"{}"), {400}),
    "a query that is null": (post(b'{"query": null}'), {400}),
    "a query that is a list": (post(b'{"query": ["{ __typename }"]}'), {400}),
    "a query that is an object": (post(b'{"query": {"kind": "Document"}}'), {400}),
    "variables that are a list": (said(variables=[1]), {400}),
    "variables that are a text": (said(variables="{}"), {400}),
    "extensions that are a number": (said(extensions=1), {400}),
    "a name that is a number": (said(operationName=7), {400}),
    "a name that there is not": (said(operationName="__proto__"), {400, 422}),
    # Media types: whatever a page sends without asking is refused.
    "no media type": (post(media=None), {415}),
    "text": (post(media=b"text/plain"), {415}),
    "a form": (post(b"query=%7B__typename%7D", media=b"application/x-www-form-urlencoded"), {415}),
    "a form that claims to be JSON too": (post(media=b"text/plain; application/json"), {415}),
    "multipart without asking leave (CVE-2024-47082)": (
        post(MULTIPART, media=b"multipart/form-data; boundary=x"),
        {400, 415},
    ),
    "an unknown charset": (post(media=b"application/json; charset=utf-7"), {415}),
    "a document as it is": (post(b"{ __typename }", media=b"application/graphql"), {415}),
    "a packed body": (post(GOOD, b"content-encoding: gzip"), {415}),
    # HTTP itself.
    "too large a body": (post(b" " * 300_000), {413}),
    "too large a body in pieces": (chunked(*[b" " * 60_000] * 5), {413}),
    "a length below zero": (post(length=-5), {400}),
    "two lengths": (post(GOOD, b"content-length: 3"), {400}),
    "a length and pieces": (post(GOOD, b"transfer-encoding: chunked"), {400}),
    "a huge header": (post(GOOD, b"x-huge: " + b"x" * 70_000), {431}),
    "a thousand headers": (
        post(GOOD, *(b"x-%d: %s" % (n, b"y" * 40) for n in range(1_000))),
        {431},
    ),
    "a header split in two": (post(GOOD, b"x-a: b\rc: d"), {400}),
    "NUL in a header": (post(GOOD, b"x-a: b\0c"), {400}),
    "no host": (b"GET /graphql HTTP/1.1\r\n\r\n", {400, 406}),
    "a bad version": (b"GET /graphql HTTP/9.9\r\nhost: hub\r\n\r\n", {400}),
    "no method": (b"\r\n\r\n\r\nxyz\r\n\r\n", {400}),
    "an unknown method": (b"BREW /graphql HTTP/1.1\r\nhost: hub\r\n\r\n", {400, 405}),
    "TRACE": (b"TRACE /graphql HTTP/1.1\r\nhost: hub\r\n\r\n", {405}),
    "CONNECT": (b"CONNECT hub:443 HTTP/1.1\r\nhost: hub\r\n\r\n", {0, 400, 404, 405}),
    "another scheme": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 100, {400}),
    "a huge query string": (get(b"query=" + b"x" * 70_000), {431}),
    "bad escapes": (get(b"query=%7B%zz%ff%fe%7D"), {400, 422}),
    "variables that are no JSON, by GET": (get(b"query=%7B__typename%7D&variables=%7B"), {400}),
    "extensions that are a list, by GET": (get(b"query=%7B__typename%7D&extensions=%5B%5D"), {400}),
    "a path above": (b"GET /../../etc/passwd HTTP/1.1\r\nhost: hub\r\n\r\n", {400, 404}),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_it_is_refused_soon_and_said_so(attacked, name):
    request, statuses = REQUESTS[name]

    answer = attacked.raw(request)
    cost = attacked.cost(lambda _: attacked.raw(request), times=3)

    assert answer.status in statuses, answer
    for word in (b"Traceback", b"site-packages", b"orjson", b"python", b'"data":{'):
        assert word not in answer.body.lower()
    assert cost.cpu_seconds <= REFUSED_SECONDS, cost
    assert cost.beside_seconds <= 0.020, cost
    assert cost.grown_bytes <= 6_000_000, cost


@pytest.mark.parametrize(
    "body",
    [
        b'{"query": "mutation { __typename }", "query": "{ __typename }"}',
        b'{"query": "{ __typename }", "__proto__": {"admin": true}, "constructor": 1}',
        b'{"query": "{ __typename }", "variables": null, "extensions": null}',
    ],
)
def test_what_is_odd_and_harmless_is_answered(attacked, body):
    assert json.loads(attacked.raw(post(body)).body)["data"] == {"__typename": "Query"}


SIMPLE = [b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", b"text/plain"]


@pytest.mark.parametrize(
    "media",
    [
        *SIMPLE,
        *(one + b"; charset=UTF-8" for one in SIMPLE),
        b"",
        b",",
        b"application/json,text/plain",
    ],
)
@pytest.mark.parametrize(
    "disguise", [b"x-a: b", b"accept: application/json", b"origin: https://evil.example"]
)
def test_nothing_that_a_page_may_send_without_asking_is_run(attacked, media, disguise):
    answer = attacked.raw(post(GOOD, disguise, media=media))

    assert answer.status == 415
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


def upgrade(protocol: bytes) -> bytes:
    key = base64.b64encode(os.urandom(16))
    return (
        b"GET /graphql HTTP/1.1\r\nhost: hub\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        b"sec-websocket-version: 13\r\nsec-websocket-key: %s\r\n"
        b"sec-websocket-protocol: %s\r\n\r\n" % (key, protocol)
    )


def frame(said: object) -> bytes:
    """Return a text frame as a client sends it, below 64 KiB."""
    text, mask = json.dumps(said).encode(), os.urandom(4)
    size = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2)
    return b"\x81" + size + mask + bytes(b ^ mask[n % 4] for n, b in enumerate(text))


#: A close frame's first byte, and one of ours: masked, without a reason.
CLOSING, GOODBYE = b"\x88", b"\x88\x80" + bytes(4)


def told(attacked, *sent: bytes, seconds: float = 6) -> bytes:
    """Return all that is said on a connection until it is ended, by whom else than us."""
    ends = time.monotonic() + seconds
    found = b""
    with socket.create_connection(("127.0.0.1", attacked.port), seconds) as one:
        try:
            for piece in sent:
                one.sendall(piece)
            while time.monotonic() < ends and (piece := one.recv(65536)):
                found += piece
                if b" 101 " in found[:20] and CLOSING in found:
                    # It says why, and waits for us to say goodbye: that ends it.
                    one.sendall(GOODBYE)
        except ConnectionError:
            pass
    assert time.monotonic() < ends, found
    return found


START = {"id": "1", "type": "start", "payload": {"query": "{ __typename }"}}
SUBSCRIBE = {**START, "type": "subscribe"}


def test_the_old_protocol_of_sockets_is_not_spoken(attacked):
    """CVE-2026-35523: it ran what was asked before anybody had said who asks."""
    found = told(attacked, upgrade(b"graphql-ws"), frame(START))

    assert b"sec-websocket-protocol: graphql-ws" not in found.lower()
    assert b"__typename" not in found


def test_nothing_is_run_on_a_socket_before_who_asks_has_begun(attacked):
    found = told(attacked, upgrade(b"graphql-transport-ws"), frame(SUBSCRIBE))

    assert b'"__typename"' not in found
    # What is said before the handshake is over may not be heard; then nothing is, in time.
    assert any(code.to_bytes(2) in found for code in (4401, 4408))


def test_subscriptions_without_end_on_a_socket_are_ended(attacked):
    """CVE-2026-35526: each took a task and its memory, as many as anybody liked."""
    before = attacked.resident()
    payload = {"query": "subscription { __typename }"}
    asks = [{"type": "subscribe", "id": str(n), "payload": payload} for n in range(2_000)]
    url = f"ws://127.0.0.1:{attacked.port}/graphql"

    with connect(url, subprotocols=["graphql-transport-ws"], close_timeout=1) as one:

        def ask() -> None:
            for said in asks:
                one.send(json.dumps(said))

        one.send(json.dumps({"type": "connection_init"}))
        assert json.loads(one.recv(timeout=10)) == {"type": "connection_ack"}
        asking = threading.Thread(target=ask)
        asking.start()
        left = {one["id"] for one in asks}
        while left:
            said = json.loads(one.recv(timeout=10))
            if said["type"] in {"error", "complete"}:
                left.remove(said["id"])
        asking.join()

    assert attacked.resident() - before < 10_000_000


@pytest.mark.conformance_long
def test_sockets_that_say_nothing_are_ended(attacked):
    before = attacked.resident()

    for _ in range(3):
        told(attacked, upgrade(b"graphql-transport-ws"))

    assert attacked.resident() - before < 10_000_000

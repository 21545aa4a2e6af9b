"""Answers in parts over HTTP, as those who read them expect, byte by byte."""

import asyncio
import json
from functools import partial, reduce
from operator import getitem

import pytest
from starlette.requests import Request

from models import errors, turns
from schema import execution
from schema.execution.schema import Asked
from schema.execution.seat import FullError
from schema.execution.stream import Way
from tests import follow

EVENTS = "text/event-stream"
APOLLO = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json;q=0.9"
DEFER = "multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json"
URQL = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed"
PIECES = '{ item { name ... @defer(label: "l") { late broken } } }'


@pytest.fixture
async def source():
    return follow.Source()


class Client:
    """Somebody who asks over HTTP, and may go away."""

    def __init__(self, source, streams):
        self.gone = asyncio.Event()
        self.sent = []
        self._source = source
        self._streams = streams

    def request(self, accept, method="POST"):
        headers = [(b"accept", accept.encode())] if accept else []
        scope = {"type": "http", "method": method, "path": "/graphql", "query_string": b"",
                 "headers": headers, "client": ("192.0.2.1", 1)}  # fmt: skip
        return Request(scope, self._receive)

    async def ask(self, document, accept=EVENTS, method="POST", **variables):
        request, live = self.request(accept, method), self._streams.live
        asked = await live.read(Asked(document, variables), None)
        way = self._streams.way(request, asked)
        if way is not None:
            begin = partial(live.begun, asked, await self._context(), self._context)
            await self._streams.respond(way, begin, request, self._send)
        return way

    async def _context(self):
        return follow.context(self._source)

    async def _receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        self.sent.append(message)

    @property
    def headers(self):
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self):
        return b"".join(one.get("body", b"") for one in self.sent)

    @property
    def events(self):
        """The data of each `next` event; the last event is the end."""
        *found, end, rest = self.body.decode().split("\n\n")
        assert (end, rest) == ("event: complete\ndata:", "")
        told = [one.split("\n") for one in found if one != ":"]
        assert {one[0] for one in told} <= {"event: next"}
        return [follow.plain(json.loads(one[1].removeprefix("data: "))) for one in told]

    def parts(self, boundary):
        """The parts of the body, each with the one header it has."""
        begin, *found, end = self.body.decode().split(f"--{boundary}")
        assert (begin, end) == ("", "--\r\n")
        heads = {one.split("\r\n\r\n")[0] for one in found}
        assert heads <= {"\r\ncontent-type: application/json"}
        told = [json.loads(one.split("\r\n\r\n")[1]) for one in found]
        for one in told:
            follow.plain(one.get("payload", one))
        return told


def shown(first, *rest, by_path):
    """The data in the end, as a client has it that reads the pieces by path, or else by id."""
    data = first["data"]
    places = {}
    for part in (first, *rest):
        places.update({one["id"]: one["path"] for one in part.get("pending", ())})
        for piece in part.get("incremental", ()):
            path = piece["path"] if by_path else places[piece["id"]] + piece.get("subPath", [])
            if by_path and "items" in piece:
                *path, begun = path
                assert begun == len(reduce(getitem, path, data))
            there = reduce(getitem, path, data)
            there.extend(piece["items"]) if "items" in piece else there.update(piece["data"])
    return data


@pytest.fixture
def client_of(source):
    def build(bounds=None, leaving=None, **parts):
        live = follow.live(source, leaving, **(bounds or {}))
        return Client(source, execution.Streams(live, **parts))

    return build


@pytest.fixture
def client(client_of):
    return client_of()


async def test_events_have_line_feeds_alone_and_are_never_kept(client):
    await client.ask("subscription { numbers(to: 2) }")

    assert client.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert client.headers["cache-control"] == "no-store"
    assert client.headers["x-accel-buffering"] == "no"
    assert b"\r" not in client.body
    assert client.events == [{"data": {"numbers": 0}}, {"data": {"numbers": 1}}]
    assert [one["more_body"] for one in client.sent[1:]] == [True, True, True, False]


async def test_whoever_wants_events_first_of_all_has_queries_and_mutations_so_too(client, source):
    await client.ask("{ hello }")
    await client.ask("mutation { act }")

    assert source.acted == 1
    assert b'data: {"data":{"hello":"Hello, world."}' in client.body
    assert b'data: {"data":{"act":1}' in client.body


async def test_a_new_text_is_read_while_others_go_on(client, monkeypatch):
    monkeypatch.setattr(turns, "PIECE_SECONDS", 0.0)
    turned = []

    async def counted():
        while True:
            turned.append(None)
            await asyncio.sleep(0)

    counting = asyncio.create_task(counted())
    many = " ".join(f"a{n}: name" for n in range(10))
    await client.ask(f"{{ item {{ {many} }} }}")
    counting.cancel()

    assert len(turned) > 20
    assert len(client.events[0]["data"]["item"]) == 10


@pytest.mark.parametrize(
    ("document", "accept", "method", "way"),
    [
        ("{ hello }", None, "POST", None), ("{ hello }", "*/*", "POST", None),
        ("{ hello }", URQL, "POST", None), ("{ hello }", DEFER, "POST", None),
        ("{ hello }", APOLLO, "POST", None), ("{ hello }", EVENTS, "GET", Way.EVENTS),
        ("{ nobody }", EVENTS, "POST", Way.EVENTS), ("{ nobody }", APOLLO, "POST", None),
        ("mutation { act }", EVENTS, "GET", None), ("mutation { act }", URQL, "POST", None),
        ("subscription { value }", None, "POST", None),
        ("subscription { value }", "application/json", "POST", None),
        ("subscription { value }", "text/event-stream, multipart/mixed", "POST", Way.EVENTS),
        ("subscription { value }", APOLLO, "POST", Way.SUBSCRIPTION),
        ("subscription { value }", "multipart/mixed, text/event-stream", "GET", Way.SUBSCRIPTION),
        (PIECES, DEFER, "POST", Way.PIECES), (PIECES, URQL, "POST", Way.PIECES),
        (PIECES, "application/json", "POST", None), (PIECES, EVENTS, "POST", Way.EVENTS),
    ],
)  # fmt: skip
async def test_the_way_is_chosen_by_what_is_asked_and_wanted(client, document, accept, method, way):
    asked = await client._streams.live.read(Asked(document, {}), None)

    assert client._streams.way(client.request(accept, method), asked) is way


async def test_a_subscription_by_parts_has_each_answer_as_a_payload(client):
    await client.ask("subscription { numbers(to: 2) }", APOLLO)

    assert client.headers["content-type"] == (
        'multipart/mixed; boundary="graphql"; subscriptionSpec=1.0'
    )
    assert client.parts("graphql") == [
        {"payload": {"data": {"numbers": 0}}},
        {"payload": {"data": {"numbers": 1}}},
    ]


async def test_what_is_asked_for_later_comes_later_by_id_and_by_path(client):
    await client.ask(PIECES, DEFER)
    first, then = client.parts("-")

    assert client.headers["content-type"] == 'multipart/mixed; boundary="-"'
    assert first == {
        "data": {"item": {"name": "lamp"}},
        "pending": [{"id": "0", "path": ["item"], "label": "l"}],
        "hasNext": True,
    }
    [piece] = then["incremental"]
    [error] = piece.pop("errors")
    assert piece == {
        "id": "0",
        "path": ["item"],
        "label": "l",
        "data": {"late": "late lamp", "broken": None},
    }
    assert (error["message"], error["extensions"]["code"]) == ("Internal error", "INTERNAL")
    assert (then["completed"], then["hasNext"]) == ([{"id": "0"}], False)


async def test_every_answer_says_what_it_cost(client):
    for document, accept in (("{ hello }", EVENTS), (PIECES, DEFER)):
        await client.ask(document, accept)

    assert client.body.count(b'"extensions":{"cost":{"requested":') == 2


async def test_items_of_a_list_come_as_they_are_there(client):
    await client.ask("{ items @stream(initialCount: 1) { name } }", DEFER)
    first, *rest = client.parts("-")

    items = [
        item for one in rest for piece in one.get("incremental", ()) for item in piece["items"]
    ]
    assert first["data"] == {"items": [{"name": "lamp"}]}
    assert items == [{"name": "bicycle"}, {"name": "bell"}]
    assert rest[-1]["hasNext"] is False


@pytest.mark.parametrize(
    "document",
    [
        "{ items @stream(initialCount: 1) { late } }",
        "{ item { name ... @defer { pieces @stream(initialCount: 1) } } }",
        "{ items @stream(initialCount: 2) { name pieces @stream(initialCount: 3) } }",
        "{ items @stream { ... @defer { pieces @stream } } }",
    ],
)
async def test_pieces_make_the_same_whole_by_path_and_by_id(client, client_of, document):
    at_once = client_of()

    await client.ask(document, DEFER)
    await at_once.ask(document, EVENTS)

    [whole] = at_once.events
    assert shown(*client.parts("-"), by_path=True) == whole["data"]
    assert shown(*client.parts("-"), by_path=False) == whole["data"]


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (
            '{ items { ... @defer(label: "l") { guarded } } }',
            {"id": "1", "path": ["items", 1], "label": "l"},
        ),
        ("{ items @stream(initialCount: 1) { guarded } }", {"id": "0", "path": ["items", 1]}),
    ],
)
async def test_what_fails_is_said_where_clients_by_path_look_and_takes_nothing_away(
    client, document, place
):
    await client.ask(document, DEFER)
    _, *rest = client.parts("-")

    [failed] = [
        piece
        for one in rest
        for piece in one.get("incremental", ())
        if piece["path"] == ["items", 1]
    ]
    errors = failed.pop("errors")
    assert failed == place
    assert [(one["path"], one["extensions"]["code"]) for one in errors] == [
        (["items", 1, "guarded"], "FORBIDDEN")
    ]
    completed = [one for part in rest for one in part.get("completed", ())]
    assert {"id": place["id"], "errors": errors} in completed


@pytest.mark.parametrize("count", ["-2", "null"])
async def test_a_list_that_would_begin_with_less_than_nothing_does_not_hold(client, count):
    document = f"{{ items @stream(initialCount: {count}) {{ name }} }}"

    way = await client.ask(document, DEFER)
    await client.ask(document)

    [answer] = client.events
    [error] = answer["errors"]
    assert way is None
    assert error["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}
    assert error["message"] == "`initialCount` of `@stream` must be a whole number, 0 or more."


@pytest.mark.parametrize("count", [-2, None])
async def test_a_variable_that_would_begin_a_list_with_less_than_nothing_is_the_askers(
    client, caplog, count
):
    await client.ask("query ($n: Int) { items @stream(initialCount: $n) { name } }", DEFER, n=count)
    [answer] = client.parts("-")

    [error] = answer["errors"]
    assert error["message"] == "`initialCount` of `@stream` must be a whole number, 0 or more."
    assert (error["path"], error["extensions"]["code"]) == (["items"], "BAD_USER_INPUT")
    assert caplog.records == []


async def test_what_is_not_deferred_after_all_comes_in_one_part(client):
    document = "query($d: Boolean!) { item { name ... @defer(if: $d) { late } } }"

    await client.ask(document, DEFER, d=False)

    assert client.parts("-") == [{"data": {"item": {"name": "lamp", "late": "late lamp"}}}]


async def test_pieces_that_come_too_late_do_not_come_and_nobody_waits_for_them(client_of, source):
    client = client_of(bounds={"seconds": 0.3})

    await client.ask("{ hello ... @defer { slow } items @stream { name } }", DEFER)

    *_, last = client.parts("-")
    [piece], [completed] = last["incremental"], last["completed"]
    [error] = piece["errors"]
    assert (last["hasNext"], piece["path"], completed["id"]) == (False, [], piece["id"])
    assert error["extensions"]["code"] == "OPERATION_TIMEOUT"
    assert completed["errors"] == [error]
    assert source.followed == 0


@pytest.mark.parametrize("document", ["{ hello", "{ nobody }", "subscription { refused }"])
async def test_what_is_refused_is_told_as_an_event(client, document):
    await client.ask(document)

    [answer] = client.events
    assert [*answer] == ["errors"]
    assert answer["errors"][0]["extensions"]["code"]


@pytest.mark.parametrize("accept", [EVENTS, APOLLO])
async def test_whoever_goes_is_followed_for_no_longer(client, source, accept):
    asking = asyncio.create_task(client.ask("subscription { value }", accept))
    await follow.until(lambda: b"0" in client.body)

    client.gone.set()
    async with asyncio.timeout(1):
        await asking

    assert source.followed == 0


async def test_a_silent_answer_says_that_it_is_there(client, monkeypatch):
    monkeypatch.setattr(Way, "seconds", 0.02)
    asking = asyncio.create_task(client.ask("subscription { value }", APOLLO))

    await follow.until(lambda: client.body.count(b"\r\n{}\r\n--graphql") >= 2)
    client.gone.set()
    await asking

    parts = client.parts("graphql")
    assert {} in parts
    assert {"payload": {"data": {"value": 0}}} in parts


async def test_a_process_that_leaves_ends_what_would_go_on_for_ever(client_of, source):
    leaving = asyncio.Event()
    client = client_of(leaving=leaving.wait)
    asking = asyncio.create_task(client.ask("subscription { value }"))
    await follow.until(lambda: b"value" in client.body)

    leaving.set()
    await asking

    first, last = client.events
    assert first == {"data": {"value": 0}}
    assert [one["extensions"]["code"] for one in last["errors"]] == ["HUB_LEAVING"]
    assert source.followed == 0


@pytest.mark.parametrize(
    ("document", "accept", "said"),
    [
        ("{ hello }", EVENTS, b'"hello":"Hello, world."'),
        ("mutation { act }", EVENTS, b'"act":1'),
        (PIECES, DEFER, b'"late":"late lamp"'),
    ],
)
async def test_a_process_that_leaves_answers_whatever_ends_by_itself(
    client_of, document, accept, said
):
    leaving = asyncio.Event()
    leaving.set()
    client = client_of(leaving=leaving.wait)

    await client.ask(document, accept)

    assert said in client.body
    assert b"HUB_LEAVING" not in client.body


async def test_streams_have_as_many_seats_as_there_are(client_of):
    seats = execution.Seats(most=1, each=0)
    client = client_of(seats=seats)

    with seats.taken("192.0.2.2"), pytest.raises(FullError):
        await client.ask("subscription { value }")

    assert client.sent == []


async def test_who_may_ask_no_more_is_told_so(source):
    contexts = iter([follow.context(source)])

    async def context():
        for one in contexts:
            return one
        raise errors.UnauthenticatedError("The token has expired.")

    client = Client(source, execution.Streams(follow.live(source)))
    client._context = context

    await client.ask("subscription { value }")

    assert client.events[0]["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"

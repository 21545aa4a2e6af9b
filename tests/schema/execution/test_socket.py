"""A socket speaks graphql-transport-ws, and takes no more than it may."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from starlette.datastructures import Headers

from models import errors
from schema import execution
from tests import follow
from tests.follow import INIT, Socket

HELLO = {"type": "next", "id": "1", "payload": {"data": {"hello": "Hello, world."}}}
DONE = {"type": "complete", "id": "1"}


@pytest.fixture
async def source():
    return follow.Source()


@pytest.fixture
def asked():
    """The Authorization headers that contexts were made of."""
    return []


@pytest.fixture
def app_of(source, asked):
    def build(bounds=None, seats=None, origins=(), leaving=None, **limits):
        async def context(scope, _plan):
            asked.append(Headers(scope=scope).get("authorization"))
            if asked[-1] == "Bearer gone":
                raise errors.UnauthenticatedError("The token has expired.")
            return follow.context(source)

        return execution.GraphQLSocket(
            follow.live(source, leaving and leaving.wait, **(bounds or {})),
            context,
            seats=seats,
            leaving=leaving and leaving.wait,
            limits=execution.SocketLimits(**limits),
            origins=origins,
        )

    return build


@pytest.fixture
async def socket(app_of):
    """A socket that has said who it is."""
    async with Socket(app_of()) as one:
        assert await one.begin() == {"type": "connection_ack"}
        yield one


async def test_queries_and_mutations_are_answered_once(socket):
    assert await socket.answers("{ hello }") == [HELLO, DONE]
    [acted, done] = await socket.answers("mutation { act }")

    assert (acted["payload"], done) == ({"data": {"act": 1}}, DONE)


async def test_variables_and_the_operations_name_are_heeded(socket):
    document = "query A { hello } query B($n: String!) { hello(name: $n) }"

    [answer, _] = await socket.answers(document, variables={"n": "Ana"}, operationName="B")

    assert answer["payload"] == {"data": {"hello": "Hello, Ana."}}


async def test_a_subscription_answers_until_its_source_ends(socket, source):
    found = await socket.answers("subscription { numbers(to: 3) }")

    assert [one.get("payload") for one in found] == [
        *({"data": {"numbers": n}} for n in range(3)),
        None,
    ]
    assert source.followed == 0


async def test_fragments_and_variables_of_a_subscription_are_those_of_its_query(socket):
    document = (
        "subscription S($to: Int!) { ...F } fragment F on Subscription { n: numbers(to: $to) }"
    )

    [answer, done] = await socket.answers(document, variables={"to": 1})

    assert (answer["payload"], done["type"]) == ({"data": {"n": 0}}, "complete")


async def test_an_answer_that_is_as_the_last_one_is_not_sent(socket, source):
    socket.ask("subscription { value }")
    first = await socket.hear()
    source.go.set()
    await asyncio.sleep(0.05)
    source.tell(7)
    second = await socket.hear()

    assert [one["payload"]["data"]["value"] for one in (first, second)] == [0, 7]


async def test_what_is_no_longer_wanted_is_let_go_of_and_its_id_is_free(socket, source):
    socket.ask("subscription { value }")
    await socket.hear()
    socket.say({"type": "complete", "id": "1"})
    await follow.until(lambda: source.followed == 0)

    assert await socket.answers("{ hello }") == [HELLO, DONE]


async def test_a_query_that_nobody_waits_for_is_ended_and_a_mutation_is_not(app_of, source):
    async with Socket(app_of()) as socket:
        await socket.begin()
        socket.ask("{ slow }", "1")
        await follow.until(lambda: source.followed == 1)
        socket.ask("mutation { act }", "2")
        await follow.until(lambda: source.begun == 1)

    await follow.until(lambda: source.followed == 0)
    await follow.until(lambda: source.acted == 1)


async def test_operations_run_beside_each_other(socket, source):
    socket.ask("subscription { value }", "a")
    await socket.hear()

    assert await socket.answers("{ hello }") == [HELLO, DONE]
    assert source.followed == 1


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{ hello", "GRAPHQL_PARSE_FAILED"),
        ("{ nobody }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { numbers }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { value numbers(to: 1) }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { hello } query B { hello }", "OPERATION_RESOLUTION_FAILURE"),
        ("subscription { refused }", "FORBIDDEN"),
        ("subscription($to: Int!) { numbers(to: $to) }", "BAD_USER_INPUT"),
    ],
)
async def test_an_operation_that_fails_leaves_the_socket_as_it_was(socket, document, code):
    [error] = await socket.answers(document)
    after = await socket.answers("{ hello }")

    assert error["type"] == "error"
    assert [one["extensions"]["code"] for one in error["payload"]] == [code]
    assert after == [HELLO, DONE]


async def test_a_source_that_fails_ends_its_operation_without_telling_why(socket, source, caplog):
    socket.ask("subscription { value }")
    await socket.hear()
    source.failure = RuntimeError("postgresql://secret@db/greenway")
    source.go.set()
    error = await socket.hear()

    [told] = error["payload"]
    assert (error["type"], told["message"]) == ("error", "Internal error")
    assert told["extensions"]["reference"] in caplog.text
    assert await socket.answers("{ hello }") == [HELLO, DONE]


async def test_limits_hold_as_for_a_request(app_of):
    async with Socket(app_of(bounds={"depth": 1, "seconds": 0.05})) as socket:
        await socket.begin()
        [deep] = await socket.answers("{ item { name } }")
        [slow, _] = await socket.answers("{ slow }")

    assert deep["payload"][0]["extensions"]["code"] == "QUERY_TOO_DEEP"
    assert slow["payload"]["errors"][0]["extensions"]["code"] == "OPERATION_TIMEOUT"


async def test_what_is_asked_for_later_comes_at_once(socket):
    document = "query($d: Boolean) { item { name ... @defer(if: $d) { late } } }"

    [answer, done] = await socket.answers(document, variables={"d": True})

    assert answer["payload"] == {"data": {"item": {"name": "lamp", "late": "late lamp"}}}
    assert done == DONE


async def test_a_ping_is_answered_and_a_pong_is_heard_at_any_time(app_of):
    async with Socket(app_of()) as socket:
        socket.say({"type": "ping"})
        before = await socket.hear()
        socket.say({"type": "pong", "payload": {}})
        await socket.begin()
        socket.say({"type": "pong"})
        socket.say({"type": "ping", "payload": {"a": 1}})
        after = await socket.hear()

    assert before == after == {"type": "pong"}


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "null", "[]", "1", '"x"', "[" * 100_000, "{}", '{"type": "next", "id": "1"}',
        '{"type": "subscribe"}', '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "", "payload": {"query": "{ hello }"}}',
        '{"type": "subscribe", "id": 1, "payload": {"query": "{ hello }"}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": ""}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ hello }", "variables": []}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ hello }", "operationName": 1}}',
        '{"type": "complete"}', '{"type": ["complete"], "id": "1"}', '{"type": "start", "id": "1"}',
        '{"type": "ping", "payload": "' + "x" * 300_000 + '"}',
    ],
    ids=range(20),
)  # fmt: skip
async def test_what_is_no_message_closes_the_socket(socket, text):
    socket.say(text)

    assert await socket.hear() == 4400


async def test_bytes_are_no_message(socket):
    socket.say_bytes(b'{"type": "ping"}')

    assert await socket.hear() == 4400


async def test_an_id_in_use_is_not_used_again(socket):
    socket.ask("subscription { value }")
    await socket.hear()
    socket.ask("{ hello }")

    assert await socket.hear() == 4409


async def test_one_says_who_one_is_once_and_before_anything_else(app_of, socket, asked):
    socket.say(INIT)
    async with Socket(app_of()) as other:
        other.ask("{ hello }")

        assert (await socket.hear(), await other.hear()) == (4429, 4401)
    assert asked == [None]


async def test_who_does_not_say_who_they_are_in_time_is_hung_up_on(app_of):
    async with Socket(app_of(init_seconds=0.05)) as socket:
        assert await socket.hear() == 4408


async def test_who_asks_nothing_for_long_is_hung_up_on_unless_something_runs(app_of, source):
    app = app_of(idle_seconds=0.05)
    async with Socket(app) as idle, Socket(app) as follower:
        await idle.begin()
        await follower.begin()
        follower.ask("subscription { value }")
        await follower.hear()

        assert await idle.hear() == 1000
        source.tell(1)
        assert (await follower.hear())["payload"] == {"data": {"value": 1}}


async def test_a_token_is_shown_in_the_first_message_or_in_the_handshake(app_of, asked):
    async with Socket(app_of()) as socket:
        await socket.begin(Authorization="Bearer mine")
        await socket.answers("{ hello }")
    async with Socket(app_of(), authorization="Bearer other", cookie="a=b") as socket:
        await socket.begin()

    assert asked == ["Bearer mine", "Bearer mine", "Bearer other"]


@pytest.mark.parametrize("shown", ["Bearer gone", 1, ["Bearer mine"]])
async def test_a_token_that_does_not_hold_opens_nothing(app_of, shown):
    async with Socket(app_of()) as socket:
        assert await socket.begin(authorization=shown) == 4403


async def test_a_subscription_ends_when_who_follows_may_ask_no_more(app_of, source, monkeypatch):
    monkeypatch.setattr("schema.execution.live.RIGHTS_SECONDS", 0.05)
    may_ask = True

    async def context(scope, _plan):
        if not may_ask:
            raise errors.UnauthenticatedError("The token has expired.")
        return follow.context(source)

    app = execution.GraphQLSocket(follow.live(source), context)
    async with Socket(app) as socket:
        await socket.begin()
        socket.ask("subscription { value }")
        await socket.hear()
        may_ask = False
        error = await socket.hear()

    assert error["payload"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert source.followed == 0


async def test_a_process_that_leaves_tells_what_runs_and_ends_what_is_followed(app_of, source):
    leaving = asyncio.Event()
    async with Socket(app_of(leaving=leaving)) as socket:
        await socket.begin()
        socket.ask("subscription { value }", "followed")
        await socket.hear()
        socket.ask("mutation { act }", "acting")
        await asyncio.sleep(0.01)
        leaving.set()
        await asyncio.sleep(0.01)
        socket.ask("{ hello }", "late")
        said = [await socket.hear() for _ in range(4)]
        closed = await socket.hear()

    ended = {one["id"]: one["payload"][0] for one in said if one["type"] == "error"}
    assert {id_: one["extensions"]["code"] for id_, one in ended.items()} == {
        "followed": "HUB_LEAVING",
        "late": "HUB_LEAVING",
    }
    assert [one for one in said if one["id"] == "acting"] == [
        {"type": "next", "id": "acting", "payload": {"data": {"act": 1}}},
        {"type": "complete", "id": "acting"},
    ]
    assert closed == 1012
    assert source.followed == 0


async def test_a_process_that_leaves_closes_sockets_on_which_nothing_runs(app_of):
    leaving = asyncio.Event()
    app = app_of(leaving=leaving)
    async with Socket(app) as one:
        await one.begin()
        leaving.set()
        async with Socket(app) as other:
            assert (await one.hear(), await other.hear()) == (1012, 1012)


@pytest.mark.parametrize("sort", ["query", "subscription"])
@pytest.mark.parametrize("variables", [{"n": "x"}, {"n": 1, **{f"v{n}": 0 for n in range(100)}}])
async def test_what_may_not_run_with_its_variables_ends_with_an_error(socket, sort, variables):
    [error] = await socket.answers(f"{sort} ($n: Int!) {{ numbers(to: $n) }}", variables=variables)

    assert error["type"] == "error"


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        ("https://hub.example", None), ("https://named.example", None),
        ("https://evil.example", 4403), ("https://hub.example.evil.example", 4403), ("null", 4403),
        ("https://hub.example:8443", 4403),
    ],
)  # fmt: skip
async def test_pages_of_others_open_no_socket(app_of, origin, code):
    async with Socket(app_of(origins=["https://named.example"]), origin=origin) as socket:
        found = await socket.begin()

    assert found == (code or {"type": "connection_ack"})


@pytest.mark.parametrize("protocols", [(), ("graphql-ws",)])
async def test_no_other_protocol_is_spoken(app_of, protocols):
    async with Socket(app_of(), protocols=protocols) as socket:
        assert await socket.hear() == 4406


async def test_the_operations_of_a_socket_are_counted(app_of, source):
    async with Socket(app_of(operations=2)) as socket:
        await socket.begin()
        for id_ in ("a", "b", "c"):
            socket.ask("subscription { value }", id_)
        found = [await socket.hear() for _ in range(3)]
        [refused] = [one for one in found if one["type"] == "error"]

        assert refused["id"] == "c"
        assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_STREAMS"
        assert source.followed == 2


async def test_sockets_are_counted_by_address_and_in_all(app_of):
    seats = execution.Seats(most=3, each=2)
    app = app_of(seats=seats)
    async with Socket(app) as one, Socket(app) as two, Socket(app, client="192.0.2.2") as three:
        for socket in (one, two, three):
            await socket.begin()
        async with Socket(app) as fourth:
            assert await fourth.hear() == 4429
        async with Socket(app, client="192.0.2.3") as fifth:
            assert await fifth.hear() == 4429
    async with Socket(app) as again:
        assert await again.begin() == {"type": "connection_ack"}
    assert seats.open == 0


async def test_two_hundred_sockets_without_a_word_are_closed_in_time(app_of):
    seats = execution.Seats()
    app = app_of(seats=seats, init_seconds=0.2)

    async with AsyncExitStack() as all_of_them:
        sockets = [Socket(app, client=f"192.0.2.{n}") for n in range(200)]
        for one in sockets:
            await all_of_them.enter_async_context(one)
        assert [await one.hear() for one in sockets] == [4408] * 200
    assert seats.open == 0

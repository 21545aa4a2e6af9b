"""What people ask is answered again when it is otherwise, over sockets and as events."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp
import pytest
import sqlalchemy as sa

import schema
from endpoints import header
from models import booking, card, demo
from models.verifier import Scope
from sandbox.fault import Fault, Mode
from schema.execution.limits import BASE
from tests import asgi, follow, process
from tests import till as partners

pytestmark = pytest.mark.any_database

CINEMA = "hongqiao-cinema"
APARTMENT_FILE = Path(__file__).parents[2] / "menu" / "services" / "talent-apartment.yaml"
CHANGED = APARTMENT_FILE.read_text(encoding="utf-8").replace("less_than: 12", "less_than: 24")

EDITION = "subscription { edition { revision } }"
BREAKERS = "subscription { connectors { code breaker } }"
DECISIONS = "subscription { decisions { service state } }"
DRAFTS = "subscription { decisions { changes { before { outcome } now { outcome } } } }"
SUSPEND = f"""mutation {{ suspendCard(input: {{
  card: {{holder: "{demo.handle(demo.RETURNEE)}"}}, reason: UNDER_REVIEW}}) {{ __typename }} }}"""
BOOKINGS = "subscription { bookings { id state } }"
PROMPTS = "subscription { prompts { verification partner { name } } }"
PUBLISH = """mutation ($input: PublishServiceInput!) { publishService(input: $input) {
  ... on Publication { edition { revision } } } }"""
SAVE = """mutation($input: SaveDraftInput!) { saveDraft(input: $input) {
  __typename ... on Decision { id } } }"""
DISCARD = """mutation($input: DiscardDraftInput!) { discardDraft(input: $input) { __typename } }"""
ANSWER = """mutation ($input: AnswerPromptInput!) { answerPrompt(input: $input) { __typename } }"""
OFFERS = (
    """{ service(code: "film-tickets") { ... on Service { offers { pages { freshness } } } } }"""
)
APARTMENT = {"input": {"service": "talent-apartment"}}


@pytest.fixture
def socket(hub):
    """Open a socket as somebody."""

    @asynccontextmanager
    async def socket(role="holder", person=demo.RETURNEE, **headers):
        shown = hub.bearer(role, person)
        async with follow.Socket(hub.app, **headers) as one:
            assert await one.begin(**shown) == {"type": "connection_ack"}
            yield one

    return socket


async def told(hub, socket):
    """What a follower is told once the hub has looked."""
    await hub.hub.feeds.refreshed()
    return (await socket.hear())["payload"]["data"]


async def is_told_nothing(hub, socket):
    """Whether there is nothing new for a follower although the hub has looked."""
    await hub.hub.feeds.refreshed()
    await asyncio.sleep(0.3)
    return socket.waiting == 0


async def begun(hub, socket, document):
    """Follow, and return the first answer, once the hub has looked at what is followed."""
    socket.ask(document)
    first = await socket.hear()
    await hub.hub.feeds.refreshed()
    return first["payload"]["data"]


async def test_a_holder_sees_what_becomes_of_their_cases(hub, socket):
    async with socket() as following:
        before = await begun(hub, following, DECISIONS)
        saved = await hub.ask(SAVE, APARTMENT, viewer="holder")
        after = await told(hub, following)
        draft = {"input": {"id": saved.json()["data"]["saveDraft"]["id"]}}
        await hub.ask(DISCARD, draft, viewer="holder")
        gone = await told(hub, following)

    assert before == gone == {"decisions": []}
    assert after == {"decisions": [{"service": "talent-apartment", "state": "DRAFT"}]}


async def test_a_holder_is_told_that_a_draft_is_not_as_it_was(hub, socket):
    async with socket() as following:
        await hub.ask(SAVE, {"input": {"service": "film-tickets"}}, viewer="holder")
        [before] = (await begun(hub, following, DRAFTS))["decisions"]
        was_quiet = await is_told_nothing(hub, following)
        await hub.ask(SUSPEND, viewer="officer")
        [after] = (await told(hub, following))["decisions"]

    assert (before["changes"], was_quiet) == (None, True)
    assert after["changes"] == {"before": {"outcome": "ELIGIBLE"}, "now": {"outcome": "INELIGIBLE"}}


async def test_nobody_hears_of_the_cases_of_another(hub, socket):
    async with socket(person=demo.PILOT) as following:
        await begun(hub, following, DECISIONS)
        await hub.ask(SAVE, APARTMENT, viewer="holder")

        assert await is_told_nothing(hub, following)


async def test_a_hold_that_runs_out_is_told_although_nobody_wrote_anything(hub, socket):
    now = hub.clock()
    async with hub.hub.database.begin() as session:
        session.add(
            booking.Booking(
                handle=booking.new_handle(),
                talent_id=demo.RETURNEE,
                idempotency_key="k",
                key=booking.new_key(),
                service="film-tickets",
                partner=CINEMA,
                capability="SHOWING",
                topic="",
                offer="o",
                units=1,
                title="A film",
                state=booking.State.HELD,
                details={},
                asked_at=now,
                acted_at=now,
                turn=1,
                expires_at=now.replace(minute=now.minute + 1),
            )
        )
    async with socket() as following:
        [before] = (await begun(hub, following, BOOKINGS))["bookings"]
        hub.clock.pass_seconds(61)
        [after] = (await told(hub, following))["bookings"]

    assert (before["state"], after["state"]) == ("HELD", "EXPIRED")


async def test_a_phone_hears_at_once_that_it_is_asked(hub, socket):
    tills = await partners.tills(hub)
    await partners.grant(hub, tills["hospital"].code, Scope.VERIFY_SERIAL)
    async with hub.hub.database.session() as session:
        wanted = sa.select(card.Card.serial).where(card.Card.talent_id == demo.PILOT)
        serial = await session.scalar(wanted)
    async with socket(person=demo.PILOT) as following:
        before = await begun(hub, following, PROMPTS)
        check = await tills["hospital"].verify(presented={"serial": serial})
        [asked] = (await told(hub, following))["prompts"]
        said = {"input": {"verification": asked["verification"], "accept": True}}
        following.ask(ANSWER, "2", variables=said)
        await follow.until(lambda: following.waiting >= 2)
        answered, done = await following.hear(), await following.hear()
        after = await told(hub, following)

    assert before == after == {"prompts": []}
    assert asked["verification"] == check["verificationId"]
    assert (answered["id"], done["type"]) == ("2", "complete")
    assert "errors" not in answered["payload"]


async def test_everybody_sees_a_breaker_open(stand, systems):
    hub = stand(always_live=True)
    async with follow.Socket(hub.app) as following:
        await following.begin()
        first = await begun(hub, following, BREAKERS)
        await hub.ask(OFFERS, viewer="holder", person=demo.PILOT)
        was_quiet = await is_told_nothing(hub, following)
        await systems["cinema"].inject(Fault(Mode.ERROR), CINEMA)
        for _ in range(5):
            await hub.ask(OFFERS, viewer="holder", person=demo.PILOT)
        after = await told(hub, following)

    assert {one["breaker"] for one in first["connectors"]} == {"CLOSED"}
    assert was_quiet
    opened = [one["code"] for one in after["connectors"] if one["breaker"] == "OPEN"]
    assert opened == [CINEMA]


async def test_a_new_menu_is_told_within_a_second(hub):
    looking = asyncio.create_task(hub.hub.follow())
    async with follow.Socket(hub.app) as following:
        await following.begin()
        following.ask(EDITION)
        before = (await following.hear())["payload"]["data"]["edition"]["revision"]
        change = {"code": "talent-apartment", "text": CHANGED, "expectedRevision": before}
        published = await hub.ask(PUBLISH, {"input": change}, viewer="officer")
        after = await following.hear()
    hub.hub.stop_following()
    await looking

    now = published.json()["data"]["publishService"]["edition"]["revision"]

    assert after["payload"]["data"]["edition"]["revision"] == now > before


async def test_however_many_follow_it_takes_one_statement(hub, socket, queries):
    async with AsyncExitStack() as all_of_them:
        for number in range(20):
            one = await all_of_them.enter_async_context(socket(person=1 + number % 6))
            await begun(hub, one, DECISIONS)
        await asyncio.sleep(0.1)
        queries.clear()
        await hub.hub.feeds.refreshed()

        assert len(queries) == 1
    queries.clear()
    await hub.hub.feeds.refreshed()
    assert queries == []


@pytest.mark.parametrize(
    ("viewer", "code"), [("anonymous", "UNAUTHENTICATED"), ("officer", "FORBIDDEN")]
)
@pytest.mark.parametrize("document", [DECISIONS, BOOKINGS, PROMPTS])
async def test_only_people_follow_what_is_theirs(socket, document, viewer, code):
    async with socket(viewer) as asking:
        [error] = await asking.answers(document)

    assert [one["extensions"]["code"] for one in error["payload"]] == [code]


async def test_a_token_that_runs_out_ends_what_it_opened(hub, socket, monkeypatch):
    monkeypatch.setattr("schema.execution.live.RIGHTS_SECONDS", 0.05)
    async with socket() as following:
        await begun(hub, following, DECISIONS)
        hub.clock.pass_seconds(3600 + 61)
        error = await following.hear()

    assert [one["extensions"]["code"] for one in error["payload"]] == ["UNAUTHENTICATED"]


async def test_the_language_of_the_handshake_counts(socket):
    document = '{ service(code: "film-tickets") { ... on Service { name { language } } } }'

    async with socket(**{"accept-language": "zh-CN"}) as asking:
        [answer, _] = await asking.answers(document)

    assert answer["payload"]["data"]["service"]["name"]["language"] == "zh"


async def test_a_subscription_needs_a_stream(hub):
    answer = await hub.ask(EDITION)

    assert (answer.status, answer.codes) == (400, ["OPERATION_TYPE_NOT_ALLOWED"])


async def test_what_is_asked_for_later_comes_whole_to_whoever_reads_no_parts(hub):
    answer = await hub.ask("{ edition { revision ... @defer { digest } } }")

    assert [*answer.json()["data"]["edition"]] == ["revision", "digest"]


async def test_a_menu_is_followed_as_events_over_a_real_connection(hub):
    body = json.dumps({"query": EDITION}).encode()
    head = (
        b"POST /graphql HTTP/1.1\r\nhost: hub\r\naccept: text/event-stream\r\n"
        b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    )
    async with asgi.served(hub.app) as address:
        host, port = address.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(head + body)
        async with asyncio.timeout(5):
            answer = await reader.readuntil(b'"revision":')
        following = len(hub.hub.feeds.edition)
        writer.close()
        await follow.until(lambda: len(hub.hub.feeds.edition) == 0)

    assert b"content-type: text/event-stream; charset=utf-8\r\n" in answer
    assert b"event: next\ndata: " in answer
    assert following == 1


EVENTS, PIECES = "text/event-stream", "multipart/mixed"
WAYS = [
    ("application/json", "{ edition { revision } }"),
    (EVENTS, "{ edition { revision } }"),
    (EVENTS, EDITION),
    ("multipart/mixed;subscriptionSpec=1.0", EDITION),
    (PIECES, "{ edition { revision ... @defer { digest } } }"),
]


@asynccontextmanager
async def posting(hub):
    """Post operations to a hub over real connections, as whoever takes such an answer."""
    async with asgi.served(hub.app) as address, aiohttp.ClientSession() as client:

        @asynccontextmanager
        async def post(accept, document):
            said = {"accept": accept}
            where = f"{address}/graphql"
            async with client.post(where, json={"query": document}, headers=said) as answer:
                yield answer

        yield post


async def test_who_has_spent_their_points_is_told_so_whatever_they_take(stand):
    hub = stand(points_per_second=0.001, points_burst=1)
    async with posting(hub) as post:
        async with post(*WAYS[0]):
            pass
        for accept, document in WAYS:
            async with post(accept, document) as answer:
                told = await answer.json()
            assert (answer.status, int(answer.headers["retry-after"]) > 0) == (429, True)
            assert [one["extensions"]["code"] for one in told["errors"]] == ["RATE_LIMITED"]


async def test_every_answer_of_the_graph_says_what_all_answers_of_the_hub_do(stand):
    most = 8
    hub = stand(hsts_seconds=100, streams=most)
    said = {name.decode(): value.decode() for name, value in header.headers(100)}
    asked = [*WAYS, ("application/json", "{"), ("image/png", "{ a }"), *[(EVENTS, EDITION)] * most]
    async with posting(hub) as post, AsyncExitStack() as open_ones:
        answers = [await open_ones.enter_async_context(post(*one)) for one in asked]

    assert {200, 406, 503} == {one.status for one in answers}
    for one in answers:
        assert said.items() <= one.headers.items()
        assert "authorization" in one.headers["vary"]


@pytest.mark.parametrize("document", [EDITION, DECISIONS, BOOKINGS, PROMPTS, BREAKERS])
async def test_following_costs_for_each_answer_what_asking_does(stand, document):
    hub = stand(points_per_second=0.001, points_burst=1_000_000)
    left = partial(hub.hub.points.left, f"holder:{demo.handle(demo.RETURNEE)}")
    async with follow.Socket(hub.app) as following:
        await following.begin(**hub.bearer("holder"))
        spent = []
        for asked in (document, document.removeprefix("subscription ")):
            # Its text is read the first time.
            for id_ in ("first", "second"):
                before = left()
                following.ask(asked, id_)
                while (await following.hear())["id"] != id_:
                    pass
                spent.append(before - left())
                following.say({"type": "complete", "id": id_})
                await asyncio.sleep(0.05)

    assert spent[1] == spent[3] >= BASE


def test_what_may_be_followed_may_be_asked_alike():
    graph = schema.build_schema()._schema

    for name, field in graph.subscription_type.fields.items():
        asked = graph.query_type.fields[name]
        assert (str(field.type), field.args) == (str(asked.type), asked.args)


async def test_sockets_that_say_nothing_or_die_leave_nothing_behind(furnished_url, tmp_path):
    most = 200
    limits = {"SOCKET_INIT_SECONDS": "0.5", "STREAMS": str(most), "STREAMS_PER_ADDRESS": "0"}
    hub = await process.serve(tmp_path, furnished_url, **limits)
    try:
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as client:
            open_one = partial(client.ws_connect, f"{hub.url}/graphql", protocols=[follow.PROTOCOL])
            await _silent(open_one, most)
            before = _megabytes(hub)
            for _ in range(2):
                await _silent(open_one, most)
            for _ in range(most // 2):
                one = await open_one()
                await one.send_json(follow.INIT)
                await one.receive_json()
                await one.send_json({"type": "subscribe", "id": "1", "payload": {"query": EDITION}})
                await one.receive_json()
                # As a machine that loses its power: nothing is said.
                one._response.connection.transport.abort()
            await _silent(open_one, most)
            after = _megabytes(hub)
    finally:
        await hub.kill()

    assert after - before < 10


async def test_who_sends_signs_of_life_without_end_is_hung_up_on(furnished_url, tmp_path):
    hub = await process.serve(tmp_path, furnished_url)
    try:
        async with aiohttp.ClientSession() as client:
            one = await client.ws_connect(f"{hub.url}/graphql", protocols=[follow.PROTOCOL])
            for _ in range(21):
                await one.ping()

            async with asyncio.timeout(5):
                assert (await one.receive()).data == 1008
    finally:
        await hub.kill()


async def _silent(open_one, many: int) -> None:
    """Open so many sockets, say nothing, and see that each is closed for that, in time."""
    sockets = await asyncio.gather(*(open_one() for _ in range(many)))
    async with asyncio.timeout(10):
        said = await asyncio.gather(*(one.receive() for one in sockets))
    assert {one.data for one in said} == {4408}


def _megabytes(hub) -> float:
    """What the process has in memory."""
    said = Path(f"/proc/{hub.pid}/status").read_text()
    return int(said.partition("VmRSS:")[2].split()[0]) / 1024

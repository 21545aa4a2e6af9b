"""Whoever traces sees where an operation's time went, and nothing of whom it was for."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
import sqlalchemy as sa

from models import demo, trace
from sandbox import secret
from sandbox.fault import Fault, Mode
from tests import asgi, collector, partner

pytestmark = pytest.mark.any_database

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
ATTRIBUTES = {
    "operation": {"kind", "document", "called", "outcome", "cost", "error.type"},
    "batch": {"asked", "keys", "error.type"},
    "ask": {"partner", "questions"},
    "call": {"partner", "method", "status", "error.type"},
    "statement": {"sort", "table", "error.type"},
}


@pytest.fixture
async def traces():
    async with collector.running(TRACE) as found:
        yield found


@pytest.fixture
def traced(traces, stand):
    """A hub whose spans are sent; once closed, all have come."""
    yield stand(traces_url=traces.url).asked_by("holder", demo.PILOT)
    trace.to(None)


async def told(hub, *documents, viewer="holder", variables=None):
    """Ask below a trace that began elsewhere, and wait until its spans have come."""
    await hub.ask("{ edition { revision } }")  # partner files are read, and proved, only once
    hub.calls()
    headers = {"traceparent": TRACEPARENT}
    with trace.span("operation", TRACEPARENT):
        answers = [
            await hub.ask(one, variables, viewer=viewer, headers=headers) for one in documents
        ]
    await asyncio.to_thread(hub.hub._collector.close)
    return answers


async def test_a_home_page_is_one_trace_from_the_operation_to_each_call_and_statement(
    traced, traces, home
):
    await told(traced, home)

    calls, statements = traces.named("call"), traces.named("statement")
    assert {tuple(traces.above(one)[:2]) for one in calls} == {("ask", "operation")}
    assert {traces.above(one)[-1] for one in statements} == {"operation"}
    assert {one.attributes["partner"] for one in calls} == set(traced.calls())
    assert {one.attributes["table"] for one in statements} >= {"talent", "redemption"}
    assert not [one for one in traces.spans if one.is_error]


async def test_a_batch_stands_between_an_operation_and_its_statements(traced, traces):
    await told(traced, "{ connectors { code versions { state } } }", viewer="admin")

    [batch] = traces.named("batch")
    below = [one for one in traces.named("statement") if "batch" in traces.above(one)]
    assert batch.attributes == {"asked": "models.partner.by_slugs", "keys": 9}
    assert traces.above(batch) == ["operation"]
    assert [one.attributes for one in below] == [{"sort": "SELECT", "table": "partner_version"}]


async def test_what_comes_in_pieces_is_one_trace_as_well(traced, traces):
    document = """{ edition { revision } ... @defer {
      service(code: "film-tickets") { ... on Service { offers { pages { freshness } } } } } }"""
    headers = {
        "accept": "multipart/mixed",
        "traceparent": TRACEPARENT,
        **traced.bearer("holder", demo.PILOT),
    }
    async with (
        asgi.served(traced.app) as url,
        aiohttp.ClientSession(headers=headers) as client,
        client.post(f"{url}/graphql", json={"query": document}) as answer,
    ):
        body = await answer.read()
    await asyncio.to_thread(traced.hub._collector.close)

    [operation] = traces.named("operation")
    assert b"incremental" in body
    assert operation.attributes["outcome"] == "OK"
    assert operation.attributes["cost"] > 0
    assert {traces.above(one)[-1] for one in traces.named("call")} == {"operation"}


async def test_a_trace_has_nothing_but_what_is_out_of_closed_sets(traced, traces, systems, home):
    me = (await traced.ask("{ me { name card { serial } } }")).json()["data"]["me"]
    await systems["cinema"].inject(Fault(Mode.HTML))
    async with traced.hub.database.begin() as session:
        await session.execute(sa.text("DROP TABLE redemption"))

    [failed, searched] = await told(
        traced,
        home,
        "query ByName($of: String) { talents(filter: {text: $of}) { totalCount } }",
        variables={"of": "canary-of-variables"},
        viewer="holder",
    )

    assert "INTERNAL" in failed.codes
    assert searched.codes == ["FORBIDDEN"]
    assert {one.is_error for one in traces.named("statement")} == {True, False}
    assert [one for one in traces.spans if not set(one.attributes) <= ATTRIBUTES[one.name]] == []
    private = [
        *(me["name"], me["card"]["serial"], demo.handle(demo.PILOT), "no such table"),
        *("canary-of-variables", "ByName", "FROM", *secret.VALUES.values()),
    ]
    assert [one for one in private if one.encode() in traces.raw] == []


async def test_a_partner_is_told_of_no_trace(traced):
    async with partner.running(partner.says()) as bank, partner.client() as client:
        with trace.span("operation", TRACEPARENT):
            await client.partner("quill-bank", bank.url).get("rates")
            under_way = trace.id_under_way()

    [call] = bank.calls
    assert under_way == TRACE
    assert {"traceparent", "tracestate", "baggage"}.isdisjoint(
        name.lower() for name in call.headers
    )


async def test_while_the_collector_is_away_queries_are_answered_as_ever(stand):
    hub = stand(traces_url="http://127.0.0.1:9/v1/traces")

    answer = await hub.ask("{ edition { revision } }")
    trace.to(None)

    assert answer.json()["data"]["edition"]["revision"] == 1

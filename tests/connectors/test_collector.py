from __future__ import annotations

import asyncio
import contextlib

import pytest

from connectors.collector import Collector
from models import trace
from tests import collector

TRACE = "0af7651916cd43dd8448eb211c80319c"
RECORDED, LEFT_OUT = f"00-{TRACE}-b7ad6b7169203331-01", f"00-{TRACE}-b7ad6b7169203331-00"


@contextlib.asynccontextmanager
async def traced(share: float = 1.0):
    """Trace a block, and have its spans once it is over."""
    async with collector.running(TRACE) as found:
        sender = Collector(found.url, share)
        trace.to(sender)
        try:
            yield found
        finally:
            trace.to(None)
            await asyncio.to_thread(sender.close)


async def test_a_trace_that_began_elsewhere_is_told_if_it_is_there_whatever_the_share_is():
    async with traced(share=0.0) as found:
        with trace.span("operation", RECORDED, kind="query") as span:
            span.tell(outcome="OK")
        with trace.span("operation", LEFT_OUT, kind="mutation"):
            inside = trace.id_under_way()

    [one] = found.spans
    assert one.attributes == {"kind": "query", "outcome": "OK"}
    assert inside == ""


async def test_of_an_operation_that_is_not_told_of_nothing_is():
    async with traced(share=0.0) as found:
        with trace.span("operation"), trace.span("statement", sort="SELECT", table="card"):
            under_way = trace.id_under_way()

    assert under_way == ""
    assert found.raw == b""


async def test_what_belongs_to_no_operation_is_not_told():
    async with traced() as found:
        with trace.span("statement", sort="SELECT", table="menu_revision"):
            pass

    assert found.raw == b""


@pytest.mark.parametrize("parent", ["", "canary", f"00-{'0' * 32}-{'0' * 16}-01", "é" * 10_000])
async def test_a_traceparent_that_is_none_begins_a_trace_of_our_own(parent):
    async with traced():
        with trace.span("operation", parent):
            under_way = trace.id_under_way()

    assert len(under_way) == 32
    assert under_way != TRACE


async def test_a_span_tells_of_an_error_its_type_alone():
    async with traced() as found:
        with pytest.raises(ValueError, match="canary"), trace.span("operation", RECORDED):
            raise ValueError("canary")

    [one] = found.spans
    assert one.is_error
    assert one.attributes == {"error.type": "ValueError"}
    assert b"canary" not in found.raw

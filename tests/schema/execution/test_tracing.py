"""What a gateway is told of an operation: each field with its times, each error as answered."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json

import graphql
import pytest
from graphql import MiddlewareManager

from schema.execution import problems
from schema.execution.tracing import Recorder

SCHEMA = graphql.build_schema(
    """
    type Query { hello: String! slow: Int broken: String shelf: [Book!]! }
    type Book { title: String! pages: Int }
    """
)
NOON = 1_796_000_000 * 10**9 + 5
#: The messages of reports.proto that are told: by number, the name and what it is.
TIME = {1: ("seconds", None), 2: ("nanos", None)}
PLACE = {1: ("line", None), 2: ("column", None)}
ERROR = {1: ("message", str), 2: ("location", PLACE), 4: ("json", json.loads)}
NODE: dict[int, tuple] = {
    1: ("response_name", str),
    2: ("index", None),
    3: ("type", str),
    8: ("start_time", None),
    9: ("end_time", None),
    11: ("error", ERROR),
    13: ("parent_type", str),
    14: ("original_field_name", str),
}
NODE[12] = ("child", NODE)
TRACE = {
    3: ("end_time", TIME),
    4: ("start_time", TIME),
    11: ("duration_ns", None),
    14: ("root", NODE),
}


def read(data, form):
    """Read a message of protocol buffers; what may come more than once is a list."""
    found, rest = {}, iter(data)
    while (first := next(rest, None)) is not None:
        tag = _varint(first, rest)
        name, what = form[tag >> 3]
        value = _varint(next(rest), rest)
        if tag & 7 == 2:
            value = bytes(itertools.islice(rest, value))
            value = read(value, what) if isinstance(what, dict) else what(value.decode())
        if name in {"child", "error", "location"}:
            found.setdefault(name, []).append(value)
        else:
            found[name] = value
    return found


def _varint(first, rest):
    value, shift = first & 0x7F, 0
    while first & 0x80:
        first, shift = next(rest), shift + 7
        value |= (first & 0x7F) << shift
    return value


def clock():
    """Return a clock that is later by one each time it is looked at."""
    return itertools.count().__next__


@pytest.fixture
def traced():
    """Run a document beside a recorder, and return the trace and the answer's errors."""

    async def traced(document, **root):
        recorder = Recorder(clock(), lambda: NOON)
        result = graphql.execute(
            SCHEMA, graphql.parse(document), root, middleware=MiddlewareManager(recorder)
        )
        if asyncio.iscoroutine(result):
            result = await result
        told = list(problems.settled(result.errors or (), None))
        return read(base64.b64decode(recorder.told(told)), TRACE), told

    return traced


async def test_a_trace_says_when_the_operation_and_each_field_began_and_ended(traced):
    trace, _ = await traced("{ hello }", hello="Hello.")

    time = {"seconds": 1_796_000_000, "nanos": 5}
    assert trace == {
        "start_time": time,
        "end_time": time,
        "duration_ns": 3,
        "root": {
            "child": [
                {
                    "response_name": "hello",
                    "type": "String!",
                    "parent_type": "Query",
                    "start_time": 1,
                    "end_time": 2,
                }
            ]
        },
    }


async def test_fields_stand_inside_of_the_items_they_are_fields_of(traced):
    books = [{"title": "Ash"}, {"title": "Birch"}]

    trace, _ = await traced("{ shelf { name: title } }", shelf=books)

    [shelf] = trace["root"]["child"]
    assert [one["index"] for one in shelf["child"]] == [0, 1]
    [title] = shelf["child"][0]["child"]
    assert (title["response_name"], title["original_field_name"]) == ("name", "title")
    assert (title["parent_type"], title["type"]) == ("Book", "String!")


async def test_a_field_that_is_waited_for_ends_when_it_is_there(traced):
    async def slow(_info):
        await asyncio.sleep(0)
        return 7

    trace, _ = await traced("{ slow hello }", slow=slow, hello="Hello.")

    took, quick = trace["root"]["child"]
    assert took["start_time"] < quick["start_time"] < quick["end_time"] < took["end_time"]


async def test_a_field_that_failed_has_its_times_and_the_error_as_it_is_answered(traced):
    def broken(_info):
        raise RuntimeError("postgresql://secret@db/greenway")

    trace, [told] = await traced("{\n  broken }", broken=broken)

    [field] = trace["root"]["child"]
    [error] = field["error"]
    assert field["start_time"] < field["end_time"]
    assert error == {
        "message": "Internal error",
        "location": [{"line": 2, "column": 3}],
        "json": told.formatted,
    }


async def test_an_error_stands_where_its_path_leads_though_no_field_ran_there(traced):
    trace, [told] = await traced("{ shelf { title } }", shelf=[{"title": "Ash"}, None])

    [shelf] = trace["root"]["child"]
    assert told.path == ["shelf", 1]
    assert shelf["child"][1]["index"] == 1
    assert shelf["child"][1]["error"][0]["json"] == told.formatted


def test_an_error_of_no_field_stands_above_all():
    recorder = Recorder(clock(), lambda: NOON)

    trace = read(base64.b64decode(recorder.told([problems.timeout(2)])), TRACE)

    assert [one["message"] for one in trace["root"]["error"]] == [
        "The operation was ended after 2 s."
    ]

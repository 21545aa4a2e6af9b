"""What the hub tells gateways of an operation's times, read by Apollo's own reader."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import graphql

from schema.execution.tracing import Recorder

SCHEMA = graphql.build_schema("type Query { shelf: [Book] } type Book { title: String! }")
#: More than a byte, seven bits at a time, has room for.
STEP = 1_000_003


async def test_apollo_reads_the_trace_that_was_written(told):
    recorder = Recorder(itertools.count(0, STEP).__next__, lambda: 1_796_000_000 * 10**9 + 5)
    result = graphql.execute_sync(
        SCHEMA,
        graphql.parse("{ shelf { name: title } }"),
        {"shelf": [{"title": "檀" * 200}, {}]},
        middleware=graphql.MiddlewareManager(recorder),
    )

    said = await told(Path(__file__).with_name("trace.js"), recorder.told(result.errors))

    time = {"seconds": 1_796_000_000, "nanos": 5}
    title = {"responseName": "name", "originalFieldName": "title"}
    title |= {"type": "String!", "parentType": "Book"}
    [error] = result.errors
    failed = {
        "message": error.message,
        "location": [{"line": 1, "column": 11}],
        "json": json.dumps(error.formatted, separators=(",", ":")),
    }
    assert json.loads(said) == {
        "startTime": time,
        "endTime": time,
        "durationNs": 7 * STEP,
        "root": {
            "child": [
                {
                    "responseName": "shelf",
                    "type": "[Book]",
                    "parentType": "Query",
                    "startTime": STEP,
                    "endTime": 2 * STEP,
                    "child": [
                        {
                            "index": 0,
                            "child": [title | {"startTime": 3 * STEP, "endTime": 4 * STEP}],
                        },
                        {
                            "index": 1,
                            "child": [
                                title
                                | {
                                    "startTime": 5 * STEP,
                                    "endTime": 6 * STEP,
                                    "error": [failed],
                                }
                            ],
                        },
                    ],
                }
            ]
        },
    }

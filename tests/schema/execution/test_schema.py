"""An operation ends when its time is over, whether its fields wait or only compute."""

import time

from tests import asgi


async def test_an_operation_that_waits_too_long_is_ended_by_the_clock(app_of):
    began = time.perf_counter()

    answer = await asgi.ask(app_of(seconds=0.1), "{ hello slow }")

    assert time.perf_counter() - began < 1
    assert (answer.status, answer.codes) == (294, ["OPERATION_TIMEOUT"])
    assert answer.json()["data"] is None


async def test_an_operation_that_only_computes_is_ended_by_the_clock_too(app_of):
    lists = "{ " + "items { " * 13 + "name" + " }" * 13 + " }"
    began = time.perf_counter()

    answer = await asgi.ask(app_of(seconds=0.2, cost=1_000_000_000), lists)

    assert time.perf_counter() - began < 1
    assert (answer.status, answer.codes) == (294, ["OPERATION_TIMEOUT"])
    assert answer.json()["data"] is None


async def test_what_comes_after_an_operation_comes_after_one_that_was_ended_too(schema_of):
    seen = []

    async def after(context):
        seen.append(context)

    built = schema_of(seconds=0.1, after=after)

    await built.execute("{ slow }", context_value="whoever asked")

    assert seen == ["whoever asked"]


async def test_the_server_answers_others_after_an_operation_was_ended(app_of):
    app = app_of(seconds=0.1)

    await asgi.ask(app, "{ slow }")
    answer = await asgi.ask(app, "{ hello }")

    assert answer.json()["data"] == {"hello": "Hello, world."}

"""An operation ends when its time is over, whether its fields wait or only compute."""

import asyncio
import time

import pytest

from models import turns
from schema import execution
from schema.execution.schema import Asked
from tests import asgi


def lists(levels: int) -> str:
    return "items { " * levels + "name" + " }" * levels


async def test_an_operation_that_waits_too_long_is_ended_by_the_clock(app_of):
    began = time.perf_counter()

    answer = await asgi.ask(app_of(seconds=0.1), "{ hello slow }")

    assert time.perf_counter() - began < 1
    assert (answer.status, answer.codes) == (294, ["OPERATION_TIMEOUT"])
    assert answer.json()["data"] is None


async def test_an_operation_that_only_computes_is_ended_by_the_clock_too(app_of):
    began = time.perf_counter()

    answer = await asgi.ask(app_of(seconds=0.2, cost=1_000_000_000), f"{{ {lists(13)} }}")

    assert time.perf_counter() - began < 1
    assert (answer.status, answer.codes) == (294, ["OPERATION_TIMEOUT"])
    assert answer.json()["data"] is None


async def test_fields_that_take_time_are_ended_by_the_clock_however_often_they_were_asked(
    app_of, context
):
    app = app_of(seconds=0.1)
    document = f"{{ {' '.join(f'h{place}: heavy' for place in range(28))} }}"

    answers = [await asgi.ask(app, document) for _ in range(5)]

    assert context.counted < 5 * 15
    assert [one.codes for one in answers] == [["OPERATION_TIMEOUT"]] * 5


async def _turns(work) -> int:
    """Return how many turns the event loop takes until some work is done."""
    working, taken = asyncio.create_task(work), 0
    while not working.done():
        await asyncio.sleep(0)
        taken += 1
    assert working.result()
    return taken


@pytest.mark.parametrize("as_text", [True, False])
async def test_what_asks_for_much_lets_others_have_their_turns_each_time(
    schema_of, context, as_text, monkeypatch
):
    monkeypatch.setattr(turns, "LONG_PIECE_SECONDS", 1e-9)
    built = schema_of(cost=1_000_000_000)

    async def answered() -> bool:
        asked = Asked(f"{{ {lists(5)} }}", {}, as_text=as_text)
        return (await built.run(asked, context)).result.errors is None

    await answered()

    assert min([await _turns(answered()) for _ in range(3)]) > 1_000


@pytest.mark.parametrize(
    "document",
    [
        f"{{ hello ... @defer {{ {lists(5)} }} }}",
        f"{{ {lists(5)} ... @defer {{ hello }} }}",
        f"{{ items @stream(initialCount: 0) {{ {lists(3)} }} }}",
    ],
    ids=["later", "first", "item by item"],
)
async def test_what_comes_in_parts_lets_others_have_their_turns(schema_of, context, document):
    live = execution.Live(schema_of(cost=1_000_000_000))

    async def surroundings() -> object:
        return context

    async def answered() -> bool:
        asked = await live.read(Asked(document, {}), context)
        begun = await live.begun(asked, context, surroundings, delivering=True)
        parts = [one async for one in begun]
        return not any("errors" in one for one in parts)

    assert await _turns(answered()) > 200


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

"""What is answered in parts is charged, refused and counted as what is answered whole."""

import asyncio
import logging
from types import SimpleNamespace

import orjson
import pytest

from models import errors
from resolvers.measure import Measures
from schema import execution
from schema.execution.limits import BASE
from schema.execution.live import RefusedError
from schema.execution.schema import Asked
from tests import follow

PIECES = "{ item { name ... @defer { late } } }"
BROKEN = "{ item { name ... @defer { broken } } }"


class Caller:
    """Somebody who may spend so many points."""

    def __init__(self, source, points=1_000_000):
        self._source = source
        self.left = self.had = points

    @property
    def spent(self):
        return self.had - self.left

    def charge(self, points):
        if points > self.left:
            raise errors.RateLimitedError(2.1, 300, 12)
        self.left -= points

    async def context(self):
        return SimpleNamespace(problems=[], source=self._source, charge=self.charge)


@pytest.fixture
async def source():
    return follow.Source()


@pytest.fixture
def caller(source):
    return Caller(source)


@pytest.fixture
def live(source):
    return follow.live(source)


async def asked(live, caller, document, variables=None, *, delivering=False):
    """Ask as a stream does; return the parts."""
    context = await caller.context()
    read = await live.read(Asked(document, variables or {}), context)
    parts = await live.begun(read, context, caller.context, delivering=delivering)
    return [part async for part in parts]


async def refused(live, caller, document, variables=None):
    """Ask what is refused; return its codes."""
    with pytest.raises(RefusedError) as found:
        await asked(live, caller, document, variables)
    return [one["extensions"]["code"] for one in found.value.errors]


async def test_pieces_are_charged_for_as_the_work_that_they_are(live, caller):
    lists = " ".join(f"a{place}: items {{ name late pieces }}" for place in range(5))
    pieces = f"{{ ... @defer {{ {lists} }} }}"
    spent = []

    for delivering in (False, False, True):
        await asked(live, caller, pieces, delivering=delivering)
        spent.append(caller.spent)

    assert (spent[2] - spent[1]) == 5 * (spent[1] - spent[0]) > 5 * BASE


@pytest.mark.parametrize(
    ("document", "variables", "code"),
    [
        ("{", {}, "GRAPHQL_PARSE_FAILED"), ("{ nobody }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { nobody }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("query A { hello } query B { hello }", {}, "OPERATION_RESOLUTION_FAILURE"),
        ("query ($n: Int!) { numbers(to: $n) }", {"n": "x"}, "BAD_USER_INPUT"),
    ],
)  # fmt: skip
async def test_what_does_not_hold_is_charged_once_as_if_it_were_asked_whole(
    live, source, document, variables, code
):
    in_parts, whole = Caller(source), Caller(source)

    assert await refused(live, in_parts, document, variables) == [code]
    await follow.schema().run(Asked(document, variables, None), await whole.context())

    assert in_parts.spent == whole.spent >= BASE


async def test_a_subscription_that_does_not_fit_is_charged(live, caller):
    document, variables = "subscription ($to: Int!) { numbers(to: $to) }", {"to": "x"}

    assert await refused(live, caller, document, variables) == ["BAD_USER_INPUT"]
    assert caller.spent == len(document) + BASE + len(orjson.dumps(variables))


async def test_a_subscription_that_may_not_be_is_charged(live, caller):
    document, query = "subscription { refused }", "{refused}"

    assert await refused(live, caller, document) == ["FORBIDDEN"]
    assert caller.spent == len(document) + len(query) + BASE


async def test_nobody_follows_for_nothing_who_has_nothing_left(live, source):
    document = "subscription { value }"
    caller = Caller(source, points=len(document) + BASE - 1)

    with pytest.raises(errors.RateLimitedError):
        await asked(live, caller, document)

    assert source.followed == 0


async def test_a_subscription_costs_for_each_answer_what_its_query_does(live, caller):
    document, query = "subscription { numbers(to: 3) }", "query{numbers(to:3)}"

    parts = await asked(live, caller, document)

    assert len(parts) == 3
    # Either text is read but once.
    assert caller.spent == len(document) + len(query.removeprefix("query")) + 3 * BASE


async def test_a_subscription_over_its_limit_is_refused_at_once(source, caller):
    live = follow.live(source, cost=1, seconds=5)
    many = "subscription ($to: Int!) { a: numbers(to: $to) }"

    async with asyncio.timeout(5):
        codes = await refused(live, caller, many, {"to": 10, **{f"v{n}": n for n in range(101)}})

    assert codes == ["TOO_MANY_VARIABLES"]
    assert source.followed == 0


async def test_a_subscription_ends_when_who_follows_has_spent_too_much(live, source):
    caller = Caller(source, points=250)
    parts = live.answers(Asked("subscription { numbers(to: 9) }", {}), caller.context)

    with pytest.raises(RefusedError) as found:
        _ = [one async for one in parts]

    [error] = found.value.errors
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert error["extensions"]["retryAfterSeconds"] == 3
    assert source.followed == 0


@pytest.fixture
def measures():
    return Measures()


@pytest.fixture
def measured(source, measures):
    """Answer over the small schema, with measures."""

    def measured(**bounds):
        over = execution.Limits(**bounds)
        plain = follow.schema()
        return execution.Live(
            plain.over(over, introspection=True, measures=measures, traces=False), source
        )

    return measured


def counted(measures):
    """Return how often operations of each kind ended so."""
    return {
        (kind, outcome): number
        for (_, kind), found in measures.operations.items()
        for outcome, number in found.outcomes.items()
    }


@pytest.mark.parametrize(
    ("document", "bounds", "outcome"),
    [
        (PIECES, {}, "OK"),
        (BROKEN, {}, "INTERNAL"),
        (PIECES, {"seconds": 0.005}, "OPERATION_TIMEOUT"),
    ],
)
async def test_what_is_delivered_in_pieces_is_counted_once_with_its_first_error(
    measured, measures, caller, document, bounds, outcome
):
    await asked(measured(**bounds), caller, document, delivering=True)

    [found] = measures.operations.values()
    assert counted(measures) == {("query", outcome): 1}
    assert found.cost.sum > 0
    assert measures.under_way == 0


async def test_what_is_delivered_is_under_way_until_it_has_come_and_slow_as_a_whole(
    measured, measures, caller, caplog
):
    measures.slow_seconds = 0.01
    live = measured()
    context = await caller.context()
    read = await live.read(Asked(PIECES, {}), context)
    parts = await live.begun(read, context, caller.context, delivering=True)

    with caplog.at_level(logging.WARNING, "greenway"):
        await anext(parts)
        under_way = measures.under_way
        _ = [one async for one in parts]

    assert (under_way, measures.under_way) == (1, 0)
    assert [one.getMessage()[:14] for one in caplog.records] == ["slow operation"]


async def test_what_is_refused_in_parts_is_counted(measured, measures, caller):
    await refused(measured(), caller, "{ nobody }")

    assert counted(measures) == {("query", "GRAPHQL_VALIDATION_FAILED"): 1}


async def test_mutations_that_have_begun_are_waited_for(live, caller, source):
    context = await caller.context()
    read = await live.read(Asked("mutation { act }", {}), context)
    parts = await live.begun(read, context, caller.context)
    telling = asyncio.create_task(anext(parts))
    await asyncio.sleep(0.01)
    telling.cancel()
    await asyncio.gather(telling, return_exceptions=True)

    before = source.acted
    await live.settled()

    assert (before, source.acted) == (0, 1)

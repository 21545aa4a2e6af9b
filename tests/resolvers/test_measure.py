from __future__ import annotations

import asyncio
import logging

from resolvers import measure
from resolvers.measure import Measures


def ended(measures: Measures, called: str | None = None, outcome: str = "OK") -> None:
    measures.operation("query", outcome, seconds=0.002, cost=40, called=called)


def test_an_operation_is_counted_by_name_kind_and_outcome_with_its_time_and_its_cost():
    measures = Measures(names=frozenset({"HomePage"}))

    ended(measures, "HomePage")
    ended(measures, "HomePage", "INTERNAL")
    ended(measures, "HomePage")

    [(key, found)] = measures.operations.items()
    assert key == ("HomePage", "query")
    assert found.outcomes == {"OK": 2, "INTERNAL": 1}
    assert (sum(found.seconds.counts), found.seconds.counts[1]) == (3, 3)
    assert (found.cost.sum, found.cost.counts[1]) == (120.0, 3)


def test_names_that_askers_make_up_are_one_name():
    measures = Measures(names=frozenset({"HomePage"}))

    for number in range(1000):
        ended(measures, f"Made{number}Up")
    ended(measures)

    assert list(measures.operations) == [(measure.OTHER, "query")]


def test_however_many_documents_are_trusted_few_names_are_told_apart():
    names = [f"Operation{number}" for number in range(1000)]
    measures = Measures(names=frozenset(names))

    for name in names:
        ended(measures, name)

    assert len(measures.operations) == measure.MOST_NAMES + 1
    assert sum(measures.operations[measure.OTHER, "query"].outcomes.values()) == 900


def test_a_slow_operation_has_a_line_with_the_hash_of_its_document(caplog):
    measures = Measures(slow_seconds=1.0)

    measures.operation("query", "OK", seconds=0.9, cost=1, called="Swift", document="aa" * 32)
    measures.operation("query", "OK", seconds=1.5, cost=1, called="Slow", document="bb" * 32)

    [line] = caplog.records
    assert line.levelno == logging.WARNING
    assert line.getMessage() == f"slow operation: a query, document {'bb' * 32}, took 1.500 s"
    assert (line.document, line.seconds) == ("bb" * 32, 1.5)


async def test_a_loop_that_is_held_up_is_late():
    measures = Measures()

    await measures.turned()
    at_first = sum(measures.lag.counts[1:])
    asyncio.get_running_loop().call_soon(_hold_up)
    await asyncio.sleep(measure.TURN_SECONDS)
    await measures.turned()

    assert at_first == 0
    assert 0.1 < measures.lag.sum < 10


def _hold_up() -> None:
    loop = asyncio.get_running_loop()
    ends = loop.time() + measure.TURN_SECONDS + 0.15
    while loop.time() < ends:
        pass

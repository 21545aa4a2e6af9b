"""The baseline that the hub is measured beside: it says the same, so that their times compare."""

from __future__ import annotations

from benchmarks import beside

HOME = next(one for one in beside.QUESTIONS if one.live)
NO_LOAD = beside.Pace(rounds=0, seconds=0.0, warm_seconds=0.0)


def test_hub_and_baseline_say_the_same_by_as_many_calls():
    with beside.running() as bench:
        found = bench.measured(HOME, NO_LOAD)

    assert found["hub"].alone_calls == found["plain"].alone_calls

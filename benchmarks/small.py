"""How long small queries take while a large one runs: their 99th percentile."""

from __future__ import annotations

import contextlib
import itertools
import json
import statistics
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks import machine, table
from benchmarks.load import Asker, Job

MOST_TIMES = 3.0
SMALL = "{ areas { code name { text } } }"
_LARGE = """{{ categories {{ code name {{ text }} services {{ {alias}code name {{ text }}
  summary {{ text }} workingDays documents {{ name {{ text }} }} partners {{ code }} }} }} }}"""


@dataclass(frozen=True, slots=True)
class Effort:
    """How often each is measured, and for how long."""

    rounds: int
    seconds: float


FULL = Effort(rounds=5, seconds=5.0)
QUICK = Effort(rounds=3, seconds=2.0)


def main(effort: Effort) -> None:
    """Measure all three in turn, and print them."""
    table.opened("A small query by 4 at once, alone and beside one large query after another.")
    numbers = itertools.count()
    beside: dict[str, Callable[[], str] | None] = {
        "alone": None,
        "beside the whole menu": lambda: _LARGE.format(alias=""),
        "beside whole menus by new texts": lambda: _LARGE.format(alias=f"a{next(numbers)}: "),
    }
    found: dict[str, list[float]] = {name: [] for name in beside}
    with machine.folder() as data:
        environment = machine.environment(
            data, f"sqlite:///{data / 'greenway.db'}", 0, **machine.COMPUTED
        )
        with machine.serving("benchmarks.hub", environment, "--prepare") as hub, Asker() as asker:
            job = _job(hub, effort.seconds)
            asker.run(job)
            for _ in range(effort.rounds):
                for name, large in beside.items():
                    with _asking(hub, large):
                        found[name].append(asker.run(job).percentile(0.99))
    medians = {name: statistics.median(some) for name, some in found.items()}
    alone = medians["alone"]
    rows = [
        (name, f"{milliseconds:.2f}", f"{milliseconds / alone:.1f}")
        for name, milliseconds in medians.items()
    ]
    table.shown("The 99th percentile of a small query.", ("", "ms", "times alone"), rows)
    print(table.held(max(medians.values()) / alone, MOST_TIMES, "times"))


def _job(hub: machine.Server, seconds: float) -> Job:
    headers = {"content-type": "application/json"}
    return Job(f"{hub.url}/graphql", json.dumps({"query": SMALL}), headers, seconds, at_once=4)


@contextlib.contextmanager
def _asking(hub: machine.Server, large: Callable[[], str] | None) -> Iterator[None]:
    """Have large queries asked one after another meanwhile."""
    over = threading.Event()

    def ask() -> None:
        while large is not None and not over.is_set():
            body = json.dumps({"query": large()}).encode()
            machine.exchanged(f"{hub.url}/graphql", body, {"content-type": "application/json"})

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join()

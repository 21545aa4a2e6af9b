"""The hub beside the baseline: the same five questions to both, in turn, and what they cost."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import server
import settings as configuration
from benchmarks import load, machine, table
from models import demo
from resolvers.viewer import Role

PARTNER_SECONDS = 0.05
AT_ONCE = 10
HOME_P95_MILLISECONDS = 150.0
_SIDES = {"hub": "benchmarks.hub", "plain": "benchmarks.plain"}
# What no two answers share: when it was said, and whose cursor it is.
_OWN = frozenset({"observedAt", "endCursor"})

MENU = """{
  categories {
    code name { text language isFallback }
    services {
      code name { text language isFallback } summary { text } description { text }
      audience workingDays fee { amount currency } areas { code name { text } }
      documents { code name { text } classes }
      steps { text { text } channel }
      where { stations { code name { text } } online { text } }
    }
  }
}"""
_PAGE = """{
  menu(first: 20) {
    nodes {
      code name { text language } summary { text } category { code name { text } }
      workingDays fee { amount currency }
    }
    pageInfo { hasNextPage endCursor }
    totalCount
  }
}"""
_CARD = """{
  me { card { serial validUntil
    areas { area { code name { text isFallback } source } unitsLeft renewsOn }
  } }
}"""
HOME = (configuration.HOME / "docs" / "querying.graphql").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Question:
    """One thing measured; ``live`` has the hub ask its partners for every query."""

    title: str
    query: str
    bar_milliseconds: float | None = None
    live: bool = False


QUESTIONS = (
    Question("full menu", MENU),
    Question("one page of the menu", _PAGE),
    Question("one card", _CARD),
    Question("home page, partners always asked", HOME, HOME_P95_MILLISECONDS, live=True),
    Question("home page, freshness on", HOME, HOME_P95_MILLISECONDS),
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long each side is asked in a round, and how many rounds there are."""

    rounds: int
    seconds: float
    warm_seconds: float


FULL = Pace(rounds=5, seconds=3.0, warm_seconds=1.0)
QUICK = Pace(rounds=3, seconds=0.6, warm_seconds=0.2)


@dataclass(slots=True)
class Measured:
    """What one side did with one question."""

    alone_milliseconds: float
    alone_calls: dict[str, int]
    rounds: list[load.Outcome] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    calls: list[float] = field(default_factory=list)
    megabytes: float = 0.0

    def percentile(self, share: float) -> list[float]:
        """Return the percentile of each round."""
        return [one.percentile(share) for one in self.rounds]


class Bench:
    """Everything that runs for as long as the questions are asked."""

    def __init__(
        self, data: Path, sandbox: machine.Sandbox, asker: load.Asker, processes: int
    ) -> None:
        self._sandbox = sandbox
        self._asker = asker
        self._environment = machine.environment(
            data,
            f"sqlite:///{data / 'greenway.db'}",
            sandbox.port,
            PROCESSES=str(processes),
            # All are asked by one caller, who is not charged for what it costs.
            POINTS_PER_SECOND="0",
        )
        settings = configuration.read(self._environment)
        asyncio.run(server.prepare(settings))
        self._token = server.development_token(settings, Role.HOLDER, demo.handle(demo.PILOT))

    def measured(self, question: Question, pace: Pace) -> dict[str, Measured]:
        """Return what each side did with a question, asked in turn."""
        with contextlib.ExitStack() as stack:
            live = {"GREENWAY_ALWAYS_LIVE": str(int(question.live))}
            sides = {
                name: stack.enter_context(machine.serving(module, {**self._environment, **live}))
                for name, module in _SIDES.items()
            }
            _check_same(
                question, [side.ask(question.query, self._token) for side in sides.values()]
            )
            found = {name: self._alone(question, side) for name, side in sides.items()}
            for side in sides.values():
                self._asked(question, side, pace.warm_seconds)
            for _ in range(pace.rounds):
                for name, side in sides.items():
                    self._round(question, side, pace.seconds, found[name])
            for name, side in sides.items():
                found[name].megabytes = side.child.peak_megabytes()
        return found

    def _alone(self, question: Question, side: machine.Server) -> Measured:
        self._sandbox.forget_calls()
        began = time.perf_counter()
        side.ask(question.query, self._token)
        took = (time.perf_counter() - began) * 1000
        return Measured(took, self._sandbox.calls())

    def _round(
        self, question: Question, side: machine.Server, seconds: float, found: Measured
    ) -> None:
        self._sandbox.forget_calls()
        before = side.child.cpu_seconds()
        outcome = self._asked(question, side, seconds)
        spent = side.child.cpu_seconds() - before
        answers = len(outcome.milliseconds)
        found.rounds.append(outcome)
        found.cpu.append(spent * 1000 / answers)
        found.calls.append(sum(self._sandbox.calls().values()) / answers)

    def _asked(self, question: Question, side: machine.Server, seconds: float) -> load.Outcome:
        headers = {"content-type": "application/json", **machine.bearer(self._token)}
        body = json.dumps({"query": question.query})
        job = load.Job(f"{side.url}/graphql", body, headers, seconds, AT_ONCE)
        outcome = self._asker.run(job)
        if outcome.failed:
            raise SystemExit(f"{question.title}: {outcome.failed} answers had errors.")
        return outcome


def _check_same(question: Question, answers: Sequence[dict[str, Any]]) -> None:
    """End the run where the sides do not say the same: their times would not compare."""
    first, *others = (common(answer["data"]) for answer in answers)
    if any("errors" in one for one in answers) or any(other != first for other in others):
        raise SystemExit(f"{question.title}: the sides answer differently.")


def common(answer: Any) -> Any:
    """Return an answer without what no two answers share."""
    if isinstance(answer, dict):
        return {name: common(value) for name, value in answer.items() if name not in _OWN}
    if isinstance(answer, list):
        return [common(value) for value in answer]
    return answer


def main(pace: Pace, processes: int = 1) -> None:
    """Ask both sides every question, and print what each cost."""
    many = "one process" if processes == 1 else f"{processes} processes"
    table.opened(
        f"The hub, {many}, beside a plain Strawberry, one: {AT_ONCE} at once, partners take "
        f"{PARTNER_SECONDS * 1000:.0f} ms.\n{pace.rounds} rounds of {pace.seconds:g} s a side, in "
        "turn; the median of the rounds (least-most). Answers that differ end the run."
    )
    with running(processes) as bench:
        for question in QUESTIONS:
            _print(question, bench.measured(question, pace))


@contextlib.contextmanager
def running(processes: int = 1) -> Iterator[Bench]:
    """Run everything that is needed for as long as the block lasts."""
    port = machine.free_ports(5)[0]
    with (
        machine.folder() as data,
        machine.sandbox(port, PARTNER_SECONDS) as sandbox,
        load.Asker() as asker,
    ):
        yield Bench(data, sandbox, asker, processes)


def _print(question: Question, found: dict[str, Measured]) -> None:
    head = (
        "", "requests/s", "p50 ms", "p95 ms", "p99 ms", "CPU ms/request", "calls/query", "peak MB"
    )  # fmt: skip
    rows = [
        (
            name,
            table.spread([one.per_second for one in side.rounds]),
            *(table.spread(side.percentile(share)) for share in (0.5, 0.95, 0.99)),
            table.spread(side.cpu, 2),
            table.spread(side.calls, 2),
            f"{side.megabytes:.0f}",
        )
        for name, side in found.items()
    ]
    table.shown(question.title, head, rows)
    hub, plain = (sorted(one.cpu)[len(one.cpu) // 2] for one in found.values())
    print(f"the hub's CPU is {hub / plain:.2f} of the baseline's")
    if question.bar_milliseconds is not None:
        _print_home(question.bar_milliseconds, found["hub"], found["plain"])


def _print_home(bar: float, hub: Measured, plain: Measured) -> None:
    p95 = sorted(hub.percentile(0.95))[len(hub.rounds) // 2]
    print(f"p95 {table.held(p95, bar, 'ms')}: {p95 - PARTNER_SECONDS * 1000:.1f} ms are our own")
    for name, side in (("hub", hub), ("plain", plain)):
        calls = side.alone_calls.values()
        most = max(calls, default=0)
        print(
            f"one query alone, {name}: {side.alone_milliseconds:.1f} ms, {sum(calls)} calls to "
            f"{len(calls)} partners, at most {most} to one"
        )

"""The race: all sides in turn, round by round, and the hub held against its targets."""

from __future__ import annotations

import json
import operator
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine, table
from benchmarks.peers.dataset import Dataset
from benchmarks.peers.peer import HOME, PEERS
from benchmarks.peers.side import HUBS, Ground, Side, pressed, running
from benchmarks.peers.workload import WORKLOADS, Workload

NAMES = (*HUBS, *PEERS)
_CHECKED = 20
_ALONE = 15


@dataclass(frozen=True, slots=True)
class Effort:
    """How many rounds there are, and how much of its time a workload is given in each."""

    rounds: int
    share: float = 1.0
    warm_seconds: float = 3.0
    people: int = 10_000


FULL = Effort(rounds=3)
QUICK = Effort(rounds=1, share=0.5, warm_seconds=1.0)


@dataclass(frozen=True, slots=True)
class Round:
    """What one side did with one workload in one round; times in milliseconds, of a request.

    ``alone`` is the median of queries one after the other; of the calls of partners there are
    those of such a query, and those of one of many.
    """

    per_second: float
    p50: float
    p99: float
    cpu: float
    megabytes: float
    failed: int
    alone: float = 0.0
    calls_alone: float = 0.0
    calls: float = 0.0


@dataclass(slots=True)
class Runner:
    """One side with one workload: whether its answers are right, and what it did."""

    side: Side
    workload: Workload
    data: Dataset
    answer_bytes: float = 0.0
    wire: float = 0.0
    wrong: str = ""
    rounds: list[Round] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The peer's name."""
        return self.side.peer.name

    @property
    def said(self) -> Mapping[str, str]:
        """What it is sent beside."""
        return self.side.peer.headers.get(self.workload.name, {})

    @property
    def bodies(self) -> Path:
        """The file of what it is asked, a line a request."""
        return HOME / "bodies" / f"{self.name}-{self.workload.name}.jsonl"

    def write(self) -> None:
        """Write that file."""
        asked = self.workload.variables(len(self.data.people))
        self.bodies.parent.mkdir(parents=True, exist_ok=True)
        bodies = [self.side.peer.body(self.workload, one) for one in asked]
        self.bodies.write_bytes(b"\n".join([*bodies, b""]))

    def check(self) -> None:
        """Compare some answers with the right ones."""
        asked = self.workload.variables(len(self.data.people))
        sizes = []
        for one in asked[:: max(1, len(asked) // _CHECKED)]:
            reply = self.side.asked(self.workload.name, self.side.peer.body(self.workload, one))
            sizes.append((len(reply.body), reply.wire))
            answer = json.loads(reply.body)
            if reply.status != 200 or "errors" in answer:
                self.wrong = f"{reply.status} {reply.body[:300].decode()}"
            elif self.side.peer.read(self.workload.name, answer["data"]) != self.workload.answer(
                self.data, one
            ):
                self.wrong = f"another answer to {one}"
        self.answer_bytes, self.wire = map(statistics.mean, zip(*sizes, strict=True))

    def run(self, ground: Ground, share: float) -> None:
        """Run one round."""
        alone, calls_alone = self._alone(ground) if self.workload.name == "W4" else (0.0, 0.0)
        calls, spent = ground.calls(), self.side.cpu_seconds()
        seconds, many = self.workload.seconds * share, self.workload.connections
        found = pressed(self.side, self.bodies, seconds, many, self.said)
        self.side.settle()
        # What was under way at the end was worked on, too.
        begun = found["requests"] + many
        self.rounds.append(
            Round(
                per_second=found["requests"] / found["us"] * 1e6,
                p50=found["p50"] / 1000,
                p99=found["p99"] / 1000,
                cpu=(self.side.cpu_seconds() - spent) * 1000 / begun,
                megabytes=self.side.peak_megabytes(),
                failed=self._failed(found),
                alone=alone,
                calls_alone=calls_alone,
                calls=(ground.calls() - calls) / begun,
            )
        )

    def _failed(self, found: Mapping[str, float]) -> int:
        """Return how many answers were none; all, where they are not as long as they were."""
        if abs(found["bytes"] / max(1, found["requests"]) - self.wire) > 16 + 0.04 * self.wire:
            return int(found["requests"])
        return int(sum(found[one] for one in ("connect", "read", "write", "status", "timeout")))

    def _alone(self, ground: Ground) -> tuple[float, float]:
        [asked] = self.workload.variables(0)
        body = self.side.peer.body(self.workload, asked)
        calls, took = ground.calls(), []
        for _ in range(_ALONE):
            began = time.perf_counter()
            self.side.asked(self.workload.name, body)
            took.append((time.perf_counter() - began) * 1000)
        return statistics.median(took), (ground.calls() - calls) / _ALONE

    def median(self, of: Callable[[Round], float]) -> float:
        """Return the median of the rounds."""
        return statistics.median(of(one) for one in self.rounds)


Runners = Mapping[str, Sequence[Runner]]


def main(
    effort: Effort, names: Sequence[str] = NAMES, workloads: Sequence[str] = tuple(WORKLOADS),
    out: Path | None = None,
) -> None:  # fmt: skip
    """Run these sides with these workloads, and print what came of it."""
    table.opened(
        f"The hub beside its peers: {effort.people:,} people, PostgreSQL, one process each; "
        f"{effort.rounds} rounds, in turn; answers compared before and after."
    )
    with running(names, effort.people) as ground:
        runners = {one: _runners(ground, WORKLOADS[one]) for one in workloads}
        _raced(ground, runners, effort)
    for one in workloads:
        _show(WORKLOADS[one], runners[one])
    _judge(runners)
    if out:
        out.write_text(json.dumps(_figures(runners), indent=1), encoding="utf-8")


def _runners(ground: Ground, workload: Workload) -> list[Runner]:
    found = []
    for side in ground.sides:
        if workload.name not in side.peer.workloads:
            continue
        one = Runner(side, workload, ground.data)
        one.check()
        if one.wrong:
            print(f"{one.name} is left out of {workload.name}: {one.wrong}", file=sys.stderr)
            continue
        one.write()
        found.append(one)
    return found


def _raced(ground: Ground, runners: Runners, effort: Effort) -> None:
    for some in runners.values():
        for one in some:
            pressed(one.side, one.bodies, effort.warm_seconds, one.workload.connections, one.said)
            one.side.settle()
    for place in range(effort.rounds):
        for some in runners.values():
            first = place % max(1, len(some))
            for one in (*some[first:], *some[:first]):
                one.run(ground, effort.share)
    for some in runners.values():
        for one in some:
            one.check()


def _show(workload: Workload, runners: Sequence[Runner]) -> None:
    live = workload.name == "W4"
    head = ["", "requests/s", "p50 ms", "p99 ms", "CPU ms/request", "peak MB", "bytes", "failed"]
    head += ["alone ms", "calls alone", "calls/query"] if live else []
    rows = []
    for one in sorted(runners, key=lambda one: -one.median(lambda found: found.per_second)):
        row = [
            one.name + (" (WRONG)" if one.wrong else ""),
            table.spread([found.per_second for found in one.rounds]),
            *(f"{one.median(of):.1f}" for of in (lambda x: x.p50, lambda x: x.p99)),
            table.spread([found.cpu for found in one.rounds], 2),
            f"{one.median(lambda found: found.megabytes):.0f}",
            f"{one.answer_bytes:.0f}",
            str(sum(found.failed for found in one.rounds)),
        ]
        if live:
            row += [
                f"{one.median(of):.2f}"
                for of in (lambda x: x.alone, lambda x: x.calls_alone, lambda x: x.calls)
            ]
        rows.append(row)
    title = f"{workload.name}: {workload.title}; {workload.connections} connections."
    table.shown(title, head, rows)


# ── the targets ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Faster:
    """The hub of one sort is to be so many times as fast as any of these."""

    workload: str
    hub: str
    times: float
    than: tuple[str, ...]


_MERCURIUS = ("mercurius", "mercurius-dl")
TARGETS = (
    Faster("W1", "hub", 6, _MERCURIUS),
    Faster("W1", "hub-cache", 8, ("yoga-cache",)),
    Faster("W1", "hub-cache", 0.5, ("starlette",)),
    Faster("W2", "hub", 4, _MERCURIUS),
    Faster("W3", "hub", 1.5, _MERCURIUS),
    Faster("W4", "hub", 1.5, _MERCURIUS),
    Faster("W4", "hub-cache", 1, ("yoga-cache",)),
)
ALONE_MILLISECONDS, CALLS, MEGABYTES = 55.0, 4.0, 120.0


def _judge(runners: Runners) -> None:
    found = {(name, one.name): one for name, some in runners.items() for one in some}
    rows = [row for one in TARGETS if (row := _faster(one, found))]
    if live := found.get(("W4", "hub")):
        alone, calls = live.median(lambda x: x.alone), live.median(lambda x: x.calls_alone)
        rows.append(_most("W4 hub, one query alone, ms", alone, ALONE_MILLISECONDS))
        rows.append(_most("W4 hub, calls a query", calls, CALLS))
    for name in HUBS:
        peaks = [
            x.megabytes for (_, side), one in found.items() if side == name for x in one.rounds
        ]
        if peaks:
            rows.append(_most(f"{name}, peak MB", max(peaks), MEGABYTES))
    if rows:
        table.shown("Targets.", ("what", "measured", "target", ""), rows)


def _faster(wanted: Faster, found: Mapping[tuple[str, str], Runner]) -> tuple[str, ...] | None:
    ours = found.get((wanted.workload, wanted.hub))
    theirs = [one for name in wanted.than if (one := found.get((wanted.workload, name)))]
    if ours is None or not theirs:
        return None
    speed = operator.attrgetter("per_second")
    times = ours.median(speed) / max(one.median(speed) for one in theirs)
    what = f"{wanted.workload} {wanted.hub}, times {' or '.join(wanted.than)}"
    return what, f"{times:.2f}", f">= {wanted.times:g}", _verdict(is_met=times >= wanted.times)


def _most(what: str, value: float, most: float) -> tuple[str, ...]:
    return what, f"{value:.1f}", f"<= {most:g}", _verdict(is_met=value <= most)


def _verdict(*, is_met: bool) -> str:
    return "reached" if is_met else "NOT reached"


def _figures(runners: Runners) -> dict[str, object]:
    rounds: defaultdict[str, dict[str, object]] = defaultdict(dict)
    for name, some in runners.items():
        for one in some:
            rounds[name][one.name] = [asdict(found) for found in one.rounds]
    when = datetime.now(UTC).isoformat(timespec="minutes")
    return {"when": when, "machine": machine.described(), "rounds": rounds}

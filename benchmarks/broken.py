"""Partners that fail in every way the sandbox knows: how long a query waits, what it loses."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Iterator, Mapping
from typing import Any

import server
import settings as configuration
from benchmarks import beside, machine, table
from models import demo
from resolvers.viewer import Role
from sandbox import fault

#: What our own work may add to a partner's deadline.
OWN_MILLISECONDS = 100.0
START_SECONDS = 3.0
#: Every partner of the sandbox allows itself this.
DEADLINE_MILLISECONDS = 2000.0
_RECOVERY_SECONDS = 30.0
_FIELDS = {
    "hospital": ("hospital", "checkUp"),
    "bank": ("bank",),
    "school": ("school",),
    "cinema": ("cinema",),
}
_FAULTS: dict[fault.Mode, dict[str, int]] = {
    fault.Mode.DOWN: {},
    fault.Mode.HANG: {},
    fault.Mode.LATENCY: {"milliseconds": 5000},
    fault.Mode.ERROR: {"status": 500},
    fault.Mode.HTML: {},
    fault.Mode.TRUNCATED: {},
    fault.Mode.HUGE: {},
    fault.Mode.DRIP: {"milliseconds": 1000},
    fault.Mode.BUSY: {"milliseconds": 1000},
    fault.Mode.UNAUTHORIZED: {},
    fault.Mode.WRONG: {},
}


def main() -> None:
    """Print what each fault costs, and how long the hub takes to start."""
    table.opened(
        f"One home page while one system fails, partners always asked; bar {OWN_MILLISECONDS:g} ms "
        f"above the partner's deadline of {DEADLINE_MILLISECONDS:g} ms."
    )
    with machine.folder() as data:
        port = machine.free_ports(5)[0]
        environment = machine.environment(
            data, f"sqlite:///{data / 'greenway.db'}", port, ALWAYS_LIVE="1"
        )
        settings = configuration.read(environment)
        asyncio.run(server.prepare(settings))
        holder = server.development_token(settings, Role.HOLDER, demo.handle(demo.PILOT))
        with (
            machine.sandbox(port) as sandbox,
            machine.serving("benchmarks.hub", environment) as hub,
        ):
            _break_each(_Member(hub, holder), sandbox)
        _start(environment)


class _Member:
    """Somebody who asks for their home page."""

    def __init__(self, hub: machine.Server, token: str) -> None:
        self._hub = hub
        self._token = token

    def page(self) -> tuple[dict[str, Any], float]:
        """Return the answer, and the milliseconds it took."""
        began = time.perf_counter()
        answer = self._hub.ask(beside.HOME, self._token)
        return answer, (time.perf_counter() - began) * 1000


def _break_each(member: _Member, sandbox: machine.Sandbox) -> None:
    member.page()
    whole, took = member.page()
    print(f"with every partner well: {took:.0f} ms")
    rows = []
    for system, fields in _FIELDS.items():
        for mode, more in _FAULTS.items():
            sandbox.spoil(system, mode=mode, **more)
            answer, took = member.page()
            sandbox.spoil(system, mode=fault.Mode.NONE)
            again = _recovered(member)
            same = _siblings(answer, fields) == _siblings(whole, fields)
            rows.append((f"{system} {mode}", *_verdict(answer, fields), _held(took),
                         "the same" if same else "CHANGED", f"{again:.1f}"))  # fmt: skip
    head = ("system and fault", "freshness", "problem", "ms", "the others", "well again, s")
    table.shown("What one broken system costs a home page", head, rows)


def _held(milliseconds: float) -> str:
    most = DEADLINE_MILLISECONDS + OWN_MILLISECONDS
    return table.held(milliseconds, most, "ms").replace(" ms (bar", " (bar")


def _pages(answer: Mapping[str, Any], fields: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for name in fields:
        yield from answer["data"][name]["offers"]["pages"]


def _verdict(answer: Mapping[str, Any], fields: tuple[str, ...]) -> tuple[str, str]:
    found = [*_pages(answer, fields)]
    freshness = sorted({one["freshness"] for one in found})
    problems = sorted({one["problem"]["code"] for one in found if one["problem"]})
    return ", ".join(freshness), ", ".join(problems)


def _siblings(answer: Mapping[str, Any], broken: tuple[str, ...]) -> str:
    """Return the bytes of all other fields; only the moment when a partner spoke may differ."""
    others = {name: value for name, value in answer["data"].items() if name not in broken}
    return json.dumps(beside.common(others))


def _recovered(member: _Member) -> float:
    """Return the seconds until every partner answers live again."""
    began = time.perf_counter()
    every = tuple(name for names in _FIELDS.values() for name in names)
    while time.perf_counter() - began < _RECOVERY_SECONDS:
        answer, _ = member.page()
        if {one["freshness"] for one in _pages(answer, every)} == {"LIVE"}:
            return time.perf_counter() - began
        time.sleep(0.1)
    raise SystemExit(f"After {_RECOVERY_SECONDS:g} s some partner is still not asked.")


# ── starting ─────────────────────────────────────────────────────────────────────────────────


def _start(environment: Mapping[str, str]) -> None:
    """Print how long a second start takes, with living partners and with none at all."""
    print("\nSecond start until /readyz says ready:")
    for name, arguments in {
        "`greenway serve`, its sandbox included": ("-m", "server", "serve"),
        "the same with every partner dead": ("-m", "benchmarks.hub", "--prepare"),
    }.items():
        took, cpu = zip(*(_started(environment, arguments) for _ in range(3)), strict=True)
        slowest = table.held(max(took), START_SECONDS, "s")
        print(
            f"  {name}: {table.spread(took, 2)} s, slowest {slowest}; "
            f"{table.spread(cpu, 2)} s of the hub's CPU",
            flush=True,
        )


def _started(environment: Mapping[str, str], arguments: tuple[str, ...]) -> tuple[float, float]:
    """Return the seconds until a hub is ready, and those of them it had the processor."""
    (port,) = machine.free_ports(1)
    began = time.perf_counter()
    child = machine.Child(*arguments, environment={**environment, "GREENWAY_PORT": str(port)})
    try:
        machine.until_ready(machine.Server(child, f"http://127.0.0.1:{port}"))
        return time.perf_counter() - began, child.cpu_seconds()
    finally:
        child.stop(signal.SIGINT)  # as Ctrl-C does, which ends what it began as well

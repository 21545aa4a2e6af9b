"""Many partners at once: who is called how often, who waits for whom, what bad ones cost."""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import aiohttp

import server
import settings as configuration
from benchmarks import instances, load, machine, table
from connectors.registry import PARTNERS
from models import demo
from resolvers.viewer import Role
from sandbox import fault

PARTNER_SECONDS = 0.05
#: What our own work may add to the slowest of many partners.
OWN_MILLISECONDS = 10.0
AT_ONCE = 32
STUCK = 40
#: How much longer other queries may take while so many are stuck.
MOST_RATIO = 1.2
MOST_MEGABYTES = 100.0
SERVICES = (
    "bank-account-green-channel",
    "remittance-green-channel",
    "medical-green-channel",
    "dental-appointment",
    "physical-check",
    "health-certificate",
    "children-tutoring",
    "school-enrolment-preference",
    "film-tickets",
    "exhibition-visits",
)
_CINEMA = "hongqiao-cinema"
#: The partner that answers too much, and a service that asks it alone.
_SPOUT = "hongqiao-exchange"
_SPOUTED = "exchange-rates"
#: How long a query may be stuck, and how long it takes until all are.
_STUCK_SECONDS = 9.0
_SETTLE_SECONDS = 0.5
_LIMITS = f"limits: {{deadline_seconds: {_STUCK_SECONDS}, breaker_failures: 100}}"
_BODY_BYTES = 50_000_000
_BOMB_BYTES = 10_000_000_000
_BLOCK_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured: rounds of a fan-out, rounds beside stuck queries and their seconds."""

    fans: int
    rounds: int
    seconds: float
    bodies: int


FULL = Effort(fans=50, rounds=5, seconds=6.0, bodies=20)
QUICK = Effort(fans=5, rounds=1, seconds=4.0, bodies=3)


def main(effort: Effort) -> None:
    """Print what many, slow, stuck and oversized partners cost a hub."""
    table.opened(f"Partners of the sandbox, {PARTNER_SECONDS * 1000:g} ms away, always asked.")
    with machine.folder() as data, _spouting() as spout:
        port = machine.free_ports(5)[0]
        environment = machine.environment(
            data,
            f"sqlite:///{data / 'greenway.db'}",
            port,
            ALWAYS_LIVE="1",
            PARTNERS=str(_files(data, spout)),
            EGRESS_ALLOW="127.0.0.0/8",
            DEADLINE_SECONDS=f"{_STUCK_SECONDS:g}",
        )
        settings = configuration.read(environment)
        asyncio.run(server.prepare(settings))
        holder = server.development_token(settings, Role.HOLDER, demo.handle(demo.PILOT))
        with machine.sandbox(port, PARTNER_SECONDS) as sandbox:
            with machine.serving("benchmarks.hub", environment) as hub:
                asker = _Asker(hub, holder)
                asyncio.run(_fan_out(asker, sandbox, effort))
                asyncio.run(_share(asker, sandbox))
                _stick(asker, sandbox, effort)
            with machine.serving("benchmarks.hub", environment) as hub:
                _swell(_Asker(hub, holder), spout, effort)
    instances.main()


@dataclass(frozen=True, slots=True)
class _Asker:
    """A holder who asks one hub."""

    hub: machine.Server
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """What every request of theirs shows; each is answered with its plan."""
        told = {"content-type": "application/json", "x-greenway-plan": "with"}
        return {**told, **machine.bearer(self.token)}

    def job(self, services: Sequence[str], seconds: float, at_once: int) -> load.Job:
        """Return these services' offers as something to ask over and over."""
        return load.Job(f"{self.hub.url}/graphql", _body(services), self.headers, seconds, at_once)

    async def ask(
        self, session: aiohttp.ClientSession, services: Sequence[str]
    ) -> tuple[dict[str, Any], float]:
        """Return the plan of a query for these services' offers, and the milliseconds it took."""
        clock = asyncio.get_running_loop().time
        began = clock()
        url = f"{self.hub.url}/graphql"
        async with session.post(url, data=_body(services), headers=self.headers) as response:
            answer = await response.json(content_type=None)
        return answer["extensions"]["plan"], (clock() - began) * 1000


def _body(services: Sequence[str]) -> str:
    fields = " ".join(
        f'_{place}: service(code: "{code}") {{ ...Offers }}' for place, code in enumerate(services)
    )
    offers = "fragment Offers on Service { offers { pages { freshness problem { code } } } }"
    return json.dumps({"query": f"{{ {fields} }} {offers}"})


# ── how often, how long ──────────────────────────────────────────────────────────────────────


async def _fan_out(asker: _Asker, sandbox: machine.Sandbox, effort: Effort) -> None:
    async with aiohttp.ClientSession() as session:
        # The first one opens connections and fetches tokens.
        plan, _ = await asker.ask(session, SERVICES)
        sandbox.forget_calls()
        own = []
        for _ in range(effort.fans):
            plan, took = await asker.ask(session, SERVICES)
            own.append(took - max(one["milliseconds"] for one in plan["partners"]))
    calls = {name: count / effort.fans for name, count in sandbox.calls().items() if count}
    inquiries = {one["partner"]: one["inquiries"] for one in plan["partners"]}
    table.shown(
        f"{len(SERVICES)} services of {len(inquiries)} partners in one query, {effort.fans} times.",
        ("partner", "inquiries", "calls a query (bar 1)"),
        [(name, str(many), f"{calls.get(name, 0):g}") for name, many in inquiries.items()],
    )
    held = table.held(statistics.median(own), OWN_MILLISECONDS, "ms")
    print(f"Above the slowest partner, median: {held}; {table.spread(own)} ms")


async def _share(asker: _Asker, sandbox: machine.Sandbox) -> None:
    sandbox.forget_calls()
    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(asker.ask(session, ["dental-appointment"]) for _ in range(AT_ONCE)))
    calls = sum(sandbox.calls().values())
    # Two partners offer it; who comes after an answer has come makes another call.
    print(f"\n{AT_ONCE} equal queries of 2 partners at once: {calls} calls, not {2 * AT_ONCE}")


# ── stuck queries ────────────────────────────────────────────────────────────────────────────


def _stick(asker: _Asker, sandbox: machine.Sandbox, effort: Effort) -> None:
    """Print what others wait for while so many queries wait for a partner that hangs."""
    job = asker.job(("bank-account-green-channel", "dental-appointment"), effort.seconds, 4)
    # Each of these is sent once, and answered when its deadline has passed.
    hang = asker.job(("concert-green-channel",), _SETTLE_SECONDS, STUCK)
    rows, ratios = [], []
    with load.Asker() as others, load.Asker() as stuck:
        others.run(job)
        for _ in range(effort.rounds):
            alone = others.run(job).percentile(0.95)
            sandbox.spoil("cinema", mode=fault.Mode.HANG)
            waiting = threading.Thread(target=stuck.run, args=(hang,))
            waiting.start()
            time.sleep(2 * _SETTLE_SECONDS)
            beside = others.run(job).percentile(0.95)
            waiting.join()
            sandbox.spoil("cinema", mode=fault.Mode.NONE)
            ratios.append(beside / alone)
            rows.append((f"{alone:.1f}", f"{beside:.1f}", f"{ratios[-1]:.2f}"))
    head = ("p95 alone, ms", "beside, ms", "ratio")
    table.shown(f"Other queries while {STUCK} are stuck on one partner.", head, rows)
    print(f"Median ratio: {table.held(statistics.median(ratios), MOST_RATIO, 'times')}")


# ── too much ─────────────────────────────────────────────────────────────────────────────────


class _Spout(ThreadingHTTPServer):
    """A partner that answers more than anybody wants: a long body, or one that unpacks to more."""

    daemon_threads = True
    is_bomb = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class _Spouts(BaseHTTPRequestHandler):
    server: _Spout

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/fhir+json")
        if self.server.is_bomb:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        # Whoever has had enough hangs up.
        try:
            for piece in _bomb() if self.server.is_bomb else _long():
                self.wfile.write(piece)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _long() -> Iterator[bytes]:
    piece = b" " * 1_000_000
    for _ in range(_BODY_BYTES // len(piece)):
        yield piece


def _bomb() -> Iterator[bytes]:
    """Yield a gzip body of ten billion bytes: the same packed block over and over."""
    packing = zlib.compressobj(9, zlib.DEFLATED, 31)
    yield packing.compress(b"") + packing.flush(zlib.Z_FULL_FLUSH)
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packing.compress(bytes(_BLOCK_BYTES)) + packing.flush(zlib.Z_FULL_FLUSH)
    for _ in range(_BOMB_BYTES // _BLOCK_BYTES):
        yield block


@contextmanager
def _spouting() -> Iterator[_Spout]:
    with _Spout(("127.0.0.1", 0), _Spouts) as spout:
        threading.Thread(target=spout.serve_forever, daemon=True).start()
        yield spout
        spout.shutdown()


def _swell(asker: _Asker, spout: _Spout, effort: Effort) -> None:
    """Print by how much the hub's memory grows under bodies that are far too large."""
    rows = []
    asyncio.run(_asked(asker, "concert-green-channel", 1, None))
    for what, spout.is_bomb in (("50 MB", False), ("10 GB, packed", True)):
        before = asker.hub.child.peak_megabytes()
        asyncio.run(_asked(asker, _SPOUTED, effort.bodies, "PARTNER_TOO_LARGE"))
        grown = asker.hub.child.peak_megabytes() - before
        rows.append((what, str(effort.bodies), table.held(grown, MOST_MEGABYTES, "MB")))
    table.shown("A partner that answers too much.", ("body", "times", "the hub grew by"), rows)


async def _asked(asker: _Asker, service: str, times: int, problem: str | None) -> None:
    """Ask for the offers of a service, each time with this outcome at its partner."""
    async with aiohttp.ClientSession() as session:
        for _ in range(times):
            plan, _took = await asker.ask(session, [service])
            if (found := {one["problem"] for one in plan["partners"]}) != {problem}:
                raise SystemExit(f"Something else came than was to be measured: {found}")


def _files(data: Path, spout: _Spout) -> Path:
    """Return a folder with partners that are never left to rest, one of them the spout."""
    folder = data / "partners"
    folder.mkdir()
    for slug in (_CINEMA, _SPOUT):
        text = (PARTNERS / f"{slug}.yaml").read_text(encoding="utf-8")
        text = re.sub(r"(?m)^limits: .*$", _LIMITS, text)
        if slug == _SPOUT:
            text = re.sub(r"(?m)^address: .*$", f"address: {spout.url}", text)
        (folder / f"{slug}.yaml").write_text(text, encoding="utf-8")
    return folder

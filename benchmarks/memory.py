"""How much memory a hub takes as it is run for real people: at its start, and under mixed load."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import server
import settings as configuration
from benchmarks import beside, burst, machine, table, verification
from connectors.registry import PARTNERS
from credentials import token
from models import demo
from resolvers.viewer import Role
from sandbox import outline

PEOPLE = 10_000
MOST_MEGABYTES = 120.0
#: What is as long as the load lasts takes no more of it.
GROWN_MEGABYTES = 2.0
#: So many of a hundred requests; a new text is one that nobody has asked before.
SHARES = {"page": 45, "card": 30, "home page": 12, "menu": 8, "verification": 3, "new text": 2}
#: The load of an hour: half of what the slowest of them allows.
PACE_PER_SECOND = 50.0

_AT_ONCE = 16
_LISTING = """query Listed($first: Int!, $language: String!) { menu(first: $first) {
  nodes { code name(language: $language) { text } summary(language: $language) { text }
    category { code } workingDays fee { amount currency } }
  pageInfo { hasNextPage endCursor } totalCount
} }"""
_CARD = "query One($serial: String!) { card(serial: $serial) { serial status validUntil tier } }"
_JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Effort:
    """How many requests there are until caches are full, and how often how many follow.

    Of new texts it takes many: the answer to each is kept until newer ones take its place.
    """

    texts: int
    warm: int
    stretches: int
    requests: int
    pace: float | None = None


FULL = Effort(texts=4_000, warm=10_000, stretches=5, requests=4_000)
QUICK = Effort(texts=0, warm=1_000, stretches=2, requests=1_000)


def lasting(minutes: int) -> Effort:
    """Return the effort of a load that lasts so long."""
    return replace(
        FULL, stretches=minutes, requests=round(60 * PACE_PER_SECOND), pace=PACE_PER_SECOND
    )


def main(effort: Effort) -> None:
    """Have a hub asked, and print what memory it holds, and the most it has held."""
    table.opened(
        f"One process, `greenway serve` without the demo, over PostgreSQL with {PEOPLE:,} people, "
        f"an issuer\nand nine partners; {_AT_ONCE} requests at once: "
        + ", ".join(f"{share} % {name}" for name, share in SHARES.items())
    )
    with _running() as bench:
        rows = [bench.row("after its start")]
        for name in SHARES:
            bench.press(bench.of(name, 50), None)
            rows.append(bench.row(f"after 50 of {name}"))
        bench.press(bench.of("new text", effort.texts), None)
        rows.append(bench.row(f"after {effort.texts:,} of new text"))
        bench.press(bench.mixed(effort.warm), effort.pace)
        rows.append(bench.row(f"after {effort.warm:,} mixed"))
        before = bench.held("VmRSS")
        for stretch in range(1, effort.stretches + 1):
            bench.press(bench.mixed(effort.requests), effort.pace)
            rows.append(bench.row(f"after {stretch * effort.requests:,} more"))
        table.shown("Memory", ("", "holds MB", "of it its own", "the most so far"), rows)
        grown = table.held(bench.held("VmRSS") - before, GROWN_MEGABYTES, "MB")
        print(f"grown meanwhile: {grown}")
        print(f"the most it has held: {table.held(bench.held('VmHWM'), MOST_MEGABYTES, 'MB')}")


class Bench:
    """A hub, and whoever asks it."""

    def __init__(
        self,
        hub: machine.Server,
        asker: burst.Asker,
        district: verification.District,
        token: Callable[[Role, str], str],
        runner: asyncio.Runner,
    ) -> None:
        self._hub, self._asker, self._district, self._runner = hub, asker, district, runner
        self._numbers = itertools.count()
        self._serials = itertools.cycle(
            [serial for serial, known in district.serials(2_000) if known]
        )
        self._officer = machine.bearer(token(Role.OFFICER, "benchmark"))
        self._holder = machine.bearer(token(Role.HOLDER, demo.handle(demo.PILOT)))

    def held(self, what: str) -> float:
        """Return what Linux says of the process's memory."""
        return machine.megabytes(self._hub.child.process.pid, what)

    def row(self, when: str) -> tuple[str, ...]:
        """Return a line of the table."""
        return (when, *(f"{self.held(what):.1f}" for what in ("VmRSS", "RssAnon", "VmHWM")))

    def press(self, requests: list[bytes], pace: float | None) -> None:
        """Send requests; an answer that is none ends the run."""
        outcome = self._asker.run(self._hub, requests, _AT_ONCE, pace)
        strange = {one: many for one, many in outcome.answers.items() if one.isdigit()}
        if set(strange) - {"200"}:
            raise SystemExit(f"Not everything was answered: {strange}.")

    def mixed(self, many: int) -> list[bytes]:
        """Return requests of every sort, in no order."""
        found = [
            one for name, share in SHARES.items() for one in self.of(name, many * share // 100)
        ]
        random.shuffle(found)
        return found

    def of(self, name: str, many: int) -> list[bytes]:
        """Return so many requests of a sort."""
        if name == "verification":
            shown = self._runner.run(self._district.codes(many))
            way = verification.WAYS[-1]
            return [verification.request(venue, way, code=text) for venue, text in shown]
        make = {
            "page": self._page,
            "card": self._card,
            "home page": self._home,
            "menu": self._menu,
            "new text": self._new,
        }[name]
        return [make(next(self._numbers)) for _ in range(many)]

    def _page(self, number: int) -> bytes:
        asked = {"first": 5 + number % 20, "language": ("en", "zh")[number % 2]}
        return _post(_LISTING, self._officer if number % 3 else {}, asked)

    def _card(self, _: int) -> bytes:
        return _post(_CARD, self._officer, {"serial": next(self._serials)})

    def _home(self, _: int) -> bytes:
        return _post(beside.HOME, self._holder)

    def _menu(self, number: int) -> bytes:
        return _post(beside.MENU, self._officer if number % 2 else {})

    def _new(self, number: int) -> bytes:
        return _post(f"{{ n{number}: menu(first: 3) {{ nodes {{ code name {{ text }} }} }} }}", {})


def _post(query: str, headers: dict[str, str], variables: dict[str, Any] | None = None) -> bytes:
    said = json.dumps({"query": query, "variables": variables or {}}).encode()
    return burst.request("POST", "/graphql", {**_JSON, **headers}, said)


# ── what it stands on ────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def _running() -> Iterator[Bench]:
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(machine.folder())
        postgresql = stack.enter_context(machine.postgresql())
        runner = stack.enter_context(asyncio.Runner())
        sandbox = stack.enter_context(machine.sandbox(machine.free_ports(5)[0], 0.02))
        key = token.new_key()
        issuer = stack.enter_context(_issuing(folder / "issuer", key.as_dict(private=False)))
        _write_partners(folder / "partners", sandbox.port)
        environment = _environment(folder, postgresql.url, issuer)
        runner.run(server.prepare(configuration.read(environment), PEOPLE))
        district = verification.District(postgresql.url)
        stack.callback(lambda: runner.run(district.close()))
        runner.run(district.furnish())
        asker = burst.Asker(folder)
        stack.callback(asker.stop)
        hub = stack.enter_context(machine.serving("server", environment, "serve"))

        def signed(role: Role, subject: str) -> str:
            return token.sign(
                key,
                token.Claims(subject, role),
                issuer=issuer,
                audience="greenway",
                now=datetime.now(UTC),
                lifetime=timedelta(days=1),
            )

        yield Bench(hub, asker, district, signed, runner)


def _environment(folder: Path, database_url: str, issuer: str) -> dict[str, str]:
    secrets = {
        f"SECRET_{name.replace('-', '_').upper()}": value for name, value in outline.SECRETS.items()
    }
    return machine.environment(
        folder,
        database_url,
        0,
        DEMO="0",
        ISSUER=issuer,
        PARTNERS=str(folder / "partners"),
        EGRESS_ALLOW="127.0.0.0/8",
        POINTS_PER_SECOND="0",
        PUBLIC_URL=verification.ISSUER,
        **secrets,
    )


def _write_partners(folder: Path, port: int) -> None:
    """Write the hub's own partner files, for systems that are at a port as others' are."""
    folder.mkdir()
    for path in PARTNERS.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        for place, name in enumerate(outline.SYSTEMS, start=1):
            text = text.replace(f"sandbox:{name}/", f"http://127.0.0.1:{port + place}/")
        folder.joinpath(path.name).write_text(text, encoding="utf-8")


@contextlib.contextmanager
def _issuing(folder: Path, key: dict[str, Any]) -> Iterator[str]:
    """Run an issuer of tokens, and give its address."""

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def guess_type(self, _: Any) -> str:
            return "application/json"

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        url = f"http://127.0.0.1:{running.server_port}"
        described = {"issuer": url, "jwks_uri": f"{url}/keys"}
        folder.joinpath(".well-known").mkdir(parents=True)
        for name, said in (
            (".well-known/openid-configuration", described),
            ("keys", {"keys": [key]}),
        ):
            folder.joinpath(name).write_text(json.dumps(said), encoding="utf-8")
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield url
        running.shutdown()

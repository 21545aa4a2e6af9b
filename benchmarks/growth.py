"""How the time of a query grows with its rows and with its fields: a line, drawn and fitted."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import statistics
import time
import urllib.error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import server
import settings as configuration
from benchmarks import machine, table
from models import menu
from models.database import Database
from settings import Settings

ROWS = (10, 30, 100, 300, 1_000, 3_000, 10_000)
#: Fields of a row, on a page of so many rows; a document has no more aliases.
FIELDS = (1, 3, 10, 30, 100)
PAGE = 100
DRAWING = configuration.HOME / "docs" / "growth.svg"

_TAKEN_SECONDS = 60.0
_MENU = "{ categories { code services { code name { text } workingDays } } }"


@dataclass(frozen=True, slots=True)
class Effort:
    """How often each query is asked, and for how long at most."""

    times: int
    seconds: float


FULL = Effort(times=200, seconds=10.0)
QUICK = Effort(times=20, seconds=2.0)


@dataclass(frozen=True, slots=True)
class Line:
    """Milliseconds as a start and so much a thing; ``far`` is the most that a point is off."""

    start: float
    each: float
    far: float

    @classmethod
    def through(cls, points: Mapping[int, float]) -> Line:
        """Return the line that the points are least far from, each by its ratio.

        >>> Line.through({10: 2.0, 100: 11.0, 1000: 101.0})
        Line(start=1.0, each=0.1, far=0.0)
        """
        weights = [1 / value**2 for value in points.values()]
        rows = [*zip(points, points.values(), weights, strict=True)]
        total = sum(weights)
        middle = sum(w * x for x, _, w in rows) / total
        height = sum(w * y for _, y, w in rows) / total
        spread = sum(w * (x - middle) ** 2 for x, _, w in rows)
        each = sum(w * (x - middle) * (y - height) for x, y, w in rows) / spread
        start = height - each * middle
        far = max(abs((start + each * x) / y - 1) for x, y, _ in rows)
        return cls(round(start, 6), round(each, 6), round(far, 6))


def main(effort: Effort) -> None:
    """Measure both, print them, and draw them."""
    table.opened("The time of one query alone, over HTTP, against what it answers; medians.")
    with machine.folder() as data:
        environment = machine.environment(
            data, f"sqlite:///{data / 'greenway.db'}", 0, **machine.COMPUTED
        )
        settings = configuration.read(environment)
        asyncio.run(server.prepare(settings, people=1))
        with machine.serving("benchmarks.hub", environment) as hub:
            by_rows = {}
            for many in ROWS:
                _publish(settings, hub, many)
                by_rows[many] = _median(hub, _MENU, effort)
            _publish(settings, hub, PAGE)
            by_fields = {PAGE * many: _median(hub, _page(many), effort) for many in FIELDS}
    shown = {"rows": by_rows, "fields": by_fields}
    lines = {what: _told(what, points) for what, points in shown.items()}
    DRAWING.write_text(_drawing(shown, lines), encoding="utf-8")
    print(f"\ndrawn in {DRAWING.relative_to(configuration.HOME)}")


def _page(fields: int) -> str:
    """Return the query of a page with so many fields of each service."""
    asked = " ".join(f"f{place}: code" for place in range(fields))
    return f"{{ menu(first: {PAGE}) {{ nodes {{ {asked} }} }} }}"


def _publish(settings: Settings, hub: machine.Server, many: int) -> None:
    """Publish a menu of so many services, and wait until the hub has it."""
    revision = asyncio.run(_published(settings, many))
    ends = time.monotonic() + _TAKEN_SECONDS
    while _in_force(hub) != revision:
        if time.monotonic() > ends:
            raise SystemExit("The hub does not take the menu.")
        time.sleep(0.2)


def _in_force(hub: machine.Server) -> int | None:
    """Return the revision that the hub has; None while it is too busy to say."""
    with contextlib.suppress(urllib.error.HTTPError):
        revision: int = json.loads(machine.exchanged(f"{hub.url}/readyz"))["menu"]
        return revision
    return None


async def _published(settings: Settings, many: int) -> int:
    """Publish a menu of so many services, made of those there are, and return its revision."""
    database = Database(settings.database_url)
    try:
        async with database.begin() as session:
            await menu.alone(session)
            found = await menu.of_revision(session, await menu.newest(session))
            # A rule may speak of other services, a journey does.
            some = [one for one in found.services if one.eligibility == "everyone"]
            services = tuple(
                some[place % len(some)].model_copy(update={"code": f"service-{place}"})
                for place in range(many)
            )
            changed = found.model_copy(update={"services": services, "journeys": ()})
            revision = menu.publish(session, changed, f"growth {many}", datetime.now(UTC))
            await session.flush()
            return revision.id
    finally:
        await database.close()


def _median(hub: machine.Server, query: str, effort: Effort) -> float:
    body = json.dumps({"query": query}).encode()
    headers = {"content-type": "application/json"}
    url = f"{hub.url}/graphql"
    # The first ones read and compile it.
    for _ in range(3):
        if b'"errors"' in (answer := machine.exchanged(url, body, headers)):
            raise SystemExit(answer[:300].decode())
    took: list[float] = []
    ends = time.monotonic() + effort.seconds
    while len(took) < effort.times and (not took or time.monotonic() < ends):
        began = time.perf_counter()
        machine.exchanged(url, body, headers)
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def _told(what: str, points: Mapping[int, float]) -> Line:
    line = Line.through(points)
    rows = [
        (f"{many:,}", f"{took:.2f}", f"{line.start + line.each * many:.2f}")
        for many, took in points.items()
    ]
    table.shown(f"By {what}.", (what, "ms", "on the line"), rows)
    print(
        f"ms = {line.start:.2f} + {line.each * 1000:.2f} per 1,000 {what}; "
        f"no point is more than {line.far:.0%} off"
    )
    return line


# ── the drawing ──────────────────────────────────────────────────────────────────────────────

_WIDTH, _HEIGHT, _EDGE, _TURN = 360, 300, 52, 40


def _drawing(shown: Mapping[str, Mapping[int, float]], lines: Mapping[str, Line]) -> str:
    """Return both as an SVG picture, on logarithmic axes."""
    parts = [
        f'<g transform="translate({place * _WIDTH} 0)">{_panel(what, points, lines[what])}</g>'
        for place, (what, points) in enumerate(shown.items())
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {len(parts) * _WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="11" fill="#333">'
        "<title>Milliseconds of one query, by rows and by fields</title>"
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _panel(what: str, points: Mapping[int, float], line: Line) -> str:
    across = _Axis.over(points, _EDGE, _WIDTH - 16)
    up = _Axis.over(points.values(), _HEIGHT - _TURN, 20)
    ticks = [
        f'<line x1="{across.at(one):.1f}" x2="{across.at(one):.1f}" y1="20" '
        f'y2="{_HEIGHT - _TURN}" stroke="#ddd"/><text x="{across.at(one):.1f}" '
        f'y="{_HEIGHT - _TURN + 14}" text-anchor="middle">{one:,g}</text>'
        for one in across.ticks()
    ]
    ticks += [
        f'<line x1="{_EDGE}" x2="{_WIDTH - 16}" y1="{up.at(one):.1f}" y2="{up.at(one):.1f}" '
        f'stroke="#ddd"/><text x="{_EDGE - 6}" y="{up.at(one) + 4:.1f}" '
        f'text-anchor="end">{one:g}</text>'
        for one in up.ticks()
    ]
    low, high = min(points), max(points)
    steps = [low * (high / low) ** (step / 40) for step in range(41)]
    curve = " ".join(f"{across.at(x):.1f},{up.at(line.start + line.each * x):.1f}" for x in steps)
    dots = [
        f'<circle cx="{across.at(x):.1f}" cy="{up.at(y):.1f}" r="3.5" fill="#1b6"/>'
        for x, y in points.items()
    ]
    title = f"{line.start:.2f} ms + {line.each * 1000:.2f} ms per 1,000 {what}"
    return (
        f'{"".join(ticks)}<polyline points="{curve}" fill="none" stroke="#888"/>{"".join(dots)}'
        f'<text x="{_EDGE}" y="13">{title}</text>'
        f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 6}" text-anchor="middle">{what}</text>'
        f'<text x="12" y="{_HEIGHT / 2}" text-anchor="middle" '
        f'transform="rotate(-90 12 {_HEIGHT / 2})">ms</text>'
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    """A logarithmic axis from one power of ten to another, between two places."""

    low: int
    high: int
    start: float
    end: float

    @classmethod
    def over(cls, values: Sequence[float] | Mapping[int, float], start: float, end: float) -> _Axis:
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        return cls(low, max(high, low + 1), start, end)

    def at(self, value: float) -> float:
        """Return where a value is."""
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return the powers of ten."""
        return [10.0**power for power in range(self.low, self.high + 1)]

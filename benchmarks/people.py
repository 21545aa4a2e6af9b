"""The database with very many people: how long it takes to make, to page through, to serve."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

import server
import settings as configuration
from benchmarks import machine, table
from eligibility import rulebook, sql
from eligibility.condition import Among, Between
from eligibility.tree import Group, Leaf, Said, Tree
from eligibility.verdict import Outcome
from models import demo, page, talent, text
from models import standing as tables
from models.database import Database, Session
from resolvers import menu, standing
from resolvers.context import ZONE
from resolvers.viewer import Role

EVERYBODY = 273_600
BUILD_SECONDS = 60.0
PAGE_MILLISECONDS = 20.0
HUB_MEGABYTES = 200.0
COUNT_MILLISECONDS = 150.0
FIRST_PAGE_MILLISECONDS = 30.0
_SIZE = 20
_TIMES = 5
_DEPTHS = {"first": 0.0, "half": 0.5, "99 %": 0.99}
_SERVED = 200
_ASKED = 25
_COVERED = ("count", "first page", "99 %")
_PEOPLE = """{ talents(first: 100%s) {
  nodes { name card { serial } degrees { school } }
  pageInfo { endCursor hasNextPage }
} }"""
_EQUAL: dict[str, Any] = {
    "talent_class": talent.TalentClass.MEDIUM,
    "industry": "civil-aviation",
    "district": "pudong",
}


@dataclass(frozen=True, slots=True)
class Words:
    """Searches of each sort, as the database at hand has them."""

    by_sort: dict[str, str]

    @classmethod
    async def of(cls, session: Session) -> Words:
        """Choose words by how many people have them."""
        token = talent.name_token.c.token
        rows = await session.execute(
            sa.select(token, sa.func.count()).group_by(token).order_by(sa.func.count(), token)
        )
        counted = [(_word(token), count) for token, count in rows]
        latin = [(word, count) for word, count in counted if word.isascii()]
        cjk = [(word, count) for word, count in counted if "\u4e00" <= word[0] <= "\u9fff"]
        long_cjk = [(word, count) for word, count in cjk if len(word) > 1]
        # The hardest are those with only just too many people to be looked up one by one.
        many = next((word for word, count in latin if count > talent.RARE), latin[-1][0])
        return cls(
            {
                "rare": latin[0][0],
                "just common": many,
                "common": latin[-1][0],
                "CJK, one character": cjk[-1][0],
                "CJK, more": long_cjk[-1][0],
                "nobody": "zzzzzz",
            }
        )


def _word(token: str | bytes) -> str:
    return token.decode() if isinstance(token, bytes) else token


def main(people: int, database_url: str | None) -> None:
    """Build and page through so many people; on SQLite and PostgreSQL, or on one database."""
    table.opened(f"{people:,} people, pages of {_SIZE}, the whole of `talent.page` timed.")
    with machine.folder() as data:
        if database_url:
            asyncio.run(_measured(people, database_url))
            _serve(data, database_url)
            return
        url = f"sqlite:///{data / 'people.db'}"
        asyncio.run(_measured(people, url))
        _serve(data, url)
        with machine.postgresql() as own:
            asyncio.run(_measured(people, own.url))
            _serve(data, own.url)


async def _measured(people: int, url: str) -> None:
    database = Database(url)
    try:
        await _build(database, people, url)
        async with database.session() as session:
            words = await Words.of(session)
        await _page_through(database, words)
    finally:
        await database.close()


async def _build(database: Database, people: int, url: str) -> None:
    await database.upgrade()
    began, cpu = time.perf_counter(), time.process_time()
    rows = await demo.build(database, people, datetime.now(ZONE).date())
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    name = database.dialect
    # The bar is SQLite's; PostgreSQL's time is told.
    told = (
        table.held(seconds, BUILD_SECONDS, "s") if name == "sqlite" else f"{seconds:.1f} s (no bar)"
    )
    size = await _megabytes(database, url)
    print(
        f"\n{name}: built {sum(rows.values()):,} rows in {told}, {cpu:.1f} s of it our CPU; "
        f"{size:.0f} MB",
        flush=True,
    )


async def _megabytes(database: Database, url: str) -> float:
    if database.dialect == "sqlite":
        file = Path(url.removeprefix("sqlite:///"))
        return sum(one.stat().st_size for one in file.parent.glob(f"{file.name}*")) / 1e6
    async with database.session() as session:
        size = await session.scalar(sa.text("SELECT pg_database_size(current_database())"))
    return int(size or 0) / 1e6


# ── pages ────────────────────────────────────────────────────────────────────────────────────


async def _page_through(database: Database, words: Words) -> None:
    rows = []
    everything: list[float] = []
    medians: list[float] = []
    for sort, word in (("no text", None), *words.by_sort.items()):
        for filtered in _filters():
            wanted = replace(filtered, text=word)
            ids = await _matching(database, wanted)
            took = {name: await _timed(database, wanted, ids, at) for name, at in _DEPTHS.items()}
            everything += itertools.chain.from_iterable(took.values())
            medians += map(statistics.median, took.values())
            rows.append((f"{sort}{_named(filtered)}", f"{len(ids):,}", *map(_cell, took.values())))
    head = ("filter", "people", *(f"{name}: median (max) ms" for name in _DEPTHS))
    table.shown(f"{database.dialect}: a page at each depth", head, rows)
    ordered = sorted(everything)
    slowest = table.held(max(medians), PAGE_MILLISECONDS, "ms")
    print(
        f"the slowest page's median {slowest}; of {len(ordered)} pages half within "
        f"{statistics.median(ordered):.1f} ms, 99 % within {ordered[len(ordered) * 99 // 100]:.1f} "
        f"ms, the slowest single one {ordered[-1]:.1f} ms",
        flush=True,
    )


def _filters() -> Iterator[talent.Filter]:
    for count in range(len(_EQUAL) + 1):
        for names in itertools.combinations(_EQUAL, count):
            yield talent.Filter(**{name: _EQUAL[name] for name in names})


def _named(filtered: talent.Filter) -> str:
    names = [name for name in _EQUAL if getattr(filtered, name) is not None]
    return "".join(f" + {name.removeprefix('talent_')}" for name in names)


async def _matching(database: Database, wanted: talent.Filter) -> Sequence[int]:
    """Return the ids of all who match, found by walking the list as its readers do."""
    conditions = [getattr(talent.Talent, name) == getattr(wanted, name) for name in _EQUAL
                  if getattr(wanted, name) is not None]  # fmt: skip
    for word in talent.fold(wanted.text or ""):
        start = word if not word.isascii() else f" {word}"
        conditions.append(talent.Talent.name_key.contains(start, autoescape=True))
    async with database.session() as session:
        found = await session.scalars(
            sa.select(talent.Talent.id).where(*conditions).order_by(talent.Talent.id)
        )
        return found.all()


async def _timed(
    database: Database, wanted: talent.Filter, ids: Sequence[int], depth: float
) -> list[float]:
    place = int(len(ids) * depth)
    cursor = page.Scope("talents", wanted).cursor(str(ids[place - 1])) if place else None
    expected = list(ids[place : place + _SIZE])
    took = []
    for _ in range(_TIMES):
        async with database.session() as session:
            began = time.perf_counter()
            found = await talent.page(session, wanted, _SIZE, cursor)
            took.append((time.perf_counter() - began) * 1000)
        if [one.id for one in found.items] != expected:
            raise SystemExit(f"{wanted}: the page at {depth:.0%} is not the right one.")
    return took


def _cell(took: Sequence[float]) -> str:
    return f"{statistics.median(took):.1f} ({max(took):.1f})"


# ── whom a rule covers ───────────────────────────────────────────────────────────────────────


def _cover(database_url: str, environment: Mapping[str, str]) -> None:
    """Make the standing as operators do, then count and list whom rules cover."""
    child = machine.Child("-m", "server", "standing", environment=environment)
    print(f"\n{child.said.readline().strip()}", flush=True)
    child.stop()

    async def run() -> None:
        database = Database(database_url)
        try:
            await _count_and_list(database)
        finally:
            await database.close()

    asyncio.run(run())


async def _count_and_list(database: Database) -> None:
    """Count and list whom rules cover; the bars are SQLite's."""
    today = datetime.now(ZONE).date()
    over = standing.of(today)
    rows, slowest = [], dict.fromkeys(_COVERED, 0.0)
    found = await menu.newest(database)
    for name, tree in _rules(found.rulebook, today).items():
        for outcome in (Outcome.ELIGIBLE, Outcome.NEEDS_FACTS):
            took, many = await _covered(database, sql.holds(outcome, tree, over), over)
            cells = [_cell(one) for one in took.values()]
            rows.append((f"{name}, {outcome}", f"{many:,}", *cells))
            for what in _COVERED:
                slowest[what] = max(slowest[what], statistics.median(took[what]))
        took_counts = await _asked(
            database, lambda session, tree=tree: tables.counts(session, over, sql.truth(tree, over))
        )
        rows.append((f"{name}, counts of all", "", _cell(took_counts[0])))
        slowest["count"] = max(slowest["count"], statistics.median(took_counts[0]))
    rows = [(*row, *[""] * (2 + len(_COVERED) - len(row))) for row in rows]
    head = ("rule", "people", *(f"{what}: median (max) ms" for what in _COVERED))
    table.shown(f"{database.dialect}: whom a rule covers, {_ASKED} times each", head, rows)
    count = table.held(slowest["count"], COUNT_MILLISECONDS, "ms")
    first = table.held(slowest["first page"], FIRST_PAGE_MILLISECONDS, "ms")
    print(f"the slowest count's median {count}, the slowest first page's {first}", flush=True)


def _rules(found: rulebook.Rulebook, today: date) -> dict[str, Tree]:
    """Return the apartment's rule, and one of six clauses of each sort of fact."""
    said = Said("clause", text.Text({"en": "A clause", "zh": "条款"}), "hub")
    facts = rulebook.known_facts()
    six: list[Among | Between] = [
        Among("degree_level", frozenset({"MASTER", "DOCTOR"})),
        Between("age", 18, 45),
        Among("employer_kind", frozenset({"ENTERPRISE", "UNIVERSITY"})),
        Among("district", frozenset({"changning", "putuo"})),
        Between("annual_salary", low=300_000),
        Among("owns_home_in_city", frozenset({True}), negated=True),
    ]
    leaves = tuple(Leaf(said, (facts[one.fact],), one) for one in six)
    return {
        "talent-apartment": found.judge("talent-apartment", today).tree,
        "six clauses": Tree(today, Group(len(leaves), leaves)),
    }


async def _covered(
    database: Database, holds: Any, over: tables.Standing
) -> tuple[dict[str, list[float]], int]:
    scope = page.Scope("covered")
    counted, many = await _asked(database, lambda session: tables.count(session, over, holds))
    cursor = await _deep(database, holds, over, scope, many)
    first, _ = await _asked(
        database, lambda session: tables.page(session, over, holds, scope, _SIZE)
    )
    deep, _ = await _asked(
        database, lambda session: tables.page(session, over, holds, scope, _SIZE, cursor)
    )
    return dict(zip(_COVERED, (counted, first, deep), strict=True)), many


async def _deep(
    database: Database, holds: Any, over: tables.Standing, scope: page.Scope, many: int
) -> str | None:
    """Return the cursor after 99 % of a list."""
    key = over.people.c.talent_id
    place = sa.select(key).where(holds).order_by(key).offset(many * 99 // 100).limit(1)
    async with database.session() as session:
        found = await session.scalar(place)
    return scope.cursor(str(found)) if found is not None else None


async def _asked(
    database: Database, ask: Callable[[Session], Awaitable[Any]]
) -> tuple[list[float], Any]:
    took, found = [], None
    for _ in range(_ASKED):
        async with database.session() as session:
            began = time.perf_counter()
            found = await ask(session)
            took.append((time.perf_counter() - began) * 1000)
    return took, found


# ── serving ──────────────────────────────────────────────────────────────────────────────────


def _serve(data: Path, database_url: str) -> None:
    """Page through people by the hub, and print the most memory it held."""
    environment = machine.environment(data, database_url, machine.free_ports(5)[0])
    settings = configuration.read(environment)
    asyncio.run(server.prepare(settings))
    _cover(database_url, environment)
    officer = server.development_token(settings, Role.OFFICER, "demo-officer")
    with machine.serving("benchmarks.hub", environment) as hub:
        idle = hub.child.peak_megabytes()
        after, began = "", time.perf_counter()
        for _ in range(_SERVED):
            answer = hub.ask(_PEOPLE % after, officer)["data"]["talents"]["pageInfo"]
            after = f', after: "{answer["endCursor"]}"' if answer["hasNextPage"] else ""
        each = (time.perf_counter() - began) * 1000 / _SERVED
        peak = hub.child.peak_megabytes()
    print(
        f"hub: {idle:.0f} MB before, "
        f"{table.held(peak, HUB_MEGABYTES, 'MB')} at most after {_SERVED} pages of 100 people "
        f"with degrees and cards, {each:.0f} ms each",
        flush=True,
    )

"""Rules, compiled three ways: one person, a statement, everybody; beside OpenFisca."""

from __future__ import annotations

import array
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import hypothesis

import server
import settings as configuration
from benchmarks import machine, table
from eligibility import population, rulebook, sql
from eligibility.rulebook import Rulebook
from eligibility.single import Judge
from eligibility.tree import Tree
from models import dossier, impact, menu, source, standing
from models.database import Database
from resolvers import menu as catalogue
from resolvers import population as everybody
from resolvers import standing as keeper
from resolvers.context import ZONE
from resolvers.impact import Impact
from tests import compilers

MENU_MILLISECONDS = 1.0
RULE_MICROSECONDS = 5.0
LOAD_SECONDS = 5.0
MENU_SECONDS = 1.0
IMPACT_SECONDS = 2.0
TIMES_FASTER = 50.0

#: The peer's newest release when this was written; it is put into an environment of its own.
_PEER = "openfisca-core==46.0.1"
_PEER_FACTS = (
    "degree_level",
    "school_rank",
    "subject_rank",
    "months_since_return",
    "owns_home_in_city",
    "had_housing_benefit",
)
#: The six clauses that `openfisca.py` has as a formula.
_SIX = """eligibility:
  all:
    - {id: degree, fact: degree_level, at_least: MASTER, SAID}
    - any:
        - {id: school, fact: school_rank, at_most: 100, SAID}
        - {id: subject, fact: subject_rank, at_most: 20, SAID}
    - {id: returned, fact: months_since_return, less_than: 12, SAID}
    - none:
        - {id: home, fact: owns_home_in_city, is: true, SAID}
        - {id: benefit, fact: had_housing_benefit, is: true, SAID}
""".replace("SAID", "text: {en: It holds, zh: 成立}, reference: hub")
#: What is asked about: another rule for this service.
_CHANGED = "talent-apartment"


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is tried."""

    people: int
    pairs: int
    rounds: int


FULL = Effort(people=273_600, pairs=10_000, rounds=15)
QUICK = Effort(people=5_000, pairs=1_000, rounds=5)


def main(effort: Effort, database_url: str | None) -> None:
    """Judge so many people by the whole menu; ``database_url`` has them, if it is given."""
    table.opened(f"{effort.people:,} people, the menu's rules.")
    with machine.folder() as data:
        url = database_url or f"sqlite:///{data / 'people.db'}"
        asyncio.run(_measured(effort, url, data, build=database_url is None))


async def _measured(effort: Effort, url: str, data: Path, *, build: bool) -> None:
    database = Database(url)
    on = datetime.now(ZONE).date()
    try:
        await database.upgrade()
        if build:
            await _built(effort, url, data)
        began = time.perf_counter()
        await keeper.make(database, on)
        print(
            f"\neverybody's facts are gathered after {time.perf_counter() - began:.1f} s",
            flush=True,
        )
        rules = (await catalogue.newest(database)).rulebook
        shown = [
            *await _one_person(database, rules, on, effort),
            *await _everybody(database, rules, on, effort, data),
            *await _impact(database, rules, on, effort),
        ]
        table.shown("compiled", ("what", "median (least-most)", "bar"), shown)
    finally:
        await database.close()
    await _pairs(effort, data)


async def _built(effort: Effort, url: str, data: Path) -> None:
    settings = configuration.read(machine.environment(data, url, machine.free_ports(1)[0]))
    await server.prepare(settings, effort.people)


# ── one person ───────────────────────────────────────────────────────────────────────────────


async def _one_person(
    database: Database, rules: Rulebook, on: date, effort: Effort
) -> list[Sequence[str]]:
    judges = [rules.judge(code, on) for code in rules.rules]
    async with database.session() as session:
        people = await dossier.by_ids(session, range(1, 101))
    facts = rulebook.known_facts().values()
    known = [rulebook.facts_of(person, on, facts) for person in people if person]
    whole = [
        _seconds(lambda one=one: [judge.judge(one) for judge in judges]) * 1e3
        for one in known
        for _ in range(effort.rounds)
    ]
    six = Judge(_six(on))
    truth = [_each(six.truth, known) * 1e6 for _ in range(effort.rounds)]
    verdict = [_each(six.judge, known) * 1e6 for _ in range(effort.rounds)]
    return [
        _row(
            f"one person × {len(judges)} rules, verdicts with reasons, ms", whole, MENU_MILLISECONDS
        ),
        _row("one person × one rule of six clauses, truth, µs", truth, RULE_MICROSECONDS),
        _row("one person × one rule of six clauses, verdict with reasons, µs", verdict, None),
    ]


def _each(judge: Callable[[Any], object], known: Sequence[Any]) -> float:
    return _seconds(lambda: [judge(one) for one in known]) / len(known)


def _six(on: date) -> Tree:
    lists: dict[str, Any] = dict.fromkeys(rulebook.LISTS, ())
    document = source.parse(_SIX, "six.yaml")
    found, mistakes = rulebook.read(lists, {}, {"six": document})
    if mistakes:
        raise SystemExit(f"The rule of six clauses has mistakes: {mistakes}")
    return found.rules["six"].on(on)


# ── everybody ────────────────────────────────────────────────────────────────────────────────


async def _everybody(
    database: Database, rules: Rulebook, on: date, effort: Effort, data: Path
) -> list[Sequence[str]]:
    trees = {code: rules.judge(code, on).tree for code in rules.rules}
    over, loads = keeper.of(on), []
    for _ in range(3):
        began = time.perf_counter()
        people = await everybody.load(database, over, trees)
        loads.append(time.perf_counter() - began)
    if people.height != effort.people:
        print(f"(the database has {people.height:,} people)")
    counted = [_seconds(lambda: population.counts(people, trees)) for _ in range(effort.rounds)]
    six = {"six": _six(on)}
    frame = await everybody.load(database, over, six)
    compiled = population.Judges(six)
    ours = [
        _seconds(lambda: population.truths(frame, compiled)) * 1e3 for _ in range(3 * effort.rounds)
    ]
    rows = [
        _row(f"loading {people.width} columns, s", loads, LOAD_SECONDS),
        _row(f"everybody × {len(trees)} rules to counts, s", counted, MENU_SECONDS),
    ]
    return [*rows, *_beside(frame, six, ours, on, effort, data)]


def _beside(
    frame: population.Frame,
    six: Mapping[str, Tree],
    ours: Sequence[float],
    on: date,
    effort: Effort,
    data: Path,
) -> list[Sequence[str]]:
    """Return the rows beside OpenFisca: the same rule, the same people, the same answers."""
    folder = data / "columns"
    folder.mkdir()
    unknown = {"degree_level": -1, "owns_home_in_city": 1, "had_housing_benefit": 1}
    for name in _PEER_FACTS:
        values = frame[name].fill_null(unknown.get(name, 10**6))
        (folder / name).write_bytes(array.array("q", values.to_list()).tobytes())
    told = json.loads(
        subprocess.run(
            [
                _peer(),
                "-I",
                Path(__file__).with_name("openfisca.py"),
                folder,
                str(3 * effort.rounds),
            ],
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
    )
    theirs = array.array("b", (folder / "held").read_bytes()).tolist()
    held = population.truths(frame, population.Judges(six))["six"].to_list()
    unlike = sum((one is True) is not bool(other) for one, other in zip(held, theirs, strict=True))
    print(f"\nOpenFisca says the same of all but {unlike} people; it may hold of {sum(theirs):,}.")
    if unlike:
        raise SystemExit("The two rules are not the same.")
    known = dict.fromkeys(_PEER_FACTS, False) | {
        "degree_level": "MASTER",
        "school_rank": 41,
        "subject_rank": 30,
        "months_since_return": 5,
    }
    judge = Judge(_six(on))
    alone = statistics.median(_each(judge.truth, [known] * 1000) for _ in range(effort.rounds))
    peer = [one * 1e3 for one in told["population"]["seconds"]]
    times = statistics.median(peer) / statistics.median(ours)
    return [
        _row("everybody × one rule of six clauses, ms", ours, None),
        _row("  OpenFisca, its inputs set beforehand, ms", peer, None),
        ("  so many times as fast for everybody", f"{times:.1f}", _least(times, 1.0)),
        *(
            (
                f"  so many times as fast for one person, {said}",
                f"{told['one'][key] / alone:,.0f}",
                _least(told["one"][key] / alone, TIMES_FASTER),
            )
            for said, key in (
                ("told as a situation", "situation"),
                ("set anew in a standing simulation", "anew"),
            )
        ),
    ]


def _peer() -> Path:
    """Return the Python of the peer's environment, made the first time."""
    home = Path(sys.prefix) / "openfisca"
    python = home / "bin" / "python"
    if not (home / "made").exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", _PEER], check=True)
        (home / "made").touch()
    return python


# ── the impact of another rule ───────────────────────────────────────────────────────────────


async def _impact(
    database: Database, rules: Rulebook, on: date, effort: Effort
) -> list[Sequence[str]]:
    over = keeper.of(on)
    was = rules.judge(_CHANGED, on).tree
    is_ = _six(on)
    found: list[Impact] = []

    async def by_sql() -> None:
        async with database.session() as session:
            moves = await impact.moves(session, over, sql.truth(was, over), sql.truth(is_, over))
        found.append(Impact.of(_CHANGED, was, is_, moves))

    async def counted() -> None:
        async with database.session() as session:
            await standing.counts(session, over, sql.truth(is_, over))

    by_database = [await _waited(by_sql) for _ in range(effort.rounds)]
    counts = [await _waited(counted) * 1e3 for _ in range(effort.rounds)]
    in_force = (await catalogue.newest(database)).lists
    changed = _with(in_force, _SIX)
    whole = [await _waited(lambda: everybody.preview(database, changed, on)) for _ in range(3)]
    [previewed] = await everybody.preview(database, changed, on)
    if previewed.plain() != found[0].plain():
        raise SystemExit("The statement and the frame tell another impact.")
    return [
        _row(f"one rule as a count, {database.dialect}, ms", counts, None),
        _row(f"impact of one rule, {database.dialect}, s", by_database, IMPACT_SECONDS),
        _row("impact of a menu folder, loading included, s", whole, None),
    ]


def _with(found: menu.Menu, text: str) -> menu.Menu:
    rule = source.parse(text, "rule").data["eligibility"]
    services = tuple(
        one.model_copy(update={"eligibility": rule}) if one.code == _CHANGED else one
        for one in found.services
    )
    return found.model_copy(update={"services": services})


# ── random pairs ─────────────────────────────────────────────────────────────────────────────


async def _pairs(effort: Effort, data: Path) -> None:
    """Judge random people by random rules in all three ways, and print how often they differ."""
    crowds: list[Any] = []
    many = 0

    @hypothesis.settings(
        max_examples=effort.pairs // 5, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    @hypothesis.given(crowd=compilers.crowds(60))
    def draw(crowd: Any) -> None:
        nonlocal many
        if many < effort.pairs:
            crowds.append(crowd)
            many += len(crowd[0]) * len(crowd[1])

    draw()
    database = Database(f"sqlite:///{data / 'pairs.db'}")
    over = compilers.nobody()
    async with database.begin() as session:
        await standing.keep(session, over, [], [])
    unlike = 0
    for trees, people in crowds:
        async with database.begin() as session:
            ways = await compilers.told(session, over, trees, people)
            await session.rollback()
        unlike += sum(
            len(set(said)) > 1
            for rows in zip(*ways, strict=True)
            for said in zip(*rows, strict=True)
        )
    await database.close()
    met = "met" if not unlike else "MISSED"
    print(f"\n{many:,} random pairs: {unlike} on which the three compilers differ (bar 0: {met})")


# ── what is common to all ────────────────────────────────────────────────────────────────────


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


async def _waited(act: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await act()
    return time.perf_counter() - began


def _row(what: str, took: Sequence[float], most: float | None) -> Sequence[str]:
    middle = statistics.median(took)
    bar = "" if most is None else f"{most:g}: {'met' if middle <= most else 'MISSED'}"
    return what, table.spread(took, 2), bar


def _least(found: float, least: float) -> str:
    return f"{least:g}: {'met' if found >= least else 'MISSED'}"

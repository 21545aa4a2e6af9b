"""Random rules, of every construct there is, and random people to judge by them.

A rule is drawn as it is written (what stands under ``eligibility``) and read by the reader itself,
with a small library of its own. The facts are few, so that clauses often ask for the same one.
``cases`` draws all at once: a settled tree, and what is known of somebody.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from hypothesis import strategies as st

from eligibility import fact, reading, rulebook
from eligibility.condition import NOTHING, Among, Between, Condition, Includes, Value, beside
from eligibility.fact import Fact, Kind
from eligibility.household import Counted
from eligibility.points import Entry, Line, Table, Total
from eligibility.rule import Clause, Comparison, PayLine, Points, Rule, Span, Zone
from eligibility.single import Judge
from eligibility.tree import HOUSEHOLD, Known, Layer, Level, Said, Tree
from models import source, text

SENTENCE = {"en": "It holds", "zh": "成立"}
HOSTILE = "o'brien\"; DROP TABLE talent; -- %s"


# --- The library --------------------------------------------------------------------------------


@fact.text_of("School", "学校", "Which school?", "哪所学校？", "hub")
def school_name(person: object, on: date) -> None:
    """A text; the menu has no such fact yet."""


@fact.day("Left", "离开日期", "When did you leave?", "何时离开？", "hub", may_be_none=True)
def left_on(person: object, on: date) -> None:
    """A day that there may be none of."""


@fact.day("Arrived", "到达日期", "When did you arrive?", "何时到达？", "hub")
def arrived_on(person: object, on: date) -> None:
    """A day."""


@fact.choice(
    "Prize", "奖项", "Which prize?", "哪个奖项？", "hub",
    choices=("THIRD", "SECOND", "FIRST"), ordered=True, may_be_none=True,
)  # fmt: skip
def prize(person: object, on: date) -> None:
    """A word with an order, that there may be none of."""


#: The facts of the hub that random rules ask for.
OURS = (
    "employed",
    "holds_card",
    "age",
    "annual_salary",
    "degree_level",
    "employer_kind",
    "district",
    "services_granted",
    "household",
)
FACTS: Mapping[str, Fact] = {name: rulebook.known_facts()[name] for name in OURS} | {
    one.name: one for one in (school_name, left_on, arrived_on, prize)
}


def _band(points: int, low: int | None = None, high: int | None = None) -> tuple[Condition, int]:
    return Between("age", low, high), points


def _table(version: str, span: Span, *more: Line) -> Table:
    lines = (
        Line(
            "age",
            text.Text(SENTENCE),
            15,
            (Entry(FACTS["age"], (_band(15, 26, 45), _band(10, 46, 55), _band(5, 20))),),
        ),
        Line(
            "standing",
            text.Text(SENTENCE),
            8,
            (
                Entry(FACTS["employed"], ((Among("employed", frozenset([True])), 5),)),
                Entry(
                    FACTS["degree_level"],
                    (
                        (Among("degree_level", frozenset(["DOCTOR"])), 10),
                        (Among("degree_level", frozenset(["BACHELOR", "MASTER"])), 3),
                    ),
                ),
            ),
        ),
        *more,
    )
    return Table(
        code="merit",
        version=version,
        name=text.Text(SENTENCE),
        since=span.since or date.min,
        until=span.until,
        reference="hub",
        high=30,
        medium=15,
        lines=lines,
    )


_PAID = Line(
    "pay",
    text.Text(SENTENCE),
    20,
    (Entry(FACTS["annual_salary"], ((Between("annual_salary", low=500_000), 20),)),),
)
_OLD = Span(date(2025, 1, 1), date(2025, 12, 31))
_NEW = Span(date(2026, 1, 1))
POINTS = {"merit": Points("merit", (_table("old", _OLD), _table("new", _NEW, _PAID)))}
LINES = {"class-b": PayLine("class-b", ((_OLD, 500_000), (_NEW, 596_832)))}


def _zone(code: str, districts: tuple[str, ...], span: Span) -> Zone:
    layer = Layer(Level.ZONE, code, span.since, span.until)
    said = Said(f"zone-{code}", text.Text(SENTENCE), "hub", layer)
    asks = Comparison(FACTS["district"], "in", districts)
    return Zone(code, Clause(said, asks, (FACTS["district"],)), span)


ZONES = {
    "west": _zone("west", ("changning", "xuhui"), Span(date(2025, 6, 1))),
    "old-town": _zone("old-town", ("xuhui", HOSTILE), Span(until=date(2025, 12, 31))),
}
#: The days on which random rules are judged: about every end of a span above, and a leap day.
DAYS = tuple(
    date.fromisoformat(day)
    for day in (
        "2024-02-29",
        "2024-12-31",
        "2025-01-01",
        "2025-12-31",
        "2026-01-01",
        "2026-06-30",
        "2026-07-01",
    )
)
days = st.sampled_from(DAYS)


# --- Rules as they are written ------------------------------------------------------------------

_DAY_TEXTS = ("2024-02-29", "2025-07-01", "2026-06-30")
_ORDERING = ("at_least", "at_most", "more_than", "less_than")


def _several(values: tuple[Any, ...]) -> list[dict[str, Any]]:
    lists = [list(some) for many in (1, 2) for some in itertools.combinations(values, many)]
    return [{word: some} for word in ("in", "not_in") for some in lists]


def _one(values: Iterable[Any], *words: str) -> list[dict[str, Any]]:
    return [{word: value} for word in words for value in values]


def conditions(asked: Fact) -> list[dict[str, Any]]:
    """Return conditions on a fact, with every operator that its sort knows."""
    null = [None] if asked.may_be_none else []
    match asked.kind:
        case Kind.YES_NO:
            return _one([True, False], "is", "is_not")
        case Kind.NUMBER:
            numbers = (0, 500_000, 700_000) if asked.unit == "CNY" else (-1, 18, 19, 60)
            lines = _one([{"line": "class-b"}], *_ORDERING)
            return [*_one(numbers, "is", "is_not", *_ORDERING), *_several(numbers), *lines]
        case Kind.CHOICE | Kind.TEXT:
            words = asked.choices or ("changning", "xuhui", HOSTILE, "  Ｓtraße  İ")
            ordered = _one(asked.choices, *_ORDERING) if asked.ordered else []
            return [*_one([*words, *null], "is", "is_not"), *_several((*words, *null)), *ordered]
        case Kind.DAY:
            periods = _one(("P0D", "P90D", "P1M", "P1Y6M", "P9999M"), "within", "within_next")
            spans = _one(_DAY_TEXTS, "since", "until")
            return [*_one([*_DAY_TEXTS, *null], "is", "is_not"), *spans, *periods]
        case Kind.WORDS:
            return _one(("course", "lodging", HOSTILE), "includes", "lacks")
    return []


def _households() -> list[dict[str, Any]]:
    child = {"fact": "relation", "is": "CHILD"}
    young = {"fact": "age", "less_than": 6}
    foreign = {"fact": "foreign_national", "is": True}
    homeless = {"fact": "owns_home", "is_not": True}
    sides: list[dict[str, Any]] = [
        {"who": [child], "has": [young]},
        {"who": [child]},
        {"has": [foreign, homeless]},
        {"who": [homeless, young], "has": [foreign]},
    ]
    counts = [{"at_least": 2}, {"at_most": 1}, {"more_than": 0}, {"less_than": 1}]
    return [
        *[{"household": word, **side} for word in ("any", "all") for side in sides],
        *[{"household": "count", **side, **many} for side in sides for many in counts],
    ]


def _clauses(names: Collection[str]) -> st.SearchStrategy[dict[str, Any]]:
    asked = [
        [{"fact": name, **one} for one in conditions(FACTS[name])]
        for name in names
        if FACTS[name].kind is not Kind.HOUSEHOLD
    ]
    # What the library itself asks for, its rules may.
    if set(OURS) <= set(names):
        points = [{"points": "merit", word: many} for word in _ORDERING for many in (8, 15, 20)]
        services = [{word: code} for word in ("requires", "excludes") for code in _SERVICES]
        asked += [_households(), points, services]
    return st.one_of(*(st.sampled_from(some) for some in asked if some))


def _groups(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    listed = st.lists(parts, min_size=1, max_size=3)
    plain = st.builds(
        lambda word, some: {word: some}, st.sampled_from(["all", "any", "none"]), listed
    )
    some_of = st.builds(
        lambda some, many: {"of": some, "at_least": min(many, len(some))}, listed, st.integers(1, 3)
    )
    return st.one_of(plain, plain, some_of)


def nodes(names: Collection[str] = tuple(FACTS), most: int = 8) -> st.SearchStrategy[Any]:
    """Draw a clause or a group, without ids yet; see ``numbered``."""
    return st.recursive(_clauses(names), _groups, max_leaves=most)


def numbered(node: dict[str, Any], prefix: str = "c") -> dict[str, Any]:
    """Return a node with its clauses called c0, c1, … in order, and with what each needs."""
    count = itertools.count()

    def written(part: dict[str, Any]) -> dict[str, Any]:
        for word in ("all", "any", "none", "of"):
            if isinstance(part.get(word), list):
                return {**part, word: [written(inner) for inner in part[word]]}
        return {"id": f"{prefix}{next(count)}", **part, "text": SENTENCE, "reference": "hub"}

    return written(node)


def ids(node: dict[str, Any]) -> list[str]:
    """Return the ids of the clauses of a node as it is written."""
    for word in ("all", "any", "none", "of"):
        if isinstance(node.get(word), list):
            return [found for part in node[word] for found in ids(part)]
    return [node["id"]]


_SPANS = (
    {},
    {"since": "2026-01-01"},
    {"until": "2026-06-30"},
    {"since": "2025-01-01", "until": "2025-12-31"},
)


@st.composite
def _overrides(draw: st.DrawFn, known: list[str], names: Collection[str], place: int) -> Any:
    small = nodes(names, most=2)
    override: dict[str, Any] = dict(draw(st.sampled_from(_SPANS)))
    if "district" in names and draw(st.booleans()):
        override["zone"] = draw(st.sampled_from(sorted(ZONES)))
    what = draw(st.sampled_from(("replace", "drop", "add", "drop and add")))
    if what == "replace":
        named = draw(st.sampled_from(known))
        override["replace"] = {named: numbered(draw(small), f"r{place}-")}
    if "drop" in what:
        override["drop"] = draw(
            st.lists(st.sampled_from(known), min_size=1, max_size=2, unique=True)
        )
    if "add" in what:
        override["add"] = [numbered(draw(small), f"a{place}-")]
    return override


@st.composite
def trees(draw: st.DrawFn, names: Collection[str] = tuple(FACTS), most: int = 8) -> Any:
    """Draw a rule as it is written, of clauses on these facts."""
    form = draw(
        st.sampled_from(("plain", "plain", "layers", "layers", "editions", "city", "everyone"))
    )
    if form == "everyone":
        return "everyone"
    root = numbered(draw(nodes(names, most)))
    if form == "plain":
        return root
    if form == "editions":
        other = numbered(draw(nodes(names, 3)))
        return {
            "editions": [
                {"until": "2025-12-31", "rule": root},
                {"since": "2026-01-01", "rule": other},
            ]
        }
    base: dict[str, Any] = {"rule": root}
    known = ids(root)
    if form == "city" and set(OURS) <= set(names):
        base, known = {"city": "residence"}, ["resident", "grown"]
    many = draw(st.integers(1, 2))
    overrides = [draw(_overrides(known, names, place)) for place in range(many)]
    return {**draw(st.sampled_from(_SPANS)), **base, "overrides": overrides}


# --- Reading ------------------------------------------------------------------------------------


def document(tree: object) -> source.Document:
    """Return a rule as it stands in the file of a service."""
    return source.Document("rule.yaml", {"eligibility": tree}, None)


def _service(code: str) -> Rule | None:
    return _read.get(code)


_CITY: dict[str, Rule] = {}
_SERVICES = {
    "course": {"any": [{"fact": "employed", "is": True}, {"fact": "age", "less_than": 19}]},
    "lodging": {"none": [{"fact": "degree_level", "at_most": "BACHELOR"}, {"excludes": "course"}]},
}
_read: dict[str, Rule] = {}
LIBRARY = reading.Library(
    facts=FACTS,
    points=POINTS,
    lines=LINES,
    zones=ZONES,
    city=_CITY,
    services=tuple(_SERVICES),
    service=_service,
)


def read(tree: object, library: reading.Library = LIBRARY) -> Rule:
    """Return a rule that has no mistakes."""
    found, mistakes = reading.parse(document(tree), ("eligibility",), library)
    assert found is not None, mistakes
    return found


def mistakes(tree: object, library: reading.Library = LIBRARY) -> list[tuple[str, str]]:
    """Return what is wrong with a rule: the path within it, and the sentence with its hint."""
    found, wrong = reading.parse(document(tree), ("eligibility",), library)
    assert found is None
    return [(one.path.removeprefix("eligibility"), f"{one.sentence} {one.hint}") for one in wrong]


def clause(id_: str, asked: str, **condition: Any) -> dict[str, Any]:
    """Return a clause on a fact as it is written; without a condition, that it is so."""
    said = {"text": SENTENCE, "reference": "hub"}
    return {"id": id_, "fact": asked, **(condition or {"is": True}), **said}


def judge(rule: Rule, day: date) -> Judge:
    """Return a rule compiled for a day."""
    return Judge(rule.on(day))


_read.update((code, read(numbered(tree))) for code, tree in _SERVICES.items())
_RESIDENT = [clause("resident", "holds_card"), clause("grown", "age", at_least=18)]
_CITY["residence"] = rulebook.of_the_city(
    read(
        {
            "editions": [
                {"until": "2025-12-31", "rule": {"all": _RESIDENT}},
                {"since": "2026-01-01", "rule": {"any": _RESIDENT}},
            ]
        }
    )
)


# --- People -------------------------------------------------------------------------------------


def values(tree: Tree, name: str) -> list[Any]:
    """Return values of a fact that show all that a tree can tell apart (not for a household)."""
    asked = tree.facts[name]
    found: set[Any] = {NOTHING} if asked.may_be_none else set()
    tests = [one for one in _conditions(tree) if one.fact == name]
    match asked.kind:
        case Kind.YES_NO:
            found |= {True, False}
        case Kind.WORDS:
            return _sets(tests)
        case Kind.NUMBER | Kind.DAY:
            about = {0} if asked.kind is Kind.NUMBER else {tree.on}
            about |= {value for one in tests for value in _ends(one) if value is not NOTHING}
            found |= {beside(value, step) for value in about for step in (-1, 0, 1)}
        case _:
            found |= set(asked.choices) or {"other", *(v for one in tests for v in _ends(one))}
    return sorted(found, key=lambda value: (type(value).__name__, str(value)))


def _sets(tests: Iterable[Condition]) -> list[Value]:
    items = sorted({one.item for one in tests if isinstance(one, Includes)})
    all_sets = (
        some for many in range(len(items) + 1) for some in itertools.combinations(items, many)
    )
    return [*(frozenset(some) for some in all_sets), frozenset({"other"})]


def _ends(test: Condition) -> Iterable[Any]:
    if isinstance(test, Among):
        return test.values
    return [end for end in (test.low, test.high) if end is not None]


def _conditions(tree: Tree) -> Iterable[Condition]:
    for leaf in tree.leaves:
        if isinstance(leaf.test, Total):
            entries = [entry for line in leaf.test.table.lines for entry in line.entries]
            yield from (band for entry in entries for band, _ in entry.bands)
        elif leaf.test is not None and not isinstance(leaf.test, Counted):
            yield leaf.test


def completions(tree: Tree, known: Known, most: int = 2000) -> list[Known]:
    """Return every way in which what is not known of somebody may turn out; none if too many.

    The household stays as it is known.
    """
    free = [name for name in tree.facts if known.get(name) is None and name != HOUSEHOLD]
    each = [values(tree, name) for name in free]
    if math.prod(len(some) for some in each) > most:
        return []
    return [{**known, **dict(zip(free, some, strict=True))} for some in itertools.product(*each)]


def _member(**known: Any) -> dict[str, Any]:
    whole = {"age": 4, "foreign_national": True, "owns_home": False, "had_housing_benefit": False}
    return {"relation": "CHILD", **whole, **known}


_SPOUSE = _member(relation="SPOUSE", age=40)
#: Households of which all is known.
WHOLE_HOUSEHOLDS: tuple[Any, ...] = (
    (),
    (_SPOUSE,),
    (_member(),),
    (_member(), _member(age=5, foreign_national=False)),
    (_member(), _member(owns_home=True), _SPOUSE),
    (_member(age=6), _member(age=17, foreign_national=False), _SPOUSE | {"owns_home": True}),
)
#: Households of which not all is known.
PARTIAL_HOUSEHOLDS: tuple[Any, ...] = (
    (_member(age=None),),
    (_member(foreign_national=None), _SPOUSE | {"owns_home": None}),
    (_member(), _member(age=None, owns_home=None)),
)


def profiles(tree: Tree, *, complete: bool = False) -> st.SearchStrategy[Known]:
    """Draw what is known of somebody: of exactly the facts that a tree asks for.

    ``complete``: all of it is known. Otherwise what is not known is None, or is not there.
    """
    unknown = st.fixed_dictionaries({}, optional={name: st.none() for name in tree.facts})
    drawn = {}
    for name, asked in tree.facts.items():
        some = values(tree, name) if asked.kind is not Kind.HOUSEHOLD else [*WHOLE_HOUSEHOLDS]
        if asked.kind is Kind.HOUSEHOLD and not complete:
            some += PARTIAL_HOUSEHOLDS
        drawn[name] = st.sampled_from(some)
    if complete:
        return st.fixed_dictionaries(drawn)
    return st.builds(
        lambda known, none: {**none, **known}, st.fixed_dictionaries({}, optional=drawn), unknown
    )


@st.composite
def cases(
    draw: st.DrawFn, names: Collection[str] = tuple(FACTS), *, most: int = 8, complete: bool = False
) -> tuple[Tree, Known]:
    """Draw the tree of a rule on a day, and what is known of somebody."""
    tree = read(draw(trees(names, most))).on(draw(days))
    return tree, draw(profiles(tree, complete=complete))

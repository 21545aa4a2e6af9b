"""A rule as it is written: its editions, layers and clauses, and what they come to on a day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from eligibility.condition import Among, Between, Condition, Includes, Value
from eligibility.fact import Fact
from eligibility.household import Counted
from eligibility.period import Period
from eligibility.points import Table, Total
from eligibility.tree import Group, Layer, Leaf, Node, Said, Tree, apart
from models import text


@dataclass(frozen=True, slots=True)
class Span:
    """The days from ``since`` until ``until``, both included; None is open."""

    since: date | None = None
    until: date | None = None

    def has(self, on: date) -> bool:
        """Return whether a day is among them."""
        return (self.since is None or self.since <= on) and (self.until is None or on <= self.until)

    def meets(self, other: Span) -> bool:
        """Return whether the two have a day in common."""
        return not (
            (self.until is not None and other.since is not None and self.until < other.since)
            or (other.until is not None and self.since is not None and other.until < self.since)
        )


@dataclass(frozen=True, slots=True)
class PayLine:
    """An amount that is set anew from time to time: what is in force when; spans do not meet."""

    code: str
    values: tuple[tuple[Span, int], ...]

    def on(self, day: date) -> int | None:
        """Return the amount in force on a day, or None where there was none."""
        return next((value for span, value in self.values if span.has(day)), None)


@dataclass(frozen=True, slots=True)
class Points:
    """A table of points in all its versions; their spans do not meet."""

    code: str
    versions: tuple[Table, ...]

    def on(self, day: date) -> Table | None:
        """Return the version in force on a day, or None where there was none."""
        return next((one for one in self.versions if Span(one.since, one.until).has(day)), None)


Operand = Value | tuple[Value, ...] | Period | PayLine


@dataclass(frozen=True, slots=True)
class Comparison:
    """One fact compared with one operand."""

    fact: Fact
    operator: str
    operand: Operand

    def on(self, day: date) -> Condition | None:
        """Return what it comes to on a day; None where its pay line is not in force."""
        operand: Any = self.operand
        if isinstance(operand, PayLine):
            operand = operand.on(day)
            if operand is None:
                return None
        return _CONDITIONS[self.operator](self.fact, operand, day)


@dataclass(frozen=True, slots=True)
class Scored:
    """The sum of a table of points compared with a number."""

    points: Points
    operator: str
    operand: int

    def on(self, day: date) -> Total | None:
        """Return what it comes to on a day; None where no version is in force."""
        table = self.points.on(day)
        return None if table is None else Total(table, *limits(self.operator, self.operand))


@dataclass(frozen=True, slots=True)
class Members:
    """A quantifier over the members of the household: any, all, or so many."""

    quantifier: str
    who: tuple[Comparison, ...]
    has: tuple[Comparison, ...]
    operator: str = "at_least"
    operand: int = 1

    def on(self, day: date) -> Counted | None:
        """Return what it comes to on a day; None where a pay line in it is not in force."""
        who, has = ([one.on(day) for one in some] for some in (self.who, self.has))
        if None in who or None in has:
            return None
        every = self.quantifier == "all"
        low, high = (None, 0) if every else limits(self.operator, self.operand)
        return Counted(tuple(who), tuple(has), low, high, every=every)  # type: ignore[arg-type]  # no None in them


@dataclass(frozen=True, slots=True)
class Required:
    """The rule of another service holds."""

    service: str
    rule: Rule


Asks = Comparison | Scored | Members | Required


@dataclass(frozen=True, slots=True)
class Clause:
    """A leaf as it is written: what it says, and what it asks."""

    said: Said
    asks: Asks
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """A group as it is written: at least so many of these, or, ``negated``, not."""

    least: int
    parts: tuple[Written, ...]
    negated: bool = False


Written = Clause | Parts


@dataclass(frozen=True, slots=True)
class Zone:
    """Where a layer holds: a clause that says who is in the zone, and since when there is one."""

    code: str
    clause: Clause
    span: Span


@dataclass(frozen=True, slots=True)
class Override:
    """What a district, or a zone in it, has otherwise than the rule it builds on, and when.

    ``instead`` has, by the id of a clause, what stands in its place; None drops it.
    """

    span: Span
    zone: Zone | None
    instead: Mapping[str, Written | None]
    also: tuple[Written, ...]

    def in_force(self, on: date) -> bool:
        """Return whether it holds on a day."""
        return self.span.has(on) and (self.zone is None or self.zone.span.has(on))


#: What a rule comes to on a day for which it has no edition.
NOT_IN_FORCE = Leaf(
    Said(
        "in-force",
        text.Text({"en": "A rule for this is in force on the day", "zh": "当日有适用的规定"}),
        "hub",
    ),
    (),
    None,
)


@dataclass(frozen=True, slots=True)
class Edition:
    """A rule in one span of days; ``root`` is None where it is for everyone."""

    span: Span
    root: Written | None
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may have a service, in all editions; their spans do not meet.

    ``clauses`` are all of its own, by id, whatever edition or layer they stand in; ``size`` is how
    many there are with those of the rules it requires.
    """

    editions: tuple[Edition, ...]
    clauses: Mapping[str, Clause] = field(default_factory=dict)
    size: int = 0

    def on(self, day: date) -> Tree:
        """Return the rule of a day; one that nobody meets where no edition is in force."""
        edition = next((one for one in self.editions if one.span.has(day)), None)
        return Tree(day, _Settling(day).edition(edition) if edition else NOT_IN_FORCE)


class _Settling:
    """Settles what is written for one day; a clause that stands twice becomes one leaf."""

    def __init__(self, day: date) -> None:
        self.day = day
        # By identity; what is written is kept beside, so that no other can take its place.
        self.settled: dict[int, tuple[Written, Node]] = {}

    def edition(self, edition: Edition) -> Node:
        base = edition.root or _NO_CONDITION
        overrides = [one for one in edition.overrides if one.in_force(self.day)]
        everywhere = [one for one in overrides if one.zone is None]
        root = self.node(_overridden(base, everywhere))
        for zone in {one.zone.code: one.zone for one in overrides if one.zone}.values():
            own = [one for one in overrides if one.zone is zone]
            there = self.node(_overridden(base, [*everywhere, *own]))
            root = apart(self.node(zone.clause), there, root)
        return root

    def node(self, written: Written) -> Node:
        if id(written) not in self.settled:
            self.settled[id(written)] = (written, self._node(written))
        return self.settled[id(written)][1]

    def _node(self, written: Written) -> Node:
        if isinstance(written, Parts):
            parts = tuple(self.node(part) for part in written.parts)
            return Group(written.least, parts, negated=written.negated)
        if isinstance(written.asks, Required):
            return Group(1, (written.asks.rule.on(self.day).root,), said=written.said)
        test = written.asks.on(self.day)
        facts = test.table.facts if isinstance(test, Total) else written.facts
        return Leaf(written.said, facts if test else (), test)


_NO_CONDITION = Parts(0, ())


def _overridden(base: Written, overrides: Iterable[Override]) -> Written:
    """Return a rule as these have it; of what two replace, as the later one does."""
    instead = {id_: one for override in overrides for id_, one in override.instead.items()}
    also = [one for override in overrides for one in override.also]
    found = _replaced(base, instead) or _NO_CONDITION
    return Parts(1 + len(also), (found, *also)) if also else found


def _replaced(written: Written, instead: Mapping[str, Written | None]) -> Written | None:
    """Return what is left; a group of which all is dropped goes with its parts."""
    if isinstance(written, Clause):
        return instead.get(written.said.id, written)
    kept = tuple(one for part in written.parts if (one := _replaced(part, instead)))
    return replace(written, parts=kept, least=min(written.least, len(kept))) if kept else None


def clauses_in(written: Written) -> Iterator[Clause]:
    """Yield the clauses of what is written, in their order."""
    if isinstance(written, Clause):
        yield written
    else:
        for part in written.parts:
            yield from clauses_in(part)


def layered(written: Written, layer: Layer) -> Written:
    """Return what is written with all its clauses saying which layer they are of."""
    if isinstance(written, Parts):
        return replace(written, parts=tuple(layered(part, layer) for part in written.parts))
    return replace(written, said=replace(written.said, layer=layer))


# --- What operators come to ---------------------------------------------------------------------


def limits(operator: str, number: int) -> tuple[int | None, int | None]:
    """Return the ends, both included, between which a whole number meets an operator of order."""
    return {
        "at_least": (number, None),
        "more_than": (number + 1, None),
        "at_most": (None, number),
        "less_than": (None, number - 1),
    }[operator]


def _ordered(operator: str) -> Callable[[Fact, Any, date], Condition]:
    def condition(fact: Fact, operand: Any, _: date) -> Condition:  # noqa: ANN401 - of the fact's sort
        if not fact.ordered:
            return Between(fact.name, *limits(operator, operand))
        low, high = limits(operator, fact.choices.index(operand))
        words = enumerate(fact.choices)
        among = Between(fact.name, low, high)
        return Among(fact.name, frozenset(word for at, word in words if among.holds(at)))

    return condition


def _among(fact: Fact, operand: Iterable[Value], *, negated: bool) -> Condition:
    return Among(fact.name, frozenset(operand), negated)


_CONDITIONS: Mapping[str, Callable[[Fact, Any, date], Condition]] = {
    "is": lambda fact, operand, _: _among(fact, [operand], negated=False),
    "is_not": lambda fact, operand, _: _among(fact, [operand], negated=True),
    "in": lambda fact, operand, _: _among(fact, operand, negated=False),
    "not_in": lambda fact, operand, _: _among(fact, operand, negated=True),
    **{word: _ordered(word) for word in ("at_least", "at_most", "more_than", "less_than")},
    "includes": lambda fact, operand, _: Includes(fact.name, operand),
    "lacks": lambda fact, operand, _: Includes(fact.name, operand, negated=True),
    "since": lambda fact, operand, _: Between(fact.name, low=operand),
    "until": lambda fact, operand, _: Between(fact.name, high=operand),
    "within": lambda fact, period, on: Between(fact.name, period.first_start(on), on),
    "within_next": lambda fact, period, on: Between(fact.name, on, period.last_day(on)),
}
#: Every operator there is.
OPERATORS = tuple(_CONDITIONS)

"""What is wrong with rules that can be read: parts that never matter, days that nobody thought of.

Each finding is a mistake at its place in the service's file. A rule is looked at as it stands on
every day on which something in it begins or ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from eligibility import turning
from eligibility.condition import beside
from eligibility.diagram import Diagram, EntangledError
from eligibility.reading import GRANTED
from eligibility.rule import (
    NOT_IN_FORCE,
    Clause,
    Comparison,
    Edition,
    Override,
    Required,
    Rule,
    Span,
    clauses_in,
)
from eligibility.tree import Group, Leaf, Level, Node, Said, Tree
from models import errors, source

#: So many clauses, each looked at on so many days, are no rule that anybody can follow.
MOST_LOOKS = 4_000
#: What a rule that can be drawn may take to be looked through, in the steps of its diagram.
MOST_STEPS = 2_000_000
#: What is said of a rule that nobody can look through; nothing else can be said of it.
ENTANGLED = "This rule has too many cases to be checked; divide it."

_Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Subject:
    """A service whose rule is looked at: its file, its rule, the days it is on the menu."""

    document: source.Document
    rule: Rule
    valid: Span


def mistakes(code: str, subjects: Mapping[str, Subject]) -> list[errors.Mistake]:
    """Return what is wrong with the rule of a service, which may require those of the others.

    ``subjects`` has the services by code: those whose rules could be read.
    """
    linting = _Linting(code, subjects)
    linting.editions()
    linting.services()
    linting.days()
    return linting.told()


@dataclass
class _Linting:
    """One look at one rule; ``found`` has the days of each mistake, by its place."""

    code: str
    subjects: Mapping[str, Subject]
    found: dict[tuple[_Path, str], list[date]] = field(default_factory=dict)

    @property
    def subject(self) -> Subject:
        return self.subjects[self.code]

    @cached_property
    def file(self) -> _File:
        return _File(self.subject.document)

    def wrong(self, at: _Path, sentence: str, day: date | None = None) -> None:
        days = self.found.setdefault((at, sentence), [])
        if day:
            days.append(day)

    def told(self) -> list[errors.Mistake]:
        """Return the mistakes; one that is not so on all days says on which it begins."""
        told = []
        for (at, sentence), days in self.found.items():
            hint = f"So it is on {min(days)}." if 0 < len(days) < len(self.looked_at) else ""
            told.append(self.subject.document.mistake(at, sentence, hint))
        return told

    # --- What covers which days -----------------------------------------------------------------

    def editions(self) -> None:
        """Tell of editions and overrides that hold on none of the service's days."""
        held: dict[_Path, bool] = {}
        for edition in self.subject.rule.editions:
            at = self.file.edition(edition.span)
            days = _common(edition.span, self.subject.valid)
            # An edition that builds on the city's rule is several, where that has several.
            held[at] = held.get(at, False) or days is not None
            own = self.file.overrides(at)
            # Those of the city's rule come first, and stand in another file.
            overrides = edition.overrides[len(edition.overrides) - len(own) :]
            for here, override in zip(own, overrides, strict=True):
                now = days is not None and _within(override, days) is not None
                held[here] = held.get(here, False) or now
        for at, is_held in held.items():
            if not is_held:
                what = "override" if "overrides" in at else "edition"
                self.wrong(at, f"This {what} is in force on none of the days of the service.")

    @cached_property
    def looked_at(self) -> Sequence[date]:
        """The days on which the rule is looked at, which are days of the service, in order."""
        valid = self.subject.valid
        days = {day for span in (valid, *turning.spans(self.subject.rule)) for day in _turns(span)}
        return sorted(day for day in days if valid.has(day))

    def days(self) -> None:
        if len(self.looked_at) * self.subject.rule.size > MOST_LOOKS:
            sentence = "This rule has too many clauses for the days on which it becomes another"
            self.wrong(("eligibility",), f"{sentence}; divide it.")
            return
        for day in self.looked_at:
            tree = self.subject.rule.on(day)
            if tree.root is NOT_IN_FORCE:
                self.wrong(("eligibility",), "No edition is in force on a day of the service.", day)
            elif tree.leaves:
                self.tree(tree)

    # --- One day --------------------------------------------------------------------------------

    def tree(self, tree: Tree) -> None:
        units = list(_units(tree.root))
        idle = [one for one in units if isinstance(one, Leaf) and one.test is None]
        for leaf in idle:
            sentence = "What this compares with is not in force on a day of its edition"
            self.wrong(
                self.at(leaf, tree.on), f"{sentence}; give that day one without it.", tree.on
            )
        if idle:
            return
        self.repeated(tree)
        try:
            lens = _Lens(tree)
            if not self.constant(tree.root, lens, tree.on):
                self.idle(units, lens, tree.on)
        except EntangledError:
            self.wrong(("eligibility",), ENTANGLED, tree.on)

    def constant(self, node: Node, lens: _Lens, day: date) -> bool:
        """Tell of the outermost parts that hold of everybody, or of nobody; return if any do."""
        truth = lens.constant_of(node)
        if truth is not None and any(_said(node)):
            self.wrong(self.at(node, day), _constant(node, lens, truth=truth), day)
            return True
        found = [self.constant(part, lens, day) for part in _inner(node)]
        return any(found)

    def idle(self, units: Sequence[Node], lens: _Lens, day: date) -> None:
        """Tell of what can be left out; of two that say the same, of the later."""
        sentence = "This can never matter: without it the rule says the same of everybody."
        for unit in reversed(units):
            if lens.leave_out(unit):
                self.wrong(self.at(unit, day), sentence, day)

    def repeated(self, tree: Tree) -> None:
        for group in _groups(tree.root):
            leaves = [part for part in group.parts if isinstance(part, Leaf)]
            for place, leaf in enumerate(leaves):
                first = next(one for one in leaves[: place + 1] if one.test == leaf.test)
                if first is not leaf:
                    sentence = f"This repeats the clause “{first.said.id}” beside it."
                    self.wrong(self.at(leaf, tree.on), sentence, tree.on)

    def at(self, node: Node, day: date) -> _Path:
        """Return where a clause stands, or the group that its clauses have in common."""
        edition = self.file.edition_on(day)
        paths = [self.file.clause(edition, one) for one in _said(node)]
        first, *others = paths or [edition]
        return self.file.group(_shared(first, others)) if isinstance(node, Group) else first

    # --- Other services -------------------------------------------------------------------------

    def services(self) -> None:
        """Tell of services that are not there when they are required, or are excluded as well."""
        each = {
            id(asks): required(asks.rule) | {asks.service}
            for _, asks, _ in self.asked()
            if isinstance(asks, Required)
        }
        through = set().union(*each.values())
        for said, asks, days in self.asked():
            at = self.file.clause(self.file.edition(days), said)
            if isinstance(asks, Required):
                self.absent(asks.service, at, days)
                excluded = set(_excluded(asks.rule)) & (through - each[id(asks)])
            else:
                excluded = set(_lacked(asks)) & through
            for service in sorted(excluded):
                sentence = f"This excludes “{service}”, which the rule requires"
                self.wrong(at, f"{sentence}: nobody is meant to have both.")

    def absent(self, service: str, at: _Path, days: Span) -> None:
        other = self.subjects.get(service)
        asked = _common(days, self.subject.valid)
        if other and asked and _common(asked, other.valid) != asked:
            sentence = f"“{service}” is not on the menu on all the days that it is required."
            self.wrong(at, sentence)

    def asked(self) -> Iterator[tuple[Said, Any, Span]]:
        """Yield what each clause asks, with the days on which it does."""
        for edition in self.subject.rule.editions:
            for clauses, days in _standing(edition):
                for clause in clauses:
                    yield clause.said, clause.asks, days


# --- Where things stand in the file -------------------------------------------------------------


class _File:
    """Finds editions, overrides, clauses and groups in a service's file."""

    def __init__(self, document: source.Document) -> None:
        self._document = document
        rule = document.data["eligibility"]
        listed = rule.get("editions") if isinstance(rule, dict) else None
        self._editions: dict[_Path, Any] = {("eligibility",): rule}
        if listed:
            self._editions = {
                ("eligibility", "editions", place): one for place, one in enumerate(listed)
            }
        self._clauses = {at: dict(_clauses(found, at)) for at, found in self._editions.items()}

    def edition(self, span: Span) -> _Path:
        """Return where the edition stands of which these are days."""
        at = (at for at, found in self._editions.items() if _span(found).meets(span))
        return next(at, ("eligibility",))

    def edition_on(self, day: date) -> _Path:
        """Return where the edition of a day stands."""
        return self.edition(Span(day, day))

    def overrides(self, edition: _Path) -> list[_Path]:
        """Return where the overrides of an edition stand."""
        found = self._editions[edition]
        listed = found.get("overrides", ()) if isinstance(found, dict) else ()
        return [(*edition, "overrides", place) for place in range(len(listed))]

    def clause(self, edition: _Path, said: Said) -> _Path:
        """Return where a clause stands; one of the city, or of a zone, where that is named."""
        zone = said.layer.zone if said.layer else None
        layered = said.layer is not None and said.layer.level is not Level.CITY
        found = [at for at, id_ in self._clauses[edition].items() if id_ == said.id]
        if found:
            # What is replaced has the id of what replaces it.
            return max(found, key=lambda at: ("overrides" in at) is layered)
        for at in self.overrides(edition):
            override = self._editions[edition]["overrides"][at[-1]]
            if zone is not None and override.get("zone") == zone:
                return (*at, "zone")
        city = isinstance(self._editions[edition], dict) and "city" in self._editions[edition]
        return (*edition, "city") if city else edition

    def group(self, at: _Path) -> _Path:
        """Return where the group stands whose list is at a path."""
        return at[:-1] if at and at[-1] in {"all", "any", "none", "of"} else at


def _clauses(found: Any, at: _Path) -> Iterator[tuple[_Path, str]]:  # noqa: ANN401 - YAML
    if isinstance(found, dict):
        if isinstance(found.get("id"), str):
            yield at, found["id"]
        for key, inner in found.items():
            yield from _clauses(inner, (*at, key))
    elif isinstance(found, list):
        for place, inner in enumerate(found):
            yield from _clauses(inner, (*at, place))


def _span(found: Any) -> Span:  # noqa: ANN401 - YAML
    ends = [found.get(word) if isinstance(found, dict) else None for word in ("since", "until")]
    return Span(*(date.fromisoformat(str(end)) if end else None for end in ends))


def _shared(first: _Path, others: Iterable[_Path]) -> _Path:
    for other in others:
        same = [one == two for one, two in zip(first, other, strict=False)]
        first = first[: same.index(False) if False in same else len(same)]
    return first


# --- Days ---------------------------------------------------------------------------------------


def _common(*spans: Span) -> Span | None:
    """Return the days that spans have in common; None where there is none."""
    since = max((span.since for span in spans if span.since), default=None)
    until = min((span.until for span in spans if span.until), default=None)
    return None if since and until and until < since else Span(since, until)


def _within(override: Override, days: Span) -> Span | None:
    zone = override.zone.span if override.zone else Span()
    return _common(days, override.span, zone)


def _standing(edition: Edition) -> Iterator[tuple[Iterable[Clause], Span]]:
    """Yield the clauses of an edition and of its overrides, with their days."""
    if edition.root:
        yield clauses_in(edition.root), edition.span
    for override in edition.overrides:
        days = _within(override, edition.span)
        written = [one for one in (*override.instead.values(), *override.also) if one]
        if days:
            yield (clause for one in written for clause in clauses_in(one)), days


def _turns(span: Span) -> Iterator[date]:
    """Yield the days next to the ends of a span, on either side."""
    if span.since:
        yield from (beside(span.since, -1), span.since)
    if span.until:
        yield from (span.until, beside(span.until, 1))


# --- What other services are spoken of ----------------------------------------------------------


def _asks(rule: Rule) -> Iterator[Any]:
    for edition in rule.editions:
        for clauses, _ in _standing(edition):
            yield from (clause.asks for clause in clauses)


def required(rule: Rule) -> set[str]:
    """Return the services that a rule requires, through others too."""
    found = set()
    for asks in _asks(rule):
        if isinstance(asks, Required):
            found |= {asks.service} | required(asks.rule)
    return found


def _excluded(rule: Rule) -> Iterator[str]:
    """Yield the services that a rule excludes, through those it requires too."""
    for asks in _asks(rule):
        yield from _excluded(asks.rule) if isinstance(asks, Required) else _lacked(asks)


def _lacked(asks: object) -> Iterator[str]:
    if isinstance(asks, Comparison) and asks.fact.name == GRANTED and asks.operator == "lacks":
        yield str(asks.operand)


# --- The settled tree ---------------------------------------------------------------------------


def _inner(node: Node) -> tuple[Node, ...]:
    """Return the parts of a group that stand in the file; another service's rule has none here."""
    if isinstance(node, Leaf) or node.said:
        return ()
    if node.zone:
        there, elsewhere = (part.parts[1] for part in node.parts[:2])  # type: ignore[union-attr]  # see `tree.apart`
        return (node.zone, there, elsewhere)
    return node.parts


def _walked(node: Node, seen: set[int]) -> Iterator[Node]:
    if id(node) not in seen:
        seen.add(id(node))
        yield node
        for part in _inner(node):
            yield from _walked(part, seen)


def _units(root: Node) -> Iterator[Node]:
    """Yield the clauses of a tree in order, each once; one on another service is one."""
    return (one for one in _walked(root, set()) if isinstance(one, Leaf) or one.said)


def _groups(root: Node) -> Iterator[Group]:
    return (one for one in _walked(root, set()) if isinstance(one, Group) and not one.said)


def _said(node: Node) -> Iterator[Said]:
    for one in _units(node):
        if one.said:
            yield one.said


def _constant(node: Node, lens: _Lens, *, truth: bool) -> str:
    if truth:
        return "This holds of everybody, so it asks nothing."
    if isinstance(node, Group) and not node.negated and node.least == len(node.parts):
        for place, one in enumerate(node.parts):
            for other in node.parts[:place]:
                if lens.exclude(one, other):
                    names = [next(_said(part)).id for part in (other, one)]
                    return f"“{names[0]}” and “{names[1]}” exclude each other: nobody meets both."
    return "Nobody can meet this."


class _Lens(Diagram):
    """A diagram that shows parts of the rule, and the rule without some of them."""

    def __init__(self, tree: Tree) -> None:
        self._whole: dict[int, int] = {}
        self._put: dict[int, int] = {}
        self._touched: set[int] = set()
        super().__init__(tree)
        self._nodes.most_steps = MOST_STEPS

    def constant_of(self, node: Node) -> bool | None:
        """Return what a part of the rule says of everybody; None where it depends."""
        drawn = self._whole[id(node)]
        return bool(drawn) if drawn < 2 else None  # noqa: PLR2004 - 0 and 1 are the ends

    def exclude(self, one: Node, other: Node) -> bool:
        """Return whether two parts, each of which somebody meets, are met by nobody together."""
        drawn = self._whole[id(one)], self._whole[id(other)]
        return 0 not in drawn and self._nodes.choose(*drawn, 0) == 0

    def leave_out(self, unit: Node) -> bool:
        """Leave a clause out for good if the rule says the same without it; return whether so."""
        before = self._touched
        self._touched = before | set(_holding(self.tree.root, unit))
        for value in (1, 0):
            self._put[id(unit)] = value
            if self._drawn(self.tree.root) == self.root:
                return True
        del self._put[id(unit)]
        self._touched = before
        return False

    def _drawn(self, node: Node) -> int:
        if id(node) in self._put:
            return self._put[id(node)]
        if id(node) in self._touched or id(node) not in self._whole:
            drawn = super()._drawn(node)
            return drawn if id(node) in self._touched else self._whole.setdefault(id(node), drawn)
        return self._whole[id(node)]


def _holding(node: Node, unit: Node) -> list[int]:
    """Return the groups that a clause stands in, by identity."""
    if node is unit or isinstance(node, Leaf):
        return []
    within = [one for part in node.parts for one in _holding(part, unit)]
    return [*within, id(node)] if within or any(part is unit for part in node.parts) else []

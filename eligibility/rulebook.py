"""All rules of a menu together, and all that they can speak of: facts, points, lines, zones."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Any, TypeVar

from eligibility import facts, reading, rule
from eligibility.condition import Among, Between, Condition, Value
from eligibility.fact import Fact
from eligibility.points import Entry, Line, Table
from eligibility.rule import Clause, Comparison, Rule, Span
from eligibility.single import Judge
from eligibility.tree import Layer, Level, Said
from eligibility.turning import Calendar
from models import errors, menu, source, talent, turns
from models.once import made_once

#: How far one service's rule may require another's, which requires another's, and so on.
MOST_REQUIRED = 8
#: Of so many days it is kept which rules are in force.
_MOST_DAYS = 8

_ENDS = ("at_least", "more_than", "at_most", "less_than")
_T = TypeVar("_T")


@functools.cache
def known_facts() -> Mapping[str, Fact]:
    """Return every fact by name, found by walking ``eligibility/facts``.

    Raises:
        LookupError: a file holds no fact of its own name.
    """
    found = {}
    for module in pkgutil.iter_modules(facts.__path__):
        one = getattr(importlib.import_module(f"{facts.__name__}.{module.name}"), module.name, None)
        if not isinstance(one, Fact) or one.name != module.name:
            raise LookupError(f"eligibility/facts/{module.name}.py holds no fact {module.name}.")
        found[module.name] = one
    return found


def facts_of(person: talent.Talent, on: date, wanted: Iterable[Fact]) -> dict[str, Value | None]:
    """Return the wanted facts of a person on a day (Asia/Shanghai), None where not known."""
    return {fact.name: fact.known(person, on) for fact in wanted}


@dataclass(frozen=True)
class Rulebook:
    """The rules of a menu by the code of their service, with what they build on.

    ``documents`` has, by code, what shows that somebody has a document on record.
    """

    rules: Mapping[str, Rule]
    points: Mapping[str, rule.Points] = field(default_factory=dict)
    lines: Mapping[str, rule.PayLine] = field(default_factory=dict)
    documents: Mapping[str, Among] = field(default_factory=dict)

    @classmethod
    def of(
        cls, found: menu.Menu, proposed: Mapping[str, source.Document] = MappingProxyType({})
    ) -> Rulebook:
        """Return the rulebook of a published menu.

        ``proposed`` has, by code, files of services to read in the place of what is published.

        Raises:
            MistakesError: a rule in it cannot be read; checked menus have none.
        """
        lists = {name: getattr(found, name) for name in LISTS}
        documents = {
            name: source.Document(f"menu/{name}.yaml", _dumped(listed), None)
            for name, listed in lists.items()
        }
        services = {
            one.code: source.Document(f"menu/services/{one.code}.yaml", one.model_dump(), None)
            for one in found.services
        }
        made, mistakes = read(lists, documents, services | dict(proposed))
        if mistakes:
            raise errors.MistakesError(mistakes)
        return made

    def judge(self, code: str, on: date) -> Judge:
        """Return the rule of a service, compiled for a day.

        Raises:
            KeyError: the menu has no such service.
        """
        return self.day(on)[code]

    def day(self, on: date) -> Mapping[str, Judge]:
        """Return the rules of a day by the code of their service.

        Each is compiled when it is first asked for, so that only those are told that were.
        """
        found = self._days.get(on)
        if found is None:
            if len(self._days) >= _MOST_DAYS:
                del self._days[next(iter(self._days))]
            found = self._days[on] = _Day(self._calendars, on)
        return found

    def calendar(self, code: str) -> Calendar:
        """Return the rule of a service on all its days.

        Raises:
            KeyError: the menu has no such service.
        """
        return self._calendars[code]

    @made_once
    def _calendars(self) -> _Calendars:
        return _Calendars(self.rules)

    @made_once
    def _days(self) -> dict[date, _Day]:
        """The days that were asked for last."""
        return {}


class _Calendars(dict[str, Calendar]):
    """The calendars of rules, each made when it is first asked for."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        super().__init__()
        self._rules = rules

    def __missing__(self, code: str) -> Calendar:
        found = self[code] = Calendar(self._rules[code])
        return found


class _Day(dict[str, Judge]):
    """The rules of a day, each compiled when it is first asked for."""

    def __init__(self, calendars: Mapping[str, Calendar], on: date) -> None:
        super().__init__()
        self._calendars = calendars
        self._on = on

    def __missing__(self, code: str) -> Judge:
        found = self[code] = self._calendars[code].judge(self._on)
        return found


#: The lists of the menu that rules build on.
LISTS: tuple[str, ...] = ("points", "pay_lines", "zones", "city_rules", "documents")


def read(
    lists: Mapping[str, Sequence[Any]],
    documents: Mapping[str, source.Document],
    services: Mapping[str, source.Document],
) -> tuple[Rulebook, list[errors.Mistake]]:
    """Return the rules of all services, and every mistake in them and in what they build on.

    ``lists`` and ``documents`` have the lists by name, each as read and as it stands in its file;
    ``services`` their files by code. A rule with a mistake is left out.
    """
    mistakes: list[errors.Mistake] = []
    shelf = _Shelf(documents, mistakes)
    library = shelf.library(lists)
    rules = _Rules(services, library, mistakes).all()
    return Rulebook(rules, library.points, library.lines, shelf.on_record(lists)), mistakes


class _Shelf:
    """Makes what rules build on out of the lists of the menu."""

    def __init__(
        self, documents: Mapping[str, source.Document], mistakes: list[errors.Mistake]
    ) -> None:
        self._documents = documents
        self._mistakes = mistakes
        self._facts = known_facts()

    def library(self, lists: Mapping[str, Sequence[Any]]) -> reading.Library:
        library = reading.Library(
            facts=self._facts,
            points=self._each("points", lists, self._points),
            lines=self._each("pay_lines", lists, self._line),
            zones=self._each("zones", lists, self._zone),
        )
        city = {}
        for place, one in enumerate(lists.get("city_rules", ())):
            found, wrong = reading.parse(
                self._documents["city_rules"], (place, "eligibility"), library
            )
            self._mistakes.extend(wrong)
            if found:
                city[one.code] = of_the_city(found)
        return replace(library, city=city)

    def _each(
        self,
        name: str,
        lists: Mapping[str, Sequence[Any]],
        make: Callable[[Any, tuple[str | int, ...]], _T],
    ) -> dict[str, _T]:
        self._name = name
        return {one.code: make(one, (place,)) for place, one in enumerate(lists.get(name, ()))}

    def _wrong(self, at: tuple[str | int, ...], sentence: str, hint: str = "") -> None:
        self._mistakes.append(self._documents[self._name].mistake(at, sentence, hint))

    def _fact(self, name: str, at: tuple[str | int, ...]) -> Fact | None:
        if name not in self._facts:
            hint = errors.did_you_mean(errors.nearest(name, self._facts))
            self._wrong(at, f"There is no fact “{errors.shown(name)}”.", hint)
        return self._facts.get(name)

    def _apart(self, spans: Sequence[Span], at: tuple[str | int, ...]) -> None:
        for place, span in enumerate(spans):
            if span.since and span.until and span.until < span.since:
                self._wrong((*at, place, "until"), "This day is before `since`.")
            if any(span.meets(other) for other in spans[:place]):
                self._wrong((*at, place), "Two of these are in force on the same day.")

    def _line(self, line: menu.PayLine, at: tuple[str | int, ...]) -> rule.PayLine:
        spans = [Span(one.since, one.until) for one in line.values]
        self._apart(spans, (*at, "values"))
        amounts = (one.amount for one in line.values)
        return rule.PayLine(line.code, tuple(zip(spans, amounts, strict=True)))

    def _zone(self, zone: menu.Zone, at: tuple[str | int, ...]) -> rule.Zone:
        layer = Layer(Level.ZONE, zone.code, zone.since, zone.until)
        said = Said(f"zone-{zone.code}", zone.text, zone.citation.source, layer)
        fact, values = self._among(zone, at)
        asks = Comparison(fact or next(iter(self._facts.values())), "in", values)
        clause = Clause(said, asks, (asks.fact,))
        return rule.Zone(zone.code, clause, Span(zone.since, zone.until))

    def _among(
        self, named: menu.Zone | menu.OnRecord, at: tuple[str | int, ...]
    ) -> tuple[Fact | None, tuple[Value, ...]]:
        """Return the fact that is named, and the values of it."""
        fact = self._fact(named.fact, (*at, "fact"))
        taken = [fact.taken(value) if fact else None for value in named.values]
        for place, value in enumerate(named.values):
            if fact and taken[place] is None:
                shown = errors.shown(str(value))
                why = f"“{shown}” is no value of `{fact.name}` ({fact.shape()})."
                self._wrong((*at, "values", place), why)
        return fact, tuple(one for one in taken if one is not None)

    def on_record(self, lists: Mapping[str, Sequence[Any]]) -> dict[str, Among]:
        """Return by document what shows that it is on record."""
        self._name = "documents"
        found = {}
        for place, one in enumerate(lists.get("documents", ())):
            if one.on_record:
                _, values = self._among(one.on_record, (place, "on_record"))
                found[one.code] = Among(one.on_record.fact, frozenset(values))
        return found

    def _points(self, table: menu.PointsTable, at: tuple[str | int, ...]) -> rule.Points:
        spans = [Span(one.since, one.until) for one in table.versions]
        self._apart(spans, (*at, "versions"))
        return rule.Points(
            table.code,
            tuple(
                Table(
                    code=table.code,
                    version=one.version,
                    name=one.name,
                    since=one.since,
                    until=one.until,
                    reference=one.citation.source,
                    high=one.high,
                    medium=one.medium,
                    lines=tuple(
                        Line(
                            line.id,
                            line.name,
                            line.most,
                            self._entries(line, (*at, "versions", place, "lines", number)),
                        )
                        for number, line in enumerate(one.lines)
                    ),
                )
                for place, one in enumerate(table.versions)
            ),
        )

    def _entries(self, line: menu.PointsLine, at: tuple[str | int, ...]) -> tuple[Entry, ...]:
        found = []
        for place, entry in enumerate(line.entries):
            here = (*at, "entries", place)
            fact = self._fact(entry.fact, (*here, "fact"))
            bands = tuple(
                (condition, band.points)
                for number, band in enumerate(entry.bands)
                if fact and (condition := self._band(fact, band, (*here, "bands", number)))
            )
            if fact and bands:
                found.append(Entry(fact, bands))
        return tuple(found)

    def _band(self, fact: Fact, band: menu.Band, at: tuple[str | int, ...]) -> Condition | None:
        ends = {word: getattr(band, word) for word in _ENDS if getattr(band, word) is not None}
        equals = None if band.equals is None else fact.taken(band.equals)
        if equals is not None and not ends:
            return Among(fact.name, frozenset([equals]))
        if band.equals is None and ends and fact.unit is not None:
            low, high = (
                [
                    end
                    for word, at in ends.items()
                    if (end := rule.limits(word, at)[side]) is not None
                ]
                for side in (0, 1)
            )
            return Between(fact.name, max(low, default=None), min(high, default=None))
        self._wrong(at, f"A band says what `{fact.name}` ({fact.shape()}) `equals`, or its ends.")
        return None


def of_the_city(found: Rule) -> Rule:
    """Return a rule whose clauses say that they are the city's, and of which edition."""
    editions = []
    for edition in found.editions:
        layer = Layer(Level.CITY, None, edition.span.since, edition.span.until)
        editions.append(replace(edition, root=edition.root and rule.layered(edition.root, layer)))
    roots = [edition.root for edition in editions if edition.root]
    clauses = {one.said.id: one for root in roots for one in rule.clauses_in(root)}
    return replace(found, editions=tuple(editions), clauses=clauses)


class _Rules:
    """Reads the rules of all services, each before those that require it."""

    def __init__(
        self,
        services: Mapping[str, source.Document],
        library: reading.Library,
        mistakes: list[errors.Mistake],
    ) -> None:
        self._services = services
        self._library = replace(library, services=services.keys(), service=self.rule)
        self._mistakes = mistakes
        self._read: dict[str, Rule | None] = {}
        self._reading: list[str] = []

    def all(self) -> dict[str, Rule]:
        return {code: found for code in self._services if (found := self.rule(code))}

    def rule(self, code: str) -> Rule | None:
        """Return a service's rule, or None where it has mistakes.

        Raises:
            RequireError: it is being read, or too many are.
        """
        if code in self._read:
            return self._read[code]
        if code in self._reading:
            circle = " → ".join([*self._reading[self._reading.index(code) :], code])
            raise reading.RequireError(f"A rule cannot require itself: {circle}.")
        if len(self._reading) > MOST_REQUIRED:
            raise reading.RequireError(f"Rules require each other {MOST_REQUIRED} deep at most.")
        self._reading.append(code)
        try:
            self._read[code] = self._parsed(self._services[code])
        finally:
            self._reading.pop()
        return self._read[code]

    def _parsed(self, document: source.Document) -> Rule | None:
        turns.breathe()
        if not isinstance(document.data, dict) or "eligibility" not in document.data:
            return None  # Its shape is wrong, which is said elsewhere.
        found, wrong = reading.parse(document, ("eligibility",), self._library)
        self._mistakes.extend(wrong)
        return found


def _dumped(listed: Sequence[menu.Shape]) -> list[Any]:
    return [one.model_dump() for one in listed]

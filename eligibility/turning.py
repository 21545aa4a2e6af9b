"""When a rule begins to hold of somebody, and when it no longer does, if nothing but time passes.

What a rule says of a person can turn on few days only: where a row of theirs begins or ends, a
number that grows comes to one that is asked for, a period ends, or the rule itself is another. So
these days are judged, and none between them.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from eligibility.condition import Condition, Value, beside
from eligibility.fact import Fact, Kind
from eligibility.period import Period
from eligibility.person import Dated
from eligibility.rule import (
    Clause,
    Comparison,
    Members,
    Override,
    Parts,
    PayLine,
    Required,
    Rule,
    Scored,
    Span,
    Written,
)
from eligibility.single import Judge
from eligibility.tree import Known
from models.talent import Talent

#: How far ahead it is looked.
HORIZON = Period(months=120, days=0)
#: Of so many days a rule is kept that is another on each.
_MOST_DAYS = 8


@dataclass(frozen=True, slots=True)
class Turning:
    """The first day on which a rule holds, and the first after it on which it does not.

    None: there is no such day within the horizon.
    """

    holds_from: date | None = None
    lapses_on: date | None = None


class Calendar:
    """A rule on all its days, and those on which it may turn; made once, it serves anybody."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        rules = _rules(rule)
        asked = [asks for one in rules for asks in _asked(one)]
        self._compared = [one for one in asked if isinstance(one, Comparison)]
        self._bands = [band for one in asked if isinstance(one, Scored) for band in _bands(one)]
        self._of_members = [
            one for asks in asked if isinstance(asks, Members) for one in (*asks.who, *asks.has)
        ]
        everywhere = [*self._compared, *self._of_members]
        self._own = sorted({day for span in spans(rule) for day in _ends(span)})
        #: Whether it is another on each day: where it asks for days, what is near moves along.
        self._moves = any(one.fact.kind is Kind.DAY for one in everywhere)
        self._judges: dict[object, Judge] = {}

    def judge(self, on: date) -> Judge:
        """Return the rule of a day, compiled: one for all the days on which it is the same.

        What is kept is bounded by what is written: the rule is another where a span in it ends.
        """
        stretch: object = on if self._moves else bisect.bisect(self._own, on)
        judge = self._judges.pop(stretch, None) or Judge(self._rule.on(on))
        # The last used is the last to go.
        self._judges[stretch] = judge
        if self._moves and len(self._judges) > _MOST_DAYS:
            del self._judges[next(iter(self._judges))]
        return judge

    def turning(self, on: date, person: Talent | None, given: Known) -> Turning:
        """Return when the rule holds from a day on: that day itself, where it holds on it.

        ``given`` are facts that stay as they are; all others are the person's, as on each day.
        """
        holds_from = None
        for day in [on, *self.days(on, person, given)]:
            judge = self.judge(day)
            known = {**_known(judge.tree.facts, person, day), **given}
            holds = judge.truth(known) is True
            if holds and holds_from is None:
                holds_from = day
            elif holds_from is not None and not holds:
                return Turning(holds_from, day)
        return Turning(holds_from)

    def days(self, on: date, person: Talent | None, given: Known) -> list[date]:
        """Return the days after one, within the horizon, on which the rule may turn."""
        found = {*self._own, *_given(self._compared, given)}
        if person is not None:
            rows = sorted({on, *_rows(person)})
            found.update(rows)
            asked = [one for one in self._compared if one.fact.name not in given]
            found.update(_passing(asked, person, rows))
            for fact, band in self._bands:
                if fact.name not in given:
                    found.update(_reached(fact, person, band.critical()))
            for member in person.household:
                found.update(_passing(self._of_members, member, rows))
        until = HORIZON.last_day(on)
        return sorted(day for day in found if on < day <= until)


# --- What a rule asks, and when it is another -----------------------------------------------------


def _rules(rule: Rule) -> Iterable[Rule]:
    """Return a rule and all that it requires, each once."""
    found: dict[int, Rule] = {}
    waiting = [rule]
    while waiting:
        one = waiting.pop()
        if id(one) not in found:
            found[id(one)] = one
            waiting += [asks.rule for asks in _asked(one) if isinstance(asks, Required)]
    return found.values()


def _asked(rule: Rule) -> Iterator[Comparison | Scored | Members | Required]:
    """Yield what the clauses of a rule ask, in whatever edition or layer they stand."""
    for edition in rule.editions:
        if edition.root:
            yield from _asked_in(edition.root)
        for override in edition.overrides:
            for written in _written(override):
                yield from _asked_in(written)


def _written(override: Override) -> Iterator[Written]:
    yield from (one for one in override.instead.values() if one)
    yield from override.also
    if override.zone:
        yield override.zone.clause


def _asked_in(written: Written) -> Iterator[Comparison | Scored | Members | Required]:
    if isinstance(written, Parts):
        for part in written.parts:
            yield from _asked_in(part)
    elif isinstance(written, Clause):
        yield written.asks


def spans(rule: Rule) -> Iterator[Span]:
    """Yield the spans of all that is in force for a time in a rule, or in those it requires."""
    for one in _rules(rule):
        for edition in one.editions:
            yield edition.span
            for override in edition.overrides:
                yield override.span
                if override.zone:
                    yield override.zone.span
        for asks in _asked(one):
            yield from _in_force(asks)


def _in_force(asks: Comparison | Scored | Members | Required) -> Iterator[Span]:
    """Yield the spans of what a clause compares with."""
    if isinstance(asks, Scored):
        yield from (Span(one.since, one.until) for one in asks.points.versions)
    elif isinstance(asks, Members):
        for one in (*asks.who, *asks.has):
            yield from _in_force(one)
    elif isinstance(asks, Comparison) and isinstance(asks.operand, PayLine):
        yield from (span for span, _ in asks.operand.values)


def _ends(span: Span) -> Iterator[date]:
    if span.since:
        yield span.since
    if span.until:
        yield beside(span.until, 1)


def _bands(asks: Scored) -> Iterator[tuple[Fact, Condition]]:
    for table in asks.points.versions:
        for line in table.lines:
            for entry in line.entries:
                yield from ((entry.fact, band) for band, _ in entry.bands)


# --- What becomes of a person ---------------------------------------------------------------------


def _known(facts: Mapping[str, Fact], person: Talent | None, day: date) -> dict[str, Value | None]:
    if person is None:
        return {}
    return {name: fact.known(person, day) for name, fact in facts.items()}


def _rows(person: Talent) -> Iterator[date]:
    """Yield the days on which what is on record of a person begins or ends to hold."""
    dated: list[Dated] = [*person.employments, *person.permits, *person.attestations]
    for row in dated:
        yield from _ends(Span(row.valid_from, row.valid_until))
    for card in person.cards:
        yield from _ends(Span(card.issued_on, card.valid_until))
    yield from (degree.awarded_on for degree in person.degrees)
    for year in (*(one.year for one in person.awards), *(one.edition for one in person.teams)):
        yield from (date(year, 1, 1), date(year + 1, 1, 1))
    if person.listed_on:
        yield person.listed_on


def _passing(asked: Iterable[Comparison], whom: object, days: Sequence[date]) -> Iterator[date]:
    """Yield the days on which time alone may turn what is asked of somebody.

    ``days`` are those on which their facts may be others.
    """
    for one in asked:
        if isinstance(one.operand, Period):
            for value in {one.fact.known(whom, day) for day in days}:
                yield from _around(one, value)
        else:
            yield from _reached(one.fact, whom, _operands(one.operand))


def _given(asked: Iterable[Comparison], given: Known) -> Iterator[date]:
    for one in asked:
        yield from _around(one, given.get(one.fact.name))


def _around(asked: Comparison, value: Value | None) -> Iterator[date]:
    """Yield the days on which a day comes to lie in a period that moves, or out of it."""
    if isinstance(asked.operand, Period) and isinstance(value, date):
        yield value
        yield beside(value, 1)
        yield asked.operand.first_start(value)
        yield beside(asked.operand.last_day(value), 1)


def _operands(operand: Any) -> Iterable[Any]:  # noqa: ANN401 - of any fact's sort
    if isinstance(operand, PayLine):
        return (value for _, value in operand.values)
    return operand if isinstance(operand, tuple) else (operand,)


def _reached(fact: Fact, whom: object, numbers: Iterable[Any]) -> Iterator[date]:
    """Yield the days on which a number that grows by itself comes to one of these, or passes it."""
    if fact.reached:
        for number in numbers:
            yield from fact.reached(whom, number)
            yield from fact.reached(whom, number + 1)

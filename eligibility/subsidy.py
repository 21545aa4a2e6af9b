"""Subsidies month by month: what is paid on what is known, and what is still a condition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from eligibility import reading, rulebook
from eligibility.fact import Fact
from eligibility.rule import Clause, Rule
from eligibility.single import Judge
from eligibility.tree import Known
from eligibility.verdict import Reason
from models import errors, menu, source


@dataclass(frozen=True, slots=True)
class Month:
    """One month, counted from 1; ``amount`` is None where it hangs on what is not known.

    ``condition`` is the clause that the month depends on, and how it stands on the day.
    """

    number: int
    amount: Decimal | None
    condition: Reason | None


@dataclass(frozen=True, slots=True)
class Schedule:
    """All months of a subsidy; none where the person's case brings nothing."""

    currency: str
    months: tuple[Month, ...]

    @property
    def total(self) -> Decimal | None:
        """The sum of all months, every condition met; None where an amount is not known."""
        return _sum(month.amount for month in self.months)

    @property
    def sure(self) -> Decimal | None:
        """The sum of the months without a condition; None where an amount is not known."""
        return _sum(month.amount for month in self.months if month.condition is None)


@dataclass(frozen=True, slots=True)
class Span:
    """Some months in a row: the amount by the value of the plan's fact, and a rule of their own."""

    months: int
    amounts: Mapping[str, Decimal]
    condition: Rule | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A subsidy as its service's file has it, to be worked out for anybody."""

    by: Fact
    currency: str
    spans: tuple[Span, ...]

    def schedule(self, known: Known, on: date) -> Schedule:
        """Return what is paid month by month, on what is known on a day."""
        value = known.get(self.by.name)
        months: list[Month] = []
        for span in self.spans:
            amount = span.amounts.get(value) if isinstance(value, str) else None
            if amount is None and value is not None:
                continue
            condition = _stands(span.condition, known, on) if span.condition else None
            numbers = range(len(months) + 1, len(months) + span.months + 1)
            months += [Month(number, amount, condition) for number in numbers]
        return Schedule(self.currency, tuple(months))


def _stands(condition: Rule, known: Known, on: date) -> Reason:
    tree = condition.on(on)
    return Reason(tree.leaves[0].said, Judge(tree).truth(known))


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def of(code: str, found: menu.Subsidy) -> Plan:
    """Return a published service's subsidy as a plan.

    Raises:
        MistakesError: it cannot be read; checked menus have none such.
    """
    data = {"subsidy": found.model_dump()}
    plan, mistakes = read(source.Document(f"menu/services/{code}.yaml", data, None), found)
    if plan is None:
        raise errors.MistakesError(mistakes)
    return plan


def read(
    document: source.Document, found: menu.Subsidy
) -> tuple[Plan | None, list[errors.Mistake]]:
    """Return the subsidy in a service's file as a plan, or None and every mistake in it."""
    facts = rulebook.known_facts()
    by = facts.get(found.by)
    if by is None or not by.choices:
        hint = errors.did_you_mean(errors.nearest(found.by, facts))
        sentence = f"There is no fact “{errors.shown(found.by)}” with words to choose from."
        return None, [document.mistake(("subsidy", "by"), sentence, hint)]
    mistakes: list[errors.Mistake] = []
    spans = []
    for place, span in enumerate(found.spans):
        at = ("subsidy", "spans", place)
        for value in span.amounts.keys() - set(by.choices):
            hint = errors.did_you_mean(errors.nearest(value, by.choices))
            sentence = f"“{errors.shown(value)}” is no value of `{by.name}` ({by.shape()})."
            mistakes.append(document.mistake((*at, "amounts", value), sentence, hint))
        condition = None
        if span.condition is not None:
            condition = _clause(document, (*at, "condition"), mistakes)
        spans.append(Span(span.months, span.amounts, condition))
    return (None if mistakes else Plan(by, found.currency, tuple(spans))), mistakes


def _clause(
    document: source.Document,
    at: tuple[str | int, ...],
    mistakes: list[errors.Mistake],
) -> Rule | None:
    rule, wrong = reading.parse(document, at, reading.Library(rulebook.known_facts()))
    mistakes.extend(wrong)
    if rule and not isinstance(rule.editions[0].root, Clause):
        mistakes.append(document.mistake(at, "A condition is one clause."))
    return rule

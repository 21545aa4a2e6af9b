"""How a person is classed: on record, by points under every version of a table, by pay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from eligibility import points, rulebook
from eligibility.fact import Fact
from eligibility.rule import Span
from eligibility.tree import Known
from models import menu, talent
from resolvers import talent as people
from resolvers.context import Context

#: The fact that pay lines are compared with.
PAY = "annual_salary"


@dataclass(frozen=True, slots=True)
class Score:
    """A version of a table of points, and whether it is the one in force on the day."""

    table: points.Table
    in_force: bool


@dataclass(frozen=True, slots=True)
class Pay:
    """A pay line with its amount of the day, and whether the pay reaches it; None: not known."""

    line: menu.PayLine
    value: menu.PayLineValue
    reached: bool | None


@dataclass(frozen=True, slots=True)
class Classification:
    """All that is to be said of a person's class on a day; ``person`` has the class on record."""

    as_of: date
    person: talent.Talent
    scores: tuple[Score, ...]
    pay: tuple[Pay, ...]
    known: Known


async def of(context: Context, person: talent.Talent, as_of: date | None) -> Classification:
    """Return a person's classification on a day (in Shanghai); today where none is named.

    Raises:
        BadInputError: the day is further away than anything is looked into.
    """
    on = context.day(as_of)
    book = context.catalogue.rulebook
    scores = tuple(
        Score(table, table is tables.on(on))
        for tables in book.points.values()
        for table in tables.versions
    )
    facts = _facts(scores)
    known = rulebook.facts_of(await people.whole(context, person), on, facts)
    salary = known[PAY]
    return Classification(
        as_of=on,
        person=person,
        scores=scores,
        pay=tuple(
            Pay(line, value, salary >= value.amount if isinstance(salary, int) else None)
            for line, value in _in_force(context.catalogue.lists.pay_lines, on)
        ),
        known=known,
    )


def _facts(scores: Iterable[Score]) -> tuple[Fact, ...]:
    """Return each fact that points or pay lines ask for, once."""
    found = {fact.name: fact for score in scores for fact in score.table.facts}
    return tuple({PAY: rulebook.known_facts()[PAY], **found}.values())


def _in_force(
    lines: Iterable[menu.PayLine], on: date
) -> Iterator[tuple[menu.PayLine, menu.PayLineValue]]:
    for line in lines:
        for value in line.values:
            if Span(value.since, value.until).has(on):
                yield line, value

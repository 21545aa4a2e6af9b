"""The rule tree compiled to SQL: an expression over a standing that is true, false or unknown.

Unknown is NULL, so that SQL's own AND, OR and NOT are Kleene's. Nothing of a rule gets into the
text of a statement: columns are the standing's, and all else are parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext import compiler as dialects
from sqlalchemy.sql import operators
from sqlalchemy.sql.functions import GenericFunction

from eligibility import household, standing
from eligibility.condition import Among, Between, Condition, Includes
from eligibility.fact import Fact
from eligibility.household import Counted
from eligibility.points import Entry, Line, Total
from eligibility.tree import HOUSEHOLD, Leaf, Node, Tree
from eligibility.verdict import Outcome
from models import errors
from models.standing import Standing

#: How many parameters an expression may have: SQLite takes 32,766 in a statement and PostgreSQL
#: 32,767, and one statement may compare two rules.
MOST_PARAMETERS = 15_000
#: How deep an expression may be: SQLite takes less than 1,000, and a chain of n counts n.
MOST_DEPTH = 900
#: How many symbols may be open at once: SQLite before 3.46 takes 100, of which some are around us.
MOST_OPEN = 93

_Truth = sa.ColumnElement[bool]
_Number = sa.ColumnElement[int]
_Column = sa.ColumnElement[Any]


class _Greatest(GenericFunction[int]):
    """The greatest of several numbers, by the name it has in either database."""

    type = sa.BigInteger()
    inherit_cache = True


@dialects.compiles(_Greatest)
def _greatest(element: _Greatest, compiler: Any, **more: Any) -> str:  # noqa: ANN401 - SQLAlchemy's
    name = "max" if compiler.dialect.name == "sqlite" else "greatest"
    return f"{name}({compiler.process(element.clauses, **more)})"


def truth(tree: Tree, over: Standing) -> _Truth:
    """Return whether a rule holds of each person of a standing: true, false, or NULL for unknown.

    Raises:
        RuleTooLargeError: no database takes an expression so large.
    """
    return _Compiling(over).node(tree.root, _Place(), negated=False)


def holds(outcome: Outcome, tree: Tree, over: Standing) -> _Truth:
    """Return whether this is the outcome of a rule for each person of a standing.

    No partner is asked for them, so it is UNDETERMINED for nobody. Raises as ``truth``.
    """
    held = truth(tree, over)
    return {
        Outcome.ELIGIBLE: held,
        Outcome.INELIGIBLE: sa.not_(held),
        # The databases leave a condition as soon as it is decided; whether it is NULL, they do not.
        Outcome.NEEDS_FACTS: sa.case(
            (held, sa.false()), (sa.not_(held), sa.false()), else_=sa.true()
        ),
        Outcome.UNDETERMINED: sa.false(),
    }[outcome]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a node stands: how deep, below how many open symbols, and how many times over."""

    depth: int = 0
    open: int = 0
    times: int = 1

    def within(self, chain: int, opened: int, times: int = 1) -> _Place:
        """Return the place within a chain of so many terms."""
        return _Place(self.depth + chain + 4, self.open + opened, self.times * times)


class _Compiling:
    """One compilation, which counts what the databases bound."""

    def __init__(self, over: Standing) -> None:
        self._over = over
        self._parameters = 0

    def node(self, node: Node, place: _Place, *, negated: bool) -> _Truth:
        """Return a node, or what it is turned round; a group is turned round in its leaves.

        That keeps SQL flat: that at least m of n do not hold, and that at least n - m + 1 do, are
        each other's opposite, in three truths as in two.
        """
        if isinstance(node, Leaf):
            self.spend(place, 1)
            leaf = self.leaf(node, place)
            return sa.not_(leaf) if negated else leaf
        negated = negated is not node.negated
        many = len(node.parts)
        least = many - node.least + 1 if negated else node.least
        is_plain = least in {1, many}
        place = place.within(many, 3, 1) if is_plain else place.within(many, 13, 2)
        self.spend(place, 2)
        return _at_least(least, [self.node(part, place, negated=negated) for part in node.parts])

    def leaf(self, leaf: Leaf, place: _Place) -> _Truth:
        match leaf.test:
            case None:
                return sa.false()
            case Total() as total:
                return self.total(total, place)
            case Counted() as counted:
                return self.counted(counted, place)
        return self.condition(leaf.facts[0], leaf.test, self._over.people, place)

    def spend(self, place: _Place, parameters: int) -> None:
        self._parameters += parameters * place.times
        if self._parameters > MOST_PARAMETERS or place.depth > MOST_DEPTH or place.open > MOST_OPEN:
            raise errors.RuleTooLargeError

    # --- One fact -------------------------------------------------------------------------------

    def condition(self, fact: Fact, condition: Condition, table: sa.Table, place: _Place) -> _Truth:
        column = table.c[fact.name]
        match condition:
            case Among(values=values, negated=negated):
                self.spend(place, 1 + len(values))
                return _among(column, [standing.code(fact, one) for one in values], negated=negated)
            case Includes(item=item, negated=negated):
                self.spend(place, 2)
                # Unlike LIKE, this is the same for either database, whatever the letters.
                without = sa.func.replace(column, standing.item(item), "")
                return without == column if negated else without != column
            case Between(low=low, high=high):
                self.spend(place, 2)
                least = standing.least(fact) if low is None else standing.code(fact, low)
                return _between(column, least, standing.code(fact, high))

    # --- Points ---------------------------------------------------------------------------------

    def total(self, total: Total, place: _Place) -> _Truth:
        lines = total.table.lines
        place = place.within(len(lines), 34, 2)
        self.spend(place, 2)
        least, most = (
            _sum([self.line(line, place, unknown=unknown) for line in lines])
            for unknown in (False, True)
        )
        return _within(least, most, total.low, total.high)

    def line(self, line: Line, place: _Place, *, unknown: bool) -> _Number:
        """Return the points of a line; what is not known brings its most, or nothing."""
        entries = [self.entry(one, line.most, place, unknown=unknown) for one in line.entries]
        if not entries:
            return _number(min(line.most, 0))
        return _Greatest(*entries) if len(entries) > 1 else entries[0]

    def entry(self, entry: Entry, most: int, place: _Place, *, unknown: bool) -> _Number:
        def counted(points: int) -> _Number:
            self.spend(place, 1)
            return _number(min(max(points, 0), most))

        bands = [
            (self.condition(entry.fact, band, self._over.people, place), counted(points))
            for band, points in entry.bands
        ]
        if unknown:
            column = self._over.people.c[entry.fact.name]
            bands.insert(0, (column.is_(None), counted(entry.most)))
        return sa.case(*bands, else_=counted(0))

    # --- The household --------------------------------------------------------------------------

    def counted(self, counted: Counted, place: _Place) -> _Truth:
        place = place.within(len(counted.who) + len(counted.has), 38, 4)
        self.spend(place, 4)
        who, has = (
            [
                self.condition(household.FACTS[one.fact], one, self._over.members, place)
                for one in some
            ]
            for some in (counted.who, counted.has)
        )
        meant = sa.and_(sa.true(), *has)
        each = sa.and_(sa.true(), *who, sa.not_(meant) if counted.every else meant)
        column = self._over.people.c[HOUSEHOLD]
        within = _within(
            self.members(each),
            self.members(sa.func.coalesce(each, sa.true())),
            counted.low,
            counted.high,
        )
        # Most people live alone, and of them it is known without looking.
        alone = sa.true() if counted.truth(()) else sa.false()
        return sa.case((column.is_(None), sa.null()), (column == 0, alone), else_=within)

    def members(self, which: _Truth) -> _Number:
        """Return how many members there are of some sort."""
        people, members = self._over.tables
        chosen = sa.select(sa.func.count()).where(members.c.talent_id == people.c.talent_id, which)
        return chosen.select_from(members).correlate(people).scalar_subquery()


def _among(column: _Column, codes: Sequence[standing.Code], *, negated: bool) -> _Truth:
    if not codes:
        # Nothing is in an empty set, but that somebody's value is not is not known without it.
        return column != column if not negated else column == column  # noqa: PLR0124 - NULL for NULL
    if len(codes) == 1:
        return column != codes[0] if negated else column == codes[0]
    return column.not_in(codes) if negated else column.in_(codes)


def _between(column: _Column, low: standing.Code, high: standing.Code) -> _Truth:
    if low is None and high is None:
        return column == column  # noqa: PLR0124 - NULL for NULL
    ends = [column >= low] if low is not None else []
    return sa.and_(*ends, column <= high) if high is not None else sa.and_(*ends)


def _at_least(least: int, parts: Sequence[_Truth]) -> _Truth:
    """Return whether so many of the parts hold."""
    if not 1 <= least <= len(parts):
        return sa.true() if least < 1 else sa.false()
    if least == len(parts):
        return sa.and_(*parts)
    if least == 1:
        return sa.or_(*parts)
    held = [sa.case((part, 1), else_=0) for part in parts]
    may = [sa.case((sa.not_(part), 0), else_=1) for part in parts]
    return _within(_sum(held), _sum(may), least, None)


def _within(least: _Number, most: _Number, low: int | None, high: int | None) -> _Truth:
    """Return whether a number, known to be from ``least`` to ``most``, is from one to another."""
    outside, inside = [], []
    if low is not None:
        outside.append(most < _number(low))
        inside.append(least >= _number(low))
    if high is not None:
        outside.append(least > _number(high))
        inside.append(most <= _number(high))
    if not inside:
        return sa.true()
    return sa.case((sa.and_(*inside), sa.true()), (sa.or_(*outside), sa.false()), else_=sa.null())


def _sum(terms: Sequence[_Number]) -> _Number:
    """Return a sum, as a chain and not as a tree as deep as it is long."""
    if not terms:
        return _number(0)
    chain = sa.sql.elements.ClauseList(*terms, operator=operators.add)
    return sa.type_coerce(chain.self_group(), sa.BigInteger())


def _number(number: int) -> _Number:
    return sa.literal(number, sa.BigInteger())

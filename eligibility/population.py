"""The rule tree compiled for a whole population: Polars expressions over one column per fact.

The columns hold what ``standing`` says; null is not known, and Polars' own three-valued logic is
Kleene's. The one exception is the household: a list of its members, one column per member's fact.
This is the only place that knows Polars, and it is dear in memory: no hub loads it (docs/adr/0019).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

import polars as pl

from eligibility import household, standing
from eligibility.condition import Among, Condition, Includes
from eligibility.fact import Fact, Kind
from eligibility.household import Counted, Seen
from eligibility.points import Entry, Line, Total
from eligibility.tree import HOUSEHOLD, Group, Known, Leaf, Node, Tree
from models.standing import Counts

#: The column that says whose row it is.
PERSON = "id"
#: People, a row each; the name by which upper layers know it.
Frame = pl.DataFrame
# --- The frame ----------------------------------------------------------------------------------

#: Values of one column by its name, as a standing has them.
Columns = Mapping[str, Sequence[Any]]


def frame(facts: Iterable[Fact], people: Columns, members: Columns | None = None) -> pl.DataFrame:
    """Return a standing's people as a frame: ``id``, these facts, and whatever else there is.

    ``members`` are those of all households, each with the ``id`` of whose it is; they are needed
    where the household is among the facts.
    """
    known = {fact.name: fact for fact in facts}
    found = pl.DataFrame(
        [_series(name, values, known.get(name)) for name, values in people.items()]
    )
    if HOUSEHOLD not in known or members is None:
        return found
    homes = (
        pl.DataFrame(
            [_series(name, values, household.FACTS.get(name)) for name, values in members.items()]
        )
        .group_by(PERSON)
        .agg(home=pl.struct(*household.FACTS))
    )
    nobody = pl.lit([], homes.schema["home"])
    return (
        found.join(homes, on=PERSON, how="left", maintain_order="left")
        .with_columns(
            pl.when(pl.col(HOUSEHOLD).is_not_null())
            .then(pl.col("home").fill_null(nobody))
            .alias(HOUSEHOLD)
        )
        .drop("home")
    )


def known(people: Sequence[Known], facts: Sequence[Fact]) -> pl.DataFrame:
    """Return people, numbered from nought, with what is known of them, as a frame."""
    columns: dict[str, list[Any]] = {
        fact.name: [standing.code(fact, one.get(fact.name)) for one in people] for fact in facts
    }
    homes = [
        (number, *standing.codes(member, household.FACTS.values()))
        for number, one in enumerate(people)
        for member in _members(one.get(HOUSEHOLD))
    ]
    names = (PERSON, *household.FACTS)
    members = {name: [row[place] for row in homes] for place, name in enumerate(names)}
    return frame(facts, {PERSON: range(len(people)), **columns}, members)


def _series(name: str, codes: Sequence[Any], fact: Fact | None) -> pl.Series:
    """Return the column of a fact, in as few bytes as do; what is of no fact is as it is."""
    if (fact is None and name != PERSON) or (fact and standing.is_text(fact)):
        return pl.Series(name, codes, pl.String)
    numbers = pl.Series(name, codes, pl.Int64)
    if fact is None:
        return numbers
    return numbers.cast(pl.Boolean) if fact.kind is Kind.YES_NO else numbers.shrink_dtype()


def _members(value: Any) -> Iterable[Seen]:  # noqa: ANN401 - a household is so known
    return value or ()


# --- The compiler -------------------------------------------------------------------------------


class Judges:
    """Trees, compiled; made once, they judge any people."""

    def __init__(self, trees: Mapping[str, Tree]) -> None:
        self._shared = set(_shared(tree.root for tree in trees.values()))
        self._made: dict[int, pl.Expr] = {}
        # What several expressions need is made a column of the people, once, in this order.
        self._columns: list[pl.Expr] = []
        self._held = {name: self._node(tree.root) for name, tree in trees.items()}

    def truths(self, people: Frame, *kept: str) -> pl.LazyFrame:
        """Return whether each of the trees holds of each of the people, by the trees' names.

        ``kept`` are columns of the people that stand before them; at least one.
        """
        told = people.lazy()
        for column in self._columns:
            told = told.with_columns(column)
        return told.select(*kept, **self._held)

    def _node(self, node: Node) -> pl.Expr:
        if id(node) not in self._made:
            held = self._leaf(node) if isinstance(node, Leaf) else self._group(node)
            self._made[id(node)] = self._column(held) if id(node) in self._shared else held
        return self._made[id(node)]

    def _column(self, held: pl.Expr) -> pl.Expr:
        name = f"column {len(self._columns)}"  # No fact is called so.
        self._columns.append(held.alias(name))
        return pl.col(name)

    def _group(self, group: Group) -> pl.Expr:
        held = self._least(group.least, [self._node(part) for part in group.parts])
        return ~held if group.negated else held

    def _least(self, least: int, parts: Sequence[pl.Expr]) -> pl.Expr:
        """Return the expression that is true where at least so many of the parts are."""
        if least == len(parts):
            return _folded(operator.and_, parts, pl.lit(value=True))
        if least == 1:
            return _folded(operator.or_, parts, pl.lit(value=False))
        told = [self._column(part) for part in parts]
        had = pl.sum_horizontal(0, *(part.fill_null(value=False).cast(pl.Int64) for part in told))
        open_ = pl.sum_horizontal(0, *(part.is_null().cast(pl.Int64) for part in told))
        return _within(had, had + open_, least, None)

    def _leaf(self, leaf: Leaf) -> pl.Expr:
        match leaf.test:
            case None:
                return pl.lit(value=False)
            case Total() as total:
                return _total(total)
            case Counted() as counted:
                return _counted(counted)
        return _condition(leaf.facts[0], leaf.test, pl.col(leaf.test.fact))


def _folded(
    two: Callable[[pl.Expr, pl.Expr], pl.Expr], parts: Sequence[pl.Expr], nothing: pl.Expr
) -> pl.Expr:
    """Return all parts in one, by halves: a chain of them would be as deep as it is long."""
    if len(parts) <= 1:
        return parts[0] if parts else nothing
    half = len(parts) // 2
    return two(_folded(two, parts[:half], nothing), _folded(two, parts[half:], nothing))


def _shared(roots: Iterable[Node]) -> Iterator[int]:
    """Yield the nodes, by identity, that stand in more than one place."""
    seen: set[int] = set()
    waiting = [*roots]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            yield id(node)
        elif isinstance(node, Group):
            waiting.extend(node.parts)
        seen.add(id(node))


def _within(least: pl.Expr, most: pl.Expr, low: int | None, high: int | None) -> pl.Expr:
    """Return whether a number between two that are known is from ``low`` to ``high``."""
    ends = pl.lit(value=True)
    if low is not None:
        ends &= _told(least >= low, most >= low)
    if high is not None:
        ends &= _told(most <= high, least <= high)
    return ends


def _told(sure: pl.Expr, possible: pl.Expr) -> pl.Expr:
    """Return true where it is sure, false where it is not even possible, else null."""
    return pl.when(sure).then(statement=True).when(~possible).then(statement=False)


def _condition(fact: Fact, test: Condition, column: pl.Expr) -> pl.Expr:
    """Return whether a condition holds of the values of a column; null where they are."""
    if isinstance(test, Includes):
        found = column.str.contains(standing.item(test.item), literal=True)
        return ~found if test.negated else found
    if isinstance(test, Among):
        among = _series("", [standing.code(fact, value) for value in test.values], fact)
        found = _among(column, among, fact)
        return ~found if test.negated else found
    low, high = (standing.code(fact, end) for end in (test.low, test.high))
    low = standing.least(fact) if low is None else low
    ends = [column >= low] if low is not None else []
    ends += [column <= high] if high is not None else []
    return reduce(operator.and_, ends or [column == column])  # noqa: PLR0124 - null for null


def _among(column: pl.Expr, codes: pl.Series, fact: Fact) -> pl.Expr:
    if len(codes) == 1:
        return column.eq(codes[0])
    last = len(fact.choices)
    # From a word of an order on to its last: nearly all conditions on one are of this shape.
    if fact.ordered and {*codes} == {*range(last - len(codes), last)}:
        return column >= last - len(codes)
    return column.is_in(codes.implode())


def _total(total: Total) -> pl.Expr:
    spans = [_line(line) for line in total.table.lines]
    least, most = (pl.sum_horizontal(0, *(span[end] for span in spans)) for end in (0, 1))
    return _within(least, most, total.low, total.high)


def _line(line: Line) -> tuple[pl.Expr, pl.Expr]:
    """Return the least and the most points that a line may bring."""
    points = [(_points(entry), entry.most) for entry in line.entries]
    least = pl.max_horizontal(0, *(one for one, _ in points))
    most = pl.max_horizontal(0, *(one.fill_null(at_most) for one, at_most in points))
    return pl.min_horizontal(least, line.most), pl.min_horizontal(most, line.most)


def _points(entry: Entry) -> pl.Expr:
    """Return the points of an entry; null where its fact is not known."""
    column = pl.col(entry.fact.name)
    none_holds: pl.Expr = pl.when(column.is_not_null()).then(pl.lit(0, pl.Int64))
    return reduce(
        lambda rest, band: (
            pl.when(_condition(entry.fact, band[0], column))
            .then(pl.lit(band[1], pl.Int64))
            .otherwise(rest)
        ),
        reversed(entry.bands),
        none_holds,
    )


def _counted(counted: Counted) -> pl.Expr:
    who, has = (_member(conditions) for conditions in (counted.who, counted.has))
    of = who & (~has if counted.every else has)
    members = pl.col(HOUSEHOLD)
    least = members.list.eval(of.fill_null(value=False).cast(pl.Int64)).list.sum()
    most = members.list.eval(of.fill_null(value=True).cast(pl.Int64)).list.sum()
    return _within(least, most, counted.low, counted.high)


def _member(conditions: Iterable[Condition]) -> pl.Expr:
    """Return whether all the conditions hold of a member in a list."""
    tests = [
        _condition(household.FACTS[one.fact], one, pl.element().struct.field(one.fact))
        for one in conditions
    ]
    return reduce(lambda all_, test: all_ & test, tests, pl.lit(value=True))


# --- What is asked of everybody -----------------------------------------------------------------

#: The expressions are as short as they get; to look for shorter ones takes as long as they do.
_AS_IT_IS = pl.QueryOptFlags.none()


def truths(people: Frame, judges: Judges) -> pl.DataFrame:
    """Return whether each rule holds of each of the people: their ``id``, then a column a rule."""
    return judges.truths(people, PERSON).collect(optimizations=_AS_IT_IS)


def counts(people: Frame, trees: Mapping[str, Tree]) -> dict[str, Counts]:
    """Return of how many people each of the trees holds, in one query over all of them."""
    if not trees:
        return {}
    told = (
        Judges(trees)
        .truths(people, PERSON)
        .select(
            pl.struct(true=pl.col(name).sum(), unknown=pl.col(name).null_count()).alias(name)
            for name in trees
        )
    )
    [found] = told.collect(optimizations=_AS_IT_IS).to_dicts()
    return {
        name: Counts(one["true"], people.height - one["true"] - one["unknown"], one["unknown"])
        for name, one in found.items()
    }


def moves(
    people: Frame, pairs: Mapping[str, tuple[Tree, Tree]], by: Sequence[str]
) -> dict[str, list[tuple[Any, ...]]]:
    """Return how many people go from what to what, where one tree takes the place of another.

    For each pair a list of rows: the columns ``by``, the truth before, the truth after, how many.
    """
    queries = [
        Judges({"before": before, "after": after})
        .truths(people, *by)
        .group_by(*by, "before", "after")
        .len()
        for before, after in pairs.values()
    ]
    found = pl.collect_all(queries, optimizations=_AS_IT_IS)
    return dict(zip(pairs, (one.rows() for one in found), strict=True))

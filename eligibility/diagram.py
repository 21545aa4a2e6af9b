"""A rule as a decision diagram: which facts may still decide, and what would turn the verdict.

Each fact is a variable whose values fall into regions, in each of which every clause says the same.
The diagram is ordered and reduced (Bryant 1986, with many branches to a node), so it is the same
for all rules that mean the same: what is not in it does not matter, and what is in it does.
"""

from __future__ import annotations

import contextlib
import functools
import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from eligibility.condition import NOTHING, Condition, Value, beside
from eligibility.fact import Fact, Kind
from eligibility.household import Counted
from eligibility.points import Entry, Table, Total
from eligibility.tree import Group, Known, Leaf, Node, Tree
from eligibility.verdict import Alternative, Change, Reason

#: A rule whose diagram has more nodes is too entangled to be explained,
MOST_NODES = 20_000
#: or one that takes more steps, branch by branch, to draw or to read,
MOST_STEPS = 1_000_000
#: or that asks for more facts.
MOST_VARIABLES = 150
#: More alternatives than this are of no use to anybody: the smallest are kept.
MOST_ALTERNATIVES = 100
#: What a branch of a sum of points takes, in steps.
_SUM_STEPS = 20
#: A word that no rule names.
_OTHER = "\x00other"

_Tell = tuple[Any, ...]
_Set = frozenset[tuple[int, tuple[int, ...]]]


class EntangledError(ValueError):
    """The rule has more different cases than can be explained."""

    def __init__(self) -> None:
        super().__init__("This rule has too many cases to be explained; divide it.")


@dataclass(frozen=True, slots=True)
class _Variable:
    """A fact (or one word of a set, or one question about the household) with its regions.

    ``examples`` has a value of each region; ``tells`` what each test and entry on it then says.
    """

    fact: Fact
    tests: tuple[Leaf, ...]
    entries: tuple[Entry, ...]
    examples: tuple[Value | None, ...]
    tells: tuple[_Tell, ...]

    def region(self, known: Known) -> int | None:
        """Return where the known value lies, None where it is not known, or is none of a kind."""
        value = known.get(self.fact.name)
        tell = None if value is None else _tell(self.tests, self.entries, value)
        return self.tells.index(tell) if tell in self.tells else None

    def example(self, region: int, value: Value | None) -> Value | None:
        """Return a value of a region, as near as may be to the one that is known."""
        example = self.examples[region]
        if isinstance(example, frozenset) and isinstance(value, frozenset):
            item = _word(self.tests[0])
            return value | {item} if example else value - {item}
        return example


class Diagram:
    """A tree's diagram. Nodes are numbers: 0 is false, 1 is true.

    Raises:
        EntangledError: it would have too many nodes.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.variables = _variables(tree)
        if len(self.variables) > MOST_VARIABLES:
            raise EntangledError
        # What is one change: a fact, all words of a set together, one question on the household.
        names = [
            at if one.fact.kind is Kind.HOUSEHOLD else one.fact.name
            for at, one in enumerate(self.variables)
        ]
        self._bits = [1 << names.index(name) for name in names]
        self._nodes: list[tuple[int, tuple[int, ...]]] = [(len(self.variables), ())] * 2
        self._made: dict[tuple[int, tuple[int, ...]], int] = {}
        self._chosen: dict[tuple[int, int, int], int] = {}
        self._steps = 0
        self.root = self._drawn(tree.root)

    @property
    def constant(self) -> bool | None:
        """What the rule says of everybody; None where it says this of one and that of another."""
        return bool(self.root) if self.root < 2 else None  # noqa: PLR2004 - 0 and 1 are the ends

    def deciding(self, known: Known) -> tuple[str, ...]:
        """Return the unknown facts of which some value may decide, in the order of the rule.

        Where what is known settles the rule in a way that clause by clause does not show, these
        are all the unknown facts it asks for.
        """
        regions = [variable.region(known) for variable in self.variables]
        told = [at for at, region in enumerate(regions) if region is not None]
        with self._aside():
            left = self._within(self.root, regions, {}) if told else self.root
            found = {self.variables[at].fact.name for at in self._support(left)}
        if not found:
            found = {name for name in self.tree.facts if known.get(name) is None}
        return tuple(name for name in self.tree.facts if name in found)

    def alternatives(self, known: Known, *, to: bool) -> list[Alternative]:
        """Return every smallest set of facts that would make the rule so, fewest facts first.

        What is not known stays so, unless it is among them: whatever it may turn out to be. There
        is none where all that is not known may turn out as it will, and the rule is so.
        """
        regions = [variable.region(known) for variable in self.variables]
        with self._aside():
            found = self._turning(self.root, int(to), regions, {})
        kept = sorted(found, key=lambda one: (len(one), sorted(at for at, _ in one)))
        return [self._told(one, regions, known) for one in kept if one]

    # --- Drawing ------------------------------------------------------------------------------

    def _drawn(self, node: Node) -> int:
        if isinstance(node, Group):
            drawn = self._least(node.least, [self._drawn(part) for part in node.parts])
            return self._choose(drawn, 0, 1) if node.negated else drawn
        if node.test is None:
            return 0
        if isinstance(node.test, Total):
            return self._total(node.test)
        at, variable = next(
            (at, one) for at, one in enumerate(self.variables) if any(node is t for t in one.tests)
        )
        place = next(place for place, leaf in enumerate(variable.tests) if leaf is node)
        return self._node(at, tuple(int(tell[place]) for tell in variable.tells))

    def _node(self, at: int, branches: tuple[int, ...]) -> int:
        self._steps += len(branches)
        if self._steps > MOST_STEPS or len(self._nodes) > MOST_NODES:
            raise EntangledError
        if len(set(branches)) == 1:
            return branches[0]
        found = self._made.setdefault((at, branches), len(self._nodes))
        if found == len(self._nodes):
            self._nodes.append((at, branches))
        return found

    def _choose(self, which: int, yes: int, no: int) -> int:
        """Return the node that is ``yes`` where ``which`` is true, else ``no``."""
        if which < 2:  # noqa: PLR2004 - 0 and 1 are the ends
            return yes if which else no
        if yes == no:
            return yes
        key = (which, yes, no)
        if key not in self._chosen:
            at = min(self._nodes[node][0] for node in key)
            wide = len(self.variables[at].tells)
            parts = [self._branches(node, at, wide) for node in key]
            self._chosen[key] = self._node(
                at, tuple(self._choose(*branch) for branch in zip(*parts, strict=True))
            )
        return self._chosen[key]

    def _branches(self, node: int, at: int, wide: int) -> tuple[int, ...]:
        own, branches = self._nodes[node]
        return branches if own == at else (node,) * wide

    def _least(self, least: int, parts: Sequence[int]) -> int:
        """Return the node that is true where at least so many of the parts are."""
        # By how many are wanted still; after all parts only nought is had.
        wanted = [1] + [0] * least
        for part in reversed(parts):
            wanted = [1] + [
                self._choose(part, wanted[many - 1], wanted[many]) for many in range(1, least + 1)
            ]
        return wanted[least]

    def _total(self, total: Total) -> int:
        table = total.table
        asked = [
            (at, variable)
            for at, variable in enumerate(self.variables)
            if any(entry in variable.entries for line in table.lines for entry in line.entries)
        ]
        return self._summed(total, asked, (0,) * len(table.lines), {})

    def _summed(
        self,
        total: Total,
        asked: Sequence[tuple[int, _Variable]],
        had: tuple[int, ...],
        memo: dict[tuple[int, int, tuple[int, ...]], int],
    ) -> int:
        """Return the node for the facts still asked, where the lines have brought so much."""
        if not asked:
            return int(total.holds(sum(had)))
        # Lines that nothing is asked of any more differ in nothing but their sum.
        left = {id(entry) for _, variable in asked for entry in variable.entries}
        closed = [all(id(e) not in left for e in line.entries) for line in total.table.lines]
        settled = sum(points for points, done in zip(had, closed, strict=True) if done)
        state = tuple(0 if done else points for points, done in zip(had, closed, strict=True))
        key = (len(asked), settled, state)
        if key not in memo:
            at, variable = asked[0]
            branches = [
                self._summed(total, asked[1:], _brought(total.table, variable, region, had), memo)
                for region in range(len(variable.tells))
            ]
            self._steps += _SUM_STEPS * len(branches)
            memo[key] = self._node(at, tuple(branches))
        return memo[key]

    # --- Reading ------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _aside(self) -> Iterator[None]:
        """Forget, in the end, the nodes that were made for one reading."""
        drawn = len(self._nodes), len(self._made), len(self._chosen)
        self._steps = 0
        try:
            yield
        finally:
            del self._nodes[drawn[0] :]
            for made, many in ((self._made, drawn[1]), (self._chosen, drawn[2])):
                while len(made) > many:
                    made.popitem()

    def _within(self, node: int, regions: Sequence[int | None], memo: dict[int, int]) -> int:
        """Return the node with all that is known put in."""
        if node < 2:  # noqa: PLR2004 - 0 and 1 are the ends
            return node
        if node not in memo:
            at, branches = self._nodes[node]
            region = regions[at]
            memo[node] = (
                self._within(branches[region], regions, memo)
                if region is not None
                else self._node(at, tuple(self._within(one, regions, memo) for one in branches))
            )
        return memo[node]

    def _support(self, root: int) -> set[int]:
        found, seen, waiting = set(), {0, 1}, [root]
        while waiting:
            node = waiting.pop()
            if node not in seen:
                seen.add(node)
                at, branches = self._nodes[node]
                found.add(at)
                waiting.extend(branches)
        return found

    def _turning(
        self, node: int, to: int, regions: Sequence[int | None], memo: dict[int, list[_Set]]
    ) -> list[_Set]:
        """Return the smallest sets of facts to change, with the regions that each then lies in."""
        if node < 2:  # noqa: PLR2004 - 0 and 1 are the ends
            return [frozenset()] if node == to else []
        if node not in memo:
            at, branches = self._nodes[node]
            found = []
            if regions[at] is None:
                found += self._turning(self._whichever(branches, to), to, regions, memo)
            for branch in dict.fromkeys(branches):
                into = tuple(place for place, one in enumerate(branches) if one == branch)
                further = self._turning(branch, to, regions, memo)
                if regions[at] in into:
                    found += further
                else:
                    found += [one | {(at, into)} for one in further]
            memo[node] = self._smallest(found)
        return memo[node]

    def _smallest(self, found: Iterable[_Set]) -> list[_Set]:
        """Return the sets that contain none of the others; no more than is of use.

        Fewest changes come first; of two sets of the same facts that is the one kept.
        """
        kept: dict[int, _Set] = {}
        for one in sorted(found, key=len):
            bits = functools.reduce(operator.or_, (self._bits[at] for at, _ in one), 0)
            if not any(other & bits == other for other in kept):
                kept[bits] = one
        return list(kept.values())[:MOST_ALTERNATIVES]

    def _whichever(self, branches: Iterable[int], to: int) -> int:
        """Return the node that is so (0, 1) only where every one of these is."""
        if to:
            return functools.reduce(lambda one, other: self._choose(one, other, 0), branches)
        return functools.reduce(lambda one, other: self._choose(one, 1, other), branches)

    def _told(self, changes: _Set, regions: Sequence[int | None], known: Known) -> Alternative:
        after: dict[str, Value | None] = dict(known)
        clauses: dict[str, list[Reason]] = {}
        for at, into in sorted(changes):
            variable = self.variables[at]
            name = variable.fact.name
            after[name] = variable.example(into[0], after.get(name))
            clauses.setdefault(name, []).extend(_turned(variable, regions[at], into))
        told = []
        for name, turned in clauses.items():
            fact = self.tree.facts[name]
            # A rule that is required twice says the same twice.
            once = {id(one.said): one for one in (*turned, *self._counted(fact, known, after))}
            told.append(Change(fact, tuple(once.values()), _shown(after[name])))
        return tuple(told)

    def _counted(self, fact: Fact, before: Known, after: Known) -> Iterable[Reason]:
        """Yield the clauses on points that a fact is counted in and that are not as they were."""
        for leaf in self.tree.leaves:
            if isinstance(leaf.test, Total) and fact in leaf.facts:
                truth = leaf.test.truth(after)
                if truth is not leaf.test.truth(before):
                    yield Reason(leaf.said, truth)


def _brought(
    table: Table, variable: _Variable, region: int, had: tuple[int, ...]
) -> tuple[int, ...]:
    """Return what each line has brought, with a fact of this region: the best of its entries."""
    tell = variable.tells[region][len(variable.tests) :]
    points = {id(entry): one for entry, one in zip(variable.entries, tell, strict=True)}
    return tuple(
        min(line.most, max([before, *(points.get(id(entry), 0) for entry in line.entries)]))
        for line, before in zip(table.lines, had, strict=True)
    )


def _turned(variable: _Variable, region: int | None, into: tuple[int, ...]) -> Iterable[Reason]:
    """Yield the clauses on a fact that are one thing in all these regions, and were not."""
    for place, leaf in enumerate(variable.tests):
        truths = {variable.tells[one][place] for one in into}
        before = None if region is None else variable.tells[region][place]
        if len(truths) == 1 and before not in truths:
            yield Reason(leaf.said, truths.pop())


def _shown(example: Value | None) -> Value | None:
    return None if example == _OTHER else example


# --- Regions ----------------------------------------------------------------------------------


def _variables(tree: Tree) -> tuple[_Variable, ...]:
    """Return the variables of a tree, fact by fact in the order it asks.

    A fact is one; a set of words is one for each word, and the household for each question.
    """
    found = []
    for name, fact in tree.facts.items():
        tests = [leaf for leaf in tree.leaves if _of(leaf, name)]
        match fact.kind:
            case Kind.HOUSEHOLD:
                apart = [[leaf] for leaf in tests]
            case Kind.WORDS:
                words = dict.fromkeys(map(_word, tests))
                apart = [[leaf for leaf in tests if _word(leaf) == word] for word in words]
            case _:
                apart = [tests]
        found += [_variable(fact, some, _entries(tree, name), tree.on) for some in apart]
    return tuple(found)


def turns(leaf: Leaf, on: date) -> bool:
    """Return whether a leaf is about one fact, and says yes of one value and no of another."""
    if not leaf.facts or isinstance(leaf.test, Total):
        return False
    return len(_variable(leaf.facts[0], [leaf], (), on).tells) > 1


def _word(leaf: Leaf) -> str:
    return leaf.test.item  # type: ignore[union-attr]  # a set is asked for its words alone


def _of(leaf: Leaf, name: str) -> bool:
    return not isinstance(leaf.test, Total | None) and leaf.facts[0].name == name


def _entries(tree: Tree, name: str) -> tuple[Entry, ...]:
    tables = {
        id(leaf.test.table): leaf.test.table for leaf in tree.leaves if isinstance(leaf.test, Total)
    }
    return tuple(
        entry
        for table in tables.values()
        for line in table.lines
        for entry in line.entries
        if entry.fact.name == name
    )


def _variable(fact: Fact, tests: Sequence[Leaf], entries: tuple[Entry, ...], on: date) -> _Variable:
    if fact.kind is Kind.HOUSEHOLD:
        return _Variable(fact, tuple(tests), (), (None, None), ((False,), (True,)))
    conditions = [leaf.test for leaf in tests] + [band for one in entries for band, _ in one.bands]
    examples: dict[_Tell, Value] = {}
    for value in _values(fact, conditions, on):  # type: ignore[arg-type]  # no others are of one fact
        examples.setdefault(_tell(tests, entries, value), value)
    return _Variable(fact, tuple(tests), entries, tuple(examples.values()), tuple(examples))


def _values(fact: Fact, conditions: Iterable[Condition], on: date) -> list[Value]:
    """Return values of a fact that among them show all that the conditions can tell apart.

    Those that a condition names come first: 100 shows what is at most 100, and not 99.
    """
    critical: Any = {value for one in conditions for value in one.critical()} - {NOTHING}
    values: list[Value]
    match fact.kind:
        case Kind.YES_NO:
            values = [True, False]
        case Kind.CHOICE if fact.choices:
            values = list(fact.choices)
        case Kind.NUMBER | Kind.DAY:
            named = sorted(critical) or [0 if fact.kind is Kind.NUMBER else on]
            values = [*named, *(beside(one, step) for one in named for step in (-1, 1))]
        case Kind.WORDS:
            values = [frozenset(), *critical]
        case _:
            values = [*sorted(critical), _OTHER]
    return [*values, NOTHING] if fact.may_be_none else values


def _tell(tests: Sequence[Leaf], entries: Sequence[Entry], value: Any) -> _Tell:  # noqa: ANN401 - of the fact's sort
    """Return what each test and each entry says of a value."""
    return (
        *(
            leaf.test.truth(value) if isinstance(leaf.test, Counted) else leaf.test.holds(value)  # type: ignore[union-attr]  # of one fact
            for leaf in tests
        ),
        *(entry.points(value) for entry in entries),
    )

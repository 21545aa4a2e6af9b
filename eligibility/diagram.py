"""A rule as a decision diagram: which facts may still decide, and what would turn the verdict.

Each fact is a variable whose values fall into regions, in each of which every clause says the same.
The diagram is ordered and reduced (Bryant 1986, with many branches to a node), so it is the same
for all rules that mean the same: what is not in it does not matter, and what is in it does.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from eligibility.condition import NOTHING, Condition, Value, beside
from eligibility.fact import Fact, Kind
from eligibility.household import Counted
from eligibility.points import Entry, Table, Total
from eligibility.tree import HOUSEHOLD, Group, Known, Leaf, Node, Tree
from eligibility.verdict import Alternative, Change, Reason

#: A rule whose diagram has more nodes is too entangled to be explained.
MOST_NODES = 20_000
#: More alternatives than this are of no use to anybody: the smallest are kept.
MOST_ALTERNATIVES = 100
#: More words of one set than this are not told apart in all their combinations.
_MOST_WORDS = 8
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
    """A fact (or one question about the household) with its regions.

    ``examples`` has a value of each region; ``tells`` what each test and entry on it then says.
    """

    fact: Fact
    tests: tuple[Leaf, ...]
    entries: tuple[Entry, ...]
    examples: tuple[Value | None, ...]
    tells: tuple[_Tell, ...]

    def region(self, known: Known) -> int | None:
        """Return where the known value lies, None where it is not known."""
        value = known.get(self.fact.name)
        if value is None:
            return None
        tell = _tell(self.tests, self.entries, value)
        return None if None in tell else self.tells.index(tell)


class Diagram:
    """A tree's diagram. Nodes are numbers: 0 is false, 1 is true.

    Raises:
        EntangledError: it would have too many nodes.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.variables = _variables(tree)
        self._nodes: list[tuple[int, tuple[int, ...]]] = [(len(self.variables), ())] * 2
        self._made: dict[tuple[int, tuple[int, ...]], int] = {}
        self._chosen: dict[tuple[int, int, int], int] = {}
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
        left = self._within(self.root, regions, {})
        found = {self.variables[at].fact.name for at in self._support(left)}
        if not found:
            found = {name for name in self.tree.facts if known.get(name) is None}
        return tuple(name for name in self.tree.facts if name in found)

    def alternatives(self, known: Known, *, to: bool) -> list[Alternative]:
        """Return every smallest set of facts that would make the rule so, fewest facts first."""
        regions = [variable.region(known) for variable in self.variables]
        found = self._turning(self.root, int(to), regions, {})
        kept = sorted(found, key=lambda one: (len(one), sorted(at for at, _ in one)))
        return [self._told(one, regions, known) for one in kept[:MOST_ALTERNATIVES]]

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
        if len(set(branches)) == 1:
            return branches[0]
        found = self._made.setdefault((at, branches), len(self._nodes))
        if found == len(self._nodes):
            if found > MOST_NODES:
                raise EntangledError
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
            memo[key] = self._node(at, tuple(branches))
        return memo[key]

    # --- Reading ------------------------------------------------------------------------------

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
            for branch in dict.fromkeys(branches):
                into = tuple(place for place, one in enumerate(branches) if one == branch)
                further = self._turning(branch, to, regions, memo)
                if regions[at] in into:
                    found += further
                else:
                    found += [one | {(at, into)} for one in further]
            memo[node] = _smallest(found)
        return memo[node]

    def _told(self, changes: _Set, regions: Sequence[int | None], known: Known) -> Alternative:
        examples = {
            self.variables[at].fact.name: self.variables[at].examples[into[0]]
            for at, into in changes
        }
        after = {**known, **examples}
        return tuple(
            Change(
                fact=self.variables[at].fact,
                clauses=(
                    *_turned(self.variables[at], regions[at], into),
                    *self._counted(self.variables[at].fact, known, after),
                ),
                example=_shown(self.variables[at].examples[into[0]]),
            )
            for at, into in sorted(changes)
        )

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


def _smallest(found: Iterable[_Set]) -> list[_Set]:
    """Return the sets that contain none of the others, fewest facts first; no more than is of use.

    Of two sets of the same facts the first is kept.
    """
    kept: dict[frozenset[int], _Set] = {}
    for one in sorted(found, key=len):
        facts = frozenset(at for at, _ in one)
        if not any(other <= facts for other in kept):
            kept[facts] = one
    return list(kept.values())[: MOST_ALTERNATIVES * 10]


def _shown(example: Value | None) -> Value | None:
    if example == _OTHER or (isinstance(example, frozenset) and _OTHER in example):
        return None
    return example


# --- Regions ----------------------------------------------------------------------------------


def _variables(tree: Tree) -> tuple[_Variable, ...]:
    """Return a variable for each fact asked for, and for each question about the household."""
    found = []
    for name, fact in tree.facts.items():
        tests = [leaf for leaf in tree.leaves if _of(leaf, name)]
        if name == HOUSEHOLD:
            found += [
                _Variable(fact, (leaf,), (), (None, None), ((False,), (True,))) for leaf in tests
            ]
        else:
            found.append(_variable(fact, tests, _entries(tree, name)))
    return tuple(found)


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


def _variable(fact: Fact, tests: Sequence[Leaf], entries: tuple[Entry, ...]) -> _Variable:
    conditions = [leaf.test for leaf in tests] + [band for one in entries for band, _ in one.bands]
    examples: dict[_Tell, Value] = {}
    for value in _values(fact, conditions):  # type: ignore[arg-type]  # no others are of one fact
        examples.setdefault(_tell(tests, entries, value), value)
    return _Variable(fact, tuple(tests), entries, tuple(examples.values()), tuple(examples))


def _values(fact: Fact, conditions: Iterable[Condition]) -> list[Value]:
    """Return values of a fact that among them show all that the conditions can tell apart."""
    critical = [value for one in conditions for value in one.critical()]
    values: list[Value] = [value for value in critical if value is not NOTHING]
    match fact.kind:
        case Kind.YES_NO:
            values = [True, False]
        case Kind.CHOICE if fact.choices:
            values = list(fact.choices)
        case Kind.CHOICE | Kind.TEXT:
            values = [*values, _OTHER]
        case Kind.NUMBER | Kind.DAY:
            values = sorted({beside(one, step) for one in values for step in (-1, 0, 1)})
        case Kind.WORDS:
            words = sorted({word for one in values for word in one})[:_MOST_WORDS]  # type: ignore[union-attr]  # sets
            values = [
                frozenset(some)
                for many in range(len(words) + 1)
                for some in itertools.combinations(words, many)
            ]
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

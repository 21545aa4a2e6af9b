"""A rule as a decision diagram: which facts may still decide, and what would turn the verdict.

Each fact is a variable whose values fall into regions, in each of which every clause says the same.
The diagram is ordered and reduced (Bryant 1986, with many branches to a node), so it is the same
for all rules that mean the same: what is not in it does not matter, and what is in it does.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from eligibility.condition import NOTHING, Condition, Value, beside
from eligibility.fact import Fact, Kind
from eligibility.household import Counted
from eligibility.points import Entry, Line, Total
from eligibility.tree import Group, Known, Leaf, Node, Tree
from eligibility.verdict import Alternative, Change, Reason, Truth
from models.turns import breathe

#: A rule whose diagram has more nodes is too entangled to be explained,
MOST_NODES = 20_000
#: or one that takes more steps, branch by branch, to draw or to read,
MOST_STEPS = 1_000_000
#: or that asks for more facts.
MOST_VARIABLES = 150
#: More alternatives than this are of no use to anybody: the smallest are kept.
MOST_ALTERNATIVES = 100
#: What takes about as long as so many plain branches: one of a sum, a choice, a set of changes.
_DEAR_STEPS = 20
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


class _Nodes:
    """The nodes of a diagram, which are numbers: 0 is false, 1 is true. Each is made once.

    ``wide`` has how many regions each variable has.

    Raises:
        EntangledError: they become too many, or take too many steps.
    """

    def __init__(self, wide: Sequence[int]) -> None:
        self._wide = wide
        self._nodes: list[tuple[int, tuple[int, ...]]] = [(len(wide), ())] * 2
        self._made: dict[tuple[int, tuple[int, ...]], int] = {}
        self._chosen: dict[tuple[int, int, int], int] = {}
        self._steps = 0
        #: How many it may take.
        self.most_steps = MOST_STEPS

    def __len__(self) -> int:
        return len(self._nodes)

    def __getitem__(self, node: int) -> tuple[int, tuple[int, ...]]:
        """Return the variable that a node asks for, by its place, and a node for each region."""
        return self._nodes[node]

    def aside(self) -> _Nodes:
        """Return a copy for one reading, of which nothing is left behind."""
        found = copy.copy(self)
        vars(found).update(_nodes=self._nodes.copy(), _made=self._made.copy(), _chosen={}, _steps=0)
        return found

    def count(self, steps: int) -> None:
        """Count what is being done; others have their turns meanwhile."""
        breathe()
        self._steps += steps
        if self._steps > self.most_steps or len(self._nodes) > MOST_NODES:
            raise EntangledError

    def node(self, at: int, branches: tuple[int, ...]) -> int:
        """Return the node that asks for a variable and goes on to these."""
        self.count(len(branches))
        if len(set(branches)) == 1:
            return branches[0]
        found = self._made.setdefault((at, branches), len(self._nodes))
        if found == len(self._nodes):
            self._nodes.append((at, branches))
        return found

    def choose(self, which: int, yes: int, no: int) -> int:
        """Return the node that is ``yes`` where ``which`` is true, else ``no``."""
        if which < 2:  # noqa: PLR2004 - 0 and 1 are the ends
            return yes if which else no
        if yes == no:
            return yes
        # Of what is the same on both sides the one end alone is meant.
        yes, no = 1 if yes == which else yes, 0 if no == which else no
        if (yes, no) == (1, 0):
            return which
        key = (which, yes, no)
        if key not in self._chosen:
            self.count(_DEAR_STEPS)
            at = min(self._nodes[node][0] for node in key)
            parts = [self._branches(node, at) for node in key]
            self._chosen[key] = self.node(
                at, tuple(self.choose(*branch) for branch in zip(*parts, strict=True))
            )
        return self._chosen[key]

    def _branches(self, node: int, at: int) -> tuple[int, ...]:
        own, branches = self._nodes[node]
        return branches if own == at else (node,) * self._wide[at]


class Diagram:
    """A tree's diagram. It is drawn, and read, breath by breath (see ``models.turns``).

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
        self._nodes = _Nodes([len(one.tells) for one in self.variables])
        self._totals: dict[int, int] = {}
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
        nodes = self._nodes.aside() if told else self._nodes
        left = _within(nodes, self.root, regions, {}) if told else self.root
        found = {self.variables[at].fact.name for at in _support(nodes, left)}
        if not found:
            found = {name for name in self.tree.facts if known.get(name) is None}
        return tuple(name for name in self.tree.facts if name in found)

    def alternatives(self, known: Known, *, to: bool) -> list[Alternative]:
        """Return every smallest set of facts that would make the rule so, fewest facts first.

        What is not known stays so, unless it is among them: whatever it may turn out to be. There
        is none where all that is not known may turn out as it will, and the rule is so.
        """
        regions = [variable.region(known) for variable in self.variables]
        found = _Turning(self._nodes.aside(), self._bits, int(to), regions).of(self.root)
        kept = sorted(found, key=lambda one: (len(one), sorted(at for at, _ in one)))
        before = {id(leaf): truth for leaf, truth in self._sums(known)}
        return [self._told(one, regions, known, before) for one in kept if one]

    # --- Drawing ------------------------------------------------------------------------------

    def _drawn(self, node: Node) -> int:
        if isinstance(node, Group):
            drawn = self._least(node.least, [self._drawn(part) for part in node.parts])
            return self._nodes.choose(drawn, 0, 1) if node.negated else drawn
        if node.test is None:
            return 0
        if isinstance(node.test, Total):
            return self._total(node.test)
        at, variable = next(
            (at, one) for at, one in enumerate(self.variables) if any(node is t for t in one.tests)
        )
        place = next(place for place, leaf in enumerate(variable.tests) if leaf is node)
        return self._nodes.node(at, tuple(int(tell[place]) for tell in variable.tells))

    def _least(self, least: int, parts: Sequence[int]) -> int:
        """Return the node that is true where at least so many of the parts are."""
        # Most groups are `all` or `any`, whose parts are gone through once.
        if parts and least in {1, len(parts)}:
            every, choose = least == len(parts), self._nodes.choose
            return functools.reduce(
                lambda drawn, part: choose(part, drawn, 0) if every else choose(part, 1, drawn),
                reversed(parts),
                int(every),
            )
        # By how many are wanted still; after all parts only nought is had.
        wanted = [1] + [0] * least
        for part in reversed(parts):
            wanted = [1] + [
                self._nodes.choose(part, wanted[many - 1], wanted[many])
                for many in range(1, least + 1)
            ]
        return wanted[least]

    def _total(self, total: Total) -> int:
        """Return the node of a sum of points; one that stands in several places is summed once."""
        if id(total) not in self._totals:
            points = _Sum(total, self.variables)
            self._totals[id(total)] = self._summed(points, 0, points.none, {})
        return self._totals[id(total)]

    def _summed(
        self, points: _Sum, place: int, had: tuple[int, ...], memo: dict[Hashable, int]
    ) -> int:
        """Return the node for the variables from a place on, where lines have brought so much."""
        truth = points.truth(place, had)
        if truth is not None:
            return int(truth)
        key = points.key(place, had)
        if key not in memo:
            self._nodes.count(_DEAR_STEPS * len(points.brings[place]))
            branches = [
                self._summed(points, place + 1, tuple(map(max, had, brought)), memo)
                for brought in points.brings[place]
            ]
            memo[key] = self._nodes.node(points.asked[place], tuple(branches))
        return memo[key]

    # --- Reading ------------------------------------------------------------------------------

    def _told(
        self,
        changes: _Set,
        regions: Sequence[int | None],
        known: Known,
        before: Mapping[int, Truth],
    ) -> Alternative:
        breathe()
        after: dict[str, Value | None] = dict(known)
        clauses: dict[str, list[Reason]] = {}
        for at, into in sorted(changes):
            variable = self.variables[at]
            name = variable.fact.name
            after[name] = variable.example(into[0], after.get(name))
            clauses.setdefault(name, []).extend(_turned(variable, regions[at], into))
        summed = [
            (leaf, Reason(leaf.said, truth))
            for leaf, truth in self._sums(after)
            if truth is not before[id(leaf)]
        ]
        told = []
        for name, turned in clauses.items():
            fact = self.tree.facts[name]
            counted = (reason for leaf, reason in summed if fact in leaf.facts)
            # A rule that is required twice says the same twice.
            once = {id(one.said): one for one in (*turned, *counted)}
            told.append(Change(fact, tuple(once.values()), _shown(after[name])))
        return tuple(told)

    def _sums(self, known: Known) -> Iterator[tuple[Leaf, Truth]]:
        """Yield the clauses on points, each with how it stands."""
        for leaf in self.tree.leaves:
            if isinstance(leaf.test, Total):
                yield leaf, leaf.test.truth(known)


def _within(nodes: _Nodes, node: int, regions: Sequence[int | None], memo: dict[int, int]) -> int:
    """Return the node with all that is known put in."""
    if node < 2:  # noqa: PLR2004 - 0 and 1 are the ends
        return node
    if node not in memo:
        at, branches = nodes[node]
        region = regions[at]
        memo[node] = (
            _within(nodes, branches[region], regions, memo)
            if region is not None
            else nodes.node(at, tuple(_within(nodes, one, regions, memo) for one in branches))
        )
    return memo[node]


def _support(nodes: _Nodes, root: int) -> set[int]:
    """Return the variables that a node asks for, it or those below it."""
    found, seen, waiting = set(), {0, 1}, [root]
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            at, branches = nodes[node]
            found.add(at)
            waiting.extend(branches)
    return found


class _Turning:
    """The smallest changes that make a diagram's nodes so (0, 1), where the regions are these.

    ``bits`` has one for each fact, by which sets of them are compared.
    """

    def __init__(
        self, nodes: _Nodes, bits: Sequence[int], to: int, regions: Sequence[int | None]
    ) -> None:
        self._nodes = nodes
        self._bits = bits
        self._to = to
        self._regions = regions
        #: By node, the smallest sets of changes, each by the bits of its facts.
        self._found: dict[int, dict[int, _Set]] = {1 - to: {}, to: {0: frozenset()}}

    def of(self, root: int) -> Iterable[_Set]:
        """Return the smallest sets of facts to change, with the regions that each then lies in."""
        return self._of(root).values()

    def _of(self, node: int) -> dict[int, _Set]:
        if node not in self._found:
            at, branches = self._nodes[node]
            region = self._regions[at]
            found = dict(self._of(self._whichever(branches))) if region is None else {}
            for branch in dict.fromkeys(branches):
                into = tuple(place for place, one in enumerate(branches) if one == branch)
                change = frozenset() if region in into else frozenset({(at, into)})
                bit = self._bits[at] if change else 0
                for bits, one in self._of(branch).items():
                    _keep(found, bits | bit, one, change)
            self._found[node] = self._smallest(found)
        return self._found[node]

    def _smallest(self, found: dict[int, _Set]) -> dict[int, _Set]:
        """Return the sets that contain none of the others, fewest first; no more than is of use."""
        kept: dict[int, _Set] = {}
        for bits in sorted(found, key=lambda bits: len(found[bits])):
            self._nodes.count(_DEAR_STEPS)
            if len(kept) == MOST_ALTERNATIVES:
                break
            if not any(other & bits == other for other in kept):
                kept[bits] = found[bits]
        return kept

    def _whichever(self, branches: Iterable[int]) -> int:
        """Return the node that is so only where every one of these is."""
        choose, apart = self._nodes.choose, dict.fromkeys(branches)
        if self._to:
            return functools.reduce(lambda one, other: choose(one, other, 0), apart)
        return functools.reduce(lambda one, other: choose(one, 1, other), apart)


class _Sum:
    """A sum of points, variable by variable: ``had`` is what each line has brought so far.

    ``asked`` are the places of its variables, ``brings`` what each of their regions brings to each
    line, and ``left`` the most that each line may have of those from there on.
    """

    def __init__(self, total: Total, variables: Sequence[_Variable]) -> None:
        self._total = total
        lines = total.table.lines
        own = {id(entry) for line in lines for entry in line.entries}
        self.none = (0,) * len(lines)
        self.asked = [
            at for at, one in enumerate(variables) if not own.isdisjoint(map(id, one.entries))
        ]
        self.brings = [_brought(lines, variables[at]) for at in self.asked]
        self.left = [self.none]
        for brought in reversed(self.brings):
            self.left.insert(0, tuple(map(max, self.left[0], *brought)))

    def truth(self, place: int, had: tuple[int, ...]) -> bool | None:
        """Return whether it holds; None where the variables from a place on may decide it."""
        return self._total.within(sum(had), sum(map(max, had, self.left[place])))

    def key(self, place: int, had: tuple[int, ...]) -> Hashable:
        """Return what is the same for the same sums: of settled lines that alone counts."""
        rest = self.left[place]
        return (
            place,
            sum(had),
            tuple([a if a < b else None for a, b in zip(had, rest, strict=True)]),
        )


def _keep(found: dict[int, _Set], bits: int, further: _Set, change: _Set) -> None:
    """Keep a set of changes of these facts, unless one of the same facts is as small."""
    known = found.get(bits)
    if known is None or len(further) + len(change) < len(known):
        found.pop(bits, None)
        found[bits] = further | change


def _brought(lines: Sequence[Line], variable: _Variable) -> list[tuple[int, ...]]:
    """Return what each region of a variable brings to each line: the best of its entries."""
    found = []
    for tell in variable.tells:
        said = zip(variable.entries, tell[len(variable.tests) :], strict=True)
        points = {id(entry): one for entry, one in said}
        found.append(
            tuple(
                min(line.most, max([0, *(points.get(id(one), 0) for one in line.entries)]))
                for line in lines
            )
        )
    return found


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

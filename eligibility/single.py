"""The rule tree compiled for one person: plain Python functions, and what they say of why.

The truth of each clause is worked out once; the verdict, its reasons and what is missing all come
of these truths.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from eligibility.condition import Among, Condition
from eligibility.diagram import Diagram, EntangledError, turns
from eligibility.household import Counted
from eligibility.points import Total
from eligibility.tree import HOUSEHOLD, Group, Known, Leaf, Node, Tree, leaves
from eligibility.verdict import Alternative, Outcome, Reason, Truth, Verdict

#: The truths of a tree's leaves, by their place.
Truths = Sequence[Truth]
_Holds = Callable[[Truths], Truth]


class Judge:
    """A tree, compiled; made once, it judges anybody."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._places = {id(leaf): place for place, leaf in enumerate(tree.leaves)}
        self._tests = [_test(leaf) for leaf in tree.leaves]
        self._compiled: dict[int, _Holds] = {}
        self._holds = self._compile(tree.root)
        self._diagram: Diagram | None = None
        #: Whether its diagram has been drawn, or was found to be too entangled.
        self.is_drawn = False

    def truth(self, known: Known) -> Truth:
        """Return whether the rule holds of somebody; None where that is not known."""
        return self._holds([test(known) for test in self._tests]) if known else self.of_nobody

    @cached_property
    def of_nobody(self) -> Truth:
        """Whether it holds where nothing is known."""
        return self._holds([test({}) for test in self._tests])

    def judge(self, known: Known, silent: Mapping[str, str] | None = None) -> Verdict:
        """Return the verdict on what is known.

        ``silent`` names, for facts a partner should have supplied, the partner that did not answer.
        """
        truths = [test(known) for test in self._tests]
        truth = self._holds(truths)
        why = {id(reason.said): reason for reason in self._why(self.tree.root, truths)}
        reasons = tuple(why.values())
        if truth is not None:
            return Verdict(Outcome.ELIGIBLE if truth else Outcome.INELIGIBLE, reasons)
        wanting = self._wanting(known, truths)
        unheard = {name: silent[name] for name in wanting if name in silent} if silent else {}
        missing = tuple(name for name in wanting if name not in unheard)
        outcome = Outcome.NEEDS_FACTS if missing else Outcome.UNDETERMINED
        return Verdict(outcome, reasons, missing, tuple(dict.fromkeys(unheard.values())))

    def takes_drawing(self, known: Known) -> bool:
        """Return whether a verdict on what is known takes a diagram that has still to be drawn."""
        return not (self.is_drawn or self._asks_once) and self.truth(known) is None

    def alternatives(self, known: Known) -> list[Alternative]:
        """Return every smallest set of facts that would turn the verdict, fewest facts first.

        A definite verdict is turned into the other; an open one into ELIGIBLE. None is told of a
        rule that is too entangled to be explained.
        """
        if self.diagram is not None:
            with contextlib.suppress(EntangledError):
                return self.diagram.alternatives(known, to=self.truth(known) is not True)
        return []

    @property
    def diagram(self) -> Diagram | None:
        """The rule as a decision diagram, drawn when it is first asked for.

        None where it is too entangled to be explained.
        """
        if not self.is_drawn:
            with contextlib.suppress(EntangledError):
                self._diagram = Diagram(self.tree)
            self.is_drawn = True
        return self._diagram

    def _wanting(self, known: Known, truths: Truths) -> tuple[str, ...]:
        """Return the unknown facts of which one value or another may still decide."""
        if self._asks_once:
            return tuple(leaf.facts[0].name for leaf in self._open(self.tree.root, truths))
        if self.diagram is not None:
            with contextlib.suppress(EntangledError):
                return self.diagram.deciding(known)
        return tuple(name for name in self.tree.facts if known.get(name) is None)

    @cached_property
    def _asks_once(self) -> bool:
        """Whether each fact is asked for once, one at a time: then what is open may decide."""
        asked = [leaf for leaf in leaves(self.tree.root) if leaf.facts]
        names = {fact.name for leaf in asked for fact in leaf.facts}
        return len(names) == len(asked) and all(turns(leaf, self.tree.on) for leaf in asked)

    def _why(self, node: Node, truths: Truths) -> Iterator[Reason]:
        """Yield exactly the clauses that make a node what it is, or that hold it open."""
        if isinstance(node, Leaf):
            yield Reason(node.said, truths[self._places[id(node)]])
        elif node.said:
            yield Reason(node.said, self._compiled[id(node)](truths))
        else:
            for part in self._telling(node, truths):
                yield from self._why(part, truths)

    def _open(self, node: Node, truths: Truths) -> Iterator[Leaf]:
        if isinstance(node, Leaf):
            yield node
        else:
            for part in self._telling(node, truths):
                yield from self._open(part, truths)

    def _telling(self, group: Group, truths: Truths) -> Iterator[Node]:
        """Yield the parts that have the one truth which decided the group.

        Where it is known whether the zone is meant, what holds elsewhere has decided nothing.
        """
        truth = self._compiled[id(group)](truths)
        inside = group.zone and self._compiled[id(group.zone)](truths)
        if group.zone and inside is not None:
            if truth is not None:
                yield group.zone
            yield group.parts[0 if inside else 1]
            return
        told = truth if truth is None else truth is not group.negated
        for part in group.parts:
            if self._compiled[id(part)](truths) is told:
                yield part

    def _compile(self, node: Node) -> _Holds:
        if isinstance(node, Leaf):
            place = self._places[id(node)]
            holds: _Holds = lambda truths: truths[place]  # noqa: E731 - one of several forms
        else:
            parts = [self._compile(part) for part in node.parts]
            holds = _every(parts) if node.least == len(parts) else _some(parts, node.least)
            holds = _turned(holds) if node.negated else holds
        self._compiled[id(node)] = holds
        return holds


def _test(leaf: Leaf) -> Callable[[Known], Truth]:
    match leaf.test:
        case Total() as total:
            return total.truth
        case Counted() as counted:
            return lambda known: counted.truth(known.get(HOUSEHOLD))  # type: ignore[arg-type]  # so known
        case None:
            return lambda known: False  # noqa: ARG005 - it never holds, whoever it is
        case Among(fact, values, negated):
            return _among(fact, values, negated=negated)
    return _tested(leaf.test)


def _among(fact: str, values: frozenset[Any], *, negated: bool) -> Callable[[Known], Truth]:
    def holds(known: Known) -> Truth:
        value = known.get(fact)
        return None if value is None else (value in values) is not negated

    return holds


def _tested(condition: Condition) -> Callable[[Known], Truth]:
    fact, test = condition.fact, condition.holds

    def holds(known: Known) -> Truth:
        value = known.get(fact)
        return None if value is None else test(value)

    return holds


def _every(parts: Sequence[_Holds]) -> _Holds:
    def holds(truths: Truths) -> Truth:
        known: Truth = True
        for part in parts:
            truth = part(truths)
            if truth is False:
                return False
            if truth is None:
                known = None
        return known

    return holds


def _some(parts: Sequence[_Holds], least: int) -> _Holds:
    def holds(truths: Truths) -> Truth:
        found = [part(truths) for part in parts]
        if found.count(True) >= least:
            return True
        return None if len(found) - found.count(False) >= least else False

    return holds


def _turned(holds: _Holds) -> _Holds:
    def turned(truths: Truths) -> Truth:
        truth = holds(truths)
        return None if truth is None else not truth

    return turned

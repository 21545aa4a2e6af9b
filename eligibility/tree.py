"""The rule tree of one day: every date, line and table in it settled, ready to be compiled.

A node is a leaf, or asks for ``least`` of its parts: `all` is every one of them, `any` is one,
`none` is one, turned round. What has no parts asks for nought of them: it is for everyone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property

from eligibility.condition import Condition, Value
from eligibility.fact import Fact
from eligibility.household import Counted
from eligibility.points import Total
from models import text

#: The value of a fact by name; None, or no entry, where it is not known.
Known = Mapping[str, Value | None]

#: The name under which the household is known, and asked for.
HOUSEHOLD = "household"


class Level(StrEnum):
    """Whose rule a clause is of."""

    CITY = "CITY"
    DISTRICT = "DISTRICT"
    ZONE = "ZONE"


@dataclass(frozen=True, slots=True)
class Layer:
    """The layer that a clause comes from: whose, where, and from when until when."""

    level: Level
    zone: str | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What a clause says: one id within its rule, one sentence per language, one reference."""

    id: str
    text: text.Text
    reference: str
    layer: Layer | None = None


@dataclass(frozen=True, slots=True)
class Leaf:
    """A clause as it stands on the day; ``facts`` are those it asks for.

    ``test`` is None where what it compares with is not in force on the day: then it never holds,
    and asks for nothing.
    """

    said: Said
    facts: tuple[Fact, ...]
    test: Condition | Total | Counted | None


@dataclass(frozen=True, slots=True)
class Group:
    """Holds where ``least`` of its parts do, or, ``negated``, where they do not.

    ``said``: it stands for a clause of its own, that another service's rule holds. ``zone``: its
    parts say what holds in that zone, what outside it, and what holds in both (see ``apart``).
    """

    least: int
    parts: tuple[Node, ...]
    negated: bool = False
    said: Said | None = None
    zone: Node | None = None


Node = Leaf | Group

#: What is for everyone.
EVERYONE = Group(0, ())


def apart(zone: Node, there: Node, elsewhere: Node) -> Group:
    """Return the node that is one in a zone and another outside; what both say needs no zone."""
    outside = Group(1, (zone,), negated=True)
    parts = (Group(2, (zone, there)), Group(2, (outside, elsewhere)), Group(2, (there, elsewhere)))
    return Group(1, parts, zone=zone)


@dataclass(frozen=True)
class Tree:
    """A rule on a day, and on every other on which it is the same."""

    on: date
    root: Node

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """Its leaves in order, each once."""
        return tuple({id(leaf): leaf for leaf in leaves(self.root)}.values())

    @cached_property
    def facts(self) -> Mapping[str, Fact]:
        """The facts it asks for by name, in the order it asks."""
        return {fact.name: fact for leaf in self.leaves for fact in leaf.facts}


def leaves(node: Node) -> Iterator[Leaf]:
    """Yield the leaves of a node in order; one that stands in several places, as often."""
    if isinstance(node, Leaf):
        yield node
    else:
        for part in node.parts:
            yield from leaves(part)

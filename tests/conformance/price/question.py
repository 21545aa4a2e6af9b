"""Documents that ask any field of the graph many times, with arguments that are made."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import graphql

#: How many things a way goes through, where it goes through a page.
FIRST = 5
#: Cursors are of one list alone, and a language is but looked up.
_LEFT_OUT = frozenset({"after", "language"})

#: Makes a value of an argument: another for each number, where there are so many.
Make = Callable[[int], object]
#: How arguments are given, by their names.
Shape = Mapping[str, Make]
_Inputs = Mapping[str, graphql.GraphQLArgument] | Mapping[str, graphql.GraphQLInputField]


@dataclass(frozen=True)
class Step:
    """A field: how it is asked and, where the way goes on, of which type it is then."""

    name: str
    field: graphql.GraphQLField
    given: Shape
    kind: str = ""

    @property
    def is_leaf(self) -> bool:
        """Whether it has no fields of its own."""
        return graphql.is_leaf_type(graphql.get_named_type(self.field.type))

    def __str__(self) -> str:
        given = ", ".join(f"{name}: {make(0)!s:.60}" for name, make in self.given.items())
        return f"{self.name}({given})"


class Arguments:
    """Makes arguments, of what there is in a hub by the names of arguments."""

    def __init__(self, there: Mapping[str, Sequence[object]], today: date) -> None:
        self._there = there
        self._today = today

    def shapes(self, inputs: _Inputs) -> Iterator[Shape]:
        """Yield ways to give arguments: those that must be alone, then each other with them."""
        makes = {
            name: list(self._makes(name, one.type))
            for name, one in inputs.items()
            if name not in _LEFT_OUT
        }
        needed = {name: makes[name][0] for name, one in inputs.items() if _must(one)}
        yield needed
        for name, found in makes.items():
            for make in found[1 if name in needed else 0 :]:
                yield {**needed, name: make}

    def on_the_way(self, field: graphql.GraphQLField) -> Shape:
        """Return the arguments by which a field is asked for what is in it."""
        found = next(self.shapes(field.args))
        return {**found, "first": lambda _: FIRST} if "first" in field.args else found

    def _makes(self, name: str, kind: graphql.GraphQLInputType) -> Iterator[Make]:
        kind = graphql.get_nullable_type(kind)
        if graphql.is_list_type(kind):
            for make in self._makes(name, kind.of_type):
                yield lambda number, make=make: [make(number)]
        elif graphql.is_input_object_type(kind):
            for shape in filter(None, self.shapes(kind.fields)):
                yield lambda number, shape=shape: {key: of(number) for key, of in shape.items()}
        elif graphql.is_enum_type(kind):
            yield _each_of(list(kind.values))
        elif name in self._there and kind.name in ("String", "ID", "_Any"):
            yield _each_of(self._there[name])
        else:
            yield self._leaf(kind.name)

    def _leaf(self, kind: str) -> Make:
        day = self._today
        made: dict[str, Make] = {
            "Boolean": _each_of([False, True]),
            "Date": lambda number: str(day + timedelta(days=number % 60)),
            "DateTime": lambda number: f"{day}T00:00:{number % 60:02}Z",
            "FactValue": lambda number: number,
            "ID": lambda number: f"x{number}",
            "Int": lambda _: 1,
            "String": lambda number: f"a{number} b{number}",
        }
        return made[kind]


class Question:
    """A document in the making, and the values of its variables."""

    def __init__(self, start: int) -> None:
        self.variables: dict[str, object] = {}
        self._kinds: list[str] = []
        self._numbers = itertools.count(start)

    def asked(self, way: Sequence[Step], ends: Sequence[Step]) -> str:
        """Return the document that goes a way and, at the end of it, asks these fields."""
        calls = [self._call(step) for step in way]
        found = " ".join(
            f"a{place}: {self._call(one)}{'' if one.is_leaf else ' { __typename }'}"
            for place, one in enumerate(ends)
        )
        for step, call in zip(reversed(way), reversed(calls), strict=True):
            found = f"{call} {{ __typename ... on {step.kind} {{ {found} }} }}"
        kinds = f"({', '.join(self._kinds)})" if self._kinds else ""
        return f"query Q{kinds} {{ {found} }}"

    def _call(self, step: Step) -> str:
        number = next(self._numbers)
        told = []
        for name, make in step.given.items():
            variable = f"v{len(self.variables)}"
            self.variables[variable] = make(number)
            self._kinds.append(f"${variable}: {step.field.args[name].type}")
            told.append(f"{name}: ${variable}")
        return f"{step.name}({', '.join(told)})" if told else step.name


def _must(one: graphql.GraphQLArgument | graphql.GraphQLInputField) -> bool:
    if isinstance(one, graphql.GraphQLArgument):
        return graphql.is_required_argument(one)
    return graphql.is_required_input_field(one)


def _each_of(values: Sequence[object]) -> Make:
    return lambda number: values[number % len(values)]

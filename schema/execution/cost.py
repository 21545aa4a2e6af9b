"""What an operation costs, worked out once for its document and then only for its sizes.

Every fragment is read once and its cost reused, so the work is linear in the document even where
the expansion it stands for is exponential. What depends on a variable becomes a line of a sheet: a
size, times a sum of lines above it. Going down the sheet costs no more than reading did, and sizes
that were asked for before are remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import graphql
from graphql.language import ast
from strawberry.federation.schema_directives import Cost as Weight
from strawberry.federation.schema_directives import ListSize
from strawberry.schema.schema_converter import GraphQLCoreConverter

from models import turns

#: What an item takes to be read of a list that costs where it is given.
_ITEM = 4
#: Sums stop here: enough to refuse, and it still fits every JSON reader.
MOST = 1_000_000_000
#: The lists of a connection: they hold the page that the field above was asked for.
_PAGED = frozenset({"edges", "nodes"})
_SLICING = ("first", "last")
#: How long the lists of introspection are, most types being no longer; that of types is known.
_TOLD = {
    "args": 1,
    "enumValues": 1,
    "fields": 3,
    "inputFields": 1,
    "interfaces": 1,
    "possibleTypes": 1,
}
_REMEMBERED = 64
_NOTHING_ASKED: Mapping[str, Any] = {}
_ABSENT = object()
#: Values by which a cost is remembered: others may be as large as a request.
_SMALL = frozenset({int, type(None), type(_ABSENT)})


@dataclass(frozen=True, slots=True)
class Sizes:
    """How long lists are where nobody says: the most of a page, and what another is taken for."""

    page: int
    other: int


@dataclass(frozen=True, slots=True)
class _Asked:
    """How many items variables ask for: the most of them, or ``otherwise`` where none does."""

    variables: tuple[str, ...]
    least: int
    otherwise: int
    most: int

    def size(self, given: Mapping[str, Any], defaults: Mapping[str, Any]) -> int:
        """Return it for the variables that a request gives, and those that the operation has."""
        found = self.least
        for name in self.variables:
            value = given[name] if name in given else defaults.get(name)
            if value is not None:
                found = max(found, _counted(value, self.most))
        return found or self.otherwise


@dataclass(frozen=True, slots=True)
class _Points:
    """A sum: so many points, and these lines of the sheet."""

    constant: int = 0
    lines: tuple[int, ...] = ()

    def __add__(self, other: _Points) -> _Points:
        return _Points(min(self.constant + other.constant, MOST), self.lines + other.lines)


_Size = int | _Asked


class _Sheet:
    """The lines of one document, each a size and what there is so many times."""

    def __init__(self) -> None:
        self.lines: list[tuple[_Size, _Points]] = []

    def times(self, size: _Size, points: _Points) -> _Points:
        """Return so many times the points; a line of its own unless it is a number."""
        if isinstance(size, int) and not points.lines:
            return _Points(min(size * points.constant, MOST))
        self.lines.append((size, points))
        return _Points(lines=(len(self.lines) - 1,))

    def once(self, points: _Points) -> _Points:
        """Return the points under one line, to be named often at no cost."""
        return self.times(1, points) if len(points.lines) > 1 else points


class Cost:
    """What one operation costs for the variables that it is run with."""

    def __init__(
        self,
        lines: Sequence[tuple[_Size, _Points]],
        total: _Points,
        defaults: Mapping[str, Any],
    ) -> None:
        asked = dict.fromkeys(size for size, _ in lines if isinstance(size, _Asked))
        places = {size: place for place, size in enumerate(asked)}
        self._asked = tuple(asked)
        self._lines = tuple(
            (0, places[size], points) if isinstance(size, _Asked) else (size, None, points)
            for size, points in lines
        )
        self._total = total
        self._defaults = defaults
        self._names = tuple({name for asked in self._asked for name in asked.variables})
        #: What it cost by the values of those variables.
        self._known: dict[tuple[object, ...], int] = {}
        #: What it costs at least: no variables make it cheaper.
        self.least = self._summed(tuple([min(one.otherwise, 1) for one in self._asked]))

    def of(self, variables: Mapping[str, Any] | None) -> int:
        """Return the points it costs with these variables, as a request gives them."""
        if not self._asked:
            return self.least
        given = variables or _NOTHING_ASKED
        values = tuple(map(given.get, self._names, repeat(_ABSENT)))
        if not _SMALL.issuperset(map(type, values)):
            return self._of(given)
        found = self._known.get(values)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[values] = self._of(given)
        return found

    def _of(self, given: Mapping[str, Any]) -> int:
        return self._summed(tuple([one.size(given, self._defaults) for one in self._asked]))

    def _summed(self, sizes: tuple[int, ...]) -> int:
        sums: list[int] = []
        for number, place, points in self._lines:
            times = number if place is None else sizes[place]
            inside = points.constant + sum(sums[line] for line in points.lines)
            sums.append(min(times * inside, MOST))
        return min(self._total.constant + sum(sums[line] for line in self._total.lines), MOST)


@dataclass(frozen=True, slots=True)
class _Price:
    """The cost of a selection: in any case, and for each item of the page it will stand in."""

    flat: _Points = _Points()
    sized: _Points = _Points()

    def __add__(self, other: _Price) -> _Price:
        return _Price(self.flat + other.flat, self.sized + other.sized)


class Pricing:
    """One reading of one document; not yet validated, so nothing in it is taken for granted."""

    def __init__(
        self,
        schema: graphql.GraphQLSchema,
        document: ast.DocumentNode,
        sizes: Sizes,
    ) -> None:
        self._sheet = _Sheet()
        self._schema = schema
        self._sizes = sizes
        self._priced: dict[str, _Price] = {}
        self._fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, ast.FragmentDefinitionNode)
        }

    def of(self, operation: ast.OperationDefinitionNode) -> Cost:
        """Return what an operation of the document costs.

        Raises:
            RecursionError: its fragments make a longer chain than Python's stack.
        """
        root = self._schema.get_root_type(operation.operation)
        total = self._unpaged(self._selections(operation.selection_set, root))
        defaults = {
            one.variable.name.value: graphql.value_from_ast_untyped(one.default_value)
            for one in operation.variable_definitions or ()
            if one.default_value
        }
        return Cost(self._sheet.lines, total, defaults)

    def _unpaged(self, price: _Price) -> _Points:
        """Return the points of what stands in no page: its lists are like any others."""
        return price.flat + self._sheet.times(self._sizes.other, price.sized)

    def _selections(
        self, selections: ast.SelectionSetNode | None, parent: graphql.GraphQLNamedType | None
    ) -> _Price:
        found = _Price()
        for node in selections.selections if selections else ():
            turns.breathe()
            found += self._selection(node, parent)
        return found

    def _selection(
        self, node: ast.SelectionNode, parent: graphql.GraphQLNamedType | None
    ) -> _Price:
        if isinstance(node, ast.FieldNode):
            return self._field(node, parent)
        if isinstance(node, ast.FragmentSpreadNode):
            return self._fragment(node.name.value)
        condition = node.type_condition if isinstance(node, ast.InlineFragmentNode) else None
        kind = self._schema.get_type(condition.name.value) if condition else parent
        return self._selections(getattr(node, "selection_set", None), kind)

    def _fragment(self, name: str) -> _Price:
        if name not in self._priced:
            # A fragment that spreads itself costs nothing here: validation refuses it.
            self._priced[name] = _Price()
            node = self._fragments.get(name)
            if node:
                kind = self._schema.get_type(node.type_condition.name.value)
                price = self._selections(node.selection_set, kind)
                once = self._sheet.once
                self._priced[name] = _Price(once(price.flat), once(price.sized))
        return self._priced[name]

    def _field(self, node: ast.FieldNode, parent: graphql.GraphQLNamedType | None) -> _Price:
        definition = (
            self._schema.get_field(parent, node.name.value)
            if isinstance(parent, graphql.GraphQLObjectType | graphql.GraphQLInterfaceType)
            else None
        )
        if definition is None:
            return _Price(_Points(1) + self._unpaged(self._selections(node.selection_set, None)))
        inside = self._selections(node.selection_set, graphql.get_named_type(definition.type))
        weight, listed = said(definition)
        own = _Points(weight) + self._given(node, definition)
        page = self._page(node, definition, listed)
        if not graphql.is_list_type(graphql.get_nullable_type(definition.type)):
            if page is None:
                return _Price(own + inside.flat, inside.sized)
            return _Price(own + inside.flat + self._sheet.times(page, inside.sized))
        each = self._each(node, definition)
        if each is not None:
            # What is asked for with a list is as much work as the list is long.
            return _Price(self._sheet.times(each, own + self._unpaged(inside)))
        size = page or (listed.assumed_size if listed else self._told(node, parent))
        return self._list(node, own, inside, size)

    def _given(self, node: ast.FieldNode, definition: graphql.GraphQLField) -> _Points:
        """Return what the arguments that are given cost beyond the field."""
        found = _Points()
        for argument in node.arguments or ():
            name, value = argument.name.value, argument.value
            known = definition.args.get(name)
            points = _Points(_weight(known, 0)) if known else found
            if not points.constant or isinstance(value, ast.NullValueNode):
                continue
            if isinstance(value, ast.VariableNode):
                points = self._sheet.times(_Asked((value.name.value,), 0, 0, 1), points)
            found += points
            if known and graphql.is_list_type(graphql.get_nullable_type(known.type)):
                found += self._sheet.times(self._size(node, [name], 0, MOST), _Points(_ITEM))
        return found

    def _list(
        self, node: ast.FieldNode, own: _Points, inside: _Price, size: _Size | None
    ) -> _Price:
        if size is None and node.name.value in _PAGED:
            return _Price(own, self._unpaged(inside))
        many = size or self._sizes.other
        times = self._sheet.times
        return _Price(own + times(many, inside.flat), times(many, inside.sized))

    def _told(self, node: ast.FieldNode, parent: graphql.GraphQLNamedType | None) -> int | None:
        """Return how long a list of introspection is; None of any other."""
        if parent is None or not graphql.is_introspection_type(parent):
            return None
        name = node.name.value
        return len(self._schema.type_map) if name == "types" else _TOLD.get(name)

    def _page(
        self, node: ast.FieldNode, definition: graphql.GraphQLField, listed: ListSize | None
    ) -> _Size | None:
        """Return how many items the field is asked for; None where it does not page."""
        slicing = (listed.slicing_arguments or ()) if listed else _SLICING
        names = [name for name in slicing if name in definition.args]
        if not names:
            return None
        assumed = listed and listed.assumed_size
        defaults = [definition.args[name].default_value for name in names]
        otherwise = max((one for one in defaults if isinstance(one, int)), default=assumed)
        return self._size(node, names, otherwise or self._sizes.page, self._sizes.page)

    def _each(self, node: ast.FieldNode, definition: graphql.GraphQLField) -> _Size | None:
        """Return how many items the field is asked with; None where it takes no list."""
        names = [
            name
            for name, argument in definition.args.items()
            if graphql.is_list_type(graphql.get_nullable_type(argument.type))
        ]
        return self._size(node, names, 1, MOST) if names else None

    def _size(self, node: ast.FieldNode, names: Sequence[str], otherwise: int, most: int) -> _Size:
        variables, least = [], 0
        for argument in node.arguments or ():
            value = argument.value
            if argument.name.value not in names:
                continue
            if isinstance(value, ast.VariableNode):
                variables.append(value.name.value)
            elif not isinstance(value, ast.NullValueNode):
                least = max(least, _literal(value, most))
        if not variables:
            return least or otherwise
        return _Asked(tuple(variables), least, otherwise, most)


def said(definition: graphql.GraphQLField) -> tuple[int, ListSize | None]:
    """Return the weight of a field, and what it says of its length."""
    listed = (one for one in _directives(definition) if isinstance(one, ListSize))
    return _weight(definition, 1), next(listed, None)


def _weight(definition: graphql.GraphQLField | graphql.GraphQLArgument, otherwise: int) -> int:
    found = (one.weight for one in _directives(definition) if isinstance(one, Weight))
    return next(found, otherwise)


def _directives(definition: graphql.GraphQLField | graphql.GraphQLArgument) -> Iterable[object]:
    said = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    directives: Iterable[object] = getattr(said, "directives", ())
    return directives


def _literal(value: ast.ValueNode, most: int) -> int:
    if isinstance(value, ast.ListValueNode):
        return max(len(value.values), 1)
    # What has more digits than the most is more, whatever Python makes of it.
    if isinstance(value, ast.IntValueNode) and len(value.value) <= len(str(most)):
        return min(max(int(value.value), 1), most)
    return most


def _counted(value: object, most: int) -> int:
    """Return how many items a variable's value asks for; what is no number will not be run."""
    if isinstance(value, int | float):
        return max(int(min(value, most)), 1)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return min(max(len(value), 1), most)
    return 1

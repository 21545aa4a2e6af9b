"""How large a document may be, measured once over its fragments before anything else reads it.

Every fragment is measured once for each page size it stands in and its measure reused, so the work
is linear in the document even where the expansion it stands for is exponential.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import graphql
from graphql.language import ast

from schema.execution.code import Code

_MOST = 1_000_000_000  # sums stop here: enough to refuse, and it still fits every JSON reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request may ask for; every bound is inclusive.

    ``page`` is the largest page a connection gives, ``list_size`` what a list without an argument
    is assumed to hold. The defaults let the whole menu, a member's home page and the full
    introspection query pass, and end what is left by the clock.
    """

    body_bytes: int = 256 * 1024
    length: int = 50_000
    tokens: int = 2_000
    depth: int = 15
    fields: int = 1_000
    root_fields: int = 50
    aliases: int = 100
    directives: int = 50
    cost: int = 250_000
    page: int = 100
    list_size: int = 10
    seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Measure:
    """The size of a selection with its fragments spread out; ``depth`` counts its own fields."""

    depth: int = 0
    fields: int = 0
    width: int = 0
    aliases: int = 0
    directives: int = 0
    cost: int = 0

    def beside(self, other: Measure) -> Measure:
        """Return the measure of the two selections next to each other."""
        return Measure(
            max(self.depth, other.depth),
            min(self.fields + other.fields, _MOST),
            min(self.width + other.width, _MOST),
            min(self.aliases + other.aliases, _MOST),
            min(self.directives + other.directives, _MOST),
            min(self.cost + other.cost, _MOST),
        )

    def under(self, node: ast.FieldNode, times: int) -> Measure:
        """Return the measure of a field that holds this selection ``times`` over."""
        return Measure(
            self.depth + 1,
            min(self.fields + 1, _MOST),
            1,
            min(self.aliases + (node.alias is not None), _MOST),
            min(self.directives + len(node.directives or ()), _MOST),
            min(1 + self.cost * times, _MOST),
        )


def refusal(
    code: Code, what: str, limit: int, found: int, node: ast.Node | None = None
) -> graphql.GraphQLError:
    """Return the coded error for a document that has more of something than is allowed."""
    return graphql.GraphQLError(
        f"The document has {found} {what}; at most {limit} are allowed.",
        node,
        extensions={"code": code.value, "limit": limit, "found": found},
    )


def breaches(
    schema: graphql.GraphQLSchema, document: ast.DocumentNode, limits: Limits
) -> list[graphql.GraphQLError]:
    """Return one coded error for each limit that an operation of the document exceeds."""
    survey = _Survey(schema, document, limits)
    try:
        return [error for node in survey.operations for error in survey.judged(node)]
    except RecursionError:
        # A chain of fragments can be longer than Python's stack without a level of depth.
        return [refusal(Code.QUERY_TOO_DEEP, "levels or more", limits.depth, limits.depth + 1)]


def cost(
    schema: graphql.GraphQLSchema, document: ast.DocumentNode, limits: Limits, name: str | None
) -> int:
    """Return the points of cost of a valid document's operation: of this name, or its only one."""
    survey = _Survey(schema, document, limits)
    named = (node for node in survey.operations if name in (None, node.name and node.name.value))
    return survey.measured(next(named)).cost


class _Survey:
    """One reading of one document; not yet validated, so nothing in it is taken for granted."""

    def __init__(
        self, schema: graphql.GraphQLSchema, document: ast.DocumentNode, limits: Limits
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._measured: dict[tuple[str, int | None], Measure] = {}
        self.operations: list[ast.OperationDefinitionNode] = []
        self._fragments: dict[str, ast.FragmentDefinitionNode] = {}
        for node in document.definitions:
            if isinstance(node, ast.OperationDefinitionNode):
                self.operations.append(node)
            elif isinstance(node, ast.FragmentDefinitionNode):
                self._fragments[node.name.value] = node

    def judged(self, node: ast.OperationDefinitionNode) -> Iterator[graphql.GraphQLError]:
        """Yield an error for each limit this operation exceeds."""
        limits = self._limits
        found = self.measured(node)
        directives = found.directives + len(node.directives or ())
        for code, what, limit, measured in (
            (Code.QUERY_TOO_DEEP, "levels", limits.depth, found.depth),
            (Code.QUERY_TOO_MANY_FIELDS, "fields", limits.fields, found.fields),
            (Code.QUERY_TOO_MANY_ROOT_FIELDS, "root fields", limits.root_fields, found.width),
            (Code.QUERY_TOO_MANY_ALIASES, "aliases", limits.aliases, found.aliases),
            (Code.QUERY_TOO_MANY_DIRECTIVES, "directives", limits.directives, directives),
            (Code.QUERY_TOO_COSTLY, "points of cost", limits.cost, found.cost),
        ):
            if measured > limit:
                yield refusal(code, what, limit, measured, node)

    def measured(self, node: ast.OperationDefinitionNode) -> Measure:
        """Return the measure of an operation."""
        root = self._schema.get_root_type(node.operation)
        return self._selections(node.selection_set, root, None)

    def _selections(
        self,
        selections: ast.SelectionSetNode | None,
        parent: graphql.GraphQLNamedType | None,
        page: int | None,
    ) -> Measure:
        nodes = selections.selections if selections else ()
        return reduce(
            Measure.beside, (self._selection(node, parent, page) for node in nodes), Measure()
        )

    def _selection(
        self, node: ast.SelectionNode, parent: graphql.GraphQLNamedType | None, page: int | None
    ) -> Measure:
        if isinstance(node, ast.FieldNode):
            return self._field(node, parent, page)
        if isinstance(node, ast.FragmentSpreadNode):
            inside = self._fragment(node.name.value, page)
        elif isinstance(node, ast.InlineFragmentNode):
            condition = node.type_condition
            kind = self._schema.get_type(condition.name.value) if condition else parent
            inside = self._selections(node.selection_set, kind, page)
        return inside.beside(Measure(directives=len(node.directives or ())))

    def _fragment(self, name: str, page: int | None) -> Measure:
        key = (name, page)
        if key not in self._measured:
            # A fragment that spreads itself counts as nothing here: validation refuses it.
            self._measured[key] = Measure()
            node = self._fragments.get(name)
            if node:
                kind = self._schema.get_type(node.type_condition.name.value)
                self._measured[key] = self._selections(node.selection_set, kind, page)
        return self._measured[key]

    def _field(
        self, node: ast.FieldNode, parent: graphql.GraphQLNamedType | None, page: int | None
    ) -> Measure:
        definition = (
            self._schema.get_field(parent, node.name.value)
            if isinstance(parent, graphql.GraphQLObjectType | graphql.GraphQLInterfaceType)
            else None
        )
        if definition is None:
            return self._selections(node.selection_set, None, None).under(node, 1)
        asked = self._page(node, definition)
        times = 1
        if graphql.is_list_type(graphql.get_nullable_type(definition.type)):
            times = asked or page or self._limits.list_size
            asked = None
        kind = graphql.get_named_type(definition.type)
        return self._selections(node.selection_set, kind, asked).under(node, times)

    def _page(self, node: ast.FieldNode, definition: graphql.GraphQLField) -> int | None:
        """Return how many items the field was asked for; None when it does not page.

        A variable counts as the largest page, since a document is judged once for all variables.
        """
        names = {"first", "last"} & definition.args.keys()
        if not names:
            return None
        asked = [
            self._size(argument.value)
            for argument in node.arguments or ()
            if argument.name.value in names and not isinstance(argument.value, ast.NullValueNode)
        ]
        defaults = (definition.args[name].default_value for name in names)
        return max(
            asked or (size for size in defaults if isinstance(size, int)),
            default=self._limits.page,
        )

    def _size(self, value: ast.ValueNode) -> int:
        most = self._limits.page
        # What has more digits than the largest page is larger, whatever Python makes of it.
        if isinstance(value, ast.IntValueNode) and len(value.value) <= len(str(most)):
            return min(max(int(value.value), 1), most)
        return most

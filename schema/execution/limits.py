"""How large a request may be, measured once over its fragments before anything else reads it.

Every fragment is measured once and its measure reused, so the work is linear in the document even
where the expansion it stands for is exponential. What it costs is worked out beside, in ``cost``.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import graphql
import orjson
from graphql.language import ast
from graphql.language.parser import MAX_NESTING_DEPTH
from graphql.validation.rules.max_introspection_depth_rule import MAX_LIST_DEPTH

from models import turns
from schema.execution import cost as costs
from schema.execution.code import Code
from schema.execution.cost import Cost

__all__ = [
    "BASE",
    "REFUSED",
    "Cost",
    "Limits",
    "breaches",
    "introspective",
    "nested",
    "overdrawn",
    "overrun",
    "priced",
    "refusal",
    "repetitive",
    "toll",
]

#: The points that a request is charged whatever it asks: it was read, and is answered.
BASE = 100
#: The points for a request of which no more is known than that it is refused: finding out is work.
REFUSED = 300
# Variables of these have no values in them.
_FLAT = frozenset({bool, float, int, str, type(None)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request may ask for; every bound is inclusive.

    ``page`` is the largest page a connection gives, ``list_size`` what a list is taken for that
    says nothing of its length; ``nesting`` counts selections within one another, ``comparisons``
    what it takes to see that fields which go by one name agree; after so many ``errors`` a document
    is read no further. The defaults let the whole menu, a
    member's home page and the full introspection query pass, and end what is left by the clock.
    """

    body_bytes: int = 256 * 1024
    length: int = 50_000
    lines: int = 5_000
    tokens: int = 2_000
    depth: int = 15
    nesting: int = 100
    comparisons: int = 5_000
    fields: int = 1_000
    root_fields: int = 50
    aliases: int = 100
    directives: int = 50
    operations: int = 20
    variables: int = 100
    variable_depth: int = 20
    variable_values: int = 10_000
    errors: int = 20
    cost: int = 250_000
    page: int = 100
    list_size: int = 10
    seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Measure:
    """The size of a selection with its fragments spread out; ``depth`` counts its own fields.

    ``nesting`` counts the selections in it that stand within one another, fragments' too.
    """

    depth: int = 0
    nesting: int = 0
    fields: int = 0
    width: int = 0
    aliases: int = 0
    directives: int = 0

    def beside(self, other: Measure) -> Measure:
        """Return the measure of the two selections next to each other."""
        return Measure(
            max(self.depth, other.depth),
            max(self.nesting, other.nesting),
            min(self.fields + other.fields, costs.MOST),
            min(self.width + other.width, costs.MOST),
            min(self.aliases + other.aliases, costs.MOST),
            min(self.directives + other.directives, costs.MOST),
        )

    def within(self) -> Measure:
        """Return the measure of a selection of which this is all that is in it."""
        return Measure(
            self.depth, self.nesting + 1, self.fields, self.width, self.aliases, self.directives
        )

    def under(self, node: ast.FieldNode) -> Measure:
        """Return the measure of a field that holds this selection."""
        return Measure(
            self.depth + 1,
            self.nesting,
            min(self.fields + 1, costs.MOST),
            1,
            min(self.aliases + (node.alias is not None), costs.MOST),
            min(self.directives + len(node.directives or ()), costs.MOST),
        )


def refusal(
    code: Code,
    what: str,
    limit: int,
    found: int,
    node: ast.Node | None = None,
    *,
    hint: str = "",
) -> graphql.GraphQLError:
    """Return the coded error for a document that has more of something than is allowed."""
    extensions: dict[str, object] = {"code": code.value, "limit": limit, "found": found}
    if hint:
        extensions["hint"] = hint
    return graphql.GraphQLError(
        f"The document has {found} {what}; at most {limit} are allowed.",
        node,
        extensions=extensions,
    )


def nested() -> graphql.GraphQLError:
    """Return the coded error for a document that is too deep to be parsed."""
    return refusal(
        Code.QUERY_TOO_DEEP,
        "braces and brackets or more within one another",
        MAX_NESTING_DEPTH,
        MAX_NESTING_DEPTH + 1,
        hint="Give what is deep as a variable, or ask for it in several requests.",
    )


def introspective(node: ast.Node) -> graphql.GraphQLError:
    """Return the coded error for introspection that goes round in the lists of types."""
    return refusal(
        Code.QUERY_TOO_DEEP,
        "lists or more of fields, interfaces, types or input fields within one another",
        MAX_LIST_DEPTH - 1,
        MAX_LIST_DEPTH,
        node,
        hint="Ask for one type by its name: `__type(name:)`.",
    )


def repetitive(limits: Limits, node: ast.Node) -> graphql.GraphQLError:
    """Return the coded error for a document whose fields of one name take long to compare."""
    return refusal(
        Code.QUERY_TOO_REPETITIVE,
        "comparisons or more to make of fields that go by one name",
        limits.comparisons,
        limits.comparisons + 1,
        node,
        hint="Ask for a field in fewer places of one selection, or in several requests.",
    )


def breaches(
    schema: graphql.GraphQLSchema, document: ast.DocumentNode, limits: Limits
) -> list[graphql.GraphQLError]:
    """Return one coded error for each limit that an operation exceeds whatever its variables."""
    survey = _Survey(schema, document, limits)
    many = len(survey.operations)
    if many > limits.operations:
        # Each would be judged, though but one of them can be run.
        return [refusal(Code.QUERY_TOO_MANY_OPERATIONS, "operations", limits.operations, many)]
    for node in survey.operations:
        many = len(node.variable_definitions or ())
        if many > limits.variables:
            return [refusal(Code.TOO_MANY_VARIABLES, "variables", limits.variables, many, node)]
    try:
        survey.measure()
        return [error for node in survey.operations for error in survey.judged(node)]
    except _TooNestedError:
        # A chain of fragments can be longer than Python's stack without a level of depth.
        what, most = "selections or more within one another", limits.nesting
        hint = "Spread fragments beside one another, not each within another."
        return [refusal(Code.QUERY_TOO_DEEP, what, most, most + 1, hint=hint)]


def priced(
    schema: graphql.GraphQLSchema, document: ast.DocumentNode, limits: Limits, name: str | None
) -> Cost:
    """Return what a valid document's operation costs: that of this name, or its only one."""
    survey = _Survey(schema, document, limits)
    named = (node for node in survey.operations if name in (None, node.name and node.name.value))
    return survey.priced(next(named))


def overdrawn(points: int, limits: Limits) -> graphql.GraphQLError | None:
    """Return the coded error for an operation that costs too much with its variables."""
    if points <= limits.cost:
        return None
    return refusal(Code.QUERY_TOO_COSTLY, "points of cost", limits.cost, points)


def toll(text: str) -> int:
    """Return the points that reading a document anew costs: parsing and validating it is work."""
    return len(text)


def overrun(variables: Mapping[str, Any] | None, limits: Limits) -> graphql.GraphQLError | None:
    """Return the coded error for variables that are too many, too deep or too large together."""
    if not variables:
        return None
    if len(variables) > limits.variables:
        return _too(Code.TOO_MANY_VARIABLES, "names", limits.variables, len(variables))
    found, depth, level = 0, 0, list(variables.values())
    while level:
        found, depth = found + len(level), depth + 1
        if found > limits.variable_values:
            return _too(Code.VARIABLES_TOO_LARGE, "values or more", limits.variable_values, found)
        if depth > limits.variable_depth:
            return _too(Code.VARIABLES_TOO_DEEP, "levels or more", limits.variable_depth, depth)
        if _FLAT.issuperset(map(type, level)):
            break
        level = [
            inside
            for value in level
            if isinstance(value, dict | list)
            for inside in (value.values() if isinstance(value, dict) else value)
        ]
    return None


def written(variables: dict[str, Any]) -> bytes:
    """Return variables as bytes, about as many as they were sent in: the same for the same."""
    try:
        return orjson.dumps(variables, option=orjson.OPT_SORT_KEYS, default=str)
    except TypeError:
        # orjson reads what is nested more deeply than it writes; such variables are refused.
        return marshal.dumps(variables)


def _too(code: Code, what: str, limit: int, found: int) -> graphql.GraphQLError:
    return graphql.GraphQLError(
        f"The variables have {found} {what}; at most {limit} are allowed.",
        extensions={"code": code.value, "limit": limit, "found": found},
    )


class _TooNestedError(Exception):
    """More selections stand within one another than are allowed."""


class _Survey:
    """One reading of one document; not yet validated, so nothing in it is taken for granted."""

    def __init__(
        self, schema: graphql.GraphQLSchema, document: ast.DocumentNode, limits: Limits
    ) -> None:
        self._limits = limits
        sizes = costs.Sizes(limits.page, limits.list_size)
        #: What its operations cost.
        self.priced = costs.Pricing(schema, document, sizes).of
        self._measured: dict[str, Measure] = {}
        #: How many selections stand around what is being measured.
        self._around = 0
        self.operations: list[ast.OperationDefinitionNode] = []
        self._fragments: dict[str, ast.FragmentDefinitionNode] = {}
        for node in document.definitions:
            if isinstance(node, ast.OperationDefinitionNode):
                self.operations.append(node)
            elif isinstance(node, ast.FragmentDefinitionNode):
                self._fragments[node.name.value] = node

    def measure(self) -> None:
        """Measure each fragment: validation reads also those that nothing spreads.

        Raises:
            _TooNestedError: it is nested too deeply to be judged.
        """
        for name in self._fragments:
            self._fragment(name)

    def judged(self, node: ast.OperationDefinitionNode) -> Iterator[graphql.GraphQLError]:
        """Yield an error for each limit this operation exceeds."""
        limits = self._limits
        found = self._selections(node.selection_set)
        directives = found.directives + len(node.directives or ())
        for code, what, limit, measured in (
            (Code.QUERY_TOO_DEEP, "levels", limits.depth, found.depth),
            (Code.QUERY_TOO_MANY_FIELDS, "fields", limits.fields, found.fields),
            (Code.QUERY_TOO_MANY_ROOT_FIELDS, "root fields", limits.root_fields, found.width),
            (Code.QUERY_TOO_MANY_ALIASES, "aliases", limits.aliases, found.aliases),
            (Code.QUERY_TOO_MANY_DIRECTIVES, "directives", limits.directives, directives),
            (Code.QUERY_TOO_COSTLY, "points of cost", limits.cost, self.priced(node).least),
        ):
            if measured > limit:
                yield refusal(code, what, limit, measured, node)

    def _selections(self, selections: ast.SelectionSetNode | None) -> Measure:
        if selections is None:
            return Measure()
        self._around += 1
        self._bear(0)
        inside = map(self._selection, selections.selections)
        found = reduce(Measure.beside, inside, Measure())
        self._around -= 1
        return found.within()

    def _bear(self, inside: int) -> None:
        if self._around + inside > self._limits.nesting:
            raise _TooNestedError

    def _selection(self, node: ast.SelectionNode) -> Measure:
        turns.breathe()
        if isinstance(node, ast.FieldNode):
            return self._selections(node.selection_set).under(node)
        if isinstance(node, ast.FragmentSpreadNode):
            inside = self._fragment(node.name.value)
        elif isinstance(node, ast.InlineFragmentNode):
            inside = self._selections(node.selection_set)
        return inside.beside(Measure(directives=len(node.directives or ())))

    def _fragment(self, name: str) -> Measure:
        if name not in self._measured:
            # A fragment that spreads itself counts as nothing here: validation refuses it.
            self._measured[name] = Measure()
            node = self._fragments.get(name)
            if node:
                self._measured[name] = self._selections(node.selection_set)
        found = self._measured[name]
        self._bear(found.nesting)
        return found

"""How a document becomes one that may run: read, limited, validated; the last ones remembered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import is_
from typing import Any, TypeVar

import graphql
from graphql.execution.collect_fields import FragmentDetails
from graphql.language import ast
from graphql.language.parser import Parser, nested_too_deeply_error
from graphql.validation.rules.overlapping_fields_can_be_merged import RuleContext
from graphql.validation.validate import ValidationAbortedError
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types.graphql import OperationType

from models import turns
from schema.execution import caching, limits, once, problems
from schema.execution.code import Code
from schema.execution.variable import Variables

#: Called with the context and the names of the fields, before any of them is resolved; what it
#: returns is awaited, if it is anything.
Before = Callable[[Any, frozenset[str]], Awaitable[None] | None]

N = TypeVar("N", bound=ast.Node)

#: Rules that end what would take too long, where ours say so as a limit, or that take too long.
_BOUNDED = (
    graphql.OverlappingFieldsCanBeMergedRule,
    graphql.MaxIntrospectionDepthRule,
    graphql.ValuesOfCorrectTypeRule,
)
_REMEMBERED = 64  # a document of the most tokens takes some 1.5 MB as a tree


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """One operation of a document that parsed, with what every run of it needs."""

    node: ast.OperationDefinitionNode
    kind: OperationType
    #: Its kind as a word.
    sort: str
    fragments: Mapping[str, FragmentDetails]
    definitions: Mapping[str, ast.FragmentDefinitionNode]
    #: What it costs; None in a document that may not run.
    cost: limits.Cost | None
    #: Whether its answer may be kept.
    policy: caching.Policy
    variables: Variables


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Reading:
    """A document that parsed, the errors that keep it from being run, the fields it names."""

    document: ast.DocumentNode
    errors: tuple[graphql.GraphQLError, ...]
    fields: frozenset[str]
    operations: Mapping[str, Prepared]
    #: The operation, where there is but one.
    only: Prepared | None

    def prepared(self, name: str | None) -> Prepared:
        """Return the operation that a name, or its absence, picks.

        Raises:
            GraphQLError: it picks none, or not exactly one.
        """
        found = self.only if name is None else self.operations.get(name)
        if found is not None:
            return found
        if name is not None:
            raise _unresolved("The document has no operation of that name.")
        names = [
            node.name
            for node in self.document.definitions
            if isinstance(node, ast.OperationDefinitionNode)
        ]
        if not names:
            raise _unresolved("The document has no operation: add the query that is to be run.")
        if None in names and self.errors:
            # No name picks one that has none: it would have to be alone.
            first = self.errors[0]
            raise graphql.GraphQLError(first.message, first.nodes, extensions=first.extensions)
        raise _unresolved("Say which operation to run: `operationName`.")


class Reader:
    """Reads documents against one schema, within its limits.

    A bounded number of texts of bounded length is remembered, so that asking with ever new ones
    cannot grow the memory.
    """

    def __init__(
        self, schema: graphql.GraphQLSchema, bounds: limits.Limits, *, introspection: bool
    ) -> None:
        self._schema = schema
        self._bounds = bounds
        self._rules = [
            *(rule for rule in graphql.specified_rules if rule not in _BOUNDED),
            partial(_Merging, bounds),
            _Introspecting,
            _Fitting,
            _Streaming,
            MaybeNullValidationRule,
            OneOfInputValidationRule,
            _Breathing,
            *(() if introspection else (graphql.NoSchemaIntrospectionCustomRule,)),
        ]
        #: What the schema says of keeping answers.
        self.hints = caching.Hints(schema)
        self._remembered: dict[str, Reading] = {}

    def known(self, text: str, name: str | None) -> Prepared | None:
        """Return an operation of a text that need not be read anew, if there is one."""
        reading = self._remembered.get(text)
        if reading is None or reading.errors:
            return None
        return reading.only if name is None else reading.operations.get(name)

    def remembered(self, text: str) -> Reading | None:
        """Return what a text is that need not be read anew; None for others."""
        found = self._remembered.pop(text, None)
        if found is not None:
            # The last used is the last to go.
            self._remembered[text] = found
        return found

    def read(self, text: str) -> Reading:
        """Return what a text is. It may be done piecemeal.

        Raises:
            GraphQLError: it does not parse, or is too long to be tried.
        """
        if (found := self.remembered(text)) is not None:
            return found
        found = self._remembered[text] = self._read(text)
        if len(self._remembered) > _REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        return found

    def _read(self, text: str) -> Reading:
        document = self._parsed(text)
        turns.breathe()
        errors = self.errors(document, text)
        turns.breathe()
        # Without a directive there is nothing that makes it other than whole.
        answered = once.whole(document) if "@" in text and not errors else document
        operations = self._operations(answered, may_run=not errors)
        return Reading(
            document,
            tuple(errors),
            frozenset(_fields(document)),
            {one.node.name.value: one for one in operations if one.node.name},
            operations[0] if len(operations) == 1 else None,
        )

    def errors(
        self, document: ast.DocumentNode, text: str, *, suggests: bool = False
    ) -> list[graphql.GraphQLError]:
        """Return what keeps a document from being run; names that are meant, if it ``suggests``."""
        # What exceeds a limit is not validated: rules of others may not be linear.
        return limits.breaches(self._schema, document, self._bounds) or [
            error
            if "code" in (error.extensions or {})
            else problems.coded(error, Code.GRAPHQL_VALIDATION_FAILED)
            for error in self._validated(_distinct(document, text), suggests=suggests)
        ]

    def _validated(
        self, document: ast.DocumentNode, *, suggests: bool
    ) -> list[graphql.GraphQLError]:
        made: list[_Together] = []

        def together(context: graphql.ValidationContext) -> _Together:
            made.append(_Together([rule(context) for rule in self._rules]))
            return made[-1]

        rules: Any = [together]
        try:
            return graphql.validate(
                self._schema, document, rules, self._bounds.errors, hide_suggestions=not suggests
            )
        finally:
            for one in made:
                one.forget()

    def _operations(self, document: ast.DocumentNode, *, may_run: bool) -> list[Prepared]:
        definitions = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, ast.FragmentDefinitionNode)
        }
        fragments = {name: FragmentDetails(node) for name, node in definitions.items()}
        found = []
        for node in document.definitions:
            if isinstance(node, ast.OperationDefinitionNode):
                name = node.name.value if node.name else None
                sort, cost, policy = node.operation.value, None, caching.PRIVATE
                if may_run:
                    cost = limits.priced(self._schema, document, self._bounds, name)
                    policy = self.hints.policy(document, name)
                kind, variables = OperationType(sort), Variables(self._schema, node)
                found.append(
                    Prepared(node, kind, sort, fragments, definitions, cost, policy, variables)
                )
        return found

    def _parsed(self, text: str) -> ast.DocumentNode:
        bounds = self._bounds
        if len(text) > bounds.length:
            raise limits.refusal(Code.QUERY_TOO_LONG, "characters", bounds.length, len(text))
        # Each error counts the lines above it.
        lines = len(text.splitlines())
        if lines > bounds.lines:
            raise limits.refusal(Code.QUERY_TOO_LONG, "lines", bounds.lines, lines)
        try:
            document = _Parser(text, max_tokens=bounds.tokens).parsed()
        except graphql.GraphQLError as error:
            if f"contains more than {bounds.tokens} tokens" in error.message:
                refused = limits.refusal(
                    Code.QUERY_TOO_MANY_TOKENS, "tokens or more", bounds.tokens, bounds.tokens + 1
                )
            elif "nested too deeply" in error.message:
                refused = limits.nested()
            else:
                refused = problems.coded(error, Code.GRAPHQL_PARSE_FAILED)
            raise refused from None
        token = document.loc.start_token if document.loc else None
        while token:
            # Tokens that knew those before them would be left in a cycle.
            turns.breathe()
            token.prev, token = None, token.next
        return document


class _Parser(Parser):
    """A parser that can be left between two tokens: a long document is no piece of work."""

    def parsed(self) -> ast.DocumentNode:
        """Return the document, as ``graphql.parse`` does."""
        try:
            return self.parse_document()
        except RecursionError:
            pass
        raise nested_too_deeply_error(self)

    def advance_lexer(self) -> None:
        """Go on to the next token, having breathed."""
        turns.breathe()
        super().advance_lexer()


class _Together(graphql.Visitor):
    """All rules, held against one document."""

    def __init__(self, rules: Sequence[graphql.Visitor]) -> None:
        super().__init__()
        self._all = graphql.ParallelVisitor(rules)

    def enter(self, node: ast.Node, *place: object) -> object:
        """Hold them against a node."""
        enter, _ = self._all.get_enter_leave_for_kind(node.kind)
        return enter(node, *place) if enter else None

    def leave(self, node: ast.Node, *place: object) -> object:
        """Hold them against a node with all that is in it."""
        _, leave = self._all.get_enter_leave_for_kind(node.kind)
        return leave(node, *place) if leave else None

    def forget(self) -> None:
        """Let none know its own methods, by which all would be left in cycles."""
        for one in (self._all, *self._all.visitors):
            one.enter_leave_map.clear()
        del self._all


class _Comparing(RuleContext):
    """What fields are compared by; it breathes with each step."""

    __slots__ = ("_left",)

    @property
    def remaining_complexity_budget(self) -> int:
        """How many steps may be taken yet."""
        return self._left

    @remaining_complexity_budget.setter
    def remaining_complexity_budget(self, left: int) -> None:
        turns.breathe()
        self._left = left


class _Merging(graphql.OverlappingFieldsCanBeMergedRule):
    """Fields of one name agree; comparing them has a bound of our own, and a code."""

    def __init__(self, bounds: limits.Limits, context: graphql.ValidationContext) -> None:
        super().__init__(context)
        self._bounds = bounds
        self.rule_context = _Comparing()
        # A comparison of two fields is two steps there.
        self.rule_context.remaining_complexity_budget = 2 * bounds.comparisons

    def enter_selection_set(
        self, selection_set: ast.SelectionSetNode, key: object, parent: object, *place: object
    ) -> None:
        """Compare what is in a selection, and whatever its fields have in them."""
        try:
            super().enter_selection_set(selection_set, key, parent, *place)
        except ValidationAbortedError:
            if self.rule_context.remaining_complexity_budget >= 0:
                raise
            told = limits.repetitive(self._bounds, selection_set)
        else:
            return
        raise ValidationAbortedError(told.message, told.nodes, extensions=told.extensions)


class _Introspecting(graphql.MaxIntrospectionDepthRule):
    """Introspection does not go round in the lists of types; whatever does has a code."""

    def report_error(self, error: graphql.GraphQLError) -> None:
        """Report it as a limit."""
        super().report_error(limits.introspective(*(error.nodes or ())))


class _EnoughError(Exception):
    """What is wrong with a literal was told."""


class _Fitting(graphql.ValuesOfCorrectTypeRule):
    """Literals fit their types; of each, the first that does not is told: it is quoted whole."""

    def is_valid_value_node(self, node: ast.ValueNode, input_type: Any) -> graphql.VisitorAction:  # noqa: ANN401 - any input type
        """Report the first that does not fit."""
        try:
            return super().is_valid_value_node(node, input_type)
        except _EnoughError:
            return graphql.SKIP

    def report_error(self, error: graphql.GraphQLError) -> None:
        """Report it, and end."""
        super().report_error(error)
        raise _EnoughError


class _Streaming(graphql.ValidationRule):
    """A stream begins with so many items: with no fewer than none."""

    def enter_directive(self, node: ast.DirectiveNode, *_: object) -> None:
        """Report a number of items that there cannot be."""
        if node.name.value != "stream":
            return
        for one in node.arguments or ():
            value = one.value
            if one.name.value == "initialCount" and (
                isinstance(value, ast.NullValueNode)
                or (isinstance(value, ast.IntValueNode) and value.value.startswith("-"))
            ):
                self.report_error(graphql.GraphQLError(problems.UNSTREAMED, value))


class _Breathing(graphql.ValidationRule):
    """No rule: validating a long document is no piece of work."""

    def enter(self, *_: object) -> None:
        """Breathe."""
        turns.breathe()


def _distinct(document: ast.DocumentNode, text: str) -> ast.DocumentNode:
    """Return a document without what is said again, word for word, in the same selection.

    It holds if the whole does, and that is seen sooner: in a selection, all fields of one name are
    compared with each other.
    """
    definitions = tuple(_merged(node, text) for node in document.definitions)
    return replace(document, definitions=definitions)


def _merged(node: N, text: str) -> N:
    selected: ast.SelectionSetNode | None = getattr(node, "selection_set", None)
    if selected is None:
        return node
    distinct: dict[object, ast.SelectionNode] = {}
    for one in selected.selections:
        turns.breathe()
        said = text[one.loc.start : one.loc.end] if one.loc else "@"
        # Whether a directive may be said again is for validation to judge.
        distinct.setdefault(id(one) if "@" in said else said, one)
    inside = tuple(_merged(one, text) for one in distinct.values())
    if len(inside) == len(selected.selections) and all(map(is_, inside, selected.selections)):
        return node
    fewer: Any = {"selection_set": replace(selected, selections=inside)}
    return replace(node, **fewer)


def _fields(node: ast.Node) -> Iterator[str]:
    """Yield the name of every field that a document asks for, in fragments too."""
    pending = [node]
    while pending:
        turns.breathe()
        node = pending.pop()
        if isinstance(node, ast.FieldNode):
            yield node.name.value
        selected = getattr(node, "selection_set", None)
        pending += selected.selections if selected else getattr(node, "definitions", ())


def _unresolved(sentence: str) -> graphql.GraphQLError:
    return graphql.GraphQLError(
        sentence, extensions={"code": Code.OPERATION_RESOLUTION_FAILURE.value}
    )

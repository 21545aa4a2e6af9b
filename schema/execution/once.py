"""What a document comes to where it is answered once: a query, all of it asked for at once."""

from __future__ import annotations

import graphql
from graphql.language import ast

from models import turns

_DELIVERY = frozenset({"defer", "stream"})


def in_pieces(document: graphql.DocumentNode) -> bool:
    """Return whether a document asks for some of its data later than for the rest."""
    words = _Words()
    graphql.visit(document, words)
    return bool(words.directives & _DELIVERY)


def whole(document: graphql.DocumentNode) -> graphql.DocumentNode:
    """Return a document without `@defer` and `@stream`: it asks for the same, at once."""
    visitor = _Whole()
    plain: graphql.DocumentNode = graphql.visit(document, visitor)
    # It knows its own methods, by which it would be left in a cycle.
    visitor.enter_leave_map.clear()
    return plain


def asked(schema: graphql.GraphQLSchema, document: graphql.DocumentNode) -> str:
    """Return the text of an operation, alone in its document, as a query that is answered once.

    Fields of Subscription become those of Query, and variables that nothing uses any more go.
    """
    followed, query = schema.subscription_type, schema.query_type
    names = (followed.name if followed else "", query.name if query else "")
    plain = graphql.visit(document, _Once(*names))
    words = _Words()
    graphql.visit(plain, words)
    plain = graphql.visit(plain, _Declared(words.variables))
    # What is ignored counts for the limits; without it, this is no longer than what was sent.
    return graphql.strip_ignored_characters(graphql.print_ast(plain))


class _Whole(graphql.Visitor):
    """Makes of a document one that is answered whole."""

    def enter(self, *_: object) -> None:
        """Leave everything else as it is."""
        turns.breathe()

    def enter_directive(self, node: ast.DirectiveNode, *_: object) -> object:
        return graphql.REMOVE if node.name.value in _DELIVERY else None


class _Once(_Whole):
    """Makes of an operation one that is answered once, and whole."""

    def __init__(self, followed: str, asked: str) -> None:
        super().__init__()
        self._followed = followed
        self._asked = asked

    def enter_operation_definition(self, node: ast.OperationDefinitionNode, *_: object) -> object:
        if node.operation is not graphql.OperationType.SUBSCRIPTION:
            return None
        return ast.OperationDefinitionNode(
            operation=graphql.OperationType.QUERY,
            name=node.name,
            variable_definitions=node.variable_definitions,
            directives=node.directives,
            selection_set=node.selection_set,
        )

    def enter_named_type(self, node: ast.NamedTypeNode, *_: object) -> object:
        if node.name.value != self._followed:
            return None
        return ast.NamedTypeNode(name=ast.NameNode(value=self._asked))


class _Words(graphql.Visitor):
    """Finds the directives and the variables that are used, wherever it is."""

    def __init__(self) -> None:
        super().__init__()
        self.directives: set[str] = set()
        self.variables: set[str] = set()

    def enter_variable_definition(self, *_: object) -> object:
        return graphql.SKIP

    def enter_directive(self, node: ast.DirectiveNode, *_: object) -> None:
        self.directives.add(node.name.value)

    def enter_variable(self, node: ast.VariableNode, *_: object) -> None:
        self.variables.add(node.name.value)


class _Declared(graphql.Visitor):
    """Leaves out the variables that are used no more."""

    def __init__(self, used: set[str]) -> None:
        super().__init__()
        self._used = used

    def enter_variable_definition(self, node: ast.VariableDefinitionNode, *_: object) -> object:
        return graphql.SKIP if node.variable.name.value in self._used else graphql.REMOVE

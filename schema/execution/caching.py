"""Whether the answer to an operation may be kept: by what the schema says of every field in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import graphql
from graphql.language import ast

from models import turns
from resolvers.context import ZONE
from schema import caching

_DAY_SECONDS = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Policy:
    """How long an answer may be kept, in seconds, or None; and whether all may share it.

    An ``open`` one may be shared by all who show nobody.
    """

    max_age: int | None
    public: bool
    open: bool = False

    def header(self, now: datetime) -> str:
        """Return it as ``Cache-Control`` has it at a moment.

        What is on the menu, and what is stale, turns with the day: nothing is kept beyond it.
        """
        if self.max_age is None:
            return "private, no-store"
        return f"public, max-age={min(self.max_age, _left(now))}"

    def holds(self, now: datetime) -> bool:
        """Say whether that is as true of an answer that is kept by the hub, and sent later."""
        return self.max_age is None or self.max_age <= _left(now)


PRIVATE = Policy(None, public=False)


def _left(now: datetime) -> int:
    """Return how many seconds are left of the hub's day."""
    now = now.astimezone(ZONE)
    return _DAY_SECONDS - (now.hour * 3600 + now.minute * 60 + now.second)


class Hints:
    """What a schema says of keeping answers, by the fields of its types; read once."""

    def __init__(self, schema: graphql.GraphQLSchema) -> None:
        self._schema = schema
        hints = {
            (kind.name, name): hint
            for kind in schema.type_map.values()
            if isinstance(kind, graphql.GraphQLObjectType | graphql.GraphQLInterfaceType)
            for name, field in kind.fields.items()
            if (hint := _hint(field) or _hint(kind))
        }
        #: How long what a field says may be kept, by its type and name; of public fields alone.
        self.public = {
            field: hint.max_age
            for field, hint in hints.items()
            if hint.scope is caching.Scope.PUBLIC
        }
        #: Those that say the same to all who show nobody.
        self.open = {field for field, hint in hints.items() if hint is caching.OPEN}

    def policy(self, document: ast.DocumentNode, name: str | None = None) -> Policy:
        """Return the policy of a valid document's operation: of this name, or its only one.

        It is public if every field is that is selected anywhere, also where a directive may leave
        it out. Every fragment is read once, so the work is linear in the document.
        """
        operation = graphql.get_operation_ast(document, name)
        if operation is None or operation.operation is not graphql.OperationType.QUERY:
            return PRIVATE
        found = set(_Reading(self._schema, document).fields(operation))
        kept = [self.public[one] for one in found if one in self.public]
        if kept and len(kept) == len(found):
            return Policy(min(kept), public=True)
        is_open = bool(found) and found <= self.public.keys() | self.open
        return Policy(None, public=False, open=True) if is_open else PRIVATE


class _Reading:
    """One reading of one document."""

    def __init__(self, schema: graphql.GraphQLSchema, document: ast.DocumentNode) -> None:
        self._schema = schema
        self._fragments = {
            one.name.value: one
            for one in document.definitions
            if isinstance(one, ast.FragmentDefinitionNode)
        }
        self._pending: list[tuple[ast.SelectionSetNode, str]] = []

    def fields(self, operation: ast.OperationDefinitionNode) -> Iterator[tuple[str, str]]:
        """Yield the type and name of every field that an operation selects, names of types apart.

        A field below an interface is the interface's: that of whichever type it may turn out.
        """
        root = self._schema.query_type
        self._pending = [(operation.selection_set, root.name if root else "")]
        while self._pending:
            selected, parent = self._pending.pop()
            for node in selected.selections:
                turns.breathe()
                if isinstance(node, ast.FieldNode):
                    yield from self._field(node, parent)
                else:
                    self._fragment(node, parent)

    def _field(self, node: ast.FieldNode, parent: str) -> Iterator[tuple[str, str]]:
        if (name := node.name.value) == "__typename":
            return
        yield parent, name
        field = getattr(self._schema.get_type(parent), "fields", {}).get(name)
        if field is not None and node.selection_set:
            self._pending.append((node.selection_set, graphql.get_named_type(field.type).name))

    def _fragment(self, node: ast.SelectionNode, parent: str) -> None:
        inside: ast.SelectionNode | ast.FragmentDefinitionNode | None = node
        if isinstance(node, ast.FragmentSpreadNode):
            inside = self._fragments.pop(node.name.value, None)
        if isinstance(inside, ast.InlineFragmentNode | ast.FragmentDefinitionNode):
            condition = inside.type_condition
            self._pending.append(
                (inside.selection_set, condition.name.value if condition else parent)
            )


def _hint(
    marked: graphql.GraphQLField | graphql.GraphQLObjectType | graphql.GraphQLInterfaceType,
) -> caching.CacheControl | None:
    """Return what is said of a field, or of a type, itself."""
    definition = (marked.extensions or {}).get("strawberry-definition")
    said = getattr(definition, "directives", None) or ()
    return next((one for one in said if isinstance(one, caching.CacheControl)), None)

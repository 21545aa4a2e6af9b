"""What is wrong with a document that is published before it is sent; which codes it names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import graphql
from graphql.language import ast

from models import errors
from models.document import Sent
from schema.execution.limits import Limits
from schema.execution.reading import Reader

#: Where a document may name something of the menu, of partners or of rules, and what it names.
_NAMING = {
    "FactInput.name": "fact",
    "MenuFilter.area": "area",
    "MenuFilter.category": "category",
    "MenuFilter.partner": "partner",
    "MenuFilter.platformArea": "platform area",
    "MenuFilter.policy": "policy",
    "MenuFilter.station": "station",
    "Query.coverage(service:)": "service",
    "Query.disclosure(partnerCode:)": "partner",
    "Query.disclosure(serviceCode:)": "service",
    "Query.partners(kind:)": "kind",
    "Query.service(code:)": "service",
    "Query.stations(service:)": "service",
    "ReserveOfferInput.partner": "partner",
    "ReserveOfferInput.service": "service",
}


@dataclass(frozen=True, slots=True)
class Broken:
    """A published document that something breaks: whose it is, and what of it."""

    sent: Sent
    operations: tuple[str, ...]
    sentence: str

    def __str__(self) -> str:
        return (
            f"{self.sent.application} {self.sent.version}, {' and '.join(self.operations)}: "
            f"{self.sentence}"
        )


class Review:
    """Reads documents against one schema and its limits."""

    def __init__(self, schema: graphql.GraphQLSchema, bounds: Limits | None = None) -> None:
        self._schema = schema
        self._bounds = bounds or Limits()
        self._reader = Reader(schema, self._bounds, introspection=True)

    def mistakes(self, where: str, text: str) -> list[errors.Mistake]:
        """Return what keeps a text from being run, or from being told of when it breaks."""
        try:
            document = self._parsed(text)
        except graphql.GraphQLError as error:
            return [_mistake(where, error)]
        operations = list(_operations(document))
        if not operations or not all(operations):
            hint = "It is what is told when a change would break it."
            return [errors.Mistake(where, 1, "", "Every operation needs a name.", hint)]
        return [_mistake(where, error) for error in self._errors(document, text)]

    def holds(self, text: str) -> bool:
        """Say whether a text may be run at all."""
        try:
            return not self._errors(self._parsed(text), text)
        except graphql.GraphQLError:
            return False

    def operations(self, text: str) -> list[str]:
        """Return the names of a published text's operations."""
        return list(_operations(graphql.parse(text, no_location=True)))

    def codes(self, text: str) -> frozenset[tuple[str, str]]:
        """Return what a published text names, each with what sort of thing it is."""
        types = graphql.TypeInfo(self._schema)
        found = _Codes(types)
        graphql.visit(graphql.parse(text), graphql.TypeInfoVisitor(types, found))
        return frozenset(found.codes)

    def broken(
        self, published: Iterable[Sent], known: Mapping[str, Collection[str]] | None = None
    ) -> list[Broken]:
        """Return what of published documents does not hold.

        Args:
            published: The documents.
            known: The codes there are, by what sort of thing they name; without it, any may be.
        """
        return [
            Broken(one, tuple(self.operations(one.text)), sentence)
            for one in published
            for sentence in self._wrong(one.text, known or {})
        ]

    def _wrong(self, text: str, known: Mapping[str, Collection[str]]) -> Iterator[str]:
        mistakes = self.mistakes("", text)
        yield from (one.sentence for one in mistakes)
        for noun, code in () if mistakes else sorted(self.codes(text)):
            if noun in known and code not in known[noun]:
                yield f"There is no {noun} “{errors.shown(code)}”."

    def _errors(self, document: ast.DocumentNode, text: str) -> Sequence[graphql.GraphQLError]:
        return self._reader.errors(document, text, suggests=True)

    def _parsed(self, text: str) -> ast.DocumentNode:
        if len(text) > (most := self._bounds.length):
            raise graphql.GraphQLError(f"It has more than {most} characters.")
        return graphql.parse(text, max_tokens=self._bounds.tokens)


class _Codes(graphql.Visitor):
    def __init__(self, types: graphql.TypeInfo) -> None:
        super().__init__()
        self._types = types
        self._field = ""
        self.codes: set[tuple[str, str]] = set()

    def enter_field(self, node: ast.FieldNode, *_: Any) -> None:  # noqa: ANN401 - graphql-core's
        # Its arguments come before what is below it.
        self._field = node.name.value

    def enter_argument(self, node: ast.ArgumentNode, *_: Any) -> None:  # noqa: ANN401 - graphql-core's
        parent = self._types.get_parent_type()
        self._note(f"{parent}.{self._field}({node.name.value}:)", node.value)

    def enter_object_field(self, node: ast.ObjectFieldNode, *_: Any) -> None:  # noqa: ANN401 - graphql-core's
        kind = self._types.get_parent_input_type()
        self._note(f"{kind and graphql.get_named_type(kind)}.{node.name.value}", node.value)

    def _note(self, where: str, value: ast.ValueNode) -> None:
        if where in _NAMING and isinstance(value, ast.StringValueNode):
            self.codes.add((_NAMING[where], value.value))


def _operations(document: ast.DocumentNode) -> Iterator[str]:
    for node in document.definitions:
        if isinstance(node, ast.OperationDefinitionNode):
            yield node.name.value if node.name else ""


def _mistake(where: str, error: graphql.GraphQLError) -> errors.Mistake:
    places: Sequence[graphql.SourceLocation] = error.locations or ()
    return errors.Mistake(where, places[0].line if places else 1, "", error.message)

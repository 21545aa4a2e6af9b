"""Arguments as resolvers take them: strawberry's own conversion, its types looked at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING
from datetime import date, datetime
from typing import Any, NamedTuple

import graphql
import strawberry
from graphql.execution.collect_fields import FieldDetailsList
from graphql.language import ast
from graphql.pyutils import Undefined
from graphql.utilities.coerce_input_value import coerce_default_value
from strawberry.types.arguments import StrawberryArgument, convert_argument
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryOptional,
    has_object_definition,
)
from strawberry.types.enum import StrawberryEnumDefinition, has_enum_definition
from strawberry.types.field import StrawberryField

from schema.execution import variable
from schema.execution.variable import UnfitError

#: Makes of what GraphQL read what a resolver takes.
Convert = Callable[[Any], Any]
#: Makes of variables, as GraphQL reads them, what a resolver takes; of none, what is given else.
Read = Callable[..., Any]

_AS_IT_IS = frozenset({bool, date, datetime, float, int, str, strawberry.ID})


class Part(NamedTuple):
    """An argument that a place of a document gives to a field, or its default."""

    #: How the resolver calls it.
    key: str
    value: Any
    #: What reads it of the variables, where it holds some.
    read: Read | None = None
    #: The variable that it is as it is, unless that is null or not given.
    variable: str | None = None


class Arguments:
    """The arguments of the fields of one schema."""

    def __init__(self, schema: strawberry.Schema) -> None:
        self._schema = schema
        self._config = schema.config
        self._known: dict[int, tuple[StrawberryField, Mapping[str, tuple[str, Convert]]]] = {}
        self._inputs: dict[type, Convert] = {}

    def taken(self, field: StrawberryField, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a field as its resolver takes them, of what GraphQL read."""
        known = self.of(field)
        found = {}
        for name, value in given.items():
            key, convert = known[name]
            found[key] = convert(value)
        return found

    def of(self, field: StrawberryField) -> Mapping[str, tuple[str, Convert]]:
        """Return what the resolver of a field calls each argument, and what makes it."""
        if id(field) not in self._known:
            # The field is kept with its arguments, so that its identity is nobody else's.
            self._known[id(field)] = field, dict(map(self._argument, field.arguments))
        return self._known[id(field)][1]

    def parts(
        self, field: StrawberryField, definition: graphql.GraphQLField, details: FieldDetailsList
    ) -> Iterator[Part]:
        """Yield each argument that a place of a document gives to a field, or its default.

        Raises:
            UnfitError: one is not read here.
        """
        node, _, scoped = details[0]
        if scoped:
            raise UnfitError
        asked = {one.name.value: one.value for one in node.arguments or ()}
        known = self.of(field)
        for name, argument in definition.args.items():
            key, convert = known[name]
            default = coerce_default_value(argument)
            if default is not Undefined:
                default = convert(default)
            required = graphql.is_required_argument(argument)
            if name not in asked:
                if required:
                    raise UnfitError
                if default is not Undefined:
                    yield Part(key, default)
                continue
            value = asked[name]
            literal = variable.literal(value, argument.type)
            if variable.varies(value):
                read = _reading(literal, convert, default, required=required)
                alone = value.name.value if isinstance(value, ast.VariableNode) else None
                yield Part(key, None, read, alone if convert is _as_it_is else None)
            else:
                yield Part(key, convert(literal({})))

    def _argument(self, one: StrawberryArgument) -> tuple[str, tuple[str, Convert]]:
        name = self._config.name_converter.from_argument(one)
        return name, (one.python_name, self._convert(one.type))

    def _convert(self, kind: Any) -> Convert:  # noqa: ANN401 - any of strawberry's types
        if isinstance(kind, StrawberryOptional) and not isinstance(kind, StrawberryMaybe):
            return self._convert(kind.of_type)
        is_enum = isinstance(kind, StrawberryEnumDefinition) or has_enum_definition(kind)
        if kind in _AS_IT_IS or is_enum:
            return _as_it_is
        if isinstance(kind, StrawberryList):
            return self._list(kind)
        if has_object_definition(kind) and kind.__strawberry_definition__.from_input is None:
            return self._input(kind)
        return lambda value: convert_argument(
            value, kind, self._schema.schema_converter.scalar_registry, self._config
        )

    def _list(self, kind: StrawberryList) -> Convert:
        convert = self._convert(kind.of_type)

        def converted(value: Any) -> Any:  # noqa: ANN401 - what GraphQL read
            if value is None or value is strawberry.UNSET:
                return value
            return list(value) if convert is _as_it_is else [convert(one) for one in value]

        return converted

    def _input(self, kind: Any) -> Convert:  # noqa: ANN401 - an input's class
        if kind in self._inputs:
            return self._inputs[kind]
        definition = kind.__strawberry_definition__
        absent = {
            one.python_name: None
            for one in definition.fields
            if one.default_value is MISSING and one.default_factory is MISSING
        }
        parts: dict[str, tuple[str, Convert]] = {}

        def made(value: Any) -> Any:  # noqa: ANN401 - what GraphQL read
            if value is None or value is strawberry.UNSET:
                return value
            given = absent.copy()
            for name, one in value.items():
                key, convert = parts[name]
                given[key] = one if convert is _as_it_is else convert(one)
            return kind(**given)

        # It is known before its parts are: an input may hold another of its kind.
        self._inputs[kind] = made
        parts |= {
            self._config.name_converter.from_field(one): (
                one.python_name,
                self._convert(one.resolve_type(type_definition=definition)),
            )
            for one in definition.fields
        }
        return made


def _reading(
    literal: variable.Literal,
    convert: Convert,
    default: Any,  # noqa: ANN401 - an argument's
    *,
    required: bool,
) -> Read:
    def read(variables: Mapping[str, Any], otherwise: Any = Undefined) -> Any:  # noqa: ANN401 - an argument's
        value = literal(variables)
        if value is not Undefined:
            return convert(value)
        value = otherwise if default is Undefined else default
        if required or value is Undefined:
            raise UnfitError
        return value

    return read


def _as_it_is(value: Any) -> Any:  # noqa: ANN401 - what GraphQL read
    return value

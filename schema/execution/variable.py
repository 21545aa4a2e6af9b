"""What variables come to, worked out once for an operation: its own, and literals that hold some.

graphql-core looks types up and asks of what kind they are for each value of each request. Here that
is asked once, of the document. Whatever then does not fit is an ``UnfitError``: graphql-core reads
it again, and says what is wrong in its own words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

import graphql
from graphql.execution.get_variable_signature import get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_variable_values
from graphql.language import ast
from graphql.pyutils import Undefined
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal

from models import turns

_Value = Any  # as JSON has it, or as GraphQL reads it
#: Makes of what a request gives what GraphQL reads.
_Read = Callable[[_Value], _Value]
#: Makes of the operation's variables what a literal comes to; ``Undefined`` where it is not given.
Literal = Callable[[Mapping[str, Any]], _Value]

_MOST_ERRORS = 50  # as graphql-core has it
_MOST_INT = 2**31
_PLAIN: dict[object, type] = {
    graphql.GraphQLBoolean: bool,
    graphql.GraphQLID: str,
    graphql.GraphQLString: str,
}


class UnfitError(Exception):
    """A value that is not as its type has it, or a type that is not read here."""


class Variables:
    """The variables that one operation declares."""

    def __init__(
        self, schema: graphql.GraphQLSchema, operation: ast.OperationDefinitionNode
    ) -> None:
        self._schema = schema
        self._declared = declared = operation.variable_definitions or ()
        try:
            self._known = []
            for one in declared:
                turns.breathe()
                self._known.append(_Declared(schema, one))
            self._are_known = True
        except UnfitError:
            self._are_known = False

    def read(self, given: Mapping[str, Any]) -> dict[str, _Value] | list[graphql.GraphQLError]:
        """Return the variables that a request gives as GraphQL reads them, or what is wrong."""
        if self._are_known:
            found: dict[str, _Value] = {}
            try:
                for one in self._known:
                    value = given.get(one.name, Undefined)
                    if value is not Undefined:
                        found[one.name] = value if type(value) is one.plain else one.read(value)
                    elif one.is_required:
                        raise UnfitError  # noqa: TRY301 - read again below, as whatever does not fit
                    elif one.default is not Undefined:
                        found[one.name] = one.default
            except Exception:  # noqa: BLE001, S110 - it is read again, and said what is wrong
                pass
            else:
                return found
        stock = self._stock(given)
        return stock if isinstance(stock, list) else stock.coerced

    def values(self, given: Mapping[str, Any], read: dict[str, _Value]) -> VariableValues:
        """Return variables that were read with what was given, as executors have them."""
        if self._are_known:
            return VariableValues({one.name: one.source(given) for one in self._known}, read)
        return cast("VariableValues", self._stock(given))

    def _stock(self, given: Mapping[str, Any]) -> VariableValues | list[graphql.GraphQLError]:
        return get_variable_values(
            self._schema,
            self._declared,
            dict(given),
            max_errors=_MOST_ERRORS,
            hide_suggestions=True,
        )


class _Declared:
    """One variable."""

    def __init__(self, schema: graphql.GraphQLSchema, node: ast.VariableDefinitionNode) -> None:
        signature = get_variable_signature(schema, node)
        if isinstance(signature, graphql.GraphQLError):
            raise UnfitError
        self.name = signature.name
        self._signature = signature
        #: The class of values that stay as they are.
        self.plain = _PLAIN.get(graphql.get_nullable_type(signature.type))
        self.read = _reader(signature.type, ())
        self.is_required = node.default_value is None and graphql.is_non_null_type(signature.type)
        self.default = _constant(partial(coerce_default_value, signature))

    def source(self, given: Mapping[str, Any]) -> VariableValueSource:
        """Return what is given for it, or that nothing is."""
        return VariableValueSource(self._signature, given.get(self.name, Undefined))


def _constant(read: Callable[[], _Value]) -> _Value:
    try:
        return read()
    except TypeError:
        raise UnfitError from None


def _reader(kind: Any, above: tuple[object, ...]) -> _Read:  # noqa: ANN401 - any input type
    """Return what reads values of a type; ``above`` are the inputs that it stands in."""
    if graphql.is_non_null_type(kind):
        if graphql.is_leaf_type(kind.of_type):
            return _leaf(kind.of_type, required=True)
        return _required(_reader(kind.of_type, above))
    if graphql.is_list_type(kind):
        item = _PLAIN.get(graphql.get_nullable_type(kind.of_type))
        return _list(_reader(kind.of_type, above), frozenset([item] if item else ()))
    if graphql.is_input_object_type(kind):
        return _input(kind, above)
    return _leaf(kind, required=False)


def _required(read: _Read) -> _Read:
    def reading(value: _Value) -> _Value:
        if value is None:
            raise UnfitError
        return read(value)

    return reading


def _list(read: _Read, plain: frozenset[type]) -> _Read:
    """Return what reads lists; items of a ``plain`` class stay as they are."""

    def reading(value: _Value) -> _Value:
        if value is None:
            return None
        if type(value) is not list:
            raise UnfitError
        if plain.issuperset(map(type, value)):
            return list(value)
        return [read(one) for one in value]

    return reading


def _leaf(kind: Any, *, required: bool) -> _Read:  # noqa: ANN401 - a scalar or an enum
    plain = _PLAIN.get(kind)

    def coerced(value: _Value) -> _Value:
        if value is None and not required:
            return None
        found = Undefined if value is None else kind.coerce_input_value(value)
        if found is Undefined:
            raise UnfitError
        return found

    def reading(value: _Value) -> _Value:
        return value if type(value) is plain else coerced(value)

    def number(value: _Value) -> _Value:
        return value if type(value) is int and abs(value) < _MOST_INT else coerced(value)

    return number if kind is graphql.GraphQLInt else reading


def _input(kind: graphql.GraphQLInputObjectType, above: tuple[object, ...]) -> _Read:
    # How deep one that holds its own kind may be is graphql-core's to say.
    if kind.is_one_of or kind in above:
        raise UnfitError
    parts = [_part(name, field, (*above, kind)) for name, field in kind.fields.items()]
    names = frozenset(kind.fields)

    def reading(value: _Value) -> _Value:
        if value is None:
            return None
        if type(value) is not dict or not names.issuperset(value):
            raise UnfitError
        found: dict[str, _Value] = {}
        for put in parts:
            put(found, value)
        return kind.out_type(found)

    return reading


def _part(
    name: str, field: graphql.GraphQLInputField, above: tuple[object, ...]
) -> Callable[[dict[str, _Value], Mapping[str, _Value]], None]:
    """Return what adds to an input as GraphQL reads it the part of a name, as it is given."""
    key, read = field.out_name or name, _reader(field.type, above)
    required = graphql.is_required_input_field(field)
    default = _constant(partial(coerce_default_value, field))

    def put(found: dict[str, _Value], given: Mapping[str, _Value]) -> None:
        value = given.get(name, Undefined)
        if value is not Undefined:
            found[key] = read(value)
        elif required:
            raise UnfitError
        elif default is not Undefined:
            found[key] = default

    return put


# ── literals of a document ───────────────────────────────────────────────────────────────────


def literal(node: ast.ValueNode, kind: Any) -> Literal:  # noqa: ANN401 - any input type
    """Return what a literal comes to by the variables that it holds.

    What the function returns raises ``UnfitError`` for what does not fit, and so does it itself.
    """
    if isinstance(node, ast.VariableNode):
        return _variable(node.name.value, required=graphql.is_non_null_type(kind))
    inner = graphql.get_nullable_type(kind)
    if not varies(node):
        value = coerce_input_literal(node, kind)
        if value is Undefined:
            raise UnfitError
        return lambda _: value
    if graphql.is_input_object_type(inner) and isinstance(node, ast.ObjectValueNode):
        return _object(node, inner)
    if graphql.is_list_type(inner) and isinstance(node, ast.ListValueNode):
        return _listed([literal(one, inner.of_type) for one in node.values])
    raise UnfitError


def varies(node: ast.ValueNode) -> bool:
    """Say whether a literal holds a variable."""
    if isinstance(node, ast.ObjectValueNode):
        return any(varies(one.value) for one in node.fields)
    if isinstance(node, ast.ListValueNode):
        return any(map(varies, node.values))
    return isinstance(node, ast.VariableNode)


def _variable(name: str, *, required: bool) -> Literal:
    def found(variables: Mapping[str, Any]) -> _Value:
        value = variables.get(name, Undefined)
        if value is None and required:
            raise UnfitError
        return value

    return found


def _listed(items: list[Literal]) -> Literal:
    def found(variables: Mapping[str, Any]) -> _Value:
        values = [one(variables) for one in items]
        # Whether one that is not given is null depends on its type.
        if any(one is Undefined for one in values):
            raise UnfitError
        return values

    return found


def _object(node: ast.ObjectValueNode, kind: graphql.GraphQLInputObjectType) -> Literal:
    given = {one.name.value: one.value for one in node.fields}
    if kind.is_one_of or not given.keys() <= kind.fields.keys():
        raise UnfitError
    fields = [(name, one, one.out_name or name) for name, one in kind.fields.items()]
    if any(graphql.is_required_input_field(one) for name, one, _ in fields if name not in given):
        raise UnfitError
    defaults = {key: _constant(partial(coerce_default_value, one)) for _, one, key in fields}
    absent = {key: value for key, value in defaults.items() if value is not Undefined}
    parts = [
        (key, literal(given[name], one.type), graphql.is_required_input_field(one))
        for name, one, key in fields
        if name in given
    ]

    def found(variables: Mapping[str, Any]) -> _Value:
        values = absent.copy()
        for key, read, required in parts:
            value = read(variables)
            if value is not Undefined:
                values[key] = value
            elif required:
                raise UnfitError
        return kind.out_type(values)

    return found

"""Selections with nothing to wait for, each written out as one Python function.

Most of a menu is read from memory: hundreds of objects whose fields are attributes and plain
methods. For such a selection there is nothing to look up while it runs, so it is written down as
the Python that a person would write for it, compiled once, and called.

The function knows the common case only. Whatever else it meets (a value of another class, null
where none may be, an exception, something to await, a resolver that asks for more of ``info`` than
its context) it raises ``UnusualError``, and the plan runs the selection again, as ever. Resolvers
only read, so that costs time and changes nothing; and every error is told by the code that has
always told it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Protocol

import graphql
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from strawberry.schema.schema_converter import CustomGraphQLEnumType, GraphQLCoreConverter
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

_Value = Any  # what a resolver returned
_Done = Any  # what it comes to in the answer
#: Makes of a value what it comes to.
Made = Callable[[_Value], _Done]

_LEAST, _MOST = -(2**31), 2**31 - 1
#: After so many encounters with the unusual a function is called no more.
_PATIENCE = 3
#: A function of more fields is not written: it would be called too seldom to be worth it.
_MOST_FIELDS = 2_000


class UnusualError(Exception):
    """Something that is not as the common case has it."""


class Run(Protocol):
    """What a function needs of the executor that it runs in."""

    @property
    def context_value(self) -> Any: ...  # noqa: ANN401 - as resolvers see it
    @property
    def tick(self) -> Callable[[], None]: ...


#: Returns the arguments of a field as its resolver takes them.
Arguments = Callable[[Any, StrawberryField, graphql.GraphQLField, FieldDetailsList], dict[str, Any]]


class Info:
    """All of ``info`` that the common case has: the context of the query."""

    __slots__ = ("context",)

    def __init__(self, context: object) -> None:
        self.context = context

    def __getattr__(self, name: str) -> object:
        raise UnusualError(name)


class Unit:
    """A compiled selection. ``of`` gives the function for one run of it."""

    def __init__(self, make: Callable[[Run, Info], Made], size: int) -> None:
        self._make = make
        self._unusual = 0
        self.size = size

    @property
    def gave_up(self) -> bool:
        """Whether it has met the unusual so often that it is not worth trying."""
        return self._unusual >= _PATIENCE

    def of(self, run: Run) -> Made:
        """Return the function for one run: arguments depend on its variables.

        Raises:
            UnusualError: an argument does not fit.
        """
        try:
            return self._make(run, Info(run.context_value))
        except Exception as wrong:
            raise UnusualError from wrong

    def met_unusual(self) -> None:
        """Note that the plan had to run it again."""
        self._unusual += 1


def unit(
    run: Executor[Any],
    kind: Any,  # noqa: ANN401 - any output type
    details: FieldDetailsList,
    arguments: Arguments,
) -> Unit | None:
    """Return the function for values of a type in a place; None where it is not worth one.

    Args:
        run: An executor of the operation; only what holds for every run of its plan is asked of it.
        kind: The type of the place.
        details: The fields of the document in that place.
        arguments: Reads the arguments of a field for one run.
    """
    if graphql.is_leaf_type(graphql.get_named_type(kind)):
        return None
    writer = _Writer(run, arguments)
    return writer.unit(lambda: writer.place(kind, details, "v", "given"))


def root(
    run: Executor[Any],
    kind: graphql.GraphQLObjectType,
    grouped: GroupedFieldSet,
    arguments: Arguments,
) -> Unit | None:
    """Return the function for a whole operation; see ``unit``."""
    writer = _Writer(run, arguments)
    return writer.unit(lambda: writer.fields(kind, grouped, "v"))


class _Writer:
    """Writes the functions of one selection, as expressions that give their values names."""

    def __init__(self, run: Executor[Any], arguments: Arguments) -> None:
        self._run = run
        self._arguments = arguments
        self._known: dict[str, Any] = {"Unusual": UnusualError, "other": _other, "given": _given}
        self._before: list[str] = []
        self._functions: list[str] = []
        self._names = 0
        self._size = 0

    def unit(self, write: Callable[[], str]) -> Unit | None:
        """Return the unit whose values come to an expression of ``v``, if that can be written."""
        try:
            entry = write()
        except (UnusualError, graphql.GraphQLError):
            return None
        lines = [
            "def make(run, info):",
            "    tick = run.tick",
            *(f"    {one}" for one in self._before),
            *(f"    {line}" for one in self._functions for line in one.splitlines()),
            "    def entry(v):",
            "        try:",
            f"            return {entry}",
            "        except Exception as wrong:",
            "            raise Unusual from wrong",
            "    return entry",
        ]
        code = compile("\n".join(lines), "<selection>", "exec")
        exec(code, self._known)  # noqa: S102 - it is made of names and numbers of ours, and quoted keys
        return Unit(self._known["make"], self._size)

    def place(
        self,
        kind: Any,  # noqa: ANN401 - any output type
        details: FieldDetailsList,
        value: str,
        other: str = "other",
    ) -> str:
        """Return the expression for what the value of an expression comes to in a place.

        ``other`` is called with a value that should not be there.
        """
        required = graphql.is_non_null_type(kind)
        inner = graphql.get_nullable_type(kind)
        if graphql.is_leaf_type(inner):
            return self._leaf(inner, value, required=required)
        write = self._composite if isinstance(inner, graphql.GraphQLObjectType) else self._several
        if required:
            return write(inner, details, value, other)
        name = self._name("v")
        return f"(None if ({name} := {value}) is None else {write(inner, details, name, other)})"

    def _composite(
        self, kind: graphql.GraphQLObjectType, details: FieldDetailsList, value: str, other: str
    ) -> str:
        own, name = self._name("t", _own_class(kind)), self._name("v")
        whole = self._object(kind, details, name)
        return f"({whole} if type({name} := {value}) is {own} else {other}({name}))"

    def _several(self, kind: Any, details: FieldDetailsList, value: str, other: str) -> str:  # noqa: ANN401 - a list, or an abstract type
        if graphql.is_list_type(kind):
            return f"{self._list(kind, details, other)}({value})"
        functions: dict[type, str] = {}
        for one in self._run.schema.get_possible_types(kind):
            own, name = _own_class(one), self._name("o")
            if functions.setdefault(own, name) != name:
                raise UnusualError
            self._functions.append(f"def {name}(o):\n    return {self._object(one, details, 'o')}")
        table = ", ".join(f"{self._name('t', own)}: {name}" for own, name in functions.items())
        which, name = self._name("u"), self._name("v")
        self._functions.append(f"{which} = {{{table}}}")
        return f"{which}.get(type({name} := {value}), {other})({name})"

    def _list(self, kind: graphql.GraphQLList[Any], details: FieldDetailsList, other: str) -> str:
        item, name = self.place(kind.of_type, details, "v", other), self._name("l")
        self._functions.append(
            f"def {name}(l):\n"
            f"    if type(l) is not list and type(l) is not tuple: {other}(l)\n"
            "    tick()\n"
            f"    return [{item} for v in l]"
        )
        return name

    def _object(self, kind: graphql.GraphQLObjectType, details: FieldDetailsList, name: str) -> str:
        grouped = self._run.collect_subfields(kind, details).grouped_field_set
        return self.fields(kind, grouped, name)

    def fields(self, kind: graphql.GraphQLObjectType, grouped: GroupedFieldSet, name: str) -> str:
        """Return the expression for these fields of the object of a name."""
        pairs = []
        for key, found in grouped.items():
            definition = self._run.schema.get_field(kind, found[0].node.name.value)
            if definition is graphql.TypeNameMetaFieldDef:
                pairs.append(f"{key!r}: {kind.name!r}")
            elif definition:
                value = self._value(definition, found, name)
                pairs.append(f"{key!r}: {self.place(definition.type, found, value)}")
        self._size += len(pairs)
        if self._size > _MOST_FIELDS:
            raise UnusualError
        return f"{{{', '.join(pairs)}}}"

    def _value(self, definition: graphql.GraphQLField, details: FieldDetailsList, name: str) -> str:
        """Return the expression for what a field of an object resolves to."""
        known = plain(definition, self._run.schema)
        if known is None:
            raise UnusualError
        resolver = known.base_resolver
        if resolver is None:
            return f"{name}.{known.python_name}"
        if may_wait(resolver):
            raise UnusualError
        given = [name] if resolver.self_parameter else []
        if resolver.info_parameter:
            given.append(f"{resolver.info_parameter.name}=info")
        given += self._given(known, definition, details)
        return f"{self._name('f', resolver.wrapped_func)}({', '.join(given)})"

    def _given(
        self, known: StrawberryField, definition: graphql.GraphQLField, details: FieldDetailsList
    ) -> list[str]:
        """Return how a resolver's arguments are given to it."""
        if not definition.args:
            return []
        if not details[0].node.arguments:
            # Where the document says nothing, what the schema says holds for every run.
            said = self._arguments(self._run, known, definition, details)
            return [f"{name}={self._name('d', value)}" for name, value in said.items()]
        asked = (self._arguments, known, definition, details)
        read, *rest = (self._name("a", one) for one in asked)
        name = self._name("a")
        self._before.append(f"{name} = {read}(run, {', '.join(rest)})")
        return [f"**{name}"]

    def _leaf(self, kind: Any, value: str, *, required: bool) -> str:  # noqa: ANN401 - a scalar or an enum
        slow, name = self._name("s", _completion(kind, required=required)), self._name("v")
        named = f"({name} := {value})"
        if isinstance(kind, CustomGraphQLEnumType):
            own_members: Any = kind.wrapped_cls
            members = {one: kind.coerce_output_value(one) for one in own_members}
            table, own = self._name("e", members), self._name("t", kind.wrapped_cls)
            return f"({table}[{name}] if type({named}) is {own} else {slow}({name}))"
        test = _TESTS.get(kind.name) if graphql.is_specified_scalar_type(kind) else None
        if test is None:
            return f"{slow}({value})"
        return f"({name} if {test.format(named, name)} else {slow}({name}))"

    def _name(self, letter: str, value: object = None) -> str:
        """Return a new name; it is what the functions know the value by, if one is given."""
        self._names += 1
        name = f"{letter}{self._names}"
        if value is not None or letter == "d":
            self._known[name] = value
        return name


#: When a value of a scalar stays as it is.
_TESTS = {
    "Boolean": "type({0}) is bool",
    "Float": "type({0}) is float and {1} - {1} == 0",
    "ID": "type({0}) is str",
    "Int": f"type({{0}}) is int and {_LEAST} <= {{1}} <= {_MOST}",
    "String": "type({0}) is str",
}


def plain(
    definition: graphql.GraphQLField,
    schema: graphql.GraphQLSchema,
    *,
    is_gate: Callable[[object], bool] = lambda _: False,
) -> StrawberryField | None:
    """Return strawberry's own of a field, if nothing stands around its resolver but gates."""
    known = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if type(known) is not StrawberryField or not all(map(is_gate, known.extensions)):
        return None
    if _handled(schema):
        return None
    resolver = known.base_resolver
    if resolver is None:
        return known if known.default_resolver is getattr else None
    unusual = resolver.parent_parameter or resolver.root_parameter
    return known if callable(resolver.wrapped_func) and not unusual else None


def may_wait(resolver: StrawberryResolver[Any]) -> bool:
    """Say whether a resolver is, or says that it may return, something to await."""
    said = getattr(resolver.wrapped_func, "__annotations__", {}).get("return", "")
    return resolver.is_async or "Awaitable" in str(said)


def _handled(schema: graphql.GraphQLSchema) -> bool:
    return bool(schema._strawberry_schema.exception_handlers)  # type: ignore[attr-defined]  # noqa: SLF001 - strawberry's mark


def _own_class(kind: graphql.GraphQLObjectType) -> type:
    """Return the class whose objects, and no others, are surely of a type."""
    definition = kind.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if not definition or definition.is_type_of:
        raise UnusualError
    own: type = definition.origin
    return own


def _completion(kind: Any, *, required: bool) -> Made:  # noqa: ANN401 - a scalar or an enum
    """Return what completes the values of a leaf type that do not stay as they are."""
    complete = Executor.complete_leaf_value

    def completed(value: _Value) -> _Done:
        if value is None and not required:
            return None
        if value is None or isinstance(value, Exception) or inspect.isawaitable(value):
            return _other(value)
        return complete(kind, value)

    return completed


def _given(_: _Value) -> _Done:
    """Meet a value that should not be where the function was given it: the plan has it yet."""
    raise UnusualError


def _other(value: _Value) -> _Done:
    """Meet a value that should not be where a resolver put it, which is asked again."""
    if inspect.iscoroutine(value):
        value.close()
    raise UnusualError

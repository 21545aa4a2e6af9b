"""Selections with nothing to wait for, each written out as one Python function that makes JSON.

Most of a menu is read from memory: hundreds of objects whose fields are attributes and plain
methods. For such a selection there is nothing to look up while it runs, so it is written down as
the Python that a person would write for it, compiled once, and called. It makes the text of the
answer itself: the objects of which a text is made at last would cost more than all the rest.

The function knows the common case only. Whatever else it meets (a value of another class, null
where none may be, an exception, something to await, a resolver that asks for more of ``info`` than
its context) it raises ``UnusualError``, and the plan runs the selection again, as ever. Resolvers
only read, so that costs time and changes nothing; and every error is told by the code that has
always told it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, NoReturn, Protocol

import graphql
import orjson
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.execution.executor import to_nodes
from graphql.pyutils import Undefined
from strawberry.schema.schema_converter import CustomGraphQLEnumType, GraphQLCoreConverter
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from schema.execution.below import Below

_Value = Any  # what a resolver returned
#: Makes of a value what it comes to in the answer.
Made = Callable[[_Value], orjson.Fragment]

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


class Planner(Executor[Any]):
    """An executor, as far as it says of fields whether all are told the same by them."""

    #: Those that say the same to everybody, by type and name, until the menu is another.
    public: Collection[tuple[str, str]] = frozenset()


#: Returns the arguments of a field as its resolver takes them.
Arguments = Callable[[Any, StrawberryField, graphql.GraphQLField, FieldDetailsList], dict[str, Any]]


class Info:
    """All of ``info`` that the common case has: the context of the query."""

    __slots__ = ("_below", "context")

    def __init__(self, context: object, below: Below | None = None) -> None:
        self.context = context
        self._below = below

    def named(self, *places: str) -> frozenset[str]:
        """Return the names of the fields that are asked of what the field returns."""
        return self._below.names(*places) if self._below else frozenset()

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
            text = self._make(run, Info(run.context_value))
        except Exception as wrong:
            raise UnusualError from wrong
        return lambda value: orjson.Fragment(text(value))

    def met_unusual(self) -> None:
        """Note that the plan had to run it again."""
        self._unusual += 1


def unit(
    run: Planner,
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
    run: Planner,
    kind: graphql.GraphQLObjectType,
    grouped: GroupedFieldSet,
    arguments: Arguments,
) -> Unit | None:
    """Return the function for a whole operation; see ``unit``."""
    writer = _Writer(run, arguments)
    return writer.unit(lambda: writer.fields(kind, grouped, "v"))


@dataclass(frozen=True, slots=True)
class _Written:
    """Statements, and the piece of a text that they prepare, as an f-string has it."""

    lines: Sequence[str]
    piece: str

    def text(self) -> str:
        """Return the expression of the whole text."""
        return f"f'{self.piece}'"


class _Writer:
    """Writes the functions of one selection, statement by statement.

    ``v`` is the value that the function is given; each value is given a name of its own. What a
    place comes to is a piece of a text between braces and quotes: names, and what stands around
    them.
    """

    def __init__(self, run: Planner, arguments: Arguments) -> None:
        self._run = run
        self._arguments = arguments
        self._known: dict[str, Any] = {
            "Info": Info,
            "Unusual": UnusualError,
            "other": _other,
            "given": _given,
            "known": _QUOTED.get,
            "quote": _quoted,
        }
        self._before: list[str] = []
        self._kept = False
        self._functions: list[str] = []
        self._names = 0
        self._lists = 0
        #: How many fields of what was written depend on variables, and on who asks.
        self._varying = self._private = 0
        self._size = 0

    def unit(self, write: Callable[[], _Written]) -> Unit | None:
        """Return the unit whose values come to what is written, if that can be."""
        try:
            code = self._code(write())
        except Exception:  # noqa: BLE001 - whatever it is that cannot be written, the plan can run it
            return None
        exec(code, self._known)  # noqa: S102 - it is made of names and numbers of ours, and names of GraphQL
        return Unit(self._known["make"], self._size)

    def _code(self, written: _Written) -> CodeType:
        lines = [
            "def make(run, info):",
            "    tick = run.tick",
            *_inside(self._kept * _SAME),
            *_inside(self._before),
            *_inside(self._functions),
            "    def entry(v):",
            "        try:",
            *_inside(_inside(_inside([*written.lines, f"return {written.text()}"]))),
            "        except Exception as wrong:",
            "            raise Unusual from wrong",
            "    return entry",
        ]
        return compile("\n".join(lines), "<selection>", "exec")

    def place(
        self,
        kind: Any,  # noqa: ANN401 - any output type
        details: FieldDetailsList,
        value: str,
        other: str = "other",
    ) -> _Written:
        """Return what the value of an expression comes to in a place.

        ``other`` is called with a value that should not be there.
        """
        inner = graphql.get_nullable_type(kind)
        required = graphql.is_non_null_type(kind)
        if graphql.is_leaf_type(inner):
            return self._leaf(inner, value, other, required=required)
        write = self._composite if isinstance(inner, graphql.GraphQLObjectType) else self._several
        name = self._name("v")
        found = write(inner, details, name, other)
        if required:
            return _Written([f"{name} = {value}", *found.lines], found.piece)
        text = self._name("q")
        lines = [
            f"if ({name} := {value}) is None:",
            f"    {text} = 'null'",
            "else:",
            *_inside([*found.lines, f"{text} = {found.text()}"]),
        ]
        return _Written(lines, f"{{{text}}}")

    def _composite(
        self, kind: graphql.GraphQLObjectType, details: FieldDetailsList, name: str, other: str
    ) -> _Written:
        own, varying, private = _own_class(kind), self._varying, self._private
        found = self._object(kind, details, name)
        known = self._name("t", own)
        check = f"if type({name}) is not {known}: {other}({name})"
        is_same = varying == self._varying and private == self._private
        if not is_same or not hasattr(own, "keep"):
            return _Written([check, *found.lines], found.piece)
        # Whatever is asked beside it, an entry of the menu says the same until there is another.
        place, text, kept = self._name("p", object()), self._name("q"), self._name("k")
        self._kept = True
        self._before.append(f"{kept} = {place}, info.context.languages")
        lines = [
            check,
            f"{text} = {name}.texts.get({kept})",
            f"if {text} is None or {text}[0] is not registry or {text}[1] != today:",
            *_inside(found.lines),
            f"    {text} = {found.text()}",
            f"    {name}.keep({kept}, (registry, today, {text}))",
            "else:",
            f"    {text} = {text}[2]",
        ]
        return _Written(lines, f"{{{text}}}")

    def _several(self, kind: Any, details: FieldDetailsList, name: str, other: str) -> _Written:  # noqa: ANN401 - a list, or an abstract type
        if graphql.is_list_type(kind):
            return _Written([], f"{{{self._list(kind, details, other)}({name})}}")
        functions: dict[type, str] = {}
        for one in self._run.schema.get_possible_types(kind):
            own, function = _own_class(one), self._name("o")
            if functions.setdefault(own, function) != function:
                raise UnusualError
            found = self._object(one, details, "v")
            body = _inside([*found.lines, f"return {found.text()}"])
            self._functions += [f"def {function}(v):", *body]
        table = ", ".join(f"{self._name('t', own)}: {one}" for own, one in functions.items())
        which = self._name("u")
        self._functions.append(f"{which} = {{{table}}}")
        return _Written([], f"{{{which}.get(type({name}), {other})({name})}}")

    def _list(self, kind: graphql.GraphQLList[Any], details: FieldDetailsList, other: str) -> str:
        lists = self._lists
        item, name = self.place(kind.of_type, details, "v", other), self._name("l")
        # The clock is looked at by what has lists inside, so that the innermost need not.
        tick = ["tick()"] if self._lists > lists else []
        self._lists += 1
        self._functions += [
            f"def {name}(l):",
            f"    if type(l) is not list and type(l) is not tuple: {other}(l)",
            "    found = []",
            "    add = found.append",
            "    for v in l:",
            *_inside(_inside([*tick, *item.lines, f"add({item.text()})"])),
            "    return '[' + ','.join(found) + ']'",
        ]
        return name

    def _object(
        self, kind: graphql.GraphQLObjectType, details: FieldDetailsList, name: str
    ) -> _Written:
        grouped = self._run.collect_subfields(kind, details).grouped_field_set
        return self.fields(kind, grouped, name)

    def fields(
        self, kind: graphql.GraphQLObjectType, grouped: GroupedFieldSet, name: str
    ) -> _Written:
        """Return what these fields of the object of a name come to."""
        lines: list[str] = []
        pieces = []
        for key, found in grouped.items():
            definition = self._run.schema.get_field(kind, found[0].node.name.value)
            if definition is graphql.TypeNameMetaFieldDef:
                pieces.append(f'"{key}":"{kind.name}"')
            elif definition:
                self._private += (kind.name, found[0].node.name.value) not in self._run.public
                value, other = self._value(definition, found, name)
                written = self.place(definition.type, found, value, other)
                lines += written.lines
                pieces.append(f'"{key}":{written.piece}')
        self._size += len(pieces)
        if self._size > _MOST_FIELDS:
            raise UnusualError
        return _Written(lines, f"{{{{{','.join(pieces)}}}}}")

    def _value(
        self, definition: graphql.GraphQLField, details: FieldDetailsList, name: str
    ) -> tuple[str, str]:
        """Return the expression for what a field of an object resolves to, and for what it may not.

        What an object has, it has yet when it is asked again.
        """
        known = plain(definition, self._run.schema)
        if known is None:
            raise UnusualError
        resolver = known.base_resolver
        if resolver is None:
            return f"{name}.{known.python_name}", "given"
        if may_wait(resolver):
            raise UnusualError
        given = self._given(known, definition, details)
        given |= {one.name: name for one in [resolver.self_parameter] if one}
        given |= {one.name: self._info(details) for one in [resolver.info_parameter] if one}
        # By position, which is the quickest way to call a function.
        said = [given[one] for one in resolver.signature.parameters]
        return f"{self._name('f', resolver.wrapped_func)}({', '.join(said)})", "other"

    def _info(self, details: FieldDetailsList) -> str:
        """Return the name of what a resolver is told of the field that it resolves."""
        nodes = to_nodes(details)
        if not any(one.selection_set for one in nodes):
            return "info"
        name = self._name("i")
        below = self._name("b", Below(nodes, self._run.fragment_definitions))
        self._before.append(f"{name} = Info(info.context, {below})")
        return name

    def _given(
        self, known: StrawberryField, definition: graphql.GraphQLField, details: FieldDetailsList
    ) -> dict[str, str]:
        """Return the names of a resolver's arguments, by the resolver's own."""
        resolver: Any = known.base_resolver
        defaults = {
            one.name: one.default
            for one in resolver.signature.parameters.values()
            if one.default is not one.empty
        }
        if not details[0].node.arguments:
            # Where the document says nothing, what the schema says holds for every run.
            said = {**defaults, **self._arguments(self._run, known, definition, details)}
            return {key: self._name("d", value) for key, value in said.items()}
        self._varying += 1
        asked = (self._arguments, known, definition, details, defaults)
        read, *rest, otherwise = (self._name("a", one) for one in asked)
        all_ = self._name("a")
        self._before.append(f"{all_} = {{**{otherwise}, **{read}(run, {', '.join(rest)})}}")
        names = {one.python_name: self._name("a") for one in known.arguments}
        self._before += [f"{name} = {all_}[{key!r}]" for key, name in names.items()]
        return names

    def _leaf(self, kind: Any, value: str, other: str, *, required: bool) -> _Written:  # noqa: ANN401 - a scalar or an enum
        completed = _completion(kind, self._known[other], required=required)
        slow, name = self._name("s", completed), self._name("v")
        text = self._name("q")
        if isinstance(kind, CustomGraphQLEnumType):
            own_members: Any = kind.wrapped_cls
            members = {one: f'"{kind.coerce_output_value(one)}"' for one in own_members}
            table, own = self._name("e", members), self._name("t", kind.wrapped_cls)
            quick = f"{table}[{name}] if type({name} := {value}) is {own}"
        elif graphql.is_specified_scalar_type(kind) and kind.name in _QUICK:
            quick = _QUICK[kind.name].format(name, f"({name} := {value})")
        else:
            return _Written([f"{text} = {slow}({value})"], f"{{{text}}}")
        return _Written([f"{text} = {quick} else {slow}({name})"], f"{{{text}}}")

    def _name(self, letter: str, value: object = None) -> str:
        """Return a new name; it is what the functions know the value by, if one is given."""
        self._names += 1
        name = f"{letter}{self._names}"
        if value is not None or letter == "d":
            self._known[name] = value
        return name


#: What kept texts hold by.
_SAME = ["registry = info.context.registry", "today = info.context.today"]
#: How the text of a scalar's value is had at once: where it is of this class.
_QUICK = {
    "Boolean": "('true' if {0} else 'false') if type({1}) is bool",
    "ID": "known({0}) or quote({0}) if type({1}) is str",
    "Int": f"str({{0}}) if type({{1}}) is int and {_LEAST} <= {{0}} <= {_MOST}",
    "String": "known({0}) or quote({0}) if type({1}) is str",
}
#: Texts as JSON has them, those that were met last: the same are told again and again.
_QUOTED: dict[str, str] = {}
_MOST_QUOTED = 10_000
_LONGEST_QUOTED = 1_000


def _quoted(text: str) -> str:
    found = orjson.dumps(text).decode()
    if len(found) <= _LONGEST_QUOTED:
        if len(_QUOTED) >= _MOST_QUOTED:
            _QUOTED.clear()
        _QUOTED[text] = found
    return found


def _inside(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


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
    by_name = any(
        one.kind is not one.POSITIONAL_OR_KEYWORD for one in resolver.signature.parameters.values()
    )
    unusual = resolver.parent_parameter or resolver.root_parameter or by_name
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


def _completion(
    kind: Any,  # noqa: ANN401 - a scalar or an enum
    other: Callable[[_Value], NoReturn],
    *,
    required: bool,
) -> Callable[[_Value], str]:
    """Return what completes the values of a leaf type that do not stay as they are."""
    complete = Executor.complete_leaf_value

    def completed(value: _Value) -> str:
        is_absent = value is None or value is Undefined
        if is_absent and not required:
            return "null"
        if is_absent or isinstance(value, Exception) or inspect.isawaitable(value):
            other(value)
        return orjson.dumps(complete(kind, value)).decode()

    return completed


def _given(_: _Value) -> NoReturn:
    """Meet a value that should not be where the function was given it: the plan has it yet."""
    raise UnusualError


def _other(value: _Value) -> NoReturn:
    """Meet a value that should not be where a resolver put it, which is asked again."""
    if inspect.iscoroutine(value):
        value.close()
    raise UnusualError

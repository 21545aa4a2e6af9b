"""Selections that are written out as one Python function, which makes JSON.

Most of a menu is read from memory: hundreds of objects whose fields are attributes and plain
methods. For such a selection there is nothing to look up while it runs, so it is written down as
the Python that a person would write for it, compiled once, and called. It makes the text of the
answer itself: the objects of which a text is made at last would cost more than all the rest. Where
a field has to wait, the text has a gap, and what is waited for is handed on with the function that
makes of it what fills the gap (``waiting``).

The function knows the common case only. Whatever else it meets (a value of another class, null
where none may be, an exception, a resolver that asks for more of ``info`` than its context) it
raises ``UnusualError``, and the plan runs the selection again, as ever. Resolvers that wait for
nothing only read, so that costs time and changes nothing, and those that wait are not called again;
and every error is told by the code that has always told it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from types import CodeType
from typing import Any, NoReturn, Protocol

import graphql
import orjson
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.execution.executor import to_nodes
from graphql.pyutils import Path, Undefined
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema_converter import CustomGraphQLEnumType, GraphQLCoreConverter
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from models import turns
from schema.execution.argument import Arguments
from schema.execution.below import Below
from schema.execution.cost import said
from schema.execution.pace import Pace
from schema.execution.told import Places
from schema.execution.waiting import Steps, UnusualError, Waits, path_of

_Value = Any  # what a resolver returned
#: Makes of a value the text that it comes to in the answer. Each of its characters is a byte of
#: UTF-8: in whatever language it speaks, it is put together with others, and sent, as it is.
Made = Callable[[_Value], str]

#: Between two objects others have their turns, and the clock is looked at; see ``Pace``.
_TICK = "if clock() > due: tick()"
_LEAST, _MOST = -(2**31), 2**31 - 1
#: After so many encounters with the unusual a function is called no more.
_PATIENCE = 3
#: A function of more fields is not written: it would be called too seldom to be worth it.
_MOST_FIELDS = 2_000


class RaisedError(UnusualError):
    """What was asked could not be answered; the plan says why."""


class Run(Protocol):
    """What a function needs of the executor that it runs in."""

    @property
    def context_value(self) -> Any: ...  # noqa: ANN401 - as resolvers see it
    @property
    def variables(self) -> Mapping[str, Any]: ...
    @property
    def waits(self) -> Waits: ...
    @property
    def pace(self) -> Pace: ...


class Planner(Executor[Any]):
    """An executor, as far as it says of fields whether all are told the same by them."""

    #: Those that say the same of the same object whoever asks, unless they wait, by type and name.
    same: Collection[tuple[str, str]] = frozenset()


def sent(text: str) -> orjson.Fragment:
    """Return the text of a value as what sends it has it."""
    return orjson.Fragment(text.encode("latin-1"))


class Info:
    """All of ``info`` that the common case has: the context of the query.

    A field that may wait is told its path as well.
    """

    __slots__ = ("_below", "_steps", "context")

    def __init__(self, context: object, below: Below | None = None, path: Steps = None) -> None:
        self.context = context
        self._below = below
        self._steps = path

    @property
    def path(self) -> Path:
        """The path of the field."""
        if self._steps is None:
            raise UnusualError
        return path_of(self._steps)

    def named(self, *places: str) -> frozenset[str]:
        """Return the names of the fields that are asked of what the field returns."""
        return self._below.names(*places) if self._below else frozenset()

    def __getattr__(self, name: str) -> object:
        raise UnusualError(name)


class Unit:
    """A compiled selection. ``of`` gives the function for one run of it; ``waits`` where it may."""

    def __init__(self, make: Callable[[Run, Info], Made], size: int, *, waits: bool) -> None:
        self._make = make
        self._unusual = 0
        #: Whether it has met the unusual so often that it is not worth trying.
        self.gave_up = False
        self.size = size
        self.waits = waits

    def of(self, run: Run) -> Made:
        """Return the function for one run: arguments depend on its variables.

        Raises:
            UnusualError: an argument does not fit.
        """
        try:
            return self._make(run, Info(run.context_value))
        except Exception as wrong:
            raise RaisedError from wrong

    def met(self, wrong: UnusualError) -> None:
        """Note that the plan has to run it again."""
        # What one may not see, or asks for wrongly, says nothing of what others will meet.
        self._unusual += not isinstance(wrong, RaisedError)
        self.gave_up = self._unusual >= _PATIENCE


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
        arguments: Makes arguments of what GraphQL reads.
    """
    if graphql.is_leaf_type(graphql.get_named_type(kind)):
        return None
    writer = _Writer(run, arguments)
    return writer.unit(lambda: writer.place(kind, details, _Source("v", "given")))


def root(
    run: Planner,
    kind: graphql.GraphQLObjectType,
    grouped: GroupedFieldSet,
    arguments: Arguments,
) -> Unit | None:
    """Return the function for a whole operation, whose fields may wait; see ``unit``."""
    writer = _Writer(run, arguments, may_wait=True)
    return writer.unit(lambda: writer.fields(kind, grouped, "v", "None"))


@dataclass(frozen=True, slots=True)
class _Written:
    """Statements, and the piece of a text that they prepare, as an f-string has it."""

    lines: Sequence[str]
    piece: str
    #: Whether they look at the clock where they do anything that takes time.
    is_timed: bool = False

    def text(self) -> str:
        """Return the expression of the whole text."""
        return f"f'{self.piece}'"


#: What one run makes for itself: the statements that make it, by its name.
_Making = dict[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of an object, what it needs made; and whether it says the same to everybody."""

    lines: Sequence[str]
    piece: str
    made: _Making
    is_same: bool
    is_leaf: bool = False
    #: Whether it looks at the clock where it does anything that takes time.
    is_timed: bool = False


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a value comes from: an expression, in a place that has a path.

    ``other`` is called with a value that should not be there. Where the value may have to be waited
    for, ``waits``.
    """

    value: str
    other: str = "other"
    path: str = "None"
    waits: bool = False

    def named(self, name: str) -> _Source:
        """Return it where its value has a name."""
        return replace(self, value=name, waits=False)


class _Writer:
    """Writes the functions of one selection, statement by statement.

    ``v`` is the value that a function is given, and ``p`` its path where anything waits inside;
    each value is given a name of its own. What a place comes to is a piece of a text between braces
    and quotes: names, and what stands around them.
    """

    def __init__(self, run: Planner, arguments: Arguments, *, may_wait: bool = False) -> None:
        self._run = run
        self._arguments = arguments
        self._may_wait = may_wait
        self._known: dict[str, Any] = {
            "Info": Info,
            "Raised": RaisedError,
            "Unusual": UnusualError,
            "admit": _admit,
            "other": _other,
            "given": _given,
            "known": _QUOTED.get,
            "quote": _quoted,
        }
        self._before: list[str] = []
        #: The names of the ways of telling what is kept, a place each.
        self._ways: list[str] = []
        self._made: _Making = {}
        self._names = 0
        self._lists = self._waiting = 0
        #: How many fields of what was written depend on variables, and on who asks.
        self._varying = self._private = 0
        self._size = 0

    def unit(self, write: Callable[[], _Written]) -> Unit | None:
        """Return the unit whose values come to what is written, if that can be."""
        try:
            written = write()
            turns.breathe()
            code = self._code(written)
        except Exception:  # noqa: BLE001 - whatever it is that cannot be written, the plan can run it
            return None
        exec(code, self._known)  # noqa: S102 - it is made of names and numbers of ours, and names of GraphQL
        # A function does not know itself: what is not used any more is left in no cycle.
        return Unit(self._known.pop("make"), self._size, waits=self._waiting > 0)

    def _code(self, written: _Written) -> CodeType:
        lines = [
            "def make(run, info):",
            "    (clock, due, tick), variables = run.pace, run.variables",
            *["    wait = run.waits.put"] * (self._waiting > 0),
            *self._by_ways(),
            *_inside(self._before),
            *_inside(chain.from_iterable(self._made.values())),
            "    def entry(v):",
            "        try:",
            *_inside(_inside(_inside([*written.lines, f"return {written.text()}"]))),
            "        except Unusual:",
            "            raise",
            "        except Exception as wrong:",
            "            raise Raised from wrong",
            "    return entry",
        ]
        return compile("\n".join(lines), "<selection>", "exec")

    def _by_ways(self) -> Sequence[str]:
        """Return the statement that finds the ways in which a run tells what is kept."""
        if not self._ways:
            return []
        places = self._name("p", Places(len(self._ways)))
        return [f"    {', '.join(self._ways)}, = {places}.ways(info.context)"]

    def place(self, kind: Any, details: FieldDetailsList, source: _Source) -> _Written:  # noqa: ANN401 - any output type
        """Return what a value comes to in a place of a type."""
        if source.waits:
            return self._gap(kind, details, source)
        inner = graphql.get_nullable_type(kind)
        required = graphql.is_non_null_type(kind)
        if graphql.is_leaf_type(inner):
            return self._leaf(inner, source.value, source.other, required=required)
        write = self._composite if isinstance(inner, graphql.GraphQLObjectType) else self._several
        name = self._name("v")
        found = write(inner, details, source.named(name))
        if required:
            return replace(found, lines=[f"{name} = {source.value}", *found.lines])
        text = self._name("q")
        lines = [
            f"if ({name} := {source.value}) is None:",
            f"    {text} = 'null'",
            "else:",
            *_inside([*found.lines, f"{text} = {found.text()}"]),
        ]
        return _Written(lines, f"{{{text}}}")

    def _gap(self, kind: Any, details: FieldDetailsList, source: _Source) -> _Written:  # noqa: ANN401 - any output type
        """Return the place of a value that may have to be waited for."""
        if not self._may_wait:
            raise UnusualError
        self._waiting += 1
        self._private += 1
        # What came is remembered: it will be there yet when the plan asks.
        filling = self.place(kind, details, _Source("v", "given", "p"))
        function, text = self._name("w"), self._name("q")
        body = _inside([*filling.lines, f"return {filling.text()}"])
        self._made[function] = [f"def {function}(v, p):", *body]
        return _Written(
            [f"{text} = wait({source.value}, {function}, {source.path})"], f"{{{text}}}"
        )

    def _composite(
        self, kind: graphql.GraphQLObjectType, details: FieldDetailsList, source: _Source
    ) -> _Written:
        name, known = source.value, self._name("t", _own_class(kind))
        found = self._object(kind, details, name, source.path)
        check = f"if type({name}) is not {known}: {source.other}({name})"
        return replace(found, lines=[check, *found.lines])

    def _kept(self, parts: Sequence[_Part], name: str) -> _Part:
        """Return what is told of an object of a name beside it, having been told once.

        Whatever is asked beside that, it says the same by these partners on this day.
        """
        text, way = self._name("q"), self._name("k")
        self._ways.append(way)
        made = {begun: lines for one in parts for begun, lines in one.made.items()}
        late, made = self._late(made)
        lines = [
            f"if ({text} := {name}.texts.get({way})) is None:",
            f"    {_TICK}",
            *_inside(late),
            *_inside(chain.from_iterable(one.lines for one in parts)),
            f"    {text} = f'{','.join(one.piece for one in parts)}'",
            f"    {name}.texts.keep({way}, {text})",
        ]
        return _Part(lines, f"{{{text}}}", made, is_same=True, is_timed=True)

    def _late(self, made: _Making) -> tuple[Sequence[str], _Making]:
        """Return statements after which is there what is made for some object, and what is made.

        Where texts are kept it is seldom needed, so it is made the first time that it is.
        """
        if not made:
            return [], made
        names, begin = ", ".join(made), self._name("m")
        self._before.append(f"{' = '.join(made)} = None")
        lines = [f"nonlocal {names}", *chain.from_iterable(made.values())]
        begun: _Making = {begin: [f"def {begin}():", *_inside(lines)]}
        return [f"if {next(iter(made))} is None: {begin}()"], begun

    def _several(self, kind: Any, details: FieldDetailsList, source: _Source) -> _Written:  # noqa: ANN401 - a list, or an abstract type
        waiting = self._waiting
        write = self._list if graphql.is_list_type(kind) else self._abstract
        function = write(kind, details, source.other)
        path = f", {source.path}" if self._waiting > waiting else ""
        return _Written([], f"{{{function}({source.value}{path})}}")

    def _abstract(self, kind: Any, details: FieldDetailsList, other: str) -> str:  # noqa: ANN401 - an interface or a union
        waiting, bodies = self._waiting, []
        functions: dict[type, str] = {}
        for one in self._run.schema.get_possible_types(kind):
            own, function = _own_class(one), self._name("o")
            if functions.setdefault(own, function) != function:
                raise UnusualError
            found = self._object(one, details, "v", "p")
            bodies.append((function, _inside([*found.lines, f"return {found.text()}"])))
        path = ", p" if self._waiting > waiting else ""
        for function, body in bodies:
            self._made[function] = [f"def {function}(v{path}):", *body]
        table = ", ".join(f"{self._name('t', own)}: {one}" for own, one in functions.items())
        which, name = self._name("u"), self._name("n")
        self._made[which] = [f"{which} = {{{table}}}.get"]
        self._made[name] = [
            f"def {name}(v{path}):",
            f"    return ({which}(type(v)) or {other}(v))(v{path})",
        ]
        return name

    def _list(self, kind: graphql.GraphQLList[Any], details: FieldDetailsList, other: str) -> str:
        lists, waiting = self._lists, self._waiting
        item = self.place(kind.of_type, details, _Source("v", other, "(p, n)"))
        name = self._name("l")
        # The clock is looked at by what has lists inside, so that the innermost need not.
        tick = [_TICK] if self._lists > lists and not item.is_timed else []
        self._lists += 1
        waits = self._waiting > waiting
        self._made[name] = [
            f"def {name}(l, p):" if waits else f"def {name}(l):",
            f"    if type(l) is not list and type(l) is not tuple: {other}(l)",
            "    found = []",
            "    add = found.append",
            "    for n, v in enumerate(l):" if waits else "    for v in l:",
            *_inside(_inside([*tick, *item.lines, f"add({item.text()})"])),
            "    return '[' + ','.join(found) + ']'",
        ]
        return name

    def _object(
        self, kind: graphql.GraphQLObjectType, details: FieldDetailsList, name: str, path: str
    ) -> _Written:
        grouped = self._run.collect_subfields(kind, details).grouped_field_set
        keeps = "texts" in getattr(_own_class(kind), "__dataclass_fields__", ())
        return self.fields(kind, grouped, name, path, keeps=keeps)

    def fields(
        self,
        kind: graphql.GraphQLObjectType,
        grouped: GroupedFieldSet,
        name: str,
        path: str,
        *,
        keeps: bool = False,
    ) -> _Written:
        """Return what these fields of the object of a name come to, which has a path.

        Where it ``keeps`` how it was told, what it says to everybody is written once.
        """
        found = [
            part
            for key, details in grouped.items()
            if (part := self._part(kind, key, details, name, path))
        ]
        self._size += len(found)
        if self._size > _MOST_FIELDS:
            raise UnusualError
        parts: list[_Part] = []
        for is_same, several in groupby(found, lambda one: keeps and one.is_same):
            beside = list(several)
            # A leaf alone is written as quickly as it would be found.
            is_worth = is_same and not (len(beside) == 1 and beside[0].is_leaf)
            parts += [self._kept(beside, name)] if is_worth else beside
        for one in parts:
            self._made |= one.made
        return _Written(
            list(chain.from_iterable(one.lines for one in parts)),
            f"{{{{{','.join(one.piece for one in parts)}}}}}",
            is_timed=all(one.is_timed for one in parts),
        )

    def _part(
        self,
        kind: graphql.GraphQLObjectType,
        key: str,
        details: FieldDetailsList,
        name: str,
        path: str,
    ) -> _Part | None:
        """Return what one field comes to; None where there is no such field."""
        called = details[0].node.name.value
        definition = self._run.schema.get_field(kind, called)
        if definition is None:
            return None
        if definition is graphql.TypeNameMetaFieldDef:
            return _Part([], f'"{key}":"{kind.name}"', {}, is_same=True, is_leaf=True)
        varying, private, above = self._varying, self._private, self._made
        self._made = {}
        self._private += (kind.name, called) not in self._run.same
        known = plain(definition, self._run.schema)
        if known is None:
            raise UnusualError
        admitted = []
        if known.extensions:
            admitted = [f"admit({self._name('g', known.extensions)}, info.context)"]
        # What takes time by itself is asked for as often as there are names for it.
        tick = [_TICK] if said(definition)[0] > 1 else []
        source = self._source(known, definition, details, name, f'({path}, "{key}")')
        written = self.place(definition.type, details, source)
        made, self._made = self._made, above
        return _Part(
            [*admitted, *tick, *written.lines],
            f'"{key}":{written.piece}',
            made,
            is_same=varying == self._varying and private == self._private,
            is_leaf=graphql.is_leaf_type(graphql.get_nullable_type(definition.type)),
        )

    def _source(
        self,
        known: StrawberryField,
        definition: graphql.GraphQLField,
        details: FieldDetailsList,
        name: str,
        path: str,
    ) -> _Source:
        """Return where the value of a field of an object comes from.

        What an object has, it has yet when it is asked again.
        """
        resolver = known.base_resolver
        if resolver is None:
            return _Source(f"{name}.{known.python_name}", "given", path)
        given = self._given(known, definition, details)
        given |= {one.name: name for one in [resolver.self_parameter] if one}
        waits = may_wait(resolver)
        if resolver.info_parameter:
            info = self._info(details, path if waits else None)
            given[resolver.info_parameter.name] = info
        # By position, which is the quickest way to call a function.
        said = [given[one] for one in resolver.signature.parameters]
        call = f"{self._name('f', resolver.wrapped_func)}({', '.join(said)})"
        return _Source(call, path=path, waits=waits)

    def _info(self, details: FieldDetailsList, path: str | None) -> str:
        """Return what a resolver is told of the field that it resolves, with its path if asked."""
        nodes, below = to_nodes(details), "None"
        if any(one.selection_set for one in nodes):
            below = self._name("b", Below(nodes, self._run.fragment_definitions))
        elif path is None:
            return "info"
        if path is not None:
            return f"Info(info.context, {below}, {path})"
        name = self._name("i")
        self._made[name] = [f"{name} = Info(info.context, {below})"]
        return name

    def _given(
        self, known: StrawberryField, definition: graphql.GraphQLField, details: FieldDetailsList
    ) -> dict[str, str]:
        """Return the names of a resolver's arguments, by the resolver's own."""
        resolver: Any = known.base_resolver
        names = {
            one.name: self._name("d", one.default)
            for one in resolver.signature.parameters.values()
            if one.default is not one.empty
        }
        for part in self._arguments.parts(known, definition, details):
            if part.read is None:
                names[part.key] = self._name("d", part.value)
                continue
            self._varying += 1
            # Where nothing is given, the resolver has a value of its own, or there is none.
            otherwise = f", {names[part.key]}" if part.key in names else ""
            name, reader = self._name("a"), self._name("r", part.read)
            read = f"{name} = {reader}(variables{otherwise})"
            if part.variable is not None:
                read = f'if ({name} := variables.get("{part.variable}")) is None: {read}'
            self._before.append(read)
            names[part.key] = name
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
    found = orjson.dumps(text).decode("latin-1")
    if len(found) <= _LONGEST_QUOTED:
        if len(_QUOTED) >= _MOST_QUOTED:
            _QUOTED.clear()
        _QUOTED[text] = found
    return found


def _inside(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def plain(
    definition: graphql.GraphQLField, schema: graphql.GraphQLSchema
) -> StrawberryField | None:
    """Return strawberry's own of a field, if nothing stands around its resolver but gates."""
    known = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if type(known) is not StrawberryField or not all(map(_is_gate, known.extensions)):
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


def _is_gate(extension: object) -> bool:
    """Say whether an extension only lets pass or raises, by what the query's context says."""
    return hasattr(extension, "admit")


def _admit(gates: Sequence[Any], context: object) -> None:
    for gate in gates:
        gate.admit(context)


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
        if is_absent or isinstance(value, Exception) or optimized_is_awaitable(value):
            other(value)
        return orjson.dumps(complete(kind, value)).decode("latin-1")

    return completed


def _given(_: _Value) -> NoReturn:
    """Meet a value that should not be where the function was given it: the plan has it yet."""
    raise UnusualError


def _other(value: _Value) -> NoReturn:
    """Meet a value that should not be where a resolver put it, which is asked again."""
    if inspect.iscoroutine(value):
        value.close()
    raise UnusualError

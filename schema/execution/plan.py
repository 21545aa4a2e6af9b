"""How a query runs: what a document asks for is worked out once, then only called.

graphql-core looks every field up, describes it and checks it anew for each object. A plan keeps
what that comes to: for each place in a document the fields to call, how, and what to make of what
they return. Only the common case is planned. What is out of the ordinary (an extension, an
asynchronous resolver, a class that is not the type's own, a value that is no list where a list is
due) is left, call by call, to graphql-core's own methods on the same executor, and so is every
error. That is why an answer is the same either way, its errors and their order included.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import CoroutineType
from typing import Any, ClassVar

import graphql
import strawberry
from graphql.execution import executor, values
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.pyutils import Path, Undefined, gather_with_cancel
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import CustomGraphQLEnumType, GraphQLCoreConverter
from strawberry.types.cast import get_strawberry_type_cast
from strawberry.types.field import StrawberryField

from models import turns
from schema.execution import compiled
from schema.execution.argument import Arguments
from schema.execution.below import Below
from schema.execution.compiled import may_wait, plain
from schema.execution.pace import Pace
from schema.execution.reading import Prepared
from schema.execution.tracing import Recorder
from schema.execution.waiting import UnusualError, Waits

_Value = Any  # what a resolver returned
_Done = Any  # what it comes to in the answer, or a coroutine of that

#: Completes a value in a place: the executor, the value, the path before the place, its last key.
_Complete = Callable[["Executor", _Value, Path | None, str | int], _Done]
#: Calls a field: the executor, the object it is a field of, the object's path.
_Resolve = Callable[["Executor", _Value, Path | None], _Value]

_MOST_PLANS = 64
_MOST_FIELDS = 10_000  # a planned field takes some 1.4 KB

#: Scalars that leave a value of exactly this class as it is.
_PLAIN: dict[object, type] = {
    graphql.GraphQLBoolean: bool,
    graphql.GraphQLID: str,
    graphql.GraphQLString: str,
}


class Executor(StrawberryGraphQLCoreExecutionContext, compiled.Planner):
    """Runs queries by plan, and everything else as graphql-core does."""

    plans: ClassVar[Plans]
    #: How long an operation may take.
    seconds: ClassVar[float] = math.inf
    #: Whether parts of the data may be JSON.
    as_text = False
    #: Whether so much is asked that compiling it pays at once.
    is_large = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - graphql-core's
        super().__init__(*args, **kwargs)
        # They depend on the variables alone, so all objects of one request share them.
        self.arguments: dict[_Field, dict[str, Any]] = {}
        self._functions: dict[compiled.Unit, compiled.Made] = {}
        #: What a compiled run has met before this one, which has no gaps.
        self.waits = Waits()

    @cached_property
    def pace(self) -> Pace:
        """The pace of the operation, where it is given none."""
        return Pace.of(self.seconds)

    @classmethod
    def performed(  # noqa: PLR0913 - what is seldom said is said by name
        cls,
        schema: graphql.GraphQLSchema,
        prepared: Prepared,
        variables: dict[str, Any],
        context: object,
        root: object = None,
        *,
        read: dict[str, _Value],
        as_text: bool = False,
        is_large: bool = False,
        recorder: Recorder | None = None,
    ) -> Any:  # noqa: ANN401 - a result, or a coroutine of one
        """Return an operation's result, or a coroutine of it.

        Its variables are as they are given, and as they were ``read``. Where it is to be a text at
        last, ``as_text``, parts of the data may be JSON. What is asked for the first time is
        compiled where so much is asked, ``is_large``, that it pays at once. What is recorded runs
        field by field, as graphql-core has it.
        """
        plan = None if recorder else cls.plans.known(prepared.node, read)
        pace = Pace.of(cls.seconds)

        def run(waits: Waits) -> Any:  # noqa: ANN401 - a result, or a coroutine of one
            one = cls(
                schema,
                prepared.definitions,
                prepared.fragments,
                root,
                context,
                prepared.node,
                prepared.variables.values(variables, read),
                executor.default_field_resolver,
                executor.default_type_resolver,
                executor.default_field_resolver,
                middleware_manager=graphql.MiddlewareManager(recorder) if recorder else None,
                is_awaitable=optimized_is_awaitable,
                hide_suggestions=True,
            )
            one.as_text, one.is_large, one.waits, one.pace = as_text, is_large, waits, pace
            done = one.execute_operation() if plan is None else one._by(plan)
            if type(done) is not CoroutineType:
                # They know the executor, which would be left in a cycle with all that it saw.
                del one.async_helpers
            return done

        unit = plan.unit if as_text and plan is not None else None
        if unit is None:
            return run(Waits())
        # Most that is asked again needs no executor.
        light = _Light(context, read, pace)
        return _lightly(light, unit, root, run, _told)

    @property
    def variables(self) -> Mapping[str, _Value]:
        """The variables as GraphQL reads them."""
        return self.variable_values.coerced

    def _by(self, plan: _Plan) -> Any:  # noqa: ANN401 - a result, or a coroutine of one
        try:
            data = plan.executed(self, self.root_value)
        except graphql.GraphQLError as error:
            return self._failed(error)
        return self._later(data) if type(data) is CoroutineType else self.build_response(data)

    async def _later(self, data: _Done) -> Any:  # noqa: ANN401 - a result
        try:
            return self.build_response(await data)
        except graphql.GraphQLError as error:
            return self._failed(error)

    def _failed(self, error: graphql.GraphQLError) -> Any:  # noqa: ANN401 - a result
        self.collected_errors.add(error, None)
        return self.build_response(None)

    def execute_root_grouped_field_set(
        self,
        root_type: graphql.GraphQLObjectType,
        root_value: _Value,
        grouped_field_set: GroupedFieldSet,
        serially: bool,
        position_context: Any,  # noqa: ANN401 - graphql-core's
    ) -> Any:  # noqa: ANN401 - graphql-core's
        """Run the operation by its plan where it can have one."""
        if not self._may_be_planned():
            return super().execute_root_grouped_field_set(
                root_type, root_value, grouped_field_set, serially, position_context
            )
        plan = self.plans.of(self, root_type, grouped_field_set)
        return plan.executed(self, root_value)

    def function(self, unit: compiled.Unit) -> compiled.Made:
        """Return the function of a compiled selection, with the arguments of this run."""
        if unit not in self._functions:
            self._functions[unit] = unit.of(self)
        return self._functions[unit]

    def execute_fields(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - graphql-core's
        """Run the fields of one object that is not planned."""
        self.pace.tick()
        return super().execute_fields(*args, **kwargs)

    def _may_be_planned(self) -> bool:
        return (
            self.operation.operation is graphql.OperationType.QUERY
            and self.abort_signal is None
            and not (self.middleware_manager and self.middleware_manager.middlewares)
            and not any(one.variable_signatures for one in self.fragments.values())
        )


class Plans:
    """The plans used last, in bounded number and size, whatever documents are sent.

    A plan holds for an operation and the values of its boolean variables, as only these can skip
    or include a field. It grows as objects of new types come to be completed.
    """

    def __init__(self, most: int = _MOST_PLANS, most_fields: int = _MOST_FIELDS) -> None:
        self._most = most
        self._most_fields = most_fields
        self._plans: dict[tuple[object, ...], _Plan] = {}
        self._arguments: tuple[graphql.GraphQLSchema, Arguments] | None = None

    def __len__(self) -> int:
        return len(self._plans)

    @property
    def fields(self) -> int:
        """How many fields all plans have together."""
        return sum(plan.size for plan in self._plans.values())

    def arguments(self, schema: graphql.GraphQLSchema) -> Arguments:
        """Return what makes arguments of what GraphQL reads, by a schema of strawberry's."""
        if self._arguments is None or self._arguments[0] is not schema:
            own: strawberry.Schema = schema._strawberry_schema  # type: ignore[attr-defined]  # noqa: SLF001 - strawberry's mark
            self._arguments = schema, Arguments(own)
        return self._arguments[1]

    def known(
        self, operation: graphql.OperationDefinitionNode, variables: Mapping[str, _Value]
    ) -> _Plan | None:
        """Return the plan of an operation that was planned and is to be run again as it is."""
        key = _key(operation, variables)
        plan = self._plans.pop(key, None)
        if plan is not None:
            # The last used is the last to go; and what is asked again is worth compiling.
            self._plans[key] = plan
            plan.is_warm = True
        return plan

    def of(self, run: Executor, kind: graphql.GraphQLObjectType, grouped: GroupedFieldSet) -> _Plan:
        """Return the plan of an operation."""
        plan = self.known(run.operation, run.variables)
        if plan is None:
            plan = self._plans[_key(run.operation, run.variables)] = _Plan(run, kind, grouped)
        while len(self) > self._most or (len(self) > 1 and self.fields > self._most_fields):
            del self._plans[next(iter(self._plans))]
        return plan


def _key(
    operation: graphql.OperationDefinitionNode, variables: Mapping[str, _Value]
) -> tuple[object, ...]:
    """Return what a plan depends on: only boolean variables can skip or include a field."""
    if bool not in map(type, variables.values()):
        return (id(operation),)
    return (id(operation), *(pair for pair in variables.items() if type(pair[1]) is bool))


class _Light:
    """What a compiled operation needs of an executor, which is not made for it."""

    __slots__ = ("_waits", "context_value", "pace", "variables")

    def __init__(self, context: object, variables: Mapping[str, _Value], pace: Pace) -> None:
        self.context_value = context
        self.variables = variables
        self.pace = pace
        self._waits: Waits | None = None

    @property
    def waits(self) -> Waits:
        """What it waits for; most waits for nothing."""
        if self._waits is None:
            self._waits = Waits()
        return self._waits


def _lightly(
    light: compiled.Run,
    unit: compiled.Unit,
    root: object,
    run: Callable[[Waits], Any],
    told: Callable[[str], Any],
) -> Any:  # noqa: ANN401 - a result, or a coroutine of one
    """Return what is ``told`` by a compiled operation, or by ``run`` where it meets the unusual."""
    try:
        text = unit.of(light)(root)
    except UnusualError as wrong:
        unit.met(wrong)
        done = run(light.waits)
        if type(done) is CoroutineType:
            return _ended(done, light.waits)
        light.waits.drop()
        return done
    if unit.waits and light.waits:
        return _waited(light.waits, unit, text, run, told)
    return told(text)


async def _ended(done: CoroutineType[Any, Any, Any], waits: Waits) -> Any:  # noqa: ANN401 - a result
    try:
        return await done
    finally:
        await waits.end()


async def _waited(
    waits: Waits,
    unit: compiled.Unit,
    text: str,
    run: Callable[[Waits], Any],
    told: Callable[[str], Any],
) -> Any:  # noqa: ANN401 - a result
    try:
        try:
            return told(await waits.filled(text))
        except UnusualError as wrong:
            unit.met(wrong)
        except Exception:  # noqa: BLE001, S110 - what a resolver raised is told by the plan
            pass
        done = run(waits)
        return await done if type(done) is CoroutineType else done
    finally:
        await waits.end()


def _told(text: str) -> graphql.ExecutionResult:
    data: Any = compiled.sent(text)
    return graphql.ExecutionResult(data, None)


class _Plan:
    """How one operation runs. It keeps the operation alive, whose identity is its key."""

    def __init__(
        self, run: Executor, kind: graphql.GraphQLObjectType, grouped: GroupedFieldSet
    ) -> None:
        self.operation = run.operation
        self.size = 0
        #: Whether it is worth compiling: it was asked for again, or is large.
        self.is_warm = run.is_large
        self._grouped = kind, grouped
        self._fields: Sequence[_Field] = ()
        self._unit: compiled.Unit | None = None
        self._was_tried = False

    @property
    def unit(self) -> compiled.Unit | None:
        """The function for the whole operation, unless there is none that is worth trying."""
        return None if self._unit is None or self._unit.gave_up else self._unit

    def executed(self, run: Executor, root: object) -> _Done:
        """Return what the operation comes to; a coroutine if that is still awaited."""

        def by_fields(_: Waits) -> _Done:
            if not self._fields:
                self._fields = _fields(self, run, *self._grouped)
            return _executed(run, self._fields, root, None)

        if self._was_tried or not (run.as_text and self.is_warm):
            return by_fields(run.waits)
        self._was_tried = True
        self._unit = compiled.root(run, *self._grouped, run.plans.arguments(run.schema))
        if self._unit is None:
            return by_fields(run.waits)
        self.size += self._unit.size
        turns.breathe()
        return _lightly(run, self._unit, root, by_fields, compiled.sent)


class _Field:
    """A field of one object type in one place of a document."""

    __slots__ = (
        "below", "definition", "details", "key", "nodes", "parent", "place", "plan", "resolve"
    )  # fmt: skip

    def __init__(
        self,
        plan: _Plan,
        run: Executor,
        parent: graphql.GraphQLObjectType,
        key: str,
        definition: graphql.GraphQLField,
        details: FieldDetailsList,
    ) -> None:
        self.plan = plan
        self.parent = parent
        self.key = key
        self.definition = definition
        self.details = details
        self.nodes = executor.to_nodes(details)
        self.below: Below | None = None
        self.resolve = _resolver(self, run)
        self.place = _Place(self, definition.type, parent.name)

    def executed(self, run: Executor, source: object, path: Path | None) -> _Done:
        """Return what the field comes to on an object; a coroutine if that is still awaited."""
        try:
            value = self.resolve(run, source, path)
        except Exception as error:  # noqa: BLE001 - it is raised again where the value is completed
            value = error
        return self.place.filled(run, value, path, self.key)

    def info(self, run: Executor, path: Path | None) -> graphql.GraphQLResolveInfo[Any]:
        """Return what graphql-core tells a resolver; the path may lead to an item of its list."""
        while path is not None and isinstance(path.key, int):
            path = path.prev
        return run.build_resolve_info(self.definition, self.nodes, self.parent, path)  # type: ignore[arg-type]  # a field has a path

    def raw_arguments(self, run: Executor) -> dict[str, Any]:
        """Return the arguments as GraphQL reads them."""
        return _raw_arguments(run, self.definition, self.details)


class _Place:
    """A place for a value of one type: a field of an object, or an item of a list."""

    __slots__ = ("complete", "field", "kind", "plain", "typename")

    def __init__(
        self, field: _Field, kind: graphql.GraphQLOutputType, typename: str | None
    ) -> None:
        self.field = field
        self.kind = kind
        self.typename = typename
        self.plain = _PLAIN.get(graphql.get_nullable_type(kind))
        self.complete = _quick(self, _completer(self, kind))

    def path(self, prev: Path | None, key: str | int) -> Path:
        return Path(prev, key, self.typename)

    def filled(self, run: Executor, value: object, prev: Path | None, key: str | int) -> _Done:
        """Return what a value comes to here; a coroutine if that is still awaited."""
        if type(value) is self.plain:
            return value
        try:
            if run.is_awaitable(value):
                return self._later(run, value, prev, key)
            done = self.complete(run, value, prev, key)
        except Exception as error:  # noqa: BLE001 - every failure is an error of the answer
            return self._failed(run, error, prev, key)
        return self._guarded(run, done, prev, key) if type(done) is CoroutineType else done

    async def _later(
        self, run: Executor, value: _Value, prev: Path | None, key: str | int
    ) -> _Done:
        try:
            done = self.complete(run, await value, prev, key)
            return await done if type(done) is CoroutineType else done
        except Exception as error:  # noqa: BLE001 - every failure is an error of the answer
            return self._failed(run, error, prev, key)

    async def _guarded(
        self, run: Executor, done: _Done, prev: Path | None, key: str | int
    ) -> _Done:
        try:
            return await done
        except Exception as error:  # noqa: BLE001 - every failure is an error of the answer
            return self._failed(run, error, prev, key)

    def _failed(self, run: Executor, error: Exception, prev: Path | None, key: str | int) -> None:
        """Note the error where the place may be null; else raise it, for what is around it."""
        run.handle_field_error(error, self.kind, self.field.details, self.path(prev, key))


def _fields(
    plan: _Plan, run: Executor, kind: graphql.GraphQLObjectType, grouped: GroupedFieldSet
) -> Sequence[_Field]:
    found = []
    for key, details in grouped.items():
        definition = run.schema.get_field(kind, details[0].node.name.value)
        if definition:
            found.append(_Field(plan, run, kind, key, definition, details))
    plan.size += len(found)
    return found


def _executed(run: Executor, fields: Sequence[_Field], source: object, path: Path | None) -> _Done:
    run.pace.tick()
    results: dict[str, Any] = {}
    waiting: list[str] = []
    try:
        for field in fields:
            done = results[field.key] = field.executed(run, source, path)
            if type(done) is CoroutineType:
                waiting.append(field.key)
    except Exception:
        if waiting:
            run.settle_in_background([results[key] for key in waiting])
        raise
    return _awaited(results, waiting) if waiting else results


async def _awaited(results: _Done, waiting: Sequence[Any]) -> _Done:
    """Return the results once those that are waited for are there, side by side."""
    if len(waiting) == 1:
        results[waiting[0]] = await results[waiting[0]]
    else:
        done = await gather_with_cancel(*(results[key] for key in waiting))
        for key, value in zip(waiting, done, strict=True):
            results[key] = value
    return results


# How fields are called.


def _resolver(field: _Field, run: Executor) -> _Resolve:
    if field.definition is graphql.TypeNameMetaFieldDef:
        name = field.parent.name
        return lambda _run, _source, _path: name
    known = plain(field.definition, run.schema)
    if known is None:
        return _as_ever(field)
    if known.base_resolver is None:
        name = known.python_name
        return lambda _run, source, _path: getattr(source, name)
    return _called(field, known)


def _as_ever(field: _Field) -> _Resolve:
    def resolve(run: Executor, source: object, path: Path | None) -> _Value:
        info = field.info(run, field.place.path(path, field.key))
        call = field.definition.resolve or run.field_resolver
        return call(source, info, **field.raw_arguments(run))

    return resolve


def _called(field: _Field, known: Any) -> _Resolve:  # noqa: ANN401 - a field with a resolver
    resolver = known.base_resolver
    call = resolver.wrapped_func
    gates = [gate.admit for gate in known.extensions]
    waits = may_wait(resolver)
    takes_self = bool(resolver.self_parameter)
    info_name = resolver.info_parameter and resolver.info_parameter.name

    def called(run: Executor, source: object, path: Path | None) -> _Value:
        arguments = run.arguments.get(field)
        if arguments is None:
            arguments = _read(run, known, field.definition, field.details)
            run.arguments[field] = arguments
        if info_name:
            arguments = {**arguments, info_name: _Info(run, field, known, path)}
        return call(source, **arguments) if takes_self else call(**arguments)

    def resolve(run: Executor, source: object, path: Path | None) -> _Value:
        for admit in gates:
            admit(run.context_value)
        if not waits:
            return called(run, source, path)
        place = field.place.path(path, field.key)
        return run.waits.again(place, lambda: called(run, source, path))

    return resolve


def _read(
    run: Any,  # noqa: ANN401 - an executor
    known: StrawberryField,
    definition: graphql.GraphQLField,
    details: FieldDetailsList,
) -> dict[str, Any]:
    """Return the arguments of a field as its resolver takes them."""
    if not definition.args:
        return {}
    arguments: Arguments = run.plans.arguments(run.schema)
    return arguments.taken(known, _raw_arguments(run, definition, details))


def _raw_arguments(
    run: Executor, definition: graphql.GraphQLField, details: FieldDetailsList
) -> dict[str, Any]:
    node, _, variables = details[0]
    if not definition.args and not node.arguments:
        return {}
    return values.get_argument_values(
        definition, node, run.variable_values, variables, run.hide_suggestions
    )


class _Info(strawberry.Info[Any, Any]):
    """Strawberry's info, whose graphql-core half is made when a resolver asks for any of it."""

    def __init__(
        self, run: Executor, planned: _Field, known: StrawberryField, path: Path | None
    ) -> None:
        self._run = run
        self._planned = planned
        self._field = known
        self._above = path

    @cached_property
    def _raw_info(self) -> graphql.GraphQLResolveInfo[Any]:  # type: ignore[override]  # made late
        planned = self._planned
        return planned.info(self._run, planned.place.path(self._above, planned.key))

    @property
    def context(self) -> Any:  # noqa: ANN401 - strawberry's signature
        return self._run.context_value

    def named(self, *places: str) -> frozenset[str]:
        """Return the names of the fields that are asked of what the field returns."""
        planned = self._planned
        if planned.below is None:
            planned.below = Below(planned.nodes, self._run.fragment_definitions)
        return planned.below.names(*places)


# What is made of what they return.


def _quick(place: _Place, complete: _Complete) -> _Complete:
    """Return what completes values by a compiled function, where the place can have one."""
    if graphql.is_leaf_type(graphql.get_named_type(place.kind)):
        return complete
    plan = place.field.plan
    unit: compiled.Unit | None = None
    was_tried = False

    def quickly(run: Executor, value: object, prev: Path | None, key: str | int) -> _Done:
        nonlocal unit, was_tried
        if not run.as_text or not plan.is_warm or value is None:
            return complete(run, value, prev, key)
        if not was_tried:
            was_tried = True
            arguments = run.plans.arguments(run.schema)
            unit = compiled.unit(run, place.kind, place.field.details, arguments)
            plan.size += unit.size if unit else 0
        if unit is None or unit.gave_up:
            place.complete = complete
            return complete(run, value, prev, key)
        try:
            return compiled.sent(run.function(unit)(value))
        except UnusualError as wrong:
            unit.met(wrong)
            return complete(run, value, prev, key)

    return quickly


def _completer(place: _Place, kind: graphql.GraphQLOutputType) -> _Complete:
    if graphql.is_non_null_type(kind):
        return _required(place, kind.of_type)
    if graphql.is_list_type(kind):
        return _list(place, kind)
    if isinstance(kind, CustomGraphQLEnumType):
        return _enum(kind)
    if graphql.is_leaf_type(kind):
        return _leaf(kind)
    if graphql.is_object_type(kind):
        return _object(place, kind)
    return _abstract(place, kind)


def _is_absent(value: object) -> bool:
    """Say whether there is no value; raise it where a resolver returned an exception."""
    if isinstance(value, Exception):
        raise value
    return value is None or value is Undefined


def _required(place: _Place, kind: Any) -> _Complete:  # noqa: ANN401 - any nullable type
    complete_nullable = _completer(place, kind)
    name = f"{place.field.parent}.{place.field.nodes[0].name.value}"

    def complete(run: Executor, value: object, prev: Path | None, key: str | int) -> _Done:
        done = complete_nullable(run, value, prev, key)
        if done is None:
            raise TypeError(f"Cannot return null for non-nullable field {name}.")
        return done

    return complete


def _leaf(kind: Any) -> _Complete:  # noqa: ANN401 - a scalar, or an enum of introspection
    def complete(run: Executor, value: object, _prev: Path | None, _key: str | int) -> _Done:
        return None if _is_absent(value) else run.complete_leaf_value(kind, value)

    return complete


def _enum(kind: CustomGraphQLEnumType) -> _Complete:
    names: dict[str, str] = {}
    complete_other = _leaf(kind)

    def complete(run: Executor, value: _Value, prev: Path | None, key: str | int) -> _Done:
        if type(value) is not kind.wrapped_cls:
            return complete_other(run, value, prev, key)
        if value.name not in names:
            names[value.name] = run.complete_leaf_value(kind, value)
        return names[value.name]

    return complete


def _list(place: _Place, kind: graphql.GraphQLList[Any]) -> _Complete:
    field = place.field
    fill = _Place(field, kind.of_type, None).filled

    def complete(run: Executor, value: _Value, prev: Path | None, key: str | int) -> _Done:
        if value is None:
            return None
        path = place.path(prev, key)
        if type(value) is not list and type(value) is not tuple:
            info = field.info(run, path)
            return run.complete_value(kind, field.details, info, path, value, None)
        results: list[Any] = []
        waiting: list[int] = []
        try:
            for index, item in enumerate(value):
                done = fill(run, item, path, index)
                if type(done) is CoroutineType:
                    waiting.append(index)
                results.append(done)
        except Exception:
            run.track_async_work(
                [*(results[index] for index in waiting), *value[len(results) + 1 :]]
            )
            raise
        return _awaited(results, waiting) if waiting else results

    return complete


def _abstract(place: _Place, kind: Any) -> _Complete:  # noqa: ANN401 - an interface or a union
    field = place.field
    known: dict[str, _Complete] = {}

    def complete(run: Executor, value: object, prev: Path | None, key: str | int) -> _Done:
        if _is_absent(value):
            return None
        info = field.info(run, place.path(prev, key))
        name = (kind.resolve_type or run.type_resolver)(value, info, kind)
        if run.is_awaitable(name):
            return named_later(run, value, prev, key, info, name)
        return named(run, value, prev, key, info, name)

    def named(
        run: Executor,
        value: _Value,
        prev: Path | None,
        key: str | int,
        info: graphql.GraphQLResolveInfo[Any],
        name: object,
    ) -> _Done:
        found = run.ensure_valid_runtime_type(name, kind, field.details, info, value)
        if found.name not in known:
            known[found.name] = _object(place, found)
        return known[found.name](run, value, prev, key)

    async def named_later(
        run: Executor,
        value: _Value,
        prev: Path | None,
        key: str | int,
        info: graphql.GraphQLResolveInfo[Any],
        name: _Value,
    ) -> _Done:
        done = named(run, value, prev, key, info, await name)
        return await done if type(done) is CoroutineType else done

    return complete


def _object(place: _Place, kind: graphql.GraphQLObjectType) -> _Complete:
    field = place.field
    definition = kind.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    own = definition.origin if definition and not definition.is_type_of else None
    fields: Sequence[_Field] | None = None

    def complete(run: Executor, value: object, prev: Path | None, key: str | int) -> _Done:
        nonlocal fields
        if _is_absent(value):
            return None
        path = place.path(prev, key)
        if kind.is_type_of and (type(value) is not own or get_strawberry_type_cast(value)):
            info = field.info(run, path)
            return run.complete_object_value(kind, field.details, info, path, value, None)
        if fields is None:
            grouped = run.collect_subfields(kind, field.details).grouped_field_set
            fields = _fields(field.plan, run, kind, grouped)
        return _executed(run, fields, value, path)

    return complete

"""Makes graphql-core's own tests judge the hub's executor: each of them runs in two turns.

``first``: each operation is asked for the first time, and runs by a plan. ``again``: each is as one
that was asked before and goes the way that a request goes, so whatever can be compiled is. Only
fields of strawberry's are compiled; so in this turn graphql-core's own are lent as much of it as
that takes.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import inspect
import tomllib
import weakref
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import graphql
import orjson
import pytest
from graphql import execution
from graphql.execution import collect_fields, executor
from graphql.pyutils.is_awaitable import is_async_iterable
from strawberry.types.graphql import OperationType

from schema.execution import argument, caching, compiled, plan, reading, variable

execute = importlib.import_module("graphql.execution.execute")  # a function has the same name

TURNS = ("first", "again")
UNFIT = Path(__file__).with_name("unfit.toml")
#: The turn of the test that runs, and how often a compiled function came to an answer.
now = SimpleNamespace(turn="", called=0)
_plans: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def _of_schema(schema):
    """Return the plans of a schema; in the hub an executor knows but one."""
    return _plans.setdefault(schema, {}).setdefault(now.turn, plan.Plans())


class Lent(argument.Arguments):
    """The arguments of fields of graphql-core: resolvers take them as they were read."""

    def __init__(self):
        """There is no schema of strawberry's."""

    def of(self, field):
        return field.arguments


LENT = Lent()


class Plans(plan.Plans):
    """The plans of all schemas; where everything is asked again, each is compiled whole."""

    def arguments(self, schema):  # noqa: ARG002 - as the plans have it
        return LENT

    def known(self, operation, variables):
        return self.of_schema.known(operation, variables)

    def of(self, run, kind, grouped):
        self.of_schema = _of_schema(run.schema)
        found = self.of_schema.of(run, kind, grouped)
        if now.turn == "again" and run.is_usual and not found.is_warm:
            found.is_warm = found._was_tried = True
            found._unit = compiled.root(run, kind, grouped, LENT)
        return found


class Executor(plan.Executor):
    """The hub's executor."""

    plans = Plans()
    given = None

    @classmethod
    def build(cls, schema, document, root_value=None, context_value=None, *rest, **named):
        made = super().build(schema, document, root_value, context_value, *rest, **named)
        if isinstance(made, Executor):
            made.given = rest[0] if rest else named.get("variable_values")
        return made

    @property
    def is_usual(self):
        """Whether it was given nothing that the hub gives to none."""
        given = (self.field_resolver, self.type_resolver, self.middleware_manager, self.hooks)
        usual = (executor.default_field_resolver, executor.default_type_resolver, None, None)
        by_default = self.is_async_iterable in (
            is_async_iterable,
            execute.assume_not_async_iterable,
        )
        return given == usual and self.abort_signal is None and by_default

    def execute_operation(self, serially=None):
        kind = self.schema.get_root_type(self.operation.operation)
        if now.turn != "again" or not self.is_usual or not self._may_be_planned() or not kind:
            return super().execute_operation(serially)
        with contextlib.suppress(RecursionError, graphql.GraphQLError):
            found = collect_fields.collect_fields(
                self.schema,
                self.fragments,
                self.variable_values,
                kind,
                self.operation,
                hide_suggestions=False,
            )
            self.plans.of(self, kind, found.grouped_field_set)
        sort = self.operation.operation.value
        prepared = reading.Prepared(
            self.operation, OperationType(sort), sort, self.fragments, self.fragment_definitions,
            None, caching.PRIVATE, variable.Variables(self.schema, self.operation),
        )  # fmt: skip
        given = self.given or {}
        read = prepared.variables.read(given)
        done = Requested.performed(
            self.schema, prepared, given, self.context_value, self.root_value,
            read=read, as_text=True,
        )  # fmt: skip
        return _later(done) if inspect.iscoroutine(done) else _read(done)


def _read(result):
    """Return a result whose data is no text in any part."""
    if b"Fragment" in repr(result.data).encode():
        result.data = orjson.loads(orjson.dumps(result.data))
    return result


async def _later(result):
    return _read(await result)


class Requested(Executor):
    """The same, asked by a request."""

    def execute_operation(self, serially=None):
        return plan.Executor.execute_operation(self, serially)


class _Lent:
    """As much of strawberry's field as compiled functions ask for, of a field of graphql-core."""

    extensions = ()

    def __init__(self, name, definition):
        names = [one.out_name or key for key, one in definition.args.items()]
        call = definition.resolve or functools.partial(_attribute, name)

        def resolve(source, info, *given):
            said = zip(names, given, strict=True)
            return call(source, info, **{key: one for key, one in said if one is not _ABSENT})

        own, info = (inspect.Parameter(f"_{one}", _PLAIN) for one in ("source", "info"))
        more = [inspect.Parameter(one, _PLAIN, default=_ABSENT) for one in names]
        self.arguments = {
            key: (name, lambda value: value)
            for key, name in zip(definition.args, names, strict=True)
        }
        self.base_resolver = SimpleNamespace(
            wrapped_func=resolve,
            is_async=inspect.iscoroutinefunction(definition.resolve),
            self_parameter=own,
            info_parameter=info,
            signature=SimpleNamespace(parameters={one.name: one for one in (own, info, *more)}),
        )


_ABSENT = object()
_PLAIN = inspect.Parameter.POSITIONAL_OR_KEYWORD


def _attribute(name, source, info, **arguments):
    is_mapping = isinstance(source, Mapping)
    value = source.get(name) if is_mapping else getattr(source, name, None)
    value = value(info, **arguments) if callable(value) else value
    # What an object has is not to be used up: unlike what a resolver makes, it has it but once.
    held = value if isinstance(value, list | tuple) else [value]
    if not callable(value) and any(map(inspect.isawaitable, held)):
        raise compiled.UnusualError
    return value


def _lend(monkeypatch):
    plain, own_class, as_ever = compiled.plain, compiled._own_class, plan._as_ever
    names = weakref.WeakKeyDictionary()

    def lent(definition, schema):
        if now.turn != "again":
            return plain(definition, schema)
        if schema not in names:
            names[schema] = {
                id(field): name
                for kind in schema.type_map.values()
                for name, field in getattr(kind, "fields", {}).items()
            }
        name = names[schema].get(id(definition))
        return _Lent(name, definition) if name else None

    def once(field):
        resolve = as_ever(field)

        def resolved(run, source, path):
            place = field.place.path(path, field.key)
            return run.waits.again(place, lambda: resolve(run, source, path))

        return resolved

    def own(kind):
        return dict if now.turn == "again" and kind.is_type_of is None else own_class(kind)

    monkeypatch.setattr(compiled, "plain", lent)
    monkeypatch.setattr(plan, "_as_ever", once)
    monkeypatch.setattr(compiled, "_own_class", own)


def _count(monkeypatch):
    of = compiled.Unit.of

    def counted(self, run):
        made = of(self, run)

        def call(value):
            done = made(value)
            now.called += 1
            return done

        return call

    monkeypatch.setattr(compiled.Unit, "of", counted)


def pytest_configure(config):
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    for module in (graphql, execution):
        patch.setattr(module, "Executor", Executor)
    for name in ("IncrementalExecutor", "ExecutorThrowingOnIncremental"):
        patch.setattr(execute, name, Executor)
    _lend(patch)
    _count(patch)


def pytest_collection_modifyitems(items):
    unfit = {
        f"{test}[{turn}": reason
        for turns, tests in tomllib.loads(UNFIT.read_text()).items()
        for turn in turns.split(", ")
        for test, reason in tests.items()
    }
    for item in items:
        name = item.nodeid.removeprefix("tests/execution/")
        for start, reason in unfit.items():
            if name.startswith(start):
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


def pytest_collection_finish():
    # Many of the tests collect garbage; the hub itself is none.
    gc.freeze()


@pytest.fixture(autouse=True, params=TURNS)
def turn(request):
    now.turn = request.param


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"compiled functions called: {now.called}")

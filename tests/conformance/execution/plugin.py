"""Makes graphql-core's own tests judge the hub's executor: each of them runs in two turns.

``first``: each operation is asked for the first time, and runs by a plan. ``again``: each is as one
that was asked before and goes the way that a request goes, so whatever can be compiled is. Only
fields of strawberry's are compiled; so in this turn graphql-core's own are lent as much of it as
that takes.
"""

from __future__ import annotations

import importlib
import inspect
import weakref
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import graphql
import pytest
from graphql import execution
from graphql.execution import collect_fields, executor
from strawberry.types.graphql import OperationType

from schema.execution import caching, compiled, plan, reading

TURNS = ("first", "again")
UNFIT = Path(__file__).with_name("unfit.txt")
#: The turn of the test that runs, and how many functions were compiled and called in each.
now = SimpleNamespace(turn="", called=dict.fromkeys(TURNS, 0))
_plans: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def _of_schema(schema):
    """Return the plans of a schema; in the hub an executor knows but one."""
    return _plans.setdefault(schema, {}).setdefault(now.turn, plan.Plans())


class Plans(plan.Plans):
    """The plans of all schemas."""

    def known(self, operation, variables):
        return self.of_schema.known(operation, variables)

    def of(self, run, kind, grouped):
        self.of_schema = _of_schema(run.schema)
        if now.turn == "again" and run.is_usual:
            self.of_schema.of(run, kind, grouped)
        return self.of_schema.of(run, kind, grouped)


class Executor(plan.Executor):
    """The hub's executor."""

    plans = Plans()
    variables = None

    @classmethod
    def build(cls, schema, document, root_value=None, context_value=None, *rest, **named):
        made = super().build(schema, document, root_value, context_value, *rest, **named)
        if isinstance(made, Executor):
            made.variables = rest[0] if rest else named.get("variable_values")
        return made

    @property
    def is_usual(self):
        """Whether it was given nothing that the hub gives to none."""
        given = (self.field_resolver, self.type_resolver, self.middleware_manager, self.hooks)
        usual = (executor.default_field_resolver, executor.default_type_resolver, None, None)
        return given == usual and self.abort_signal is None

    def execute_operation(self, serially=None):
        kind = self.schema.get_root_type(self.operation.operation)
        if now.turn != "again" or not self.is_usual or not self._may_be_planned() or not kind:
            return super().execute_operation(serially)
        found = collect_fields.collect_fields(
            self.schema, self.fragments, self.variable_values, kind, self.operation, False
        )
        if found.new_defer_usages:
            return super().execute_operation(serially)
        self.plans.of(self, kind, found.grouped_field_set)
        sort = self.operation.operation.value
        prepared = reading.Prepared(
            self.operation, OperationType(sort), sort, self.fragments, self.fragment_definitions,
            None, caching.PRIVATE,
        )  # fmt: skip
        return Requested.performed(
            self.schema, prepared, self.variables or {}, self.context_value, self.root_value
        )


class Requested(Executor):
    """The same, asked by a request."""

    def execute_operation(self, serially=None):
        return plan.Executor.execute_operation(self, serially)


class _Lent:
    """As much of strawberry's field as compiled functions ask for, of a field of graphql-core."""

    extensions = ()
    arguments = ()

    def __init__(self, name, definition):
        resolve = definition.resolve

        def from_source(source, info, **arguments):
            has = isinstance(source, Mapping)
            value = source.get(name) if has else getattr(source, name, None)
            return value(info, **arguments) if callable(value) else value

        self.base_resolver = SimpleNamespace(
            wrapped_func=resolve or from_source,
            is_async=inspect.iscoroutinefunction(resolve),
            self_parameter=True,
            info_parameter=None if resolve else SimpleNamespace(name="info"),
        )
        if resolve:
            self.base_resolver.wrapped_func = lambda source, info, **given: resolve(
                source, info, **given
            )
            self.base_resolver.info_parameter = SimpleNamespace(name="info")


def _lend(monkeypatch):
    plain, read, own_class = compiled.plain, plan._read, compiled._own_class
    names = weakref.WeakKeyDictionary()

    def lent(definition, schema, **gates):
        if now.turn != "again" or gates:
            return plain(definition, schema, **gates)
        if schema not in names:
            names[schema] = {
                id(field): name
                for kind in schema.type_map.values()
                for name, field in getattr(kind, "fields", {}).items()
            }
        name = names[schema].get(id(definition))
        return _Lent(name, definition) if name else None

    def arguments(run, known, definition, details, info=None):
        if isinstance(known, _Lent):
            return plan._raw_arguments(run, definition, details)
        return read(run, known, definition, details, info)

    def own(kind):
        return dict if now.turn == "again" and kind.is_type_of is None else own_class(kind)

    monkeypatch.setattr(compiled, "plain", lent)
    monkeypatch.setattr(plan, "_read", arguments)
    monkeypatch.setattr(compiled, "_own_class", own)


def _count(monkeypatch):
    of = compiled.Unit.of

    def counted(self, run):
        made = of(self, run)

        def call(value):
            done = made(value)
            now.called[now.turn] += 1
            return done

        return call

    monkeypatch.setattr(compiled.Unit, "of", counted)


def pytest_configure(config):
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    for module in (graphql, execution):
        patch.setattr(module, "Executor", Executor)
    running = importlib.import_module("graphql.execution.execute")  # a function has its name
    for name in ("IncrementalExecutor", "ExecutorThrowingOnIncremental"):
        patch.setattr(running, name, Executor)
    _lend(patch)
    _count(patch)


@pytest.fixture(autouse=True, params=TURNS)
def turn(request):
    now.turn = request.param


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"compiled functions called: {now.called}")

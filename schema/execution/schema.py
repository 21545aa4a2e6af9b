"""How an operation is run: strawberry's schema with a reader before it and a clock beside it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

import graphql
from strawberry.federation import Schema as FederatedSchema
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.graphql import OperationType

from schema.execution import limits, plan, problems, reading

#: Called with the context once an operation is over.
After = Callable[[Any], Awaitable[None]]


class Planned(Protocol):
    """What a context may have noted of what its query asks, or would ask."""

    @property
    def is_dry(self) -> bool:
        """Whether nobody was asked, so that there is no data to give."""

    def told(self, cost: int, most: int) -> dict[str, object]:
        """Return it as JSON has it, for a query of this cost, of so much at most."""


class Schema(FederatedSchema):
    """A federated schema that reads, limits, times and settles every operation it executes."""

    def __init__(
        self,
        query: type,
        *,
        bounds: limits.Limits | None = None,
        introspection: bool = True,
        before: reading.Before | None = None,
        after: After | None = None,
        **parts: Any,  # noqa: ANN401 - strawberry's own arguments, passed on
    ) -> None:
        self.bounds = bounds or limits.Limits()
        super().__init__(
            query=query,
            extensions=[lambda: reading.Admission(self._reader, before or _nothing)],
            execution_context_class=_executor(self.bounds.seconds),
            federation_version="2.9",
            **parts,
        )
        self._after = after or _nothing_more
        self._reader = reading.Reader(self._schema, self.bounds, introspection=introspection)

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,  # noqa: ANN401 - strawberry's signature
        root_value: Any | None = None,  # noqa: ANN401 - strawberry's signature
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """Run one operation; its errors are settled, and it ends when its time is over.

        An operation out of time has begun and may have acted, so it answers as an execution that
        came to nothing (``data: null``), never as a request that was refused. However it ended,
        ``after`` is called before it is answered; what that raises takes the answer's place.
        """
        try:
            async with asyncio.timeout(self.bounds.seconds):
                result = await super().execute(
                    query,
                    variable_values,
                    context_value,
                    root_value,
                    operation_name,
                    allowed_operation_types,
                    operation_extensions,
                )
        except TimeoutError:
            return self._timed_out()
        finally:
            await self._after(context_value)
        if any(isinstance(error.original_error, _OutOfTimeError) for error in result.errors or ()):
            return self._timed_out()
        planned: Planned | None = getattr(context_value, "plan", None)
        if planned is None or result.data is None:
            result.errors = list(problems.settled(result.errors or (), context_value)) or None
            return result
        return self._planned(result, planned, context_value, query or "", operation_name)

    def _planned(
        self,
        result: ExecutionResult,
        planned: Planned,
        context: object,
        query: str,
        operation_name: str | None,
    ) -> ExecutionResult:
        """Return the result with its plan; of a dry one, without data and what befell that."""
        cost = self._reader.cost(query, operation_name)
        told = problems.settled(result.errors or (), None if planned.is_dry else context)
        return ExecutionResult(
            data=None if planned.is_dry else result.data,
            errors=list(told) or None,
            extensions={
                **(result.extensions or {}),
                "plan": planned.told(cost, self.bounds.cost),
            },
        )

    def process_errors(
        self,
        errors: list[graphql.GraphQLError],
        execution_context: ExecutionContext | None = None,
    ) -> None:
        """Log nothing here: what is worth a line in the log gets it where it is settled."""

    def _timed_out(self) -> ExecutionResult:
        return ExecutionResult(data=None, errors=[problems.timeout(self.bounds.seconds)])


async def _nothing(context: object, fields: frozenset[str]) -> None:
    """Fetch nothing."""


async def _nothing_more(context: object) -> None:
    """Do nothing."""


class _OutOfTimeError(Exception):
    """The operation's time is over."""


def _executor(seconds: float) -> type[plan.Executor]:
    """Return an executor with plans of its own, which looks at the clock once for each object.

    A timeout of the event loop cannot end fields that never await; this can.
    """

    class Executor(plan.Executor):
        plans = plan.Plans()

        def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - graphql-core's
            super().__init__(*args, **kwargs)
            self._ends = time.monotonic() + seconds

        @classmethod
        def build(cls, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - graphql-core's
            return super().build(*args, **{**kwargs, "hide_suggestions": True})

        def tick(self) -> None:
            if time.monotonic() > self._ends:
                raise _OutOfTimeError

    return Executor

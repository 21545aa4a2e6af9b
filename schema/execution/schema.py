"""How an operation is run: strawberry's schema with a reader before it and a clock beside it."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from types import CoroutineType
from typing import Any, NamedTuple, Protocol, TypeVar
from weakref import ref

import graphql
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from models import trace, turns
from resolvers.document import hash_of as document_hash
from resolvers.measure import Measures
from schema.execution import caching, limits, plan, problems, reading
from schema.execution.entity import Subgraph
from schema.execution.pace import OutOfTimeError
from schema.execution.patience import bounded
from schema.execution.reading import Prepared, Reading
from schema.execution.tracing import WANTED, WEIGHT, Recorder

T = TypeVar("T")

#: What costs so much takes longer to run than to compile, and what costs so much is run piecemeal.
_LARGE, _LONG = 1_000, 40_000

_ALLOWED = (OperationType.QUERY, OperationType.MUTATION)
# A member of an enumeration is found slowly, and this is asked for by every request.
_QUERY = OperationType.QUERY

#: Called with the context once an operation is over; what it returns is awaited, if it is anything.
After = Callable[[Any], Awaitable[None] | None]


#: How a plan may be asked for.
PLANS = ("only", "with")
NO_PLAN = "`plan` must be `only` or `with`."
UNPLANNED = "A plan alone is made of queries: a mutation acts, and a subscription goes on."


class Planned(Protocol):
    """What a context may have noted of what its query asks, or would ask."""

    @property
    def is_dry(self) -> bool:
        """Whether nobody was asked, so that there is no data to give."""

    def told(self, cost: int, most: int) -> dict[str, object]:
        """Return it as JSON has it, for a query of this cost, of so much at most."""


class Asked(NamedTuple):
    """One operation as a request asks for it."""

    text: str
    variables: dict[str, Any]
    name: str | None = None
    #: The kinds of operations that may be asked for so.
    allowed: Sequence[OperationType] = _ALLOWED
    #: Ends a query that nobody waits for any more.
    while_there: Callable[[], AbstractAsyncContextManager[None]] | None = None
    #: Whether the answer is to be a text, so that parts of its data may be JSON already.
    as_text: bool = False
    #: The span that it is a part of, where somebody traces it (W3C Trace Context).
    traceparent: str | None = None
    #: Whether a gateway asks how long each field took.
    is_traced: bool = False
    #: What was made of what is asked, where the same may be asked again.
    known: Known | None = None
    #: What the text was read as, or what is wrong with it, where it has been read.
    read: Reading | graphql.GraphQLError | None = None
    #: Whether nobody had sent the text before it was read.
    is_new: bool = False
    #: Whether it fits, and has been charged for.
    is_charged: bool = False


class Known:
    """What the same text, name and variables came to when they were asked last."""

    __slots__ = ("points", "reading", "variables")

    def __init__(self) -> None:
        #: What the text was read as. It goes when it is forgotten there, and what it is known by.
        self.reading: Callable[[], Reading | None] = _nothing_read
        self.points = 0
        #: The variables as GraphQL reads them.
        self.variables: dict[str, Any] = {}


def _nothing_read() -> None:
    """Return that nothing was."""


@dataclass(slots=True)
class Outcome:
    """What came of an operation; without one where it could not be read."""

    result: ExecutionResult | graphql.ExecutionResult
    operation: Prepared | None = None
    #: What it costs.
    points: int = 0
    began: bool = True
    #: Whether it was well formed, and does not hold all the same.
    is_unprocessable: bool = False
    #: What was taken down of it, for a gateway.
    recorder: Recorder | None = None

    @classmethod
    def refused(
        cls,
        errors: list[graphql.GraphQLError],
        operation: Prepared | None = None,
        points: int = 0,
    ) -> Outcome:
        """Return the outcome of an operation of which nothing was run."""
        return cls(ExecutionResult(None, errors), operation, points, began=False)

    @property
    def sort(self) -> str:
        """What kind of operation it is of, in a word."""
        return self.operation.sort if self.operation else "unread"

    @property
    def code(self) -> str:
        """The code of its first error; ``OK`` without one."""
        errors = self.result.errors
        return str((errors[0].extensions or {}).get("code", "")) if errors else "OK"

    @property
    def policy(self) -> caching.Policy:
        """Whether its answer may be kept."""
        if self.operation is None or self.recorder is not None:
            return caching.PRIVATE
        return self.operation.policy

    def is_shared(self, context: object) -> bool:
        """Say whether others are told the same who ask the same as whoever asked so."""
        policy = self.policy
        return policy.public or (policy.open and getattr(context, "is_nobodys", False))

    @property
    def called(self) -> str | None:
        """Its name in the document."""
        named = self.operation.node.name if self.operation else None
        return named.value if named else None


class Schema(Subgraph):
    """A federated schema that reads, limits, times and settles every operation it executes."""

    def __init__(
        self,
        query: type,
        *,
        bounds: limits.Limits | None = None,
        introspection: bool = True,
        before: reading.Before | None = None,
        after: After | None = None,
        measures: Measures | None = None,
        traces: bool = False,
        **parts: Any,  # noqa: ANN401 - strawberry's own arguments, passed on
    ) -> None:
        self._executor = plan.Executor
        super().__init__(query=query, federation_version="2.9", **parts)
        self._before = before or _nothing
        self._after = after or _nothing_more
        self._begin(bounds, introspection=introspection, measures=measures, traces=traces)

    def over(
        self,
        bounds: limits.Limits | None,
        *,
        introspection: bool,
        measures: Measures | None,
        traces: bool,
    ) -> Schema:
        """Return the same schema with limits, measures and remembered documents of its own."""
        other = copy.copy(self)
        other._begin(  # noqa: SLF001 - one of ours
            bounds, introspection=introspection, measures=measures, traces=traces
        )
        return other

    def _begin(
        self,
        bounds: limits.Limits | None,
        *,
        introspection: bool,
        measures: Measures | None,
        traces: bool,
    ) -> None:
        self.bounds = bounds or limits.Limits()
        self.measures = measures or Measures()
        self._traces = traces
        #: Reads texts, and knows those that were asked last.
        self.reader = reading.Reader(self._schema, self.bounds, introspection=introspection)
        hints = self.reader.hints

        class Executor(plan.Executor):
            plans = plan.Plans()
            same = hints.public.keys() | hints.open
            seconds = self.bounds.seconds

        self._executor = Executor

    @property
    def graph(self) -> graphql.GraphQLSchema:
        """The schema as graphql-core has it."""
        return self._schema

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,  # noqa: ANN401 - strawberry's signature
        root_value: Any | None = None,  # noqa: ANN401 - strawberry's signature
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,  # noqa: ARG002 - strawberry's signature
    ) -> ExecutionResult:
        """Run one operation and return its result; see ``run``."""
        allowed = tuple(allowed_operation_types or _ALLOWED)
        asked = Asked(query or "", variable_values or {}, operation_name, allowed)
        result = (await self.run(asked, context_value, root_value)).result
        return ExecutionResult(result.data, result.errors, result.extensions)

    def run(
        self,
        asked: Asked,
        context: Any,  # noqa: ANN401 - as resolvers see it
        root: object = None,
    ) -> Coroutine[Any, Any, Outcome]:
        """Run one operation; its errors are settled, and it ends when its time is over.

        An operation out of time has begun and may have acted, so it answers as an execution that
        came to nothing (``data: null``), never as a request that was refused. However it ended,
        ``after`` is called before it is answered; what that raises takes the answer's place.

        Raises:
            InvalidOperationTypeError: it is of no kind that is allowed.
            GreenwayError: what is read before it, or its charge, is refused.
        """
        run = self._traced if trace.is_on() else self._run
        return run(asked, context, root)

    async def _traced(self, asked: Asked, context: Any, root: object) -> Outcome:  # noqa: ANN401 - as resolvers see it
        with trace.span(trace.OPERATION, asked.traceparent) as span:
            outcome = await self._run(asked, context, root)
            self._trace(span, asked, outcome)
        return outcome

    @contextmanager
    def telling(self, asked: Asked, outcome: Outcome) -> Iterator[None]:
        """Count, time and trace an operation that is answered inside, as ``run`` does.

        ``outcome`` is what came of it, once it is over; one that was left is not counted.
        """
        began = time.perf_counter()
        self.measures.under_way += 1
        try:
            with trace.span(trace.OPERATION, asked.traceparent) as span:
                yield
                self._trace(span, asked, outcome)
        finally:
            self.measures.under_way -= 1
        self._tell(asked, outcome, time.perf_counter() - began)

    async def _run(self, asked: Asked, context: Any, root: object) -> Outcome:  # noqa: ANN401 - as resolvers see it
        began = time.perf_counter()
        self.measures.under_way += 1
        try:
            outcome = await bounded(self._executed(asked, context, root), self.patience)
            errors = outcome.result.errors
            if errors and any(isinstance(one.original_error, OutOfTimeError) for one in errors):
                outcome = self._timed_out()
        except (TimeoutError, OutOfTimeError):
            outcome = self._timed_out()
        finally:
            self.measures.under_way -= 1
            if (over := self._after(context)) is not None:
                await over
        self._settle(outcome, context)
        self._tell(asked, outcome, time.perf_counter() - began)
        return outcome

    async def _executed(self, asked: Asked, context: Any, root: object) -> Outcome:  # noqa: ANN401 - as resolvers see it
        charge = charging(context)
        reading = asked.read or self.reader.remembered(asked.text)
        is_new = asked.is_new or reading is None
        if reading is None:
            reading = await self.read(asked.text, context)
        try:
            if isinstance(reading, graphql.GraphQLError):
                raise reading
            operation = reading.prepared(asked.name)
        except graphql.GraphQLError as refused:
            charge(limits.BASE)
            outcome = Outcome.refused([refused])
            outcome.is_unprocessable = isinstance(reading, Reading)
            return outcome
        is_told = reading.errors and operation.kind is OperationType.SUBSCRIPTION
        if operation.kind not in asked.allowed and not is_told:
            raise InvalidOperationTypeError(operation.kind)
        admitted = self._admitted(reading, operation, asked, charge)
        if isinstance(admitted, Outcome):
            return admitted
        points, variables = admitted
        recorder = _recorder(points, charge) if asked.is_traced and self._traces else None
        if (needed := self._before(context, reading.fields)) is not None:
            await needed
        perform = partial(
            self._executor.performed,
            self._schema,
            operation,
            asked.variables,
            context,
            root,
            read=variables,
            as_text=asked.as_text,
            is_large=points >= _LARGE,
            recorder=recorder,
        )
        piece = _piece(points, is_new=is_new)
        done = await in_pieces(perform, context, piece) if piece else perform()
        if type(done) is CoroutineType:
            done = await self._awaited(done, asked, operation)
        return Outcome(done, operation, points, recorder=recorder)

    def _admitted(
        self, reading: Reading, operation: Prepared, asked: Asked, charge: Callable[[int], None]
    ) -> tuple[int, dict[str, Any]] | Outcome:
        """Charge for an operation; return what it costs and its variables, or what is wrong."""
        known = asked.known
        if known is not None and known.reading() is reading:
            points, variables = known.points, known.variables
        else:
            points = priced(operation, asked)
            found = self.fitting(reading, operation, asked, points)
            if isinstance(found, Outcome):
                charge(in_vain(asked))
                return found
            variables = found
        if not asked.is_charged:
            charge(max(points, limits.BASE))
        return points, variables

    async def read(self, text: str, context: object) -> Reading | graphql.GraphQLError:
        """Return what a text is, or why it is nothing that could be run.

        A text that nobody has sent before is read piecemeal, and charged for.

        Raises:
            RateLimitedError: who asks has spent too much.
        """
        found = self.reader.remembered(text)
        if found is not None:
            return found
        charging(context)(limits.toll(text))
        try:
            return await turns.piecemeal(partial(self.reader.read, text))
        except graphql.GraphQLError as refused:
            return refused

    def fitting(
        self, reading: Reading, operation: Prepared, asked: Asked, points: int
    ) -> dict[str, Any] | Outcome:
        """Return the variables of an operation that may run with them, or what is wrong."""
        errors = list(reading.errors) or self.excess(asked, points)
        variables = operation.variables.read(asked.variables)
        if isinstance(variables, list):
            return Outcome.refused(errors or variables, operation, points)
        if errors:
            outcome = Outcome.refused(errors, operation, points)
            # It is given the variables that it declares: the audits tell the two apart.
            outcome.is_unprocessable = True
            return outcome
        if (known := asked.known) is not None:
            known.reading, known.points, known.variables = ref(reading), points, variables
        return variables

    async def prepare(self, context: object, fields: frozenset[str]) -> None:
        """Read what these fields will need."""
        if (reading := self._before(context, fields)) is not None:
            await reading

    async def finish(self, context: object) -> None:
        """Do what remains to be done once an operation is over."""
        if (finishing := self._after(context)) is not None:
            await finishing

    async def _awaited(
        self, done: CoroutineType[Any, Any, Any], asked: Asked, operation: Prepared
    ) -> Any:  # noqa: ANN401 - graphql-core's result
        # A mutation that has begun goes on to its end, whoever waits.
        if asked.while_there is None or operation.kind is not _QUERY:
            return await done
        return await bounded(done, asked.while_there)

    def patience(self) -> asyncio.Timeout:
        """Return a time limit for what has to wait."""
        return asyncio.timeout(self.bounds.seconds)

    def is_public(self, text: str, name: str | None) -> bool:
        """Say whether it is known of an operation that its answer is the same for everybody."""
        found = self.reader.known(text, name)
        return found is not None and found.policy.public

    def excess(self, asked: Asked, points: int) -> list[graphql.GraphQLError]:
        """Return the errors of an operation that asks for more than is allowed at once."""
        excess = limits.overrun(asked.variables, self.bounds)
        excess = excess or limits.overdrawn(points, self.bounds)
        return [excess] if excess else []

    def bill(self, points: int, left: int | None) -> dict[str, int]:
        """Return what is told of an operation's cost, to whoever has so many points left."""
        cost = {"requested": points, "limit": self.bounds.cost}
        if left is not None:
            cost["remaining"] = left
        return cost

    def _settle(self, outcome: Outcome, context: object) -> None:
        """Make of the errors what the asker may see, and tell what the operation cost."""
        result = outcome.result
        planned: Planned | None = getattr(context, "plan", None)
        is_dry = planned is not None and planned.is_dry and result.data is not None
        if result.errors or getattr(context, "problems", None):
            told = problems.settled(result.errors or (), None if is_dry else context)
            result.errors = list(told) or None
        if not outcome.began or outcome.operation is None:
            return
        left: int | None = getattr(context, "points_left", None)
        if left is not None and outcome.is_shared(context):
            # What others may share says nothing of whoever asked first.
            left = None
        result.extensions = {"cost": self.bill(outcome.points, left)}
        if outcome.recorder is not None:
            # A gateway keeps to itself what it is told beside the data.
            result.extensions = {WANTED: outcome.recorder.told(result.errors or ())}
        if planned is not None and result.data is not None:
            result.extensions["plan"] = planned.told(outcome.points, self.bounds.cost)
            result.data = None if is_dry else result.data

    def _trace(self, span: trace.Span, asked: Asked, outcome: Outcome) -> None:
        span.tell(
            kind=outcome.sort,
            document=document_hash(asked.text),
            outcome=outcome.code,
            cost=outcome.points,
            called=self.measures.known(outcome.called),
        )

    def _tell(self, asked: Asked, outcome: Outcome, seconds: float) -> None:
        self.measures.operation(
            outcome.sort,
            outcome.code,
            seconds=seconds,
            cost=outcome.points,
            called=outcome.called,
            document=document_hash(asked.text) if seconds >= self.measures.slow_seconds else "",
        )

    def _timed_out(self) -> Outcome:
        return Outcome(ExecutionResult(None, [problems.timeout(self.bounds.seconds)]))


def charging(context: object) -> Callable[[int], None]:
    """Return what charges whoever asks; a context that knows of no charge charges nobody."""
    charge: Callable[[int], None] = getattr(context, "charge", _charge_nobody)
    return charge


def priced(operation: Prepared, asked: Asked) -> int:
    """Return what an operation costs with its variables, in points."""
    return operation.cost.of(asked.variables) if operation.cost else 0


def _piece(points: int, *, is_new: bool) -> float | None:
    """Return in pieces of how many seconds an operation is run; None where it is run at once."""
    if is_new:
        return turns.PIECE_SECONDS
    return turns.LONG_PIECE_SECONDS if points >= _LONG else None


def in_pieces(
    work: Callable[[], T], context: object, seconds: float = turns.PIECE_SECONDS
) -> Coroutine[Any, Any, T]:
    """Return what some work of an operation comes to, done piecemeal.

    No partner is asked before all of it is done, since more may be asked of them meanwhile.
    """
    return turns.piecemeal(work, seconds, partial(_reading, context))


def _reading(context: object) -> AbstractAsyncContextManager[object]:
    """Return what tells a context that it is not done with what it reads."""
    reads = getattr(context, "reads", None)
    return reads.one() if reads else nullcontext()


def in_vain(asked: Asked) -> int:
    """Return the points that an operation costs which is refused: its variables were read."""
    return limits.BASE + len(limits.written(asked.variables))


def _recorder(points: int, charge: Callable[[int], None]) -> Recorder:
    """Return what takes down what an operation of so many points does, which is charged for."""
    charge(points * WEIGHT)
    return Recorder()


def _charge_nobody(points: int) -> None:
    """Charge nobody."""


def _nothing(context: object, fields: frozenset[str]) -> None:
    """Fetch nothing."""


def _nothing_more(context: object) -> None:
    """Do nothing."""

"""How an operation runs whose answer comes in parts: followed, or delivered piece by piece.

A subscription is a query that is answered again. Its field says when: the stream behind it is
waited on, and whatever that yields, the same selection is asked as a query, with all that a query
has: limits, rights, a context and a time of its own. An answer that is as the last one is not sent.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import aclosing, contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache, partial
from typing import Any, TypeVar

import graphql
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from models import errors, turns
from schema.execution import limits, once, part, problems
from schema.execution.code import Code
from schema.execution.part import Part
from schema.execution.reading import Prepared, Reading
from schema.execution.schema import (
    UNPLANNED,
    Asked,
    Known,
    Outcome,
    Planned,
    Schema,
    charging,
    in_pieces,
    priced,
)

T = TypeVar("T")

#: Makes the context of one operation, or of one answer; raises where who asks may ask no more.
Surroundings = Callable[[], Awaitable[Any]]

#: How often it is asked whether who follows in silence may still do so.
RIGHTS_SECONDS = 5.0
_REMEMBERED = 64
#: So many times as much work is an answer in pieces as a whole one: graphql-core runs its fields.
_PIECES_WEIGHT = 5
_ANY = tuple(OperationType)


class RefusedError(Exception):
    """An operation of which nothing more is answered; ``errors`` say why, as JSON has them."""

    def __init__(self, found: Iterable[graphql.GraphQLError]) -> None:
        super().__init__("The operation was refused.")
        self.errors = [error.formatted for error in found]

    @classmethod
    def of(cls, sentence: str) -> RefusedError:
        """Return the refusal of what no operation can be asked for like."""
        return cls([graphql.GraphQLError(sentence, extensions={"code": Code.BAD_REQUEST})])


@dataclass(frozen=True, slots=True)
class Read:
    """An operation of a document that holds, alone in a document."""

    reading: Reading
    prepared: Prepared
    document: graphql.DocumentNode
    #: Whether some of it is asked for later than the rest.
    in_pieces: bool


class Live:
    """Answers operations of a schema in as many parts as they have.

    ``root`` is what the fields of Subscription are resolved on. ``leaving`` returns once the
    process is to end, and with it what would go on for ever.
    """

    def __init__(
        self,
        schema: Schema,
        root: object = None,
        leaving: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self._schema = schema
        self._root = root
        self._leaving = leaving or asyncio.Event().wait
        self.seconds = schema.bounds.seconds
        self._known = lru_cache(maxsize=_REMEMBERED)(_alone)
        self._acting: set[asyncio.Task[Outcome]] = set()

    async def settled(self) -> None:
        """Wait for the mutations that have begun, as long as one may take."""
        if self._acting:
            await asyncio.wait(self._acting, timeout=self.seconds)

    async def read(self, asked: Asked, context: object) -> Asked:
        """Return an operation with what its text is read as.

        Raises:
            RateLimitedError: who asks has spent too much.
        """
        is_new = self._schema.reader.remembered(asked.text) is None
        return asked._replace(read=await self._schema.read(asked.text, context), is_new=is_new)

    def found(self, asked: Asked) -> Read | None:
        """Return what may run of an operation that was read; None where it does not hold."""
        reading = asked.read
        if not isinstance(reading, Reading) or reading.errors:
            return None
        try:
            return self._known(reading, asked.name)
        except graphql.GraphQLError:
            return None

    async def answers(self, asked: Asked, surroundings: Surroundings) -> AsyncGenerator[Part, None]:
        """Yield the parts of an operation's answer.

        Closed, it lets go of all it follows; but a mutation that has begun goes on to its end.

        Raises:
            RefusedError: it does not hold, or who asks may ask no more.
        """
        with refusing(self.seconds):
            context = await surroundings()
            asked = await self.read(asked, context)
            read = self.found(asked)
            if read is not None and _is_unplanned(read.prepared.kind, context):
                raise RefusedError.of(UNPLANNED)
            parts = await self.begun(asked, context, surroundings)
        async with aclosing(parts):
            async for one in parts:
                yield one

    async def begun(
        self,
        asked: Asked,
        context: object,
        surroundings: Surroundings,
        *,
        delivering: bool = False,
    ) -> AsyncGenerator[Part, None]:
        """Charge for an operation that was read, and return what yields the parts of its answer.

        What does not hold is charged and counted as if it were asked for by itself, and refused
        before its first part. ``delivering``: `@defer` and `@stream` count.

        Raises:
            RateLimitedError: who asks has spent too much.
        """
        asked = asked._replace(known=asked.known or Known())
        read, points = self.found(asked), self._points(asked)
        follows = read is not None and read.prepared.kind is OperationType.SUBSCRIPTION
        query = asked
        if read and follows and points is not None:
            # It costs what is answered.
            text = once.asked(self._schema.graph, read.document)
            query = await self.read(asked._replace(text=text, known=Known()), context)
            points = self._points(query)
        if read is None or points is None:
            return _once(await self._schema.run(query._replace(allowed=_ANY), context))
        delivers = delivering and read.in_pieces and read.prepared.kind is OperationType.QUERY
        charging(context)(max(points * (_PIECES_WEIGHT if delivers else 1), limits.BASE))
        asked = asked._replace(is_charged=True)
        if follows:
            query = query._replace(read=None, is_charged=True)
            parts = self._followed(read, asked, query, context, surroundings)
        elif delivers:
            parts = self._told(read, asked, context, points)
        else:
            parts = self._whole(read, asked, context)
        return self._refusing(parts)

    def _points(self, asked: Asked) -> int | None:
        """Return what an operation costs; None where it may not run so."""
        read = self.found(asked)
        if read is None:
            return None
        points = priced(read.prepared, asked)
        found = self._schema.fitting(read.reading, read.prepared, asked, points)
        return None if isinstance(found, Outcome) else points

    async def _refusing(self, parts: AsyncGenerator[Part, None]) -> AsyncGenerator[Part, None]:
        with refusing(self.seconds):
            async with aclosing(parts):
                async for one in parts:
                    yield one

    async def _whole(self, read: Read, asked: Asked, context: object) -> AsyncGenerator[Part, None]:
        running = asyncio.create_task(self._schema.run(asked, context))
        if read.prepared.kind is OperationType.MUTATION:
            self._acting.add(running)
            running.add_done_callback(self._acting.discard)
            outcome = await asyncio.shield(running)
        else:
            outcome = await running
        yield _said(outcome)

    async def _followed(
        self, read: Read, asked: Asked, query: Asked, context: object, surroundings: Surroundings
    ) -> AsyncGenerator[Part, None]:
        stream = await self._stream(read, asked, context)
        last: Part | None = None
        leaving = asyncio.ensure_future(self._leaving())
        try:
            async with aclosing(paced(stream, RIGHTS_SECONDS, leaving)) as ticks:
                async for tick in ticks:
                    # Whoever may ask no more is told so, though nothing is new.
                    context = await surroundings()
                    if tick is Silence.SILENCE:
                        continue
                    answer = _said(await self._schema.run(query, context))
                    # What it was charged for at first is this one.
                    query = query._replace(is_new=False, is_charged=False)
                    if last is None or not part.alike(answer, last):
                        last = answer
                        yield answer
            if leaving.done():
                raise RefusedError([problems.leaving()])
        finally:
            leaving.cancel()

    async def _stream(
        self, read: Read, asked: Asked, context: object
    ) -> AsyncGenerator[object, None]:
        """Return what says when a subscription is to be answered."""
        async with asyncio.timeout(self.seconds):
            await self._schema.prepare(context, read.reading.fields)
            run = StrawberryGraphQLCoreExecutionContext.build(
                self._schema.graph, read.document, self._root, context, asked.variables,
                hide_suggestions=True,
            )  # fmt: skip
            if isinstance(run, list):
                raise RefusedError(problems.settled(run, None))
            stream: Any = graphql.create_source_event_stream(run)
            stream = await stream if inspect.isawaitable(stream) else stream
        if isinstance(stream, graphql.ExecutionResult):
            raise RefusedError(problems.settled(stream.errors or (), None))
        found: AsyncGenerator[object, None] = stream
        return found

    async def _told(
        self, read: Read, asked: Asked, context: object, points: int
    ) -> AsyncGenerator[Part, None]:
        """Yield the pieces of an answer, and count and trace the operation once all have come."""
        outcome = Outcome(ExecutionResult(None, None), read.prepared, points)
        with self._schema.telling(asked, outcome):
            async with aclosing(self._delivered(read, asked, context, points)) as pieces:
                try:
                    async for one in pieces:
                        outcome.result.errors = outcome.result.errors or _first_error(one)
                        yield one
                except TimeoutError:
                    late = problems.timeout(self.seconds)
                    outcome.result.errors = outcome.result.errors or [late]
                    yield {"errors": [late.formatted]}

    async def _delivered(
        self, read: Read, asked: Asked, context: object, points: int
    ) -> AsyncGenerator[Part, None]:
        cost = {"cost": self._schema.bill(points, getattr(context, "points_left", None))}
        # Once it is over, what was sent stays, and the rest does not come.
        ends = asyncio.get_running_loop().time() + self.seconds
        try:
            async with asyncio.timeout_at(ends):
                await self._schema.prepare(context, read.reading.fields)
                run: Any = await _at_leisure(
                    partial(
                        graphql.experimental_execute_incrementally,
                        self._schema.graph, read.document, None, context, asked.variables,
                        executor_class=_Delivering, hide_suggestions=True,
                    ),
                    context,
                )  # fmt: skip
            if isinstance(run, graphql.ExecutionResult):
                told = part.told(run, problems.settled(run.errors or (), context))
                yield {**told, "extensions": cost}
                return
            delivery = part.Delivery(context)
            yield {**delivery.first(run.initial_result), "extensions": cost}
            try:
                with refusing(self.seconds):
                    async with aclosing(run.subsequent_results) as rest:
                        while True:
                            async with asyncio.timeout_at(ends):
                                found = await anext(rest, None)
                            if found is None:
                                return
                            yield delivery.next(found)
            except RefusedError as refused:
                # Who was promised more is told that nothing more comes.
                yield delivery.ended(refused.errors)
        finally:
            await self._schema.finish(context)


def _alone(reading: Reading, name: str | None) -> Read:
    """Return the operation of a document that a name picks; raises GraphQLError if it does not."""
    prepared = reading.prepared(name)
    apart = graphql.separate_operations(reading.document)
    document = apart[name or next(iter(apart))]
    return Read(reading, prepared, document, once.in_pieces(document))


def _said(outcome: Outcome) -> Part:
    """Return what came of an operation as JSON has it.

    Raises:
        RefusedError: nothing of it was run.
    """
    if not outcome.began:
        raise RefusedError(outcome.result.errors or ())
    return part.of(outcome)


async def _once(outcome: Outcome) -> AsyncGenerator[Part, None]:
    yield _said(outcome)


def _first_error(piece: Part) -> list[graphql.GraphQLError] | None:
    """Return the first error of a piece, by itself."""
    for one in (piece, *piece.get("incremental", ()), *piece.get("completed", ())):
        for error in one.get("errors", ()):
            return [graphql.GraphQLError(error["message"], extensions=error.get("extensions"))]
    return None


class _Delivering(StrawberryGraphQLCoreExecutionContext):
    """An executor that can be left between two objects, for what comes later as well."""

    def execute_fields(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - graphql-core's
        """Run the fields of one object, having breathed."""
        turns.breathe()
        return super().execute_fields(*args, **kwargs)

    def execute_execution_group(self, *args: Any) -> Any:  # noqa: ANN401 - graphql-core's
        """Run what was deferred, in its turns."""
        return _at_leisure(partial(super().execute_execution_group, *args), self.context_value)

    def complete_stream_item(self, *args: Any) -> Any:  # noqa: ANN401 - graphql-core's
        """Make of an item of a stream what it comes to, in its turns."""
        return _at_leisure(partial(super().complete_stream_item, *args), self.context_value)


async def _at_leisure(work: Callable[[], Any], context: object) -> Any:  # noqa: ANN401 - whatever it comes to
    """Return what some work comes to that may have to be awaited after that, done piecemeal."""
    found = await in_pieces(work, context)
    return await found if inspect.isawaitable(found) else found


def _is_unplanned(kind: OperationType, context: object) -> bool:
    """Say whether a plan is asked for of what has none."""
    plan: Planned | None = getattr(context, "plan", None)
    if plan is None or kind is OperationType.QUERY:
        return False
    return plan.is_dry or kind is OperationType.SUBSCRIPTION


class Silence(Enum):
    """What ``paced`` yields where nothing came."""

    SILENCE = "silence"


async def paced(
    parts: AsyncGenerator[T, None], seconds: float, until: asyncio.Future[Any] | None = None
) -> AsyncGenerator[T | Silence, None]:
    """Yield the parts as they come, and ``Silence`` whenever none came for so long.

    It ends with the parts, or when ``until`` is done.
    """
    # All parts are made in one context: what a span began in, it can end in.
    context = copy_context()
    coming: asyncio.Task[T | _End] | None = None
    try:
        while True:
            coming = coming or asyncio.create_task(_next(parts), context=context)
            awaited: set[asyncio.Future[Any]] = {coming, until} if until else {coming}
            await asyncio.wait(awaited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if until is not None and until.done():
                return
            if not coming.done():
                yield Silence.SILENCE
                continue
            found, coming = coming.result(), None
            if isinstance(found, _End):
                return
            yield found
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
        await asyncio.create_task(_close(parts), context=context)


async def _next(parts: AsyncGenerator[T, None]) -> T | _End:
    return await anext(parts, _End())


async def _close(parts: AsyncGenerator[T, None]) -> None:
    await parts.aclose()


class _End:
    """What comes after the last part."""


@contextmanager
def refusing(seconds: float) -> Iterator[None]:
    """Refuse an operation for what is refused on purpose inside, or for what lasts too long."""
    try:
        yield
    except errors.GreenwayError as refused:
        # Wrapped as a field's failure would be, so that it is told as one.
        wrapped = graphql.GraphQLError(refused.sentence, original_error=refused)
        raise RefusedError(problems.settled([wrapped], None)) from None
    except TimeoutError:
        raise RefusedError([problems.timeout(seconds)]) from None

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
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache, partial
from typing import Any, TypeVar

import graphql
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.graphql import OperationType

from models import errors
from schema.execution import limits, once, part, problems, turns
from schema.execution.code import Code
from schema.execution.part import Part
from schema.execution.reading import Prepared
from schema.execution.schema import (
    UNPLANNED,
    Asked,
    Outcome,
    Planned,
    Schema,
    charging,
    in_vain,
    priced,
)

T = TypeVar("T")

#: Makes the context of one operation, or of one answer; raises where who asks may ask no more.
Surroundings = Callable[[], Awaitable[Any]]

#: How often it is asked whether who follows in silence may still do so.
RIGHTS_SECONDS = 5.0
_REMEMBERED = 64


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
    """An operation that may run: alone in its document, with the fields that it names."""

    prepared: Prepared
    document: graphql.DocumentNode
    fields: frozenset[str]
    #: Whether some of it is asked for later than the rest.
    in_pieces: bool


class Live:
    """Answers operations of a schema in as many parts as they have.

    ``root`` is what the fields of Subscription are resolved on.
    """

    def __init__(self, schema: Schema, root: object = None) -> None:
        self._schema = schema
        self._root = root
        self.seconds = schema.bounds.seconds
        self._known = lru_cache(maxsize=_REMEMBERED)(self._read)
        self._acting: set[asyncio.Task[Outcome]] = set()

    async def read(self, asked: Asked, context: object) -> Read:
        """Return an operation as it is read, which is charged as for one that is answered whole.

        A text that nobody has sent before is read piecemeal.

        Raises:
            RefusedError: it does not hold.
            RateLimitedError: who asks has spent too much.
        """
        charge = charging(context)
        read = partial(self._known, asked.text, asked.name)
        is_new = self._schema.reader.remembered(asked.text) is None
        if is_new:
            charge(limits.toll(asked.text))
        try:
            return await turns.piecemeal(read) if is_new else read()
        except RefusedError:
            charge(limits.BASE)
            raise

    def _read(self, text: str, name: str | None) -> Read:
        try:
            found = self._schema.reader.read(text)
            prepared = found.prepared(name)
        except graphql.GraphQLError as wrong:
            raise RefusedError([wrong]) from None
        if found.errors:
            raise RefusedError(found.errors)
        turns.breathe()
        apart = graphql.separate_operations(found.document)
        document = apart[name or next(iter(apart))]
        return Read(prepared, document, found.fields, once.in_pieces(document))

    async def answers(
        self, asked: Asked, surroundings: Surroundings, *, delivering: bool = False
    ) -> AsyncGenerator[Part, None]:
        """Yield the parts of an operation's answer; ``delivering``: `@defer` and `@stream` count.

        Closed, it lets go of all it follows; but a mutation that has begun goes on to its end.

        Raises:
            RefusedError: it does not hold, or who asks may ask no more.
        """
        with refusing(self.seconds):
            context = await surroundings()
            read = await self.read(asked, context)
            if _is_unplanned(read.prepared.kind, context):
                raise RefusedError.of(UNPLANNED)
            if read.prepared.kind is OperationType.SUBSCRIPTION:
                parts = self._followed(read, asked, context, surroundings)
            elif delivering and read.in_pieces and read.prepared.kind is OperationType.QUERY:
                parts = self._delivered(read, asked, context)
            else:
                parts = self._whole(read, asked, context)
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
        yield part.of(outcome)

    async def _followed(
        self, read: Read, asked: Asked, context: object, surroundings: Surroundings
    ) -> AsyncGenerator[Part, None]:
        stream = await self._stream(read, asked, context)
        query = asked._replace(text=once.asked(self._schema.graph, read.document))
        last: Part | None = None
        async with aclosing(paced(stream, RIGHTS_SECONDS)) as ticks:
            async for tick in ticks:
                # Whoever may ask no more is told so, though nothing is new.
                context = await surroundings()
                if tick is Silence.SILENCE:
                    continue
                answer = part.of(await self._schema.run(query, context))
                if last is None or not part.alike(answer, last):
                    last = answer
                    yield answer

    async def _stream(
        self, read: Read, asked: Asked, context: object
    ) -> AsyncGenerator[object, None]:
        """Return what says when a subscription is to be answered."""
        async with asyncio.timeout(self.seconds):
            await self._schema.prepare(context, read.fields)
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

    async def _delivered(
        self, read: Read, asked: Asked, context: object
    ) -> AsyncGenerator[Part, None]:
        cost = self._admitted(read, asked, context)
        # Once it is over, what was sent stays, and the rest does not come.
        ends = asyncio.get_running_loop().time() + self.seconds
        try:
            async with asyncio.timeout_at(ends):
                await self._schema.prepare(context, read.fields)
                run: Any = await _at_leisure(
                    partial(
                        graphql.experimental_execute_incrementally,
                        self._schema.graph, read.document, None, context, asked.variables,
                        executor_class=_Delivering, hide_suggestions=True,
                    )
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

    def _admitted(self, read: Read, asked: Asked, context: object) -> Part:
        """Charge for an operation as for one that is answered whole, and return what it costs."""
        charge, points = charging(context), priced(read.prepared, asked)
        if excess := self._schema.excess(asked, points):
            charge(in_vain(asked))
            raise RefusedError(excess)
        charge(max(points, limits.BASE))
        return {"cost": self._schema.bill(points, getattr(context, "points_left", None))}


class _Delivering(StrawberryGraphQLCoreExecutionContext):
    """An executor that can be left between two objects, for what comes later as well."""

    def execute_fields(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - graphql-core's
        """Run the fields of one object, having breathed."""
        turns.breathe()
        return super().execute_fields(*args, **kwargs)

    def execute_execution_group(self, *args: Any) -> Any:  # noqa: ANN401 - graphql-core's
        """Run what was deferred, in its turns."""
        return _at_leisure(partial(super().execute_execution_group, *args))

    def complete_stream_item(self, *args: Any) -> Any:  # noqa: ANN401 - graphql-core's
        """Make of an item of a stream what it comes to, in its turns."""
        return _at_leisure(partial(super().complete_stream_item, *args))


async def _at_leisure(work: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever it comes to
    """Return what some work comes to that may have to be awaited after that, done piecemeal."""
    found = await turns.piecemeal(work)
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
    parts: AsyncGenerator[T, None], seconds: float
) -> AsyncGenerator[T | Silence, None]:
    """Yield the parts as they come, and ``Silence`` whenever none came for so long."""
    coming: asyncio.Task[T | _End] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(_next(parts))
            await asyncio.wait([coming], timeout=seconds)
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
        await parts.aclose()


async def _next(parts: AsyncGenerator[T, None]) -> T | _End:
    return await anext(parts, _End())


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

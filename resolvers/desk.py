"""Collects all that one query asks of partners, and asks each partner once, side by side."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from operator import getitem
from types import MappingProxyType
from typing import Generic, TypeVar

from connectors import errors, fault
from connectors.base import Act, Booked, Inquiry, Order
from connectors.partner import Answer, Freshness, Supply
from connectors.registry import Registry
from models import trace
from resolvers.pending import Pending
from resolvers.plan import Plan
from resolvers.reads import Reads

W = TypeVar("W")
Q = TypeVar("Q")
A = TypeVar("A")
T = TypeVar("T")

_NOBODY: Mapping[str, fault.Asked] = MappingProxyType({})
_NOT_AT_WORK = "This partner is not at work here: its file is missing or set aside."


class Desk:
    """One query's desk: a partner is asked when the query has nothing left to read.

    However many fields, aliases and list items ask, a partner hears of them in one ask; what was
    asked before in this query is not asked again. Offers and facts are two asks.
    """

    def __init__(
        self,
        registry: Registry,
        reads: Reads,
        deadline: float,
        stand_ins: Mapping[str, fault.Asked] = _NOBODY,
        plan: Plan | None = None,
    ) -> None:
        """Ask the partners at work, or those who stand in for them, until the deadline.

        Where a ``plan`` is made of the query, it is told of every ask, and may leave it.
        """
        self._partners: Mapping[str, fault.Asked] = registry.partners
        if stand_ins:
            self._partners = {**registry.partners, **stand_ins}
        self._deadline = deadline
        #: Says that the query reads and asks nothing more before partners have answered.
        self.hurry = reads.hurry
        # Nothing here knows of what knows of it: a query's leavings go when it ends.
        self._offers = _Line(reads, partial(_offers, self._partners, deadline, plan))
        self._facts = _Line(reads, partial(_supplied, self._partners, deadline, plan))
        #: Asks a partner for offers; an unusable partner is an answer too, never an error.
        self.ask = self._offers.ask

    async def supply(self, partner: str, subject: str, fact: str) -> Supply:
        """Return what a partner at work says of a fact of a person, whom it knows by this name."""
        supply: Supply = await self._facts.ask((partner, subject), fact)
        return supply

    async def book(
        self, partner: str, act: Act, order: Order, booked: Booked | None = None
    ) -> Booked | None:
        """Do one act about a booking at once, and return how it stands; see ``Partner.book``.

        Raises:
            PartnerError: the partner failed; or it is not at work.
        """
        if partner not in self._partners:
            raise errors.Misconfigured(errors.Problem.MISCONFIGURED, _NOT_AT_WORK)
        return await self._partners[partner].book(act, order, booked, self._deadline)

    def leave(self) -> None:
        """Give up what is still asked: the query is over, or nobody waits for it any more."""
        self._offers.leave()
        self._facts.leave()


async def _offers(
    partners: Mapping[str, fault.Asked],
    deadline: float,
    plan: Plan | None,
    partner: str,
    inquiries: Sequence[Inquiry],
) -> Sequence[Answer]:
    if partner not in partners:
        return [_set_aside(partner)] * len(inquiries)
    ask = partial(partners[partner].ask, inquiries, deadline)
    with trace.span("ask", partner=partner, questions=len(inquiries)):
        return await (plan.ask(partner, inquiries, ask) if plan else ask())


async def _supplied(
    partners: Mapping[str, fault.Asked],
    deadline: float,
    plan: Plan | None,
    whom: tuple[str, str],
    facts: Sequence[str],
) -> Sequence[Supply]:
    partner, subject = whom
    names = frozenset(facts)
    ask = partial(partners[partner].supply, subject, names, deadline)
    with trace.span("ask", partner=partner, questions=len(names)):
        supply = await (plan.supply(partner, len(names), ask) if plan else ask())
    return [supply] * len(facts)


class _Batch(Generic[Q, A]):
    """Questions that are put to one together; ``come`` once the answers have, in their order."""

    def __init__(self) -> None:
        self.come: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        #: What all wait for who asked one of them.
        self.until = (self.come,)
        self.questions: list[Q] = []
        self.answers: list[A] = []


class _Line(Generic[W, Q, A]):
    """Questions of one sort: put to each that is asked, all together, once reading is over."""

    def __init__(
        self, reads: Reads, put: Callable[[W, Sequence[Q]], Awaitable[Sequence[A]]]
    ) -> None:
        self._reads = reads
        self._hurry = reads.hurry
        self._put = put
        #: Where the answer to a question will be, by whom it is put to.
        self._asked: defaultdict[W, dict[Q, tuple[_Batch[Q, A], int]]] = defaultdict(dict)
        self._waiting: dict[W, _Batch[Q, A]] = {}
        self._batches: list[_Batch[Q, A]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(
        self, whom: W, question: Q, make: Callable[..., T] = getitem, *given: object
    ) -> Pending[T]:
        """Return the answer to a question; waiting for it raises whatever its putting raises.

        Args:
            whom: Who is asked.
            question: What is asked.
            make: Makes something of answers, of the place of this one among them, and of what is
                ``given``; where nobody says, it takes that one.
            given: What else it is made of.
        """
        asked = self._asked[whom]
        found = asked.get(question)
        if found is None:
            batch = self._waiting.get(whom) or self._next(whom)
            found = asked[question] = batch, len(batch.questions)
            batch.questions.append(question)
        batch, place = found
        return Pending(batch.until, self._hurry, make, batch.answers, place, *given)

    def leave(self) -> None:
        """Put no more questions, and wait for no answer."""
        for task in self._tasks:
            task.cancel()

    def _next(self, whom: W) -> _Batch[Q, A]:
        if not self._waiting:
            self._reads.asked()
            self._begin(self._put_all())
        batch = self._waiting[whom] = _Batch()
        self._batches.append(batch)
        return batch

    async def _put_all(self) -> None:
        await self._reads.quiet()
        waiting, self._waiting = self._waiting, {}
        *others, (whom, batch) = waiting.items()
        for one in others:
            self._begin(self._answer(*one))
        await self._answer(whom, batch)

    async def _answer(self, whom: W, batch: _Batch[Q, A]) -> None:
        batch.answers += await self._put(whom, batch.questions)
        batch.come.set_result(None)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        """Let nobody wait for what will not come."""
        self._tasks.discard(task)
        wrong = None if task.cancelled() else task.exception()
        if wrong is None and not task.cancelled():
            return
        for batch in self._batches:
            if not batch.come.done():
                batch.come.set_exception(wrong) if wrong else batch.come.cancel()


def _set_aside(partner: str) -> Answer:
    return Answer(
        partner=partner,
        freshness=Freshness.UNAVAILABLE,
        problem=errors.Problem.MISCONFIGURED,
        sentence=_NOT_AT_WORK,
    )

"""Collects all that one query asks of partners, and asks each partner once, side by side."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Coroutine

from connectors import errors
from connectors.base import Inquiry
from connectors.partner import Answer, Freshness
from connectors.registry import Registry
from resolvers.reads import Reads

_Waiting = dict[Inquiry, asyncio.Future[Answer]]


class Desk:
    """One query's desk: a partner is asked when the query has nothing left to read.

    However many fields, aliases and list items ask, a partner hears of them in one ask; what was
    asked before in this query is not asked again.
    """

    def __init__(self, registry: Registry, reads: Reads, deadline: float) -> None:
        self._registry = registry
        self._reads = reads
        self._deadline = deadline
        self._asked: defaultdict[str, _Waiting] = defaultdict(dict)
        self._waiting: defaultdict[str, _Waiting] = defaultdict(dict)
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, partner: str, inquiry: Inquiry) -> Answer:
        """Return a partner's answer; an unusable partner is an answer too, never an error."""
        if partner not in self._registry.partners:
            return _set_aside(partner)
        asked = self._asked[partner]
        if inquiry not in asked:
            asked[inquiry] = asyncio.get_running_loop().create_future()
            if not self._waiting:
                self._begin(self._ask_all())
            self._waiting[partner][inquiry] = asked[inquiry]
        return await asyncio.shield(asked[inquiry])

    async def _ask_all(self) -> None:
        await self._reads.quiet()
        waiting, self._waiting = self._waiting, defaultdict(dict)
        for partner, inquiries in waiting.items():
            self._begin(self._ask(partner, inquiries))

    async def _ask(self, partner: str, waiting: _Waiting) -> None:
        asking = self._registry.partners[partner].ask(list(waiting), self._deadline)
        for future, answer in zip(waiting.values(), await asking, strict=True):
            future.set_result(answer)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        """Let nobody wait for what will not come."""
        self._tasks.discard(task)
        wrong = asyncio.CancelledError() if task.cancelled() else task.exception()
        if wrong is None:
            return
        for asked in self._asked.values():
            for future in asked.values():
                if not future.done():
                    future.set_exception(wrong)


def _set_aside(partner: str) -> Answer:
    return Answer(
        partner=partner,
        freshness=Freshness.UNAVAILABLE,
        problem=errors.Problem.MISCONFIGURED,
        sentence="This partner is not at work here: its file is missing or set aside.",
    )

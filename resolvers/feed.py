"""Feeds: whoever follows a question is told when its answer may be another.

However many follow, a process looks once a round for all of them, and at nothing that nobody
follows. What is looked at is a mark, which is another whenever the answer is; the answer itself
is read by who is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Hashable, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

from connectors.registry import Registry
from models import access, booking, decision
from models.database import Database, Session
from resolvers.context import ZONE
from resolvers.menu import Catalogue

K = TypeVar("K", bound=Hashable)

#: Returns the marks of these keys; one that is not there has no mark.
_Look = Callable[[Collection[K]], Awaitable[Mapping[K, object]]]
_Read = Callable[[Session, Collection[K], datetime], Awaitable[Mapping[K, object]]]


class Feed(Generic[K]):
    """One question, followed under keys: by whom it is asked, or whatever else makes it another."""

    def __init__(self, look: _Look[K]) -> None:
        self._look = look
        self._marks: dict[K, object] = {}
        self._followers: dict[K, set[asyncio.Event]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._followers.values()))

    async def follow(self, key: K) -> AsyncGenerator[Any, None]:
        """Yield at once, and then each time the answer may be another, until closed.

        Who is slow is told once of all that happened meanwhile.
        """
        told = asyncio.Event()
        self._followers.setdefault(key, set()).add(told)
        try:
            while True:
                yield
                await told.wait()
                told.clear()
        finally:
            self._followers[key].discard(told)
            if not self._followers[key]:
                del self._followers[key]
                self._marks.pop(key, None)

    async def refreshed(self) -> None:
        """Look once for all who follow, and tell those for whom something is another."""
        if not self._followers:
            return
        keys = list(self._followers)
        found = await self._look(keys)
        for key in keys:
            # A key that nobody has looked at before may have changed since it was answered.
            if key not in self._marks or self._marks[key] != found.get(key):
                for told in self._followers.get(key, ()):
                    told.set()
        self._marks = {key: found.get(key) for key in keys if key in self._followers}


class Feeds:
    """All that may be followed in a process, by the names that the graph has for it."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        catalogue: Callable[[], Catalogue | None],
        registry: Callable[[], Registry | None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._catalogue = catalogue
        self._registry = registry
        self.edition: Feed[None] = Feed(self._edition)
        self.connectors: Feed[None] = Feed(self._connectors)
        #: Of a person, by the id of their row.
        self.decisions: Feed[int] = Feed(self._read(self._decisions))
        self.bookings: Feed[int] = Feed(self._read(booking.marks))
        #: Of a person, by handle.
        self.prompts: Feed[str] = Feed(self._read(access.marks))

    async def refreshed(self) -> None:
        """Look at all that somebody follows; what is in memory first, a database may be away."""
        await self.edition.refreshed()
        await self.connectors.refreshed()
        await self.decisions.refreshed()
        await self.bookings.refreshed()
        await self.prompts.refreshed()

    async def _edition(self, _: Collection[None]) -> Mapping[None, object]:
        catalogue = self._catalogue()
        return {None: catalogue and catalogue.revision}

    async def _connectors(self, _: Collection[None]) -> Mapping[None, object]:
        registry = self._registry()
        if registry is None:
            return {}
        lines = {
            slug: (row.manifest.version, row.health().state)
            for slug, row in registry.in_force.items()
        }
        return {None: (lines, dict(registry.set_aside), dict(registry.refused))}

    async def _decisions(
        self, session: Session, people: Collection[int], now: datetime
    ) -> Mapping[int, object]:
        """Return the marks of people's decisions: drafts are judged by a menu, on a day."""
        catalogue, found = self._catalogue(), await decision.marks(session, people)
        judged_by = catalogue and catalogue.revision, now.astimezone(ZONE).date()
        return {person: (found.get(person), judged_by) for person in people}

    def _read(self, marks: _Read[K]) -> _Look[K]:
        async def look(keys: Collection[K]) -> Mapping[K, object]:
            async with self._database.session() as session:
                return await marks(session, keys, self._clock())

        return look

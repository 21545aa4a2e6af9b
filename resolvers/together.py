"""Together: what many queries ask at the same time is asked once, and what they note noted once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from models import access, card, dossier, talent
from models.database import Database
from models.line import Line

K = TypeVar("K")
V = TypeVar("V")

#: So many are served by one statement at most, over so many lines at a time.
MOST = 500
LINES = 2


class Together(Generic[K, V]):
    """Serves whoever comes while others are served together with all who have come meanwhile.

    Nobody waits for others to come: as long as a line is free, whoever comes is served; and what
    is read for somebody is read after they asked.
    """

    def __init__(
        self,
        database: Database,
        serve: Callable[[Line, Sequence[K]], Awaitable[Sequence[V]]],
    ) -> None:
        self._serve = serve
        self._free = [Line(database) for _ in range(LINES)]
        self._waiting: deque[tuple[K, asyncio.Future[V]]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, key: K) -> asyncio.Future[V]:
        """Return what comes of asking."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[V] = loop.create_future()
        self._waiting.append((key, future))
        if self._free:
            task = loop.create_task(self._work(self._free.pop()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return future

    async def _work(self, line: Line) -> None:
        try:
            while self._waiting:
                many = min(len(self._waiting), MOST)
                await self._serve_these(line, [self._waiting.popleft() for _ in range(many)])
        finally:
            self._free.append(line)

    async def _serve_these(
        self, line: Line, together: Sequence[tuple[K, asyncio.Future[V]]]
    ) -> None:
        try:
            found = await self._serve(line, [key for key, _ in together])
        except Exception as wrong:  # noqa: BLE001 - it is told to whoever waits
            for _, future in together:
                if not future.done():
                    future.set_exception(wrong)
            return
        for (_, future), value in zip(together, found, strict=True):
            # Who went away does not hear what came of it.
            if not future.done():
                future.set_result(value)


#: What is noted of one query: a row a person, by column.
Notes = Sequence[Mapping[str, Any]]


class Shared:
    """The questions and the notes that the queries of one process have together."""

    def __init__(self, database: Database) -> None:
        self.cards_by_serial = Together(database, _cards)
        self.people_by_handle = Together(database, dossier.by_handles_over)
        self.notes = Together(database, _noted)


async def _cards(
    line: Line, texts: Sequence[str]
) -> Sequence[tuple[card.Card, talent.Talent] | None]:
    serials = [card.normal_serial(text) for text in texts]
    asked = list({one for one in serials if one})
    rows = await line.found(talent.HELD_BY_SERIAL, asked) if asked else []
    found = {row[0].serial: (row[0], row[1]) for row in rows}
    return [found.get(serial or "") for serial in serials]


async def _noted(line: Line, noted: Sequence[Notes]) -> Sequence[None]:
    await access.keep(line, [row for rows in noted for row in rows])
    return [None] * len(noted)

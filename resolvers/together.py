"""Together: what many queries ask at the same time is asked once, and what they note noted once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from models import access, card, dossier, talent
from models.database import Database
from models.line import Line
from resolvers import menu
from resolvers.turn import SERVERS, Turns

K = TypeVar("K")
V = TypeVar("V")

#: So many are served by one statement at most.
MOST = 500


class Together(Generic[K, V]):
    """Serves those who come, in turns, over lines; what is read is read after they asked."""

    def __init__(
        self,
        database: Database,
        serve: Callable[[Line, Sequence[K]], Awaitable[Sequence[V]]],
    ) -> None:
        self._over = serve
        self._free = [Line(database) for _ in range(SERVERS)]
        self._turns: Turns[K, V] = Turns(MOST)

    def ask(self, key: K) -> asyncio.Future[V]:
        """Return what comes of asking."""
        return self._turns.take(key, self._serve)

    async def _serve(self, keys: Sequence[K]) -> Sequence[V]:
        line = self._free.pop()
        try:
            return await self._over(line, keys)
        finally:
            self._free.append(line)


#: What is noted of one query: a row a person, by column.
Notes = Sequence[Mapping[str, Any]]


class Shared:
    """The questions and the notes that the queries of one process have together."""

    def __init__(self, database: Database) -> None:
        self.cards_by_serial = Together(database, _cards)
        self.people_by_handle = Together(database, dossier.by_handles_over)
        self.notes = Together(database, _noted)
        self.earlier = menu.Earlier(database)


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

"""Limits: how often cards may be checked, counted over all of the hub's processes."""

from __future__ import annotations

import time
from dataclasses import dataclass

from connectors.board import Board
from connectors.bucket import Bucket

#: Counts that a process keeps at most; those counted longest ago go first.
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Limit:
    """So many at once, and so many a second in the long run."""

    name: str
    per_second: float
    burst: int


#: Checks of one verifier (docs/verifying.md, "Limits").
CHECKS = Limit("checks", 10.0, 50)
#: Refusals that one verifier may hear about serials.
NOES = Limit("noes", 20 / 3600, 20)
#: Checks of one card, by whomever.
CARD = Limit("card", 30 / 3600, 30)
#: How often one holder is asked to confirm.
PROMPTS = Limit("prompts", 3 / 600, 3)
#: Requests for access tokens by one client.
TOKENS = Limit("tokens", 1.0, 20)


class Limits:
    """Counts, on the board that processes share where there is one, else in this process."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._buckets: dict[tuple[str, str], Bucket] = {}

    async def take(self, limit: Limit, key: str) -> float:
        """Count one, and return 0; or count nothing, and return the seconds until one may be."""
        return await self._asked(limit, key, patience=0.0)

    async def wait(self, limit: Limit, key: str) -> float:
        """Return the seconds until one more may be counted, and count nothing."""
        return await self._asked(limit, key, patience=-1.0)

    async def _asked(self, limit: Limit, key: str, patience: float) -> float:
        name = f"{limit.name}:{key}"
        shared = await self._board.take(name, limit.per_second, limit.burst, patience)
        if shared is not None:
            return shared
        return self._bucket(limit, key).take(time.monotonic(), patience)

    def _bucket(self, limit: Limit, key: str) -> Bucket:
        found = self._buckets.pop((limit.name, key), None)
        if found is None:
            found = Bucket(limit.per_second, limit.burst)
        self._buckets[limit.name, key] = found
        if len(self._buckets) > _MOST:
            del self._buckets[next(iter(self._buckets))]
        return found

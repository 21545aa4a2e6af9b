"""Knows when one query has nothing left to read, so that partners can be asked."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager

#: How many turns of the loop without a read count as quiet: a resolver that goes on after a read
#: needs a few to reach its next read or its next ask.
QUIET_TURNS = 12


class Reads(AbstractAsyncContextManager[None]):
    """Counts one query's reads under way."""

    def __init__(self) -> None:
        self._under_way = 0
        self._begun = 0
        self._is_hurried = False
        self._none = asyncio.Event()
        self._none.set()

    def one(self) -> AbstractAsyncContextManager[None]:
        """Return what is a read under way while it is held."""
        return self

    async def __aenter__(self) -> None:
        self._under_way += 1
        self._begun += 1
        self._none.clear()

    async def __aexit__(self, *_: object) -> None:
        self._under_way -= 1
        if not self._under_way:
            self._none.set()

    def hurry(self) -> None:
        """Say that no read begins, and nothing more is asked, before partners have answered."""
        self._is_hurried = True

    def asked(self) -> None:
        """Say that something is to be asked: whoever hurried before did not know of it."""
        self._is_hurried = False

    async def quiet(self) -> None:
        """Wait until no read is under way and none was begun for a few turns of the loop.

        Turns are long on a busy hub: they are not waited for where somebody knows better.
        """
        turns, begun = 0, self._begun
        while turns < QUIET_TURNS and not (self._is_hurried and self._none.is_set()):
            await self._none.wait()
            await asyncio.sleep(0)
            turns = turns + 1 if begun == self._begun else 0
            begun = self._begun

"""Limits: how often cards are checked and how much is asked, over all of the hub's processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address

from connectors.board import PATIENCE_SECONDS, Board
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


@dataclass(slots=True)
class _Account:
    """What one caller may still spend, as far as this process knows."""

    bucket: Bucket
    #: Spent here, and the other processes do not know it yet.
    owed: float = 0.0
    telling: bool = False


class Points:
    """What callers may spend: ``per_second`` points in the long run, ``burst`` at once; 0 is off.

    Charging waits for nobody. Each process lets through what it knows to be there, and tells the
    board of what it let through once that is a twentieth of the burst: then it hears what the
    others did. So over all processes a caller may get more than the rate allows, once, by at most
    ``error`` for each process. While the board is away each process counts by itself.

    ``named`` turns a caller into what the board knows them by: a name that tells nobody who it is.
    """

    def __init__(
        self,
        board: Board,
        per_second: float,
        burst: int,
        named: Callable[[str], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._board = board
        self._per_second = per_second if burst > 0 else 0.0
        self._burst = burst
        self._ahead = burst / 20
        self._named = named
        self._clock = clock
        self._accounts: dict[str, _Account] = {}
        self._telling: set[asyncio.Task[None]] = set()

    @property
    def are_counted(self) -> bool:
        """Whether anybody is charged at all."""
        return self._per_second > 0

    def error(self, dearest: int) -> float:
        """Return by how much one process may let through too much, by operations of that cost.

        It owes at most a twentieth and one operation, twice: what it is telling, and what it let
        through meanwhile.
        """
        return 2 * (self._ahead + min(dearest, self._burst))

    def charge(self, caller: str, cost: int) -> float:
        """Charge a caller, and return 0; or charge nothing, and return the seconds to wait.

        What costs more than the burst takes all of it.
        """
        if self._per_second <= 0:
            return 0.0
        account = self._accounts.pop(caller, None) or self._opened()
        self._accounts[caller] = account
        now, points = self._clock(), min(cost, self._burst)
        if self._board.is_shared:
            return self._charged(caller, account, now, points)
        return account.bucket.take(now, 0.0, points)

    def left(self, caller: str) -> int:
        """Return how many points a caller may spend now."""
        account = self._accounts.get(caller)
        lacking = account.bucket.lacks(self._clock()) if account else 0.0
        return max(0, int(self._burst - lacking))

    def _opened(self) -> _Account:
        if len(self._accounts) >= _MOST:
            del self._accounts[next(iter(self._accounts))]
        return _Account(Bucket(self._per_second, self._burst))

    def _charged(self, caller: str, account: _Account, now: float, points: int) -> float:
        # What was spent longer ago than it takes to come back is no debt any more.
        account.owed = min(account.owed, account.bucket.lacks(now))
        if account.telling and account.owed >= self._ahead:
            return PATIENCE_SECONDS
        wait = account.bucket.take(now, 0.0, points)
        if wait == 0:
            account.owed += points
            if account.owed >= self._ahead and not account.telling:
                account.telling = True
                task = asyncio.create_task(self._tell(caller, account))
                self._telling.add(task)
                task.add_done_callback(self._telling.discard)
        return wait

    async def _tell(self, caller: str, account: _Account) -> None:
        """Tell the board what was spent here, and learn what the others spent."""
        told, account.owed = account.owed, 0.0
        name = f"points:{self._named(caller)}"
        lacking = await self._board.spend(name, self._per_second, told)
        account.telling = False
        if lacking is not None:
            account.bucket.learn(self._clock(), lacking + account.owed)


@lru_cache(maxsize=4096)
def network(address: str) -> str:
    """Return what an address is charged as: itself, or the /64 that one household has of IPv6.

    What is no address is charged together.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(IPv6Network((found, 64), strict=False))


def caller(role: str, subject: str, address: str) -> str:
    """Return whom to charge: whoever shows who they are, else the network they ask from."""
    return f"{role}:{subject}" if subject else f"address:{network(address)}"

"""Measures: what this process counts of its own work, in plain numbers: counting costs little.

Whoever does a thing counts it here, on the event loop; ``endpoints/metrics.py`` tells it. What
tells one from another comes out of closed sets, whatever askers send.
"""

from __future__ import annotations

import asyncio
import logging
import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

#: How an operation is called whose name is not known here, or is one too many.
OTHER = "other"
#: So many operations are told apart.
MOST_NAMES = 100
#: So often the event loop is looked at.
TURN_SECONDS = 0.25

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_COST = (10.0, 100.0, 1_000.0, 10_000.0, 100_000.0)
_LAG = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0)

_log = logging.getLogger("greenway")


class Histogram:
    """How many values were at most each bound."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        #: Of each bound those above the one before; last, those above all.
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Operations:
    """The operations of one kind and name."""

    __slots__ = ("cost", "outcomes", "seconds")

    def __init__(self) -> None:
        #: How many ended so: ``OK``, or the code of the first error.
        self.outcomes: Counter[str] = Counter()
        self.seconds = Histogram(_SECONDS)
        self.cost = Histogram(_COST)


@dataclass(slots=True)
class Measures:
    """The numbers of one process."""

    #: An operation that takes longer has a line in the log.
    slow_seconds: float = math.inf
    #: The operations that may be told by name: those of trusted documents.
    names: frozenset[str] = frozenset()
    under_way: int = 0
    sockets: int = 0
    subscriptions: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    #: What was refused for being asked too often, by the limit's name.
    limited: Counter[str] = field(default_factory=Counter)
    #: How late the event loop did what was due.
    lag: Histogram = field(default_factory=lambda: Histogram(_LAG))
    operations: dict[tuple[str, str], Operations] = field(default_factory=dict)
    _due: float = math.inf

    def operation(
        self,
        kind: str,
        outcome: str,
        *,
        seconds: float,
        cost: int,
        called: str | None = None,
        document: str = "",
    ) -> None:
        """Count one operation that ended.

        Args:
            kind: ``query``, ``mutation``, ``subscription``, or ``unread``.
            outcome: ``OK``, or the code of its first error.
            seconds: How long it took.
            cost: What it cost, in points; 0 where it was refused before that was known.
            called: Its name in the document.
            document: The hash of its document, for the log.
        """
        told = self.known(called)
        found = self.operations.get((told, kind)) or self._begun(told, kind)
        found.outcomes[outcome] += 1
        found.seconds.add(seconds)
        found.cost.add(cost)
        if seconds >= self.slow_seconds:
            _log.warning(
                "slow operation: a %s, document %s, took %.3f s",
                kind,
                document,
                seconds,
                extra={"document": document, "seconds": round(seconds, 3)},
            )

    def known(self, called: str | None) -> str:
        """Return a name as it may be told: that of a trusted document, or ``other``."""
        return called if called and called in self.names else OTHER

    def _begun(self, told: str, kind: str) -> Operations:
        if len(self.operations) >= MOST_NAMES:
            told = OTHER
        return self.operations.setdefault((told, kind), Operations())

    async def turned(self) -> None:
        """Note how late this is: the loop was to do it ``TURN_SECONDS`` after the last time."""
        now = asyncio.get_running_loop().time()
        self.lag.add(max(0.0, now - self._due))
        self._due = now + TURN_SECONDS

"""The pace of an operation: when it lets others have their turns, and by when it must be over."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from models import turns


class OutOfTimeError(Exception):
    """The operation's time is over."""


class Pace(NamedTuple):
    """What an operation does between two objects: once ``clock()`` is past ``due``, it ticks.

    A timeout of the event loop cannot end fields that never await; this can.
    """

    clock: Callable[[], float]
    due: float
    #: It breathes; what it raises ends the operation.
    tick: Callable[[], None]

    @classmethod
    def of(cls, seconds: float) -> Pace:
        """Return the pace of an operation that begins now and may take so many seconds."""
        clock, breathe = time.monotonic, turns.breathe
        ends = clock() + seconds

        def tick() -> None:
            breathe()
            if clock() > ends:
                raise OutOfTimeError

        # What is done piecemeal has to breathe before it is late.
        return cls(clock, -math.inf if turns.is_piecemeal() else ends, tick)

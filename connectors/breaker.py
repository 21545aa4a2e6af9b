"""The circuit breaker: after so many failures in a row a partner is left to rest, then probed."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """What a breaker lets through: all calls, none, or one probe."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


class Breaker:
    """One partner's breaker; the time is an argument, in seconds of any steady clock.

    A call that begins is given a turn: the number of the probe that it is, or 0 for any other.
    Whoever ends it hands the turn back, so that a call from before the opening is never taken for
    the probe.
    """

    def __init__(self, failures: int, seconds: float) -> None:
        self._limit = failures
        self._seconds = seconds
        self._in_a_row = 0
        self._probes = 0
        self._probing = 0
        self.opened_at: float | None = None

    def state(self, now: float) -> State:
        """Return what is let through at this time."""
        if self.opened_at is None:
            return State.CLOSED
        return State.OPEN if now < self.opened_at + self._seconds else State.HALF_OPEN

    def wait(self, now: float) -> float:
        """Return the seconds until a call may be made; 0 is now."""
        if self.opened_at is None:
            return 0.0
        if self._probing:
            return self._seconds
        return max(0.0, self.opened_at + self._seconds - now)

    def begin(self) -> int:
        """Note that a call begins, and return its turn."""
        if self.opened_at is None:
            return 0
        self._probes += 1
        self._probing = self._probes
        return self._probing

    def succeeded(self) -> None:
        """Note that the partner lives, whichever call has shown it."""
        self._in_a_row = 0
        self._probing = 0
        self.opened_at = None

    def failed(self, now: float, turn: int) -> None:
        """Note that the partner failed; enough of these in a row, or a failed probe, open.

        A call from before the opening that fails only now adds nothing.
        """
        if self._is_probe(turn):
            self._open(now)
        elif self.opened_at is None:
            self._in_a_row += 1
            if self._in_a_row >= self._limit:
                self._open(now)

    def abandoned(self, turn: int) -> None:
        """Note that the call was given up without learning anything."""
        if self._is_probe(turn):
            self._probing = 0

    def told_open(self, now: float, seconds: float) -> None:
        """Note that somebody else opened theirs, and leaves the partner so many seconds more.

        None left, or fewer, is a partner that may be probed.
        """
        self._open(now + seconds - self._seconds)

    def _is_probe(self, turn: int) -> bool:
        return turn != 0 and turn == self._probing

    def _open(self, at: float) -> None:
        self._probing = 0
        self.opened_at = at

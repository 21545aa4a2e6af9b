"""The circuit breaker: after so many failures in a row a partner is left to rest, then probed."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """What a breaker lets through: all calls, none, or one probe."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


class Breaker:
    """One partner's breaker; the time is an argument, in seconds of any steady clock."""

    def __init__(self, failures: int, seconds: float) -> None:
        self._limit = failures
        self._seconds = seconds
        self._in_a_row = 0
        self._probing = False
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

    def begin(self) -> bool:
        """Note that a call begins, and return whether it is the one probe."""
        self._probing = self.opened_at is not None
        return self._probing

    def succeeded(self) -> None:
        """Note that the partner lives."""
        self._in_a_row = 0
        self._probing = False
        self.opened_at = None

    def failed(self, now: float) -> None:
        """Note that the partner failed; enough of these in a row, or a failed probe, open.

        A call from before the opening that fails only now adds nothing.
        """
        if self.state(now) is State.OPEN:
            return
        self._in_a_row += 1
        if self._probing or self._in_a_row >= self._limit:
            self.opened_at = now
        self._probing = False

    def abandoned(self) -> None:
        """Note that the call was given up without learning anything."""
        self._probing = False

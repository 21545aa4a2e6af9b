"""The token bucket: how much is asked for in the long run, and how much at once."""

from __future__ import annotations


class Bucket:
    """A bucket of ``burst`` tokens that fills at ``per_second``.

    Kept as the generic cell rate algorithm does (ITU-T I.371, annex A): one number, the time at
    which the bucket will be full again, says all. The time is an argument, in seconds of any
    steady clock.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self.per_second = per_second
        self.burst = burst
        self._full_at = 0.0

    def take(self, now: float, patience: float, tokens: int = 1) -> float:
        """Take tokens, and return the seconds until they are there; 0 is now.

        Tokens that are not there within ``patience`` seconds are not taken.
        """
        interval = 1 / self.per_second
        full_at = max(self._full_at, now)
        wait = max(0.0, full_at - (self.burst - tokens) * interval - now)
        if wait <= patience:
            self._full_at = full_at + tokens * interval
        return wait

    def lacks(self, now: float) -> float:
        """Return how many tokens are missing for it to be full."""
        return max(0.0, self._full_at - now) * self.per_second

    def learn(self, now: float, lacking: float) -> None:
        """Be told how many tokens are missing, more than there are where all are owed."""
        self._full_at = now + lacking / self.per_second

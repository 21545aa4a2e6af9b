"""The token bucket: how often a partner is called in the long run, and how often at once."""

from __future__ import annotations


class Bucket:
    """A bucket of ``burst`` tokens that fills at ``per_second``, a token a call.

    Kept as the generic cell rate algorithm does (ITU-T I.371, annex A): one number, the time at
    which the bucket will be full again, says all. The time is an argument, in seconds of any
    steady clock.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self.per_second = per_second
        self.burst = burst
        self._full_at = 0.0

    def take(self, now: float, patience: float) -> float:
        """Take a token, and return the seconds until it is there; 0 is now.

        A token that is not there within ``patience`` seconds is not taken.
        """
        interval = 1 / self.per_second
        full_at = max(self._full_at, now)
        wait = max(0.0, full_at - (self.burst - 1) * interval - now)
        if wait <= patience:
            self._full_at = full_at + interval
        return wait

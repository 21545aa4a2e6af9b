"""How fast this machine is now, beside the one for which bars of time are set."""

from __future__ import annotations

import time

import graphql

#: To read this takes so long at the pace for which the bars are; a slower machine is given more
#: time, and a faster one no less.
_TEXT = "{" + " ".join(f"a{n}: categories {{ code name {{ text }} }}" for n in range(200)) + "}"
_SECONDS = 0.008


def now(times: int) -> float:
    """Return how much longer things take now than they should, in the best of some; 1 at least."""
    took = []
    for _ in range(times):
        began = time.process_time()
        graphql.parse(_TEXT)
        took.append(time.process_time() - began)
    return max(1.0, min(took) / _SECONDS)

"""What is left in cycles, for the collector to find."""

from __future__ import annotations

import contextlib
import gc

#: What is ours, and the trees that others make of a text, by which all that is read of it is kept.
OURS = ("connectors", "endpoints", "models", "resolvers", "schema", "graphql.language.ast")


@contextlib.contextmanager
def leavings():
    """Give what is left in cycles meanwhile: kinds of ours, and places of functions."""
    found: set[str] = set()
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        for one in gc.garbage:
            if type(one).__module__.startswith(OURS):
                found.add(type(one).__qualname__)
            elif type(one).__name__ == "function":
                found.add(one.__code__.co_filename)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()

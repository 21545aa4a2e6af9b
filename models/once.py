"""What was made of something that does not change, kept beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

_MISSING: Any = object()


class Once(dict[object, Any]):
    """Makes a thing the first time it is asked for under a key, and returns it ever after."""

    def __call__(self, key: object, make: Callable[[], T]) -> T:
        """Return what was made under a key, making it the first time."""
        found: T = self.get(key, _MISSING)
        if found is _MISSING:
            found = self[key] = make()
        return found

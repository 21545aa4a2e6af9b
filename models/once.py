"""What was made of something that does not change, kept beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

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


class made_once(Generic[T]):  # noqa: N801 - it is read as a word before a method
    """An attribute that is made when an object is first asked for it, and kept among the others.

    It is what ``functools.cached_property`` is since Python 3.12: before that, it takes a lock.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, one: None, _: type | None = None) -> Self: ...
    @overload
    def __get__(self, one: object, _: type | None = None) -> T: ...
    def __get__(self, one: object | None, _: type | None = None) -> Self | T:
        if one is None:
            return self
        found = one.__dict__[self._name] = self._make(one)
        return found

"""What a resolver will return: made at once, as soon as what it waits for is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Sequence
from typing import Any, Generic, TypeVar

T = TypeVar("T")
M = TypeVar("M")


class Pending(Generic[T]):
    """A value that is made of others, which several may wait for together.

    Whoever has many of them waits for the futures, most of which are the same, and then takes each
    value; whoever has one awaits it. Nothing runs for it meanwhile.
    """

    __slots__ = ("_make", "until")

    def __init__(self, until: Sequence[asyncio.Future[None]], make: Callable[[], T]) -> None:
        """Wait for these futures, which belong to others too; then make it."""
        self.until = until
        self._make = make

    def __await__(self) -> Generator[Any, None, T]:
        for one in self.until:
            if not one.done():
                # Who leaves does not take it from the others.
                yield from asyncio.shield(one).__await__()
        return self.value()

    def value(self) -> T:
        """Return it, where all that it waits for is there; raise what came in its place."""
        for one in self.until:
            one.result()
        return self._make()

    def then(self, make: Callable[[T], M]) -> Pending[M]:
        """Return what is made of it."""
        return Pending(self.until, lambda: make(self._make()))

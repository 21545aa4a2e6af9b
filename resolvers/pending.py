"""What a resolver will return: made at once, as soon as what it waits for is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any, Generic, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


class Pending(Generic[T]):
    """A value that is made of others, which several may wait for together.

    Whoever has many of them waits for the futures, most of which are the same, and then takes each
    value; whoever has one awaits it. Nothing runs for it meanwhile.
    """

    __slots__ = ("_given", "_make", "hurry", "until")

    def __init__(
        self,
        until: tuple[asyncio.Future[None], ...],
        hurry: Callable[[], None],
        make: Callable[P, T],
        *given: P.args,
        **_: P.kwargs,
    ) -> None:
        """Wait for these futures, which belong to others too; then make it of what is given.

        ``hurry`` is called by whoever knows that nothing else is asked before they are there.
        """
        self.until = until
        self.hurry = hurry
        self._make: Callable[..., T] = make
        self._given = given

    def __await__(self) -> Generator[Any, None, T]:
        for one in self.until:
            if not one.done():
                # Who leaves does not take it from the others.
                yield from asyncio.shield(one).__await__()
        return self.value()

    def is_ready(self) -> bool:
        """Say whether all that it waits for is there."""
        for one in self.until:  # noqa: SIM110 - `all` would make a generator, each of many times
            if not one.done():
                return False
        return True

    def value(self) -> T:
        """Return it, where all that it waits for is there; raise what came in its place."""
        for one in self.until:
            one.result()
        return self._make(*self._given)

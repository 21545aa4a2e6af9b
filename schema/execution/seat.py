"""Seats: how many streams and sockets may be open at once, in a process and from one address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import Scope


def address_of(scope: Scope) -> str:
    """Return from where a connection comes; a server without addresses has one for all."""
    client = scope.get("client")
    return str(client[0]) if client else ""


class FullError(Exception):
    """There is no seat any more."""


class Seats:
    """The seats of a process; ``most`` in all, ``each`` for one address; 0 for any number."""

    def __init__(self, most: int = 1_000, each: int = 100) -> None:
        self._most = most
        self._each = each
        self._taken: Counter[str] = Counter()

    @property
    def open(self) -> int:
        """How many are taken."""
        return self._taken.total()

    @contextmanager
    def taken(self, address: str) -> Iterator[None]:
        """Take a seat for somebody at an address, as long as this lasts.

        Raises:
            FullError: there is none for them.
        """
        for taken, most in ((self.open, self._most), (self._taken[address], self._each)):
            if 0 < most <= taken:
                raise FullError
        self._taken[address] += 1
        try:
            yield
        finally:
            self._taken[address] -= 1
            self._taken += Counter()  # drops the addresses that have none

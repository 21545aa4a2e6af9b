"""Reading: what was made of an answer, which is made no second time of the very same bytes.

Partners are asked far more often than they have something new to say. What is made of an answer
depends on its bytes and on what was asked, and on nothing else; so where both are as before, so is
what comes of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

#: The most answers of one partner that are kept so, and the most bytes; the oldest go first.
ENTRIES = 64
BYTES = 1_000_000

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Read(Generic[R]):
    pages: Sequence[bytes]
    made: R


class Readings(Generic[R]):
    """What was made of one partner's last answers, by what was asked."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, _Read[R]] = OrderedDict()
        self._bytes = 0

    def known(self, asked: Hashable, pages: Sequence[bytes]) -> R | None:
        """Return what was made of these pages the last time, if they answered the same then."""
        kept = self._kept.get(asked)
        return kept.made if kept and kept.pages == pages else None

    def keep(self, asked: Hashable, pages: Sequence[bytes], made: R) -> None:
        """Keep what was made of an answer, in place of the one before."""
        self._drop(asked)
        self._kept[asked] = _Read(pages, made)
        self._bytes += sum(map(len, pages))
        while self._bytes > BYTES or len(self._kept) > ENTRIES:
            self._drop(next(iter(self._kept)))

    def _drop(self, asked: Hashable) -> None:
        if kept := self._kept.pop(asked, None):
            self._bytes -= sum(map(len, kept.pages))

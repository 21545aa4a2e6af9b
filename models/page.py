"""Forward paging by keyset: how many rows a page holds, and cursors that fit one list alone."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, TypeVar

from models import errors
from models.once import Once
from models.text import LONGEST

DEFAULT = 20
MOST = 100
_SEAL_BYTES = 8

Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some items of a list in its order, and the cursor of each: what continues after it.

    ``once`` has what was made of it.
    """

    items: tuple[Item, ...]
    has_next: bool
    cursor: Callable[[Item], str] = field(compare=False)
    once: Once = field(default_factory=Once, compare=False, repr=False)

    @cached_property
    def cursors(self) -> tuple[str, ...]:
        """The items' cursors, made for whoever asks for them."""
        return tuple(map(self.cursor, self.items))


@dataclass(frozen=True, slots=True)
class Scope:
    """One list under one filter. ``filter`` is any value whose repr tells it from others."""

    list: str
    filter: object = None

    def cursor(self, key: str) -> str:
        """Return the opaque cursor that stands after the item of this key."""
        body = key.encode()
        return base64.urlsafe_b64encode(self._seal(body) + body).rstrip(b"=").decode()

    def key(self, cursor: str) -> str:
        """Return the key in a cursor of this very scope; any other raises BadCursorError."""
        if len(cursor) > LONGEST:
            raise errors.BadCursorError
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise errors.BadCursorError from None
        seal, body = raw[:_SEAL_BYTES], raw[_SEAL_BYTES:]
        if seal != self._seal(body):
            raise errors.BadCursorError
        return body.decode()

    def page(self, found: Sequence[Item], first: int, key: Callable[[Item], object]) -> Page[Item]:
        """Return the page of what was found when one more than ``first`` was looked for."""
        return Page(
            tuple(found[:first]), len(found) > first, lambda item: self.cursor(str(key(item)))
        )

    def _seal(self, body: bytes) -> bytes:
        # The seal tells lists apart and mistakes from cursors; it keeps no secret.
        person = f"{self.list} {self.filter!r}".encode()
        return hashlib.blake2b(person + b"\0" + body, digest_size=_SEAL_BYTES).digest()


def size(
    first: int | None, least: int = 0, hint: str = "Ask for further pages with `after`."
) -> int:
    """Return how many items were asked for, or the default.

    Raises:
        BadInputError: it is out of range; ``hint`` says how the others are had.
    """
    if first is None:
        return DEFAULT
    if not least <= first <= MOST:
        raise errors.BadInputError(f"`first` is {first}; it may be {least} to {MOST}.", hint)
    return first

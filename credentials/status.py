"""Status lists (IETF Token Status List, draft 21): whether cards count, all in one signed text.

All unused places look valid, so a list tells nothing of how many cards there are.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from credentials import base64url, claim, compact
from credentials.flaw import Flaw, NotGenuineError
from credentials.keyring import LIFETIMES, TYPES, Key, Purpose

#: How many places a list of ours has, and how many bits each.
PLACES = 131_072
BITS = 2
#: Whoever has a list looks for a newer one after so long; past its end it counts no more.
TTL = timedelta(seconds=300)
LIFETIME = LIFETIMES[Purpose.STATUS]
#: A longer text is refused unread; and no list is inflated beyond so many bytes.
MOST_LENGTH = 500_000
MOST_BYTES = 262_144

_WIDTHS = (1, 2, 4, 8)


class Status(IntEnum):
    """What a place of a list says of a card."""

    VALID = 0
    INVALID = 1
    SUSPENDED = 2


@dataclass(frozen=True, slots=True)
class StatusList:
    """Numbers of a few bits each, packed: the lowest bits of the first byte are the first."""

    bits: int
    packed: bytes

    def __getitem__(self, index: int) -> int:
        """Return the number at a place: one that is no ``Status`` is at any rate not valid.

        Raises:
            NotGenuineError: the list has no such place, so the card that names it is none.
        """
        if not 0 <= index < len(self.packed) * 8 // self.bits:
            raise NotGenuineError(Flaw.MALFORMED)
        byte, shift = divmod(index * self.bits, 8)
        return self.packed[byte] >> shift & (1 << self.bits) - 1

    @property
    def compressed(self) -> bytes:
        """The list as it is published; slow, so that it is done beside the event loop."""
        return zlib.compress(self.packed, 9)


@dataclass(frozen=True, slots=True)
class Published:
    """A list as somebody signed it: ``as_of`` is how fresh what it says is."""

    statuses: StatusList
    as_of: datetime
    expires_at: datetime


def of(marked: Mapping[int, int], *, places: int = PLACES, bits: int = BITS) -> StatusList:
    """Return the list in which these places hold these numbers, and all others 0."""
    packed = bytearray(-(-places * bits // 8))
    for index, value in marked.items():
        byte, shift = divmod(index * bits, 8)
        packed[byte] |= value << shift
    return StatusList(bits, bytes(packed))


def sign(key: Key, statuses: StatusList, uri: str, now: datetime) -> str:
    """Return the list for publication at an address, signed with a key for status lists."""
    claims = {
        "sub": uri,
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
        "ttl": int(TTL.total_seconds()),
        "status_list": {"bits": statuses.bits, "lst": base64url.encode(statuses.compressed)},
    }
    return compact.sign(key, claims)


def read(
    token: str, keys: compact.Keys, *, uri: str, now: datetime, most_bytes: int = MOST_BYTES
) -> Published:
    """Return the list that was published at an address, if it counts now.

    Args:
        token: What was found there.
        keys: Finds a key by its id.
        uri: The address, as the card names it.
        now: The hub's time.
        most_bytes: It is inflated no further: little text may hide boundless zeros.

    Raises:
        NotGenuineError: it is no such list, or one that is over.
    """
    claims = compact.read(token, keys, TYPES[Purpose.STATUS], most_length=MOST_LENGTH)
    if claims.get("sub") != uri:
        raise NotGenuineError(Flaw.WRONG_SUBJECT)
    claim.times(claims, now)
    found = claim.members(claims.get("status_list"))
    bits = claim.whole(found.get("bits"))
    if bits not in _WIDTHS:
        raise NotGenuineError(Flaw.MALFORMED)
    packed = _inflated(claim.text(found.get("lst"), MOST_LENGTH), most_bytes)
    return Published(
        StatusList(bits, packed), claim.moment(claims["iat"]), claim.moment(claims["exp"])
    )


def _inflated(text: str, most_bytes: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        packed = inflater.decompress(base64url.decode(text), most_bytes)
    except zlib.error:
        raise NotGenuineError(Flaw.MALFORMED) from None
    if inflater.unconsumed_tail:
        raise NotGenuineError(Flaw.TOO_LARGE)
    if not inflater.eof or inflater.unused_data:
        raise NotGenuineError(Flaw.MALFORMED)
    return packed

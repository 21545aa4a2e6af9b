"""Packed answers: smaller by the coding that whoever asks knows, where it is worth the work."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache

import brotli
import zstandard

from schema.execution import negotiation

#: A smaller body is sent as it is: packing it would take longer than sending it.
LEAST_BYTES = 1_024

_GZIP = 31  # what zlib calls a gzip head and trailer around the most it can look back
_ZSTD = zstandard.ZstdCompressor(level=3)


def _gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(level=1, wbits=_GZIP)
    return packer.compress(body) + packer.flush()


#: The codings there are, the quickest for its size first (RFC 9110, section 8.4.1).
CODINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "zstd": _ZSTD.compress,
    "br": lambda body: brotli.compress(body, quality=4),
    "gzip": _gzip,
}


@lru_cache(maxsize=256)
def preferred(accept: bytes | None) -> str | None:
    """Return the coding that an answer is packed by, of those that are accepted; None for none.

    Of codings that are wanted alike, the first of ours. A wildcard stands for ``gzip``.
    """
    if accept is None:
        return None
    weights = negotiation.weighed(accept.decode("latin-1"))
    wildcard = weights.get("*", 0.0)
    wanted = {name: weights.get(name, wildcard if name == "gzip" else 0.0) for name in CODINGS}
    best = max(wanted, key=wanted.__getitem__)
    return best if wanted[best] > 0 else None

"""Receipts: statements signed by the hub, each exactly one way, so that a replay gives the same.

A receipt is a compact JWS (RFC 7515) with ES256. The signature is the deterministic one of
RFC 6979: the same statement and key give the same bytes, and any other spelling is refused.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from typing import Any

import orjson
from joserfc.jwk import ECKey

from credentials import base64url, es256
from credentials.flaw import NotGenuineError
from models import errors

#: What the header says it is, so that nothing else signed by the hub passes for a receipt.
TYPE = "decision-receipt+jwt"
#: A longer receipt is refused unread, in characters.
MOST_LENGTH = 64_000

_FORM = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")


class Notary:
    """Signs statements with its first key, and knows what any of its keys has signed."""

    def __init__(self, keys: Sequence[ECKey]) -> None:
        self._keys = {key.thumbprint(): key for key in keys}
        self._by_header = {_header(id_): id_ for id_ in self._keys}
        self._newest = keys[0].thumbprint()

    @property
    def jwks(self) -> dict[str, Any]:
        """The public keys as a JWK set (RFC 7517), the signing one first."""
        return {
            "keys": [
                {**key.as_dict(private=False), "kid": id_, "use": "sig", "alg": "ES256"}
                for id_, key in self._keys.items()
            ]
        }

    def sign(self, statement: bytes) -> str:
        """Return the receipt of a statement."""
        return _signed(statement, self._newest, self._keys[self._newest])

    def statement(self, receipt: str) -> bytes:
        """Return the statement of a receipt.

        Raises:
            BadReceiptError: none of these keys has signed it so.
        """
        found = _FORM.fullmatch(receipt) if len(receipt) <= MOST_LENGTH else None
        id_ = self._by_header.get(found[1]) if found else None
        statement = _bytes(found[2]) if found and id_ else b""
        signed = _signed(statement, id_, self._keys[id_]) if id_ and statement else ""
        # Compared in constant time: the hub must not help anybody to guess a signature.
        if not (signed and hmac.compare_digest(signed, receipt)):
            raise errors.BadReceiptError
        return statement


def _signed(statement: bytes, id_: str, key: ECKey) -> str:
    said = f"{_header(id_)}.{base64url.encode(statement)}"
    return f"{said}.{base64url.encode(es256.sign(key, said.encode()))}"


def _header(id_: str) -> str:
    return base64url.encode(orjson.dumps({"alg": "ES256", "kid": id_, "typ": TYPE}))


def _bytes(text: str) -> bytes:
    """Return what a text spells, nothing if it spells nothing."""
    try:
        return base64url.decode(text)
    except NotGenuineError:
        return b""

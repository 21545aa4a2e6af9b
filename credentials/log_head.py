"""Heads of a log: how large its tree was and what its root, signed by its hub and by others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from credentials import base64url, claim, compact
from credentials.flaw import Flaw, NotGenuineError
from credentials.keyring import TYPES, Key, Purpose

_ROOT_BYTES = 32


@dataclass(frozen=True, slots=True)
class Head:
    """What the hub attests of its log at one time; ``log`` is the log's name, an address."""

    log: str
    size: int
    root: bytes
    issued_at: datetime


def sign(key: Key, head: Head) -> str:
    """Return a head of a log of ours, signed with a key for logs."""
    return compact.sign(key, _claims(head))


def read(token: str, keys: compact.Keys) -> Head:
    """Return the head that one of the log's own keys has signed.

    Raises:
        NotGenuineError: none of them has.
    """
    claims = compact.read(token, keys, TYPES[Purpose.LOG])
    if "iss" in claims:
        raise NotGenuineError(Flaw.WRONG_ISSUER)
    return _head(claims)


def cosign(key: Key, head: Head, issuer: str) -> str:
    """Return another's head signed by us: we saw it, and it only adds to those we saw before."""
    return compact.sign(key, {**_claims(head), "iss": issuer})


def read_cosigned(token: str, keys: compact.Keys, *, issuer: str) -> Head:
    """Return the head that a neighbour has cosigned.

    Args:
        token: What the neighbour gave.
        keys: Finds a key of this neighbour by its id.
        issuer: Who the neighbour is.

    Raises:
        NotGenuineError: this neighbour has not.
    """
    claims = compact.read(token, keys, TYPES[Purpose.LOG])
    if claims.get("iss") != issuer:
        raise NotGenuineError(Flaw.WRONG_ISSUER)
    return _head(claims)


def _claims(head: Head) -> dict[str, Any]:
    return {
        "log": head.log,
        "size": head.size,
        "root": base64url.encode(head.root),
        "iat": int(head.issued_at.timestamp()),
    }


def _head(claims: dict[str, Any]) -> Head:
    root = base64url.decode(claim.text(claims.get("root")))
    if len(root) != _ROOT_BYTES:
        raise NotGenuineError(Flaw.MALFORMED)
    return Head(
        claim.text(claims.get("log")),
        claim.whole(claims.get("size")),
        root,
        claim.moment(claims.get("iat")),
    )

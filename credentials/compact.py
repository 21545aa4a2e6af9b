"""Compact JWS (RFC 7515) with ES256 and nothing else, in one spelling and no other."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import orjson
from joserfc.jwk import ECKey

from credentials import base64url, es256
from credentials.flaw import Flaw, NotGenuineError
from credentials.keyring import TYPES, Key

#: A longer token is refused unread, in characters.
MOST_LENGTH = 8192

_ALGORITHM = "ES256"
_HEADER = ("alg", "kid", "typ")
_PARTS = 3
_NONE: Mapping[str, Any] = MappingProxyType({})

#: Finds the key that is so called, if there is one that counts.
Keys = Callable[[str], Key | ECKey | None]


@dataclass(frozen=True, slots=True)
class Unproved:
    """A token taken apart, whose claims anybody may have written until a key proves them."""

    header: dict[str, Any]
    claims: dict[str, Any]
    said: bytes
    signature: bytes

    def proved(self, key: Key | ECKey | None) -> dict[str, Any]:
        """Return the claims, which this key has signed.

        Raises:
            NotGenuineError: it has not, or there is no such key.
        """
        if key is None:
            raise NotGenuineError(Flaw.UNKNOWN_KEY)
        if not es256.holds(key.jwk if isinstance(key, Key) else key, self.said, self.signature):
            raise NotGenuineError(Flaw.BAD_SIGNATURE)
        return self.claims


def sign(key: Key, claims: Mapping[str, Any], header: Mapping[str, Any] = _NONE) -> str:
    """Return claims signed with a key for what the key is for: equal claims give equal tokens."""
    named = {"alg": _ALGORITHM, "kid": key.id, "typ": TYPES[key.purpose], **header}
    return write(key.jwk, claims, named)


def write(key: ECKey, claims: Mapping[str, Any], header: Mapping[str, Any]) -> str:
    """Return claims signed under a header that is given whole: for keys that are not the hub's."""
    said = ".".join(base64url.encode(orjson.dumps(dict(part))) for part in (header, claims))
    return f"{said}.{base64url.encode(es256.sign(key, said.encode()))}"


def read(
    token: str,
    keys: Keys,
    typ: str,
    *,
    most_length: int = MOST_LENGTH,
    allowed: Collection[str] = (),
) -> dict[str, Any]:
    """Return the claims of a token of this type that one of these keys has signed.

    Args:
        token: What was presented.
        keys: Finds a key by its id.
        typ: What the header must say the token is, to the letter.
        most_length: A longer token is refused unread.
        allowed: What the header may say beside ``alg``, ``kid`` and ``typ``.

    Raises:
        NotGenuineError: it is no such token.
    """
    found = parse(token, [typ], most_length=most_length, allowed=allowed)
    return found.proved(keys(found.header["kid"]))


def parse(
    token: str,
    types: Collection[str | None],
    *,
    most_length: int = MOST_LENGTH,
    required: Collection[str] = _HEADER,
    allowed: Collection[str] = (),
) -> Unproved:
    """Return a token taken apart, before its key is known.

    Args:
        token: What was presented.
        types: What its header may say it is; None, that it may not say.
        most_length: A longer token is refused unread.
        required: What the header must say.
        allowed: What it may say besides: whatever else it says may mean something we do not know.

    Raises:
        NotGenuineError: it is no token of these types, or not shaped like one.
    """
    if len(token) > most_length:
        raise NotGenuineError(Flaw.TOO_LARGE)
    parts = token.split(".")
    if len(parts) != _PARTS:
        raise NotGenuineError(Flaw.MALFORMED)
    header, claims, signature = (base64url.decode(part) for part in parts)
    head = json_object(header)
    if not set(required) <= head.keys() <= {*required, *allowed}:
        raise NotGenuineError(Flaw.MALFORMED)
    if head["alg"] != _ALGORITHM:
        raise NotGenuineError(Flaw.WRONG_ALGORITHM)
    if not any(head.get("typ") == typ for typ in types):
        raise NotGenuineError(Flaw.WRONG_TYPE)
    if not isinstance(head.get("kid", ""), str):
        raise NotGenuineError(Flaw.MALFORMED)
    said = token.rpartition(".")[0]
    return Unproved(head, json_object(claims), said.encode(), signature)


def json_object(raw: bytes) -> dict[str, Any]:
    """Return the JSON object that these bytes are, in which no name is said twice.

    Raises:
        NotGenuineError: they are not.
    """
    found = json_value(raw)
    if not isinstance(found, dict):
        raise NotGenuineError(Flaw.MALFORMED)
    return found


def json_value(raw: bytes) -> object:
    """Return the JSON value that these bytes are, in which no object says a name twice.

    Raises:
        NotGenuineError: they are not.
    """
    try:
        # orjson refuses what is not JSON to the letter; only a name said twice escapes it.
        orjson.loads(raw)
        return json.loads(raw.decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise NotGenuineError(Flaw.MALFORMED) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("A name is said twice.")
    return found

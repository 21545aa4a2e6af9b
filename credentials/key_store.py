"""Signing keys as a store outside the hub keeps them: private JWKs (RFC 7517) with their times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from joserfc import errors as jose
from joserfc.jwk import ECKey

from credentials.keyring import Key, Purpose
from models import errors

_POINT = ("kty", "crv", "x", "y", "d")
_TIMES = ("published_at", "signs_from", "signs_until", "public_until")


class BadStoreError(errors.HubError):
    """What a store of keys holds is not shaped so; says nothing of what it holds."""

    code = "MISCONFIGURED"

    def __init__(self, place: int | None = None) -> None:
        which = "It" if place is None else f"Key {place + 1}"
        super().__init__(
            f"The keys at GREENWAY_KEYS_URL cannot be read. {which} is not as it must be.",
            "See “Signing keys” in docs/operating.md.",
        )


def read(said: bytes) -> list[Key]:
    """Return the keys that a store holds.

    Raises:
        BadStoreError: it is not ``{"keys": […]}``, or one of them is no key with its times.
    """
    try:
        listed = orjson.loads(said)["keys"]
    except (ValueError, TypeError, KeyError):
        raise BadStoreError from None
    if not isinstance(listed, list) or not listed:
        raise BadStoreError
    return [_key(one, place) for place, one in enumerate(listed)]


def written(key: Key) -> dict[str, Any]:
    """Return a key as a store keeps it, the private part included."""
    private = key.jwk.as_dict(private=True)
    times = {name: getattr(key, name).astimezone(UTC).isoformat() for name in _TIMES}
    return {
        **{name: private[name] for name in _POINT},
        "kid": key.id,
        "purpose": key.purpose.value,
        **times,
    }


def _key(said: Mapping[str, Any], place: int) -> Key:
    try:
        jwk = ECKey.import_key({name: said[name] for name in _POINT})
        times = {name: _moment(said[name]) for name in _TIMES}
        since = None if (lost := said.get("compromised_at")) is None else _moment(lost)
        found = Key(jwk.thumbprint(), Purpose(said["purpose"]), jwk, **times, compromised_at=since)
    except (ValueError, TypeError, KeyError, AttributeError, jose.JoseError):
        raise BadStoreError(place) from None
    if jwk.curve_name != "P-256" or said.get("kid", found.id) != found.id or not _is_whole(found):
        raise BadStoreError(place)
    return found


def _is_whole(key: Key) -> bool:
    return key.published_at <= key.signs_from < key.signs_until <= key.public_until


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

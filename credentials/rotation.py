"""A partner's new key, which its old key names and which names itself: nobody else can bring it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from joserfc.jwk import ECKey

from credentials import claim, compact, es256
from credentials.flaw import Flaw, NotGenuineError

TYPE = "tc-key+jwt"
#: A statement holds no longer than clocks may differ.
LIFETIME = timedelta(minutes=1)


def check(
    current: str, following: str, keys: compact.Keys, *, client: str, issuer: str, now: datetime
) -> tuple[str, ECKey]:
    """Return the id of the key in force that names a new one, and the new one.

    Args:
        current: What the key in force has signed; its header names it (``kid``).
        following: What the new key has signed; its header holds it (``jwk``).
        keys: Finds a key in force by its id.
        client: Whose keys they are.
        issuer: What the hub is called.
        now: The hub's time.

    Raises:
        NotGenuineError: one of the two does not hold, or they name another key.
    """
    new = compact.parse(following, [TYPE], required=("alg", "typ", "jwk"))
    key = es256.public_key(new.header["jwk"])
    old = compact.parse(current, [TYPE])
    kid: str = old.header["kid"]
    for said in (new.proved(key), old.proved(keys(kid))):
        _check(said, key.thumbprint(), client=client, issuer=issuer, now=now)
    return kid, key


def _check(
    said: Mapping[str, Any], thumbprint: str, *, client: str, issuer: str, now: datetime
) -> None:
    claim.times(said, now)
    if said["exp"] - said["iat"] > LIFETIME.total_seconds():
        raise NotGenuineError(Flaw.LASTS_TOO_LONG)
    if said.get("iss") != client:
        raise NotGenuineError(Flaw.WRONG_ISSUER)
    if said.get("aud") != issuer:
        raise NotGenuineError(Flaw.WRONG_AUDIENCE)
    if said.get("jkt") != thumbprint:
        raise NotGenuineError(Flaw.UNKNOWN_KEY)

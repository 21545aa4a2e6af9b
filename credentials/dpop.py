"""Proofs that a request comes from whoever has the key (DPoP, RFC 9449)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from credentials import base64url, claim, compact, es256
from credentials.flaw import Flaw, NotGenuineError

TYPE = "dpop+jwt"
#: A proof is this old at most, and this far ahead of our clock, in seconds.
MOST_SECONDS = 60

_LEAST_ID = 8
_MOST_ID = 128
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that holds: ``jkt`` names its key; ``jti`` is used once until ``expires_at``."""

    jkt: str
    jti: str
    expires_at: datetime


def check(
    proof: str,
    *,
    method: str,
    url: str,
    now: datetime,
    access_token: str | None = None,
    nonce: str | None = None,
) -> Proof:
    """Return a proof that holds for this request; whether its ``jti`` is new is for the caller.

    Args:
        proof: The header ``DPoP``.
        method: The request's method.
        url: Where it was sent.
        now: The hub's time.
        access_token: The token that comes with it, if one does.
        nonce: What the proof must say, if we gave anything.

    Raises:
        NotGenuineError: it does not hold, or not for this request.
    """
    found = compact.parse(proof, [TYPE], required=("alg", "typ", "jwk"))
    key = es256.public_key(found.header["jwk"])
    claims = found.proved(key)
    claim.times(claims, now, leeway=MOST_SECONDS, required=["iat"])
    if claims["iat"] < now.timestamp() - MOST_SECONDS:
        raise NotGenuineError(Flaw.STALE)
    if claims.get("htm") != method or _target(claim.text(claims.get("htu"), 2048)) != _target(url):
        raise NotGenuineError(Flaw.WRONG_REQUEST)
    if access_token is not None and claims.get("ath") != base64url.digest(access_token):
        raise NotGenuineError(Flaw.WRONG_REQUEST)
    if nonce is not None and claims.get("nonce") != nonce:
        raise NotGenuineError(Flaw.WRONG_NONCE)
    jti = claim.text(claims.get("jti"), _MOST_ID)
    if len(jti) < _LEAST_ID:
        raise NotGenuineError(Flaw.MALFORMED)
    expires = claim.moment(claims["iat"] + MOST_SECONDS)
    return Proof(key.thumbprint(), jti, expires)


def _target(url: str) -> tuple[str, str | None, int | None, str]:
    """Return what of an address a proof is for: its query and fragment are not (section 4.3)."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise NotGenuineError(Flaw.MALFORMED) from None
    return parts.scheme, parts.hostname, port or _PORTS.get(parts.scheme), parts.path or "/"

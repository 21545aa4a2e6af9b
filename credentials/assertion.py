"""What a client signs to show who it is to whoever gives tokens: the hub's, and the partners'."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from joserfc import errors as jose
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from credentials import claim, compact
from credentials.flaw import Flaw, NotGenuineError
from models import errors

#: A client assertion is used at once: it holds no longer than clocks may differ.
LIFETIME = timedelta(minutes=1)

#: Its header may say what it is, in general or in particular; older clients do not say.
_TYPES = (None, "JWT", "client-authentication+jwt")
_HEADER = ("alg", "kid")
_MOST_ID = 128
_ALGORITHMS = {"EC": "ES256", "RSA": "RS256"}


class KeyUnfitError(errors.GreenwayError):
    """A secret that is to be a private key, and is none."""

    code = "MISCONFIGURED"

    def __init__(self) -> None:
        super().__init__("The secret is no private JWK for ES256 or RS256.")


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assertion that holds: ``jti`` is used once by this client until ``expires_at``."""

    client_id: str
    jti: str
    expires_at: datetime


def sign(secret: str, client_id: str, audience: str, now: datetime) -> str:
    """Return a client assertion (RFC 7523, section 3), each with an id of its own.

    Args:
        secret: The client's private key as a JWK (RFC 7517): P-256, or RSA.
        client_id: Who it is.
        audience: Whom it is shown to.
        now: When it begins to hold.

    Raises:
        KeyUnfitError: the secret is no such key.
    """
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
        "jti": secrets.token_urlsafe(16),
    }
    try:
        described = json.loads(secret)
        sort = ECKey if described["kty"] == "EC" else RSAKey
        key = sort.import_key(described)
        named = {"kid": described["kid"]} if "kid" in described else {}
        return jwt.encode({"alg": _ALGORITHMS[described["kty"]], **named}, claims, key)
    except (ValueError, KeyError, TypeError, jose.JoseError):
        raise KeyUnfitError from None


def client_of(assertion: str) -> str:
    """Return the client that an assertion says it is of, which nothing proves yet.

    Raises:
        NotGenuineError: it is no assertion.
    """
    return claim.text(_parsed(assertion).claims.get("iss"))


def verify(assertion: str, keys: compact.Keys, *, issuer: str, now: datetime) -> Assertion:
    """Return an assertion that holds (RFC 7523, section 3), unless its ``jti`` was used before.

    Args:
        assertion: What was presented.
        keys: Finds a key of ``client_of(assertion)`` by its id.
        issuer: What the hub is called: its address for tokens could be another hub's as well.
        now: The hub's time.

    Raises:
        NotGenuineError: it does not hold, or was made for somebody else.
    """
    found = _parsed(assertion)
    claims = found.proved(keys(found.header["kid"]))
    claim.times(claims, now)
    if claims["exp"] - claims["iat"] > LIFETIME.total_seconds():
        raise NotGenuineError(Flaw.LASTS_TOO_LONG)
    client = claim.text(claims.get("iss"))
    if claims.get("sub") != client:
        raise NotGenuineError(Flaw.WRONG_SUBJECT)
    if claims.get("aud") != issuer:
        raise NotGenuineError(Flaw.WRONG_AUDIENCE)
    expires = claim.moment(claims["exp"] + claim.LEEWAY_SECONDS)
    return Assertion(client, claim.text(claims.get("jti"), _MOST_ID), expires)


def _parsed(assertion: str) -> compact.Unproved:
    return compact.parse(assertion, _TYPES, required=_HEADER, allowed=["typ"])

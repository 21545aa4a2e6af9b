"""Bearer tokens: JWTs (RFC 7519) of one issuer, checked strictly; and the development issuer's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NoReturn

from joserfc import errors as jose
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from models import errors

#: Signatures that are accepted: asymmetric ones only, so that a public key is never a secret.
ALGORITHMS = ("ES256", "RS256", "PS256", "Ed25519")
#: A longer token is refused unread.
MOST_BYTES = 8192
#: How far the issuer's clock may be from ours.
LEEWAY_SECONDS = 60

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")

Key = ECKey | RSAKey | OKPKey


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says of who presents it; ``sandbox``, that they build on the hub, or try it.

    ``until`` is the time from which it no longer holds, in seconds of the epoch.
    """

    subject: str
    role: str
    sandbox: bool = False
    until: float = field(default=0.0, compare=False)


def key_id(token: str) -> str:
    """Return the id of the key that a token says it is signed with.

    Raises:
        UnauthenticatedError: the token is not shaped like one of ours.
    """
    if len(token) > MOST_BYTES or not _COMPACT.fullmatch(token):
        _malformed()
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (jose.JoseError, ValueError):
        _malformed()
    found = header.get("kid")
    if not isinstance(found, str) or header.get("alg") not in ALGORITHMS:
        _malformed()
    return found


def verify(token: str, key: Key, *, issuer: str, audience: str, now: datetime) -> Claims:
    """Return the claims of a token that holds.

    Raises:
        UnauthenticatedError: the signature, the issuer, the audience or a time does not hold.
    """
    registry = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        sub={"essential": True},
        exp={"essential": True},
    )
    try:
        claims = jwt.decode(token, key, algorithms=list(ALGORITHMS)).claims
        registry.validate(claims)
    except jose.ExpiredTokenError:
        raise errors.UnauthenticatedError("The token has expired.") from None
    except (jose.JoseError, ValueError):
        raise errors.UnauthenticatedError("The token does not hold.") from None
    subject, role = claims["sub"], claims.get("role")
    if not isinstance(subject, str) or not isinstance(role, str):
        raise errors.UnauthenticatedError("The token does not say who asks, in which role.")
    until = claims["exp"] + LEEWAY_SECONDS
    return Claims(subject, role, claims.get("sandbox") is True, until)


def sign(
    key: ECKey, claims: Claims, *, issuer: str, audience: str, now: datetime, lifetime: timedelta
) -> str:
    """Return a development token: the same shape as any issuer's, signed with ES256."""
    issued = int(now.timestamp())
    said = {
        "iss": issuer,
        "aud": audience,
        "sub": claims.subject,
        "role": claims.role,
        "sandbox": claims.sandbox,
        "iat": issued,
        "exp": issued + int(lifetime.total_seconds()),
    }
    return jwt.encode({"alg": "ES256", "kid": key.thumbprint()}, said, key)


def new_key() -> ECKey:
    """Return a new P-256 key, named by its RFC 7638 thumbprint."""
    return ECKey.generate_key("P-256", auto_kid=True)


def key_of(jwk: Mapping[str, Any]) -> ECKey:
    """Return the P-256 key in a JWK."""
    return ECKey.import_key(dict(jwk))


def keys_of(jwks: object) -> dict[str, Key]:
    """Return the usable signature keys of a JWK set (RFC 7517) by id; others are passed over.

    Raises:
        ValueError: it is no key set.
    """
    try:
        keys = KeySet.import_key_set(jwks).keys  # type: ignore[arg-type]  # judged by the import
    except (jose.JoseError, TypeError, KeyError, AttributeError) as wrong:
        raise ValueError("This is no JWK set.") from wrong
    return {
        key.kid: key
        for key in keys
        if isinstance(key, ECKey | RSAKey | OKPKey) and key.kid and key.get("use") != "enc"
    }


def _malformed() -> NoReturn:
    raise errors.UnauthenticatedError("The token is malformed.")

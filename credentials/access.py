"""Access tokens (RFC 9068) that partners work with: five minutes, each bound to a partner's key."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from credentials import claim, compact
from credentials.flaw import Flaw, NotGenuineError
from credentials.keyring import LIFETIMES, TYPES, Key, Purpose

TYPE = TYPES[Purpose.ACCESS]
LIFETIME = LIFETIMES[Purpose.ACCESS]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows to whom: ``jkt`` names the key that must prove each request.

    ``x5t`` names the certificate the request must come by, where the token is bound to one.
    """

    client: str
    scopes: frozenset[str]
    jkt: str
    x5t: str | None
    jti: str
    expires_at: datetime


def issue(
    key: Key,
    *,
    issuer: str,
    audience: str,
    client_id: str,
    scopes: Collection[str],
    jkt: str,
    now: datetime,
    x5t: str | None = None,
) -> str:
    """Return a new access token.

    Args:
        key: The hub's key for access tokens.
        issuer: Who issues it.
        audience: Where it counts.
        client_id: Who may use it.
        scopes: For what.
        jkt: The thumbprint of the key that must prove each request (RFC 9449, section 6).
        now: When it begins to hold.
        x5t: The thumbprint of the certificate requests must come by (RFC 8705, section 3.1).
    """
    issued = int(now.timestamp())
    claims = {
        "iss": issuer,
        "aud": audience,
        "sub": client_id,
        "client_id": client_id,
        "scope": " ".join(sorted(scopes)),
        "iat": issued,
        "exp": issued + int(LIFETIME.total_seconds()),
        "jti": secrets.token_urlsafe(16),
        "cnf": {"jkt": jkt} if x5t is None else {"jkt": jkt, "x5t#S256": x5t},
    }
    return compact.sign(key, claims)


def read(token: str, keys: compact.Keys, *, issuer: str, audience: str, now: datetime) -> Grant:
    """Return what an access token allows.

    Raises:
        NotGenuineError: it does not hold, or not here.
    """
    claims = compact.read(token, keys, TYPE)
    claim.times(claims, now)
    if claims.get("iss") != issuer:
        raise NotGenuineError(Flaw.WRONG_ISSUER)
    if claims.get("aud") != audience:
        raise NotGenuineError(Flaw.WRONG_AUDIENCE)
    bound = claim.members(claims.get("cnf"))
    return Grant(
        claim.text(claims.get("client_id")),
        frozenset(claim.text(claims.get("scope")).split(" ")),
        claim.text(bound.get("jkt")),
        claim.text(bound["x5t#S256"]) if "x5t#S256" in bound else None,
        claim.text(claims.get("jti")),
        claim.moment(claims["exp"]),
    )

"""What the hub signs to show who it is to whoever gives it tokens."""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timedelta

from joserfc import errors as jose
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from models import errors

#: A client assertion is used at once: it holds no longer than clocks may differ.
LIFETIME = timedelta(minutes=1)

_ALGORITHMS = {"EC": "ES256", "RSA": "RS256"}


class KeyUnfitError(errors.GreenwayError):
    """A secret that is to be a private key, and is none."""

    code = "MISCONFIGURED"

    def __init__(self) -> None:
        super().__init__("The secret is no private JWK for ES256 or RS256.")


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

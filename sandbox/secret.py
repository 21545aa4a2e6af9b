"""The demo secrets of the sandbox systems, by the names partner files use for them."""

from __future__ import annotations

import base64
import hmac

from aiohttp import web

VALUES = {
    "jinzhong-road-hospital-key": "sandbox-key-of-jinzhong-road",
    "tianshan-clinic-password": "sandbox-password-of-tianshan",
    "changning-school-office-secret": "sandbox-secret-of-changning",
    "tianshan-school-office-secret": "sandbox-secret-of-tianshan-schools",
    "hongqiao-cinema-token": "sandbox-token-of-hongqiao",
    "xinhua-culture-hall-key": "sandbox-key-of-xinhua",
}


def matches(name: str, given: str | None) -> bool:
    """Say whether what was given is the named secret."""
    return given is not None and hmac.compare_digest(VALUES[name].encode(), given.encode())


def basic_user(request: web.Request, name: str) -> str | None:
    """Return the user of a Basic header that carries the named secret, or None."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return None
    return user if matches(name, password) else None

"""The demo secrets of the sandbox systems, by the names partner files use for them."""

from __future__ import annotations

import base64
import hmac

from aiohttp import web

from sandbox import outline

VALUES = outline.SECRETS


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

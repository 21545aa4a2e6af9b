"""An OpenID Connect issuer on loopback: its keys may change, and it may fall silent."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey


class Issuer:
    """The running issuer; ``asked`` counts requests by path, ``silent`` breaks every answer."""

    def __init__(self) -> None:
        self.keys: list[RSAKey | ECKey | OctKey] = []
        self.asked: Counter[str] = Counter()
        self.silent = False
        #: Where it is, and what it calls itself.
        self.address = self.url = ""
        self.jwks_uri = ""

    def rsa(self) -> RSAKey:
        """Add a new RSA key and return it."""
        return self._added(RSAKey.generate_key(2048, auto_kid=True))

    def ec(self) -> ECKey:
        """Add a new P-256 key and return it."""
        return self._added(ECKey.generate_key("P-256", auto_kid=True))

    def _added(self, key):
        self.keys.append(key)
        return key

    def token(self, key, now: datetime, *, alg: str | None = None, header=(), **claims) -> str:
        """Return a holder's token signed with a key; claims of None are left out."""
        said = {
            "iss": self.url,
            "aud": "greenway",
            "sub": "somebody",
            "role": "officer",
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(hours=1)).timestamp()),
            **claims,
        }
        alg = alg or ("RS256" if isinstance(key, RSAKey) else "ES256")
        return jwt.encode(
            {"alg": alg, "kid": key.kid, **dict(header)},
            {name: value for name, value in said.items() if value is not None},
            key,
            algorithms=[alg],
        )

    async def _configuration(self, request: web.Request) -> web.Response:
        self._note(request)
        return web.json_response(
            {"issuer": self.url, "jwks_uri": self.jwks_uri or f"{self.address}/keys"}
        )

    async def _keys(self, request: web.Request) -> web.Response:
        self._note(request)
        return web.json_response(KeySet(self.keys).as_dict(private=False))

    def _note(self, request: web.Request) -> None:
        self.asked[request.path] += 1
        if self.silent:
            raise web.HTTPServiceUnavailable


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[Issuer]:
    """Run an issuer with no key yet."""
    issuer = Issuer()
    application = web.Application()
    application.router.add_get("/.well-known/openid-configuration", issuer._configuration)
    application.router.add_get("/keys", issuer._keys)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    issuer.address = issuer.url = f"http://{host}:{port}"
    try:
        yield issuer
    finally:
        await runner.cleanup()

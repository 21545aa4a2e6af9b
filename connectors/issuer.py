"""The identity provider: its signing keys, fetched from its JWKS and remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from connectors import errors, http
from credentials import token

#: Keys are taken for good this long; a key nobody knows may cause one fetch in five minutes.
FRESH = timedelta(hours=1)
UNKNOWN_KEY = timedelta(minutes=5)


class Issuer:
    """Finds the keys of one OpenID Connect issuer.

    While the issuer is silent, the keys seen last go on being used.
    """

    def __init__(self, partner: http.PartnerClient, clock: Callable[[], datetime]) -> None:
        self._partner = partner
        self._clock = clock
        self._keys: dict[str, token.Key] = {}
        self._fetched_at: datetime | None = None
        self._turn = asyncio.Lock()

    async def key(self, key_id: str) -> token.Key | None:
        """Return the issuer's key with this id, or None where it has none."""
        if self._wants_fetch(key_id):
            async with self._turn:
                if self._wants_fetch(key_id):
                    await self._fetch()
        return self._keys.get(key_id)

    def _wants_fetch(self, key_id: str) -> bool:
        if self._fetched_at is None:
            return True
        age = self._clock() - self._fetched_at
        return age > FRESH or (key_id not in self._keys and age > UNKNOWN_KEY)

    async def _fetch(self) -> None:
        try:
            document = (await self._partner.get(".well-known/openid-configuration")).json()
            found = (await self._partner.follow(str(document["jwks_uri"]))).json()
            self._keys = token.keys_of(found)
        except (errors.PartnerError, ValueError, KeyError, TypeError):
            if not self._keys:
                return
        self._fetched_at = self._clock()

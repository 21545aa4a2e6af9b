"""The identity provider: its signing keys, fetched from its JWKS and remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from connectors import errors, exchange, http
from credentials import token
from models import errors as mistakes

#: Keys are taken for good this long; a key nobody knows may cause one fetch in five minutes.
FRESH = timedelta(hours=1)
UNKNOWN_KEY = timedelta(minutes=5)


class Issuer:
    """Finds the keys of one OpenID Connect issuer.

    While the issuer is silent, the keys seen last go on being used.
    """

    def __init__(self, client: http.HTTPClient, issuer: str, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._issuer = issuer
        self._document = client.partner("issuer", issuer)
        self._jwks: dict[str, http.PartnerClient] = {}
        self._clock = clock
        self._keys: dict[str, token.Key] = {}
        self._fetched_at: datetime | None = None
        self._turn = asyncio.Lock()

    async def key(self, key_id: str) -> token.Key | None:
        """Return the issuer's key with this id, or None where it has none.

        Raises:
            IssuerSilentError: the issuer has not told its keys yet.
        """
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
            jwks = await self._jwks_at(await self._jwks_uri())
            self._keys = token.keys_of(jwks.json())
        except (errors.PartnerError, ValueError, KeyError, TypeError):
            if not self._keys:
                raise mistakes.IssuerSilentError from None
        self._fetched_at = self._clock()

    async def _jwks_uri(self) -> str:
        """Return where the issuer says its keys are (OpenID Connect Discovery 1.0, section 4)."""
        document = (await self._document.get(".well-known/openid-configuration")).json()
        if document["issuer"] != self._issuer:
            raise ValueError("The document is another issuer's.")
        return str(document["jwks_uri"])

    async def _jwks_at(self, url: str) -> exchange.Reply:
        """Return the key set, which an issuer may keep on another host than itself."""
        if url not in self._jwks:
            self._jwks = {url: self._client.partner("issuer-keys", url)}
        return await self._jwks[url].follow(url)

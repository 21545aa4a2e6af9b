"""What others find the hub's keys and its list of trust by, at the addresses known for that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from credentials.keyring import Purpose
from resolvers.authority import Authority

#: Keys are shown two days before they sign: an hour is soon enough to hear of them.
KEYS_SECONDS = 3600
#: Whoever is struck from the list of trust is struck everywhere after so long.
TRUST_SECONDS = 300


def routes(authority: Authority, others: Mapping[str, Any]) -> list[Route]:
    """Return the routes; ``others`` is a JWK set of keys that are not in the keyring."""

    async def jwks(_: Request) -> Response:
        await authority.begun()
        found = authority.keys.ring.jwks(authority.clock())
        keys = {"keys": [*others["keys"], *found["keys"]]}
        return JSONResponse(keys, headers={"cache-control": f"max-age={KEYS_SECONDS}"})

    async def trust_list(_: Request) -> Response:
        await authority.begun()
        signer = authority.keys.signer(Purpose.TRUST)
        signed = authority.issuers.signed(signer, authority.issuer, authority.clock())
        kept = {"cache-control": f"max-age={TRUST_SECONDS}"}
        return Response(signed, media_type="application/jwt", headers=kept)

    return [
        Route("/.well-known/jwks.json", jwks),
        Route("/.well-known/trust-list", trust_list),
    ]

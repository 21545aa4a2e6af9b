"""Challenges: what a verifier has a holder sign who shows a portable credential."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import orjson

from models.answer import Refusal
from models.presentation import Challenge
from models.verifier import Scope
from resolvers import limit, presented
from resolvers import verifier as verifiers
from resolvers.admission import RefusedError
from resolvers.context import Context
from resolvers.issuer import CITY_TYPE

#: How long a nonce may be used.
LIFETIME = timedelta(minutes=5)
_NONCE_BYTES = 24
#: What of a card is asked for; which more is told, its policy says.
_CLAIMS = ("tier",)


@dataclass(frozen=True, slots=True)
class Made:
    """A challenge: ``request`` is an address that wallets open (OpenID4VP 1.0, DCQL)."""

    nonce: str
    audience: str
    expires_at: datetime
    request: str


async def create(context: Context, service: str) -> Made:
    """Return a new challenge for a service of the verifier's.

    Raises:
        RefusedError: it may not ask this, or not so often.
        UnauthenticatedError: nobody in particular asks, or it shows what was used already.
        ForbiddenError: somebody asks who does not come with a verifier's key.
    """
    asking = context.viewer.asking()
    if not asking.may(Scope.VERIFY_OFFLINE):
        raise RefusedError(Refusal.SCOPE_MISSING)
    if service not in asking.services:
        raise RefusedError(Refusal.SERVICE_NOT_YOURS)
    if wait := await context.authority.limits.take(limit.CHECKS, asking.code):
        raise RefusedError(Refusal.RATE_LIMITED, wait)
    nonce = secrets.token_urlsafe(_NONCE_BYTES)
    expires_at = context.now.astimezone(UTC) + LIFETIME
    async with context.database.begin() as session:
        await verifiers.spend(session, asking)
        session.add(
            Challenge(
                nonce=nonce,
                verifier=asking.code,
                service=service,
                live=asking.live,
                expires_at=expires_at,
                used_at=None,
            )
        )
    audience = presented.audience(context.authority, asking.code)
    return Made(nonce, audience, expires_at, _request(audience, nonce))


def _request(audience: str, nonce: str) -> str:
    wanted = {
        "credentials": [
            {
                "id": "talent-card",
                "format": "dc+sd-jwt",
                "meta": {"vct_values": [CITY_TYPE]},
                "claims": [{"path": [one]} for one in _CLAIMS],
            }
        ]
    }
    said = {
        "response_type": "vp_token",
        "client_id": audience,
        "nonce": nonce,
        "dcql_query": orjson.dumps(wanted).decode(),
    }
    return f"openid4vp://?{urlencode(said)}"

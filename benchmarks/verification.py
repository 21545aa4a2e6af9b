"""Cards checked online: how many a second, how soon, and where the processor's time goes."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import secrets
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from joserfc.jwk import ECKey

import server
import settings as configuration
from benchmarks import burst, machine, table
from credentials import api_key, base64url, code, compact, token
from models import card, database, demo
from models.card import Card
from models.database import Database
from models.presentation import Ticket
from models.talent import Talent
from models.verifier import KeySort, Kind, Scope, Verifier, VerifierKey
from resolvers import enrolment, grant
from resolvers.context import ZONE

EVERYBODY = 273_600
LEAST_PER_SECOND = 500.0
P99_MILLISECONDS = 25.0
PACE_PER_SECOND = 100.0

#: Each may check ten cards a second: together they may more than a hub can.
_VENUES = 300
_SERVICE = "film-tickets"
_ISSUER = "https://greenway.example"
_GRAPHQL, _PLAIN = "/graphql", "/v1/verify"
_DOCUMENT = """mutation Verify($input: VerifyCardInput!) { verifyCard(input: $input) {
  __typename
  ... on Verification { checkedAt receipt { id jws } }
  ... on CardAccepted { holder evidence entitlement { unitsLeft redemption }
    disclosed { ... on TierDisclosure { tier } } }
  ... on CardNotAccepted { fix }
  ... on CodeNotUsable { codeProblem fix }
  ... on NotEntitled { entitlementProblem }
  ... on VerificationRefused { refusal retryAfterSeconds }
} }"""
_JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Effort:
    """How many people there are, and how much is asked how often."""

    people: int
    rounds: int
    checks: int
    paced: int
    timed: int


FULL = Effort(EVERYBODY, rounds=5, checks=2_000, paced=3_000, timed=2_000)
QUICK = Effort(20_000, rounds=2, checks=600, paced=500, timed=200)


@dataclass(slots=True)
class Venue:
    """A partner that checks cards; by its key for tills, or by tokens that it gets with ``jwk``."""

    code: str
    key: str = field(default_factory=partial(api_key.new, live=True))
    jwk: ECKey = field(default_factory=token.new_key)
    token: str = ""

    def headers(self, path: str, *, proves: bool) -> dict[str, str]:
        """Return the headers of one request."""
        if not proves:
            return {"authorization": f"Bearer {self.key}"}
        claims = {"ath": base64url.digest(self.token)}
        return {"authorization": f"DPoP {self.token}", "dpop": self._proof(path, claims)}

    def asks_token(self) -> bytes:
        """Return its request for a token."""
        now = int(time.time())
        claims = {
            "iss": self.code,
            "sub": self.code,
            "aud": _ISSUER,
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_urlsafe(),
        }
        shown = compact.write(self.jwk, claims, {"alg": "ES256", "kid": self.jwk.thumbprint()})
        form = {
            "grant_type": grant.GRANT_TYPE,
            "client_assertion_type": grant.ASSERTION_TYPE,
            "client_assertion": shown,
        }
        return urlencode(form).encode()

    def _proof(self, path: str, more: dict[str, str] | None = None) -> str:
        public = {name: self.jwk.as_dict(private=False)[name] for name in ("kty", "crv", "x", "y")}
        claims = {
            "htm": "POST",
            "htu": f"{_ISSUER}{path}",
            "iat": int(time.time()),
            "jti": secrets.token_urlsafe(),
            **(more or {}),
        }
        return compact.write(self.jwk, claims, {"alg": "ES256", "typ": "dpop+jwt", "jwk": public})

    def take_token(self, hub: machine.Server) -> None:
        """Get a token of the hub."""
        path = "/oauth/token"
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "dpop": self._proof(path),
        }
        answer = json.loads(machine.exchanged(f"{hub.url}{path}", self.asks_token(), headers))
        self.token = answer["access_token"]


@dataclass(frozen=True, slots=True)
class Way:
    """One way of asking for a check."""

    name: str
    path: str
    proves: bool
    redeems: bool = False


WAYS = (
    Way("POST /v1/verify, DPoP, redeems", _PLAIN, proves=True, redeems=True),
    Way("POST /v1/verify, DPoP", _PLAIN, proves=True),
    Way("POST /v1/verify, API key", _PLAIN, proves=False),
    Way("GraphQL verifyCard, DPoP", _GRAPHQL, proves=True),
    Way("GraphQL verifyCard, API key", _GRAPHQL, proves=False),
)


# ── what stands in the database ──────────────────────────────────────────────────────────────


class District:
    """The people, each with a card, and the venues; and codes to show, as many as are wanted."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self._cards: Iterator[int] = iter(())
        self.venues: Sequence[Venue] = ()

    async def furnish(self) -> None:
        """Give everybody a card, and register the venues."""
        await self._issue()
        self.venues = [Venue(f"venue-{secrets.token_hex(4)}") for _ in range(_VENUES)]
        now = datetime.now(UTC)
        async with self._database.begin() as session:
            rows = [_verifier(one.code, now) for one in self.venues]
            session.add_all(rows)
            await session.flush()
            for row, one in zip(rows, self.venues, strict=True):
                session.add_all(_keys(row.id, one, now))
        async with self._database.session() as session:
            held = sa.select(Card.id).where(
                Card.status == card.Status.ACTIVE,
                Card.valid_until > now.astimezone(ZONE).date(),
                Card.id.not_in(sa.select(Ticket.card_id)),
            )
            ids = list(await session.scalars(held))
        random.shuffle(ids)
        self._cards = iter(ids)

    async def _issue(self) -> None:
        now = datetime.now(UTC)
        today = now.astimezone(ZONE).date()
        async with self._database.begin() as session:
            without = sa.select(Talent.id, Talent.talent_class).where(
                ~sa.exists().where(Card.talent_id == Talent.id)
            )
            people = (await session.execute(without)).all()
            if people:
                serials = set(await session.scalars(sa.select(Card.serial)))
                drawn = [one for one in _serials(len(people)) if one not in serials]
                made = [
                    _card(serial, talent_id, tier, today, now)
                    for serial, (talent_id, tier) in zip(drawn, people, strict=False)
                ]
                await database.load(session, _table(Card), made)
        await self._database.settle("card", "talent")

    async def codes(self, many: int, way: Way) -> list[tuple[Venue, str]]:
        """Return codes that were shown to venues, none of a card that was shown before."""
        now = datetime.now(UTC)
        until = now + timedelta(hours=1)
        found, rows = [], []
        for venue, card_id in zip(itertools.cycle(self.venues), self._cards, strict=False):
            ticket = code.new_ticket()
            found.append((venue, ticket.text(_ISSUER)))
            said = (ticket.digest.hex(), card_id, venue.code, _SERVICE, None, now, until, None)
            rows.append(said)
            if len(found) == many:
                break
        async with self._database.begin() as session:
            await database.load(session, _table(Ticket), rows)
        return found

    async def close(self) -> None:
        """Give back every connection."""
        await self._database.close()


def _serials(many: int) -> list[str]:
    """Return new serials, a few more than so many."""
    return list({card.new_serial() for _ in range(many + many // 100 + 100)})


def _card(serial: str, talent_id: int, tier: Any, today: Any, now: datetime) -> tuple[Any, ...]:
    said = {
        "source": "demo",
        "recorded_at": now,
        "serial": serial,
        "talent_id": talent_id,
        "batch": 1,
        "issued_on": today - timedelta(days=30),
        "valid_until": today + timedelta(days=1_000),
        "status": card.Status.ACTIVE,
        "tier": tier or "LOW",
        "sandbox": False,
    }
    return tuple(said[one.name] for one in _table(Card).columns if one.name != "id")


def _table(kind: Any) -> sa.Table:
    found: sa.Table = kind.__table__
    return found


def _verifier(name: str, now: datetime) -> Verifier:
    return Verifier(
        code=name,
        name=name,
        contact=f"privacy@{name}.example",
        kind=Kind.CINEMA,
        tier=1,
        scopes=[Scope.VERIFY_CODE, Scope.REDEEM, Scope.DISCLOSE_TIER],
        services=[_SERVICE],
        created_at=now,
        suspended_at=None,
    )


def _keys(verifier_id: int, venue: Venue, now: datetime) -> list[VerifierKey]:
    till = api_key.read(venue.key)
    said = {"verifier_id": verifier_id, "live": True, "created_at": now, "ended_at": None}
    return [
        VerifierKey(
            **said, sort=KeySort.API_KEY, name=till.id, digest=till.digest.hex(), public=None
        ),
        VerifierKey(
            **said,
            sort=KeySort.JWK,
            name=venue.jwk.thumbprint(),
            digest=None,
            public=venue.jwk.as_dict(private=False),
        ),
    ]


# ── asking ───────────────────────────────────────────────────────────────────────────────────


def _request(venue: Venue, shown: str, way: Way) -> bytes:
    asked = {
        "presented": {"code": shown},
        "serviceCode": _SERVICE,
        "idempotencyKey": secrets.token_urlsafe(12),
        "redeem": way.redeems,
    }
    said: dict[str, Any] = asked
    if way.path == _GRAPHQL:
        said = {"query": _DOCUMENT, "variables": {"input": asked}}
    headers = {**_JSON, **venue.headers(way.path, proves=way.proves)}
    return burst.request("POST", way.path, headers, json.dumps(said).encode())

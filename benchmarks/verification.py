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
from typing import Any, TypeVar
from urllib.parse import urlencode

import sqlalchemy as sa
from joserfc.jwk import ECKey

import server
import settings as configuration
from benchmarks import burst, machine, table
from credentials import api_key, base64url, code, compact, keyring, offline_pass, status, token
from credentials.keyring import Purpose
from models import card, database
from models.card import Card
from models.database import Database
from models.presentation import Ticket
from models.talent import Talent
from models.verification import Verification
from models.verifier import KeySort, Kind, Scope, Verifier, VerifierKey
from resolvers import grant
from resolvers.context import ZONE

T = TypeVar("T")

EVERYBODY = 273_600
LEAST_PER_SECOND = 500.0
P99_MILLISECONDS = 25.0
PACE_PER_SECOND = 100.0
OFFLINE_MILLISECONDS = 1.0
APART_PER_CENT = 3.0

#: Each may check ten cards a second: together they may more than a hub can.
_VENUES = 300
_SERVICE = "film-tickets"
ISSUER = "https://greenway.example"
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
_AT_ONCE = 16
_PROCESSES = (1, 2)
#: Asked before it counts; and how often the constant endpoint is.
_WARM, _CONSTANT = 300, 5_000
_OFFLINE = 500
#: Within so many seconds the log has caught up.
_LOG_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Effort:
    """How many people there are, and how much is asked how often."""

    people: int
    rounds: int
    checks: int
    paced: int
    timed: int


FULL = Effort(EVERYBODY, rounds=5, checks=1_500, paced=2_000, timed=2_000)
QUICK = Effort(20_000, rounds=2, checks=300, paced=300, timed=200)


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
            "aud": ISSUER,
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
            "htu": f"{ISSUER}{path}",
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
        self._serials: list[str] = []
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
            self._serials = list(await session.scalars(sa.select(Card.serial).limit(10_000)))
        random.shuffle(ids)
        random.shuffle(self._serials)
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

    def serials(self, many: int) -> list[tuple[str, bool]]:
        """Return serials, as many that there are as others, mixed; and which are which."""
        known = dict.fromkeys(self._serials[:many], True)
        unknown = {card.new_serial(): False for _ in known}
        found = [*known.items(), *unknown.items()]
        random.shuffle(found)
        return found

    async def codes(self, many: int) -> list[tuple[Venue, str]]:
        """Return codes that were shown to venues, none of a card that was shown before."""
        now = datetime.now(UTC)
        until = now + timedelta(hours=1)
        found, rows = [], []
        shown = itertools.islice(self._cards, many)
        for venue, card_id in zip(itertools.cycle(self.venues), shown, strict=False):
            ticket = code.new_ticket()
            found.append((venue, ticket.text(ISSUER)))
            said = (ticket.digest.hex(), card_id, venue.code, _SERVICE, None, now, until, None)
            rows.append(said)
        async with self._database.begin() as session:
            await database.load(session, _table(Ticket), rows)
        return found

    async def unlogged(self) -> int:
        """Return how many receipts do not stand in the log yet."""
        waiting = sa.select(sa.func.count()).where(Verification.position.is_(None))
        async with self._database.session() as session:
            return await session.scalar(waiting) or 0

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
        tier=2,
        scopes=[Scope.VERIFY_CODE, Scope.VERIFY_SERIAL, Scope.REDEEM, Scope.DISCLOSE_TIER],
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


def request(venue: Venue, way: Way, **shown: str) -> bytes:
    asked = {
        "presented": shown,
        "serviceCode": _SERVICE,
        "idempotencyKey": secrets.token_urlsafe(12),
        "redeem": way.redeems,
    }
    said: dict[str, Any] = asked
    if way.path == _GRAPHQL:
        said = {"query": _DOCUMENT, "variables": {"input": asked}}
    headers = {**_JSON, **venue.headers(way.path, proves=way.proves)}
    return burst.request("POST", way.path, headers, json.dumps(said).encode())


@dataclass(slots=True)
class Measured:
    """The rounds of one way of asking, with the processor's milliseconds a check of each side."""

    rounds: list[burst.Outcome] = field(default_factory=list)
    hub: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> list[float]:
        """The checks a second, of each round."""
        return [one.per_second for one in self.rounds]

    def row(self, name: str, constant: float) -> tuple[str, ...]:
        """Return a line of the table; ``constant`` is what the machine does of next to nothing."""
        client = [one.cpu_seconds * 1000 / len(one.milliseconds) for one in self.rounds]
        return (
            name,
            table.spread(self.per_second, 0),
            f"{_middle(self.per_second) / constant:.3f}",
            *(table.spread([one.percentile(at) for one in self.rounds]) for at in (0.5, 0.99)),
            table.spread(self.hub, 2),
            table.spread(self.database, 2),
            table.spread(client, 2),
        )


class Bench:
    """A hub over the district, and whoever asks it."""

    def __init__(
        self,
        district: District,
        hub: machine.Server,
        asker: burst.Asker,
        postgresql: machine.PostgreSQL,
        runner: asyncio.Runner,
    ) -> None:
        self._district, self._hub, self._asker = district, hub, asker
        self._postgresql, self._runner = postgresql, runner
        for venue in district.venues:
            venue.take_token(hub)

    def constant(self) -> float:
        """Return how often a second an answer is given that is always the same."""
        requests = [burst.request("GET", "/healthz", {})] * _CONSTANT
        return self._asker.run(self._hub, requests, _AT_ONCE).per_second

    def await_log(self) -> None:
        """Wait until every receipt stands in the log."""
        ends = time.monotonic() + _LOG_SECONDS
        while self._runner.run(self._district.unlogged()):
            if time.monotonic() > ends:
                raise SystemExit("The log does not keep up.")
            time.sleep(0.5)

    def round(self, way: Way, many: int, found: Measured, pace: float | None = None) -> None:
        """Have so many cards checked, and note what it took."""
        shown = self._runner.run(self._district.codes(many))
        requests = [request(venue, way, code=text) for venue, text in shown]
        before = self._spent()
        outcome = self._asker.run(self._hub, requests, _AT_ONCE, pace)
        hub, postgresql = (
            (after - first) * 1000 / many
            for after, first in zip(self._spent(), before, strict=True)
        )
        if outcome.answers != {"CardAccepted": many}:
            raise SystemExit(f"{way.name}: not all were accepted, but {outcome.answers}.")
        found.rounds.append(outcome)
        found.hub.append(hub)
        found.database.append(postgresql)

    def apart(self, many: int) -> tuple[float, float]:
        """Return the median milliseconds of a known serial's check, and of an unknown one's."""
        way = Way("serial", _PLAIN, proves=True)
        mixed = self._district.serials(many)
        took: dict[bool, list[float]] = {True: [], False: []}
        venues = itertools.cycle(self._district.venues)
        # A proof lasts a minute: they are asked in parts.
        for part in _parts(mixed, 400):
            requests = [request(next(venues), way, serial=serial) for serial, _ in part]
            outcome = self._asker.run(self._hub, requests, 1)
            if outcome.answers != {"HolderConfirmationPending": len(part)}:
                raise SystemExit(f"Not every serial's holder was asked, but {outcome.answers}.")
            for (_, is_known), milliseconds in zip(part, outcome.milliseconds, strict=True):
                took[is_known].append(milliseconds)
        return statistics.median(took[True]), statistics.median(took[False])

    def _spent(self) -> tuple[float, float]:
        return self._hub.child.cpu_seconds(), machine.cpu_seconds(self._postgresql.pid)


def _parts(found: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (found[start : start + size] for start in range(0, len(found), size))


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


# ── without a network ────────────────────────────────────────────────────────────────────────


def _offline() -> float:
    """Return the median milliseconds in which a till reads a pass and looks up its status."""
    now = datetime.now(UTC)
    key, device = keyring.new(Purpose.PASS, published_at=now, signs_from=now), token.new_key()
    listed = keyring.new(Purpose.STATUS, published_at=now, signs_from=now)
    uri = f"{ISSUER}/status/1"
    terms = offline_pass.Terms("venue", "A", 131_071, uri)
    text = offline_pass.show(offline_pass.issue(key, terms, device, now), device, code.step_at(now))
    published = status.sign(listed, status.of({}), uri, now)
    # A till reads a list once in five minutes, and looks into it for every pass.
    there = status.read(published, lambda _: listed, uri=uri, now=now).statuses
    took = []
    for _ in range(_OFFLINE):
        began = time.perf_counter()
        found = offline_pass.read(text, lambda _: key, audience="venue", now=now)
        if there[found.terms.status_index] != status.Status.VALID:
            raise SystemExit("The pass does not count.")
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


# ── the run ──────────────────────────────────────────────────────────────────────────────────


def main(effort: Effort) -> None:
    """Have cards checked in each way, by one and by two processes, and print what it took."""
    table.opened(
        f"Cards of {effort.people:,} people checked with PostgreSQL, each by a live code of its "
        f"own, {_AT_ONCE} at once.\n{effort.rounds} rounds of {effort.checks:,} checks, in turn; "
        "the median of the rounds (least-most). An answer that is not yes ends the run."
    )
    offline = table.held(_offline(), OFFLINE_MILLISECONDS, "ms")
    print(f"\nan offline pass read and its status looked up: {offline}", flush=True)
    with machine.folder() as data, machine.postgresql() as postgresql, asyncio.Runner() as runner:
        environment = machine.environment(
            data, postgresql.url, machine.free_ports(5)[0], PUBLIC_URL=ISSUER
        )
        runner.run(server.prepare(configuration.read(environment), effort.people))
        district = District(postgresql.url)
        runner.run(district.furnish())
        asker = burst.Asker(data)
        try:
            for processes in _PROCESSES:
                said = {**environment, "GREENWAY_PROCESSES": str(processes)}
                with machine.serving("benchmarks.hub", said) as hub:
                    bench = Bench(district, hub, asker, postgresql, runner)
                    _measure(bench, effort, processes)
        finally:
            asker.stop()
            runner.run(district.close())


def _measure(bench: Bench, effort: Effort, processes: int) -> None:
    found = {way: Measured() for way in WAYS}
    for way in WAYS:
        bench.round(way, _WARM, Measured())
    constant = _middle([bench.constant() for _ in range(3)])
    for _ in range(effort.rounds):
        for way, measured in found.items():
            bench.round(way, effort.checks, measured)
    # What was asked as fast as it went is still to be written down in the log; at the pace that is
    # measured next, that is done as it comes.
    bench.await_log()
    paced = Measured()
    bench.round(WAYS[0], effort.paced, paced, PACE_PER_SECOND)
    many = "one process" if processes == 1 else f"{processes} processes"
    head = (
        "", "checks/s", "of /healthz", "p50 ms", "p99 ms", "CPU ms: hub", "PostgreSQL", "client"
    )  # fmt: skip
    rows = [measured.row(way.name, constant) for way, measured in found.items()]
    rows.append(paced.row(f"{WAYS[0].name}, {PACE_PER_SECOND:g}/s", constant))
    table.shown(f"{many} of the hub; /healthz answers {constant:,.0f}/s", head, rows)
    most = _middle(found[WAYS[0]].per_second)
    is_met = "met" if most >= LEAST_PER_SECOND else "MISSED"
    p99 = table.held(paced.rounds[0].percentile(0.99), P99_MILLISECONDS, "ms")
    print(f"checks/s {most:.0f} (bar {LEAST_PER_SECOND:g}: {is_met}); p99 at a pace {p99}")
    known, unknown = bench.apart(effort.timed)
    apart = table.held(abs(known / unknown - 1) * 100, APART_PER_CENT, "%")
    print(
        f"a serial that there is: {known:.2f} ms, one that there is not: {unknown:.2f} ms, "
        f"{effort.timed:,} times each; apart {apart}",
        flush=True,
    )

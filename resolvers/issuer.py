"""Issuers: the districts whose cards count here, and what each says of its cards now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson
from joserfc.jwk import ECKey

from connectors import errors as failures
from connectors import http
from connectors.http import HTTPClient, PartnerClient
from credentials import claim, es256, status
from credentials import trust as lists
from credentials.flaw import NotGenuineError
from credentials.keyring import Key
from credentials.status import Published, Status
from credentials.trust import Entry
from models import errors as mistakes
from models import issuer as rows
from models.database import Database
from models.issuer import Issuer

#: The type that cards of all of the city's districts are, beside their own.
CITY_TYPE = "https://talent.shanghai.example/vct/talent-card/1"
#: A list that could not be fetched anew is asked for again no sooner.
RETRY = timedelta(seconds=10)
#: How much a neighbour may cost us: whoever waits for it waits at a till.
POLICY = http.Policy(deadline_seconds=2.0, body_bytes=status.MOST_LENGTH)

#: What is agreed with a district.
_AGREED = frozenset({"issuer", "district", "jwks", "vcts", "services", "from", "until"})
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_MOST_KEYS = 32
_MOST_LISTS = 256
_NEVER = datetime.min.replace(tzinfo=UTC)


class Said(NamedTuple):
    """What an issuer says of a card, and how fresh that is."""

    status: Status
    as_of: datetime

    @property
    def valid(self) -> bool:
        """Whether the card counts."""
        return self.status is Status.VALID


@dataclass(slots=True)
class _List:
    """A status list of a neighbour's, as it was fetched last."""

    published: Published | None = None
    again_at: datetime = _NEVER
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Trusted:
    """Every issuer that counts here, as they were when last looked at: at most a second ago.

    What they say of their cards is fetched through ``client``, and counts as long as they say.
    """

    def __init__(
        self, database: Database, clock: Callable[[], datetime], client: HTTPClient
    ) -> None:
        self._database = database
        self._clock = clock
        self._client = client
        self._clients: dict[str, PartnerClient] = {}
        self._lists: dict[str, _List] = {}
        self._entries: Mapping[str, Entry] = {}
        #: How often the list was changed.
        self.sequence = 0

    async def refreshed(self) -> None:
        """Look at who there is, where anything changed."""
        async with self._database.session() as session:
            sequence = await rows.sequence(session)
            if sequence == self.sequence:
                return
            found = await rows.everyone(session)
        self._entries = {one.url: entry(one) for one in found}
        self.sequence = sequence

    def entries(self, now: datetime) -> list[Entry]:
        """Return those whose time is not over, by address."""
        return [one for one in self._entries.values() if now < one.ends_at]

    def issuer(self, iss: str) -> Entry | None:
        """Return the issuer at an address, if it counts now."""
        found = self._entries.get(iss)
        return found if found and found.counts(self._clock()) else None

    @property
    def vcts(self) -> frozenset[str]:
        """Every type of card that is taken from anybody, the city's own among them."""
        now = self._clock()
        current = (one.vcts for one in self._entries.values() if one.counts(now))
        return frozenset({CITY_TYPE}).union(*current)

    def key(self, iss: str, kid: str) -> ECKey | None:
        """Return the key that an issuer calls so, if it counts now: for this issuer, no other."""
        found = self.issuer(iss)
        return found.keys.get(kid) if found else None

    def recognises(self, iss: str, vct: str, service: str, now: datetime) -> bool:
        """Return whether a card of this type and issuer opens this service here.

        A card may well be genuine and not be recognised: trust and recognition are two questions.
        """
        found = self._entries.get(iss)
        return bool(found and found.counts(now) and vct in found.vcts and service in found.services)

    async def status_of(self, iss: str, uri: str, idx: int) -> Said | None:
        """Return what an issuer says of the card at a place of a list of its own, if anything.

        Where it is silent, what it last said counts until the end that it gave to that; then it
        says nothing, and nothing is no yes.
        """
        if self.issuer(iss) is None or not uri.startswith(f"{iss}/"):
            return None
        found = await self._published(iss, uri)
        if found is None:
            return None
        try:
            value = found.statuses[idx]
        except NotGenuineError:
            return None
        # A number that is no status of ours is at any rate not valid.
        return Said(Status(value) if value in set(Status) else Status.INVALID, found.as_of)

    async def _published(self, iss: str, uri: str) -> Published | None:
        # A neighbour's card may name any address below its own; what is kept is bounded.
        if uri not in self._lists and len(self._lists) >= _MOST_LISTS:
            del self._lists[next(iter(self._lists))]
        kept = self._lists.setdefault(uri, _List())
        async with kept.turn:
            now = self._clock()
            if now >= kept.again_at:
                kept.again_at = now + RETRY
                await self._fetch(kept, iss, uri, now)
        found = kept.published
        return found if found and self._clock() < found.expires_at else None

    async def _fetch(self, kept: _List, iss: str, uri: str, now: datetime) -> None:
        try:
            reply = await self.client(iss).follow(uri, accept="application/statuslist+jwt")
            text = reply.body.decode("ascii")
            found = status.read(text, lambda kid: self.key(iss, kid), uri=uri, now=now)
        except (failures.PartnerError, NotGenuineError, UnicodeDecodeError):
            return
        if kept.published is None or found.as_of >= kept.published.as_of:
            kept.published = found
            kept.again_at = now + status.TTL

    def client(self, iss: str) -> PartnerClient:
        """Return what a neighbour is asked through."""
        if iss not in self._clients:
            self._clients[iss] = self._client.partner("district", iss, POLICY)
        return self._clients[iss]

    def signed(self, key: Key, issuer: str, now: datetime) -> str:
        """Return the list as we publish it, signed with a key for lists of trust."""
        return lists.sign(key, self.entries(now), issuer=issuer, sequence=self.sequence, now=now)

    async def trust(self, agreement: Entry) -> None:
        """Have an issuer's cards count, in place of what was agreed with it before."""
        async with self._database.begin() as session:
            await rows.alone(session)
            row = await rows.by_url(session, agreement.issuer) or Issuer(url=agreement.issuer)
            row.district = agreement.district
            row.keys = [_written(key) for _, key in sorted(agreement.keys.items())]
            row.vcts, row.services = sorted(agreement.vcts), sorted(agreement.services)
            row.trusted_from, row.trusted_until = agreement.begins_at, agreement.ends_at
            row.sequence = await rows.sequence(session) + 1
            session.add(row)
        await self.refreshed()

    async def untrust(self, iss: str) -> Entry:
        """Have an issuer's cards count no more, from now on; return what was agreed with it.

        Raises:
            UnknownCodeError: none of that address is trusted.
        """
        now = self._clock()
        async with self._database.begin() as session:
            await rows.alone(session)
            row = await rows.by_url(session, iss)
            if row is None or row.trusted_until <= now:
                known = [one.issuer for one in self.entries(now)]
                raise mistakes.UnknownCodeError("trusted issuer", iss, known)
            row.trusted_from, row.trusted_until = min(row.trusted_from, now), now
            row.sequence = await rows.sequence(session) + 1
            struck = entry(row)
        await self.refreshed()
        return struck


def _written(key: ECKey) -> dict[str, Any]:
    point = key.as_dict(private=False)
    return {name: point[name] for name in ("kty", "crv", "x", "y")}


def entry(row: Issuer) -> Entry:
    """Return an issuer as lists of trust have it."""
    keys = [es256.public_key(one) for one in row.keys]
    return Entry(
        row.url,
        row.district,
        {key.thumbprint(): key for key in keys},
        frozenset(row.vcts),
        frozenset(row.services),
        row.trusted_from,
        row.trusted_until,
    )


# ── what is agreed ───────────────────────────────────────────────────────────────────────────


def agreed(said: Mapping[str, Any], services: Collection[str], issuer: str) -> Entry:
    """Return what was agreed with a district, as it is written in a file.

    Args:
        said: ``issuer``, ``district``, ``jwks`` (a JWK set, or its text), ``vcts``, ``services``,
            ``from`` and ``until`` (ISO 8601).
        services: The codes on the menu.
        issuer: The hub's own address, with which nothing is agreed.

    Raises:
        BadInputError: something of it cannot be agreed.
        UnknownCodeError: it names a service that is not on the menu.
    """
    if not isinstance(said, Mapping) or said.keys() ^ _AGREED:
        raise mistakes.BadInputError(f"An agreement has {', '.join(sorted(_AGREED))}, and no more.")
    found = Entry(
        _address(said["issuer"], issuer),
        _text(said["district"], "district"),
        _keys(said["jwks"]),
        frozenset(_texts(said["vcts"], "vcts")),
        frozenset(_texts(said["services"], "services")),
        _moment(said["from"], "from"),
        _moment(said["until"], "until"),
    )
    if found.begins_at >= found.ends_at:
        raise mistakes.BadInputError("`from` is not before `until`.")
    if not found.vcts:
        raise mistakes.BadInputError("`vcts` names no type of card.")
    for code in sorted(found.services):
        if code not in services:
            raise mistakes.UnknownCodeError("service", code, services)
    return found


def _address(found: object, own: str) -> str:
    """Return an issuer's address: that of a hub, reached so that nobody else can answer for it."""
    text = _text(found, "issuer").rstrip("/")
    parts = urlsplit(text)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not safe or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise mistakes.BadInputError("`issuer` is no https address of a hub.")
    if text == own:
        raise mistakes.BadInputError("`issuer` is this hub: its own cards count anyway.")
    return text


def _keys(found: object) -> dict[str, ECKey]:
    try:
        said = orjson.loads(found) if isinstance(found, str) else found
        listed = claim.values(claim.members(said).get("keys"))
        keys = [es256.public_key(one) for one in listed]
    except (NotGenuineError, orjson.JSONDecodeError):
        raise mistakes.BadInputError("`jwks` is no JWK set of public P-256 keys.") from None
    if not 0 < len(keys) <= _MOST_KEYS:
        raise mistakes.BadInputError(f"`jwks` has {len(keys)} keys; give 1 to {_MOST_KEYS}.")
    return {key.thumbprint(): key for key in keys}


def _text(found: object, name: str) -> str:
    try:
        return claim.text(found)
    except NotGenuineError:
        raise mistakes.BadInputError(f"`{name}` is no text of 1 to 512 characters.") from None


def _texts(found: object, name: str) -> tuple[str, ...]:
    try:
        return claim.texts(found)
    except NotGenuineError:
        raise mistakes.BadInputError(f"`{name}` is no list of texts.") from None


def _moment(found: object, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(found, name))
    except ValueError:
        raise mistakes.BadInputError(f"`{name}` is no time such as 2026-12-01T00:00Z.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

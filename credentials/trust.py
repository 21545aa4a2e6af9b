"""Whose cards count here: a signed list of issuers, their keys and what is recognised of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc.jwk import ECKey

from credentials import claim, compact, es256
from credentials.flaw import Flaw, NotGenuineError
from credentials.keyring import LIFETIMES, TYPES, Key, Purpose

TYPE = TYPES[Purpose.TRUST]
LIFETIME = LIFETIMES[Purpose.TRUST]
#: A longer list is refused unread, in characters.
MOST_LENGTH = 262_144

_ALGORITHM = "ES256"


@dataclass(frozen=True, slots=True)
class Entry:
    """One issuer: its keys by thumbprint, the types of its cards, the services they open here."""

    issuer: str
    district: str
    keys: Mapping[str, ECKey]
    vcts: frozenset[str]
    services: frozenset[str]
    begins_at: datetime
    ends_at: datetime

    def counts(self, now: datetime) -> bool:
        """Return whether the agreement with this issuer is in force."""
        return self.begins_at <= now < self.ends_at


@dataclass(frozen=True, slots=True)
class TrustList:
    """The list of one hub; each has a higher ``sequence`` than the one before."""

    issuer: str
    sequence: int
    issued_at: datetime
    expires_at: datetime
    entries: tuple[Entry, ...]

    def key(self, issuer: str, kid: str, now: datetime) -> ECKey | None:
        """Return the key that an issuer calls so: a key counts for its own issuer only."""
        found = self._entries(issuer, now)
        return next((entry.keys[kid] for entry in found if kid in entry.keys), None)

    def honours(self, issuer: str, kid: str, vct: str, service: str, now: datetime) -> bool:
        """Return whether a card of this type, signed with this key, opens this service here.

        A card may well be genuine and not be honoured: trust and recognition are two questions.
        """
        return any(
            kid in entry.keys and vct in entry.vcts and service in entry.services
            for entry in self._entries(issuer, now)
        )

    def _entries(self, issuer: str, now: datetime) -> list[Entry]:
        if now >= self.expires_at:
            return []
        return [entry for entry in self.entries if entry.issuer == issuer and entry.counts(now)]


def sign(key: Key, entries: Sequence[Entry], *, issuer: str, sequence: int, now: datetime) -> str:
    """Return a list of these entries, signed: it holds for a day."""
    issued = int(now.timestamp())
    claims = {
        "iss": issuer,
        "sequence": sequence,
        "iat": issued,
        "exp": issued + int(LIFETIME.total_seconds()),
        "entries": [_written(entry) for entry in entries],
    }
    return compact.sign(key, claims)


def read(
    token: str, keys: compact.Keys, *, issuer: str, now: datetime, least_sequence: int = 0
) -> TrustList:
    """Return a list that holds.

    Args:
        token: As it was fetched.
        keys: Finds the list's own keys by their ids.
        issuer: Whose list it must be.
        now: The hub's time.
        least_sequence: That of the newest list seen: an older one would bring back who was struck.

    Raises:
        NotGenuineError: it does not hold, is another's, or is older than one seen before.
    """
    claims = compact.read(token, keys, TYPE, most_length=MOST_LENGTH)
    claim.times(claims, now)
    if claims.get("iss") != issuer:
        raise NotGenuineError(Flaw.WRONG_ISSUER)
    sequence = claim.whole(claims.get("sequence"))
    if sequence < least_sequence:
        raise NotGenuineError(Flaw.STALE)
    return TrustList(
        issuer,
        sequence,
        claim.moment(claims["iat"]),
        claim.moment(claims["exp"]),
        tuple(_entry(one) for one in claim.values(claims.get("entries"))),
    )


def _written(entry: Entry) -> dict[str, Any]:
    return {
        "iss": entry.issuer,
        "district": entry.district,
        "keys": sorted(entry.keys),
        "jwks": {
            "keys": [
                {**key.as_dict(private=False), "kid": id_, "use": "sig", "alg": _ALGORITHM}
                for id_, key in sorted(entry.keys.items())
            ]
        },
        "vcts": sorted(entry.vcts),
        "services": sorted(entry.services),
        "from": int(entry.begins_at.timestamp()),
        "until": int(entry.ends_at.timestamp()),
    }


def _entry(found: object) -> Entry:
    said = claim.members(found)
    # Keys of algorithms that are not ours yet are passed over: they can verify nothing here.
    ours = [
        es256.public_key(jwk)
        for jwk in claim.values(claim.members(said.get("jwks")).get("keys"))
        if claim.members(jwk).get("alg") == _ALGORITHM
    ]
    keys = {key.thumbprint(): key for key in ours}
    if not keys.keys() <= frozenset(claim.texts(said.get("keys"))):
        raise NotGenuineError(Flaw.MALFORMED)
    return Entry(
        claim.text(said.get("iss")),
        claim.text(said.get("district")),
        keys,
        frozenset(claim.texts(said.get("vcts"))),
        frozenset(claim.texts(said.get("services"))),
        claim.moment(said.get("from")),
        claim.moment(said.get("until")),
    )

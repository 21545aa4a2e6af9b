"""The kit's keys, people and clock: made from their names, the same each time, secret to nobody."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey

from credentials import base64url, es256
from credentials.flaw import Flaw
from credentials.keyring import LIFETIMES, ROTATION, Key, Keyring, Purpose

#: The moment at which every case is judged that names no other.
NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
AT = int(NOW.timestamp())
DAY = 86_400
ISSUER = "https://greenway.example"
NEIGHBOUR = "https://neighbour.example"
STRANGER = "https://stranger.example"
PARTNER = "quill-cinema"
SERVICE = "film-tickets"
#: The order of P-256: with (r, s) holds (r, n - s).
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def drawn(name: str, size: int = 16) -> bytes:
    """Bytes that look random and are the same each time."""
    return hashlib.shake_256(f"greenway kit: {name}".encode()).digest(size)


def secret(name: str) -> ECKey:
    """A private key that is the same each time."""
    number = int.from_bytes(drawn(name, 40), "big") % (ORDER - 1) + 1
    made = ECKey.import_key(ec.derive_private_key(number, ec.SECP256R1()))
    said = made.as_dict(private=True)
    return ECKey.import_key({name: said[name] for name in ("kty", "crv", "x", "y", "d")})


def public(key: ECKey) -> dict[str, str]:
    """The public half of a key, without a name."""
    said = key.as_dict(private=False)
    return {name: said[name] for name in ("kty", "crv", "x", "y")}


def _key(name: str, purpose: Purpose, begins: datetime = NOW - timedelta(days=10), **more) -> Key:
    jwk, ends = secret(name), begins + ROTATION
    published = begins - timedelta(days=2)
    until = ends + LIFETIMES[purpose]
    return Key(jwk.thumbprint(), purpose, jwk, published, begins, ends, until, **more)


#: The hub's keys that count, one for each purpose.
OURS = {purpose: _key(purpose.lower(), purpose) for purpose in Purpose}
STOLEN = _key("stolen card", Purpose.CARD, compromised_at=NOW - timedelta(days=1))
STOLEN_PASS = _key("stolen pass", Purpose.PASS, compromised_at=NOW - timedelta(days=1))
#: A key that signed its last card so long ago that none of them holds.
FORMER = _key("former card", Purpose.CARD, NOW - timedelta(days=200))
#: A key that is not shown yet.
COMING = _key("coming card", Purpose.CARD, NOW + timedelta(days=30))
RING = Keyring([*OURS.values(), STOLEN, STOLEN_PASS, FORMER, COMING])

HOLDER, DEVICE, CLIENT, PROVING = (secret(name) for name in ("holder", "device", "client", "proof"))
THIEF, ABROAD = secret("thief"), secret("neighbour")
#: What a hub of the kit is given as its secret for codes, and what it makes of that.
CODES = "greenway kit: known to everybody"
MASTER = hashlib.sha256(CODES.encode()).digest()
PHONE = drawn("phone", 8)


@dataclass(frozen=True)
class Case:
    """One input with what is wrong with it, and what must come of it.

    ``given`` are parameters other than the family's; ``answer`` is what POST /v1/verify says of
    it, where that is not what it says of all that are refused.
    """

    id: str
    what: str
    input: Any
    flaw: Flaw | str | None = None
    given: dict[str, Any] = field(default_factory=dict)
    answer: str | None = None

    @property
    def written(self) -> dict[str, Any]:
        said = {
            "id": self.id,
            "what": self.what,
            "input": self.input,
            "outcome": "REFUSED" if self.flaw else "ACCEPTED",
            "flaw": self.flaw and str(self.flaw),
            "given": self.given,
            "answer": self.answer,
        }
        return {name: value for name, value in said.items() if value not in (None, {})}


def raw_token(header: bytes, claims: bytes, key: ECKey) -> str:
    """A compact JWS of bytes that need not be JSON, with a signature that holds."""
    said = f"{base64url.encode(header)}.{base64url.encode(claims)}"
    return f"{said}.{base64url.encode(es256.sign(key, said.encode()))}"


def token(key: ECKey, claims: dict[str, Any], header: dict[str, Any]) -> str:
    """A compact JWS whose claims and header lack what is changed to `...`."""
    header, claims = (
        {name: value for name, value in said.items() if value is not ...}
        for said in (header, claims)
    )
    return raw_token(plain(header), plain(claims), key)


def plain(said: object) -> bytes:
    """JSON as the hub writes it."""
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def resigned(made: str, signature: bytes) -> str:
    """A token under other bytes as its signature."""
    return f"{made.rpartition('.')[0]}.{base64url.encode(signature)}"


def signature_of(made: str) -> bytes:
    return base64url.decode(made.rpartition(".")[2])


def mirrored(signature: bytes) -> bytes:
    """The other signature of the same words that holds: (r, n - s)."""
    return signature[:32] + (ORDER - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")


def last_bits(text: str) -> str:
    """The same bytes in another spelling: the last letter has bits that mean nothing."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + letters[letters.index(text[-1]) + 1]

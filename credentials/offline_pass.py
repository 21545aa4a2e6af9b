"""Offline passes: what a card holder shows where neither side has a network.

A pass is a CWT (RFC 8392) that the hub signs for one holder's device and one partner, for a week at
most. The device shows it with the step of 30 seconds and its own signature over both, so that a
photo of it is worthless soon. It is read without any CBOR library until the hub's signature holds:
the only envelope there is has one spelling. Its key is named in the protected header and nowhere
else. It does not name the hub: a key counts for one issuer only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey

from credentials import base45, base64url, claim, code, es256
from credentials.flaw import Flaw, NotGenuineError
from credentials.keyring import LIFETIMES, TYPES, Key, Purpose

LIFETIME = LIFETIMES[Purpose.PASS]
#: A longer pass is refused unread, in characters.
MOST_LENGTH = code.MOST_LENGTH

# Labels of RFC 9052 (header, keys), RFC 8392 (claims), RFC 8747 (the device's key) and the IETF
# Token Status List; the last claim is a private one of ours.
_SUBJECT, _AUDIENCE, _EXPIRES, _ISSUED, _CONFIRMATION, _STATUS = 2, 3, 4, 6, 8, 65535
_TERMS = -65537
_LABELS = {_SUBJECT, _AUDIENCE, _EXPIRES, _ISSUED, _CONFIRMATION, _STATUS, _TERMS}
_TIER, _SERVICES, _NAME, _BIRTH_DATE = 1, 2, 3, 4
_TOLD = {_TIER, _SERVICES, _NAME, _BIRTH_DATE}
_SIGN1, _ALGORITHM, _KEY_ID, _TYPE, _ES256 = 18, 1, 4, 16, -7
_EC2_P256 = {1: 2, -1: 1}
_COSE_KEY, _X, _Y = 1, -2, -3

_KEY_ID_BYTES = 8
_SIGNATURE_BYTES = 64
_STEP_BYTES = 4
_HALF = 32
_HEADER_AT, _KEY_ID_AT = 4, 9
_SHORT = b"\x58"  # begins a CBOR byte string of less than 256 bytes, a longer one has three
#: Finds the hub's key by the first bytes of its thumbprint, if there is one that counts.
Keys = Callable[[bytes], Key | ECKey | None]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a pass tells its partner: no more than the partner's policy admits."""

    audience: str
    tier: str
    status_index: int
    status_uri: str
    #: What the holder is called before this partner, where a quota needs a name.
    holder: str | None = None
    #: The services it is for; none are named when it is for all of the partner's.
    services: tuple[str, ...] = ()
    name: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Pass:
    """A pass as it was shown: both signatures hold, whatever the time and whoever reads it."""

    terms: Terms
    issued_at: datetime
    expires_at: datetime
    #: The first bytes of the thumbprint of the hub's key, which tells whose pass it is.
    key_id: bytes
    #: The thumbprint of the device's key: a pass may be used once in a step.
    device: str
    step: int

    @property
    def shown_at(self) -> datetime:
        """When the step began in which it was shown, by the device's clock."""
        return datetime.fromtimestamp(self.step * code.STEP_SECONDS, UTC)

    def check(self, audience: str, now: datetime) -> None:
        """Refuse it unless it is for this partner and shown now; give ``shown_at`` to look back.

        Raises:
            NotGenuineError: it is not.
        """
        if self.terms.audience != audience:
            raise NotGenuineError(Flaw.WRONG_AUDIENCE)
        times = {"iat": self.issued_at.timestamp(), "exp": self.expires_at.timestamp()}
        claim.times(times, now)
        if abs(self.step - code.step_at(now)) > code.TOLERANCE:
            raise NotGenuineError(Flaw.STALE)


def issue(
    key: Key, terms: Terms, device: ECKey, now: datetime, lifetime: timedelta = LIFETIME
) -> bytes:
    """Return a CWT for the device with this public key, signed with a key for passes."""
    protected = _protected(key_id(key.jwk))
    payload = cbor2.dumps(_claims(terms, device, now, now + lifetime), canonical=True)
    return _envelope(protected, payload, es256.sign(key.jwk, _signed(protected, payload)))


def show(cwt: bytes, device: ECKey, step: int) -> str:
    """Return what the device shows during one step: the text of a QR code."""
    shown = step.to_bytes(_STEP_BYTES, "big")
    signature = es256.sign(device, hashlib.sha256(cwt).digest() + shown)
    return code.PASS_PREFIX + base45.encode(cwt + shown + signature)


def read(text: str, keys: Keys, *, audience: str, now: datetime) -> Pass:
    """Return a pass that the hub gave for this partner, and that its device shows now.

    Raises:
        NotGenuineError: it is no such pass, or not now.
    """
    found = opened(text, keys)
    found.check(audience, now)
    return found


def opened(text: str, keys: Keys) -> Pass:
    """Return a pass that the hub gave and a device showed, to whomever and whenever.

    Raises:
        NotGenuineError: it is no such pass.
    """
    if len(text) > MOST_LENGTH:
        raise NotGenuineError(Flaw.TOO_LARGE)
    if not text.startswith(code.PASS_PREFIX):
        raise NotGenuineError(Flaw.MALFORMED)
    raw = base45.decode(text.removeprefix(code.PASS_PREFIX))
    tail = len(raw) - _SIGNATURE_BYTES
    cwt, step = raw[: tail - _STEP_BYTES], raw[tail - _STEP_BYTES : tail]
    named, payload = _verified(cwt, keys)
    said = _said(payload)
    device = _device(said)
    if not es256.holds(device, hashlib.sha256(cwt).digest() + step, raw[tail:]):
        raise NotGenuineError(Flaw.BAD_SIGNATURE)
    return Pass(
        _terms(said),
        claim.moment(said.get(_ISSUED)),
        claim.moment(said.get(_EXPIRES)),
        named,
        device.thumbprint(),
        int.from_bytes(step, "big"),
    )


def key_id(key: ECKey) -> bytes:
    """Return what passes call a key: the first 64 bits of its thumbprint (RFC 7638)."""
    return base64url.decode(key.thumbprint())[:_KEY_ID_BYTES]


def _verified(cwt: bytes, keys: Keys) -> tuple[bytes, bytes]:
    """Return what the hub's key is called, and the payload it has signed."""
    named = cwt[_KEY_ID_AT : _KEY_ID_AT + _KEY_ID_BYTES]
    protected, signature = _protected(named), cwt[-_SIGNATURE_BYTES:]
    # Before the payload stand its protected header and an empty one; after it, the signature.
    sized = cwt[_HEADER_AT + len(protected) + 1 : -2 - _SIGNATURE_BYTES]
    payload = sized[2:] if sized.startswith(_SHORT) else sized[3:]
    # There is one way to write it down, so it is written down again rather than taken apart.
    if _envelope(protected, payload, signature) != cwt:
        raise NotGenuineError(Flaw.MALFORMED)
    key = keys(named)
    if key is None:
        raise NotGenuineError(Flaw.UNKNOWN_KEY)
    jwk = key.jwk if isinstance(key, Key) else key
    if not es256.holds(jwk, _signed(protected, payload), signature):
        raise NotGenuineError(Flaw.BAD_SIGNATURE)
    return named, payload


def _protected(named: bytes) -> bytes:
    header = {_ALGORITHM: _ES256, _KEY_ID: named, _TYPE: TYPES[Purpose.PASS]}
    return cbor2.dumps(header, canonical=True)


def _envelope(protected: bytes, payload: bytes, signature: bytes) -> bytes:
    return cbor2.dumps(cbor2.CBORTag(_SIGN1, [protected, {}, payload, signature]))


def _signed(protected: bytes, payload: bytes) -> bytes:
    return cbor2.dumps(["Signature1", protected, b"", payload])


def _claims(terms: Terms, device: ECKey, now: datetime, until: datetime) -> dict[int, Any]:
    point = device.public_key.public_numbers()
    told = {
        _TIER: terms.tier,
        _SERVICES: list(terms.services) or None,
        _NAME: terms.name,
        _BIRTH_DATE: terms.birth_date and terms.birth_date.isoformat(),
    }
    said: dict[int, Any] = {
        _SUBJECT: terms.holder,
        _AUDIENCE: terms.audience,
        _EXPIRES: int(until.timestamp()),
        _ISSUED: int(now.timestamp()),
        _CONFIRMATION: {
            _COSE_KEY: {**_EC2_P256, _X: point.x.to_bytes(_HALF, "big"), _Y: point.y % 2 == 1}
        },
        _STATUS: {"status_list": {"idx": terms.status_index, "uri": terms.status_uri}},
        _TERMS: _without_none(told),
    }
    return _without_none(said)


def _without_none(said: dict[int, Any]) -> dict[int, Any]:
    return {label: value for label, value in said.items() if value is not None}


def _said(payload: bytes) -> dict[Any, Any]:
    """Return the claims of a payload, which has one spelling as well."""
    try:
        said: Any = cbor2.loads(payload)
        if cbor2.dumps(said, canonical=True) == payload:
            return claim.members(said)
    except (cbor2.CBORError, ValueError, TypeError, ArithmeticError, RecursionError):
        pass
    raise NotGenuineError(Flaw.MALFORMED)


def _terms(said: dict[Any, Any]) -> Terms:
    told: dict[Any, Any] = claim.members(said.get(_TERMS))
    place = claim.members(claim.members(said.get(_STATUS)).get("status_list"))
    # What is not known may mean something: that the pass holds later, or not here.
    if not (said.keys() <= _LABELS and told.keys() <= _TOLD):
        raise NotGenuineError(Flaw.MALFORMED)
    return Terms(
        claim.text(said.get(_AUDIENCE)),
        claim.text(told.get(_TIER)),
        claim.whole(place.get("idx")),
        claim.text(place.get("uri")),
        claim.text(said[_SUBJECT]) if _SUBJECT in said else None,
        claim.texts(told.get(_SERVICES, [])),
        claim.text(told[_NAME]) if _NAME in told else None,
        _date(claim.text(told[_BIRTH_DATE])) if _BIRTH_DATE in told else None,
    )


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotGenuineError(Flaw.MALFORMED) from None


def _device(said: dict[Any, Any]) -> ECKey:
    confirmed: dict[Any, Any] = claim.members(said.get(_CONFIRMATION))
    key: dict[Any, Any] = claim.members(confirmed.get(_COSE_KEY))
    x, odd = key.get(_X), key.get(_Y)
    if key != {**_EC2_P256, _X: x, _Y: odd} or not (isinstance(x, bytes) and isinstance(odd, bool)):
        raise NotGenuineError(Flaw.MALFORMED)
    try:
        # The point as SEC 1 writes it, compressed: 2 or 3, and one coordinate.
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes([2 + odd]) + x)
    except ValueError:
        raise NotGenuineError(Flaw.MALFORMED) from None
    return ECKey.import_key(point)

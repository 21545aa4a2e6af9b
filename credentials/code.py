"""What stands in a QR code: how each sort is made, and how they are told apart.

Codes are spelt in the alphanumeric alphabet of QR codes, which makes them small: the live code and
the fallback code fit version 3. Live, fallback and venue codes are addresses, so that a camera that
knows nothing of Greenway leads to the hub.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from credentials.flaw import Flaw, NotGenuineError
from models import card

#: A live code may be used for so long; a phone shows a new one when half of it is over.
LIFETIME = timedelta(seconds=60)
#: Fallback codes and offline passes change with each step, and hold one step before and after.
STEP_SECONDS = 30
TOLERANCE = 1
STEPS_A_DAY = 24 * 3600 // STEP_SECONDS
#: What the text of an offline pass begins with.
PASS_PREFIX = "GWP1:"  # noqa: S105 - a pass is no password
#: What is longer is no code and is not looked at, in characters.
MOST_LENGTH = 2048
DEVICE_BYTES = 8

_TICKET_BYTES = 16
_MAC_BYTES = 10
# A fallback code carries the last bits of its step. They name one step in three weeks, so that the
# hub knows which day's seed made the code, and a code that is old is called old and not forged.
_STEP_BYTES = 2
_STEPS = 1 << 8 * _STEP_BYTES

_CROCKFORD = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_RFC4648 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_SPELL = bytes.maketrans(_RFC4648, _CROCKFORD)
_UNSPELL = bytes.maketrans(_CROCKFORD, _RFC4648)

_NAME = r"[A-Z0-9]+(?:-[A-Z0-9]+)*"
# The last digit of a ticket holds three bits only: its other spellings are not accepted.
_ADDRESS = re.compile(
    rf"""(?i:https?)://(?P<host>(?i:[a-z0-9.-]{{1,253}})(?::[0-9]{{1,5}})?)/(?:
        T/(?P<ticket>[0-9A-HJKMNP-TV-Z]{{25}}[048CGMRW]) |
        F/1(?P<fallback>[0-9A-HJKMNP-TV-Z]{{32}}) |
        V/(?P<partner>{_NAME})/(?P<terminal>{_NAME})/(?P<mac>[0-9A-HJKMNP-TV-Z]{{16}})
    )""",
    re.VERBOSE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A random secret of 128 bits that the hub gave a phone, and keeps the digest of alone."""

    secret: bytes = field(repr=False)

    @property
    def digest(self) -> bytes:
        """What the hub knows the ticket by."""
        return hashlib.sha256(self.secret).digest()

    def text(self, base: str) -> str:
        """Return the live code of this ticket at a hub's address, as ``https://hub.example``."""
        return f"{base.upper()}/T/{_spelt(self.secret)}"


@dataclass(frozen=True, slots=True)
class LiveCode:
    """A ticket as it was scanned, and the hub it leads to."""

    host: str
    ticket: Ticket


@dataclass(frozen=True, slots=True)
class FallbackCode:
    """What a phone without a network showed: ``step`` is the last bits of when."""

    host: str
    device: bytes
    step: int
    mac: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class VenueCode:
    """The printed code of a partner's counter, door or till, which holders scan."""

    host: str
    partner: str
    terminal: str
    mac: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PassText:
    """An offline pass, unread."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SerialText:
    """The serial printed on a card, in its printed form."""

    serial: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A text that is no code of ours."""


Code = LiveCode | FallbackCode | VenueCode | PassText | SerialText | Unknown


def parse(text: str) -> Code:
    """Return what a scanned or typed text is; whether it is genuine is another question."""
    if len(text) > MOST_LENGTH:
        return Unknown()
    # Base45 never ends in a space, so nothing is lost of a pass.
    trimmed = text.strip()
    if found := _ADDRESS.fullmatch(trimmed):
        return _addressed(found)
    if trimmed.startswith(PASS_PREFIX):
        return PassText(trimmed)
    serial = card.normal_serial(trimmed)
    return SerialText(serial) if serial else Unknown()


def new_ticket() -> Ticket:
    """Return a new ticket."""
    return Ticket(secrets.token_bytes(_TICKET_BYTES))


def step_at(now: datetime) -> int:
    """Return the number of the step that a time lies in."""
    return int(now.timestamp()) // STEP_SECONDS


def day_seed(master: bytes, device: bytes, day: int) -> bytes:
    """Return the secret with which a device makes its fallback codes on one day.

    Args:
        master: The hub's secret, which never leaves it.
        device: The handle of the device.
        day: Its number, which is that of its steps divided by ``STEPS_A_DAY``.
    """
    return _derived(master, b"greenway fallback code\n" + device + day.to_bytes(4, "big"))


def fallback(base: str, seed: bytes, device: bytes, step: int) -> str:
    """Return the fallback code that a device shows during one step, made with that day's seed."""
    said = device + (step % _STEPS).to_bytes(_STEP_BYTES, "big") + _stamp(seed, device, step)
    return f"{base.upper()}/F/1{_spelt(said)}"


def check(code: FallbackCode, master: bytes, now: datetime) -> int:
    """Return the step in which a device showed a fallback code: it may be used once in it.

    Raises:
        NotGenuineError: the device has not made it, or not now.
    """
    current = step_at(now)
    step = current + (code.step - current + _STEPS // 2) % _STEPS - _STEPS // 2
    seed = day_seed(master, code.device, step // STEPS_A_DAY)
    if not hmac.compare_digest(code.mac, _stamp(seed, code.device, step)):
        raise NotGenuineError(Flaw.BAD_SIGNATURE)
    if abs(step - current) > TOLERANCE:
        raise NotGenuineError(Flaw.STALE)
    return step


def venue(base: str, master: bytes, partner: str, terminal: str) -> str:
    """Return the code to print for one terminal of a partner; both are named by slugs."""
    mac = _spelt(_venue_mac(master, partner, terminal))
    return f"{base}/v/{partner}/{terminal}/{mac}".upper()


def check_venue(code: VenueCode, master: bytes) -> None:
    """Refuse a venue code that the hub has not made for this terminal of this partner.

    Raises:
        NotGenuineError: it has not.
    """
    if not hmac.compare_digest(code.mac, _venue_mac(master, code.partner, code.terminal)):
        raise NotGenuineError(Flaw.BAD_SIGNATURE)


def _addressed(found: re.Match[str]) -> LiveCode | FallbackCode | VenueCode:
    host = found["host"].lower()
    if found["ticket"]:
        return LiveCode(host, Ticket(_unspelt(found["ticket"])))
    if found["fallback"]:
        said = _unspelt(found["fallback"])
        device, step, mac = said[:DEVICE_BYTES], said[DEVICE_BYTES:-_MAC_BYTES], said[-_MAC_BYTES:]
        return FallbackCode(host, device, int.from_bytes(step, "big"), mac)
    partner, terminal = found["partner"].lower(), found["terminal"].lower()
    return VenueCode(host, partner, terminal, _unspelt(found["mac"]))


def _stamp(seed: bytes, device: bytes, step: int) -> bytes:
    return hmac.digest(seed, b"1" + device + step.to_bytes(8, "big"), "sha256")[:_MAC_BYTES]


def _venue_mac(master: bytes, partner: str, terminal: str) -> bytes:
    key = _derived(master, b"greenway venue code")
    return hmac.digest(key, f"{partner}\n{terminal}".encode(), "sha256")[:_MAC_BYTES]


def _derived(master: bytes, purpose: bytes) -> bytes:
    return HKDF(hashes.SHA256(), length=32, salt=None, info=purpose).derive(master)


def _spelt(raw: bytes) -> str:
    return base64.b32encode(raw).rstrip(b"=").translate(_SPELL).decode()


def _unspelt(text: str) -> bytes:
    return base64.b32decode(text.encode().translate(_UNSPELL) + b"=" * (-len(text) % 8))

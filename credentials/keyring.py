"""The hub's signing keys: one for each purpose, each with its time to be shown, to sign, to go."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson
from joserfc import errors as jose
from joserfc import jwe
from joserfc.jwk import ECKey, OctKey

from credentials import base64url
from models import errors


class Purpose(StrEnum):
    """What a key signs, and nothing else: a receipt signed by the card's key would be a card."""

    CARD = "CARD"
    PASS = "PASS"  # noqa: S105 - a pass is no password
    STATUS = "STATUS"
    RECEIPT = "RECEIPT"
    TRUST = "TRUST"
    LOG = "LOG"
    ACCESS = "ACCESS"


#: What the header of everything signed for a purpose says it is.
TYPES = {
    Purpose.CARD: "dc+sd-jwt",
    Purpose.PASS: "application/tc-pass+cwt",
    Purpose.STATUS: "statuslist+jwt",
    Purpose.RECEIPT: "tc-receipt+jwt",
    Purpose.TRUST: "tc-trustlist+jwt",
    Purpose.LOG: "tc-loghead+jwt",
    Purpose.ACCESS: "at+jwt",
}

_TEN_YEARS = timedelta(days=3653)

#: How long what is signed for a purpose holds at most.
LIFETIMES = {
    Purpose.CARD: timedelta(days=90),
    Purpose.PASS: timedelta(days=7),
    Purpose.STATUS: timedelta(hours=1),
    Purpose.RECEIPT: _TEN_YEARS,
    Purpose.TRUST: timedelta(hours=24),
    Purpose.LOG: _TEN_YEARS,
    Purpose.ACCESS: timedelta(minutes=5),
}

#: A key signs so long, then its successor does.
ROTATION = timedelta(days=90)
#: A key is shown so long before it signs, so that everybody has fetched it by then.
NOTICE = timedelta(hours=48)


class NoSigningKeyError(errors.HubError):
    """No key signs for a purpose now: ``Keyring.due`` says which must be made."""

    code = "MISCONFIGURED"

    def __init__(self, purpose: Purpose) -> None:
        super().__init__(f"No key signs for {purpose} now.", "Run `greenway keys rotate`.")


class SealBrokenError(errors.HubError):
    """Something sealed that this key of ours does not open; says nothing of what is inside."""

    code = "MISCONFIGURED"

    def __init__(self) -> None:
        super().__init__("What is sealed cannot be opened with the sealing key in force.")


@dataclass(frozen=True, slots=True)
class Key:
    """One key for one purpose; ``id`` is its RFC 7638 thumbprint, which tokens name as ``kid``."""

    id: str
    purpose: Purpose
    jwk: ECKey = field(repr=False)
    published_at: datetime
    signs_from: datetime
    signs_until: datetime
    public_until: datetime
    compromised_at: datetime | None = None

    def signs(self, now: datetime) -> bool:
        """Return whether it signs now."""
        return not self.compromised_at and self.signs_from <= now < self.signs_until

    def verifies(self, now: datetime) -> bool:
        """Return whether what it has signed counts now.

        Of a compromised key nothing counts, whatever its date: a thief writes the date he likes.
        """
        return not self.compromised_at and self.published_at <= now <= self.public_until


class Keyring:
    """All keys of the hub, those of the past and of tomorrow among them; never changes."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._by_id = {key.id: key for key in keys}

    def signer(self, purpose: Purpose, now: datetime) -> Key:
        """Return the key that signs for a purpose now, of several the newest.

        Raises:
            NoSigningKeyError: there is none.
        """
        ready = [key for key in self._of(purpose) if key.signs(now)]
        if not ready:
            raise NoSigningKeyError(purpose)
        return max(ready, key=lambda key: key.signs_from)

    def verifying(self, purpose: Purpose, kid: str, now: datetime) -> Key | None:
        """Return the key so called, if what it has signed for this purpose counts now."""
        found = self._by_id.get(kid)
        return found if found and found.purpose == purpose and found.verifies(now) else None

    def known(self, purpose: Purpose, kid: str) -> Key | None:
        """Return the key so called, whatever became of it: what it signed may be proved by more."""
        found = self._by_id.get(kid)
        return found if found and found.purpose == purpose else None

    def named(self, purpose: Purpose, start: bytes, now: datetime) -> Key | None:
        """Return the key for this purpose whose thumbprint begins with these bytes, as above."""
        return next(
            (
                key
                for key in self._of(purpose)
                if base64url.decode(key.id).startswith(start) and key.verifies(now)
            ),
            None,
        )

    def jwks(self, now: datetime, purpose: Purpose | None = None) -> dict[str, Any]:
        """Return the public keys that count now as a JWK set (RFC 7517): all, or for a purpose.

        Each says its purpose (RFC 7517, section 4, lets a key say more), so that verifiers can
        hold what is signed against it, and not against the type in its header alone.
        """
        return {
            "keys": [
                {
                    **key.jwk.as_dict(private=False),
                    "kid": key.id,
                    "use": "sig",
                    "alg": "ES256",
                    "purpose": key.purpose.lower(),
                }
                for key in self._by_id.values()
                if key.verifies(now) and purpose in {None, key.purpose}
            ]
        }

    def coming(self, purpose: Purpose, now: datetime) -> Key | None:
        """Return the key that is shown for a purpose and does not sign yet, if there is one."""
        shown = (key for key in self._of(purpose) if key.verifies(now))
        return next((key for key in shown if now < key.signs_from), None)

    def every(self) -> list[Key]:
        """Return all keys, by purpose, and the oldest first."""
        return sorted(self._by_id.values(), key=lambda key: (key.purpose, key.signs_from))

    def due(self, now: datetime) -> list[Key]:
        """Return new keys, so that each purpose has a signer now and its successor in time."""
        return list(itertools.chain.from_iterable(self._due(purpose, now) for purpose in Purpose))

    def _of(self, purpose: Purpose) -> Iterator[Key]:
        return (key for key in self._by_id.values() if key.purpose == purpose)

    def _due(self, purpose: Purpose, now: datetime) -> Iterator[Key]:
        alive = [k for k in self._of(purpose) if not k.compromised_at and now < k.signs_until]
        if not any(key.signs(now) for key in alive):
            alive.append(new(purpose, published_at=now, signs_from=now))
            yield alive[-1]
        end = max(key.signs_until for key in alive)
        if end - now <= NOTICE:
            yield new(purpose, published_at=now, signs_from=end)


def new(purpose: Purpose, *, published_at: datetime, signs_from: datetime) -> Key:
    """Return a new key that signs for one rotation and counts until the last it signed is over."""
    jwk = ECKey.generate_key("P-256", auto_kid=True)
    until = signs_from + ROTATION
    return Key(
        jwk.thumbprint(),
        purpose,
        jwk,
        published_at,
        signs_from,
        until,
        public_until=until + LIFETIMES[purpose],
    )


def compromise(key: Key, now: datetime) -> Key:
    """Return the key as one that others may have: it signs no more, and nothing of it counts."""
    return dataclasses.replace(key, compromised_at=now)


def sealed(key: Key, kek: bytes) -> str:
    """Return a key as it is kept: a JWE (RFC 7516) under a 256-bit key of the hub's."""
    header = {"alg": "dir", "enc": "A256GCM", "kid": key.id}
    said = orjson.dumps(key.jwk.as_dict(private=True))
    return jwe.encrypt_compact(header, said, OctKey.import_key(kek))


def unsealed(text: str, kek: bytes) -> ECKey:
    """Return the private key that was sealed.

    Raises:
        SealBrokenError: it was sealed otherwise, was changed since, or is not the key it is called.
    """
    try:
        opened = jwe.decrypt_compact(text, OctKey.import_key(kek), algorithms=["dir", "A256GCM"])
        jwk = ECKey.import_key(orjson.loads(opened.plaintext or b""))
        if opened.headers().get("kid") == jwk.thumbprint():
            return jwk
    except (ValueError, TypeError, KeyError, jose.JoseError):
        pass
    raise SealBrokenError

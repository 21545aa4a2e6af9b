"""Evidence that a card was checked: the signed receipt a partner keeps, and its leaf in the log."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from credentials import base64url, claim, compact
from credentials.flaw import Flaw, NotGenuineError
from credentials.keyring import TYPES, Key, Purpose

_DIGEST_BYTES = 32
_TEXTS = ("jti", "partner", "outcome", "service", "policy", "rules")
_MAYBE = ("holder", "evidence", "consent")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the hub attests of one check: which claims were told by name, and never their values."""

    id: str
    partner: str
    #: What the holder is called before this partner, if a name was given at all.
    holder: str | None
    outcome: str
    #: How the card was presented; None where that would tell more than the outcome does.
    evidence: str | None
    service: str
    #: The hash of the disclosure policy in force.
    policy: str
    consent: str | None
    claims: tuple[str, ...]
    status_as_of: datetime
    checked_at: datetime
    #: The version of the rules that were judged by.
    rules: str
    #: The salted hash of what was presented.
    presented: bytes
    #: A digest of all that the hub keeps of the check, by which an edit of that is found.
    record: str


def sign(key: Key, receipt: Receipt) -> str:
    """Return a receipt signed with a key for receipts: equal receipts give equal texts."""
    said: dict[str, Any] = {
        "jti": receipt.id,
        "partner": receipt.partner,
        "holder": receipt.holder,
        "outcome": receipt.outcome,
        "evidence": receipt.evidence,
        "service": receipt.service,
        "policy": receipt.policy,
        "consent": receipt.consent,
        "claims": list(receipt.claims),
        "status_as_of": int(receipt.status_as_of.timestamp()),
        "iat": int(receipt.checked_at.timestamp()),
        "rules": receipt.rules,
        "presented": base64url.encode(receipt.presented),
        "record": receipt.record,
    }
    return compact.sign(key, {name: value for name, value in said.items() if value is not None})


def read(token: str, keys: compact.Keys) -> Receipt:
    """Return the receipt that one of these keys has signed; it has no end.

    Raises:
        NotGenuineError: none of them has.
    """
    said = compact.read(token, keys, TYPES[Purpose.RECEIPT])
    id_, partner, outcome, service, policy, rules = (claim.text(said.get(one)) for one in _TEXTS)
    holder, evidence, consent = (claim.text(said[one]) if one in said else None for one in _MAYBE)
    return Receipt(
        id=id_,
        partner=partner,
        holder=holder,
        outcome=outcome,
        evidence=evidence,
        service=service,
        policy=policy,
        consent=consent,
        claims=claim.texts(said.get("claims")),
        status_as_of=claim.moment(said.get("status_as_of")),
        checked_at=claim.moment(said.get("iat")),
        rules=rules,
        presented=_digest(said.get("presented")),
        record=claim.text(said.get("record")),
    )


def commitment(salt: bytes, said: bytes) -> bytes:
    """Return a hash that binds to what is said and tells nothing of it without the salt.

    It is what enters the log for a receipt, and what a receipt says of the thing presented. Who
    forgets the salt, 32 random bytes, makes it a hash of nothing, and the log stands.
    """
    return hmac.digest(salt, said, "sha256")


def _digest(found: object) -> bytes:
    digest = base64url.decode(claim.text(found))
    if len(digest) != _DIGEST_BYTES:
        raise NotGenuineError(Flaw.MALFORMED)
    return digest

"""Checks as they are filed, with receipts signed by a hub's own key: what a log is made of."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from credentials import evidence, keyring, log_head
from credentials.keyring import Key, Purpose
from models import issuer, verification
from models.issuer import Issuer
from models.verification import Evidence, Outcome, Verification

SUBJECT = "holder-1"
NEIGHBOUR = "https://putuo.example"


def row(authority, number: int, **columns) -> Verification:
    """Return the check of a number, signed: the same for the same number and key."""
    now = authority.clock().replace(microsecond=0)
    said = {
        "handle": f"check-{number}",
        "verifier": "hongqiao-cinema",
        "live": True,
        "service": "film-tickets",
        "terminal": "till 2",
        "idempotency_key": f"key-{number}",
        "input_digest": hashlib.sha256(str(number).encode()).hexdigest(),
        "outcome": Outcome.ACCEPTED,
        "told": {"tier": "B", "claims": ["tier", "valid"], "of": {"left": 3}},
        "subject": SUBJECT,
        "card_id": 7,
        "checked_at": now,
        "status_as_of": now - timedelta(seconds=4),
        "expires_at": now + timedelta(seconds=120),
        "follows": f"before-{number}",
        "salt": hashlib.sha256(f"salt {number}".encode()).hexdigest(),
        **columns,
    }
    made = Verification(**said, position=None)
    made.receipt = evidence.sign(
        authority.keys.signer(Purpose.RECEIPT),
        evidence.Receipt(
            id=made.handle,
            partner=made.verifier,
            holder="a-pseudonym",
            outcome=made.outcome,
            evidence=Evidence.LIVE_CODE,
            service=made.service,
            policy="0" * 64,
            consent=None,
            claims=("tier", "valid"),
            status_as_of=made.status_as_of,
            checked_at=made.checked_at,
            rules="7",
            presented=evidence.commitment(made.salt.encode(), b"a code"),
            record=verification.record(made),
        ),
    )
    return made


async def filed(authority, *numbers: int, **columns) -> list[Verification]:
    """File checks of these numbers, in one transaction."""
    await authority.begun()
    rows = [row(authority, number, **columns) for number in numbers]
    async with authority.database.begin() as session:
        session.add_all(rows)
    return rows


def head_of(authority, found) -> log_head.Head:
    """Return what a signed head says, by a key of this hub's that counts."""
    now = authority.clock()
    return log_head.read(
        found.signed, lambda kid: authority.keys.ring.verifying(Purpose.LOG, kid, now)
    )


def a_key(now, purpose: Purpose = Purpose.LOG) -> Key:
    """Return a key of somebody else's."""
    return keyring.new(purpose, published_at=now, signs_from=now)


async def trusted(authority, *keys: Key, url: str = NEIGHBOUR) -> None:
    """Have a neighbour's cards and words count."""
    now = authority.clock()
    async with authority.database.begin() as session:
        session.add(
            Issuer(
                url=url,
                district="putuo",
                keys=[key.jwk.as_dict(private=False) for key in keys],
                vcts=[f"{url}/vct/talent-card/1"],
                services=["film-tickets"],
                trusted_from=now - timedelta(days=1),
                trusted_until=now + timedelta(days=30),
                sequence=await issuer.sequence(session) + 1,
            )
        )
    await authority.issuers.refreshed()

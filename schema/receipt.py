"""Receipts: what stays of a check of a card, and the proof that it stands in the public log."""

from __future__ import annotations

from datetime import datetime

import strawberry

from models.verification import Verification, leaf_salt
from resolvers.ledger import Inclusion
from resolvers.receipt import Confirmed
from schema.info import Info


@strawberry.type(
    description=(
        "Proof that a receipt stands in the log (RFC 9162, section 2.1.3): with it anybody can "
        "find the root in `checkpoint` again."
    )
)
class InclusionProof:
    leaf_index: int = strawberry.field(description="The leaf's place in the log, from 0.")
    tree_size: int = strawberry.field(description="How many leaves the log had.")
    leaf_hash: str = strawberry.field(
        description=(
            "The leaf, in hex: SHA-256 of a zero byte and HMAC-SHA-256 of `jws` under `salt`."
        )
    )
    hashes: list[str] = strawberry.field(
        description="What is hashed with it on the way to the root, in hex, nearest first."
    )
    checkpoint: str = strawberry.field(
        description="The signed head of the log: a JWS, typ `tc-loghead+jwt`."
    )

    @classmethod
    def of(cls, found: Inclusion) -> InclusionProof:
        return cls(
            leaf_index=found.index,
            tree_size=found.size,
            leaf_hash=found.leaf.hex(),
            hashes=[one.hex() for one in found.hashes],
            checkpoint=found.head,
        )


@strawberry.type(description="What stays of a check: signed, and written down in the log.")
class Receipt:
    row: strawberry.Private[Verification]
    id: strawberry.ID = strawberry.field(description="Its id, which is the check's too.")
    jws: str = strawberry.field(
        description=(
            "The receipt: a JWS, typ `tc-receipt+jwt`, to be verified with the hub's JWKS. It has "
            "the names of claims, never their values."
        )
    )

    @classmethod
    def of(cls, row: Verification) -> Receipt:
        return cls(row=row, id=strawberry.ID(row.handle), jws=row.receipt)

    @strawberry.field(
        description=(
            "What the leaf is salted with; null once the person was erased. Whoever has it can "
            "show that this receipt is that leaf."
        )
    )
    def salt(self) -> str | None:
        return leaf_salt(self.row.salt) if self.row.salt else None

    @strawberry.field(
        description="Its place in the log; null until the next signed head, at most 60 s."
    )
    async def inclusion(self, info: Info) -> InclusionProof | None:
        return await _inclusion(self.row, info)


@strawberry.type(description="A receipt that this hub gave out, and what it says.")
class ReceiptConfirmation:
    found: strawberry.Private[Confirmed]
    id: strawberry.ID = strawberry.field(description="Its id.")
    partner_code: str = strawberry.field(description="Who checked, by code.")
    outcome: str = strawberry.field(
        description="What came of the check: a type of answer, such as `CardAccepted`."
    )
    service: str = strawberry.field(description="The service the check was for, by code.")
    areas: list[str] = strawberry.field(
        description="The benefit areas of the card that the service belongs to today, by code."
    )
    claims: list[str] = strawberry.field(description="What was told of the holder, by name.")
    checked_at: datetime = strawberry.field(description="When the check was.")
    status_as_of: datetime = strawberry.field(description="How fresh the card's status was then.")
    rules: str = strawberry.field(description="The version of the rules that were judged by.")
    policy: str = strawberry.field(description="The version of what the partner may learn.")
    consent: strawberry.ID | None = strawberry.field(
        description="The consent on which something personal was told."
    )
    key_compromised: bool = strawberry.field(
        description="Whether its key came into other hands since: its place in the log proves it."
    )

    @classmethod
    def of(cls, found: Confirmed, info: Info) -> ReceiptConfirmation:
        said = found.receipt
        service = info.context.catalogue.services.get(said.service)
        return cls(
            found=found,
            id=strawberry.ID(said.id),
            partner_code=said.partner,
            outcome=said.outcome,
            service=said.service,
            areas=list(service.areas) if service else [],
            claims=list(said.claims),
            checked_at=said.checked_at,
            status_as_of=said.status_as_of,
            rules=said.rules,
            policy=said.policy,
            consent=strawberry.ID(said.consent) if said.consent else None,
            key_compromised=found.compromised,
        )

    @strawberry.field(
        description="Its place in the log; null until the next signed head, at most 60 s."
    )
    async def inclusion(self, info: Info) -> InclusionProof | None:
        return await _inclusion(self.found.row, info)


async def _inclusion(row: Verification, info: Info) -> InclusionProof | None:
    if row.position is None:
        return None
    found = await info.context.loaders.inclusions_by_place.load(row.position)
    return InclusionProof.of(found) if found else None

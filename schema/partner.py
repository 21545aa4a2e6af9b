"""Versions of partner files, and what comes of installing them while the hub runs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from models import partner
from schema import scalars
from schema.errors import MistakesFault, UnknownCodeFault

scalars.describe(
    partner.State,
    "How far a version of a partner's file is.",
    {
        "CANARY": "It is on trial: a share of asks go by it.",
        "ACTIVE": "It is in force.",
        "SUPERSEDED": "It was in force or on trial, and another took its place.",
        "ROLLED_BACK": "It was taken back, and is not tried again until it changes.",
        "REMOVED": "It was taken away.",
    },
    name="PartnerVersionState",
)
scalars.describe(
    partner.Origin,
    "Where a version of a partner's file came from.",
    {
        "FOLDER": "A folder of partner files.",
        "ENDPOINT": "It was installed through the graph.",
    },
    name="PartnerVersionOrigin",
)


@strawberry.type(description="One version of a partner's file.")
class PartnerVersion:
    partner_code: str = strawberry.field(description="The partner's code.")
    version: str = strawberry.field(description="What the file calls this version.")
    digest: str = strawberry.field(description="The SHA-256 of its text.")
    origin: partner.Origin = strawberry.field(description="Where it came from.")
    state: partner.State = strawberry.field(description="How far it is.")
    good_asks: int = strawberry.field(description="Asks on trial that it answered.")
    failed_asks: int = strawberry.field(
        description="Asks on trial in vain, which the version in force answered instead."
    )
    reason: str | None = strawberry.field(description="Why it was taken back, where it was.")
    changed_at: datetime = strawberry.field(description="When it came into this state.")
    changed_by: str | None = strawberry.field(
        description="Who brought it into this state; null where it came so by itself."
    )

    @classmethod
    def of(cls, row: partner.Version) -> PartnerVersion:
        return cls(
            partner_code=row.slug,
            version=row.edition,
            digest=row.digest,
            origin=row.origin,
            state=row.state,
            good_asks=row.good,
            failed_asks=row.failed,
            reason=row.reason,
            changed_at=row.changed_at,
            changed_by=row.changed_by,
        )


@strawberry.input(description="A partner's file to be brought into force.")
class InstallPartnerInput:
    code: str = strawberry.field(description="The partner's code; the text says the same.")
    text: str = strawberry.field(description="The partner's whole file (YAML).")


@strawberry.input(description="What is on trial and shall be in force.")
class PromotePartnerInput:
    code: str = strawberry.field(description="The partner's code.")


@strawberry.input(description="What is on trial, or else in force, and shall be taken back.")
class RollBackPartnerInput:
    code: str = strawberry.field(description="The partner's code.")
    reason: str = strawberry.field(description="Why; it is kept with the version.")


@strawberry.input(description="What was installed and shall be taken away.")
class RemovePartnerInput:
    code: str = strawberry.field(description="The partner's code.")


InstallPartnerOutcome = Annotated[
    PartnerVersion | MistakesFault,
    strawberry.union(
        "InstallPartnerOutcome", description="The version as it now is, or its mistakes."
    ),
]
PromotePartnerOutcome = Annotated[
    PartnerVersion | UnknownCodeFault,
    strawberry.union(
        "PromotePartnerOutcome", description="What is in force now, or that nothing is on trial."
    ),
]
RollBackPartnerOutcome = Annotated[
    PartnerVersion | UnknownCodeFault,
    strawberry.union(
        "RollBackPartnerOutcome",
        description="What was taken back, or that there is nothing to go back to.",
    ),
]
RemovePartnerOutcome = Annotated[
    PartnerVersion | UnknownCodeFault,
    strawberry.union(
        "RemovePartnerOutcome", description="What was taken away, or that nothing was installed."
    ),
]

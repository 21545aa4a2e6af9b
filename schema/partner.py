"""Versions of partner files, and what comes of installing them while the hub runs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from models import errors, partner
from resolvers import partner as partners
from schema import scalars
from schema.errors import MistakesFault, UnknownCodeFault
from schema.info import Info
from schema.permissions import admins

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


@strawberry.type
class Acts:
    @strawberry.mutation(
        description=(
            "Bring a partner's file into force, new or otherwise than it was: on trial first, "
            "where it says so. It is checked, and its examples are played; every hub has it within "
            "2 s. Sent again, it changes nothing. Admins."
        ),
        extensions=[admins()],
    )
    async def install_partner(
        self,
        info: Info,
        input: Annotated[InstallPartnerInput, strawberry.argument(description="The file.")],
    ) -> InstallPartnerOutcome | None:
        try:
            row = await partners.install(info.context, input.code, input.text)
            return PartnerVersion.of(row)
        except errors.MistakesError as error:
            return MistakesFault.of(error)

    @strawberry.mutation(
        description="End a trial well: what was on trial is in force. Admins.",
        extensions=[admins()],
    )
    async def promote_partner(
        self,
        info: Info,
        input: Annotated[PromotePartnerInput, strawberry.argument(description="Which partner.")],
    ) -> PromotePartnerOutcome | None:
        try:
            return PartnerVersion.of(await partners.promote(info.context, input.code))
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

    @strawberry.mutation(
        description=(
            "Take back the version on trial; where none is, the one in force, for the one before. "
            "Admins."
        ),
        extensions=[admins()],
    )
    async def roll_back_partner(
        self,
        info: Info,
        input: Annotated[RollBackPartnerInput, strawberry.argument(description="Which, and why.")],
    ) -> RollBackPartnerOutcome | None:
        try:
            row = await partners.roll_back(info.context, input.code, input.reason)
            return PartnerVersion.of(row)
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

    @strawberry.mutation(
        description=(
            "Take away what was installed of a partner; what a folder has of it is in force again. "
            "Admins."
        ),
        extensions=[admins()],
    )
    async def remove_partner(
        self,
        info: Info,
        input: Annotated[RemovePartnerInput, strawberry.argument(description="Which partner.")],
    ) -> RemovePartnerOutcome | None:
        try:
            return PartnerVersion.of(await partners.remove(info.context, input.code))
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

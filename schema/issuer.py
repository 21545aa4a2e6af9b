"""Issuers: the districts whose cards count here, and the acts by which they come to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import strawberry

from credentials.trust import Entry
from models import errors
from resolvers import issuer as issuers
from schema.errors import Fault, UnknownCodeFault
from schema.info import Info
from schema.permissions import admins


@strawberry.type(description="A district whose cards count here, for some services.")
class TrustedIssuer:
    id: strawberry.ID = strawberry.field(description="The address of its hub, which signs as it.")
    district: str = strawberry.field(description="The district, by code.")
    keys: list[str] = strawberry.field(
        description="The RFC 7638 thumbprints of its keys, which count for its cards alone."
    )
    vcts: list[str] = strawberry.field(description="The types of card that are taken from it.")
    services: list[str] = strawberry.field(description="The services they open here, by code.")
    trusted_from: datetime = strawberry.field(description="From when on its cards count.")
    trusted_until: datetime = strawberry.field(description="Until when they do.")

    @classmethod
    def of(cls, entry: Entry) -> TrustedIssuer:
        return cls(
            id=strawberry.ID(entry.issuer),
            district=entry.district,
            keys=sorted(entry.keys),
            vcts=sorted(entry.vcts),
            services=sorted(entry.services),
            trusted_from=entry.begins_at,
            trusted_until=entry.ends_at,
        )


@strawberry.type(description="Something of an agreement with a district cannot be so.")
class AgreementFault(Fault):
    @classmethod
    def of(cls, error: errors.BadInputError) -> AgreementFault:
        return cls(code=error.code, message=error.sentence, hint=error.hint or None)


@strawberry.input(description="What was agreed with a district.")
class TrustIssuerInput:
    issuer: str = strawberry.field(description="The address of its hub, such as `https://…`.")
    district: str = strawberry.field(description="The district, by code.")
    jwks: str = strawberry.field(
        description="Its public keys: the text of its `/.well-known/jwks.json`."
    )
    vcts: list[str] = strawberry.field(description="The types of card that are taken from it.")
    services: list[str] = strawberry.field(description="The services they open here, by code.")
    trusted_from: datetime = strawberry.field(description="From when on its cards count.")
    trusted_until: datetime = strawberry.field(description="Until when they do.")

    def said(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "district": self.district,
            "jwks": self.jwks,
            "vcts": self.vcts,
            "services": self.services,
            "from": self.trusted_from.isoformat(),
            "until": self.trusted_until.isoformat(),
        }


@strawberry.input(description="A district whose cards shall count no more.")
class UntrustIssuerInput:
    issuer: str = strawberry.field(description="The address of its hub.")


TrustIssuerOutcome = Annotated[
    TrustedIssuer | AgreementFault | UnknownCodeFault,
    strawberry.union(
        "TrustIssuerOutcome", description="What is agreed now, or what of it cannot be."
    ),
]
UntrustIssuerOutcome = Annotated[
    TrustedIssuer | UnknownCodeFault,
    strawberry.union(
        "UntrustIssuerOutcome", description="What was agreed, or that there is no such issuer."
    ),
]


@strawberry.type
class Acts:
    @strawberry.mutation(
        description=(
            "Have the cards of another district count here, in place of what was agreed with it "
            "before; every hub process has it within a second. Admins."
        ),
        extensions=[admins()],
    )
    async def trust_issuer(
        self,
        info: Info,
        input: Annotated[TrustIssuerInput, strawberry.argument(description="What was agreed.")],
    ) -> TrustIssuerOutcome | None:
        context = info.context
        services, own = context.catalogue.services, context.authority.issuer
        try:
            agreement = issuers.agreed(input.said(), services, own)
        except errors.BadInputError as error:
            return AgreementFault.of(error)
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)
        await context.authority.issuers.trust(agreement)
        return TrustedIssuer.of(agreement)

    @strawberry.mutation(
        description="Have the cards of another district count no more, from now on. Admins.",
        extensions=[admins()],
    )
    async def untrust_issuer(
        self,
        info: Info,
        input: Annotated[UntrustIssuerInput, strawberry.argument(description="Which.")],
    ) -> UntrustIssuerOutcome | None:
        try:
            return TrustedIssuer.of(await info.context.authority.issuers.untrust(input.issuer))
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

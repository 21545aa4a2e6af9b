"""Consents: what a partner would learn, the text to agree to, and what was agreed to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from models import consent as rows
from models import errors, verification
from models.verifier import Verifier
from resolvers import consent as consents
from schema import cost, scalars
from schema.errors import Fault, UnknownCodeFault
from schema.info import Info
from schema.menu import Service
from schema.permissions import holders

scalars.describe(
    verification.Category,
    "What of a person may be told to a partner.",
    {
        "TIER": "The tier of the card.",
        "NAME": "The name.",
        "BIRTH_DATE": "The birth date.",
        "EMPLOYER": "The employer.",
        "DEPENDANT_NAME": "The name of a child.",
        "DEPENDANT_BIRTH_DATE": "The birth date of a child.",
        "PSEUDONYM": "A name by which this partner alone knows the person.",
        "RECORD": "What is on record: no partner is told that, an officer may look at it.",
    },
    name="DataCategory",
)
scalars.describe(
    rows.Means,
    "By what a partner may be told on a consent.",
    {
        "CODE": "One live code, or one check that was confirmed: it ends with that.",
        "PASS": "One offline pass: it ends with the pass.",
        "STANDING": "Every check until it ends, however the card is shown.",
    },
    name="ConsentMeans",
)


@strawberry.type(description="A partner that takes talent cards.")
class CardPartner:
    row: strawberry.Private[Verifier]
    code: str = strawberry.field(description="Its code.")
    name: str = strawberry.field(description="Its name.")
    contact: str = strawberry.field(description="Whom to turn to about what it was told.")

    @classmethod
    def of(cls, row: Verifier) -> CardPartner:
        return cls(row=row, code=row.code, name=row.name, contact=row.contact)

    @strawberry.field(
        directives=[cost.sized(20)],
        description="The services on the menu today that it takes cards for.",
    )
    def services(self, info: Info) -> list[Service]:
        context = info.context
        return [
            Service.of(row, info)
            for row in context.catalogue.on_menu(context.today)
            if row.code in self.row.services
        ]


@strawberry.type(description="What a partner would learn for a service, and the text to show.")
class DisclosureNotice:
    partner: CardPartner = strawberry.field(description="The partner.")
    service: Service = strawberry.field(description="The service.")
    policy: str = strawberry.field(description="The policy it would be told by, with its version.")
    categories: list[verification.Category] = strawberry.field(
        description="What it would learn, if it is agreed to."
    )
    consent_needed: bool = strawberry.field(
        description="Whether any of it is personal, so that it must be agreed to."
    )
    text: str = strawberry.field(description="The text to show before it is agreed to.")
    language: str = strawberry.field(description="The language of the text: `en` or `zh`.")
    version: int = strawberry.field(description="The version of the wording.")
    digest: str = strawberry.field(
        description="The SHA-256 of the text, in hex: send it as `agreedTo` to agree to it."
    )

    @classmethod
    def of(cls, found: consents.Disclosed, info: Info) -> DisclosureNotice:
        return cls(
            partner=CardPartner.of(found.verifier),
            service=Service.of(found.service, info),
            policy=found.policy.code,
            categories=list(found.policy.categories),
            consent_needed=found.policy.personal,
            text=found.text,
            language=found.language,
            version=found.version,
            digest=found.digest,
        )


@strawberry.type(description="What a person agreed to have told to one partner, for one service.")
class Consent:
    id: strawberry.ID = strawberry.field(description="Its id; nobody can guess it.")
    partner_code: str = strawberry.field(description="The partner's code.")
    partner_name: str = strawberry.field(description="The partner's name, as it was shown.")
    contact: str = strawberry.field(description="The partner's contact, as it was shown.")
    service_code: str = strawberry.field(description="The service, by code.")
    member: strawberry.ID | None = strawberry.field(
        description="The child it was given for, by their id in `household`; null: for oneself."
    )
    policy: str = strawberry.field(description="The policy it was given for.")
    categories: list[verification.Category] = strawberry.field(description="What is told on it.")
    means: rows.Means = strawberry.field(description="By what it is told.")
    text_digest: str = strawberry.field(description="The SHA-256 of the text shown, in hex.")
    language: str = strawberry.field(description="The language of the text shown.")
    version: int = strawberry.field(description="The version of the wording.")
    given_at: datetime = strawberry.field(description="When it was given.")
    ends_at: datetime = strawberry.field(description="When it ends by itself.")
    withdrawn_at: datetime | None = strawberry.field(
        description="When it was withdrawn, if it was."
    )
    alive: bool = strawberry.field(description="Whether it holds now.")

    @classmethod
    def of(cls, row: rows.Consent, info: Info) -> Consent:
        return cls(
            id=strawberry.ID(row.handle),
            partner_code=row.verifier,
            partner_name=row.partner_name,
            contact=row.contact,
            service_code=row.service,
            member=None if row.member_id is None else strawberry.ID(str(row.member_id)),
            policy=row.policy,
            categories=[verification.Category(one) for one in row.categories],
            means=rows.Means(row.means),
            text_digest=row.text_digest,
            language=row.language,
            version=row.version,
            given_at=row.given_at,
            ends_at=row.ends_at,
            withdrawn_at=row.withdrawn_at,
            alive=row.alive(info.context.now),
        )

    @strawberry.field(description="The service; null where it is on the menu no more.")
    def service(self, info: Info) -> Service | None:
        row = info.context.catalogue.services.get(self.service_code)
        return Service.of(row, info) if row else None


@strawberry.type(description="A partner takes no cards for this, or the code is no partner's.")
class NotServedFault(Fault):
    @classmethod
    def of(cls, error: errors.NotServedError) -> NotServedFault:
        return cls(code=error.code, message=error.sentence, hint=error.hint)


@strawberry.type(description="What was agreed to is not what would be told now.")
class ConsentTextFault(Fault):
    disclosure: DisclosureNotice = strawberry.field(description="What would be told now.")

    @classmethod
    def of(cls, error: errors.ConsentTextError[consents.Disclosed], info: Info) -> ConsentTextFault:
        found = DisclosureNotice.of(error.disclosure, info)
        return cls(code=error.code, message=error.sentence, hint=error.hint, disclosure=found)


@strawberry.type(description="The viewer has given no consent with this id.")
class UnknownConsentFault(Fault):
    @classmethod
    def of(cls, error: errors.UnknownConsentError) -> UnknownConsentFault:
        return cls(code=error.code, message=error.sentence, hint=error.hint)


@strawberry.type(description="A standing consent, in the children's stead too where it is theirs.")
class ConsentGiven:
    consents: list[Consent] = strawberry.field(
        description="The viewer's own, then one for each child."
    )


Members = Annotated[
    list[strawberry.ID] | None,
    strawberry.argument(
        description="The children it is about, by their ids in `household`, where it is of any."
    ),
]


@strawberry.input(description="What is agreed to, until it ends or is withdrawn.")
class GiveConsentInput:
    partner_code: str = strawberry.field(description="The partner, by code.")
    service_code: str = strawberry.field(description="The service, by code.")
    agreed_to: str = strawberry.field(description="The digest of the text shown.")
    language: str | None = strawberry.field(
        default=None, description="The language of the text shown; else Accept-Language counts."
    )
    until: datetime | None = strawberry.field(
        default=None,
        description=f"When it ends: within a year; in {consents.STANDING.days} days, if not given.",
    )
    members: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="The children it is given for, by their ids in `household`, where it is.",
    )

    def wanted(self) -> consents.Wanted:
        members = tuple(self.members or ())
        return consents.Wanted(self.partner_code, self.service_code, members, self.language)


@strawberry.input(description="A consent to be withdrawn.")
class WithdrawConsentInput:
    id: strawberry.ID = strawberry.field(description="Its id.")


DisclosureOutcome = Annotated[
    DisclosureNotice | NotServedFault | UnknownCodeFault,
    strawberry.union(
        "DisclosureOutcome", description="What would be told, or why nothing would be."
    ),
]
GiveConsentOutcome = Annotated[
    ConsentGiven | ConsentTextFault | NotServedFault | UnknownCodeFault,
    strawberry.union("GiveConsentOutcome", description="The consent, or why there is none."),
]
WithdrawConsentOutcome = Annotated[
    Consent | UnknownConsentFault,
    strawberry.union(
        "WithdrawConsentOutcome", description="The consent as it is now, or that there is none."
    ),
]


@strawberry.type
class Acts:
    @strawberry.mutation(
        description=(
            "Agree to what a partner is told at every check for a service, until it ends or is "
            "withdrawn. Holders."
        ),
        extensions=[holders()],
    )
    async def give_consent(
        self,
        info: Info,
        input: Annotated[GiveConsentInput, strawberry.argument(description="What is agreed to.")],
    ) -> GiveConsentOutcome | None:
        try:
            given = await consents.give(info.context, input.wanted(), input.agreed_to, input.until)
        except errors.ConsentTextError as error:
            return ConsentTextFault.of(error, info)
        except errors.NotServedError as error:
            return NotServedFault.of(error)
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)
        return ConsentGiven(consents=[Consent.of(row, info) for row in given])

    @strawberry.mutation(
        description=(
            "Withdraw a consent; it bites on the next request. A guardian's own takes the "
            "children's with it. Withdrawn again, it stays as it is. Holders."
        ),
        extensions=[holders()],
    )
    async def withdraw_consent(
        self,
        info: Info,
        input: Annotated[WithdrawConsentInput, strawberry.argument(description="Which consent.")],
    ) -> WithdrawConsentOutcome | None:
        try:
            return Consent.of(await consents.withdraw(info.context, input.id), info)
        except errors.UnknownConsentError as error:
            return UnknownConsentFault.of(error)

"""Who asked about a holder and what they were told; and what waits for the holder's answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from models import access as rows
from models import errors, page
from models.answer import Answer
from models.verification import AccessEntry as Left
from models.verification import Category, Outcome, Verification
from resolvers import access
from resolvers import confirmation as confirmations
from schema import scalars
from schema.consent import CardPartner, ConsentTextFault, NotServedFault
from schema.errors import Fault, UnknownCodeFault
from schema.info import Info
from schema.menu import Service
from schema.node import PageInfo
from schema.permissions import holders, officers

scalars.describe(
    Outcome,
    "What came of a check.",
    {
        "ACCEPTED": "The card was accepted.",
        "NOT_ACCEPTED": "The card was not accepted.",
        "CODE_NOT_USABLE": "The code was old, used, or made for somebody else.",
        "NOT_ENTITLED": "The card is good, but does not open the service now.",
        "PENDING": "The holder was asked to confirm.",
        "CONSENT_REQUIRED": "The holder was asked to agree to what is told.",
        "REFUSED": "The partner may not ask this.",
    },
    name="VerificationResult",
)


@strawberry.type(description="One piece of data that left the hub.")
class ToldData:
    category: Category = strawberry.field(description="What it was.")
    fields: list[str] | None = strawberry.field(
        description="Of the record, the fields that were shown, by their names in `Talent`."
    )
    member: strawberry.ID | None = strawberry.field(
        description="The member it was about, by their id in `household`; null: oneself."
    )
    consent: strawberry.ID | None = strawberry.field(
        description="The consent on which it left, where it takes one."
    )

    @classmethod
    def of(cls, row: Left) -> ToldData:
        return cls(
            category=row.category,
            fields=None if row.fields is None else row.fields.split(),
            member=None if row.member_id is None else strawberry.ID(str(row.member_id)),
            consent=None if row.consent is None else strawberry.ID(row.consent),
        )


@strawberry.type(description="A check of the card, or something else by which data left the hub.")
class AccessEntry:
    at: datetime = strawberry.field(description="When it was.")
    partner_code: str = strawberry.field(
        description="Who asked, by code; an officer has another name for each person of theirs."
    )
    partner_name: str = strawberry.field(description="Who asked.")
    purpose: str = strawberry.field(
        description=(
            "For what: the service, by code; of an officer, the reason they gave, or "
            f"`{access.LOOKED_UP}` where they looked somebody up."
        )
    )
    result: Outcome | None = strawberry.field(
        description="What came of the check; null where it was none."
    )
    terminal: str | None = strawberry.field(
        description="The partner's own name for the counter, door or till."
    )
    receipt: strawberry.ID | None = strawberry.field(
        description="The id of the check and of its receipt; null where it was no check."
    )
    told: list[ToldData] = strawberry.field(description="What left by it.")

    @classmethod
    def of(cls, found: rows.Happening, info: Info) -> AccessEntry:
        told = [ToldData.of(one) for one in found.entries]
        check = found.check
        if check is None:
            [entry] = found.entries
            return cls(
                at=entry.at,
                partner_code=entry.partner,
                partner_name=entry.partner_name,
                purpose=entry.purpose,
                result=None,
                terminal=None,
                receipt=None,
                told=told,
            )
        known = info.context.authority.verifiers.by_code.get(check.verifier)
        return cls(
            at=check.checked_at,
            partner_code=check.verifier,
            partner_name=known.name if known else check.verifier,
            purpose=check.service,
            result=check.outcome,
            terminal=check.terminal,
            receipt=strawberry.ID(check.handle),
            told=told,
        )

    @strawberry.field(description="The service; null where it was for none on the menu.")
    def service(self, info: Info) -> Service | None:
        row = info.context.catalogue.services.get(self.purpose)
        return Service.of(row, info) if row else None


@strawberry.type(description="An entry in its place in the log.")
class AccessEntryEdge:
    node: AccessEntry = strawberry.field(description="The entry.")
    cursor: str = strawberry.field(description="Its place.")


@strawberry.type(description="A page of the log.")
class AccessEntryConnection:
    edges: list[AccessEntryEdge] = strawberry.field(description="The entries in their places.")
    page_info: PageInfo = strawberry.field(description="Where the page stands.")

    @classmethod
    def of(
        cls, found: page.Page[rows.Happening], after: str | None, info: Info
    ) -> AccessEntryConnection:
        return cls(
            edges=[
                AccessEntryEdge(node=AccessEntry.of(one, info), cursor=cursor)
                for one, cursor in zip(found.items, found.cursors, strict=True)
            ],
            page_info=PageInfo.of(found.cursors, has_next=found.has_next, after=after),
        )

    @strawberry.field(description="The entries of the page.")
    def nodes(self) -> list[AccessEntry]:
        return [edge.node for edge in self.edges]


@strawberry.type(description="A check that waits for the holder's answer.")
class Prompt:
    verification: strawberry.ID = strawberry.field(description="The id of the check.")
    partner: CardPartner | None = strawberry.field(description="Who checks.")
    service_code: str = strawberry.field(description="For what, by code.")
    terminal: str | None = strawberry.field(
        description="The partner's own name for the counter, door or till."
    )
    asked_at: datetime = strawberry.field(description="When the partner asked.")
    expires_at: datetime | None = strawberry.field(description="When it is a no by itself.")
    needs_consent: bool = strawberry.field(
        description="Whether it waits for a consent: see `disclosure`; else for a yes."
    )
    categories: list[Category] = strawberry.field(
        description="What the partner would learn if it is agreed to."
    )

    @classmethod
    def of(cls, row: Verification, info: Info) -> Prompt:
        known = info.context.authority.verifiers.by_code.get(row.verifier)
        return cls(
            verification=strawberry.ID(row.handle),
            partner=CardPartner.of(known) if known else None,
            service_code=row.service,
            terminal=row.terminal,
            asked_at=row.checked_at,
            expires_at=row.expires_at,
            needs_consent=row.outcome is Outcome.CONSENT_REQUIRED,
            categories=list(Answer.of(row.told).wanted),
        )

    @strawberry.field(description="The service; null where it is on the menu no more.")
    def service(self, info: Info) -> Service | None:
        row = info.context.catalogue.services.get(self.service_code)
        return Service.of(row, info) if row else None


@strawberry.type(description="What was answered to a check; its partner may now hear the outcome.")
class PromptAnswer:
    verification: strawberry.ID = strawberry.field(description="The id of the check.")
    accepted: bool = strawberry.field(description="Whether it goes on.")


@strawberry.type(description="The viewer is asked nothing with this id, or not any more.")
class UnknownPromptFault(Fault):
    @classmethod
    def of(cls, error: errors.UnknownPromptError) -> UnknownPromptFault:
        return cls(code=error.code, message=error.sentence, hint=error.hint)


@strawberry.input(description="What is answered to a check that waits.")
class AnswerPromptInput:
    verification: strawberry.ID = strawberry.field(description="The id of the check.")
    accept: bool = strawberry.field(description="Whether it goes on.")
    agreed_to: str | None = strawberry.field(
        default=None,
        description="The digest of the text that the holder agreed to, for this check alone.",
    )
    language: str | None = strawberry.field(
        default=None, description="The language of the text shown; else Accept-Language counts."
    )
    members: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="The children it is agreed to for, by their ids in `household`.",
    )

    def said(self) -> confirmations.Said:
        return confirmations.Said(
            self.verification,
            self.accept,
            self.agreed_to,
            tuple(self.members or ()),
            self.language,
        )


@strawberry.input(description="A check that an officer confirms for its holder.")
class AssistVerificationInput:
    verification: strawberry.ID = strawberry.field(description="The id of the check.")
    reason: str = strawberry.field(
        description=(
            "Why, for the holder to read: how they were recognised, and why they could not "
            f"confirm it themselves. 1 to {confirmations.LONGEST_REASON} characters."
        )
    )


AnswerPromptOutcome = Annotated[
    PromptAnswer | UnknownPromptFault | ConsentTextFault | NotServedFault | UnknownCodeFault,
    strawberry.union("AnswerPromptOutcome", description="The answer, or why it was not taken."),
]
AssistVerificationOutcome = Annotated[
    PromptAnswer | UnknownPromptFault,
    strawberry.union("AssistVerificationOutcome", description="The answer, or that none waits."),
]


@strawberry.type
class Acts:
    @strawberry.mutation(
        description=(
            "Answer a check that waits for the viewer: whether it goes on, and what is agreed to "
            "for it. Holders."
        ),
        extensions=[holders()],
    )
    async def answer_prompt(
        self,
        info: Info,
        input: Annotated[AnswerPromptInput, strawberry.argument(description="The answer.")],
    ) -> AnswerPromptOutcome | None:
        try:
            await confirmations.answer(info.context, input.said())
        except errors.UnknownPromptError as error:
            return UnknownPromptFault.of(error)
        except errors.ConsentTextError as error:
            return ConsentTextFault.of(error, info)
        except errors.NotServedError as error:
            return NotServedFault.of(error)
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)
        return PromptAnswer(verification=input.verification, accepted=input.accept)

    @strawberry.mutation(
        description=(
            "Confirm a check for its holder, who is there and has no phone at hand; the holder "
            "reads of it in their log, with the reason. Officers."
        ),
        extensions=[officers()],
    )
    async def assist_verification(
        self,
        info: Info,
        input: Annotated[
            AssistVerificationInput, strawberry.argument(description="Which check, and why.")
        ],
    ) -> AssistVerificationOutcome | None:
        try:
            await confirmations.assist(info.context, input.verification, input.reason)
        except errors.UnknownPromptError as error:
            return UnknownPromptFault.of(error)
        return PromptAnswer(verification=input.verification, accepted=True)

"""Decisions: drafts and what changed of them, submitted ones, and receipts gone through again."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import strawberry

from eligibility import statement
from eligibility.verdict import Outcome
from models import decision, errors, text
from resolvers import decision as decisions
from resolvers.verdict import Given
from schema import cost, scalars
from schema.errors import Fault, UnknownCodeFault
from schema.info import Info
from schema.node import global_id
from schema.permissions import holders
from schema.scalars import Language, LocalizedText
from schema.verdict import FactInput, asked, written

scalars.describe(
    decision.State,
    "How far a decision is.",
    {
        "DRAFT": "It may still change, and says what did.",
        "SUBMITTED": "It stays as it is, whatever rules and facts come later.",
    },
    name="DecisionState",
)


@strawberry.type(description="A fact that a verdict was passed on.")
class StatedFact:
    name: str = strawberry.field(description="The fact's name, as rules spell it.")
    value: str = strawberry.field(
        description="What it was, as text; a list has commas, `null` is none."
    )
    is_given: bool = strawberry.field(
        description="Whether the asker put it forward: then nobody has checked it."
    )


@strawberry.type(description="A clause that decided, in the words of the day.")
class StatedReason:
    told: strawberry.Private[statement.Told]

    @strawberry.field(description="The clause's id within its rule.")
    def clause(self) -> str:
        return self.told.clause

    @strawberry.field(description="Whether what the clause says held; null: it was not known.")
    def met(self) -> bool | None:
        return self.told.met

    @strawberry.field(description="What the clause said.")
    def text(self, info: Info, language: Language = None) -> LocalizedText:
        return LocalizedText.of(text.Text(dict(self.told.text)), info, language)

    @strawberry.field(description="The source the clause rested on, by code.")
    def reference(self) -> str:
        return self.told.reference


@strawberry.type(description="What is stated of a verdict: all that it takes to pass it again.")
class Statement:
    read: strawberry.Private[statement.Statement]

    @strawberry.field(description="The service, by code.")
    def service(self) -> str:
        return self.read.basis.service

    @strawberry.field(description="The revision of the menu that the rule was read from.")
    def revision(self) -> int:
        return self.read.basis.revision

    @strawberry.field(description="The SHA-256 of the rule and of all that it builds on.")
    def version(self) -> str:
        return self.read.basis.version

    @strawberry.field(description="The day it was passed for.")
    def as_of(self) -> date:
        return self.read.basis.as_of

    @strawberry.field(description="The moment on whose knowledge it rests.")
    def known_at(self) -> datetime:
        return self.read.basis.known_at

    @strawberry.field(
        description="The id of the person whose record was looked into; null where nobody's was."
    )
    def subject(self) -> strawberry.ID | None:
        handle = self.read.basis.subject
        return global_id("Talent", handle) if handle else None

    @strawberry.field(
        directives=[cost.sized(30)],
        description="The facts it was passed on: those that the rule asks for.",
    )
    def facts(self) -> list[StatedFact]:
        given = self.read.basis.given
        return [
            StatedFact(name=name, value=written(value), is_given=name in given)
            for name, value in self.read.facts.items()
            if value is not None
        ]

    @strawberry.field(description="The outcome.")
    def outcome(self) -> Outcome:
        return self.read.outcome

    @strawberry.field(
        directives=[cost.sized(20)],
        description="Exactly the clauses that decided it, or that held it open.",
    )
    def reasons(self) -> list[StatedReason]:
        return [StatedReason(told=one) for one in self.read.reasons]

    @strawberry.field(description="The facts that could still have changed it, by name.")
    def missing(self) -> list[str]:
        return list(self.read.missing)

    @strawberry.field(description="The partners that did not supply a fact they should, by code.")
    def silent_partners(self) -> list[str]:
        return sorted(set(self.read.basis.silent.values()))


@strawberry.type(
    description="A receipt gone through again, by the rule and on the facts it states."
)
class Replay:
    statement: Statement = strawberry.field(description="What the receipt states.")
    confirmed: bool = strawberry.field(
        description="Whether that rule says the same of these facts, to the byte."
    )
    outcome_now: Outcome | None = strawberry.field(
        description="What the rule in force now says of these facts; null where there is none."
    )

    @classmethod
    def of(cls, found: decisions.Replayed) -> Replay:
        return cls(
            statement=Statement(read=found.stated),
            confirmed=found.confirmed,
            outcome_now=found.now,
        )


@strawberry.type(description="A fact that is not as it was when the draft was saved.")
class DraftFactChange:
    name: str = strawberry.field(description="The fact's name.")
    before: str | None = strawberry.field(description="What it was, as text; null: not known.")
    now: str | None = strawberry.field(description="What it is, as text; null: not known.")


@strawberry.type(description="What of a draft is not as it was when it was saved.")
class DraftChanges:
    rule_changed: bool = strawberry.field(description="Whether the rule is another.")
    facts: list[DraftFactChange] = strawberry.field(
        directives=[cost.sized(30)],
        description="The facts, of those the rule asks for, that are otherwise.",
    )
    before: Statement = strawberry.field(description="What was stated.")
    now: Statement = strawberry.field(description="What is stated now.")

    @classmethod
    def of(cls, found: decisions.Changes) -> DraftChanges:
        return cls(
            rule_changed=found.rule_changed,
            facts=[
                DraftFactChange(
                    name=one.name,
                    before=None if one.before is None else written(one.before),
                    now=None if one.now is None else written(one.now),
                )
                for one in found.facts
            ],
            before=Statement(read=found.before),
            now=Statement(read=found.now),
        )


@strawberry.type(description="A service that a person asks for.")
class Decision:
    row: strawberry.Private[decision.Decision]
    id: strawberry.ID = strawberry.field(description="Its id; nobody can guess it.")
    service: str = strawberry.field(description="The service, by code.")
    state: decision.State = strawberry.field(description="How far it is.")
    saved_at: datetime = strawberry.field(description="When it was saved last.")
    submitted_at: datetime | None = strawberry.field(description="When it was submitted.")
    receipt: str | None = strawberry.field(
        description="The signed receipt of a submitted one (a compact JWS): see `replay`."
    )

    @classmethod
    def of(cls, row: decision.Decision) -> Decision:
        return cls(
            row=row,
            id=strawberry.ID(row.handle),
            service=row.service,
            state=row.state,
            saved_at=row.saved_at,
            submitted_at=row.submitted_at,
            receipt=row.receipt,
        )

    @strawberry.field(description="What was stated when it was saved, or submitted.")
    def statement(self) -> Statement:
        return Statement(read=decisions.read(self.row.statement))

    @strawberry.field(
        description="What of a draft is not as it was when it was saved; null where nothing is."
    )
    async def changes(self, info: Info) -> DraftChanges | None:
        found = await decisions.changes(info.context, self.row, info.path.as_list())
        return DraftChanges.of(found) if found else None


@strawberry.type(description="The viewer has no decision with this id.")
class UnknownDecisionFault(Fault):
    @classmethod
    def of(cls, error: errors.UnknownDecisionError) -> UnknownDecisionFault:
        return cls(code=error.code, message=error.sentence, hint=error.hint)


@strawberry.type(description="The draft is not as it was saved: look at what changed first.")
class DraftChangedFault(Fault):
    draft: Decision = strawberry.field(description="The draft, which says what changed.")

    @classmethod
    def of(cls, error: errors.DraftChangedError[decision.Decision]) -> DraftChangedFault:
        draft = Decision.of(error.draft)
        return cls(code=error.code, message=error.sentence, hint=error.hint, draft=draft)


@strawberry.input(description="A draft to save.")
class SaveDraftInput:
    service: str = strawberry.field(description="The service, by code.")
    facts: list[FactInput] = strawberry.field(
        default_factory=list, description="Facts that go over what is on record; kept with it."
    )


@strawberry.input(description="A draft to submit.")
class SubmitDraftInput:
    id: strawberry.ID = strawberry.field(description="Its id.")
    accept_changes: bool = strawberry.field(
        default=False, description="Submit it also if something changed since it was saved."
    )


@strawberry.input(description="A draft to discard.")
class DiscardDraftInput:
    id: strawberry.ID = strawberry.field(description="Its id.")


SaveDraftOutcome = Annotated[
    Decision | UnknownCodeFault,
    strawberry.union(
        "SaveDraftOutcome", description="The draft, or that a code in it stands in no list."
    ),
]
SubmitDraftOutcome = Annotated[
    Decision | DraftChangedFault | UnknownDecisionFault | UnknownCodeFault,
    strawberry.union(
        "SubmitDraftOutcome",
        description="The decision as it now stays, or why it was not submitted.",
    ),
]
DiscardDraftOutcome = Annotated[
    Decision | UnknownDecisionFault,
    strawberry.union(
        "DiscardDraftOutcome",
        description="The draft as it was, or what had been submitted and stays; or neither.",
    ),
]


@strawberry.type
class Acts:
    @strawberry.mutation(
        description="Save a draft for a service, in place of the one there is. Holders.",
        extensions=[holders()],
    )
    async def save_draft(
        self,
        info: Info,
        input: Annotated[SaveDraftInput, strawberry.argument(description="The draft.")],
    ) -> SaveDraftOutcome | None:
        given: tuple[Given, ...] = asked(input.facts, None).facts
        try:
            path = info.path.as_list()
            return Decision.of(await decisions.save(info.context, input.service, given, path))
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

    @strawberry.mutation(
        description=(
            "Submit a draft: it is decided anew, signed, and stays so. Submitting it again changes "
            "nothing. Holders."
        ),
        extensions=[holders()],
    )
    async def submit_draft(
        self,
        info: Info,
        input: Annotated[SubmitDraftInput, strawberry.argument(description="Which draft.")],
    ) -> SubmitDraftOutcome | None:
        path = info.path.as_list()
        try:
            return Decision.of(
                await decisions.submit(info.context, input.id, path, accepted=input.accept_changes)
            )
        except errors.DraftChangedError as error:
            return DraftChangedFault.of(error)
        except errors.UnknownDecisionError as error:
            return UnknownDecisionFault.of(error)
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

    @strawberry.mutation(
        description="Discard a draft; what is submitted stays. Holders.", extensions=[holders()]
    )
    async def discard_draft(
        self,
        info: Info,
        input: Annotated[DiscardDraftInput, strawberry.argument(description="Which draft.")],
    ) -> DiscardDraftOutcome | None:
        try:
            return Decision.of(await decisions.discard(info.context, input.id))
        except errors.UnknownDecisionError as error:
            return UnknownDecisionFault.of(error)

"""Cards as the card office sees them: issued, suspended, renewed, replaced, revoked; and lost."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import date, datetime
from typing import Annotated

import strawberry

from models import card as rows
from models import errors
from models.menu import TalentClass
from resolvers import card as cards
from schema import cost, scalars
from schema.errors import Fault
from schema.info import Info
from schema.node import global_id, key_in
from schema.permissions import holders, officers

CardStatus = rows.Status
scalars.describe(
    CardStatus,
    "Whether a card may be used, apart from its dates.",
    {"ACTIVE": "It may.", "SUSPENDED": "Not for now.", "REVOKED": "Never again."},
    name="CardStatus",
)
scalars.describe(
    rows.Reason,
    "Why something befell a card.",
    {
        "ENTITLED": "The holder is entitled to one.",
        "HOLDER_ASKED": "The holder asked for it.",
        "LOST": "The card, or the holder's phone, is lost.",
        "DAMAGED": "The card is damaged.",
        "LEFT_DISTRICT": "The holder has left the district.",
        "NO_LONGER_ENTITLED": "The holder is entitled no longer.",
        "UNDER_REVIEW": "It is being looked into.",
        "REVIEW_ENDED": "It was looked into, and is well.",
        "MISUSE": "It was misused.",
        "MISTAKE": "It was issued, or changed, by mistake.",
        "TERM_ENDED": "Its term has ended.",
    },
    name="CardReason",
)
scalars.describe(
    rows.Change,
    "What befalls a card.",
    {
        "ISSUED": "It was issued.",
        "SUSPENDED": "It does not count for now.",
        "RESUMED": "It counts again.",
        "REVOKED": "It never counts again.",
        "REPLACED": "It never counts again: a new one has its place.",
        "RENEWED": "It has another last day.",
    },
    name="CardChange",
)
scalars.describe(
    cards.Problem,
    "Why somebody cannot be issued a card.",
    {
        "UNKNOWN_HOLDER": "There is no such person.",
        "NAMED_TWICE": "They are named in the batch before.",
        "HAS_CARD": "They have a card that is neither revoked nor over.",
        "NO_CLASS": "Their class is not known, so that the card would have no tier.",
    },
    name="NotIssuedProblem",
)


@strawberry.type(description="Something that befell a card.")
class CardEvent:
    change: rows.Change = strawberry.field(description="What befell it.")
    reason: rows.Reason = strawberry.field(description="Why.")
    at: datetime = strawberry.field(description="When.")
    by: str = strawberry.field(description="Who did it: the subject of their token.")

    @classmethod
    def of(cls, row: rows.Event) -> CardEvent:
        return cls(change=row.change, reason=row.reason, at=row.at, by=row.by)


@strawberry.type(description="A card as the card office sees it, with its history. Officers.")
class CardRecord:
    serial: str = strawberry.field(description="The printed serial.")
    holder: strawberry.ID = strawberry.field(description="The id of the person it is of.")
    batch: int = strawberry.field(description="The batch it was issued in.")
    issued_on: date = strawberry.field(description="The day it was issued.")
    valid_until: date = strawberry.field(description="The last day it is valid.")
    status: CardStatus = strawberry.field(description="Whether it may be used.")
    tier: TalentClass = strawberry.field(description="The class it was issued for.")
    is_test: bool = strawberry.field(description="Whether it is a test card, of a test person.")
    history: list[CardEvent] = strawberry.field(
        directives=[cost.sized(20)], description="What befell it, the newest first."
    )

    @classmethod
    def of(cls, found: cards.Record) -> CardRecord:
        row = found.card
        return cls(
            serial=row.serial,
            holder=global_id("Talent", found.holder),
            batch=row.batch,
            issued_on=row.issued_on,
            valid_until=row.valid_until,
            status=row.status,
            tier=row.tier,
            is_test=row.sandbox,
            history=[CardEvent.of(one) for one in found.events],
        )


@strawberry.type(description="Cards that were issued at once.")
class CardBatch:
    cards: list[CardRecord] = strawberry.field(
        directives=[cost.sized(500)], description="The cards, in the order asked."
    )


@strawberry.type(description="A card that has the place of another.")
class CardReplacement:
    card: CardRecord = strawberry.field(description="The new card.")
    replaced: CardRecord = strawberry.field(description="The old one, which counts no more.")


@strawberry.type(description="What came of a card being reported lost.")
class LostCardReport:
    status: CardStatus = strawberry.field(description="How the card is now.")
    phones_unlinked: int = strawberry.field(
        description="How many phones were unlinked: none of their codes and passes counts."
    )


@strawberry.type(description="There is no such card.")
class UnknownCardFault(Fault):
    @classmethod
    def of(cls, error: errors.UnknownCardError) -> UnknownCardFault:
        return cls(code=error.code, message=error.sentence, hint=error.hint)


@strawberry.type(description="This cannot befall a card that is so.")
class CardStateFault(Fault):
    state: str = strawberry.field(description="The card's status; or `OVER`, past its last day.")

    @classmethod
    def of(cls, error: errors.CardStateError) -> CardStateFault:
        return cls(code=error.code, message=error.sentence, hint=error.hint, state=error.state)


@strawberry.type(description="Somebody in a batch who cannot be issued a card.")
class NotIssued:
    position: int = strawberry.field(description="Their place in `holders`, counted from 0.")
    problem: cards.Problem = strawberry.field(description="Why.")


@strawberry.type(description="Some of a batch cannot have a card, so that none was issued.")
class CardsNotIssuedFault(Fault):
    rows: list[NotIssued] = strawberry.field(
        directives=[cost.sized(500)], description="All of them, in their order."
    )

    @classmethod
    def of(cls, error: errors.CardsNotIssuedError) -> CardsNotIssuedFault:
        return cls(
            code=error.code,
            message=error.sentence,
            hint=error.hint,
            rows=[
                NotIssued(position=one.position, problem=cards.Problem(one.problem))
                for one in error.rows
            ],
        )


@strawberry.input(description="Which card: one way of naming it.", one_of=True)
class WhichCard:
    serial: str | None = strawberry.field(
        default=strawberry.UNSET, description="Its printed serial, in any spelling."
    )
    holder: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="Its holder, by id or handle: their newest active card, or else the newest.",
    )

    def wanted(self) -> cards.Which:
        if self.serial:
            return cards.Which(serial=self.serial)
        return cards.Which(holder=_handle(self.holder or ""))


@strawberry.input(description="Cards to be issued.")
class IssueCardsInput:
    holders: list[strawberry.ID] = strawberry.field(
        description=f"The people, by id or handle: 1 to {cards.MOST}."
    )
    valid_until: date | None = strawberry.field(
        default=None, description="The last day they are valid; two years from now if not given."
    )
    reason: rows.Reason = strawberry.field(default=rows.Reason.ENTITLED, description="Why.")

    def handles(self) -> list[str]:
        return [_handle(one) for one in self.holders]


@strawberry.input(description="A card to be suspended.")
class SuspendCardInput:
    card: WhichCard = strawberry.field(description="Which card.")
    reason: rows.Reason = strawberry.field(description="Why.")


@strawberry.input(description="A card that is to count again.")
class ResumeCardInput:
    card: WhichCard = strawberry.field(description="Which card.")
    reason: rows.Reason = strawberry.field(description="Why.")


@strawberry.input(description="A card to be revoked for good.")
class RevokeCardInput:
    card: WhichCard = strawberry.field(description="Which card.")
    reason: rows.Reason = strawberry.field(description="Why.")


@strawberry.input(description="A card that is to have another last day.")
class RenewCardInput:
    card: WhichCard = strawberry.field(description="Which card.")
    valid_until: date | None = strawberry.field(
        default=None, description="The last day it is valid; two years from now if not given."
    )
    reason: rows.Reason = strawberry.field(default=rows.Reason.ENTITLED, description="Why.")


@strawberry.input(description="A card to be issued anew in place of one that is lost or damaged.")
class ReplaceCardInput:
    card: WhichCard = strawberry.field(description="Which card.")
    reason: rows.Reason = strawberry.field(description="`LOST` or `DAMAGED`.")


@strawberry.input(description="The card of whoever asks, or their phone, is lost.")
class ReportCardLostInput:
    unlink_phones: bool = strawberry.field(
        default=True,
        description="Also unlink every phone, so that none of their codes and passes counts.",
    )


IssueCardsOutcome = Annotated[
    CardBatch | CardsNotIssuedFault,
    strawberry.union("IssueCardsOutcome", description="The cards, or why there are none."),
]
ChangeCardOutcome = Annotated[
    CardRecord | CardStateFault | UnknownCardFault,
    strawberry.union(
        "ChangeCardOutcome", description="The card as it is now, or why it was not changed."
    ),
]
ReplaceCardOutcome = Annotated[
    CardReplacement | CardStateFault | UnknownCardFault,
    strawberry.union("ReplaceCardOutcome", description="The new card, or why there is none."),
]
ReportCardLostOutcome = Annotated[
    LostCardReport | UnknownCardFault,
    strawberry.union(
        "ReportCardLostOutcome", description="What came of it, or that there is no card."
    ),
]


def _handle(id: str) -> str:
    return key_in(id, "Talent") or id


async def _changed(act: Awaitable[cards.Record]) -> CardRecord | CardStateFault | UnknownCardFault:
    """Return the card that an act leaves, or why it was not done."""
    try:
        return CardRecord.of(await act)
    except errors.CardStateError as error:
        return CardStateFault.of(error)
    except errors.UnknownCardError as error:
        return UnknownCardFault.of(error)


@strawberry.type
class Acts:
    @strawberry.mutation(
        description=(
            "Issue a card to each of these people at once, or to nobody: of the tier of their "
            "class, with a serial drawn at random. Officers."
        ),
        extensions=[officers()],
    )
    async def issue_cards(
        self,
        info: Info,
        input: Annotated[IssueCardsInput, strawberry.argument(description="To whom.")],
    ) -> IssueCardsOutcome | None:
        try:
            issued = await cards.issue(
                info.context, input.handles(), input.valid_until, input.reason
            )
            return CardBatch(cards=[CardRecord.of(one) for one in issued])
        except errors.CardsNotIssuedError as error:
            return CardsNotIssuedFault.of(error)

    @strawberry.mutation(
        description="Let a card not count for now; sent again, it changes nothing. Officers.",
        extensions=[officers()],
    )
    async def suspend_card(
        self,
        info: Info,
        input: Annotated[SuspendCardInput, strawberry.argument(description="Which card, and why.")],
    ) -> ChangeCardOutcome | None:
        return await _changed(cards.suspend(info.context, input.card.wanted(), input.reason))

    @strawberry.mutation(
        description="Let a suspended card count again; sent again, it changes nothing. Officers.",
        extensions=[officers()],
    )
    async def resume_card(
        self,
        info: Info,
        input: Annotated[ResumeCardInput, strawberry.argument(description="Which card, and why.")],
    ) -> ChangeCardOutcome | None:
        return await _changed(cards.resume(info.context, input.card.wanted(), input.reason))

    @strawberry.mutation(
        description="Revoke a card for good; sent again, it changes nothing. Officers.",
        extensions=[officers()],
    )
    async def revoke_card(
        self,
        info: Info,
        input: Annotated[RevokeCardInput, strawberry.argument(description="Which card, and why.")],
    ) -> ChangeCardOutcome | None:
        return await _changed(cards.revoke(info.context, input.card.wanted(), input.reason))

    @strawberry.mutation(
        description="Give a card another last day; sent again, it changes nothing. Officers.",
        extensions=[officers()],
    )
    async def renew_card(
        self,
        info: Info,
        input: Annotated[RenewCardInput, strawberry.argument(description="Which card.")],
    ) -> ChangeCardOutcome | None:
        which, until = input.card.wanted(), input.valid_until
        return await _changed(cards.renew(info.context, which, until, input.reason))

    @strawberry.mutation(
        description=(
            "Issue a card anew under another serial, and revoke the one it takes the place of. "
            "What its holder used stays used; of a lost one, their phones are unlinked. Officers."
        ),
        extensions=[officers()],
    )
    async def replace_card(
        self,
        info: Info,
        input: Annotated[ReplaceCardInput, strawberry.argument(description="Which card, and why.")],
    ) -> ReplaceCardOutcome | None:
        try:
            new, old = await cards.replace(info.context, input.card.wanted(), input.reason)
            return CardReplacement(card=CardRecord.of(new), replaced=CardRecord.of(old))
        except errors.CardStateError as error:
            return CardStateFault.of(error)
        except errors.UnknownCardError as error:
            return UnknownCardFault.of(error)

    @strawberry.mutation(
        description=(
            "Report the card or a phone of the person asking lost: the card is suspended at once. "
            "Sent again, it changes nothing. Holders."
        ),
        extensions=[holders()],
    )
    async def report_card_lost(
        self,
        info: Info,
        input: Annotated[ReportCardLostInput, strawberry.argument(description="What is lost.")],
    ) -> ReportCardLostOutcome | None:
        try:
            found = await cards.lost(info.context, unlink=input.unlink_phones)
            return LostCardReport(status=found.status, phones_unlinked=found.unlinked)
        except errors.UnknownCardError as error:
            return UnknownCardFault.of(error)

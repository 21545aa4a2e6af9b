"""All that may be done: every act names who may do it, and answers with what came of it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated

import strawberry

from models import booking, errors
from resolvers import booking as bookings
from resolvers import decision as decisions
from resolvers import edition
from resolvers import partner as partners
from resolvers.verdict import Given
from schema.booking import (
    Booking,
    BookingStateFault,
    CancelBookingInput,
    CancelBookingOutcome,
    ConfirmBookingInput,
    ConfirmBookingOutcome,
    KeyReusedFault,
    NotBookableFault,
    NotDoneFault,
    NotEligibleFault,
    ReserveOfferInput,
    ReserveOfferOutcome,
    SettleBookingInput,
    SettleBookingOutcome,
    UnknownBookingFault,
)
from schema.decision import (
    Decision,
    DiscardDraftInput,
    DraftChangedFault,
    SaveDraftInput,
    SubmitDraftInput,
    UnknownDecisionFault,
)
from schema.edition import (
    ConflictFault,
    Publication,
    PublishServiceInput,
    PublishServiceOutcome,
    WithdrawServiceInput,
    WithdrawServiceOutcome,
)
from schema.errors import MistakesFault, UnknownCodeFault
from schema.info import Info
from schema.partner import (
    InstallPartnerInput,
    InstallPartnerOutcome,
    PartnerVersion,
    PromotePartnerInput,
    PromotePartnerOutcome,
    RemovePartnerInput,
    RemovePartnerOutcome,
    RollBackPartnerInput,
    RollBackPartnerOutcome,
)
from schema.permissions import admins, holders, officers
from schema.verdict import asked

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


async def _moved(
    act: Awaitable[booking.Booking], info: Info
) -> Booking | BookingStateFault | NotDoneFault | UnknownBookingFault:
    """Return the booking that an act leaves, or why it was not done."""
    try:
        return Booking.of(await act, info)
    except errors.NotDoneError as error:
        return NotDoneFault.of(error, info)
    except errors.BookingStateError as error:
        return BookingStateFault.of(error, info)
    except errors.UnknownBookingError as error:
        return UnknownBookingFault.of(error)


@strawberry.type(description="All that may be done.")
class Mutation:
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

    @strawberry.mutation(
        description=(
            "Ask a partner to keep an offer, once for an idempotency key, however often it is "
            "sent. Holders."
        ),
        extensions=[holders()],
    )
    async def reserve_offer(
        self,
        info: Info,
        input: Annotated[ReserveOfferInput, strawberry.argument(description="Which offer.")],
    ) -> ReserveOfferOutcome | None:
        path = info.path.as_list()
        try:
            return Booking.of(await bookings.reserve(info.context, input.wanted(), path), info)
        except errors.NotDoneError as error:
            return NotDoneFault.of(error, info)
        except errors.NotEligibleError as error:
            return NotEligibleFault.of(error)
        except errors.NotBookableError as error:
            return NotBookableFault.of(error)
        except errors.KeyReusedError as error:
            return KeyReusedFault.of(error)
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

    @strawberry.mutation(
        description="Confirm what is held; confirming it again changes nothing. Holders.",
        extensions=[holders()],
    )
    async def confirm_booking(
        self,
        info: Info,
        input: Annotated[ConfirmBookingInput, strawberry.argument(description="Which booking.")],
    ) -> ConfirmBookingOutcome | None:
        return await _moved(bookings.confirm(info.context, input.id), info)

    @strawberry.mutation(
        description=(
            "Give back what is held or confirmed; cancelling it again changes nothing. Holders."
        ),
        extensions=[holders()],
    )
    async def cancel_booking(
        self,
        info: Info,
        input: Annotated[CancelBookingInput, strawberry.argument(description="Which booking.")],
    ) -> CancelBookingOutcome | None:
        return await _moved(bookings.cancel(info.context, input.id), info)

    @strawberry.mutation(
        description=(
            "Ask the partner how a booking stands of which that is not known; nothing else is "
            "done. Holders."
        ),
        extensions=[holders()],
    )
    async def settle_booking(
        self,
        info: Info,
        input: Annotated[SettleBookingInput, strawberry.argument(description="Which booking.")],
    ) -> SettleBookingOutcome | None:
        try:
            return Booking.of(await bookings.settle(info.context, input.id), info)
        except errors.UnknownBookingError as error:
            return UnknownBookingFault.of(error)

    @strawberry.mutation(
        description=(
            "Publish the menu with this service in it, new or otherwise than it was. All of it is "
            "checked; every hub has it within a second. Sent again, it changes nothing. Officers."
        ),
        extensions=[officers()],
    )
    async def publish_service(
        self,
        info: Info,
        input: Annotated[PublishServiceInput, strawberry.argument(description="The service.")],
    ) -> PublishServiceOutcome | None:
        try:
            return Publication.of(
                await edition.publish(info.context, input.code, input.text, input.expected_revision)
            )
        except errors.MistakesError as error:
            return MistakesFault.of(error)
        except errors.ConflictError as error:
            return ConflictFault.of(error)

    @strawberry.mutation(
        description=(
            "Publish the menu without this service; refused while another requires it or a "
            "journey names it. Officers."
        ),
        extensions=[officers()],
    )
    async def withdraw_service(
        self,
        info: Info,
        input: Annotated[WithdrawServiceInput, strawberry.argument(description="Which service.")],
    ) -> WithdrawServiceOutcome | None:
        try:
            return Publication.of(
                await edition.withdraw(info.context, input.code, input.expected_revision)
            )
        except errors.MistakesError as error:
            return MistakesFault.of(error)
        except errors.ConflictError as error:
            return ConflictFault.of(error)
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

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

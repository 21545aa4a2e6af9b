"""Bookings: what a person has a partner keep for them, and what is done about it."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated

import strawberry

from eligibility.verdict import Outcome
from models import booking as rows
from models import errors
from models.offer import Capability
from resolvers import booking as bookings
from schema import scalars
from schema.errors import Fault, UnknownCodeFault
from schema.info import Info
from schema.menu import Partner, PartnerProblem
from schema.permissions import holders

scalars.describe(
    rows.State,
    "How far a booking is.",
    {
        "RESERVING": "The partner is being asked for it.",
        "HELD": "The partner keeps it until `expiresAt`; it is to be confirmed.",
        "CONFIRMING": "The partner is being told that it is wanted for good.",
        "CONFIRMED": "It is booked.",
        "CANCELLING": "It is being given back.",
        "CANCELLED": "It was given back.",
        "REFUSED": "The partner did not keep it; `problem` says why.",
        "EXPIRED": "It was held and not confirmed in time.",
        "UNCERTAIN": "The partner's answer did not come: `settleBooking` asks how it stands.",
    },
    name="BookingState",
)


@strawberry.type(description="An offer that a partner was asked to keep for the person asking.")
class Booking:
    id: strawberry.ID = strawberry.field(description="Its id; nobody can guess it.")
    service: str = strawberry.field(description="The service, by code.")
    partner_code: str = strawberry.field(description="The partner's code.")
    capability: Capability = strawberry.field(description="What sort of offer it is.")
    offer: strawberry.ID = strawberry.field(description="The offer's id, within its partner.")
    title: str = strawberry.field(description="What was offered, in the partner's own words.")
    starts_at: datetime | None = strawberry.field(description="When it begins, if that was said.")
    units: int = strawberry.field(description="How many of it.")
    state: rows.State = strawberry.field(description="How far it is.")
    reference: str | None = strawberry.field(description="The partner's own name for it.")
    expires_at: datetime | None = strawberry.field(
        description="When the partner stops keeping it unless it is confirmed."
    )
    asked_at: datetime = strawberry.field(description="When the person asked for it.")
    problem: PartnerProblem | None = strawberry.field(
        description="Why the last act about it was not done, or is not known to be."
    )
    retry_after: datetime | None = strawberry.field(
        description="When to ask again; null where that would be pointless or nothing failed."
    )

    @classmethod
    def of(cls, row: rows.Booking, info: Info) -> Booking:
        problem = row.problem
        return cls(
            id=strawberry.ID(row.handle),
            service=row.service,
            partner_code=row.partner,
            capability=row.capability,
            offer=strawberry.ID(row.offer),
            title=row.title,
            starts_at=row.starts_at,
            units=row.units,
            state=row.state_at(info.context.now),
            reference=row.reference,
            expires_at=row.expires_at,
            asked_at=row.asked_at,
            problem=PartnerProblem(
                code=problem,
                partner=row.partner,
                message=row.sentence or "",
                retry_after=row.retry_at,
            )
            if problem
            else None,
            retry_after=row.retry_at,
        )

    @strawberry.field(description="The partner; null while its file is set aside.")
    def partner(self, info: Info) -> Partner | None:
        row = info.context.registry.partners.get(self.partner_code)
        return Partner.of(row, info) if row else None


@strawberry.type(description="The verdict on the service does not allow it to be booked.")
class NotEligibleFault(Fault):
    outcome: Outcome = strawberry.field(description="The verdict's outcome.")

    @classmethod
    def of(cls, error: errors.NotEligibleError) -> NotEligibleFault:
        return cls(
            code=error.code,
            message=error.sentence,
            hint=error.hint,
            outcome=Outcome(error.outcome),
        )


@strawberry.type(description="There is no such offer of this partner for this service to book.")
class NotBookableFault(Fault):
    problem: PartnerProblem | None = strawberry.field(
        description="Why the partner could not say what it offers; null where it did."
    )
    retry_after: datetime | None = strawberry.field(
        description="When to ask again; null where that would be pointless."
    )

    @classmethod
    def of(cls, error: errors.NotBookableError) -> NotBookableFault:
        failure = error.failure
        return cls(
            code=error.code,
            message=error.sentence,
            hint=error.hint,
            problem=PartnerProblem(
                code=failure.code,
                partner=error.partner,
                message=failure.sentence,
                retry_after=error.retry_at,
            )
            if failure
            else None,
            retry_after=error.retry_at,
        )


@strawberry.type(description="The idempotency key stands for something else that was asked.")
class KeyReusedFault(Fault):
    @classmethod
    def of(cls, error: errors.KeyReusedError) -> KeyReusedFault:
        return cls(code=error.code, message=error.sentence, hint=error.hint)


@strawberry.type(description="The viewer has no booking with this id.")
class UnknownBookingFault(Fault):
    @classmethod
    def of(cls, error: errors.UnknownBookingError) -> UnknownBookingFault:
        return cls(code=error.code, message=error.sentence, hint=error.hint)


@strawberry.type(description="This cannot be done to a booking in the state that it is in.")
class BookingStateFault(Fault):
    booking: Booking = strawberry.field(description="The booking as it is.")

    @classmethod
    def of(cls, error: errors.BookingStateError[rows.Booking], info: Info) -> BookingStateFault:
        found = Booking.of(error.booking, info)
        return cls(code=error.code, message=error.sentence, hint=error.hint, booking=found)


@strawberry.type(description="The partner did not do it, surely; `code` is one of the partners'.")
class NotDoneFault(Fault):
    booking: Booking = strawberry.field(description="The booking as it is, with its problem.")

    @classmethod
    def of(cls, error: errors.NotDoneError[rows.Booking], info: Info) -> NotDoneFault:
        found = Booking.of(error.booking, info)
        return cls(code=error.code, message=error.sentence, hint=error.hint or None, booking=found)


@strawberry.input(description="An offer to be booked.")
class ReserveOfferInput:
    service: str = strawberry.field(description="The service it is offered for, by code.")
    partner: str = strawberry.field(description="The partner that offers it, by code.")
    offer: strawberry.ID = strawberry.field(description="The offer's id.")
    units: int = strawberry.field(
        default=1, description=f"How many of it: 1 to {bookings.MOST_UNITS}."
    )
    idempotency_key: str = strawberry.field(
        description=(
            "Made by the front end for this booking, and the same however often it is sent: "
            f"1 to {bookings.LONGEST_KEY} printable ASCII characters, such as a UUID."
        )
    )

    def wanted(self) -> bookings.Wanted:
        return bookings.Wanted(
            service=self.service,
            partner=self.partner,
            offer=self.offer,
            units=self.units,
            idempotency_key=self.idempotency_key,
        )


@strawberry.input(description="A booking to be confirmed.")
class ConfirmBookingInput:
    id: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.input(description="A booking to be given back.")
class CancelBookingInput:
    id: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.input(description="A booking of which nobody knows how it stands.")
class SettleBookingInput:
    id: strawberry.ID = strawberry.field(description="Its id.")


ReserveOfferOutcome = Annotated[
    Booking
    | NotEligibleFault
    | NotBookableFault
    | KeyReusedFault
    | NotDoneFault
    | UnknownCodeFault,
    strawberry.union("ReserveOfferOutcome", description="The booking, or why there is none."),
]
ConfirmBookingOutcome = Annotated[
    Booking | BookingStateFault | NotDoneFault | UnknownBookingFault,
    strawberry.union(
        "ConfirmBookingOutcome", description="The booking, or why it was not confirmed."
    ),
]
CancelBookingOutcome = Annotated[
    Booking | BookingStateFault | NotDoneFault | UnknownBookingFault,
    strawberry.union(
        "CancelBookingOutcome", description="The booking, or why it was not given back."
    ),
]
SettleBookingOutcome = Annotated[
    Booking | UnknownBookingFault,
    strawberry.union("SettleBookingOutcome", description="The booking, or that there is none."),
]


async def _moved(
    act: Awaitable[rows.Booking], info: Info
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


@strawberry.type
class Acts:
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

"""All that may be done: every act names who may do it, and answers with what came of it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated

import strawberry

from models import booking, errors
from models.card import Use
from resolvers import booking as bookings
from resolvers import card as cards
from resolvers import challenge as challenges
from resolvers import confirmation as confirmations
from resolvers import consent as consents
from resolvers import credential as credentials
from resolvers import decision as decisions
from resolvers import device as devices
from resolvers import edition, enrolment, issuer
from resolvers import partner as partners
from resolvers import presentation as presentations
from resolvers import verification as checks
from resolvers import webhook as webhooks
from resolvers.verdict import Given
from schema.access import (
    AnswerPromptInput,
    AnswerPromptOutcome,
    AssistVerificationInput,
    AssistVerificationOutcome,
    PromptAnswer,
    UnknownPromptFault,
)
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
from schema.card import (
    CardBatch,
    CardRecord,
    CardReplacement,
    CardsNotIssuedFault,
    CardStateFault,
    ChangeCardOutcome,
    IssueCardsInput,
    IssueCardsOutcome,
    LostCardReport,
    RenewCardInput,
    ReplaceCardInput,
    ReplaceCardOutcome,
    ReportCardLostInput,
    ReportCardLostOutcome,
    ResumeCardInput,
    RevokeCardInput,
    SuspendCardInput,
    UnknownCardFault,
    changed,
)
from schema.consent import (
    Consent,
    ConsentGiven,
    ConsentTextFault,
    GiveConsentInput,
    GiveConsentOutcome,
    NotServedFault,
    UnknownConsentFault,
    WithdrawConsentInput,
    WithdrawConsentOutcome,
)
from schema.decision import (
    Decision,
    DiscardDraftInput,
    DraftChangedFault,
    SaveDraftInput,
    SubmitDraftInput,
    UnknownDecisionFault,
)
from schema.device import (
    CredentialBatch,
    Device,
    IssueCredentialsInput,
    IssueCredentialsOutcome,
    IssuePassInput,
    IssuePassOutcome,
    LinkDeviceInput,
    LinkDeviceOutcome,
    OfflinePass,
    UnknownDeviceFault,
    UnlinkDeviceInput,
    UnlinkDeviceOutcome,
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
from schema.issuer import (
    AgreementFault,
    TrustedIssuer,
    TrustIssuerInput,
    TrustIssuerOutcome,
    UntrustIssuerInput,
    UntrustIssuerOutcome,
)
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
from schema.permissions import admins, holders, officers, verifiers
from schema.presentation import (
    LiveCode,
    NoLiveCardFault,
    PresentCardInput,
    PresentCardOutcome,
    TooOftenFault,
)
from schema.verdict import asked
from schema.verification import (
    Challenge,
    ConfirmRedemptionInput,
    ConfirmRedemptionOutcome,
    ReleaseRedemptionInput,
    ReleaseRedemptionOutcome,
    VerifyCardInput,
    VerifyCardOutcome,
    outcomes,
    settled,
    verified,
)
from schema.verifier import (
    AddedVerifierKey,
    AddVerifierKeyInput,
    AddVerifierKeyOutcome,
    BadKeyFault,
    ChangeVerifierInput,
    ChangeVerifierOutcome,
    CodeTakenFault,
    EndVerifierKeyInput,
    EndVerifierKeyOutcome,
    NotGrantableFault,
    RegisterVerifierInput,
    RegisterVerifierOutcome,
    ResumeVerifierInput,
    ResumeVerifierOutcome,
    RotateVerifierKeyInput,
    RotateVerifierKeyOutcome,
    SuspendVerifierInput,
    SuspendVerifierOutcome,
    TooManyKeysFault,
    Verifier,
    VerifierKey,
)
from schema.webhook import (
    ChangeWebhookOutcome,
    EndWebhookInput,
    RegisterWebhookInput,
    RegisterWebhookOutcome,
    ReplayWebhookInput,
    RotateWebhookSecretInput,
    RotateWebhookSecretOutcome,
    UnknownWebhookFault,
    Webhook,
    WebhookRefusedFault,
    WebhookSecret,
)

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


#: Why a phone is not issued what it is to show by itself.
_NOT_ISSUED = (errors.NoLiveCardError, errors.TooOftenError, errors.UnknownDeviceError)


def _not_issued(
    error: errors.NoLiveCardError | errors.TooOftenError | errors.UnknownDeviceError, info: Info
) -> NoLiveCardFault | TooOftenFault | UnknownDeviceFault:
    if isinstance(error, errors.NoLiveCardError):
        return NoLiveCardFault.of(error)
    if isinstance(error, errors.TooOftenError):
        return TooOftenFault.of(error, info)
    return UnknownDeviceFault.of(error)


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
            "Check one card for one service, now. Everything that comes of it is an answer; errors "
            "are for bugs, and for requests that show no key. Partners."
        ),
        extensions=[verifiers()],
    )
    async def verify_card(
        self,
        info: Info,
        input: Annotated[VerifyCardInput, strawberry.argument(description="The check.")],
    ) -> VerifyCardOutcome | None:
        return await verified(info, input.asked())

    @strawberry.mutation(
        description=(
            "Check at most 100 cards, each on its own: answers stand in the order of the inputs, "
            "and each counts once against the limits. Partners."
        ),
        extensions=[verifiers()],
    )
    async def verify_cards(
        self,
        info: Info,
        inputs: Annotated[
            list[VerifyCardInput], strawberry.argument(description="The checks, in their order.")
        ],
    ) -> list[VerifyCardOutcome] | None:
        asked = [one.asked() for one in inputs]
        return outcomes(await checks.verify_all(info.context, asked), info)

    @strawberry.mutation(
        description="Make a nonce for one presentation of a portable credential. Partners.",
        extensions=[verifiers()],
    )
    async def create_challenge(
        self,
        info: Info,
        service_code: Annotated[
            strawberry.ID, strawberry.argument(description="The service that it is for, by code.")
        ],
    ) -> Challenge | None:
        return Challenge.of(await challenges.create(info.context, service_code))

    @strawberry.mutation(
        description=(
            "Hand in at most 100 offline passes that were accepted, as they were read: each gets "
            "a receipt and is counted as of when it was shown; what was not to be accepted comes "
            "back as an answer. Partners."
        ),
        extensions=[verifiers()],
    )
    async def report_offline_acceptances(
        self,
        info: Info,
        passes: Annotated[
            list[str], strawberry.argument(description="What the scanner read, in order.")
        ],
        service_code: Annotated[
            strawberry.ID, strawberry.argument(description="The service it was for, by code.")
        ],
        idempotency_key: Annotated[
            str, strawberry.argument(description="Names this report; sent again, it is the same.")
        ],
    ) -> list[VerifyCardOutcome] | None:
        found = await checks.report(info.context, passes, service_code, idempotency_key)
        return outcomes(found, info)

    @strawberry.mutation(
        description="Use what a check holds; again, it changes nothing. Partners.",
        extensions=[verifiers()],
    )
    async def confirm_redemption(
        self,
        info: Info,
        input: Annotated[ConfirmRedemptionInput, strawberry.argument(description="Which hold.")],
    ) -> ConfirmRedemptionOutcome | None:
        return await settled(info, input.id, Use.USED)

    @strawberry.mutation(
        description="Give back what a check holds; again, it changes nothing. Partners.",
        extensions=[verifiers()],
    )
    async def release_redemption(
        self,
        info: Info,
        input: Annotated[ReleaseRedemptionInput, strawberry.argument(description="Which hold.")],
    ) -> ReleaseRedemptionOutcome | None:
        return await settled(info, input.id, Use.RELEASED)

    @strawberry.mutation(
        description=(
            "Mint a live code of the viewer's card for one partner and service: scanned once, "
            "within a minute. It discloses what is agreed to and no more. Holders."
        ),
        extensions=[holders()],
    )
    async def present_card(
        self,
        info: Info,
        input: Annotated[
            PresentCardInput, strawberry.argument(description="What is shown, and to whom.")
        ],
    ) -> PresentCardOutcome | None:
        try:
            return LiveCode.of(await presentations.present(info.context, input.shown()), info)
        except errors.NoLiveCardError as error:
            return NoLiveCardFault.of(error)
        except errors.TooOftenError as error:
            return TooOftenFault.of(error, info)
        except errors.NotServedError as error:
            return NotServedFault.of(error)
        except errors.ConsentTextError as error:
            return ConsentTextFault.of(error, info)
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

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

    @strawberry.mutation(
        description="Link a phone, so that it can show the card without a network. Holders.",
        extensions=[holders()],
    )
    async def link_device(
        self,
        info: Info,
        input: Annotated[LinkDeviceInput, strawberry.argument(description="The phone.")],
    ) -> LinkDeviceOutcome | None:
        point = input.public_key.point() if input.public_key else None
        try:
            return Device.of(await devices.link(info.context, input.name, point))
        except errors.NoLiveCardError as error:
            return NoLiveCardFault.of(error)

    @strawberry.mutation(
        description=(
            "Unlink a phone: none of its codes, passes and credentials counts from now on. "
            "Unlinked again, it stays so. Holders."
        ),
        extensions=[holders()],
    )
    async def unlink_device(
        self,
        info: Info,
        input: Annotated[UnlinkDeviceInput, strawberry.argument(description="Which phone.")],
    ) -> UnlinkDeviceOutcome | None:
        try:
            return Device.of(await devices.unlink(info.context, input.id))
        except errors.UnknownDeviceError as error:
            return UnknownDeviceFault.of(error)

    @strawberry.mutation(
        description=(
            "Issue an offline pass for one partner to a linked phone, for 7 days at most. Holders."
        ),
        extensions=[holders()],
    )
    async def issue_pass(
        self,
        info: Info,
        input: Annotated[IssuePassInput, strawberry.argument(description="The pass.")],
    ) -> IssuePassOutcome | None:
        try:
            return OfflinePass.of(await credentials.give_pass(info.context, input.wanted()), info)
        except errors.ConsentTextError as error:
            return ConsentTextFault.of(error, info)
        except errors.NotServedError as error:
            return NotServedFault.of(error)
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)
        except _NOT_ISSUED as error:
            return _not_issued(error, info)

    @strawberry.mutation(
        description=(
            "Issue at most 10 portable credentials of the viewer's card (SD-JWT VC), each for a "
            "key of its own and with a place of its own in a status list, for 90 days. Holders."
        ),
        extensions=[holders()],
    )
    async def issue_credentials(
        self,
        info: Info,
        input: Annotated[IssueCredentialsInput, strawberry.argument(description="For which keys.")],
    ) -> IssueCredentialsOutcome | None:
        points = [one.point() for one in input.public_keys]
        try:
            return CredentialBatch.of(
                await credentials.give_cards(info.context, points, input.device)
            )
        except _NOT_ISSUED as error:
            return _not_issued(error, info)

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
        return await changed(cards.suspend(info.context, input.card.wanted(), input.reason))

    @strawberry.mutation(
        description="Let a suspended card count again; sent again, it changes nothing. Officers.",
        extensions=[officers()],
    )
    async def resume_card(
        self,
        info: Info,
        input: Annotated[ResumeCardInput, strawberry.argument(description="Which card, and why.")],
    ) -> ChangeCardOutcome | None:
        return await changed(cards.resume(info.context, input.card.wanted(), input.reason))

    @strawberry.mutation(
        description="Revoke a card for good; sent again, it changes nothing. Officers.",
        extensions=[officers()],
    )
    async def revoke_card(
        self,
        info: Info,
        input: Annotated[RevokeCardInput, strawberry.argument(description="Which card, and why.")],
    ) -> ChangeCardOutcome | None:
        return await changed(cards.revoke(info.context, input.card.wanted(), input.reason))

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
        return await changed(cards.renew(info.context, which, until, input.reason))

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

    @strawberry.mutation(
        description="Register a partner that checks cards; it has no key yet. Admins.",
        extensions=[admins()],
    )
    async def register_verifier(
        self,
        info: Info,
        input: Annotated[RegisterVerifierInput, strawberry.argument(description="The partner.")],
    ) -> RegisterVerifierOutcome | None:
        context = info.context
        try:
            return Verifier.of(
                await enrolment.register(
                    context.authority.verifiers,
                    input.wanted(),
                    context.catalogue.services,
                    context.now,
                )
            )
        except errors.CodeTakenError as error:
            return CodeTakenFault.of(error)
        except errors.NotGrantableError as error:
            return NotGrantableFault.of(error)
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

    @strawberry.mutation(
        description="Change what a verifier may do, or how it is called. Admins.",
        extensions=[admins()],
    )
    async def change_verifier(
        self,
        info: Info,
        input: Annotated[
            ChangeVerifierInput, strawberry.argument(description="What is otherwise.")
        ],
    ) -> ChangeVerifierOutcome | None:
        context = info.context
        try:
            return Verifier.of(
                await enrolment.change(
                    context.authority.verifiers,
                    input.code,
                    input.wanted(),
                    context.catalogue.services,
                )
            )
        except errors.NotGrantableError as error:
            return NotGrantableFault.of(error)
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

    @strawberry.mutation(
        description=(
            "Give a verifier a key; of a sort and a world, at most two count. An API key is made "
            "here and told once. Admins."
        ),
        extensions=[admins()],
    )
    async def add_verifier_key(
        self,
        info: Info,
        input: Annotated[AddVerifierKeyInput, strawberry.argument(description="The key.")],
    ) -> AddVerifierKeyOutcome | None:
        context = info.context
        try:
            return AddedVerifierKey.of(
                *await enrolment.add_key(
                    context.authority.verifiers, input.code, input.wanted(), context.now
                )
            )
        except errors.BadKeyError as error:
            return BadKeyFault.of(error)
        except errors.TooManyKeysError as error:
            return TooManyKeysFault.of(error)
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

    @strawberry.mutation(
        description="End a key of a verifier, for good. Admins.", extensions=[admins()]
    )
    async def end_verifier_key(
        self,
        info: Info,
        input: Annotated[EndVerifierKeyInput, strawberry.argument(description="Which key.")],
    ) -> EndVerifierKeyOutcome | None:
        context = info.context
        try:
            return VerifierKey.of(
                await enrolment.end_key(
                    context.authority.verifiers, input.code, input.name, context.now
                )
            )
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

    @strawberry.mutation(
        description="Hear a verifier no more, in any process, from a second on. Admins.",
        extensions=[admins()],
    )
    async def suspend_verifier(
        self,
        info: Info,
        input: Annotated[SuspendVerifierInput, strawberry.argument(description="Which verifier.")],
    ) -> SuspendVerifierOutcome | None:
        context = info.context
        try:
            return Verifier.of(
                await enrolment.suspend(context.authority.verifiers, input.code, context.now)
            )
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

    @strawberry.mutation(
        description="Hear a verifier again, by the keys it had. Admins.", extensions=[admins()]
    )
    async def resume_verifier(
        self,
        info: Info,
        input: Annotated[ResumeVerifierInput, strawberry.argument(description="Which verifier.")],
    ) -> ResumeVerifierOutcome | None:
        try:
            return Verifier.of(await enrolment.resume(info.context.authority.verifiers, input.code))
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

    @strawberry.mutation(
        description="Bring a new key, signed by one in force and by itself. Verifiers.",
        extensions=[verifiers()],
    )
    async def rotate_verifier_key(
        self,
        info: Info,
        input: Annotated[RotateVerifierKeyInput, strawberry.argument(description="The new key.")],
    ) -> RotateVerifierKeyOutcome | None:
        context = info.context
        try:
            return AddedVerifierKey.of(
                await enrolment.rotate(
                    context.authority,
                    context.viewer.asking(),
                    input.current,
                    input.following,
                    end=input.end_current,
                )
            )
        except errors.BadKeyError as error:
            return BadKeyFault.of(error)
        except errors.TooManyKeysError as error:
            return TooManyKeysFault.of(error)

    @strawberry.mutation(
        description=(
            "Have changes of cards that the verifier had accepted sent to an address from now on, "
            "signed as Standard Webhooks has it. Verifiers."
        ),
        extensions=[verifiers()],
    )
    async def register_webhook(
        self,
        info: Info,
        input: Annotated[RegisterWebhookInput, strawberry.argument(description="Where.")],
    ) -> RegisterWebhookOutcome | None:
        try:
            return WebhookSecret.of(await webhooks.register(info.context, input.url))
        except errors.WebhookRefusedError as error:
            return WebhookRefusedFault.of(error)

    @strawberry.mutation(
        description=(
            "Give a webhook a new secret; for 24 hours its messages are signed with both. "
            "Verifiers."
        ),
        extensions=[verifiers()],
    )
    async def rotate_webhook_secret(
        self,
        info: Info,
        input: Annotated[RotateWebhookSecretInput, strawberry.argument(description="Which.")],
    ) -> RotateWebhookSecretOutcome | None:
        try:
            return WebhookSecret.of(await webhooks.rotate(info.context, input.id))
        except errors.UnknownWebhookError as error:
            return UnknownWebhookFault.of(error)

    @strawberry.mutation(
        description="Send nothing to a webhook any more. Verifiers.", extensions=[verifiers()]
    )
    async def end_webhook(
        self,
        info: Info,
        input: Annotated[EndWebhookInput, strawberry.argument(description="Which.")],
    ) -> ChangeWebhookOutcome | None:
        try:
            return Webhook.of(await webhooks.end(info.context, input.id))
        except errors.UnknownWebhookError as error:
            return UnknownWebhookFault.of(error)

    @strawberry.mutation(
        description="Send a webhook anew what came after a cursor of `cardChanges`. Verifiers.",
        extensions=[verifiers()],
    )
    async def replay_webhook(
        self,
        info: Info,
        input: Annotated[ReplayWebhookInput, strawberry.argument(description="From where.")],
    ) -> ChangeWebhookOutcome | None:
        try:
            return Webhook.of(await webhooks.replay(info.context, input.id, input.after))
        except errors.UnknownWebhookError as error:
            return UnknownWebhookFault.of(error)

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
            agreement = issuer.agreed(input.said(), services, own)
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

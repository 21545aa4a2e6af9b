"""Verifications: cards are checked by those who accept them, who learn that and no more.

One answer is a union of seven types: what a partner may not learn has no field to ask for. Fields
of these types are of one type wherever they stand, so that one operation may select them all.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any

import strawberry

from models import card, errors, verification
from models.answer import (
    CodeProblem,
    EntitlementProblem,
    Fix,
    Recognition,
    Refusal,
)
from models.card import Use
from models.verification import Category, Evidence, Outcome
from resolvers import challenge as challenges
from resolvers import verification as checks
from resolvers.admission import Asked
from resolvers.filing import Checked
from resolvers.judgement import Dependant as Child
from resolvers.judgement import Disclosed
from resolvers.presented import Portable
from schema import scalars
from schema.errors import Fault
from schema.info import Info
from schema.permissions import verifiers
from schema.receipt import Receipt

scalars.describe(
    Evidence,
    "By what a card was shown.",
    {
        "LIVE_CODE": "A live code: random, minted for one partner and service, good for 60 s.",
        "FALLBACK_CODE": "A code that the phone made by itself, without a network.",
        "OFFLINE_PASS": "A pass signed for one partner, shown with the device's signature.",
        "SD_JWT_VC": "A portable credential, shown with the holder's signature.",
        "SERIAL_CONFIRMED": "The printed serial, and the holder said yes.",
    },
)
scalars.describe(
    Recognition,
    "By whom a card was issued.",
    {"LOCAL": "By this district.", "RECIPROCAL": "By another, with which there is an agreement."},
)
scalars.describe(
    Fix,
    "What whoever checks a card may do about an answer.",
    {
        "ASK_HOLDER_TO_REFRESH": "Ask the holder for a new code.",
        "ASK_HOLDER_TO_CHOOSE_YOU": "Ask the holder for a code for you and this service.",
        "CALL_SERVICE_DESK": "Have the holder turn to the talent service desk.",
        "RETRY_LATER": "Try again later.",
    },
    name="PartnerFix",
)
scalars.describe(
    CodeProblem,
    "Why a genuine code is of no use.",
    {
        "STALE": "Its time is over.",
        "ALREADY_USED": "It was used: each is good once.",
        "FOR_ANOTHER_PARTNER": "The holder had it made for somebody else.",
        "FOR_ANOTHER_SERVICE": "The holder had it made for another service.",
    },
)
scalars.describe(
    EntitlementProblem,
    "Why a good card does not open a service.",
    {
        "NOT_IN_TIER": "The service is not part of it.",
        "QUOTA_USED": "Nothing is left in this period.",
        "NOT_RECOGNISED_HERE": "It is another district's, and not recognised for this service.",
        "OUTSIDE_DATES": "The service is not offered today.",
    },
)
scalars.describe(
    Refusal,
    "Why nothing was looked up.",
    {
        "SCOPE_MISSING": "This key may not ask this.",
        "SERVICE_NOT_YOURS": "This partner does not serve this service.",
        "RATE_LIMITED": "Too often: try again after `retryAfterSeconds`.",
        "MALFORMED": "What was sent is no code, serial or key of ours, or contradicts itself.",
        "TOO_LARGE": "What was sent is longer than anything of ours.",
        "IDEMPOTENCY_CONFLICT": "Something else was asked under this key before.",
    },
    name="RefusalReason",
)
scalars.describe(
    Use,
    "How far a redemption is.",
    {
        "HELD": "The units are kept until it is confirmed, released or runs out.",
        "USED": "The units are used.",
        "RELEASED": "The units were given back.",
    },
    name="RedemptionState",
)


@strawberry.enum(description="The tier of a card, in the letters of the work permit.")
class CardTier(enum.Enum):
    A = strawberry.enum_value("A", description="The highest.")
    B = strawberry.enum_value("B", description="The middle one.")
    C = strawberry.enum_value("C", description="The third.")


# ── what is asked ────────────────────────────────────────────────────────────────────────────


@strawberry.input(description="A portable credential as its holder shows it.")
class SdJwtPresentation:
    token: str = strawberry.field(
        description="The SD-JWT with its disclosures and the holder's signature (`kb+jwt`)."
    )
    nonce: str = strawberry.field(description="The nonce that `createChallenge` gave.")


@strawberry.input(one_of=True, description="Exactly one way of naming the card.")
class PresentedCard:
    code: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="What the scanner read: a live code, a fallback code or an offline pass.",
    )
    sd_jwt_vc: SdJwtPresentation | None = strawberry.field(
        default=strawberry.UNSET, description="A portable credential."
    )
    serial: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The printed serial. Never enough alone: the holder is asked.",
    )


@strawberry.input(description="One check of one card, for one service.")
class VerifyCardInput:
    presented: PresentedCard = strawberry.field(description="What was shown.")
    service_code: strawberry.ID = strawberry.field(
        description="The service of the menu that the check is for, by code: its purpose."
    )
    terminal: str | None = strawberry.field(
        default=None, description="Counter, door or till, as the partner names it."
    )
    idempotency_key: str = strawberry.field(
        description=(
            "The same key with the same input gives the same answer and receipt, for 24 hours at "
            "least; with another input, a refusal."
        )
    )
    redeem: bool = strawberry.field(
        default=False,
        description="Also use one unit of the entitlement, in the same transaction.",
    )
    hold: bool = strawberry.field(
        default=False,
        description="Also hold one unit for 15 minutes, until it is confirmed or released.",
    )

    def asked(self) -> Asked:
        shown = self.presented
        portable = shown.sd_jwt_vc or None
        return Asked(
            service=self.service_code,
            idempotency_key=self.idempotency_key,
            code=shown.code if isinstance(shown.code, str) else None,
            portable=Portable(portable.token, portable.nonce) if portable else None,
            serial=shown.serial if isinstance(shown.serial, str) else None,
            terminal=self.terminal,
            redeems=self.redeem,
            holds=self.hold,
        )


# ── what is answered ─────────────────────────────────────────────────────────────────────────


@strawberry.type(description="Who issued a card.")
class Issuer:
    id: strawberry.ID = strawberry.field(description="The issuer's address.")
    district: str = strawberry.field(description="The code of the district.")


@strawberry.type(description="What a card opens of a service, and how much of it is left.")
class Entitlement:
    service_code: strawberry.ID = strawberry.field(description="The service, by code.")
    units_left: int | None = strawberry.field(
        description="Units left in this period, after this check; null where there is no limit."
    )
    resets_at: datetime | None = strawberry.field(
        description="When the units are whole again; null where there is no limit."
    )
    redemption: strawberry.ID | None = strawberry.field(
        description="What was used or is held by this check, by id; null where nothing was."
    )

    @classmethod
    def of(cls, checked: Checked, service: str) -> Entitlement:
        answer = checked.answer
        return cls(
            service_code=strawberry.ID(service),
            units_left=answer.units_left,
            resets_at=answer.resets_at,
            redemption=strawberry.ID(answer.redemption) if answer.redemption else None,
        )


@strawberry.type(description="Nothing is told but that the card is good.")
class NothingDisclosed:
    policy: strawberry.ID = strawberry.field(description="The policy by which this is told.")


@strawberry.type(description="What a cinema or a sports hall learns.")
class TierDisclosure:
    policy: strawberry.ID = strawberry.field(description="The policy by which this is told.")
    tier: CardTier = strawberry.field(description="The tier of the card.")


@strawberry.type(description="What a hospital learns, on the holder's consent.")
class PatientDisclosure:
    policy: strawberry.ID = strawberry.field(description="The policy by which this is told.")
    consent: strawberry.ID = strawberry.field(description="The consent on which it is told.")
    tier: CardTier = strawberry.field(description="The tier of the card.")
    legal_name: str = strawberry.field(description="The holder's name.")
    birth_date: date | None = strawberry.field(
        description="The holder's birth date; null where the hub does not know it."
    )


@strawberry.type(description="What a bank learns, on the holder's consent.")
class IdentityDisclosure:
    policy: strawberry.ID = strawberry.field(description="The policy by which this is told.")
    consent: strawberry.ID = strawberry.field(description="The consent on which it is told.")
    tier: CardTier = strawberry.field(description="The tier of the card.")
    legal_name: str = strawberry.field(description="The holder's name.")


@strawberry.type(description="What a housing office learns, on the holder's consent.")
class TenantDisclosure:
    policy: strawberry.ID = strawberry.field(description="The policy by which this is told.")
    consent: strawberry.ID = strawberry.field(description="The consent on which it is told.")
    tier: CardTier = strawberry.field(description="The tier of the card.")
    legal_name: str = strawberry.field(description="The holder's name.")
    employer: str | None = strawberry.field(
        description="Where the holder works; null where the hub knows of no post."
    )


@strawberry.type(description="A child, of whom a school learns on the guardian's consent.")
class Dependant:
    id: strawberry.ID = strawberry.field(
        description="The child, by a name that this partner alone has for it."
    )
    legal_name: str = strawberry.field(description="The child's name.")
    birth_date: date | None = strawberry.field(
        description="The child's birth date; null where the hub does not know it."
    )
    relation: str = strawberry.field(description="What the child is to the holder.")
    guardian_consent: strawberry.ID = strawberry.field(
        description="The guardian's consent for this child."
    )

    @classmethod
    def of(cls, child: Child, verifier: str, info: Info) -> Dependant:
        name = info.context.pseudonyms.of(verifier, f"member {child.member}")
        return cls(
            id=strawberry.ID(name),
            legal_name=child.name,
            birth_date=child.birth_date,
            relation=child.relation,
            guardian_consent=strawberry.ID(child.consent),
        )


@strawberry.type(description="What a school learns, on the guardian's consent for each child.")
class GuardianDisclosure:
    policy: strawberry.ID = strawberry.field(description="The policy by which this is told.")
    consent: strawberry.ID = strawberry.field(description="The consent on which it is told.")
    legal_name: str = strawberry.field(description="The guardian's name.")
    dependants: list[Dependant] = strawberry.field(description="The children agreed to.")


Disclosure = Annotated[
    NothingDisclosed
    | TierDisclosure
    | PatientDisclosure
    | IdentityDisclosure
    | TenantDisclosure
    | GuardianDisclosure,
    strawberry.union(
        "Disclosure",
        description=(
            "What is told of the holder: one type for each policy, so that what a kind of partner "
            "may not learn has no field to ask for."
        ),
    ),
]


def _disclosure(found: Disclosed, verifier: str, info: Info) -> Disclosure:
    policy = strawberry.ID(found.policy)
    kind = found.policy.rpartition("-")[0]
    if kind == "tier":
        return TierDisclosure(policy=policy, tier=CardTier(found.tier))
    if found.consent is None or found.name is None:
        return NothingDisclosed(policy=policy)
    consent = strawberry.ID(found.consent)
    if kind == "guardian":
        children = [Dependant.of(one, verifier, info) for one in found.dependants]
        return GuardianDisclosure(
            policy=policy, consent=consent, legal_name=found.name, dependants=children
        )
    tier = CardTier(found.tier)
    if kind == "patient":
        return PatientDisclosure(
            policy=policy,
            consent=consent,
            tier=tier,
            legal_name=found.name,
            birth_date=found.birth_date,
        )
    if kind == "tenant":
        return TenantDisclosure(
            policy=policy,
            consent=consent,
            tier=tier,
            legal_name=found.name,
            employer=found.employer,
        )
    return IdentityDisclosure(policy=policy, consent=consent, tier=tier, legal_name=found.name)


@strawberry.interface(description="An answer to a check for which something was looked up.")
class Verification:
    checked_at: datetime = strawberry.field(description="When it was checked.")
    status_as_of: datetime = strawberry.field(
        description="How fresh the status behind this answer is."
    )
    receipt: Receipt = strawberry.field(description="The proof that it was checked.")


@strawberry.type(description="The card is good, and opens the service.")
class CardAccepted(Verification):
    holder: strawberry.ID | None = strawberry.field(
        description=(
            "The holder, by a name that this partner alone has for them and that survives a card "
            "issued anew; null where no quota needs it."
        )
    )
    issuer: Issuer = strawberry.field(description="Who issued the card.")
    recognition: Recognition = strawberry.field(description="Whether that is this district.")
    evidence: Evidence = strawberry.field(description="By what it was shown.")
    entitlement: Entitlement = strawberry.field(description="What it opens, and what is left.")
    disclosed: Disclosure = strawberry.field(description="What is told of the holder.")


@strawberry.type(
    description="Unknown, revoked, suspended, expired, not trusted: one answer for all of them."
)
class CardNotAccepted(Verification):
    fix: Fix = strawberry.field(description="What may be done about it.")


@strawberry.type(
    description="The code was genuine, but is old, was used, or was made for someone else."
)
class CodeNotUsable(Verification):
    code_problem: CodeProblem = strawberry.field(description="Why it is of no use.")
    fix: Fix = strawberry.field(description="What may be done about it.")


@strawberry.type(description="The card is good; it does not open the service, or not any more.")
class NotEntitled(Verification):
    entitlement_problem: EntitlementProblem = strawberry.field(description="Why not.")
    current: Entitlement | None = strawberry.field(
        description="What is left and when it is whole again, where that is why."
    )


@strawberry.type(
    description=(
        "The holder has been asked. A serial that does not exist is answered the same, and ends "
        "as a card that is not accepted."
    )
)
class HolderConfirmationPending(Verification):
    verification_id: strawberry.ID = strawberry.field(
        description="Ask `verification` with it for what the holder said."
    )
    expires_at: datetime = strawberry.field(description="Until when the holder may answer.")


@strawberry.type(
    description=(
        "Personal data would be told, and the holder has not agreed to that for this partner and "
        "service. They have been asked."
    )
)
class ConsentRequired(Verification):
    verification_id: strawberry.ID = strawberry.field(
        description="Ask `verification` with it for what the holder said."
    )
    categories: list[Category] = strawberry.field(description="What would be told.")
    expires_at: datetime = strawberry.field(description="Until when the holder may answer.")


@strawberry.type(
    description="This partner may not ask this at all, or not so often. Nothing was looked up."
)
class VerificationRefused:
    refusal: Refusal = strawberry.field(description="Why not.")
    retry_after_seconds: int | None = strawberry.field(
        description="In how many seconds it may be tried again; null where that is no use."
    )


VerifyCardOutcome = Annotated[
    CardAccepted
    | CardNotAccepted
    | CodeNotUsable
    | NotEntitled
    | HolderConfirmationPending
    | ConsentRequired
    | VerificationRefused,
    strawberry.union("VerifyCardOutcome", description="What came of a check."),
]


def outcome(checked: Checked, info: Info) -> VerifyCardOutcome:
    """Return what came of a check as the graph has it."""
    row = checked.row
    if row is None:
        wait = checked.retry_after_seconds
        return VerificationRefused(
            refusal=checked.refusal or Refusal.MALFORMED,
            retry_after_seconds=math.ceil(wait) if wait else None,
        )
    common: dict[str, Any] = {
        "checked_at": row.checked_at,
        "status_as_of": row.status_as_of,
        "receipt": Receipt.of(row),
    }
    make: Callable[..., VerifyCardOutcome] = _MADE.get(row.outcome, _refused)
    return make(checked, row, common, info)


def _accepted(
    checked: Checked, row: verification.Verification, common: dict[str, Any], info: Info
) -> CardAccepted:
    answer = checked.answer
    disclosed = checked.disclosed or Disclosed("nothing-1")
    return CardAccepted(
        **common,
        holder=strawberry.ID(answer.holder) if answer.holder else None,
        issuer=Issuer(id=strawberry.ID(answer.issuer or ""), district=answer.district or ""),
        recognition=answer.recognition or Recognition.LOCAL,
        evidence=answer.evidence or Evidence.LIVE_CODE,
        entitlement=Entitlement.of(checked, row.service),
        disclosed=_disclosure(disclosed, row.verifier, info),
    )


def _unusable(
    checked: Checked, _row: verification.Verification, common: dict[str, Any], _info: Info
) -> CodeNotUsable:
    answer = checked.answer
    return CodeNotUsable(
        **common,
        code_problem=answer.code_problem or CodeProblem.STALE,
        fix=answer.fix or Fix.ASK_HOLDER_TO_REFRESH,
    )


def _not_entitled(
    checked: Checked, row: verification.Verification, common: dict[str, Any], _info: Info
) -> NotEntitled:
    problem = checked.answer.entitlement_problem or EntitlementProblem.NOT_IN_TIER
    used = problem is EntitlementProblem.QUOTA_USED
    left = Entitlement.of(checked, row.service) if used else None
    return NotEntitled(**common, entitlement_problem=problem, current=left)


def _pending(
    _checked: Checked, row: verification.Verification, common: dict[str, Any], _info: Info
) -> HolderConfirmationPending:
    return HolderConfirmationPending(**common, **_waits(row))


def _consent(
    checked: Checked, row: verification.Verification, common: dict[str, Any], _info: Info
) -> ConsentRequired:
    return ConsentRequired(**common, **_waits(row), categories=list(checked.answer.wanted))


def _refused(
    checked: Checked, _row: verification.Verification, common: dict[str, Any], _info: Info
) -> CardNotAccepted:
    return CardNotAccepted(**common, fix=checked.answer.fix or Fix.CALL_SERVICE_DESK)


def _waits(row: verification.Verification) -> dict[str, Any]:
    return {"verification_id": strawberry.ID(row.handle), "expires_at": row.expires_at}


_MADE: Mapping[Outcome, Callable[..., Any]] = {
    Outcome.ACCEPTED: _accepted,
    Outcome.CODE_NOT_USABLE: _unusable,
    Outcome.NOT_ENTITLED: _not_entitled,
    Outcome.PENDING: _pending,
    Outcome.CONSENT_REQUIRED: _consent,
}


# ── challenges and redemptions ───────────────────────────────────────────────────────────────


@strawberry.type(description="What a holder signs who shows a portable credential.")
class Challenge:
    nonce: str = strawberry.field(description="To be signed, once.")
    audience: str = strawberry.field(description="To whom it is to be shown, to the letter.")
    expires_at: datetime = strawberry.field(description="Until when it may be used.")
    request_uri: str = strawberry.field(
        description="An address that wallets open, with all of this in it (OpenID4VP)."
    )

    @classmethod
    def of(cls, made: challenges.Made) -> Challenge:
        return cls(
            nonce=made.nonce,
            audience=made.audience,
            expires_at=made.expires_at,
            request_uri=made.request,
        )


@strawberry.type(description="Units that a check used, or holds.")
class Redemption:
    id: strawberry.ID = strawberry.field(description="Its id.")
    state: Use = strawberry.field(description="How far it is.")
    service_code: strawberry.ID | None = strawberry.field(description="For which service.")
    areas: list[str] = strawberry.field(description="The areas, of which one unit each.")
    expires_at: datetime | None = strawberry.field(
        description="Until when the units are held; null once they are not."
    )

    @classmethod
    def of(cls, rows: Sequence[card.Redemption], info: Info) -> Redemption:
        first, state = rows[0], checks.state_of(rows, info.context.now)
        return cls(
            id=strawberry.ID(first.handle),
            state=state,
            service_code=strawberry.ID(first.service) if first.service else None,
            areas=[one.area for one in rows],
            expires_at=first.expires_at if state is Use.HELD else None,
        )


@strawberry.type(description="There is no such redemption of this partner's.")
class UnknownRedemptionFault(Fault):
    @classmethod
    def of(cls, error: errors.UnknownRedemptionError) -> UnknownRedemptionFault:
        return cls(code=error.code, message=error.sentence, hint=error.hint)


@strawberry.type(description="What was held is held no longer.")
class RedemptionStateFault(Fault):
    redemption_state: Use = strawberry.field(description="How far it is.")

    @classmethod
    def of(cls, error: errors.RedemptionStateError) -> RedemptionStateFault:
        return cls(
            code=error.code,
            message=error.sentence,
            hint=error.hint,
            redemption_state=Use(error.state),
        )


@strawberry.input(description="Which hold is confirmed: its units are used.")
class ConfirmRedemptionInput:
    id: strawberry.ID = strawberry.field(description="The redemption.")


@strawberry.input(description="Which hold is released: its units are whole again.")
class ReleaseRedemptionInput:
    id: strawberry.ID = strawberry.field(description="The redemption.")


ConfirmRedemptionOutcome = Annotated[
    Redemption | RedemptionStateFault | UnknownRedemptionFault,
    strawberry.union(
        "ConfirmRedemptionOutcome", description="The redemption, or why it was not confirmed."
    ),
]
ReleaseRedemptionOutcome = Annotated[
    Redemption | RedemptionStateFault | UnknownRedemptionFault,
    strawberry.union(
        "ReleaseRedemptionOutcome", description="The redemption, or why it was not released."
    ),
]


async def _settled(
    info: Info, id: str, state: Use
) -> Redemption | RedemptionStateFault | UnknownRedemptionFault:
    """Return a redemption brought into a state, or why it was not."""
    try:
        return Redemption.of(await checks.settle(info.context, id, state), info)
    except errors.UnknownRedemptionError as error:
        return UnknownRedemptionFault.of(error)
    except errors.RedemptionStateError as error:
        return RedemptionStateFault.of(error)


async def _verified(info: Info, asked: Asked) -> VerifyCardOutcome:
    """Return what came of one check."""
    return outcome(await checks.verify(info.context, asked), info)


def _outcomes(several: Sequence[Checked], info: Info) -> list[VerifyCardOutcome]:
    """Return what came of several checks, in their order."""
    return [outcome(one, info) for one in several]


@strawberry.type
class Acts:
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
        return await _verified(info, input.asked())

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
        return _outcomes(await checks.verify_all(info.context, asked), info)

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
        return _outcomes(found, info)

    @strawberry.mutation(
        description="Use what a check holds; again, it changes nothing. Partners.",
        extensions=[verifiers()],
    )
    async def confirm_redemption(
        self,
        info: Info,
        input: Annotated[ConfirmRedemptionInput, strawberry.argument(description="Which hold.")],
    ) -> ConfirmRedemptionOutcome | None:
        return await _settled(info, input.id, Use.USED)

    @strawberry.mutation(
        description="Give back what a check holds; again, it changes nothing. Partners.",
        extensions=[verifiers()],
    )
    async def release_redemption(
        self,
        info: Info,
        input: Annotated[ReleaseRedemptionInput, strawberry.argument(description="Which hold.")],
    ) -> ReleaseRedemptionOutcome | None:
        return await _settled(info, input.id, Use.RELEASED)

"""Judging what was shown: whether the card is good, opens the service, and what is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from eligibility import disclosure, person
from eligibility.disclosure import Policy
from models import card, dossier, redemption, shown, talent
from models.answer import (
    Answer,
    CodeProblem,
    EntitlementProblem,
    Fix,
    Recognition,
    Refusal,
)
from models.card import Card, Use
from models.consent import Consent
from models.database import Session
from models.verification import Category, Evidence, Outcome
from models.verifier import Scope
from resolvers import access, consent, entitlement, limit
from resolvers.admission import RefusedError
from resolvers.context import ZONE, Context
from resolvers.presented import Foreign, Shown

#: How long a holder has to read what they are to agree to.
AGREES = timedelta(seconds=300)
#: How long units are held.
HOLDS = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Dependant:
    """A child, as a school learns of it; ``consent`` is the guardian's for this child."""

    member: int
    name: str
    birth_date: date | None
    relation: str
    consent: str


@dataclass(frozen=True, slots=True)
class Disclosed:
    """What is told of a holder, by a policy; what the policy does not tell is None."""

    policy: str
    consent: str | None = None
    tier: str | None = None
    name: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)
    employer: str | None = field(default=None, repr=False)
    dependants: tuple[Dependant, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Ask:
    """For whom and for what a card is checked, also when its holder answers later."""

    partner: str
    partner_name: str
    live: bool
    service: str
    policy: Policy
    scopes: frozenset[Scope]
    redeems: bool
    holds: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What came of looking: the outcome, what is told, and whom it is about."""

    outcome: Outcome
    answer: Answer
    subject: str | None = None
    card_id: int | None = None
    disclosed: Disclosed | None = None
    expires_at: datetime | None = None
    status_as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A good card: whose it is, by what evidence, and when it was shown."""

    card: Card
    person: talent.Talent
    evidence: Evidence
    at: datetime


#: The one no: unknown, revoked, suspended, expired, not trusted.
NO = Found(Outcome.NOT_ACCEPTED, Answer(fix=Fix.CALL_SERVICE_DESK))

_CODE_FIXES = {
    CodeProblem.STALE: Fix.ASK_HOLDER_TO_REFRESH,
    CodeProblem.ALREADY_USED: Fix.ASK_HOLDER_TO_REFRESH,
    CodeProblem.FOR_ANOTHER_PARTNER: Fix.ASK_HOLDER_TO_CHOOSE_YOU,
    CodeProblem.FOR_ANOTHER_SERVICE: Fix.ASK_HOLDER_TO_CHOOSE_YOU,
}
_OF_DEPENDANTS = (Category.DEPENDANT_NAME, Category.DEPENDANT_BIRTH_DATE)


async def judged(context: Context, session: Session, ask: Ask, seen: Shown, handle: str) -> Found:
    """Return what comes of what was shown."""
    if seen.problem is not None:
        return _unusable(seen.problem)
    if seen.foreign is not None:
        return await _reciprocal(context, session, ask, seen.foreign, handle)
    held = seen.card
    at = min(seen.at or context.now, context.now)
    if held is None or not await is_good(session, held, ask, at, context.now):
        return NO
    if wait := await context.authority.limits.take(limit.CARD, str(held.talent_id)):
        raise RefusedError(Refusal.RATE_LIMITED, wait)
    [whose] = await dossier.by_ids(session, [held.talent_id])
    if whose is None:
        return NO
    agreed = await agreed_by(context, session, ask, whose, seen.consent)
    return await entitled(
        context, session, ask, Held(held, whose, seen.evidence, at), agreed, handle
    )


async def is_good(session: Session, held: Card, ask: Ask, at: datetime, now: datetime) -> bool:
    """Return whether a card counted when it was shown, in the world of whoever asks."""
    if held.sandbox is ask.live:
        return False
    on = at.astimezone(ZONE).date()
    if not held.issued_on <= on <= held.valid_until:
        return False
    if at < now:
        return await shown.counted_at(session, held, at)
    return held.status is card.Status.ACTIVE


async def agreed_by(
    context: Context, session: Session, ask: Ask, whose: talent.Talent, code: Consent | None
) -> Sequence[Consent]:
    """Return what a holder agreed to that holds: by what they showed, else standing.

    The first is their own; after it stand those for children.
    """
    if not ask.policy.personal:
        return ()
    now = context.now
    own = code or await consent.live(session, whose.id, ask.partner, ask.service, now)
    if own is None or not (consent.alive(own, now) and consent.covers(own, ask.policy)):
        return ()
    return [own, *await consent.of_children(session, own, now)]


async def entitled(
    context: Context,
    session: Session,
    ask: Ask,
    held: Held,
    agreed: Sequence[Consent],
    handle: str,
    *,
    declined: bool = False,
) -> Found:
    """Return what a good card comes to: not entitled, consent required, or accepted."""
    subject, on = held.person.handle, held.at.astimezone(ZONE).date()
    takes = entitlement.of(context.catalogue, ask.service, on)
    local = Answer(
        evidence=held.evidence,
        issuer=context.authority.issuer,
        district=context.authority.district,
        recognition=Recognition.LOCAL,
        resets_at=takes.resets_at,
    )
    about = Found(Outcome.NOT_ENTITLED, local, subject, held.card.id)
    problem = entitlement.problem(context.catalogue, ask.service, held.person, on)
    if problem is not None:
        return replace(about, answer=replace(local, entitlement_problem=problem, resets_at=None))
    if ask.policy.personal and not agreed and not declined:
        return _asks_consent(context, ask, about)
    counted = await _counted(context, session, ask, takes, subject, held.at, handle)
    answer = replace(local, units_left=counted.units_left, redemption=counted.redemption)
    if counted.used_up:
        used = EntitlementProblem.QUOTA_USED
        return replace(about, answer=replace(answer, entitlement_problem=used))
    name = context.pseudonyms.of(ask.partner, subject) if takes.limited else None
    policy = ask.policy
    if policy.personal and not agreed:
        policy = disclosure.without_consent(policy, ask.scopes)
    told = disclosed(policy, held, agreed)
    answer = replace(
        answer,
        holder=name,
        policy=policy.code,
        consent=told.consent,
        claims=policy.categories,
        tier=told.tier,
    )
    await _note(context, session, ask, held, told, answer, handle)
    return replace(about, outcome=Outcome.ACCEPTED, answer=answer, disclosed=told)


async def _reciprocal(
    context: Context, session: Session, ask: Ask, foreign: Foreign, handle: str
) -> Found:
    """Return what another district's good card comes to here."""
    now = context.now
    answer = Answer(
        evidence=Evidence.SD_JWT_VC,
        issuer=foreign.issuer,
        district=foreign.district,
        recognition=Recognition.RECIPROCAL,
    )
    about = Found(Outcome.NOT_ENTITLED, answer, foreign.holder, status_as_of=foreign.status_as_of)
    recognised = context.authority.issuers.recognises
    if not any(recognised(foreign.issuer, one, ask.service, now) for one in foreign.types):
        problem = EntitlementProblem.NOT_RECOGNISED_HERE
        return replace(about, answer=replace(answer, entitlement_problem=problem))
    takes = entitlement.of(context.catalogue, ask.service, context.today)
    counted = await _counted(context, session, ask, takes, foreign.holder, now, handle)
    answer = replace(
        answer,
        units_left=counted.units_left,
        redemption=counted.redemption,
        resets_at=takes.resets_at,
    )
    if counted.used_up:
        problem = EntitlementProblem.QUOTA_USED
        return replace(about, answer=replace(answer, entitlement_problem=problem))
    policy = (
        disclosure.without_consent(ask.policy, ask.scopes) if foreign.tier else disclosure.NOTHING
    )
    tier = foreign.tier if Category.TIER in policy.categories else None
    name = context.pseudonyms.of(ask.partner, foreign.holder) if takes.limited else None
    answer = replace(answer, holder=name, policy=policy.code, claims=policy.categories, tier=tier)
    told = Disclosed(policy.code, tier=tier)
    return replace(about, outcome=Outcome.ACCEPTED, answer=answer, disclosed=told)


def disclosed(policy: Policy, held: Held, agreed: Sequence[Consent]) -> Disclosed:
    """Return what a policy tells of a holder who agreed to it, where it needs that."""
    whose, told = held.person, policy.categories
    on = held.at.astimezone(ZONE).date()
    employed = person.employment(whose, on) if Category.EMPLOYER in told else None
    return Disclosed(
        policy.code,
        consent=agreed[0].handle if policy.personal else None,
        tier=held.card.tier.alias if Category.TIER in told else None,
        name=whose.name if Category.NAME in told else None,
        birth_date=whose.birth_date if Category.BIRTH_DATE in told else None,
        employer=employed.organisation.name_en if employed else None,
        dependants=_dependants(whose, agreed) if Category.DEPENDANT_NAME in told else (),
    )


def _unusable(problem: CodeProblem) -> Found:
    answer = Answer(code_problem=problem, fix=_CODE_FIXES[problem])
    return Found(Outcome.CODE_NOT_USABLE, answer)


def _asks_consent(context: Context, ask: Ask, about: Found) -> Found:
    answer = Answer(
        evidence=about.answer.evidence,
        wanted=ask.policy.categories,
        redeems=ask.redeems,
        holds=ask.holds,
        policy=ask.policy.code,
    )
    expires_at = context.now + AGREES
    return replace(about, outcome=Outcome.CONSENT_REQUIRED, answer=answer, expires_at=expires_at)


@dataclass(frozen=True, slots=True)
class _Counted:
    """What is left of a quota, after what was taken now; or that there was not enough."""

    units_left: int | None
    redemption: str | None = None
    used_up: bool = False


async def _counted(
    context: Context,
    session: Session,
    ask: Ask,
    takes: entitlement.Entitlement,
    subject: str,
    at: datetime,
    handle: str,
) -> _Counted:
    """Count what a holder has left of a service, and take one unit where that is asked."""
    takes_one = ask.redeems or ask.holds
    if takes_one and takes.limited:
        await redemption.alone_with(session, subject)
    left = await redemption.left(session, subject, takes.quotas, context.now)
    if left == 0:
        return _Counted(0, used_up=True)
    if not takes_one:
        return _Counted(left)
    session.add_all(
        card.Redemption(
            subject=subject,
            area=area,
            units=1,
            used_at=at,
            handle=handle,
            state=Use.HELD if ask.holds else Use.USED,
            expires_at=context.now + HOLDS if ask.holds else None,
            service=ask.service,
            verifier=ask.partner,
            source=ask.partner,
            recorded_at=context.now,
        )
        for area in takes.areas
    )
    return _Counted(None if left is None else left - 1, handle if takes.areas else None)


def _dependants(whose: talent.Talent, agreed: Sequence[Consent]) -> tuple[Dependant, ...]:
    """Return the children for each of whom the guardian agreed."""
    consents = {one.member_id: one.handle for one in agreed if one.member_id is not None}
    return tuple(
        Dependant(one.id, one.name, one.birth_date, one.relation, consents[one.id])
        for one in whose.household
        if one.id in consents
    )


async def _note(
    context: Context,
    session: Session,
    ask: Ask,
    held: Held,
    told: Disclosed,
    answer: Answer,
    handle: str,
) -> None:
    """Note for the holder each piece of data that leaves now."""
    own = [access.Told(one) for one in answer.claims if one not in _OF_DEPENDANTS]
    if answer.holder is not None:
        own.append(access.Told(Category.PSEUDONYM))
    purpose = access.Purpose(ask.partner, ask.partner_name, ask.service, handle, told.consent)
    access.left(session, held.person.handle, own, purpose, context.now)
    for child in told.dependants:
        of_child = [access.Told(one, child.member) for one in _OF_DEPENDANTS]
        purpose = replace(purpose, consent=child.consent)
        access.left(session, held.person.handle, of_child, purpose, context.now)

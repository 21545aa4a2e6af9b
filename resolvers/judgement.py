"""Judging what was shown: whether the card is good, opens the service, and what is told of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from eligibility import disclosure, person
from eligibility.disclosure import Policy
from models import card, redemption, shown, talent
from models.answer import (
    Answer,
    CodeProblem,
    EntitlementProblem,
    Fix,
    Recognition,
)
from models.card import Card, Use
from models.consent import Consent
from models.database import Session
from models.verification import AccessEntry, Category, Evidence, Outcome
from models.verifier import Scope
from resolvers import access, consent, entitlement
from resolvers.context import ZONE, Context
from resolvers.presented import Foreign

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
    #: What is kept beside it: what is used, and what the holder reads of it.
    rows: tuple[card.Redemption | AccessEntry, ...] = ()


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


def counts(held: shown.Dated, ask: Ask, at: datetime) -> bool:
    """Return whether a card counts by its dates and status, in the world of whoever asks."""
    on = at.astimezone(ZONE).date()
    return (
        held.sandbox is not ask.live
        and held.issued_on <= on <= held.valid_until
        and held.status is card.Status.ACTIVE
    )


async def is_good(session: Session, held: Card, ask: Ask, at: datetime, now: datetime) -> bool:
    """Return whether a card counted when it was shown: now, or a while ago."""
    if at < now and held.sandbox is not ask.live:
        on = at.astimezone(ZONE).date()
        dated = held.issued_on <= on <= held.valid_until
        return dated and await shown.counted_at(session, held.id, at)
    return counts(held, ask, at)


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


def turned_away(
    context: Context, ask: Ask, held: Held, agreed: Sequence[Consent], *, declined: bool = False
) -> Found | None:
    """Return what a good card comes to before anything is counted; None where it goes on.

    ``declined``: the holder was asked already to agree to what is personal.
    """
    on = held.at.astimezone(ZONE).date()
    problem = entitlement.problem(context.catalogue, ask.service, held.person, on)
    if problem is not None:
        return _not_entitled(context, held, problem)
    if ask.policy.personal and not agreed and not declined:
        return _asks_consent(context, ask, held)
    return None


@dataclass(frozen=True, slots=True)
class Taking:
    """What a check takes of its holder's units: one of each area, where it takes any."""

    subject: str
    of: entitlement.Entitlement
    at: datetime
    takes: bool

    @classmethod
    def by(cls, context: Context, ask: Ask, subject: str, at: datetime) -> Taking:
        """Return what a check takes of a holder at a time."""
        of = entitlement.of(context.catalogue, ask.service, at.astimezone(ZONE).date())
        return cls(subject, of, at, ask.redeems or ask.holds)


@dataclass(frozen=True, slots=True)
class Counted:
    """What is left of a quota after what was taken; or that there was not enough."""

    units_left: int | None
    used_up: bool = False


async def counted(session: Session, several: Sequence[Taking], now: datetime) -> list[Counted]:
    """Count what holders have left, and take what is taken, one after another.

    Whoever takes is alone with that holder until the transaction ends.
    """
    await redemption.alone_with(
        session, {one.subject for one in several if one.takes and one.of.limited}
    )
    asked = [(one.subject, one.of.quotas) for one in several]
    found = await redemption.left(session, asked, now)
    taken: Counter[tuple[str, str, datetime]] = Counter()
    counts = []
    for one, units in zip(several, found, strict=True):
        keys = [(one.subject, quota.area, quota.since) for quota in one.of.quotas]
        limited = [
            left - taken[key] for key, left in zip(keys, units, strict=True) if left is not None
        ]
        left = min(limited, default=None)
        used_up = left is not None and left <= 0
        if one.takes and not used_up:
            taken.update(keys)
            left = None if left is None else left - 1
        counts.append(Counted(0 if used_up else left, used_up))
    return counts


def accepted(
    context: Context,
    ask: Ask,
    held: Held,
    agreed: Sequence[Consent],
    taking: Taking,
    count: Counted,
    handle: str,
) -> Found:
    """Return what a good card comes to that opens the service: used up, or accepted."""
    if count.used_up:
        return _used_up(_local(context, held), taking, held.person.handle, held.card.id)
    subject, of = held.person.handle, taking.of
    policy = ask.policy
    if policy.personal and not agreed:
        policy = disclosure.without_consent(policy, ask.scopes)
    told = disclosed(policy, held, agreed)
    answer = replace(
        _local(context, held),
        holder=context.pseudonyms.of(ask.partner, subject) if of.limited else None,
        units_left=count.units_left,
        resets_at=of.resets_at,
        redemption=handle if taking.takes and of.areas else None,
        policy=policy.code,
        consent=told.consent,
        claims=policy.categories,
        tier=told.tier,
    )
    return Found(
        Outcome.ACCEPTED,
        answer,
        subject,
        held.card.id,
        disclosed=told,
        rows=(
            *_redeemed(context, ask, taking, handle),
            *_noted(context, ask, held, told, answer, handle),
        ),
    )


def taking_of(context: Context, ask: Ask, foreign: Foreign) -> Taking | Found:
    """Return what another district's good card takes here, or why it opens nothing."""
    recognised = context.authority.issuers.recognises
    if any(recognised(foreign.issuer, one, ask.service, context.now) for one in foreign.types):
        return Taking.by(context, ask, foreign.holder, context.now)
    answer = replace(_foreign(foreign), entitlement_problem=EntitlementProblem.NOT_RECOGNISED_HERE)
    return Found(Outcome.NOT_ENTITLED, answer, foreign.holder, status_as_of=foreign.status_as_of)


def reciprocal(
    context: Context, ask: Ask, foreign: Foreign, taking: Taking, count: Counted, handle: str
) -> Found:
    """Return what another district's good card comes to that is recognised here."""
    if count.used_up:
        found = _used_up(_foreign(foreign), taking, foreign.holder, None)
        return replace(found, status_as_of=foreign.status_as_of)
    told = disclosure.NOTHING
    if foreign.tier is not None:
        told = disclosure.without_consent(ask.policy, ask.scopes)
    tier = foreign.tier if Category.TIER in told.categories else None
    limited, areas = taking.of.limited, taking.of.areas
    answer = replace(
        _foreign(foreign),
        holder=context.pseudonyms.of(ask.partner, foreign.holder) if limited else None,
        units_left=count.units_left,
        resets_at=taking.of.resets_at,
        redemption=handle if taking.takes and areas else None,
        policy=told.code,
        claims=told.categories,
        tier=tier,
    )
    return Found(
        Outcome.ACCEPTED,
        answer,
        foreign.holder,
        disclosed=Disclosed(told.code, tier=tier),
        status_as_of=foreign.status_as_of,
        rows=tuple(_redeemed(context, ask, taking, handle)),
    )


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


def unusable(problem: CodeProblem, whose: str | None) -> Found:
    """Return what a genuine code comes to that cannot be used; ``whose`` it is, if known."""
    answer = Answer(code_problem=problem, fix=_CODE_FIXES[problem])
    return Found(Outcome.CODE_NOT_USABLE, answer, whose)


def _not_entitled(context: Context, held: Held, problem: EntitlementProblem) -> Found:
    answer = replace(_local(context, held), entitlement_problem=problem)
    return Found(Outcome.NOT_ENTITLED, answer, held.person.handle, held.card.id)


def _used_up(answer: Answer, taking: Taking, subject: str, card_id: int | None) -> Found:
    answer = replace(
        answer,
        entitlement_problem=EntitlementProblem.QUOTA_USED,
        units_left=0,
        resets_at=taking.of.resets_at,
    )
    return Found(Outcome.NOT_ENTITLED, answer, subject, card_id)


def _asks_consent(context: Context, ask: Ask, held: Held) -> Found:
    answer = Answer(
        evidence=held.evidence,
        wanted=ask.policy.categories,
        redeems=ask.redeems,
        holds=ask.holds,
        policy=ask.policy.code,
    )
    return Found(
        Outcome.CONSENT_REQUIRED,
        answer,
        held.person.handle,
        held.card.id,
        expires_at=context.now + AGREES,
    )


def _local(context: Context, held: Held) -> Answer:
    return Answer(
        evidence=held.evidence,
        issuer=context.authority.issuer,
        district=context.authority.district,
        recognition=Recognition.LOCAL,
    )


def _foreign(foreign: Foreign) -> Answer:
    return Answer(
        evidence=Evidence.SD_JWT_VC,
        issuer=foreign.issuer,
        district=foreign.district,
        recognition=Recognition.RECIPROCAL,
    )


def _redeemed(context: Context, ask: Ask, taking: Taking, handle: str) -> Iterator[card.Redemption]:
    """Yield what is used or held of each area, where anything is."""
    for area in taking.of.areas if taking.takes else ():
        yield card.Redemption(
            subject=taking.subject,
            area=area,
            units=1,
            used_at=taking.at,
            handle=handle,
            state=Use.HELD if ask.holds else Use.USED,
            expires_at=context.now + HOLDS if ask.holds else None,
            service=ask.service,
            verifier=ask.partner,
            source=ask.partner,
            recorded_at=context.now,
        )


def _noted(
    context: Context, ask: Ask, held: Held, told: Disclosed, answer: Answer, handle: str
) -> list[AccessEntry]:
    """Return the notes for the holder of each piece of data that leaves now."""
    subject, now = held.person.handle, context.now
    own = [access.Told(one) for one in answer.claims if one not in _OF_DEPENDANTS]
    if answer.holder is not None:
        own.append(access.Told(Category.PSEUDONYM))
    purpose = access.Purpose(ask.partner, ask.partner_name, ask.service, handle, told.consent)
    notes = access.entries(subject, own, purpose, now)
    for child in told.dependants:
        of_child = [access.Told(one, child.member) for one in _OF_DEPENDANTS]
        notes += access.entries(subject, of_child, replace(purpose, consent=child.consent), now)
    return notes


def _dependants(whose: talent.Talent, agreed: Sequence[Consent]) -> tuple[Dependant, ...]:
    """Return the children for each of whom the guardian agreed."""
    consents = {one.member_id: one.handle for one in agreed if one.member_id is not None}
    return tuple(
        Dependant(one.id, one.name, one.birth_date, one.relation, consents[one.id])
        for one in whose.household
        if one.id in consents
    )

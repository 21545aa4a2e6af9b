"""Consents: what a holder is shown before they agree, what they agreed to, and whether it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from eligibility import consent as wording
from eligibility import disclosure
from eligibility import person as ages
from eligibility.disclosure import Policy
from models import consent as rows
from models import errors, menu, presentation, talent
from models import text as texts
from models.consent import Consent, Means
from models.database import Session
from models.verifier import Scope, Verifier
from resolvers.context import Context
from resolvers.viewer import HOLDERS

#: How long a standing consent lasts, unless its giver says; and at most.
STANDING = timedelta(days=180)
LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Asking:
    """A partner that takes cards for a service, and the most that it may learn."""

    verifier: Verifier
    service: menu.Service
    policy: Policy
    scopes: frozenset[Scope]

    @property
    def untold(self) -> Policy:
        """What it learns where nothing personal was agreed to."""
        if self.policy.personal:
            return disclosure.without_consent(self.policy, self.scopes)
        return self.policy


@dataclass(frozen=True, slots=True)
class Disclosed:
    """What a partner would learn for a service, and the text that it takes to agree to it."""

    verifier: Verifier
    service: menu.Service
    policy: Policy
    children: tuple[talent.Member, ...]
    language: str
    text: str

    @property
    def version(self) -> int:
        """The version of its wording."""
        return wording.VERSION

    @property
    def digest(self) -> str:
        """What the text is agreed to by."""
        return wording.digest(self.text)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom a holder deals with, for what, for which children, and in which language."""

    partner: str
    service: str
    members: tuple[str, ...] = ()
    language: str | None = None


async def live(
    session: Session, talent_id: int, verifier_code: str, service: str, now: datetime
) -> Consent | None:
    """Return a holder's own standing consent for a partner and service, if one holds."""
    return await rows.live(session, talent_id, verifier_code, service, now)


async def passed(
    session: Session, talent_id: int, verifier_code: str, service: str, at: datetime
) -> Consent | None:
    """Return what a holder agreed to with an offline pass that was shown at a moment, if they did.

    Withdrawn by then or not, what the pass says was told when it was shown.
    """
    return await rows.live(session, talent_id, verifier_code, service, at, Means.PASS)


async def of_children(session: Session, own: Consent, now: datetime) -> list[Consent]:
    """Return what a guardian agreed to for children together with their own, as far as it holds."""
    return [one for one in await rows.of_children(session, own) if one.alive(now)]


def alive(consent: Consent, now: datetime) -> bool:
    """Return whether a consent holds at a moment."""
    return consent.alive(now)


def asking(context: Context, partner: str, service: str) -> Asking:
    """Return what a partner that takes cards for a service may learn.

    Raises:
        UnknownCodeError: no partner is so called, or no service.
        NotServedError: the partner takes no cards for it.
    """
    known = context.authority.verifiers.by_code
    found = known.get(partner)
    if found is None:
        raise errors.UnknownCodeError("partner that takes cards", partner, known)
    wanted = context.catalogue.service(service)
    if found.suspended_at is not None or wanted.code not in found.services:
        raise errors.NotServedError(f"“{partner}” takes no cards for “{wanted.code}”.")
    scopes = frozenset(Scope(one) for one in found.scopes)
    return Asking(found, wanted, disclosure.policy(found.kind, found.tier, scopes), scopes)


def disclosed(context: Context, wanted: Wanted) -> Disclosed:
    """Return what a partner would learn of the viewer, and the text to show; raises as ``asking``.

    Raises:
        BadInputError: children are named that are none of the viewer's, or need not be; or the
            language is none.
        UnauthenticatedError, ForbiddenError: the viewer is no person we know.
    """
    person = context.holder()
    who = asking(context, wanted.partner, wanted.service)
    children = _children(person, who.policy, wanted.members)
    language = _language(context, wanted.language)
    recipient = wording.Recipient(
        who.verifier.name, who.verifier.contact, who.service.name.said((language,)).text
    )
    named = [_child(context, one) for one in children]
    text = wording.text(who.policy, recipient, language, named)
    return Disclosed(who.verifier, who.service, who.policy, children, language, text)


def covers(consent: Consent, policy: Policy) -> bool:
    """Return whether what was agreed to is what a policy tells: a new version asks anew."""
    return consent.policy == policy.code


async def given(
    session: Session, context: Context, shown: Disclosed, means: Means, ends_at: datetime
) -> Consent:
    """Add what the viewer agrees to, and return their own; there is one more for each child."""
    now = context.now.astimezone(UTC)
    of_child = [one for one in shown.policy.categories if one.startswith("DEPENDANT")]
    own = [one for one in shown.policy.categories if one not in of_child]

    def one(member: talent.Member | None) -> Consent:
        return Consent(
            handle=rows.new_handle(),
            talent_id=context.holder().id,
            member_id=member.id if member else None,
            verifier=shown.verifier.code,
            partner_name=shown.verifier.name,
            contact=shown.verifier.contact,
            service=shown.service.code,
            policy=shown.policy.code,
            categories=[str(category) for category in (of_child if member else own)],
            means=means,
            text_digest=shown.digest,
            language=shown.language,
            version=wording.VERSION,
            given_at=now,
            ends_at=ends_at,
            withdrawn_at=None,
        )

    first = one(None)
    session.add_all([first, *(one(member) for member in shown.children)])
    await session.flush()
    return first


def agreed(shown: Disclosed, agreed_to: str) -> None:
    """Refuse what was agreed to if it is not what would be told.

    Raises:
        ConsentTextError: it is another text, or there is nothing to agree to.
    """
    if not shown.policy.personal or shown.digest != agreed_to.strip().lower():
        raise errors.ConsentTextError(shown)


def agreed_now(context: Context, wanted: Wanted, agreed_to: str | None) -> Disclosed | None:
    """Return what the viewer agrees to with what they ask, if anything; raises as ``agreed``."""
    if agreed_to is None:
        return None
    shown = disclosed(context, wanted)
    agreed(shown, agreed_to)
    return shown


async def mine(context: Context) -> Sequence[Consent]:
    """Return what the viewer agreed to, the newest first.

    Raises:
        UnauthenticatedError, ForbiddenError: the viewer is no person.
    """
    context.viewer.require(HOLDERS)
    if context.person is None:
        return ()
    async with context.reads.one(), context.database.session() as session:
        return await rows.of_person(session, context.person.id)


async def give(
    context: Context, wanted: Wanted, agreed_to: str, until: datetime | None
) -> list[Consent]:
    """Keep a standing consent of the viewer, and return it: their own, then one a child.

    Raises:
        BadInputError: it would end too late, or has ended; or as ``disclosed``.
        ConsentTextError: another text was agreed to.
        UnknownCodeError, NotServedError, UnauthenticatedError, ForbiddenError: as ``disclosed``.
    """
    shown = disclosed(context, wanted)
    agreed(shown, agreed_to)
    ends_at = until or context.now + STANDING
    if not context.now < ends_at <= context.now + LONGEST:
        raise errors.BadInputError("`until` must be ahead, and within a year.")
    async with context.database.begin() as session:
        own = await given(session, context, shown, Means.STANDING, ends_at.astimezone(UTC))
        return [own, *await rows.of_children(session, own)]


async def withdraw(context: Context, handle: str) -> Consent:
    """Withdraw a consent of the viewer, and return it; withdrawn again, it stays as it was.

    A guardian's own takes with it what was given for children at the same time.

    Raises:
        UnknownConsentError: the viewer gave none of this name.
        UnauthenticatedError, ForbiddenError: the viewer is no person we know.
    """
    person = context.holder()
    async with context.database.begin() as session:
        found = await rows.by_handle(session, person.id, handle)
        if found is None:
            raise errors.UnknownConsentError
        children = () if found.member_id else await rows.of_children(session, found)
        now = context.now.astimezone(UTC)
        await rows.withdraw(session, [found, *children], now)
        if found.means == Means.PASS:
            await presentation.end_passes(session, now, person.id, found.ends_at)
        await session.refresh(found)
        return found


def _children(
    person: talent.Talent, policy: Policy, members: Sequence[str]
) -> tuple[talent.Member, ...]:
    if policy is not disclosure.GUARDIAN:
        if members:
            raise errors.BadInputError(
                "`members` is for what is told of children; this partner learns nothing of any."
            )
        return ()
    children = {
        str(one.id): one for one in person.household if one.relation is talent.Relation.CHILD
    }
    if not members or set(members) - set(children):
        raise errors.BadInputError(
            "`members` must name one or more of your children.", "`household` has their ids."
        )
    return tuple(children[id_] for id_ in dict.fromkeys(members))


def _child(context: Context, member: talent.Member) -> wording.Child:
    born = member.birth_date
    age = None if born is None else ages.years_between(born, context.today)
    return wording.Child(member.name, under_age=age is None or age < wording.SENSITIVE_UNDER)


def _language(context: Context, language: str | None) -> str:
    languages = context.languages if language is None else texts.asked(language)
    return next((one for one in languages if one in wording.LANGUAGES), wording.LANGUAGES[0])

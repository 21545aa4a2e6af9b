"""What holders show online: live codes, each for one partner and service, and what is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from credentials import code
from credentials.flaw import NotGenuineError
from eligibility.disclosure import Policy
from models import card, errors
from models import presentation as rows
from models.card import Card
from models.consent import Consent, Means
from models.database import Session
from models.presentation import Ticket
from resolvers import consent as consents
from resolvers import often
from resolvers.consent import Asking, Disclosed
from resolvers.context import Context

#: When a phone shows a new code.
RENEWAL = timedelta(seconds=30)
#: Codes that nobody scanned are known so long as old ones, before they are forgotten.
KNOWN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Shown:
    """What is to be shown: to a partner by code, or at the terminal whose printed code it is.

    ``agreed_to`` is the digest of the text that the holder agreed to, where they did.
    """

    service: str
    partner: str | None = None
    venue: str | None = None
    members: tuple[str, ...] = ()
    agreed_to: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Live:
    """A live code as its holder has it; ``policy`` is what is told by it at most."""

    text: str
    ticket: Ticket
    asking: Asking
    policy: Policy
    consent: Consent | None
    terminal: str | None


async def present(context: Context, shown: Shown) -> Live:
    """Mint a live code of the viewer's card, for one partner and service.

    Without a consent, given with it or standing, what is personal is not told by it.

    Raises:
        NoLiveCardError: there is no card to show.
        TooOftenError: codes were minted faster than anybody shows them.
        UnknownCodeError, NotServedError: there is no such partner or service, or not together.
        ConsentTextError: another text was agreed to than would be shown now.
        BadInputError: neither or both of partner and venue are given; or as ``disclosed``.
        UnauthenticatedError, ForbiddenError: the viewer is no person we know.
    """
    person = context.holder()
    partner, terminal = _whom(context, shown)
    asking = consents.asking(context, partner, shown.service)
    wanted = consents.Wanted(partner, shown.service, shown.members, shown.language)
    told = consents.agreed_now(context, wanted, shown.agreed_to)
    await often.enough(context, often.CODES)
    now = context.now.astimezone(UTC)
    secret = code.new_ticket()
    async with context.database.begin() as session:
        held = await live_card(session, context, person.id)
        await rows.forget_tickets(session, held.id, now - KNOWN)
        ends_at = now + code.LIFETIME
        consent = await _basis(session, context, asking, told, ends_at)
        ticket = Ticket(
            digest=secret.digest.hex(),
            card_id=held.id,
            verifier=partner,
            service=asking.service.code,
            consent_id=consent.id if consent else None,
            minted_at=now,
            expires_at=ends_at,
            used_at=None,
        )
        session.add(ticket)
    policy = asking.policy if consent else asking.untold
    text = secret.text(context.authority.issuer)
    return Live(text, ticket, asking, policy, consent, terminal)


async def live_card(session: Session, context: Context, talent_id: int) -> Card:
    """Return a person's card that may be shown today.

    Raises:
        NoLiveCardError: there is none; it says how theirs is.
    """
    [held] = await card.by_holders(session, [talent_id])
    if held is None:
        raise errors.NoLiveCardError(None)
    if held.status is not card.Status.ACTIVE:
        raise errors.NoLiveCardError(held.status)
    if held.valid_until < context.today:
        raise errors.NoLiveCardError("EXPIRED")
    return held


async def _basis(
    session: Session,
    context: Context,
    asking: Asking,
    told: Disclosed | None,
    ends_at: datetime,
) -> Consent | None:
    """Return the consent that a code tells on: one given with it, or a standing one."""
    if told is not None:
        return await consents.given(session, context, told, Means.CODE, ends_at)
    if not asking.policy.personal:
        return None
    found = await consents.live(
        session, context.holder().id, asking.verifier.code, asking.service.code, context.now
    )
    return found if found is not None and consents.covers(found, asking.policy) else None


def _whom(context: Context, shown: Shown) -> tuple[str, str | None]:
    """Return the partner that is shown something, and at which terminal, if that was scanned."""
    if (shown.partner is None) == (shown.venue is None):
        raise errors.BadInputError("Give one of `partnerCode` and `venueCode`.")
    if shown.partner is not None:
        return shown.partner, None
    scanned = code.parse(shown.venue or "")
    try:
        if not isinstance(scanned, code.VenueCode) or scanned.host != context.authority.host:
            raise errors.NotServedError("This is no code of a partner's counter.")
        code.check_venue(scanned, context.authority.master)
    except NotGenuineError:
        raise errors.NotServedError("This is no code of a partner's counter.") from None
    return scanned.partner, scanned.terminal

"""What holders keep and show by themselves: offline passes, and portable credentials in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from credentials import es256, offline_pass, sd_jwt
from credentials.keyring import LIFETIMES, Purpose
from eligibility import person as people
from eligibility.disclosure import Policy
from models import errors, talent
from models.card import Card
from models.consent import Consent, Means
from models.database import Session
from models.verification import Category
from models.verifier import Scope
from resolvers import access, device, entitlement, often, presentation, status
from resolvers import consent as consents
from resolvers.consent import Asking
from resolvers.context import ZONE, Context
from resolvers.issuer import CITY_TYPE
from resolvers.presented import VCT_PATH

#: So many portable credentials are issued at once: each is shown once, so that nobody who sees
#: two knows that they are one person's.
BATCH = 10
#: Every credential has as many digests, so that their number does not tell what there is.
_DIGESTS = 12
#: What a pass can tell.
_ON_PASSES = frozenset({Category.TIER, Category.NAME, Category.BIRTH_DATE})


@dataclass(frozen=True, slots=True)
class PassWanted:
    """For which phone a pass is, for whom and what, and to what the holder agreed for it."""

    device: str
    partner: str
    service: str
    agreed_to: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """An offline pass, to be shown by its phone alone; ``categories`` are what it says."""

    cwt: bytes = field(repr=False)
    expires_at: datetime
    asking: Asking
    categories: tuple[Category, ...]
    consent: Consent | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Portable credentials, one for each key that was given."""

    cards: tuple[str, ...] = field(repr=False)
    vct: str
    expires_at: datetime


async def give_pass(context: Context, wanted: PassWanted) -> Passed:
    """Issue an offline pass for one partner to a phone of the viewer, for a week at most.

    Raises:
        NoLiveCardError: there is no card to show.
        UnknownDeviceError: the viewer has linked no such phone.
        BadInputError: the phone has no key of its own.
        NotServedError: the partner takes no offline passes for it.
        ConsentTextError, UnknownCodeError, TooOftenError: as ``presentation.present``.
        UnauthenticatedError, ForbiddenError: the viewer is no person we know.
    """
    person, now = context.holder(), context.now.astimezone(UTC)
    asking = consents.asking(context, wanted.partner, wanted.service)
    chosen = consents.Wanted(wanted.partner, wanted.service, (), wanted.language)
    told = consents.agreed_now(context, chosen, wanted.agreed_to)
    policy = asking.policy if told else asking.untold
    if Scope.VERIFY_OFFLINE not in asking.scopes or Category.TIER not in policy.categories:
        raise errors.NotServedError(f"“{wanted.partner}” takes no offline passes for this.")
    await often.enough(context, often.CREDENTIALS)
    async with context.database.begin() as session:
        held = await presentation.live_card(session, context, person.id)
        phone = await device.linked(session, person.id, wanted.device)
        if phone.public is None:
            raise errors.BadInputError("This phone has no key of its own.", "Link it with one.")
        expires_at = _end(held, now, LIFETIMES[Purpose.PASS])
        agreed = None
        if told is not None:
            agreed = await consents.given(session, context, told, Means.PASS, expires_at)
        uri, place = await status.entered(
            session, context.authority.issuer, held, phone, expires_at
        )
        terms = _terms(context, asking, policy, held, (uri, place))
        cwt = offline_pass.issue(
            context.authority.keys.signer(Purpose.PASS),
            terms,
            es256.public_key(phone.public),
            now,
            expires_at - now,
        )
        on_it = tuple(one for one in policy.categories if one in _ON_PASSES)
        _note(session, context, asking, terms, on_it, agreed)
    return Passed(cwt, expires_at, asking, on_it, agreed)


async def give_cards(
    context: Context, points: Sequence[tuple[str, str]], handle: str | None
) -> Batch:
    """Issue portable credentials of the viewer's card, each for one of these keys.

    Args:
        context: The query's surroundings.
        points: The coordinates of P-256 keys, as JWKs have them.
        handle: The phone that they are kept on, if it is one of those linked: they end with it.

    Raises:
        NoLiveCardError: there is no card to show.
        UnknownDeviceError: the viewer has linked no such phone.
        BadInputError: there are none or too many keys, or one is none.
        TooOftenError: there were too many batches.
        UnauthenticatedError, ForbiddenError: the viewer is no person we know.
    """
    person, now = context.holder(), context.now.astimezone(UTC)
    if not 1 <= len(points) <= BATCH:
        raise errors.BadInputError(f"Give 1 to {BATCH} keys.")
    keys = [device.public_key(*one) for one in points]
    await often.enough(context, often.CREDENTIALS)
    issuer = context.authority.issuer
    async with context.database.begin() as session:
        held = await presentation.live_card(session, context, person.id)
        phone = None if handle is None else await device.linked(session, person.id, handle)
        expires_at = _end(held, now, LIFETIMES[Purpose.CARD])
        places = [await status.entered(session, issuer, held, phone, expires_at) for _ in points]
    claims = _claims(context, person, held)
    signer = context.authority.keys.signer(Purpose.CARD)
    cards = [
        sd_jwt.issue(
            signer,
            sd_jwt.Card(issuer, issuer + VCT_PATH, place, uri, claims, aka_vcts=(CITY_TYPE,)),
            holder=es256.public_key(key),
            now=now,
            lifetime=expires_at - now,
            decoys=_DIGESTS - len(claims),
        )
        for key, (uri, place) in zip(keys, places, strict=True)
    ]
    return Batch(tuple(cards), issuer + VCT_PATH, expires_at)


def _end(held: Card, now: datetime, longest: timedelta) -> datetime:
    """Return when a credential of a card ends: none outlives the card."""
    following = held.valid_until + timedelta(days=1)
    over = datetime.combine(following, time(tzinfo=ZONE)).astimezone(UTC)
    return min((now + longest).replace(microsecond=0), over)


def _terms(
    context: Context, asking: Asking, policy: Policy, held: Card, place: tuple[str, int]
) -> offline_pass.Terms:
    person, told = context.holder(), policy.categories
    partner, service = asking.verifier.code, asking.service.code
    limited = entitlement.of(context.catalogue, service, context.today).limited
    return offline_pass.Terms(
        partner,
        held.tier.alias,
        place[1],
        place[0],
        holder=context.pseudonyms.of(partner, person.handle) if limited else None,
        services=(service,),
        name=person.name if Category.NAME in told else None,
        birth_date=person.birth_date if Category.BIRTH_DATE in told else None,
    )


def _note(
    session: Session,
    context: Context,
    asking: Asking,
    terms: offline_pass.Terms,
    told: Sequence[Category],
    agreed: Consent | None,
) -> None:
    """Note what a pass will tell: where it is shown, nobody asks the hub."""
    named = [Category.PSEUDONYM] if terms.holder is not None else []
    partner = asking.verifier
    purpose = access.Purpose(
        partner.code, partner.name, asking.service.code, consent=agreed.handle if agreed else None
    )
    pieces = [access.Told(one) for one in (*told, *named)]
    access.left(session, context.holder().handle, pieces, purpose, context.now)


def _claims(context: Context, person: talent.Talent, held: Card) -> dict[str, Any]:
    """Return what a portable credential can say, each by itself; what is not known is not said."""
    employed = people.employment(person, context.today)
    said = {
        "legal_name": person.name,
        "birth_date": person.birth_date and person.birth_date.isoformat(),
        "tier": held.tier.alias,
        "nationality": person.nationality,
        "employer": employed.organisation.name_en if employed else None,
        "card_valid_until": held.valid_until.isoformat(),
        "district": person.district,
        "areas": [area.code for area in context.catalogue.lists.areas],
    }
    return {name: value for name, value in said.items() if value is not None}

"""What a verifier was shown: which card it is of, and by what evidence; or why it is of no use."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from joserfc.jwk import ECKey

from credentials import code, flaw, offline_pass, sd_jwt
from credentials.keyring import Key, Purpose
from credentials.status import Status
from models import shown
from models import verifier as verifiers
from models.answer import CodeProblem
from models.card import Card
from models.database import Session
from models.shown import Scanned
from models.verification import Evidence
from resolvers.authority import Authority
from resolvers.directory import Asking

#: The type of our cards, below the hub's address.
VCT_PATH = "/vct/talent-card/1"
TIERS = frozenset("ABC")

#: What was used once is remembered so long: longer than anything may be used.
_REMEMBERED = timedelta(days=8)
_PLACE = re.compile(r"/status/([1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class Portable:
    """A portable credential, with the nonce that this verifier was given."""

    token: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """A card of another district, which holds: who issued it, and what was shown of it."""

    issuer: str
    district: str
    holder: str
    types: tuple[str, ...]
    tier: str | None
    status_as_of: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """What was shown. Without a card, and no ``problem``, it is nothing that is told apart.

    ``ticket`` is the live code, whose card is still to be found; ``at`` is when it was shown, where
    that was before now.
    """

    evidence: Evidence
    card: Card | None = None
    problem: CodeProblem | None = None
    ticket: Scanned | None = None
    foreign: Foreign | None = None
    at: datetime | None = None


def by_ticket(
    found: Scanned | None, asking: Asking, service: str, now: datetime, *, taken: bool
) -> CodeProblem | None:
    """Return why a live code that there is cannot be used now; ``taken``: somebody just has."""
    if found is None:
        return None
    if found.verifier != asking.code:
        return CodeProblem.FOR_ANOTHER_PARTNER
    if found.service != service:
        return CodeProblem.FOR_ANOTHER_SERVICE
    if taken or found.used_at is not None:
        return CodeProblem.ALREADY_USED
    return CodeProblem.STALE if found.expires_at <= now else None


async def by_code(
    authority: Authority,
    session: Session,
    asking: Asking,
    service: str,
    text: str,
    now: datetime,
) -> Shown:
    """Return what a code is of that a phone made by itself, and use it up."""
    found = code.parse(text)
    match found:
        case code.FallbackCode():
            return await _fallback(authority, session, asking, found, now)
        case code.PassText():
            return await _pass(authority, session, asking, service, found.text, now)
    return Shown(Evidence.LIVE_CODE)


async def by_report(
    authority: Authority, session: Session, asking: Asking, service: str, text: str, now: datetime
) -> Shown:
    """Return what an offline pass is of that was accepted a while ago, and use it up."""
    try:
        found = offline_pass.opened(text, _pass_keys(authority, now))
        found.check(asking.code, found.shown_at)
    except flaw.NotGenuineError:
        return Shown(Evidence.OFFLINE_PASS)
    # What is reported later than a pass lives might have been reported before, and be forgotten.
    if not now - offline_pass.LIFETIME <= found.shown_at <= now + code.LIFETIME:
        return Shown(Evidence.OFFLINE_PASS)
    return await _passed(session, authority, asking, service, found)


async def read(
    authority: Authority, asking: Asking, portable: Portable, now: datetime
) -> sd_jwt.Presented | Foreign | None:
    """Return what a portable credential says that holds, or None where it does not.

    Another district is asked for the status of its card here, before anything is changed.
    """

    def key(issuer: str, kid: str) -> Key | ECKey | None:
        if issuer == authority.issuer:
            return authority.keys.ring.verifying(Purpose.CARD, kid, now)
        return authority.issuers.key(issuer, kid)

    try:
        found = sd_jwt.verify(
            portable.token,
            key,
            vcts={f"{authority.issuer}{VCT_PATH}", *authority.issuers.vcts},
            audience=audience(authority, asking.code),
            nonce=portable.nonce,
            now=now,
        )
    except flaw.NotGenuineError:
        return None
    return found if found.issuer == authority.issuer else await _foreign(authority, found)


async def by_credential(
    authority: Authority,
    session: Session,
    asking: Asking,
    service: str,
    nonce: str,
    found: sd_jwt.Presented | Foreign | None,
    now: datetime,
) -> Shown:
    """Return which card was shown as a portable credential, of ``read``; use its nonce up."""
    nothing = Shown(Evidence.SD_JWT_VC)
    challenge = await shown.use_challenge(session, nonce, asking.code, live=asking.live, now=now)
    if challenge is None or found is None:
        return nothing
    if challenge.service != service:
        return replace(nothing, problem=CodeProblem.FOR_ANOTHER_SERVICE)
    if isinstance(found, Foreign):
        return replace(nothing, foreign=found)
    entry = await _entry(authority, session, found.status_uri, found.status_index)
    return replace(nothing, card=entry.card if entry and not entry.ended else None)


def audience(authority: Authority, verifier: str) -> str:
    """Return to whom a holder shows a portable credential who shows it to this verifier."""
    return f"{authority.issuer}/verifiers/{verifier}"


async def _fallback(
    authority: Authority,
    session: Session,
    asking: Asking,
    found: code.FallbackCode,
    now: datetime,
) -> Shown:
    nothing = Shown(Evidence.FALLBACK_CODE)
    try:
        step = code.check(found, authority.master, now)
    except flaw.NotGenuineError as wrong:
        stale = wrong.flaw is flaw.Flaw.STALE
        return replace(nothing, problem=CodeProblem.STALE if stale else None)
    held = await shown.card_of_device(session, found.device.hex())
    if held is None:
        return nothing
    if not await _once(session, f"{found.device.hex()}:{step}:{asking.code}", now):
        return replace(nothing, problem=CodeProblem.ALREADY_USED)
    return replace(nothing, card=held)


async def _pass(
    authority: Authority, session: Session, asking: Asking, service: str, text: str, now: datetime
) -> Shown:
    nothing = Shown(Evidence.OFFLINE_PASS)
    try:
        found = offline_pass.opened(text, _pass_keys(authority, now))
        found.check(asking.code, now)
    except flaw.NotGenuineError as wrong:
        return replace(nothing, problem=_PASS_PROBLEMS.get(wrong.flaw))
    return await _passed(session, authority, asking, service, found)


_PASS_PROBLEMS = {
    flaw.Flaw.STALE: CodeProblem.STALE,
    flaw.Flaw.EXPIRED: CodeProblem.STALE,
    flaw.Flaw.WRONG_AUDIENCE: CodeProblem.FOR_ANOTHER_PARTNER,
}


async def _passed(
    session: Session, authority: Authority, asking: Asking, service: str, found: offline_pass.Pass
) -> Shown:
    """Return what a pass is of that is for this verifier; once in its step."""
    nothing = Shown(Evidence.OFFLINE_PASS, at=found.shown_at)
    services = found.terms.services
    if services and service not in services:
        return replace(nothing, problem=CodeProblem.FOR_ANOTHER_SERVICE)
    entry = await _entry(authority, session, found.terms.status_uri, found.terms.status_index)
    if entry is None or entry.ended:
        return nothing
    step = f"{found.device}:{found.step}:{asking.code}"
    if not await _once(session, step, found.shown_at):
        return replace(nothing, problem=CodeProblem.ALREADY_USED)
    return replace(nothing, card=entry.card)


async def _once(session: Session, value: str, at: datetime) -> bool:
    return await verifiers.spend(session, "step", value, at + _REMEMBERED)


async def _entry(
    authority: Authority, session: Session, uri: str, place: int
) -> shown.Entry | None:
    named = _PLACE.fullmatch(uri.removeprefix(authority.issuer))
    if named is None or not uri.startswith(authority.issuer):
        return None
    return await shown.entry(session, int(named[1]), place)


async def _foreign(authority: Authority, found: sd_jwt.Presented) -> Foreign | None:
    """Return another district's card as a card here, if its issuer says that it is good."""
    issuer = authority.issuers.issuer(found.issuer)
    said = await authority.issuers.status_of(found.issuer, found.status_uri, found.status_index)
    if issuer is None or said is None or said.status is not Status.VALID:
        return None
    tier = found.claims.get("tier")
    return Foreign(
        found.issuer,
        issuer.district,
        f"{found.issuer}#{found.holder}",
        (found.vct, *found.aka_vcts),
        tier if tier in TIERS else None,
        said.as_of,
    )


def _pass_keys(authority: Authority, now: datetime) -> offline_pass.Keys:
    def key(named: bytes) -> Key | None:
        return authority.keys.ring.named(Purpose.PASS, named, now)

    return key

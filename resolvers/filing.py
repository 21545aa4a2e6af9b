"""Filing what came of a check: its signed receipt, its row, and the same answer again."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC

from credentials import base64url, evidence
from credentials.keyring import Purpose
from eligibility import disclosure
from eligibility.disclosure import Policy
from models import consent as agreements
from models import dossier, shown
from models import verification as rows
from models.answer import Answer, Refusal
from models.database import Session
from models.verification import Evidence, Outcome, Verification
from resolvers import judgement
from resolvers.context import Context
from resolvers.judgement import Ask, Disclosed, Found, Held

_SALT_BYTES = 32
_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a check: a row with its answer, or a refusal, where nothing was looked up."""

    row: Verification | None = None
    answer: Answer = field(default_factory=Answer)
    disclosed: Disclosed | None = None
    refusal: Refusal | None = None
    retry_after_seconds: float | None = None


def signed(context: Context, ask: Ask, row: Verification, found: Found, said: str = "") -> Checked:
    """Return what was found as it is to be kept, with its receipt.

    ``said`` is what was presented, if anything was; of that the receipt has a salted hash.
    """
    now = context.now.astimezone(UTC).replace(microsecond=0)
    answer = found.answer
    row.outcome, row.told = found.outcome, answer.kept()
    row.subject, row.card_id = found.subject, found.card_id
    row.checked_at, row.status_as_of = now, found.status_as_of or now
    row.expires_at = found.expires_at and found.expires_at.astimezone(UTC)
    row.salt, row.position = secrets.token_hex(_SALT_BYTES), None
    is_told = found.outcome is Outcome.ACCEPTED
    row.receipt = evidence.sign(
        context.authority.keys.signer(Purpose.RECEIPT),
        evidence.Receipt(
            id=row.handle,
            partner=ask.partner,
            holder=answer.holder,
            outcome=found.outcome,
            evidence=answer.evidence if is_told else None,
            service=ask.service,
            policy=_policy(answer if is_told else Answer()).digest,
            consent=answer.consent,
            claims=tuple(answer.claims),
            status_as_of=row.status_as_of,
            checked_at=now,
            rules=_rules(context, ask.service),
            presented=evidence.commitment(rows.leaf_salt(row.salt).encode(), said.encode()),
            record=rows.record(row),
        ),
    )
    return Checked(row, answer, found.disclosed)


async def filed(
    context: Context, session: Session, ask: Ask, row: Verification, found: Found
) -> Checked:
    """Keep what was found of one check, with its receipt, and return it."""
    checked = signed(context, ask, row, found)
    await rows.add(session, [row], found.rows)
    return checked


async def told_again(session: Session, row: Verification) -> Checked:
    """Return an answer that is on record; what was personal in it is read anew, while it may be."""
    answer = Answer.of(row.told)
    if row.outcome is not Outcome.ACCEPTED:
        return Checked(row, answer)
    policy = _policy(answer)
    if not policy.personal:
        return Checked(row, answer, Disclosed(policy.code, tier=answer.tier))
    disclosed = await _disclosed_again(session, row, policy, answer)
    return Checked(row, answer, disclosed)


async def _disclosed_again(
    session: Session, row: Verification, policy: Policy, answer: Answer
) -> Disclosed:
    nothing = Disclosed(disclosure.NOTHING.code)
    held = await shown.card_of(session, row.card_id)
    if held is None or answer.consent is None:
        return nothing
    [whose] = await dossier.by_ids(session, [held.talent_id])
    own = await agreements.by_handle(session, held.talent_id, answer.consent)
    if whose is None or own is None or own.withdrawn_at is not None:
        return nothing
    children = await agreements.of_children(session, own)
    kept = [own, *(one for one in children if one.withdrawn_at is None)]
    by = answer.evidence or Evidence.LIVE_CODE
    return judgement.disclosed(policy, Held(held, whose, by, row.checked_at), kept)


def _rules(context: Context, service: str) -> str:
    """Return the version of the rule in force; of a service that was withdrawn there is none."""
    known = service in context.catalogue.services
    return context.catalogue.version(service) if known else "withdrawn"


def _policy(answer: Answer) -> Policy:
    return disclosure.POLICIES[answer.policy or disclosure.NOTHING.code]


def new_handle() -> str:
    """Return a name for a check that nobody can guess."""
    return base64url.encode(secrets.token_bytes(_ID_BYTES))

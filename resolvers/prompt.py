"""Prompts: holders are asked, by a serial or for their consent, and what they answer is filed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from eligibility import disclosure
from models import card, dossier, errors, shown
from models import verification as rows
from models.answer import Answer
from models.consent import Consent
from models.database import Session
from models.verification import AccessEntry, Evidence, Outcome, Verification
from models.verifier import Scope
from resolvers import filing, judgement, limit
from resolvers.context import Context
from resolvers.judgement import NO, Ask, Found, Held

#: How long a holder has to confirm.
CONFIRMS = timedelta(seconds=120)


async def prompted(context: Context, session: Session, ask: Ask, typed: str) -> Found:
    """Return that the holder of a serial is asked; the same, if there is no such card.

    What there is and what there is not take the same steps, lest time tell them apart.
    """
    printed = card.normal_serial(typed) or ""
    named, known = await shown.by_serial(session, printed)
    asked_often = await context.authority.limits.take(limit.PROMPTS, named.whose or printed)
    counts = judgement.counts(named, ask, context.now)
    asked = known and counts and not asked_often
    return Found(
        Outcome.PENDING,
        Answer(redeems=ask.redeems, holds=ask.holds, policy=ask.policy.code),
        named.whose if asked else None,
        named.id if asked else None,
        expires_at=context.now + CONFIRMS,
    )


async def answered(
    context: Context,
    handle: str,
    *,
    accept: bool,
    agreed: Sequence[Consent] = (),
    subject: str | None = None,
    note: Sequence[AccessEntry] = (),
) -> None:
    """Write down what a holder answers to a check that waits for them.

    Args:
        context: The query's surroundings.
        handle: The check.
        accept: Whether the holder lets it go on; who declines to tell what is personal has a good
            card all the same, and the partner learns no more than that.
        agreed: What the holder agreed to, in the database already.
        subject: Whose check it is; the person asking, if not given (an officer helps).
        note: What else that person's log is to tell, in the same transaction.

    Raises:
        UnknownPromptError: no check so called waits for this person.
    """
    whose = subject or context.holder().handle
    try:
        async with context.database.begin() as session:
            before = await rows.waiting(session, handle, whose, context.now)
            if before is None:
                raise errors.UnknownPromptError
            ask, new = _ask_of(context, before), filing.new_handle()
            found = NO
            if accept or before.outcome is Outcome.CONSENT_REQUIRED:
                found = await _answered(context, session, ask, before, agreed, new, accept=accept)
            found = replace(found, rows=(*found.rows, *note))
            await filing.filed(context, session, ask, _following(before, new), found)
    except rows.KeyTakenError:
        # They answered twice at once, and the other answer was first.
        raise errors.UnknownPromptError from None


async def _answered(
    context: Context,
    session: Session,
    ask: Ask,
    before: Verification,
    agreed: Sequence[Consent],
    handle: str,
    *,
    accept: bool,
) -> Found:
    held = await shown.card_of(session, before.card_id)
    now = context.now
    if held is None or not await judgement.is_good(session, held, ask, now, now):
        return NO
    [whose] = await dossier.by_ids(session, [held.talent_id])
    if whose is None:
        return NO
    by = Answer.of(before.told).evidence or Evidence.SERIAL_CONFIRMED
    own = Held(held, whose, by, now)
    told = agreed or await judgement.agreed_by(context, session, ask, whose, None)
    told = told if accept else ()
    # Who confirms a serial and has not agreed to more tells no more.
    away = judgement.turned_away(context, ask, own, told, declined=True)
    if away is not None:
        return away
    taking = judgement.Taking.by(context, ask, whose.handle, now)
    [count] = await judgement.counted(session, [taking], now)
    return judgement.accepted(context, ask, own, told, taking, count, handle)


async def lapsed(context: Context, session: Session, before: Verification) -> Verification:
    """Return the no that a check became for which nobody answered in time."""
    row = _following(before, filing.new_handle())
    ask = Ask(
        before.verifier,
        "",
        before.live,
        before.service,
        disclosure.NOTHING,
        frozenset(),
        redeems=False,
        holds=False,
    )
    checked = await filing.filed(context, session, ask, row, NO)
    return checked.row or before


def _ask_of(context: Context, before: Verification) -> Ask:
    """Return for whom and what a check was that waited, as its verifier stands now."""
    row = context.authority.verifiers.by_code.get(before.verifier)
    if row is None or row.suspended_at is not None:
        raise errors.UnknownPromptError
    answer = Answer.of(before.told)
    policy = disclosure.POLICIES[answer.policy or disclosure.NOTHING.code]
    scopes = frozenset(Scope(one) for one in row.scopes)
    return Ask(
        row.code,
        row.name,
        before.live,
        before.service,
        policy,
        scopes,
        answer.redeems,
        answer.holds,
    )


def _following(before: Verification, handle: str) -> Verification:
    return Verification(
        handle=handle,
        verifier=before.verifier,
        live=before.live,
        service=before.service,
        terminal=before.terminal,
        # A key that nobody can have used: theirs are of one line.
        idempotency_key=f"follows\n{before.handle}",
        input_digest=before.input_digest,
        follows=before.handle,
    )

"""Verifications: a card is checked, for one service, by one partner, with all that follows of it.

Everything happens in one transaction: what was shown is used up, the card and the entitlement are
looked up, a unit is taken, what is told is noted for the holder, and the receipt is signed.
Whatever comes of it is an answer, and whoever asks again under the same key hears the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from eligibility import disclosure
from models import card, errors, redemption
from models import verification as rows
from models.answer import Refusal
from models.card import Use
from models.verifier import Scope
from resolvers import admission, counter, filing, presented, prompt
from resolvers import verifier as verifiers
from resolvers.admission import MOST_AT_ONCE, Asked, RefusedError
from resolvers.context import Context
from resolvers.counter import Check
from resolvers.directory import Asking
from resolvers.filing import Checked
from resolvers.judgement import Ask


async def verify(context: Context, asked: Asked) -> Checked:
    """Check a card, and return what came of it.

    Raises:
        UnauthenticatedError: nobody in particular asks, or it shows what was used already.
        ForbiddenError: somebody asks who does not come with a verifier's key.
    """
    asking = context.viewer.asking()
    try:
        await admission.admit(context, asking, asked)
        return await _checked(context, asking, asked)
    except RefusedError as refused:
        return Checked(refusal=refused.refusal, retry_after_seconds=refused.retry_after_seconds)


async def verify_all(context: Context, several: Sequence[Asked]) -> list[Checked]:
    """Check several cards, each on its own, in their order.

    Raises:
        BadInputError: they are too many.
        UnauthenticatedError, ForbiddenError: as ``verify``.
    """
    asking = context.viewer.asking()
    if len(several) > MOST_AT_ONCE:
        raise errors.BadInputError(
            f"{len(several)} checks are too many at once.", f"Send at most {MOST_AT_ONCE}."
        )
    if not asking.may(Scope.VERIFY_BATCH):
        return [_refused(Refusal.SCOPE_MISSING) for _ in several]
    return [await verify(context, one) for one in several]


async def report(
    context: Context, passes: Sequence[str], service: str, idempotency_key: str
) -> list[Checked]:
    """Take in what was accepted by offline passes: each is counted as it was used, in order.

    Raises:
        BadInputError: they are too many.
        UnauthenticatedError, ForbiddenError: as ``verify``.
    """
    asking = context.viewer.asking()
    if len(passes) > MOST_AT_ONCE:
        raise errors.BadInputError(
            f"{len(passes)} passes are too many at once.", f"Send at most {MOST_AT_ONCE}."
        )
    if not asking.may(Scope.VERIFY_OFFLINE):
        return [_refused(Refusal.SCOPE_MISSING) for _ in passes]
    return [
        await verify(
            context,
            Asked(
                service,
                f"{idempotency_key}.{place}",
                code=text,
                redeems=asking.may(Scope.REDEEM),
                reported=True,
            ),
        )
        for place, text in enumerate(passes)
    ]


async def by_handle(context: Context, handle: str) -> Checked | None:
    """Return what came of a check of the verifier's: the latest, where a holder was asked.

    None where it has no check so called.
    """
    asking = context.viewer.asking()
    async with context.database.begin() as session:
        await verifiers.spend(session, asking)
        found = await rows.latest(session, handle, asking.code, live=asking.live)
        if found is None:
            return None
        if found.expires_at is not None and found.expires_at <= context.now:
            # Time alone makes it a no: whoever looks first writes it down.
            found = await prompt.lapsed(context, session, found)
        return await filing.told_again(session, found)


async def settle(context: Context, handle: str, state: Use) -> Sequence[card.Redemption]:
    """Confirm what is held, or give it back; again, nothing changes.

    Raises:
        UnknownRedemptionError: the verifier has none so called.
        RedemptionStateError: it is neither held nor what is wanted.
        UnauthenticatedError, ForbiddenError: as ``verify``.
    """
    asking = context.viewer.asking()
    async with context.database.begin() as session:
        await verifiers.spend(session, asking)
        found = await redemption.of(session, handle, asking.code, locked=True)
        if not found:
            raise errors.UnknownRedemptionError
        stands = state_of(found, context.now)
        if stands is not state:
            if stands is not Use.HELD:
                raise errors.RedemptionStateError(stands)
            await redemption.settle(session, handle, state)
    async with context.reads.one(), context.database.session() as session:
        return await redemption.of(session, handle, asking.code)


def state_of(found: Sequence[card.Redemption], now: datetime) -> Use:
    """Return how far a redemption is: a hold that ran out is given back."""
    first = found[0]
    over = first.expires_at is not None and first.expires_at <= now
    return Use.RELEASED if first.state is Use.HELD and over else first.state


def _refused(refusal: Refusal) -> Checked:
    return Checked(refusal=refusal)


async def _checked(context: Context, asking: Asking, asked: Asked) -> Checked:
    read = None
    if asked.portable is not None:
        # Another district may be asked: nobody else waits for that.
        read = await presented.read(context.authority, asking, asked.portable, context.now)
    ask = Ask(
        asking.code,
        asking.name,
        asking.live,
        asked.service,
        disclosure.policy(asking.kind, asking.tier, asking.scopes),
        asking.scopes,
        asked.redeems,
        asked.holds,
    )
    return await counter.serve(Check(context, asking, asked, ask, read))

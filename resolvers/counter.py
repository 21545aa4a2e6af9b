"""The counter: checks that come at one time are served together, in one transaction.

A transaction, its statements and its commit cost more than all the rest of a check. So whoever
shows a live code while others are served is served next, with all who have come meanwhile, in a
handful of statements for all. Each has an answer of its own; where the transaction fails, each is
served alone.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from credentials import code, sd_jwt
from models import card, dossier, shown, talent
from models import consent as agreements
from models import verification as rows
from models.answer import Refusal
from models.card import Status
from models.consent import Consent
from models.database import Session
from models.verification import AccessEntry, Evidence, Outcome, Verification
from resolvers import (
    consent,
    entitlement,
    filing,
    judgement,
    limit,
    presented,
    prompt,
    verifier,
)
from resolvers.admission import Asked, RefusedError
from resolvers.context import ZONE, Context
from resolvers.directory import Asking
from resolvers.filing import Checked
from resolvers.judgement import Ask, Counted, Found, Held, Taking
from resolvers.presented import Foreign, Shown

_log = logging.getLogger("greenway")


@dataclass(eq=False)
class Check:
    """One check on its way: what is asked, and how far it has come."""

    context: Context
    asking: Asking
    asked: Asked
    ask: Ask
    #: What a portable credential says, which was read before.
    read: sd_jwt.Presented | Foreign | None = None
    handle: str = field(default_factory=filing.new_handle)
    seen: Shown = field(default_factory=lambda: Shown(Evidence.LIVE_CODE))
    talent_id: int | None = None
    #: The handle of the holder, once it is known.
    whose: str | None = None
    held: Held | None = None
    agreed: Sequence[Consent] = ()
    taking: Taking | None = None
    found: Found | None = None
    #: What came of it.
    checked: Checked | None = None
    failure: Exception | None = None

    @property
    def key(self) -> rows.Key:
        """Under which it is kept, once."""
        return (self.asking.code, self.asking.live, self.asked.idempotency_key)

    @functools.cached_property
    def digest(self) -> str | None:
        """By what the hub knows the live code that was shown; None of anything else."""
        shown_ = (
            code.parse(self.asked.code) if self.asked.code and not self.asked.reported else None
        )
        return shown_.ticket.digest.hex() if isinstance(shown_, code.LiveCode) else None

    def forget(self) -> None:
        """Forget what came of it: its transaction was undone."""
        self.checked = self.failure = self.found = self.taking = self.held = None

    @property
    def is_open(self) -> bool:
        """Whether nothing has come of it yet."""
        return self.checked is None and self.failure is None


async def serve(check: Check) -> Checked:
    """Return what comes of a check.

    Raises:
        RefusedError: nothing is looked up, and nothing was changed.
        UnauthenticatedError: what the request showed was used before.
    """
    if check.digest is None:
        await _alone(check)
    else:
        await check.context.authority.turns.take(check, _together)
    if check.failure is not None:
        raise check.failure
    if check.checked is None:
        raise RuntimeError("A check came to nothing.")
    return check.checked


async def _together(checks: Sequence[Check]) -> Sequence[None]:
    try:
        async with checks[0].context.database.begin() as session:
            await _run(session, checks)
    except Exception:  # noqa: BLE001 - each is served again, and told what befalls it then
        _log.debug("checks are served one by one", exc_info=True)
        for check in checks:
            try:
                await _alone(check)
            except Exception as failure:  # noqa: BLE001 - it is told to whoever asked
                check.failure = failure
    return [None] * len(checks)


async def _alone(check: Check) -> None:
    try:
        await _once(check)
    except rows.KeyTakenError:
        # Who asked the same at the same moment was first: now their answer is there.
        await _once(check)


async def _once(check: Check) -> None:
    check.forget()
    async with check.context.database.begin() as session:
        await _run(session, [check], alone=True)
        if check.failure is not None:
            # What was begun is undone: a refusal changes nothing.
            raise check.failure


# ── the steps, each for all ──────────────────────────────────────────────────────────────────


async def _run(session: Session, checks: Sequence[Check], *, alone: bool = False) -> None:
    """Take checks through all steps; each comes to an answer or a failure.

    A live code that nobody has used yet was hardly asked about before. Whether it was is left to
    the end, where a key is refused that is taken; then each is served ``alone``, and looked up.
    """
    await _spend(session, checks)
    if alone:
        await _answered_before(session, checks)
    await _look(session, _open(checks))
    if not alone:
        await _answered_before(session, [one for one in checks if one.seen.problem is not None])
    await _people(session, _open(checks))
    await _judge(session, _open(checks))
    await _file(session, _open(checks))


def _open(checks: Sequence[Check]) -> list[Check]:
    return [one for one in checks if one.is_open]


async def _spend(session: Session, checks: Sequence[Check]) -> None:
    """Use up what each request showed once."""
    refused = await verifier.used_by_others(session, [one.asking for one in checks])
    for one in checks:
        if any(asking is one.asking for asking in refused):
            one.failure = verifier.NotAcceptedError()


async def _answered_before(session: Session, checks: Sequence[Check]) -> None:
    """Answer again what was answered before under the same key."""
    open_ = _open(checks)
    if not open_:
        return
    known = await rows.by_keys(session, {one.key for one in open_})
    for one in open_:
        before = known.get(one.key)
        if before is None:
            continue
        if before.input_digest != one.asked.digest:
            one.failure = RefusedError(Refusal.IDEMPOTENCY_CONFLICT)
        else:
            one.checked = await filing.told_again(session, before)


async def _look(session: Session, checks: Sequence[Check]) -> None:
    """Look what was shown: live codes all at once, anything else one by one."""
    tickets = await shown.tickets(session, {one.digest for one in checks if one.digest})
    taken: set[str] = set()
    for one in checks:
        digest = one.digest
        if digest is not None:
            _scan(one, tickets.get(digest), taken)
        elif one.asked.serial is not None:
            one.found = await prompt.prompted(one.context, session, one.ask, one.asked.serial)
        else:
            one.seen = await _shown(session, one)
            one.talent_id = one.seen.card.talent_id if one.seen.card else None


def _scan(check: Check, ticket: shown.Scanned | None, taken: set[str]) -> None:
    now, service = check.context.now, check.asked.service
    is_taken = ticket is not None and ticket.digest in taken
    problem = presented.by_ticket(ticket, check.asking, service, now, taken=is_taken)
    check.seen = Shown(Evidence.LIVE_CODE, problem=problem, ticket=None if problem else ticket)
    if ticket is not None:
        # Of a code that is scanned in vain the holder is told as well.
        check.talent_id = ticket.talent_id
    if ticket is not None and problem is None:
        taken.add(ticket.digest)


async def _shown(session: Session, check: Check) -> Shown:
    authority, now, asked = check.context.authority, check.context.now, check.asked
    if asked.portable is not None:
        nonce = asked.portable.nonce
        return await presented.by_credential(
            authority, session, check.asking, asked.service, nonce, check.read, now
        )
    by = presented.by_report if asked.reported else presented.by_code
    return await by(authority, session, check.asking, asked.service, asked.code or "", now)


async def _people(session: Session, checks: Sequence[Check]) -> None:
    """Find whose the cards are that were shown, and which of them are good."""
    wanted = list(dict.fromkeys(one.talent_id for one in checks if one.talent_id is not None))
    if not wanted:
        return
    found = await dossier.by_ids(session, wanted, _parts(checks))
    people = dict(zip(wanted, found, strict=True))
    for one in checks:
        whose = people.get(one.talent_id) if one.talent_id is not None else None
        if whose is not None:
            one.whose = whose.handle
            if one.seen.problem is None:
                await _hold(session, one, whose)


async def _hold(session: Session, check: Check, whose: talent.Talent) -> None:
    """Note whose good card was shown, where it is one."""
    ticket, held, now = check.seen.ticket, check.seen.card, check.context.now
    if ticket is not None:
        held = next((own for own in whose.cards if own.id == ticket.card_id), None)
    at = min(check.seen.at or now, now)
    if held is None or not await judgement.is_good(session, held, check.ask, at, now):
        return
    if at < now:
        # The rule is judged on the card as it was then; nothing of this is kept.
        for own in whose.cards:
            own.status = Status.ACTIVE if own.id == held.id else own.status
    check.held = Held(held, whose, check.seen.evidence, at)
    if wait := await check.context.authority.limits.take(limit.CARD, str(whose.id)):
        check.failure = RefusedError(Refusal.RATE_LIMITED, wait)


def _parts(checks: Sequence[Check]) -> frozenset[str] | None:
    """Return which lists of people are needed; None: all, since somebody may be told of them."""
    parts = {"cards"}
    for one in checks:
        on = min(one.seen.at or one.context.now, one.context.now).astimezone(ZONE).date()
        read = entitlement.reads(one.context.catalogue, one.asked.service, on)
        if read is None or one.ask.policy.personal:
            return None
        parts |= read
    return frozenset(parts)


async def _judge(session: Session, checks: Sequence[Check]) -> None:
    """Judge each, and count what the good ones take."""
    for one in checks:
        if one.found is None:
            one.found = await _early(session, one)
    counting = [one for one in checks if one.taking is not None]
    if not counting:
        return
    takings = [one.taking for one in counting if one.taking is not None]
    counts = await judgement.counted(session, takings, max(one.context.now for one in counting))
    for one, count in zip(counting, counts, strict=True):
        one.found = _counted(one, count)


async def _early(session: Session, check: Check) -> Found | None:
    """Return what comes of a check before anything is counted; None where it takes its place."""
    context, ask, seen = check.context, check.ask, check.seen
    if seen.problem is not None:
        return judgement.unusable(seen.problem, check.whose)
    if seen.foreign is not None:
        taking = judgement.taking_of(context, ask, seen.foreign)
        if isinstance(taking, Found):
            return taking
        check.taking = taking
        return None
    held = check.held
    if held is None:
        return judgement.NO
    check.agreed = await _agreed(session, check, held)
    away = judgement.turned_away(context, ask, held, check.agreed)
    if away is None:
        check.taking = Taking.by(context, ask, held.person.handle, held.at)
    return away


async def _agreed(session: Session, check: Check, held: Held) -> Sequence[Consent]:
    """Return what the holder agreed to that holds: by what was shown, else standing."""
    ask, shown_ = check.ask, None
    if not ask.policy.personal:
        return ()
    if check.seen.ticket is not None and check.seen.ticket.consent_id is not None:
        shown_ = await agreements.by_id(session, check.seen.ticket.consent_id)
    elif check.seen.evidence is Evidence.OFFLINE_PASS:
        whose = held.person.id
        shown_ = await consent.passed(session, whose, ask.partner, ask.service, held.at)
    return await judgement.agreed_by(check.context, session, ask, held.person, shown_)


def _counted(check: Check, count: Counted) -> Found:
    context, ask, taking = check.context, check.ask, check.taking
    if taking is None:
        raise RuntimeError("Nothing was counted.")
    if check.seen.foreign is not None:
        return judgement.reciprocal(context, ask, check.seen.foreign, taking, count, check.handle)
    if check.held is None:
        return judgement.NO
    return judgement.accepted(context, ask, check.held, check.agreed, taking, count, check.handle)


async def _file(session: Session, checks: Sequence[Check]) -> None:
    """Use up the codes, and keep each check with its receipt."""
    if not checks:
        return
    used = {one.seen.ticket.digest for one in checks if one.seen.ticket is not None}
    await shown.use(session, used, max(one.context.now for one in checks))
    beside: list[card.Redemption | AccessEntry] = []
    kept = []
    for one in checks:
        found = one.found or judgement.NO
        said = one.asked
        row = Verification(
            handle=one.handle,
            verifier=one.asking.code,
            live=one.asking.live,
            service=said.service,
            terminal=said.terminal,
            idempotency_key=said.idempotency_key,
            input_digest=said.digest,
            follows=None,
        )
        presented_ = said.code or said.serial or (said.portable.token if said.portable else "")
        one.checked = filing.signed(one.context, one.ask, row, found, presented_)
        kept.append(row)
        beside.extend(found.rows)
        if found.outcome is Outcome.NOT_ACCEPTED:
            await one.context.authority.limits.take(limit.NOES, one.ask.partner)
    await rows.add(session, kept, beside)

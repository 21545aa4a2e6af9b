"""Decisions: drafts that are told what changed, submitted ones that stay, receipts that replay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC

from eligibility import rulebook, statement
from eligibility.condition import Value
from eligibility.single import Judge
from eligibility.statement import Statement
from eligibility.verdict import Outcome
from models import decision, errors
from models.decision import Decision, State
from resolvers import menu as catalogue
from resolvers import verdict
from resolvers.context import Context
from resolvers.verdict import Asked, Given, Judged, Path
from resolvers.viewer import HOLDERS


@dataclass(frozen=True, slots=True)
class FactChange:
    """A fact that is not as it was stated; None: it was, or is, not known."""

    name: str
    before: Value | None
    now: Value | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What of a draft is not as it was when it was saved."""

    before: Statement
    now: Statement
    facts: tuple[FactChange, ...]

    @property
    def rule_changed(self) -> bool:
        """Whether the rule is another."""
        return self.before.basis.version != self.now.basis.version

    def __bool__(self) -> bool:
        """Whether anything is: the rule, the verdict, or a fact that the rule asks for."""
        return self.rule_changed or bool(self.facts) or self.before.outcome != self.now.outcome


@dataclass(frozen=True, slots=True)
class Replayed:
    """A receipt gone through again; ``confirmed``: rule and facts give the same to the byte.

    ``now`` is what the rule in force says of the same facts; None where there is none any more.
    """

    stated: Statement
    confirmed: bool
    now: Outcome | None


def receipt(context: Context, judged: Judged) -> str:
    """Return the signed receipt of a verdict."""
    return context.notary.sign(stated(judged))


def stated(judged: Judged) -> bytes:
    """Return what is stated of a verdict."""
    basis = statement.Basis(
        service=judged.service.code,
        revision=judged.catalogue.revision,
        version=judged.catalogue.version(judged.service.code),
        as_of=judged.as_of,
        known_at=judged.known_at.astimezone(UTC),
        subject=judged.person.handle if judged.person else None,
        given=tuple(judged.given),
        silent=judged.silent,
    )
    return statement.made(basis, judged.judge, judged.known, judged.verdict)


def read(stated: bytes) -> Statement:
    """Return a statement of ours, read."""
    return statement.read(stated, rulebook.known_facts())


async def replay(context: Context, presented: str) -> Replayed:
    """Go through a receipt again, by the rule and on the facts that it states.

    Raises:
        BadReceiptError: the hub has not signed it.
    """
    before = context.notary.statement(presented)
    found = read(before)
    basis = found.basis
    async with context.reads.one():
        then = await context.shared.earlier.of(basis.revision)
    now, rule = (_rule(one, basis) for one in (context.catalogue, then))
    outcome = (await verdict.by(now, found.facts, basis.silent)).outcome if now else None
    if rule is None:
        return Replayed(found, confirmed=False, now=outcome)
    verdict_then = await verdict.by(rule, found.facts, basis.silent)
    again = statement.made(basis, rule, found.facts, verdict_then)
    return Replayed(found, confirmed=again == before, now=outcome)


def _rule(menu: catalogue.Catalogue | None, basis: statement.Basis) -> Judge | None:
    """Return the rule that a receipt rests on as a menu has it, if it has."""
    if menu is None or basis.service not in menu.rulebook.rules:
        return None
    return menu.rulebook.judge(basis.service, basis.as_of)


async def mine(context: Context) -> Sequence[Decision]:
    """Return the viewer's decisions, the newest first.

    Raises:
        UnauthenticatedError: nobody in particular is asking.
        ForbiddenError: a role that is no person is asking.
    """
    context.viewer.require(HOLDERS)
    if context.person is None:
        return ()
    async with context.reads.one(), context.database.session() as session:
        return await decision.of_person(session, context.person.id)


async def save(context: Context, code: str, given: tuple[Given, ...], path: Path) -> Decision:
    """Save a draft for a service, in place of the one there is; return it.

    ``path``, here and below, leads to the field that asks, as for ``verdict.settled``.

    Raises:
        UnknownCodeError: there is no such service, fact, or value of it.
        BadInputError: a fact is out of its range.
        UnauthenticatedError, ForbiddenError: the viewer is no person we know.
    """
    person = context.holder()
    judged = await _judged(context, code, given, path)
    async with context.database.begin() as session:
        await decision.hold(session, person.id)
        draft = await decision.draft(session, person.id, code)
        if draft is None:
            draft = Decision(
                handle=decision.new_handle(), talent_id=person.id, service=code, state=State.DRAFT
            )
            session.add(draft)
        draft.given = [{"name": one.name, "value": one.value} for one in given]
        draft.statement = stated(judged)
        draft.saved_at = context.now.astimezone(UTC)
    return draft


async def changes(context: Context, draft: Decision, path: Path) -> Changes | None:
    """Return what of a draft is not as it was; None where nothing is, and of what is submitted."""
    if draft.state is not State.DRAFT:
        return None
    return _changes(draft, stated(await _judged_again(context, draft, path)))


def _changes(draft: Decision, stated: bytes) -> Changes | None:
    before, now = read(draft.statement), read(stated)
    names = dict.fromkeys((*before.facts, *now.facts))
    changed = (FactChange(name, before.facts.get(name), now.facts.get(name)) for name in names)
    found = Changes(before, now, tuple(one for one in changed if one.before != one.now))
    return found or None


async def submit(context: Context, handle: str, path: Path, *, accepted: bool) -> Decision:
    """Submit a draft: from then on it stays as it is. Submitting what is submitted changes nothing.

    Raises:
        UnauthenticatedError, ForbiddenError: the viewer is no person we know.
        UnknownDecisionError: the viewer has none of this name.
        DraftChangedError: something changed since it was saved, and that is not ``accepted``; or
            it was saved anew meanwhile.
        UnknownCodeError: the service is no longer on the menu.
    """
    person = context.holder()
    async with context.reads.one(), context.database.session() as session:
        draft = _known(await decision.by_handle(session, person.id, handle))
    if draft.state is State.SUBMITTED:
        return draft
    # Partners are waited for before the transaction, not in it: it holds up all who write.
    decided = stated(await _judged_again(context, draft, path))
    if _changes(draft, decided) and not accepted:
        raise errors.DraftChangedError(draft)
    async with context.database.begin() as session:
        await decision.hold(session, person.id)
        found = _known(await decision.by_handle(session, person.id, handle))
        if found.state is State.SUBMITTED:
            return found
        if found.statement != draft.statement:
            raise errors.DraftChangedError(found)
        found.statement = decided
        found.receipt = context.notary.sign(found.statement)
        found.state = State.SUBMITTED
        found.submitted_at = context.now.astimezone(UTC)
    return found


async def discard(context: Context, handle: str) -> Decision:
    """Discard a draft and return it as it was; what is submitted stays, and is returned.

    Raises:
        UnauthenticatedError, ForbiddenError: the viewer is no person we know.
        UnknownDecisionError: the viewer has none of this name.
    """
    person = context.holder()
    async with context.database.begin() as session:
        await decision.hold(session, person.id)
        found = _known(await decision.by_handle(session, person.id, handle))
        if found.state is State.DRAFT:
            await session.delete(found)
    return found


def _known(found: Decision | None) -> Decision:
    if found is None:
        raise errors.UnknownDecisionError
    return found


async def _judged_again(context: Context, draft: Decision, path: Path) -> Judged:
    given = tuple(Given(one["name"], one["value"]) for one in draft.given)
    return await _judged(context, draft.service, given, path)


async def _judged(context: Context, code: str, given: tuple[Given, ...], path: Path) -> Judged:
    service = context.catalogue.service(code)
    found = await verdict.passed(context, service, Asked(facts=given))
    return await verdict.settled(context, found, path)

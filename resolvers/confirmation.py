"""Confirmations: what holders are asked while a partner waits, and who answers for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC

from models import access as rows
from models import consent as agreements
from models import errors
from models import verification as checks
from models.consent import Consent, Means
from models.verification import Category, Verification
from resolvers import access, consent, prompt
from resolvers.context import Context
from resolvers.viewer import HOLDERS, OFFICERS

LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Said:
    """What a holder answers; what they agree to with it counts for this check alone."""

    verification: str
    accept: bool
    agreed_to: str | None = None
    members: tuple[str, ...] = ()
    language: str | None = None


async def mine(context: Context) -> Sequence[Verification]:
    """Return the checks that wait for the viewer, the oldest first.

    Raises:
        UnauthenticatedError, ForbiddenError: the viewer is no person.
    """
    context.viewer.require(HOLDERS)
    if context.person is None:
        return ()
    async with context.reads.one(), context.database.session() as session:
        return await rows.waiting(session, context.person.handle, context.now)


async def answer(context: Context, said: Said) -> None:
    """Answer for the viewer whether a check goes on.

    Raises:
        UnknownPromptError: no check so called waits for the viewer.
        ConsentTextError: another text was agreed to than would be shown now.
        UnknownCodeError, NotServedError, BadInputError: as ``consent.disclosed``.
        UnauthenticatedError, ForbiddenError: the viewer is no person we know.
    """
    person, agreed = context.holder(), list[Consent]()
    if said.accept and said.agreed_to is not None:
        agreed = await _agreed(context, person.handle, said, said.agreed_to)
    await prompt.answered(context, said.verification, accept=said.accept, agreed=agreed)


async def assist(context: Context, handle: str, reason: str) -> None:
    """Confirm a check for its holder, who stands at an officer's desk without a phone.

    An officer agrees to nothing for anybody: what is personal is told on standing consents alone.
    That the officer did it, and why, stands in the holder's log.

    Raises:
        UnknownPromptError: no check so called waits for anybody's confirmation.
        BadInputError: the reason is none, or a long one.
        UnauthenticatedError, ForbiddenError: the viewer is no officer.
    """
    context.viewer.require(OFFICERS)
    if not (1 <= len(reason.strip()) <= LONGEST_REASON and reason.isprintable()):
        raise errors.BadInputError(
            f"`reason` must have 1 to {LONGEST_REASON} printable characters."
        )
    async with context.reads.one(), context.database.session() as session:
        found = await rows.waits(session, handle, context.now)
    if found is None or found.subject is None:
        raise errors.UnknownPromptError
    officer = access.officer(context, found.subject)
    purpose = access.Purpose(officer, access.DESK, reason.strip())
    note = access.entries(found.subject, [access.Told(Category.RECORD)], purpose, context.now)
    await prompt.answered(context, handle, accept=True, subject=found.subject, note=note)


async def _agreed(context: Context, subject: str, said: Said, agreed_to: str) -> list[Consent]:
    """Keep what the viewer agrees to with their answer, and return it."""
    now = context.now.astimezone(UTC)
    async with context.database.begin() as session:
        found = await checks.waiting(session, said.verification, subject, now)
        if found is None or found.expires_at is None:
            raise errors.UnknownPromptError
        wanted = consent.Wanted(found.verifier, found.service, said.members, said.language)
        shown = consent.disclosed(context, wanted)
        consent.agreed(shown, agreed_to)
        own = await consent.given(session, context, shown, Means.CODE, found.expires_at)
        return [own, *await agreements.of_children(session, own)]

"""What left the hub of a person: noted in the transaction it leaves by, told to that person.

What leaves while a query only reads has no transaction to be noted in. It is collected in the
query's context, and written down in one when the query is over and before it is answered.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from models import access as rows
from models import page
from models.access import Happening, Place
from models.database import Session
from models.verification import AccessEntry, Category
from resolvers.context import Context, Note
from resolvers.viewer import OFFICERS

#: What officers are called in people's logs, and why they look where they need not say it.
DESK, LOOKED_UP = "Talent service desk", "talent-database"
_log = logging.getLogger("greenway")


@dataclass(frozen=True, slots=True)
class Told:
    """One piece of what left: of the person, or of the member of their household named."""

    category: Category
    member_id: int | None = None


@dataclass(frozen=True, slots=True)
class Purpose:
    """To whom something leaves, and for which service, by code.

    ``verification`` and ``consent`` are handles, where it leaves by a check or on a consent.
    """

    partner: str
    partner_name: str
    service: str
    verification: str | None = None
    consent: str | None = None


def entries(
    subject: str, told: Iterable[Told], purpose: Purpose, at: datetime
) -> list[AccessEntry]:
    """Return the notes of what leaves of a person, by their handle."""
    return [
        AccessEntry(
            subject=subject,
            member_id=one.member_id,
            category=one.category,
            partner=purpose.partner,
            partner_name=purpose.partner_name,
            purpose=purpose.service,
            at=at,
            verification=purpose.verification,
            consent=purpose.consent,
        )
        for one in told
    ]


def left(
    session: Session, subject: str, told: Iterable[Told], purpose: Purpose, at: datetime
) -> None:
    """Note what leaves of a person with whatever else this session writes."""
    session.add_all(entries(subject, told, purpose, at))


def officer(context: Context, subject: str) -> str:
    """Return what the officer who asks is called in a person's log: another name in each."""
    names, asks = context.pseudonyms, context.viewer.subject
    return context.once(
        ("officer", subject), lambda: f"officer:{names.of(f'officers of {subject}', asks)}"
    )


def watched(context: Context) -> bool:
    """Return whether it is noted whose record is shown to the viewer: not to people themselves."""
    return context.viewer.role in OFFICERS


def looked(
    context: Context, subjects: Iterable[str], fields: Iterable[str], purpose: str = LOOKED_UP
) -> None:
    """Note that the officer who asks is shown these fields of each of these people's records."""
    shown = frozenset(fields)
    for subject in subjects if shown else ():
        partner = officer(context, subject)
        context.note(Note(subject, Category.RECORD, partner, DESK, purpose), shown)


def supplied(context: Context, subject: str, partner: str, service: str) -> None:
    """Note that a partner is asked for facts about a person, by the name it knows them by.

    It is noted that the partner was to hear it: one that rests, or is out of reach, may not have.
    """
    name = context.registry.partners[partner].manifest.name.said(("en",)).text
    context.note(Note(subject, Category.PSEUDONYM, partner, name, service))


async def kept(context: Context) -> None:
    """Write down what a query noted, some of it, in one statement, before it is answered.

    What an officer was to be shown and cannot be noted is not shown: the failure is raised, and
    takes the answer's place. What partners were told is told; then the failure is logged, and the
    answer goes to the person it is about.
    """
    notes = [
        {
            "subject": one.subject,
            "category": one.category,
            "partner": one.partner,
            "partner_name": one.partner_name,
            "purpose": one.purpose,
            "at": context.now,
            "fields": " ".join(sorted(fields)) or None,
        }
        for one, fields in context.notes.items()
    ]
    try:
        await context.shared.notes.ask(notes)
    except Exception:
        if watched(context):
            raise
        _log.exception("what partners were told is missing in a log: %d entries", len(notes))


async def log(context: Context, first: int | None, after: str | None) -> page.Page[Happening]:
    """Return a page of who asked about the viewer and what they were told, the newest first.

    Raises:
        BadCursorError: the cursor was not given out for this person's log.
        BadInputError: ``first`` is out of range.
        UnauthenticatedError, ForbiddenError: the viewer is no person we know.
    """
    person = context.holder()
    scope, size = page.Scope("access", person.handle), page.size(first)
    before = Place.of(scope.key(after)) if after is not None else None
    async with context.reads.one(), context.database.session() as session:
        found = await rows.log(session, person.handle, before, size + 1)
    return scope.page(found, size, lambda one: one.place)

"""What left the hub of a person: noted in the transaction it leaves by, told to that person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from models import access as rows
from models import page
from models.access import Happening, Place
from models.database import Session
from models.verification import AccessEntry, Category
from resolvers.context import Context


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

"""What holders are told of who asked about them: checks, what left, and what waits for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession

from models.line import Line
from models.verification import AccessEntry, Outcome, Verification

#: Of what waits for one person, so much at most is told.
MOST_WAITING = 20
_CHECK, _ENTRY = "c", "e"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in a person's log: the newest first, of one moment in this order."""

    at: datetime
    sort: str
    id: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()} {self.sort} {self.id}"

    @classmethod
    def of(cls, text: str) -> Place:
        """Return the place that was written so."""
        at, sort, id_ = text.split(" ")
        return cls(datetime.fromisoformat(at), sort, int(id_))


@dataclass(frozen=True, slots=True)
class Happening:
    """A check, with what left by it; or, without one, something that left by itself."""

    place: Place
    check: Verification | None
    entries: tuple[AccessEntry, ...]


async def keep(line: Line, notes: Sequence[Mapping[str, object]]) -> None:
    """Keep what left by itself, by column, in one statement."""
    await line.keep(AccessEntry.__table__, notes)  # type: ignore[arg-type]  # a table, as declared


async def log(
    session: AsyncSession, subject: str, before: Place | None, many: int
) -> list[Happening]:
    """Return so much of what happened with a person's data, the newest first."""
    wanted = sa.union_all(
        sa.select(Verification.checked_at.label("at"), _word(_CHECK), Verification.id).where(
            Verification.subject == subject
        ),
        sa.select(AccessEntry.at.label("at"), _word(_ENTRY), AccessEntry.id).where(
            AccessEntry.subject == subject, AccessEntry.verification.is_(None)
        ),
    ).subquery()
    at, sort, id_ = wanted.c
    statement = sa.select(at, sort, id_).order_by(at.desc(), sort.desc(), id_.desc()).limit(many)
    if before is not None:
        same = sa.and_(at == before.at, sort == before.sort, id_ < before.id)
        earlier = sa.or_(at < before.at, sa.and_(at == before.at, sort < before.sort), same)
        statement = statement.where(earlier)
    places = [Place(*row) for row in await session.execute(statement)]
    checks = await _checks(session, [one.id for one in places if one.sort == _CHECK])
    alone = [one.id for one in places if one.sort == _ENTRY]
    entries = await _entries(session, alone, [one.handle for one in checks.values()])
    return [_happening(place, checks, entries) for place in places]


async def waiting(session: AsyncSession, subject: str, now: datetime) -> Sequence[Verification]:
    """Return the checks that wait for a person's answer, the oldest first."""
    wanted = (
        sa.select(Verification)
        .where(Verification.subject == subject, _waits(now))
        .order_by(Verification.id)
        .limit(MOST_WAITING)
    )
    return (await session.scalars(wanted)).all()


async def marks(
    session: AsyncSession, people: Iterable[str], now: datetime
) -> Mapping[str, object]:
    """Return of each of these people what is another once other checks wait for their answer."""
    wanted = sa.select(Verification.subject, sa.func.count(), sa.func.sum(Verification.id))
    found = await session.execute(
        wanted.where(Verification.subject.in_(people), _waits(now)).group_by(Verification.subject)
    )
    return {person: tuple(mark) for person, *mark in found if person is not None}


async def waits(session: AsyncSession, handle: str, now: datetime) -> Verification | None:
    """Return the check so called, if somebody is asked to confirm it and has not answered."""
    follower = orm.aliased(Verification)
    wanted = sa.select(Verification).where(
        Verification.handle == handle,
        Verification.subject.is_not(None),
        Verification.outcome == Outcome.PENDING,
        Verification.expires_at > now,
        ~sa.exists().where(follower.follows == Verification.handle),
    )
    return (await session.scalars(wanted)).one_or_none()


def _waits(now: datetime) -> sa.ColumnElement[bool]:
    follower = orm.aliased(Verification)
    return sa.and_(
        Verification.outcome.in_((Outcome.PENDING, Outcome.CONSENT_REQUIRED)),
        Verification.expires_at > now,
        ~sa.exists().where(follower.follows == Verification.handle),
    )


def _word(sort: str) -> sa.Label[str]:
    return sa.literal_column(f"'{sort}'", sa.Text()).label("sort")


async def _checks(session: AsyncSession, ids: Sequence[int]) -> dict[int, Verification]:
    found = await session.scalars(sa.select(Verification).where(Verification.id.in_(ids)))
    return {one.id: one for one in found}


async def _entries(
    session: AsyncSession, ids: Sequence[int], checks: Sequence[str]
) -> Sequence[AccessEntry]:
    wanted = sa.or_(AccessEntry.id.in_(ids), AccessEntry.verification.in_(checks))
    found = await session.scalars(sa.select(AccessEntry).where(wanted).order_by(AccessEntry.id))
    return found.all()


def _happening(
    place: Place, checks: dict[int, Verification], entries: Sequence[AccessEntry]
) -> Happening:
    if place.sort == _CHECK:
        check = checks[place.id]
        told = tuple(one for one in entries if one.verification == check.handle)
        return Happening(place, check, told)
    return Happening(place, None, tuple(one for one in entries if one.id == place.id))

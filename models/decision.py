"""Decisions: what a person asked to have decided, as a draft or submitted, and what was stated."""

from __future__ import annotations

import enum
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession

from models import base, dossier
from models.talent import Talent

#: Of a person's decisions the newest so many are listed.
MOST = 100


class State(enum.StrEnum):
    """How far a decision is; what is submitted never changes again."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"


class Decision(base.Base):
    """One service asked for by one person; ``given`` are the facts they gave themselves.

    ``statement`` is what was stated when it was saved last; ``receipt`` signs that of a submitted
    one. A person has one draft a service.
    """

    __tablename__ = "decision"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    handle: orm.Mapped[str] = orm.mapped_column(unique=True)
    talent_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("talent.id"), index=True)
    service: orm.Mapped[str]
    state: orm.Mapped[State]
    given: orm.Mapped[Any] = orm.mapped_column(sa.JSON, nullable=False)
    statement: orm.Mapped[bytes] = orm.mapped_column(sa.LargeBinary)
    receipt: orm.Mapped[str | None]
    saved_at: orm.Mapped[datetime]
    submitted_at: orm.Mapped[datetime | None]


_IS_DRAFT = Decision.state == State.DRAFT
sa.Index(
    "uq_decision_draft",
    Decision.talent_id,
    Decision.service,
    unique=True,
    sqlite_where=_IS_DRAFT,
    postgresql_where=_IS_DRAFT,
)


def new_handle() -> str:
    """Return a name for a decision that nobody can guess."""
    return secrets.token_hex(16)


async def of_person(session: AsyncSession, talent_id: int) -> Sequence[Decision]:
    """Return a person's decisions, the newest first."""
    wanted = sa.select(Decision).where(Decision.talent_id == talent_id)
    found = await session.scalars(wanted.order_by(Decision.id.desc()).limit(MOST))
    return found.all()


async def marks(session: AsyncSession, people: Iterable[int]) -> Mapping[int, object]:
    """Return of each of these people what is another once one of their decisions is.

    What changed of a draft depends on what is known of the person, so that counts as well.
    """
    whose = Decision.talent_id
    drafting = sa.select(whose).where(whose.in_(people), _IS_DRAFT).cte()
    known = dossier.known_of(sa.select(drafting.c.talent_id))
    saved, submitted = sa.func.max(Decision.saved_at), sa.func.max(Decision.submitted_at)
    wanted = sa.select(whose, sa.func.count(), saved, submitted, known.c.many, known.c.last)
    found = await session.execute(
        wanted.outerjoin(known, known.c.talent_id == whose)
        .where(whose.in_(people))
        .group_by(whose, known.c.many, known.c.last)
    )
    return {person: tuple(mark) for person, *mark in found}


async def hold(session: AsyncSession, talent_id: int) -> None:
    """Keep a person's decisions from others who would change them, in this transaction."""
    person = sa.select(Talent.id).where(Talent.id == talent_id)
    await session.execute(person.with_for_update())


async def by_handle(session: AsyncSession, talent_id: int, handle: str) -> Decision | None:
    """Return a person's decision by its handle, or None where they have none so called."""
    wanted = sa.select(Decision).where(Decision.talent_id == talent_id, Decision.handle == handle)
    return (await session.scalars(wanted)).one_or_none()


async def draft(session: AsyncSession, talent_id: int, service: str) -> Decision | None:
    """Return a person's draft for a service, or None where they have none."""
    wanted = sa.select(Decision).where(
        Decision.talent_id == talent_id, Decision.service == service, _IS_DRAFT
    )
    return (await session.scalars(wanted)).one_or_none()

"""Consents: what a person agreed to have told to one partner, for one service, and until when."""

from __future__ import annotations

import enum
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession

from models import base
from models.talent import HANDLE

#: Of a person's consents the newest so many are listed.
MOST = 100


class Means(enum.StrEnum):
    """By what a partner may be told on a consent."""

    #: One live code, or one check that its holder confirmed: it ends with that.
    CODE = "CODE"
    #: One offline pass: it ends with the pass.
    PASS = "PASS"  # noqa: S105 - a pass is no password
    #: Every check until it ends, however the card is shown.
    STANDING = "STANDING"


class Consent(base.Base):
    """One person's separate consent (PIPL, articles 14, 23 and 29), never changed but withdrawn.

    ``member_id`` is the child it is given for, where it is a guardian's: beside the guardian's own,
    which has none, there is one a child, and all that were given at once say the same.
    ``partner_name`` and ``contact`` are the recipient's as they were shown; ``categories`` what is
    told; ``means`` how; ``text_digest`` is the SHA-256 of the text shown, in ``language``, of this
    ``version``.
    """

    __tablename__ = "consent"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    handle: orm.Mapped[str] = orm.mapped_column(unique=True)
    talent_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("talent.id"), index=True)
    member_id: orm.Mapped[int | None] = orm.mapped_column(sa.ForeignKey("member.id"))
    verifier: orm.Mapped[str]
    partner_name: orm.Mapped[str]
    contact: orm.Mapped[str]
    service: orm.Mapped[str]
    policy: orm.Mapped[str]
    categories: orm.Mapped[Any] = orm.mapped_column(sa.JSON, nullable=False)
    means: orm.Mapped[str]
    text_digest: orm.Mapped[str]
    language: orm.Mapped[str]
    version: orm.Mapped[int]
    given_at: orm.Mapped[datetime]
    ends_at: orm.Mapped[datetime]
    withdrawn_at: orm.Mapped[datetime | None]

    def alive(self, now: datetime) -> bool:
        """Return whether it holds at a moment."""
        return self.withdrawn_at is None and self.given_at <= now < self.ends_at


def new_handle() -> str:
    """Return a name for a consent that nobody can guess."""
    return secrets.token_hex(16)


async def of_person(session: AsyncSession, talent_id: int) -> Sequence[Consent]:
    """Return a person's consents, the newest first."""
    wanted = sa.select(Consent).where(Consent.talent_id == talent_id)
    found = await session.scalars(wanted.order_by(Consent.id.desc()).limit(MOST))
    return found.all()


async def by_handle(session: AsyncSession, talent_id: int, handle: str) -> Consent | None:
    """Return a person's consent by its handle, or None where they have none so called."""
    if not HANDLE.fullmatch(handle):
        return None
    wanted = sa.select(Consent).where(Consent.talent_id == talent_id, Consent.handle == handle)
    return (await session.scalars(wanted)).one_or_none()


async def by_id(session: AsyncSession, id_: int) -> Consent | None:
    """Return a consent, whosesoever it is."""
    return await session.get(Consent, id_)


async def live(
    session: AsyncSession,
    talent_id: int,
    verifier: str,
    service: str,
    now: datetime,
    means: Means = Means.STANDING,
) -> Consent | None:
    """Return a person's own consent for a partner and service, the newest that holds."""
    wanted = sa.select(Consent).where(
        Consent.talent_id == talent_id,
        Consent.verifier == verifier,
        Consent.service == service,
        Consent.means == means,
        Consent.member_id.is_(None),
        Consent.withdrawn_at.is_(None),
        Consent.given_at <= now,
        Consent.ends_at > now,
    )
    return await session.scalar(wanted.order_by(Consent.id.desc()).limit(1))


async def of_children(session: AsyncSession, own: Consent) -> Sequence[Consent]:
    """Return what a guardian gave for children together with their own, in its order."""
    wanted = sa.select(Consent).where(
        Consent.talent_id == own.talent_id,
        Consent.verifier == own.verifier,
        Consent.service == own.service,
        Consent.means == own.means,
        Consent.text_digest == own.text_digest,
        Consent.given_at == own.given_at,
        Consent.member_id.is_not(None),
    )
    return (await session.scalars(wanted.order_by(Consent.id))).all()


async def withdraw(session: AsyncSession, consents: Sequence[Consent], now: datetime) -> None:
    """End these consents, unless they ended before; when they were withdrawn first stays."""
    await session.execute(
        sa.update(Consent)
        .where(Consent.id.in_([one.id for one in consents]), Consent.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
    )

"""Documents that applications publish before they send them, by application and version."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession

from models import base, database


class Trust(enum.StrEnum):
    """Which documents are run: any, or those alone that applications published."""

    ANY = "any"
    TRUSTED = "trusted"


class Release(base.Base):
    """A version of an application; its documents count until it is retired.

    ``turn`` counts what was done to it, so that the sum over all tells whether anything was.
    """

    __tablename__ = "application_release"
    __table_args__ = (sa.UniqueConstraint("application", "version"),)

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    application: orm.Mapped[str]
    version: orm.Mapped[str]
    published_at: orm.Mapped[datetime]
    published_by: orm.Mapped[str]
    retired_at: orm.Mapped[datetime | None]
    turn: orm.Mapped[int]


class Document(base.Base):
    """A text that was published, by its SHA-256; nothing of it ever changes."""

    __tablename__ = "document"

    hash: orm.Mapped[str] = orm.mapped_column(primary_key=True)
    text: orm.Mapped[str]


class Released(base.Base):
    """That a version sends a document."""

    __tablename__ = "released_document"

    release_id: orm.Mapped[int] = orm.mapped_column(
        sa.ForeignKey("application_release.id"), primary_key=True
    )
    hash: orm.Mapped[str] = orm.mapped_column(
        sa.ForeignKey("document.hash"), primary_key=True, index=True
    )


@dataclass(frozen=True, slots=True)
class Sent:
    """A document as one version of one application sends it."""

    application: str
    version: str
    hash: str
    text: str


async def alone(session: AsyncSession) -> None:
    """Let nobody else publish until this transaction ends; SQLite's writers are alone anyway."""
    if (await session.connection()).dialect.name == "postgresql":
        await session.execute(sa.text("LOCK TABLE application_release IN SHARE ROW EXCLUSIVE MODE"))


async def stamp(session: AsyncSession) -> int:
    """Return what grows with everything that is published or retired."""
    return await session.scalar(sa.select(sa.func.sum(Release.turn))) or 0


async def in_force(session: AsyncSession) -> Sequence[Sent]:
    """Return the documents of all versions that are not retired."""
    wanted = (
        sa.select(Release.application, Release.version, Document.hash, Document.text)
        .join(Released, Released.release_id == Release.id)
        .join(Document, Document.hash == Released.hash)
        .where(Release.retired_at.is_(None))
        .order_by(Release.application, Release.id, Document.hash)
    )
    return [Sent(*row) for row in await session.execute(wanted)]


async def listed(
    session: AsyncSession, application: str | None, most: int
) -> Sequence[tuple[Release, int]]:
    """Return the versions last published, with how many documents each sends."""
    many = sa.select(sa.func.count()).where(Released.release_id == Release.id).scalar_subquery()
    wanted = sa.select(Release, many).order_by(Release.published_at.desc(), Release.id.desc())
    if application is not None:
        wanted = wanted.where(Release.application == application)
    return [(row, count) for row, count in await session.execute(wanted.limit(most))]


async def release(session: AsyncSession, application: str, version: str) -> Release | None:
    """Return a version of an application, or None where it was never published."""
    wanted = sa.select(Release).where(
        Release.application == application, Release.version == version
    )
    return (await session.scalars(wanted)).one_or_none()


async def versions(session: AsyncSession) -> Sequence[str]:
    """Return every version there is, as ``application version``."""
    found = await session.execute(sa.select(Release.application, Release.version))
    return [f"{application} {version}" for application, version in found]


async def add(session: AsyncSession, row: Release, texts: Mapping[str, str]) -> bool:
    """Have a version send these texts, by their hashes, too; say whether it did not already.

    The caller is ``alone``.
    """
    sends = sa.select(Released.hash).where(Released.release_id == row.id)
    missing = sorted(texts.keys() - set(await session.scalars(sends)))
    if missing:
        same = sa.select(Document.hash).where(Document.hash.in_(missing))
        known = set(await session.scalars(same))
        session.add_all(Document(hash=one, text=texts[one]) for one in missing if one not in known)
        await session.flush()
        await database.run(
            session, sa.insert(Released), [{"release_id": row.id, "hash": one} for one in missing]
        )
    return bool(missing)


async def many(session: AsyncSession, row: Release) -> int:
    """Return how many documents a version sends."""
    sent = sa.select(sa.func.count()).where(Released.release_id == row.id)
    return await session.scalar(sent) or 0


async def texts_of(session: AsyncSession, row: Release) -> Mapping[str, str]:
    """Return the texts that a version sends, by their hashes."""
    wanted = (
        sa.select(Document.hash, Document.text)
        .join(Released, Released.hash == Document.hash)
        .where(Released.release_id == row.id)
        .order_by(Document.hash)
    )
    return {one.hash: one.text for one in await session.execute(wanted)}

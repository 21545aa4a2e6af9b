"""Versions of partner files: which are at work, which were, and why one was taken back."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import AsyncSession

from models import base


class Origin(enum.StrEnum):
    """Where a version came from."""

    FOLDER = "FOLDER"
    ENDPOINT = "ENDPOINT"


class State(enum.StrEnum):
    """How far a version is; of one partner at most one is ACTIVE, and at most one CANARY."""

    CANARY = "CANARY"
    ACTIVE = "ACTIVE"
    SUPERSEDED = "SUPERSEDED"
    ROLLED_BACK = "ROLLED_BACK"
    REMOVED = "REMOVED"


#: Of a partner's versions the latest so many are listed.
MOST = 20
#: Those that partners are asked by.
_LIVE = (State.ACTIVE, State.CANARY)


class Version(base.Base):
    """One text of one partner's file, by its digest; ``edition`` is what the text calls itself.

    ``good`` and ``failed`` count the asks of its trial, over all processes. ``reason`` is why it
    was rolled back, ``changed_by`` who brought it into its state, or None where nobody did.
    """

    __tablename__ = "partner_version"
    __table_args__ = (sa.UniqueConstraint("slug", "digest"),)

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    slug: orm.Mapped[str]
    digest: orm.Mapped[str]
    edition: orm.Mapped[str]
    text: orm.Mapped[str] = orm.mapped_column(deferred=True)
    origin: orm.Mapped[Origin]
    state: orm.Mapped[State]
    good: orm.Mapped[int]
    failed: orm.Mapped[int]
    reason: orm.Mapped[str | None]
    changed_at: orm.Mapped[datetime]
    changed_by: orm.Mapped[str | None]


for _state in _LIVE:
    _is_so = Version.state == _state
    sa.Index(
        f"uq_partner_version_{_state.lower()}",
        Version.slug,
        unique=True,
        sqlite_where=_is_so,
        postgresql_where=_is_so,
    )


async def alone(session: AsyncSession) -> None:
    """Let nobody else change versions until this transaction ends.

    SQLite's writers are alone anyway.
    """
    if (await session.connection()).dialect.name == "postgresql":
        await session.execute(sa.text("LOCK TABLE partner_version IN SHARE ROW EXCLUSIVE MODE"))


async def live(session: AsyncSession, *, texts: bool = False) -> Sequence[Version]:
    """Return the versions that partners are asked by, by slug; with their texts if so wanted."""
    wanted = sa.select(Version).where(Version.state.in_(_LIVE))
    if texts:
        wanted = wanted.options(orm.undefer(Version.text))
    return (await session.scalars(wanted.order_by(Version.slug, Version.id))).all()


async def live_of(session: AsyncSession, slug: str) -> Mapping[State, Version]:
    """Return the versions that one partner is asked by, by their state."""
    wanted = sa.select(Version).where(Version.slug == slug, Version.state.in_(_LIVE))
    return {one.state: one for one in await session.scalars(wanted)}


async def by_slugs(session: AsyncSession, slugs: Sequence[str]) -> list[list[Version]]:
    """Return the latest versions of each of these partners, the last changed first."""
    wanted = sa.select(Version).where(Version.slug.in_(slugs))
    found: dict[str, list[Version]] = {slug: [] for slug in slugs}
    for one in await session.scalars(wanted.order_by(Version.changed_at.desc(), Version.id.desc())):
        if len(found[one.slug]) < MOST:
            found[one.slug].append(one)
    return [found[slug] for slug in slugs]


async def install(session: AsyncSession, found: Version, *, on_trial: bool) -> Version:
    """Bring a version into force in place of the one that is, and return it as it then is.

    What was rolled back stays so, and what is in force goes on, alone. The caller is ``alone``.

    Args:
        session: A session that writes.
        found: The version, in no session yet; its counts and its state are not read.
        on_trial: Try it beside the one in force, where there is one.
    """
    same = sa.select(Version).where(Version.slug == found.slug, Version.digest == found.digest)
    known = (await session.scalars(same)).one_or_none()
    if known is not None and known.state is State.ROLLED_BACK:
        return known
    at_work = await live_of(session, found.slug)
    if known is not None and known in at_work.values():
        known.origin = found.origin
        replaced = [State.CANARY] if known.state is State.ACTIVE else []
        state = known.state
    else:
        state = State.CANARY if on_trial and State.ACTIVE in at_work else State.ACTIVE
        replaced = [State.CANARY] if state is State.CANARY else [*_LIVE]
    for one in (at_work[name] for name in replaced if name in at_work):
        _change(one, State.SUPERSEDED, found.changed_at, found.changed_by)
    # One goes before the other comes: the indexes let nobody see two.
    await session.flush()
    if known is None or known.state is not state:
        known = known or found
        known.origin = found.origin
        known.good = known.failed = 0
        _change(known, state, found.changed_at, found.changed_by)
        session.add(known)
        await session.flush()
    return known


async def promote(
    session: AsyncSession, slug: str, at: datetime, by: str | None = None
) -> Version | None:
    """Bring into force what is on trial, and return it; None where nothing is.

    The caller is ``alone``.
    """
    at_work = await live_of(session, slug)
    tried = at_work.get(State.CANARY)
    if tried is None:
        return None
    _change(at_work[State.ACTIVE], State.SUPERSEDED, at, by)
    await session.flush()
    _change(tried, State.ACTIVE, at, by)
    await session.flush()
    return tried


async def roll_back(
    session: AsyncSession, slug: str, at: datetime, reason: str, by: str | None = None
) -> Version | None:
    """Take back what is on trial, else what is in force for the one before; return what was taken.

    None where there is nothing to go back to. The caller is ``alone``.
    """
    at_work = await live_of(session, slug)
    taken, before = at_work.get(State.CANARY), None
    if taken is None:
        taken, before = at_work.get(State.ACTIVE), await _before(session, slug)
    if taken is None or (taken.state is State.ACTIVE and before is None):
        return None
    _change(taken, State.ROLLED_BACK, at, by, reason)
    await session.flush()
    if before is not None:
        _change(before, State.ACTIVE, at, by)
        await session.flush()
    return taken


async def remove(
    session: AsyncSession, slug: str, origin: Origin, at: datetime, by: str | None = None
) -> Version | None:
    """Take away what is at work of this origin, and return the latest; None where nothing is.

    The caller is ``alone``.
    """
    at_work = await live_of(session, slug)
    # What was on trial beside what is removed has nothing left to be tried beside.
    if (active := at_work.get(State.ACTIVE)) is not None and active.origin is not origin:
        at_work = {state: one for state, one in at_work.items() if one.origin is origin}
    for one in at_work.values():
        _change(one, State.REMOVED, at, by)
    await session.flush()
    return at_work.get(State.CANARY) or at_work.get(State.ACTIVE)


async def count(
    session: AsyncSession, slug: str, digest: str, *, good: int, failed: int
) -> Version | None:
    """Add to the counts of a version on trial, and return it; None where it is so no longer."""
    await session.execute(
        sa.update(Version)
        .where(Version.slug == slug, Version.digest == digest, Version.state == State.CANARY)
        .values(good=Version.good + good, failed=Version.failed + failed)
    )
    tried = (await live_of(session, slug)).get(State.CANARY)
    return tried if tried is not None and tried.digest == digest else None


async def _before(session: AsyncSession, slug: str) -> Version | None:
    wanted = sa.select(Version).where(Version.slug == slug, Version.state == State.SUPERSEDED)
    return (
        await session.scalars(wanted.order_by(Version.changed_at.desc(), Version.id.desc()))
    ).first()


def _change(
    version: Version, state: State, at: datetime, by: str | None, reason: str | None = None
) -> None:
    version.state, version.reason = state, reason
    version.changed_at, version.changed_by = at, by

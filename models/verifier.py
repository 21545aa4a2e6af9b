"""Verifiers: partners as those who accept cards, the keys they show, and what each may ask."""

from __future__ import annotations

import enum
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc, orm
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from models import base, database


class Kind(enum.StrEnum):
    """What sort of partner a verifier is; it is the ceiling of what may be disclosed to it."""

    CINEMA = "CINEMA"
    CULTURE = "CULTURE"
    SPORT = "SPORT"
    HOSPITAL = "HOSPITAL"
    PHYSICAL_CHECK = "PHYSICAL_CHECK"
    SCHOOL = "SCHOOL"
    BANK = "BANK"
    HOUSING = "HOUSING"
    DISTRICT = "DISTRICT"


class Scope(enum.StrEnum):
    """What a verifier may do, in the words that its access tokens carry."""

    VERIFY_CODE = "verify:code"
    VERIFY_SERIAL = "verify:serial"
    VERIFY_BATCH = "verify:batch"
    VERIFY_OFFLINE = "verify:offline"
    REDEEM = "redeem"
    DISCLOSE_TIER = "disclose:tier"
    DISCLOSE_IDENTITY = "disclose:identity"
    DISCLOSE_PATIENT = "disclose:patient"
    DISCLOSE_GUARDIAN = "disclose:guardian"
    #: Every check of its keys is of test cards alone.
    SANDBOX = "sandbox"


@dataclass(frozen=True, slots=True)
class Profile:
    """What a verifier is registered as; what each means is said of ``Verifier``."""

    code: str
    name: str
    contact: str
    kind: Kind
    tier: int
    scopes: tuple[Scope, ...]
    services: tuple[str, ...]


class KeySort(enum.StrEnum):
    """How a verifier shows who it is."""

    API_KEY = "API_KEY"
    JWK = "JWK"
    CERTIFICATE = "CERTIFICATE"


class Verifier(base.Base):
    """A partner that accepts cards; ``code`` is its slug, as in a partner file where it has one.

    ``tier`` says how it must show itself: 1 by API key, 2 by ``private_key_jwt`` and DPoP, 3 by
    these and a certificate or a signed message. ``services`` are the codes it may ask about,
    ``scopes`` what it may do, within what its kind and tier allow. ``contact`` is what a holder
    is told who asks whom to turn to.
    """

    __tablename__ = "verifier"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    code: orm.Mapped[str] = orm.mapped_column(unique=True)
    name: orm.Mapped[str]
    contact: orm.Mapped[str]
    kind: orm.Mapped[Kind]
    tier: orm.Mapped[int]
    scopes: orm.Mapped[Any] = orm.mapped_column(sa.JSON, nullable=False)
    services: orm.Mapped[Any] = orm.mapped_column(sa.JSON, nullable=False)
    created_at: orm.Mapped[datetime]
    suspended_at: orm.Mapped[datetime | None]


class VerifierKey(base.Base):
    """A key of a verifier, by its public name: an API key's id, or the thumbprint of the others.

    ``digest`` is the SHA-256 of an API key in hex, ``public`` the public JWK of the other sorts.
    ``live`` decides the world: a key that is not sees test cards alone, a live one none of them.
    """

    __tablename__ = "verifier_key"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    verifier_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("verifier.id"), index=True)
    sort: orm.Mapped[KeySort]
    name: orm.Mapped[str] = orm.mapped_column(unique=True)
    digest: orm.Mapped[str | None]
    public: orm.Mapped[Any] = orm.mapped_column(sa.JSON, nullable=False)
    live: orm.Mapped[bool]
    created_at: orm.Mapped[datetime]
    ended_at: orm.Mapped[datetime | None]


#: What may be used once, by its scope and value, and until when that is remembered.
spent = sa.Table(
    "spent",
    base.Base.metadata,
    sa.Column("scope", sa.Text(), primary_key=True),
    sa.Column("value", sa.Text(), primary_key=True),
    sa.Column("until", base.Instant(), nullable=False, index=True),
    sqlite_with_rowid=False,
)


_DIALECTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


#: What may be used once: its scope, its value, and until when it is remembered.
Once = tuple[str, str, datetime]


async def spend(session: AsyncSession, scope: str, value: str, until: datetime) -> bool:
    """Use up what may be used once, and say whether it was unused until now."""
    return bool(await spend_all(session, [(scope, value, until)]))


async def spend_all(session: AsyncSession, several: Sequence[Once]) -> set[tuple[str, str]]:
    """Use up what may be used once, and return the scope and value of what was unused until now.

    Of two that come at once, in whichever process, one has it: the other waits for its
    transaction to end, and has it not unless that one was undone.
    """
    if not several:
        return set()
    rows = [{"scope": one, "value": value, "until": until} for one, value, until in sorted(several)]
    added = await database.run(session, _spending(session.get_bind().dialect.name), rows)
    return {(one, value) for one, value in added}


@functools.cache
def _spending(dialect: str) -> sa.Insert:
    made: sa.Insert = _DIALECTS[dialect](spent).on_conflict_do_nothing()
    return made.returning(spent.c.scope, spent.c.value)


async def sweep(session: AsyncSession, now: datetime) -> None:
    """Forget what is out of date anyway."""
    await session.execute(spent.delete().where(spent.c.until < now))


def registered(profile: Profile, now: datetime) -> Verifier:
    """Return a new verifier of this profile, not yet in a session."""
    row = Verifier(code=profile.code, created_at=now, suspended_at=None)
    change(row, profile)
    return row


def change(row: Verifier, profile: Profile) -> None:
    """Give a verifier another profile; its code stays."""
    row.name, row.contact = profile.name, profile.contact
    row.kind, row.tier = profile.kind, profile.tier
    row.scopes = [str(one) for one in profile.scopes]
    row.services = list(profile.services)


def profile(row: Verifier) -> Profile:
    """Return what a verifier is registered as."""
    return Profile(
        row.code,
        row.name,
        row.contact,
        row.kind,
        row.tier,
        tuple(Scope(one) for one in row.scopes),
        tuple(row.services),
    )


async def locked(session: AsyncSession, code: str) -> Verifier | None:
    """Return the verifier with this code, and let nobody else change it in the meantime."""
    wanted = sa.select(Verifier).where(Verifier.code == code).with_for_update()
    return (await session.scalars(wanted)).one_or_none()


class TakenError(Exception):
    """Somebody was first to take a name, in another transaction."""


async def add(session: AsyncSession, row: Verifier | VerifierKey) -> None:
    """Keep a new verifier or key.

    Raises:
        TakenError: another is so called since it was looked up; the whole transaction is to be
            undone.
    """
    session.add(row)
    try:
        await session.flush()
    except exc.IntegrityError as wrong:
        raise TakenError from wrong


async def codes(session: AsyncSession) -> Sequence[str]:
    """Return the codes of all verifiers."""
    return (await session.scalars(sa.select(Verifier.code))).all()


async def keys_of(session: AsyncSession, row: Verifier) -> Sequence[VerifierKey]:
    """Return all keys that a verifier ever had, the first first."""
    wanted = sa.select(VerifierKey).where(VerifierKey.verifier_id == row.id)
    return (await session.scalars(wanted.order_by(VerifierKey.id))).all()


async def key(session: AsyncSession, name: str) -> VerifierKey | None:
    """Return the key so called, whosever it is and whether or not it has ended."""
    wanted = sa.select(VerifierKey).where(VerifierKey.name == name)
    return (await session.scalars(wanted)).one_or_none()


async def history(session: AsyncSession) -> tuple[Sequence[Verifier], Sequence[VerifierKey]]:
    """Return all verifiers by code, and all keys that they ever had, the first first."""
    found = await session.scalars(sa.select(Verifier).order_by(Verifier.code))
    keys = await session.scalars(sa.select(VerifierKey).order_by(VerifierKey.id))
    return found.all(), keys.all()


def _plain(kind: type[base.Base]) -> list[sa.ColumnElement[Any]]:
    return [
        sa.cast(column, sa.Text) if isinstance(column.type, sa.JSON) else column
        for column in kind.__table__.columns
    ]


_VERIFIERS = sa.select(*_plain(Verifier)).order_by(Verifier.id)
_KEYS = sa.select(VerifierKey.id).where(VerifierKey.ended_at.is_(None)).order_by(VerifierKey.id)


async def stamp(session: AsyncSession) -> object:
    """Return what differs as soon as ``everybody`` does; it costs a tenth of that."""
    found, keys = await session.execute(_VERIFIERS), await session.execute(_KEYS)
    return found.all(), keys.all()


async def everybody(session: AsyncSession) -> tuple[Sequence[Verifier], Sequence[VerifierKey]]:
    """Return all verifiers, and their keys that have not ended."""
    found = await session.scalars(sa.select(Verifier).order_by(Verifier.code))
    keys = await session.scalars(sa.select(VerifierKey).where(VerifierKey.ended_at.is_(None)))
    return found.all(), keys.all()

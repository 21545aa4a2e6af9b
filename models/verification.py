"""Verifications: each check of a card, what came of it, its receipt, and what left by it."""

from __future__ import annotations

import enum
import functools
import hashlib
import hmac
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc, orm
from sqlalchemy.ext.asyncio import AsyncSession

from models import base, database

#: What stands before a subject that is a hash: handles of people have no such sign.
_ERASED = "~"


class Outcome(enum.StrEnum):
    """What came of a check; by the name of its type in the graph."""

    ACCEPTED = "CardAccepted"
    NOT_ACCEPTED = "CardNotAccepted"
    CODE_NOT_USABLE = "CodeNotUsable"
    NOT_ENTITLED = "NotEntitled"
    PENDING = "HolderConfirmationPending"
    CONSENT_REQUIRED = "ConsentRequired"
    REFUSED = "VerificationRefused"


class Evidence(enum.StrEnum):
    """By what a card was shown."""

    LIVE_CODE = "LIVE_CODE"
    FALLBACK_CODE = "FALLBACK_CODE"
    OFFLINE_PASS = "OFFLINE_PASS"
    SD_JWT_VC = "SD_JWT_VC"
    SERIAL_CONFIRMED = "SERIAL_CONFIRMED"


class Category(enum.StrEnum):
    """What of a person may be told to a partner."""

    TIER = "TIER"
    NAME = "NAME"
    BIRTH_DATE = "BIRTH_DATE"
    EMPLOYER = "EMPLOYER"
    DEPENDANT_NAME = "DEPENDANT_NAME"
    DEPENDANT_BIRTH_DATE = "DEPENDANT_BIRTH_DATE"
    PSEUDONYM = "PSEUDONYM"
    #: Not told to any partner: an officer looked at what is on record.
    RECORD = "RECORD"


class Verification(base.Base):
    """One check; ``handle`` is its public id, also its receipt's.

    ``told`` is the answer as JSON without anything personal in it: names of claims, never their
    values. ``subject`` is the holder's handle, or None where no card was found or may be told of.
    ``input_digest`` is the SHA-256 of what was asked under the verifier's ``idempotency_key``.

    ``receipt`` was signed over ``record``, a digest of the other columns; ``salt`` and it make the
    leaf of the log, at ``position`` there once it is in. Rows are never changed but for
    ``position``; a check that goes on (a holder was asked) gets a new row that ``follows`` it.
    Of a person who is erased, ``subject`` becomes a hash and ``salt`` empty.
    """

    __tablename__ = "verification"
    __table_args__ = (sa.UniqueConstraint("verifier", "live", "idempotency_key"),)

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    handle: orm.Mapped[str] = orm.mapped_column(unique=True)
    verifier: orm.Mapped[str]
    live: orm.Mapped[bool]
    service: orm.Mapped[str]
    terminal: orm.Mapped[str | None]
    idempotency_key: orm.Mapped[str]
    input_digest: orm.Mapped[str]
    outcome: orm.Mapped[Outcome]
    told: orm.Mapped[Any] = orm.mapped_column(sa.JSON, nullable=False)
    subject: orm.Mapped[str | None] = orm.mapped_column(index=True)
    card_id: orm.Mapped[int | None]
    checked_at: orm.Mapped[datetime]
    status_as_of: orm.Mapped[datetime]
    expires_at: orm.Mapped[datetime | None]
    follows: orm.Mapped[str | None] = orm.mapped_column(unique=True)
    receipt: orm.Mapped[str]
    salt: orm.Mapped[str]
    position: orm.Mapped[int | None] = orm.mapped_column(unique=True)


async def by_handle(session: AsyncSession, handle: str) -> Verification | None:
    """Return the check with this handle, if there is one."""
    return await session.scalar(sa.select(Verification).where(Verification.handle == handle))


async def of_subject(session: AsyncSession, handle: str, most: int) -> Sequence[Verification]:
    """Return checks of a person that are in the log."""
    row = Verification
    found = sa.select(row).where(row.subject == handle, row.position.is_not(None)).limit(most)
    return (await session.scalars(found)).all()


def record(row: Verification) -> str:
    """Return the digest of a check that its receipt is signed over; its ``salt`` is in place.

    Whom the check was about is in it as ``masked`` says, so that it can be told anew of a row from
    which the person was erased.
    """
    said = [
        row.handle,
        row.verifier,
        row.live,
        row.service,
        row.terminal,
        row.idempotency_key,
        row.input_digest,
        row.outcome.value,
        row.told,
        masked(row),
        _written(row.checked_at),
        _written(row.status_as_of),
        _written(row.expires_at),
        row.follows,
    ]
    return hashlib.sha256(_canonical(said)).hexdigest()


def masked(row: Verification) -> str:
    """Return whom a check was about, as a hash: of nothing, once the salt is forgotten."""
    if erased(row):
        return str(row.subject)
    said = _canonical([row.subject, row.card_id])
    return _ERASED + hmac.digest(row.salt.encode(), said, "sha256").hex()


def leaf_salt(salt: str) -> str:
    """Return what a check's leaf in the log is salted with, which its partner is told.

    The salt itself is not: by it, whoever has the receipt could try out whom the check was about.
    """
    return hashlib.sha256(f"leaf {salt}".encode()).hexdigest()


def erased(row: Verification) -> bool:
    """Return whether the person was erased from a check."""
    return not row.salt and (row.subject or "").startswith(_ERASED)


def erase(row: Verification) -> None:
    """Forget whom a check was about; its receipt and its leaf in the log stand."""
    if not erased(row):
        row.subject, row.card_id, row.salt = masked(row), None, ""


def _written(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="microseconds") if moment else None


def _canonical(said: object) -> bytes:
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


#: A verifier, whether it sees real cards, and an idempotency key of its own.
Key = tuple[str, bool, str]

_BY_KEYS = sa.select(Verification).where(
    Verification.verifier.in_(sa.bindparam("verifiers", expanding=True)),
    Verification.idempotency_key.in_(sa.bindparam("keys", expanding=True)),
)


async def by_keys(session: AsyncSession, keys: Collection[Key]) -> dict[Key, Verification]:
    """Return what verifiers asked under these idempotency keys already."""
    named = {"verifiers": {one[0] for one in keys}, "keys": {one[2] for one in keys}}
    found = await session.scalars(_BY_KEYS, {name: list(some) for name, some in named.items()})
    by_key = {(row.verifier, row.live, row.idempotency_key): row for row in found}
    return {key: by_key[key] for key in keys if key in by_key}


async def latest(
    session: AsyncSession, handle: str, verifier: str, *, live: bool
) -> Verification | None:
    """Return a verifier's check by its handle, or what followed on it; None if there is none."""
    follower = orm.aliased(Verification)
    wanted = (
        sa.select(Verification, follower)
        .outerjoin(follower, follower.follows == Verification.handle)
        .where(
            Verification.handle == handle,
            Verification.verifier == verifier,
            Verification.live == live,
        )
    )
    found = (await session.execute(wanted)).one_or_none()
    return found and (found[1] or found[0])


async def waiting(
    session: AsyncSession, handle: str, subject: str, now: datetime
) -> Verification | None:
    """Return a check that waits for this holder's answer, or None where none so called does."""
    follower = orm.aliased(Verification)
    wanted = sa.select(Verification).where(
        Verification.handle == handle,
        Verification.subject == subject,
        Verification.expires_at > now,
        ~sa.exists().where(follower.follows == Verification.handle),
    )
    return (await session.scalars(wanted)).one_or_none()


async def add(
    session: AsyncSession, checks: Sequence[Verification], beside: Sequence[base.Base] = ()
) -> None:
    """Keep checks, and what goes with them.

    Raises:
        KeyTakenError: a verifier has asked under its key already, or another check follows on the
            same; the whole transaction is to be undone.
    """
    try:
        for rows in (checks, beside):
            for table, values in _by_table(rows):
                await database.run(session, _insert(table), values)
    except exc.IntegrityError as wrong:
        raise KeyTakenError from wrong


def _by_table(rows: Iterable[base.Base]) -> Iterator[tuple[type[base.Base], list[dict[str, Any]]]]:
    """Yield the rows of each table as it takes them, a table at a time."""
    found: dict[type[base.Base], list[dict[str, Any]]] = {}
    for row in rows:
        kind = type(row)
        values = {key: getattr(row, key) for key in _columns(kind)}
        found.setdefault(kind, []).append(values)
    yield from found.items()


@functools.cache
def _columns(kind: type[base.Base]) -> tuple[str, ...]:
    return tuple(one.key for one in kind.__mapper__.column_attrs if one.key != "id")


@functools.cache
def _insert(kind: type[base.Base]) -> sa.Insert:
    # The unit of work costs more than the rest of a check; these rows need nothing of it.
    return sa.insert(kind.__table__)  # type: ignore[arg-type]  # a table, as declared


class KeyTakenError(Exception):
    """Somebody was first, in another transaction."""


_WAITS = Verification.position.is_(None)
#: What is not in the log yet is looked for twice a second, and is next to nothing of all.
sa.Index("ix_verification_waiting", Verification.id, sqlite_where=_WAITS, postgresql_where=_WAITS)


class AccessEntry(base.Base):
    """One piece of personal data that left the hub: whose, what, to whom, for what, when.

    ``member_id`` is the member of the household it was about, if not the person themselves;
    ``verification`` and ``consent`` are handles, where it left by a check or on a consent.
    ``purpose`` is the code of the service; of an officer, why they looked, and ``fields`` are those
    of the record they were shown, by their names in the graph with a space between.
    """

    __tablename__ = "access_entry"
    __table_args__ = (sa.Index(None, "verification"),)

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    subject: orm.Mapped[str] = orm.mapped_column(index=True)
    member_id: orm.Mapped[int | None]
    category: orm.Mapped[Category]
    partner: orm.Mapped[str]
    partner_name: orm.Mapped[str]
    purpose: orm.Mapped[str]
    at: orm.Mapped[datetime]
    verification: orm.Mapped[str | None]
    consent: orm.Mapped[str | None]
    fields: orm.Mapped[str | None]

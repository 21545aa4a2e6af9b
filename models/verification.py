"""Verifications: each check of a card, what came of it, its receipt, and what left by it."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from models import base


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


class Verification(base.Base):
    """One check; ``handle`` is its public id, also its receipt's.

    ``told`` is the answer as JSON without anything personal in it: names of claims, never their
    values. ``subject`` is the holder's handle, or None where no card was found or may be told of.
    ``input_digest`` is the SHA-256 of what was asked under the verifier's ``idempotency_key``.

    ``receipt`` was signed over ``record``, a digest of the other columns; ``salt`` and it make the
    leaf of the log, at ``position`` there once it is in. Rows are never changed but for
    ``position``; a check that goes on (a holder was asked) gets a new row that ``follows`` it.
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


class AccessEntry(base.Base):
    """One piece of personal data that left the hub: whose, what, to whom, for what, when.

    ``member_id`` is the member of the household it was about, if not the person themselves;
    ``verification`` and ``consent`` are handles, where it left by a check or on a consent.
    """

    __tablename__ = "access_entry"

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

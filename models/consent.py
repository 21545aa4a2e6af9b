"""Consents: what a person agreed to have told to one partner, for one service, and until when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from models import base


class Consent(base.Base):
    """One person's separate consent (PIPL, articles 14, 23 and 29), never changed but withdrawn.

    ``member_id`` is the child it is given for, where it is a guardian's. ``partner_name`` and
    ``contact`` are the recipient's as they were shown; ``categories`` what is told; ``means`` how;
    ``text_digest`` is the SHA-256 of the text shown, in ``language``, of this ``version``.
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

"""Issuers: other districts whose cards are honoured here, and for which services."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from models import base


class Issuer(base.Base):
    """A hub of another district; ``keys`` are its public JWKs, which count for its cards alone.

    ``vcts`` are the types of card taken from it, ``services`` the codes for which they open
    anything here. ``sequence`` counts the changes of the whole list.
    """

    __tablename__ = "issuer"

    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    url: orm.Mapped[str] = orm.mapped_column(unique=True)
    district: orm.Mapped[str]
    keys: orm.Mapped[Any] = orm.mapped_column(sa.JSON, nullable=False)
    vcts: orm.Mapped[Any] = orm.mapped_column(sa.JSON, nullable=False)
    services: orm.Mapped[Any] = orm.mapped_column(sa.JSON, nullable=False)
    trusted_from: orm.Mapped[datetime]
    trusted_until: orm.Mapped[datetime]
    sequence: orm.Mapped[int]

"""The ledger: the Merkle tree (RFC 9162) over all receipts, node by node, and its signed heads."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from models import base

#: Every complete node: leaves are level 0, and node (l, p) stands over (l-1, 2p) and (l-1, 2p+1).
node = sa.Table(
    "ledger_node",
    base.Base.metadata,
    sa.Column("level", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary(), nullable=False),
    sqlite_with_rowid=False,
)


class Head(base.Base):
    """A signed head: so many leaves had this root at this time; ``cosigned`` by other hubs."""

    __tablename__ = "ledger_head"

    size: orm.Mapped[int] = orm.mapped_column(primary_key=True, autoincrement=False)
    root: orm.Mapped[str]
    signed: orm.Mapped[str]
    signed_at: orm.Mapped[datetime]
    cosigned: orm.Mapped[Any] = orm.mapped_column(sa.JSON, nullable=False)

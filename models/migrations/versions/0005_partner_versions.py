"""Versions of partner files, and which of them partners are asked by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "partner_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("edition", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(40), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("good", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_partner_version"),
        sa.UniqueConstraint("slug", "digest", name="uq_partner_version_slug_digest"),
    )
    for state in ("ACTIVE", "CANARY"):
        is_so = sa.text(f"state = '{state}'")
        op.create_index(
            f"uq_partner_version_{state.lower()}",
            "partner_version",
            ["slug"],
            unique=True,
            sqlite_where=is_so,
            postgresql_where=is_so,
        )


def downgrade() -> None:
    op.drop_table("partner_version")

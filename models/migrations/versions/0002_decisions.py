"""What people asked to have decided."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("talent_id", sa.Integer(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("given", sa.JSON(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["talent_id"], ["talent.id"], name="fk_decision_talent_id_talent"),
        sa.PrimaryKeyConstraint("id", name="pk_decision"),
        sa.UniqueConstraint("handle", name="uq_decision_handle"),
    )
    op.create_index("ix_decision_talent_id", "decision", ["talent_id"])
    is_draft = sa.text("state = 'DRAFT'")
    op.create_index(
        "uq_decision_draft",
        "decision",
        ["talent_id", "service"],
        unique=True,
        sqlite_where=is_draft,
        postgresql_where=is_draft,
    )


def downgrade() -> None:
    op.drop_table("decision")

"""Applications publish, version by version, the documents that they will send."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "application_release",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("application", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("published_at", _MOMENT, nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.Column("retired_at", _MOMENT, nullable=True),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_application_release"),
        sa.UniqueConstraint(
            "application", "version", name="uq_application_release_application_version"
        ),
    )
    op.create_table(
        "document",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_document"),
    )
    op.create_table(
        "released_document",
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"],
            ["application_release.id"],
            name="fk_released_document_release_id_application_release",
        ),
        sa.ForeignKeyConstraint(
            ["hash"], ["document.hash"], name="fk_released_document_hash_document"
        ),
        sa.PrimaryKeyConstraint("release_id", "hash", name="pk_released_document"),
    )
    op.create_index("ix_released_document_hash", "released_document", ["hash"])


def downgrade() -> None:
    for table in ("released_document", "document", "application_release"):
        op.drop_table(table)

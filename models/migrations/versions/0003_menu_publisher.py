"""Who published a revision of the menu through the endpoint, and the text of the service."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = ("published_by", "service", "text")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("menu_revision", sa.Column(name, sa.Text(), nullable=True))


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("menu_revision", name)

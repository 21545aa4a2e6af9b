"""How the schema is migrated: alone in knowing Alembic.

Alembic takes memory, and who serves never migrates, so nobody imports this by name:
``models.database`` loads it where a database is migrated.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

_FOLDER = pathlib.Path(__file__).parent / "migrations"


def upgrade(connection: sa.Connection) -> None:
    """Bring the schema to the newest revision."""
    run(connection, command.upgrade, "head")


def run(connection: sa.Connection, step: Callable[..., object], *arguments: object) -> None:
    """Run one of Alembic's commands on a connection."""
    settings = Config(attributes={"connection": connection})
    settings.set_main_option("script_location", str(_FOLDER))
    step(settings, *arguments)

"""Runs the migrations on the connection that ``models.database`` hands over."""

from __future__ import annotations

import importlib
import pkgutil

from alembic import context

import models
from models import base, standing

# A table belongs to the schema by being in a module of models; there is no list to forget.
for _module in pkgutil.iter_modules(models.__path__, "models."):
    if not _module.ispkg:
        importlib.import_module(_module.name)


def _is_ours(name: str | None, sort: str, _: object) -> bool:
    """Leave out what is derived, and made and dropped as it is needed."""
    return sort != "table" or name is None or not name.startswith(standing.PREFIX)


context.configure(
    include_name=_is_ours,
    connection=context.config.attributes["connection"],
    target_metadata=base.Base.metadata,
    compare_server_default=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()

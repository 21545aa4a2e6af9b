"""Tells of each SQL statement as a span: of what sort, on which table, and not a word more."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

from models import base, trace

_SORTS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"})
_TABLE = re.compile(r'\b(?:FROM|INTO|UPDATE)\s+"?(\w+)')


def tell(engine: sa.Engine) -> None:
    """Tell of every statement that this engine runs from now on."""
    sa.event.listen(engine, "before_cursor_execute", _begun)
    sa.event.listen(engine, "after_cursor_execute", _ended)
    sa.event.listen(engine, "handle_error", _failed)


def table(statement: str) -> str:
    """Return the first table of ours that a statement names, or ``other``."""
    return next(
        (one for one in _TABLE.findall(statement) if one in base.Base.metadata.tables), "other"
    )


def _begun(
    _connection: sa.Connection,
    _cursor: object,
    statement: str,
    _parameters: object,
    context: Any,  # noqa: ANN401 - what SQLAlchemy keeps of one execution, open to notes of others
    _many: bool,  # noqa: FBT001 - SQLAlchemy's own
) -> None:
    sort = statement.split(maxsplit=1)[0].upper()
    # What begins and ends transactions is none of these.
    if sort in _SORTS:
        context.greenway_span = trace.span("statement", sort=sort, table=table(statement))
        context.greenway_span.__enter__()


def _ended(
    _connection: sa.Connection,
    _cursor: object,
    _statement: str,
    _parameters: object,
    context: Any,  # noqa: ANN401 - as above
    _many: bool,  # noqa: FBT001 - SQLAlchemy's own
) -> None:
    if span := getattr(context, "greenway_span", None):
        span.__exit__(None, None, None)


def _failed(failure: sa.engine.ExceptionContext) -> None:
    span = getattr(failure.execution_context, "greenway_span", None)
    error = failure.original_exception
    if span and not span.__exit__(type(error), error, error.__traceback__):
        del failure.execution_context.greenway_span  # type: ignore[union-attr] # it was there

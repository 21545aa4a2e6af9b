"""The ground every table stands on: constraint names, column types and where a row came from."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm


class Instant(sa.TypeDecorator[datetime]):
    """A point in time: aware in Python, UTC in the database, also where it keeps no zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002 SQLAlchemy names the argument
        """Refuse a time without a zone rather than guess one."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} has no time zone.")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002 SQLAlchemy names the argument
        """Give back what SQLite dropped."""
        return value and self.kept(value)

    def kept(self, value: datetime) -> datetime:
        """Return the time that the database keeps so."""
        return value.replace(tzinfo=value.tzinfo or UTC)


class Money(sa.TypeDecorator[Decimal]):
    """An exact amount in yuan, kept as whole fen, since SQLite has no decimals."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002 SQLAlchemy names the argument
        """Refuse an amount that whole fen cannot hold rather than round it."""
        fen = None if value is None else value * 100
        if fen is not None and fen != int(fen):
            raise ValueError(f"{value} yuan is no whole number of fen.")
        return None if fen is None else int(fen)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> Decimal | None:  # noqa: ARG002 SQLAlchemy names the argument
        """Return yuan with two places."""
        return None if value is None else self.kept(value)

    def kept(self, value: int) -> Decimal:
        """Return the amount that the database keeps so."""
        return Decimal(value).scaleb(-2)


class Base(orm.DeclarativeBase):
    """The one registry of tables; its convention names every constraint on both databases."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 SQLAlchemy reads this name off the class
        str: sa.Text(),
        datetime: Instant(),
        Decimal: Money(),
        # Words are kept as text of one length, so that a new word needs no migration.
        enum.Enum: sa.Enum(enum.Enum, native_enum=False, length=40),
    }


class Sourced:
    """A row that says who said so, and since when we know."""

    source: orm.Mapped[str]
    recorded_at: orm.Mapped[datetime]


class _Read:
    """A row that is only read."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__ = values


@functools.cache
def reading(mapped: type[Base]) -> Callable[[dict[str, Any]], Any]:
    """Return what makes rows of a table that are only read, each of its values.

    They have the values of columns, and lists of other rows, by the names that the mapped class has
    for them, and are not of that class: its objects take five times as long to make, by the
    quickest way there is, and twenty times as long to read. What was not read of one, it has not.
    """
    return type(mapped.__name__, (_Read,), {})

"""A whole standing at once, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession


async def columns(
    session: AsyncSession, table: sa.Table, names: Sequence[str]
) -> list[Sequence[Any]]:
    """Return whole columns of a standing's table, all in one order.

    They come by the driver's own fastest way, as the database keeps them: numbers and texts.
    """
    connection = await session.connection()
    driver: Any = (await connection.get_raw_connection()).driver_connection
    wanted = sa.select(*(table.c[name] for name in names)).order_by(*table.primary_key)
    statement = str(wanted.compile(dialect=connection.dialect))
    if connection.dialect.name == "postgresql":
        rows = await driver.fetch(statement)
    else:
        rows = await driver.execute_fetchall(statement)
    return [*zip(*rows, strict=True)] or [()] * len(names)

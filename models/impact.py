"""Who goes from what to what where one rule takes the place of another: counted by SQL."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from models.standing import Standing

#: The columns of a standing by which people are told apart.
BY = ("of_class", "of_industry", "of_district")


class Move(NamedTuple):
    """How many people of a class, an industry and a district go from one truth to another.

    A truth is None where it is not known; a group, where nothing is recorded.
    """

    of_class: str | None
    of_industry: str | None
    of_district: str | None
    before: bool | None
    after: bool | None
    people: int


async def moves(
    session: AsyncSession,
    standing: Standing,
    before: sa.ColumnElement[bool],
    after: sa.ColumnElement[bool],
) -> list[Move]:
    """Return who goes from what to what, in one statement over everybody."""
    groups = [standing.people.c[name] for name in BY]
    # Named within, since a parameter is another one wherever it stands again.
    told: sa.Subquery = sa.select(*groups, before.label("before"), after.label("after")).subquery()
    found: sa.Select[Any] = sa.select(*told.c, sa.func.count()).group_by(*told.c)
    rows = (await session.execute(found)).all()
    return [
        Move(of_class, of_industry, of_district, _truth(was), _truth(is_), people)
        for of_class, of_industry, of_district, was, is_, people in rows
    ]


def _truth(told: bool | int | None) -> bool | None:  # noqa: FBT001 - SQLite says 0 and 1
    return None if told is None else bool(told)

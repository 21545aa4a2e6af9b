"""Everybody, some thousands at a time: all that is known of them, as light rows that are only read.

``dossier`` makes rows of the ORM, which is right for a few people and dear for all of them.
"""

from __future__ import annotations

import functools
import operator
from collections import defaultdict, namedtuple
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from models import base, card, talent
from models.talent import Talent

#: How many people are in hand at once.
CHUNK = 2_000


class _Light:
    """How the rows of a table are had as tuples with names: its columns, and what hangs on it."""

    def __init__(self, kind: type[base.Base], *more: str) -> None:
        self.columns = {one.key: one.columns[0] for one in kind.__mapper__.column_attrs}
        names = [*self.columns, *more]
        made: Any = namedtuple(kind.__name__, names)  # type: ignore[misc]  # known at run time alone
        self._make = made._make
        self._id = 1 + names.index("id")
        self._blank = [None] * len(more)

    async def owned(
        self, session: AsyncSession, owner: sa.ColumnElement[int], *chosen: sa.ColumnElement[bool]
    ) -> Iterable[tuple[int, Any]]:
        """Return the chosen rows by id, each after the id of whose it is."""
        # What the driver gives is made values here, column by column, since few values are those
        # of many rows.
        raw = [sa.type_coerce(one, sa.types.NullType()) for one in self.columns.values()]
        found = await session.execute(sa.select(owner, *raw).where(*chosen))
        # Asked for in order, SQLite would rather walk the whole table by id.
        rows = sorted(found.all(), key=operator.itemgetter(self._id))
        if not rows:
            return ()
        whose, *columns = zip(*rows, strict=True)
        dialect = session.get_bind().dialect
        readers = [_reader(one.type, dialect) for one in self.columns.values()]
        read = [
            [*map(reader, column)] if reader else column
            for reader, column in zip(readers, columns, strict=True)
        ]
        blank = [[one] * len(rows) for one in self._blank]
        return zip(whose, map(self._make, zip(*read, *blank, strict=True)), strict=True)


@functools.lru_cache(maxsize=256)
def _reader(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Callable[[Any], Any] | None:
    read = kind.dialect_impl(dialect).result_processor(dialect, None)
    return read and functools.lru_cache(maxsize=1 << 14, typed=True)(read)


#: What is known of a person, by the attribute that holds it; the column that says whose a row is.
_PARTS: Mapping[str, tuple[_Light, sa.ColumnElement[int]]] = {
    **{
        name: (_Light(kind), kind.__table__.c.talent_id)
        for name, kind in (
            ("degrees", talent.Degree),
            ("permits", talent.Permit),
            ("household", talent.Member),
            ("awards", talent.Award),
            ("attestations", talent.Attestation),
            ("cards", card.Card),
        )
    },
    "employments": (
        _Light(talent.Employment, "organisation"),
        talent.Employment.__table__.c.talent_id,
    ),
    "teams": (_Light(talent.Team), talent.membership.c.talent_id),
}
_JOINS = {"teams": talent.membership.c.team_id == talent.Team.id}
_PEOPLE = _Light(Talent, *_PARTS)
_EMPLOYERS = _Light(talent.Organisation)


async def count(session: AsyncSession) -> int:
    """Return how many people there are."""
    return await session.scalar(sa.select(sa.func.count()).select_from(Talent)) or 0


async def chunks(session: AsyncSession, size: int = CHUNK) -> AsyncIterator[list[Talent]]:
    """Yield all people by id, at most so many at a time; they read as ``Talent`` does."""
    id_ = talent.Organisation.__table__.c.id
    employers = dict(await _EMPLOYERS.owned(session, id_))
    after = 0
    while True:
        some = sa.select(Talent.id).where(Talent.id > after).order_by(Talent.id).limit(size)
        last = await session.scalar(sa.select(sa.func.max(some.subquery().c.id)))
        if last is None:
            return
        yield await _people(session, after, last, employers)
        after = last


async def _people(
    session: AsyncSession, after: int, last: int, employers: Mapping[int, Any]
) -> list[Talent]:
    """Return the people beyond an id, as far as another."""
    parts = {}
    for name, (light, owner) in _PARTS.items():
        parts[name] = owned = defaultdict[int, list[Any]](list)
        join = _JOINS.get(name, sa.true())
        for whose, row in await light.owned(session, owner, owner > after, owner <= last, join):
            owned[whose].append(row)
    for held in parts["employments"].values():
        held[:] = [row._replace(organisation=employers[row.organisation_id]) for row in held]
    id_ = Talent.__table__.c.id
    found = await _PEOPLE.owned(session, id_, id_ > after, id_ <= last)
    # A tuple with all the attributes that a Talent has about a person reads as one.
    return cast(
        "list[Talent]",
        [
            row._replace(**{name: owned[whose] for name, owned in parts.items()})
            for whose, row in found
        ],
    )

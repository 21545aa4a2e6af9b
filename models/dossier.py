"""Whole people: all that is known of them, whatever the number of tables, in one statement.

Every query of a holder begins with this, and a statement for each table would cost more than all
the rest of it. So the rows of all tables come as one union of texts, and are made rows again here.
"""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from models import base, card, database, talent
from models.line import ANY_KEY, Line, words
from models.talent import Talent

#: What is known of a person, by the attribute that holds it.
_PARTS: Mapping[str, type[base.Base]] = {
    "degrees": talent.Degree,
    "employments": talent.Employment,
    "permits": talent.Permit,
    "household": talent.Member,
    "awards": talent.Award,
    "attestations": talent.Attestation,
    "teams": talent.Team,
    "cards": card.Card,
}
_PEOPLE = "people"
_ORGANISATIONS = "organisations"

#: How a column's text becomes its value again, by the Python type of the column.
_READ: Mapping[type, Callable[[str], Any]] = {
    bool: {"0": False, "1": True, "false": False, "true": True}.__getitem__,
    date: date.fromisoformat,
}


async def by_handles(session: AsyncSession, handles: Sequence[str]) -> list[Talent | None]:
    """Return whole people by handle, in the order asked; None for a handle nobody has."""
    found = await database.run(session, _BY_HANDLE, {"keys": _askable(handles)})
    return _ordered(found, handles)


async def by_handles_over(line: Line, handles: Sequence[str]) -> list[Talent | None]:
    """Return the same as ``by_handles`` does, over a line."""
    return _ordered(await line.found(_ByHandle(), _askable(handles)), handles)


def _askable(handles: Iterable[str]) -> list[str]:
    return list({handle for handle in handles if talent.HANDLE.fullmatch(handle)})


def _ordered(rows: Iterable[Sequence[Any]], handles: Iterable[str]) -> list[Talent | None]:
    by_handle = {person.handle: person for person in _people(rows, _PARTS)}
    return [by_handle.get(handle) for handle in handles]


async def by_ids(
    session: AsyncSession, ids: Sequence[int], parts: frozenset[str] | None = None
) -> list[Talent | None]:
    """Return whole people by id, in the order asked; with ``parts``, these of their lists alone."""
    wanted = frozenset(_PARTS) if parts is None else parts
    rows = await database.run(session, _by_id(wanted), {"keys": list(set(ids))})
    by_id = {person.id: person for person in _people(rows, wanted)}
    return [by_id.get(id_) for id_ in ids]


def known_at(person: Talent, moment: datetime) -> Talent | None:
    """Return a whole person with what had been recorded by then alone; None before they were.

    Rows are only ever added, so what had been recorded by then is what was known.
    """
    if person.recorded_at > moment:
        return None
    shape = _SHAPES[_PEOPLE]
    then: Talent = shape.made({key: getattr(person, key) for key in shape.columns})
    for name in _PARTS:
        rows = [row for row in getattr(person, name) if row.recorded_at <= moment]
        setattr(then, name, rows)
    return then


def _people(rows: Iterable[Sequence[Any]], parts: Iterable[str]) -> Sequence[Talent]:
    """Return the people of the union's rows, each with these lists."""
    owned = _owned(rows)
    people = [person for (_, part), rows in owned.items() if part == _PEOPLE for person in rows]
    for person in people:
        for name in parts:
            setattr(person, name, owned.get((person.id, name), []))
    return people


def _owned(rows: Iterable[Sequence[Any]]) -> defaultdict[tuple[int, str], list[Any]]:
    """Return the rows of the union as rows again, by whose they are and what, in their order."""
    owned: defaultdict[tuple[int, str], list[Any]] = defaultdict(list)
    organisations = {}
    for part, owner, *texts in rows:
        row = _SHAPES[part].read(texts)
        if part == _ORGANISATIONS:
            organisations[row.id] = row
        else:
            owned[owner, part].append(row)
    for (_, part), parts in owned.items():
        parts.sort(key=lambda row: row.id)
        if part == "employments":
            for row in parts:
                row.organisation = organisations[row.organisation_id]
    return owned


class _Shape:
    """One table's rows as texts, and back."""

    def __init__(self, kind: type[base.Base]) -> None:
        self.columns = {one.key: one.columns[0] for one in kind.__mapper__.column_attrs}
        #: Makes a row of values, for reading alone.
        self.made = base.reading(kind)
        self._readers = [(key, _reader(column.type)) for key, column in self.columns.items()]

    def read(self, texts: Sequence[str | None]) -> Any:  # noqa: ANN401 - a row of its kind
        """Return the row of these texts, for reading alone; further ones fill the union's width."""
        return self.made(
            {
                key: None if text is None else reader(text)
                for (key, reader), text in zip(self._readers, texts, strict=False)
            }
        )


def _reader(kind: sa.types.TypeEngine[Any]) -> Callable[[str], Any]:
    """Return what reads a value of a column's type from its text."""
    if isinstance(kind, sa.JSON):
        return json.loads
    if isinstance(kind, base.Instant):
        return lambda text: kind.kept(datetime.fromisoformat(text))
    if isinstance(kind, base.Money):
        return lambda text: kind.kept(int(text))
    return _READ.get(kind.python_type, kind.python_type)


_KINDS: Mapping[str, type[base.Base]] = {
    _PEOPLE: Talent,
    **_PARTS,
    _ORGANISATIONS: talent.Organisation,
}
_SHAPES = {name: _Shape(kind) for name, kind in _KINDS.items()}
#: The column that says whose a row is.
_OWNERS: Mapping[str, sa.ColumnElement[int]] = {
    **{name: kind.__table__.c.talent_id for name, kind in _PARTS.items() if name != "teams"},
    _PEOPLE: Talent.__table__.c.id,
    "teams": talent.membership.c.talent_id,
    _ORGANISATIONS: talent.Employment.__table__.c.talent_id,
}


def known_of(people: sa.Select[int]) -> sa.Subquery:
    """Return how ``many`` rows there are of each of these people, and the sum of the ``last`` ones.

    One of them is another whenever something else is known: rows are only ever added, but that
    what befalls a card changes it.
    """
    last: dict[str, sa.ColumnElement[int]] = {
        name: kind.__table__.c.id for name, kind in _PARTS.items()
    }
    last |= {"teams": talent.membership.c.team_id, "cards": card.Event.__table__.c.id}
    befell = card.Event.card_id == card.Card.id
    parts = sa.union_all(
        *(
            sa.select(
                _OWNERS[name].label("talent_id"),
                sa.func.count().label("many"),
                sa.func.max(last[name]).label("last"),
            )
            .where(_OWNERS[name].in_(people), befell if name == "cards" else sa.true())
            .group_by(_OWNERS[name])
            for name in _PARTS
        )
    ).subquery()
    many, last_ones = sa.func.sum(parts.c.many), sa.func.sum(parts.c.last)
    whose = parts.c.talent_id
    found = sa.select(whose, many.label("many"), last_ones.label("last")).group_by(whose)
    return found.subquery()


def _union(
    which: sa.ColumnElement[bool], parts: Collection[str] = frozenset(_SHAPES)
) -> sa.CompoundSelect[Any]:
    """Return the statement: for each table its name, whose the row is, and the row in texts."""
    shapes = {name: shape for name, shape in _SHAPES.items() if name in parts}
    joins = {
        "teams": talent.membership.c.team_id == talent.Team.id,
        _ORGANISATIONS: talent.Employment.organisation_id == talent.Organisation.id,
    }
    width = max(len(shape.columns) for shape in shapes.values())
    people = sa.select(Talent.id).where(which)
    return sa.union_all(
        *(
            sa.select(
                sa.literal_column(f"'{name}'"),
                _OWNERS[name],
                *(sa.cast(column, sa.Text) for column in shape.columns.values()),
                *[sa.cast(sa.null(), sa.Text)] * (width - len(shape.columns)),
            ).where(_OWNERS[name].in_(people), joins.get(name, sa.true()))
            for name, shape in shapes.items()
        )
    )


_KEYS: sa.BindParameter[Sequence[object]] = sa.bindparam("keys", expanding=True)
_BY_HANDLE = _union(Talent.handle.in_(_KEYS))


class _ByHandle:
    """The question for whole people by their handles; a row is one of the union."""

    table: sa.Table = Talent.__table__  # type: ignore[assignment]  # a table, as declared

    @staticmethod
    @functools.cache
    def text(dialect: str) -> str:
        """Return it in a database's words."""
        asked: sa.ColumnElement[bool] = sa.literal_column(f"talent.handle {ANY_KEY[dialect]}")
        return words(_union(asked), dialect)

    @staticmethod
    def row(values: Sequence[Any], _: str) -> Sequence[Any]:
        """Return the row."""
        return values


@functools.cache
def _by_id(parts: frozenset[str]) -> sa.CompoundSelect[Any]:
    more = {_ORGANISATIONS} if "employments" in parts else set()
    return _union(Talent.id.in_(_KEYS), {_PEOPLE, *parts, *more})

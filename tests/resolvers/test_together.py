"""What is asked at the same time is asked once; what fails, fails those who asked it alone."""

from __future__ import annotations

import asyncio
from enum import Enum

import pytest
import sqlalchemy as sa

from models import demo, dossier, talent
from models.line import Line
from models.verification import AccessEntry, Category
from resolvers.together import MOST, Shared, Together
from resolvers.turn import SERVERS
from tests.catalogue import NOW
from tests.factories import a_card, a_talent


async def test_who_comes_while_all_lines_are_busy_is_served_with_all_who_came():
    busy: list[Line] = []
    turns: list[int] = []

    async def serve(line: Line, keys):
        assert line not in busy, "two at a time over one line"
        busy.append(line)
        turns.append(len(keys))
        await asyncio.sleep(0.01)
        busy.remove(line)
        return [10 * key for key in keys]

    together = Together(None, serve)
    waiting = []
    for number in range(SERVERS + 2 * MOST):
        waiting.append(together.ask(number))
        if number < SERVERS:
            await asyncio.sleep(0)
    found = await asyncio.gather(*waiting)

    assert found == [10 * number for number in range(SERVERS + 2 * MOST)]
    assert turns == [1] * SERVERS + [MOST, MOST]


async def test_a_failure_reaches_those_it_was_for_and_nobody_after():
    async def serve(_: Line, keys):
        if -1 in keys:
            raise LookupError
        return keys

    together = Together(None, serve)

    for _ in range(2 * SERVERS):
        with pytest.raises(LookupError):
            await together.ask(-1)
    assert await together.ask(7) == 7


async def test_cards_are_found_by_serial_with_their_holders(database):
    async with database.begin() as session:
        people = [a_talent(handle=f"t-{one}" * 4, cards=[a_card(serial=one)]) for one in SERIALS]
        session.add_all(people)
    shared = Shared(database)

    asked = [SERIALS[1].lower().replace("-", " "), "nothing", SERIALS[0], SERIALS[1]]
    found = await asyncio.gather(*map(shared.cards_by_serial.ask, asked))

    assert [one and one[0].serial for one in found] == [SERIALS[1], None, SERIALS[0], SERIALS[1]]
    card, holder = found[2]
    assert (holder.id, holder.handle) == (people[0].id, people[0].handle)
    async with database.session() as session:
        [row] = await session.scalars(
            sa.select(talent.Talent).where(talent.Talent.id == people[0].id)
        )
        columns = [column.key for column in talent.Talent.__table__.columns]
        assert [getattr(holder, key) for key in columns] == [getattr(row, key) for key in columns]
        kept = a_card(serial=SERIALS[0])
        assert (card.status, card.tier, card.valid_until) == (
            kept.status, kept.tier, kept.valid_until,
        )  # fmt: skip


def whole(row):
    """All that there is of a row, and of the rows that it has."""
    if isinstance(row, list):
        return [whole(one) for one in row]
    if not hasattr(row, "__dict__") or isinstance(row, Enum):
        return row
    return {key: whole(value) for key, value in vars(row).items()}


async def test_people_are_found_by_handle_as_in_a_session(database, today):
    await demo.build(database, 40, today)
    some = [demo.handle(number) for number in (1, 7, 7, 40)]
    asked = [some[0], "nobody", *some, "\x00", "' OR 1=1"]

    found = await asyncio.gather(*map(Shared(database).people_by_handle.ask, asked))

    async with database.session() as session:
        expected = await dossier.by_handles(session, asked)
    assert [one and one.handle for one in found] == [some[0], None, *some, None, None]
    assert whole(found) == whole(expected)
    assert any(person.employments for person in found if person)


SERIALS = ("GW-0000-0000-0", "GW-0000-0001-1")


async def test_notes_of_many_are_kept_whole(database):
    shared = Shared(database)

    await asyncio.gather(*(shared.notes.ask([note(n), note(n, fields="card")]) for n in range(50)))

    async with database.session() as session:
        rows = (await session.scalars(sa.select(AccessEntry).order_by(AccessEntry.id))).all()
    assert len(rows) == 100
    assert {(row.subject, row.fields) for row in rows} == {
        (f"person-{n}", fields) for n in range(50) for fields in (None, "card")
    }
    assert {(row.category, row.at, row.verification) for row in rows} == {
        (Category.RECORD, NOW, None)
    }


async def test_a_line_that_was_lost_is_opened_again(database):
    shared = Shared(database)
    await shared.notes.ask([note(1)])

    with pytest.raises(Exception, match=r"(?i)null"):
        await shared.notes.ask([{**note(2), "subject": None}])
    await shared.notes.ask([note(3)])

    async with database.session() as session:
        found = await session.scalars(sa.select(AccessEntry.subject).order_by(AccessEntry.id))
        assert found.all() == ["person-1", "person-3"]
    # Of the connection that was lost nothing stays behind.
    assert len(database._alone) == (database.dialect == "postgresql")


def note(number: int, fields: str | None = None) -> dict[str, object]:
    return {
        "subject": f"person-{number}",
        "category": Category.RECORD,
        "partner": "officer:x",
        "partner_name": "Desk",
        "purpose": "talent-database",
        "at": NOW,
        "fields": fields,
    }

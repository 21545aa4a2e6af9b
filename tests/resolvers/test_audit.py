from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from credentials import keyring, log_head
from credentials.keyring import Purpose
from models import audit as rows
from models import base
from models import ledger as log
from models.verification import Verification
from resolvers import audit, ledger
from resolvers.audit import Audit
from tests import check

TABLES = base.Base.metadata.tables
NAMES = {name: [column.name for column in table.columns] for name, table in TABLES.items()}


UNNAMED = "one of the columns it names by their digest alone is not as `receipt` says"


async def a_log(authority, clock, *, many: int = 11) -> None:
    """Make a log with two heads, the first cosigned, and one check that is not in it."""
    key = check.a_key(authority.clock())
    await check.trusted(authority, key)
    await check.filed(authority, *range(many - 4))
    await ledger.sequence(authority)
    head = check.head_of(authority, await ledger.newest(authority))
    await ledger.take_cosigned(
        authority, check.NEIGHBOUR, log_head.cosign(key, head, check.NEIGHBOUR)
    )
    await check.filed(authority, *range(many - 4, many))
    clock.now += ledger.HEAD_EVERY
    await ledger.sequence(authority)
    await check.filed(authority, 99)


async def findings(authority) -> list[str]:
    async with authority.database.session() as session:
        return [str(one) async for one in Audit(authority.keys.ring).findings(session)]


async def change(authority, statement) -> None:
    async with authority.database.begin() as session:
        assert (await session.execute(statement)).rowcount == 1


async def test_nothing_is_found_where_nothing_was_changed(authority, clock):
    await a_log(authority, clock)
    one = Audit(authority.keys.ring)

    async with authority.database.session() as session:
        assert [found async for found in one.findings(session)] == []
    assert one.tally == audit.Tally(checks=12, erased=0, leaves=11, heads=2)


async def test_nothing_is_found_in_an_empty_log(authority):
    assert await findings(authority) == []


async def test_a_log_of_several_stretches_is_gone_through_whole(authority, clock, monkeypatch):
    monkeypatch.setattr(rows, "CHUNK", 4)
    await a_log(authority, clock)

    assert await findings(authority) == []

    wrong = sa.update(Verification).where(Verification.position == 9).values(terminal="till 3")
    await change(authority, wrong)
    assert await findings(authority) == ["verification 10: " + UNNAMED]


# ── a bit turned anywhere ────────────────────────────────────────────────────────────────────

TURNS = 12


def turned(value: object, dice: random.Random) -> object:
    """Return a value as a database keeps it with one bit of it turned."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ 1 << dice.randrange(16)
    if isinstance(value, datetime):
        return value + timedelta(microseconds=1 << dice.randrange(40))
    spoilt = bytearray(value if isinstance(value, bytes) else value.encode())
    # Of text seven bits: neither database keeps what is no UTF-8, nor PostgreSQL a zero.
    spoilt[dice.randrange(len(spoilt))] ^= 1 << dice.randrange(8 if isinstance(value, bytes) else 7)
    if isinstance(value, bytes):
        return bytes(spoilt)
    return spoilt.decode().replace("\0", "~")


@pytest.mark.parametrize(
    ("table", "name", "where", "located"),
    [
        *(
            ("verification", name, "id = 5", "verification 5:")
            for name in NAMES["verification"]
            if name not in {"id", "position"}
        ),
        ("verification", "position", "id = 5", "verification at place 4: is missing"),
        ("verification", "receipt", "id = 12", "verification 12:"),
        ("ledger_node", "hash", "level = 0 AND position = 3", "ledger_node 0/3:"),
        ("ledger_node", "hash", "level = 0 AND position = 10", "ledger_node 0/10:"),
        ("ledger_node", "hash", "level = 2 AND position = 1", "ledger_node 2/1:"),
        ("ledger_node", "level", "level = 1 AND position = 4", "ledger_node 1/4:"),
        ("ledger_node", "position", "level = 1 AND position = 4", "ledger_node 1/4:"),
        ("ledger_node", "level", "level = 0 AND position = 10", "ledger_node 0/10:"),
        ("ledger_node", "position", "level = 0 AND position = 10", "ledger_node 0/10:"),
        *(
            ("ledger_head", name, "size = 7", "ledger_head 7:")
            for name in NAMES["ledger_head"]
            if name != "size"
        ),
        ("ledger_head", "size", "size = 11", "ledger_head "),
    ],
)
async def test_one_bit_turned_anywhere_is_found_and_located(
    authority, clock, table, name, where, located
):
    await a_log(authority, clock)
    column = TABLES[table].columns[name]
    is_json = isinstance(column.type, sa.JSON)
    postgresql = authority.database.dialect == "postgresql"
    read = f"CAST({name} AS TEXT)" if is_json else name
    write = "CAST(CAST(:new AS TEXT) AS JSON)" if is_json and postgresql else ":new"
    select = f"SELECT {read} FROM {table} WHERE {where}"  # noqa: S608 - from the list above
    update = f"UPDATE {table} SET {name} = {write} WHERE {where}"  # noqa: S608 - as above
    dice = random.Random(f"{table} {name} {where}")  # noqa: S311 - no secret
    taken = 0

    for _ in range(TURNS):
        async with authority.database._writer() as session:
            old = await session.scalar(sa.text(select))
            try:
                await session.execute(sa.text(update), {"new": turned(old, dice)})
            except sa.exc.DBAPIError:
                continue  # The database itself takes no such thing.
            found = [str(one) async for one in Audit(authority.keys.ring).findings(session)]
            assert any(one.startswith(located) for one in found), (old, found)
            taken += 1

    assert taken
    assert await findings(authority) == []


# ── what is no bit ───────────────────────────────────────────────────────────────────────────


async def test_a_check_that_was_taken_out_is_missed(authority, clock):
    await a_log(authority, clock)

    await change(authority, sa.delete(Verification).where(Verification.position == 3))

    assert await findings(authority) == ["verification at place 3: is missing"]


async def test_two_checks_that_changed_places_are_found(authority, clock):
    await a_log(authority, clock)
    for old, new in ((2, 100), (5, 2), (100, 5)):
        await change(
            authority,
            sa.update(Verification).where(Verification.position == old).values(position=new),
        )

    assert await findings(authority) == [
        "verification 6: is not what the log has at place 2",
        "verification 3: is not what the log has at place 5",
    ]


async def test_a_node_that_was_taken_out_or_added_is_found(authority, clock):
    await a_log(authority, clock)
    node = log.node

    await change(authority, sa.delete(node).where(node.c.level == 1, node.c.position == 2))
    await change(authority, sa.insert(node).values(level=1, position=70, hash=bytes(32)))

    assert [one.partition(":")[0] for one in await findings(authority)] == [
        "ledger_node 1/2",
        "ledger_node 1/70",
    ]


async def test_a_row_signed_anew_with_a_stolen_key_does_not_fit_the_tree(authority, clock):
    await a_log(authority, clock)
    async with authority.database.session() as session:
        old = await session.get(Verification, 5)
    forged = check.row(authority, 4, terminal="another")

    said = {name: getattr(forged, name) for name in NAMES["verification"]}
    said.update(id=old.id, position=old.position)
    await change(authority, sa.update(Verification).where(Verification.id == 5).values(said))

    assert await findings(authority) == ["verification 5: is not what the log has at place 4"]


async def test_what_a_compromised_key_signed_is_still_proved_by_its_place(authority, clock):
    await a_log(authority, clock)
    for purpose in (Purpose.RECEIPT, Purpose.LOG):
        assert await authority.keys.compromised(authority.keys.signer(purpose).id)

    assert await findings(authority) == []


async def test_a_key_that_was_never_ours_proves_nothing(authority, clock):
    await a_log(authority, clock)

    async with authority.database.session() as session:
        found = [one async for one in Audit(keyring.Keyring(())).findings(session)]

    assert len(found) == 12 + 2, "each check and each head"


# ── erasing ──────────────────────────────────────────────────────────────────────────────────


async def test_a_person_is_erased_and_the_log_stands(authority, clock):
    await a_log(authority, clock)
    await check.filed(authority, 200, subject="holder-2")

    erased = await audit.erase(authority, check.SUBJECT)

    one = Audit(authority.keys.ring)
    async with authority.database.session() as session:
        assert [found async for found in one.findings(session)] == []
        left = (await session.scalars(sa.select(Verification))).all()
    assert erased == one.tally.erased == 12
    assert {row.subject for row in left if not row.subject.startswith("~")} == {"holder-2"}
    assert not [row for row in left if row.subject.startswith("~") and (row.salt or row.card_id)]


async def test_what_is_left_of_an_erased_check_cannot_be_changed_unseen(authority, clock):
    await a_log(authority, clock)
    await audit.erase(authority, check.SUBJECT)

    wrong = sa.update(Verification).where(Verification.id == 5).values(terminal="till 3")
    await change(authority, wrong)

    assert [one.partition(":")[0] for one in await findings(authority)] == ["verification 5"]


async def test_a_salt_that_only_went_missing_is_no_erasure(authority, clock):
    await a_log(authority, clock)

    await change(authority, sa.update(Verification).where(Verification.id == 5).values(salt=""))

    assert [one.partition(":")[0] for one in await findings(authority)] == ["verification 5"]

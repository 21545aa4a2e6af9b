from __future__ import annotations

import asyncio
import dataclasses

import pytest
import sqlalchemy as sa

from credentials import keyring, log_head, merkle
from credentials.keyring import Keyring, Purpose
from models import errors
from models import ledger as rows
from models import verification as checks
from models.verification import Verification
from resolvers import ledger
from tests import check


async def places(authority) -> dict[str, int | None]:
    async with authority.database.session() as session:
        found = await session.execute(sa.select(Verification.handle, Verification.position))
        return {handle: position for handle, position in found}  # noqa: C416 - rows are no pairs


async def proofs(authority, *wanted):
    async with authority.database.session() as session:
        return await ledger.inclusions(session, wanted)


async def test_every_check_gets_a_place_and_a_proof_that_anybody_can_check(authority):
    filed = await check.filed(authority, *range(13))

    await ledger.sequence(authority)

    head = check.head_of(authority, await ledger.newest(authority))
    for row, proof in zip(filed, await proofs(authority, *range(13)), strict=True):
        leaf = ledger.leaf(row.salt, row.receipt)
        assert proof.leaf == leaf
        assert merkle.includes(head.root, head.size, proof.index, leaf, proof.hashes)
    assert head.size == 13


async def test_a_check_that_comes_late_with_a_small_id_is_not_left_out(authority):
    await check.filed(authority, 2, id=20)
    await ledger.sequence(authority)

    await check.filed(authority, 1, id=10)
    await ledger.sequence(authority)

    assert await places(authority) == {"check-2": 0, "check-1": 1}


async def test_more_checks_than_fit_one_go_are_all_added(authority, monkeypatch):
    monkeypatch.setattr(ledger, "_BATCH", 3)
    await check.filed(authority, *range(10))

    await ledger.sequence(authority)

    assert sorted((await places(authority)).values()) == list(range(10))
    assert (await ledger.newest(authority)).size == 3, "the first head; the next is due later"


async def test_several_processes_add_each_check_once(authority):
    await check.filed(authority, *range(40))

    await asyncio.gather(*(ledger.sequence(authority) for _ in range(4)))
    await ledger.sequence(authority)

    assert sorted((await places(authority)).values()) == list(range(40))


async def test_a_head_is_signed_at_most_so_often_and_only_where_something_was_added(
    authority, clock
):
    await check.filed(authority, 1)
    await ledger.sequence(authority)
    await check.filed(authority, 2)
    await ledger.sequence(authority)

    assert (await ledger.newest(authority)).size == 1
    assert await proofs(authority, 1) == [None]

    clock.now += ledger.HEAD_EVERY
    await ledger.sequence(authority)
    second = await ledger.newest(authority)
    clock.now += ledger.HEAD_EVERY
    await ledger.sequence(authority)

    assert second.size == 2
    assert await ledger.newest(authority) == second


async def test_a_log_of_nothing_has_no_head_and_proves_nothing(authority):
    await ledger.sequence(authority)

    assert await ledger.newest(authority) is None
    assert await proofs(authority, 0) == [None]
    with pytest.raises(errors.BadInputError):
        await ledger.consistent(authority, 1, 1)


async def test_each_head_is_proved_to_add_to_the_one_before(authority, clock):
    heads = []
    for number in range(7):
        await check.filed(authority, number * 2, number * 2 + 1)
        clock.now += ledger.HEAD_EVERY
        await ledger.sequence(authority)
        heads.append(check.head_of(authority, await ledger.newest(authority)))

    for old in heads:
        for new in heads[heads.index(old) :]:
            proof = await ledger.consistent(authority, old.size, new.size)
            assert merkle.extends((old.size, old.root), (new.size, new.root), proof)


@pytest.mark.parametrize(("old", "new"), [(0, 2), (2, 1), (1, 4), (-1, 2)])
async def test_sizes_that_no_signed_head_has_had_are_refused(authority, old, new):
    await check.filed(authority, 1, 2, 3)
    await ledger.sequence(authority)

    with pytest.raises(errors.BadInputError, match="3 leaves"):
        await ledger.consistent(authority, old, new)


async def test_a_leaf_is_found_by_its_hash_and_another_is_not(authority):
    row, *_ = await check.filed(authority, 1, 2, 3)
    await ledger.sequence(authority)

    found = await ledger.included(authority, ledger.leaf(row.salt, row.receipt))

    assert found is not None
    assert found.index == 0
    assert await ledger.included(authority, bytes(32)) is None


@pytest.mark.any_database
async def test_proofs_of_many_receipts_are_read_in_two_statements(authority, database):
    await check.filed(authority, *range(50))
    await ledger.sequence(authority)
    sent = []
    engine = database._engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", lambda *said: sent.append(said[2]))

    await proofs(authority, *range(50))

    assert len([one for one in sent if not one.startswith("BEGIN")]) == 2


# ── neighbours ───────────────────────────────────────────────────────────────────────────────


async def signed_head(authority):
    await check.filed(authority, 1, 2, 3)
    await ledger.sequence(authority)
    return check.head_of(authority, await ledger.newest(authority))


async def test_a_neighbours_signature_stands_beside_the_head_once(authority):
    key = check.a_key(authority.clock())
    await check.trusted(authority, key)
    said = log_head.cosign(key, await signed_head(authority), check.NEIGHBOUR)

    await ledger.take_cosigned(authority, check.NEIGHBOUR, said)
    await ledger.take_cosigned(authority, check.NEIGHBOUR, said)

    assert (await ledger.newest(authority)).cosigned == ((check.NEIGHBOUR, said),)


async def test_nobody_else_cosigns(authority):
    head, key = await signed_head(authority), check.a_key(authority.clock())
    said = log_head.cosign(key, head, check.NEIGHBOUR)

    with pytest.raises(errors.BadInputError):
        await ledger.take_cosigned(authority, check.NEIGHBOUR, said)
    await check.trusted(authority, key)
    for wrong in (
        log_head.cosign(check.a_key(authority.clock()), head, check.NEIGHBOUR),
        log_head.cosign(key, head, "https://jingan.example"),
        log_head.cosign(key, dataclasses.replace(head, root=bytes(32)), check.NEIGHBOUR),
        log_head.cosign(key, dataclasses.replace(head, size=2), check.NEIGHBOUR),
        log_head.cosign(key, dataclasses.replace(head, log="https://x.example"), check.NEIGHBOUR),
        log_head.sign(key, head),
        "x",
    ):
        with pytest.raises(errors.BadInputError):
            await ledger.take_cosigned(authority, check.NEIGHBOUR, wrong)

    assert (await ledger.newest(authority)).cosigned == ()


# ── erasing ──────────────────────────────────────────────────────────────────────────────────


async def test_the_record_of_a_check_is_the_same_when_the_person_is_erased(authority):
    (row,) = await check.filed(authority, 1)
    before = checks.record(row)

    checks.erase(row)

    assert checks.record(row) == before
    assert check.SUBJECT not in row.subject
    assert (row.salt, row.card_id) == ("", None)


async def test_a_key_that_is_not_in_the_ring_reads_no_head(authority):
    head = await signed_head(authority)
    signed = log_head.sign(check.a_key(authority.clock()), head)

    with pytest.raises(keyring.errors.GreenwayError):
        log_head.read(signed, lambda kid: Keyring(()).known(Purpose.LOG, kid))


async def test_the_head_in_the_database_is_the_one_that_was_signed(authority):
    head = await signed_head(authority)

    async with authority.database.session() as session:
        kept = await rows.newest(session)

    assert ledger.as_signed(ledger.name(authority), kept) == head

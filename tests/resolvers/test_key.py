from __future__ import annotations

import dataclasses
import json

import orjson
import pytest

from credentials import evidence, key_store, keyring
from credentials.flaw import NotGenuineError
from credentials.key_store import BadStoreError
from credentials.keyring import NOTICE, ROTATION, Keyring, NoSigningKeyError, Purpose
from resolvers.key import LOOK, Keys, KeysElsewhereError
from tests import check

KEK = b"s" * 32
HOUR = 3600


@pytest.fixture
def keys(database, clock) -> Keys:
    return Keys(database, KEK, clock)


async def later(keys, clock, by) -> Keyring:
    clock.pass_seconds(by.total_seconds())
    return await keys.refreshed()


def published(keys, clock) -> set[str]:
    return {one["kid"] for one in keys.ring.jwks(clock())["keys"]}


async def test_each_purpose_has_a_key_of_its_own_from_the_start(keys, clock):
    await keys.refreshed()

    assert len({keys.signer(purpose).id for purpose in Purpose}) == len(Purpose)


async def test_a_successor_is_shown_two_days_before_it_signs(keys, clock):
    await keys.refreshed()
    old = keys.signer(Purpose.CARD)

    await later(keys, clock, ROTATION - NOTICE)
    shown = keys.ring.coming(Purpose.CARD, clock())
    signs_still = keys.signer(Purpose.CARD)
    await later(keys, clock, NOTICE)

    assert signs_still.id == old.id
    assert {old.id, shown.id} <= published(keys, clock)
    assert keys.signer(Purpose.CARD).id == shown.id


async def test_what_an_old_key_signed_counts_until_the_last_of_it_is_over(keys, clock):
    await keys.refreshed()
    old = keys.signer(Purpose.CARD)

    await later(keys, clock, ROTATION)
    counts = keys.ring.verifying(Purpose.CARD, old.id, clock())
    await later(keys, clock, keyring.LIFETIMES[Purpose.CARD])
    at_its_end = keys.ring.verifying(Purpose.CARD, old.id, clock())
    clock.pass_seconds(1)

    assert counts
    assert at_its_end
    assert keys.ring.verifying(Purpose.CARD, old.id, clock()) is None


async def test_a_key_is_rotated_early_with_notice_and_once(keys, clock):
    await keys.refreshed()
    old = keys.signer(Purpose.STATUS)

    new = await keys.rotated(Purpose.STATUS)
    again = await keys.rotated(Purpose.STATUS)
    before = keys.signer(Purpose.STATUS)
    await later(keys, clock, NOTICE)

    assert again.id == new.id
    assert before.id == old.id
    assert keys.signer(Purpose.STATUS).id == new.id
    assert {old.id, new.id} <= published(keys, clock)


async def test_nothing_that_a_compromised_key_signed_counts_and_another_signs_at_once(
    authority, clock
):
    row, *_ = await check.filed(authority, 1)
    lost = authority.keys.signer(Purpose.RECEIPT)

    def counts(kid):
        return authority.keys.ring.verifying(Purpose.RECEIPT, kid, clock())

    assert evidence.read(row.receipt, counts).id == row.handle

    assert await authority.keys.compromised(lost.id)

    with pytest.raises(NotGenuineError):
        evidence.read(row.receipt, counts)
    assert authority.keys.signer(Purpose.RECEIPT).id != lost.id
    assert lost.id not in published(authority.keys, clock)
    assert authority.keys.ring.known(Purpose.RECEIPT, lost.id)


async def test_a_key_that_there_is_not_is_not_compromised(keys):
    await keys.refreshed()

    assert not await keys.compromised("nobody's")


async def test_another_process_has_the_same_keys_and_hears_of_changes(keys, database, clock):
    other = Keys(database, KEK, clock)
    await keys.refreshed()
    await other.refreshed()
    lost = keys.signer(Purpose.LOG)
    assert other.signer(Purpose.LOG).id == lost.id

    await keys.compromised(lost.id)
    await other.refreshed()

    assert other.signer(Purpose.LOG).id == keys.signer(Purpose.LOG).id != lost.id


# ── a store outside the hub ──────────────────────────────────────────────────────────────────


class Store:
    """Where keys are kept that the hub only reads."""

    def __init__(self, keys) -> None:
        self.keys = [key_store.written(key) for key in keys]
        self.reads = 0
        self.said: bytes | None = None

    async def __call__(self) -> bytes:
        self.reads += 1
        return orjson.dumps({"keys": self.keys}) if self.said is None else self.said


@pytest.fixture
def store(clock) -> Store:
    return Store(check.a_key(clock(), purpose) for purpose in Purpose)


@pytest.fixture
def stored(database, clock, store) -> Keys:
    return Keys(database, KEK, clock, store)


async def test_keys_of_a_store_sign_and_none_is_made(stored, store, database, clock):
    await stored.refreshed()

    assert stored.elsewhere
    assert {stored.signer(one).id for one in Purpose} == {one["kid"] for one in store.keys}
    plain = Keys(database, KEK, clock)
    await plain.refreshed()
    assert not {one.id for one in plain.ring.every()} & {one["kid"] for one in store.keys}


async def test_a_store_is_looked_at_each_minute_and_keys_in_it_come_into_force(
    stored, store, clock
):
    await stored.refreshed()
    new = check.a_key(clock(), Purpose.CARD)
    old = next(one for one in store.keys if one["purpose"] == "CARD")
    old["compromised_at"] = clock().isoformat()
    store.keys.append(key_store.written(new))

    await stored.refreshed()
    before = stored.signer(Purpose.CARD).id
    await later(stored, clock, LOOK)

    assert store.reads == 2
    assert (before, stored.signer(Purpose.CARD).id) == (old["kid"], new.id)
    assert old["kid"] not in published(stored, clock)


async def test_a_store_that_is_away_changes_nothing(stored, store, clock):
    await stored.refreshed()
    signer = stored.signer(Purpose.CARD).id
    store.said = b"away"

    with pytest.raises(BadStoreError):
        await later(stored, clock, LOOK)

    assert stored.signer(Purpose.CARD).id == signer


async def test_a_store_without_a_key_for_each_purpose_is_refused_at_once(stored, store):
    store.keys.pop()

    with pytest.raises(NoSigningKeyError):
        await stored.refreshed()


async def test_keys_of_a_store_are_changed_there(stored, store):
    await stored.refreshed()

    with pytest.raises(KeysElsewhereError):
        await stored.rotated(Purpose.CARD)
    with pytest.raises(KeysElsewhereError):
        await stored.compromised(store.keys[0]["kid"])


@pytest.mark.any_database
async def test_a_refusal_says_nothing_of_a_key(stored, store):
    secret = store.keys[2]["d"]
    store.keys[2]["purpose"] = secret

    with pytest.raises(BadStoreError, match="Key 3") as refused:
        await stored.refreshed()

    assert secret not in f"{refused.value!r} {refused.value} {refused.value.__cause__}"


@pytest.mark.any_database
@pytest.mark.parametrize(
    "said", [b"", b"[]", b"{}", b'{"keys": {}}', b'{"keys": []}', b'{"keys": [1]}']
)
async def test_what_is_no_set_of_keys_is_refused(stored, store, said):
    store.said = said

    with pytest.raises(BadStoreError):
        await stored.refreshed()


@pytest.mark.any_database
@pytest.mark.parametrize(
    "changed",
    [
        {"kid": "another"},
        {"d": None},
        {"crv": "P-384"},
        {"purpose": "ALL"},
        {"signs_from": "soon"},
        {"signs_until": "2020-01-01T00:00:00Z"},
        {"published_at": "2030-01-01T00:00:00Z"},
        {"compromised_at": 1},
    ],
)
async def test_a_key_that_is_not_whole_is_refused(stored, store, changed):
    store.keys[0].update(changed)

    with pytest.raises(BadStoreError, match="Key 1"):
        await stored.refreshed()


@pytest.mark.any_database
async def test_a_key_is_read_as_it_was_written(clock):
    key = check.a_key(clock(), Purpose.PASS)

    (found,) = key_store.read(json.dumps({"keys": [key_store.written(key)]}).encode())

    assert key_store.written(found) == key_store.written(key)
    assert dataclasses.replace(found, jwk=key.jwk) == key

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from connectors import issuer
from models import errors
from tests import issuer as loopback
from tests import partner


@pytest.fixture
async def stand():
    async with loopback.running() as running:
        yield running


class Clock:
    now = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def keys(stand, clock):
    async with partner.client() as client:
        yield issuer.Issuer(client, stand.url, clock)


async def test_keys_are_fetched_once_and_remembered(keys, stand):
    first, second = stand.rsa(), stand.ec()

    found = [await keys.key(key.kid) for key in (first, second, first)]

    assert [key.kid for key in found] == [first.kid, second.kid, first.kid]
    assert stand.asked == {"/.well-known/openid-configuration": 1, "/keys": 1}


async def test_all_who_come_at_once_wait_for_one_fetch(keys, stand):
    key = stand.ec()

    found = await asyncio.gather(*(keys.key(key.kid) for _ in range(20)))

    assert {one.kid for one in found} == {key.kid}
    assert stand.asked["/keys"] == 1


async def test_keys_that_nobody_knows_cause_one_fetch_in_five_minutes(keys, stand, clock):
    stand.ec()
    for number in range(5):
        assert await keys.key(f"unknown-{number}") is None
    fetched_at_first = stand.asked["/keys"]
    clock.now += issuer.UNKNOWN_KEY + timedelta(seconds=1)
    for number in range(5):
        assert await keys.key(f"unknown-{number}") is None

    assert fetched_at_first == 1
    assert stand.asked["/keys"] == 2


async def test_known_keys_are_fetched_anew_within_the_hour(keys, stand, clock):
    key = stand.ec()
    await keys.key(key.kid)

    clock.now += issuer.FRESH
    await keys.key(key.kid)
    within = stand.asked["/keys"]
    clock.now += timedelta(seconds=1)
    await keys.key(key.kid)

    assert (within, stand.asked["/keys"]) == (1, 2)


async def test_a_silent_issuers_keys_are_used_on(keys, stand, clock):
    key = stand.ec()
    await keys.key(key.kid)
    stand.silent = True

    clock.now += issuer.FRESH + timedelta(seconds=1)

    assert (await keys.key(key.kid)).kid == key.kid


async def test_an_issuer_that_never_answered_is_asked_again_at_once(keys, stand):
    key = stand.ec()
    stand.silent = True
    with pytest.raises(errors.IssuerSilentError):
        await keys.key(key.kid)

    stand.silent = False

    assert (await keys.key(key.kid)).kid == key.kid


async def test_a_document_of_another_issuer_is_not_believed(stand, clock):
    key = stand.ec()
    stand.url, address = "https://issuer.example", stand.url

    async with partner.client() as client:
        keys = issuer.Issuer(client, address, clock)

        with pytest.raises(errors.IssuerSilentError):
            await keys.key(key.kid)
    assert stand.asked["/keys"] == 0

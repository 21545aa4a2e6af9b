"""Status lists say what became of each card within seconds, and of nothing else."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections import Counter
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from credentials import status
from credentials.keyring import Purpose
from credentials.status import Status
from models import card as cards
from models import status as rows
from models.card import Change, Event, Reason
from models.presentation import Device
from models.status import StatusEntry
from resolvers import status as lists
from tests import catalogue as small
from tests import factories, hub
from tests.resolvers.conftest import authority_over

ISSUER = "https://greenway.example"
WEEK = small.NOW + timedelta(days=7)


@pytest.fixture
def clock():
    return hub.Clock(small.NOW)


@pytest.fixture
async def published(database, clock):
    """The lists of a process."""
    return lists.Lists(dataclasses.replace(authority_over(database), clock=clock))


@pytest.fixture
def enter(database):
    """Enter a new credential of a new card with these columns; return the card, where and place."""

    async def enter(*, ends=WEEK, phone=False, **columns):
        card = factories.a_card(**columns)
        async with database.begin() as session:
            person = factories.a_talent(cards=[card])
            session.add(person)
            await session.flush()
            device = None
            if phone:
                device = Device(
                    handle=person.handle,
                    talent_id=person.id,
                    name="phone",
                    public=None,
                    linked_at=small.NOW,
                )
                session.add(device)
                await session.flush()
            return card, *(await lists.entered(session, ISSUER, card, device, ends))

    return enter


@pytest.fixture
def befell(database, clock):
    """Let something befall a card, as officers do."""

    async def befell(card, state, change):
        async with database.begin() as session:
            await session.execute(
                sa.update(cards.Card).where(cards.Card.id == card.id).values(status=state)
            )
            session.add(
                Event(card_id=card.id, change=change, reason=Reason.MISUSE, at=clock(), by="x")
            )

    return befell


@pytest.fixture
def told(published, clock):
    """Return what the list at an address says of a place, as somebody who checks cards reads it."""

    async def told(uri, place):
        text = (await published.refreshed()).lists[int(uri.rpartition("/")[2])].body.decode()
        ring = published._authority.keys.ring
        return status.read(
            text,
            lambda kid: ring.verifying(Purpose.STATUS, kid, clock()),
            uri=uri,
            now=clock(),
        ).statuses[place]

    return told


async def test_a_place_is_random_and_nobody_elses(enter):
    found = [(await enter())[1:] for _ in range(30)]

    places = [place for _, place in found]
    assert {uri for uri, _ in found} == {f"{ISSUER}/status/1"}
    assert len(set(places)) == 30
    assert places != sorted(places)
    assert max(places) > rows.SIZE // 4


async def test_a_new_list_begins_once_one_is_more_than_half_full(database, enter, monkeypatch):
    monkeypatch.setattr(rows, "SIZE", 8)

    found = Counter([(await enter())[1] for _ in range(12)])

    assert found == {f"{ISSUER}/status/1": 5, f"{ISSUER}/status/2": 5, f"{ISSUER}/status/3": 2}


async def test_of_two_who_take_one_place_one_gets_it(database, enter):
    card, _, place = await enter()

    async with database.begin() as session:
        again = await rows.take(session, 1, place, card_id=card.id, device_id=None, expires_at=WEEK)

    assert not again


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({}, Status.VALID),
        ({"status": cards.Status.SUSPENDED}, Status.SUSPENDED),
        ({"status": cards.Status.REVOKED}, Status.INVALID),
        ({"valid_until": date(2026, 11, 22)}, Status.VALID),
        ({"valid_until": date(2026, 11, 21)}, Status.INVALID),
        (
            {"valid_until": date(2026, 11, 21), "status": cards.Status.SUSPENDED},
            Status.INVALID,
        ),
    ],
)
async def test_a_list_says_how_a_card_is(enter, told, columns, says):
    _, uri, place = await enter(**columns)

    assert await told(uri, place) == says


async def test_what_befalls_a_card_is_in_its_list_at_once(enter, told, befell):
    card, uri, place = await enter()
    said = [await told(uri, place)]

    for state, change in (
        (cards.Status.SUSPENDED, Change.SUSPENDED),
        (cards.Status.ACTIVE, Change.RESUMED),
        (cards.Status.REVOKED, Change.REVOKED),
    ):
        await befell(card, state, change)
        said.append(await told(uri, place))

    assert said == [Status.VALID, Status.SUSPENDED, Status.VALID, Status.INVALID]


async def test_what_a_lost_phone_holds_ends_alone(database, enter, told, clock):
    card, uri, place = await enter(phone=True)
    async with database.begin() as session:
        other = await lists.entered(session, ISSUER, card, None, WEEK)
    assert await told(uri, place) == Status.VALID

    async with database.begin() as session:
        device = await session.scalar(
            sa.select(StatusEntry.device_id).where(StatusEntry.device_id.is_not(None))
        )
        await rows.end(session, clock(), devices=[device])

    assert await told(uri, place) == Status.INVALID
    assert await told(*other) == Status.VALID


async def test_what_ends_by_a_clock_that_is_behind_is_noticed_too(database, enter, told, clock):
    card, uri, place = await enter()
    assert await told(uri, place) == Status.VALID

    async with database.begin() as session:
        await rows.end(session, clock() - timedelta(minutes=2), cards=[card.id])

    assert await told(uri, place) == Status.INVALID


async def test_nothing_is_built_while_nothing_changes_and_it_is_young(enter, published, clock):
    await enter()
    first = await published.refreshed()

    clock.pass_seconds(49)
    same = await published.refreshed()
    clock.pass_seconds(1)
    anew = await published.refreshed()

    assert same is first
    assert anew is not first
    assert anew.as_of - first.as_of == lists.LONGEST <= timedelta(seconds=60)


async def test_a_card_is_over_in_its_list_when_its_last_day_is(enter, told, clock):
    _, uri, place = await enter(valid_until=date(2026, 11, 22))
    assert await told(uri, place) == Status.VALID

    clock.pass_seconds(14 * 3600)

    assert await told(uri, place) == Status.INVALID


async def test_of_many_who_ask_at_once_one_builds(enter, published):
    await enter()

    found = await asyncio.gather(*(published.refreshed() for _ in range(20)))

    assert len({id(one) for one in found}) == 1


async def test_what_is_revoked_is_told_in_brief_as_ids_alone(enter, published, befell, clock):
    card, uri, place = await enter()
    await enter(status=cards.Status.SUSPENDED)
    await enter(status=cards.Status.REVOKED, ends=small.NOW)
    await enter()
    await published.refreshed()

    await befell(card, cards.Status.REVOKED, Change.REVOKED)

    assert json.loads((await published.refreshed()).revocations.body) == {
        "asOf": clock().isoformat(),
        "ttl": 300,
        "revoked": [{"uri": uri, "idx": place}],
    }


async def test_nothing_at_all_is_revoked_in_brief(published):
    found = await published.refreshed()

    assert json.loads(found.revocations.body)["revoked"] == []
    assert found.lists == {}


async def test_a_list_of_many_marks_is_read_in_parts_and_whole(
    database, enter, published, told, monkeypatch
):
    monkeypatch.setattr(rows, "_CHUNK", 3)
    found = [(await enter(status=cards.Status.REVOKED))[1:] for _ in range(10)]

    assert [await told(*one) for one in found] == [Status.INVALID] * 10


async def test_a_list_says_nothing_of_how_many_cards_there_are(enter, published):
    await enter()
    few = await published.refreshed()
    for _ in range(20):
        await enter()

    many = await published._built(published._authority.clock())

    assert few.lists[1] == many.lists[1]

"""The sandbox's venues list schema.org events by month and type."""

from __future__ import annotations

import pytest

from sandbox import secret

TOKEN = {"connectapitoken": secret.VALUES["hongqiao-cinema-token"]}


@pytest.fixture
async def events(running, client):
    system = await running("cinema")

    async def ask(slug="hongqiao-cinema", headers=TOKEN, **query):
        async with client.get(
            f"{system.url}/{slug}/events", params=query, headers=headers
        ) as reply:
            return reply.status, await reply.json(content_type=None)

    return ask


async def test_the_programme_is_of_this_month_and_the_next(events):
    _, programme = await events()

    assert {one["startDate"][:7] for one in programme} == {"2026-11", "2026-12"}
    assert len({one["identifier"] for one in programme}) == len(programme)


async def test_months_and_types_choose(events):
    _, programme = await events(month="2026-12", type="MusicEvent")

    assert programme
    assert {(one["@type"], one["startDate"][:7]) for one in programme} == {
        ("MusicEvent", "2026-12")
    }


async def test_times_are_local_and_say_no_offset(events):
    _, [first, *_] = await events(type="ScreeningEvent")

    assert first["startDate"] == "2026-11-01T19:30:00"
    assert 0 <= first["remainingAttendeeCapacity"] <= first["maximumAttendeeCapacity"]


async def test_a_month_outside_the_programme_is_empty_and_a_wrong_one_refused(events):
    assert await events(month="2027-06") == (200, [])
    status, _ = await events(month="June")
    assert status == 400


async def test_the_hall_takes_its_key_in_the_query(events):
    key = secret.VALUES["xinhua-culture-hall-key"]

    status, programme = await events("xinhua-culture-hall", {}, key=key, type="ExhibitionEvent")

    assert status == 200
    assert [one["startDate"] for one in programme] == ["2026-11-01", "2026-12-01"]


@pytest.mark.parametrize("slug", ["hongqiao-cinema", "xinhua-culture-hall"])
async def test_without_its_key_each_venue_refuses(events, slug):
    status, _ = await events(slug, {})

    assert status == 401

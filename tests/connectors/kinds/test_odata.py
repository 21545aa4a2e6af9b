"""The OData kind against a service that nobody here wrote, and against odd ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from connectors import errors, http
from connectors.kinds import odata
from tests import server

SHANGHAI = ZoneInfo("Asia/Shanghai")
PROPERTIES = {"topic": "Series", "seats": "SeatsAvailable"}
DAY = datetime(2026, 11, 24, tzinfo=SHANGHAI)


@pytest.fixture(scope="module")
def theirs():
    """The address of an odatapy service with three hundred sessions, one each hour."""
    with server.python(str(server.FOLDER / "showings.py"), "{port}") as url:
        yield url


@pytest.fixture
def build(client, theirs):
    def made(**options):
        policy = http.Policy(deadline_seconds=10)
        partner = client.partner("theirs", theirs, policy)
        given = {"properties": PROPERTIES, "venue": "Lantern Cinema"} | options
        return odata.Odata(odata.Options.model_validate(given), partner), partner

    return made


async def test_topics_and_windows_are_one_query_at_a_service_that_others_wrote(build, asked):
    connector, partner = build(topics={"children": "Children's Cinema"})
    tomorrow = DAY + timedelta(days=1)

    children, classics, nothing = await connector.answer(
        [
            asked("showing", "children", DAY, tomorrow),
            asked("showing", "Classics", DAY, tomorrow + timedelta(days=1)),
            asked("showing", "Opera", DAY, tomorrow),
        ]
    )

    assert partner.calls == 1
    assert [one.id for one in children] == ["0", "2", "4", "6", "8", "10", "12"]
    assert children[0].start == datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)
    assert (children[1].title, children[1].seats) == ("Film 2", 2)
    assert {one.venue for one in children} == {"Lantern Cinema"}
    assert len(classics) == 19
    assert nothing == []


async def test_small_pages_are_followed_to_the_same_answer(build, asked):
    week = asked("showing", "Classics", DAY, DAY + timedelta(days=7))
    whole, _ = build()
    paged, partner = build(page_size=10)

    assert await paged.answer([week]) == await whole.answer([week])
    assert partner.calls == 8


async def test_local_times_are_the_zones_whatever_stands_behind_them(build, asked):
    connector, _ = build(local=True)

    [sessions] = await connector.answer(
        [asked("showing", "Classics", DAY, DAY + timedelta(hours=6))]
    )

    assert [one.start for one in sessions] == [
        DAY + timedelta(hours=3),
        DAY + timedelta(hours=5),
    ]


async def test_a_property_that_the_service_has_not_is_refused(build, asked):
    connector, _ = build(properties={"title": "Name"})

    with pytest.raises(errors.Refused) as raised:
        await connector.answer([asked("showing", "Classics")])

    assert raised.value.status == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"value": [{"ID": 1, "Title": "x"}]},
        {"value": [{"ID": 1, "Title": "x", "Showtime": "soon"}]},
        {"value": [{"ID": 1, "Title": "x", "Showtime": "2026-11-24T19:30:00", "Left": -1}]},
        {"value": [{"ID": None, "Title": "x", "Showtime": "2026-11-24T19:30:00"}]},
    ],
)
async def test_what_is_no_page_of_sessions_is_a_bad_answer(odd, asked, body):
    connector, _ = await odd(odata.Odata, {"properties": {"seats": "Left"}}, body)

    with pytest.raises(errors.Misconfigured) as raised:
        await connector.answer([asked("showing", "film")])

    assert raised.value.problem is errors.Problem.BAD_ANSWER


async def test_pages_without_end_are_a_bad_answer(odd, asked):
    connector, calls = await odd(odata.Odata, {}, {"value": [], "@odata.nextLink": "Sessions"})

    with pytest.raises(errors.Misconfigured, match="20 pages"):
        await connector.answer([asked("showing", "film")])

    assert len(calls) == 20


async def test_it_is_connected_by_its_file_alone(connected, theirs, asked):
    connector = connected("lantern-cinema", theirs)

    [sessions] = await connector.answer([asked("showing", "children", DAY, DAY.replace(day=25))])

    assert [one.id for one in sessions] == ["0", "2", "4", "6", "8", "10", "12"]

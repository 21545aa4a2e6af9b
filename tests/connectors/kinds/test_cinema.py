"""The cinema kind against the sandbox's programmes, and against odd ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from connectors import credential, errors
from connectors.kinds import cinema
from sandbox import secret

SHANGHAI = ZoneInfo("Asia/Shanghai")
TOKEN = credential.Header("connectapitoken", secret.VALUES["hongqiao-cinema-token"])
KEY = credential.QueryKey("key", secret.VALUES["xinhua-culture-hall-key"])
FILM = {
    "@type": "ScreeningEvent",
    "identifier": "f-1",
    "name": "Two Umbrellas",
    "startDate": "2026-11-24T19:30:00",
    "location": {"name": "Hall 1"},
}


@pytest.fixture
async def venue(running, client):
    system = await running("cinema")

    def build(slug, credentials, **options):
        partner = client.partner(slug, f"{system.url}/{slug}/", credentials=credentials)
        return cinema.Cinema(cinema.Options(**options), partner)

    return system, build


async def test_many_inquiries_are_one_call_for_all_months_and_types(venue, asked):
    system, build = venue
    fortnight = [asked("showing", "film"), asked("showing", "concert"), asked("showing", "theatre")]

    films, concerts, plays = await build("hongqiao-cinema", TOKEN).answer(fortnight)

    assert system.calls == {"hongqiao-cinema": 1}
    assert {one.start.month for one in films} == {11, 12}
    assert all(fortnight[0].since <= one.start < fortnight[0].until for one in films)
    assert films == sorted(films, key=lambda one: (one.start, one.id))
    assert {one.title for one in concerts} == {"Film Music by Candlelight"}
    assert plays == []
    first = films[0]
    assert first.start.utcoffset() == timedelta(hours=8)
    assert (first.price, first.price_currency) == (Decimal("45.00"), "CNY")
    assert 0 <= first.seats <= 120
    assert first.url == f"https://hongqiao-cinema.example/events/{first.id}"


async def test_an_exhibition_is_offered_while_it_is_open(venue, asked):
    _, build = venue

    [shown] = await build("xinhua-culture-hall", KEY).answer([asked("showing", "exhibition")])

    assert [(one.start.isoformat(), one.end.isoformat()) for one in shown] == [
        ("2026-11-01T00:00:00+08:00", "2026-12-01T00:00:00+08:00"),
        ("2026-12-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00"),
    ]


async def test_every_topic_of_the_hall_is_served(venue, asked):
    system, build = venue
    topics = ["concert", "theatre", "exhibition"]

    answers = await build("xinhua-culture-hall", KEY).answer(
        [asked("showing", topic) for topic in topics]
    )

    assert all(answers)
    assert system.calls == {"xinhua-culture-hall": 1}


async def test_a_wrong_key_is_not_taken(venue, asked):
    _, build = venue
    connector = build("hongqiao-cinema", credential.Header("connectapitoken", "wrong"))

    with pytest.raises(errors.Misconfigured) as raised:
        await connector.answer([asked("showing", "film")])

    assert raised.value.problem is errors.Problem.UNAUTHORIZED


@pytest.mark.parametrize(
    ("written", "start"),
    [
        ("2026-11-24T19:30:00", datetime(2026, 11, 24, 19, 30, tzinfo=ZoneInfo("Asia/Tokyo"))),
        ("2026-11-24T19:30:00+08:00", datetime(2026, 11, 24, 19, 30, tzinfo=SHANGHAI)),
        (
            "2026-11-24T11:30:00Z",
            datetime(2026, 11, 24, 11, 30, tzinfo=UTC),
        ),
        ("2026-11-24", datetime(2026, 11, 24, tzinfo=ZoneInfo("Asia/Tokyo"))),
    ],
)
async def test_a_time_without_an_offset_is_in_the_venues_zone(odd, asked, written, start):
    event = FILM | {"startDate": written}
    connector, _ = await odd(cinema.Cinema, {"zone": "Asia/Tokyo"}, [event])

    [[showing]] = await connector.answer([asked("showing", "film")])

    assert showing.start == start


@pytest.mark.parametrize(
    ("status", "count"),
    [
        ("https://schema.org/EventScheduled", 1),
        ("http://schema.org/EventRescheduled", 1),
        ("EventCancelled", 0),
        ("https://schema.org/EventPostponed", 0),
    ],
)
async def test_what_was_called_off_is_not_offered(odd, asked, status, count):
    connector, _ = await odd(cinema.Cinema, {}, [FILM | {"eventStatus": status}])

    [showings] = await connector.answer([asked("showing", "film")])

    assert len(showings) == count


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"identifier": None}, "identifier"),
        ({"startDate": "tonight"}, "startDate"),
        ({"startDate": "2026-02-30"}, "startDate"),
        ({"location": None}, "location"),
        ({"eventStatus": "EventDreamt"}, "eventStatus"),
        ({"offers": {"price": "much"}}, "price"),
        ({"url": "javascript:alert(1)"}, "url"),
    ],
)
async def test_an_event_that_does_not_fit_is_a_bad_answer_that_says_where(
    odd, asked, changed, place
):
    connector, _ = await odd(cinema.Cinema, {}, [FILM | changed])

    with pytest.raises(errors.Misconfigured, match=place) as raised:
        await connector.answer([asked("showing", "film")])

    assert raised.value.problem is errors.Problem.BAD_ANSWER
    assert "much" not in str(raised.value)


@pytest.mark.parametrize("body", [{}, {"data": 42}, {"@graph": 1}, "{}", [1], [{"name": "x"}]])
async def test_what_is_no_list_of_events_is_a_bad_answer(odd, asked, body):
    connector, _ = await odd(cinema.Cinema, {}, body)

    with pytest.raises(errors.Misconfigured) as raised:
        await connector.answer([asked("showing", "film")])

    assert raised.value.problem is errors.Problem.BAD_ANSWER


async def test_records_of_other_types_are_passed_over_even_when_odd(odd, asked):
    strangers = [{"@type": "Movie", "name": "x"}, {"@type": ["MusicEvent"], "startDate": "?"}]
    connector, _ = await odd(cinema.Cinema, {}, {"@graph": [*strangers, FILM]})

    [showings] = await connector.answer([asked("showing", "film")])

    assert [one.id for one in showings] == ["f-1"]


async def test_the_lowest_of_several_prices_is_the_price(odd, asked):
    offers = [
        {"price": "90.00", "priceCurrency": "CNY"},
        {"price": 0, "priceCurrency": "CNY", "url": "https://venue.example/free"},
        {"availability": "SoldOut"},
    ]
    connector, _ = await odd(cinema.Cinema, {}, [FILM | {"offers": offers}])

    [[showing]] = await connector.answer([asked("showing", "film")])

    assert showing.price == 0
    assert showing.url == "https://venue.example/free"


async def test_a_topic_that_is_an_event_type_is_asked_for_as_it_is(odd, asked):
    connector, requests = await odd(cinema.Cinema, {}, [FILM | {"@type": "ComedyEvent"}])

    [showings] = await connector.answer([asked("showing", "ComedyEvent")])

    assert len(showings) == 1
    assert requests[0].query.getall("type") == ["ComedyEvent"]
    assert requests[0].query.getall("month") == ["2026-11", "2026-12"]


async def test_an_exhibition_that_stays_for_ever_is_always_open(odd, asked):
    stays = FILM | {"@type": "ExhibitionEvent", "startDate": "1984-05-01", "endDate": "9999-12-31"}
    connector, _ = await odd(cinema.Cinema, {}, [stays])

    [[showing]] = await connector.answer([asked("showing", "exhibition")])

    assert showing.end.year == 9999


async def test_a_language_that_is_a_thing_of_its_own_is_not_shown(odd, asked):
    event = FILM | {"inLanguage": {"@type": "Language", "name": "Chinese"}, "videoFormat": "IMAX"}
    connector, _ = await odd(cinema.Cinema, {}, [event])

    [[showing]] = await connector.answer([asked("showing", "film")])

    assert [(one.label, one.value) for one in showing.attributes] == [("Format", "IMAX")]


async def test_events_are_found_in_the_scripts_of_a_page(odd, asked):
    page = (
        '<html><script>var a = "<b>";</script>'
        '<script type="application/ld+json">{"@type": "Organization", "name": "x"}</script>'
        f'<script type="application/ld+json">{{"@graph": [{json.dumps(FILM)}]}}</script></html>'
    )
    connector, requests = await odd(
        cinema.Cinema, {"format": "html"}, page, content_type="text/html"
    )

    [[showing]] = await connector.answer([asked("showing", "film")])

    assert showing.id == "f-1"
    assert requests[0].query_string == ""


async def test_an_event_without_a_name_of_its_own_is_named_by_its_page(odd, asked):
    event = {name: value for name, value in FILM.items() if name != "identifier"}
    connector, _ = await odd(cinema.Cinema, {}, [event | {"url": "https://venue.example/f-1"}])

    [[showing]] = await connector.answer([asked("showing", "film")])

    assert showing.id == showing.url == "https://venue.example/f-1"


async def test_a_page_with_a_broken_script_is_unreadable(odd, asked):
    page = '<script type="application/ld+json">{"@type": </script>'
    connector, _ = await odd(cinema.Cinema, {"format": "html"}, page, content_type="text/html")

    with pytest.raises(errors.Misconfigured) as raised:
        await connector.answer([asked("showing", "film")])

    assert raised.value.problem is errors.Problem.UNREADABLE

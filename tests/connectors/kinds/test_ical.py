"""The calendar kind against a CalDAV server that nobody here wrote, and against odd feeds."""

from __future__ import annotations

import base64
import contextlib
import http as protocol
import urllib.request
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from connectors import calendar, credential, errors, http
from connectors.kinds import ical
from tests import server

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 11, 23, tzinfo=SHANGHAI)
USER, PASSWORD = "greenway", "loopback-password"
WEEKLY = (
    "UID:choir",
    "DTSTART;TZID=Asia/Shanghai:20261104T190000",
    "DTEND;TZID=Asia/Shanghai:20261104T203000",
    "RRULE:FREQ=WEEKLY",
    "EXDATE;TZID=Asia/Shanghai:20261202T190000",
    "SUMMARY:Choir\\, open to all",
    "LOCATION:Culture Hall",
    "CATEGORIES:Music",
)
ONCE = (
    "UID:lecture",
    "DTSTART:20261126T110000Z",
    "DTEND:20261126T123000Z",
    "SUMMARY:A lecture",
    "LOCATION:Library",
    "URL:https://library.example/lecture",
)


def feed(*events):
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//EN"]
    for event in events:
        lines += ["BEGIN:VEVENT", "DTSTAMP:20261101T000000Z", *event, "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """The address of a Radicale collection of two events, which only USER may read."""
    folder = tmp_path_factory.mktemp("radicale")
    (folder / "users").write_text(f"{USER}:{PASSWORD}\n")
    settings = {
        "server-hosts": "127.0.0.1:{port}",
        "auth-type": "htpasswd",
        "auth-htpasswd-filename": str(folder / "users"),
        "auth-htpasswd-encryption": "plain",
        "storage-filesystem-folder": str(folder / "collections"),
    }
    words = [word for name, value in settings.items() for word in (f"--{name}", value)]
    with server.python("-m", "radicale", "--config", "", *words) as url:
        collection = f"{url}/{USER}/programme/"
        put("MKCALENDAR", collection)
        put("PUT", f"{collection}choir.ics", feed(WEEKLY))
        put("PUT", f"{collection}lecture.ics", feed(ONCE))
        yield collection


def put(method, url, body=""):
    token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {token}", "Content-Type": "text/calendar"}
    request = urllib.request.Request(url, body.encode(), headers, method=method)  # noqa: S310 - loopback
    with contextlib.closing(urllib.request.urlopen(request, timeout=10)) as reply:  # noqa: S310 - same
        assert reply.status == protocol.HTTPStatus.CREATED


@pytest.fixture
def build(client, theirs):
    def made(password=PASSWORD, **options):
        policy = http.Policy(deadline_seconds=10)
        partner = client.partner("theirs", theirs, policy, credential.Basic(USER, password))
        return ical.Ical(ical.Options(**options), partner), partner

    return made


@pytest.mark.parametrize("caldav", [True, False])
async def test_a_rule_is_unfolded_in_the_window_of_a_calendar_that_others_serve(
    build, asked, caldav
):
    connector, partner = build(caldav=caldav, categories={"anything": ""})
    fortnight = MONDAY, MONDAY + timedelta(days=14)

    music, anything = await connector.answer(
        [asked("showing", "music", *fortnight), asked("showing", "anything", *fortnight)]
    )

    assert partner.calls == 1
    assert [(one.id, one.start) for one in music] == [
        ("choir/20261125T110000Z", MONDAY + timedelta(days=2, hours=19))
    ]
    assert [one.title for one in anything] == ["Choir, open to all", "A lecture"]
    assert anything[1].url == "https://library.example/lecture"
    assert anything[1].venue == "Library"


async def test_a_wrong_password_is_not_taken(build, asked):
    connector, _ = build("wrong")

    with pytest.raises(errors.Misconfigured) as raised:
        await connector.answer([asked("showing", "music")])

    assert raised.value.problem is errors.Problem.UNAUTHORIZED


async def answered(odd, asked, *events, **options):
    given = {"categories": {"anything": ""}, "where": "Hall"} | options
    connector, _ = await odd(ical.Ical, given, feed(*events), content_type="text/calendar")
    fortnight = MONDAY, MONDAY + timedelta(days=14)
    [found] = await connector.answer(
        [asked(options.get("gives", "showing"), "anything", *fortnight)]
    )
    return found


@pytest.mark.parametrize(
    ("written", "start"),
    [
        (":20261124T193000", datetime(2026, 11, 24, 19, 30, tzinfo=ZoneInfo("Asia/Tokyo"))),
        (":20261124T113000Z", datetime(2026, 11, 24, 19, 30, tzinfo=SHANGHAI)),
        (";VALUE=DATE:20261124", datetime(2026, 11, 24, tzinfo=ZoneInfo("Asia/Tokyo"))),
    ],
)
async def test_a_time_without_a_zone_is_in_the_calendars(odd, asked, written, start):
    event = ("UID:a", f"DTSTART{written}", "SUMMARY:Talk")

    [found] = await answered(odd, asked, event, zone="Asia/Tokyo")

    assert found.start == start


async def test_a_calendars_own_zone_is_the_one_its_rules_go_by(odd, asked):
    # 19:00 in New York, before and after its clocks went back on 1 November.
    written = feed(("UID:a", "DTSTART:20261028T230000Z", "RRULE:FREQ=WEEKLY", "SUMMARY:Talk"))
    zoned = written.replace("VERSION:2.0", "VERSION:2.0\r\nX-WR-TIMEZONE:America/New_York")
    given = {"categories": {"anything": ""}, "where": "Hall"}
    connector, _ = await odd(ical.Ical, given, zoned, content_type="text/calendar")

    [[found]] = await connector.answer(
        [asked("showing", "anything", MONDAY, MONDAY + timedelta(days=7))]
    )

    assert found.start == datetime(2026, 11, 25, 19, tzinfo=ZoneInfo("America/New_York"))


async def test_events_of_a_practice_are_appointments(odd, asked):
    [found] = await answered(odd, asked, ONCE, gives="appointment")

    assert (found.where, found.end - found.start) == ("Library", timedelta(minutes=90))


async def test_an_event_without_a_place_is_left_out_unless_the_file_says_one(odd, asked):
    event = ("UID:a", "DTSTART:20261124T113000Z", "SUMMARY:Talk")

    assert await answered(odd, asked, event, where="") == []


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=HOURLY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY\r\nRRULE:FREQ=WEEKLY",
        "FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=1,2,3,4,5",
    ],
)
async def test_a_rule_that_cannot_be_followed_is_a_bad_answer(odd, asked, rule):
    event = ("UID:a", "DTSTART:20261124T113000Z", f"RRULE:{rule}", "SUMMARY:Talk")

    with pytest.raises(errors.Misconfigured) as raised:
        await answered(odd, asked, event)

    assert raised.value.problem is errors.Problem.BAD_ANSWER


@pytest.mark.parametrize("start", [":20261101T113000", ":20261101T113000Z", ";VALUE=DATE:20261101"])
@pytest.mark.parametrize("rule", ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;COUNT=9"])
async def test_a_rule_with_nothing_in_the_window_gives_nothing(odd, asked, start, rule):
    event = ("UID:a", f"DTSTART{start}", f"RRULE:{rule}", "SUMMARY:Talk")

    assert await answered(odd, asked, event) == []


async def test_rules_that_take_too_long_are_a_bad_answer(odd, asked, monkeypatch):
    monkeypatch.setattr(calendar, "_MOST_SECONDS", 0.01)
    event = ("UID:a", "DTSTART:20261124T113000Z", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")

    with pytest.raises(errors.Misconfigured) as raised:
        await answered(odd, asked, event)

    assert raised.value.problem is errors.Problem.BAD_ANSWER


async def test_more_than_anybody_can_go_to_is_a_bad_answer(odd, asked, monkeypatch):
    monkeypatch.setattr(calendar, "_MOST_OCCURRENCES", 13)
    event = ("UID:a", "DTSTART:20261101T113000Z", "RRULE:FREQ=DAILY", "SUMMARY:Talk")

    with pytest.raises(errors.Misconfigured) as raised:
        await answered(odd, asked, event)

    assert raised.value.problem is errors.Problem.BAD_ANSWER


@pytest.mark.parametrize("year", ["0001", "1601"])
async def test_a_rule_from_long_ago_is_a_bad_answer(odd, asked, year):
    event = ("UID:a", f"DTSTART:{year}0101T000000Z", "RRULE:FREQ=DAILY", "SUMMARY:Talk")

    with pytest.raises(errors.Misconfigured):
        await answered(odd, asked, event)


@pytest.mark.parametrize(
    "body",
    [
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT",
        "<html></html>",
        feed(("UID:a", "DTSTART:20261324T113000Z", "SUMMARY:Talk")),
        feed(("UID:a", "SUMMARY:Talk")),
        feed(("DTSTART:20261124T113000Z", "RRULE:FREQ=SOMETIMES", "UID:a")),
    ],
)
async def test_what_is_no_calendar_is_unreadable(odd, asked, body):
    connector, _ = await odd(ical.Ical, {}, body, content_type="text/calendar")

    with pytest.raises(errors.Misconfigured) as raised:
        await connector.answer([asked("showing", "anything")])

    assert raised.value.problem is errors.Problem.UNREADABLE


async def test_it_is_connected_by_its_file_alone(connected, theirs, asked):
    connector = connected("culture-hall-calendar", theirs, culture_hall_password=PASSWORD)

    [found] = await connector.answer(
        [asked("showing", "anything", MONDAY, MONDAY + timedelta(days=7))]
    )

    assert [one.title for one in found] == ["Choir, open to all", "A lecture"]

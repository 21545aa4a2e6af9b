"""Answers in every format become data; what is not so written has its own problem."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from connectors import decode, errors, exchange

WINDOW = (datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 27, tzinfo=UTC))
EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:a\r\n"
    "DTSTART:20261101T100000\r\nDURATION:PT1H\r\nRRULE:{rule}\r\nCATEGORIES:x,y\r\nX-SEATS:3\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)
PAGE = (
    '<p>a</p><script>1</script><script type="Application/LD+JSON; charset=utf-8">'
    '[{"a": 1}, {"@graph": [{"a": "</p>"}]}]</script><b>2</b>'
)


async def read(body, content_type="", **options):
    reply = exchange.Reply(200, {"Content-Type": content_type}, body.encode())
    return await decode.read(decode.Answer(**options), reply, WINDOW)


@pytest.mark.parametrize(
    ("options", "body", "data"),
    [
        ({"format": "json"}, '{"a": 1}', {"a": 1}),
        ({"format": "ndjson"}, '{"a": 1}\n\n{"a": 2}\n', [{"a": 1}, {"a": 2}]),
        ({"format": "csv"}, '\ufeffa,b\n1,"x\ny"\n\n', [{"a": "1", "b": "x\ny"}]),
        ({"format": "csv", "header": ["a"], "delimiter": ";"}, "1\n2", [{"a": "1"}, {"a": "2"}]),
        ({"format": "csv"}, "a,b\n", []),
        ({"format": "xml"}, "<r><a>1</a><a>2</a></r>", {"r": {"a": ["1", "2"]}}),
        ({"format": "xml", "lists": ["a"]}, "<r><a>1</a></r>", {"r": {"a": ["1"]}}),
        (
            {"format": "xml"},
            '<n:r xmlns:n="u" n:k="v"> t <n:a/></n:r>',
            {"r": {"@k": "v", "#text": "t", "a": ""}},
        ),
        (
            {"format": "html"},
            PAGE,
            [{"a": 1}, {"a": "</p>"}],
        ),
    ],
)
async def test_an_answer_becomes_data(options, body, data):
    assert await read(body, **options) == data


async def test_an_event_that_recurs_is_there_for_every_time_in_the_window():
    events = await read(EVENT.format(rule="FREQ=DAILY"), format="ical")

    assert [one["start"] for one in events] == [f"2026-11-{day}T10:00:00" for day in (24, 25, 26)]
    assert {one["occurrence"] for one in events} == {f"a/{one['start']}" for one in events}
    assert events[0]["end"] == "2026-11-24T11:00:00"
    assert (events[0]["categories"], events[0]["x_seats"]) == (["x", "y"], "3")


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=HOURLY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=0,10,20,30,40",
    ],
)
async def test_an_event_that_recurs_too_often_is_a_bad_answer(rule):
    with pytest.raises(errors.Misconfigured) as raised:
        await read(EVENT.format(rule=rule), format="ical")

    assert raised.value.problem is errors.Problem.BAD_ANSWER


@pytest.mark.parametrize(
    ("options", "body", "content_type", "problem"),
    [
        ({"format": "ndjson"}, '{"a": 1}\n{"a"', "", errors.Problem.UNREADABLE),
        ({"format": "csv"}, "a,b\n1\n", "", errors.Problem.BAD_ANSWER),
        ({"format": "csv"}, "<html>", "text/html; charset=utf-8", errors.Problem.WRONG_TYPE),
        ({"format": "ical"}, "hello", "", errors.Problem.UNREADABLE),
        ({"format": "ical"}, "<html>", "Text/HTML", errors.Problem.WRONG_TYPE),
        ({"format": "xml"}, "<r>", "", errors.Problem.UNREADABLE),
        ({"format": "xml"}, "<!DOCTYPE r><r/>", "", errors.Problem.UNREADABLE),
        ({"format": "xml"}, "<a>" * 200 + "</a>" * 200, "", errors.Problem.BAD_ANSWER),
        (
            {"format": "html"},
            '<script type="application/ld+json">{</script>',
            "text/html",
            errors.Problem.UNREADABLE,
        ),
        ({"format": "json"}, "", "", errors.Problem.NO_CONTENT),
    ],
)
async def test_what_is_not_so_written_has_its_own_problem(options, body, content_type, problem):
    with pytest.raises(errors.Misconfigured) as raised:
        await read(body, content_type, **options)

    assert raised.value.problem is problem


async def test_while_a_large_answer_is_read_others_go_on():
    # Some 2 MB: read at a stretch, nothing else would have its turn.
    reading = asyncio.create_task(
        read("<r>" + "<a>1</a>" * 250_000 + "</r>", "text/xml", format="xml")
    )
    turns = 0
    while not reading.done():
        await asyncio.sleep(0)
        turns += 1

    assert len((await reading)["r"]["a"]) == 250_000
    assert turns > 2

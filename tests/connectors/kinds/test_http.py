"""The declared kind before partners that page, batch, fail and book; and the mistakes of a file."""

from __future__ import annotations

import copy
import json
from datetime import timedelta

import pydantic
import pytest
from aiohttp import web

from connectors import base, errors
from connectors.kinds import http
from models import offer
from tests import partner

TALKS = {
    "call": {"path": "talks/{topic}"},
    "records": [{"foreach": "rows"}],
    "fields": {"id": "id", "title": "id", "start": "start", "venue": "id"},
}
START = "2026-11-24T10:00"


def rows(*ids):
    return [{"id": one, "start": START} for one in ids]


def talks(**changed):
    return {"offers": {"showing": TALKS | changed}}


def ids(offers):
    return [one.id for one in offers]


async def test_inquiries_whose_calls_are_the_same_are_one_call(odd, asked):
    options = talks(call={"path": "talks", "query": {"from": "{since|date}"}}, where="id != 'x'")
    connector, requests = await odd(http.HTTP, options, {"rows": rows("a", "x")})
    one = asked("showing", "film")
    later = asked("showing", "concert", one.since + timedelta(days=5))

    assert [ids(some) for some in await connector.answer([one, later])] == [["a"], []]
    assert [request.query["from"] for request in requests] == ["2026-11-22"]


async def test_a_partner_that_chooses_by_time_is_asked_for_each_time(odd, asked):
    options = talks(call={"path": "talks", "query": {"from": "{since|date}"}}, window="any")
    connector, requests = await odd(http.HTTP, options, {"rows": rows("a")})
    one = asked("showing", "film")

    await connector.answer([one, asked("showing", "film", one.since + timedelta(days=1))])

    assert sorted(request.query["from"] for request in requests) == ["2026-11-22", "2026-11-23"]


async def test_an_answer_is_read_once_until_it_says_something_else(odd, asked):
    bodies = [{"rows": rows("a")}, {"rows": rows("a")}, {"rows": rows("b")}]
    connector, requests = await odd(http.HTTP, talks(), *bodies)
    one = asked("showing", "film")

    [first], [same], [other] = [await connector.answer([one]) for _ in bodies]

    assert len(requests) == 3
    assert same[0] is first[0]
    assert ids(other) == ["b"]


async def test_an_answer_that_is_wrong_is_read_anew(odd, asked):
    connector, _ = await odd(http.HTTP, talks(), {"rows": [{"id": "a"}]})
    failures = []
    for _ in range(2):
        with pytest.raises(errors.Misconfigured) as raised:
            await connector.answer([asked("showing", "film")])
        failures.append(raised.value)

    assert failures[0] is not failures[1]


async def test_of_two_calls_one_fails_alone(odd, asked):
    connector, _ = await odd(http.HTTP, talks(), {"rows": rows("a")}, {"wrong": 1})

    given = await connector.answer([asked("showing", "film"), asked("showing", "concert")])

    assert sorted(isinstance(one, errors.PartnerError) for one in given) == [False, True]


async def test_calls_that_all_fail_are_the_partners_failure(odd, asked):
    connector, _ = await odd(http.HTTP, talks(), {"wrong": 1})

    with pytest.raises(errors.Misconfigured, match="no rows"):
        await connector.answer([asked("showing", "film"), asked("showing", "concert")])


CURSOR = {"cursor": {"parameter": "after", "value": "next"}}
LINK = {"link": {"url": "next"}}
NUMBER = {"number": {"parameter": "page"}}
OFFSET = {"offset": {"parameter": "start"}}


@pytest.mark.parametrize(
    ("pages", "bodies", "asks"),
    [
        (LINK, [{"next": "?p=2"}, {"next": ""}], ["", "p=2"]),
        (CURSOR, [{"next": "m&1"}, {}], ["", "after=m%261"]),
        (NUMBER, [{}, {"rows": []}], ["page=1", "page=2"]),
        (
            NUMBER | {"number": {"parameter": "p", "first": 0, "last": "last"}},
            [{"last": 0}],
            ["p=0"],
        ),
        (OFFSET, [{}, {"rows": []}], ["start=0", "start=2"]),
        (
            {"offset": {"parameter": "start", "total": "n"}},
            [{"n": 4}, {"n": 4}],
            ["start=0", "start=2"],
        ),
    ],
)
async def test_pages_are_turned_until_the_last(odd, asked, pages, bodies, asks):
    whole = [{"rows": rows(f"a{turn}", f"b{turn}")} | body for turn, body in enumerate(bodies)]
    connector, requests = await odd(http.HTTP, talks(pages=pages), *whole)

    [found] = await connector.answer([asked("showing", "film")])

    assert [request.query_string for request in requests] == asks
    assert {request.path for request in requests} == {"/talks/film"}
    assert len(found) == sum(len(body["rows"]) for body in whole)


@pytest.mark.parametrize(
    ("pages", "body", "problem"),
    [
        (LINK, {"next": "?p=2"}, errors.Problem.BAD_ANSWER),
        (CURSOR, {"next": "same"}, errors.Problem.BAD_ANSWER),
        (NUMBER, {}, errors.Problem.BAD_ANSWER),
        (OFFSET, {}, errors.Problem.BAD_ANSWER),
        ({"offset": {"parameter": "s", "total": "n"}}, {"n": "many"}, errors.Problem.BAD_ANSWER),
        ({"files": {"urls": "none"}}, {}, errors.Problem.BAD_ANSWER),
        (LINK, {"next": "https://elsewhere.example/"}, errors.Problem.FORBIDDEN_ADDRESS),
    ],
)
async def test_pages_end_at_the_latest_where_the_limit_is(odd, asked, pages, body, problem):
    connector, requests = await odd(http.HTTP, talks(pages=pages), {"rows": rows("a")} | body)

    with pytest.raises(errors.Misconfigured) as raised:
        await connector.answer([asked("showing", "film")])

    assert raised.value.problem is problem
    assert len(requests) <= connector.partner.policy.pages


RULES = [
    {"status": 404, "when": "code == 'gone'", "problem": "PARTNER_CONFLICT"},
    {"status": 404, "empty": True},
    {"when": "busy", "problem": "PARTNER_BUSY"},
    {"when": "reply.headers.\"x-none\" == '1'", "empty": True},
]


@pytest.mark.parametrize(
    ("body", "status", "headers", "problem"),
    [
        ({"code": "gone"}, 404, {}, errors.Problem.CONFLICT),
        ({}, 404, {}, None),
        ("no JSON", 404, {}, None),
        ({"busy": True}, 200, {}, errors.Problem.BUSY),
        ({"busy": True}, 422, {}, errors.Problem.REFUSED),
        ({"rows": 3}, 200, {"X_None": "1"}, None),
        ({}, 409, {}, errors.Problem.CONFLICT),
        ({}, 401, {}, errors.Problem.UNAUTHORIZED),
        ("<html>", 200, {}, errors.Problem.UNREADABLE),
        ("", 200, {}, errors.Problem.NO_CONTENT),
    ],
)
async def test_rules_say_what_an_answer_means(odd, asked, body, status, headers, problem):
    options = talks() | {"errors": RULES}
    connector, _ = await odd(http.HTTP, options, body, status=status, **headers)

    try:
        assert await connector.answer([asked("showing", "film")]) == [()]
        found = None
    except errors.PartnerError as failure:
        found = failure.problem

    assert found is problem


async def test_what_a_partner_says_again_is_the_very_same(odd, asked):
    same, other = {"rows": rows("a")}, {"rows": rows("b")}
    connector, requests = await odd(http.HTTP, talks(), same, same, other, same)

    told = [(await connector.answer([asked("showing", "film")]))[0] for _ in range(4)]

    assert [[one.id for one in offers] for offers in told] == [["a"], ["a"], ["b"], ["a"]]
    assert told[0] is told[1]
    assert len({id(offers) for offers in told[1:]}) == 3
    assert len({one.raw_path for one in requests}) == 1
    assert len(requests) == 4


async def test_other_questions_and_other_orders_are_other_calls(odd, asked):
    connector, requests = await odd(http.HTTP, talks(), {"rows": []})

    for topics in (["film"], ["talk"], ["film", "talk"], ["talk", "film"], ["film"]):
        answers = await connector.answer([asked("showing", topic) for topic in topics])
        assert answers == [()] * len(topics)

    assert len(requests) == 7


async def test_a_topic_that_cannot_be_asked_reaches_nobody(odd, asked):
    connector, requests = await odd(http.HTTP, talks(), {"rows": []})

    with pytest.raises(errors.Refused):
        await connector.answer([asked("showing", "..")])

    assert requests == []


ORDER = base.Order("k" * 22, "somebody", offer.Capability.SHOWING, "film", "7")
HALL = {
    "bookings": {
        "showing": {
            "reserve": {
                "read": {
                    "call": {"path": "seats/{offer}"},
                    "values": {"etag": "reply.headers.etag"},
                },
                "call": {
                    "method": "POST",
                    "path": "seats/{offer}",
                    "headers": {"If-Match": "{read.etag}", "Idempotency-Key": "{key}"},
                    "json": {"n": "{units}"},
                },
                "reference": "number",
                "handle": {"id": "id"},
                "undo": "free",
            },
            "undo": {"free": {"call": {"method": "DELETE", "path": "holds/{handle.id}"}}},
        }
    }
}


async def test_a_booking_is_confirmed_at_once_where_there_is_no_confirmation(odd):
    connector, requests = await odd(http.HTTP, HALL, {"number": 5, "id": "h/1"}, ETag='"3"')

    booked = await connector.reserve(ORDER)
    again = await connector.confirm(ORDER, booked)
    freed = await connector.cancel(ORDER, again)

    assert booked == again == base.Booked(base.Step.CONFIRMED, "5", None, {"id": "h/1"})
    assert freed.step is base.Step.CANCELLED
    assert await connector.cancel(ORDER, freed) == freed
    assert [(one.method, one.raw_path) for one in requests] == [
        ("GET", "/seats/7"),
        ("POST", "/seats/7"),
        ("DELETE", "/holds/h%2F1"),
    ]
    sent = requests[1].headers
    assert (sent["If-Match"], sent["Idempotency-Key"]) == ('"3"', ORDER.key)


@pytest.mark.parametrize(
    ("bodies", "acted"),
    [
        (["no JSON"], False),
        ([{}, "no JSON"], True),
        ([{}, {"id": "h"}], True),
    ],
)
async def test_what_went_wrong_before_the_act_has_not_acted(odd, bodies, acted):
    connector, _ = await odd(http.HTTP, HALL, *bodies, ETag='"3"')

    with pytest.raises(errors.PartnerError) as raised:
        await connector.reserve(ORDER)

    assert raised.value.may_have_acted is acted


async def test_a_partner_that_cannot_be_asked_for_a_booking_says_so(odd):
    connector, _ = await odd(http.HTTP, HALL, {})

    with pytest.raises(NotImplementedError):
        await connector.find(ORDER)


async def test_an_act_is_sent_once(odd):
    connector, requests = await odd(http.HTTP, HALL, {}, status=503, ETag='"3"')
    booked = base.Booked(base.Step.CONFIRMED, "5", None, {"id": "h"})

    with pytest.raises(errors.Retriable) as raised:
        await connector.cancel(ORDER, booked)

    assert raised.value.may_have_acted
    assert len(requests) == 1


def mistakes(options):
    with pytest.raises(pydantic.ValidationError) as raised:
        http.Options.model_validate(options)
    return [
        (".".join(str(step) for step in one["loc"]), one["msg"]) for one in raised.value.errors()
    ]


def changed(form, path, value):
    """Return a copy of a form with one place of it changed."""
    form = copy.deepcopy(form)
    at = form
    *above, last = path.split("/")
    for step in above:
        at = at[int(step) if step.isdecimal() else step]
    at[last] = value
    return form


@pytest.mark.parametrize(
    ("form", "path", "value", "where", "why"),
    [
        (talks(), "offers/showing/call/path", "a/{topik}", "call.path", "did you mean “topic”"),
        (talks(), "offers/showing/call/path", "a/{since|dat}", "call.path", "did you mean “date”"),
        (talks(), "offers/showing/call/path", "a?b=c", "call.path", "under `query`"),
        (talks(), "offers/showing/fields/id", "a.[", "fields.id.short", "ends too early"),
        (talks(), "offers/showing/fields/venu", "a", "fields.venu", "did you mean “venue”"),
        (talks(), "offers/showing/fields", {"id": "id"}, "fields", "“title” must be there"),
        (talks(), "offers/showing/where", "lowr(a)", "where", "did you mean “lower”"),
        (talks(), "offers/showing/call/headers", {"Host": "a"}, "headers", "writes the header"),
        (talks(), "offers/showing/call/headers", {"X-Api-Key": "a"}, "headers", "credentials"),
        (talks(), "offers/showing/call/json", {"a": 1}, "call", "a GET has none"),
        (talks(), "offers/showing/pages", {**LINK, **NUMBER}, "pages", "exactly one"),
        (talks(), "errors", [{"status": 404}], "errors.0", "Give a problem"),
        (talks(), "errors", [{"empty": True}], "errors.0", "Give a status"),
        (
            talks(),
            "errors",
            [{"status": 404, "problem": "PARTNER_TIMEOUT"}],
            "errors.0",
            "mean one",
        ),
        (
            talks(),
            "facts",
            {"childs": {"call": {"path": "a"}, "value": "a"}},
            "facts.childs",
            "rule",
        ),
        (HALL, "bookings/showing/reserve/undo", "fre", "reserve.undo", "did you mean “free”"),
        (HALL, "bookings/showing/reserve/reference", None, "reserve", "must be there"),
        (HALL, "bookings/showing/reserve/call/path", "{handle.id}", "call.path", "no placeholder"),
        (HALL, "bookings/showing/undo/free/call/path", "{handle.i}", "call.path", "“handle.id”"),
    ],
)
def test_a_mistake_is_told_where_it_stands_with_the_nearest_right_word(
    form, path, value, where, why
):
    found = mistakes(changed(form, path, value))

    assert any(where in place and why in sentence for place, sentence in found), found


def test_the_options_have_a_schema_for_editors():
    schema = json.dumps(http.Options.model_json_schema())

    assert '"format": "jmespath"' in schema


async def test_a_batch_is_asked_in_parts_and_keyed_again(asked, client):
    async def desk(request: web.Request) -> web.StreamResponse:
        words = request.query.getall("id")
        found = [{"id": word, "start": START} for word in reversed(words) if word != "t3"]
        return web.json_response({"rows": [*found, {"id": "unasked", "start": START}]})

    batch = {"size": 2, "key": "id", "absent": "PARTNER_NOT_FOUND"}
    options = talks(call={"path": "talks", "query": {"id": "{batch}"}}, batch=batch)
    async with partner.running(desk) as running:
        connector = http.HTTP(
            http.Options.model_validate(options), client.partner("desk", running.url)
        )
        given = await connector.answer([asked("showing", f"t{turn}") for turn in range(5)])

    assert len(running.calls) == 3
    assert [one if isinstance(one, errors.Refused) else ids(one) for one in given] == [
        ["t0"],
        ["t1"],
        ["t2"],
        given[3],
        ["t4"],
    ]
    assert given[3].problem is errors.Problem.NOT_FOUND

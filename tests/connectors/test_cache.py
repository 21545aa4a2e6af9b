import contextlib

import pytest
import yarl
from hypothesis import given
from hypothesis import strategies as some
from multidict import CIMultiDict

from connectors import cache, errors, exchange, http
from tests import partner


def asked(path="Slot"):
    return exchange.Request("GET", yarl.URL(f"https://clinic.example/{path}"))


def reply(status=200, body=b"{}", **headers):
    spelt = {name.replace("_", "-"): value for name, value in headers.items()}
    return exchange.Reply(status, CIMultiDict(spelt), body)


# ── how long an answer holds ─────────────────────────────────────────────────────────────────


def lasts(answer, poll_seconds=0.0):
    """Return for how many seconds an answer is not asked for again."""
    kept = cache.Cache(poll_seconds)
    kept.keep(asked(), answer, 1000.0)
    found = kept.get(asked())
    return found.fresh_until - 1000.0 if found else None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"cache_control": "max-age=60"}, 60),
        ({"cache_control": "public, MAX-AGE = 60"}, 60),
        ({"cache_control": 'max-age="60"'}, 60),
        ({"cache_control": "max-age=60", "age": "20"}, 40),
        ({"cache_control": "max-age=60", "age": "soon"}, 60),
        ({"cache_control": "max-age=60", "vary": "Accept-Encoding"}, 60),
        ({"cache_control": "max-age=999999999"}, 3600),
        ({"cache_control": "max-age=60, no-store"}, None),
        ({"cache_control": "private, max-age=60"}, None),
        ({"cache_control": "max-age=60", "vary": "*"}, None),
        ({"cache_control": "max-age=60", "age": "60"}, None),
        ({"cache_control": "max-age=-1"}, None),
        ({"cache_control": "max-age=much"}, None),
        ({"cache_control": "max-age"}, None),
        ({}, None),
        ({"etag": '"1"'}, 0),
        ({"last_modified": "Tue, 24 Nov 2026 10:00:00 GMT"}, 0),
        ({"etag": '"1"', "cache_control": "no-cache, max-age=60"}, 0),
        ({"etag": '"1"', "cache_control": "no-store"}, None),
    ],
)
def test_an_answer_holds_as_long_as_it_says(headers, seconds):
    assert lasts(reply(**headers)) == seconds


@pytest.mark.parametrize("status", [201, 203, 204, 206, 404, 500])
def test_only_a_whole_good_answer_is_kept(status):
    assert lasts(reply(status, cache_control="max-age=60")) is None


def test_a_partner_is_not_asked_more_often_than_its_file_allows():
    assert lasts(reply(), poll_seconds=30) == 30
    assert lasts(reply(cache_control="max-age=60"), poll_seconds=30) == 60
    assert lasts(reply(cache_control="no-store"), poll_seconds=30) is None


def test_an_answer_no_longer_holds_at_the_end_of_its_time():
    kept = cache.Cache()
    answer = reply(cache_control="max-age=60")

    kept.keep(asked(), answer, 0.0)

    assert kept.fresh(asked(), 59.9).reply is answer
    assert kept.fresh(asked(), 60.0) is None


def test_an_answer_that_may_not_be_kept_takes_the_place_of_one_that_might():
    kept = cache.Cache()
    kept.keep(asked(), reply(cache_control="max-age=60"), 0.0)

    kept.keep(asked(), reply(cache_control="no-store"), 1.0)

    assert kept.get(asked()) is None


def test_an_answer_that_is_renewed_for_ever_grows_by_nothing():
    one = cache.Kept(reply(etag='"1"', body=b"first"), 0.0, 0.0)
    for turn in range(1000):
        one = cache.Kept(one.renewed(reply(304, b"", age=str(turn))), 0.0, 0.0)

    assert one.reply.body == b"first"
    assert (one.reply.headers["ETag"], one.reply.headers["AGE"]) == ('"1"', "999")
    assert len(one.reply.headers.maps) == 2


@given(some.lists(some.tuples(some.integers(0, 300), some.integers(0, 2_000_000)), max_size=200))
def test_what_is_kept_is_bounded_whatever_is_answered(answers):
    kept, last = cache.Cache(poll_seconds=1), {}
    bodies = {size: bytes(size) for _, size in answers}

    for path, size in answers:
        kept.keep(asked(path), reply(body=bodies[size]), 0.0)
        last[path] = size
        found = {one: kept.get(asked(one)) for one in last}
        held = [answer for answer in found.values() if answer]
        assert len(held) <= cache.ENTRIES
        assert sum(len(answer.reply.body) for answer in held) <= cache.BYTES
        assert all(not a or len(a.reply.body) == last[one] for one, a in found.items())
        assert size > cache.BYTES or found[path]


# ── against sockets ──────────────────────────────────────────────────────────────────────────


@contextlib.asynccontextmanager
async def asking(does, **policy):
    async with partner.running(does) as loopback, partner.client() as client:
        yield loopback, client.partner("clinic", loopback.url, http.Policy(attempts=1, **policy))


def versioned(validator, value, **headers):
    """Return what answers that nothing has changed to whoever names the version there is."""

    async def does(request):
        known = request.headers.get("If-None-Match") or request.headers.get("If-Modified-Since")
        if known == value:
            return await partner.says("", status=304)(request)
        return await partner.says('{"a": 1}', **{validator: value}, **headers)(request)

    return does


@pytest.mark.parametrize(
    ("validator", "value"), [("ETag", 'W/"7"'), ("Last_Modified", "Tue, 24 Nov 2026 10:00:00 GMT")]
)
async def test_an_answer_that_has_not_changed_is_not_sent_again(validator, value):
    async with asking(versioned(validator, value)) as (loopback, one):
        replies = [await one.get("Slot") for _ in range(3)]

    assert [(reply.status, reply.json()) for reply in replies] == [(200, {"a": 1})] * 3
    assert len(loopback.calls) == 3


async def test_an_answer_that_holds_is_not_asked_for_by_who_can_say_how_old_it_is():
    async with asking(partner.says('{"a": 1}', Cache_Control="max-age=60")) as (loopback, one):
        await one.get("Slot")
        with http.from_memory() as age:
            assert (await one.get("Slot")).json() == {"a": 1}
        await one.get("Slot")

    assert 0 < age.seconds < 60
    assert len(loopback.calls) == 2


async def test_who_wants_it_anew_is_not_given_what_was_kept():
    headers = {"Cache-Control": "no-cache"}
    async with asking(partner.says(Cache_Control="max-age=60")) as (loopback, one):
        with http.from_memory() as age:
            await one.get("Slot", headers=headers)
            await one.get("Slot", headers=headers)

    assert age.seconds == 0
    assert len(loopback.calls) == 2


async def test_what_was_kept_answers_the_same_request_alone():
    async with asking(partner.says(Cache_Control="max-age=60")) as (loopback, one):
        with http.from_memory():
            for _ in range(2):
                await one.get("Slot")
                await one.get("Slot", query=[("page", "2")])
                await one.get("Slot", headers={"Accept-Language": "zh"})

    assert len(loopback.calls) == 3


async def test_the_files_floor_holds_without_a_word_of_the_partner():
    async with asking(partner.says(), poll_seconds=60) as (loopback, one):
        with http.from_memory():
            await one.get("Slot")
            await one.get("Slot")

    assert len(loopback.calls) == 1


async def test_what_is_about_somebody_is_neither_kept_nor_taken_from_what_is():
    async with asking(versioned("ETag", '"7"', Cache_Control="max-age=60")) as (loopback, one):
        with http.from_memory():
            with http.in_private():
                await one.get("users")
                await one.get("users")
            await one.get("users")
            with http.in_private():
                await one.get("users")

    assert len(loopback.calls) == 4
    assert not any("If-None-Match" in call.headers for call in loopback.calls)


async def test_after_an_act_all_is_asked_for_anew():
    async with asking(versioned("ETag", '"7"', Cache_Control="max-age=60")) as (loopback, one):
        with http.from_memory():
            await one.get("Slot")
            await one.send("POST", "Appointment", content=b"{}")
            await one.send("POST", "Appointment", content=b"{}")
            await one.get("Slot")

    assert [call.method for call in loopback.calls] == ["GET", "POST", "POST", "GET"]
    assert "If-None-Match" not in loopback.calls[-1].headers


async def test_a_bad_answer_is_not_kept():
    page = partner.says("<p>", content_type="text/html", Cache_Control="max-age=60")
    async with asking(partner.one_after_another(page, partner.says())) as (loopback, one):
        with pytest.raises(errors.Misconfigured):
            await one.get("Slot")
        reply = await one.get("Slot")

    assert reply.status == 200
    assert len(loopback.calls) == 2


async def test_nothing_changed_since_what_was_never_sent_is_a_bad_answer():
    async with asking(partner.says("", status=304)) as (_, one):
        with pytest.raises(errors.Misconfigured) as failed:
            await one.get("Slot")

    assert failed.value.problem is errors.Problem.BAD_ANSWER

import asyncio
import contextlib
import gzip
import json
import logging
import time
import traceback
import tracemalloc

import pytest

from connectors import breaker, credential, errors, exchange, http, quota
from tests import partner

QUICK = http.Policy(deadline_seconds=0.4, attempts=1, body_bytes=1_000_000)
TWICE = http.Policy(deadline_seconds=1.0, attempts=2)


@pytest.fixture
async def client():
    async with partner.client() as client:
        yield client


@contextlib.asynccontextmanager
async def asking(client, does, policy=QUICK, credentials=None):
    async with partner.running(does) as loopback:
        yield loopback, client.partner("loopback", loopback.url, policy, credentials)


async def failure_of(call):
    with pytest.raises(errors.PartnerError) as failed:
        await call
    return failed.value


async def test_an_answer_comes_with_status_headers_and_body(client):
    async with asking(client, partner.says('{"a": [1]}', X_Total_Count="7")) as (loopback, one):
        reply = await one.get("Slot", query=[("start", "ge1"), ("start", "lt2")])

    assert (reply.status, reply.headers["x-total-count"], reply.json()) == (200, "7", {"a": [1]})
    assert loopback.calls[0].path == "/Slot"
    assert loopback.calls[0].query.getall("start") == ["ge1", "lt2"]


async def test_the_address_keeps_its_path(client):
    async with partner.running(partner.says()) as loopback:
        one = client.partner("loopback", f"{loopback.url}/fhir/r4", QUICK, None)

        await one.get("/Slot")

    assert loopback.calls[0].path == "/fhir/r4/Slot"


FAULTS = {
    "hangs": (partner.hangs, errors.Problem.TIMEOUT),
    "drips": (partner.drips, errors.Problem.TIMEOUT),
    "resets": (partner.resets, errors.Problem.UNREACHABLE),
    "resets midway": (partner.resets_midway, errors.Problem.UNREACHABLE),
    "html": (partner.says("<p>", content_type="text/html"), errors.Problem.WRONG_TYPE),
    "huge": (partner.streams(50, []), errors.Problem.TOO_LARGE),
    "bomb": (partner.bomb(50), errors.Problem.TOO_LARGE),
    "not gzip": (partner.says("{}", Content_Encoding="gzip"), errors.Problem.UNREADABLE),
    "cut gzip": (
        partner.says(gzip.compress(b"{}")[:-9], Content_Encoding="gzip"),
        errors.Problem.UNREADABLE,
    ),
    "gzip and more": (
        partner.says(gzip.compress(b"{}") + b"more", Content_Encoding="gzip"),
        errors.Problem.UNREADABLE,
    ),
    "gzip of nothing": (partner.packs_nothing, errors.Problem.TOO_LARGE),
    "odd packing": (partner.says("{}", Content_Encoding="br"), errors.Problem.UNREADABLE),
    "300": (
        partner.says(status=302, Location="http://127.0.0.1/"),
        errors.Problem.FORBIDDEN_ADDRESS,
    ),
    "204": (partner.says("", status=204), errors.Problem.NO_CONTENT),
    "empty": (partner.says(""), errors.Problem.NO_CONTENT),
    "401": (partner.says(status=401), errors.Problem.UNAUTHORIZED),
    "403": (partner.says(status=403), errors.Problem.UNAUTHORIZED),
    "404": (partner.says(status=404), errors.Problem.NOT_FOUND),
    "409": (partner.says(status=409), errors.Problem.CONFLICT),
    "410": (partner.says(status=410), errors.Problem.NOT_FOUND),
    "412": (partner.says(status=412), errors.Problem.CONFLICT),
    "422": (partner.says(status=422), errors.Problem.REFUSED),
    "429": (partner.says(status=429), errors.Problem.RATE_LIMITED),
    "500": (partner.says(status=500), errors.Problem.UNWELL),
    "503": (partner.says(status=503), errors.Problem.UNWELL),
    "503 later": (partner.says(status=503, Retry_After="9"), errors.Problem.BUSY),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_is_its_own_problem_within_the_deadline(client, fault):
    does, problem = FAULTS[fault]

    async with asking(client, does) as (loopback, one):
        began = time.monotonic()
        failure = await failure_of(one.get("Slot"))
        took = time.monotonic() - began

    assert failure.problem is problem
    assert (failure.retry_after_seconds or 0) > 0 or not isinstance(failure, errors.Retriable)
    assert took < QUICK.deadline_seconds + 0.1
    assert loopback.url not in str(failure)
    assert "127.0.0.1" not in str(failure)


async def test_a_killed_partner_is_unreachable_and_back_without_a_restart(client):
    async with asking(client, partner.says()) as (loopback, one):
        await loopback.stop()

        failure = await failure_of(one.get("Slot"))
        await loopback.start()
        reply = await one.get("Slot")

    assert failure.problem is errors.Problem.UNREACHABLE
    assert reply.status == 200


async def test_a_name_nobody_knows_is_unreachable(client):
    one = client.partner("nowhere", "http://nowhere.invalid", QUICK, None)

    failure = await failure_of(one.get("Slot"))

    # Where no resolver answers at all, the deadline ends the wait.
    assert failure.problem in (errors.Problem.UNREACHABLE, errors.Problem.TIMEOUT)


async def test_what_does_not_speak_http_is_unreadable(client):
    async def babble(_, writer):
        writer.write(b"SSH-2.0-loopback\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    one = client.partner("babbler", f"http://127.0.0.1:{port}", QUICK, None)

    failure = await failure_of(one.get("Slot"))
    server.close()
    await server.wait_closed()

    assert failure.problem is errors.Problem.UNREADABLE


@pytest.mark.parametrize("pause", [0, 0.1])
async def test_a_chunk_that_cannot_be_read_is_told_at_once(client, pause):
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n")
        await writer.drain()
        await asyncio.sleep(pause)
        writer.write(b"no length")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    one = client.partner("babbler", f"http://127.0.0.1:{port}", http.Policy(attempts=1), None)

    failure = await failure_of(one.get("Slot"))
    server.close()
    await server.wait_closed()

    assert failure.problem is errors.Problem.UNREADABLE


async def test_of_a_huge_body_little_more_than_the_limit_is_taken(client):
    sent = []

    async with asking(client, partner.streams(50, sent)) as (_, one):
        await failure_of(one.get("Slot"))

    # The limit, and what the two sockets hold between them.
    assert sum(sent) < QUICK.body_bytes + 8_000_000


async def test_a_packed_bomb_is_never_unpacked_beyond_the_limit(client):
    async with asking(client, partner.bomb(200)) as (_, one):
        tracemalloc.start()
        failure = await failure_of(one.get("Slot"))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert failure.problem is errors.Problem.TOO_LARGE
    assert peak < 5 * QUICK.body_bytes


async def test_a_packed_answer_is_unpacked(client):
    body = json.dumps({"slots": ["free"] * 1000}).encode()

    async with asking(client, partner.says(gzip.compress(body), Content_Encoding="gzip")) as (
        _,
        one,
    ):
        reply = await one.get("Slot")

    assert reply.body == body


@pytest.mark.parametrize(
    ("read", "body"),
    [
        ("json", '{"a": [1,'),
        ("json", "[" * 100_000),
        ("xml", "<a><b></a>"),
        ("xml", '<!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>'),
        ("xml", '<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd"><a/>'),
        ("text", b"\xff\xfe"),
    ],
)
def test_a_body_that_cannot_be_read_is_unreadable(read, body):
    reply = exchange.Reply(200, {}, body if isinstance(body, bytes) else body.encode())

    with pytest.raises(errors.Misconfigured) as failed:
        getattr(reply, read)()

    assert failed.value.problem is errors.Problem.UNREADABLE


async def test_any_media_type_is_taken_when_any_is_asked_for(client):
    async with asking(client, partner.says("a,b", content_type="text/csv")) as (_, one):
        reply = await one.get("list", accept="*/*")

    assert reply.text() == "a,b"


async def test_a_passing_failure_is_tried_again(client):
    does = partner.one_after_another(
        partner.says(status=502), partner.says("1"), partner.resets, partner.says("2")
    )

    async with asking(client, does, TWICE) as (loopback, one):
        first = await one.get("Slot")
        second = await one.get("Slot")

    assert (first.json(), second.json(), len(loopback.calls)) == (1, 2, 4)


@pytest.mark.parametrize("status", [400, 404, 429, 500])
async def test_what_does_not_pass_is_not_tried_again(client, status):
    async with asking(client, partner.says(status=status), TWICE) as (loopback, one):
        await failure_of(one.get("Slot"))

    assert len(loopback.calls) == 1


async def test_what_acts_is_sent_once(client):
    async with asking(client, partner.says(status=502), TWICE) as (loopback, one):
        await failure_of(one.send("POST", "order", content=b"{}"))

    assert [call.method for call in loopback.calls] == ["POST"]


async def test_a_short_retry_after_is_waited_out_within_the_deadline(client):
    does = partner.one_after_another(
        partner.says(status=503, Retry_After="1"), partner.says('"well"')
    )

    async with asking(client, does, http.Policy(deadline_seconds=2.0)) as (_, one):
        began = time.monotonic()
        reply = await one.get("Slot")

    assert reply.json() == "well"
    assert 1.0 <= time.monotonic() - began < 1.5


async def test_a_long_retry_after_is_told_at_once(client):
    async with asking(client, partner.says(status=503, Retry_After="9"), TWICE) as (loopback, one):
        began = time.monotonic()
        failure = await failure_of(one.get("Slot"))

    assert (failure.problem, failure.retry_after_seconds) == (errors.Problem.BUSY, 9.0)
    assert time.monotonic() - began < 0.5
    assert len(loopback.calls) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_a_partner_that_names_a_time_is_not_called_before_it(client, status):
    does = partner.one_after_another(partner.says(status=status, Retry_After="1"), partner.says())

    async with asking(client, does) as (loopback, one):
        first = await failure_of(one.get("Slot"))
        second = await failure_of(one.get("Other"))
        early = len(loopback.calls)
        await asyncio.sleep(first.retry_after_seconds)
        reply = await one.get("Slot")

    assert first.problem in (errors.Problem.BUSY, errors.Problem.RATE_LIMITED)
    assert second.problem is first.problem
    assert 0 < second.retry_after_seconds <= first.retry_after_seconds == 1.0
    assert (early, reply.status) == (1, 200)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("30", 30.0),
        ("Sun, 01 Nov 2026 08:00:20 GMT", 20.0),
        ("Sun, 01 Nov 2026 07:00:00 GMT", 0.0),
        ("999999999", quota.MOST_SECONDS),
        ("soon", errors.RETRY_SECONDS),
    ],
)
async def test_retry_after_is_read_as_seconds_or_as_a_date(client, asked, seconds):
    does = partner.says(status=429, Retry_After=asked, Date="Sun, 01 Nov 2026 08:00:00 GMT")

    async with asking(client, does) as (_, one):
        failure = await failure_of(one.get("Slot"))

    assert failure.retry_after_seconds == seconds


RESTLESS = http.Policy(
    deadline_seconds=0.2, attempts=1, breaker_failures=3, breaker_seconds=0.3, concurrency=50
)


@pytest.mark.parametrize("fault", [partner.hangs, partner.says(status=500), partner.resets])
async def test_after_failures_in_a_row_a_partner_rests_is_probed_once_and_recovers(client, fault):
    async with asking(client, fault, RESTLESS) as (loopback, one):
        for number in range(3):
            await failure_of(one.get(f"Slot/{number}"))
        resting = await failure_of(one.get("Slot"))
        called = len(loopback.calls)
        opened = one.breaker.state(asyncio.get_running_loop().time())

        await asyncio.sleep(resting.retry_after_seconds)
        probes = await asyncio.gather(*(failure_of(one.get(f"Slot/{n}")) for n in range(20)))
        probed = len(loopback.calls) - called

        loopback.does = partner.says()
        await asyncio.sleep(RESTLESS.breaker_seconds)
        reply = await one.get("Slot")

    assert (called, opened) == (3, breaker.State.OPEN)
    assert resting.problem is errors.Problem.RESTING
    assert 0 < resting.retry_after_seconds <= RESTLESS.breaker_seconds
    assert probed == 1
    assert sum(one.problem is errors.Problem.RESTING for one in probes) == 19
    assert reply.status == 200
    assert one.breaker.state(asyncio.get_running_loop().time()) is breaker.State.CLOSED


async def test_the_failure_that_opens_the_breaker_says_how_long_it_rests(client):
    policy = http.Policy(attempts=1, breaker_failures=2, breaker_seconds=60)

    async with asking(client, partner.says(status=500), policy) as (_, one):
        first = await failure_of(one.get("Slot/1"))
        second = await failure_of(one.get("Slot/2"))

    assert (first.retry_after_seconds, second.retry_after_seconds) == (errors.RETRY_SECONDS, 60)


async def test_who_waits_for_a_place_while_the_partner_fails_does_not_call_it(client):
    policy = http.Policy(deadline_seconds=0.3, attempts=1, concurrency=1, breaker_failures=1)

    async with asking(client, partner.hangs, policy) as (loopback, one):
        first = asyncio.create_task(failure_of(one.get("Slot/1")))
        await asyncio.sleep(0.15)
        second = await failure_of(one.get("Slot/2"))

    assert (await first).problem is errors.Problem.TIMEOUT
    assert second.problem is errors.Problem.RESTING
    assert len(loopback.calls) == 1


async def test_refusals_do_not_open_the_breaker(client):
    async with asking(client, partner.says(status=404), RESTLESS) as (loopback, one):
        for number in range(5):
            await failure_of(one.get(f"Slot/{number}"))

    assert len(loopback.calls) == 5


async def test_equal_gets_at_the_same_time_are_one_call(client):
    async with asking(client, partner.says('"same"', after=0.1)) as (loopback, one):
        replies = await asyncio.gather(*(one.get("Slot", query=[("a", "1")]) for _ in range(20)))
        await one.get("Slot", query=[("a", "2")])

    assert {reply.body for reply in replies} == {b'"same"'}
    assert len(loopback.calls) == 2


async def test_who_asks_after_an_act_does_not_join_whoever_asked_before_it(client):
    asked = asyncio.Event()

    async def slowly(request):
        asked.set()
        return await partner.says('"same"', after=0.1)(request)

    async with asking(client, slowly) as (loopback, one):
        before = asyncio.create_task(one.get("Slot"))
        await asked.wait()
        loopback.does = partner.says('"changed"')
        await one.send("POST", "order", content=b"{}")
        after = await one.get("Slot")

        assert (after.json(), (await before).json()) == ("changed", "same")


async def test_a_waiter_that_is_cancelled_takes_nothing_from_the_others(client):
    async with asking(client, partner.says('"same"', after=0.1)) as (loopback, one):
        first = asyncio.create_task(one.get("Slot"))
        second = asyncio.create_task(one.get("Slot"))
        await asyncio.sleep(0.02)
        first.cancel()

        reply = await second

    assert reply.json() == "same"
    assert len(loopback.calls) == 1


async def test_a_call_that_every_waiter_was_cancelled_of_is_given_up(client):
    async with asking(client, partner.hangs) as (loopback, one):
        waiting = [asyncio.create_task(one.get("Slot")) for _ in range(2)]
        await asyncio.sleep(0.05)
        for waiter in waiting:
            waiter.cancel()
            await asyncio.sleep(0.05)
        loopback.does = partner.says('"there"')

        reply = await one.get("Slot")
        await eventually(lambda: loopback.left == 1)

    assert reply.json() == "there"
    assert len(loopback.calls) == 2


async def test_who_asks_as_the_last_waiter_is_cancelled_joins_no_call_that_ends(client):
    async with asking(client, partner.says('"same"', after=0.1)) as (loopback, one):
        first = asyncio.create_task(one.get("Slot"))
        await asyncio.sleep(0.05)
        first.cancel()
        await asyncio.sleep(0)

        assert (await one.get("Slot")).json() == "same"

    assert len(loopback.calls) == 2


async def eventually(holds, seconds=2.0):
    """Wait until a question says yes."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


async def test_a_partner_is_never_called_by_more_than_its_concurrency(client):
    under_way = most = 0

    async def slow(request):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.05)
        under_way -= 1
        return await partner.says()(request)

    policy = http.Policy(concurrency=3, deadline_seconds=1.0)
    async with asking(client, slow, policy) as (loopback, one):
        await asyncio.gather(*(one.get(f"Slot/{number}") for number in range(12)))

    assert (most, len(loopback.calls)) == (3, 12)


async def test_waiting_for_a_place_counts_into_the_deadline(client):
    policy = http.Policy(concurrency=1, deadline_seconds=0.3, attempts=1)

    async with asking(client, partner.hangs, policy) as (loopback, one):
        began = time.monotonic()
        failures = await asyncio.gather(*(failure_of(one.get(f"Slot/{n}")) for n in range(2)))
        took = time.monotonic() - began

    assert {one.problem for one in failures} == {errors.Problem.TIMEOUT, errors.Problem.BUSY}
    assert took < 0.4
    assert len(loopback.calls) == 1


async def test_a_hanging_partner_holds_up_no_other(client):
    async with (
        asking(client, partner.hangs) as (_, hung),
        asking(client, partner.says()) as (_, well),
    ):
        stuck = [asyncio.create_task(failure_of(hung.get(f"Slot/{n}"))) for n in range(100)]
        await asyncio.sleep(0.05)

        began = time.monotonic()
        await well.get("Slot")
        took = time.monotonic() - began
        await asyncio.gather(*stuck)

    assert took < 0.2


async def test_calls_within_a_deadline_share_it(client):
    async with asking(client, partner.says(after=0.15)) as (_, one):
        began = time.monotonic()
        with http.within(asyncio.get_running_loop().time() + 0.2):
            await one.get("page/1")
            failure = await failure_of(one.get("page/2"))

    assert failure.problem is errors.Problem.TIMEOUT
    assert time.monotonic() - began < 0.3


async def test_a_call_that_timed_out_has_hung_up(client):
    async with asking(client, partner.hangs) as (loopback, one):
        await failure_of(one.get("Slot"))
        await asyncio.sleep(0.05)

        assert loopback.left == 1


async def test_closing_ends_what_is_in_flight():
    async with partner.running(partner.hangs) as loopback:
        async with partner.client() as client:
            one = client.partner("loopback", loopback.url, http.Policy(deadline_seconds=30), None)
            asked = asyncio.create_task(one.get("Slot"))
            await asyncio.sleep(0.05)

        began = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await asked

    assert time.monotonic() - began < 0.1


async def test_a_link_is_followed_on_the_same_origin_alone(client):
    async with asking(client, partner.says()) as (loopback, one):
        await one.follow(f"{loopback.url}/Slot?page=2")
        await one.follow("Slot?page=3")
        elsewhere = [
            (await failure_of(one.follow(link))).problem
            for link in ("http://127.0.0.1:1/Slot", "//localhost/Slot", "file:///etc", "http://[")
        ]

    assert [call.path_qs for call in loopback.calls] == ["/Slot?page=2", "/Slot?page=3"]
    forbidden = errors.Problem.FORBIDDEN_ADDRESS
    assert elsewhere == [forbidden, forbidden, errors.Problem.BAD_ANSWER, errors.Problem.BAD_ANSWER]


async def test_a_declared_host_is_reached_by_link_and_redirect_but_shown_no_secret(client):
    async with (
        partner.running(partner.says('"there"')) as host,
        partner.running(partner.says(status=302, Location=f"{host.url}/moved")) as loopback,
    ):
        key = credential.Header("X-Api-Key", "s3cret")
        one = client.partner("loopback", loopback.url, QUICK, key, [host.url])
        redirected = await one.get("Slot")
        followed = await one.follow(f"{host.url}/page/2")

    assert (redirected.json(), followed.json()) == ("there", "there")
    assert loopback.calls[0].headers["X-Api-Key"] == "s3cret"
    assert [call.path for call in host.calls] == ["/moved", "/page/2"]
    assert all("X-Api-Key" not in call.headers for call in host.calls)


async def test_a_redirect_within_the_origin_is_followed_with_the_secret_and_not_for_ever(client):
    async def onward(request):
        here = int(request.path.strip("/"))
        if here == http.REDIRECTS:
            return await partner.says('"there"')(request)
        return await partner.says(status=307, Location=f"/{here + 1}")(request)

    key = credential.Header("X-Api-Key", "s3cret")
    async with asking(client, onward, credentials=key) as (loopback, one):
        reply = await one.get("0")
        failure = await failure_of(one.get("-1"))

    assert reply.json() == "there"
    assert failure.problem is errors.Problem.BAD_ANSWER
    assert all(call.headers["X-Api-Key"] == "s3cret" for call in loopback.calls)


@pytest.mark.parametrize(
    ("does", "may_have_acted"),
    [
        (partner.hangs, True),
        (partner.resets, True),
        (partner.resets_midway, True),
        (partner.says(status=500), True),
        (partner.says(status=303, Location="/"), True),
        (partner.says("<p>", content_type="text/html"), True),
        (partner.says(status=401), False),
        (partner.says(status=409), False),
        (partner.says(status=429), False),
    ],
)
async def test_an_act_in_vain_says_whether_it_may_be_done_all_the_same(
    client, does, may_have_acted
):
    async with asking(client, does) as (loopback, one):
        acted = await failure_of(one.send("POST", "order", content=b"{}"))
        read = await failure_of(one.send("POST", "search", content=b"{}", reads=True))

    assert (acted.may_have_acted, read.may_have_acted) == (may_have_acted, False)
    assert len(loopback.calls) in (1, 2)


async def test_an_act_that_was_never_sent_is_not_done(client):
    async with asking(client, partner.says()) as (loopback, one):
        await loopback.stop()

        failure = await failure_of(one.send("POST", "order", content=b"{}"))

    assert (failure.problem, failure.may_have_acted) == (errors.Problem.UNREACHABLE, False)


async def test_what_a_partner_says_to_a_refusal_is_kept_for_its_kind(client):
    does = partner.says('{"why": "taken"}', status=409)

    async with asking(client, does) as (_, one):
        failure = await failure_of(one.send("POST", "order", content=b"{}"))

    assert (failure.status, failure.body) == (409, b'{"why": "taken"}')


async def test_an_act_may_answer_nothing(client):
    async with asking(client, partner.says("", status=204)) as (_, one):
        reply = await one.send("DELETE", "order/1")

    assert (reply.status, reply.body) == (204, b"")


@pytest.mark.parametrize("path", ["//elsewhere.example/Slot", "@elsewhere.example/", "../../Slot"])
async def test_no_path_leads_off_the_partner(client, path):
    async with asking(client, partner.says()) as (loopback, one):
        await one.get(path)

    assert len(loopback.calls) == 1


@pytest.mark.parametrize(
    ("credentials", "seen"),
    [
        (credential.Header("X-Api-Key", "s3cret"), ("X-Api-Key", "s3cret")),
        (credential.Basic("hub", "s3cret"), ("Authorization", "Basic aHViOnMzY3JldA==")),
    ],
)
async def test_credentials_are_shown_in_a_header(client, credentials, seen):
    async with asking(client, partner.says(), credentials=credentials) as (loopback, one):
        await one.get("Slot")

    assert loopback.calls[0].headers[seen[0]] == seen[1]


async def test_a_key_is_shown_in_the_query_beside_the_rest(client):
    credentials = credential.QueryKey("key", "s3cret")

    async with asking(client, partner.says(), credentials=credentials) as (loopback, one):
        await one.get("Slot", query=[("a", "1"), ("a", "2")])
        await one.follow("Slot?page=2&key=old")

    assert [call.query_string for call in loopback.calls] == [
        "a=1&a=2&key=s3cret",
        "page=2&key=s3cret",
    ]


class Issuer:
    """Plays an OAuth 2.0 partner whose tokens are numbered; only the newest one holds."""

    def __init__(self, **answer):
        self.answer = answer
        self.fetched = []

    async def __call__(self, request):
        if request.path == "/token":
            self.fetched.append((request.headers["Authorization"], dict(await request.post())))
            token = {"access_token": f"t{len(self.fetched)}", **self.answer}
            return await partner.says(json.dumps(token), after=0.05)(request)
        holds = request.headers.get("Authorization") == f"Bearer t{len(self.fetched)}"
        return await partner.says(status=200 if holds else 401)(request)


OAUTH2 = credential.OAuth2("token", "hub", "s3cret", ("roster.readonly", "demographics"))


async def test_one_token_is_fetched_for_many_calls(client):
    issuer = Issuer(expires_in=3600)

    async with asking(client, issuer, credentials=OAUTH2) as (_, one):
        await asyncio.gather(*(one.get(f"schools/{number}") for number in range(8)))

    assert issuer.fetched == [
        (
            "Basic aHViOnMzY3JldA==",
            {"grant_type": "client_credentials", "scope": "roster.readonly demographics"},
        )
    ]


async def test_a_token_that_holds_no_more_is_fetched_once_again(client):
    issuer = Issuer(expires_in=3600)

    async with asking(client, issuer, credentials=OAUTH2) as (_, one):
        await one.get("schools")
        issuer.fetched.append("somebody else's")
        reply = await one.get("schools")

    assert (reply.status, len(issuer.fetched)) == (200, 3)


async def test_a_token_without_an_end_is_used_until_it_is_refused(client):
    issuer = Issuer()

    async with asking(client, issuer, credentials=OAUTH2) as (_, one):
        await one.get("schools")
        await one.get("schools")

    assert len(issuer.fetched) == 1


async def test_a_token_about_to_end_is_renewed(client):
    issuer = Issuer(expires_in=credential.TOKEN_SKEW_SECONDS)

    async with asking(client, issuer, credentials=OAUTH2) as (_, one):
        await one.get("schools")
        await one.get("schools")

    assert len(issuer.fetched) == 2


@pytest.mark.parametrize(
    ("does", "problem", "calls"),
    [
        (partner.says(status=401), errors.Problem.UNAUTHORIZED, 1),
        (partner.says(status=400), errors.Problem.UNAUTHORIZED, 1),
        (partner.says('{"error": "no"}'), errors.Problem.BAD_ANSWER, 1),
        (partner.says('{"access_token": "a\\r\\nb"}'), errors.Problem.BAD_ANSWER, 1),
        (
            partner.says('{"access_token": "t", "expires_in": []}'),
            errors.Problem.BAD_ANSWER,
            1,
        ),
        (
            partner.says('{"access_token": "t", "expires_in": "soon"}'),
            errors.Problem.BAD_ANSWER,
            1,
        ),
        (partner.says("<p>", content_type="text/html"), errors.Problem.WRONG_TYPE, 1),
    ],
)
async def test_a_token_that_is_not_given_is_a_problem(client, does, problem, calls):
    async with asking(client, does, credentials=OAUTH2) as (loopback, one):
        failure = await failure_of(one.get("schools"))

    assert (failure.problem, len(loopback.calls)) == (problem, calls)


SESSION = [("session_token", "t0ken")]


@pytest.mark.parametrize(
    "credentials",
    [
        credential.Header("X-Api-Key", "s3cret"),
        credential.Basic("hub", "s3cret"),
        credential.QueryKey("k", "s3cret"),
        OAUTH2,
    ],
)
@pytest.mark.parametrize("does", [Issuer(expires_in=9), partner.resets, partner.says(status=401)])
async def test_no_secret_stands_in_a_log_an_error_or_a_repr(client, credentials, does, caplog):
    caplog.set_level(logging.DEBUG)

    async with asking(client, does, credentials=credentials) as (_, one):
        try:
            shown = repr(await one.get("schools", query=SESSION))
        except errors.PartnerError as failure:
            shown = "".join(traceback.format_exception(failure))

    assert caplog.records
    for text in (shown, repr(credentials), caplog.text):
        assert "s3cret" not in text
        assert "t0ken" not in text
        assert "aHViOnMzY3JldA" not in text


async def test_what_is_asked_in_private_stands_in_no_log(client, caplog):
    caplog.set_level(logging.DEBUG, "greenway.connectors")

    async with asking(client, partner.says()) as (loopback, one):
        with http.in_private():
            await one.get("people/somebody", query=[("of", "somebody")], headers={"To": "somebody"})
        await one.get("people/anybody", query=[("of", "anybody")])

    assert loopback.calls[0].path.endswith("people/somebody")
    assert "somebody" not in caplog.text
    assert "people/anybody [('of', 'anybody')" in caplog.text


async def test_a_secret_that_cannot_be_sent_is_told_without_it(client):
    credentials = credential.Header("X-Api-Key", "s3cret\r\n")

    async with asking(client, partner.says(), credentials=credentials) as (loopback, one):
        failure = await failure_of(one.get("Slot"))

    assert failure.problem is errors.Problem.MISCONFIGURED
    assert "s3cret" not in "".join(traceback.format_exception(failure))
    assert loopback.calls == []


@pytest.mark.parametrize("word", exchange.REDACTED)
def test_every_redacted_word_hides_its_value(word):
    assert exchange.redact([(f"X-{word.title()}", "hush"), ("start", "ge1")]) == [
        (f"X-{word.title()}", exchange.HIDDEN),
        ("start", "ge1"),
    ]


async def test_no_proxy_and_no_cookie_comes_between(client, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    async with partner.running(partner.says(Set_Cookie="a=1")) as loopback:
        # A cookie jar would keep none of an address without a name.
        address = loopback.url.replace("127.0.0.1", "localhost")
        one = client.partner("loopback", address, QUICK, None)
        await one.get("Slot/1")
        await one.get("Slot/2")

    assert "Cookie" not in loopback.calls[1].headers


async def test_the_calls_and_their_time_are_counted(client):
    async with asking(client, partner.says(after=0.05)) as (_, one):
        await one.get("Slot")

    assert one.calls == 1
    assert 0.05 <= one.latencies[0] < 0.2

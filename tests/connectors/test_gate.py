"""What the gate before a partner lets through: in one process, and in two that share a board."""

import asyncio
import contextlib
import time

import pytest

from connectors import board, breaker, errors, http
from tests import partner, store

FRAGILE = http.Policy(deadline_seconds=1.0, attempts=1, breaker_failures=2, breaker_seconds=0.3)
shared = pytest.mark.skipif(store.SERVER is None, reason=store.WHY_NOT)


@contextlib.asynccontextmanager
async def hub(url=""):
    """One process's client, which follows the board meanwhile."""
    place = board.Board(url)
    following = asyncio.create_task(place.follow())
    if url:
        async with asyncio.timeout(5):
            await place.joined.wait()
    async with partner.client(place) as client:
        yield client
    following.cancel()
    await asyncio.wait([following])
    await place.close()


@contextlib.asynccontextmanager
async def two(server, does, policy=FRAGILE):
    """Two processes' clients of one partner."""
    async with (
        partner.running(does) as loopback,
        hub(server.url) as here,
        hub(server.url) as there,
    ):
        clients = [one.partner("loopback", loopback.url, policy) for one in (here, there)]
        yield loopback, *clients


async def failure_of(call):
    with pytest.raises(errors.PartnerError) as failed:
        await call
    return failed.value


async def until(true):
    """Wait until news have come, which have no event of their own here."""
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - as said
            await asyncio.sleep(0.005)


def now():
    return asyncio.get_running_loop().time()


async def opened(one, other):
    """Let one's breaker open, and the other hear of it."""
    for number in range(FRAGILE.breaker_failures):
        await failure_of(one.get(f"Slot/{number}"))
    await until(lambda: other.breaker.opened_at is not None)


# --- The rate and the quota -----------------------------------------------------------------------


async def test_a_call_waits_for_its_token():
    policy = http.Policy(per_second=10, burst=2)
    async with partner.running(partner.says()) as loopback, hub() as client:
        one = client.partner("loopback", loopback.url, policy)
        began = time.monotonic()
        await asyncio.gather(*(one.get(f"Slot/{number}") for number in range(4)))
        took = time.monotonic() - began

    assert len(loopback.calls) == 4
    assert 0.19 < took < 1


async def test_a_token_that_comes_after_the_deadline_is_not_waited_for():
    policy = http.Policy(per_second=0.1, burst=1)
    async with partner.running(partner.says()) as loopback, hub() as client:
        one = client.partner("loopback", loopback.url, policy)
        await one.get("Slot/1")
        began = time.monotonic()
        failure = await failure_of(one.get("Slot/2"))
        took = time.monotonic() - began

    assert failure.problem is errors.Problem.RATE_LIMITED
    assert failure.retry_after_seconds == pytest.approx(10, abs=1)
    assert took < 0.5
    assert len(loopback.calls) == 1


async def test_each_attempt_and_each_redirect_takes_a_token():
    async def leads_on(request):
        if request.path == "/a":
            return await partner.says(status=302, Location="/b")(request)
        return await partner.says(status=503)(request)

    policy = http.Policy(attempts=2, per_second=0.1, burst=4)
    async with partner.running(leads_on) as loopback, hub() as client:
        one = client.partner("loopback", loopback.url, policy)
        await failure_of(one.get("a"))
        failure = await failure_of(one.get("b"))

    assert [call.path for call in loopback.calls] == ["/a", "/b", "/a", "/b"]
    assert failure.problem is errors.Problem.RATE_LIMITED


async def test_a_partner_that_fails_is_told_of_before_a_further_attempt_that_gets_no_token():
    policy = http.Policy(attempts=2, breaker_failures=1, per_second=0.1, burst=1)
    async with partner.running(partner.says(status=503)) as loopback, hub() as client:
        one = client.partner("loopback", loopback.url, policy)
        failure = await failure_of(one.get("Slot"))
        state = one.breaker.state(now())

    assert failure.problem is errors.Problem.UNWELL
    assert state is breaker.State.OPEN
    assert len(loopback.calls) == 1


async def test_a_probe_that_gets_no_token_says_nothing_of_the_partner():
    policy = http.Policy(
        attempts=1, breaker_failures=1, breaker_seconds=0.05, per_second=0.1, burst=1
    )
    async with partner.running(partner.says(status=500)) as loopback, hub() as client:
        one = client.partner("loopback", loopback.url, policy)
        await failure_of(one.get("Slot/1"))
        await asyncio.sleep(policy.breaker_seconds)
        held = [await failure_of(one.get("Slot/2")), await failure_of(one.get("Slot/3"))]
        state = one.breaker.state(now())

    assert [failure.problem for failure in held] == [errors.Problem.RATE_LIMITED] * 2
    assert state is breaker.State.HALF_OPEN
    assert len(loopback.calls) == 1


@pytest.mark.parametrize("problem", ["FORBIDDEN_ADDRESS", "MISCONFIGURED"])
async def test_what_fails_before_anything_is_sent_neither_opens_a_breaker_nor_closes_it(problem):
    async def unsent(*_):
        raise errors.Misconfigured(errors.Problem[problem], "Nothing was sent.")

    async with http.HTTPClient(unsent) as client:
        one = client.partner("loopback", "http://127.0.0.1:1", FRAGILE)
        for number in range(FRAGILE.breaker_failures):
            await failure_of(one.get(f"Slot/{number}"))
        closed = one.breaker.state(now())
        one.breaker.told_open(now(), 0)
        again = [(await failure_of(one.get(f"Slot/{number}"))).problem for number in range(2)]
        half_open = one.breaker.state(now())

    assert closed is breaker.State.CLOSED
    assert half_open is breaker.State.HALF_OPEN
    assert again == [errors.Problem[problem]] * 2


QUOTAS = {
    "draft 8": {"RateLimit": '"day";r=0;t=40'},
    "draft 6": {"RateLimit_Remaining": "0", "RateLimit_Reset": "40"},
    "of no document": {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "40"},
}


@pytest.mark.parametrize("headers", QUOTAS.values(), ids=QUOTAS)
async def test_a_partner_whose_quota_is_spent_is_not_called_before_it_is_there_again(headers):
    async with partner.running(partner.says(**headers)) as loopback, hub() as client:
        one = client.partner("loopback", loopback.url)
        good = await one.get("Slot/1")
        failure = await failure_of(one.get("Slot/2"))

    assert good.status == 200
    assert failure.problem is errors.Problem.RATE_LIMITED
    assert failure.retry_after_seconds == pytest.approx(40, abs=1)
    assert len(loopback.calls) == 1


async def test_a_refusal_for_too_many_calls_names_the_quota_where_it_says_nothing_else():
    spent = partner.says(status=429, RateLimit_Remaining="0", RateLimit_Reset="40")
    async with partner.running(spent) as loopback, hub() as client:
        failure = await failure_of(client.partner("loopback", loopback.url).get("Slot"))

    assert failure.problem is errors.Problem.RATE_LIMITED
    assert failure.retry_after_seconds == pytest.approx(40, abs=1)


# --- Two processes --------------------------------------------------------------------------------


@shared
async def test_what_one_process_lets_rest_the_other_does_not_call(server):
    async with two(server, partner.says(status=500)) as (loopback, one, other):
        await opened(one, other)
        failure = await failure_of(other.get("Slot"))

    assert failure.problem is errors.Problem.RESTING
    assert 0 < failure.retry_after_seconds <= FRAGILE.breaker_seconds
    assert len(loopback.calls) == FRAGILE.breaker_failures


@shared
async def test_of_two_processes_one_probes_and_both_go_on_when_the_partner_is_back(patient, server):
    async with two(server, partner.says(status=500)) as (loopback, one, other):
        await opened(one, other)
        loopback.calls.clear()
        loopback.does = partner.says(after=0.1)
        await asyncio.sleep(FRAGILE.breaker_seconds)
        asked = [who.get(f"Slot/{number}") for number in range(5) for who in (one, other)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        probes = len(loopback.calls)
        await until(lambda: {one.breaker.opened_at, other.breaker.opened_at} == {None})
        await asyncio.gather(one.get("Slot"), other.get("Slot"))

    held = [failure for failure in answers if isinstance(failure, errors.PartnerError)]
    assert probes == 1
    assert {failure.problem for failure in held} == {errors.Problem.RESTING}
    assert len(held) == 9


@shared
async def test_a_probe_that_fails_lets_both_rest_anew(patient, server):
    async with two(server, partner.says(status=500)) as (loopback, one, other):
        await opened(one, other)
        opened_before = other.breaker.opened_at
        await asyncio.sleep(FRAGILE.breaker_seconds)
        await failure_of(one.get("Slot"))
        await until(lambda: other.breaker.opened_at > opened_before)
        failure = await failure_of(other.get("Slot"))

    assert failure.problem is errors.Problem.RESTING
    assert len(loopback.calls) == FRAGILE.breaker_failures + 1


@shared
@pytest.mark.parametrize(
    ("does", "problem"),
    [
        (partner.says(status=429, Retry_After="40"), errors.Problem.RATE_LIMITED),
        (partner.says(status=503, Retry_After="40"), errors.Problem.BUSY),
    ],
)
async def test_what_a_partner_asks_of_one_process_both_obey(server, does, problem):
    async with two(server, does) as (loopback, one, other):
        await failure_of(one.get("Slot"))
        await until(lambda: other._gate.rest_seconds)
        failure = await failure_of(other.get("Slot"))

    assert failure.problem is problem
    assert failure.retry_after_seconds == pytest.approx(40, abs=1)
    assert len(loopback.calls) == 1


@shared
async def test_a_process_that_starts_later_knows_who_rests(server):
    async with two(server, partner.says(status=429, Retry_After="40")) as (loopback, one, other):
        await failure_of(one.get("Slot"))
        await until(lambda: other._gate.rest_seconds)
        async with hub(server.url) as client:
            late = client.partner("loopback", loopback.url, FRAGILE)
            await until(lambda: late._gate.rest_seconds)
            failure = await failure_of(late.get("Slot"))

    assert failure.problem is errors.Problem.RATE_LIMITED
    assert len(loopback.calls) == 1


@shared
async def test_a_partner_that_has_moved_does_not_inherit_the_rest_of_where_it_was(server):
    async with two(server, partner.says(status=429, Retry_After="40")) as (loopback, one, other):
        await failure_of(one.get("Slot"))
        await until(lambda: other._gate.rest_seconds)
        async with hub(server.url) as client, partner.running(partner.says()) as elsewhere:
            moved = client.partner("loopback", elsewhere.url, FRAGILE)
            stayed = client.partner("loopback", loopback.url, FRAGILE)
            await until(lambda: stayed._gate.rest_seconds)
            reply = await moved.get("Slot")

    assert reply.status == 200


@shared
async def test_when_a_process_dies_at_its_probe_another_takes_its_turn(patient, server):
    async with two(server, partner.says(status=500)) as (loopback, one, other):
        await opened(one, other)
        loopback.does = partner.says()
        await asyncio.sleep(FRAGILE.breaker_seconds)
        await one._gate._sheet.probe(0.2)
        held = await failure_of(other.get("Slot"))
        await asyncio.sleep(held.retry_after_seconds + 0.02)
        reply = await other.get("Slot")

    assert held.problem is errors.Problem.RESTING
    assert 0 < held.retry_after_seconds <= 0.2
    assert reply.status == 200


@shared
async def test_two_processes_keep_the_rate_of_one_file_together(patient, server):
    came = []

    async def notes(request):
        came.append(time.monotonic())
        return await partner.says()(request)

    policy = http.Policy(deadline_seconds=5, per_second=20, burst=4)
    async with two(server, notes, policy) as (_, one, other):
        asked = [who.get(f"Slot/{number}") for number in range(8) for who in (one, other)]
        await asyncio.gather(*asked)

    assert len(came) == 16
    # Each of the last twelve has an interval of its own, but for what the way there takes.
    assert came[-1] - came[0] > 11 / policy.per_second


@shared
async def test_while_the_breaker_is_closed_and_no_rate_is_set_nothing_is_asked_at_the_board(server):
    async with two(server, partner.says()) as (_, one, other):
        server.client.config_resetstat()
        for number in range(10):
            await asyncio.gather(one.get(f"Slot/{number}"), other.get(f"Slot/{number}"))
        asked = server.client.info("commandstats")

    assert "cmdstat_eval" not in asked


@shared
async def test_queries_go_on_while_the_board_hangs_and_each_keeps_its_own_rate(server):
    policy = http.Policy(per_second=0.1, burst=3)
    async with two(server, partner.says(), policy) as (loopback, one, other):
        await one.get("Slot/1")
        server.freeze()
        began = time.monotonic()
        await one.get("Slot/2")
        first = time.monotonic() - began
        await one.get("Slot/3")
        second = time.monotonic() - began - first
        failure = await failure_of(one.get("Slot/4"))
        await other.get("Slot/5")
        server.thaw()

    assert first < board.PATIENCE_SECONDS + 0.2
    assert second < 0.2
    assert failure.problem is errors.Problem.RATE_LIMITED
    assert len(loopback.calls) == 4


@shared
async def test_a_process_probes_by_itself_while_the_board_hangs(server):
    async with two(server, partner.says(status=500)) as (loopback, one, other):
        await opened(one, other)
        server.freeze()
        loopback.does = partner.says()
        await asyncio.sleep(FRAGILE.breaker_seconds)
        replies = [await one.get("Slot"), await other.get("Slot")]
        server.thaw()

    assert [reply.status for reply in replies] == [200, 200]


@shared
async def test_a_partner_that_nobody_asks_any_more_hears_nothing(server):
    async with (
        two(server, partner.says(status=500)) as (loopback, one, other),
        hub(server.url) as there,
    ):
        gone = there.partner("loopback", loopback.url, FRAGILE)
        await there.forget(gone)
        await opened(one, other)

    assert gone.breaker.opened_at is None

import asyncio
import contextlib
import time

import pytest

from connectors import board
from models import errors
from tests import store

pytestmark = pytest.mark.skipif(store.SERVER is None, reason=store.WHY_NOT)

SHEET = board.name("loopback", "http://127.0.0.1/")


@contextlib.asynccontextmanager
async def at(url, *, joined=True):
    """Take a place at the board, as one process does, and follow it meanwhile."""
    one = board.Board(url)
    following = asyncio.create_task(one.follow())
    if joined:
        async with asyncio.timeout(5):
            await one.joined.wait()
    try:
        yield one
    finally:
        following.cancel()
        await asyncio.wait([following])
        await one.close()


class Holder:
    """Somebody who holds a sheet, and what they have heard."""

    def __init__(self, place, name=SHEET):
        self.heard = []
        self._new = asyncio.Event()
        self.sheet = place.sheet(name, self._hear)

    def _hear(self, news):
        self.heard.append(news)
        self._new.set()

    async def hears(self, many=1):
        async with asyncio.timeout(5):
            while len(self.heard) < many:
                self._new.clear()
                await self._new.wait()
        return self.heard


@contextlib.asynccontextmanager
async def two(url):
    async with at(url) as first, at(url) as second:
        holders = Holder(first), Holder(second)
        for place in (first, second):
            await settled(place)
        yield holders


async def settled(place):
    """Wait until what stands on the sheets held so far has been read."""

    async def errand(_):
        done.set()

    done = asyncio.Event()
    place.run(errand)
    async with asyncio.timeout(5):
        await done.wait()


async def test_what_one_tells_the_others_hear_in_order_and_not_they_themselves(server):
    async with two(server.url) as (one, other):
        one.sheet.opened(5)
        one.sheet.rests(3, "PARTNER_BUSY")
        one.sheet.closed()
        one.sheet.answered("pass:a", {"x": 1}, 60, most=9)
        one.sheet.forgot("pass:")
        heard = await other.hears(5)

    assert heard == [
        board.Opened(5),
        board.Rests(3, "PARTNER_BUSY"),
        board.Closed(),
        board.Answered({"x": 1}),
        board.Forgot("pass:"),
    ]
    assert one.heard == []


async def test_who_comes_later_reads_what_stands_there_and_how_long_it_holds(server):
    async with two(server.url) as (one, other):
        one.sheet.opened(60)
        one.sheet.rests(30, "PARTNER_BUSY")
        one.sheet.answered("pass:a", 1, 60, most=9)
        one.sheet.answered("quote:a", 2, 60, most=9)
        one.sheet.forgot("quote:")
        await other.hears(5)
        async with at(server.url) as place:
            opened, rests, answered = await Holder(place).hears(3)

    assert 55 < opened.seconds <= 60
    assert (25 < rests.seconds <= 30, rests.problem) == (True, "PARTNER_BUSY")
    assert answered == board.Answered(1)


async def test_what_was_closed_is_not_read_any_more(server):
    async with two(server.url) as (one, other):
        one.sheet.opened(60)
        one.sheet.closed()
        one.sheet.rests(30, "PARTNER_BUSY")
        await other.hears(3)
        async with at(server.url) as place:
            heard = await Holder(place).hears()

    assert [type(news) for news in heard] == [board.Rests]


async def test_a_rest_is_not_shortened(server):
    async with two(server.url) as (one, other):
        one.sheet.rests(30, "PARTNER_RATE_LIMITED")
        one.sheet.rests(1, "PARTNER_BUSY")
        await other.hears(2)
        async with at(server.url) as place:
            (rests,) = await Holder(place).hears()

    assert rests.problem == "PARTNER_RATE_LIMITED"
    assert rests.seconds > 25


async def test_only_so_many_answers_are_kept_and_the_oldest_go_first(server):
    async with two(server.url) as (one, other):
        for number in range(5):
            one.sheet.answered(f"pass:{number}", number, 60, most=3)
        await other.hears(5)
        async with at(server.url) as place:
            heard = await Holder(place).hears(3)

    assert {news.answer for news in heard} == {2, 3, 4}


async def test_sheets_are_apart_by_slug_and_by_what_must_not_be_outlived(server):
    names = [
        board.name("clinic", "http://old/"),
        board.name("clinic", "http://new/"),
        board.name("clinic", "http://old/", "1"),
        board.name("bank", "http://old/"),
    ]

    async with at(server.url) as here, at(server.url) as there:
        told = Holder(here, names[0])
        apart = [Holder(there, name) for name in names[1:]]
        same = Holder(there, names[0])
        told.sheet.opened(5)
        await same.hears()

    assert [holder.heard for holder in apart] == [[], [], []]
    assert not [name for name in names if "old" in name]


async def test_who_has_left_hears_nothing(server):
    async with at(server.url) as here, at(server.url) as there:
        one, gone, other = Holder(here), Holder(there), Holder(there)
        await settled(there)
        gone.sheet.leave()
        one.sheet.closed()
        await other.hears()

    assert gone.heard == []


async def test_who_has_left_hears_not_even_what_was_being_read(server):
    async with two(server.url) as (one, other):
        one.sheet.opened(60)
        await other.hears()
        async with at(server.url) as place:
            gone = Holder(place)
            gone.sheet.leave()
            await Holder(place).hears()

    assert gone.heard == []


@pytest.mark.parametrize("teller", ["another", "itself"])
async def test_who_hears_that_answers_are_untrue_does_not_read_them_any_more(teller):
    heard = []
    sheet = board.Board().sheet("clinic", heard.append)
    untrue = board.Forgot("PASS:")

    class Slow:
        async def standing(self, *_):
            sheet.hear(untrue) if teller == "another" else sheet.forgot(untrue.questions)
            return board.Standing(0, 0, None, [b'["asked before"]'])

    await sheet.read(Slow())

    assert heard == ([untrue] if teller == "another" else [])


async def test_of_all_that_may_probe_one_does(patient, server):
    async with two(server.url) as (one, other):
        waits = await asyncio.gather(*(who.sheet.probe(2) for who in [one, other] * 10))

    assert waits.count(0) == 1
    assert all(0 < wait <= 2 for wait in waits if wait)


@pytest.mark.parametrize("ending", ["opened", "closed", "released"])
async def test_the_turn_to_probe_is_free_again_when_the_probe_has_ended(patient, server, ending):
    async with two(server.url) as (one, other):
        await one.sheet.probe(60)
        {
            "opened": lambda: one.sheet.opened(0),
            "closed": one.sheet.closed,
            "released": one.sheet.released,
        }[ending]()
        one.sheet.rests(1, "PARTNER_BUSY")
        await other.hears()

        assert await other.sheet.probe(1) == 0


async def test_nobody_ends_the_probe_of_somebody_else(patient, server):
    async with two(server.url) as (one, other):
        await one.sheet.probe(60)
        other.sheet.released()
        other.sheet.rests(1, "PARTNER_BUSY")
        await one.hears()

        assert await other.sheet.probe(1) > 0


async def test_the_probe_of_a_process_that_died_is_free_after_the_longest_it_takes(patient, server):
    async with two(server.url) as (one, other):
        await one.sheet.probe(0.05)
        wait = await other.sheet.probe(1)
        await asyncio.sleep(wait + 0.02)

        assert wait > 0
        assert await other.sheet.probe(1) == 0


async def test_nobody_probes_while_it_rests_by_what_the_others_know(patient, server):
    async with two(server.url) as (one, other):
        one.sheet.opened(60)
        await other.hears()

        assert 55 < await other.sheet.probe(1) <= 60


async def test_two_that_share_a_bucket_keep_its_rate_together(patient, server):
    async def calls(holder, into):
        while time.monotonic() < ends:
            wait = await holder.sheet.take(50, 5, 1.0)
            await asyncio.sleep(wait)
            into.append(time.monotonic())

    made = []
    async with two(server.url) as (one, other):
        began, ends = time.monotonic(), time.monotonic() + 0.6
        await asyncio.gather(*(calls(who, made) for who in (one, other, one, other)))
        lasted = max(made) - began

    assert 20 < len(made) <= 5 + 50 * lasted + 1


async def test_a_token_that_comes_too_late_is_left_for_others(patient, server):
    async with two(server.url) as (one, other):
        await one.sheet.take(1, 1, 0)

        assert await one.sheet.take(1, 1, 0.1) == pytest.approx(1, abs=0.5)
        assert await other.sheet.take(1, 1, 5) == pytest.approx(1, abs=0.5)


async def test_who_asks_a_server_that_hangs_waits_its_bound_and_who_comes_next_not_at_all(
    server, caplog
):
    async with at(server.url) as place:
        one = Holder(place)
        server.freeze()
        began = time.monotonic()
        first = await asyncio.gather(*(one.sheet.take(1, 9, 1) for _ in range(30)))
        bounded = time.monotonic() - began
        next_ones = [await one.sheet.take(1, 9, 1), await one.sheet.probe(1)]
        at_once = time.monotonic() - began - bounded
        server.thaw()
        async with asyncio.timeout(10):
            await place.joined.wait()
        again = await one.sheet.take(1, 9, 1)

    assert again == 0
    assert first == [None] * 30
    assert next_ones == [None, 0.0]
    assert board.PATIENCE_SECONDS * 0.9 < bounded < 1
    assert at_once < board.PATIENCE_SECONDS
    assert said(caplog) == ["away", "back"]


async def test_a_server_that_falls_silent_while_nobody_asks_it_is_found_out(server, monkeypatch):
    monkeypatch.setattr(board, "SILENCE_SECONDS", 0.05)
    async with at(server.url) as place:
        lively = Holder(place)
        await asyncio.sleep(0.3)
        heard_all_along = lively.sheet.is_heard
        server.freeze()
        async with asyncio.timeout(5):
            while lively.sheet.is_heard:  # noqa: ASYNC110 - that it is away has no event
                await asyncio.sleep(0.01)
        server.thaw()

    assert heard_all_along


async def test_a_server_that_was_away_is_joined_by_itself_and_each_time_is_logged_once(
    server, caplog
):
    server.kill()
    async with at(server.url, joined=False) as here, at(server.url, joined=False) as there:
        one, other = Holder(here), Holder(there)
        one.sheet.opened(5)
        assert await one.sheet.probe(1) == 0
        async with asyncio.timeout(5):
            while len(caplog.records) < 2:  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.01)
        server.start()
        async with asyncio.timeout(5):
            await here.joined.wait()
            await there.joined.wait()
        one.sheet.opened(7)
        heard = await other.hears()

    assert heard == [board.Opened(7)]
    assert said(caplog) == ["away", "away", "back", "back"]


async def test_a_server_that_takes_no_more_is_complained_of_once(patient, server, caplog):
    async with two(server.url) as (one, other):
        server.client.config_set("maxmemory", "1")
        one.sheet.opened(5)
        one.sheet.opened(6)
        await settled(one.sheet._board)
        tokens = [await one.sheet.take(1, 1, 0), await other.sheet.take(1, 1, 0)]
        server.client.config_set("maxmemory", "0")
        one.sheet.opened(7)
        heard = await other.hears()

    assert tokens == [None, None]
    assert heard == [board.Opened(7)]
    assert said(caplog) == ["away", "away"]


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\xff",
        b"[]",
        b'["x", "y", "Opened", {}]',
        b'["x", "y", "Burnt", {"seconds": 1}]',
        b'["x", "y", "Opened", {"seconds": 1, "more": 2}]',
        b'["x", [], "Opened", {"seconds": 1}]',
    ],
)
async def test_what_another_version_tells_is_passed_over(server, nonsense):
    async with two(server.url) as (one, other):
        server.client.publish("greenway:1:news", nonsense)
        one.sheet.closed()
        heard = await other.hears()

    assert heard == [board.Closed()]


@pytest.mark.parametrize(("what", "wrong"), [("answers", b"{"), ("rest", b"\xff")])
async def test_what_stands_there_and_cannot_be_read_is_passed_over(server, what, wrong):
    key = f"greenway:1:{SHEET}:{what}"
    if what == "answers":
        server.client.hset(key, "pass:a", wrong)
    else:
        server.client.set(key, wrong, px=60_000)

    async with two(server.url) as (one, other):
        one.sheet.closed()
        await other.hears(len(other.heard) + 1)

    assert other.heard[-1] == board.Closed()


@pytest.mark.parametrize("wrong", [ValueError, TypeError, KeyError, AttributeError])
async def test_who_cannot_read_what_they_hear_goes_on_hearing(server, wrong):
    def stumbles(news):
        heard.append(news)
        raise wrong

    heard = []
    async with at(server.url) as here, at(server.url) as there:
        one, other = Holder(here), Holder(there)
        there.sheet(SHEET, stumbles)
        await settled(there)
        one.sheet.opened(1)
        one.sheet.closed()
        await other.hears(2)

    assert heard == [board.Opened(1), board.Closed()]


async def test_what_stands_there_ends_by_itself(server):
    async with two(server.url) as (one, other):
        one.sheet.opened(1)
        one.sheet.rests(1, "PARTNER_BUSY")
        one.sheet.answered("pass:a", 1, 60, most=9)
        await one.sheet.take(1, 1, 0)
        await one.sheet.probe(1)
        await other.hears(3)

    keys = server.client.keys()
    assert len(keys) >= 5
    assert all(server.client.pttl(key) > 0 for key in keys)
    assert all(key.startswith(b"greenway:1:") for key in keys)


async def test_without_an_address_it_is_always_away():
    async with at("", joined=False) as place:
        alone = Holder(place)
        alone.sheet.opened(5)

        assert await alone.sheet.probe(1) == 0
        assert await alone.sheet.take(1, 1, 0) is None
        assert not alone.sheet.is_heard


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost", "redis://localhost:port"])
def test_an_address_of_another_sort_is_refused_by_the_settings_name(url):
    with pytest.raises(errors.HubError, match="GREENWAY_SHARED_URL"):
        board.Board(url)


def said(caplog):
    """Return what was logged of the board, in order."""
    told = [record.getMessage() for record in caplog.records]
    return ["away" if "away" in line else "back" for line in told if "board" in line]

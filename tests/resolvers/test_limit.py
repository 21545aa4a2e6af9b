"""Limits count alike in one process and over several, and a board that is away stops nobody."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from connectors.board import Board
from resolvers.limit import CARD, Limit, Limits, Points, caller, network
from tests import store
from tests.hub import eventually

THREE = Limit("three", 1 / 60, 3)


@contextlib.asynccontextmanager
async def joined(url: str):
    """A process's limits that count on the board."""
    board = Board(url)
    following = asyncio.create_task(board.follow())
    async with asyncio.timeout(5):
        await board.joined.wait()
    try:
        yield Limits(board)
    finally:
        following.cancel()
        await asyncio.wait([following])
        await board.close()


async def test_so_many_are_counted_and_then_it_is_said_when_to_come_back():
    limits = Limits(Board())

    taken = [await limits.take(THREE, "a") for _ in range(4)]

    assert taken[:3] == [0, 0, 0]
    assert 59 < taken[3] <= 60
    assert await limits.take(THREE, "b") == 0


async def test_asking_how_long_counts_nothing():
    limits = Limits(Board())

    waits = [await limits.wait(THREE, "a") for _ in range(10)]
    taken = [await limits.take(THREE, "a") for _ in range(3)]

    assert waits == [0] * 10
    assert taken == [0, 0, 0]
    assert await limits.wait(THREE, "a") > 0


async def test_one_limit_does_not_count_for_another():
    limits = Limits(Board())
    for _ in range(3):
        await limits.take(THREE, "a")

    assert await limits.take(CARD, "a") == 0


@pytest.mark.skipif(store.SERVER is None, reason=store.WHY_NOT)
async def test_processes_that_share_a_board_count_together(server, patient):
    async with joined(server.url) as one, joined(server.url) as other:
        taken = [await limits.take(THREE, "a") for limits in (one, other, one, other, one)]

    assert taken[:3] == [0, 0, 0]
    assert all(59 < wait <= 60 for wait in taken[3:])


@pytest.mark.skipif(store.SERVER is None, reason=store.WHY_NOT)
async def test_without_the_board_each_process_counts_by_itself(server):
    async with joined(server.url) as limits:
        server.freeze()
        taken = [await limits.take(THREE, "a") for _ in range(4)]
        server.thaw()

    assert taken[:3] == [0, 0, 0]
    assert taken[3] > 0


@pytest.fixture
def points():
    """Build what counts points in one process, at a moment that is set."""

    def build(per_second=10, burst=100):
        return Points(Board(), per_second, burst, str, clock=lambda: 1000.0)

    return build


def test_a_caller_is_charged_until_nothing_is_left(points):
    one = points()

    assert [one.charge("a", 40) for _ in range(2)] == [0, 0]
    assert one.left("a") == 20
    assert one.charge("a", 40) == pytest.approx(2)
    assert one.charge("a", 20) == 0
    assert one.left("a") == 0
    assert one.charge("b", 40) == 0


def test_what_costs_more_than_there_can_be_takes_all_there_is(points):
    one = points()

    assert one.charge("a", 10_000) == 0
    assert one.left("a") == 0
    assert one.charge("a", 10_000) == pytest.approx(10)


@pytest.mark.parametrize(("per_second", "burst"), [(0, 100), (10, 0)])
def test_nought_is_no_end_of_points(points, per_second, burst):
    one = points(per_second, burst)

    assert not one.are_counted
    assert [one.charge("a", 10**9) for _ in range(3)] == [0, 0, 0]


def test_charging_is_quick_where_nothing_is_shared():
    one = Points(Board(), 1e6, 10**9, str)

    best = 1.0
    for _ in range(7):
        began = time.perf_counter()
        for _ in range(1000):
            one.charge("holder:somebody", 100)
        best = min(best, (time.perf_counter() - began) / 1000)

    assert best < 10e-6  # 0.7 µs where nothing else runs


@pytest.mark.parametrize(
    ("address", "charged"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("no address", ""),
        ("", ""),
    ],
)
def test_an_address_is_charged_as_its_network(address, charged):
    assert network(address) == charged


def test_who_shows_who_they_are_is_charged_wherever_they_ask_from():
    assert caller("holder", "h-1", "192.0.2.7") == caller("holder", "h-1", "192.0.2.8")
    assert caller("holder", "h-1", "192.0.2.7") != caller("partner", "h-1", "192.0.2.7")
    assert caller("anonymous", "", "2001:db8::1") == caller("anonymous", "", "2001:db8::2")


async def spent(points, who, cost):
    """Return what somebody spends until they are stopped."""
    for times in range(1000):
        if points.charge(who, cost) > 0:
            return times * cost
        await asyncio.sleep(0.01)
    raise AssertionError("nobody stops them")


@contextlib.asynccontextmanager
async def sharing(url: str, per_second: float, burst: int):
    """A process's points that are counted on the board."""
    async with joined(url) as limits:
        yield Points(limits._board, per_second, burst, lambda name: f"named-{len(name)}")


@pytest.mark.skipif(store.SERVER is None, reason=store.WHY_NOT)
@pytest.mark.parametrize("cost", [1, 30, 300])
async def test_two_processes_let_through_no_more_than_they_say(server, patient, cost):
    rate, burst = 1000.0, 5000
    async with sharing(server.url, rate, burst) as one, sharing(server.url, rate, burst) as other:
        spent = [0, 0]
        began = time.monotonic()
        while (passed := time.monotonic() - began) < 1.5:
            for place, points in enumerate((one, other)):
                for _ in range(max(1, 300 // cost)):
                    if points.charge("a", cost) == 0:
                        spent[place] += cost
            await asyncio.sleep(0.001)

    allowed = burst + rate * passed
    assert min(spent) > 0
    assert sum(spent) <= allowed + 2 * one.error(cost)
    assert sum(spent) >= burst  # and they do let through what they may


@pytest.mark.skipif(store.SERVER is None, reason=store.WHY_NOT)
async def test_a_process_hears_that_a_caller_has_spent_all_elsewhere(server, patient):
    async with sharing(server.url, 0.01, 1000) as one, sharing(server.url, 0.01, 1000) as other:
        here, there = await spent(one, "a", 50), await spent(other, "a", 50)

    assert here >= 1000
    assert there <= other.error(50) < 1000


@pytest.mark.skipif(store.SERVER is None, reason=store.WHY_NOT)
async def test_the_board_does_not_know_whose_points_they_are(server, patient):
    async with sharing(server.url, 10, 1000) as one:
        one.charge("address:192.0.2.7", 500)

        async def kept():
            return list(server.client.scan_iter(match="*points*"))

        await eventually(kept)

    assert await kept() == [b"greenway:1:points:named-17"]


@pytest.mark.skipif(store.SERVER is None, reason=store.WHY_NOT)
async def test_points_are_counted_on_without_the_board(server):
    async with sharing(server.url, 0.01, 1000) as one:
        server.freeze()
        through = 0
        for _ in range(60):
            through += 100 if one.charge("a", 100) == 0 else 0
            await asyncio.sleep(0.01)
        server.thaw()

    assert through == 1000

"""Limits count alike in one process and over several, and a board that is away stops nobody."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from connectors.board import Board
from resolvers.limit import CARD, Limit, Limits
from tests import store

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

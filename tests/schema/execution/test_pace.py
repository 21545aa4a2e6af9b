"""An operation breathes where it is done piecemeal, and ends by itself once its time is over."""

from __future__ import annotations

import math

import pytest

from models import turns
from schema.execution.pace import OutOfTimeError, Pace


def test_an_operation_ticks_once_its_time_is_over():
    late, early = Pace.of(-1), Pace.of(60)

    assert late.clock() > late.due
    with pytest.raises(OutOfTimeError):
        late.tick()
    assert early.clock() <= early.due
    early.tick()
    assert Pace.of(math.inf).due == math.inf


async def test_what_is_done_piecemeal_ticks_at_every_object():
    def work():
        pace = Pace.of(60)
        return pace.clock() > pace.due

    assert await turns.piecemeal(work)


async def test_what_breathes_has_left_the_others_their_turns():
    seen = []

    def work():
        pace = Pace.of(60)
        ends = pace.clock() + 4 * turns.PIECE_SECONDS
        while pace.clock() < ends:
            pace.tick()
        seen.append("work")

    turns.put(lambda: seen.append("first"))
    await turns.piecemeal(work)

    assert seen == ["first", "work"]

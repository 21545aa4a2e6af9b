"""A call that many wait for, and what is left of it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref

import pytest

from connectors.flight import Flights


class BrokenError(Exception):
    """What a call raises."""


@pytest.fixture
def uncollected():
    """Have nothing collected meanwhile that is left in a cycle."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
async def test_what_a_call_raised_goes_with_those_who_heard_of_it():
    flights: Flights[str, None] = Flights()
    raised = []

    async def call() -> None:
        await asyncio.sleep(0)
        wrong = BrokenError()
        raised.append(weakref.ref(wrong))
        try:
            raise wrong
        finally:
            del wrong

    async def ask() -> None:
        with contextlib.suppress(BrokenError):
            await flights.join("word", call, ends=1e9, deadline=1e9)

    await asyncio.gather(ask(), ask())
    await asyncio.sleep(0)

    assert [wrong() for wrong in raised] == [None]

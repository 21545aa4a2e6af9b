from __future__ import annotations

import asyncio

import pytest

from resolvers.pending import Pending


def nothing() -> None:
    pass


@pytest.fixture
async def come() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


async def test_a_value_is_made_when_all_it_waits_for_is_there(come):
    other = asyncio.get_running_loop().create_future()
    made = []
    waiting = asyncio.ensure_future(
        Pending((come, other), nothing, lambda: made.append(1) or "made")
    )

    come.set_result(None)
    await asyncio.sleep(0)
    assert made == []
    other.set_result(None)

    assert await waiting == "made"
    assert made == [1]


async def test_what_waits_for_nothing_is_there():
    assert Pending((), nothing, lambda: "made").value() == "made"


async def test_who_leaves_does_not_take_it_from_the_others(come):
    leaving = asyncio.ensure_future(Pending((come,), nothing, lambda: "made"))
    staying = asyncio.ensure_future(Pending((come,), nothing, lambda: "made"))
    await asyncio.sleep(0)

    leaving.cancel()
    await asyncio.sleep(0)
    come.set_result(None)

    assert await staying == "made"


async def test_what_came_in_its_place_is_raised(come):
    come.set_exception(RuntimeError("a fault of ours"))

    with pytest.raises(RuntimeError, match="a fault"):
        Pending((come,), nothing, lambda: "made").value()

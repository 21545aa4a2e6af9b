from __future__ import annotations

import asyncio

import pytest

from schema.execution import departure
from tests.leavings import leavings

HERE = {"type": "http.request", "body": b"", "more_body": False}
GONE = {"type": "http.disconnect"}


class Client:
    """Is there until it leaves, and says so as servers do."""

    def __init__(self) -> None:
        self.asked = 0
        self.left = asyncio.Event()

    async def receive(self):
        self.asked += 1
        if self.asked == 1:
            return HERE
        await self.left.wait()
        return GONE


@pytest.fixture
def client():
    return Client()


async def test_what_is_over_soon_is_not_watched(client):
    async with departure.WhileThere(departure.Received(client.receive)):
        await asyncio.sleep(0.001)

    await asyncio.sleep(2 * departure.PATIENCE_SECONDS)
    assert client.asked == 0


async def test_what_takes_longer_goes_on_while_the_client_is_there(client):
    async with departure.WhileThere(departure.Received(client.receive)):
        await asyncio.sleep(3 * departure.PATIENCE_SECONDS)
        found = "an answer"

    assert (found, client.asked) == ("an answer", 2)


async def test_what_nobody_waits_for_is_given_up(client):
    ended = []

    async def asks():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("the call")

    asyncio.get_running_loop().call_later(0.1, client.left.set)
    async with asyncio.timeout(5):
        with pytest.raises(departure.GoneError):
            async with departure.WhileThere(departure.Received(client.receive)):
                await asyncio.gather(asks(), asks())

    assert ended == ["the call"] * 2
    # Whoever gave it up goes on.
    assert asyncio.current_task().cancelling() == 0
    await asyncio.sleep(0)


async def test_a_server_that_has_always_more_to_say_is_not_listened_to_for_ever():
    said = []

    async def receive():
        said.append(HERE)
        return HERE

    async with departure.WhileThere(departure.Received(receive)):
        await asyncio.sleep(3 * departure.PATIENCE_SECONDS)

    assert len(said) == 2


async def test_who_cancels_the_request_itself_is_heard(client):
    async def run():
        async with departure.WhileThere(departure.Received(client.receive)):
            await asyncio.sleep(60)

    task = asyncio.create_task(run())
    await asyncio.sleep(0.1)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_is_told_although_the_client_leaves_as_it_comes(client):
    async def fails():
        async with departure.WhileThere(departure.Received(client.receive)):
            await asyncio.sleep(0.1)
            client.left.set()
            raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        await fails()


async def test_a_time_limit_within_is_its_own(client):
    async with departure.WhileThere(departure.Received(client.receive)):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await asyncio.sleep(60)


async def test_what_a_server_tells_at_once_is_heard_at_once():
    told = departure.Departure()
    asyncio.get_running_loop().call_soon(told.come)

    async with asyncio.timeout(5):
        with pytest.raises(departure.GoneError):
            async with departure.WhileThere(told):
                await asyncio.sleep(60)

    assert asyncio.current_task().cancelling() == 0


async def test_who_had_left_before_anything_was_begun_is_gone():
    told = departure.Departure()
    told.come()

    with pytest.raises(departure.GoneError):
        async with departure.WhileThere(told):
            await asyncio.sleep(60)


async def test_who_leaves_after_it_is_over_is_no_matter():
    told = departure.Departure()
    async with departure.WhileThere(told):
        await asyncio.sleep(0)

    told.come()
    await asyncio.sleep(0)

    assert asyncio.current_task().cancelling() == 0


async def test_what_was_watched_is_left_in_no_cycle(client):
    async def run():
        for told in (departure.Departure(), departure.Received(client.receive)):
            async with departure.WhileThere(told):
                await asyncio.sleep(2 * departure.PATIENCE_SECONDS)

    with leavings() as left:
        await run()
        await asyncio.sleep(0)

    assert not left & {"Departure", "Received", "WhileThere"}

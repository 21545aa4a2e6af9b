"""What a query made goes when it ends: nothing waits for the collector of cycles."""

from __future__ import annotations

import aiohttp
import pytest

from endpoints import protocol
from models import demo
from tests import asgi
from tests.leavings import leavings

QUERIES = {
    "partners": """{ menu(first: 100) { nodes { code offers(first: 3) { withheld { outcome }
        pages { freshness nodes { id title } } } } } }""",
    "menu": "{ categories { code services { code name { text } partners { code } } } }",
}
#: More texts than are remembered.
MANY = 70


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
async def test_nothing_of_ours_is_left_in_cycles(hub, query):
    anew = {"cache-control": "no-cache"}
    for _ in range(3):
        told = await hub.ask(query, headers=anew)
    assert "errors" not in told.json()

    with leavings() as left:
        for _ in range(3):
            await hub.ask(query, headers=anew)

    assert left == set()


async def test_a_text_that_is_forgotten_is_left_in_no_cycle(hub):
    async def ask(number: int) -> None:
        told = await hub.ask(QUERIES["menu"].replace("code", f"a{number}: code", 1))
        assert "errors" not in told.json()

    for number in range(MANY):
        await ask(number)

    with leavings() as left:
        for number in range(MANY, MANY + 10):
            await ask(number)

    # What validates one knows its own methods, and nothing of the text any more.
    assert {one for one in left if "graphql" not in one} == {"_Together"}


@pytest.mark.viewer("holder", demo.PILOT)
@pytest.mark.parametrize("own", [False, True], ids=["any server", "ours"])
async def test_a_query_that_waited_long_is_left_in_no_cycle(hub, own):
    """It was watched whether whoever asked is still there."""
    http = protocol.Crowd(protocol.Bounds()).protocol() if own else "auto"
    slowly = {**hub.bearer("holder"), "X-Greenway-Fault": "hongqiao-cinema=slow:100ms"}
    asked = {"query": QUERIES["partners"]}
    async with asgi.served(hub.app, http=http) as url, aiohttp.ClientSession(url) as client:

        async def ask():
            async with client.post("/graphql", json=asked, headers=slowly) as response:
                assert "errors" not in await response.json()

        for _ in range(3):
            await ask()
        with leavings() as left:
            for _ in range(3):
                await ask()

    # A partner that fails for one query is made for it, and is left so.
    assert not left & {"Context", "Departure", "Received", "WhileThere", "_Cycle", "Waits"}

"""What a query made goes when it ends: nothing waits for the collector of cycles."""

from __future__ import annotations

import gc

import pytest

OURS = ("connectors", "endpoints", "models", "resolvers", "schema")
QUERIES = {
    "partners": """{ menu(first: 100) { nodes { code offers(first: 3) { withheld { outcome }
        pages { freshness nodes { id title } } } } } }""",
    "menu": "{ categories { code services { code name { text } partners { code } } } }",
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
async def test_nothing_of_ours_is_left_in_cycles(hub, query):
    anew = {"cache-control": "no-cache"}
    for _ in range(3):
        told = await hub.ask(query, headers=anew)
    assert "errors" not in told.json()
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for _ in range(3):
            await hub.ask(query, headers=anew)
        gc.collect()
        left = {
            type(one).__qualname__ for one in gc.garbage if type(one).__module__.startswith(OURS)
        }
    finally:
        gc.set_debug(0)
        gc.garbage.clear()

    assert left == set()

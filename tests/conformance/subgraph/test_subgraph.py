"""Apollo's suite for what makes a subgraph, over the suite's own subgraph run as the hub runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import pytest_asyncio

from tests import asgi, port, server
from tests.conformance.subgraph import products

pytestmark = [pytest.mark.conformance_long, pytest.mark.asyncio(loop_scope="module")]

HERE = Path(__file__).parent
#: What the suite judges, and in how many tests.
FEATURES = {
    "introspection": 1,
    "@key single": 2,
    "@key multiple": 2,
    "@key composite": 2,
    "repeatable @key": 2,
    "@requires": 1,
    "@provides": 1,
    "ftv1": 1,
    "@link": 1,
    "@shareable": 2,
    "@tag": 1,
    "@override": 2,
    "@inaccessible": 2,
    "@composeDirective": 1,
    "@interfaceObject": 2,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def subgraph():
    """The address of the suite's subgraph."""
    async with asgi.served(products.app()) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def found(packages, subgraph, ran):
    """What the suite found wrong, by its features and tests; None where nothing was."""
    sdl = (await asgi.ask(products.app(), "{ _service { sdl } }")).json()["data"]["_service"]["sdl"]
    others = dict(zip(("users", "inventory"), port.free(2), strict=True))
    fed = {"products": subgraph, "sdl": sdl, "ports": others}
    with server.node("subgraph/supergraph.js", fed, packages.parent) as router:
        said = await ran("node", HERE / "suite.js", PRODUCTS_URL=subgraph, ROUTER_URL=router)
    faults: dict[str, dict[str, str | None]] = {}
    for one in map(json.loads, said.splitlines()):
        feature, _, title = one["name"].partition(": ")
        faults.setdefault(feature, {})[title] = one["fault"]
    return faults


async def test_the_suite_judges_what_is_told_of_here(found):
    assert {feature: len(tests) for feature, tests in found.items()} == FEATURES


@pytest.mark.parametrize("feature", FEATURES)
async def test_the_suite_finds_nothing_wrong(found, feature):
    assert set(found[feature].values()) == {None}, found[feature]

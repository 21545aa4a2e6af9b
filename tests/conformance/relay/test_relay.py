"""An application of Relay's: compiled against the contract, then run against a hub."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import asgi

pytestmark = pytest.mark.any_database

HERE = Path(__file__).parent


@pytest.fixture
async def compiled(told, packages) -> list[str]:
    """The names of what the compiler made of the application's documents."""
    made = HERE / "generated"
    made.mkdir(exist_ok=True)
    await told(packages / "relay-compiler/cli.js", HERE / "relay.config.json")
    return sorted(one.name for one in made.glob("*.graphql.js"))


async def test_the_application_compiles_and_runs(hub, faults, compiled):
    async with asgi.served(hub.app) as url:
        bearer = hub.bearer("officer")["authorization"]
        found = await faults(HERE / "app.js", HUB=f"{url}/graphql", BEARER=bearer)

    assert "appMenuPageQuery.graphql.js" in compiled
    assert {name: fault for name, fault in found.items() if fault} == {}
    assert len(found) == 6

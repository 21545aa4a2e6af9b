"""Clients that others wrote, each asking as an application would."""

from pathlib import Path

import pytest

from schema import SDL

HERE = Path(__file__).parent
MADE = HERE.parent / "generated"
DOCUMENTS = (SDL.parents[1] / "docs/querying.graphql", HERE / "app.graphql")

pytestmark = [pytest.mark.any_database, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture
def asking(shared_hub, address):
    """Where a script asks, and how it shows that a holder does."""
    return f"{address}/graphql", shared_hub.bearer("holder")["authorization"]


async def test_graphql_code_generator_makes_typescript_that_compiles_and_runs(
    told, faults, packages, asking
):
    await told(HERE / "generate.js", SDL, MADE, *DOCUMENTS)
    await told(packages / "typescript/bin/tsc", "--project", HERE)

    found = await faults(MADE / "out/clients/app.js", *asking)

    assert len(found) == 5
    assert _wrong(found) == {}


@pytest.mark.parametrize(("script", "checks"), [("apollo.js", 12), ("urql.js", 9)])
async def test_a_client_is_served_in_all_its_ways_of_asking(faults, asking, script, checks):
    found = await faults(HERE / script, *asking)

    assert len(found) == checks
    assert _wrong(found) == {}


def _wrong(found):
    return {name: fault for name, fault in found.items() if fault}

from pathlib import Path

import pytest

pytestmark = [pytest.mark.any_database, pytest.mark.asyncio(loop_scope="module")]
HERE = Path(__file__).parent


async def test_every_audit_of_graphql_over_http_passes(address, faults):
    found = await faults(HERE / "audit.js", f"{address}/graphql")

    assert {name: fault for name, fault in found.items() if fault} == {}
    assert len(found) == 61, "graphql-http 1.23 has 61 audits"

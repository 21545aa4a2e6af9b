"""The client that ariadne-codegen makes of the contract: it is typed, and it is answered."""

import json
import sys
from pathlib import Path

import pytest

from schema import SDL
from tests import asgi

HERE = Path(__file__).parent
CONFIGURATION = """
[tool.ariadne-codegen]
schema_path = "{schema}"
queries_path = "{folder}/documents"
target_package_path = "{folder}"
target_package_name = "hub"
[tool.ariadne-codegen.scalars.Date]
type = "datetime.date"
[tool.ariadne-codegen.scalars.DateTime]
type = "datetime.datetime"
[tool.ariadne-codegen.scalars.Decimal]
type = "decimal.Decimal"
"""

pytestmark = [pytest.mark.any_database, pytest.mark.conformance_long]


async def test_ariadne_codegen_makes_a_client_that_is_typed_and_runs(hub, ran, python, tmp_path):
    (tmp_path / "documents").mkdir()
    for document in (SDL.parents[1] / "docs/querying.graphql", HERE / "app.graphql"):
        (tmp_path / "documents" / document.name).write_bytes(document.read_bytes())
    configuration = tmp_path / "configuration.toml"
    configuration.write_text(CONFIGURATION.format(schema=SDL, folder=tmp_path))

    await ran(python.with_name("ariadne-codegen"), "--config", configuration)
    # The one that is the same for every contract is followed, and not judged.
    made = {*(tmp_path / "hub").iterdir()} - {tmp_path / "hub/async_base_client.py"}
    await ran(
        *(sys.executable, "-m", "mypy", "--strict", "--config-file=", "--follow-imports=silent"),
        *("--python-executable", python, "--cache-dir", tmp_path / "mypy", *made),
    )
    async with asgi.served(hub.app) as url:
        said = await ran(
            *(python, HERE / "ask.py", f"{url}/graphql", hub.bearer("holder")["authorization"]),
            PYTHONPATH=str(tmp_path),
        )

    found = [json.loads(line) for line in said.splitlines()]
    assert len(found) == 4
    assert [one for one in found if one["fault"]] == []

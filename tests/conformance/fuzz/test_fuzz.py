"""Every field of the schema asked what Schemathesis can think of, by each sort of asker."""

import os
import re
from pathlib import Path

import pytest

from tests import asgi

HERE = Path(__file__).parent
ROLES = ("anonymous", "holder", "partner", "integrator", "officer", "admin")
#: Of all roles together; twenty minutes by `make conformance`.
SECONDS = int(os.environ.get("CONFORMANCE_FUZZ_SECONDS", "1200")) // len(ROLES)

pytestmark = [pytest.mark.any_database, pytest.mark.conformance_long]


@pytest.mark.parametrize("role", ROLES)
async def test_nothing_asked_of_the_schema_is_a_mistake_of_the_hub(
    stand, python, ran, tmp_path, role
):
    hub = stand(points_per_second=0)
    asker = [f"--header={name}: {value}" for name, value in hub.bearer(role).items()]

    async with asgi.served(hub.app) as url:
        said = await ran(
            *(python.with_name("schemathesis"), "--config-file", HERE / "schemathesis.toml"),
            *("run", f"{url}/graphql", *asker, "--checks", "no_mistake_of_the_hub"),
            *("--continue-on-failure", "--max-time", SECONDS, "--no-color"),
            *("--generation-database", tmp_path),
            seconds=2 * SECONDS + 60,
            FUZZ_CHECKS=str(HERE / "checks.py"),
        )

    assert int(re.search(r"(\d+) generated", said)[1]) > SECONDS

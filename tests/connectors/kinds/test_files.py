"""Partner files of servers that others wrote: each example holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors import manifest, proof, registry

FILES = Path(__file__).parents[1] / "partners"
SLUGS = ("culture-hall-calendar", "lantern-cinema", "plane-tree-hospital")


@pytest.mark.parametrize("slug", SLUGS)
async def test_every_example_of_a_file_holds(slug):
    entry = manifest.load(FILES / f"{slug}.yaml", registry.kinds())

    assert [wrong for wrong in await proof.prove(entry) if wrong] == []

"""Clairvoyance before a hub that answers no introspection: it learns what it knew, and no more."""

import json
from pathlib import Path

import pytest

from tests import asgi

#: So near to fields of the contract that many a server would put them right.
NEAR = ("catego", "servic", "statio", "partner", "editio", "eligibleService", "nod")
#: What it writes of a type of which it knows no field.
NOTHING = {"dummy"}

pytestmark = [pytest.mark.any_database, pytest.mark.conformance_long]


async def test_clairvoyance_finds_no_name_by_its_neighbours(stand, ran, python, tmp_path):
    hub = stand(introspection=False)
    words, found = tmp_path / "words", tmp_path / "found.json"
    words.write_text("\n".join(NEAR))

    async with asgi.served(hub.app) as url:
        await ran(
            *(python.with_name("clairvoyance"), f"{url}/graphql", "-w", words, "-o", found),
            may_fail=True,
        )

    assert _fields(found) <= NOTHING


async def test_clairvoyance_finds_a_name_it_is_given(stand, ran, python, tmp_path):
    hub = stand(introspection=False)
    words, found = tmp_path / "words", tmp_path / "found.json"
    words.write_text("\n".join([*NEAR, "categories"]))

    async with asgi.served(hub.app) as url:
        await ran(python.with_name("clairvoyance"), f"{url}/graphql", "-w", words, "-o", found)

    assert "categories" in _fields(found)


def _fields(found: Path):
    if not found.exists():
        return set()
    types = json.loads(found.read_text())["data"]["__schema"]["types"]
    return {field["name"] for one in types for field in one.get("fields") or ()}

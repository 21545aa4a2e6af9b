"""The contract on disk is the one that is served, whoever the partners are."""

from __future__ import annotations

import pytest

import schema
from tests import asgi


def test_the_contract_on_disk_is_the_contract_built():
    assert schema.SDL.read_text(encoding="utf-8") == schema.sdl(), "run `make sdl`"


@pytest.mark.any_database
async def test_the_contract_is_the_same_without_partners_as_with_all(stand, caplog):
    asked = "{ _service { sdl } partners { code } }"

    alone = (await stand(demo=False).ask(asked)).json()["data"]
    among_all = (await stand().ask(asked)).json()["data"]

    assert alone["partners"] == []
    assert len(among_all["partners"]) == 9
    assert alone["_service"] == among_all["_service"]


@pytest.mark.any_database
async def test_the_contract_can_be_fetched(hub):
    answer = await asgi.call(hub.app, path="/schema.graphql")

    assert answer.status == 200
    assert answer.body.decode() == schema.sdl()

"""A gateway that asks is told how long each field took, where the hub is set to tell it."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from models import demo
from schema.execution.tracing import HEADER, WANTED, WEIGHT

pytestmark = pytest.mark.any_database

ASKS = {HEADER: WANTED}
MENU = "{ categories { code services { code name { text } } } }"
BURST = 20_000
HOME_PAGE = Path(__file__).parents[2] / "docs" / "querying.graphql"


@pytest.fixture
def telling(stand):
    """A hub that tells gateways."""
    return stand(gateway_traces=True)


async def test_who_asks_is_told_and_nothing_is_told_beside_it(telling):
    answer = await telling.ask(MENU, headers=ASKS)

    [(name, trace)] = answer.json()["extensions"].items()
    told = base64.b64decode(trace)
    assert name == "ftv1"
    assert b"categories" in told
    assert b"LocalizedText!" in told


async def test_the_answer_is_the_same_with_a_trace_as_without(telling):
    document = HOME_PAGE.read_text(encoding="utf-8")
    # The first has partners asked, whom the others remember.
    _, plain, traced = [
        await telling.ask(document, viewer="holder", person=demo.RETURNEE, headers=headers)
        for headers in ({}, {}, ASKS)
    ]

    assert traced.json()["data"] == plain.json()["data"]
    assert "ftv1" in traced.json()["extensions"]
    assert "ftv1" not in plain.json()["extensions"]


async def test_an_answer_with_a_trace_is_neither_kept_nor_one_that_was_kept(telling):
    await telling.ask("{ edition { revision } }")
    answers = [await telling.ask(MENU, headers=headers) for headers in (ASKS, {}, ASKS, {})]

    assert ["ftv1" in one.json()["extensions"] for one in answers] == [True, False, True, False]
    assert {one.headers["cache-control"] for one in answers[::2]} == {"private, no-store"}
    assert telling.hub.measures.cache_hits == 1


async def test_to_be_told_is_charged_as_much_as_it_takes(stand):
    hub = stand(gateway_traces=True, points_burst=BURST, points_per_second=1)

    plain, traced = [await hub.ask(MENU, headers=headers) for headers in ({}, ASKS)]

    cost = plain.json()["extensions"]["cost"]["requested"]
    assert cost * 2 < BURST < cost * WEIGHT
    assert (plain.status, traced.status) == (200, 429)


async def test_a_hub_that_is_not_set_to_tell_does_not(hub):
    answer = await hub.ask(MENU, headers=ASKS)

    assert set(answer.json()["extensions"]) == {"cost"}

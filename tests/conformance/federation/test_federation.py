"""The hub among other subgraphs, composed by two composers and asked through a real gateway."""

from __future__ import annotations

import json
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from models import demo
from tests import asgi, server

pytestmark = [pytest.mark.any_database, pytest.mark.asyncio(loop_scope="module")]

HERE = Path(__file__).parent
CARDS = 100
SERVICE, PARTNER, STATION = "film-tickets", "xinhua-bank", "xinhua-station"


class Heard:
    """An application, and what was asked of it by POST."""

    def __init__(self, app) -> None:
        self._app = app
        self.asked: list[dict] = []

    async def __call__(self, scope, receive, send) -> None:
        body = b""

        async def hear():
            nonlocal body
            message = await receive()
            body += message.get("body", b"")
            if message["type"] == "http.request" and not message.get("more_body"):
                self.asked.append(json.loads(body))
            return message

        await self._app(scope, hear, send)


@pytest.fixture
def hub(shared_hub):
    return shared_hub


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sdl(shared_hub) -> str:
    answer = await shared_hub.ask("{ _service { sdl } }")
    return answer.json()["data"]["_service"]["sdl"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def serials(shared_hub) -> list[str]:
    """The serials of people's cards."""
    found, after = [], None
    while len(found) < CARDS:
        answer = await shared_hub.ask(
            """query People($after: String) { talents(first: 100, after: $after) {
                nodes { card { serial } } pageInfo { endCursor } } }""",
            {"after": after},
            viewer="officer",
        )
        page = answer.json()["data"]["talents"]
        found += [one["card"]["serial"] for one in page["nodes"] if one["card"]]
        after = page["pageInfo"]["endCursor"]
    return found[:CARDS]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def heard(shared_hub) -> Heard:
    return Heard(shared_hub.app)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(packages, heard, sdl, serials):
    """The address of a gateway over the hub and a subgraph of visits."""
    async with asgi.served(heard) as url:
        fed = {
            "hub": f"{url}/graphql",
            "sdl": sdl,
            "serials": serials,
            "service": SERVICE,
            "partner": PARTNER,
            "station": STATION,
        }
        with server.node("federation/gateway.js", fed, packages.parent) as address:
            yield f"{address}/graphql"


@pytest.fixture
def through(gateway, hub, heard):
    """Ask through the gateway in somebody's name."""

    async def through(document, variables=None, viewer="anonymous"):
        heard.asked.clear()
        body = {"query": document, "variables": variables}
        async with (
            aiohttp.ClientSession(headers=hub.bearer(viewer)) as client,
            client.post(gateway, json=body) as answer,
        ):
            return await answer.json()

    return through


async def test_two_composers_take_the_hub_alone_and_beside_another_subgraph(faults, sdl, tmp_path):
    said = tmp_path / "hub.graphql"
    said.write_text(sdl)

    found = await faults(HERE / "compose.js", str(said))

    assert found == {
        "@apollo/composition hub": None,
        "@apollo/composition hub with visits": None,
        "@theguild/federation-composition hub": None,
        "@theguild/federation-composition hub with visits": None,
    }


async def test_one_question_is_answered_by_both(through):
    found = await through(
        """{ visits(first: 1) { edges { node { id stars
            service { code stars name(language: "en") { text } category { code } }
            partner { code stars kind }
            station { code isBusy district }
        } } } }"""
    )

    [edge] = found["data"]["visits"]["edges"]
    assert "errors" not in found
    assert edge["node"] == {
        "id": "Visit:0",
        "stars": 1,
        "service": {
            "code": SERVICE,
            "stars": 3,
            "name": {"text": "Film tickets for card holders"},
            "category": {"code": "livelihoods"},
        },
        "partner": {"code": PARTNER, "stars": 3, "kind": "bank"},
        "station": {"code": STATION, "isBusy": True, "district": "changning"},
    }


async def test_what_the_hub_lists_is_told_more_of_by_the_other(through):
    found = await through("{ menu(first: 100) { nodes { code stars } pageInfo { hasNextPage } } }")

    starred = [one["code"] for one in found["data"]["menu"]["nodes"] if one["stars"]]
    assert "errors" not in found
    assert starred == [SERVICE]


async def test_a_hundred_cards_are_one_request_and_one_statement(through, heard, queries, serials):
    queries.clear()

    found = await through(
        "{ visits { edges { node { card { serial status visits } } } } }", viewer="officer"
    )

    shown = [one["node"]["card"] for one in found["data"]["visits"]["edges"]]
    assert "errors" not in found
    assert [one["serial"] for one in shown] == serials
    assert {one["status"] for one in shown} >= {"ACTIVE"}
    assert len(heard.asked) == 1
    assert len([one for one in queries if "FROM card " in one]) == 1


async def test_fields_of_one_name_and_two_types_do_not_meet(through):
    found = await through(
        """{ visits(first: 2) { edges { node {
            card { validUntil areas { unitsLeft } } service { validUntil areas { code } }
            partner { name { text } } } } } }""",
        viewer="officer",
    )

    assert "errors" not in found
    node = found["data"]["visits"]["edges"][1]["node"]
    assert len(node["card"]["areas"]) == 12
    assert node["service"]["areas"] == [{"code": "movie-watching"}]


async def test_who_asks_the_gateway_asks_the_hub(through):
    person = f"Talent:{demo.handle(demo.RETURNEE)}"
    document = "query Who($id: ID!) { node(id: $id) { ... on Talent { name isGuide } } }"

    shown = await through(document, {"id": person}, viewer="officer")
    hidden = await through(document, {"id": person})

    assert shown["data"]["node"] == {"name": "檀灯月", "isGuide": True}
    assert hidden["data"]["node"] is None


async def test_a_card_that_may_not_be_seen_is_null_where_it_may_be_and_what_failed_says_so(
    through,
):
    found = await through("{ visits(first: 2) { edges { node { card { serial visits } } } } }")
    hidden = await through("{ visits(first: 2) { edges { node { stars card { status } } } } }")

    assert [one["node"]["card"]["visits"] for one in found["data"]["visits"]["edges"]] == [1, 1]
    assert hidden["data"] is None

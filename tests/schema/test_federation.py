"""The hub as a subgraph: what gateways refer to is found by every key, in one statement a type."""

from __future__ import annotations

import graphql
import pytest
import pytest_asyncio

import schema
from models import demo
from schema.query import _ENTITIES

pytestmark = [pytest.mark.any_database, pytest.mark.asyncio(loop_scope="module")]

TALENT = f"Talent:{demo.handle(demo.PILOT)}"
CLOSED = ("anonymous", "partner", "integrator", "holder")


@pytest.fixture
def hub(shared_hub):
    return shared_hub


@pytest.fixture
def found(ask):
    """Send references, and return what each came to, with the codes of the errors."""

    async def found(selection, *references, **who):
        document = f"""query Found($of: [_Any!]!) {{
            _entities(representations: $of) {{ __typename {selection} }} }}"""
        answer = await ask(document, {"of": list(references)}, **who)
        return answer.json()["data"]["_entities"], answer.codes

    return found


@pytest_asyncio.fixture(loop_scope="module")
async def cards(ask):
    """Cards of a hundred people: who has them, and their serials."""
    people = []
    after = None
    while len(people) < 100:
        answer = await ask(
            """query People($after: String) { talents(first: 100, after: $after) {
                nodes { id card { serial } } pageInfo { endCursor } } }""",
            {"after": after},
            viewer="officer",
        )
        page = answer.json()["data"]["talents"]
        people += [(one["id"], one["card"]["serial"]) for one in page["nodes"] if one["card"]]
        after = page["pageInfo"]["endCursor"]
    return people[:100]


def selects(queries):
    return [one for one in queries if one.lstrip().startswith(("SELECT", "WITH"))]


def keys(kind):
    """Return the keys by which a type of the contract is found, as they are published."""
    directives = kind.ast_node and kind.ast_node.directives
    return [one.arguments[0].value.value for one in directives or () if one.name.value == "key"]


async def test_the_contract_names_the_entities_and_their_keys():
    contract = graphql.build_schema(schema.sdl(), assume_valid_sdl=True)

    keyed = {name: keys(kind) for name, kind in contract.type_map.items() if keys(kind)}

    assert keyed == {
        "Area": ["id", "code"],
        "Card": ["id", "serial"],
        "Category": ["id", "code"],
        "Connector": ["id"],
        "Partner": ["id", "code"],
        "Service": ["id", "code"],
        "Station": ["id", "code"],
        "Talent": ["id"],
    }
    assert keyed.keys() == _ENTITIES.keys()


@pytest.mark.parametrize(
    ("entity", "code"),
    [
        ("Area", "movie-watching"),
        ("Category", "customs-clearance"),
        ("Partner", "xinhua-bank"),
        ("Service", "film-tickets"),
        ("Station", "xinhua-station"),
    ],
)
async def test_what_is_on_the_menu_is_found_by_either_key(found, entity, code):
    answer, told = await found(
        f"... on {entity} {{ id code }}",
        {"__typename": entity, "id": f"{entity}:{code}"},
        {"__typename": entity, "code": code},
        {"__typename": entity, "code": "no-such-code"},
        {"__typename": entity, "id": code},
        {"__typename": entity, "id": f"Talent:{code}"},
    )

    there = {"__typename": entity, "id": f"{entity}:{code}", "code": code}
    assert (answer, told) == ([there, there, None, None, None], [])


async def test_references_that_are_sent_again_are_found_again(found):
    menu = {"__typename": "Service", "code": "film-tickets"}, {"__typename": "Area", "code": 1}

    first = await found("... on Service { code }", *menu)

    assert first[0] == [menu[0], None]
    assert [await found("... on Service { code }", *menu) for _ in range(3)] == [first] * 3


async def test_a_line_to_a_partner_is_found_by_its_id(found):
    bank = {"__typename": "Connector", "id": "Connector:xinhua-bank"}

    assert await found("... on Connector { id }", bank) == ([bank], [])


async def test_a_card_is_found_by_its_serial_in_any_spelling(found, cards):
    _, serial = cards[0]
    typed = serial.lower().replace("-", " ")

    answer, told = await found(
        "... on Card { id serial }",
        {"__typename": "Card", "serial": serial},
        {"__typename": "Card", "serial": typed},
        {"__typename": "Card", "id": f"Card:{serial}"},
        {"__typename": "Card", "serial": "GW-0000-0000-1"},
        {"__typename": "Card", "serial": "\0"},
        viewer="officer",
    )

    there = {"__typename": "Card", "id": f"Card:{serial}", "serial": serial}
    assert (answer, told) == ([there, there, there, None, None], [])


@pytest.mark.parametrize("viewer", CLOSED)
async def test_people_and_cards_of_others_answer_as_ones_that_nobody_has(found, cards, viewer):
    others = [one for one in cards if one[0] != f"Talent:{demo.handle(demo.RETURNEE)}"]
    [person, serial], *_ = others
    nobody = f"Talent:{demo.handle(100_000)}"

    answer, told = await found(
        "... on Talent { name } ... on Card { status }",
        {"__typename": "Talent", "id": person},
        {"__typename": "Talent", "id": nobody},
        {"__typename": "Card", "serial": serial},
        {"__typename": "Card", "serial": "GW-0000-0000-0"},
        viewer=viewer,
    )

    assert (answer, told) == ([None] * 4, [])


async def test_a_holder_finds_themselves_and_their_card(ask, found):
    mine = (await ask("{ me { id card { id } } }", viewer="holder")).json()["data"]["me"]

    answer, told = await found(
        "... on Talent { id } ... on Card { id }",
        {"__typename": "Talent", "id": mine["id"]},
        {"__typename": "Card", "id": mine["card"]["id"]},
        viewer="holder",
    )

    assert [one["id"] for one in answer] == [mine["id"], mine["card"]["id"]]
    assert told == []


async def test_a_hundred_cards_are_read_in_one_statement(found, cards, queries):
    references = [{"__typename": "Card", "serial": serial} for _, serial in cards]
    queries.clear()

    answer, _ = await found("... on Card { serial status }", *references, viewer="officer")

    assert [one["serial"] for one in answer] == [serial for _, serial in cards]
    assert len(selects(queries)) == 1


async def test_a_hundred_people_are_read_in_one_statement(found, cards, queries):
    references = [{"__typename": "Talent", "id": person} for person, _ in cards]
    queries.clear()

    answer, _ = await found("... on Talent { id name }", *references, viewer="officer")

    assert [one["id"] for one in answer] == [person for person, _ in cards]
    assert len(selects(queries)) == 1


async def test_people_and_cards_among_each_other_are_a_statement_each(found, cards, queries):
    references = [
        one
        for person, serial in cards
        for one in (
            {"__typename": "Talent", "id": person},
            {"__typename": "Card", "serial": serial},
        )
    ]
    queries.clear()

    answer, _ = await found(
        "... on Talent { id } ... on Card { id }", *references, viewer="officer"
    )

    assert None not in answer
    assert len(selects(queries)) == 2


async def test_what_is_no_reference_leaves_those_beside_it(found):
    service = {"__typename": "Service", "code": "film-tickets"}

    answer, told = await found(
        "... on Service { code }",
        service,
        {"__typename": "NoSuchType", "id": "1"},
        {"__typename": "Service"},
        service,
    )

    assert answer == [service, None, None, service]
    assert told == ["BAD_INPUT", "BAD_INPUT"]


async def test_people_whom_an_officer_is_shown_by_reference_read_of_it(stand, tmp_path):
    hub = stand().asked_by("officer")
    card = (await hub.ask("{ me { card { serial } } }", viewer="holder")).json()["data"]["me"]
    document = """query Found($of: [_Any!]!) { _entities(representations: $of) {
        ... on Talent { name } ... on Card { status } } }"""
    me = {"__typename": "Talent", "id": f"Talent:{demo.handle(demo.RETURNEE)}"}
    mine = {"__typename": "Card", "serial": card["card"]["serial"]}

    await hub.ask(document, {"of": [me, mine]})

    log = await hub.ask("{ accessLog { nodes { told { fields } } } }", viewer="holder")
    [entry] = log.json()["data"]["accessLog"]["nodes"]
    assert entry["told"][0]["fields"] == ["card", "name"]

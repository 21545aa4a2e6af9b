"""What Relay's server specification asks, of the whole contract and of the real menu and people."""

from __future__ import annotations

from datetime import timedelta

import graphql
import pytest

import schema
from models import demo
from schema.query import _ENTITIES

pytestmark = pytest.mark.any_database
module = pytest.mark.asyncio(loop_scope="module")

CONTRACT = graphql.build_schema(schema.sdl(), assume_valid_sdl=True)
OBJECTS = {
    name: kind
    for name, kind in CONTRACT.type_map.items()
    if isinstance(kind, graphql.GraphQLObjectType)
}
CONNECTIONS = [name for name in OBJECTS if name.endswith("Connection")]
EDGES = [name for name in OBJECTS if name.endswith("Edge")]
NODES = {kind.name for kind in CONTRACT.get_possible_types(CONTRACT.type_map["Node"])}

PAGE = """(first: $first, after: $after) {{ edges {{ cursor node {{ {} }} }}
    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }}"""
#: Who asks for a connection, and how.
LISTS = {
    "menu": ("anonymous", "menu" + PAGE.format("id")),
    "eligibleServices": ("holder", "eligibleServices" + PAGE.format("service { id }")),
    "talents": ("officer", "talents" + PAGE.format("id")),
    "accessLog": ("holder", "accessLog" + PAGE.format("at")),
    "people": (
        "officer",
        'coverage(service: "film-tickets") { people' + PAGE.format("id") + " }",
    ),
}


def fields(name):
    return {field: str(described.type) for field, described in OBJECTS[name].fields.items()}


@pytest.fixture
def hub(shared_hub):
    return shared_hub


@pytest.fixture
def page(ask):
    """Ask for a page of a list: the page, or the whole answer where it is refused."""

    async def page(name, first=None, after=None):
        viewer, field = LISTS[name]
        document = f"query Page($first: Int, $after: String) {{ {field} }}"
        answer = await ask(document, {"first": first, "after": after}, viewer=viewer)
        found = answer.json().get("data") or {}
        return (found.get("coverage") or found).get(name) or answer

    return page


# Cursor Connections


@pytest.mark.parametrize("name", CONNECTIONS)
def test_a_connection_has_edges_of_its_own_sort_and_says_where_its_page_stands(name):
    found = fields(name)
    edge = graphql.get_named_type(OBJECTS[name].fields["edges"].type)

    assert found["edges"] == f"[{edge}!]!"
    assert edge.name in EDGES
    assert found["pageInfo"] == "PageInfo!"
    assert found["nodes"] == f"[{graphql.get_nullable_type(edge.fields['node'].type)}!]!"


@pytest.mark.parametrize("name", EDGES)
def test_an_edge_has_one_thing_and_its_cursor(name):
    found = OBJECTS[name].fields
    node = graphql.get_nullable_type(found["node"].type)

    assert str(found["cursor"].type) == "String!"
    assert graphql.is_object_type(node)


def test_where_a_page_stands_is_said_as_the_specification_has_it():
    assert fields("PageInfo") == {
        "hasNextPage": "Boolean!",
        "hasPreviousPage": "Boolean!",
        "startCursor": "String",
        "endCursor": "String",
    }


def test_every_field_with_a_connection_takes_how_many_and_after_which():
    paged = {
        f"{name}.{field}": {key: str(one.type) for key, one in described.args.items()}
        for name, kind in OBJECTS.items()
        for field, described in kind.fields.items()
        if graphql.get_named_type(described.type).name in CONNECTIONS
    }

    assert len(paged) >= len(CONNECTIONS)
    assert [
        name for name, args in paged.items() if (args["first"], args["after"]) != ("Int", "String")
    ] == []


@module
@pytest.mark.parametrize("name", [one for one in LISTS if one != "accessLog"])
async def test_small_pages_are_the_list_in_its_order_and_once(page, name):
    whole, after = [], None
    while len(whole) < 150 and (found := await page(name, 100, after))["edges"]:
        whole += [edge["node"] for edge in found["edges"]]
        after = found["pageInfo"]["endCursor"]
    walked, after = [], None
    for _ in range(5):
        found = await page(name, 17, after)
        walked += [edge["node"] for edge in found["edges"]]
        assert found["pageInfo"]["hasPreviousPage"] is (after is not None)
        after = found["pageInfo"]["endCursor"]

    assert walked == whole[:85]
    assert len(walked) > 17


@module
@pytest.mark.parametrize("name", LISTS)
async def test_a_page_says_whether_there_is_more_and_between_which_cursors_it_stands(page, name):
    found, none = await page(name, 100), await page(name, 0)
    cursors = [edge["cursor"] for edge in found["edges"]]

    assert len(set(cursors)) == len(cursors) <= 100
    assert [found["pageInfo"]["startCursor"], found["pageInfo"]["endCursor"]] == (
        [cursors[0], cursors[-1]] if cursors else [None, None]
    )
    assert none == {
        "edges": [],
        "pageInfo": {
            "hasNextPage": bool(cursors),
            "hasPreviousPage": False,
            "startCursor": None,
            "endCursor": None,
        },
    }


@module
@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("cursor", ["", "AAAA", "YXJyYXljb25uZWN0aW9uOjE=", "🜂", "' OR 1=1 --"])
async def test_a_cursor_that_is_none_of_the_lists_is_an_error_that_does_not_quote_it(
    page, name, cursor
):
    answer = await page(name, 5, cursor)

    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] == "BAD_CURSOR"
    assert error["message"] == "This cursor was not given out for this list."


@module
async def test_a_cursor_of_one_list_is_none_of_another(page):
    cursor = (await page("menu", 1))["pageInfo"]["endCursor"]

    assert (await page("talents", 1, cursor)).codes == ["BAD_CURSOR"]


@module
@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("first", [-1, 101])
async def test_a_page_has_no_more_than_a_hundred_and_no_less_than_none(page, name, first):
    assert (await page(name, first)).codes == ["BAD_INPUT"]


async def test_what_is_added_meanwhile_moves_no_page(stand, clock):
    hub = stand().asked_by("holder")
    look = (
        f"""{{ node(id: "Talent:{demo.handle(demo.RETURNEE)}") {{ ... on Talent {{ name }} }} }}"""
    )
    log = """query Log($after: String) { accessLog(first: 2, after: $after) {
        nodes { at } pageInfo { endCursor } } }"""

    async def looked():
        clock.pass_seconds(timedelta(minutes=1).total_seconds())
        await hub.ask(look, viewer="officer")

    async def read(after=None):
        answer = await hub.ask(log, {"after": after})
        found = answer.json()["data"]["accessLog"]
        return [one["at"] for one in found["nodes"]], found["pageInfo"]["endCursor"]

    for _ in range(4):
        await looked()
    newest, cursor = await read()
    await looked()
    earlier, _ = await read(cursor)

    assert len({*newest, *earlier}) == 4
    assert [*newest, *earlier] == sorted([*newest, *earlier], reverse=True)


# Object Identification


def test_a_node_has_an_id_and_nothing_else():
    node = CONTRACT.type_map["Node"]
    ids = {str(OBJECTS[name].fields["id"].type) for name in NODES}

    assert {field: str(one.type) for field, one in node.fields.items()} == {"id": "ID!"}
    assert ids == {"ID!"}


def test_the_roots_find_one_node_or_several():
    query = CONTRACT.query_type.fields

    assert str(query["node"].type) == "Node"
    assert {name: str(one.type) for name, one in query["node"].args.items()} == {"id": "ID!"}
    assert str(query["nodes"].type) == "[Node]!"
    assert {name: str(one.type) for name, one in query["nodes"].args.items()} == {"ids": "[ID!]!"}


def test_every_sort_of_node_is_found_by_its_id():
    assert _ENTITIES.keys() == NODES


@module
async def test_things_are_found_again_by_the_ids_that_they_have(ask):
    listed = await ask(
        """{ areas { id } categories { id } connectors { id } partners { id } stations { id }
             menu(first: 1) { nodes { id } } talents(first: 3) { nodes { id card { id } } } }""",
        viewer="officer",
    )
    data = listed.json()["data"]
    people = data.pop("talents")["nodes"]
    things = [*data.pop("menu")["nodes"], *people, *(one["card"] for one in people)]
    things += [one for found in data.values() for one in found]
    ids = [one["id"] for one in things if one]

    answer = await ask(
        "query Again($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }",
        {"ids": ids},
        viewer="officer",
    )

    found = answer.json()["data"]["nodes"]
    assert [one["id"] for one in found] == ids
    assert {one["__typename"] for one in found} == NODES

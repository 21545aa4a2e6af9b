"""A person can be reached through these doors alone, and every one is closed to the others."""

from __future__ import annotations

import graphql
import pytest

import schema
from models import demo

CONTRACT = graphql.build_schema(schema.sdl(), assume_valid_sdl=True)
CLOSED = ("anonymous", "partner", "integrator")
PERSON = f"Talent:{demo.handle(demo.PILOT)}"
#: How each door is knocked at; a door that is not here fails the first test below.
KNOCKS = {
    "Query.me": "{ me { name } }",
    "Query.talents": "{ talents { nodes { name } totalCount } }",
    "Query.coverage": """{
      coverage(service: "arrival-guide") { people(first: 100) { nodes { name } } }
    }""",
    "Query.card": f'{{ card(serial: "{demo.serial(demo.PILOT)}") {{ talent {{ name }} }} }}',
    "Query.node": f'{{ node(id: "{PERSON}") {{ ... on Talent {{ name }} }} }}',
    "Query._entities": f"""{{
      _entities(representations: [{{__typename: "Talent", id: "{PERSON}"}}]) {{
        ... on Talent {{ name }}
      }}
    }}""",
    "Query.nodes": f'{{ nodes(ids: ["{PERSON}"]) {{ ... on Talent {{ name }} }} }}',
}


def shown(field) -> set[str]:
    """Return the objects that a field may give."""
    kind = graphql.get_named_type(field.type)
    if graphql.is_abstract_type(kind):
        return {one.name for one in CONTRACT.get_possible_types(kind)}
    return {kind.name} if graphql.is_object_type(kind) else set()


def objects():
    return {name: kind for name, kind in CONTRACT.type_map.items() if graphql.is_object_type(kind)}


def reached(start: set[str], closed: set[str] = frozenset()) -> set[str]:
    """Return every object that can be selected from these, except through closed ones."""
    found, left = set(), set(start)
    while left:
        name = left.pop()
        found.add(name)
        for field in objects()[name].fields.values():
            left |= shown(field) - found - closed
    return found


def personal() -> set[str]:
    """Return the objects that show a person: what leads to one, and what is met nowhere else."""
    leading = {
        name
        for name in objects()
        if name != "Query" and not name.startswith("_") and "Talent" in reached({name})
    }
    public = reached({"Query"}, leading)
    return leading | (reached({"Talent"}) - public)


def test_a_person_is_reached_through_the_known_doors_alone():
    private = personal()

    doors = {
        f"{name}.{field}"
        for name, kind in objects().items()
        if name not in private and not graphql.is_introspection_type(kind)
        for field, described in kind.fields.items()
        if shown(described) & private
    }

    assert {"Talent", "Card", "CardArea", "Permit", "HouseholdMember", "TalentEdge"} <= private
    assert not private & {"Service", "Area", "Partner", "Verdict", "Connector"}
    assert doors == set(KNOCKS)


@pytest.mark.any_database
async def test_every_door_is_open_to_whom_it_is_for(hub):
    holder = await hub.ask(KNOCKS["Query.me"], viewer="holder", person=demo.PILOT)
    others = [
        await hub.ask(knock, viewer="officer")
        for door, knock in KNOCKS.items()
        if door != "Query.me"
    ]

    assert all(b"Ondrix" in answer.body for answer in (holder, *others))


@pytest.mark.any_database
@pytest.mark.parametrize("viewer", CLOSED)
async def test_every_door_is_closed_to_who_may_not_see_people(hub, viewer):
    for door, knock in KNOCKS.items():
        answer = await hub.ask(knock, viewer=viewer)

        (given,) = answer.json()["data"].values()
        assert given in (None, [None]), door
        assert b"Ondrix" not in answer.body


@pytest.mark.any_database
async def test_a_holder_opens_no_door_but_their_own(hub):
    for door, knock in KNOCKS.items():
        answer = await hub.ask(knock, viewer="holder", person=demo.RETURNEE)

        assert b"Ondrix" not in answer.body, door

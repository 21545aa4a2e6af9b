"""Fields that one selection may reach on several types are of one type, or documents conflict."""

from __future__ import annotations

import graphql
import pytest

import schema

CONTRACT = graphql.build_schema(schema.sdl(), assume_valid_sdl=True)
ABSTRACT = [name for name, kind in CONTRACT.type_map.items() if graphql.is_abstract_type(kind)]


def fields_of(name):
    """Return the types under which each field may be met below an interface or a union."""
    met: dict[str, dict[str, str]] = {}
    for kind in CONTRACT.get_possible_types(CONTRACT.type_map[name]):
        for field, described in kind.fields.items():
            met.setdefault(field, {})[kind.name] = str(described.type)
    return met


#: Everything with an id is a Node (and federation's entity), whatever it is called: who selects
#: these of several sorts of thing at once gives them aliases. The list grows by old names alone.
ALIASED = {name: {"areas", "name", "validUntil"} for name in ("Node", "_Entity")}


@pytest.mark.parametrize("name", ABSTRACT)
def test_fields_of_one_name_have_one_type(name):
    differing = {field for field, types in fields_of(name).items() if len(set(types.values())) > 1}

    assert differing == ALIASED.get(name, set())


def test_the_closed_vocabulary_is_looked_at():
    assert {"Offer", "Node", "ServiceOutcome", "Fault"} <= set(ABSTRACT)

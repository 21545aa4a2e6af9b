"""What is asked below a field is told by its names, wherever fragments put them."""

from __future__ import annotations

import graphql
import pytest

from schema.execution.below import Below

DOCUMENT = graphql.parse("""
{
  people { nodes { name ...known } edges { node { ... on Person { id } } } ... { total } }
  people { next }
}
fragment known on Person { born ...more }
fragment more on Person { card { serial } }
""")


@pytest.fixture
def below():
    operation, *fragments = DOCUMENT.definitions
    return Below(operation.selection_set.selections, {one.name.value: one for one in fragments})


@pytest.mark.parametrize(
    ("places", "names"),
    [
        ((), {"nodes", "edges", "total", "next"}),
        (("nodes",), {"name", "born", "card"}),
        (("nodes", "card"), {"serial"}),
        (("edges", "node"), {"id"}),
        (("elsewhere",), set()),
    ],
)
def test_the_names_below_a_field_are_found_through_fragments(below, places, names):
    assert below.names(*places) == names == below.names(*places)

"""Lists hold no nulls, but where an item can be missing by itself."""

from __future__ import annotations

import graphql

#: An id of nothing is null in its place; the second is federation's own.
MAY_HOLD_NULL = {"Query.nodes", "Query._entities"}


def lists(contract):
    for name, kind in contract.type_map.items():
        if not name.startswith("_") and not graphql.is_introspection_type(kind):
            for field, described in getattr(kind, "fields", {}).items():
                listed = graphql.get_nullable_type(described.type)
                if graphql.is_list_type(listed):
                    yield f"{name}.{field}", listed


def test_list_items_are_never_null(contract):
    found = dict(lists(contract))

    holding_null = {
        name for name, listed in found.items() if not graphql.is_non_null_type(listed.of_type)
    }
    assert len(found) > 30
    assert holding_null == MAY_HOLD_NULL

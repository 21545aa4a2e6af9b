"""The published schema takes every partner file there is, and refuses what the check refuses."""

from __future__ import annotations

import re

import pytest

from connectors import form, registry
from models import source

SCHEMA = form.schema(registry.kinds())
FILES = registry.files([registry.PARTNERS])
TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": int | float,
    "boolean": bool,
    "null": type(None),
}


def fits(given, shape) -> bool:
    """Return whether data fit a schema: as much of JSON Schema as ours uses."""
    if shape is True or shape is False:
        return shape
    if "$ref" in shape and not fits(given, SCHEMA["$defs"][shape["$ref"].rpartition("/")[2]]):
        return False
    if "if" in shape and fits(given, shape["if"]) and not fits(given, shape["then"]):
        return False
    return (
        _is_of_type(given, shape)
        and given in shape.get("enum", [given])
        and given == shape.get("const", given)
        and all(fits(given, one) for one in shape.get("allOf", ()))
        and any(fits(given, one) for one in shape.get("anyOf", [True]))
        and any(fits(given, one) for one in shape.get("oneOf", [True]))
        and _is_within(given, shape)
        and (not isinstance(given, dict) or _object_fits(given, shape))
        and (not isinstance(given, list) or _list_fits(given, shape))
    )


def _is_of_type(given, shape):
    if "type" not in shape:
        return True
    is_bool = isinstance(given, bool) and shape["type"] != "boolean"
    return isinstance(given, TYPES[shape["type"]]) and not is_bool


def _is_within(given, shape):
    if isinstance(given, str):
        return re.search(shape.get("pattern", ""), given) is not None
    if not isinstance(given, int | float) or isinstance(given, bool):
        return True
    return (
        given >= shape.get("minimum", given)
        and given <= shape.get("maximum", given)
        and ("exclusiveMinimum" not in shape or given > shape["exclusiveMinimum"])
    )


def _object_fits(given, shape):
    known, more = shape.get("properties", {}), shape.get("additionalProperties", True)
    return set(shape.get("required", ())) <= given.keys() and all(
        fits(one, known.get(name, more)) for name, one in given.items()
    )


def _list_fits(given, shape):
    return len(given) >= shape.get("minItems", 0) and all(
        fits(one, shape.get("items", True)) for one in given
    )


@pytest.mark.parametrize("slug", FILES)
def test_every_partner_file_fits(slug):
    assert fits(source.read(FILES[slug]).data, SCHEMA)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "cinemas"},
        {"owner": 7},
        {"ownr": "Connector team"},
        {"examples": []},
        {"limits": {"attempts": 9}},
        {"limits": {"deadline_seconds": 0}},
        {"options": {"zoone": "Asia/Shanghai"}},
        {"kind": "bank"},
        {"kind": "http", "options": {"offers": {"film": {}}}},
        {"slug": "Hongqiao"},
    ],
)
def test_what_the_check_refuses_does_not_fit(wrong):
    data = source.read(FILES["hongqiao-cinema"]).data

    assert fits(data, SCHEMA)
    assert not fits({**data, **wrong}, SCHEMA)

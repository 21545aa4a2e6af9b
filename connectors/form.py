"""Form: the JSON Schema of a partner file, for editors; its own keys, and its kind's options."""

from __future__ import annotations

import functools
from typing import Any

from connectors import manifest

#: Where the hub serves it.
PATH = "/schemas/partner.json"

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(kinds: manifest.Kinds) -> dict[str, Any]:
    """Return the schema of the partner files of these kinds (JSON Schema 2020-12)."""
    return dict(_schema(tuple(sorted(kinds.items()))))


@functools.cache
def _schema(kinds: tuple[tuple[str, type[Any]], ...]) -> dict[str, Any]:
    """Return it as it was made the first time: the kinds are the same while the process lives."""
    whole = manifest.Manifest.model_json_schema(mode="validation")
    definitions = whole.pop("$defs")
    choices = []
    for slug, kind in kinds:
        options = kind.options_model.model_json_schema(
            mode="validation", ref_template=f"#/$defs/{slug}.{{model}}"
        )
        for name, one in options.pop("$defs", {}).items():
            definitions[f"{slug}.{name}"] = one
        definitions[f"{slug}.options"] = options
        given: dict[str, Any] = {"properties": {"options": {"$ref": f"#/$defs/{slug}.options"}}}
        if "required" in options:
            given["required"] = ["options"]
        choices.append(
            {"if": {"properties": {"kind": {"const": slug}}, "required": ["kind"]}, "then": given}
        )
    whole["properties"]["kind"] = {
        "type": "string",
        "enum": [slug for slug, _ in kinds],
        "description": whole["properties"]["kind"]["description"],
    }
    return {
        "$schema": _DIALECT,
        "title": "A partner file of Greenway",
        **{key: value for key, value in whole.items() if key != "title"},
        "allOf": choices,
        "$defs": definitions,
    }

"""Every type, field, argument, enum value and input field of the contract is described."""

from __future__ import annotations

from collections.abc import Iterator

import graphql

#: Federation's own words, which are described where they are specified.
FEDERATION = ("_", "link__", "federation__")


def parts(contract) -> Iterator[tuple[str, str | None]]:
    for name, kind in contract.type_map.items():
        if name.startswith(FEDERATION) or graphql.is_specified_scalar_type(kind):
            continue
        yield name, kind.description
        for member, part in (getattr(kind, "fields", None) or getattr(kind, "values", {})).items():
            if member.startswith("_"):
                continue
            yield f"{name}.{member}", part.description
            for argument, described in getattr(part, "args", {}).items():
                yield f"{name}.{member}({argument}:)", described.description


def test_every_part_of_the_contract_is_described(contract):
    found = dict(parts(contract))

    assert len(found) > 200
    assert [name for name, description in found.items() if not (description or "").strip()] == []


def test_a_description_is_a_sentence(contract):
    said = {name: text for name, text in parts(contract) if text}

    assert [name for name, text in said.items() if not text.rstrip().endswith((".", "`."))] == []
    assert [name for name, text in said.items() if text != text.strip()] == []

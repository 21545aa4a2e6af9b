"""Who may not read the schema does not guess it either: no answer puts a slip of the pen right."""

import re
from types import SimpleNamespace

import graphql
import pytest
from graphql import is_abstract_type, is_composite_type, is_enum_type, is_input_object_type

import schema

#: All that is asked of a context where nothing is run.
NOBODY = SimpleNamespace(notes=())
#: What must be given is named, to whoever names all that is around it: that is no suggestion.
REQUIRED = "required"


@pytest.fixture(scope="module")
def closed():
    """The schema of a hub that answers no introspection."""
    return schema.build_schema(introspection=False)


@pytest.fixture
def told(closed):
    """Ask a document that does not hold, and return the names that its errors quote."""

    async def ask(document, variables=None):
        result = await closed.execute(document, variables, NOBODY)
        assert result.data is None
        assert result.errors
        said = [error.message for error in result.errors if REQUIRED not in error.message]
        quoted = " ".join(re.findall("'[^']*'", " ".join(said)))
        return set(re.findall(r"\w+", quoted))

    return ask


@pytest.fixture
def types(closed):
    return {name: one for name, one in closed._schema.type_map.items() if not name.startswith("_")}


async def test_no_misspelt_field_is_put_right(told, types):
    for name, kind in types.items():
        if is_composite_type(kind) and not graphql.is_union_type(kind):
            for some in _parts(sorted(kind.fields)):
                words = await told(_fragment(name, " ".join(f"{field}x" for field in some)))
                assert not words & {*some}, name


async def test_no_misspelt_argument_is_put_right(told, types):
    for name, kind in types.items():
        for field, definition in getattr(kind, "fields", {}).items():
            for argument in getattr(definition, "args", ()):
                words = await told(_fragment(name, f"{field}({argument}x: 1)"))
                assert argument not in words - {field}, (name, field)


async def test_no_misspelt_type_is_put_right(told, types):
    for name in types:
        words = await told(f"query ($of: {name}x) {{ ... on {name}x {{ __typename }} }}")
        assert name not in words


async def test_no_misspelt_value_is_put_right(told, types):
    for name, kind in types.items():
        if is_enum_type(kind):
            for value in kind.values:
                words = await told(f"query ($of: {name} = {value}X) {{ __typename }}")
                assert value not in words, name


async def test_no_misspelt_part_of_an_input_is_put_right(told, types):
    for name, kind in types.items():
        if is_input_object_type(kind):
            for field in kind.fields:
                words = await told(f"query ($of: {name} = {{{field}x: 1}}) {{ __typename }}")
                assert field not in words, name


async def test_no_misspelt_variable_is_put_right(told):
    document = (
        "mutation ($input: AddVerifierKeyInput!) { addVerifierKey(input: $input) { __typename } }"
    )
    key = {"code": "a", "live": True, "sort": "JWKX", "thumbprintx": "b"}

    words = await told(document, {"input": key})

    assert {"thumbprintx", "JWKX"} <= words
    assert not words & {"thumbprint", "JWK"}


async def test_no_misspelt_directive_is_put_right(told, closed):
    for directive in closed._schema.directives:
        words = await told(f"{{ __typename @{directive.name}x }}")
        assert directive.name not in words


async def test_no_abstract_type_tells_which_of_its_types_has_a_field(told, types, closed):
    for name, kind in types.items():
        if is_abstract_type(kind):
            for one in closed._schema.get_possible_types(kind):
                words = await told(_fragment(name, " ".join(sorted(one.fields))))
                assert one.name not in words, name


def _fragment(name, selection):
    return f"{{ ...of }} fragment of on {name} {{ {selection} }}"


def _parts(names, size=20):
    return [names[start : start + size] for start in range(0, len(names), size)]

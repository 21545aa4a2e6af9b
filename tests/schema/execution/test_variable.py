"""What is read of variables and literals is what graphql-core reads, its errors included."""

from __future__ import annotations

import graphql
import pytest
from graphql.execution.values import get_argument_values, get_variable_values
from graphql.pyutils import Undefined
from hypothesis import given
from hypothesis import strategies as st

from schema.execution import variable

SCHEMA = graphql.build_schema("""
  enum Colour { RED GREEN }
  input Inner { text: String! many: [Int!] colour: Colour = GREEN }
  input Outer { inner: Inner inners: [Inner] flag: Boolean! = true id: ID number: Float }
  input Own { own: Own text: String }
  input One @oneOf { a: String b: Int }
  type Query {
    ask(text: String, whole: Int! = 3, list: [[String]], outer: Outer, own: Own, one: One): String
  }
""")
DECLARED = (
    "$text: String, $must: String!, $default: Int = 5, $given: Int! = 6, $many: [Int!], "
    "$nested: [[String!]!], $colour: Colour, $colours: [Colour!]! = [RED], $outer: Outer, "
    "$inner: Inner!, $own: Own, $one: One"
)
QUERY = f"query ({DECLARED}) {{ ask }}"
NAMES = ("text", "must", "default", "given", "many", "nested", "colour", "colours", "outer",
         "inner", "own", "one")  # fmt: skip

leaves = st.sampled_from([None, True, 0, 7, 2**40, 1.5, "", "word", "RED", "BLUE"])
values = st.recursive(
    leaves,
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["text", "many", "colour", "inner", "inners", "flag", "id", "own", "a"]
            ),
            inside,
            max_size=3,
        )
    ),
    max_leaves=6,
)
fitting = st.fixed_dictionaries(
    {"must": st.just("m"), "inner": st.just({"text": "t"})},
    optional={
        "text": st.sampled_from([None, "t"]),
        "given": st.just(1),
        "many": st.sampled_from([None, [], [1, 2], 3]),
        "colours": st.sampled_from([[], ["GREEN"], "RED"]),
        "outer": st.sampled_from(
            [None, {}, {"inner": {"text": "x", "many": [1]}, "number": 2}, {"flag": False}]
        ),
        "own": st.sampled_from([{"own": {"own": {"text": "deep"}}}]),
        "one": st.sampled_from([{"a": "x"}, {"a": "x", "b": 1}]),
    },
)


def operation(text):
    return graphql.parse(text).definitions[0]


def shown(found):
    if isinstance(found, list):
        return [(one.message, one.locations) for one in found]
    return found.coerced, {name: one.value for name, one in found.sources.items()}


def both(declared, given_):
    node = operation(f"query ({declared}) {{ ask }}")
    variables = variable.Variables(SCHEMA, node)
    own = variables.read(given_)
    own = own if isinstance(own, list) else variables.values(given_, own)
    stock = get_variable_values(
        SCHEMA, node.variable_definitions, given_, max_errors=50, hide_suggestions=True
    )
    return shown(own), shown(stock)


@given(st.dictionaries(st.sampled_from([*NAMES, "unknown"]), values, max_size=6) | fitting)
def test_variables_are_read_as_graphql_core_reads_them(given_):
    own, stock = both(DECLARED, given_)

    assert own == stock


@pytest.mark.parametrize("name", NAMES)
@given(st.data())
def test_each_variable_alone_is_read_as_graphql_core_reads_it(name, data):
    [declared] = [one for one in DECLARED.split(", ") if one.startswith(f"${name}:")]
    given_ = data.draw(st.dictionaries(st.just(name), values))

    own, stock = both(declared, given_)

    assert own == stock


def test_a_request_without_variables_has_none():
    assert variable.Variables(SCHEMA, operation("{ ask }")).read({"x": 1}) == {}


def test_a_variable_of_no_type_is_graphql_cores_to_refuse():
    node = operation("query ($a: Nothing) { ask }")

    found = variable.Variables(SCHEMA, node).read({})

    assert "cannot be used as an input type" in found[0].message


LITERALS = {
    "text": ["$text", '"x"', "null"],
    "whole": ["$default", "$given", "4"],
    "list": ["[[$text]]", "[$nothing]", '[["a"], null]', '"alone"'],
    "outer": [
        "{ inner: { text: $must, many: [1, $given] } }",
        "{ inners: [{ text: $text }], flag: true }",
        "{ id: $text, number: $default }",
        "$outer",
        '{ inner: { text: "t", colour: $colour } }',
    ],
    "own": ["{ own: { text: $text } }"],
    "one": ["{ a: $text }", "{ a: $must }"],
}


@pytest.mark.parametrize(
    ("name", "said"), [(name, one) for name, some in LITERALS.items() for one in some]
)
@given(fitting)
def test_a_literal_comes_to_what_graphql_core_makes_of_it_or_is_left_to_it(name, said, given_):
    node = operation(f"query ({DECLARED}, $nothing: [String]) {{ ask({name}: {said}) }}")
    field = node.selection_set.selections[0]
    known = get_variable_values(SCHEMA, node.variable_definitions, given_)
    if isinstance(known, list):
        return
    definition = SCHEMA.query_type.fields["ask"]
    argument = definition.args[name]

    try:
        own = variable.literal(field.arguments[0].value, argument.type)(known.coerced)
    except variable.UnfitError:
        return
    if own is Undefined:
        # As if nothing were said.
        own = argument.default_value
    stock = get_argument_values(definition, field, known)

    assert own == stock.get(name, argument.default_value)

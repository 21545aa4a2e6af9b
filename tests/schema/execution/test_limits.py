"""Limits: each refuses with its own code, and measuring is linear whatever the document."""

import time

import graphql
import pytest

from schema import execution
from schema.execution import limits
from tests import asgi


def doubled(levels, leaf="hello"):
    """Fragments that each spread the next one twice: 2 ** levels fields when spread out."""
    fragments = " ".join(
        f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels)
    )
    return f"{{ ...F0 }} {fragments} fragment F{levels} on Query {{ {leaf} }}"


def nested(levels, field="items"):
    return "{ " + f"{field} {{ " * levels + "name" + " }" * levels + " }"


async def refusals(app, document):
    answer = await asgi.ask(app, document)
    return {
        error["extensions"]["code"]: (
            error["extensions"].get("limit"),
            error["extensions"].get("found"),
        )
        for error in answer.json().get("errors", [])
    }


@pytest.mark.parametrize(
    ("bounds", "document", "code", "found"),
    [
        ({"length": 20}, "{ hello hello hello }", "QUERY_TOO_LONG", 21),
        ({"tokens": 5}, "{ a b c d }", "QUERY_TOO_MANY_TOKENS", 6),
        ({"depth": 3}, nested(3), "QUERY_TOO_DEEP", 4),
        ({"depth": 3}, "{ ...F } fragment F on Query { items { items { items { name } } } }",
         "QUERY_TOO_DEEP", 4),
        ({"fields": 7}, doubled(3), "QUERY_TOO_MANY_FIELDS", 8),
        ({"root_fields": 7}, doubled(3), "QUERY_TOO_MANY_ROOT_FIELDS", 8),
        ({"root_fields": 1}, "{ hello ... on Query { b: hello } }",
         "QUERY_TOO_MANY_ROOT_FIELDS", 2),
        ({"aliases": 7}, doubled(3, "a: hello"), "QUERY_TOO_MANY_ALIASES", 8),
        ({"directives": 2}, "{ hello @a ...F @a ... @a { hello } } fragment F on Query { hello }",
         "QUERY_TOO_MANY_DIRECTIVES", 3),
        ({"cost": 30}, "{ items { name items { name } } }", "QUERY_TOO_COSTLY", 121),
        ({"cost": 30}, "{ items { code: id ...F } } fragment F on Item { items { name } }",
         "QUERY_TOO_COSTLY", 121),
    ],
)  # fmt: skip
async def test_a_document_beyond_a_limit_is_refused_with_the_limit_and_what_was_found(
    app_of, bounds, document, code, found
):
    exact = dict.fromkeys(bounds, found)

    refused = await refusals(app_of(**bounds), document)

    assert refused == {code: (next(iter(bounds.values())), found)}
    assert code not in await refusals(app_of(**exact), document)


@pytest.mark.parametrize(
    ("document", "cost"),
    [
        ("{ hello }", 1),
        ("{ page(first: 3) { edges { cursor } pageInfo { endCursor } } }", 1 + (1 + 3) + 2),
        ("{ page(last: 3) { edges { node { items { name } } } } }", 1 + 1 + 3 * (1 + 1 + 10)),
        ("{ page(first: 3, last: null) { edges { cursor } } }", 1 + 1 + 3),
        ("{ page { edges { cursor } } }", 1 + 1 + 100),
        ("{ page(first: 999999) { edges { cursor } } }", 1 + 1 + 100),
        ("{ page(first: -5) { edges { cursor } } }", 1 + 1 + 1),
        ("{ page(first: 3) { ...P } } fragment P on ItemConnection { edges { cursor } }", 5),
    ],
)
async def test_cost_multiplies_by_the_page_asked_for_and_never_trusts_a_default(
    app_of, document, cost
):
    assert await refusals(app_of(cost=cost - 1), document) == {"QUERY_TOO_COSTLY": (cost - 1, cost)}
    assert "QUERY_TOO_COSTLY" not in await refusals(app_of(cost=cost), document)


async def test_what_no_variable_can_make_cheap_enough_is_refused_before_they_are_known(app_of):
    document = "query ($n: Int) { items { items { name } } page(first: $n) { edges { cursor } } }"

    assert await refusals(app_of(cost=113), document) == {"QUERY_TOO_COSTLY": (113, 114)}


def test_the_cost_with_variables_is_refused_with_the_cost_and_the_limit():
    bounds = execution.Limits(cost=100)

    error = limits.overdrawn(101, bounds)

    assert limits.overdrawn(100, bounds) is None
    assert error.extensions == {"code": "QUERY_TOO_COSTLY", "limit": 100, "found": 101}
    assert "101 points" in error.message


@pytest.mark.parametrize(
    ("bounds", "variables", "code", "found"),
    [
        ({"variables": 2}, {"a": 1, "b": 2, "c": 3}, "TOO_MANY_VARIABLES", 3),
        ({"variable_depth": 3}, {"a": {"b": [{"c": 1}]}}, "VARIABLES_TOO_DEEP", 4),
        ({"variable_values": 4}, {"a": [1, 2, 3], "b": 1}, "VARIABLES_TOO_LARGE", 5),
    ],
)
def test_variables_beyond_a_limit_are_refused(bounds, variables, code, found):
    exact = execution.Limits(**dict.fromkeys(bounds, found))

    error = limits.overrun(variables, execution.Limits(**bounds))

    assert error.extensions == {"code": code, "limit": found - 1, "found": found}
    assert limits.overrun(variables, exact) is None


def test_no_variables_are_within_every_limit():
    assert limits.overrun(None, execution.Limits(variables=0)) is None
    assert limits.overrun({}, execution.Limits(variables=0)) is None


@pytest.mark.parametrize("levels", [16, 17, 18, 19, 20, 21])
def test_doubled_fragments_are_judged_within_fifty_milliseconds(schema_of, levels):
    schema = graphql.build_schema(schema_of().as_str(), assume_valid_sdl=True)
    document = graphql.parse(doubled(levels, "page(first: $n) { edges { cursor } }"))

    took = []
    for _ in range(3):
        began = time.perf_counter()
        limits.breaches(schema, document, execution.Limits())
        found = limits.priced(schema, document, execution.Limits(), None).of({"n": 2})
        took.append(time.perf_counter() - began)

    assert found == 2**levels * (1 + 1 + 2)
    assert min(took) < 0.05


@pytest.mark.parametrize("levels", [16, 40, 90])
async def test_doubled_fragments_are_refused_at_once(app, levels):
    began = time.perf_counter()

    codes = await refusals(app, doubled(levels))

    assert "QUERY_TOO_MANY_FIELDS" in codes
    assert codes["QUERY_TOO_MANY_FIELDS"][1] == min(2**levels, 1_000_000_000)
    assert time.perf_counter() - began < 1


def chained(levels):
    """Fragments that each spread the next: one level of depth, however many there are."""
    fragments = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(levels))
    return f"{fragments} fragment F{levels} on Query {{ hello }}"


@pytest.mark.parametrize(
    "document",
    [
        "{ ...F0 } " + chained(99),
        "{ ...F0 } " + chained(200),
        "{ ...F60 ...F0 } " + chained(120),
        "{ hello } " + chained(200),
        "{ " + "... { " * 100 + "hello" + " }" * 100 + " }",
    ],
    ids=lambda document: document[:20],
)
async def test_selections_within_one_another_are_counted_whatever_their_depth(app, document):
    answer = await asgi.ask(app, document)

    [error] = answer.json()["errors"]
    assert error["message"] == (
        "The document has 101 selections or more within one another; at most 100 are allowed."
    )
    assert error["extensions"] == {
        "code": "QUERY_TOO_DEEP",
        "limit": 100,
        "found": 101,
        "hint": "Spread fragments beside one another, not each within another.",
    }


@pytest.mark.parametrize(
    "document",
    ["{ ...F0 } " + chained(98), "{ " + "... { " * 99 + "hello" + " }" * 99 + " }"],
    ids=lambda document: document[:20],
)
async def test_so_many_selections_as_may_be_within_one_another_are_answered(app, document):
    assert (await asgi.ask(app, document)).json()["data"] == {"hello": "Hello, world."}


@pytest.mark.parametrize(
    "document",
    ["{ hello(name: " + "[" * 700 + "]" * 700 + ") }", "{ " + "items { " * 300 + "}" * 301],
    ids=lambda document: document[:20],
)
async def test_what_is_too_deep_to_be_parsed_is_beyond_a_limit(app, document):
    assert await refusals(app, document) == {"QUERY_TOO_DEEP": (200, 201)}


async def test_introspection_that_goes_round_is_beyond_a_limit(app):
    round_and_round = (
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }"
    )

    assert await refusals(app, round_and_round) == {"QUERY_TOO_DEEP": (2, 3)}


@pytest.mark.parametrize(
    "inside",
    ["name " * 990, "items { name } " * 490, "... { name } " * 490, "a: name b: id " * 49 * 5],
    ids=lambda inside: inside[:12],
)
async def test_what_is_said_again_is_compared_once(app_of, inside):
    answer = await asgi.ask(app_of(aliases=500), f"{{ items {{ {inside} }} }}")

    assert answer.codes == []


async def test_what_is_said_again_in_other_words_is_beyond_a_limit(app):
    many = " ".join(f"items {{{' ' * n}name }}" for n in range(150))
    began = time.perf_counter()

    answer = await asgi.ask(app, f"{{ items {{ {many} }} }}")

    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] == "QUERY_TOO_REPETITIVE"
    assert (error["extensions"]["limit"], error["extensions"]["found"]) == (5_000, 5_001)
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    "document",
    [
        "{ hello @skip(if: false) @skip(if: false) hello @skip(if: false) @skip(if: false) }",
        "{ items @stream { name } items @stream { name } }",
        '{ ... @defer(label: "a") { hello } ... @defer(label: "a") { hello } }',
    ],
)
async def test_directives_that_are_said_again_are_judged_each(app, document):
    answer = await asgi.ask(app, document)

    assert set(answer.codes) == {"GRAPHQL_VALIDATION_FAILED"}


async def test_an_endless_cycle_of_lists_is_refused_before_it_runs(app):
    began = time.perf_counter()

    codes = await refusals(app, nested(13))

    assert codes == {"QUERY_TOO_COSTLY": (250_000, 1_000_000_000)}
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    "document",
    [
        "{ " + "hello " * 2900 + "}",
        "{ " + " ".join(f"a{n}: hello" for n in range(900)) + " }",
        "{ items { " + " ".join(f"x{n}: items {{ name }}" for n in range(400)) + " } }",
        "{ " + "items { name } " * 700 + "}",
        "{ hello " + "@skip(if: false) " * 400 + "}",
        "{ ...F0 } "
        + " ".join(f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(350))
        + " fragment F350 on Query { hello }",
        "{ ...A } fragment A on Query { ...B hello } fragment B on Query { ...A }",
        nested(1400),
        "{ hello(name: " + "[" * 2900 + " }",
        "# " + "x" * 49_000,
        "query (" + " ".join(f"$v{n}: Int" for n in range(900)) + ") { hello }",
        " ".join(f"query Q{n} {{ hello }}" for n in range(700)),
        " ".join(f"fragment F{n} on Query {{ hello }}" for n in range(400)) + " { hello }",
        "{ ... on Nothing { hello { hello } } }",
        "{ page(first: " + "9" * 5000 + ") { edges { cursor } } }",
    ],
    ids=lambda document: document[:40],
)
async def test_a_hostile_document_is_refused_within_a_second(app, document):
    began = time.perf_counter()

    codes = await refusals(app, document)

    assert codes
    assert "INTERNAL" not in codes
    assert time.perf_counter() - began < 1


async def test_the_full_introspection_query_passes_the_default_limits(app):
    answer = await asgi.ask(app, graphql.get_introspection_query(type_depth=9))

    assert answer.status == 200
    assert answer.codes == []


@pytest.mark.parametrize(
    "document", ["{ __schema { types { name } } }", "{ __type(name: 1) { name } }"]
)
async def test_introspection_can_be_switched_off(schema_of, document):
    result = await schema_of(introspection=False).execute(document)

    assert {error.extensions["code"] for error in result.errors} == {"GRAPHQL_VALIDATION_FAILED"}
    assert (await schema_of(introspection=False).execute("{ __typename }")).errors is None


def test_measuring_takes_time_in_proportion_to_the_document(schema_of):
    schema = graphql.build_schema(schema_of().as_str(), assume_valid_sdl=True)

    def seconds(size):
        document = graphql.parse(
            "{ " + " ".join(f"...F{n}" for n in range(size)) + " }"
            + " ".join(
                f"fragment F{n} on Query {{ ...G{n} ...G{n} }} fragment G{n} on Query {{ hello }}"
                for n in range(size)
            )
        )  # fmt: skip
        took = []
        for _ in range(5):
            began = time.perf_counter()
            limits.breaches(schema, document, execution.Limits())
            took.append(time.perf_counter() - began)
        return min(took)

    assert seconds(4000) < 8 * 2.5 * seconds(500)

"""The attacks on GraphQL that scanners try: each is refused, soon, and takes nothing from others.

Among them those of graphql-cop and of GraphQL Armor, and the alias limiter's that let itself be
passed by fragments (CVE-2026-47707).
"""

from __future__ import annotations

import itertools
import json
from string import ascii_letters
from urllib.parse import urlencode

import pytest

from tests.conformance.attacks.conftest import JSON

pytestmark = pytest.mark.any_database

REFUSED_SECONDS = 0.050
BESIDE_SECONDS = 0.020
GROWN_BYTES = 12_000_000

_CIRCULAR = (
    "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }"
)


def doubled(levels: int, leaf: str) -> str:
    """Return fragments that each spread the next twice: 2^levels times the leaf."""
    spread = "".join(
        f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }} " for n in range(levels)
    )
    return f"{{ ...f0 }} {spread} fragment f{levels} on Query {{ {leaf} }}"


def nested(times: int) -> str:
    return (
        "{ menu { nodes " + "{ category { services " * times + "{ code }" + " } }" * times + " } }"
    )


def names(times: int) -> list[str]:
    """Return so many short names, each another."""
    return [f"{a}{b}" for a in ascii_letters for b in ascii_letters][:times]


def asked(declared: str, field: str, times: int = 20) -> str:
    """Return a document that asks for a field so often, each time of the same variable."""
    return f"query ({declared}) " + repeated(
        f"a{{n}}: {field.replace('{', '{{').replace('}', '}}')}", times
    )


def repeated(piece: str, times: int) -> str:
    return "{ " + " ".join(piece.format(n=n) for n in range(times)) + " }"


#: What is sent, and the codes that refuse it.
DOCUMENTS = {
    "aliases": (repeated("a{n}: __typename", 101), {"QUERY_TOO_"}),
    "aliases below": (
        "{ edition { " + " ".join(f"a{n}: revision" for n in range(300)) + " } }",
        {"QUERY_TOO_MANY_ALIASES"},
    ),
    "aliases by fragments, 16 levels": (doubled(16, "a: __typename"), {"QUERY_TOO_"}),
    "aliases by fragments, 21 levels": (doubled(21, "a: __typename"), {"QUERY_TOO_"}),
    "depth by fragments": (doubled(21, "menu { nodes { code } }"), {"QUERY_TOO_"}),
    "cost by fragments": (doubled(8, "menu(first: 100) { nodes { code } }"), {"QUERY_TOO_"}),
    "unknown directives": (
        "{ __typename " + "@aa" * 10 + " }",
        {"GRAPHQL_VALIDATION_FAILED"},
    ),
    "directives": ("{ __typename " + "@skip(if: false)" * 60 + " }", {"QUERY_TOO_MANY_DIRECTIVES"}),
    "fields again and again": (repeated("__typename", 500), {"QUERY_TOO_MANY_ROOT_FIELDS"}),
    "fields": (
        "{ edition { " + "revision " * 1_001 + "} }",
        {"QUERY_TOO_MANY_FIELDS"},
    ),
    "circular introspection": (_CIRCULAR, {"GRAPHQL_VALIDATION_FAILED", "QUERY_TOO_DEEP"}),
    "introspection": ("{ __schema { queryType { name } } }", {"GRAPHQL_VALIDATION_FAILED"}),
    "one field in other words": (
        "{ categories { " + " ".join(f"name {{{' ' * n}text }}" for n in range(300)) + " } }",
        {"QUERY_TOO_REPETITIVE"},
    ),
    "circular fragments": (
        "{ ...A } fragment A on Query { __typename ...B } fragment B on Query { ...A }",
        {"GRAPHQL_VALIDATION_FAILED"},
    ),
    "a fragment of itself": (
        "{ ...A } fragment A on Query { edition { revision } ...A }",
        {"GRAPHQL_VALIDATION_FAILED"},
    ),
    "depth": (nested(20), {"QUERY_TOO_DEEP", "QUERY_TOO_COSTLY"}),
    "length": ("{ __typename }" + " " * 50_001, {"QUERY_TOO_LONG"}),
    "a long name": ("{ a" + "a" * 50_001 + " }", {"QUERY_TOO_LONG"}),
    "tokens": ("{ a(b: [" + "1 " * 3_000 + "]) }", {"QUERY_TOO_MANY_TOKENS"}),
    "lists in lists": ("{ a(b: " + "[" * 990 + "]" * 990 + ") }", {"QUERY_TOO_", "GRAPHQL_"}),
    "objects in objects": (
        "{ a(b: " + "{c: " * 400 + "1" + "}" * 400 + ") }",
        {"GRAPHQL_", "QUERY_TOO_"},
    ),
    "selections in selections": ("{ a " * 900 + "}" * 900, {"QUERY_TOO_", "GRAPHQL_"}),
    "a chain of fragments": (
        "{ ...f0 } "
        + " ".join(f"fragment f{n} on Query {{ ...f{n + 1} }}" for n in range(240))
        + " fragment f240 on Query { __typename }",
        {"QUERY_TOO_"},
    ),
    "operations": (
        "".join(f"query q{n} {{ __typename }} " for n in range(300)),
        {"OPERATION_RESOLUTION_FAILURE", "QUERY_TOO_MANY_OPERATIONS"},
    ),
    "variables": (
        "query (" + " ".join(f"$v{n}: Int" for n in range(400)) + ") { __typename }",
        {"TOO_MANY_VARIABLES"},
    ),
    "errors without end": (repeated("x{n}", 45), {"GRAPHQL_VALIDATION_FAILED"}),
    "unknown input fields": (
        "{ menu(filter: {" + ": 1 ".join(names(400)) + ": 1}) { totalCount } }",
        {"GRAPHQL_VALIDATION_FAILED"},
    ),
    "one input field again and again": (
        "{ menu(filter: {" + 'text: "" ' * 600 + "}) { totalCount } }",
        {"GRAPHQL_VALIDATION_FAILED"},
    ),
    "long lists in unknown input fields": (
        "{ menu(filter: {" + f": [{'1 ' * 20}] ".join(names(50)) + ": 1}) { totalCount } }",
        {"GRAPHQL_VALIDATION_FAILED"},
    ),
    "unknown arguments": (
        "{ menu(" + ": 1 ".join(names(400)) + ": 1) { totalCount } }",
        {"GRAPHQL_VALIDATION_FAILED"},
    ),
    "one argument again and again": (
        "{ menu(" + "first: 1 " * 600 + ") { totalCount } }",
        {"GRAPHQL_VALIDATION_FAILED"},
    ),
    "errors under many lines": (
        "\n" * 4_900 + "{ edition { " + " ".join(names(100)) + " } }",
        {"GRAPHQL_VALIDATION_FAILED"},
    ),
    "lines": ("\n" * 40_000 + "{ edition { " + " ".join(names(100)) + " } }", {"QUERY_TOO_LONG"}),
    "no GraphQL": ("qwerty cop { abc }", {"GRAPHQL_PARSE_FAILED"}),
    "pages without end": (
        "{ menu(first: 2147483647) { nodes { code } } }",
        {"BAD_INPUT", "QUERY_TOO_COSTLY", "BAD_USER_INPUT"},
    ),
    "a number without end": (
        "{ menu(first: " + "9" * 5_000 + ") { nodes { code } } }",
        {"GRAPHQL_", "BAD_", "QUERY_TOO_"},
    ),
    "nodes by the thousand": (
        "{ nodes(ids: [" + '"Service:x" ' * 1_900 + "]) { id } }",
        {"BAD_INPUT", "QUERY_TOO_"},
    ),
    "facts by the thousand": (
        asked(
            "$f: [FactInput!]",
            'service(code: "x") { ... on Service { verdict(facts: $f) { outcome } } }',
        ),
        {"QUERY_TOO_COSTLY"},
    ),
    "a fact without end": (
        asked("$f: [FactInput!]", "eligibleServices(facts: $f, first: 1) { totalCount }"),
        {"BAD_INPUT"},
    ),
    "a code without end": (
        asked("$c: String", "menu(filter: { area: $c }) { totalCount }"),
        {"UNKNOWN_CODE"},
    ),
    "codes that are nearly right": (
        asked("$c: String", "stations(service: $c) { code }"),
        {"UNKNOWN_CODE"},
    ),
    "a wording without end": (
        asked("$c: String", "menu(filter: { industry: $c }) { totalCount }"),
        {"BAD_INPUT"},
    ),
    "a search without end": (
        asked("$c: String", "menu(filter: { text: $c }) { totalCount }"),
        {"BAD_INPUT"},
    ),
    "a cursor without end": (
        asked("$c: String", "menu(after: $c) { totalCount }"),
        {"BAD_CURSOR"},
    ),
    "entities by the thousand": (
        "query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }",
        {"BAD_INPUT", "VARIABLES_TOO_LARGE", "QUERY_TOO_"},
    ),
}
VARIABLES = {
    "entities by the thousand": {"r": [{"__typename": "Service", "id": "Service:x"}] * 4_000},
    "facts by the thousand": {"f": [{"name": "holds_card", "value": True}] * 3_300},
    "a fact without end": {"f": [{"name": "district", "value": "x" * 240_000}]},
    "a code without end": {"c": "a-" * 120_000},
    "codes that are nearly right": {"c": "talent-apartmnet-renewal-for-everybody"},
    "a wording without end": {"c": "a " * 120_000},
    "a search without end": {"c": "a " * 120_000},
    "a cursor without end": {"c": "A" * 240_000},
}


def is_one_of(code: str, expected: set[str]) -> bool:
    return any(code == one or (one.endswith("_") and code.startswith(one)) for one in expected)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_it_is_refused_soon_and_takes_nothing_from_others(attacked, name):
    document, expected = DOCUMENTS[name]
    salt = itertools.count()

    def attack(_):
        # Not the text of before, which is remembered.
        return attacked.ask(f"#{next(salt)}\n{document}", VARIABLES.get(name))

    answer = attack(0)
    cost = attacked.cost(attack)

    assert answer.status in (200, 294, 400, 422)
    assert all(is_one_of(code, expected) for code in answer.codes), answer.body[:300]
    assert not any((json.loads(answer.body).get("data") or {}).values())
    assert len(answer.body) < 100_000
    assert cost.cpu_seconds <= REFUSED_SECONDS, cost
    assert cost.beside_seconds <= BESIDE_SECONDS, cost
    assert cost.grown_bytes <= GROWN_BYTES, cost


def test_a_batch_is_one_refusal(attacked):
    answer = attacked.send(body=json.dumps([{"query": "{ __typename }"}] * 1_000).encode())

    assert (answer.status, answer.codes) == (400, {"BATCHING_NOT_SUPPORTED"})


@pytest.mark.parametrize(
    "document", ["mutation { __typename }", "mutation M { revokeCard(input: {}) { __typename } }"]
)
def test_nothing_is_done_by_get(attacked, document):
    answer = attacked.send("GET", f"/graphql?{urlencode({'query': document})}", headers={})

    assert answer.status in (400, 405, 422)
    assert b'"data"' not in answer.body


@pytest.mark.parametrize("path", ["/graphql", "/graphiql", "/playground", "/console", "/altair"])
def test_no_editor_is_served_where_none_is_wanted(attacked, path):
    answer = attacked.send("GET", path, headers={"accept": "text/html"})

    assert b"<html" not in answer.body.lower()
    assert answer.status in (404, 406)


def test_no_trace_of_how_it_was_run_is_in_an_answer(attacked):
    told = [attacked.ask("{ __typename }").body, attacked.ask("{").body, attacked.ask("{ x }").body]

    for word in (b"tracing", b"stacktrace", b"Traceback", b"exception", b'File \\"'):
        assert not [one for one in told if word in one]


@pytest.mark.parametrize(
    ("document", "hidden"),
    [
        ("{ men }", b"menu"),
        ("{ menu { nodes { cod } } }", b"code"),
        ("{ menu(firs: 1) { nodes { code } } }", b"first"),
        ("query ($a: Strin) { __typename }", b"String"),
        ("{ menu { nodes { ... on Servic { code } } } }", b"Service"),
        ("{ __typename @skp(if: true) }", b"@skip"),
        ("mutation { reserveOfer { __typename } }", b"reserveOffer"),
        ('{ node(id: "x") { ... on Talen { name } } }', b"Talent"),
    ],
)
def test_no_name_is_suggested(attacked, document, hidden):
    answer = attacked.ask(document)

    assert answer.codes == {"GRAPHQL_VALIDATION_FAILED"}
    assert b"Did you mean" not in answer.body
    assert hidden not in answer.errors[0]["message"].encode()


def test_the_hub_does_not_say_what_it_is_made_of(attacked):
    answers = [
        attacked.ask("{ __typename }"),
        attacked.ask("{"),
        attacked.send("GET", "/nowhere"),
        attacked.send("GET", "/healthz"),
    ]

    for one in answers:
        assert "server" not in one.headers
        assert "x-powered-by" not in one.headers
        assert one.headers["x-content-type-options"] == "nosniff"


@pytest.mark.conformance_long
@pytest.mark.parametrize("name", ["aliases by fragments, 21 levels", "depth", "errors without end"])
def test_a_flood_of_it_leaves_the_memory_as_it_was(attacked, name):
    document, _ = DOCUMENTS[name]
    for number in range(300):
        attacked.ask(f"#{number}\n{document}")
    before = attacked.resident()

    for number in range(3_000):
        attacked.ask(f"# {number}\n{document}")

    assert attacked.resident() - before < GROWN_BYTES
    assert attacked.send(body=json.dumps({"query": "{ __typename }"}).encode(), headers=JSON)

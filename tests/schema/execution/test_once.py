"""What is followed or asked for in pieces is asked once, and says nothing else."""

import graphql
import pytest

from schema.execution import once

SCHEMA = graphql.build_schema(
    """
    directive @defer(if: Boolean, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT
    type Item { name: String }
    type Query { item(code: String, n: Int): Item }
    type Subscription { item(code: String, n: Int): Item }
    """
)


@pytest.mark.parametrize(
    ("document", "asked"),
    [
        ("subscription { item { name } }", "query{item{name}}"),
        ("subscription A($n: Int) { item(n: $n) { name } }", "query A($n:Int){item(n:$n){name}}"),
        (
            """subscription { ...F }
            fragment F on Subscription { ... on Subscription { item { name } } }""",
            "{...F}fragment F on Query{...on Query{item{name}}}",
        ),
        ("query($d: Boolean) { ... @defer(if: $d) { item { name } } }", "{...{item{name}}}"),
        (
            "query($d: Boolean) { ... @defer(if: $d) { item { name @skip(if: $d) } } }",
            "query($d:Boolean){...{item{name@skip(if:$d)}}}",
        ),
        ("mutation M { ... @defer { a } }", "mutation M{...{a}}"),
    ],
)
def test_an_operation_becomes_one_that_is_answered_once(document, asked):
    parsed = graphql.parse(document)
    before = graphql.print_ast(parsed)

    assert once.asked(SCHEMA, parsed) in {asked, asked.replace("query{", "{", 1)}
    assert graphql.print_ast(parsed) == before


def test_a_document_that_is_answered_whole_stays_what_it_was_else():
    parsed = graphql.parse(
        'subscription { ... @defer(label: "a") { item { name @skip(if: true) } } }'
    )

    assert once.in_pieces(parsed)
    assert graphql.print_ast(once.whole(parsed)) == graphql.print_ast(
        graphql.parse("subscription { ... { item { name @skip(if: true) } } }")
    )
    assert not once.in_pieces(once.whole(parsed))

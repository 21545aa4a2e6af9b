"""A document is reviewed before it is published: as it would be where it runs, and then some."""

from __future__ import annotations

import graphql
import pytest

import schema
from schema.execution import review

REVIEW = review.Review(schema.build_schema()._schema)
GOOD = "query Home { areas { code } }"


def said(text: str) -> list[str]:
    return [str(one) for one in REVIEW.mistakes("home.graphql", text)]


def test_a_good_document_has_no_mistake():
    assert said(GOOD) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("query Home { areas { code }", "home.graphql:1: Syntax Error"),
        ("query Home {\n  areas { cod }\n}", "home.graphql:2: Cannot query field 'cod' on type"),
        ("{ areas { code } }", "Every operation needs a name"),
        ("fragment A on Area { code }", "Every operation needs a name"),
        ("query A { areas { code } } { edition { revision } }", "Every operation needs a name"),
        (f"query Home {{ {' '.join(['areas { code }'] * 60)} }}", "root fields"),
        ("query Home { # " + "x" * 60_000 + "\n areas { code } }", "more than 50000 characters"),
        ("query Home { " + "__typename " * 3_000 + "}", "more than 2000 tokens"),
    ],
)
def test_a_bad_one_is_refused_with_the_place_and_the_reason(text, sentence):
    (first, *_) = said(text)

    assert sentence in first


@pytest.mark.parametrize(
    ("text", "holds"),
    [(GOOD, True), ("{ areas { code } }", True), ("{ areas { cod } }", False), ("{", False)],
)
def test_what_may_be_run_holds_whether_or_not_it_may_be_published(text, holds):
    assert REVIEW.holds(text) is holds


def test_what_is_misspelt_is_told_with_what_would_be_right():
    (found,) = said("query Home { areas { cod } }")

    assert "Did you mean 'code'" in found


def test_all_operations_are_named():
    text = "query A { areas { code } } query B { ...F } fragment F on Query { areas { code } }"

    assert REVIEW.operations(text) == ["A", "B"]


def test_the_codes_that_a_document_names_are_found_wherever_they_stand():
    text = """
    query Named($first: Int, $code: String!) {
      service(code: "talent-apartment") { ... on Service {
        verdict(facts: [{name: "school_rank", value: 3}, {name: "age", value: 4}]) { outcome }
      } }
      other: service(code: $code) { __typename }
      menu(filter: {category: "housing", text: "free", partner: "first-bank"}, first: $first) {
        nodes { ...S }
      }
      partners(kind: "hospital") { code }
    }
    fragment S on Service { name(language: "zh") { text } }
    """

    assert REVIEW.codes(text) == {
        ("service", "talent-apartment"),
        ("fact", "school_rank"),
        ("fact", "age"),
        ("category", "housing"),
        ("partner", "first-bank"),
        ("kind", "hospital"),
    }


@pytest.mark.parametrize("where", review._NAMING)
def test_every_place_where_a_code_may_stand_is_in_the_schema(where):
    node = graphql.parse_schema_coordinate(where)

    assert graphql.resolve_ast_schema_coordinate(REVIEW._schema, node)

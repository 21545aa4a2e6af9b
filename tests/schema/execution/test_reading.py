"""A text that nobody has sent before may be left wherever reading it would take long."""

from __future__ import annotations

import sys
from collections import Counter

import graphql
import pytest

from models import turns
from schema import build_schema

FEW, MANY = 10, 40


def document(size: int) -> str:
    """Return a valid document of so many variables, and half as many fields and fragments."""
    declared = " ".join(f"$v{n}: ID!" for n in range(size))
    used = " ".join(f"$v{n}" for n in range(size))
    # Alike, and yet not word for word.
    alike = " ".join(f"categories {{ {' ' * n}code ...F{n} }}" for n in range(size // 2))
    fragments = " ".join(f"fragment F{n} on Category {{ id code }}" for n in range(size // 2))
    return f"query ({declared}) {{ nodes(ids: [{used}]) {{ id }} {alike} }} {fragments}"


@pytest.fixture
def breaths(monkeypatch):
    """Where reading a document breathes, and how often."""

    def breaths(text: str) -> Counter[str]:
        found: Counter[str] = Counter()
        monkeypatch.setattr(
            turns, "breathe", lambda: found.update([sys._getframe(1).f_code.co_name])
        )
        assert not build_schema().reader.read(text).errors
        return found

    return breaths


@pytest.mark.parametrize(
    ("place", "what"),
    [
        ("advance_lexer", "a token"),
        ("_parsed", "a token that forgets the one before it"),
        ("_selection", "a selection that is measured"),
        ("_selections", "a selection that is priced"),
        ("_merged", "a selection that is said again or not"),
        ("enter", "a node that is validated, or read as one answer"),
        ("remaining_complexity_budget", "two fields that are compared"),
        ("_fields", "a field whose name is known then"),
        ("fields", "a field that may be kept or not"),
        ("__init__", "a variable"),
    ],
)
def test_it_is_left_between_each_and_the_next(breaths, place, what):
    few, many = breaths(document(FEW)), breaths(document(MANY))

    assert many[place] - few[place] >= (MANY - FEW) // 2, what


def told(text: str) -> list[str]:
    """Return what is wrong with a document that parses."""
    return [error.message for error in build_schema().reader.read(text).errors]


def test_of_a_literal_the_first_that_does_not_fit_is_told():
    unknown = " ".join(f"x{number}: 1" for number in range(20))

    [error, other] = told(f"{{ menu(filter: {{{unknown}}}, first: true) {{ totalCount }} }}")

    assert "not to include unknown field 'x0'" in error
    assert other == "Int cannot represent non-integer value: true"


def test_after_twenty_errors_a_document_is_read_no_further():
    found = told(f"{{ edition {{ {' '.join(f'x{number}' for number in range(30))} }} }}")

    assert len(found) == 21
    assert found[-1].endswith("Validation aborted.")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_document_of_too_many_lines_is_not_read(end):
    reader = build_schema().reader

    assert not reader.read(f"{end * 4_999}{{ __typename }}").errors
    with pytest.raises(graphql.GraphQLError) as refused:
        reader.read(f"{end * 5_000}{{ __typename }}")

    assert refused.value.extensions == {"code": "QUERY_TOO_LONG", "limit": 5_000, "found": 5_001}

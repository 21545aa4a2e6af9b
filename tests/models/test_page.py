"""Cursors fit the list and filter that gave them out, and nothing else."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import errors, page


@given(st.text(max_size=30))
def test_a_cursor_gives_back_the_key_it_was_made_of(key):
    scope = page.Scope("people", ("HIGH", None))

    assert scope.key(scope.cursor(key)) == key


@pytest.mark.parametrize(
    "other", [page.Scope("cards", "HIGH"), page.Scope("people", "LOW"), page.Scope("people")]
)
def test_a_cursor_of_another_list_or_filter_is_refused(other):
    cursor = page.Scope("people", "HIGH").cursor("7")

    with pytest.raises(errors.BadCursorError) as refusal:
        other.key(cursor)

    assert cursor not in str(refusal.value)


@given(
    st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: base64.b64encode(raw).decode())
)
def test_any_other_text_is_a_bad_cursor_and_nothing_worse(text):
    with pytest.raises(errors.BadCursorError):
        page.Scope("people").key(text)


def test_a_cursor_is_no_longer_than_any_of_ours():
    scope = page.Scope("people")

    with pytest.raises(errors.BadCursorError):
        scope.key(scope.cursor("x" * 200))


@pytest.mark.parametrize("first", [-1, 101, 10**9])
def test_a_page_of_less_than_no_or_too_many_items_is_bad_input(first):
    with pytest.raises(errors.BadInputError, match=str(first)):
        page.size(first)


def test_a_page_of_unsaid_size_has_the_default():
    assert (page.size(None), page.size(0), page.size(100)) == (page.DEFAULT, 0, 100)


def test_the_one_item_looked_for_beyond_the_page_says_that_there_is_more():
    scope = page.Scope("letters")

    full, last = scope.page("abc", 2, ord), scope.page("ab", 2, ord)

    assert (full.items, full.has_next, scope.key(full.cursors[-1])) == (("a", "b"), True, "98")
    assert (last.items, last.has_next) == (("a", "b"), False)

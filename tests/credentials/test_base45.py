from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import base45
from credentials.flaw import Flaw, NotGenuineError


# The examples of RFC 9285.
@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"AB", "BB8"),
        (b"Hello!!", "%69 VD92EX0"),
        (b"base-45", "UJCLQE7W581"),
        (b"ietf!", "QED8WEX0"),
    ],
)
def test_the_examples_of_the_standard_are_spelt_so(raw, text):
    assert base45.encode(raw) == text
    assert base45.decode(text) == raw


@given(st.binary())
def test_what_is_spelt_is_read_back(raw):
    assert base45.decode(base45.encode(raw)) == raw


@given(st.text(base45._DIGITS) | st.text())
def test_whatever_is_read_has_this_one_spelling_or_is_refused(text):
    try:
        assert base45.encode(base45.decode(text)) == text
    except NotGenuineError as refused:
        assert refused.flaw is Flaw.MALFORMED  # noqa: PT017 - both ways are right


@pytest.mark.parametrize(
    "text", ["0", "BB80", ":::", "GGW", "::", "V5", "bb8", "BB8\n", "BB_", "\u0662B8"]
)
def test_a_foreign_digit_one_too_many_or_too_much_in_a_group_is_refused(text):
    with pytest.raises(NotGenuineError):
        base45.decode(text)


@given(st.binary(min_size=1))
def test_no_spelling_ends_in_a_space(raw):
    assert not base45.encode(raw).endswith(" ")

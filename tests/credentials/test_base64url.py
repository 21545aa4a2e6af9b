from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import base64url
from credentials.flaw import Flaw, NotGenuineError
from tests.refusal import refused_as


@given(st.binary())
def test_what_is_spelt_is_read_again(raw):
    assert base64url.decode(base64url.encode(raw)) == raw


@given(st.text() | st.text("AQgwZ_-=+/ \n", max_size=12))
def test_a_text_is_the_one_spelling_of_its_bytes_or_refused(text):
    try:
        raw = base64url.decode(text)
    except NotGenuineError as refused:
        assert refused.flaw is Flaw.MALFORMED  # noqa: PT017 - both ways are right
    else:
        assert base64url.encode(raw) == text


@pytest.mark.parametrize(
    "text", ["AA==", "A", "AB", "AA\n", "A A", "+A", "/A", "AAB", "éé", "\ud800"]
)
def test_other_spellings_are_refused(text):
    with refused_as(Flaw.MALFORMED):
        base64url.decode(text)


def test_a_digest_is_that_of_sha_256():
    # The text and its digest stand in RFC 9901, section 4.2.3.
    disclosure = "WyI2cU1RdlJMNWhhaiIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"

    assert base64url.digest(disclosure) == "uutlBuYeMDyjLLTpf6Jxi7yNkEF35jdyWMn9U7b_RYY"


def test_half_a_character_has_a_digest_and_no_error():
    assert base64url.digest("\ud800") != base64url.digest("?")

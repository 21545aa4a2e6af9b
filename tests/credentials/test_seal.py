"""What is sealed is read by its own key and under its own name, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import seal
from credentials.keyring import SealBrokenError

KEK = b"k" * 32


@given(st.binary(max_size=200))
def test_what_is_sealed_is_opened_as_it_was(said):
    text = seal.sealed(said, "a-name", KEK)

    assert seal.opened(text, "a-name", KEK) == said
    assert said not in text.encode() or len(said) < 4


@pytest.mark.parametrize(("name", "kek"), [("another", KEK), ("a-name", b"x" * 32)])
def test_another_name_or_key_opens_nothing(name, kek):
    text = seal.sealed(b"a secret", "a-name", KEK)

    with pytest.raises(SealBrokenError) as broken:
        seal.opened(text, name, kek)

    assert "secret" not in str(broken.value)


@given(st.integers(0, 400))
def test_what_was_changed_is_not_opened(place):
    text = seal.sealed(b"a secret", "a-name", KEK)
    place %= len(text)
    changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]

    # A last letter may hold bits that mean nothing.
    try:
        assert seal.opened(changed, "a-name", KEK) == b"a secret"
    except SealBrokenError:
        return
    assert place in {len(text) - 1, text.rindex(".") - 1}


@given(st.text(max_size=100))
def test_what_was_never_sealed_is_not_opened(text):
    with pytest.raises(SealBrokenError):
        seal.opened(text, "a-name", KEK)

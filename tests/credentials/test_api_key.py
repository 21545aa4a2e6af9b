from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import api_key
from models import errors


@pytest.mark.parametrize(("live", "prefix"), [(True, "tck_live_"), (False, "tck_test_")])
def test_a_new_key_says_what_it_opens_and_is_known_by_its_digest(live, prefix):
    text = api_key.new(live=live)

    found = api_key.read(text)

    assert text.startswith(prefix + found.id + "_")
    assert (found.live, found.digest) == (live, hashlib.sha256(text.encode()).digest())


def test_a_key_has_a_form_that_scanners_of_secrets_find():
    assert re.fullmatch(r"tck_(live|test)_[a-z2-7]{16}_[a-z2-7]{59}", api_key.new(live=True))


def test_no_two_keys_are_alike():
    one, other = (api_key.read(api_key.new(live=True)) for _ in range(2))

    assert one.id != other.id
    assert one.digest != other.digest


def test_every_single_character_of_a_key_counts():
    good = api_key.new(live=True)

    for place, character in enumerate(good):
        other = "a" if character != "a" else "b"
        with pytest.raises(errors.UnauthenticatedError):
            api_key.read(good[:place] + other + good[place + 1 :])


@given(st.text() | st.from_regex(api_key._FORM, fullmatch=True))
def test_whatever_is_presented_is_a_key_or_malformed(text):
    with pytest.raises(api_key.MalformedError, match=r"^The API key is malformed\.$"):
        api_key.read(text)


def test_the_secret_does_not_show_when_a_key_is_printed():
    text = api_key.new(live=True)

    assert text.rpartition("_")[2] not in repr(api_key.read(text))

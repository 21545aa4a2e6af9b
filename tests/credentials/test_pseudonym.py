"""A person's names before partners: stable, apart, and telling nothing."""

from __future__ import annotations

import re

import pytest

from credentials.pseudonym import Pseudonyms

KEY = b"k" * 32
NAMES = Pseudonyms(KEY)


def test_a_name_is_the_same_for_ever():
    key = b"a key of the tests: 32 letters.."

    assert Pseudonyms(key).of("some-school", "h4ndle") == "yzl7agtnqgeowphgpvt7ljem3vwaxqvk"


@pytest.mark.parametrize(
    "other",
    [
        NAMES.of("clinic", "h4ndle"),
        NAMES.of("school", "other"),
        Pseudonyms(b"q" * 32).of("school", "h4ndle"),
        NAMES.of("school\nh4ndle", ""),
    ],
)
def test_another_partner_person_or_key_makes_another_name(other):
    assert NAMES.of("school", "h4ndle") != other


def test_a_name_has_160_bits_in_lower_case_letters_and_digits():
    assert re.fullmatch(r"[a-z2-7]{32}", NAMES.of("school", "h4ndle"))


def test_the_key_is_never_shown():
    assert "kkkk" not in repr(NAMES)

"""What errors quote, and what they take for meant: little of what was found is looked at."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Iterator

import pytest

from models import errors

#: As many codes as a long menu has.
KNOWN = [
    f"{noun}-{word}-{number}"
    for noun in ("permit", "card", "flat")
    for word in ("first", "renewal", "replacement", "batch", "ledger")
    for number in range(20)
]


class Unread(str):
    """A text that nobody goes through to its end."""

    __slots__ = ()

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("It was read.")

    def casefold(self) -> str:
        raise AssertionError("It was read.")


def test_of_a_long_text_no_more_is_read_than_is_shown():
    assert errors.shown(Unread("a\nb" * 100), 4) == "a ba…"
    assert errors.UnknownCodeError("service", Unread("x" * 1_000), ["one"]).nearest == ()


@pytest.mark.parametrize(
    ("found", "nearest"),
    [
        ("permit-fisrt-1", "permit-first-1"),
        ("card-ledgr-7", "card-ledger-7"),
        ("FLAT-renewal-12", "flat-renewal-12"),
        ("flat-replaecment-3", "flat-replacement-3"),
    ],
)
def test_what_was_meant_is_told_first(found, nearest):
    assert errors.nearest(found, KNOWN)[0] == nearest


def test_a_short_word_is_known_by_its_letters():
    assert errors.nearest("bnak", ["school", "bank", "cinema"]) == ("bank",)
    assert errors.nearest("zzz", ["school", "bank", "cinema"]) == ()


def test_few_of_many_codes_are_compared_letter_by_letter():
    found = "permit-replacement-flat-12"

    def seconds(nearest: Callable[[], object]) -> float:
        began = time.process_time()
        for _ in range(5):
            nearest()
        return time.process_time() - began

    all_compared = seconds(lambda: difflib.get_close_matches(found, KNOWN))
    assert seconds(lambda: errors.nearest(found, KNOWN)) < all_compared / 2

from __future__ import annotations

import enum
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from models.text import Text
from schema import scalars


def spelt(sort):
    return scalars.SCALARS[sort]


@pytest.mark.parametrize(
    ("sort", "value", "text"),
    [
        (date, date(2024, 2, 29), "2024-02-29"),
        (datetime, datetime(2024, 2, 29, 1, tzinfo=UTC), "2024-02-29T01:00:00+00:00"),
        (
            datetime,
            datetime(2024, 2, 29, 9, tzinfo=timezone(timedelta(hours=8))),
            "2024-02-29T09:00:00+08:00",
        ),
        (Decimal, Decimal("7.1893"), "7.1893"),
        (Decimal, Decimal("0.00"), "0.00"),
        (Decimal, Decimal("1E+3"), "1000"),
    ],
)
def test_a_value_is_written_and_read_back_the_same(sort, value, text):
    assert spelt(sort).serialize(value) == text
    assert spelt(sort).parse_value(text) == value


@pytest.mark.parametrize("sort", [date, datetime, Decimal])
@pytest.mark.parametrize("value", [5, 1.5, None, True, [], {}, b"2024-02-29"])
def test_what_is_no_text_is_refused(sort, value):
    with pytest.raises(TypeError):
        spelt(sort).parse_value(value)


@pytest.mark.parametrize(
    ("sort", "text"),
    [(date, "2023-02-29"), (date, "today"), (datetime, "noon"), (Decimal, "seven"), (Decimal, "")],
)
def test_a_text_that_says_no_such_value_is_refused_without_repeating_it(sort, text):
    with pytest.raises(ValueError, match="not how this scalar is written"):
        spelt(sort).parse_value(text)


def test_every_scalar_says_where_it_is_specified():
    for definition in scalars.SCALARS.values():
        assert definition.specified_by_url.startswith("https://")
        assert definition.description


def test_an_enum_with_a_value_that_is_not_described_is_refused():
    class Colour(enum.Enum):
        RED = "RED"
        BLUE = "BLUE"

    with pytest.raises(KeyError):
        scalars.describe(Colour, "Colours.", {"RED": "Red."})


def test_a_text_answers_in_the_language_of_the_argument_before_the_requests():
    class Info:
        class context:  # noqa: N801 - the name strawberry gives it
            languages = ("zh",)

    text = Text({"en": "Talent", "zh": "人才"})

    by_request = scalars.LocalizedText.of(text, Info)
    by_argument = scalars.LocalizedText.of(text, Info, "en-GB")
    fallen_back = scalars.LocalizedText.of(text, Info, "ja")

    assert (by_request.text, by_request.is_fallback) == ("人才", False)
    assert (by_argument.text, by_argument.is_fallback) == ("Talent", False)
    assert (fallen_back.text, fallen_back.is_fallback) == ("Talent", True)

from __future__ import annotations

import enum
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import graphql
import pytest

from models import errors
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


@pytest.mark.parametrize(
    ("sort", "form"), [(date, "2024-02-29"), (datetime, "2024-02-29T09:00:00"), (Decimal, "7.1893")]
)
@pytest.mark.parametrize("value", [5, 1.5, None, True, [], {}, b"2024-02-29"])
def test_what_is_no_text_is_told_the_form(sort, form, value):
    with pytest.raises(graphql.GraphQLError, match=f'is written as a string: `"{form}'):
        spelt(sort).parse_value(value)


def literal(sort, text):
    return spelt(sort).parse_literal(graphql.parse_value(json.dumps(text)))


@pytest.mark.parametrize("read", [lambda sort, text: spelt(sort).parse_value(text), literal])
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-29T00:00:00Z", datetime(2026, 11, 29, tzinfo=UTC)),
        ("2026-11-29t00:00:00z", datetime(2026, 11, 29, tzinfo=UTC)),
        ("2026-11-29T00:00:00+08:00", datetime(2026, 11, 28, 16, tzinfo=UTC)),
        ("2026-11-29T00:00:00-23:59", datetime(2026, 11, 29, 23, 59, tzinfo=UTC)),
        ("2026-11-29T00:00:00-00:00", datetime(2026, 11, 29, tzinfo=UTC)),
        ("2026-11-29T00:00:00.5Z", datetime(2026, 11, 29, 0, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-29T00:00:00.1234569Z", datetime(2026, 11, 29, 0, 0, 0, 123_456, tzinfo=UTC)),
        (f"2026-11-29T00:00:00.{'0' * 5000}1Z", datetime(2026, 11, 29, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_as_rfc_3339_has_it(read, text, moment):
    assert read(datetime, text) == moment


@pytest.mark.parametrize("read", [lambda sort, text: spelt(sort).parse_value(text), literal])
@pytest.mark.parametrize(
    ("sort", "text", "sentence"),
    [
        *(
            (date, text, "A `Date` is written as `2024-02-29`.")
            for text in ("", "today", "20261129", "2026-W48-7", "2026-333", "2026-11-29T00:00:00Z",
                         "2026-1-2", " 2026-11-29", "2026-11-29\n", "２０２６-11-29", "2026-11",
                         "x" * 9999)
        ),
        (date, "2023-02-29", "The calendar has no such day"),
        (date, "0000-01-01", "The calendar has no such day"),
        *(
            (datetime, text, "A `DateTime` is written as `2024-02-29T09:00:00\\+08:00`")
            for text in ("noon", "2026-11-29", "2026-11-29T18:00:00", "2026-11-29T18:00Z",
                         "2026-11-29T18Z", "2026-W47-5T00Z", "2026-11-29 00:00:00Z",
                         "20261129T000000Z",
                         "2026-11-29T00:00:00,5Z", "2026-11-29T00:00:00.Z", "2026-11-29T24:00:00Z",
                         "2026-11-29T00:00:61Z", "2026-11-29T00:00:00+08",
                         "2026-11-29T00:00:00+0800",
                         "2026-11-29T00:00:00+24:00", "2026-11-29T00:00:00+08:60",
                         "2026-11-29T00:00:00+08:00:30", "2026-11-29T00:00:00Z\n")
        ),
        (datetime, "2016-12-31T23:59:60Z", "has no leap second"),
        (datetime, "2023-02-29T00:00:00Z", "The calendar has no such moment"),
        (datetime, "0001-01-01T00:00:00+23:00", "The calendar has no such moment"),
        (Decimal, "seven", "A `Decimal` is written as `7.1893`."),
        (Decimal, "", "A `Decimal` is written as `7.1893`."),
    ],
)  # fmt: skip
def test_another_text_is_told_the_form_and_not_repeated(read, sort, text, sentence):
    with pytest.raises(graphql.GraphQLError, match=sentence) as refused:
        read(sort, text)

    assert not text or text not in refused.value.message


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


class Info:
    class context:  # noqa: N801 - the name strawberry gives it
        languages = ("zh",)


def test_a_text_answers_in_the_language_of_the_argument_before_the_requests():
    text = Text({"en": "Talent", "zh": "人才"})

    by_request = scalars.LocalizedText.of(text, Info)
    by_argument = scalars.LocalizedText.of(text, Info, "en-GB")
    fallen_back = scalars.LocalizedText.of(text, Info, "ja")

    assert (by_request.text, by_request.is_fallback) == ("人才", False)
    assert (by_argument.text, by_argument.is_fallback) == ("Talent", False)
    assert (fallen_back.text, fallen_back.is_fallback) == ("Talent", True)


@pytest.mark.parametrize("language", ["de", "de-DE", "klingon", "i-klingon", "x-mine", "ja, ko"])
def test_a_text_that_falls_back_says_so_whatever_language_was_asked_for(language):
    text = Text({"en": "Talent", "zh": "人才"})

    assert scalars.LocalizedText.of(text, Info, language).is_fallback


@pytest.mark.parametrize("language", ["zh_CN", "", "!!!"])
def test_what_is_no_language_is_no_fallback_but_refused(language):
    with pytest.raises(errors.BadInputError):
        scalars.LocalizedText.of(Text({"en": "Talent"}), Info, language)

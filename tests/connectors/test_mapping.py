"""What is found becomes the field's type, or a bad answer that names the field; never a null."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import errors, expression, mapping
from models import offer

ZONE = ZoneInfo("Asia/Shanghai")
LOCALE = mapping.Locale(ZONE, ("zh", "en"))


def cast(type_, found, **source):
    return mapping.read(
        mapping.Source.model_validate({"from": "x", **source}),
        mapping.CASTS[type_],
        "field",
        {"x": found},
        LOCALE,
        expression.Budget(),
    )


@pytest.mark.parametrize(
    ("type_", "found", "value"),
    [
        (str, 7, "7"),
        (str, {"en": "Jade", "zh": "玉"}, "玉"),
        (str, {"en": "Jade"}, "Jade"),
        (str, "", None),
        (int, "12", 12),
        (int, 12.0, 12),
        (Decimal, 0.1, Decimal("0.1")),
        (Decimal, " 40.50 ", Decimal("40.50")),
        (date, "2026-11-23", date(2026, 11, 23)),
        (date, "2026-11-22T17:00:00Z", date(2026, 11, 23)),
        (datetime, "2026-11-23T10:00", datetime(2026, 11, 23, 10, tzinfo=ZONE)),
        (datetime, "2026-11-23T10:00:00Z", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        (int, None, None),
    ],
)
def test_what_is_found_becomes_the_fields_type(type_, found, value):
    assert cast(type_, found) == value


@pytest.mark.parametrize(
    ("type_", "found"),
    [
        (str, True),
        (str, ["a"]),
        (str, {"fr": "Jade"}),
        (int, "1.5"),
        (int, -1),
        (int, "many"),
        (int, True),
        (Decimal, "NaN"),
        (Decimal, "Infinity"),
        (Decimal, "1e999999999"),
        (int, "1e999999999"),
        (int, 2**31),
        (datetime, "0001-01-01T00:00:00+14:00"),
        (date, "23.11.2026"),
        (datetime, 1795363200),
        ("web", "javascript:alert(1)"),
    ],
)
def test_what_does_not_fit_is_a_bad_answer_that_names_the_field_and_quotes_nothing(type_, found):
    with pytest.raises(errors.Misconfigured) as raised:
        cast(type_, found)

    assert raised.value.problem is errors.Problem.BAD_ANSWER
    assert str(found) not in str(raised.value)


@given(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text()))
)
def test_a_cast_gives_its_type_or_a_bad_answer_whatever_it_is_given(found):
    for type_ in (str, int, Decimal, date, datetime):
        with contextlib.suppress(errors.Misconfigured):
            assert isinstance(cast(type_, found), type_ | None)


@pytest.mark.parametrize(
    ("found", "how", "value"),
    [
        ("A", {}, 1),
        (True, {}, 2),
        ("?", {"otherwise": 0}, 0),
        ("?", {"otherwise": None}, None),
        (None, {}, None),
    ],
)
def test_a_table_says_what_a_word_stands_for(found, how, value):
    assert cast(int, found, table={"A": 1, "true": 2}, **how) == value


def test_a_word_that_a_table_does_not_have_is_a_bad_answer():
    with pytest.raises(errors.Misconfigured, match="`field`"):
        cast(int, "B", table={"A": 1})


@pytest.mark.parametrize(
    ("found", "how"),
    [
        ("23/11/2026 10:00", {"format": "%d/%m/%Y %H:%M"}),
        (1795399200, {"format": "unix"}),
        ("1795399200000", {"format": "unix_ms"}),
        ("2026-11-23T02:00", {"zone": "UTC"}),
    ],
)
def test_times_are_read_as_the_partner_writes_them(found, how):
    assert cast(datetime, found, **how) == datetime(2026, 11, 23, 10, tzinfo=ZONE)


def reader(shape, **records):
    form = {"records": [{"foreach": "rows"}], "fields": {}, **records}
    return mapping.Reader(shape, mapping.Records.model_validate(form), LOCALE)


def test_a_required_field_that_is_missing_is_named():
    places = reader(offer.Place, fields={"id": "id", "title": "id", "where": "w", "intake": "id"})

    with pytest.raises(errors.Misconfigured, match="`where`"):
        places.made({"id": 1}, expression.Budget())


@pytest.mark.parametrize("data", [{}, {"rows": None}, {"rows": "x"}, []])
def test_rows_that_are_not_where_the_file_says_are_a_bad_answer(data):
    with pytest.raises(errors.Misconfigured, match="rows"):
        reader(offer.Place).top(data, expression.Budget())


def test_a_single_object_counts_as_a_list_of_one():
    assert reader(offer.Place).top({"rows": {"id": 1}}, expression.Budget()) == [{"id": 1}]


@pytest.mark.parametrize(
    ("window", "kept"),
    [("starts", ["b", "c"]), ("overlaps", ["a", "b", "c"]), ("any", ["a", "b", "c", "d"])],
)
def test_offers_outside_the_time_are_left_out_and_the_rest_sorted(window, kept):
    since, until = (datetime(2026, 11, day, tzinfo=ZONE) for day in (23, 25))
    hours = {"d": (25, 0), "c": (24, 9), "b": (23, 0), "a": (22, 9)}
    showings = [
        offer.Showing(
            id=name,
            title=name,
            venue="v",
            start=datetime(2026, 11, *when, tzinfo=ZONE),
            end=datetime(2026, 11, 26, tzinfo=ZONE),
        )
        for name, when in hours.items()
    ]

    chosen = reader(offer.Showing, window=window).chosen(showings, since, until)

    assert [one.id for one in chosen] == kept

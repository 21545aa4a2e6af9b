"""Periods as the law counts them: to the day of that number, or to the month's last."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eligibility.period import Period, day_of

DAYS = st.dates(date(1999, 1, 1), date(2033, 1, 1))
PERIODS = st.builds(Period, st.integers(0, 40), st.integers(0, 70))


@pytest.mark.parametrize(
    ("text", "months", "days"),
    [
        ("P1Y", 12, 0),
        ("P1Y6M", 18, 0),
        ("P2W", 0, 14),
        ("P90D", 0, 90),
        ("P0D", 0, 0),
        ("P1Y2M3W4D", 14, 25),
        ("P999Y9999M9999W99999D", 12 * 999 + 9999, 7 * 9999 + 99999),
    ],
)
def test_a_period_is_read(text, months, days):
    assert Period.of(text) == Period(months, days)


@pytest.mark.parametrize(
    "text",
    ["", "P", "1Y", "P1", "PT5H", "P1M1Y", "P-1D", "P1.5Y", "P1000Y", "p1y", "P１Y", 1, None],
)
def test_what_is_no_period_is_none(text):
    assert Period.of(text) is None


@pytest.mark.parametrize(
    ("period", "start", "last"),
    [
        (Period(12, 0), date(2024, 2, 29), date(2025, 2, 28)),
        (Period(48, 0), date(2024, 2, 29), date(2028, 2, 29)),
        (Period(1, 0), date(2024, 1, 31), date(2024, 2, 29)),
        (Period(0, 1), date(2025, 12, 31), date(2026, 1, 1)),
        (Period(1, 0), date(2025, 12, 31), date(2026, 1, 31)),
        (Period(1, 1), date(2025, 1, 31), date(2025, 3, 1)),
        (Period(0, 0), date(2024, 2, 29), date(2024, 2, 29)),
        (Period(12, 0), date(9999, 1, 1), date.max),
        (Period(0, 1), date.max, date.max),
    ],
)
def test_a_period_ends_with_the_day_of_that_number_or_the_months_last(period, start, last):
    assert period.last_day(start) == last


@given(PERIODS, DAYS)
def test_the_first_start_is_the_earliest_day_that_still_reaches(period, on):
    start = period.first_start(on)

    assert period.last_day(start) >= on
    assert period.last_day(start - timedelta(1)) < on


def test_a_period_may_have_begun_before_all_days():
    assert Period(12 * 999, 0).first_start(date(500, 1, 1)) == date.min
    assert Period(0, 99999).first_start(date(100, 1, 1)) == date.min


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-02-29", date(2024, 2, 29)),
        ("9999-12-31", date.max),
        ("2023-02-29", None),
        ("20240229", None),
        ("2024-W09-4", None),
        ("2024-2-9", None),
        ("２０２４-02-29", None),
        (20240229, None),
        (None, None),
    ],
)
def test_a_day_is_written_in_one_way(text, day):
    assert day_of(text) == day

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import quota

DATE = {"Date": "Mon, 02 Nov 2026 08:00:00 GMT"}
NOON = 1793620800  # Mon, 02 Nov 2026 12:00:00 GMT, four hours after DATE


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"RateLimit": '"day";r=0;t=30'}, 30),
        ({"RateLimit": '"hour";r=3;t=30, "day";r=0;t=50;pk=:dXNlcjE=:'}, 50),
        ({"RateLimit": '"a";r=0;t=5,"b";r=0;t=9'}, 9),
        ({"RateLimit": '"day";r=0', "RateLimit-Policy": '"hour";q=9;w=60, "day";q=9;w=90'}, 90),
        ({"RateLimit": '"a,b;r=1";r=0;t=7'}, 7),
        ({"RateLimit": "day;r=0;t=30"}, 30),
        ({"RateLimit": "limit=100, remaining=0, reset=12"}, 12),
        ({"RateLimit-Limit": "10", "RateLimit-Remaining": "0", "RateLimit-Reset": "8"}, 8),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "8"}, 8),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{NOON - 14_390}", **DATE}, 10),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{NOON - 14_390}000", **DATE}, 10),
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": "8", "Retry-After": "3"}, 3),
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": "86400"}, quota.MOST_SECONDS),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{NOON}", **DATE}, 3600),
    ],
)
def test_a_spent_quota_says_when_it_is_there_again(headers, seconds):
    assert quota.spent(headers) == seconds


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Retry-After": "9"},
        {"RateLimit": '"day";r=1;t=30'},
        {"RateLimit": '"day";r=0'},
        {"RateLimit": "limit=100, remaining=7, reset=12"},
        {"RateLimit": "limit=100, remaining=0"},
        {"RateLimit": '";;=,"";r=,0;t'},
        {"RateLimit-Remaining": "5", "RateLimit-Reset": "8"},
        {"RateLimit-Remaining": "0"},
        {"RateLimit-Remaining": "none", "RateLimit-Reset": "8"},
        {"RateLimit-Remaining": "0", "RateLimit-Reset": "soon"},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{NOON}"},
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{NOON - 99_999}", **DATE},
    ],
)
def test_what_is_not_spent_or_until_nobody_knows_when_is_no_rest(headers):
    assert quota.spent(headers) == 0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": "999999999"}, quota.MOST_SECONDS),
        ({"Retry-After": "Mon, 02 Nov 2026 08:00:09 GMT", **DATE}, 9),
        ({"Retry-After": "Mon, 02 Nov 2026 07:00:00 GMT", **DATE}, 0),
        ({"Retry-After": "Mon, 02 Nov 2026 08:00:09 GMT"}, None),
        ({"Retry-After": "soon", **DATE}, None),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_by_the_partners_own_clock(headers, seconds):
    assert quota.retry_after(headers) == seconds


FIELDS = (
    "Date",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
)
PIECES = (
    "0",
    "9" * 5000,
    '"',
    ";",
    ",",
    "=",
    "r=0",
    "t",
    "remaining=0",
    "reset",
    " ",
    "²",
    "-0000",
)
DATES = ("Mon, 01 Jan 0001 00:00:00 -0000", "Mon, 02 Nov 2026 08:00:09 +9999999999")
VALUES = st.lists(st.sampled_from(PIECES), max_size=8).map("".join) | st.sampled_from(DATES)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), VALUES | st.text(string.printable, max_size=30)))
def test_whatever_a_partner_says_it_is_a_bounded_time(headers):
    asked = quota.retry_after(headers)

    assert asked is None or 0 <= asked <= quota.MOST_SECONDS
    assert 0 <= quota.spent(headers) <= quota.MOST_SECONDS

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from credentials import claim
from credentials.flaw import Flaw
from tests.refusal import refused_as

NOW = datetime(2026, 11, 28, 2, tzinfo=UTC)
AT = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("check", "found"),
    [
        *((claim.text, found) for found in (None, "", 1, b"x", "x" * 513, ["x"])),
        *((claim.texts, found) for found in (None, "x", [1], [""], {"x": 1})),
        *((claim.values, found) for found in (None, "x", {}, ())),
        *((claim.members, found) for found in (None, "x", [])),
        *((claim.whole, found) for found in (None, True, "1", 1.0, -1)),
        *((claim.seconds, found) for found in (None, True, "1", -1, 10**400, 253_402_300_800)),
        *((claim.seconds, float(found)) for found in ("nan", "inf", "-inf")),
    ],
)
def test_a_claim_of_another_sort_is_refused(check, found):
    with refused_as(Flaw.MALFORMED):
        check(found)


def test_a_claim_of_its_sort_is_itself():
    assert claim.text("x" * 512) == "x" * 512
    assert claim.texts(["a", "b"]) == ("a", "b")
    assert claim.values([1]) == [1]
    assert claim.members({"a": 1}) == {"a": 1}
    assert claim.whole(0) == 0
    assert claim.seconds(1.5) == 1.5
    assert claim.moment(AT) == NOW


@pytest.mark.parametrize(
    "times",
    [
        {"iat": AT, "exp": AT + 1},
        {"iat": AT + 60, "exp": AT + 61},
        {"iat": AT - 1.5, "exp": AT - 59},
        {"iat": AT, "nbf": AT + 60, "exp": AT + 61},
    ],
)
def test_clocks_may_differ_by_a_minute(times):
    claim.times(times, NOW)


@pytest.mark.parametrize(
    ("times", "flaw"),
    [
        ({"iat": AT + 61, "exp": AT + 90}, Flaw.NOT_YET_VALID),
        ({"iat": AT, "nbf": AT + 61, "exp": AT + 90}, Flaw.NOT_YET_VALID),
        ({"iat": AT - 90, "exp": AT - 60}, Flaw.EXPIRED),
        ({"exp": AT}, Flaw.MALFORMED),
        ({"iat": AT}, Flaw.MALFORMED),
        ({"iat": AT, "exp": str(AT)}, Flaw.MALFORMED),
        ({"iat": AT, "exp": True}, Flaw.MALFORMED),
        ({"iat": AT, "exp": None}, Flaw.MALFORMED),
        ({"iat": AT, "nbf": None, "exp": AT}, Flaw.MALFORMED),
        ({"iat": AT, "exp": float("inf")}, Flaw.MALFORMED),
    ],
)
def test_what_is_early_late_or_no_time_is_refused(times, flaw):
    with refused_as(flaw):
        claim.times(times, NOW)


def test_a_time_that_need_not_be_there_is_checked_if_it_is():
    claim.times({"iat": AT}, NOW, required=["iat"])

    with refused_as(Flaw.EXPIRED):
        claim.times({"iat": AT, "exp": AT - 60}, NOW, required=["iat"])

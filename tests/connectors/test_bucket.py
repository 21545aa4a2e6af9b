import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import bucket


def test_a_full_bucket_gives_its_burst_at_once_and_then_a_token_an_interval():
    one = bucket.Bucket(per_second=10, burst=3)

    assert [one.take(now=100, patience=1) for _ in range(5)] == pytest.approx([0, 0, 0, 0.1, 0.2])


def test_a_token_that_comes_too_late_is_not_taken():
    one = bucket.Bucket(per_second=1, burst=1)
    one.take(now=100, patience=0)

    assert one.take(now=100, patience=0.5) == pytest.approx(1)
    assert one.take(now=101, patience=0) == 0


def test_several_tokens_are_taken_together_or_not_at_all():
    one = bucket.Bucket(per_second=10, burst=5)

    assert one.take(100, 0, tokens=3) == 0
    assert one.take(100, 0, tokens=3) == pytest.approx(0.1)
    assert one.take(100, 0, tokens=2) == 0
    assert one.lacks(100) == pytest.approx(5)
    assert one.lacks(100.2) == pytest.approx(3)


def test_a_bucket_learns_what_others_took():
    one = bucket.Bucket(per_second=10, burst=5)

    one.learn(100, lacking=7)

    assert one.take(100, 0) == pytest.approx(0.3)
    assert one.lacks(100.7) == pytest.approx(0)


@settings(deadline=None)
@given(
    per_second=st.sampled_from([0.5, 3.0, 250.0]),
    burst=st.integers(1, 20),
    gaps=st.lists(st.floats(0, 5), min_size=1, max_size=60),
)
def test_in_no_stretch_of_time_are_there_more_calls_than_the_rate_allows(per_second, burst, gaps):
    one, now, calls = bucket.Bucket(per_second, burst), 0.0, []
    for gap in gaps:
        now += gap
        wait = one.take(now, patience=1.0)
        if wait <= 1.0:
            calls.append(now + wait)

    for first, began in enumerate(calls):
        for last, ended in enumerate(calls[first:], start=first):
            allowed = burst + per_second * (ended - began)
            assert last - first + 1 <= allowed + 1e-6

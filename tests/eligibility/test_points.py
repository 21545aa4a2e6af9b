"""Points: the best of a line's entries, its cap, and what is not known as a span."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eligibility.points import Total
from tests import rules

TABLE = rules.POINTS["merit"].versions[1]
AGE, STANDING, PAY = TABLE.lines


@pytest.mark.parametrize(
    ("age", "points"), [(19, 0), (20, 5), (25, 5), (26, 15), (45, 15), (46, 10), (55, 10), (56, 5)]
)
def test_the_first_band_that_holds_counts_and_none_brings_nought(age, points):
    assert AGE.span({"age": age}) == (points, points)


def test_the_best_entry_of_a_line_counts_and_no_more_than_its_most():
    both = {"employed": True, "degree_level": "DOCTOR"}

    assert STANDING.span(both) == (8, 8)
    assert STANDING.span({"employed": True, "degree_level": "MASTER"}) == (5, 5)
    assert STANDING.span({"employed": False, "degree_level": "MASTER"}) == (3, 3)


def test_what_is_not_known_may_bring_nothing_or_its_most():
    assert AGE.span({}) == (0, 15)
    assert STANDING.span({"degree_level": "MASTER"}) == (3, 5)
    assert STANDING.span({"employed": True, "degree_level": None}) == (5, 8)
    assert TABLE.span({"annual_salary": 500_000}) == (20, 43)


@pytest.mark.parametrize(
    ("low", "high", "known", "truth"),
    [
        (20, None, {"annual_salary": 500_000}, True),
        (21, None, {"annual_salary": 500_000}, None),
        (44, None, {"annual_salary": 500_000}, False),
        (None, 19, {"annual_salary": 500_000}, False),
        (None, 43, {"annual_salary": 500_000}, True),
        (20, 43, {"annual_salary": 500_000}, True),
        (20, 42, {"annual_salary": 500_000}, None),
        (None, None, {}, True),
    ],
)
def test_a_sum_is_compared_as_far_as_it_is_known(low, high, known, truth):
    assert Total(TABLE, low, high).truth(known) is truth


def test_a_table_asks_for_each_fact_once_in_its_order():
    names = [fact.name for fact in TABLE.facts]

    assert names == ["age", "employed", "degree_level", "annual_salary"]


@settings(deadline=None)
@given(st.data())
def test_every_completion_lies_within_the_span(data):
    clause = {"id": "a", "points": "merit", "at_least": 20, "text": rules.SENTENCE}
    tree = rules.read({**clause, "reference": "hub"}).on(date(2026, 1, 1))
    known = data.draw(rules.profiles(tree))

    least, most = TABLE.span(known)

    sums = [TABLE.span(whole)[0] for whole in rules.completions(tree, known)]
    assert all(least <= one <= most for one in sums)


@pytest.mark.parametrize(
    ("known", "reached"),
    [
        ({"age": 30, "employed": True, "degree_level": "DOCTOR", "annual_salary": 0}, "MEDIUM"),
        ({"age": 19, "employed": True, "degree_level": "DOCTOR", "annual_salary": 0}, "LOW"),
        ({"age": 30, "employed": True, "annual_salary": 500_000}, "HIGH"),
        ({"age": 30, "annual_salary": 0}, "MEDIUM"),
        ({"annual_salary": 0}, None),
        ({}, None),
    ],
)
def test_a_class_is_reached_where_no_missing_fact_can_move_it(known, reached):
    found = TABLE.reached(known)

    assert (found and found.value) == reached

"""The tests a clause comes to: their edges, what has no value, and texts as rules compare them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eligibility.condition import NOTHING, Among, Between, Includes, beside, fold


@pytest.mark.parametrize(
    ("low", "high", "holds"),
    [
        (18, None, {17: False, 18: True, 19: True}),
        (None, 18, {17: True, 18: True, 19: False}),
        (18, 60, {17: False, 18: True, 60: True, 61: False}),
        (None, None, {-1: True, 0: True}),
        (date(2024, 2, 29), None, {date(2024, 2, 28): False, date(2024, 2, 29): True}),
        (None, date(2024, 2, 29), {date(2024, 2, 29): True, date(2024, 3, 1): False}),
    ],
)
def test_both_ends_of_a_span_are_in_it(low, high, holds):
    test = Between("fact", low, high)

    assert {value: test.holds(value) for value in holds} == holds


def test_one_of_several_or_none_of_them():
    values = frozenset({"a", NOTHING})

    among, others = Among("fact", values), Among("fact", values, negated=True)

    assert [among.holds(value) for value in ("a", "b", NOTHING)] == [True, False, True]
    assert [others.holds(value) for value in ("a", "b", NOTHING)] == [False, True, False]


def test_a_set_has_a_word_or_lacks_it():
    has, lacks = Includes("fact", "a"), Includes("fact", "a", negated=True)

    for words, truth in ((frozenset(), False), (frozenset("a"), True), (frozenset("ab"), True)):
        assert has.holds(words) is truth
        assert lacks.holds(words) is not truth


def test_what_has_no_value_lies_in_no_span():
    assert not Between("fact", None, None).holds(NOTHING)
    assert Among("fact", frozenset("a"), negated=True).holds(NOTHING)


def test_nought_and_no_and_nothing_are_values_and_none_the_same():
    assert not Among("fact", frozenset({0})).holds(NOTHING)
    assert not Among("fact", frozenset({""})).holds(NOTHING)
    assert Between("fact", 0, 0).holds(0)


@pytest.mark.parametrize(
    ("test", "critical"),
    [
        (Between("fact", 18, 60), {17, 18, 60, 61}),
        (Between("fact"), set()),
        (Among("fact", frozenset("ab")), {"a", "b"}),
        (Includes("fact", "a"), {frozenset("a"), frozenset()}),
    ],
)
def test_the_answer_turns_about_its_critical_values(test, critical):
    assert set(test.critical()) == critical


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Straße", "STRASSE"),
        ("ＦＵＤＡＮ　University", "fudan university"),
        (" Fudan \t University\n", "fudan university"),
        ("é", "e\u0301"),
        ("Å", "å"),
        ("ﬁnance", "finance"),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("㎏", "kg"),
        ("復旦", "復旦"),
    ],
)
def test_texts_that_differ_in_case_width_or_space_are_one(one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("école", "ecole"),
        ("ı", "i"),  # The dotless i is another letter, and so is the dotted capital.
        ("İ", "i"),
        ("复旦", "復旦"),
        ("a b", "ab"),
    ],
)
def test_other_letters_and_accents_stay_apart(one, other):
    assert fold(one) != fold(other)


@given(st.text())
def test_what_is_folded_stays_as_it_is(text):
    assert fold(fold(text)) == fold(text)


def test_days_have_an_end_on_either_side():
    assert beside(date.max, 1) == date.max
    assert beside(date.min, -1) == date.min
    assert beside(date(2024, 2, 28), 1) == date(2024, 2, 29)
    assert beside(date(2026, 1, 1), -1) == date(2025, 12, 31)

"""A person's dated rows on a day: both ends count, the latest start first, silence is not no."""

from datetime import date

import pytest

from eligibility import person as people
from tests import factories

FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)


def a_permit(**given):
    return factories.a_permit(**{"kind": "WORK_PERMIT", "valid_from": FIRST, **given})


def attested(name, value, since=FIRST):
    return factories.an_attestation(name=name, value=value, valid_from=since)


@pytest.mark.parametrize(
    ("on", "held"),
    [
        (date(2024, 12, 31), False),
        (FIRST, True),
        (LAST, True),
        (date(2026, 1, 1), False),
    ],
)
def test_a_row_holds_on_its_first_day_and_on_its_last(on, held):
    row = a_permit(valid_until=LAST)

    assert people.holding([row], on) == ([row] if held else [])


def test_of_several_rows_the_latest_start_comes_first():
    older, newer = a_permit(), a_permit(valid_from=date(2025, 6, 1))

    assert people.holding([older, newer], LAST) == [newer, older]


@pytest.mark.parametrize(
    ("nationality", "rows", "holds"),
    [
        ("SG", [a_permit()], True),
        ("SG", [a_permit(valid_until=FIRST)], False),
        ("SG", [], None),
        (None, [], None),
        ("CN", [], False),
    ],
)
def test_who_was_never_heard_to_hold_a_permit_may_hold_one_unless_a_citizen(
    nationality, rows, holds
):
    person = factories.a_talent(nationality=nationality, permits=rows)

    assert people.holds_permit(person, "WORK_PERMIT", LAST) is holds


@pytest.mark.parametrize(
    ("value", "yes_no", "number", "day"),
    [
        (True, True, None, None),
        (7, None, 7, None),
        ("2024-02-29", None, None, date(2024, 2, 29)),
        ("2023-02-29", None, None, None),
        ("20240229", None, None, None),
        ("never", None, None, None),
    ],
)
def test_what_was_attested_of_another_sort_is_not_known(value, yes_no, number, day):
    person = factories.a_talent(attestations=[attested("it", value)])

    assert people.attested_yes_no(person, "it", LAST) is yes_no
    assert people.attested_number(person, "it", LAST) == number
    assert people.attested_day(person, "it", LAST) == day
    assert people.attested_days(person, "it") == ([day] if day else [])


def test_a_child_of_unknown_age_leaves_a_count_of_nought_open():
    born = factories.a_member(relation="CHILD", birth_date=date(2020, 2, 29))
    unborn = factories.a_member(relation="CHILD", birth_date=None)

    def count(*children, youngest=3, oldest=6):
        person = factories.a_talent(household=list(children))
        return people.children_aged(person, date(2026, 2, 28), youngest, oldest)

    assert count() == 0
    assert count(born) == 1
    assert count(born, unborn) == 1
    assert count(born, unborn, youngest=7, oldest=9) is None
    assert count(born, youngest=6, oldest=9) == 0


def test_a_child_comes_into_a_band_of_ages_and_leaves_it():
    born = factories.a_member(relation="CHILD", birth_date=date(2020, 2, 29))
    spouse = factories.a_member(relation="SPOUSE", birth_date=date(1990, 1, 1))
    person = factories.a_talent(household=[spouse, born])

    assert people.band_days(person, 3, 6) == [date(2023, 3, 1), date(2027, 3, 1)]
    assert people.spouse(person) is spouse
    assert people.spouse(factories.a_talent()) is None


def test_no_day_is_beyond_the_calendar():
    assert people.months_on([date(2024, 1, 31), date(9998, 12, 31)], 12) == [date(2025, 1, 31)]
    assert people.months_on([date(1, 1, 1)], -1) == []

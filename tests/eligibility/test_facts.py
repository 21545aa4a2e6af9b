"""Facts that grow by themselves name the days on which they do; new ones are read as attested."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from eligibility import rulebook
from models import talent
from tests import factories

FACTS = rulebook.known_facts()
GROWING = sorted(name for name, fact in FACTS.items() if fact.reached)
FIRST = date(2024, 1, 1)
LATER = date(2025, 12, 31)


def attested(name, value, since=FIRST, until=None):
    return factories.an_attestation(name=name, value=value, valid_from=since, valid_until=until)


def a_growing_person() -> talent.Talent:
    """Somebody whose days are awkward: leap days, last days of months, two entries."""
    births = (date(2020, 2, 29), date(2008, 6, 30), date(2021, 12, 31))
    return factories.a_talent(
        birth_date=date(1984, 2, 29),
        household=[
            factories.a_member(relation=talent.Relation.CHILD, birth_date=day) for day in births
        ],
        attestations=[
            attested("returned_on", "2023-08-31"),
            attested("arrived_on", "2023-12-30", until=date(2025, 3, 9)),
            attested("arrived_on", "2025-03-10", since=date(2025, 3, 10)),
            attested("working_in_china_since", "2020-02-29"),
        ],
    )


def test_six_facts_grow_by_themselves():
    assert GROWING == [
        "age",
        "children_of_kindergarten_age",
        "children_of_school_age",
        "days_since_arrival",
        "months_since_return",
        "years_working_in_china",
    ]


@pytest.mark.parametrize("name", GROWING)
def test_a_fact_changes_on_no_day_that_it_does_not_name(name):
    person, fact = a_growing_person(), FACTS[name]
    begins = {row.valid_from for row in person.attestations}
    days = [FIRST + timedelta(n) for n in range(4 * 366)]
    values = [fact.known(person, day) for day in days]

    changes = {
        day: value
        for day, before, value in zip(days[1:], values, values[1:], strict=False)
        if value != before and day not in begins
    }

    assert changes
    assert all(day in fact.reached(person, value) for day, value in changes.items())


@pytest.mark.parametrize("name", GROWING)
@pytest.mark.parametrize("number", [-(10**15), -1, 0, 10**15])
def test_no_number_is_beyond_the_calendar(name, number):
    days = list(FACTS[name].reached(a_growing_person(), number))

    assert all(isinstance(day, date) for day in days)


@pytest.mark.parametrize("name", GROWING)
def test_of_what_is_not_known_no_days_are_named(name):
    assert not list(FACTS[name].reached(factories.a_talent(birth_date=None), 3))


@pytest.mark.parametrize(
    ("region", "area"), [("shanghai", "ELSEWHERE"), ("beijing", "ELSEWHERE"), ("anhui", "WEST")]
)
def test_shanghai_and_beijing_are_no_area_with_points_whatever_is_attested(region, area):
    post = factories.an_employment(organisation=factories.an_organisation(region=region))
    person = factories.a_talent(
        employments=[post], attestations=[attested("work_location", "WEST")]
    )

    assert FACTS["work_location"].known(person, date(2026, 1, 1)) == area


@pytest.mark.parametrize("name", ["skill_level", "work_location"])
@pytest.mark.parametrize("value", ["expert", 3, True])
def test_a_word_that_is_none_of_the_facts_own_is_not_known(name, value):
    person = factories.a_talent(attestations=[attested(name, value)])

    assert FACTS[name].known(person, date(2026, 1, 1)) is None


@pytest.mark.parametrize(
    ("on", "years"),
    [(date(2025, 2, 28), 4), (date(2025, 3, 1), 5)],
)
def test_years_of_work_begun_on_a_leap_day_are_whole_on_the_first_of_march(on, years):
    assert FACTS["years_working_in_china"].known(a_growing_person(), on) == years


def test_an_accommodation_registered_before_the_last_arrival_is_registered_no_more():
    known = [attested("accommodation_registered_on", "2025-03-10")]
    arrived = [attested("arrived_on", day) for day in ("2025-03-10", "2025-03-11")]

    read = [
        FACTS["accommodation_registered"].read(factories.a_talent(attestations=rows), LATER)
        for rows in ([], known, [*known, arrived[0]], [*known, arrived[1]])
    ]

    assert read == [None, True, True, False]


def test_a_residence_permit_is_as_long_as_its_last_day_makes_it():
    def months(until):
        held = factories.a_permit(
            kind="RESIDENCE_PERMIT", valid_from=date(2025, 3, 1), valid_until=until
        )
        return FACTS["residence_permit_months"].read(factories.a_talent(permits=[held]), LATER)

    assert [months(date(2026, 2, 27)), months(date(2026, 2, 28)), months(None)] == [11, 12, None]
    assert FACTS["residence_permit_months"].read(factories.a_talent(permits=[]), LATER) is None

"""The work-permit points as they are printed: every band's ends, and the values beside them."""

from __future__ import annotations

import itertools
from datetime import date
from pathlib import Path

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eligibility import rule, rulebook
from eligibility.fact import Kind
from models import menu, source

ROOT = Path(__file__).parents[2]


def _points() -> rule.Points:
    document = source.read(ROOT / "menu" / "points.yaml")
    listed = source.validate(document, pydantic.RootModel[tuple[menu.PointsTable, ...]])
    found, mistakes = rulebook.read({"points": listed.root}, {"points": document}, {})
    assert not mistakes
    return found.points["work-permit"]


POINTS = _points()
TRIAL, PROVISIONAL = POINTS.versions
BOTH = pytest.mark.parametrize("table", POINTS.versions, ids=lambda table: table.version)


def brought(table, line, **known):
    """Return the least and the most points that a line brings."""
    [found] = [one for one in table.lines if one.id == line]
    return found.span(known)


def worth(table, line, **known):
    """Return the points that a line brings where all it asks for is known, else not so."""
    [found] = [one for one in table.lines if one.id == line]
    blank = {entry.fact.name: NOTHING_OF[entry.fact.name] for entry in found.entries}
    least, most = found.span({**blank, **known})
    assert least == most
    return least


#: Of each fact a value that brings no points.
NOTHING_OF = {
    "annual_salary": 0,
    "degree_level": "",
    "skill_level": "NONE",
    "work_years": 0,
    "months_worked_in_china": 0,
    "former_chinese_national": False,
    "degree_taught_in_chinese": False,
    "chinese_level": 0,
    "work_location": "ELSEWHERE",
    "age": 0,
    "school_rank": 101,
    "high_level_foreign_university": False,
    "fortune_500_experience": False,
    "holds_intellectual_property": False,
    "years_working_in_china": 0,
    "local_points": 0,
}

# --- When each version is in force --------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "version"),
    [
        (date(2016, 11, 30), None),
        (date(2016, 12, 1), "trial"),
        (date(2017, 3, 31), "trial"),
        (date(2017, 4, 1), "provisional"),
        (date(2026, 11, 22), "provisional"),
    ],
)
def test_each_day_has_its_version(on, version):
    found = POINTS.on(on)

    assert (found and found.version) == version


@BOTH
def test_all_lines_together_bring_120_points_at_most(table):
    assert sum(line.most for line in table.lines) == 120
    assert table.span({}) == (0, 120)


# --- Line by line -------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("salary", "points"),
    [
        (0, 0),
        (49_999, 0),
        (50_000, 5),
        (69_999, 5),
        (70_000, 8),
        (149_999, 8),
        (150_000, 11),
        (249_999, 11),
        (250_000, 14),
        (349_999, 14),
        (350_000, 17),
        (449_999, 17),
        (450_000, 20),
        (10**15, 20),
    ],
)
def test_pay(table, salary, points):
    assert worth(table, "salary", annual_salary=salary) == points


@BOTH
@pytest.mark.parametrize(("level", "points"), [("BACHELOR", 10), ("MASTER", 15), ("DOCTOR", 20)])
def test_degrees(table, level, points):
    assert worth(table, "education", degree_level=level) == points


@pytest.mark.parametrize(
    ("level", "points"),
    [
        ("NONE", 0),
        ("SENIOR_WORKER", 10),
        ("TECHNICIAN", 15),
        ("SENIOR_TECHNICIAN", 20),
        ("INTERNATIONAL_HIGHEST", 20),
    ],
)
def test_skills_count_in_the_provisional_table_alone(level, points):
    assert worth(PROVISIONAL, "education", skill_level=level) == points
    assert worth(TRIAL, "education", skill_level=level) == 0


@pytest.mark.parametrize(
    ("degree", "skill", "points"),
    [("MASTER", "SENIOR_WORKER", 15), ("BACHELOR", "TECHNICIAN", 15), ("DOCTOR", "TECHNICIAN", 20)],
)
def test_of_degree_and_skill_the_better_one_counts(degree, skill, points):
    assert worth(PROVISIONAL, "education", degree_level=degree, skill_level=skill) == points


@pytest.mark.parametrize("years", range(40))
def test_work_years_bring_5_points_from_two_on_and_one_more_each_year(years):
    points = 0 if years < 2 else 3 + years

    assert worth(TRIAL, "work-years", work_years=years) == min(points, 15)
    assert worth(PROVISIONAL, "work-years", work_years=years) == min(points, 20)


@pytest.mark.parametrize(
    ("years", "trial", "provisional"),
    [(11, 14, 14), (12, 15, 15), (13, 15, 16), (16, 15, 19), (17, 15, 20), (18, 15, 20)],
)
def test_work_years_reach_their_most(years, trial, provisional):
    assert worth(TRIAL, "work-years", work_years=years) == trial
    assert worth(PROVISIONAL, "work-years", work_years=years) == provisional


@BOTH
@pytest.mark.parametrize(
    ("months", "points"),
    [(0, 0), (2, 0), (3, 5), (5, 5), (6, 10), (8, 10), (9, 15), (12, 15)],
)
def test_months_worked_in_china(table, months, points):
    assert worth(table, "work-months", months_worked_in_china=months) == points


@pytest.mark.parametrize("level", range(7))
def test_levels_of_chinese_bring_two_points_each_and_then_one_up_to_the_fifth(level):
    assert worth(TRIAL, "chinese", chinese_level=level) == 2 * min(level, 5)
    assert worth(PROVISIONAL, "chinese", chinese_level=level) == min(level, 5)


def test_a_degree_taught_in_chinese_is_worth_the_whole_line():
    assert worth(TRIAL, "chinese", degree_taught_in_chinese=True) == 10
    assert worth(PROVISIONAL, "chinese", degree_taught_in_chinese=True) == 5


def test_former_chinese_nationals_count_in_the_provisional_table_alone():
    assert worth(PROVISIONAL, "chinese", former_chinese_national=True) == 5
    assert worth(TRIAL, "chinese", former_chinese_national=True) == 0


def test_chinese_brings_no_more_than_its_most_however_often_it_is_proved():
    proofs = {"degree_taught_in_chinese": True, "chinese_level": 6}

    assert worth(TRIAL, "chinese", **proofs) == 10
    assert worth(PROVISIONAL, "chinese", former_chinese_national=True, **proofs) == 5


@BOTH
@pytest.mark.parametrize(
    ("area", "points"),
    [("WEST", 10), ("NORTHEAST_INDUSTRIAL_BASE", 10), ("CENTRAL_POVERTY_COUNTY", 10)],
)
def test_places_of_work(table, area, points):
    assert worth(table, "location", work_location=area) == points


@pytest.mark.parametrize("area", ["OTHER_POVERTY_COUNTY", "SPECIAL_AREA"])
def test_other_poverty_counties_and_special_areas_count_in_the_provisional_table_alone(area):
    assert worth(PROVISIONAL, "location", work_location=area) == 10
    assert worth(TRIAL, "location", work_location=area) == 0


@BOTH
def test_elsewhere_there_are_no_points_for_the_place(table):
    assert brought(table, "location", work_location="ELSEWHERE") == (0, 0)


@pytest.mark.parametrize(
    ("age", "trial", "provisional"),
    [
        (17, 0, 0),
        (18, 10, 10),
        (24, 10, 10),
        (25, 0, 10),
        (26, 15, 15),
        (44, 15, 15),
        (45, 0, 15),
        (46, 10, 10),
        (54, 10, 10),
        (55, 0, 10),
        (56, 5, 5),
        (59, 5, 5),
        (60, 0, 5),
        (61, 0, 0),
        (90, 0, 0),
    ],
)
def test_ages_with_the_gaps_of_the_trial_table(age, trial, provisional):
    assert worth(TRIAL, "age", age=age) == trial
    assert worth(PROVISIONAL, "age", age=age) == provisional


@pytest.mark.parametrize(("rank", "points"), [(1, 5), (100, 5), (101, 0)])
def test_a_school_among_the_first_hundred_counts_in_the_trial_table_alone(rank, points):
    assert worth(TRIAL, "background", school_rank=rank) == points
    assert worth(PROVISIONAL, "background", school_rank=rank) == 0


@pytest.mark.parametrize("fact", ["high_level_foreign_university", "holds_intellectual_property"])
def test_backgrounds_that_count_in_the_provisional_table_alone(fact):
    assert worth(PROVISIONAL, "background", **{fact: True}) == 5
    assert worth(TRIAL, "background", **{fact: True}) == 0


@BOTH
def test_a_fortune_500_company_counts_in_both(table):
    assert worth(table, "background", fortune_500_experience=True) == 5


@pytest.mark.parametrize(("years", "points"), [(4, 0), (5, 5), (6, 5)])
def test_five_years_without_a_break_count_in_the_provisional_table(years, points):
    assert worth(PROVISIONAL, "background", years_working_in_china=years) == points


def test_one_background_is_enough_and_more_bring_no_more():
    trial = {"school_rank": 1, "fortune_500_experience": True}
    provisional = {
        "high_level_foreign_university": True,
        "fortune_500_experience": True,
        "holds_intellectual_property": True,
        "years_working_in_china": 9,
    }

    assert worth(TRIAL, "background", **trial) == 5
    assert worth(PROVISIONAL, "background", **provisional) == 5


@BOTH
@pytest.mark.parametrize("points", range(-1, 13))
def test_local_points_count_as_they_are_up_to_ten(table, points):
    assert worth(table, "local-bonus", local_points=points) == max(0, min(points, 10))


# --- The sum, as far as it is known -------------------------------------------------------------

#: What brings 70 points under the provisional table, whatever age and local bonus bring.
SEVENTY = {
    **NOTHING_OF,
    "annual_salary": 450_000,
    "degree_level": "DOCTOR",
    "work_years": 12,
    "months_worked_in_china": 9,
}


@pytest.mark.parametrize(
    ("age", "local", "least", "most", "reached"),
    [
        (26, 0, 85, 85, "HIGH"),
        (26, None, 85, 95, "HIGH"),
        (18, 4, 84, 84, "MEDIUM"),
        (18, 5, 85, 85, "HIGH"),
        (18, None, 80, 90, None),
        (61, None, 70, 80, "MEDIUM"),
        (None, 0, 70, 85, None),
    ],
)
def test_the_class_is_told_as_soon_as_what_is_unknown_cannot_change_it(
    age, local, least, most, reached
):
    known = {**SEVENTY, "age": age, "local_points": local}

    assert PROVISIONAL.span(known) == (least, most)
    assert PROVISIONAL.reached(known) == reached


@BOTH
@pytest.mark.parametrize(("local", "points", "reached"), [(8, 59, "LOW"), (9, 60, "MEDIUM")])
def test_sixty_points_are_the_line_of_the_medium_class(table, local, points, reached):
    known = {
        **NOTHING_OF,
        "annual_salary": 150_000,
        "degree_level": "MASTER",
        "work_years": 7,
        "months_worked_in_china": 9,
        "local_points": local,
    }

    assert table.span(known) == (points, points)
    assert table.reached(known) == reached


def values_of(fact) -> list:
    """Return values of a fact that show all that the tables tell apart."""
    if fact.kind is Kind.YES_NO:
        return [True, False]
    if fact.kind is Kind.CHOICE:
        return [*fact.choices, ""]  # who has no degree at all has none of these
    entries = [one for table in POINTS.versions for line in table.lines for one in line.entries]
    bands = [band for one in entries if one.fact is fact for band, _ in one.bands]
    return sorted({value for band in bands for value in band.critical()})


@BOTH
@given(data=st.data())
def test_the_span_of_a_line_is_exactly_what_the_unknown_can_make_of_it(table, data):
    line = data.draw(st.sampled_from(table.lines))
    choices = {entry.fact.name: values_of(entry.fact) for entry in line.entries}
    known = data.draw(
        st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in choices.items()})
    )

    complete = [
        line.span(dict(zip(choices, values, strict=True)) | known)
        for values in itertools.product(*choices.values())
    ]

    assert all(least == most for least, most in complete)
    assert line.span(known) == (min(complete)[0], max(complete)[1])

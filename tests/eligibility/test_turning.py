"""A rule turns on the days the calendar says, and on no other: each is held against every day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eligibility import rulebook
from eligibility.condition import NOTHING
from eligibility.single import Judge
from eligibility.turning import Calendar, Turning
from models import demo, dossier
from models.database import Database
from models.talent import Relation
from resolvers import menu as catalogue
from tests import factories, rules
from tests.rules import clause

YEARS = 3
ON = date(2026, 11, 22)


def days_from(on, years):
    return [on + timedelta(number) for number in range(years * 365 + 1)]


def by_every_day(truths, days):
    """Return what the calendar should say, as far as these days go."""
    holding = [day for day in days if truths(day)]
    if not holding:
        return Turning()
    lapsed = (day for day in days if day > holding[0] and not truths(day))
    return Turning(holding[0], next(lapsed, None))


def within(found, last):
    """Return what was found, as far as this day."""
    return Turning(
        *(day if day and day <= last else None for day in (found.holds_from, found.lapses_on))
    )


def turning(tree, person=None, on=ON, **given):
    return Calendar(rules.read(tree)).turning(on, person, given)


# --- One rule for all the days on which it is the same -------------------------------------------


def test_a_rule_is_compiled_anew_where_something_in_it_begins_or_ends():
    found = Calendar(rules.read(clause("a", "annual_salary", at_least={"line": "class-b"})))
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 6, 30)]

    before, first, later = (found.judge(day) for day in days)

    assert first is later
    assert before is not first
    assert [one.truth({"annual_salary": 580_000}) for one in (before, first)] == [True, False]


@pytest.mark.parametrize("condition", [{"within": "P1Y"}, {"is": None}])
def test_a_rule_that_asks_for_a_day_is_kept_for_so_many_days_and_no_more(condition):
    found = Calendar(rules.read(clause("a", "left_on", **condition)))
    first = found.judge(date(2026, 1, 1))

    for day in range(2, 10):
        assert found.judge(date(2026, 1, day)).tree.on == date(2026, 1, day)

    assert found.judge(date(2026, 1, 9)) is found.judge(date(2026, 1, 9))
    assert found.judge(date(2026, 1, 1)) is not first


# --- Each reason for which a rule may turn ------------------------------------------------------


def test_what_holds_already_holds_from_the_day_on():
    assert turning("everyone") == Turning(ON)


def test_what_nobody_knows_does_not_begin_to_hold():
    assert turning(clause("a", "employed")) == Turning()


def test_a_number_that_grows_turns_a_rule_on_the_day_it_comes_to_be_so_many():
    person = factories.a_talent(birth_date=date(2010, 2, 28))

    grown = turning(clause("a", "age", at_least=18), person)
    young = turning(clause("a", "age", at_most=17), person)
    just = turning(clause("a", "age", **{"is": 18}), person)

    assert grown == Turning(date(2028, 2, 28))
    assert young == Turning(ON, date(2028, 2, 28))
    assert just == Turning(date(2028, 2, 28), date(2029, 2, 28))


def test_a_row_turns_a_rule_on_its_first_day_and_on_the_day_after_its_last():
    person = factories.a_talent(
        cards=[factories.a_card(issued_on=date(2027, 1, 1), valid_until=date(2028, 2, 29))]
    )

    found = turning(clause("a", "holds_card"), person)

    assert found == Turning(date(2027, 1, 1), date(2028, 3, 1))


def test_a_period_turns_a_rule_when_it_has_passed():
    lately = turning(clause("a", "arrived_on", within="P1Y"), arrived_on=date(2026, 8, 31))
    soon = turning(clause("a", "arrived_on", within_next="P6M"), arrived_on=date(2027, 8, 31))

    assert lately == Turning(ON, date(2027, 9, 1))
    assert soon == Turning(date(2027, 3, 1), date(2027, 9, 1))


def test_a_rule_turns_with_its_editions_and_with_its_pay_lines():
    editions = turning(
        {
            "editions": [
                {"until": "2026-12-31", "rule": clause("a", "employed")},
                {"since": "2027-03-01", "until": "2027-12-31", "rule": "everyone"},
            ]
        }
    )
    paid = turning(
        clause("a", "annual_salary", at_least={"line": "class-b"}),
        on=date(2025, 6, 1),
        annual_salary=550_000,
    )

    assert editions == Turning(date(2027, 3, 1), date(2028, 1, 1))
    assert paid == Turning(date(2025, 6, 1), date(2026, 1, 1))


def test_a_rule_turns_where_a_number_brings_more_points_and_where_the_table_is_another():
    person = factories.a_talent(birth_date=date(2001, 5, 1))
    few = {"id": "a", "points": "merit", "text": rules.SENTENCE, "reference": "hub"}

    grown = turning(few | {"at_least": 15}, person)
    paid = turning(few | {"at_least": 20}, on=date(2025, 6, 1), age=20, annual_salary=550_000)

    assert grown == Turning(date(2027, 5, 1))
    assert paid == Turning(date(2026, 1, 1))


def test_a_rule_turns_for_what_a_layer_adds_and_for_what_another_rule_asks():
    person = factories.a_talent(birth_date=date(2010, 2, 28))
    layered = {
        "rule": clause("a", "holds_card", **{"is": False}),
        "overrides": [{"since": "2027-01-01", "add": [clause("b", "age", at_least=18)]}],
    }
    zoned = {
        "rule": clause("a", "holds_card", **{"is": False}),
        "overrides": [{"zone": "old-town", "add": [clause("b", "employed")]}],
    }
    there = factories.a_talent(district="xuhui")
    required = {"id": "a", "requires": "course", "text": rules.SENTENCE, "reference": "hub"}

    assert turning(layered, person) == Turning(ON, date(2027, 1, 1))
    assert turning(layered, person, date(2027, 6, 1)) == Turning(date(2028, 2, 28))
    assert turning(zoned, there, date(2025, 6, 1)) == Turning(date(2026, 1, 1))
    assert turning(required, person) == Turning(ON, date(2029, 2, 28))


def test_a_member_of_the_household_grows_as_well():
    person = factories.a_talent(
        household=[factories.a_member(relation=Relation.CHILD, birth_date=date(2022, 3, 1))]
    )
    young = {"fact": "age", "less_than": 6}
    tree = clause("a", "employed") | {"household": "any", "has": [young]}
    del tree["fact"], tree["is"]

    assert turning(tree, person) == Turning(ON, date(2028, 3, 1))


def test_what_is_put_forward_stays_as_it_is():
    person = factories.a_talent(birth_date=date(2010, 2, 28))

    assert turning(clause("a", "age", at_least=18), person, age=17) == Turning()


def test_the_horizon_is_ten_years():
    def of_age(born):
        person = factories.a_talent(birth_date=born)
        return turning(clause("a", "age", at_least=18), person)

    assert of_age(date(2018, 11, 22)) == Turning(date(2036, 11, 22))
    assert of_age(date(2018, 11, 23)) == Turning()


# --- Held against every day ---------------------------------------------------------------------

_days = st.dates(date(2024, 1, 1), date(2027, 12, 31))
_span = st.tuples(_days, st.none() | st.integers(0, 900)).map(
    lambda drawn: {
        "valid_from": drawn[0],
        "valid_until": drawn[1] if drawn[1] is None else drawn[0] + timedelta(drawn[1]),
    }
)
_births = st.none() | st.sampled_from((date(2004, 2, 29), date(2008, 1, 1), date(1966, 6, 30)))
_members = st.builds(
    factories.a_member,
    relation=st.sampled_from(Relation),
    birth_date=st.none() | st.dates(date(2018, 1, 1), date(2021, 12, 31)),
    nationality=st.sampled_from((None, "CN", "AU")),
    owns_home=st.sampled_from((None, True, False)),
)
_people = st.builds(
    factories.a_talent,
    birth_date=_births,
    nationality=st.sampled_from((None, "CN", "AU")),
    employments=st.lists(
        _span.map(lambda span: factories.an_employment(annual_salary=550_000, **span)), max_size=2
    ),
    degrees=st.lists(_days.map(lambda day: factories.a_degree(awarded_on=day)), max_size=2),
    attestations=st.lists(
        _span.map(lambda span: factories.an_attestation(name="granted", value="course", **span)),
        max_size=2,
    ),
    cards=st.lists(
        st.tuples(_days, _days).map(
            lambda ends: factories.a_card(issued_on=min(ends), valid_until=max(ends))
        ),
        max_size=1,
    ),
    household=st.lists(_members, max_size=2),
)
_given = st.fixed_dictionaries(
    {},
    optional={
        "arrived_on": _days,
        "left_on": st.just(NOTHING) | _days,
        "prize": st.sampled_from(("THIRD", "FIRST")),
        "school_name": st.just("ｓtrasse"),
        "employed": st.booleans(),
    },
)


@settings(deadline=None, max_examples=60)
@given(rules.trees(), _people, _given, rules.days)
def test_a_random_rule_turns_when_judging_every_day_says_so(tree, person, known, on):
    rule = rules.read(tree)
    days = days_from(on, 2)

    def holds(day):
        settled = rule.on(day)
        facts = rulebook.facts_of(person, day, settled.facts.values()) | known
        return Judge(settled).truth(facts) is True

    truths = {day: holds(day) for day in days}

    found = Calendar(rule).turning(on, person, known)

    assert within(found, days[-1]) == by_every_day(truths.get, days)


@pytest.mark.any_database
async def test_every_service_turns_for_the_demo_people_when_judging_every_day_says_so(
    furnished_url,
):
    database = Database(furnished_url)
    found = await catalogue.newest(database)
    handles = [demo.handle(number) for number in range(demo.RETURNEE, demo.RESEARCHER + 1)]
    async with database.session() as session:
        people = await dossier.by_handles(session, handles)
    await database.close()
    days = days_from(ON, YEARS)
    facts = list(rulebook.known_facts().values())
    known = [{day: rulebook.facts_of(person, day, facts) for day in days} for person in people]

    turned = 0
    for code, rule in found.rulebook.rules.items():
        judges = {day: Judge(rule.on(day)) for day in days}
        for person, on_day in zip(people, known, strict=True):
            truths = {day: judges[day].truth(on_day[day]) is True for day in days}
            calendar = found.rulebook.calendar(code).turning(ON, person, {})
            expected = by_every_day(truths.get, days)
            assert within(calendar, days[-1]) == expected, (code, person.handle)
            turned += expected not in {Turning(), Turning(ON)}

    assert turned > 20

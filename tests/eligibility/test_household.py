"""What is asked of the members of a household, and of how many of them it holds."""

from datetime import date

import pytest

from eligibility import household
from tests import factories, rules

CHILD = {"fact": "relation", "is": "CHILD"}
YOUNG = {"fact": "age", "less_than": 6}
ON = date(2026, 6, 30)


def holds(members, **asked):
    clause = {"id": "a", **asked, "text": rules.SENTENCE, "reference": "hub"}
    return rules.judge(rules.read(clause), ON).truth({"household": members})


def a_child(age):
    return {"relation": "CHILD", "age": age}


SPOUSE = {"relation": "SPOUSE", "age": None}


@pytest.mark.parametrize(
    ("members", "any_", "all_", "two"),
    [
        (None, None, None, None),
        ((), False, True, False),
        ((SPOUSE,), False, True, False),
        ((a_child(5),), True, True, False),
        ((a_child(6),), False, False, False),
        ((a_child(None),), None, None, False),
        ((a_child(5), a_child(6)), True, False, False),
        ((a_child(5), a_child(None)), True, None, None),
        ((a_child(6), a_child(None)), None, False, False),
        ((a_child(5), a_child(5), a_child(None)), True, None, True),
        (({"relation": None, "age": 5},), None, True, False),
        (({"relation": None, "age": None},), None, None, False),
        (({"age": 6},), False, None, False),
    ],
)
def test_members_are_counted_as_far_as_they_are_known(members, any_, all_, two):
    asked = {"who": [CHILD], "has": [YOUNG]}

    assert holds(members, household="any", **asked) is any_
    assert holds(members, household="all", **asked) is all_
    assert holds(members, household="count", at_least=2, **asked) is two


@pytest.mark.parametrize(
    ("operator", "truths"),
    [
        ({"at_least": 1}, [False, True, True]),
        ({"more_than": 1}, [False, False, True]),
        ({"at_most": 1}, [True, True, False]),
        ({"less_than": 1}, [True, False, False]),
    ],
)
def test_so_many_members_up_to_the_edge(operator, truths):
    households = [(a_child(3),) * many for many in range(3)]

    found = [holds(members, household="count", who=[CHILD], **operator) for members in households]

    assert found == truths


def test_at_most_is_open_while_one_more_may_be_meant():
    assert holds((a_child(3), {}), household="count", who=[CHILD], at_most=1) is None
    assert holds((a_child(3), a_child(3), {}), household="count", who=[CHILD], at_most=1) is False


def test_a_member_is_seen_on_the_day():
    born = factories.a_member(relation="CHILD", birth_date=date(2020, 2, 29), nationality="SG")
    blank = factories.a_member(relation="SPOUSE", birth_date=None, nationality=None, owns_home=True)

    before, after = (
        household.seen([born, blank], day)[0] for day in (date(2026, 2, 28), date(2026, 3, 1))
    )
    spouse = household.seen([born, blank], ON)[1]

    assert (before["age"], after["age"]) == (5, 6)
    assert (after["relation"], after["foreign_national"]) == ("CHILD", True)
    assert (spouse["age"], spouse["foreign_national"]) == (None, None)
    assert (spouse["owns_home"], spouse["had_housing_benefit"]) == (True, None)
    assert list(household.FACTS["age"].reached(born, 6)) == [date(2026, 3, 1)]

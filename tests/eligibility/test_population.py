"""A rule over a whole population says of each what it says of each alone."""

from __future__ import annotations

import itertools
from datetime import date

import pytest

from eligibility import household, population
from eligibility.condition import NOTHING, Among, Between, Includes
from eligibility.household import Counted
from eligibility.single import Judge
from eligibility.tree import EVERYONE, HOUSEHOLD, Group, Leaf, Said, Tree
from models import text
from models.standing import Counts
from tests import rules

DAY = date(2026, 6, 30)


def leaf(name, test):
    return Leaf(Said(name, text.Text(rules.SENTENCE), "hub"), (rules.FACTS[name],), test)


def flag(name="employed"):
    return leaf(name, Among(name, frozenset({True})))


def tree_of(*leaves, least=1):
    return Tree(DAY, Group(least, leaves))


def truths(tree, people):
    frame = population.known(people, [*rules.FACTS.values()])
    return population.truths(frame, population.Judges({"rule": tree}))["rule"].to_list()


def agrees(tree, people):
    judge = Judge(tree)
    return truths(tree, people) == [judge.truth(known) for known in people]


def test_an_unknown_household_is_another_thing_than_an_empty_one():
    child = (Among("relation", frozenset({"CHILD"})),)
    none = tree_of(leaf(HOUSEHOLD, Counted(child, (), None, 0)))
    people = [{}, *({HOUSEHOLD: one} for one in rules.WHOLE_HOUSEHOLDS)]

    assert truths(none, people)[:2] == [None, True]
    assert agrees(none, people)


def test_members_stay_with_their_own_person():
    young = (Between("age", None, 5),)
    tree = tree_of(leaf(HOUSEHOLD, Counted((), young, 1, 1)))
    homes = (*rules.WHOLE_HOUSEHOLDS, *rules.PARTIAL_HOUSEHOLDS)
    people = [{HOUSEHOLD: home} for home in (*homes, *reversed(homes))]

    assert agrees(tree, people)


@pytest.mark.parametrize("negated", [False, True])
@pytest.mark.parametrize("word", ["o'brien", "a|b", "a\\pb", "|", "", "a\0b", "\udc80", "x" * 2000])
def test_texts_and_words_are_compared_as_they_are(word, negated):
    known = [frozenset({word}), frozenset({"a", "b"}), frozenset({word, "z"}), frozenset(), None]
    people = [{"services_granted": one, "school_name": word if one else None} for one in known]

    assert agrees(
        tree_of(leaf("school_name", Among("school_name", frozenset({word}), negated))), people
    )
    assert agrees(tree_of(leaf("school_name", Among("school_name", frozenset(), negated))), people)
    assert agrees(
        tree_of(leaf("services_granted", Includes("services_granted", word, negated))), people
    )


@pytest.mark.parametrize("low", [None, -(10**15), 0, 10**15])
@pytest.mark.parametrize("high", [None, -1, 10**15])
def test_numbers_of_any_size_lie_where_they_lie(low, high):
    numbers = (-(10**30), -(10**15), -1, 0, 1, 10**15, 10**15 + 1, 10**30)
    people = [{}, *({"age": one} for one in numbers)]

    assert agrees(tree_of(leaf("age", Between("age", low, high))), people)


@pytest.mark.parametrize("low", [None, date.min, date(2024, 2, 29)])
@pytest.mark.parametrize("high", [None, date(2024, 2, 29), date.max])
def test_what_has_no_day_lies_between_no_days(low, high):
    days = (NOTHING, None, date.min, date(2024, 2, 28), date(2024, 2, 29), date.max)
    people = [{"left_on": one} for one in days]

    assert agrees(tree_of(leaf("left_on", Between("left_on", low, high))), people)


@pytest.mark.parametrize("least", range(5))
def test_so_many_of_the_parts_in_all_their_truths(least):
    tree = tree_of(
        flag("employed"),
        flag("holds_card"),
        leaf("prize", Among("prize", frozenset({"FIRST"}))),
        least=least,
    )
    values = itertools.product((True, False, None), (True, False, None), ("FIRST", NOTHING, None))
    people = [dict(zip(("employed", "holds_card", "prize"), some, strict=True)) for some in values]

    assert agrees(tree, people)


@pytest.mark.parametrize(
    "node", [EVERYONE, Group(1, ()), Group(0, (), negated=True), leaf("age", None)]
)
def test_what_asks_for_nothing_is_said_of_everybody(node):
    people = [{}, {"employed": True}, {}]

    found = population.counts(population.known(people, []), {"rule": Tree(DAY, node)})

    assert agrees(Tree(DAY, node), people)
    assert found["rule"] in {Counts(3, 0, 0), Counts(0, 3, 0)}


def test_a_deep_rule_is_asked_and_what_stands_in_many_places_is_asked_once():
    deep = many = shared = flag()
    for depth in range(200):
        deep = Group(1 + depth % 2, (deep, flag("holds_card")), negated=depth % 3 == 0)
    for _ in range(24):
        many = Group(2, (many, flag("holds_card"), flag("employed")))
    for _ in range(40):  # As a tree it would have more leaves than there are atoms.
        shared = Group(2, (shared, shared, Group(1, (shared,), negated=True)))
    people = [
        {"employed": one, "holds_card": other}
        for one in (True, False, None)
        for other in (True, False, None)
    ]

    assert agrees(Tree(DAY, deep), people)
    assert agrees(Tree(DAY, many), people)
    assert truths(Tree(DAY, shared), people)[::3] == [True, False, None]


def test_people_are_counted_by_truth_in_one_query_over_many_rules():
    people = [{"employed": True}, {"employed": False}, {}, {"employed": True, "holds_card": False}]
    trees = {
        "work": tree_of(flag()),
        "card": tree_of(flag("holds_card")),
        "all": Tree(DAY, EVERYONE),
    }

    found = population.counts(population.known(people, [*rules.FACTS.values()]), trees)

    assert found == {"work": Counts(2, 1, 1), "card": Counts(0, 1, 3), "all": Counts(4, 0, 0)}
    assert population.counts(population.known(people, []), {}) == {}


def test_moves_are_counted_by_group():
    facts = [rules.FACTS[name] for name in ("employed", "holds_card")]
    columns = {
        "id": [1, 2, 3],
        "employed": [1, 1, None],
        "holds_card": [0, 0, 1],
        "of_class": ["LOW", "LOW", None],
    }
    people = population.frame(facts, columns)

    found = population.moves(
        people, {"rule": (tree_of(flag()), tree_of(flag("holds_card")))}, ["of_class"]
    )

    assert sorted(found["rule"], key=str) == [("LOW", True, False, 2), (None, None, True, 1)]


def test_every_fact_of_a_member_has_its_column():
    seen = dict.fromkeys(household.FACTS)
    people = [{HOUSEHOLD: (seen, {**seen, "relation": "SPOUSE", "age": 40})}]
    spouses = (Among("relation", frozenset({"SPOUSE"})),)

    assert truths(tree_of(leaf(HOUSEHOLD, Counted(spouses, (), 1, None))), people) == [True]
    assert truths(tree_of(leaf(HOUSEHOLD, Counted(spouses, (), 2, None))), people) == [None]

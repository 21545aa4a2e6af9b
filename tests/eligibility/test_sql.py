"""A rule as SQL says of everybody what it says of each alone, in either database."""

from __future__ import annotations

import contextlib
import itertools
from datetime import date

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eligibility import household, reading, sql
from eligibility import standing as forms
from eligibility.condition import NOTHING, Among, Between, Includes
from eligibility.household import Counted
from eligibility.points import Total
from eligibility.single import Judge
from eligibility.tree import HOUSEHOLD, Group, Leaf, Said, Tree
from eligibility.verdict import Outcome
from models import errors, standing, text
from tests import rules

FACTS = tuple(rules.FACTS.values())
MEMBER_FACTS = tuple(household.FACTS.values())
DAY = date(2026, 6, 30)
#: Hypothesis draws many examples for one database, which each of them leaves as it was.
drawn = settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def texts(facts):
    return {one.name: forms.is_text(one) for one in facts}


@pytest.fixture
async def over(database):
    """A standing of the facts of random rules, of nobody yet."""
    found = standing.Standing.of(DAY, "00000000", texts(FACTS), texts(MEMBER_FACTS))
    async with database.begin() as session:
        await standing.keep(session, found, [], [])
    yield found
    async with database.begin() as session:
        await standing.drop(session)


def rows_of(people):
    whole = [
        (number, *forms.codes(known, FACTS), None, None, None)
        for number, known in enumerate(people)
    ]
    members = [
        (number, place, *forms.codes(member, MEMBER_FACTS))
        for number, known in enumerate(people)
        for place, member in enumerate(known.get(HOUSEHOLD) or ())
    ]
    return whole, members


async def truths(database, over, expression, people):
    """What an expression says of these people; they are gone afterwards."""
    async with database.begin() as session:
        await standing.put(session, over, *rows_of(people))
        key = over.people.c.talent_id
        found = (
            await session.scalars(sa.select(expression).select_from(over.people).order_by(key))
        ).all()
        await session.rollback()
    return [None if one is None else bool(one) for one in found]


def judged(tree, people):
    judge = Judge(tree)
    return [judge.truth(known) for known in people]


@st.composite
def crowds(draw):
    """Draw the tree of a rule, and a few dozen people to judge by it."""
    tree = rules.read(draw(rules.trees())).on(draw(rules.days))
    return tree, draw(st.lists(rules.profiles(tree), min_size=1, max_size=40))


@drawn
@given(crowd=crowds())
async def test_sql_says_of_each_what_is_said_of_them_alone(database, over, crowd):
    tree, people = crowd

    found = await truths(database, over, sql.truth(tree, over), people)

    assert found == judged(tree, people)


def leaf(name, test):
    said = Said(name, text.Text(rules.SENTENCE), "hub")
    return Leaf(said, (rules.FACTS[name],), test)


def tree_of(*leaves, least=None):
    return Tree(DAY, Group(len(leaves) if least is None else least, leaves))


async def agrees(database, over, tree, people):
    found = await truths(database, over, sql.truth(tree, over), people)
    return found == judged(tree, people)


@pytest.mark.parametrize("negated", [False, True])
@pytest.mark.parametrize(
    "word", ["'", "%", "_", "|", "\\", "\\p", "\0", "\ud800", "-", "+", "", "a|b", rules.HOSTILE]
)
async def test_a_word_is_compared_as_it_is_whatever_it_has_in_it(database, over, word, negated):
    people = [
        {},
        *({"school_name": one} for one in (word, "other", f"{word}{word}", word.swapcase())),
        *({"services_granted": one} for one in (frozenset(), {word}, {word, "x"}, {f"{word}x"})),
    ]

    for test in (
        Among("school_name", frozenset({word}), negated),
        Among("school_name", frozenset(), negated),
        Includes("services_granted", word, negated),
    ):
        assert await agrees(database, over, tree_of(leaf(test.fact, test)), people)


async def test_letters_of_another_case_are_another_word(database, over):
    test = Includes("services_granted", "Film")
    people = [{"services_granted": frozenset({word})} for word in ("Film", "film", "Films")]

    found = await truths(database, over, sql.truth(tree_of(leaf(test.fact, test)), over), people)

    assert found == [True, False, False]


@pytest.mark.parametrize("low", [None, -(10**15), 0, 10**15])
@pytest.mark.parametrize("high", [None, -1, 10**15])
async def test_numbers_of_any_size_lie_where_they_lie(database, over, low, high):
    numbers = (-(10**30), -(10**15), -1, 0, 1, 10**15, 10**15 + 1, 10**30)
    people = [{}, *({"age": one} for one in numbers)]

    assert await agrees(database, over, tree_of(leaf("age", Between("age", low, high))), people)


@pytest.mark.parametrize("low", [None, date.min, date(2024, 2, 29)])
@pytest.mark.parametrize("high", [None, date(2024, 2, 29), date.max])
async def test_what_has_no_day_lies_between_no_days(database, over, low, high):
    days = (NOTHING, None, date.min, date(2024, 2, 28), date(2024, 2, 29), date.max)
    people = [{"left_on": one} for one in days]

    tree = tree_of(leaf("left_on", Between("left_on", low, high)))

    assert await agrees(database, over, tree, people)


@pytest.mark.parametrize("least", range(5))
async def test_so_many_of_the_parts_in_all_their_truths(database, over, least):
    names = ("employed", "holds_card", "prize")
    wanted = (True, True, "FIRST")
    tests = [Among(*one) for one in zip(names, map(frozenset, zip(wanted)), strict=True)]
    tree = tree_of(*(leaf(test.fact, test) for test in tests), least=least)
    values = (*[(True, False, None)] * 2, ("FIRST", NOTHING, None))
    people = [dict(zip(names, some, strict=True)) for some in itertools.product(*values)]

    assert await agrees(database, over, tree, people)


@pytest.mark.parametrize("words", [7_000, 14_000])
async def test_the_most_parameters_that_are_not_refused_are_asked(database, over, words):
    test = Among("school_name", frozenset(f"school {number}" for number in range(words)))
    tree = tree_of(leaf(test.fact, test))

    async with database.session() as session:
        counts = await standing.counts(session, over, sql.truth(tree, over))

    assert counts == standing.Counts(0, 0, 0)


async def test_every_outcome_has_its_own_people(database, over):
    tree = tree_of(leaf("employed", Among("employed", frozenset({True}))))
    people = [{"employed": True}, {"employed": False}, {}]

    found = {
        outcome: await truths(database, over, sql.holds(outcome, tree, over), people)
        for outcome in Outcome
    }

    assert found == {
        Outcome.ELIGIBLE: [True, False, None],
        Outcome.INELIGIBLE: [False, True, None],
        Outcome.NEEDS_FACTS: [False, False, True],
        Outcome.UNDETERMINED: [False, False, False],
    }


def numbered(many):
    """Clauses that nobody has met yet, each on other words."""
    return [
        leaf("school_name", Among("school_name", frozenset({f"school {number}", "x"})))
        for number in range(many)
    ]


@pytest.mark.parametrize("least", [1, 250, 500])
async def test_the_largest_rule_that_may_be_written_is_asked(database, over, least):
    words = frozenset(f"school {number}" for number in range(1000))
    clauses = [
        *numbered(reading.MOST_CLAUSES - 1),
        leaf("school_name", Among("school_name", words)),
    ]
    people = [{}, {"school_name": "x"}, {"school_name": "school 7"}, {"school_name": "no"}]

    assert await agrees(database, over, tree_of(*clauses, least=least), people)


@pytest.mark.parametrize("negated", [False, True])
async def test_the_deepest_rule_that_may_be_written_is_asked(database, over, negated):
    node = leaf("employed", Among("employed", frozenset({True})))
    for depth in range(reading.MOST_DEPTH):
        node = Group(1 + depth % 2, (node, *numbered(1)), negated=negated)

    assert await agrees(database, over, Tree(DAY, node), [{}, {"employed": True}])


POINTS = Total(rules.POINTS["merit"].on(DAY), 20, 40)
HOME = Counted(
    (Between("age", 1, 5), Among("relation", frozenset({"CHILD"}))),
    (Between("age", 1, 7), Among("owns_home", frozenset({True}))),
    low=1,
    high=3,
    every=True,
)
GROUPS = {
    "any and all": lambda node: Group(1, (Group(2, (node, *numbered(1))), *numbered(1))),
    "none": lambda node: Group(1, (node, *numbered(1)), negated=True),
    "of": lambda node: Group(2, (*numbered(2), node)),
}


@pytest.mark.parametrize("form", GROUPS)
@pytest.mark.parametrize(
    "test", [POINTS, HOME, Between("age", 1, 7)], ids=["points", "household", "fact"]
)
async def test_a_rule_that_is_not_refused_for_its_depth_is_asked(database, over, form, test):
    name = {Total: "age", Counted: HOUSEHOLD}.get(type(test), "age")
    deepest, node = None, leaf(name, test)
    with contextlib.suppress(errors.RuleTooLargeError):
        for _ in range(100):
            sql.truth(Tree(DAY, node), over)
            deepest, node = node, GROUPS[form](node)

    tree = Tree(DAY, deepest)
    assert await agrees(database, over, tree, [{}, {"age": 3, HOUSEHOLD: ()}])
    async with database.session() as session:
        found = [await standing.count(session, over, sql.holds(one, tree, over)) for one in Outcome]
        counts = await standing.counts(session, over, sql.truth(tree, over))
    assert (found, counts) == ([0, 0, 0, 0], standing.Counts(0, 0, 0))


def test_a_rule_that_is_too_large_for_a_database_is_refused(over):
    words = [frozenset(f"{number} {word}" for word in range(1000)) for number in range(40)]
    wide = tree_of(*(leaf("school_name", Among("school_name", some)) for some in words))
    deep, shared = numbered(1)[0], numbered(1)[0]
    for _ in range(100):
        deep, shared = Group(1, (deep,), negated=True), Group(2, (shared, shared))

    for root in (wide.root, deep, shared, tree_of(*numbered(900)).root):
        with pytest.raises(errors.RuleTooLargeError, match="too large"):
            sql.truth(Tree(DAY, root), over)


async def test_nothing_of_a_rule_is_in_the_text_of_a_statement(database, over):
    tests = (Among("district", frozenset({rules.HOSTILE, "x"})),
             Includes("services_granted", rules.HOSTILE))  # fmt: skip
    expression = sql.truth(tree_of(*(leaf(test.fact, test) for test in tests)), over)

    async with database.session() as session:
        dialect = session.get_bind().dialect

    assert "DROP" not in str(expression.compile(dialect=dialect))

"""What a change of rules does to people, and how much of it is told."""

from __future__ import annotations

from dataclasses import astuple
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eligibility.rulebook import Rulebook
from models import errors, talent
from models.standing import Counts
from resolvers import impact
from resolvers.impact import FEWEST, WAYS, Impact, Part, Tally
from resolvers.viewer import Role, Viewer
from tests import catalogue as small
from tests import factories, rules

OFFICER = Viewer(Role.OFFICER, "officer")
GROUPS = ("HIGH", "MEDIUM", "LOW", "other", None)
few = st.one_of(st.just(0), st.integers(0, 30), st.integers(0, 3000))
tallies = st.dictionaries(
    st.sampled_from(GROUPS), st.builds(Tally, few, few, few, few, few), max_size=len(GROUPS)
)


def told(part):
    return {way: people for way, people in part.told.items() if people is not None}


@given(found=tallies)
def test_no_part_tells_of_fewer_than_ten_but_everybody_together(found):
    parts = impact.parts(found)

    if len(parts) > 1:
        assert not [part for part in parts for people in told(part).values() if 0 < people < FEWEST]


@given(found=tallies)
def test_each_group_stands_in_one_part_and_nobody_is_lost(found):
    parts = impact.parts(found)

    assert sorted(map(str, found)) == sorted(str(name) for part in parts for name in part.groups)
    for part in parts:
        whole = Tally.sum(found[name] for name in part.groups)
        assert part.tally.people == whole.people
        assert told(part) == {way: getattr(whole, way) for way in told(part)}


@given(found=tallies)
def test_what_few_do_in_all_is_told_of_no_part_and_does_not_follow_from_the_rest(found):
    whole = Tally.sum(found.values())
    rare = {way for way in WAYS[:-1] if 0 < getattr(whole, way) < FEWEST}

    for part in impact.parts(found):
        assert set(WAYS) - set(told(part)) == (rare | {"stays"} if rare else set())


def test_few_are_told_with_the_next_smallest_groups_until_they_are_many():
    found = {
        "a": Tally(gains=3, stays=50),
        "b": Tally(gains=12, stays=80),
        "c": Tally(gains=4, stays=90),
        "d": Tally(gains=40, stays=900),
    }

    parts = impact.parts(found)

    assert parts == (
        Part(("d",), found["d"]),
        Part(("a", "c", "b"), Tally(gains=19, stays=220)),
    )


def test_one_small_group_takes_another_with_it():
    found = {"a": Tally(gains=3, stays=50), "b": Tally(gains=30, stays=80)}

    assert impact.parts(found) == (Part(("a", "b"), Tally(gains=33, stays=130)),)
    assert impact.parts({}) == ()


def test_each_person_goes_one_way():
    truths = (True, False, None)
    moves = [
        impact.Move("LOW", None, "changning", before, after, 1)
        for before in truths
        for after in truths
    ]

    tally = Tally.of(moves)

    assert astuple(tally) == (2, 1, 1, 2, 3)
    assert tally.people == len(moves)


def a_rule(*parts):
    return {"all": [{**part, "text": rules.SENTENCE, "reference": "hub"} for part in parts]}


CARD = {"id": "card", "fact": "holds_card", "is": True}
HERE = {"id": "here", "fact": "district", "is": "changning"}
TEXT = """eligibility:
  id: here
  fact: district
  is: changning
  text: {en: Lives here, zh: 居住在本区}
  reference: hub
"""


@pytest.fixture
def menu(catalogue_of):
    """A service for card holders, one for those who may have it and live here, one for everyone."""
    both = {
        "all": [{"id": "first", "requires": "first", "text": rules.SENTENCE, "reference": "hub"}]
    }
    return catalogue_of(
        small.a_service("first", eligibility=a_rule(CARD)),
        small.a_service("second", eligibility=both),
        small.a_service("third"),
    )


@pytest.fixture
async def people(database):
    """Twelve here, one in Minhang; nobody holds a card."""
    async with database.begin() as session:
        session.add_all(factories.a_talent() for _ in range(12))
        session.add(factories.a_talent(district="minhang", talent_class=talent.TalentClass.HIGH))


async def test_another_rule_is_told_with_those_that_build_on_it(context_of, menu, database, people):
    context = context_of(OFFICER, menu, database)

    first, second = await impact.of_rule(context, "first", TEXT)

    assert (first.service, second.service) == ("first", "second")
    assert (first.before, first.after) == (Counts(0, 13, 0), Counts(12, 1, 0))
    assert first.tally == second.tally == Tally(gains=12, stays=1)
    assert [fact.name for fact in first.asks] == ["district"]
    assert [fact.name for fact in first.drops] == ["holds_card"]
    # One who stays is too few to be told by district, and takes the other district along.
    assert first.by_district == (Part(("minhang", "changning"), Tally(gains=12, stays=1)),)


async def test_the_rule_in_force_changes_nothing_for_anybody(context_of, menu, database, people):
    context = context_of(OFFICER, menu, database)

    [same] = await impact.of_rule(context, "third", "eligibility: everyone")

    assert same.tally == Tally(stays=13)
    assert same.plain()["asks"] == []


async def test_a_rule_that_was_asked_for_on_another_day_is_no_other(
    context_of, menu, database, people
):
    context = context_of(OFFICER, menu, database)
    for code in menu.rulebook.rules:
        menu.rulebook.judge(code, context.today - timedelta(days=1))

    found = await impact.of_rule(context, "first", TEXT)

    assert [one.service for one in found] == ["first", "second"]


async def test_the_database_tells_what_judging_one_by_one_does(context_of, menu, database, people):
    context = context_of(OFFICER, menu, database)

    found = await impact.of_rule(context, "first", TEXT)

    after = impact.proposed(menu, "first", TEXT)
    judge = after.judge("second", context.today)
    districts = ["changning"] * 12 + ["minhang"]
    held = [judge.truth({"district": district}) for district in districts]
    assert found[1].after == Counts(held.count(True), held.count(False), held.count(None))


@pytest.mark.parametrize(
    ("viewer", "wrong"),
    [(Viewer(), errors.UnauthenticatedError), (Viewer(Role.HOLDER, "h"), errors.ForbiddenError)],
)
async def test_only_those_who_look_after_people_may_ask(context_of, menu, viewer, wrong):
    with pytest.raises(wrong):
        await impact.of_rule(context_of(viewer, menu), "first", TEXT)


async def test_a_service_that_is_not_there_is_named_with_the_nearest(context_of, menu):
    with pytest.raises(errors.UnknownCodeError) as refused:
        await impact.of_rule(context_of(OFFICER, menu), "frist", TEXT)

    assert refused.value.nearest == ("first",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("all: []", ["first.yaml:1: all: There is no key “all”.", "This is no rule."]),
        ("", ["first.yaml:1: This is no rule."]),
        ("- eligibility", ["first.yaml:1: This is no rule."]),
        ("eligibility: [", ["first.yaml:1: This is not YAML"]),
        (TEXT.replace("fact: district", "fact: distrikt"), ["Did you mean “district”?"]),
        (
            TEXT.replace("is: changning", "at_least: 3").replace("id: here", "id: HERE"),
            ["first.yaml:2: eligibility.id:", "first.yaml:4: eligibility.at_least:"],
        ),
        ("eligibility: everyone\ncode: third", ["first.yaml:2: code: There is no key “code”."]),
    ],
)
def test_every_mistake_of_a_proposed_rule_is_told_with_its_place(menu, text, said):
    with pytest.raises(errors.MistakesError) as refused:
        impact.proposed(menu, "first", text)

    for sentence in said:
        assert sentence in str(refused.value)


def test_a_service_that_comes_or_goes_is_for_nobody_before_or_after(menu, catalogue_of, today):
    more = catalogue_of(*[one.model_dump() for one in menu.lists.services], small.a_service("new"))

    came = impact.changed(menu.rulebook, more.rulebook, today)
    went = impact.changed(more.rulebook, menu.rulebook, today)

    assert [*came] == [*went] == ["new"]
    moves = [impact.Move(None, None, "changning", before=False, after=True, people=20)]
    assert Impact.of("new", *came["new"], moves).tally == Tally(gains=20)


def test_nothing_changes_between_a_menu_and_itself(menu, today):
    assert impact.changed(menu.rulebook, Rulebook.of(menu.lists), today) == {}

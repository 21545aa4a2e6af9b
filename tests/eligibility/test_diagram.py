"""What would turn a verdict: every smallest set of facts, proved by changing exactly it."""

import asyncio
import itertools
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eligibility.condition import NOTHING
from eligibility.diagram import Diagram, EntangledError
from eligibility.single import Judge
from models import turns
from tests import rules
from tests.rules import SENTENCE, clause, judge, read

DAY = date(2026, 6, 30)
FACTS = tuple(name for name in rules.FACTS if name != "household")
A, B = clause("a", "employed"), clause("b", "holds_card")
SAID = {"id": "a", "text": SENTENCE, "reference": "hub"}
#: A busy machine is no failure.
unhurried = settings(deadline=None)


def alternatives(tree, known, day=DAY):
    """Return what would turn a verdict: fact to example, set by set."""
    found = judge(read(tree), day).alternatives(known)
    return [{one.fact.name: one.example for one in changes} for changes in found]


def turned(tree, known, day=DAY):
    """Return the clauses that would be otherwise, set by set."""
    found = judge(read(tree), day).alternatives(known)
    return [
        [(reason.said.id, reason.truth) for one in changes for reason in one.clauses]
        for changes in found
    ]


@pytest.mark.parametrize(
    ("tree", "known", "expected"),
    [
        ({"all": [A, B]}, {"employed": True, "holds_card": False}, [{"holds_card": True}]),
        ({"all": [A, B]}, {}, [{"employed": True, "holds_card": True}]),
        ({"any": [A, B]}, {}, [{"employed": True}, {"holds_card": True}]),
        (
            {"any": [A, B]},
            {"employed": True},
            [{"employed": False, "holds_card": False}],
        ),
        ({"none": [A, B]}, {"employed": True, "holds_card": False}, [{"employed": False}]),
        (
            {"of": [A, B, clause("c", "age", at_least=18)], "at_least": 2},
            {"employed": True, "holds_card": False, "age": 3},
            [{"holds_card": True}, {"age": 18}],
        ),
        ("everyone", {}, []),
    ],
)
def test_every_smallest_set_that_turns_the_verdict_is_told(tree, known, expected):
    assert alternatives(tree, known) == expected


@pytest.mark.parametrize(
    ("condition", "fact", "known", "example"),
    [
        ({"at_most": 100}, "age", 101, 100),
        ({"at_most": 100}, "age", 100, 101),
        ({"less_than": 12}, "age", 13, 11),
        ({"more_than": 12}, "age", 3, 13),
        ({"is_not": 12}, "age", 12, 11),
        ({"at_least": "MASTER"}, "degree_level", "BACHELOR", "MASTER"),
        ({"since": "2024-02-29"}, "arrived_on", date(2020, 1, 1), date(2024, 2, 29)),
        ({"until": "2024-02-29"}, "arrived_on", date(2024, 3, 1), date(2024, 2, 29)),
        ({"is": None}, "left_on", DAY, NOTHING),
        ({"is_not": None}, "left_on", NOTHING, DAY),
        ({"is": "Fudan"}, "school_name", "tongji", "fudan"),
        ({"is_not": "Fudan"}, "school_name", "fudan", None),
        ({"not_in": ["xuhui"]}, "district", "xuhui", None),
        ({"lacks": "course"}, "services_granted", frozenset({"course", "x"}), frozenset({"x"})),
        ({"includes": "course"}, "services_granted", frozenset("x"), frozenset({"course", "x"})),
        ({"includes": "course"}, "services_granted", None, frozenset({"course"})),
    ],
)
def test_the_example_is_the_nearest_the_rule_names_and_none_where_any_other_would_do(
    condition, fact, known, example
):
    assert alternatives(clause("a", fact, **condition), {fact: known}) == [{fact: example}]


def test_a_set_of_words_changes_as_one():
    tree = {
        "all": [
            {**SAID, "excludes": "course"},
            {**SAID, "id": "b", "excludes": "lodging"},
            A | {"id": "c"},
        ]
    }
    both = {"services_granted": frozenset({"course", "lodging", "film"}), "employed": False}

    assert alternatives(tree, both) == [{"services_granted": frozenset({"film"}), "employed": True}]
    assert turned(tree, both) == [[("a", True), ("b", True), ("c", True)]]


def test_what_is_asked_about_a_household_changes_without_an_example():
    child = {"fact": "relation", "is": "CHILD"}
    tree = {**SAID, "household": "any", "who": [child]}

    assert alternatives(tree, {"household": ()}) == [{"household": None}]
    assert turned(tree, {"household": ()}) == [[("a", True)]]
    assert alternatives(tree, {"household": ({"relation": None},)}) == [{"household": None}]


def test_points_change_with_what_they_are_counted_by():
    tree = {**SAID, "points": "merit", "at_least": 20}
    known = {"age": 30, "employed": False, "degree_level": "BACHELOR", "annual_salary": 0}

    assert alternatives(tree, known) == [
        {"employed": True},
        {"degree_level": "DOCTOR"},
        {"annual_salary": 500_000},
    ]
    assert turned(tree, known) == [[("a", True)]] * 3


def test_points_that_stay_on_their_side_are_no_part_of_the_change():
    tree = {"any": [{**SAID, "points": "merit", "at_least": 40}, clause("b", "employed")]}
    known = {"age": 30, "employed": False, "degree_level": "BACHELOR", "annual_salary": 0}

    assert alternatives(tree, known)[0] == {"employed": True}
    assert turned(tree, known)[0] == [("b", True)]


def test_what_is_not_in_force_has_no_alternative():
    tree = {"any": [clause("a", "annual_salary", at_least={"line": "class-b"}), B]}
    known = {"annual_salary": 10, "holds_card": False}

    assert alternatives(tree, known, date(2024, 1, 1)) == [{"holds_card": True}]
    assert alternatives(tree, known) == [{"annual_salary": 596_832}, {"holds_card": True}]


@pytest.mark.parametrize(
    ("tree", "constant"),
    [
        ("everyone", True),
        (A, None),
        ({"any": [A, clause("c", "employed", **{"is": False})]}, True),
        ({"all": [clause("a", "age", at_least=18), clause("b", "age", less_than=18)]}, False),
        ({"any": [clause("a", "age", at_least=18), clause("b", "age", at_most=18)]}, True),
        (clause("a", "prize", at_least="THIRD"), None),
        (clause("a", "degree_level", **{"in": ["BACHELOR", "MASTER", "DOCTOR", None]}), True),
        ({**SAID, "points": "merit", "at_least": 44}, False),
        ({**SAID, "points": "merit", "at_least": 43}, None),
        ({**SAID, "points": "merit", "at_least": 0}, True),
    ],
)
def test_a_rule_that_says_the_same_of_everybody_is_known_for_it(tree, constant):
    assert Diagram(read(tree).on(DAY)).constant is constant


def test_two_rules_that_mean_the_same_have_one_diagram():
    one = {"none": [clause("a", "age", less_than=18), clause("b", "employed", **{"is": False})]}
    other = {"all": [clause("c", "age", more_than=17), clause("d", "employed")]}

    drawn = [Diagram(read(tree).on(DAY)) for tree in (one, other)]

    assert [one.tells for one in drawn[0].variables] != []
    assert drawn[0].constant is drawn[1].constant is None
    assert alternatives(one, {}) == alternatives(other, {})


def test_a_reading_leaves_nothing_behind():
    found = Diagram(read({**SAID, "points": "merit", "at_least": 20}).on(DAY))
    before = sizes(found._nodes)

    for age, employed in itertools.product((None, 30, 50), (None, True, False)):
        found.deciding({"age": age, "employed": employed})
        found.alternatives({"age": age, "employed": employed}, to=True)

    assert sizes(found._nodes) == before


def sizes(nodes):
    return len(nodes), len(nodes._made), len(nodes._chosen)


async def test_two_readings_at_the_same_time_say_what_each_does_alone():
    found = Diagram(read(entangled(20)).on(DAY))
    people = [{"services_granted": frozenset(f"a{n}" for n in range(many))} for many in (3, 5)]
    known = [{**one, "age": 30} for one in people]
    alone = [found.alternatives(one, to=True) for one in known]

    async def read_of(one):
        return await turns.piecemeal(lambda: found.alternatives(one, to=True))

    assert await asyncio.gather(*map(read_of, known)) == alone


def entangled(many):
    """A rule that holds where half of so many words are there; it takes many steps to draw."""
    parts = [clause(f"a{n}", "services_granted", includes=f"a{n}") for n in range(many)]
    return {"of": [*parts, clause("grown", "age", at_least=18)], "at_least": many // 2}


class CountedDiagram(Diagram):
    """A diagram that counts how often it begins to sum points."""

    sums = 0

    def _summed(self, points, place, had, memo):
        self.sums += place == 0
        return super()._summed(points, place, had, memo)


def test_a_sum_that_stands_in_several_places_is_summed_once():
    leaf = {**SAID, "points": "merit", "at_least": 20}
    plain = {"all": [leaf, clause("b", "employed")]}
    layered = {"rule": plain, "overrides": [{"zone": "west", "drop": ["b"]}]}

    assert CountedDiagram(read(layered).on(DAY)).sums == 1


def test_facts_that_can_no_longer_turn_a_sum_are_not_gone_through():
    often = Diagram(read({**SAID, "points": "merit", "at_least": 43}).on(DAY))
    never = Diagram(read({**SAID, "points": "merit", "at_least": 44}).on(DAY))

    assert often._nodes._steps > 0
    assert never._nodes._steps == 0


def words(many):
    """A rule on so many words of a set, of which no two are asked for alike."""
    parts = [
        {
            "all": [
                clause(f"a{n}", "services_granted", includes=f"a{n}"),
                clause(f"b{n}", "services_granted", includes=f"b{n}"),
            ]
        }
        for n in range(many)
    ]
    return {"any": parts}


def crossed(many):
    """A rule whose words are asked for in pairs of which the halves stand far apart."""
    first = [
        {**SAID, "id": f"a{n}", "household": "any", "has": [{"fact": "age", "is": n}]}
        for n in range(many)
    ]
    second = [clause(f"b{n}", "services_granted", includes=f"b{n}") for n in range(many)]
    order = {"none": [*first, *second]}
    pairs = [
        {"all": [{**one, "id": f"x{n}"}, {**other, "id": f"y{n}"}]}
        for n, (one, other) in enumerate(zip(first, second, strict=True))
    ]
    return {"any": [order, *pairs]}


@pytest.mark.parametrize("tree", [words(76), crossed(40)], ids=["facts", "nodes"])
def test_a_rule_too_entangled_to_be_explained_is_judged_all_the_same(tree):
    found = judge(read(tree), DAY)

    with pytest.raises(EntangledError):
        Diagram(found.tree)

    assert found.diagram is None
    assert found.is_drawn

    verdict = found.judge({"household": ()})
    assert verdict.missing == ("services_granted",)
    assert found.alternatives({}) == []


@unhurried
@given(rules.cases(FACTS, most=5))
def test_every_alternative_turns_the_verdict_and_no_part_of_it_does(case):
    tree, known = case
    found = Judge(tree)
    to = found.truth(known) is not True

    for changes in found.alternatives(known):
        examples = {one.fact.name: one.example for one in changes if one.example is not None}
        if len(examples) < len(changes):
            continue  # Any value but those named would do; there is none to try.
        for many in range(len(changes) + 1):
            for some in itertools.combinations(examples, many):
                after = {**known, **{name: examples[name] for name in some}}
                truths = {found.truth(whole) for whole in rules.completions(tree, after)}
                if truths:
                    assert (truths == {to}) is (many == len(changes))


@unhurried
@given(rules.cases(FACTS[:4], most=5))
def test_no_smallest_set_is_left_out(case):
    tree, known = case
    found = Judge(tree)
    to = found.truth(known) is not True
    told = {frozenset(one.fact.name for one in some) for some in found.alternatives(known)}

    smallest = set()
    for many in range(len(tree.facts) + 1):
        for names in map(frozenset, itertools.combinations(tree.facts, many)):
            if not any(other <= names for other in smallest) and turned_by(
                tree, known, names, to=to
            ):
                smallest.add(names)

    assert told == smallest - {frozenset()}


def turned_by(tree, known, names, *, to):
    """Return whether some values of these facts make the rule so, whatever is not known."""
    found = Judge(tree)
    for some in itertools.product(*(rules.values(tree, name) for name in names)):
        after = {**known, **dict(zip(names, some, strict=True))}
        if all(found.truth(whole) is to for whole in rules.completions(tree, after, 10**6)):
            return True
    return False


@unhurried
@given(rules.cases(FACTS, most=5))
def test_the_diagram_says_of_everybody_what_the_rule_does(case):
    tree, _ = case
    found = Judge(tree)

    truths = {found.truth(whole) for whole in rules.completions(tree, {})}

    if truths:
        assert found.diagram.constant is (truths.pop() if len(truths) == 1 else None)


@unhurried
@given(rules.cases(complete=True), st.booleans())
def test_a_turned_clause_is_another_than_it_was(case, forget):
    tree, known = case
    found = Judge(tree)

    for changes in found.alternatives({} if forget else known):
        assert changes
        for one in changes:
            assert len({id(reason.said) for reason in one.clauses}) == len(one.clauses)

"""A rule is judged in three truths: unknown is not no, and the reasons are what decided."""

import itertools
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eligibility import reading, rulebook
from eligibility.single import Judge
from eligibility.tree import Leaf
from eligibility.verdict import Outcome, Verdict
from tests import rules
from tests.rules import SENTENCE, clause, judge, read

DAY = date(2026, 6, 30)
#: Three yes-or-no facts stand for the parts of a group.
YES_NO = ("employed", "holds_card", "has_spouse")
#: Without the household, whose members are not completed one by one.
FACTS = tuple(name for name in rules.FACTS if name != "household")
SAID = {"id": "a", "text": SENTENCE, "reference": "hub"}
#: A busy machine is no failure.
unhurried = settings(deadline=None)


def a_judge(tree, day=DAY):
    return judge(read(tree), day)


def told(verdict):
    return [(one.said.id, one.truth) for one in verdict.reasons]


def facts_of(tree, reasons):
    """Return the names of the facts that these reasons rest on."""
    ids = {one.said.id for one in reasons}

    def asked(node, within):
        inside = within or (node.said is not None and node.said.id in ids)
        if isinstance(node, Leaf):
            return {fact.name for fact in node.facts} if inside else set()
        return {name for part in node.parts for name in asked(part, inside)}

    return asked(tree.root, within=False)


def expected(word, truths):
    """Kleene's tables, written out by hand apart from the code."""
    yes, maybe = truths.count(True), truths.count(True) + truths.count(None)
    if word == "two":
        return True if yes >= 2 else None if maybe >= 2 else False
    if word == "all":
        return False if False in truths else None if None in truths else True
    either = True if yes else None if maybe else False
    if word == "any":
        return either
    return None if either is None else not either


@pytest.mark.parametrize("truths", list(itertools.product([True, False, None], repeat=3)))
@pytest.mark.parametrize("word", ["all", "any", "none", "two"])
def test_a_group_follows_the_table_of_its_word(word, truths):
    facts = {name: rulebook.known_facts()[name] for name in YES_NO}
    library = reading.Library(facts)
    parts = [clause(name.replace("_", "-"), name) for name in YES_NO]
    group = {"of": parts, "at_least": 2} if word == "two" else {word: parts}
    found = judge(read(group, library), DAY)
    known = dict(zip(YES_NO, truths, strict=True))

    verdict, truth = found.judge(known), expected(word, truths)

    assert found.truth(known) is truth
    assert (
        verdict.outcome
        is {
            True: Outcome.ELIGIBLE,
            False: Outcome.INELIGIBLE,
            None: Outcome.NEEDS_FACTS,
        }[truth]
    )
    # The reasons are the parts with the one truth that decided, in the order of the rule.
    deciding = truth if truth is None else truth is (word != "none")
    names = [name for name, one in known.items() if one is deciding]
    assert told(verdict) == [(name.replace("_", "-"), deciding) for name in names]
    assert verdict.missing == (tuple(names) if truth is None else ())


def test_only_the_clauses_that_decided_are_reasons_at_every_depth():
    found = a_judge(
        {
            "all": [
                clause("employed", "employed"),
                {"any": [clause("card", "holds_card"), clause("grown", "age", at_least=18)]},
                {"none": [clause("lodged", "services_granted", includes="lodging")]},
            ]
        }
    )
    known = {"employed": True, "holds_card": False, "age": 18, "services_granted": frozenset()}

    eligible = found.judge(known)
    lodged = found.judge(known | {"services_granted": frozenset({"lodging"})})
    open_still = found.judge(known | {"age": None})

    assert told(eligible) == [("employed", True), ("grown", True), ("lodged", False)]
    assert (lodged.outcome, told(lodged)) == (Outcome.INELIGIBLE, [("lodged", True)])
    assert (told(open_still), open_still.missing) == ([("grown", None)], ("age",))


def test_a_fact_asked_for_twice_is_missing_once():
    found = a_judge({"all": [clause("a", "age", at_least=18), clause("b", "age", at_most=60)]})

    verdict = found.judge({})

    assert told(verdict) == [("a", None), ("b", None)]
    assert verdict.missing == ("age",)


def test_only_what_may_still_decide_is_missing():
    found = a_judge(
        {
            "any": [
                {"all": [clause("a", "age", at_least=60), clause("b", "employed")]},
                {"all": [clause("c", "age", less_than=60), clause("d", "holds_card")]},
            ]
        }
    )

    assert found.judge({"age": 60}).missing == ("employed",)
    assert found.judge({"age": 59}).missing == ("holds_card",)
    assert found.judge({}).missing == ("age", "employed", "holds_card")
    assert found.judge({"employed": True, "holds_card": True}).missing == ("age",)


def test_where_no_value_may_decide_all_that_is_not_known_is_missing():
    anything = {"in": ["UNIVERSITY", "RESEARCH_INSTITUTE", "ENTERPRISE"]}

    assert a_judge(clause("a", "employer_kind", **anything)).judge({}).missing == ("employer_kind",)


def test_a_clause_that_holds_of_everybody_is_not_asked_for_beside_one_that_does_not():
    anything = {"in": ["UNIVERSITY", "RESEARCH_INSTITUTE", "ENTERPRISE", None]}
    found = a_judge({"all": [clause("a", "employer_kind", **anything), clause("b", "employed")]})

    assert found.judge({}).missing == ("employed",)


def test_a_silent_partner_leaves_a_verdict_undetermined_and_is_named():
    found = a_judge({"all": [clause("employed", "employed"), clause("card", "holds_card")]})
    silent = {"employed": "the-register"}

    undetermined = found.judge({"holds_card": True}, silent)
    needs_facts = found.judge({}, silent)
    settled = found.judge({"holds_card": False}, silent)

    assert undetermined.outcome is Outcome.UNDETERMINED
    assert (undetermined.missing, undetermined.silent) == ((), ("the-register",))
    assert needs_facts.outcome is Outcome.NEEDS_FACTS
    assert (needs_facts.missing, needs_facts.silent) == (("holds_card",), ("the-register",))
    assert (settled.outcome, told(settled)) == (Outcome.INELIGIBLE, [("card", False)])


def test_everyone_is_eligible_for_no_reason():
    assert a_judge("everyone").judge({}) == Verdict(Outcome.ELIGIBLE)


@unhurried
@given(rules.cases(FACTS))
def test_a_definite_verdict_never_turns_whatever_the_missing_facts_are(case):
    tree, known = case
    found = Judge(tree)
    truth = found.truth(known)

    truths = {found.truth(whole) for whole in rules.completions(tree, known)}

    assert None not in truths
    if truth is not None:
        assert truths <= {truth}


@unhurried
@given(st.data())
def test_who_tells_all_of_a_household_gets_a_definite_verdict(data):
    tree, known = data.draw(rules.cases(complete=True))

    assert Judge(tree).truth(known) is not None


@unhurried
@given(st.data())
def test_a_household_known_in_part_is_never_judged_otherwise_than_in_whole(data):
    tree, known = data.draw(rules.cases(rules.OURS, complete=True))
    members = known.get("household", ())
    forgotten = [
        {name: value if data.draw(st.booleans()) else None for name, value in member.items()}
        for member in members
    ]

    truth = Judge(tree).truth({**known, "household": tuple(forgotten)})

    assert truth in {None, Judge(tree).truth(known)}


@unhurried
@given(rules.cases(FACTS, most=5))
def test_missing_is_what_may_still_decide_and_nothing_else(case):
    tree, known = case
    found = Judge(tree)
    missing = found.judge(known).missing
    free = [name for name in tree.facts if known.get(name) is None]

    beside = {}
    for whole in rules.completions(tree, known):
        for name in free:
            others = tuple(whole[other] for other in free if other != name)
            beside.setdefault((name, others), set()).add(found.truth(whole))
    deciding = {name for (name, _), truths in beside.items() if len(truths) == 2}

    assert len(missing) == len(set(missing))
    if found.truth(known) is not None:
        assert missing == ()
    elif deciding:
        assert set(missing) == deciding
    else:
        assert missing
        assert set(missing) <= set(free)


@unhurried
@given(rules.cases())
def test_the_reasons_alone_decide(case):
    tree, known = case
    found = Judge(tree)
    verdict = found.judge(known)

    asked = facts_of(tree, verdict.reasons)
    only = found.truth({name: value for name, value in known.items() if name in asked})

    if found.truth(known) is not None:
        assert only is found.truth(known)
    else:
        assert {one.truth for one in verdict.reasons} == {None}


@unhurried
@given(rules.cases(), st.sampled_from(sorted(rules.FACTS)))
def test_a_partner_that_falls_silent_makes_a_verdict_less_certain_and_never_another(case, name):
    tree, known = case
    found = Judge(tree)
    before = found.judge(known)

    after = found.judge({**known, name: None}, {name: "the-register"})

    assert name not in after.missing
    if after.outcome in {Outcome.ELIGIBLE, Outcome.INELIGIBLE}:
        assert after.outcome is before.outcome


@unhurried
@given(rules.trees(), rules.days, st.data())
def test_turned_round_twice_a_rule_says_the_same(tree, day, data):
    whole = (
        tree if isinstance(tree, str) or not {"rule", "city", "editions"} & tree.keys() else None
    )
    if whole is None or whole == "everyone":
        return
    plain, twice = read(whole), read({"none": [{"none": [whole]}]})
    known = data.draw(rules.profiles(plain.on(day)))

    assert judge(twice, day).judge(known) == judge(plain, day).judge(known)

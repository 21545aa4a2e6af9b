"""Rules are judged in three truths: unknown is not no, and the reasons are what decided."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eligibility import rule, rulebook
from eligibility.verdict import Outcome, Reason, Verdict
from models import source

FACTS = rulebook.known_facts()
SENTENCE = {"en": "It holds", "zh": "成立"}

#: Three yes-or-no facts stand for the parts of a group.
YES_NO = ("employed", "holds_card", "has_spouse")
#: Every fact that generated rules ask for, with values to know it as.
VALUES = {
    **dict.fromkeys(YES_NO, (True, False)),
    "age": (17, 18, 60),
    "degree_level": ("BACHELOR", "MASTER", "DOCTOR"),
    "employer_kind": ("UNIVERSITY", "ENTERPRISE"),
}
CONDITIONS = [
    *[(name, {"is": value}) for name in YES_NO for value in (True, False)],
    *[("age", {word: 18}) for word in ("at_least", "at_most", "more_than", "less_than", "is_not")],
    *[("degree_level", {word: "MASTER"}) for word in ("at_least", "at_most", "is")],
    ("employer_kind", {"in": ["ENTERPRISE"]}),
    ("employer_kind", {"not_in": ["UNIVERSITY", "RESEARCH_INSTITUTE"]}),
]


def clause(clause_id, fact, condition=None):
    asked = {"is": True} if condition is None else condition
    return {"id": clause_id, "fact": fact, **asked, "text": SENTENCE, "reference": "hub"}


def document(tree):
    return source.Document("rule.yaml", {"eligibility": tree}, None)


def a_rule(tree):
    found, mistakes = rule.parse(document(tree), ("eligibility",), FACTS)
    assert mistakes == []
    return found


def sentences_of(tree):
    found, mistakes = rule.parse(document(tree), ("eligibility",), FACTS)
    assert found is None
    return [
        (one.path.removeprefix("eligibility"), f"{one.sentence} {one.hint}") for one in mistakes
    ]


def numbered(shape):
    """A tree of groups and conditions as a rule, its clauses called c0, c1, …"""
    count = itertools.count()

    def node(part):
        if part[0] in {"all", "any", "none"}:
            return {part[0]: [node(inner) for inner in part[1]]}
        return clause(f"c{next(count)}", *part)

    return node(shape)


TREES = st.recursive(
    st.sampled_from(CONDITIONS),
    lambda parts: st.tuples(
        st.sampled_from(["all", "any", "none"]), st.lists(parts, min_size=1, max_size=4)
    ),
    max_leaves=12,
).map(numbered)
KNOWN = st.fixed_dictionaries(
    {name: st.sampled_from((None, *values)) for name, values in VALUES.items()}
)
#: A busy machine is no failure.
unhurried = settings(deadline=None)
COMPLETION = st.fixed_dictionaries({name: st.sampled_from(VALUES[name]) for name in VALUES})


def expected(word, truths):
    """Kleene's tables, written out by hand apart from the code."""
    if word == "all":
        if False in truths:
            return Outcome.INELIGIBLE
        return Outcome.NEEDS_FACTS if None in truths else Outcome.ELIGIBLE
    if True in truths:
        return Outcome.ELIGIBLE if word == "any" else Outcome.INELIGIBLE
    if None in truths:
        return Outcome.NEEDS_FACTS
    return Outcome.INELIGIBLE if word == "any" else Outcome.ELIGIBLE


@pytest.mark.parametrize("truths", list(itertools.product([True, False, None], repeat=3)))
@pytest.mark.parametrize("word", ["all", "any", "none"])
def test_a_group_follows_the_table_of_its_word(word, truths):
    found = a_rule({word: [clause(name.replace("_", "-"), name) for name in YES_NO]})

    verdict = found.judge(dict(zip(YES_NO, truths, strict=True)))

    assert verdict.outcome is expected(word, truths)
    # The reasons are the parts with the one truth that decided, in the order of the rule.
    deciding = {
        ("all", Outcome.INELIGIBLE): False,
        ("all", Outcome.ELIGIBLE): True,
        ("any", Outcome.INELIGIBLE): False,
        ("any", Outcome.ELIGIBLE): True,
        ("none", Outcome.INELIGIBLE): True,
        ("none", Outcome.ELIGIBLE): False,
    }.get((word, verdict.outcome))
    told = [name for name, truth in zip(YES_NO, truths, strict=True) if truth is deciding]
    assert verdict.reasons == tuple(Reason(name.replace("_", "-"), deciding) for name in told)
    assert verdict.missing == (tuple(told) if deciding is None else ())


def test_only_the_clauses_that_decided_are_reasons_at_every_depth():
    found = a_rule(
        {
            "all": [
                clause("employed", "employed"),
                {"any": [clause("card", "holds_card"), clause("listed", "listed_in_database")]},
                {"none": [clause("home", "owns_home_in_city"), clause("spouse", "has_spouse")]},
            ]
        }
    )
    known = {
        "employed": True,
        "holds_card": False,
        "listed_in_database": True,
        "owns_home_in_city": False,
        "has_spouse": False,
    }

    eligible = found.judge(known)
    married = found.judge(known | {"has_spouse": True})
    open_still = found.judge(known | {"listed_in_database": None})

    assert eligible == Verdict(
        Outcome.ELIGIBLE,
        (
            Reason("employed", truth=True),
            Reason("listed", truth=True),
            Reason("home", truth=False),
            Reason("spouse", truth=False),
        ),
    )
    assert married == Verdict(Outcome.INELIGIBLE, (Reason("spouse", truth=True),))
    assert open_still == Verdict(
        Outcome.NEEDS_FACTS, (Reason("listed", truth=None),), ("listed_in_database",)
    )


def test_a_fact_asked_for_twice_is_missing_once():
    found = a_rule(
        {
            "all": [
                clause("of-age", "age", {"at_least": 18}),
                clause("young", "age", {"at_most": 60}),
            ]
        }
    )

    verdict = found.judge({})

    assert [reason.clause for reason in verdict.reasons] == ["of-age", "young"]
    assert verdict.missing == ("age",)


def test_everyone_may_have_what_has_no_conditions():
    found = a_rule("everyone")

    assert found.judge({}) == Verdict(Outcome.ELIGIBLE)
    assert found.facts == ()


def test_a_silent_partner_leaves_a_verdict_undetermined_and_is_named():
    found = a_rule({"all": [clause("employed", "employed"), clause("card", "holds_card")]})
    silent = {"employed": "the-register"}

    undetermined = found.judge({"holds_card": True}, silent)
    needs_facts = found.judge({}, silent)
    settled = found.judge({"holds_card": False}, silent)

    assert undetermined.outcome is Outcome.UNDETERMINED
    assert (undetermined.missing, undetermined.silent) == ((), ("the-register",))
    assert needs_facts.outcome is Outcome.NEEDS_FACTS
    assert (needs_facts.missing, needs_facts.silent) == (("holds_card",), ("the-register",))
    assert settled == Verdict(Outcome.INELIGIBLE, (Reason("card", truth=False),))


@unhurried
@given(TREES, KNOWN, COMPLETION)
def test_a_definite_verdict_never_turns_whatever_the_missing_facts_are(tree, known, completion):
    found = a_rule(tree)
    whole = {name: completion[name] if value is None else value for name, value in known.items()}

    before, after = found.judge(known).outcome, found.judge(whole).outcome

    assert after in {Outcome.ELIGIBLE, Outcome.INELIGIBLE}
    if before is not Outcome.NEEDS_FACTS:
        assert after is before


@unhurried
@given(TREES, KNOWN)
def test_the_reasons_alone_decide(tree, known):
    found = a_rule(tree)
    verdict = found.judge(known)

    asked = {found.clauses[reason.clause].fact.name for reason in verdict.reasons}
    only = found.judge({name: value for name, value in known.items() if name in asked})

    if verdict.outcome is not Outcome.NEEDS_FACTS:
        assert only.outcome is verdict.outcome


@unhurried
@given(TREES, KNOWN, st.sampled_from(sorted(VALUES)))
def test_a_partner_that_falls_silent_makes_a_verdict_less_certain_and_never_another(
    tree, known, name
):
    found = a_rule(tree)
    before = found.judge(known).outcome

    after = found.judge(known | {name: None}, {name: "the-register"}).outcome

    if after in {Outcome.ELIGIBLE, Outcome.INELIGIBLE}:
        assert after is before


@pytest.mark.parametrize(
    ("operator", "holds"),
    [
        ("at_least", {17: False, 18: True, 19: True}),
        ("at_most", {17: True, 18: True, 19: False}),
        ("more_than", {17: False, 18: False, 19: True}),
        ("less_than", {17: True, 18: False, 19: False}),
        ("is", {17: False, 18: True, 19: False}),
        ("is_not", {17: True, 18: False, 19: True}),
    ],
)
def test_a_number_is_compared_up_to_the_edge(operator, holds):
    found = a_rule(clause("age", "age", {operator: 18}))

    assert {age: found.clauses["age"].truth({"age": age}) for age in holds} == holds
    assert found.clauses["age"].truth({"age": None}) is None


def test_ordered_words_are_compared_by_their_order_and_not_their_letters():
    at_least = a_rule(clause("degree", "degree_level", {"at_least": "MASTER"})).clauses["degree"]

    truths = {level: at_least.truth({"degree_level": level}) for level in VALUES["degree_level"]}

    assert truths == {"BACHELOR": False, "MASTER": True, "DOCTOR": True}


def test_a_word_is_sought_among_several():
    among = a_rule(clause("kind", "employer_kind", {"in": ["UNIVERSITY"]})).clauses["kind"]
    beside = a_rule(clause("kind", "employer_kind", {"not_in": ["UNIVERSITY"]})).clauses["kind"]

    for kind, truth in (("UNIVERSITY", True), ("ENTERPRISE", False)):
        assert among.truth({"employer_kind": kind}) is truth
        assert beside.truth({"employer_kind": kind}) is not truth


def test_a_rule_asks_for_each_fact_once_in_its_order():
    found = a_rule(
        {
            "any": [
                clause("a", "has_spouse"),
                clause("b", "age", {"at_least": 18}),
                clause("c", "has_spouse", {"is": False}),
            ]
        }
    )

    assert [fact.name for fact in found.facts] == ["has_spouse", "age"]


def without(key):
    tree = clause("a", "employed")
    del tree[key]
    return tree


@pytest.mark.parametrize(
    ("tree", "path", "sentence"),
    [
        ("nobody", "", "`everyone`, a group"),
        ({"all": []}, ".all", "at least one part"),
        ({"all": "employed"}, ".all", "at least one part"),
        ({"all": [clause("a", "employed")], "any": []}, "", "stands alone"),
        ({"any": [7]}, ".any[0]", "A rule is"),
        (without("id"), ".id", "an id of lower-case letters"),
        (clause("A b", "employed"), ".id", "an id of lower-case letters"),
        (without("fact"), ".fact", "no fact “None”"),
        (clause("a", "emploied"), ".fact", "no fact “emploied”. Did you mean “employed”"),
        (without("is"), "", "exactly one of"),
        (clause("a", "employed") | {"is_not": True}, "", "exactly one of"),
        (without("reference"), ".reference", "names the source"),
        (clause("a", "employed") | {"reference": " "}, ".reference", "names the source"),
        (without("text"), ".text", "under `en` and `zh`"),
        (clause("a", "employed") | {"text": {"en": "x"}}, ".text", "missing in: zh"),
        (clause("a", "employed") | {"text": {"zh": "是"}}, ".text", "under `en` and `zh`"),
        (clause("a", "employed") | {"txet": 1}, ".txet", "no key “txet”. Did you mean “text”"),
        (clause("a", "employed", {"at_least": True}), ".at_least", "has no order"),
        (clause("a", "employer_kind", {"more_than": "UNIVERSITY"}), ".more_than", "has no order"),
        (clause("a", "employed", {"is": "yes"}), ".is", "“yes” is no value of `employed` (yes/no)"),
        (clause("a", "age", {"at_least": True}), ".at_least", "no value of `age` (number)"),
        (clause("a", "age", {"is": [18]}), ".is", "no value of `age`"),
        (clause("a", "employer_kind", {"in": "UNIVERSITY"}), ".in", "a list with at least one"),
        (clause("a", "employer_kind", {"in": []}), ".in", "a list with at least one"),
        (clause("a", "employer_kind", {"in": ["UNIVERSTY"]}), ".in", "Did you mean “UNIVERSITY”"),
    ],
)
def test_a_mistake_in_a_rule_is_told_with_its_path(tree, path, sentence):
    ((told_path, told),) = sentences_of(tree)

    assert told_path == path
    assert sentence in told


def test_every_mistake_of_a_rule_is_told_at_once():
    wrong_twice = clause("a", "emploied", {"is": 1}) | {"text": {"en": "x"}}

    told = sentences_of({"all": [wrong_twice, clause("a", "holds_card"), {"any": []}]})

    assert [path for path, _ in told] == [
        ".all[0].fact",
        ".all[0].text",
        ".all[1].id",
        ".all[2].any",
    ]

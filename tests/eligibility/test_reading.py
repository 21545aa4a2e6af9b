"""Rules are read whole: every mistake at once, each with its path and what would be right."""

import dataclasses

import pytest

from eligibility import reading
from eligibility.condition import NOTHING
from models import errors, source
from tests import rules
from tests.rules import SENTENCE, clause, mistakes, read

SAID = {"id": "a", "text": SENTENCE, "reference": "hub"}
CHILD = {"fact": "relation", "is": "CHILD"}
A = clause("a", "employed")
B = clause("b", "holds_card")


def without(key):
    return {name: value for name, value in A.items() if name != key}


def edition(**given):
    return {"editions": [{"rule": A, **given}]}


def override(**given):
    return {"rule": {"all": [A, B]}, "overrides": [given]}


def household(**asks):
    return {**SAID, "household": "any", **asks}


@pytest.mark.parametrize(
    ("tree", "path", "sentence"),
    [
        # Groups.
        ("nobody", "", "`everyone`, a group"),
        (None, "", "`everyone`, a group"),
        ({"all": []}, ".all", "at least one part"),
        ({"all": "employed"}, ".all", "at least one part"),
        ({"all": [A], "any": []}, "", "stands alone: `all` has other keys"),
        ({"all": [A], "at_least": 1}, "", "stands alone"),
        ({"any": [7]}, ".any[0]", "A rule is"),
        ({"of": [A]}, "", "`at_least`, a number from 1 to 1"),
        ({"of": [A, B], "at_least": 3}, "", "`at_least`, a number from 1 to 2"),
        ({"of": [A, B], "at_least": 0}, "", "`at_least`, a number from 1 to 2"),
        ({"of": [A, B], "at_least": True}, "", "`at_least`, a number from 1 to 2"),
        # What a clause says.
        (without("id"), ".id", "an id of lower-case letters"),
        (A | {"id": "A b"}, ".id", "an id of lower-case letters"),
        (A | {"id": "a" * 81}, ".id", "an id of lower-case letters"),
        ({"all": [A, A]}, ".all[1].id", "Two clauses of this rule are called “a”"),
        (without("reference"), ".reference", "names the source"),
        (A | {"reference": " "}, ".reference", "names the source"),
        (without("text"), ".text", "under `en` and `zh`"),
        (A | {"text": {"en": "x"}}, ".text", "missing in: zh"),
        (A | {"text": {"zh": "是"}}, ".text", "under `en` and `zh`"),
        (A | {"text": {"en": "x" * 2001, "zh": "是"}}, ".text", "at most 2000 characters"),
        (A | {"txet": 1}, ".txet", "no key “txet”. Did you mean “text”"),
        # What it asks.
        (A | {"points": "merit"}, "", "asks one of: `fact`, `points`"),
        (SAID, "", "asks one of: `fact`, `points`"),
        (A | {"who": []}, ".who", "no key “who”"),
        ({"al": [A]}, ".al", "no key “al”. Did you mean “all”"),
        (SAID | {"fcat": "employed", "is": True}, ".fcat", "no key “fcat”. Did you mean “fact”"),
        (without("is"), "", "exactly one of: is, is_not"),
        (A | {"is_not": True}, "", "exactly one of"),
        (clause("a", "emploied"), ".fact", "no fact “emploied”. Did you mean “employed”"),
        (clause("a", "employed", at_least=True), ".at_least", "has no order"),
        (clause("a", "employer_kind", more_than="ENTERPRISE"), ".more_than", "has no order"),
        (clause("a", "school_name", since="2024-01-01"), ".since", "is a text: `since` cannot"),
        (clause("a", "services_granted"), ".is", "`is` cannot be asked"),
        (clause("a", "household"), ".is", "the members of a household: `is` cannot be asked"),
        (
            clause("a", "employed", **{"is": "yes"}),
            ".is",
            "“yes” is no value of `employed` (yes/no)",
        ),
        (clause("a", "employed", **{"is": None}), ".is", "“None” is no value"),
        (clause("a", "employed", **{"is": 1}), ".is", "“1” is no value"),
        (clause("a", "age", at_least=True), ".at_least", "no value of `age` (a whole number)"),
        (clause("a", "age", at_least=18.5), ".at_least", "no value of `age`"),
        (clause("a", "age", at_least="18"), ".at_least", "no value of `age`"),
        (clause("a", "age", at_least=10**15 + 1), ".at_least", "no value of `age`"),
        (clause("a", "age", **{"is": [18]}), ".is", "no value of `age`"),
        (clause("a", "prize", at_least=None), ".at_least", "“None” is no value of `prize`"),
        (clause("a", "school_name", **{"is": "x" * 2001}), ".is", "no value of `school_name`"),
        (clause("a", "services_granted", includes=""), ".includes", "no value"),
        (clause("a", "services_granted", includes=["course"]), ".includes", "no value"),
        (clause("a", "employer_kind", **{"in": "UNIVERSITY"}), ".in", "a list with at least one"),
        (clause("a", "employer_kind", **{"in": []}), ".in", "a list with at least one"),
        (clause("a", "employer_kind", **{"in": ["UNIVERSTY"]}), ".in", "mean “UNIVERSITY”"),
        (clause("a", "age", **{"in": list(range(1001))}), ".in", "at most 1000 values"),
        (clause("a", "left_on", since="2023-02-29"), ".since", "(a day such as 2024-02-29)"),
        (clause("a", "left_on", **{"is": "20240229"}), ".is", "a day such as"),
        (clause("a", "left_on", since=None), ".since", "“None” is no value"),
        (clause("a", "left_on", within="1Y"), ".within", "“1Y” is no period such as P1Y"),
        (clause("a", "left_on", within=None), ".within", "no period"),
        (
            clause("a", "annual_salary", at_least={"line": "class-c"}),
            ".at_least.line",
            "no pay line",
        ),
        (clause("a", "annual_salary", at_least={"lien": 1}), ".at_least", "written `{line: code}`"),
        (clause("a", "annual_salary", **{"is": {"line": "class-b"}}), ".is", "no value"),
        ({**SAID, "points": "merits", "at_least": 1}, ".points", "Did you mean “merit”"),
        ({**SAID, "points": "merit"}, "", "a whole number under one of: at_least"),
        ({**SAID, "points": "merit", "at_least": "1"}, "", "a whole number under one of"),
        ({**SAID, "points": "merit", "at_least": 1, "is": 1}, ".is", "no key “is”"),
        (household(), "", "says `who` is meant"),
        (household(household="al", who=[CHILD]), ".household", "one of: any, all, count"),
        (household(household=["any"], who=[CHILD]), ".household", "one of: any, all, count"),
        (household(who=CHILD), ".who", "a list of conditions"),
        (household(who=["CHILD"]), ".who[0]", "a `fact` and an operator"),
        (household(who=[{"fact": "employed", "is": True}]), ".who[0].fact", "no fact “employed”"),
        (household(who=[CHILD | {"id": "x"}]), ".who[0].id", "no key “id”"),
        (household(who=[CHILD], at_least=2), "", "Only `household: count`"),
        (household(household="count", who=[CHILD]), "", "a whole number under one of"),
        ({**SAID, "requires": "cours"}, ".requires", "no service “cours”. Did you mean “course”"),
        ({**SAID, "excludes": ["course"]}, ".excludes", "no service"),
        # Editions and layers.
        ({"editions": []}, ".editions", "at least one edition"),
        ({"editions": {}}, ".editions", "at least one edition"),
        ({"editions": [A]}, ".editions[0]", "An edition has a `rule`"),
        ({"editions": [{"rule": A}], "since": "2024-01-01"}, ".since", "no key “since”"),
        (edition(sinc="2024-01-01"), ".editions[0].sinc", "mean “since”"),
        (edition(since="2024-13-01"), ".editions[0].since", "no day such as 2024-02-29"),
        (edition(since=None), ".editions[0].since", "no day such as 2024-02-29"),
        (edition(since="2024-01-02", until="2024-01-01"), ".editions[0].until", "before `since`"),
        (edition(city="residence"), ".editions[0].city", "not both"),
        ({"city": "residance"}, ".city", "no city rule “residance”. Did you mean “residence”"),
        ({"rule": A, "overrides": {}}, ".overrides", "`overrides` is a list"),
        ({"rule": A, "overrides": [7]}, ".overrides[0]", "replaces, drops or adds"),
        (override(zone="west"), ".overrides[0]", "replaces, drops or adds"),
        (
            override(drop=["a"], zone="est"),
            ".overrides[0].zone",
            "no zone “est”. Did you mean “west”",
        ),
        (override(drop=["a"], dropp=[]), ".overrides[0].dropp", "mean “drop”"),
        (override(drop=[]), ".overrides[0].drop", "is a list of at least one"),
        (override(drop="a"), ".overrides[0].drop", "is a list of at least one"),
        (override(drop=["aa"]), ".overrides[0].drop[0]", "no clause “aa”"),
        (override(add=clause("c", "employed")), ".overrides[0].add", "is a list of at least one"),
        (override(add=[A]), ".overrides[0].add[0].id", "called “a”"),
        (override(replace=[A]), ".overrides[0].replace", "has, by their ids, at least one"),
        (override(replace={"x": A}), ".overrides[0].replace.x", "no clause “x”"),
        (override(replace={"a": B}), ".overrides[0].replace.a.id", "called “b”"),
        (override(replace={"a": A}, drop=["a"]), ".overrides[0].drop", "“a” is replaced as well"),
    ],
)
def test_a_mistake_in_a_rule_is_told_with_its_path(tree, path, sentence):
    ((told_path, told),) = mistakes(tree)

    assert told_path == path
    assert sentence in told


def test_every_mistake_of_a_rule_is_told_at_once():
    wrong_twice = clause("a", "emploied", **{"is": 1}) | {"text": {"en": "x"}}

    told = mistakes({"all": [wrong_twice, A, {"any": []}]})

    assert [path for path, _ in told] == [
        ".all[0].text",
        ".all[0].fact",
        ".all[1].id",
        ".all[2].any",
    ]


def test_two_editions_may_not_hold_on_one_day():
    first = {"until": "2025-12-31", "rule": A}

    beside = {"editions": [first, {"since": "2026-01-01", "rule": A}]}
    over = {"editions": [first, {"since": "2025-12-31", "rule": A}]}

    assert len(read(beside).editions) == 2
    assert mistakes(over) == [(".editions[1]", "Two editions hold on the same day. ")]


def test_a_rule_has_at_most_so_many_clauses_with_those_it_requires():
    many = [clause(f"c{n}", "employed") for n in range(reading.MOST_CLAUSES)]
    requiring = {**SAID, "id": "last", "requires": "course"}

    assert read({"all": many}).size == reading.MOST_CLAUSES
    for more in (clause("last", "employed"), requiring):
        tree = {"all": [*many[: -1 if more is requiring else None], more, clause("z", "employed")]}
        ((path, told),) = mistakes(tree)
        assert path.startswith(f".all[{reading.MOST_CLAUSES - (more is requiring)}]")
        assert "at most 500 clauses" in told


def test_groups_stand_in_each_other_so_deep_and_no_deeper():
    def nested(depth):
        tree = A
        for _ in range(depth):
            tree = {"none": [tree]}
        return tree

    read(nested(reading.MOST_DEPTH))
    ((_, told),) = mistakes(nested(reading.MOST_DEPTH + 400))

    assert "24 deep" in told


def test_a_rule_is_another_in_so_many_zones_and_no_more():
    (zone, *_) = rules.ZONES.values()
    codes = [f"zone-{n}" for n in range(reading.MOST_ZONES + 1)]
    zones = {code: dataclasses.replace(zone, code=code) for code in codes}
    library = dataclasses.replace(rules.LIBRARY, zones=zones)
    overrides = [{"zone": code, "drop": ["a"]} for code in codes]

    read({"rule": A, "overrides": overrides[1:]}, library)
    ((path, told),) = mistakes({"rule": A, "overrides": overrides}, library)

    assert (path, told) == (".overrides", "A rule is another in at most 4 zones. ")


def test_a_service_whose_rule_cannot_be_required_says_why():
    def refuses(code):
        raise reading.RequireError("A rule cannot require itself.")

    requiring = {**SAID, "requires": "course"}
    broken = dataclasses.replace(rules.LIBRARY, service=lambda _: None)
    circular = dataclasses.replace(rules.LIBRARY, service=refuses)

    assert mistakes(requiring, broken) == [(".requires", "The rule of that service has mistakes. ")]
    assert mistakes(requiring, circular) == [(".requires", "A rule cannot require itself. ")]


def test_a_library_without_services_has_none():
    assert reading.Library(rules.FACTS).service("course") is None


def test_null_is_known_to_be_none_where_a_fact_may_be_none():
    found = read(clause("a", "left_on", **{"is": None})).clauses["a"]

    assert found.asks.operand is NOTHING


def test_a_text_is_compared_as_it_is_folded():
    found = read(clause("a", "school_name", **{"in": ["  ＦＵＤＡＮ  School", "Straße"]}))

    assert found.clauses["a"].asks.operand == ("fudan school", "strasse")


def test_a_hostile_name_is_shown_shortened_and_nothing_else():
    ((_, told),) = mistakes(clause("a", "x" * 1_000_000))

    assert len(told) < 300


def test_a_mistake_is_told_at_its_line():
    document = source.parse(
        "eligibility:\n  all:\n    - fact: emploied\n      is: true\n", "a.yaml"
    )

    _, wrong = reading.parse(document, ("eligibility",), rules.LIBRARY)

    assert {(one.line, one.path) for one in wrong} >= {(3, "eligibility.all[0].fact")}
    assert all(isinstance(one, errors.Mistake) for one in wrong)

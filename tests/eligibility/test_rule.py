"""What a rule comes to on a day: its operators, editions, layers, zones and what it requires."""

from datetime import date

import pytest

from eligibility.condition import NOTHING
from eligibility.rule import NOT_IN_FORCE, Span
from eligibility.tree import EVERYONE, Group, Layer, Level
from eligibility.verdict import Outcome
from tests import rules
from tests.rules import SENTENCE, clause, judge, read

DAY = date(2026, 6, 30)
A, B, C = clause("a", "employed"), clause("b", "holds_card"), clause("c", "age", at_least=18)
SAID = {"id": "a", "text": SENTENCE, "reference": "hub"}


def truths(condition, fact, values, day=DAY):
    """Return what a clause says of each value, when that is known, by the value."""
    found = judge(read(clause("a", fact, **condition)), day)
    return {value: found.truth({fact: value}) for value in values}


def told(tree, known, day=DAY):
    """Return the outcome, and the ids of the reasons."""
    verdict = judge(read(tree), day).judge(known)
    return verdict.outcome, [one.said.id for one in verdict.reasons]


@pytest.mark.parametrize(
    ("condition", "fact", "expected"),
    [
        ({"is": False}, "employed", {True: False, False: True, None: None}),
        ({"is_not": False}, "employed", {True: True, False: False, None: None}),
        ({"at_least": 18}, "age", {17: False, 18: True, 19: True, None: None}),
        ({"at_most": 18}, "age", {17: True, 18: True, 19: False}),
        ({"more_than": 18}, "age", {17: False, 18: False, 19: True}),
        ({"less_than": 18}, "age", {17: True, 18: False, 19: False}),
        ({"is": 0}, "age", {-1: False, 0: True, 1: False, None: None}),
        ({"is_not": 18}, "age", {17: True, 18: False, 19: True}),
        ({"in": [17, 19]}, "age", {17: True, 18: False, 19: True, None: None}),
        ({"not_in": [17, 19]}, "age", {17: False, 18: True, 19: False, None: None}),
        ({"at_least": "SECOND"}, "prize", {"THIRD": False, "SECOND": True, "FIRST": True}),
        ({"at_most": "SECOND"}, "prize", {"THIRD": True, "FIRST": False, NOTHING: False}),
        ({"more_than": "SECOND"}, "prize", {"THIRD": False, "SECOND": False, "FIRST": True}),
        ({"less_than": "SECOND"}, "prize", {"THIRD": True, "SECOND": False, NOTHING: False}),
        ({"is": "FIRST"}, "prize", {"FIRST": True, "THIRD": False, NOTHING: False, None: None}),
        ({"is_not": "FIRST"}, "prize", {"FIRST": False, "THIRD": True, NOTHING: True, None: None}),
        ({"is": None}, "prize", {"FIRST": False, NOTHING: True, None: None}),
        ({"in": ["FIRST", None]}, "prize", {"FIRST": True, "THIRD": False, NOTHING: True}),
        ({"not_in": ["FIRST"]}, "prize", {"FIRST": False, NOTHING: True, None: None}),
        ({"is": "changning"}, "district", {"changning": True, "Changning": False, None: None}),
        ({"is": "ＦＵＤＡＮ "}, "school_name", {"fudan": True, "fudan school": False, None: None}),
        (
            {"includes": "course"},
            "services_granted",
            {frozenset(): False, frozenset({"course", "x"}): True, None: None},
        ),
        (
            {"lacks": "course"},
            "services_granted",
            {frozenset(): True, frozenset({"course"}): False, None: None},
        ),
        (
            {"since": "2024-02-29"},
            "left_on",
            {date(2024, 2, 28): False, date(2024, 2, 29): True, NOTHING: False, None: None},
        ),
        (
            {"until": "2024-12-31"},
            "left_on",
            {date(2024, 12, 31): True, date(2025, 1, 1): False, NOTHING: False},
        ),
        ({"is": "2024-02-29"}, "left_on", {date(2024, 2, 29): True, date(2024, 3, 1): False}),
        ({"is": None}, "left_on", {date.max: False, NOTHING: True, None: None}),
        ({"is_not": None}, "left_on", {date.max: True, NOTHING: False, None: None}),
    ],
)
def test_an_operator_holds_up_to_its_edge(condition, fact, expected):
    assert truths(condition, fact, expected) == expected


@pytest.mark.parametrize(
    ("condition", "day", "expected"),
    [
        # In the last year, in the last month: the day it began on does not count.
        ({"within": "P1Y"}, "2025-02-28", {"2024-02-27": False, "2024-02-28": True}),
        ({"within": "P1Y"}, "2025-03-01", {"2024-02-29": False, "2024-03-01": True}),
        ({"within": "P1M"}, "2026-01-01", {"2025-11-30": False, "2025-12-01": True}),
        ({"within": "P0D"}, "2026-01-01", {"2025-12-31": False, "2026-01-01": True}),
        ({"within": "P1Y"}, "2026-01-01", {"2026-01-01": True, "2026-01-02": False}),
        ({"within": "P999Y"}, "0500-01-01", {"0001-01-01": True, "0500-01-02": False}),
        ({"within_next": "P1Y"}, "2024-02-29", {"2025-02-28": True, "2025-03-01": False}),
        ({"within_next": "P1D"}, "2025-12-31", {"2025-12-30": False, "2026-01-01": True}),
        ({"within_next": "P1Y"}, "9999-06-30", {"9999-12-31": True, "9999-06-29": False}),
    ],
)
def test_a_period_is_counted_from_the_day_that_is_asked_about(condition, day, expected):
    days = {date.fromisoformat(one): truth for one, truth in expected.items()}

    assert truths(condition, "left_on", days, date.fromisoformat(day)) == days


def test_a_period_says_nothing_of_what_is_none_or_not_known():
    assert truths({"within": "P1Y"}, "left_on", [NOTHING, None]) == {NOTHING: False, None: None}


def test_a_pay_line_is_the_one_in_force_on_the_day_and_else_nobody_meets_it():
    condition = {"at_least": {"line": "class-b"}}

    before = truths(condition, "annual_salary", [10**9, None], date(2024, 12, 31))
    old = truths(condition, "annual_salary", [499_999, 500_000], date(2025, 12, 31))
    new = truths(condition, "annual_salary", [596_831, 596_832], date(2026, 1, 1))

    assert before == {10**9: False, None: False}
    assert old == {499_999: False, 500_000: True}
    assert new == {596_831: False, 596_832: True}


def test_what_is_not_in_force_asks_for_nothing():
    tree = read(clause("a", "annual_salary", at_least={"line": "class-b"})).on(date(2024, 1, 1))

    assert tree.facts == {}
    assert tree.leaves[0].test is None


def test_a_pay_line_within_a_household_is_the_one_of_the_day():
    asked = {**SAID, "household": "any", "has": [{"fact": "age", "at_least": {"line": "class-b"}}]}
    elder = ({"age": 550_000},)

    found = [
        judge(read(asked), date(year, 6, 30)).truth({"household": elder})
        for year in (2024, 2025, 2026)
    ]

    assert found == [False, True, False]


def test_points_are_those_of_the_version_of_the_day():
    asked = read({**SAID, "points": "merit", "more_than": 22})
    known = {"age": 30, "employed": True, "degree_level": "DOCTOR", "annual_salary": 900_000}

    found = [judge(asked, date(year, 6, 30)).truth(known) for year in (2024, 2025, 2026)]

    assert found == [False, True, True]
    assert "annual_salary" not in asked.on(date(2025, 6, 30)).facts
    assert "annual_salary" in asked.on(date(2026, 6, 30)).facts
    assert judge(read({**SAID, "points": "merit", "at_most": 22}), DAY).truth(known) is False


def test_a_rule_asks_for_each_fact_once_in_its_order():
    found = read({"any": [B, C, clause("d", "holds_card")]})

    assert list(found.on(DAY).facts) == ["holds_card", "age"]
    assert list(found.clauses) == ["b", "c", "d"]


def test_everyone_may_have_what_has_no_conditions():
    assert told("everyone", {}) == (Outcome.ELIGIBLE, [])
    assert told({"since": "2026-01-01", "rule": "everyone"}, {}) == (Outcome.ELIGIBLE, [])


# --- Editions -----------------------------------------------------------------------------------

EDITIONS = {
    "editions": [
        {"since": "2024-02-29", "until": "2025-12-31", "rule": A},
        {"since": "2026-01-01", "until": "2026-06-30", "rule": B},
    ]
}


@pytest.mark.parametrize(
    ("day", "reasons"),
    [
        ("2024-02-28", ["in-force"]),
        ("2024-02-29", ["a"]),
        ("2025-12-31", ["a"]),
        ("2026-01-01", ["b"]),
        ("2026-06-30", ["b"]),
        ("2026-07-01", ["in-force"]),
    ],
)
def test_the_edition_of_the_day_counts_and_between_them_nobody_is_eligible(day, reasons):
    verdict = told(EDITIONS, {"employed": False, "holds_card": False}, date.fromisoformat(day))

    assert verdict == (Outcome.INELIGIBLE, reasons)


def test_where_no_edition_is_in_force_nothing_is_asked():
    tree = read(EDITIONS).on(date.max)

    assert tree.root is NOT_IN_FORCE
    assert judge(read(EDITIONS), date.max).judge({}).missing == ()


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (Span(), Span(), True),
        (Span(until=DAY), Span(since=DAY), True),
        (Span(until=date(2026, 6, 29)), Span(since=DAY), False),
        (Span(since=DAY), Span(until=date(2026, 6, 29)), False),
        (Span(since=DAY, until=DAY), Span(since=DAY, until=DAY), True),
    ],
)
def test_spans_meet_where_they_have_a_day_in_common(one, other, meet):
    assert one.meets(other) is meet
    assert other.meets(one) is meet


# --- Layers -------------------------------------------------------------------------------------


def layered(*overrides, rule=None):
    return {"rule": rule or {"all": [A, C]}, "overrides": list(overrides)}


def test_a_district_replaces_drops_and_adds_to_the_citys_rule_and_each_reason_says_whose_it_is():
    tree = {
        "city": "residence",
        "overrides": [
            {
                "since": "2026-06-01",
                "replace": {"grown": clause("grown", "age", at_least=16)},
                "add": [A],
            }
        ],
    }
    known = {"holds_card": False, "age": 16, "employed": True}

    verdict = judge(read(tree), DAY).judge(known)
    before = judge(read(tree), date(2026, 5, 31)).judge(known)
    older = judge(read(tree), date(2025, 12, 31)).judge(known)

    district = Layer(Level.DISTRICT, None, date(2026, 6, 1), None)
    city = Layer(Level.CITY, None, date(2026, 1, 1), None)
    assert verdict.outcome is Outcome.ELIGIBLE
    assert [(one.said.id, one.said.layer) for one in verdict.reasons] == [
        ("grown", district),
        ("a", district),
    ]
    assert before.outcome is Outcome.INELIGIBLE
    assert [(one.said.id, one.said.layer) for one in before.reasons] == [
        ("resident", city),
        ("grown", city),
    ]
    assert older.reasons[0].said.layer == Layer(Level.CITY, None, None, date(2025, 12, 31))


def test_a_citys_edition_ends_where_either_span_does():
    tree = {"since": "2025-07-01", "until": "2026-03-31", "city": "residence"}

    spans = [edition.span for edition in read(tree).editions]

    assert spans == [
        Span(date(2025, 7, 1), date(2025, 12, 31)),
        Span(date(2026, 1, 1), date(2026, 3, 31)),
    ]
    assert read({"since": "2026-02-01", "city": "residence"}).editions[0].span.since == date(
        2026, 2, 1
    )


@pytest.mark.parametrize(
    ("rule", "dropped", "left"),
    [
        ({"all": [A, B, C]}, ["b"], {"all": [A, C]}),
        ({"any": [A, B]}, ["b"], {"any": [A]}),
        ({"of": [A, B, C], "at_least": 2}, ["b"], {"of": [A, C], "at_least": 2}),
        ({"of": [A, B, C], "at_least": 2}, ["b", "c"], {"all": [A]}),
        ({"none": [A, B]}, ["b"], {"none": [A]}),
        # A group of which all is dropped goes with its parts.
        ({"all": [{"any": [A, B]}, C]}, ["a", "b"], {"all": [C]}),
        ({"all": [{"none": [A]}, C]}, ["a"], {"all": [C]}),
        ({"any": [{"none": [A, B]}, C]}, ["a", "b"], {"any": [C]}),
        ({"all": [A, B]}, ["a", "b"], "everyone"),
        (A, ["a"], "everyone"),
    ],
)
def test_what_is_dropped_is_as_if_it_had_never_been_written(rule, dropped, left):
    def held(node):
        if isinstance(node, Group):
            return (node.least, node.negated, [held(part) for part in node.parts])
        return node.said.id

    assert held(read(layered({"drop": dropped}, rule=rule)).on(DAY).root) == held(
        read(left).on(DAY).root
    )


def test_a_rule_for_everyone_may_be_narrowed():
    tree = {"rule": "everyone", "overrides": [{"zone": "west", "add": [A]}, {"add": [B]}]}

    assert told(tree, {"district": "xuhui", "holds_card": True, "employed": False}) == (
        Outcome.INELIGIBLE,
        ["zone-west", "a"],
    )
    assert told(tree, {"district": "pudong", "holds_card": True}) == (
        Outcome.ELIGIBLE,
        ["zone-west", "b"],
    )


def test_of_what_two_layers_replace_the_zones_stands_and_else_the_later():
    first = {"replace": {"c": clause("first", "age", at_least=19)}}
    second = {"replace": {"c": clause("second", "age", at_least=20)}}
    zoned = {"zone": "west", "replace": {"c": clause("zoned", "age", at_least=16)}}
    more = {"zone": "west", "add": [B]}
    tree = layered(zoned, first, more, second)

    there = told(tree, {"employed": True, "age": 17, "holds_card": True, "district": "xuhui"})
    elsewhere = told(tree, {"employed": True, "age": 19, "district": "pudong"})

    assert there == (Outcome.ELIGIBLE, ["zone-west", "a", "zoned", "b"])
    assert elsewhere == (Outcome.INELIGIBLE, ["zone-west", "second"])


ZONED = layered({"zone": "west", "replace": {"c": clause("young", "age", at_least=16)}})


@pytest.mark.parametrize(
    ("known", "outcome", "reasons", "missing"),
    [
        ({"district": "xuhui", "age": 16}, Outcome.ELIGIBLE, ["zone-west", "a", "young"], ()),
        ({"district": "xuhui", "age": 15}, Outcome.INELIGIBLE, ["zone-west", "young"], ()),
        ({"district": "pudong", "age": 17}, Outcome.INELIGIBLE, ["zone-west", "c"], ()),
        ({"district": "pudong", "age": 18}, Outcome.ELIGIBLE, ["zone-west", "a", "c"], ()),
        # What holds in both needs no zone; what does not, asks for it.
        ({"age": 18}, Outcome.ELIGIBLE, ["a", "young", "c"], ()),
        ({"age": 15}, Outcome.INELIGIBLE, ["young", "c"], ()),
        ({"age": 17}, Outcome.NEEDS_FACTS, ["zone-west"], ("district",)),
        ({"district": "xuhui"}, Outcome.NEEDS_FACTS, ["young"], ("age",)),
        ({"district": "pudong"}, Outcome.NEEDS_FACTS, ["c"], ("age",)),
    ],
)
def test_a_zone_is_asked_for_where_it_matters(known, outcome, reasons, missing):
    verdict = judge(read(ZONED), DAY).judge({"employed": True, **known})

    assert (verdict.outcome, verdict.missing) == (outcome, missing)
    assert [one.said.id for one in verdict.reasons] == reasons


def test_a_zone_holds_in_the_days_that_both_it_and_its_layer_have():
    tree = layered({"zone": "west", "until": "2026-06-30", "drop": ["c"]})
    known = {"employed": True, "age": 3, "district": "xuhui"}
    days = ("2025-05-31", "2025-06-01", "2026-06-30", "2026-07-01")

    found = [judge(read(tree), date.fromisoformat(day)).truth(known) for day in days]

    assert found == [False, True, True, False]


def test_the_clauses_of_a_zone_say_which_and_from_when_until_when():
    (leaf,) = [one for one in read(ZONED).on(DAY).leaves if one.said.id == "young"]

    assert leaf.said.layer == Layer(Level.ZONE, "west", date(2025, 6, 1), None)
    assert read(ZONED).clauses["young"].said.layer == leaf.said.layer


# --- Other services -----------------------------------------------------------------------------


def test_what_a_service_requires_is_one_reason_and_asks_for_what_is_missing():
    found = judge(read({**SAID, "requires": "course"}), DAY)

    eligible = found.judge({"employed": True})
    open_still = found.judge({"employed": False})

    assert [(one.said.id, one.truth) for one in eligible.reasons] == [("a", True)]
    assert eligible.outcome is Outcome.ELIGIBLE
    assert (open_still.outcome, open_still.missing) == (Outcome.NEEDS_FACTS, ("age",))
    assert found.judge({"employed": False, "age": 19}).outcome is Outcome.INELIGIBLE


def test_what_a_service_excludes_has_not_been_granted():
    found = judge(read({**SAID, "excludes": "course"}), DAY)

    assert found.truth({"services_granted": frozenset()}) is True
    assert found.truth({"services_granted": frozenset({"course"})}) is False
    assert found.judge({}).missing == ("services_granted",)


def test_a_rule_for_everyone_is_nobodys_condition():
    assert read("everyone").on(DAY).root == EVERYONE
    assert rules.POINTS["merit"].on(date(2024, 12, 31)) is None

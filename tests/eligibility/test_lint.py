"""Rules that can be read are looked at as well: each defect is told at its place in the file."""

from __future__ import annotations

from datetime import date

import pytest

from eligibility import lint, rulebook
from eligibility.rule import Span
from models import menu, source

VALID = Span(date(2024, 1, 1))
SAID = "text: {en: It holds, zh: 成立}, reference: hub"
NAME = "name: {en: A, zh: 甲}, citation: {source: hub}"


def a_clause(id_: str, asks: str) -> str:
    return f"{{id: {id_}, {asks}, {SAID}}}"


ADULT = a_clause("adult", "fact: age, at_least: 18")
CHILD = a_clause("child", "fact: age, less_than: 18")
CARD = a_clause("card", "fact: holds_card, is: true")
EMPLOYED = a_clause("employed", "fact: employed, is: true")
SPOUSE = a_clause("spouse", "household: any, who: [{fact: relation, is: SPOUSE}]")
AGAIN = a_clause("again", "fact: age, at_least: 18")
OF_21 = a_clause("of-21", "fact: age, at_least: 21")
ANY_CLASS = a_clause("any-class", "fact: permit_class, at_least: LOW")
LINE = a_clause("pay", "fact: annual_salary, at_least: {line: line}")
LISTS = {
    "pay_lines": (
        menu.PayLine,
        f"""
- code: line
  {NAME.replace(", ci", chr(10) + "  ci")}
  values:
    - {{since: 2024-01-01, until: 2025-12-31, amount: 100, citation: {{source: hub}}}}
    - {{since: 2026-02-03, amount: 200, citation: {{source: hub}}}}
""",
    ),
    "zones": (
        menu.Zone,
        f"""
- {{code: west, {NAME}, fact: district, values: [xuhui], since: 2026-01-01, until: 2026-12-31,
   text: {{en: In the west, zh: 西部}}}}
""",
    ),
    "city_rules": (
        menu.CityRule,
        f"""
- code: adults
  {NAME.replace(", ci", chr(10) + "  ci")}
  eligibility:
    editions:
      - {{since: 2024-01-01, until: 2025-12-31, rule: {ADULT}}}
      - {{since: 2026-01-01, rule: {{id: adult, fact: age, at_least: 16, {SAID}}}}}
- code: nobody
  {NAME.replace(", ci", chr(10) + "  ci")}
  eligibility:
    all:
      - {{id: adult, fact: age, at_least: 18, {SAID}}}
      - {{id: child, fact: age, less_than: 18, {SAID}}}
""",
    ),
}


def mistakes(eligibility: str, valid: Span = VALID, **others: object) -> list[tuple[str, str, str]]:
    """Return path, sentence and hint of what is wrong with a rule; ``others`` are further ones."""
    texts = {"one": (eligibility, valid)} | {
        code: other if isinstance(other, tuple) else (other, VALID)
        for code, other in others.items()
    }
    services = {
        code: source.parse(f"eligibility:\n  {text}\n", f"{code}.yaml")
        for code, (text, _) in texts.items()
    }
    documents = {name: source.parse(text, f"{name}.yaml") for name, (_, text) in LISTS.items()}
    lists = {
        name: tuple(shape.model_validate(one) for one in documents[name].data)
        for name, (shape, _) in LISTS.items()
    }
    book, wrong = rulebook.read(lists, documents, services)
    assert wrong == []
    subjects = {
        code: lint.Subject(services[code], book.rules[code], valid)
        for code, (_, valid) in texts.items()
    }
    found = lint.mistakes("one", subjects)
    assert all(one.file == "one.yaml" for one in found)
    return [(one.path, one.sentence, one.hint) for one in found]


def paths(*given: object, **others: object) -> list[str]:
    return [path for path, _, _ in mistakes(*given, **others)]


@pytest.mark.parametrize(
    "eligibility",
    [
        "everyone",
        ADULT,
        f"{{all: [{ADULT}, {CARD}]}}",
        f"{{any: [{{all: [{ADULT}, {CARD}]}}, {{all: [{CHILD}, {EMPLOYED}]}}]}}",
        f"{{of: [{ADULT}, {CARD}, {EMPLOYED}], at_least: 2}}",
        f"{{none: [{CHILD}, {CARD}]}}",
        # Each of the two asks of age what the other leaves open.
        f"{{all: [{ADULT}, {a_clause('old', 'fact: age, at_most: 60')}]}}",
        f"{{all: [{CARD}, {SPOUSE}]}}",
        # The same clause twice, each time beside another.
        f"{{any: [{{all: [{ADULT}, {CARD}]}}, {{all: [{AGAIN}, {EMPLOYED}]}}]}}",
        "{city: adults}",
        f"{{city: adults, overrides: [{{since: 2026-01-01, add: [{CARD}]}}]}}",
        f"{{rule: {ADULT}, overrides: [{{zone: west, replace: {{adult: {CARD}}}}}]}}",
        f"{{rule: everyone, overrides: [{{zone: west, add: [{CARD}]}}]}}",
        f"editions: [{{until: 2025-12-31, rule: {ADULT}}}, {{since: 2026-01-01, rule: {CARD}}}]",
    ],
)
def test_a_rule_whose_every_part_matters_has_no_mistake(eligibility):
    assert mistakes(eligibility) == []


def test_parts_that_exclude_each_other_are_named():
    assert mistakes(f"{{all: [{CARD}, {ADULT}, {{any: [{CHILD}]}}]}}") == [
        (
            "eligibility",
            "“adult” and “child” exclude each other: nobody meets both.",
            "",
        )
    ]


def test_a_group_that_nobody_meets_is_told_where_it_stands():
    never = f"{{all: [{ADULT}, {CHILD}]}}"

    ((path, sentence, _),) = mistakes(f"{{any: [{CARD}, {never}]}}")

    assert path == "eligibility.any[1]"
    assert "exclude each other" in sentence


@pytest.mark.parametrize(
    ("eligibility", "path"),
    [
        (f"{{any: [{ADULT}, {CHILD}]}}", "eligibility"),
        (
            f"{{all: [{CARD}, {{none: [{{all: [{ADULT}, {CHILD}]}}]}}]}}",
            "eligibility.all[1].none[0]",
        ),
        (f"{{all: [{CARD}, {ANY_CLASS}]}}", "eligibility.all[1]"),
        (ANY_CLASS, "eligibility"),
    ],
)
def test_what_everybody_meets_asks_nothing(eligibility, path):
    ((at, sentence, _),) = mistakes(eligibility)

    assert (at, sentence) == (path, "This holds of everybody, so it asks nothing.")


def test_nobody_can_meet_what_no_two_parts_alone_exclude():
    parts = (
        a_clause("young", "fact: age, in: [1, 2]"),
        a_clause("one", "fact: age, is_not: 1"),
        a_clause("two", "fact: age, is_not: 2"),
    )

    ((path, sentence, _),) = mistakes(f"{{all: [{', '.join(parts)}]}}")

    assert (path, sentence) == ("eligibility", "Nobody can meet this.")


@pytest.mark.parametrize(
    ("eligibility", "path"),
    [
        # Whoever is 21 is 18.
        (f"{{all: [{ADULT}, {OF_21}]}}", "eligibility.all[0]"),
        (f"{{any: [{ADULT}, {OF_21}]}}", "eligibility.any[1]"),
        # Whoever is to be 18 is asked so anyhow.
        (f"{{all: [{ADULT}, {{any: [{CARD}, {AGAIN}]}}]}}", "eligibility.all[1].any[1]"),
    ],
)  # fmt: skip
def test_a_clause_that_changes_nothing_can_never_matter(eligibility, path):
    found = mistakes(eligibility)

    assert path in [at for at, _, _ in found]
    assert all("can never matter" in sentence for _, sentence, _ in found)


def test_of_two_that_say_the_same_the_later_is_told_once():
    again = a_clause("again", "fact: age, at_least: 18")
    household = "household: any, who: [{fact: relation, is: SPOUSE}]"

    asked_twice = mistakes(f"{{all: [{ADULT}, {CARD}, {again}]}}")
    of_members = mistakes(f"{{all: [{a_clause('a', household)}, {a_clause('b', household)}]}}")

    assert ("eligibility.all[2]", "This repeats the clause “adult” beside it.", "") in asked_twice
    assert {path for path, _, _ in asked_twice} == {"eligibility.all[2]"}
    assert of_members == [("eligibility.all[1]", "This repeats the clause “a” beside it.", "")]


# --- Days ---------------------------------------------------------------------------------------


def test_a_gap_between_editions_is_told_with_its_first_day():
    editions = f"{{until: 2025-12-31, rule: {ADULT}}}, {{since: 2026-02-01, rule: {ADULT}}}"

    assert mistakes(f"{{editions: [{editions}]}}") == [
        (
            "eligibility",
            "No edition is in force on a day of the service.",
            "So it is on 2026-01-01.",
        )
    ]


def test_days_on_which_the_service_is_not_valid_are_no_gap():
    assert mistakes(f"{{since: 2024-01-01, until: 2024-12-31, rule: {ADULT}}}",
                    Span(date(2024, 3, 1), date(2024, 6, 30))) == []  # fmt: skip


def test_an_edition_outside_the_days_of_the_service_is_told():
    editions = f"{{until: 2023-12-31, rule: {ADULT}}}, {{since: 2024-01-01, rule: {ADULT}}}"

    ((path, sentence, _),) = mistakes(f"{{editions: [{editions}]}}")

    assert path == "eligibility.editions[0]"
    assert "in force on none of the days" in sentence


@pytest.mark.parametrize(
    "override",
    [
        f"{{until: 2023-12-31, add: [{CARD}]}}",
        f"{{zone: west, since: 2027-01-01, add: [{CARD}]}}",
    ],
)
def test_an_override_that_is_never_in_force_is_told(override):
    ((path, sentence, _),) = mistakes(f"{{rule: {ADULT}, overrides: [{override}]}}")

    assert path == "eligibility.overrides[0]"
    assert "in force on none of the days" in sentence


def test_an_override_that_changes_nothing_in_its_zone_is_told():
    same = a_clause("same", "fact: age, at_least: 18")

    found = mistakes(f"{{rule: {ADULT}, overrides: [{{zone: west, replace: {{adult: {same}}}}}]}}")

    assert ("eligibility.overrides[0].zone") in [path for path, _, _ in found]
    assert {hint for _, _, hint in found} == {"So it is on 2026-01-01."}


def test_a_pay_line_that_is_not_in_force_on_some_days_is_told():
    assert mistakes(f"{{any: [{LINE}, {CARD}]}}") == [
        (
            "eligibility.any[0]",
            (
                "What this compares with is not in force on a day of its edition; give that day"
                " one without it."
            ),
            "So it is on 2026-01-01.",
        )
    ]


def test_editions_may_leave_out_what_is_not_in_force():
    editions = (
        f"{{until: 2025-12-31, rule: {{any: [{LINE}, {CARD}]}}}}",
        f"{{since: 2026-01-01, until: 2026-02-02, rule: {CARD}}}",
        f"{{since: 2026-02-03, rule: {{any: [{LINE}, {CARD}]}}}}",
    )

    assert mistakes(f"{{editions: [{', '.join(editions)}]}}") == []


def test_what_is_wrong_with_a_rule_of_the_city_is_told_where_it_is_named():
    assert paths("{city: nobody}") == ["eligibility.city"]


def test_what_is_wrong_in_one_edition_is_told_in_that_one():
    editions = (
        f"{{until: 2025-12-31, rule: {ADULT}}}",
        f"{{since: 2026-01-01, rule: {{all: [{ADULT}, {CHILD}]}}}}",
    )

    ((path, _, hint),) = mistakes(f"{{editions: [{', '.join(editions)}]}}")

    assert path == "eligibility.editions[1].rule"
    assert hint == "So it is on 2026-01-01."


def test_a_replacement_is_told_apart_from_what_it_replaces():
    """It may have the same id, and only one of the two is in force."""
    rule = f"{{all: [{CARD}, {ADULT}]}}"
    never = a_clause("adult", "fact: permit_class, at_least: LOW")

    ((path, sentence, hint),) = mistakes(
        f"{{rule: {rule}, overrides: [{{since: 2026-01-01, replace: {{adult: {never}}}}}]}}"
    )

    assert path == "eligibility.overrides[0].replace.adult"
    assert "holds of everybody" in sentence
    assert hint == "So it is on 2026-01-01."


# --- Other services -----------------------------------------------------------------------------


def test_a_service_that_is_required_and_excluded_is_told():
    rule = f"{{all: [{a_clause('r', 'requires: two')}, {a_clause('x', 'excludes: two')}]}}"

    ((path, sentence, _),) = mistakes(rule, two=ADULT)

    assert path == "eligibility.all[1]"
    assert sentence == "This excludes “two”, which the rule requires: nobody is meant to have both."


def test_it_is_told_through_others_as_well():
    own = f"{{all: [{a_clause('r', 'requires: two')}, {a_clause('x', 'excludes: three')}]}}"
    others = f"{{all: [{a_clause('r', 'requires: two')}, {a_clause('s', 'requires: three')}]}}"

    ours = paths(own, two=a_clause("r", "requires: three"), three=ADULT)
    theirs = paths(others, two=a_clause("x", "excludes: three"), three=ADULT)

    assert ours == ["eligibility.all[1]"]
    assert theirs == ["eligibility.all[0]"]


def test_a_service_may_exclude_itself_and_those_that_exclude_it():
    assert mistakes(a_clause("x", "excludes: one")) == []
    assert mistakes(a_clause("x", "excludes: two"), two=a_clause("x", "excludes: one")) == []


def test_what_is_required_is_on_the_menu_on_all_days_that_it_is():
    asks = a_clause("r", "requires: two")
    gone = Span(VALID.since, date(2025, 12, 31))

    ((path, sentence, _),) = mistakes(asks, two=(ADULT, gone))
    while_there = mistakes(
        f"{{editions: [{{until: 2025-12-31, rule: {asks}}}, {{since: 2026-01-01, rule: {CARD}}}]}}",
        two=(ADULT, gone),
    )

    assert path == "eligibility"
    assert sentence == "“two” is not on the menu on all the days that it is required."
    assert while_there == []


def test_what_is_wrong_with_a_required_rule_is_told_there_alone():
    assert (
        mistakes(
            f"{{all: [{CARD}, {a_clause('r', 'requires: two')}]}}",
            two=f"{{any: [{ADULT}, {OF_21}]}}",
        )
        == []
    )


def test_a_requirement_that_asks_nothing_more_can_never_matter():
    found = mistakes(f"{{all: [{CARD}, {a_clause('r', 'requires: two')}]}}",
                     two=a_clause("own", "fact: holds_card, is: true"))  # fmt: skip

    assert [path for path, _, _ in found] == ["eligibility.all[1]"]


# --- What is too much ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asks",
    [
        [f"fact: {fact}, at_least: {7 * n}" for n in range(30) for fact in
         ("age", "work_years", "annual_salary", "school_rank", "subject_rank", "chinese_level")],
        [f"fact: age, is_not: {n}" for n in range(499)],
    ],
)  # fmt: skip
def test_a_rule_with_too_many_cases_is_refused_in_a_sentence(asks):
    parts = ", ".join(a_clause(f"a{n}", one) for n, one in enumerate(asks))

    found = mistakes(f"{{of: [{parts}], at_least: {90 if len(asks) < 200 else len(asks)}}}")

    sentence = "This rule has too many cases to be checked; divide it."
    assert found == [("eligibility", sentence, "")]


def test_many_clauses_on_many_days_are_refused_in_a_sentence():
    parts = ", ".join(a_clause(f"a{n}", f"fact: age, is_not: {n}") for n in range(100))
    overrides = ", ".join(
        f"{{since: {2024 + n}-01-01, add: [{a_clause(f'o{n}', f'fact: age, is: {n}')}]}}"
        for n in range(40)
    )

    ((path, sentence, _),) = mistakes(f"{{rule: {{all: [{parts}]}}, overrides: [{overrides}]}}")

    assert path == "eligibility"
    assert "too many clauses for the days" in sentence


def test_a_hundred_clauses_on_one_fact_are_looked_at():
    parts = ", ".join(a_clause(f"a{n}", f"fact: age, is_not: {n}") for n in range(100))

    assert mistakes(f"{{all: [{parts}]}}") == []

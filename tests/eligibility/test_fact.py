"""Values of YAML and JSON as a fact takes them: of its sort, or not at all."""

import pytest

from eligibility.condition import NOTHING
from eligibility.fact import MOST_NUMBER, MOST_TEXT, MOST_WORDS
from tests import rules


@pytest.mark.parametrize(
    ("fact", "found", "taken"),
    [
        ("employed", False, False),
        ("employed", 0, None),
        ("employed", "true", None),
        ("employed", None, None),
        ("age", 0, 0),
        ("age", True, None),
        ("age", 18.0, None),
        ("age", MOST_NUMBER, MOST_NUMBER),
        ("age", -MOST_NUMBER - 1, None),
        ("degree_level", "MASTER", "MASTER"),
        ("degree_level", "master", None),
        ("degree_level", 1, None),
        ("prize", None, NOTHING),
        ("district", rules.HOSTILE, rules.HOSTILE),
        ("district", "x" * (MOST_TEXT + 1), None),
        ("school_name", " ＦＵＤＡＮ ", "fudan"),
        ("school_name", "", ""),
        ("school_name", 7, None),
        ("left_on", None, NOTHING),
        ("left_on", "2023-02-29", None),
        ("services_granted", [], frozenset()),
        ("services_granted", ("course", "course"), frozenset({"course"})),
        ("services_granted", ["course", 7], None),
        ("services_granted", "course", None),
        ("services_granted", ["x"] * (MOST_WORDS + 1), None),
        ("household", [], None),
    ],
)
def test_a_fact_takes_values_of_its_sort_and_no_others(fact, found, taken):
    value = rules.FACTS[fact].taken(found)

    assert value == taken
    assert type(value) is type(taken)


def test_a_text_is_known_as_rules_compare_it():
    def school_name(person, on):
        return person

    fact = rules.fact.text_of("x", "x", "x", "x", "hub")(school_name)

    assert fact.known(" Ｆudan  School", None) == "fudan school"
    assert fact.known(None, None) is None

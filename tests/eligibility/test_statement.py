from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import orjson
import pytest

from eligibility import reading, rulebook, statement
from eligibility.condition import NOTHING
from eligibility.single import Judge
from eligibility.verdict import Outcome
from models import source

FACTS = rulebook.known_facts()
TODAY = date(2026, 11, 22)
BASIS = statement.Basis(
    service="talent-apartment",
    revision=7,
    version="ab12",
    as_of=TODAY,
    known_at=datetime(2026, 11, 22, 2, tzinfo=UTC),
    subject="h4ndle",
    given=("age",),
)
SENTENCE = {"en": "It holds", "zh": "成立"}


def clause(id_, **asks):
    return {"id": id_, **asks, "text": SENTENCE, "reference": "hub"}


def a_judge(tree):
    found, mistakes = reading.parse(
        source.Document("rule.yaml", {"eligibility": tree}, None),
        ("eligibility",),
        reading.Library(FACTS),
    )
    assert mistakes == []
    return Judge(found.on(TODAY))


CHILD = {"fact": "relation", "is": "CHILD"}
EVERY_SORT = {
    "any": [
        clause("employed", fact="employed", **{"is": True}),
        clause("age", fact="age", at_least=18),
        clause("degree", fact="degree_level", at_least="MASTER"),
        clause("granted", fact="services_granted", includes="talent-apartment"),
        clause("child", household="any", who=[CHILD]),
    ]
}
KNOWN = {
    "employed": False,
    "age": 17,
    "degree_level": "BACHELOR",
    "services_granted": frozenset({"b", "a"}),
    "household": (
        {"relation": "SPOUSE", "age": None, "foreign_national": True, "owns_home": False,
         "had_housing_benefit": None},
    ),
}  # fmt: skip


def stated(judge, known):
    return statement.made(BASIS, judge, known, judge.judge(known))


def test_a_statement_says_rule_day_facts_verdict_and_reasons():
    judge = a_judge(clause("of-age", fact="age", at_least=18))

    said = orjson.loads(stated(judge, {"age": 30, "employed": True}))

    assert said == {
        "form": 1,
        "service": "talent-apartment",
        "revision": 7,
        "version": "ab12",
        "asOf": "2026-11-22",
        "knownAt": "2026-11-22T02:00:00+00:00",
        "subject": "h4ndle",
        "given": ["age"],
        # What the rule does not ask for is nobody's business.
        "facts": {"age": 30},
        "outcome": "ELIGIBLE",
        "reasons": [{"clause": "of-age", "met": True, "text": SENTENCE, "reference": "hub"}],
        "missing": [],
        "silent": {},
    }


def test_a_statement_is_replayed_to_the_byte_from_itself_alone():
    judge = a_judge(EVERY_SORT)
    before = stated(judge, KNOWN)

    read = statement.read(before, FACTS)

    assert read.basis == BASIS
    assert read.facts == KNOWN
    assert read.outcome is Outcome.INELIGIBLE
    assert statement.made(read.basis, judge, read.facts, judge.judge(read.facts)) == before


def test_who_was_silent_is_stated_so_that_an_undetermined_verdict_replays_too():
    judge, silent = a_judge(EVERY_SORT), {"age": "the-register", "employed": "the-register"}
    known = {name: KNOWN[name] for name in KNOWN if name not in silent}
    basis = replace(BASIS, silent=silent)
    before = statement.made(basis, judge, known, judge.judge(known, silent))

    read = statement.read(before, FACTS)

    assert (read.outcome, read.missing) == (Outcome.UNDETERMINED, ())
    assert read.basis.silent == silent
    again = judge.judge(read.facts, read.basis.silent)
    assert statement.made(read.basis, judge, read.facts, again) == before


def test_what_is_not_known_is_not_stated_and_stays_unknown():
    judge = a_judge(EVERY_SORT)
    known = {"employed": False, "age": None}

    read = statement.read(stated(judge, known), FACTS)

    assert read.facts == {"employed": False}
    assert read.outcome is Outcome.NEEDS_FACTS
    assert set(read.missing) == {"age", "degree_level", "services_granted", "household"}


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (NOTHING, None),
        (frozenset({"b", "a"}), ["a", "b"]),
        (date(2024, 2, 29), "2024-02-29"),
        (False, False),
        (0, 0),
        ("", ""),
    ],
)
def test_every_sort_of_value_is_stated_plainly(value, plain):
    assert statement.plain(value) == plain


def test_a_fact_that_there_is_no_more_is_left_out_when_read():
    judge = a_judge(clause("of-age", fact="age", at_least=18))

    read = statement.read(stated(judge, {"age": 30}), {})

    assert read.facts == {}

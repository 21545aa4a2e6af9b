"""Subsidies: which months bring what, on what is known; and what a file may not say."""

from __future__ import annotations

import copy
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from eligibility import subsidy
from models import errors, menu, source

TODAY = date(2026, 11, 22)
SERVICES = Path(__file__).parents[2] / "menu" / "services"


def of_file(code):
    service = source.validate(source.read(SERVICES / f"{code}.yaml"), menu.Service)
    return subsidy.of(service.code, service.subsidy)


@pytest.fixture
def apartment():
    return of_file("talent-apartment")


@pytest.mark.parametrize(
    ("degree", "amounts", "total", "sure"),
    [
        ("MASTER", [3000] * 3 + [2500] * 3 + [3000] * 6, 34_500, 16_500),
        ("DOCTOR", [4000] * 3 + [3000] * 3 + [4000] * 6, 45_000, 21_000),
    ],
)
def test_the_apartments_twelve_months(apartment, degree, amounts, total, sure):
    found = apartment.schedule({"degree_level": degree}, TODAY)

    assert [month.number for month in found.months] == list(range(1, 13))
    assert [month.amount for month in found.months] == amounts
    assert (found.total, found.sure, found.currency) == (total, sure, "CNY")


@pytest.mark.parametrize(("district", "met"), [("changning", True), ("putuo", False), (None, None)])
def test_the_second_half_hangs_on_an_employer_in_the_district(apartment, district, met):
    known = {"degree_level": "MASTER", "employer_district": district}

    first, last = (
        apartment.schedule(known, TODAY).months[half] for half in (slice(6), slice(6, 12))
    )

    assert {month.condition for month in first} == {None}
    assert {(month.condition.said.id, month.condition.truth) for month in last} == {
        ("employer-here", met)
    }


def test_a_degree_that_is_not_known_leaves_the_amounts_open(apartment):
    found = apartment.schedule({}, TODAY)

    assert [month.amount for month in found.months] == [None] * 12
    assert (found.total, found.sure) == (None, None)


def test_a_degree_without_an_amount_brings_no_months(apartment):
    found = apartment.schedule({"degree_level": "BACHELOR"}, TODAY)

    assert found.months == ()
    assert (found.total, found.sure) == (0, 0)


def test_the_second_phase_by_itself_is_the_first_ones_last_six_months(apartment):
    known = {"degree_level": "DOCTOR", "employer_district": "changning"}

    alone = of_file("talent-apartment-second-phase").schedule(known, TODAY)

    amounts = [month.amount for month in apartment.schedule(known, TODAY).months]
    assert [month.amount for month in alone.months] == amounts[6:]
    assert alone.sure == alone.total == Decimal(24_000)


WHOLE = {
    "by": "degree_level",
    "spans": [
        {
            "months": 2,
            "amounts": {"MASTER": "10.50"},
            "condition": {
                "id": "here",
                "fact": "employer_district",
                "is": "changning",
                "text": {"en": "Works here", "zh": "在本区工作"},
                "reference": "hub",
            },
        }
    ],
    "citation": {"source": "hub"},
}


@pytest.mark.parametrize(
    ("at", "value", "path", "sentence", "hint"),
    [
        (("by",), "degre_level", "subsidy.by", "There is no fact “degre_level”", "degree_level"),
        (("by",), "age", "subsidy.by", "There is no fact “age” with words to choose from.", ""),
        (("by",), "district", "subsidy.by", "with words to choose from.", ""),
        (
            ("spans", 0, "amounts"),
            {"MASTERS": 1},
            "subsidy.spans[0].amounts.MASTERS",
            "“MASTERS” is no value of `degree_level` (BACHELOR, MASTER, DOCTOR).",
            "MASTER",
        ),
        (
            ("spans", 0, "condition", "is"),
            7,
            "subsidy.spans[0].condition.is",
            "“7” is no value of `employer_district`",
            "",
        ),
        (
            ("spans", 0, "condition"),
            {"all": [WHOLE["spans"][0]["condition"]]},
            "subsidy.spans[0].condition",
            "A condition is one clause.",
            "",
        ),
        (("spans", 0, "condition"), "everyone", "subsidy.spans[0].condition", "one clause.", ""),
    ],
)
def test_what_a_file_may_not_say(at, value, path, sentence, hint):
    spoilt = copy.deepcopy(WHOLE)
    *way, last = at
    place = spoilt
    for step in way:
        place = place[step]
    place[last] = value
    document = source.Document("a-service.yaml", {"subsidy": spoilt}, None)

    plan, [mistake] = subsidy.read(document, menu.Subsidy.model_validate(spoilt))

    assert plan is None
    assert (mistake.file, mistake.path) == ("a-service.yaml", path)
    assert sentence in mistake.sentence
    assert hint in mistake.hint


def test_a_file_in_order_has_no_mistake():
    plan, mistakes = subsidy.read(
        source.Document("a-service.yaml", {"subsidy": WHOLE}, None),
        menu.Subsidy.model_validate(WHOLE),
    )

    assert mistakes == []
    assert plan.schedule({"degree_level": "MASTER"}, TODAY).total == Decimal("21.00")


def test_a_published_subsidy_that_cannot_be_read_is_refused():
    spoilt = menu.Subsidy.model_validate({**WHOLE, "by": "age"})

    with pytest.raises(errors.MistakesError) as refused:
        subsidy.of("a-service", spoilt)

    assert refused.value.mistakes[0].file == "menu/services/a-service.yaml"

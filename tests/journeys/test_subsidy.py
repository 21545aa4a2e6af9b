"""A person sees what the talent apartment pays, month by month, and what that hangs on."""

from __future__ import annotations

import pytest

from models import demo

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def hub(shared_hub):
    return shared_hub


@pytest.fixture
def verdict(ask, document):
    async def verdict(facts=None, language="en", **who):
        asked = [{"name": name, "value": value} for name, value in (facts or {}).items()]
        answer = await ask(document("subsidy"), {"facts": asked, "language": language}, **who)
        assert not answer.codes
        return answer.json()["data"]["service"]["verdict"]

    return verdict


RETURNED = {
    "school_rank": 33,
    "months_since_return": 5,
    "owns_home_in_city": False,
    "spouse_owns_home_in_city": False,
    "had_housing_benefit": False,
    "spouse_had_housing_benefit": False,
}


async def test_the_returnee_is_paid_month_by_month(verdict):
    found = await verdict(viewer="holder", person=demo.RETURNEE)

    paid = found["subsidy"]
    assert found["outcome"] == "ELIGIBLE"
    assert [one["amount"] for one in paid["months"]] == ["3000"] * 3 + ["2500"] * 3 + ["3000"] * 6
    assert [one["month"] for one in paid["months"] if one["sure"]] == [1, 2, 3, 4, 5, 6]
    assert (paid["total"], paid["sureTotal"], paid["currency"]) == ("34500", "16500", "CNY")
    assert paid["citation"] == {"source": "changning-apartment-2023"}


@pytest.mark.parametrize(
    ("language", "text"), [("en", "Is then employed in Changning"), ("zh", "届时在长宁区就业")]
)
async def test_the_last_six_months_hang_on_an_employer_here(verdict, language, text):
    found = await verdict(language=language, viewer="holder", person=demo.RETURNEE)

    conditions = [one["condition"] for one in found["subsidy"]["months"][6:]]
    assert (
        conditions
        == [
            {
                "clause": "employer-here",
                "met": True,
                "reference": "changning-apartment-2023",
                "text": {"text": text},
            }
        ]
        * 6
    )


@pytest.mark.parametrize(("degree", "total"), [("MASTER", "34500"), ("DOCTOR", "45000")])
async def test_a_visitor_learns_what_it_would_be(verdict, degree, total):
    found = await verdict({**RETURNED, "degree_level": degree})

    assert found["outcome"] == "ELIGIBLE"
    assert found["subsidy"]["total"] == total
    assert {one["condition"]["met"] for one in found["subsidy"]["months"][6:]} == {None}


async def test_as_long_as_the_degree_is_not_known_the_amounts_are_open(verdict):
    found = await verdict(RETURNED)

    assert found["outcome"] == "NEEDS_FACTS"
    assert {one["amount"] for one in found["subsidy"]["months"]} == {None}
    assert found["subsidy"]["total"] is None


async def test_who_may_not_have_it_is_promised_nothing(verdict):
    found = await verdict({**RETURNED, "degree_level": "DOCTOR", "spouse_owns_home_in_city": True})

    assert found == {"outcome": "INELIGIBLE", "subsidy": None}


async def test_a_service_that_pays_nothing_has_no_months(ask):
    found = await ask(
        '{ service(code: "arrival-guide") { ... on Service { verdict { subsidy { total } } } } }'
    )

    assert found.json()["data"] == {"service": {"verdict": {"subsidy": None}}}

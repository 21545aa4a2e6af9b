"""A document is asked of whoever has to bring it, and not of those who have it on record."""

from __future__ import annotations

import pytest

from models import demo

ASKED = """{ service(code: "school-enrolment-work-permit") { ... on Service {
  documents { code }
  requirements { talentClass documents { code } onRecord { code name { text } } }
} } }"""


def codes(documents):
    return [one["code"] for one in documents]


@pytest.fixture
def required(ask):
    async def required(**who):
        return (await ask(ASKED, **who)).json()["data"]["service"]

    return required


async def test_of_nobody_in_particular_everything_is_asked(required):
    service = await required(viewer="anonymous")

    assert service["requirements"] == {
        "talentClass": None,
        "documents": service["documents"],
        "onRecord": [],
    }


async def test_what_is_on_record_is_not_asked_for_again(required):
    service = await required(viewer="holder", person=demo.PILOT)

    found = service["requirements"]
    assert {"code": "work-permit", "name": {"text": "Foreigner's Work Permit"}} in found["onRecord"]
    assert "work-permit" not in codes(found["documents"])
    assert {*codes(found["documents"]), *codes(found["onRecord"])} == {*codes(service["documents"])}


async def test_a_paper_that_has_ended_is_asked_for_again(required, hub):
    before = await required(viewer="holder", person=demo.PILOT)
    hub.clock.pass_seconds(10 * 366 * 86400)

    after = await required(viewer="holder", person=demo.PILOT)

    assert "work-permit" in codes(before["requirements"]["onRecord"])
    assert "work-permit" in codes(after["requirements"]["documents"])

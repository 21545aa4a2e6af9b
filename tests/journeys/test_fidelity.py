"""Every bad answer has a word of its own; the others' data stay as they were, to the byte."""

from __future__ import annotations

import re

import orjson
import pytest

from connectors.registry import PARTNERS
from models import demo
from tests import partner

pytestmark = [pytest.mark.any_database, pytest.mark.viewer("holder", demo.PILOT)]

HOSPITAL = "jinzhong-road-hospital"
DEADLINE_SECONDS = 0.5
LIMITS = f"deadline_seconds: {DEADLINE_SECONDS}, attempts: 1, breaker_failures: 100"
PAGE = """
{
  me { name card { serial areas { unitsLeft } } }
  categories { code services { code } }
  slots: service(code: "medical-green-channel") { ...Offers }
  films: service(code: "film-tickets") { ...Offers }
  account: service(code: "bank-account-green-channel") { ...Offers }
  places: service(code: "school-enrolment-preference") { ...Offers }
}
fragment Offers on Service {
  offers {
    pages {
      partnerCode
      freshness
      observedAt
      retryAfter
      problem { code partner message retryAfter }
      nodes { id title }
    }
  }
}
"""
FHIR = {"content_type": "application/fhir+json"}
#: What the hospital answers, and the word for it.
ANSWERS = {
    "no content": (partner.says("", status=204), "PARTNER_NO_CONTENT"),
    "an empty body": (partner.says("", **FHIR), "PARTNER_NO_CONTENT"),
    "a redirect elsewhere": (
        partner.says(status=302, Location="https://elsewhere.example/"),
        "PARTNER_FORBIDDEN_ADDRESS",
    ),
    "a redirect in a circle": (partner.says(status=302, Location="/Slot"), "PARTNER_BAD_ANSWER"),
    "400": (partner.says(status=400), "PARTNER_REFUSED"),
    "401": (partner.says(status=401), "PARTNER_UNAUTHORIZED"),
    "403": (partner.says(status=403), "PARTNER_UNAUTHORIZED"),
    "404": (partner.says(status=404), "PARTNER_NOT_FOUND"),
    "409": (partner.says(status=409), "PARTNER_CONFLICT"),
    "410": (partner.says(status=410), "PARTNER_NOT_FOUND"),
    "412": (partner.says(status=412), "PARTNER_CONFLICT"),
    "422": (partner.says(status=422), "PARTNER_REFUSED"),
    "429": (partner.says(status=429, Retry_After="60"), "PARTNER_RATE_LIMITED"),
    "500": (partner.says(status=500), "PARTNER_UNWELL"),
    "502": (partner.says("<html>", status=502, content_type="text/html"), "PARTNER_UNWELL"),
    "503": (partner.says(status=503), "PARTNER_UNWELL"),
    "503 until later": (partner.says(status=503, Retry_After="60"), "PARTNER_BUSY"),
    "a page": (partner.says("<!doctype html>", content_type="text/html"), "PARTNER_WRONG_TYPE"),
    "no JSON": (partner.says("{unquoted: 1}", **FHIR), "PARTNER_UNREADABLE"),
    "half of it": (partner.says('{"resourceType": "Bun', **FHIR), "PARTNER_UNREADABLE"),
    "another resource": (partner.says('{"resourceType": "Patient"}', **FHIR), "PARTNER_BAD_ANSWER"),
    "a list": (partner.says("[]", **FHIR), "PARTNER_BAD_ANSWER"),
    "8 MB": (partner.streams(8, []), "PARTNER_TOO_LARGE"),
    "a bomb": (partner.bomb(100), "PARTNER_TOO_LARGE"),
    "nothing, ever": (partner.hangs, "PARTNER_TIMEOUT"),
    "a byte now and then": (partner.drips, "PARTNER_TIMEOUT"),
    "hung up": (partner.resets, "PARTNER_UNREACHABLE"),
    "hung up midway": (partner.resets_midway, "PARTNER_UNREACHABLE"),
}


@pytest.mark.parametrize("answered", ANSWERS)
async def test_every_bad_answer_has_its_word_and_touches_nobody_else(stand, tmp_path, answered):
    does, code = ANSWERS[answered]
    async with partner.running(does) as loopback:
        folder = tmp_path / "partners"
        folder.mkdir()
        healthy = await stand(always_live=True).ask(PAGE)
        (folder / f"{HOSPITAL}.yaml").write_text(_at(loopback.url), encoding="utf-8")

        answer = await stand(partners=folder, always_live=True).ask(PAGE)

    (error,) = answer.json()["errors"]
    (page,) = _pages(answer)
    assert answer.status == 294
    assert (error["extensions"]["code"], error["extensions"]["partner"]) == (code, HOSPITAL)
    assert page["problem"]["code"] == code
    assert page["problem"]["partner"] == HOSPITAL
    assert page["problem"]["retryAfter"] == page["retryAfter"]
    assert (page["freshness"], page["nodes"]) == ("UNAVAILABLE", [])
    assert _others(answer) == _others(healthy)


def _at(url: str) -> str:
    """Return the hospital's file with this address, and limits for tests."""
    text = (PARTNERS / f"{HOSPITAL}.yaml").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^limits: .*$", f"limits: {{{LIMITS}}}", text)
    return re.sub(r"(?m)^address: .*$", f"address: {url}/", text)


def _pages(answer) -> list[dict]:
    """Return the hospital's pages."""
    pages = answer.json()["data"]["slots"]["offers"]["pages"]
    return [one for one in pages if one["partnerCode"] == HOSPITAL]


def _others(answer) -> bytes:
    """Return the bytes of all data but the hospital's."""
    data = answer.json()["data"]
    pages = data["slots"]["offers"]["pages"]
    data["slots"]["offers"]["pages"] = [one for one in pages if one["partnerCode"] != HOSPITAL]
    return orjson.dumps(data)

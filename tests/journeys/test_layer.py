"""A policy of the city is implemented by the district, and a zone in it tries another first."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.registry import PARTNERS
from models import demo, offer
from resolvers import publication
from tests.hub import NOW

MENU = Path(__file__).parents[2] / "menu"
KNOWN = {path.stem: frozenset(offer.Capability) for path in PARTNERS.glob("*.yaml")}
ZONES = """
- code: hongqiao-talent
  name: {en: Hongqiao Special Talent Zone, zh: 虹桥人才特区}
  citation: {source: hub}
  fact: employer_district
  values: [changning]
  text: {en: The employer is in the zone, zh: 单位在特区内}
  since: 2026-12-01
"""
CITY_RULES = """
- code: lately-returned
  name: {en: Who counts as a returnee, zh: 归国人才认定}
  citation: {source: hub}
  eligibility:
    since: 2026-01-01
    rule:
      id: returned
      fact: months_since_return
      less_than: 12
      text: {en: Returned less than a year ago, zh: 回国不满一年}
      reference: hub
"""
RULE = """eligibility:
  city: lately-returned
  overrides:
    - until: 2027-12-31
      add:
        - id: degree-abroad
          fact: degree_from_abroad
          is: true
          text: {en: Has a degree from abroad, zh: 拥有海外学位}
          reference: s1
    - zone: hongqiao-talent
      replace:
        returned:
          id: returned-to-zone
          fact: months_since_return
          less_than: 24
          text: {en: Returned less than two years ago, zh: 回国不满两年}
          reference: hub
citations:"""
EXAMPLES = """examples:
  - name: nothing is known
    given: {}
    outcome: NEEDS_FACTS
"""
ASKED = """query Layers($asOf: Date, $knownAt: DateTime, $facts: [FactInput!]) {
  service(code: "returnee-startup-desk") { ... on Service {
    verdict(asOf: $asOf, knownAt: $knownAt, facts: $facts) {
      outcome eligibleFrom lapsesOn
      reasons { clause met text(language: "zh") { text } layer { level zone since until } }
      rule { revision version since until reference }
  } } } }"""


@pytest.fixture
async def layered(hub, clock, tmp_path):
    """An hour ago the menu was as it is; now a rule of it has layers."""
    folder = Path(shutil.copytree(MENU, tmp_path / "menu"))
    for name, more in (("zones.yaml", ZONES), ("city_rules.yaml", CITY_RULES)):
        with (folder / name).open("a", encoding="utf-8") as listed:
            listed.write(more)
    service = folder / "services" / "returnee-startup-desk.yaml"
    before, _, rest = service.read_text(encoding="utf-8").partition("eligibility:")
    after = rest.partition("\ncitations:")[2].partition("examples:")[0]
    after = after.replace("since: 2024-01-01", "since: 2026-01-01")  # as the city's rule
    service.write_text(before + RULE + after + EXAMPLES, encoding="utf-8")
    clock.pass_seconds(3600)
    published = await publication.publish(hub.hub.database, folder, lambda: KNOWN, clock())
    hub.hub.catalogue = None  # what it knew is no more in force
    return published


@pytest.fixture
def verdict(ask, layered):
    async def verdict(**variables):
        answer = (await ask(ASKED, variables)).json()
        assert "errors" not in answer
        return answer["data"]["service"]["verdict"]

    return verdict


def layers_of(found):
    return {one["clause"]: one["layer"] for one in found["reasons"]}


CITY = {"level": "CITY", "zone": None, "since": "2026-01-01", "until": None}
DISTRICT = {"level": "DISTRICT", "zone": None, "since": None, "until": "2027-12-31"}
ZONE = {"level": "ZONE", "zone": "hongqiao-talent", "since": "2026-12-01", "until": None}


@pytest.mark.viewer("holder", demo.RETURNEE)
async def test_a_reason_says_whose_rule_it_is_of_where_it_holds_and_since_when(verdict):
    before = await verdict(asOf="2026-11-30")
    in_the_zone = await verdict(asOf="2027-10-01")

    assert before["outcome"] == "ELIGIBLE"
    assert layers_of(before) == {"returned": CITY, "degree-abroad": DISTRICT}
    assert in_the_zone["outcome"] == "ELIGIBLE"
    assert layers_of(in_the_zone) == {
        "zone-hongqiao-talent": ZONE,
        "returned-to-zone": ZONE,
        "degree-abroad": DISTRICT,
    }
    assert in_the_zone["reasons"][0]["text"] == {"text": "单位在特区内"}


@pytest.mark.viewer("holder", demo.RETURNEE)
async def test_a_verdict_turns_when_a_layer_of_its_rule_begins_or_ends(verdict):
    elsewhere = [{"name": "employer_district", "value": "xuhui"}]

    in_the_zone = await verdict()
    outside = await verdict(facts=elsewhere)

    assert (in_the_zone["eligibleFrom"], in_the_zone["lapsesOn"]) == ("2026-11-22", "2028-06-23")
    assert (outside["eligibleFrom"], outside["lapsesOn"]) == ("2026-11-22", "2027-06-23")


@pytest.mark.viewer("holder", demo.RETURNEE)
async def test_a_verdict_says_by_which_rule_it_was_passed_then_and_now(verdict, layered):
    now = await verdict()
    then = await verdict(knownAt=NOW.isoformat())
    then_of_later = await verdict(knownAt=NOW.isoformat(), asOf="2027-10-01")
    late = await verdict(knownAt=(NOW + timedelta(hours=1)).isoformat())

    revision, is_new = layered
    assert is_new
    assert now["rule"] == late["rule"]
    assert now["rule"]["revision"] == revision
    assert (now["rule"]["since"], now["rule"]["until"]) == ("2026-01-01", None)
    assert now["rule"]["reference"] == ["hub", "s1"]
    assert then["rule"]["revision"] < revision
    assert then["rule"]["version"] != now["rule"]["version"]
    assert then_of_later["rule"] == then["rule"]
    assert set(layers_of(then)) == {"degree-abroad", "returned"}
    assert set(map(str, layers_of(then).values())) == {"None"}

"""Every mistake that can be seeded in a partner file is found: its file, its line, its path."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from connectors import command, registry

GOOD = """\
slug: {slug}
kind: http
name: {{en: Example Museum}}
owner: Connector team
about: {{en: Guided tours.}}
documentation: https://museum.example/docs
district: changning
address: https://museum.example/api/
hosts: [https://files.museum.example/]
credentials:
  header: {{name: X-Api-Key, secret: example-museum-key}}
limits: {{deadline_seconds: 2, attempts: 2}}
freshness: {{fresh_seconds: 30}}
options:
  zone: Asia/Shanghai
  errors:
    - {{status: 404, empty: true}}
  offers:
    showing:
      topics: {{tour: guided}}
      call:
        path: tours/{{topic}}
        query: {{from: "{{since|date}}"}}
      pages:
        number: {{parameter: page, last: pages}}
      records:
        - foreach: data
      where: seats
      fields:
        id: id
        title: title
        start: begins
        venue: room.name
        seats: {{from: seats}}
examples:
  - name: one tour
    inquiries:
      - capability: showing
        topic: tour
        since: "2026-11-24T00:00:00+08:00"
        until: "2026-11-25T00:00:00+08:00"
    replies:
      - path: tours/guided
        query: {{from: "2026-11-24"}}
        json:
          pages: 1
          data:
            - id: t-1
              title: Tour
              begins: "2026-11-24T10:00:00+08:00"
              room: {{name: Hall}}
              seats: 4
    offers:
      - - {{id: t-1, seats: "4"}}
"""
#: What stands there, what is written instead, the path of the mistake, and what is said of it.
SEEDS = [
    ("kind: http", "kind: htpt", "kind", "“http”"),
    ("owner: Connector team", "ownr: Connector team", "ownr", "“owner”"),
    ("name: {en: Example Museum}", "name: {zh: 博物馆}", "name", "English"),
    ("district: changning", "district: Changning", "district", "pattern"),
    ("https://museum.example/api/", "museum.example/api", "address", "base URL"),
    ("[https://files.museum.example/]", "[files.museum.example]", "hosts[0]", "base URL"),
    ("  header: {name", "  heeader: {name", "credentials.heeader", "“header”"),
    ("secret: example-museum-key", "secret: Zx9kQ2mPf7Lw", "credentials.header.secret", "secret"),
    ("deadline_seconds: 2", "deadline_seconds: 60", "limits.deadline_seconds", "30"),
    ("attempts: 2}", "attempts: '2'}", "limits.attempts", "integer"),
    ("fresh_seconds: 30", "fresh_second: 30", "freshness.fresh_second", "“fresh_seconds”"),
    ("zone: Asia/Shanghai", "zone: Asia/Shanghia", "options.zone", "timezone"),
    ("{status: 404", "{status: 99", "options.errors[0].status", "200"),
    ("empty: true", "problem: PARTNER_GONE", "options.errors[0].problem", "PARTNER_"),
    ("404, empty: true", "404", "options.errors[0]", "problem"),
    ("    showing:", "    shwoing:", "options.offers.shwoing", "“showing”"),
    ("tours/{topic}", "tours/{topik}", "options.offers.showing.call.path", "“topic”"),
    ("tours/{topic}", "tours?x={topic}", "options.offers.showing.call.path", "query"),
    ("{since|date}", "{since|dte}", "options.offers.showing.call.query.from", "“date”"),
    ("{since|date}", "{since|date", "options.offers.showing.call.query.from", "brace"),
    (
        '        query: {from: "{',
        '        qeury: {from: "{',
        "options.offers.showing.call.qeury",
        "“query”",
    ),
    (
        "parameter: page,",
        "param: page,",
        "options.offers.showing.pages.number.param",
        "“parameter”",
    ),
    ("number: {parameter", "numbr: {parameter", "options.offers.showing.pages.numbr", "“number”"),
    ("foreach: data", "foreach: data[", "options.offers.showing.records[0].foreach", "JMESPath"),
    ("where: seats", "where: uper(title)", "options.offers.showing.where", "upper"),
    ("title: title", "titel: title", "options.offers.showing.fields.titel", "“title”"),
    ("        venue: room.name\n", "", "options.offers.showing.fields", "venue"),
    ("venue: room.name", "venue: room..name", "options.offers.showing.fields.venue", "JMESPath"),
    (
        "seats: {from: seats}",
        "seats: {form: seats}",
        "options.offers.showing.fields.seats.form",
        "“from”",
    ),
    ("foreach: data", "foreach: tours", "examples[0]", "no rows"),
    ("path: tours/guided", "path: tuors/guided", "examples[0]", "tuors/guided was expected"),
    ("path: tours/guided", "path: https://other.example/x", "examples[0].replies[0].path", "hosts"),
    ("capability: showing", "capability: pass", "examples[0].inquiries[0].capability", "showing"),
    (
        'since: "2026-11-24T00:00:00+08:00"',
        "since: 24 Nov",
        "examples[0].inquiries[0].since",
        "datetime",
    ),
    ("{id: t-1, seats", "{id: t-1, seat", "examples[0].offers[0][0].seat", "“seats”"),
    ('seats: "4"', 'seats: "5"', "examples[0]", "“5” was expected; it is “4”"),
    (
        "title: Tour\n",
        "title: Bearer 0123456789abcdef0123\n",
        "examples[0].replies[0].json.data[0].title",
        "credentials",
    ),
    ("freshness:", "supplies: [age]\nfreshness:", "supplies[0]", "supplies no"),
    ("freshness:", "books: [showing]\nfreshness:", "books[0]", "books no showing"),
    ("freshness:", "slug: twice\nfreshness:", "", "duplicate key"),
]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Check a folder with one seed in each file; return the mistakes told of each file."""
    folder = tmp_path_factory.mktemp("partners")
    for place, (good, bad, *_) in enumerate(SEEDS):
        text = GOOD.format(slug=f"museum-{place}")
        assert good in text, good
        (folder / f"museum-{place}.yaml").write_text(text.replace(good, bad, 1), encoding="utf-8")
    (folder / "museum.yaml").write_text(GOOD.format(slug="museum"), encoding="utf-8")

    checked = CliRunner().invoke(command.app, ["check", str(folder)])

    assert checked.exit_code == 1
    return checked.output


def test_a_good_file_has_no_mistake(told):
    assert "/museum.yaml:" not in told


@pytest.mark.parametrize("place", range(len(SEEDS)), ids=lambda place: SEEDS[place][1].strip())
def test_a_seeded_mistake_is_found_with_its_line_and_path(told, place):
    good, _, path, words = SEEDS[place]
    before = GOOD.format(slug=f"museum-{place}").partition(good)[0]
    line = before.count("\n") + 1 + (len(good) - len(good.lstrip("\n")))

    found = re.findall(rf"(?m)/museum-{place}\.yaml:(\d+): (.*)$", told)

    assert found, told
    assert any(
        sentence.startswith(f"{path}: " if path else "This is not YAML") and words in sentence
        for _, sentence in found
    ), found
    if path in ("examples[0]", "options.offers.showing.fields"):
        # What is wrong as a whole, or not there, is told where the whole begins.
        begins = GOOD.index({"examples[0]": "  - name: one"}.get(path, "      fields:"))
        line = GOOD[:begins].count("\n") + 1
    assert str(line) in {at for at, _ in found}


@pytest.mark.parametrize(
    "bad",
    [
        ("ownr", "[files.", "60", "heeader", "data[", "param: page", "24 Nov"),
        ("ownr", "{topik}", "|dte}", "titel", "[files."),
        ("seat:", "capability: pass", "supplies: [age]", "https://other"),
    ],
)
def test_all_mistakes_of_a_file_come_at_once(tmp_path, bad):
    text = GOOD.format(slug="museum")
    seeded = [seed for seed in SEEDS if any(one in seed[1] for one in bad)]
    for good, wrong, *_ in seeded:
        text = text.replace(good, wrong, 1)
    (tmp_path / "museum.yaml").write_text(text, encoding="utf-8")

    found = {one.path for one in registry.check([tmp_path])}

    assert found >= {path for *_, path, _ in seeded}


def test_of_two_files_that_supply_a_fact_the_second_is_told(tmp_path):
    text = (registry.PARTNERS / "changning-school-office.yaml").read_text(encoding="utf-8")
    slug = "example-school-office"
    (tmp_path / f"{slug}.yaml").write_text(
        text.replace("slug: changning-school-office", f"slug: {slug}"), encoding="utf-8"
    )

    (found,) = registry.check([registry.PARTNERS, tmp_path])

    assert (found.path, found.sentence) == (
        "supplies[0]",
        "“changning-school-office” supplies `children_at_district_school` already.",
    )

"""The kit of docs/kit: its files are what is made, and each case is judged as they say."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from credentials import flaw as flaws
from tests.kit import codes, judge, make

READ = {name: json.loads((make.FOLDER / f"{name}.json").read_text()) for name in make.FAMILIES}
#: Whole requests are judged by a hub alone: see test_hub.
PURE = [
    pytest.param(name, case, id=f"{name}:{case['id']}")
    for name, family in READ.items()
    if name != "inputs"
    for case in family["cases"]
]


@pytest.mark.parametrize(("name", "text"), make.files().items(), ids=make.files())
def test_the_files_are_what_is_made(name, text):
    assert (make.FOLDER / name).read_text(encoding="utf-8") == text, (
        "run `python -m tests.kit.make` and read the difference"
    )


@pytest.mark.parametrize(("name", "case"), PURE)
def test_each_case_is_judged_as_the_kit_says(name, case):
    family = READ[name]
    now = datetime.fromtimestamp(family["now"], UTC)

    found = judge.flaw(name, case, family["given"], now)

    assert found == case.get("flaw")
    assert (found is None) == (case["outcome"] == "ACCEPTED")


def test_there_is_a_good_control_in_each_family_and_enough_that_is_bad():
    bad = 0
    for family in READ.values():
        outcomes = [case["outcome"] for case in family["cases"]]
        assert "ACCEPTED" in outcomes
        bad += outcomes.count("REFUSED")

    assert bad >= 100


def test_each_case_has_a_name_of_its_own_and_says_what_it_is():
    for family in READ.values():
        names = [case["id"] for case in family["cases"]]
        assert len(names) == len(set(names))
        assert all(case["what"].endswith(".") for case in family["cases"])


def test_every_flaw_is_shown_by_some_case():
    shown = {case.get("flaw") for family in READ.values() for case in family["cases"]}

    assert set(flaws.Flaw) - {flaws.Flaw.WRONG_HOLDER} <= shown
    assert {codes.NO_CODE, codes.NOT_MINTED} <= shown


def test_the_reader_of_the_kit_is_told_of_every_family_and_how_many_cases_it_has():
    said = (make.FOLDER / "README.md").read_text(encoding="utf-8")

    for name, family in READ.items():
        outcomes = [case["outcome"] for case in family["cases"]]
        counts = f"| {outcomes.count('ACCEPTED')} | {outcomes.count('REFUSED')} |"
        assert [line for line in said.splitlines() if f"({name}.json)" in line and counts in line]


@pytest.mark.parametrize("path", ["kit/README.md", "verifying.md"])
def test_who_reads_of_the_kit_is_told_how_much_is_bad_in_it(path):
    cases = [case for family in READ.values() for case in family["cases"]]
    bad = sum(case["outcome"] == "REFUSED" for case in cases)

    assert f"{bad} " in (make.FOLDER.parent / path).read_text(encoding="utf-8")

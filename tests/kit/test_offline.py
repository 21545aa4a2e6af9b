"""The tills without a network of docs/tills, which partners copy, put before the kit."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from pathlib import Path

import pytest

from tests import server
from tests.kit import keys, make, statuses

FOLDER = make.FOLDER.parent / "tills"

#: What the hub alone could make, and what changes no answer: the till hands on what it is told of
#: the holder, and is no judge of spelling where it decides nothing.
TERMS = {"terms-birth-date", "terms-more", "terms-services-text"}
SPELLING = {"crit", "last-bits", "lst-padding", "padding"}
LENIENT = {
    "offline.py": {"passes": TERMS, "lists": {*SPELLING, "bits-true"}},
    "offline.mjs": {"passes": TERMS, "lists": SPELLING},
}


def passes():
    family = make.family("passes")
    for case in family["cases"]:
        partner = {**family["given"], **case.get("given", {})}["audience"]
        yield case, {"text": case["input"], "partner": partner}


def lists():
    family = make.family("status-lists")
    for case in family["cases"]:
        given = {**family["given"], **case.get("given", {})}
        yield case, {"text": case["input"], "uri": given["uri"], "place": given["place"]}


@pytest.fixture(scope="module")
def fed():
    """What a till is put before."""
    return {
        "keys": keys.RING.jwks(keys.NOW)["keys"],
        "now": keys.AT,
        "list": statuses.made(),
        "passes": [given for _, given in passes()],
        "lists": [given for _, given in lists()],
    }


@pytest.fixture(scope="module", params=["offline.py", "offline.mjs"])
def program(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def came(program, fed) -> dict[str, list]:
    """What a till ends with, pass by pass and list by list: None for no."""
    judge = in_python if program.endswith(".py") else in_javascript
    return judge(FOLDER / program, fed)


def in_javascript(path, fed):
    driver = server.command(Path(__file__).with_name("offline.mjs"))
    given = json.dumps({**fed, "till": path.as_uri()})
    ran = subprocess.run(  # noqa: S603 - our own program
        driver, input=given, stdout=subprocess.PIPE, text=True, check=True, timeout=60
    )
    return json.loads(ran.stdout)


def in_python(path, fed):
    spec = importlib.util.spec_from_file_location("offline", path)
    till = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(till)

    def tier(text, partner):
        said = till.read(text, fed["keys"], partner, fed["now"])
        at = said[65535]["status_list"]
        assert till.status(fed["list"], fed["keys"], at["uri"], at["idx"], fed["now"]) == 0
        return said[-65537][1]

    def status(text, uri, place):
        return till.status(text, fed["keys"], uri, place, fed["now"])

    def came(judge, given):
        try:
            return judge(**given)
        except Exception:  # noqa: BLE001 - as the till has it
            return None

    return {
        "passes": [came(tier, given) for given in fed["passes"]],
        "lists": [came(status, given) for given in fed["lists"]],
    }


def test_it_judges_every_pass_as_the_kit_says(came, program):
    wrong = {
        case["id"]
        for (case, _), tier in zip(passes(), came["passes"], strict=True)
        if (tier is not None) != (case["outcome"] == "ACCEPTED")
    }

    assert wrong == LENIENT[program]["passes"]


def test_it_judges_every_status_list_as_the_kit_says(came, program):
    wrong = {
        case["id"]: found
        for (case, _), found in zip(lists(), came["lists"], strict=True)
        if found != case.get("given", {}).get("status")
    }

    assert set(wrong) == LENIENT[program]["lists"]
    assert set(wrong.values()) == {0}

"""The till without a network of docs/tills, which partners copy, put before the kit."""

from __future__ import annotations

import importlib.util

import pytest

from tests.kit import keys, make, statuses

PATH = make.FOLDER.parent / "tills/offline.py"

#: What the hub alone could make, and what changes no answer: the till hands on what it is told of
#: the holder, and is no judge of spelling where it decides nothing.
LENIENT = {
    "passes": {"terms-birth-date", "terms-more", "terms-services-text"},
    "status-lists": {"bits-true", "crit", "last-bits", "lst-padding", "padding"},
}


@pytest.fixture(scope="module")
def till():
    spec = importlib.util.spec_from_file_location("offline", PATH)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="module")
def published():
    return keys.RING.jwks(keys.NOW)["keys"]


def whole(till, published, case, partner) -> str | None:
    """What the till ends with: the tier, or None for no."""
    try:
        said = till.read(case["input"], published, partner, keys.AT)
        at = said[65535]["status_list"]
        assert till.status(statuses.made(), published, at["uri"], at["idx"], keys.AT) == 0
        return said[-65537][1]
    except Exception:  # noqa: BLE001 - as the till has it
        return None


def test_it_judges_every_pass_as_the_kit_says(till, published):
    wrong = {}
    family = make.family("passes")
    for case in family["cases"]:
        partner = {**family["given"], **case.get("given", {})}["audience"]
        found = whole(till, published, case, partner)
        if (found is not None) != (case["outcome"] == "ACCEPTED"):
            wrong[case["id"]] = found

    assert set(wrong) == LENIENT["passes"]


def test_it_judges_every_status_list_as_the_kit_says(till, published):
    wrong = {}
    family = make.family("status-lists")
    for case in family["cases"]:
        given = {**family["given"], **case.get("given", {})}
        try:
            found = till.status(case["input"], published, given["uri"], given["place"], keys.AT)
        except Exception:  # noqa: BLE001 - as the till has it
            found = None
        if found != given.get("status"):
            wrong[case["id"]] = found

    assert set(wrong) == LENIENT["status-lists"]
    assert set(wrong.values()) == {0}

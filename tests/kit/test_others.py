"""Verifiers that others wrote: they accept what is good, and ours refuses what they let pass."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime

import pytest

from tests.kit import judge, make, others

WHO = {"PyPI sd-jwt 0.10.4": others.by_sd_jwt, "npm @sd-jwt/sd-jwt-vc 0.19.0": others.by_sd_jwt_vc}


@pytest.fixture(scope="module", params=WHO)
def judged(request):
    """Who judged, and which credentials they accepted."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what they warn of is theirs
        return request.param, WHO[request.param]()


def test_another_verifier_accepts_every_good_credential(judged):
    _, accepted = judged

    assert others.denied(accepted) == []


def test_what_another_verifier_lets_pass_is_refused_here(judged):
    _, accepted = judged
    family = make.family("credentials")
    now = datetime.fromtimestamp(family["now"], UTC)
    by_id = {case["id"]: case for case in family["cases"]}

    passed = others.missed(accepted)

    assert passed
    for one in passed:
        assert judge.flaw("credentials", by_id[one], family["given"], now)


def test_the_kit_tells_how_much_another_verifier_lets_pass(judged):
    name, accepted = judged
    said = (make.FOLDER / "README.md").read_text(encoding="utf-8")
    cases = make.family("credentials")["cases"]
    good = sum(case["outcome"] == "ACCEPTED" for case in cases)
    told = f"| {name} | {len(others.denied(accepted))} of {good} "
    told += f"| {len(others.missed(accepted))} of {len(cases) - good} |"

    assert told in said

"""Partner files of `kind: http` as an integrator writes them: every example holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors import http, manifest, proof, registry
from tests import partner

PARTNERS = Path(__file__).parent / "partners"
KINDS = registry.kinds()
EXAMPLES = [
    pytest.param(entry, example.played(), id=f"{path.stem}: {example.name}")
    for path in sorted(PARTNERS.glob("*.yaml"))
    if (entry := manifest.load(path, KINDS)).manifest.kind == "http"
    for example in entry.manifest.examples
]


@pytest.mark.parametrize(("entry", "example"), EXAMPLES)
async def test_an_example_of_a_declared_partner_holds(entry, example):
    credentials = proof.stand_in(entry.manifest.credentials)

    assert await proof.play(entry.kind, entry.options, example, credentials) == []


@pytest.mark.parametrize(("entry", "example"), EXAMPLES)
async def test_an_example_of_a_declared_partner_holds_over_sockets(entry, example):
    mismatches, waiting = [], list(example.replies)

    async with (
        partner.running(partner.plays(waiting, mismatches)) as loopback,
        partner.client() as client,
    ):
        credentials = proof.stand_in(entry.manifest.credentials)
        asked = client.partner("loopback", loopback.url, http.Policy(attempts=1), credentials)
        wrong = await proof.judge(entry.kind(entry.options, asked), example)

    assert (mismatches, wrong, waiting) == ([], [], [])

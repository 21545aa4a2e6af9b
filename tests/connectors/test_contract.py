"""Every example of every partner file and every kind: played, and over sockets too."""

from __future__ import annotations

import pytest

from connectors import http, manifest, proof, registry
from eligibility import rulebook
from tests import partner

KINDS = registry.kinds()
ENTRIES = [manifest.load(path, KINDS) for path in registry.files([registry.PARTNERS]).values()]

EXAMPLES = [
    pytest.param(
        entry.kind,
        entry.options,
        example.played(),
        entry.manifest.credentials,
        id=f"{entry.manifest.slug}: {example.name}",
    )
    for entry in ENTRIES
    for example in entry.manifest.examples
] + [
    pytest.param(
        kind,
        kind.options_model(**kind.EXAMPLE_OPTIONS),
        example,
        None,
        id=f"{slug}: {example.name}",
    )
    for slug, kind in KINDS.items()
    for example in kind.EXAMPLES
]


@pytest.mark.parametrize(("spoken", "options", "example", "credentials"), EXAMPLES)
async def test_an_example_holds(spoken, options, example, credentials):
    assert await proof.play(spoken, options, example, proof.stand_in(credentials)) == []


@pytest.mark.parametrize(("spoken", "options", "example", "credentials"), EXAMPLES)
async def test_an_example_holds_over_sockets(spoken, options, example, credentials):
    mismatches, waiting = [], list(example.replies)

    async with (
        partner.running(partner.plays(waiting, mismatches)) as loopback,
        partner.client() as client,
    ):
        asked = client.partner(
            "loopback", loopback.url, http.Policy(attempts=1), proof.stand_in(credentials)
        )
        wrong = await proof.judge(spoken(options, asked), example)

    assert mismatches == []
    assert wrong == []
    assert waiting == []


@pytest.mark.parametrize("slug", KINDS)
def test_every_kind_is_proved_by_an_example(slug):
    assert any(KINDS[slug] is param.values[0] for param in EXAMPLES)


@pytest.mark.parametrize("slug", KINDS)
def test_every_fact_that_a_kind_supplies_is_one_that_rules_know(slug):
    assert KINDS[slug].supplies <= rulebook.known_facts().keys()


@pytest.mark.parametrize("slug", KINDS)
def test_every_kind_is_named_in_both_languages(slug):
    assert {"en", "zh"} <= KINDS[slug].label.keys()

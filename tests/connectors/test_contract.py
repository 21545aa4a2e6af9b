"""Every example of every partner file and every kind, played; each kind proved by one."""

from __future__ import annotations

import pytest

from connectors import manifest, proof, registry
from eligibility import rulebook

KINDS = registry.kinds()
ENTRIES = [manifest.load(path, KINDS) for path in registry.files([registry.PARTNERS]).values()]

EXAMPLES = [
    pytest.param(
        entry.kind,
        entry.options,
        entry,
        example.played(),
        id=f"{entry.manifest.slug}: {example.name}",
    )
    for entry in ENTRIES
    for example in entry.manifest.examples
] + [
    pytest.param(
        kind,
        kind.options_model(**kind.EXAMPLE_OPTIONS),
        None,
        example,
        id=f"{slug}: {example.name}",
    )
    for slug, kind in KINDS.items()
    for example in kind.EXAMPLES
]


class AnySecret(dict):
    """Knows a secret for every name."""

    def __contains__(self, name):
        return True

    def __missing__(self, name):
        return "loopback-secret"


@pytest.mark.parametrize(("spoken", "options", "entry", "example"), EXAMPLES)
async def test_an_example_holds(spoken, options, entry, example):
    credentials = manifest.credentials(entry, AnySecret()) if entry else None

    assert await proof.play(spoken, options, example, credentials) == []


@pytest.mark.parametrize("slug", KINDS)
def test_every_kind_is_proved_by_an_example(slug):
    assert any(KINDS[slug] is param.values[0] for param in EXAMPLES)


@pytest.mark.parametrize("slug", KINDS)
def test_every_fact_that_a_kind_supplies_is_one_that_rules_know(slug):
    assert KINDS[slug].supplies <= rulebook.known_facts().keys()


@pytest.mark.parametrize("slug", KINDS)
def test_every_kind_is_named_in_both_languages(slug):
    assert {"en", "zh"} <= KINDS[slug].label.keys()

"""Every example of every partner file and every kind, replayed by a partner on loopback."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from connectors import errors, http, manifest, registry
from eligibility import rulebook
from models import offer
from tests import partner

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
    mismatches, waiting = [], list(example.replies)
    credentials = manifest.credentials(entry, AnySecret()) if entry else None

    async with (
        partner.running(partner.plays(waiting, mismatches)) as loopback,
        http.HTTPClient() as client,
    ):
        policy = http.Policy(attempts=1)
        connector = spoken(options, client.partner("loopback", loopback.url, policy, credentials))
        try:
            answers = await connector.answer(example.inquiries) if example.inquiries else []
            facts = await connector.facts(example.subject, example.wanted) if example.wanted else {}
            problem = None
        except errors.PartnerError as failure:
            answers, facts, problem = [], {}, failure.problem

    assert mismatches == []
    assert waiting == []
    assert problem == example.problem
    assert [
        [shown(one, fields) for one, fields in zip(offers, expected, strict=True)]
        for offers, expected in zip(answers, example.offers, strict=True)
    ] == [[dict(fields) for fields in expected] for expected in example.offers]
    for inquiry, offers in zip(example.inquiries, answers, strict=problem is None):
        assert all(type(one) is offer.SHAPES[inquiry.capability] for one in offers)
    assert facts == example.facts
    for name, value in facts.items():
        assert rulebook.known_facts()[name].taken(value) is not None


@pytest.mark.parametrize("slug", KINDS)
def test_every_kind_is_proved_by_an_example(slug):
    assert any(KINDS[slug] is param.values[0] for param in EXAMPLES)


@pytest.mark.parametrize("slug", KINDS)
def test_every_fact_that_a_kind_supplies_is_one_that_rules_know(slug):
    assert KINDS[slug].supplies <= rulebook.known_facts().keys()


@pytest.mark.parametrize("slug", KINDS)
def test_every_kind_is_named_in_both_languages(slug):
    assert {"en", "zh"} <= KINDS[slug].label.keys()


def shown(one, fields):
    """Return these fields of an offer as text; times as ISO 8601."""
    return {name: text(getattr(one, name)) for name in fields}


def text(value):
    return value.isoformat() if isinstance(value, date | datetime) else str(value)

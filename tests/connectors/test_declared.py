"""Partner files of `kind: http` as an integrator writes them: every example holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from connectors import http, manifest, proof, registry
from connectors.kinds import http as declared
from tests import partner

DOCUMENT = Path(__file__).parents[2] / "docs" / "declaring.md"
SHOWN = [
    block
    for text in re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    if (block := YAML(typ="safe").load(text))
]
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


@pytest.mark.parametrize("shown", SHOWN)
def test_what_the_document_shows_holds(shown):
    if "options" in shown:
        declared.Options.model_validate(shown["options"])
    for example in shown.get("examples", ()):
        manifest.Example.model_validate(example)


def keys(shape):
    for name, field in shape.model_fields.items():
        yield field.alias or name
        for inner in forms(field.annotation):
            yield from keys(inner)


def forms(annotation):
    if hasattr(annotation, "model_fields"):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from forms(inner)


@pytest.mark.parametrize("key", sorted(set(keys(declared.Options))))
def test_every_key_of_a_declared_partner_is_documented(key):
    rows = re.findall(r"^\| (`[^|]+`) \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)

    assert any(key in re.split(r"\W+", one) for one in rows)

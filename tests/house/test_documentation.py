"""What is not documented does not exist: every setting, code and key stands in its document."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import get_args, get_origin

import pydantic
import pytest

from connectors import errors as partner_errors
from connectors import manifest, registry
from eligibility import household, reading, rule
from models import errors, menu
from resolvers.viewer import Role
from schema.execution import Code, Limits
from settings import PREFIX, Settings

DOCS = Path(__file__).parents[2] / "docs"
SETTINGS = [
    f"{PREFIX}{field.name.upper()}"
    for field in dataclasses.fields(Settings)
    if field.name != "secrets"
]


def subclasses(kind):
    for one in kind.__subclasses__():
        yield one
        yield from subclasses(one)


#: What the hub raises on purpose; a partner's error takes its code from the closed list.
OURS = {one.code for one in subclasses(errors.GreenwayError) if "code" in vars(one)}
CODES = sorted({*OURS, *Code, *partner_errors.Problem})


def keys(shape, prefix="", seen=()):
    """Yield the dotted keys of a form and of the forms in it; a list's entries are ``[]``."""
    for name, field in shape.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        yield key
        for inner, many in _forms(field.annotation):
            if inner not in seen:
                yield from keys(inner, f"{key}{'[]' if many else ''}.", (*seen, shape))


def _forms(annotation, *, many=False):
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        if not issubclass(annotation, pydantic.RootModel):
            yield annotation, many
        return
    for inner in get_args(annotation):
        listed = many or get_origin(annotation) in (list, tuple)
        yield from _forms(inner, many=listed)


def text_of(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def coded(document: str) -> str:
    """Return all of a document that is set as code."""
    return "\n".join(re.findall(r"`[^`\n]+`", text_of(document)))


@pytest.mark.parametrize("setting", [*SETTINGS, f"{PREFIX}SECRET_"])
def test_every_setting_is_documented(setting):
    assert f"`{setting}" in text_of("operating")


def test_no_setting_is_documented_that_does_not_exist():
    told = set(re.findall(rf"^\| `({PREFIX}[A-Z_]+)`", text_of("operating"), re.MULTILINE))

    assert told == set(SETTINGS)


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_documented(code):
    assert re.search(rf"^\| `{code}`", text_of("querying"), re.MULTILINE)


def test_no_code_is_documented_that_does_not_exist():
    _, _, section = text_of("querying").partition("\n## Error codes\n")
    told = re.findall(r"^\| `([A-Z_]+)`", section.split("\n## ")[0], re.MULTILINE)

    assert set(told) == set(CODES)


@pytest.mark.parametrize("limit", [field.name for field in dataclasses.fields(Limits)])
def test_every_limit_is_documented_with_its_number(limit):
    value = getattr(Limits(), limit)
    spellings = {f"{value:,}", f"{value:g}", str(value)}
    if limit == "body_bytes":
        spellings |= {f"{value // 1024} KiB"}

    assert any(re.search(rf"\b{re.escape(one)}\b", text_of("querying")) for one in spellings)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ANONYMOUS}))
def test_every_role_is_documented(role):
    assert f"`{role}`" in text_of("querying") + text_of("operating")


@pytest.mark.parametrize("key", sorted(keys(manifest.Manifest)))
def test_every_key_of_a_partner_file_is_documented(key):
    told = re.findall(r"^\| `([a-z0-9_.\[\]]+)`", text_of("connecting"), re.MULTILINE)

    # The parts of `credentials` stand for it, and `examples[].` is what its table is about.
    spelt = key.removeprefix("examples[].")
    assert any(one == spelt or one.startswith(f"{spelt}.") for one in told)


@pytest.mark.parametrize(
    "option",
    [
        (kind.slug, option)
        for kind in registry.kinds().values()
        for option in kind.options_model.model_fields
    ],
    ids=".".join,
)
def test_every_option_of_a_kind_is_documented_where_the_kind_is(option):
    kind, name = option
    _, _, section = text_of("connecting").partition(f"### {kind}\n")

    assert f"`options.{name}`" in section.split("\n### ")[0]


@pytest.mark.parametrize("key", sorted(keys(menu.Menu)))
def test_every_key_of_the_menu_is_documented(key):
    name = key.rpartition(".")[2]

    assert re.search(rf"\b{name}\b", coded("menu"))


def told_of_rules(*sections: str) -> set[str]:
    """Return what the first column of these sections' tables has as code."""
    rows = [
        row
        for section in sections
        for row in text_of("eligibility")
        .partition(f"\n## {section}\n")[2]
        .split("\n## ")[0]
        .split("\n")
        if row.startswith("| `")
    ]
    return {word for row in rows for word in re.findall(r"`([a-z_]+)`", row.split(" | ")[0])}


def test_every_word_of_a_rule_is_documented_and_no_other():
    words = {*reading._GROUPS, "at_least", *reading._SAID}
    asked = {*reading._ASKS, *rule.OPERATORS}

    assert told_of_rules("The rule") == words
    assert told_of_rules("What a clause asks") == asked
    assert told_of_rules("Editions") == set(reading._EDITION)
    assert told_of_rules("Layers") == set(reading._OVERRIDE)


@pytest.mark.parametrize(
    "word", sorted({"editions", "who", "has", "line", *reading._QUANTIFIERS, *household.FACTS})
)
def test_every_further_word_of_a_rule_is_documented(word):
    assert re.search(rf"\b{word}\b", coded("eligibility") + text_of("eligibility"))


@pytest.mark.parametrize(
    "limit",
    [
        reading.MOST_CLAUSES,
        reading.MOST_DEPTH,
        reading.MOST_VALUES,
        reading.MOST_SENTENCE,
        reading.MOST_ZONES,
    ],
)
def test_every_limit_of_a_rule_is_documented(limit):
    _, _, section = text_of("eligibility").partition("\n## Limits\n")

    assert re.search(rf"\b{limit:,}\b", section.split("\n## ")[0])

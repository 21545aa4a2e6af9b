"""The contract before two linters; each finding that stands says why it does."""

import json
import re
from pathlib import Path

import pytest

from schema import SDL

HERE = Path(__file__).parent
#: A finding of a rule at a line of the contract is spared: renaming would break front ends.
SPARED = {
    (r".*", r"\b_(Any|Entity|Service|entities|service)\b|^  sdl:"): (
        "the names and the silence are Apollo Federation's, not ours"
    ),
    ("require-description", r"^directive @oneOf "): "the specification's own directive",
    ("input-name", r"^    serviceCode: "): "an answer to one code needs no object around it",
    ("input-name", r"^    (idempotencyKey|passes): "): "as the till's offline queue has them",
    ("input-name", r"^    inputs: "): "many at once, each judged alone",
    ("require-field-of-type-query-in-mutation-result", r"^  \): Challenge\b"): (
        "a till answers a challenge at once; it has no page to fetch anew"
    ),
    ("no-typename-prefix", r"^  question\("): "the question itself, in words",
    ("no-typename-prefix", r"^  (stationKind|talentClass): "): (
        "`kind` and `class` alone are words of other types and of languages"
    ),
    ("require-nullable-result-in-root", r"^  edition: "): "it is in memory, so it cannot fail",
}


@pytest.fixture
def unspared():
    """Leave out of findings, of a rule at a line each, those that are spared."""
    lines = SDL.read_text(encoding="utf-8").splitlines()

    def left(found):
        told = {(rule, lines[number - 1], number) for rule, number in found}
        return sorted(one for one in told if not any(_is_spared(*spare, one) for spare in SPARED))

    return left


async def test_the_contract_has_no_findings_of_graphql_eslint(told, packages, unspared):
    said = await told(
        packages / "eslint/bin/eslint.js",
        *("--config", HERE / "eslint.config.js", "--format", "json", "schema/schema.graphql"),
        may_fail=True,
    )

    [result] = json.loads(said)
    assert result["fatalErrorCount"] == 0, result["messages"]
    assert unspared((one["ruleId"], one["line"]) for one in result["messages"]) == []


async def test_the_contract_has_no_findings_of_graphql_schema_linter(told, packages, unspared):
    said = await told(
        packages / "graphql-schema-linter/lib/cli.js",
        *("--format", "json", "schema/schema.graphql", HERE / "federation.graphql"),
        may_fail=True,
    )

    found = [(one["rule"], one["location"]["line"]) for one in json.loads(said)["errors"]]
    assert unspared(found) == []


def _is_spared(rule, line, finding):
    found_rule, found_line, _number = finding
    return re.fullmatch(rf"(@graphql-eslint/)?{rule}", found_rule) and re.search(line, found_line)

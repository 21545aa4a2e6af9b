"""What journeys share: documents and answers beside the tests, partner files with own limits."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from connectors.registry import PARTNERS

HERE = Path(__file__).parent
HOME_PAGE = HERE.parents[1] / "docs" / "querying.graphql"


@pytest.fixture
def home() -> str:
    """The document of the member's home page, as the documentation shows it."""
    return HOME_PAGE.read_text(encoding="utf-8")


@pytest.fixture
def document():
    """Read a document that stands beside the tests."""
    return lambda story: (HERE / f"{story}.graphql").read_text(encoding="utf-8")


@pytest.fixture
def told(request):
    """Compare with the answer beside the tests; ``--rewrite-answers`` writes it anew."""

    def told(story: str, answer: object) -> bool:
        path = HERE / f"{story}.json"
        if request.config.getoption("--rewrite-answers"):
            text = json.dumps(answer, ensure_ascii=False, indent=1)
            path.write_text(text + "\n", encoding="utf-8")
        return answer == json.loads(path.read_text(encoding="utf-8"))

    return told


@pytest.fixture
def limited(tmp_path):
    """Copy a partner's file into a further folder, with other limits; return the folder."""
    folder = tmp_path / "partners"
    folder.mkdir()

    def limited(slug: str, limits: str) -> Path:
        text = (PARTNERS / f"{slug}.yaml").read_text(encoding="utf-8")
        text, found = re.subn(r"(?m)^limits: .*$", f"limits: {{{limits}}}", text)
        assert found == 1, f"{slug} states no limits"
        (folder / f"{slug}.yaml").write_text(text, encoding="utf-8")
        return folder

    return limited

"""`make help` is the whole list: every target says what it does, and is spelt where it must be."""

from __future__ import annotations

import re

import pytest


@pytest.fixture(scope="module")
def makefile(root) -> str:
    return (root / "Makefile").read_text(encoding="utf-8")


def test_every_target_says_what_it_does(makefile):
    targets = re.findall(r"^([a-z-]+):(?!=)(.*)$", makefile, re.MULTILINE)

    assert len(targets) > 10
    assert [name for name, rest in targets if "## " not in rest] == []


def test_every_target_that_is_no_file_is_phony(makefile):
    targets = set(re.findall(r"^([a-z-]+):(?!=)", makefile, re.MULTILINE))
    phony = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())

    assert phony == targets


@pytest.mark.parametrize("target", ["run", "test", "check", "bench", "demo", "picture"])
def test_the_promised_targets_are_there(makefile, target):
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)

"""The pay lines of Shanghai: what is in force on which day, and what rules make of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pydantic
import pytest

from eligibility import rulebook
from eligibility.single import Judge
from models import menu, source

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def book() -> rulebook.Rulebook:
    """The pay lines, the points and the one service whose rule has both lines and points."""
    lists, documents = {}, {}
    for name, shape in (("pay_lines", menu.PayLine), ("points", menu.PointsTable)):
        documents[name] = source.read(ROOT / "menu" / f"{name}.yaml")
        lists[name] = source.validate(documents[name], pydantic.RootModel[tuple[shape, ...]]).root
    code = "high-level-work-channel"
    services = {code: source.read(ROOT / "menu" / "services" / f"{code}.yaml")}
    found, mistakes = rulebook.read(lists, documents, services)
    assert not mistakes
    return found


@pytest.mark.parametrize(
    ("on", "class_a", "class_b"),
    [
        (date(2014, 12, 31), None, None),
        (date(2015, 1, 1), 600_000, None),
        (date(2026, 2, 2), 600_000, None),
        (date(2026, 2, 3), 895_248, 596_832),
        (date(2026, 11, 22), 895_248, 596_832),
    ],
)
def test_each_day_has_its_lines(book, on, class_a, class_b):
    assert book.lines["class-a"].on(on) == class_a
    assert book.lines["class-b"].on(on) == class_b


def test_the_two_lines_are_six_and_four_times_the_same_pay(book):
    of_a, of_b = (book.lines[code].on(date(2026, 2, 3)) for code in ("class-a", "class-b"))

    assert of_a / 6 == of_b / 4 == 149_208


@pytest.mark.parametrize(
    ("on", "salary", "met"),
    [
        (date(2026, 2, 2), 599_999, False),
        (date(2026, 2, 2), 600_000, True),
        (date(2026, 2, 3), 600_000, False),
        (date(2026, 2, 3), 895_247, False),
        (date(2026, 2, 3), 895_248, True),
    ],
)
def test_a_rule_compares_pay_with_the_line_of_its_day(book, on, salary, met):
    judge = Judge(book.rules["high-level-work-channel"].on(on))
    [leaf] = [one for one in judge.tree.leaves if one.said.id == "salary-line"]

    assert leaf.test.holds(salary) is met


@pytest.mark.parametrize(
    ("on", "table"),
    [
        (date(2017, 3, 31), "trial"),
        (date(2017, 4, 1), "provisional"),
    ],
)
def test_a_rule_counts_points_by_the_table_of_its_day(book, on, table):
    tree = book.rules["high-level-work-channel"].on(on)

    [leaf] = [one for one in tree.leaves if one.said.id == "points"]
    assert leaf.test.table.version == table

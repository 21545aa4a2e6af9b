"""Every example of every service, proved by each of the three compilers of its rule."""

from __future__ import annotations

from itertools import groupby

import pytest

from eligibility import rulebook
from models import offer, standing
from resolvers import publication
from tests import compilers
from tests.menu.test_menu_folder import ROOT

PARTNERS = {
    path.stem: frozenset(offer.Capability)
    for path in (ROOT / "connectors" / "partners").glob("*.yaml")
}
FACTS = rulebook.known_facts()
#: SQLite takes so many expressions in one question, whatever they are.
MANY = 20


@pytest.fixture
async def over(database):
    """A standing of all facts, of nobody yet."""
    found = compilers.nobody(tuple(FACTS.values()))
    async with database.begin() as session:
        await standing.keep(session, found, [], [])
    yield found
    async with database.begin() as session:
        await standing.drop(session)


async def test_every_example_is_proved_by_all_three(database, over):
    menu = publication.read(ROOT / "menu", PARTNERS)
    book = rulebook.Rulebook.of(menu)
    examples = [
        (example.on or service.assured.at, service.code, example)
        for service in menu.services
        for example in service.examples
    ]

    proved = 0
    for day, of_day in groupby(sorted(examples, key=lambda one: one[0]), lambda one: one[0]):
        some = list(of_day)
        people = [
            {name: FACTS[name].taken(value) for name, value in example.given.items()}
            for _, _, example in some
        ]
        codes = list(dict.fromkeys(code for _, code, _ in some))
        for start in range(0, len(codes), MANY):
            asked = codes[start : start + MANY]
            trees = [book.rules[code].on(day) for code in asked]
            async with database.begin() as session:
                told = await compilers.told(session, over, trees, people, tuple(FACTS.values()))
                await session.rollback()
            by_one, by_sql, by_frame = told
            assert by_sql == by_one
            assert by_frame == by_one
            for (_, code, example), truths in zip(some, by_one, strict=True):
                if code in asked:
                    outcome = {True: "ELIGIBLE", False: "INELIGIBLE", None: "NEEDS_FACTS"}
                    assert outcome[truths[asked.index(code)]] == example.outcome, (code, example)
                    proved += 1

    assert proved == len(examples) > 200

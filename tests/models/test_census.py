"""Everybody is read some thousands at a time, and each as whole as they are read alone."""

from __future__ import annotations

import itertools

import pytest

from eligibility import rulebook
from models import census, demo, dossier


@pytest.fixture
async def everybody(database, today):
    """A database with demo people."""
    await demo.build(database, 300, today)
    return database


async def test_everybody_comes_once_by_id_in_chunks_of_the_size_asked(everybody):
    async with everybody.session() as session:
        found = [[one.id for one in some] async for some in census.chunks(session, size=70)]
        many = await census.count(session)

    assert [len(some) for some in found] == [70, 70, 70, 70, 20]
    assert [*itertools.chain.from_iterable(found)] == list(range(1, many + 1))


async def test_all_that_rules_ask_is_read_of_each_as_of_them_alone(everybody, today):
    facts = rulebook.known_facts().values()

    async with everybody.session() as session:
        async for some in census.chunks(session, size=130):
            alone = await dossier.by_ids(session, [one.id for one in some])
            assert [rulebook.facts_of(one, today, facts) for one in some] == [
                rulebook.facts_of(one, today, facts) for one in alone
            ]


async def test_of_nobody_there_is_no_chunk(database):
    async with database.session() as session:
        assert [some async for some in census.chunks(session)] == []

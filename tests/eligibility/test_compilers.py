"""One rule tree, compiled three ways: for one person, for the database, for a whole population."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from models import standing
from tests import compilers


@pytest.fixture
async def over(database):
    """A standing of the facts of random rules, of nobody yet."""
    found = compilers.nobody()
    async with database.begin() as session:
        await standing.keep(session, found, [], [])
    yield found
    async with database.begin() as session:
        await standing.drop(session)


@settings(
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(crowd=compilers.crowds())
async def test_the_three_compilers_say_the_same_of_everybody(database, over, crowd):
    async with database.begin() as session:
        by_one, by_sql, by_frame = await compilers.told(session, over, *crowd)
        await session.rollback()

    assert by_sql == by_one
    assert by_frame == by_one

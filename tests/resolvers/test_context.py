from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from resolvers.viewer import Viewer


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 11, 22, 15, 59, tzinfo=UTC), date(2026, 11, 22)),
        (datetime(2026, 11, 22, 16, 0, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2024, 2, 28, 16, 0, tzinfo=UTC), date(2024, 2, 29)),
    ],
)
async def test_the_day_is_shanghais_wherever_the_hub_stands(context_of, moment, day):
    context = context_of()
    context.now = moment

    assert context.today == day


async def test_what_a_query_makes_once_another_makes_anew(context_of):
    one, other = context_of(), context_of()

    made = [query.once("key", object) for query in (one, one, other)]

    assert made[0] is made[1]
    assert made[0] is not made[2]


async def test_nothing_of_one_query_is_in_the_next(context_of):
    one, other = context_of(Viewer()), context_of(Viewer())

    one.problems.append("trouble")

    assert other.problems == []
    assert one.loaders is not other.loaders
    assert one.desk is not other.desk

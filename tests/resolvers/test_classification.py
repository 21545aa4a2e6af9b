"""Classing a person over a small menu: what of its tables and lines holds on the day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from models import errors, menu
from resolvers import classification
from resolvers import menu as catalogues
from resolvers.viewer import Role, Viewer
from tests import catalogue as small
from tests import factories

TODAY = small.NOW.date()


def a_line(code: str, **spans: int) -> menu.PayLine:
    """A pay line; ``y2025=100`` is an amount of 100 in that year."""
    values = [
        {
            "since": f"{year[1:]}-01-01",
            "until": f"{year[1:]}-12-31",
            "amount": amount,
            "citation": small.CITED,
        }
        for year, amount in spans.items()
    ]
    return menu.PayLine(code=code, name={"en": code}, citation=small.CITED, values=values)


def a_table(code: str, **versions: int) -> menu.PointsTable:
    """A table whose versions, each of one year, ask for an age and give so many points for it."""
    return menu.PointsTable.model_validate(
        {
            **small.coded(code)[0],
            "versions": [
                {
                    "version": year,
                    "name": {"en": year},
                    "since": f"{year[1:]}-01-01",
                    "until": f"{year[1:]}-12-31",
                    "high": 85,
                    "medium": 60,
                    "citation": small.CITED,
                    "lines": [
                        {
                            "id": "age",
                            "name": {"en": "Age"},
                            "most": points,
                            "entries": [
                                {"fact": "age", "bands": [{"points": points, "at_least": 30}]}
                            ],
                        }
                    ],
                }
                for year, points in versions.items()
            ],
        }
    )


@pytest.fixture
async def person(database):
    """Somebody of forty who is paid 100 yuan a year since June 2026."""
    post = factories.an_employment(annual_salary=100, valid_from=date(2026, 6, 1))
    found = factories.a_talent(
        birth_date=date(1986, 1, 1), employments=[post], talent_class=menu.TalentClass.LOW
    )
    async with database.begin() as session:
        session.add(found)
    return found


@pytest.fixture
def classed(context_of, database, person):
    async def classed(as_of=None, points=(), lines=()):
        found = small.a_menu().model_copy(update={"points": points, "pay_lines": lines})
        row = menu.Revision(id=1, digest="d", source="s", published_at=small.NOW)
        whole = catalogues.Catalogue.of(row, found)
        context = context_of(Viewer(Role.HOLDER, person.handle), whole, database)
        return await classification.of(context, person, as_of)

    return classed


async def test_without_tables_and_lines_the_class_on_record_is_all_there_is(classed):
    found = await classed()

    assert (found.as_of, found.person.talent_class) == (TODAY, menu.TalentClass.LOW)
    assert (found.scores, found.pay) == ((), ())


async def test_all_versions_of_all_tables_are_told_and_those_of_the_day_marked(classed):
    found = await classed(points=(a_table("one", y2025=5, y2026=90), a_table("two", y2026=7)))

    told = [(one.table.code, one.table.version, one.in_force) for one in found.scores]
    assert told == [("one", "y2025", False), ("one", "y2026", True), ("two", "y2026", True)]
    assert [one.table.reached(found.known) for one in found.scores] == ["LOW", "HIGH", "LOW"]


async def test_a_line_without_an_amount_on_the_day_is_left_out(classed):
    lines = (a_line("now", y2025=90, y2026=101), a_line("then", y2025=10))

    found = await classed(lines=lines)

    assert [(one.line.code, one.value.amount, one.reached) for one in found.pay] == [
        ("now", 101, False)
    ]


@pytest.mark.parametrize(
    ("amount", "on", "reached"),
    [
        (100, date(2026, 6, 1), True),
        (101, date(2026, 6, 1), False),
        (100, date(2026, 5, 31), None),
    ],
)
async def test_pay_reaches_a_line_from_its_amount_on_if_there_is_pay_on_the_day(
    classed, amount, on, reached
):
    found = await classed(on, lines=(a_line("line", y2026=amount),))

    assert [one.reached for one in found.pay] == [reached]


@pytest.mark.parametrize("day", ["2016-11-22", "2036-11-22"])
async def test_a_day_ten_years_away_is_classed_and_the_next_is_not(classed, day):
    beyond = timedelta(1 if day > "2026" else -1)

    found = await classed(date.fromisoformat(day))

    assert found.as_of == date.fromisoformat(day)
    with pytest.raises(errors.BadInputError, match="it may be 2016-11-22 to 2036-11-22"):
        await classed(found.as_of + beyond)


async def test_a_fact_that_no_table_asks_for_is_not_read(classed):
    found = await classed(points=(a_table("one", y2026=5),))

    assert set(found.known) == {"annual_salary", "age"}

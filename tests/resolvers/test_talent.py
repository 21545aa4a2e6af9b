from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from models import card, errors, menu, talent
from resolvers import talent as people
from resolvers.viewer import Role, Viewer
from tests import factories

HOLDER = Viewer(Role.HOLDER, "holder")
OFFICER = Viewer(Role.OFFICER, "officer")


@pytest.fixture
async def holder(database) -> talent.Talent:
    person = factories.a_talent(handle="holder")
    held = card.Card(
        serial="GW-FWY9-9N2Q-F",
        batch=1,
        issued_on=date(2026, 1, 1),
        valid_until=date(2027, 1, 1),
        status=card.Status.ACTIVE,
        tier=menu.TalentClass.HIGH,
        sandbox=False,
        source="a test",
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    person.cards.append(held)
    async with database.begin() as session:
        session.add_all([person, factories.a_talent(handle="other")])
        await session.flush()
        session.add_all(
            factories.a_redemption(subject="holder", area=area, units=units, used_at=used_at)
            for area, units, used_at in (
                ("films", 1, datetime(2026, 10, 31, 15, 59, tzinfo=UTC)),  # October in Shanghai
                ("films", 1, datetime(2026, 10, 31, 16, 0, tzinfo=UTC)),  # November
                ("check", 5, datetime(2026, 3, 1, tzinfo=UTC)),
                ("doctor", 9, datetime(2026, 11, 1, tzinfo=UTC)),
            )
        )
    return person


async def test_a_holder_is_read_once_with_their_card(context_of, database, holder):
    context = context_of(HOLDER, database=database)

    await people.read_viewer(context, with_units=True)

    assert people.me(context).handle == "holder"
    assert (await people.card_of(context, context.person)).serial == "GW-FWY9-9N2Q-F"


async def test_who_is_no_holder_is_not_read(context_of):
    for role in set(Role) - {Role.HOLDER}:
        context = context_of(Viewer(role, "holder"))

        await people.read_viewer(context, with_units=True)

        assert context.person is None
        with pytest.raises((errors.UnauthenticatedError, errors.ForbiddenError)):
            people.me(context)


@pytest.mark.parametrize(
    ("viewer", "handle", "found"),
    [
        (HOLDER, "holder", True),
        (HOLDER, "other", False),
        (HOLDER, "nobody", False),
        (OFFICER, "other", True),
        (OFFICER, "nobody", False),
        (Viewer(), "holder", False),
        (Viewer(Role.PARTNER, "holder"), "holder", False),
    ],
    ids=str,
)
async def test_a_person_is_found_by_who_may_see_them(
    context_of, database, holder, viewer, handle, found
):
    person = await people.by_handle(context_of(viewer, database=database), handle)

    assert (person is not None) is found


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.OFFICER, Role.ADMIN}))
async def test_lists_of_people_are_for_officers_before_the_database_is_asked(context_of, role):
    context = context_of(Viewer(role, "x"))

    with pytest.raises((errors.UnauthenticatedError, errors.ForbiddenError)):
        await people.listed(context, talent.Filter(), None, None)
    with pytest.raises((errors.UnauthenticatedError, errors.ForbiddenError)):
        await people.counted(context, talent.Filter())


async def test_what_is_left_of_a_card_is_counted_by_calendar_period_in_shanghai(
    context_of, database, holder
):
    context = context_of(HOLDER, database=database)
    await people.read_viewer(context, with_units=True)

    left = await people.areas_of(context, "holder")

    assert [(one.area.code, one.units_left, one.renews_on) for one in left] == [
        ("films", 1, date(2026, 12, 1)),
        ("check", 0, date(2027, 1, 1)),  # never less than nothing
        ("doctor", None, None),
    ]


@pytest.mark.parametrize(
    ("today", "period", "renews_on"),
    [
        (datetime(2026, 12, 31, 23, tzinfo=UTC), "MONTH", date(2027, 2, 1)),  # January there
        (datetime(2026, 12, 31, tzinfo=UTC), "MONTH", date(2027, 1, 1)),
        (datetime(2024, 2, 29, tzinfo=UTC), "MONTH", date(2024, 3, 1)),
        (datetime(2024, 2, 29, tzinfo=UTC), "YEAR", date(2025, 1, 1)),
    ],
)
async def test_a_period_ends_with_the_calendars(
    context_of, database, holder, today, period, renews_on
):
    context = context_of(HOLDER, database=database)
    context.now = today
    await people.read_viewer(context, with_units=True)

    left = await people.areas_of(context, "holder")

    area = {"MONTH": "films", "YEAR": "check"}[period]
    assert {one.area.code: one.renews_on for one in left}[area] == renews_on

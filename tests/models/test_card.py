"""Serials survive being typed by people; cards and their use are found in one statement."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import card
from tests import factories

A_SERIAL = st.integers(0, 2**40 - 1).map(card.serial)


@given(A_SERIAL)
def test_a_serial_may_be_typed_small_unbroken_and_with_letters_for_digits(serial):
    typed = serial[3:].replace("-", " ").lower().replace("0", "o").replace("1", "l")

    assert card.normal_serial(typed) == card.normal_serial(serial) == serial


@given(A_SERIAL, st.integers(0, 7), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_a_serial_with_one_wrong_digit_is_none(serial, place, digit):
    digits = list(serial[3:].replace("-", ""))
    wrong = digits[place] != digit
    digits[place] = digit

    assert (card.normal_serial("".join(digits)) is None) == wrong


@pytest.mark.parametrize("text", ["", "GW", "GW-", "GW-7F3K-9M2Q", "\x00" * 9, "七" * 9, "9" * 999])
def test_what_is_no_serial_is_none(text):
    assert card.normal_serial(text) is None


async def test_a_card_is_found_by_its_serial_in_any_spelling(database):
    async with database.begin() as session:
        session.add(factories.a_talent(cards=[factories.a_card(serial=card.serial(77))]))

    async with database.session() as session:
        found = await card.by_serial(session, card.serial(77).lower().replace("-", ""))
        missing = await card.by_serial(session, card.serial(78))
        garbage = await card.by_serial(session, "\x00")

    assert found.serial == card.serial(77)
    assert missing is garbage is None


async def test_a_holder_has_the_newest_active_card_or_else_the_newest(database):
    def cards(*kinds):
        return [
            factories.a_card(status=status, issued_on=date(2026, month, 1))
            for month, status in kinds
        ]

    people = [
        factories.a_talent(cards=cards((1, card.Status.ACTIVE), (2, card.Status.REVOKED))),
        factories.a_talent(cards=cards((2, card.Status.ACTIVE), (1, card.Status.ACTIVE))),
        factories.a_talent(cards=cards((1, card.Status.REVOKED), (2, card.Status.SUSPENDED))),
        factories.a_talent(),
    ]
    async with database.begin() as session:
        session.add_all(people)
    ids = [person.id for person in people]

    async with database.session() as session:
        found = await card.by_holders(session, [ids[3], ids[2], ids[1], ids[0], ids[0], 10**6])

    assert [row and (row.issued_on.month, row.status.value) for row in found] == [
        None,
        (2, "SUSPENDED"),
        (2, "ACTIVE"),
        (1, "ACTIVE"),
        (1, "ACTIVE"),
        None,
    ]


async def test_use_is_counted_by_holder_area_and_time_in_the_order_asked(database):
    november = datetime(2026, 11, 1, tzinfo=UTC)
    now = november + timedelta(days=10)
    async with database.begin() as session:
        session.add_all(
            factories.a_redemption(subject=subject, area=area, units=units, used_at=used_at)
            for subject, area, units, used_at in [
                ("first", "film", 2, november),
                ("first", "film", 3, november - timedelta(seconds=1)),
                ("first", "check", 5, november + timedelta(days=3)),
                ("second", "film", 7, november + timedelta(days=4)),
            ]
        )

    async with database.session() as session:
        counted = await card.used(
            session,
            [
                card.Spell("second", "film", november, now),
                card.Spell("first", "film", november, now),
                card.Spell("first", "film", november - timedelta(days=300), now),
                card.Spell("first", "check", november, now),
                card.Spell("second", "check", november, now),
            ],
        )
        nothing = await card.used(session, [])

    assert counted == [7, 2, 5, 5, 0]
    assert nothing == []


async def test_what_is_held_counts_until_it_is_released_or_runs_out(database):
    now = datetime(2026, 11, 11, tzinfo=UTC)
    async with database.begin() as session:
        session.add_all(
            factories.a_redemption(units=units, used_at=now, state=state, expires_at=expires_at)
            for units, state, expires_at in [
                (1, card.Use.HELD, now + timedelta(seconds=1)),
                (2, card.Use.HELD, now),
                (4, card.Use.RELEASED, now + timedelta(seconds=1)),
                (8, card.Use.USED, None),
            ]
        )

    async with database.session() as session:
        counted = await card.used(session, [card.Spell("somebody", "movie-watching", now, now)])

    assert counted == [9]

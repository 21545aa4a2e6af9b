"""What befalls cards: in batches all or none, on record, in order, and never what cannot be."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from models import errors, presentation, status, talent
from models.card import SANDBOX, Card, Change, Event, Reason, Redemption, Status
from models.presentation import Device, Ticket
from models.status import StatusEntry
from resolvers import card as cards
from resolvers import status as statuses
from resolvers.card import Problem, Which
from resolvers.viewer import Role, Viewer
from tests import catalogue as small
from tests import factories

OFFICER = Viewer(Role.OFFICER, "an-officer")


@pytest.fixture
async def office(context_of, database):
    """A query of an officer's."""
    return context_of(OFFICER, database=database)


@pytest.fixture
async def people(database):
    """A hundred and three people of the middle class, without cards."""
    found = [
        factories.a_talent(handle=f"holder{number}", talent_class=talent.TalentClass.MEDIUM)
        for number in range(103)
    ]
    async with database.begin() as session:
        session.add_all(found)
    return found


def handles(people):
    return [one.handle for one in people]


async def rows(database, kind):
    async with database.session() as session:
        return (await session.scalars(sa.select(kind).order_by(kind.id))).all()


async def test_a_hundred_and_three_cards_are_issued_at_once(office, database, people):
    issued = await cards.issue(office, handles(people), None, Reason.ENTITLED)

    kept = await rows(database, Card)
    assert [one.holder for one in issued] == handles(people)
    assert len({one.serial for one in kept}) == 103
    assert {one.tier for one in kept} == {talent.TalentClass.MEDIUM}
    assert {(one.batch, one.status, one.sandbox) for one in kept} == {(1, Status.ACTIVE, False)}
    assert {one.valid_until for one in kept} == {office.today + timedelta(days=730)}
    assert [one.change for one in await rows(database, Event)] == [Change.ISSUED] * 103


async def test_serials_tell_nothing_of_each_other(office, people):
    issued = await cards.issue(office, handles(people), None, Reason.ENTITLED)

    starts = [one.card.serial[3:7] for one in issued]
    assert len(set(starts)) > 95
    assert starts != sorted(starts)


async def test_a_batch_with_somebody_wrong_in_it_issues_nothing_and_names_all(
    office, database, people
):
    async with database.begin() as session:
        session.add(factories.a_talent(handle="classless", talent_class=None))
    await cards.issue(office, ["holder1"], None, Reason.ENTITLED)
    named = ["holder0", "holder1", "nobody", "classless", "holder0"]

    with pytest.raises(errors.CardsNotIssuedError) as refused:
        await cards.issue(office, named, None, Reason.ENTITLED)

    assert [(one.position, one.problem) for one in refused.value.rows] == [
        (1, Problem.HAS_CARD),
        (2, Problem.UNKNOWN_HOLDER),
        (3, Problem.NO_CLASS),
        (4, Problem.NAMED_TWICE),
    ]
    assert len(await rows(database, Card)) == 1


async def test_two_officers_who_issue_to_the_same_people_issue_once(office, database, people):
    both = [cards.issue(office, handles(people), None, Reason.ENTITLED) for _ in range(2)]

    came = await asyncio.gather(*both, return_exceptions=True)

    assert [type(one) for one in came if isinstance(one, Exception)] == [errors.CardsNotIssuedError]
    assert len(await rows(database, Card)) == 103


async def test_test_people_get_test_cards_and_nobody_else_does(office, database, people):
    async with database.begin() as session:
        made_up = {"district": SANDBOX, "talent_class": talent.TalentClass.HIGH}
        session.add(factories.a_talent(handle="tester", **made_up))

    issued = await cards.issue(office, ["tester", "holder0"], None, Reason.ENTITLED)

    assert [one.card.sandbox for one in issued] == [True, False]


async def test_whose_card_is_revoked_or_over_may_have_another(office, database):
    over, revoked = date(2026, 11, 21), Status.REVOKED
    async with database.begin() as session:
        for handle, card in (
            ("first", factories.a_card(valid_until=over)),
            ("second", factories.a_card(status=revoked)),
        ):
            known = {"handle": handle, "talent_class": talent.TalentClass.LOW}
            session.add(factories.a_talent(cards=[card], **known))

    issued = await cards.issue(office, ["first", "second"], date(2027, 1, 1), Reason.ENTITLED)

    assert [one.card.valid_until for one in issued] == [date(2027, 1, 1)] * 2


@pytest.mark.parametrize("days", [-1, 3654])
async def test_a_card_ends_neither_before_today_nor_beyond_measure(office, people, days):
    with pytest.raises(errors.BadInputError, match="validUntil"):
        await cards.issue(office, ["holder0"], office.today + timedelta(days=days), Reason.ENTITLED)


@pytest.mark.parametrize("many", [0, 501])
async def test_a_batch_is_of_one_to_five_hundred(office, many):
    with pytest.raises(errors.BadInputError, match="holders"):
        await cards.issue(office, ["nobody"] * many, None, Reason.ENTITLED)


@pytest.fixture
async def held(database):
    """A person with a card, two phones, something entered for each, an open code and a use."""
    card = factories.a_card(serial="GW-FWY9-9N2Q-F")
    person = factories.a_talent(handle="holder", talent_class=card.tier, cards=[card])
    async with database.begin() as session:
        session.add(person)
        await session.flush()
        for name in ("first", "second"):
            phone = Device(
                handle=presentation.new_handle(),
                talent_id=person.id,
                name=name,
                public=None,
                linked_at=small.NOW,
            )
            session.add(phone)
            await session.flush()
            ends = small.NOW + timedelta(days=7)
            await statuses.entered(session, "https://greenway.example", card, phone, ends)
        session.add(
            Ticket(
                digest="0" * 64,
                card_id=card.id,
                verifier="a-cinema",
                service="film-tickets",
                minted_at=small.NOW,
                expires_at=small.NOW + timedelta(seconds=60),
            )
        )
        session.add(factories.a_redemption(subject="holder"))
    return person


SERIAL, HOLDER = Which(serial="gw fwy9 9n2qf"), Which(holder="holder")


@pytest.mark.parametrize("which", [SERIAL, HOLDER])
async def test_a_card_is_suspended_resumed_renewed_and_revoked(office, held, which):
    await cards.suspend(office, which, Reason.UNDER_REVIEW)
    await cards.resume(office, which, Reason.REVIEW_ENDED)
    await cards.renew(office, which, date(2029, 1, 1), Reason.ENTITLED)

    found = await cards.revoke(office, which, Reason.LEFT_DISTRICT)

    assert found.card.status is Status.REVOKED
    assert found.card.valid_until == date(2029, 1, 1)
    assert [(one.change, one.reason) for one in found.events] == [
        (Change.REVOKED, Reason.LEFT_DISTRICT),
        (Change.RENEWED, Reason.ENTITLED),
        (Change.RESUMED, Reason.REVIEW_ENDED),
        (Change.SUSPENDED, Reason.UNDER_REVIEW),
    ]
    assert {one.by for one in found.events} == {"an-officer"}


async def test_an_act_sent_again_changes_nothing(office, held):
    for _ in range(2):
        once = await cards.suspend(office, HOLDER, Reason.UNDER_REVIEW)
    for _ in range(2):
        twice = await cards.revoke(office, HOLDER, Reason.MISUSE)
    with pytest.raises(errors.CardStateError):
        await cards.renew(office, HOLDER, None, Reason.ENTITLED)

    assert len(once.events) == 1
    assert len(twice.events) == 2


@pytest.mark.parametrize("act", [cards.suspend, cards.resume])
async def test_a_revoked_card_stays_revoked(office, held, act):
    await cards.revoke(office, SERIAL, Reason.MISUSE)

    with pytest.raises(errors.CardStateError) as refused:
        await act(office, SERIAL, Reason.MISTAKE)

    assert refused.value.state == Status.REVOKED


@pytest.mark.parametrize("which", [Which(serial="GW-0000-0000-0"), Which(holder="nobody"), Which()])
async def test_there_is_no_such_card(office, held, which):
    with pytest.raises(errors.UnknownCardError):
        await cards.suspend(office, which, Reason.MISTAKE)


async def test_a_lost_card_is_issued_anew_and_keeps_what_was_used(office, database, held):
    new, old = await cards.replace(office, SERIAL, Reason.LOST)

    [use] = await rows(database, Redemption)
    assert old.card.status is Status.REVOKED
    assert old.events[0].change is Change.REPLACED
    assert new.card.status is Status.ACTIVE
    assert new.card.serial != old.card.serial
    assert (new.card.valid_until, new.card.tier) == (old.card.valid_until, old.card.tier)
    assert new.holder == old.holder == use.subject
    assert all(one.unlinked_at for one in await rows(database, Device))
    assert all(one.ended_at for one in await rows(database, StatusEntry))
    async with database.session() as session:
        assert await session.scalar(sa.select(Ticket)) is None


async def test_a_damaged_card_is_issued_anew_and_phones_stay_linked(office, database, held):
    await cards.replace(office, HOLDER, Reason.DAMAGED)

    assert not any(one.unlinked_at for one in await rows(database, Device))


async def test_a_card_is_not_issued_anew_for_any_other_reason(office, held):
    with pytest.raises(errors.BadInputError, match="DAMAGED or LOST"):
        await cards.replace(office, HOLDER, Reason.MISUSE)


async def test_what_is_revoked_or_over_has_no_successor(office, database, held):
    await cards.revoke(office, HOLDER, Reason.MISUSE)
    with pytest.raises(errors.CardStateError):
        await cards.replace(office, HOLDER, Reason.LOST)
    async with database.begin() as session:
        over = {"status": Status.ACTIVE, "valid_until": date(2026, 11, 21)}
        await session.execute(sa.update(Card).values(**over))

    with pytest.raises(errors.CardStateError, match="OVER"):
        await cards.replace(office, HOLDER, Reason.LOST)


async def test_who_loses_a_card_suspends_it_and_unlinks_their_phones(context_of, database, held):
    context = context_of(Viewer(Role.HOLDER, "holder"), database=database)
    context.person = held

    found = await cards.lost(context)
    again = await cards.lost(context)

    [card], [event] = await rows(database, Card), await rows(database, Event)
    assert (found.status, found.unlinked, again.unlinked) == (Status.SUSPENDED, 2, 0)
    assert card.status is Status.SUSPENDED
    assert (event.change, event.reason, event.by) == (Change.SUSPENDED, Reason.LOST, "holder")
    assert all(one.ended_at for one in await rows(database, StatusEntry))


async def test_phones_may_stay_linked_when_the_card_alone_is_lost(context_of, database, held):
    context = context_of(Viewer(Role.HOLDER, "holder"), database=database)
    context.person = held

    found = await cards.lost(context, unlink=False)

    assert found.unlinked == 0
    assert not any(one.ended_at for one in await rows(database, StatusEntry))


async def test_who_has_no_card_loses_none(context_of, database):
    context = context_of(Viewer(Role.HOLDER, "holder"), database=database)
    context.person = factories.a_talent(handle="holder")
    async with database.begin() as session:
        session.add(context.person)

    with pytest.raises(errors.UnknownCardError):
        await cards.lost(context)


async def test_officers_see_all_cards_of_a_holder_the_newest_first(office, held):
    await cards.replace(office, HOLDER, Reason.LOST)

    both = await cards.history(office, HOLDER)

    assert [one.card.status for one in both] == [Status.ACTIVE, Status.REVOKED]
    assert [[event.change for event in one.events] for one in both] == [
        [Change.ISSUED],
        [Change.REPLACED],
    ]
    assert await cards.history(office, Which(holder="nobody")) == []


@pytest.mark.parametrize("role", [Role.HOLDER, Role.PARTNER, Role.INTEGRATOR])
async def test_nobody_but_officers_changes_or_sees_cards(context_of, database, role):
    context = context_of(Viewer(role, "somebody"), database=database)

    for act in (
        cards.issue(context, ["holder"], None, Reason.ENTITLED),
        cards.suspend(context, HOLDER, Reason.MISUSE),
        cards.replace(context, HOLDER, Reason.LOST),
        cards.history(context, HOLDER),
    ):
        with pytest.raises(errors.ForbiddenError):
            await act


async def test_ended_entries_stay_ended_at_their_time(database, held):
    later = small.NOW + timedelta(hours=1)
    [card] = await rows(database, Card)

    for now in (small.NOW, later):
        async with database.begin() as session:
            await status.end(session, now, cards=[card.id])

    assert {one.ended_at for one in await rows(database, StatusEntry)} == {small.NOW}

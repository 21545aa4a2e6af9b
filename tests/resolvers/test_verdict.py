from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from eligibility.verdict import Outcome
from models import card, menu
from resolvers import verdict
from resolvers.viewer import Role, Viewer
from tests import factories
from tests.catalogue import CARD_HOLDERS, a_service

HELD = card.Card(
    serial="GW-FWY9-9N2Q-F",
    batch=1,
    issued_on=date(2026, 1, 1),
    valid_until=date(2027, 1, 1),
    status=card.Status.ACTIVE,
    tier=menu.TalentClass.HIGH,
    source="a test",
    recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
)


@pytest.fixture
def judged(context_of, catalogue_of):
    def judged(person=None, **service):
        found = catalogue_of(a_service("service", **service))
        context = context_of(Viewer(Role.HOLDER, "h"), found)
        context.person = person
        return verdict.on(context, found.services["service"])

    return judged


async def test_what_is_for_everyone_is_for_nobody_in_particular_too(judged):
    found = judged()

    assert found.verdict.outcome is Outcome.ELIGIBLE
    assert found.talent_class is None


async def test_of_nobody_in_particular_nothing_is_known(judged):
    found = judged(eligibility=CARD_HOLDERS)

    assert found.verdict.outcome is Outcome.NEEDS_FACTS
    assert found.verdict.missing == ("holds_card",)


@pytest.mark.parametrize(
    ("cards", "outcome"), [((HELD,), Outcome.ELIGIBLE), ((), Outcome.INELIGIBLE)]
)
async def test_a_person_is_judged_by_their_own_facts_of_today(judged, cards, outcome):
    person = factories.a_talent(cards=cards, talent_class=menu.TalentClass.HIGH)

    found = judged(person, eligibility=CARD_HOLDERS)

    assert found.verdict.outcome is outcome
    assert found.talent_class is menu.TalentClass.HIGH
    assert found.as_of == date(2026, 11, 22)

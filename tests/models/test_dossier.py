"""A person as they were known at a moment: what was recorded later does not count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from eligibility import rulebook
from models import demo, dossier
from tests import factories

THEN = datetime(2026, 5, 1, tzinfo=UTC)
LATER = THEN + timedelta(seconds=1)


def test_a_row_recorded_later_is_left_out_whatever_it_is_of():
    makers = {
        "degrees": factories.a_degree,
        "employments": factories.an_employment,
        "permits": factories.a_permit,
        "household": factories.a_member,
        "awards": factories.an_award,
        "attestations": factories.an_attestation,
        "teams": factories.a_team,
        "cards": factories.a_card,
    }
    rows = {
        name: [make(recorded_at=THEN), make(recorded_at=LATER)] for name, make in makers.items()
    }
    person = factories.a_talent(recorded_at=THEN, **rows)

    found = dossier.known_at(person, THEN)

    assert {name: getattr(found, name) for name in makers} == {
        name: some[:1] for name, some in rows.items()
    }
    assert (found.handle, found.name, found.district) == (
        person.handle,
        person.name,
        person.district,
    )
    assert len(person.cards) == 2


def test_who_was_recorded_later_was_not_known():
    person = factories.a_talent(recorded_at=LATER)

    assert dossier.known_at(person, THEN) is None
    assert dossier.known_at(person, LATER).handle == person.handle


@pytest.mark.any_database
async def test_a_fact_that_names_the_lists_it_reads_reads_no_others(database, today):
    facts = {name: one for name, one in rulebook.known_facts().items() if one.reads is not None}
    await demo.build(database, demo.PEOPLE, today)
    ids = list(range(1, demo.PEOPLE + 1))

    async with database.session() as session:
        whole = await dossier.by_ids(session, ids)
        for fact in facts.values():
            parts = await dossier.by_ids(session, ids, fact.reads)
            read = [[fact.known(one, today) for one in people] for people in (whole, parts)]
            assert read[0] == read[1]
            assert len(set(read[0])) > 1

    assert "holds_card" in facts

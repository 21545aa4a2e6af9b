"""The demo district: the same people every time, plainly fictitious, with every gap there is."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
import sqlalchemy as sa

from models import card, demo, dossier, talent

LISTS = (
    "degrees",
    "employments",
    "permits",
    "household",
    "awards",
    "attestations",
    "teams",
    "cards",
)


async def everybody(data, people):
    async with data.session() as session:
        return await dossier.by_ids(session, range(1, people + 1))


def portrait(person):
    """All that is known of a person, as plain values."""

    hidden = {"talent_id", "name_key", "organisation", *LISTS}

    def plain(row):
        return {key: value for key, value in vars(row).items() if key not in hidden}

    return plain(person), [[plain(row) for row in getattr(person, name)] for name in LISTS]


async def test_the_figures_of_the_seeds_are_met(database, today):
    counts = await demo.build(database, demo.PEOPLE, today)

    async with database.session() as session:
        levels = await session.scalars(sa.select(talent.Award.level))
        abroad = await session.scalars(sa.select(talent.Team.overseas))
        fields = await session.scalars(sa.select(talent.Team.field))
        awarded, overseas = Counter(levels), Counter(abroad)
        assert await talent.count(session, talent.Filter()) == 300 == counts["talent"]
        assert set(fields) == set(demo.FIELDS)
    assert awarded == {talent.AwardLevel.TOP: 10, talent.AwardLevel.EXCELLENT: 105}
    assert overseas == {True: 10, False: 25}
    assert counts["card"] == 103


@pytest.mark.parametrize("people", [0, 1, 7, 40])
async def test_a_small_district_has_as_many_cards_as_entitled_people(database, today, people):
    await demo.build(database, people, today)

    entitled = [
        person.id
        for person in await everybody(database, people)
        if person.talent_class in (talent.TalentClass.HIGH, talent.TalentClass.MEDIUM)
        and person.listed_on
        and (today - person.listed_on).days >= 90
    ]
    async with database.session() as session:
        holders = await session.scalars(sa.select(card.Card.talent_id).order_by(card.Card.id))
        assert holders.all() == entitled


async def test_a_number_is_the_same_person_whatever_the_size_and_the_database(
    database, today, tmp_path
):
    await demo.build(database, 400, today)
    larger = [portrait(person) for person in await everybody(database, 300)]
    other = type(database)(f"sqlite:///{tmp_path}/other.db")
    await other.upgrade()
    await demo.build(other, 300, today)

    smaller = [portrait(person) for person in await everybody(other, 300)]
    await other.close()

    assert smaller == larger


async def test_a_rebuild_replaces_everybody(database, today):
    await demo.build(database, 60, today)

    await demo.build(database, 20, date(2026, 12, 1))

    async with database.session() as session:
        assert await talent.count(session, talent.Filter()) == 20
        assert await session.scalar(sa.select(sa.func.max(talent.Talent.id))) == 20


async def test_a_build_that_fails_half_way_leaves_the_people_as_they_were(database, today):
    await demo.build(database, 30, today)
    before = [portrait(person) for person in await everybody(database, 30)]

    with pytest.raises(OverflowError):  # nobody can have been born so early
        await demo.build(database, 40, date(40, 1, 1))

    assert [portrait(person) for person in await everybody(database, 30)] == before


async def test_people_come_with_every_gap_and_oddity(database, today):
    await demo.build(database, demo.PEOPLE, today)
    people = await everybody(database, demo.PEOPLE)

    names = Counter(person.name for person in people)
    assert max(names.values()) > 1
    assert max(len(name) for name in names) > 40
    for odd in ("'", "ë", "竹"):
        assert any(odd in name for name in names), odd
    for gap in ("birth_date", "nationality", "talent_class", "industry", "listed_on", "name_latin"):
        assert {getattr(person, gap) is None for person in people} == {True, False}, gap
    leap = [person for person in people if person.birth_date and person.birth_date.day == 29]
    assert any(person.birth_date.month == 2 for person in leap)
    permits = [permit for person in people for permit in person.permits]
    assert {permit.kind for permit in permits} == set(talent.PermitKind)
    assert any(permit.valid_until and permit.valid_until < today for permit in permits)
    kinds = {post.organisation.kind for person in people for post in person.employments}
    assert kinds == set(talent.OrganisationKind)
    assert all(person.employments for person in people)
    for name in ("returned_on", "arrived_on", "owns_home", "work_years", "insured_in_shanghai"):
        known = [any(fact.name == name for fact in person.attestations) for person in people]
        assert set(known) == {True, False}, name
    children = [
        member.birth_date and (today - member.birth_date).days // 366
        for person in people
        for member in person.household
        if member.relation is talent.Relation.CHILD
    ]
    assert {None, 0, 4, 9, 14, 17} <= set(children)


async def test_nothing_in_the_demo_is_known_before_it_happened(database, today):
    await demo.build(database, demo.PEOPLE, today)

    for person in await everybody(database, demo.PEOPLE):
        _, kinds = portrait(person)
        for row in (row for kind in kinds for row in kind):
            assert row["recorded_at"].date() <= today
            since = row.get("valid_from") or row.get("awarded_on") or today
            assert since <= today
            assert (row.get("valid_until") or date.max) >= since


async def test_the_personas_are_who_the_documents_say_they_are(database, today):
    await demo.build(database, 6, today)

    returnee, pilot, engineer, incomplete, founder, researcher = await everybody(database, 6)

    facts = {fact.name: fact.value for fact in returnee.attestations}
    assert (today - date.fromisoformat(facts["returned_on"])).days in range(150, 180)
    assert (facts["owns_home"], facts["had_housing_benefit"]) == (False, False)
    assert returnee.degrees[-1].level is talent.DegreeLevel.MASTER
    assert returnee.degrees[-1].school_rank <= 100
    assert [row.status for row in returnee.cards] == [card.Status.ACTIVE]
    assert (pilot.talent_class, len(pilot.household), len(pilot.cards)) == ("HIGH", 3, 1)
    assert pilot.employments[0].organisation.industry == "civil-aviation"
    assert {permit.kind.value for permit in engineer.permits} == {
        "WORK_PERMIT",
        "RESIDENCE_PERMIT_B",
    }
    assert (engineer.talent_class, engineer.cards) == ("MEDIUM", [])
    assert (incomplete.birth_date, incomplete.degrees[0].school_rank) == (None, None)
    assert "PERMANENT_RESIDENCE" in {permit.kind for permit in founder.permits}
    assert researcher.employments[0].organisation.kind == "RESEARCH_INSTITUTE"
    assert [demo.handle(1), demo.handle(2)] == [returnee.handle, pilot.handle]


async def test_some_of_the_first_batch_is_used_this_month(database, today):
    await demo.build(database, demo.PEOPLE, today)

    async with database.session() as session:
        uses = await session.scalars(sa.select(card.Redemption.used_at))
        days = {use.date() for use in uses}

    assert days
    assert all((day.year, day.month) == (today.year, today.month) and day <= today for day in days)

"""Of a partner's versions one is in force and one on trial, and what was taken back stays so."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import exc

from models import partner
from models.partner import Origin, State, Version

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)


def a_version(digest: str, **given) -> Version:
    known = {
        "slug": "a-clinic",
        "digest": digest,
        "edition": digest,
        "text": f"slug: a-clinic # {digest}",
        "origin": Origin.FOLDER,
        "changed_at": NOW,
        "changed_by": None,
    }
    return Version(**{**known, **given})


@pytest.fixture
def install(database):
    async def install(digest: str, *, on_trial: bool = False, **given) -> Version:
        async with database.begin() as session:
            await partner.alone(session)
            return await partner.install(session, a_version(digest, **given), on_trial=on_trial)

    return install


@pytest.fixture
def act(database):
    """Do something in a transaction of its own."""

    async def act(what, *arguments, **named):
        async with database.begin() as session:
            await partner.alone(session)
            return await what(session, "a-clinic", *arguments, **named)

    return act


@pytest.fixture
def states(database):
    async def states() -> dict[str, State]:
        async with database.session() as session:
            (found,) = await partner.by_slugs(session, ["a-clinic"])
            return {one.digest: one.state for one in found}

    return states


async def test_the_first_version_is_in_force_at_once_and_the_next_takes_its_place(install, states):
    await install("one", on_trial=True)
    await install("two")

    assert await states() == {"one": State.SUPERSEDED, "two": State.ACTIVE}


async def test_a_version_on_trial_stands_beside_the_one_in_force(install, states):
    await install("one")
    await install("two", on_trial=True)
    await install("three", on_trial=True)

    assert await states() == {
        "one": State.ACTIVE,
        "two": State.SUPERSEDED,
        "three": State.CANARY,
    }


async def test_who_wants_what_is_in_force_wants_no_trial(install, states):
    await install("one")
    await install("two", on_trial=True)
    await install("one")

    assert await states() == {"one": State.ACTIVE, "two": State.SUPERSEDED}


async def test_the_same_again_changes_nothing(install, act, states):
    await install("one")
    await install("two", on_trial=True)
    await act(partner.count, "two", good=3, failed=1)

    again = await install("two", on_trial=True)

    assert (again.state, again.good, again.failed) == (State.CANARY, 3, 1)


async def test_a_trial_that_ends_well_puts_its_version_in_force(install, act, states):
    await install("one")
    await install("two", on_trial=True)

    promoted = await act(partner.promote, NOW)
    nothing = await act(partner.promote, NOW)

    assert promoted.digest == "two"
    assert nothing is None
    assert await states() == {"one": State.SUPERSEDED, "two": State.ACTIVE}


async def test_what_was_taken_back_is_not_tried_again(install, act, states):
    await install("one")
    await install("two", on_trial=True)

    taken = await act(partner.roll_back, NOW, "It failed.")
    again = await install("two", on_trial=True)

    assert (taken.digest, taken.reason) == ("two", "It failed.")
    assert again.state is State.ROLLED_BACK
    assert await states() == {"one": State.ACTIVE, "two": State.ROLLED_BACK}


async def test_what_is_in_force_goes_back_to_the_one_before_it(install, act, states):
    for place, digest in enumerate(("one", "two", "three")):
        await install(digest, changed_at=NOW + timedelta(minutes=place))

    await act(partner.roll_back, NOW + timedelta(hours=1), "It is wrong.", "an-admin")

    assert await states() == {
        "one": State.SUPERSEDED,
        "two": State.ACTIVE,
        "three": State.ROLLED_BACK,
    }


async def test_what_has_nothing_before_it_is_not_taken_back(install, act, states):
    none = await act(partner.roll_back, NOW, "It is wrong.")
    await install("one")
    first = await act(partner.roll_back, NOW, "It is wrong.")

    assert (none, first) == (None, None)
    assert await states() == {"one": State.ACTIVE}


async def test_only_what_is_of_an_origin_is_removed(install, act, states):
    await install("one")
    await install("two", on_trial=True, origin=Origin.ENDPOINT)

    removed = await act(partner.remove, Origin.ENDPOINT, NOW, "an-admin")
    nothing = await act(partner.remove, Origin.ENDPOINT, NOW)

    assert (removed.digest, removed.changed_by) == ("two", "an-admin")
    assert nothing is None
    assert await states() == {"one": State.ACTIVE, "two": State.REMOVED}


async def test_a_partner_that_is_removed_takes_its_trial_along(install, act, states):
    await install("one")
    await install("two", on_trial=True)

    await act(partner.remove, Origin.FOLDER, NOW)

    assert await states() == {"one": State.REMOVED, "two": State.REMOVED}


async def test_asks_are_counted_while_a_version_is_on_trial_and_no_longer(install, act):
    await install("one")
    await install("two", on_trial=True)

    await act(partner.count, "two", good=2, failed=0)
    counted = await act(partner.count, "two", good=1, failed=1)
    of_another = await act(partner.count, "one", good=1, failed=1)

    assert (counted.good, counted.failed) == (3, 1)
    assert of_another is None


async def test_no_two_versions_of_a_partner_are_in_force(database, install):
    await install("one")

    with pytest.raises(exc.IntegrityError):
        async with database.begin() as session:
            session.add(a_version("two", state=State.ACTIVE, good=0, failed=0))


async def test_so_many_versions_are_listed_the_last_changed_first(database, install):
    for place in range(partner.MOST + 2):
        await install(f"v{place:02}", changed_at=NOW + timedelta(minutes=place))

    async with database.session() as session:
        found, none = await partner.by_slugs(session, ["a-clinic", "another"])

    assert len(found) == partner.MOST
    assert found[0].digest == f"v{partner.MOST + 1}"
    assert none == []


STEPS = 200


async def test_whatever_is_done_one_is_in_force_one_on_trial_and_what_was_taken_back_stays_so(
    database, install, act, states
):
    chance = random.Random(22)  # noqa: S311 - the same each time, and no secret
    taken: set[str] = set()
    for step in range(STEPS):
        at = NOW + timedelta(minutes=step)
        origin = chance.choice([*Origin])
        match chance.randrange(5):
            case 0 | 1:
                await install(
                    chance.choice("abcdefgh"),
                    on_trial=chance.random() < 0.6,
                    origin=origin,
                    changed_at=at,
                )
            case 2:
                await act(partner.promote, at)
            case 3 if len(taken) < 6:
                back = await act(partner.roll_back, at, "It is wrong.")
                taken |= {back.digest} if back else set()
            case 4 if chance.random() < 0.3:
                await act(partner.remove, origin, at)
        found = await states()
        many = Counter(found.values())
        assert many[State.ACTIVE] <= 1
        assert many[State.CANARY] <= many[State.ACTIVE]
        assert {digest for digest, one in found.items() if one is State.ROLLED_BACK} == taken

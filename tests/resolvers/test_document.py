"""Versions publish documents; they count at once, until the version is retired."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from models import document as rows
from models import errors
from resolvers import document
from resolvers.document import Given, hash_of
from tests.catalogue import NOW

HOME, MENU = "query Home { areas { code } }", "query Menu { categories { code } }"


def no_mistake(where: str, text: str) -> list[errors.Mistake]:
    return []


@pytest.fixture
def publish(database):
    async def publish(version: str, *texts: str, judge=no_mistake, at=NOW):
        given = [Given(f"documents[{n}]", text) for n, text in enumerate(texts)]
        return await document.publish(
            database, ("web", version), given, judge, by="demo-admin", at=at
        )

    return publish


@pytest.fixture
def published(database):
    return document.Published(database)


async def test_what_is_published_counts_from_the_next_look_on(publish, published):
    await published.refreshed()
    before = published.by_hash

    found = await publish("1.4.0", HOME, MENU)
    await published.refreshed()

    assert before == {}
    assert (found.release.version, found.documents) == ("1.4.0", 2)
    assert published.by_hash == {hash_of(HOME): HOME, hash_of(MENU): MENU}
    assert published.texts == {HOME, MENU}
    assert published.releases == {("web", "1.4.0")}


async def test_nothing_is_read_again_while_nothing_changed(publish, published):
    await publish("1.4.0", HOME)
    await published.refreshed()
    first = published.by_hash

    await publish("1.4.0", HOME)
    await published.refreshed()

    assert published.by_hash is first


async def test_what_is_published_later_counts_beside_what_was_before(publish, database):
    await publish("1.4.0", HOME)

    found = await publish("1.4.0", HOME, MENU, at=NOW + timedelta(hours=1))

    assert found.documents == 2
    assert found.release.published_at == NOW + timedelta(hours=1)
    assert [one.documents for one in await document.listed(database)] == [2]


async def test_a_retired_version_counts_no_more_but_what_another_sends_does(
    publish, published, database
):
    await publish("1.4.0", HOME, MENU)
    await publish("1.5.0", MENU)

    await document.retire(database, ("web", "1.4.0"), NOW)
    await published.refreshed()

    assert published.texts == {MENU}
    assert {one.version for one in await document.in_force(database)} == {"1.5.0"}


async def test_every_change_is_seen_also_where_one_undoes_another(publish, published, database):
    await publish("1.4.0", HOME)
    await publish("1.5.0", MENU)
    await document.retire(database, ("web", "1.4.0"), NOW)
    await published.refreshed()

    await document.retire(database, ("web", "1.5.0"), NOW)
    await publish("1.4.0", HOME)
    await published.refreshed()

    assert published.texts == {HOME}


async def test_retiring_twice_is_retiring_once(publish, database):
    await publish("1.4.0", HOME)
    first = await document.retire(database, ("web", "1.4.0"), NOW)

    again = await document.retire(database, ("web", "1.4.0"), NOW + timedelta(hours=1))

    assert again.release.retired_at == first.release.retired_at == NOW


async def test_what_was_never_published_is_not_retired_and_the_nearest_is_named(publish, database):
    await publish("1.4.0", HOME)

    with pytest.raises(errors.UnknownCodeError) as refused:
        await document.retire(database, ("web", "1.4.1"), NOW)

    assert refused.value.nearest == ("web 1.4.0",)


async def test_where_one_document_has_a_mistake_none_is_published(publish, database):
    def judge(where: str, text: str) -> list[errors.Mistake]:
        return [errors.Mistake(where, 1, "", "It does not hold.")] if text == MENU else []

    with pytest.raises(errors.MistakesError, match=r"^documents\[1\]:1: It does not hold\.$"):
        await publish("1.4.0", HOME, MENU, judge=judge)

    assert await document.listed(database) == []


async def test_a_hash_that_is_not_the_texts_is_a_mistake(database):
    given = [Given("home.json", HOME, "5d41402abc4b2a76b9719d911017c592")]

    with pytest.raises(errors.MistakesError, match="is not the SHA-256 of this text"):
        await document.publish(database, ("web", "1"), given, no_mistake, by="x", at=NOW)


@pytest.mark.parametrize(
    "release", [("", "1"), ("web", ""), ("web shop", "1"), ("-web", "1"), ("w" * 65, "1")]
)
async def test_names_are_of_a_few_characters(database, release):
    with pytest.raises(errors.BadInputError, match="1 to 64 letters"):
        await document.publish(database, release, [Given("x", HOME)], no_mistake, by="x", at=NOW)


async def test_nothing_is_nothing_to_publish(publish):
    with pytest.raises(errors.BadInputError, match="1 to 2000 documents"):
        await publish("1.4.0")


async def test_several_who_publish_at_once_lose_nothing(publish, database):
    texts = [f"query Q{n} {{ areas {{ code }} }}" for n in range(6)]

    await asyncio.gather(*(publish("1.4.0", HOME, text) for text in texts))

    async with database.session() as session:
        row = await rows.release(session, "web", "1.4.0")
    assert set((await document.texts_of(database, row)).values()) == {HOME, *texts}


async def test_the_versions_last_published_are_listed_first_and_of_one_application_alone(
    publish, database
):
    await publish("1.4.0", HOME)
    await publish("1.5.0", HOME, at=NOW + timedelta(hours=1))
    given = [Given("x", HOME)]
    await document.publish(database, ("kiosk", "7"), given, no_mistake, by="x", at=NOW)

    found = await document.listed(database, "web")

    assert [one.release.version for one in found] == ["1.5.0", "1.4.0"]
    assert len(await document.listed(database)) == 3

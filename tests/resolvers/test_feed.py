"""One look for all who follow, and none where nobody does."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from resolvers.feed import Feed, Feeds
from tests import catalogue as small


class Looked:
    """What is looked at, and for whom it was."""

    def __init__(self) -> None:
        self.marks = {"a": 1, "b": 1}
        self.times = []
        self.feed = Feed(self._look)

    async def _look(self, keys):
        self.times.append(sorted(keys))
        return {key: self.marks[key] for key in keys if key in self.marks}


@pytest.fixture
async def looked():
    return Looked()


async def news(following) -> bool:
    """Whether there is something to be told now."""
    coming = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    if coming.done():
        return True
    coming.cancel()
    await asyncio.gather(coming, return_exceptions=True)
    return False


async def test_nobody_follows_and_nothing_is_looked_at(looked):
    await looked.feed.refreshed()

    assert looked.times == []


async def test_however_many_follow_there_is_one_look_a_round(looked):
    following = [looked.feed.follow(key) for key in "aabc" for _ in range(25)]
    for one in following:
        assert await news(one)

    await looked.feed.refreshed()

    assert len(looked.feed) == 100
    assert looked.times == [["a", "b", "c"]]
    for one in following:
        await one.aclose()
    await looked.feed.refreshed()
    assert looked.times == [["a", "b", "c"]]


async def test_what_changed_before_the_first_look_is_not_missed(looked):
    following = looked.feed.follow("a")
    assert await news(following)
    await looked.feed.refreshed()

    assert await news(following)
    await following.aclose()


async def test_only_those_are_told_for_whom_something_is_another(looked):
    one, other = looked.feed.follow("a"), looked.feed.follow("b")
    for following in (one, other):
        await anext(following)
    await looked.feed.refreshed()
    await asyncio.gather(anext(one), anext(other))

    waiting = asyncio.ensure_future(anext(one))
    still = asyncio.ensure_future(anext(other))
    looked.marks["a"] = 2
    await looked.feed.refreshed()
    await waiting

    assert not still.done()
    still.cancel()
    await asyncio.gather(still, return_exceptions=True)


async def test_who_is_slow_is_told_once_of_all_that_happened(looked):
    following = looked.feed.follow("a")
    await anext(following)
    for looked.marks["a"] in range(5):
        await looked.feed.refreshed()

    await anext(following)

    assert not await news(following)


@pytest.mark.any_database
async def test_decisions_are_judged_by_a_menu_and_a_day(database, catalogue_of):
    now, menu = small.NOW, catalogue_of(revision=1)
    feeds = Feeds(database, lambda: now, lambda: menu, lambda: None)
    following = feeds.decisions.follow(1)
    await anext(following)
    await feeds.refreshed()
    await anext(following)

    menu = catalogue_of(revision=2)
    await feeds.refreshed()
    assert await news(following)
    now += timedelta(days=1)
    await feeds.refreshed()
    assert await news(following)
    await feeds.refreshed()
    assert not await news(following)

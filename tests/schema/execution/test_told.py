"""How an object was told: under which circumstances it is told so again, and how much is kept."""

import datetime
import weakref
from types import SimpleNamespace

import pytest

from schema.execution.told import MOST, Places, Texts

DAY = datetime.date(2026, 11, 29)


class Thing:
    """A menu, or the partners of a moment."""


ALL = {"catalogue": Thing(), "registry": Thing(), "today": DAY, "languages": ("en",)}


def around(**said):
    return SimpleNamespace(**{**ALL, **said})


class Place(Places):
    """One place alone."""

    def __init__(self):
        super().__init__(1)

    def way(self, around):
        [way] = self.ways(around)
        return way


def test_a_place_is_told_of_in_one_way_while_nothing_changes():
    place = Place()

    assert place.way(around()) is place.way(around(today=DAY.replace()))


@pytest.mark.parametrize(
    "other", [{"languages": ("zh",)}, {"registry": Thing()}, {"catalogue": Thing()}]
)
def test_other_languages_partners_and_menus_are_told_of_in_another_way(other):
    place = Place()

    assert place.way(around()) is not place.way(around(**other))


def test_two_places_are_told_of_in_ways_of_their_own():
    one, other = Places(2).ways(around())

    assert one is not other
    assert Place().way(around()) is not Place().way(around())


@pytest.mark.parametrize(
    "other", [{"today": DAY.replace(day=30)}, {"registry": Thing()}, {"catalogue": Thing()}]
)
def test_a_way_is_over_on_another_day_with_other_partners_and_another_menu(other):
    place = Place()
    english, chinese = place.way(around()), place.way(around(languages=("zh",)))

    later = place.way(around(**other))

    assert (english.is_over, chinese.is_over, later.is_over) == (True, True, False)
    assert place.way(around()) is not english


def test_a_menu_that_is_told_of_no_more_is_not_kept_alive():
    place, menu = Place(), Thing()
    place.way(around(catalogue=menu))
    gone = weakref.ref(menu)

    del menu

    assert gone() is None


def test_whoever_asks_in_ever_new_languages_has_few_kept():
    place, texts = Place(), Texts()
    ways = [place.way(around(languages=(f"l{n}",))) for n in range(3 * MOST)]

    for way in ways:
        texts.keep(way, "told")

    assert [one for one in ways if not one.is_over] == ways[-MOST:]
    assert list(texts) == ways[-MOST:]


def test_a_text_is_kept_until_its_way_is_over():
    place, texts = Place(), Texts()
    before = place.way(around())
    texts.keep(before, "old")
    was_kept = texts.get(before)

    now = place.way(around(registry=Thing()))
    texts.keep(now, "new")

    assert was_kept == "old"
    assert texts == {now: "new"}


def test_of_ways_that_last_the_latest_are_kept():
    ways, texts = [Place().way(around()) for _ in range(MOST + 3)], Texts()

    for way in ways:
        texts.keep(way, "told")

    assert list(texts) == ways[3:]

from __future__ import annotations

from datetime import date

import pytest

from models import errors
from models import menu as rows
from resolvers import menu
from resolvers.menu import Filter
from tests import catalogue as small
from tests.catalogue import a_service

TODAY = date(2026, 11, 22)


@pytest.fixture
def found(catalogue_of):
    return catalogue_of(
        a_service("zoo", category="leisure", areas=["films"]),
        a_service("bank", platform_areas=["medical"], policies=["health"]),
        a_service("airport", industries=["civil-aviation"], audience=["BUSINESS"]),
        a_service("desk", where={"stations": ["centre"]}),
        a_service("window", where={"windows": ["centre/c"]}),
        a_service("cinema", partners=[{"partner": "p", "capability": "showing", "topic": "film"}]),
        a_service("old", valid={"since": "2020-01-01", "until": "2026-11-21"}),
        a_service("new", valid={"since": "2026-11-23"}),
        a_service("stale", assured={"at": "2025-01-01", "by": "x", "stale_after": "2026-11-21"}),
    )


def codes(services) -> list[str]:
    return [one.code for one in services]


ON_MENU = ["airport", "bank", "cinema", "desk", "stale", "window", "zoo"]


def test_services_stand_by_category_and_code(found):
    assert codes(found.on_menu(TODAY)) == ON_MENU


@pytest.mark.parametrize(("day", "there"), [(21, {"old"}), (22, set()), (23, {"new"})], ids=str)
def test_a_service_is_on_the_menu_from_its_first_day_to_its_last(found, day, there):
    on_that_day = set(codes(found.on_menu(date(2026, 11, day))))

    assert on_that_day & {"old", "new"} == there


@pytest.mark.parametrize(
    ("wanted", "matching"),
    [
        (Filter(category="leisure"), ["zoo"]),
        (Filter(area="films"), ["zoo"]),
        (Filter(platform_area="medical"), ["bank"]),
        (Filter(policy="health"), ["bank"]),
        (Filter(industry="civil-aviation"), ["airport"]),
        (Filter(audience="BUSINESS"), ["airport"]),
        (Filter(station="centre"), ["desk", "window"]),
        (Filter(partner="p"), ["cinema"]),
        (Filter(partner="nobody"), []),
        (Filter(stale=True), ["stale"]),
        (Filter(stale=False, category="arrival"), ["airport", "bank", "cinema", "desk", "window"]),
        (Filter(text="THE bank"), ["bank"]),
        (Filter(text="服务  zoo"), ["zoo"]),
        (Filter(text="nothing has this"), []),
        (Filter(text=" "), ON_MENU),
        (Filter(area="films", category="arrival"), []),
    ],
    ids=str,
)
def test_a_filter_keeps_what_matches_every_field_given(found, wanted, matching):
    assert codes(found.on_menu(TODAY, wanted)) == matching


@pytest.mark.parametrize(
    "field", ["category", "area", "platform_area", "policy", "industry", "station"]
)
def test_a_code_in_no_list_is_refused_whatever_else_is_asked(found, field):
    with pytest.raises(errors.UnknownCodeError):
        found.on_menu(TODAY, Filter(**{field: "no-such-code"}))


@pytest.mark.parametrize("text", ["x" * 201, "a " * 11])
def test_too_much_text_is_not_searched_for(found, text):
    with pytest.raises(errors.BadInputError, match="`text` has"):
        found.page(TODAY, Filter(text=text), None, None)


def test_a_wording_longer_than_any_is_no_industry(found):
    with pytest.raises(errors.BadInputError, match="`industry` has 201 characters"):
        found.industry("x" * 201)


def test_pages_follow_each_other_without_a_gap_or_a_double(found):
    met, after = [], None
    for _ in range(10):
        page = found.page(TODAY, Filter(), 3, after)
        met += codes(page.items)
        after = page.cursors[-1]
        if not page.has_next:
            break

    assert met == ON_MENU


def test_the_pages_that_were_asked_for_last_are_kept(found):
    asked = found.page(TODAY, Filter(), 2, None)
    others = [found.page(TODAY, Filter(text=f"word{n}"), 2, None) for n in range(2)]
    again = found.page(TODAY, Filter(), 2, None)
    for number in range(1_000):
        found.page(TODAY, Filter(text=f"another{number}"), 2, None)

    assert again is asked
    assert others[0] is not others[1]
    assert found.page(TODAY, Filter(), 2, None) is not asked
    assert found.page(TODAY, Filter(), 2, None) == asked


def test_a_cursor_outlives_the_service_it_stands_after(found, catalogue_of):
    first = found.page(TODAY, Filter(), 2, None)
    later = catalogue_of(a_service("airport"), a_service("zoo", category="leisure"), revision=2)

    following = later.page(TODAY, Filter(), 2, first.cursors[-1])

    assert codes(first.items) == ["airport", "bank"]
    assert codes(following.items) == ["zoo"]


def test_an_unknown_service_names_the_nearest(found):
    with pytest.raises(errors.UnknownCodeError) as refused:
        found.service("cinnema")

    assert refused.value.nearest == ("cinema",)


@pytest.mark.parametrize("code", ["p", "at-work", "set-aside"])
def test_a_partner_is_known_that_is_asked_or_at_work_or_set_aside(found, registry, code):
    registry.partners["at-work"] = registry.set_aside["set-aside"] = ()

    assert found.partner(code, registry) == code


def test_another_partner_names_the_nearest(found, registry):
    registry.set_aside["set-aside"] = ()

    with pytest.raises(errors.UnknownCodeError) as refused:
        found.partner("setaside", registry)

    assert str(refused.value) == "There is no partner “setaside”."
    assert refused.value.nearest == ("set-aside",)


@pytest.mark.parametrize("wording", ["civil-aviation", "Aviation  Services"])
def test_an_industry_is_known_by_its_code_and_its_wordings(found, wording):
    assert found.industry(wording) == "civil-aviation"


def test_what_is_made_of_a_revision_is_made_once(found):
    made = []

    values = [found.once("key", lambda: made.append(1) or object()) for _ in range(3)]

    assert made == [1]
    assert len({id(value) for value in values}) == 1


async def test_before_the_first_publication_there_is_no_menu(database):
    with pytest.raises(errors.MenuMissingError):
        await menu.newest(database)


@pytest.fixture
async def republished(database, catalogue_of):
    """The second of two menus that were published: one service left, one came, one is another."""
    after = [a_service("zoo", category="leisure"), a_service("new"), a_service("bank")]
    for services in ([a_service("zoo"), a_service("old"), a_service("bank")], after):
        async with database.begin() as session:
            rows.publish(session, small.a_menu(*services), "s", small.NOW)
    return catalogue_of(*after, revision=2)


async def test_changes_are_told_since_any_revision(database, republished):
    assert await menu.changes(database, republished, 2) == []
    assert await menu.changes(database, republished, 1) == [
        menu.Change("new", menu.ChangeKind.ADDED),
        menu.Change("old", menu.ChangeKind.REMOVED),
        menu.Change("zoo", menu.ChangeKind.CHANGED),
    ]


@pytest.mark.parametrize("since", [-(2**31), -1, 0, 3, 2**31 - 1])
async def test_a_revision_that_never_was_is_told_which_there_are(database, republished, since):
    with pytest.raises(errors.BadInputError) as refused:
        await menu.changes(database, republished, since)

    assert str(refused.value) == f"There was no revision {since}: they are numbered 1 to 2."


async def test_so_many_menus_that_were_in_force_once_are_kept(database, catalogue_of):
    for number in range(6):
        async with database.begin() as session:
            rows.publish(session, small.a_menu(a_service(f"zoo-{number}")), "s", small.NOW)
    earlier = menu.Earlier(database)

    first = await earlier.of(1)
    assert await earlier.of(1) is first
    found = [await earlier.of(number) for number in range(2, 6)]

    assert [list(one.services) for one in found] == [[f"zoo-{n}"] for n in range(1, 5)]
    assert await earlier.of(5) is found[-1]
    assert await earlier.of(1) is not first
    assert await earlier.of(7) is None

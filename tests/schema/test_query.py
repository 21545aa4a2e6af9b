"""Each root of the graph over the real menu: what it gives, in which order, under which filter."""

from __future__ import annotations

import pytest

from models import demo

pytestmark = [pytest.mark.any_database, pytest.mark.asyncio(loop_scope="module")]


@pytest.fixture
def hub(shared_hub):
    return shared_hub


@pytest.fixture
def data(ask):
    async def data(document, variables=None, **who):
        answer = (await ask(document, variables, **who)).json()
        assert "errors" not in answer
        return answer["data"]

    return data


async def test_the_twelve_areas_say_which_are_the_seeds_and_which_our_own(data):
    found = (await data("{ areas { code source policy quota { units period } } }"))["areas"]

    assert [one["code"] for one in found if one["source"] == "SEED"] == [
        "schooling-and-tutoring",
        "medical-services",
        "physical-check",
        "movie-watching",
    ]
    assert len(found) == 12
    assert found[3]["quota"] == {"units": 2, "period": "MONTH"}


async def test_the_menu_is_in_the_order_of_its_categories(data):
    found = await data(
        "{ categories { code services { code } } menu(first: 100) { totalCount nodes { code } } }"
    )

    by_category = [one["code"] for each in found["categories"] for one in each["services"]]
    assert by_category == [one["code"] for one in found["menu"]["nodes"]]
    assert found["menu"]["totalCount"] == len(by_category) >= 60


async def test_the_first_platforms_areas_walk_across_to_the_categories(data):
    found = await data("{ platformAreas { code categories { code } services { code } } }")

    assert [one["code"] for one in found["platformAreas"]] == [
        "human-resources",
        "education",
        "medical",
        "cultural-facilities",
        "legal-consultancy",
    ]
    assert all(one["categories"] and one["services"] for one in found["platformAreas"])


async def test_a_journey_lists_services_that_are_on_the_menu_in_its_order(data):
    (arrive, *_) = (await data("{ journeys { code services { code } } }"))["journeys"]

    assert arrive["code"] == "arrive"
    assert [one["code"] for one in arrive["services"]][:2] == [
        "arrival-guide",
        "accommodation-registration",
    ]


async def test_every_figure_is_cited_and_counted_inside_one_that_is_there(data):
    found = (await data("{ figures { code value partOf citation { publisher } } }"))["figures"]
    codes = {one["code"] for one in found}

    assert {"273600"} <= {one["value"] for one in found}
    assert all(one["citation"]["publisher"] for one in found)
    assert {one["partOf"] for one in found} - {None} <= codes


async def test_partners_are_listed_by_code_and_filtered_by_kind_and_district(data):
    found = await data(
        """{ all: partners { code kind capabilities services { code } }
             banks: partners(kind: "bank") { code }
             elsewhere: partners(district: "elsewhere") { code } }"""
    )

    codes = [one["code"] for one in found["all"]]
    assert codes == sorted(codes)
    assert len(codes) == 9
    assert {one["kind"] for one in found["all"]} == {"bank", "hospital", "school", "cinema"}
    assert all(one["services"] and one["capabilities"] for one in found["all"])
    assert [one["code"] for one in found["banks"]] == [
        "hongqiao-exchange",
        "jiangsu-road-bank",
        "xinhua-bank",
    ]
    assert found["elsewhere"] == []


async def test_a_service_of_many_classes_asks_of_each_what_is_its_own(data):
    asked = """query Of($class: TalentClass) { service(code: "work-permit-first") {
      ... on Service { documents(talentClass: $class) { code classes }
                       steps(talentClass: $class) { classes } } } }"""

    whole = (await data(asked))["service"]
    of_class = {
        letter: (await data(asked, {"class": letter}))["service"]
        for letter in ("HIGH", "MEDIUM", "LOW")
    }

    for letter, found in of_class.items():
        assert [one for one in whole["documents"] if letter in one["classes"]] == found["documents"]
        assert [one for one in whole["steps"] if letter in one["classes"]] == found["steps"]
    assert len(of_class["HIGH"]["documents"]) < len(of_class["LOW"]["documents"])


async def test_a_service_says_where_it_stands_and_what_it_rests_on(data):
    asked = """{ service(code: "talent-apartment") { ... on Service {
      id code category { code } citations { source title publisher }
      fee { amount currency } where { stations { code } windows online { text } }
      validFrom validUntil assuredAt assuredBy staleAfter isStale workingDays } } }"""

    found = (await data(asked))["service"]

    assert found["id"] == "Service:talent-apartment"
    assert found["category"] == {"code": "accommodation"}
    assert {one["source"] for one in found["citations"]} == {"s1", "changning-apartment-2023"}
    assert found["isStale"] is False
    assert found["assuredAt"] <= found["staleAfter"]


async def test_whatever_has_an_id_is_found_again_by_it(data):
    listed = await data(
        """{ categories { id } areas { id } stations { id } partners { id } connectors { id }
             menu(first: 100) { nodes { id } } }"""
    )
    ids = [
        one["id"]
        for found in listed.values()
        for one in (found["nodes"] if isinstance(found, dict) else found)
    ]

    again = []
    for start in range(0, len(ids), 100):
        document = "query Again($ids: [ID!]!) { nodes(ids: $ids) { id } }"
        again += (await data(document, {"ids": ids[start : start + 100]}))["nodes"]

    assert len(set(ids)) == len(ids) > 130
    assert again == [{"id": one} for one in ids]


async def test_a_thing_is_not_found_under_the_name_of_another_sort(data):
    found = await data(
        """{ a: node(id: "Area:education") { id } b: node(id: "Partner:talent-apartment") { id }
             c: node(id: "Service:xinhua-bank") { id } }"""
    )

    assert found == {"a": None, "b": None, "c": None}


async def test_a_line_to_a_partner_says_how_well_it_works(hub, data):
    document = (
        "{ connectors { code state kind version breaker calls failures lastSuccess openedAt } }"
    )
    before = (await data(document))["connectors"]

    await data(
        '{ service(code: "film-tickets") { ... on Service { offers { pages { freshness } } } } }',
        viewer="holder",
        person=demo.PILOT,
    )

    after = {one["code"]: one for one in (await data(document))["connectors"]}
    assert [one["code"] for one in before] == sorted(after)
    assert {(one["state"], one["breaker"]) for one in before} == {("ACTIVE", "CLOSED")}
    assert after["hongqiao-cinema"]["calls"] >= 1
    assert after["hongqiao-cinema"]["failures"] == 0
    assert after["hongqiao-cinema"]["lastSuccess"] == hub.clock().isoformat()


async def test_a_gateway_finds_entities_by_their_key(data):
    found = await data(
        """query Entities($found: [_Any!]!) { _entities(representations: $found) {
          ... on Service { code } ... on Partner { code } } }""",
        {
            "found": [
                {"__typename": "Service", "id": "Service:talent-apartment"},
                {"__typename": "Partner", "id": "Partner:xinhua-bank"},
            ]
        },
    )

    assert found["_entities"] == [{"code": "talent-apartment"}, {"code": "xinhua-bank"}]

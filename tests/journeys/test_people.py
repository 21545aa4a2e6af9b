"""People see themselves, officers see people, nobody else learns so much as that they exist."""

from __future__ import annotations

import pytest

from models import demo

pytestmark = pytest.mark.asyncio(loop_scope="module")

PERSONAS = range(demo.RETURNEE, demo.RESEARCHER + 1)
CLOSED = ("anonymous", "partner", "integrator")
PAGE = """
query Page($filter: TalentFilter, $first: Int, $after: String) {
  talents(filter: $filter, first: $first, after: $after) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { id } }
    nodes { id name talentClass classAlias industry district }
  }
}
"""


@pytest.fixture
def hub(shared_hub):
    return shared_hub


async def pages(ask, **wanted):
    """Walk a list of people to its end; return who was met, and how many were promised."""
    met, after = [], None
    while True:
        answer = (await ask(PAGE, {**wanted, "after": after})).json()["data"]["talents"]
        met += answer["nodes"]
        assert [edge["node"]["id"] for edge in answer["edges"]] == [
            node["id"] for node in answer["nodes"]
        ]
        assert answer["pageInfo"]["hasPreviousPage"] is (after is not None)
        if not answer["pageInfo"]["hasNextPage"]:
            return met, answer["totalCount"]
        after = answer["pageInfo"]["endCursor"]
        assert after == answer["edges"][-1]["cursor"]


@pytest.mark.viewer("holder")
async def test_everybody_sees_themselves_whole(ask, document, told):
    answers = [await ask(document("me"), person=number) for number in PERSONAS]

    assert {answer.status for answer in answers} == {200}
    assert told("me", [answer.json() for answer in answers])


@pytest.mark.parametrize(
    ("viewer", "code"),
    [
        ("anonymous", "UNAUTHENTICATED"),
        ("partner", "FORBIDDEN"),
        ("integrator", "FORBIDDEN"),
        ("officer", "FORBIDDEN"),
        ("admin", "FORBIDDEN"),
    ],
)
async def test_who_is_no_person_has_no_me(ask, viewer, code):
    answer = await ask("{ me { name } areas { code } }", viewer=viewer)

    assert answer.status == 294
    assert answer.json()["data"]["me"] is None
    assert len(answer.json()["data"]["areas"]) == 12
    assert answer.codes == [code]


@pytest.mark.viewer("holder", 100_000)
async def test_a_person_the_database_does_not_know_is_null_without_an_error(ask):
    assert (await ask("{ me { name } }")).json()["data"] == {"me": None}


@pytest.mark.viewer("officer")
async def test_officers_page_through_everybody_without_a_gap_or_a_double(ask):
    met, total = await pages(ask, first=37)
    at_once = (await ask(PAGE, {"first": 100})).json()["data"]["talents"]["nodes"]

    assert total == len(met) == len({one["id"] for one in met}) == demo.PEOPLE
    assert met[:100] == at_once
    assert met[0]["id"] == f"Talent:{demo.handle(1)}"


@pytest.mark.viewer("officer")
async def test_a_class_has_its_letter_and_the_classes_share_everybody_out(ask):
    letters, people = {}, 0
    for wanted in ("HIGH", "MEDIUM", "LOW"):
        met, total = await pages(ask, first=100, filter={"talentClass": wanted})
        assert total == len(met) > 0
        assert {one["talentClass"] for one in met} == {wanted}
        letters[wanted] = {one["classAlias"] for one in met}
        people += len(met)

    assert letters == {"HIGH": {"A"}, "MEDIUM": {"B"}, "LOW": {"C"}}
    assert people < demo.PEOPLE  # of some the class is not known


@pytest.mark.viewer("officer")
@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        ({"district": "minhang"}, lambda one: one["district"] == "minhang"),
        ({"industry": "civil-aviation"}, lambda one: one["industry"] == "civil-aviation"),
        ({"industry": "Aviation  services"}, lambda one: one["industry"] == "civil-aviation"),
        ({"text": "O’TALLOW ondrix"}, lambda one: one["name"] == "Ondrix O'Tallowmere"),
        ({"text": "灯月"}, lambda one: "灯月" in one["name"]),
        (
            {"talentClass": "MEDIUM", "district": "changning"},
            lambda one: (one["talentClass"], one["district"]) == ("MEDIUM", "changning"),
        ),
    ],
)
async def test_a_filter_gives_exactly_those_whom_it_means(ask, wanted, holds):
    everybody, _ = await pages(ask, first=100)

    met, total = await pages(ask, first=9, filter=wanted)

    assert met == [one for one in everybody if holds(one)]
    assert total == len(met) > 0


@pytest.mark.viewer("officer")
async def test_a_page_of_people_with_all_their_rows_is_a_fixed_number_of_statements(ask, queries):
    document = """query Page($first: Int) { talents(first: $first) { nodes {
      name degrees { school } employments { organisation { code } } household { name }
      card { serial areas { unitsLeft } } } } }"""
    await ask("{ edition { revision } }")
    queries.clear()

    await ask(document, {"first": 2})
    of_two = len(queries)
    queries.clear()
    await ask(document, {"first": 40})

    assert len(queries) == of_two <= 13


@pytest.mark.parametrize("viewer", CLOSED)
async def test_somebody_elses_id_answers_as_one_that_nobody_has(ask, viewer):
    asked = "query Node($id: ID!) { node(id: $id) { id ... on Talent { name card { serial } } } }"

    existing = await ask(asked, {"id": f"Talent:{demo.handle(demo.PILOT)}"}, viewer=viewer)
    missing = await ask(asked, {"id": f"Talent:{demo.handle(100_000)}"}, viewer=viewer)

    assert existing.body == missing.body
    assert existing.json()["data"] == {"node": None}


@pytest.mark.viewer("holder", demo.RETURNEE)
async def test_a_holder_finds_themselves_by_id_and_nobody_else(ask):
    ids = [f"Talent:{demo.handle(number)}" for number in (demo.RETURNEE, demo.PILOT, 100_000)]

    answer = await ask(
        "query Nodes($ids: [ID!]!) { nodes(ids: $ids) { ... on Talent { name } } }", {"ids": ids}
    )

    assert answer.json()["data"] == {"nodes": [{"name": "檀灯月"}, None, None]}


@pytest.mark.viewer("officer")
async def test_an_officer_finds_everybody_by_id(ask):
    answer = await ask(
        "query Node($id: ID!) { node(id: $id) { ... on Talent { name card { serial } } } }",
        {"id": f"Talent:{demo.handle(demo.PILOT)}"},
    )

    assert answer.json()["data"]["node"]["name"] == "Ondrix O'Tallowmere"


async def test_a_denied_field_leaves_its_siblings(ask):
    answer = await ask("{ areas { code } talents { totalCount } me { name } stations { code } }")

    found = answer.json()["data"]
    assert (found["talents"], found["me"]) == (None, None)
    assert (len(found["areas"]), len(found["stations"])) == (12, 7)
    denied = [error["path"] for error in answer.json()["errors"]]
    assert sorted(denied) == [["me"], ["talents"]]
    assert answer.codes == ["UNAUTHENTICATED", "UNAUTHENTICATED"]

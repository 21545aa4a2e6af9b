"""The whole menu costs at least what is run for it, and the schema says how long its lists are."""

from __future__ import annotations

import re

import graphql
import pytest

import schema
from models import demo
from schema.execution import Limits, limits
from tests import asgi, follow

LISTS = """{ categories { code services { code } } areas { code services { code } }
  platformAreas { code services { code } categories { code } } figures { code }
  journeys { code services { code } questions { name } } partners { code services { code } }
  connectors { code gradeReasons { __typename } } stations { code windows { __typename } } }"""
SERVICES = """query ($first: Int, $after: String) { menu(first: $first, after: $after) {
  pageInfo { endCursor hasNextPage }
  nodes { code areas { code } documents { code } steps { channel } partners { code }
    citations { __typename } where { stations { code } }
    requirements { documents { code } onRecord { code } steps { channel } }
    verdict { outcome reasons { __typename } missing { name } subsidy { months { __typename } }
      wouldChange { changes { name clauses { __typename } } } } } } }"""
BUILT = schema.build_schema()


def fields(value):
    if isinstance(value, dict):
        return sum(1 + fields(one) for one in value.values())
    return sum(fields(one) for one in value) if isinstance(value, list) else 0


def cost(document, variables):
    parsed = graphql.parse(document)
    return limits.priced(BUILT._schema, parsed, Limits(), None).of(variables)


@pytest.mark.any_database
@pytest.mark.viewer("holder", demo.PILOT)
@pytest.mark.parametrize(
    ("document", "variables"), [(LISTS, {}), *((SERVICES, {"first": n}) for n in (1, 7, 20))]
)
async def test_the_menu_costs_at_least_a_point_for_each_field_that_is_run(hub, document, variables):
    answer = (await hub.ask(document, variables)).json()

    assert "errors" not in answer
    assert cost(document, variables) >= fields(answer["data"]) > 10


MANY = {"many": [{"__typename": "Talent", "id": "Talent:x"}] * 100}


@pytest.mark.parametrize(
    ("document", "points"),
    [
        ("{ _service { sdl } }", 1_000),
        ("query ($many: [_Any!]!) { _entities(representations: $many) { __typename } }", 5_000),
        ('{ coverage(service: "x") { counts { eligible } } }', 20_000),
        ('{ coverage(service: "x") { people { totalCount } } }', 40_000),
        ("{ edition { publishedBy } }", 50),
        ("{ me { classification { asOf } } }", 1_050),
        ("{ menu { totalCount } }", 50),
        ("{ menuChanges(since: 1) { code } }", 5_000),
        ("{ talents { totalCount } }", 2_000),
        ("{ verifiers { code } }", 1_000),
        ("{ __schema { types { name } } }", len(BUILT._schema.type_map)),
        ("{ __schema { types { fields { name } } } }", 1_000),
    ],
)
def test_what_is_much_work_costs_as_much(document, points):
    assert points <= cost(document, MANY) < 2 * points + 200


def paged():
    """Yield every field that takes `first`, but for those that bound lists further down."""
    for kind in BUILT._schema.type_map.values():
        for name, field in getattr(kind, "fields", {}).items():
            if "first" in getattr(field, "args", {}) and (kind.name, name) != ("Service", "offers"):
                yield pytest.param(field, id=f"{kind.name}.{name}")


@pytest.mark.parametrize("field", list(paged()))
def test_every_connection_says_how_long_it_is(field):
    _, listed = limits.costs.said(field)
    of = graphql.get_named_type(field.type)
    lists = [
        name
        for name, one in of.fields.items()
        if graphql.is_list_type(graphql.get_nullable_type(one.type))
    ]

    assert listed.slicing_arguments == ["first"]
    assert listed.assumed_size == 20
    assert sorted(listed.sized_fields) == sorted(lists)


@pytest.mark.any_database
async def test_what_is_refused_for_its_cost_is_charged_for_being_read(stand):
    nodes = "nodes { verdict { wouldChange { changes { name } } reasons { __typename } } }"
    some = " ".join(f"m{place}: menu(first: $n) {{ {nodes} }}" for place in range(20))
    document = f"query ($n: Int) {{ {some} }}"
    hub = stand(points_per_second=1, points_burst=1_000_000)
    left = [await _left(hub)]

    for _ in range(5):
        answer = await hub.ask(document, {"n": 100})
        assert (answer.status, answer.codes) == (422, ["QUERY_TOO_COSTLY"])
        left.append(await _left(hub))

    # The text is read but once; nothing is told of points that refill meanwhile.
    assert left[0] - left[-1] < len(document) + 6 * 2 * limits.BASE + 500
    many = {"ids": ["x"] * 9_999}
    answer = await hub.ask("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", many)
    assert (answer.status, answer.codes) == (422, ["QUERY_TOO_COSTLY"])
    # Reading them is work.
    assert 40_000 - 15_000 < left[-1] - await _left(hub) < 60_000


@pytest.mark.parametrize("levels", [100, 300, 1_000])
@pytest.mark.parametrize("document", ["{ me { name } }", "{ edition { revision } }"])
async def test_variables_however_deep_are_refused_and_charged(stand, document, levels):
    hub = stand(points_burst=100_000, points_per_second=1)
    body = f'{{"query": "{document}", "variables": {{"deep": {"[" * levels}{"]" * levels}}}}}'
    said = {"content-type": "application/json"}
    await hub.ask(document)
    before = await _left(hub)

    answers = [await asgi.call(hub.app, "POST", body=body.encode(), headers=said) for _ in range(5)]

    assert [one.codes for one in answers] == [["VARIABLES_TOO_DEEP"]] * 5
    # Finding out what is left is charged as well; of points that come back meanwhile, less.
    assert before - await _left(hub) > 5 * (limits.BASE + 2 * levels)


BAD = {"authorization": "Bearer garbage"}
JSON = {"content-type": "application/json"}


@pytest.mark.any_database
async def test_what_is_refused_unread_is_charged_to_where_it_comes_from(stand):
    hub = stand(points_per_second=1, points_burst=1_000_000)
    before = await _left(hub)
    refused = [
        await hub.ask("{ __typename }", headers=BAD),
        await asgi.call(hub.app, "POST", headers=JSON, body=b'{"query": "{ __typename }'),
        await asgi.call(hub.app, query={"query": "{ __typename }", "variables": "{"}),
        await asgi.call(hub.app, "POST", path="/v1/verify", headers={**JSON, **BAD}, body=b"{}"),
    ]

    spent = before - await _left(hub) - limits.BASE

    assert [one.status for one in refused] == [401, 400, 400, 401]
    # Some points have come back meanwhile.
    assert 4 * limits.REFUSED - 60 < spent <= 4 * limits.REFUSED


@pytest.mark.any_database
async def test_a_socket_whose_first_message_does_not_hold_is_charged_too(stand):
    hub = stand(points_per_second=1, points_burst=2 * limits.REFUSED - 100)
    codes = []
    for _ in range(2):
        async with follow.Socket(hub.app) as one:
            codes.append(await one.begin(**BAD))

    assert codes == [4403, 1011]


@pytest.mark.any_database
async def test_who_has_spent_their_points_on_refusals_is_told_to_wait(stand):
    hub = stand(points_per_second=1, points_burst=2 * limits.REFUSED + 100)

    tokens = [await hub.ask("{ __typename }", headers=BAD) for _ in range(3)]
    body = await asgi.call(hub.app, "POST", headers=JSON, body=b"{")

    assert [one.status for one in tokens] == [401, 401, 429]
    assert (body.status, body.codes) == (429, ["RATE_LIMITED"])
    said = body.json()["errors"][0]["message"]
    assert re.fullmatch(rf"This costs {limits.REFUSED} points; you have 1\d\d left\.", said)
    assert int(body.headers["retry-after"]) > 0
    assert (await hub.ask("{ __typename }", viewer="holder")).status == 200


async def _left(hub) -> int:
    return (await hub.ask("{ __typename }")).json()["extensions"]["cost"]["remaining"]

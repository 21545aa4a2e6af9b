"""Whatever is asked wrongly gets a coded answer, never a stack, SQL or a partner's address."""

from __future__ import annotations

import base64
import json

import pytest

from models import demo, page
from resolvers.menu import Filter
from schema.execution import Limits
from tests import asgi

pytestmark = [
    pytest.mark.any_database,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.viewer("officer"),
]

MENU = """query Menu($filter: MenuFilter, $first: Int, $after: String) {
  menu(filter: $filter, first: $first, after: $after) {
    pageInfo { endCursor } nodes { code }
  }
  areas { code }
}"""
TALENTS = """query People($filter: TalentFilter, $first: Int, $after: String) {
  talents(filter: $filter, first: $first, after: $after) { pageInfo { endCursor } }
  areas { code }
}"""
LISTS = {"menu": MENU, "talents": TALENTS}


@pytest.fixture
def hub(shared_hub):
    return shared_hub


async def test_an_unknown_service_is_a_fault_with_the_nearest_codes(ask):
    answer = await ask(
        """{ service(code: "talent-apartmnt") { __typename ... on UnknownCodeFault {
          code message hint nearest } } }"""
    )

    assert answer.json()["data"] == {
        "service": {
            "__typename": "UnknownCodeFault",
            "code": "UNKNOWN_CODE",
            "message": "There is no service “talent-apartmnt”.",
            "hint": "Did you mean “talent-apartment” or “talent-apartment-second-phase”?",
            "nearest": ["talent-apartment", "talent-apartment-second-phase"],
        }
    }


@pytest.mark.parametrize(
    ("wanted", "nearest"),
    [
        ({"category": "educatoin"}, "education"),
        ({"area": "movie-watchin"}, "movie-watching"),
        ({"platformArea": "medicall"}, "medical"),
        ({"policy": "healht"}, "health"),
        ({"industry": "civil-avation"}, "civil-aviation"),
        ({"station": "xinhua-staton"}, "xinhua-station"),
        ({"partner": "hongqiao-cinma"}, "hongqiao-cinema"),
    ],
    ids="-".join,
)
async def test_an_unknown_code_in_a_filter_names_the_nearest(ask, wanted, nearest):
    answer = await ask(MENU, {"filter": wanted})

    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "UNKNOWN_CODE"
    assert nearest in error["extensions"]["nearest"]
    assert error["path"] == ["menu"]
    assert answer.json()["data"]["menu"] is None
    assert len(answer.json()["data"]["areas"]) == 12


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ('{ partners(kind: "hospitl") { code } }', "UNKNOWN_CODE"),
        ('{ eligibleServices(filter: {partner: "nope"}) { totalCount } }', "UNKNOWN_CODE"),
        ('{ talents(filter: {industry: "civil avation"}) { totalCount } }', "UNKNOWN_CODE"),
        ('{ talents(filter: {district: "No Such!"}) { totalCount } }', "BAD_INPUT"),
        (f'{{ talents(filter: {{text: "{"x" * 101}"}}) {{ totalCount }} }}', "BAD_INPUT"),
    ],
)
async def test_what_stands_in_no_list_is_the_askers_error(ask, asked, code):
    answer = await ask(asked)

    assert answer.status == 294
    assert answer.codes == [code]


async def test_a_district_stands_in_no_list_so_that_one_without_anybody_is_empty(ask):
    answer = await ask(
        """{ partners(district: "atlantis") { code }
          talents(filter: {district: "atlantis"}) { totalCount } }"""
    )

    assert answer.json()["data"] == {"partners": [], "talents": {"totalCount": 0}}


@pytest.mark.parametrize("asked", LISTS)
@pytest.mark.parametrize("first", [-1, 101, 2**31 - 1])
async def test_a_page_has_a_hundred_items_at_most(ask, asked, first):
    answer = await ask(LISTS[asked], {"first": first})

    assert answer.codes == ["BAD_INPUT"]
    assert answer.json()["data"][asked] is None
    assert len(answer.json()["data"]["areas"]) == 12


@pytest.mark.parametrize("asked", LISTS)
@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "=",
        "not a cursor",
        "🜂",
        "A" * 5000,
        base64.b64encode(b"arrayconnection:5").decode(),
        base64.urlsafe_b64encode(bytes(40)).decode(),
        page.Scope("menu", Filter(category="education")).cursor("07 x"),
        page.Scope("another", None).cursor("5"),
    ],
    ids=range(10),
)
async def test_a_cursor_of_nobodys_or_another_list_is_refused(ask, asked, cursor):
    answer = await ask(LISTS[asked], {"after": cursor})

    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "BAD_CURSOR"
    assert error["message"] == "This cursor was not given out for this list."
    assert answer.json()["data"][asked] is None


@pytest.mark.parametrize(
    ("asked", "filters"),
    [
        ("menu", [{}, {"category": "education"}]),
        ("talents", [{"talentClass": "LOW"}, {"talentClass": "HIGH"}]),
    ],
)
async def test_a_cursor_fits_its_filter_alone(ask, asked, filters):
    given = (await ask(LISTS[asked], {"first": 1, "filter": filters[0]})).json()["data"][asked]
    cursor = given["pageInfo"]["endCursor"]

    same = await ask(LISTS[asked], {"first": 1, "filter": filters[0], "after": cursor})
    other = await ask(LISTS[asked], {"first": 1, "filter": filters[1], "after": cursor})

    assert same.codes == []
    assert other.codes == ["BAD_CURSOR"]


@pytest.mark.viewer("holder", demo.PILOT)
@pytest.mark.parametrize(
    "window",
    [
        'since: "2026-11-25", until: "2026-11-24"',
        'until: "2026-11-21"',
        'since: "2026-11-22", until: "2027-11-22"',
        'first: 1, since: "9999-12-31"',
        'since: "0001-01-01"',
        'since: "2026-11-20"',
        'until: "9999-12-31"',
        "first: 0",
        "first: 101",
    ],
)
async def test_offers_of_no_window_are_refused_before_a_partner_is_asked(hub, ask, window):
    answer = await ask(
        f"""{{ service(code: "film-tickets") {{ ... on Service {{
          offers({window}) {{ pages {{ freshness }} }} }} }} areas {{ code }} }}"""
    )

    assert answer.codes == ["BAD_INPUT"]
    assert hub.calls() == {}


@pytest.mark.parametrize(
    "variables",
    [{"first": "many"}, {"first": 1.5}, {"first": 2**40}, {"filter": {"nothing": 1}},
     {"filter": {"audience": "EVERYBODY"}}, {"filter": []}, {"after": 5}],
    ids=str,
)  # fmt: skip
async def test_a_variable_that_does_not_fit_is_named(ask, variables):
    answer = await ask(MENU, variables)

    assert answer.codes == ["BAD_USER_INPUT"]
    assert f"${next(iter(variables))}" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "day", ["yesterday", "2026-13-01", "2026-02-29", "20261122T10", "", "20261129", "2026-W48-7"]
)
async def test_a_day_that_is_none_is_refused_and_told_its_form(ask, day):
    asked = """{ service(code: "film-tickets") { ... on Service {
      offers(since: %s) { pages { freshness } } } } }"""

    sent = await ask("query Offers($day: Date) " + asked % "$day", {"day": day})
    written = await ask(asked % json.dumps(day))

    assert (sent.codes, written.codes) == (["BAD_USER_INPUT"], ["GRAPHQL_VALIDATION_FAILED"])
    for answer in (sent, written):
        [error] = answer.json()["errors"]
        assert "`2024-02-29`" in error["message"]
        assert error["locations"]


@pytest.mark.parametrize("language", ["zh_CN", "!!!", "", "x" * 5000])
async def test_what_is_no_language_is_refused_in_an_argument_and_passed_over_in_a_header(
    ask, language
):
    named = """query Named($language: String) { service(code: "film-tickets") {
      ... on Service { name(language: $language) { language isFallback } } } }"""

    refused = await ask(named, {"language": language})
    passed_over = await ask(named, headers={"accept-language": language})

    assert refused.codes == ["BAD_INPUT"]
    assert "zh-CN" in refused.json()["errors"][0]["extensions"]["hint"]
    assert passed_over.json()["data"]["service"]["name"] == {"language": "en", "isFallback": False}


async def test_a_hundred_ids_are_answered_and_one_more_is_not(ask):
    asked = "query Nodes($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    most = await ask(asked, {"ids": ["Service:talent-apartment"] * 100})
    more = await ask(asked, {"ids": ["Service:talent-apartment"] * 101})

    assert most.json()["data"]["nodes"] == [{"id": "Service:talent-apartment"}] * 100
    assert more.codes == ["BAD_INPUT"]


@pytest.mark.parametrize(
    "nothing", ["", ":", "Talent", "Talent:", "Talent:' OR 1=1 --", "Service:", "Query:x", "🜂:🜂",
           "Talent:" + "x" * 10_000, "Partner:../../etc", "Connector:None"],
    ids=range(11),
)  # fmt: skip
async def test_an_id_of_nothing_is_null(ask, nothing):
    answer = await ask("query Node($id: ID!) { node(id: $id) { id } }", {"id": nothing})

    assert answer.json()["data"] == {"node": None}


async def test_a_body_that_is_too_large_is_refused(hub):
    body = json.dumps(
        {"query": "{ areas { code } }", "variables": {"x": "x" * Limits().body_bytes}}
    )

    answer = await asgi.call(
        hub.app, "POST", headers={"content-type": "application/json"}, body=body.encode()
    )

    assert answer.status == 413
    assert answer.codes == ["BODY_TOO_LARGE"]


@pytest.mark.parametrize(
    ("document", "status", "code"),
    [
        ("{", 400, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", 422, "GRAPHQL_VALIDATION_FAILED"),
        ("query A { areas { code } } query B { areas { code } }", 422,
         "OPERATION_RESOLUTION_FAILURE"),
        ('{ __type(name: "Query") {' + "ofType {" * 15 + "name" + "}" * 17, 422, "QUERY_TOO_DEEP"),
        ("{" + " ".join(f"a{n}: areas {{ code }}" for n in range(51)) + "}", 422,
         "QUERY_TOO_MANY_ROOT_FIELDS"),
        ("{ menu(first: 100) { nodes { " + "category { services { " * 4 + "code" + "} }" * 5 + "}",
         422, "QUERY_TOO_COSTLY"),
        ("subscription { menu { totalCount } }", 422, "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { edition { revision } }", 400, "OPERATION_TYPE_NOT_ALLOWED"),
        ("mutation { menu }", 422, None),
    ],
)  # fmt: skip
async def test_a_document_that_may_not_run_says_why(ask, document, status, code):
    answer = await ask(document)

    assert answer.status == status
    assert "data" not in answer.json()
    assert answer.codes
    assert code in (*answer.codes, None)

"""GraphQL over HTTP, as its draft of August 2026 words it, where the published audits are silent.

Where the two disagree the audits are kept: those tests say so by their names.
"""

import json

import pytest

from schema import execution
from tests import asgi

pytestmark = [pytest.mark.any_database, pytest.mark.asyncio(loop_scope="module")]

RESPONSE = "application/graphql-response+json"
JSON = "application/json"
MOST = execution.Limits().body_bytes
QUERY = "{ edition { revision } }"
MUTATION = "mutation { __typename }"
TWO = "query a { __typename } query b { __typename }"
PARTIAL = "{ me { id } edition { revision } }"
DENIED = 'mutation { createChallenge(serviceCode: "none") { nonce } }'


@pytest.fixture
def post(shared_hub):
    """POST a body, as JSON unless it is bytes, and as the newer media type unless said."""

    async def send(body, **headers):
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {"content-type": JSON, "accept": RESPONSE}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        said = {name: value for name, value in named.items() if value is not None}
        return await asgi.call(shared_hub.app, "POST", headers=said, body=sent)

    return send


@pytest.fixture
def get(shared_hub):
    """GET with these parameters."""

    async def send(accept=RESPONSE, **parameters):
        return await asgi.call(shared_hub.app, query=parameters, headers={"accept": accept})

    return send


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (RESPONSE, RESPONSE),
        (JSON, JSON),
        (f"{RESPONSE}, {JSON};q=0.9", RESPONSE),
        (f"{JSON}, {RESPONSE};q=0.9", JSON),
        (f"{RESPONSE};q=0, {JSON};q=0.1", JSON),
        (f"text/html;q=0.9, {RESPONSE};q=0.8", RESPONSE),
        (f"{RESPONSE}; charset=utf-8", RESPONSE),
    ],
)
async def test_the_media_type_wanted_most_is_answered_with_its_encoding(post, accept, media):
    answer = await post({"query": QUERY}, accept=accept)

    assert answer.status == 200
    assert answer.headers["content-type"] == f"{media}; charset=utf-8"


@pytest.mark.parametrize("accept", ["text/plain", f"{RESPONSE};q=0", "image/*"])
async def test_a_media_type_that_is_not_offered_is_not_acceptable(post, accept):
    assert (await post({"query": QUERY}, accept=accept)).status == 406


@pytest.mark.parametrize("content_type", [JSON, f"{JSON}; charset=utf-8", "Application/JSON"])
async def test_a_body_is_read_as_utf_8_whether_it_says_so_or_not(post, content_type):
    body = json.dumps({"query": f"{QUERY} # 是"}, ensure_ascii=False).encode()

    assert (await post(body, content_type=content_type)).status == 200


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/graphql", "application/x-www-form-urlencoded"]
)
async def test_a_body_of_another_media_type_is_unsupported(post, content_type):
    assert (await post({"query": QUERY}, content_type=content_type)).status == 415


async def test_a_body_without_a_media_type_is_refused(post):
    assert (await post({"query": QUERY}, content_type=None)).status == 415


async def test_null_is_as_good_as_nothing_and_what_is_not_known_is_ignored(post):
    body = {"query": QUERY, "operationName": None, "variables": None, "extensions": None}

    assert (await post({**body, "another": 1})).status == 200


async def test_an_empty_parameter_by_get_is_as_good_as_none(get):
    answer = await get(query=QUERY, operationName="", variables="", extensions="")

    assert answer.status == 200


async def test_an_operation_may_be_named_null_by_get(get):
    document = "query null { __typename } query b { b: __typename }"

    answer = await get(query=document, operationName="null")

    assert answer.json()["data"] == {"__typename": "Query"}


async def test_a_mutation_by_get_is_not_allowed_and_told_how_it_is(get):
    answer = await get(query=MUTATION)

    assert (answer.status, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_another_method_is_not_allowed_and_told_which_are(shared_hub, method):
    answer = await asgi.call(shared_hub.app, method)

    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST")


async def test_an_address_that_is_too_long_is_refused(get):
    assert (await get(query=QUERY + " " * MOST)).status == 414


async def test_a_body_that_is_too_large_is_refused(post):
    assert (await post({"query": QUERY + " " * MOST})).status == 413


async def test_a_body_that_is_no_json_is_a_bad_request(post):
    assert (await post(b"NONSENSE")).status == 400


async def test_a_document_that_cannot_be_parsed_is_a_bad_request(post):
    assert (await post({"query": "{"})).status == 400


async def test_a_document_that_does_not_hold_is_unprocessable(post):
    assert (await post({"query": "{ nothingOfTheKind }"})).status == 422


@pytest.mark.parametrize("name", [None, "c"])
async def test_an_operation_that_cannot_be_told_is_unprocessable(post, name):
    assert (await post({"query": TWO, "operationName": name})).status == 422


@pytest.mark.parametrize(
    "body", [{"qeury": QUERY}, {"query": 1}, {"query": QUERY, "variables": [7]}, [], 7]
)
async def test_a_request_of_the_wrong_shape_is_bad_as_the_audits_have_it(post, body):
    assert (await post(body)).status == 400


async def test_variables_that_do_not_fit_are_bad_as_the_audits_have_it(post):
    document = "query ($first: Int!) { partners(first: $first) { nodes { id } } }"

    assert (await post({"query": document, "variables": {"first": "x"}})).status == 400


async def test_a_refused_document_is_200_in_the_older_type_as_the_audits_have_it(post):
    assert (await post({"query": "{ nothingOfTheKind }"}, accept=JSON)).status == 200


@pytest.mark.parametrize("document", [PARTIAL, DENIED])
async def test_data_beside_errors_is_a_partial_success(post, document):
    answer = await post({"query": document})

    assert {"data", "errors"} <= answer.json().keys()
    assert answer.status == 294


@pytest.mark.parametrize("document", [PARTIAL, DENIED])
async def test_the_older_media_type_knows_no_partial_success(post, document):
    assert (await post({"query": document}, accept=JSON)).status == 200


@pytest.mark.parametrize("body", [{"query": "{"}, {"query": "{ none }"}, {"query": TWO}, {}])
async def test_what_was_never_run_has_errors_and_no_data(post, body):
    assert (await post(body)).json().keys() == {"errors"}


async def test_whoever_may_not_ask_is_told_so_by_status(post):
    answer = await post({"query": QUERY}, authorization="Bearer none")

    assert (answer.status, "www-authenticate" in answer.headers) == (401, True)

"""GraphQL over HTTP, as an application sees it; the public audits are the wider net."""

import asyncio

import pytest

from models import errors
from schema import execution
from tests import asgi

RESPONSE = "application/graphql-response+json"
JSON = {"content-type": "application/json"}


async def post(app, body, **headers):
    return await asgi.call(app, "POST", headers={**JSON, **headers}, body=body)


async def test_a_query_is_answered_in_the_type_asked_for(app):
    new = await asgi.ask(app, "{ hello }")
    old = await asgi.ask(app, "{ hello }", headers={"accept": "*/*"})

    assert new.status == old.status == 200
    assert new.json() == old.json()
    assert new.json()["data"] == {"hello": "Hello, world."}
    assert new.headers["content-type"] == f"{RESPONSE}; charset=utf-8"
    assert old.headers["content-type"] == "application/json; charset=utf-8"


async def test_every_answer_says_it_is_private_and_what_it_varies_by(app):
    for answer in (await asgi.ask(app, "{ hello }"), await asgi.call(app, "PUT")):
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.headers["vary"] == "accept, accept-encoding, accept-language, authorization"
        assert "server" not in answer.headers


async def test_a_query_by_get_runs_with_its_variables(app):
    answer = await asgi.call(
        app,
        query={
            "query": "query A { hello } query B($n: String!) { hello(name: $n) }",
            "operationName": "B",
            "variables": '{"n": "Ana"}',
        },
    )

    assert answer.json()["data"] == {"hello": "Hello, Ana."}


async def test_a_mutation_by_get_is_refused_and_not_run(app, context):
    answer = await asgi.call(app, query={"query": "mutation { count }"})

    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert answer.codes == ["METHOD_NOT_ALLOWED"]
    assert context.counted == 0


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_other_methods_are_refused_with_those_allowed(app, method):
    answer = await asgi.call(app, method)

    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST")
    assert answer.codes == ["METHOD_NOT_ALLOWED"]


async def test_an_answer_nobody_can_read_is_not_computed(app, context):
    answer = await asgi.ask(app, "mutation { count }", headers={"accept": "image/png"})

    assert (answer.status, answer.codes) == (406, ["NOT_ACCEPTABLE"])
    assert context.counted == 0


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=utf-16",
        "",
    ],
)
async def test_a_post_that_a_foreign_page_could_send_unasked_is_refused(app, context, content_type):
    answer = await asgi.call(
        app,
        "POST",
        headers={"content-type": content_type},
        body=b'{"query": "mutation { count }"}',
    )

    assert (answer.status, answer.codes) == (415, ["UNSUPPORTED_MEDIA_TYPE"])
    assert context.counted == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"7",
        b'"{ hello }"',
        b"{",
        b'{"query": "{ hello }"',
        b'{"query": "\xff\xfe"}',
        b"9" * 4301,
        b'{"query": "{ hello }", "variables": {"a": ' + b"9" * 4301 + b"}}",
        b"[" * 100_000 + b"]" * 100_000,
        b'{"query": "{ hello }", "variables": ' + b'{"a":' * 20_000 + b"1" + b"}" * 20_001,
        b"{}",
        b'{"query": null}',
        b'{"query": ""}',
        b'{"query": 1}',
        b'{"query": "{ hello }", "variables": []}',
        b'{"query": "{ hello }", "variables": "{}"}',
        b'{"query": "{ hello }", "extensions": 0}',
        b'{"query": "{ hello }", "operationName": {}}',
    ],
    ids=lambda body: f"{body[:40]!r}, {len(body)} bytes",
)
async def test_a_body_of_the_wrong_shape_is_a_bad_request(app, body):
    answer = await post(app, body)

    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])
    assert "data" not in answer.json()


@pytest.mark.parametrize("variables", ["{", "[]", "null,", "7"])
async def test_bad_variables_by_get_are_a_bad_request(app, variables):
    answer = await asgi.call(app, query={"query": "{ hello }", "variables": variables})

    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])


async def test_a_number_beyond_the_reader_is_only_a_number_too_large(app):
    answer = await post(app, b'{"query": "{ hello }", "variables": {"n": 1e400}}')

    assert (answer.status, answer.codes) == (400, ["BAD_REQUEST"])


async def test_a_batch_is_refused_by_its_own_code(app):
    answer = await post(app, b'[{"query": "{ hello }"}, null, 1]')

    assert (answer.status, answer.codes) == (400, ["BATCHING_NOT_SUPPORTED"])


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{ hello", "GRAPHQL_PARSE_FAILED"),
        ("query ($n: String!) { hello(name: $n) }", "BAD_USER_INPUT"),
    ],
)
async def test_a_request_that_cannot_run_has_no_data_and_status_400(app, document, code):
    answer = await asgi.ask(app, document)

    assert (answer.status, answer.codes) == (400, [code])
    assert "data" not in answer.json()


async def test_the_older_media_type_answers_200_to_a_document_that_does_not_hold(app):
    answer = await asgi.ask(app, "{ nothing }", headers={"accept": "application/json"})

    assert (answer.status, answer.codes) == (200, ["GRAPHQL_VALIDATION_FAILED"])
    assert "data" not in answer.json()


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { hello } query B { hello }", "OPERATION_RESOLUTION_FAILURE"),
        ("fragment F on Query { hello }", "OPERATION_RESOLUTION_FAILURE"),
    ],
)
async def test_what_is_well_formed_and_does_not_hold_is_unprocessable(app, document, code):
    answer = await asgi.ask(app, document)

    assert (answer.status, answer.codes) == (422, [code])
    assert "data" not in answer.json()


async def test_a_failed_field_is_a_partial_success_and_leaves_its_siblings(app):
    answer = await asgi.ask(app, "{ hello broken }")
    older = await asgi.ask(app, "{ hello broken }", headers={"accept": "application/json"})

    assert (answer.status, older.status) == (294, 200)
    assert answer.json()["data"] == {"hello": "Hello, world.", "broken": None}


async def test_a_body_is_counted_as_it_streams_and_the_connection_closed(app_of):
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield b" " * 1000

    answer = await post(app_of(body_bytes=10_000), endless())

    assert (answer.status, answer.codes) == (413, ["BODY_TOO_LARGE"])
    assert answer.headers["connection"] == "close"
    assert taken == 11


async def test_a_body_that_never_ends_is_not_waited_for(app_of):
    async def dripping():
        while True:
            yield b" "
            await asyncio.sleep(0.02)

    answer = await post(app_of(seconds=0.1), dripping())

    assert (answer.status, answer.codes) == (408, ["BODY_TOO_SLOW"])


async def test_a_caller_who_hangs_up_while_sending_is_not_answered(app):
    async def hung_up():
        return {"type": "http.disconnect"}

    async def send(message):
        pytest.fail(f"nobody listens to {message}")

    scope = asgi._scope("POST", "/graphql", None, JSON)
    await app(scope, hung_up, send)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.UnauthenticatedError("The token has expired."), 401, "UNAUTHENTICATED"),
        (errors.ForbiddenError(["officer"]), 400, "FORBIDDEN"),
        (errors.MenuMissingError(), 503, "MENU_MISSING"),
        (OSError("db.internal:5432 refused"), 500, "INTERNAL"),
    ],
)
async def test_a_context_that_cannot_be_built_refuses_the_request(
    schema_of, caplog, error, status, code
):
    async def context(scope, plan, body):
        raise error

    answer = await asgi.ask(execution.GraphQLView(schema_of(), context), "{ hello }")

    assert (answer.status, answer.codes) == (status, [code])
    challenge = execution.http.CHALLENGE if status == 401 else None
    assert answer.headers.get("www-authenticate") == challenge
    assert b"5432" not in answer.body
    assert len(caplog.records) == (status == 500)


async def test_a_browser_gets_the_built_page_under_a_strict_policy(schema_of, tmp_path):
    tmp_path.joinpath("index.html").write_text("<p>built</p>")
    app = execution.GraphQLView(schema_of(), None, page=tmp_path)

    answer = await asgi.call(app, headers={"accept": "text/html,*/*;q=0.8"})

    assert (answer.status, answer.body) == (200, b"<p>built</p>")
    policy = answer.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= set(policy)
    assert "http" not in answer.headers["content-security-policy"]


async def test_without_a_built_page_a_browser_learns_how_to_build_it(schema_of, tmp_path):
    app = execution.GraphQLView(schema_of(), None, page=tmp_path / "missing")

    answer = await asgi.call(app, headers={"accept": "text/html"})

    assert answer.status == 200
    assert b"make web" in answer.body
    assert b"curl" in answer.body
    assert b"<script" not in answer.body


async def test_the_page_can_be_switched_off(schema_of):
    app = execution.GraphQLView(schema_of(), None, page=None)

    answer = await asgi.call(app, headers={"accept": "text/html"})

    assert (answer.status, answer.codes) == (406, ["NOT_ACCEPTABLE"])


HELLO = b'{"query": "query ($n: String!) { hello(name: $n) }", "variables": {"n": "Ana"}}'


async def test_a_body_that_is_sent_again_is_answered_and_charged_again(app, context):
    charged = []
    context.charge = charged.append

    answers = [await post(app, HELLO) for _ in range(3)]

    assert [one.json()["data"] for one in answers] == [{"hello": "Hello, Ana."}] * 3
    toll, *rest = charged
    assert toll == len("query ($n: String!) { hello(name: $n) }")
    assert rest == [100] * 3


async def test_a_mutation_that_is_sent_again_acts_again(app, context):
    for _ in range(3):
        await post(app, b'{"query": "mutation { count }"}')

    assert context.counted == 3


@pytest.mark.parametrize(
    "body",
    [
        b'{"query": "query ($n: String!) { hello(name: $n) }"}',
        b'{"query": "query ($n: String!) { hello(name: $n) }", "variables": {"n": [1]}}',
        b'{"query": "{ nothing }"}',
        b'{"query": "query A { hello } query B { hello }"}',
        b'{"query": 1}',
        b"no JSON",
    ],
)
async def test_a_body_that_was_refused_is_refused_again(app, body):
    first, again = await post(app, body), await post(app, body)

    assert first.codes
    assert (again.status, again.json()) == (first.status, first.json())


async def test_what_a_body_came_to_goes_with_its_document(app):
    await post(app, HELLO)
    known = app._known[HELLO].known
    was_read = known.reading() is not None
    for number in range(70):
        await asgi.ask(app, f"{{ a{number}: hello }}")

    assert was_read
    assert known.reading() is None
    assert (await post(app, HELLO)).json()["data"] == {"hello": "Hello, Ana."}


async def test_bodies_are_known_in_bounded_number_and_length(app):
    for number in range(200):
        await post(app, HELLO.replace(b"Ana", b"%d" % number))
    await post(app, HELLO + b" " * 4_000)

    assert len(app._known) == 128
    assert max(map(len, app._known)) < 2_048

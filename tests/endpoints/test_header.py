from __future__ import annotations

import pytest
from starlette.responses import PlainTextResponse

from endpoints import header
from tests import asgi

ORIGIN = "https://app.example"
PREFLIGHT = {
    "origin": ORIGIN,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type",
}


async def page(scope, receive, send):
    said = {"content-security-policy": "default-src 'self'", "etag": "w"}
    await PlainTextResponse("a page", headers=said)(scope, receive, send)


async def test_every_answer_says_that_it_is_what_it_is_and_for_nobody_else():
    answer = await asgi.call(header.Polite(PlainTextResponse("x")), path="/healthz")

    said = {name.decode(): value.decode() for name, value in header.HEADERS}
    assert said.items() <= answer.headers.items()
    assert said["x-content-type-options"] == "nosniff"
    assert "strict-transport-security" not in answer.headers


async def test_what_a_page_says_itself_stands():
    answer = await asgi.call(header.Polite(page))

    assert answer.headers["content-security-policy"] == "default-src 'self'"
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_what_says_it_itself_is_left_alone():
    answer = await asgi.call(header.Polite(page, apart=["/graphql"]))

    assert "referrer-policy" not in answer.headers


async def test_behind_https_browsers_are_told_to_stay_there_where_that_is_wanted():
    app = header.Polite(PlainTextResponse("x"), header.headers(hsts_seconds=3600))

    answer = await asgi.call(app)

    assert answer.headers["strict-transport-security"] == "max-age=3600"


async def test_without_origins_no_page_of_another_site_may_ask():
    app = header.shared(page, ())

    answer = await asgi.call(app, "OPTIONS", headers=PREFLIGHT)

    assert app is page
    assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(("origins", "told"), [([ORIGIN], ORIGIN), (["*"], "*")])
async def test_a_page_of_an_origin_that_may_ask_is_told_so_and_for_how_long(origins, told):
    app = header.shared(page, origins)

    may = await asgi.call(app, "OPTIONS", headers=PREFLIGHT)
    answer = await asgi.call(app, "POST", headers={"origin": ORIGIN})

    assert may.headers["access-control-allow-origin"] == told
    assert may.headers["access-control-max-age"] == "7200"
    assert "authorization" in may.headers["access-control-allow-headers"]
    assert answer.headers["access-control-allow-origin"] == told
    assert "etag" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in {**may.headers, **answer.headers}


@pytest.mark.parametrize(
    "origin", ["https://other.example", "http://app.example", f"{ORIGIN}.evil.example", "null"]
)
async def test_a_page_of_another_origin_is_told_nothing(origin):
    app = header.shared(page, [ORIGIN])

    may = await asgi.call(app, "OPTIONS", headers={**PREFLIGHT, "origin": origin})
    answer = await asgi.call(app, "POST", headers={"origin": origin})

    assert may.status == 400
    assert "access-control-allow-origin" not in {**may.headers, **answer.headers}
    assert "Origin" in answer.headers["vary"]


async def test_other_methods_and_headers_are_for_no_page_of_another_site():
    app = header.shared(page, [ORIGIN])
    asked = {"access-control-request-method": "DELETE"}, {"access-control-request-headers": "x-a"}

    found = [await asgi.call(app, "OPTIONS", headers={**PREFLIGHT, **one}) for one in asked]

    assert [one.status for one in found] == [400, 400]

"""An answer that is the same for everybody is kept, and never a moment too long."""

from __future__ import annotations

import aiohttp
import pytest

from models import demo
from models.offer import Capability
from resolvers.context import ZONE
from tests import asgi

MENU = "{ categories { code services { code name { text } isStale partners { code } } } }"
GET = {"query": MENU}

pytestmark = pytest.mark.any_database


@pytest.fixture(autouse=True)
async def begun(hub):
    """A hub that has read its menu, as one has that is ready."""
    await hub.ask("{ edition { revision } }")


def kept(hub) -> int:
    return hub.hub.measures.cache_hits


async def test_the_second_answer_is_the_first_whoever_asks(hub):
    first = await hub.ask(MENU)
    answers = [
        await hub.ask(MENU, viewer=role)
        for role in ("anonymous", "holder", "officer", "partner", "admin")
    ]

    assert {one.body for one in answers} == {first.body}
    assert kept(hub) == 5


async def test_what_differs_by_who_asks_is_worked_out_for_each(hub):
    document = '{ me { name } service(code: "talent-apartment") { ... on Service { code } } }'

    found = [
        (await hub.ask(document, viewer="holder", person=one)).json()["data"]["me"]["name"]
        for one in (demo.RETURNEE, demo.PILOT, demo.RETURNEE)
    ]

    assert found[0] == found[2] != found[1]
    assert kept(hub) == 0


@pytest.mark.parametrize(
    "headers",
    [{"accept-language": "zh"}, {"cache-control": "no-cache"}, {"accept": "application/json"}],
)
async def test_who_wants_it_otherwise_or_anew_is_answered_anew(hub, headers):
    await hub.ask(MENU)

    other = await hub.ask(MENU, headers=headers)

    assert other.status == 200
    assert kept(hub) == 0


async def test_other_variables_have_other_answers(hub):
    document = "query ($code: String!) { service(code: $code) { ... on Service { code } } }"
    codes = ["talent-apartment", "physical-check", "talent-apartment"]

    found = [(await hub.ask(document, {"code": code})).json()["data"]["service"] for code in codes]

    assert [one["code"] for one in found] == codes
    assert kept(hub) == 1


async def test_an_error_is_not_kept(hub):
    document = "{ menu(first: 1000) { nodes { code } } }"

    answers = [await hub.ask(document) for _ in range(2)]

    assert [one.codes for one in answers] == [["BAD_INPUT"]] * 2
    assert kept(hub) == 0


async def test_with_the_day_all_that_was_kept_is_another(hub):
    before = await hub.ask(MENU)
    hub.clock.pass_seconds(20 * 365 * 86_400)

    after = await hub.ask(MENU)

    assert kept(hub) == 0
    assert '"isStale":true' not in before.body.decode()
    assert after.body != before.body


async def test_a_partner_that_goes_is_gone_from_every_answer(hub):
    before = await hub.ask("{ partners { code } }")
    registry = hub.hub.partners.registry
    [gone, *_] = registry.partners
    left = {slug: one for slug, one in registry.partners.items() if slug != gone}
    hub.hub.partners.registry = type(registry)(registry.workshop, left)

    after = await hub.ask("{ partners { code } }")

    codes = [one["code"] for one in before.json()["data"]["partners"]]
    assert [one["code"] for one in after.json()["data"]["partners"]] == [
        code for code in codes if code != gone
    ]


LED_BACK = """{ service(code: "exchange-rates") { ... on Service { offers(first: 1) {
  pages { freshness partner { services { code } } } } } } }"""
WITHDRAW = """mutation ($input: WithdrawServiceInput!) {
  withdrawService(input: $input) { ... on Publication { edition { revision } } } }"""


@pytest.mark.parametrize("viewer", ["anonymous", "holder"])
async def test_what_a_partner_said_before_leads_into_no_menu_of_before(hub, viewer):
    def codes(answer) -> set[str]:
        [page] = answer.json()["data"]["service"]["offers"]["pages"]
        return {one["code"] for one in page["partner"]["services"]}

    before = [codes(await hub.ask(LED_BACK, viewer=viewer)) for _ in range(4)]
    given = {"code": "foreign-exchange", "expectedRevision": hub.hub.catalogue.revision}
    await hub.ask(WITHDRAW, {"input": given}, viewer="officer")
    await hub.hub._take_menu()
    after = [await hub.ask(LED_BACK, viewer=viewer) for _ in range(2)]

    assert freshness(after[0]) == {"CACHED"}
    assert all("foreign-exchange" in one for one in before)
    assert [codes(one) for one in after] == [before[0] - {"foreign-exchange"}] * 2


async def test_a_language_in_two_lines_is_the_same_as_in_one(hub):
    body = {"query": "{ categories { name { text language } } }"}
    found = []
    async with asgi.served(hub.app) as address, aiohttp.ClientSession() as client:
        for languages in (["zh", "en"], ["zh, en"], ["zh, en"]):
            said = [("accept-language", one) for one in languages]
            async with client.post(f"{address}/graphql", json=body, headers=said) as answer:
                found.append(await answer.json())

    assert found[0]["data"]["categories"][0]["name"]["language"] == "zh"
    assert found == found[:1] * 3
    assert kept(hub) == 2


async def test_each_coding_has_an_answer_of_its_own(hub):
    found = [
        (await hub.ask(MENU, headers={"accept-encoding": coding})).headers.get("content-encoding")
        for coding in ("br", "gzip", "identity", "br", "gzip", "identity")
    ]

    assert found == ["br", "gzip", None] * 2
    assert kept(hub) == 3


async def test_by_get_it_may_be_kept_by_others_and_asked_about(hub):
    first = await asgi.call(hub.app, query=GET)
    tag = first.headers["etag"]
    again = await asgi.call(hub.app, query=GET, headers={"if-none-match": f'W/"x", {tag}'})
    others = [
        await asgi.call(hub.app, query=GET, headers={"if-none-match": shown})
        for shown in ('"x"', tag.strip('"'), f'"x,{tag.strip(chr(34))}"', f'{tag[:-1]}-any"')
    ]

    assert first.headers["cache-control"] == "public, max-age=60"
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    assert "content-length" not in again.headers
    assert {(one.status, one.body) for one in others} == {(200, first.body)}
    assert "authorization" in first.headers["vary"]


async def test_a_packed_answer_is_known_again_by_its_own_tag(hub):
    packed = await asgi.call(hub.app, query=GET, headers={"accept-encoding": "br"})
    tag = packed.headers["etag"]

    for coding in ("br", "gzip", "identity"):
        again = await asgi.call(
            hub.app, query=GET, headers={"accept-encoding": coding, "if-none-match": tag}
        )
        assert (again.status, again.headers["etag"]) == (304, tag)
    assert tag.endswith('-br"')


async def test_what_is_private_says_so(hub):
    answer = await asgi.call(
        hub.app,
        query={"query": "{ me { name } }"},
        headers=hub.bearer("holder"),
    )

    assert answer.headers["cache-control"] == "private, no-store"
    assert "etag" not in answer.headers


async def test_nothing_is_kept_where_it_is_switched_off(stand):
    hub = stand(response_cache=False)

    answers = {(await hub.ask(MENU)).body for _ in range(3)}

    assert len(answers) == 1
    assert kept(hub) == 0


async def test_a_kept_answer_is_charged_as_any_other(stand):
    hub = stand(points_burst=50_000, points_per_second=1)
    await hub.ask("{ edition { revision } }")

    statuses = [(await hub.ask(MENU)).status for _ in range(20)]

    assert statuses[0] == 200
    assert statuses[-1] == 429


RATES = """{ service(code: "exchange-rates") { ... on Service { offers(first: 3) {
  withheld { outcome } pages { freshness observedAt nodes { id title } } } } } }"""


def freshness(answer) -> set[str]:
    pages = answer.json()["data"]["service"]["offers"]["pages"]
    return {one["freshness"] for one in pages}


async def test_what_partners_said_is_told_again_to_who_shows_nobody_while_it_is_fresh(hub):
    first, second, third = [await hub.ask(RATES, viewer="anonymous") for _ in range(3)]

    assert freshness(first) == {"LIVE"}
    assert freshness(second) == {"CACHED"}
    assert third.body == second.body
    assert kept(hub) == 1


async def test_what_partners_said_is_asked_anew_when_it_is_no_longer_fresh(hub):
    for _ in range(3):
        await hub.ask(RATES, viewer="anonymous")
    hub.clock.pass_seconds(5)

    later = await hub.ask(RATES, viewer="anonymous")

    assert freshness(later) == {"LIVE"}
    assert kept(hub) == 1


async def test_whoever_shows_themselves_is_never_told_what_nobody_was(hub):
    for _ in range(2):
        await hub.ask(RATES, viewer="anonymous")

    await hub.ask(RATES, viewer="holder")
    await hub.ask(RATES, viewer="holder")

    assert kept(hub) == 0


async def test_once_somebody_has_booked_what_was_said_before_is_not_told_again(hub):
    for _ in range(3):
        await hub.ask(RATES, viewer="anonymous")
    for one in hub.hub.partners.registry.partners.values():
        one._memory.forget(Capability.QUOTE)

    after = await hub.ask(RATES, viewer="anonymous")

    assert freshness(after) == {"LIVE"}
    assert kept(hub) == 1


async def test_nothing_is_promised_beyond_the_day(hub):
    hub.clock.pass_seconds(-_of_day(hub) + 86_400 - 90)
    await hub.ask("{ edition { revision } }")
    first = await asgi.call(hub.app, query=GET)
    hub.clock.pass_seconds(60)

    late = [await asgi.call(hub.app, query=GET) for _ in range(2)]

    assert first.headers["cache-control"] == "public, max-age=60"
    assert [one.headers["cache-control"] for one in late] == ["public, max-age=30"] * 2
    assert late[0].body == first.body


def _of_day(hub) -> int:
    now = hub.clock().astimezone(ZONE)
    return now.hour * 3600 + now.minute * 60 + now.second


@pytest.mark.parametrize(
    "header", [{"x-greenway-plan": "only"}, {"x-greenway-plan": "with"}], ids=["only", "with"]
)
async def test_what_vary_does_not_tell_of_is_kept_by_nobody(hub, header):
    answer = await asgi.call(hub.app, query=GET, headers=header)

    assert "plan" in answer.json()["extensions"]
    assert answer.headers["cache-control"] == "private, no-store"
    assert "etag" not in answer.headers


async def test_head_says_what_get_says(hub):
    found = [await asgi.call(hub.app, one, query=GET) for one in ("GET", "HEAD", "HEAD")]

    assert {one.status for one in found} == {200}
    assert len({(one.headers["etag"], one.headers["content-length"]) for one in found}) == 1


async def test_whoever_has_any_is_told_that_it_is_the_same(hub):
    answer = await asgi.call(hub.app, query=GET, headers={"if-none-match": "*"})

    assert (answer.status, answer.body) == (304, b"")


async def test_who_takes_parts_gets_parts_whoever_asked_before(hub):
    body = {"query": "{ edition { revision ... @defer { digest } } }"}
    accepts = ["application/json"] * 2 + ["multipart/mixed, application/json"]
    async with asgi.served(hub.app) as address, aiohttp.ClientSession() as client:
        found = []
        for accept in accepts:
            headers = {"accept": accept}
            async with client.post(f"{address}/graphql", json=body, headers=headers) as answer:
                found.append(answer.headers["content-type"].partition(";")[0])

    assert found == ["application/json"] * 2 + ["multipart/mixed"]


async def test_where_other_sites_may_ask_every_answer_says_that_it_differs_by_them(stand):
    hub = stand(cors_origins="https://app.example")
    await hub.ask("{ edition { revision } }")
    for _ in range(2):
        await asgi.call(hub.app, query=GET)
    async with asgi.served(hub.app) as address, aiohttp.ClientSession() as client:
        told = []
        for _ in range(4):
            async with client.get(f"{address}/graphql", params=GET) as answer:
                told.append(", ".join(answer.headers.getall("vary")).lower().split(", "))
        shown = {"origin": "https://app.example"}
        async with client.get(f"{address}/graphql", params=GET, headers=shown) as answer:
            assert answer.headers["access-control-allow-origin"] == "https://app.example"

    assert all("origin" in one and "authorization" in one for one in told)


async def test_other_sites_may_send_what_an_application_says_of_itself(stand):
    hub = stand(cors_origins="https://app.example")
    said = [
        "x-greenway-app", "x-greenway-app-version", "graphql-client-name",
        "graphql-client-version", "apollographql-client-name", "content-type",
    ]  # fmt: skip

    answer = await asgi.call(
        hub.app,
        "OPTIONS",
        headers={
            "origin": "https://app.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": ",".join(said),
        },
    )

    assert answer.status == 200

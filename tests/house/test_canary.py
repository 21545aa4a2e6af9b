"""Canaries: what is private or secret is sent in every way, and is in no log and no metric."""

from __future__ import annotations

import logging

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import demo
from tests import asgi, partner
from tests import booth as cinema

pytestmark = [pytest.mark.any_database, pytest.mark.viewer("holder", demo.RETURNEE)]

#: What a person may type, or show, that is nobody else's.
CANARY = "c4n4ry"
OFFERS = """{ service(code: "film-tickets") { ... on Service { offers { pages {
  freshness problem { message } } } } } }"""
#: A document, with what of it is private: in its text, in its variables, where there are none.
ASKED = {
    "in the text": ('{ service(code: "%s") { ... on Service { code } } }', None),
    "in a variable": (
        "query ($c: String!) { service(code: $c) { ... on Service { code } } }",
        {"c": "%s"},
    ),
    "in a variable of another sort": (
        "query ($c: Int!) { menu(first: $c) { totalCount } }",
        {"c": "%s"},
    ),
    "in a variable that is not asked for": ("{ menu(first: 1) { totalCount } }", {"c": "%s"}),
    "in a name that there is not": ("{ %s }", None),
    "in an alias": ("{ %s: edition { revision } }", None),
    "in a comment": ("# %s\n{ edition { revision }", None),
    "in a cursor": ('{ menu(first: 1, after: "%s") { totalCount } }', None),
    "in an id": ('{ node(id: "Talent:%s") { id } }', None),
    "in a search": ('{ talents(filter: {text: "%s"}) { totalCount } }', None),
    "in a mutation": (
        "mutation ($i: ReserveOfferInput!) { reserveOffer(input: $i) { __typename } }",
        {
            "i": {
                "service": "film-tickets",
                "partner": "%s",
                "offer": "%s",
                "idempotencyKey": "%s",
            }
        },
    ),
    "in a check": (
        "mutation ($i: VerifyCardInput!) { verifyCard(input: $i) { __typename } }",
        {"i": {"code": "%s"}},
    ),
}
#: In which headers something secret may come.
HEADERS = {
    "no token": {},
    "a bad token": {"authorization": "Bearer %s.%s.%s"},
    "an API key": {"authorization": "Bearer tck_live_%s_%s"},
    "another scheme": {"authorization": "Basic %s"},
    "a cookie": {"cookie": "session=%s"},
    "a proof": {"authorization": "DPoP %s", "dpop": "%s.%s.%s"},
    "faults": {"x-greenway-fault": "%s=down"},
    "a plan": {"x-greenway-plan": "%s"},
    "a trace": {"traceparent": "00-%s"},
    "an application": {"x-greenway-app": "%s"},
}


def planted(value, canary):
    """Return a value with the canary in each of its places."""
    if isinstance(value, dict):
        return {name: planted(one, canary) for name, one in value.items()}
    return value.replace("%s", canary) if isinstance(value, str) else value


@pytest.fixture
def told(hub, caplog):
    """Return everything that the hub tells others than who asks: its log, its metrics."""
    caplog.set_level(logging.DEBUG, logger="greenway")

    async def told() -> str:
        metrics = (await asgi.call(hub.app, path="/metrics")).body.decode()
        spelt = [f"{one.getMessage()} {one.args} {one.exc_text or ''}" for one in caplog.records]
        return "\n".join([metrics, caplog.text, *spelt])

    return told


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
async def test_what_is_asked_in_whatever_way_is_in_no_log_and_no_metric(hub, told, data):
    document, variables = data.draw(st.sampled_from(list(ASKED.values())), "asked")
    headers = data.draw(st.sampled_from(list(HEADERS.values())), "headers")
    canary = CANARY + data.draw(st.text("abcdef0123456789", min_size=8, max_size=8), "canary")
    who = data.draw(st.sampled_from(["anonymous", "holder", "officer"]), "who")

    answer = await asgi.ask(
        hub.app,
        planted(document, canary),
        planted(variables, canary),
        headers={**hub.bearer(who), **planted(headers, canary)},
    )

    assert answer.status < 500
    assert canary not in await told()


async def test_what_proves_who_asks_is_in_no_answer(hub, told):
    canary = f"{CANARY}0a1b2c3d"

    for headers in HEADERS.values():
        said = planted(headers, canary)
        answers = [
            await asgi.ask(hub.app, "{ edition { revision } }", headers=said),
            await asgi.call(hub.app, "POST", path="/v1/verify", headers=said),
            await asgi.call(hub.app, "POST", path="/oauth/token", headers=said),
        ]
        # The name of a partner that is to fail is quoted to whoever spelt it wrong.
        if "x-greenway-fault" not in headers:
            assert not [one for one in answers if canary.encode() in one.body]

    assert canary not in await told()


async def test_what_fails_inside_tells_nothing_of_what_was_asked(hub, told):
    canary = f"{CANARY}0a1b2c3d"
    await hub.ask("{ edition { revision } }")
    async with hub.hub.database.begin() as session:
        await session.execute(sa.text("DROP TABLE name_token"))

    answer = await hub.ask(
        "query ($t: String) { talents(filter: {text: $t}) { totalCount } }",
        {"t": canary},
        viewer="officer",
    )

    assert answer.codes == ["INTERNAL"]
    assert canary.encode() not in answer.body
    assert canary not in await told()


#: How a partner may say what is private, in an answer that cannot be used.
SPILLS = {
    "an error": partner.says(f'{{"error": "{CANARY} is unknown"}}', status=500),
    "a refusal": partner.says(f'{{"message": "{CANARY}"}}', status=403),
    "a conflict": partner.says(f'["{CANARY}"]', status=409),
    "no JSON": partner.says(f"<p>{CANARY}</p>", content_type="text/html"),
    "half of it": partner.says(f'["{CANARY}'),
    "another shape": partner.says(f'{{"{CANARY}": "{CANARY}"}}'),
    "a header": partner.says("{}", status=429, Retry_After=CANARY, X_Person=CANARY),
    "a redirect": partner.says("", status=302, Location=f"http://127.0.0.1/{CANARY}"),
}


async def test_what_a_partner_spills_is_in_no_answer_and_no_log(hub, ask, told):
    for number, does in enumerate(SPILLS.values()):
        async with partner.running(does) as loopback:
            await cinema.join(hub, loopback.url)
            seat = {**cinema.SEAT, "idempotencyKey": f"key-{number}"}
            answers = [await ask(OFFERS), await ask(cinema.RESERVE, {"input": seat})]

        assert loopback.calls
        assert not [one for one in answers if CANARY.encode() in one.body]

    assert CANARY not in await told()

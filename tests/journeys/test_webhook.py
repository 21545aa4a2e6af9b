"""A partner hears what becomes of cards it had accepted: signed, in order, once, and no more."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
from aiohttp import web

from models import demo
from models import webhook as rows
from models.verifier import Verifier
from models.webhook import Delivery, Webhook
from resolvers import webhook as webhooks
from tests import partner, till

REGISTER = """mutation ($input: RegisterWebhookInput!) { registerWebhook(input: $input) {
  ... on WebhookSecret { secret webhook { id endedAt } } ... on Fault { code message } } }"""
ROTATE = """mutation ($input: RotateWebhookSecretInput!) { rotateWebhookSecret(input: $input) {
  ... on WebhookSecret { secret webhook { id } } ... on Fault { code } } }"""
END = """mutation ($input: EndWebhookInput!) { endWebhook(input: $input) {
  ... on Webhook { id endedAt } ... on Fault { code } } }"""
REPLAY = """mutation ($input: ReplayWebhookInput!) { replayWebhook(input: $input) {
  ... on Webhook { id } ... on Fault { code } } }"""
CHANGES = """query ($first: Int, $after: String) { cardChanges(first: $first, after: $after) {
  nodes { id type timestamp holder areas } edges { cursor } pageInfo { hasNextPage } } }"""
MINE = "{ webhooks { id } }"


class Ear:
    """A partner's own end: notes what it hears, and answers with the statuses it is told to."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []

    async def does(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.heard.append((headers, await request.read()))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 204)

    @property
    def told(self) -> list[dict]:
        return [json.loads(body) for _, body in self.heard]

    @property
    def types(self) -> list[str]:
        return [one["type"] for one in self.told]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.heard]


def signed(secret, headers, body) -> bool:
    """Whether a message is signed with a secret, as the specification of Standard Webhooks says."""
    said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body.decode()}"
    key = base64.b64decode(secret.split("_", 1)[1])
    mac = base64.b64encode(hmac.new(key, said.encode(), hashlib.sha256).digest()).decode()
    return f"v1,{mac}" in headers["webhook-signature"].split(" ")


#: A hub that somebody builds on is reached in the clear, and so is a partner beside it.
CLEAR = {"public_url": "http://greenway.example"}


@pytest.fixture
def hub(stand):
    return stand(**CLEAR)


@pytest.fixture
async def beside(stand):
    """Another process of the hub, which has answered somebody."""
    other = stand(**CLEAR)
    await other.ask("{ areas { code } }")
    return other


@pytest.fixture
async def tills(hub):
    return await till.tills(hub)


@pytest.fixture
async def ear():
    found = Ear()
    async with partner.running(found.does) as loopback:
        found.url = f"{loopback.url}/hooks/greenway?of=cards"
        found.requests = loopback.calls
        yield found


async def said(asking, document, **given):
    answer = (await asking.ask(document, {"input": given})).json()
    assert "errors" not in answer, answer
    (came,) = answer["data"].values()
    return came


@pytest.fixture
def register(ear):
    """Register the ear for a partner; return the webhook's id and secret."""

    async def register(asking):
        came = await said(asking, REGISTER, url=ear.url)
        assert "secret" in came, came
        return came["webhook"]["id"], came["secret"]

    return register


@pytest.fixture
def accepted(tills, clock):
    """Have a partner accept a person's card; return what it calls them."""

    async def accepted(name="cinema", person=demo.PILOT):
        found = await tills[name].verify(await till.shown(tills[name], person))
        assert found["__typename"] == "CardAccepted"
        clock.pass_seconds(1)
        return found["holder"]

    return accepted


@pytest.fixture
def befalls(hub, clock):
    """Let an act of an officer's befall a person's card."""

    async def befalls(act, person=demo.PILOT, reason="MISUSE"):
        name = f"{act[0].upper()}{act[1:]}CardInput"
        document = f"mutation ($input: {name}!) {{ {act}Card(input: $input) {{ __typename }} }}"
        given = {"card": {"holder": demo.handle(person)}, "reason": reason}
        answer = (await hub.ask(document, {"input": given}, viewer="officer")).json()
        assert "Fault" not in answer["data"][f"{act}Card"]["__typename"]
        clock.pass_seconds(1)

    return befalls


@pytest.fixture
def turn(hub):
    """Let a hub do what it does twice a second."""

    async def turn(other=hub, times=1):
        for _ in range(times):
            await other.hub.courier.refreshed()
            await other.hub.courier.settled()

    return turn


async def test_a_partner_is_told_a_change_and_nothing_more(
    hub, tills, ear, register, accepted, befalls, turn
):
    holder = await accepted()
    _, secret = await register(tills["cinema"])

    await befalls("suspend", reason="LOST")
    await turn()

    [(headers, body)] = ear.heard
    assert json.loads(body) == {
        "type": "card.suspended",
        "timestamp": "2026-11-22T02:00:01+00:00",
        "data": {"holder": holder, "areas": ["movie-watching"]},
    }
    assert signed(secret, headers, body)
    assert headers["content-type"] == "application/json"
    assert ear.requests[0].path_qs == "/hooks/greenway?of=cards"
    assert b"LOST" not in body


async def test_what_is_not_taken_is_sent_again_after_five_seconds(
    hub, tills, ear, register, accepted, befalls, turn, clock
):
    await accepted()
    _, secret = await register(tills["cinema"])
    ear.statuses = [500, 200]

    await befalls("suspend")
    await turn()
    clock.pass_seconds(4)
    await turn()
    assert len(ear.heard) == 1
    clock.pass_seconds(1)
    await turn(times=3)

    assert len(ear.heard) == 2
    assert len(set(ear.ids)) == 1
    assert all(signed(secret, *one) for one in ear.heard)
    assert ear.heard[0][1] == ear.heard[1][1]


async def test_of_one_holder_the_later_waits_for_the_earlier_and_nobody_elses(
    hub, tills, ear, register, accepted, befalls, turn, clock
):
    pilot, returnee = await accepted(), await accepted(person=demo.RETURNEE)
    await register(tills["cinema"])
    ear.statuses = [503]

    await befalls("suspend")
    await turn()
    await befalls("resume")
    await befalls("revoke", person=demo.RETURNEE)
    await turn(times=3)
    before = [(one["type"], one["data"]["holder"]) for one in ear.told]
    clock.pass_seconds(5)
    await turn(times=3)

    after = [(one["type"], one["data"]["holder"]) for one in ear.told]
    assert before == [("card.suspended", pilot), ("card.revoked", returnee)]
    assert after[2:] == [("card.suspended", pilot), ("card.resumed", pilot)]


async def test_another_partner_and_the_other_world_hear_nothing(
    hub, tills, ear, register, accepted, befalls, turn
):
    await accepted()
    await accepted(person=demo.RETURNEE)
    for name in ("hospital", "school", "sandbox"):
        await register(tills[name])

    await befalls("suspend")
    await befalls("revoke", person=demo.RETURNEE)
    await turn(times=2)

    assert ear.heard == []
    for name in ("hospital", "school", "sandbox"):
        answer = (await tills[name].ask(CHANGES, {})).json()
        assert answer["data"]["cardChanges"]["nodes"] == []


async def test_what_befell_a_card_before_it_was_accepted_is_not_told(
    hub, tills, ear, register, accepted, befalls, turn
):
    await befalls("suspend")
    await befalls("resume")
    await register(tills["cinema"])
    await accepted()

    await befalls("suspend")
    await turn(times=2)

    assert ear.types == ["card.suspended"]
    told = (await tills["cinema"].ask(CHANGES, {})).json()["data"]["cardChanges"]
    assert [one["type"] for one in told["nodes"]] == ["card.suspended"]


async def test_a_partner_hears_all_from_a_cursor_on_as_often_as_it_wants(
    hub, tills, ear, register, accepted, befalls, turn
):
    await accepted()
    await befalls("suspend")
    id_, _ = await register(tills["cinema"])
    await befalls("resume")
    await befalls("revoke")
    await turn(times=3)
    assert ear.types == ["card.resumed", "card.revoked"]

    first = (await tills["cinema"].ask(CHANGES, {"first": 1})).json()["data"]["cardChanges"]
    cursor = first["edges"][0]["cursor"]
    rest = (await tills["cinema"].ask(CHANGES, {"after": cursor})).json()["data"]["cardChanges"]
    await said(tills["cinema"], REPLAY, id=id_, after=cursor)
    await turn(times=3)
    await said(tills["cinema"], REPLAY, id=id_)
    await turn(times=4)

    assert [one["type"] for one in first["nodes"]] == ["card.suspended"]
    assert first["pageInfo"]["hasNextPage"]
    assert [one["id"] for one in rest["nodes"]] == ear.ids[:2] == ear.ids[2:4]
    assert ear.ids[4:] == [first["nodes"][0]["id"], *ear.ids[:2]]
    told = {**ear.told[0]["data"], "type": "card.resumed", "timestamp": ear.told[0]["timestamp"]}
    assert {name: told[name] for name in told} == {
        name: value for name, value in rest["nodes"][0].items() if name != "id"
    }


async def test_a_cursor_of_another_partners_is_none(hub, tills, accepted, befalls):
    await accepted()
    await befalls("suspend")
    told = (await tills["cinema"].ask(CHANGES, {})).json()["data"]["cardChanges"]

    answer = await tills["hospital"].ask(CHANGES, {"after": told["edges"][0]["cursor"]})

    assert answer.codes == ["BAD_CURSOR"]


async def test_a_hub_that_dies_while_it_sends_loses_nothing(
    hub, tills, ear, register, accepted, befalls, beside, turn
):
    await accepted()
    await register(tills["cinema"])
    await befalls("suspend")
    await befalls("resume")
    # One hub takes it in hand, and is gone: whether the partner heard it nobody knows.
    await hub.hub.courier._look(hub.hub.catalogue)
    async with hub.hub.database.session() as session:
        [(delivery, _, _)] = await rows.due(session, hub.clock(), 4)
    async with hub.hub.database.begin() as session:
        assert await rows.claim(session, delivery, hub.clock() + webhooks._LEASE)

    await turn(beside, times=2)
    meanwhile = list(ear.types)
    hub.clock.pass_seconds(60)
    await turn(beside, times=3)

    assert meanwhile == []
    assert ear.types == ["card.suspended", "card.resumed"]


async def test_of_two_hubs_one_sends_each(tills, ear, register, accepted, befalls, beside, turn):
    await accepted()
    await accepted(person=demo.RETURNEE)
    await register(tills["cinema"])
    for _ in range(2):
        for person in (demo.PILOT, demo.RETURNEE):
            await befalls("suspend", person=person)
            await befalls("resume", person=person)

    for _ in range(8):
        await asyncio.gather(turn(), turn(beside))

    assert len(ear.ids) == len(set(ear.ids)) == 8


async def test_a_new_secret_signs_beside_the_old_one_for_a_day(
    hub, tills, ear, register, accepted, befalls, turn, clock
):
    await accepted()
    id_, old = await register(tills["cinema"])
    new = (await said(tills["cinema"], ROTATE, id=id_))["secret"]

    await befalls("suspend")
    await turn()
    clock.pass_seconds(24 * 3600)
    await befalls("resume")
    await turn()

    assert [[signed(one, *told) for one in (old, new)] for told in ear.heard] == [
        [True, True],
        [False, True],
    ]


async def test_secrets_are_kept_sealed(hub, tills, register):
    _, secret = await register(tills["cinema"])

    async with hub.hub.database.session() as session:
        [kept] = await session.scalars(sa.select(Webhook))

    assert secret.removeprefix("whsec_") not in kept.secret
    assert kept.secret.count(".") == 4


async def test_what_is_ended_hears_nothing_more(hub, tills, ear, register, accepted, befalls, turn):
    await accepted()
    id_, _ = await register(tills["cinema"])
    await befalls("suspend")
    ended = await said(tills["cinema"], END, id=id_)

    await turn(times=2)
    again = await said(tills["cinema"], END, id=id_)

    assert ended["endedAt"]
    assert ear.heard == []
    assert again == {"code": "UNKNOWN_WEBHOOK"}
    assert (await tills["cinema"].ask(MINE, {})).json()["data"] == {"webhooks": []}


@pytest.mark.any_database
async def test_nobody_touches_another_partners_webhook(hub, tills, ear, register):
    id_, _ = await register(tills["cinema"])

    for name in ("hospital", "sandbox"):
        for document in (ROTATE, END, REPLAY):
            assert await said(tills[name], document, id=id_) == {"code": "UNKNOWN_WEBHOOK"}
        assert (await tills[name].ask(MINE, {})).json()["data"] == {"webhooks": []}

    mine = (await tills["cinema"].ask(MINE, {})).json()["data"]["webhooks"]
    assert mine == [{"id": id_}]


@pytest.mark.any_database
@pytest.mark.parametrize(
    "url",
    [
        "ftp://partner.example/",
        "partner.example/hook",
        "https://user:word@partner.example/",
        "https://partner.example/#part",
        "https://partner.example:99999/",
        "https://partner.example/ok\nHost: inside",
        "https://[::1/",
        "https://",
        f"https://partner.example/{'x' * 500}",
        "",
    ],
)
async def test_nothing_is_sent_to_what_is_no_address(hub, tills, url):
    assert (await said(tills["cinema"], REGISTER, url=url))["code"] == "WEBHOOK_REFUSED"


@pytest.mark.any_database
async def test_a_hub_that_is_reached_by_https_sends_by_https_alone(stand):
    strict = stand()
    cinema = (await till.tills(strict))["cinema"]

    refused = await said(cinema, REGISTER, url="http://partner.example/")

    assert refused["code"] == "WEBHOOK_REFUSED"
    assert "secret" in await said(cinema, REGISTER, url="https://partner.example/")


@pytest.mark.any_database
async def test_a_partner_has_five_webhooks_at_most(hub, tills, register):
    for _ in range(webhooks.MOST):
        await register(tills["cinema"])

    refused = await said(tills["cinema"], REGISTER, url="https://partner.example/")

    assert refused["code"] == "WEBHOOK_REFUSED"


@pytest.mark.any_database
@pytest.mark.parametrize("viewer", ["anonymous", "holder", "officer", "partner", "admin"])
async def test_nobody_but_verifiers_may(hub, viewer):
    given = {"input": {"url": "https://partner.example/"}}
    for document, variables in ((REGISTER, given), (CHANGES, {}), (MINE, {})):
        answer = await hub.ask(document, variables, viewer=viewer)

        assert answer.codes[0] in {"UNAUTHENTICATED", "FORBIDDEN"}
        assert set(answer.json()["data"].values()) == {None}


@pytest.mark.any_database
async def test_nothing_is_sent_inside(stand, ear, clock):
    hub = stand(egress_allow="", **CLEAR)
    cinema = (await till.tills(hub))["cinema"]
    assert (await cinema.verify(await till.shown(cinema)))["__typename"] == "CardAccepted"
    clock.pass_seconds(1)
    await said(cinema, REGISTER, url=ear.url)
    given = {"card": {"holder": demo.handle(demo.PILOT)}, "reason": "MISUSE"}
    suspend = "mutation ($i: SuspendCardInput!) { suspendCard(input: $i) { __typename } }"
    await hub.ask(suspend, {"i": given}, viewer="officer")

    await hub.hub.courier.refreshed()
    await hub.hub.courier.settled()

    async with hub.hub.database.session() as session:
        [kept] = await session.scalars(sa.select(Delivery))
    assert kept.problem == "PARTNER_FORBIDDEN_ADDRESS"
    assert ear.heard == []


@pytest.mark.any_database
async def test_what_nobody_takes_for_three_days_is_given_up_and_the_next_is_sent(
    hub, tills, ear, register, accepted, befalls, turn, clock
):
    await accepted()
    await register(tills["cinema"])
    ear.statuses = [500] * (len(webhooks.PAUSES) + 1)
    await befalls("suspend")
    await befalls("resume")

    for pause in (timedelta(), *webhooks.PAUSES):
        clock.pass_seconds(pause.total_seconds())
        await turn()
    await turn(times=2)

    assert ear.types == ["card.suspended"] * len(webhooks.PAUSES) + [
        "card.suspended",
        "card.resumed",
    ]
    assert timedelta(days=3) <= sum(webhooks.PAUSES, timedelta()) < timedelta(days=4)


@pytest.mark.any_database
async def test_a_suspended_verifier_hears_it_once_it_is_in_force_again(
    hub, tills, ear, register, accepted, befalls, turn, clock
):
    await accepted()
    await register(tills["cinema"])
    cinema = sa.update(Verifier).where(Verifier.code == tills["cinema"].code)
    for suspended_at in (clock(), None):
        async with hub.hub.database.begin() as session:
            await session.execute(cinema.values(suspended_at=suspended_at))
        await hub.hub.authority.refreshed()
        if suspended_at:
            await befalls("suspend")
            await turn(times=2)
            assert ear.heard == []

    await turn()

    assert ear.types == ["card.suspended"]


@pytest.mark.any_database
async def test_a_running_hub_tells_within_five_seconds(
    hub, tills, ear, register, accepted, befalls
):
    await accepted()
    await register(tills["cinema"])
    following = asyncio.create_task(hub.hub.follow())

    await befalls("revoke")
    async with asyncio.timeout(5):
        while not ear.heard:  # noqa: ASYNC110 - the ear has no event
            await asyncio.sleep(0.02)

    hub.hub.stop_following()
    await following
    await hub.hub.courier.settled()
    assert ear.types == ["card.revoked"]

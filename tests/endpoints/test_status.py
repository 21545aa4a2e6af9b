"""Lists are fetched as whoever checks cards does: typed, and only where they are new."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from credentials import status
from credentials.keyring import Purpose
from models import demo
from models.card import Card
from resolvers import status as lists
from tests import asgi
from tests.hub import eventually

REVOKE = """mutation ($input: RevokeCardInput!) { revokeCard(input: $input) {
  __typename ... on CardRecord { status } ... on Fault { code } } }"""


@pytest.fixture
async def entered(hub):
    """Where the status of the pilot's card is told, and in which place."""
    async with hub.hub.database.begin() as session:
        serial = sa.select(Card).order_by(Card.id).limit(1)
        card = (await session.scalars(serial)).one()
        issuer, ends = hub.hub.authority.issuer, hub.clock() + timedelta(days=7)
        return card, *(await lists.entered(session, issuer, card, None, ends))


async def revoke(hub, card):
    given = {"card": {"serial": card.serial}, "reason": "MISUSE"}
    answer = await hub.ask(REVOKE, {"input": given}, viewer="officer", person=demo.PILOT)
    assert answer.json()["data"]["revokeCard"]["status"] == "REVOKED"
    await hub.hub.lists.refreshed()


async def test_a_list_is_a_signed_text_of_its_own_type(hub, entered):
    _, uri, place = entered

    answer = await asgi.call(hub.app, path="/status/1")

    ring = hub.hub.authority.keys.ring
    read = status.read(
        answer.body.decode(),
        lambda kid: ring.verifying(Purpose.STATUS, kid, hub.clock()),
        uri=uri,
        now=hub.clock(),
    )
    assert answer.headers["content-type"] == "application/statuslist+jwt"
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert read.statuses[place] == status.Status.VALID
    assert read.expires_at - read.as_of == timedelta(hours=1)


async def test_who_has_a_list_is_told_that_it_is_the_same(hub, entered):
    first = await asgi.call(hub.app, path="/status/1")

    known = {"if-none-match": f'"another", W/{first.headers["etag"]}'}
    same = await asgi.call(hub.app, path="/status/1", headers=known)
    await revoke(hub, entered[0])
    changed = await asgi.call(hub.app, path="/status/1", headers=known)

    assert (same.status, same.body) == (304, b"")
    assert changed.status == 200
    assert changed.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize("number", ["0", "2", "99999999999999999999", "x"])
async def test_there_is_no_such_list(hub, entered, number):
    assert (await asgi.call(hub.app, path=f"/status/{number}")).status == 404


async def test_a_revocation_is_told_in_brief_at_once(hub, entered):
    card, uri, place = entered
    before = await asgi.call(hub.app, path="/revocations")

    await revoke(hub, card)
    after = await asgi.call(hub.app, path="/revocations")

    assert before.json()["revoked"] == []
    assert after.json()["revoked"] == [{"uri": uri, "idx": place}]
    assert set(after.json()) == {"asOf", "ttl", "revoked"}
    assert after.headers["content-type"] == "application/json"


async def test_another_process_tells_it_too(hub, stand, entered):
    card, uri, place = entered
    other = stand()
    await asgi.call(other.app, path="/revocations")

    await revoke(hub, card)
    await other.hub.lists.refreshed()
    told = await asgi.call(other.app, path="/revocations")

    assert told.json()["revoked"] == [{"uri": uri, "idx": place}]


async def test_a_running_hub_tells_it_within_five_seconds(hub, entered):
    card, _, _ = entered
    following = asyncio.create_task(hub.hub.follow())

    async def told():
        return (await asgi.call(hub.app, path="/revocations")).json()["revoked"]

    assert await told() == []
    given = {"card": {"serial": card.serial}, "reason": "MISUSE"}
    await hub.ask(REVOKE, {"input": given}, viewer="officer")
    await eventually(told, seconds=5.0)

    hub.hub.stop_following()
    await following


async def test_lists_are_there_while_the_database_is_away(hub, entered):
    first = await asgi.call(hub.app, path="/status/1")
    async with hub.hub.database.begin() as session:
        await session.execute(sa.text("DROP TABLE status_entry"))

    same = await asgi.call(hub.app, path="/status/1")

    assert same.body == first.body

"""The hub's keys and its list of trust, where everybody looks for them."""

from __future__ import annotations

from datetime import timedelta

from credentials import trust
from credentials.keyring import Purpose
from tests import asgi, check


async def keys(hub) -> dict[str, dict]:
    answer = await asgi.call(hub.app, path="/.well-known/jwks.json")
    assert answer.headers["cache-control"] == "max-age=3600"
    return {one["kid"]: one for one in answer.json()["keys"]}


async def test_every_key_that_counts_is_there_and_no_private_part(hub):
    found = await keys(hub)

    ring = hub.hub.authority.keys.ring
    signers = {hub.hub.authority.keys.signer(purpose).id for purpose in Purpose}
    assert signers | {one["kid"] for one in hub.hub.notary.jwks["keys"]} == found.keys()
    assert len(ring.every()) == len(Purpose)
    assert not [one for one in found.values() if "d" in one]


async def test_a_key_that_was_compromised_is_gone_and_another_is_there(hub):
    await keys(hub)
    lost = hub.hub.authority.keys.signer(Purpose.CARD).id

    await hub.hub.authority.keys.compromised(lost)

    found = await keys(hub)
    assert lost not in found
    assert hub.hub.authority.keys.signer(Purpose.CARD).id in found


async def test_the_list_of_trust_is_signed_and_lasts_a_day(hub):
    authority = hub.hub.authority
    await authority.begun()
    card = check.a_key(hub.clock(), Purpose.CARD)
    await check.trusted(authority, card)

    answer = await asgi.call(hub.app, path="/.well-known/trust-list")

    read = trust.read(
        answer.body.decode(),
        lambda kid: authority.keys.ring.verifying(Purpose.TRUST, kid, hub.clock()),
        issuer=authority.issuer,
        now=hub.clock(),
    )
    assert answer.headers["content-type"] == "application/jwt"
    assert (read.sequence, read.expires_at) == (1, read.issued_at + timedelta(hours=24))
    assert read.honours(
        check.NEIGHBOUR,
        card.id,
        f"{check.NEIGHBOUR}/vct/talent-card/1",
        "film-tickets",
        hub.clock(),
    )


async def test_who_is_struck_is_not_on_the_list_and_the_sequence_goes_on(hub):
    authority = hub.hub.authority
    await authority.begun()
    await check.trusted(authority, check.a_key(hub.clock(), Purpose.CARD))
    await authority.issuers.untrust(check.NEIGHBOUR)

    answer = await asgi.call(hub.app, path="/.well-known/trust-list")

    read = trust.read(
        answer.body.decode(),
        lambda kid: authority.keys.ring.verifying(Purpose.TRUST, kid, hub.clock()),
        issuer=authority.issuer,
        now=hub.clock(),
        least_sequence=2,
    )
    assert read.entries == ()

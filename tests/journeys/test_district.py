"""A card of one district is honoured in another: for what was agreed, and while it is good."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import pytest
from joserfc.jwk import ECKey

from credentials import sd_jwt
from models import demo
from models.card import Reason
from models.verifier import Scope
from resolvers import issuer as agreements
from resolvers.issuer import CITY_TYPE
from tests import asgi, till
from tests import hub as standing
from tests import port as ports

pytestmark = pytest.mark.any_database

BATCH = """mutation ($input: IssueCredentialsInput!) { issueCredentials(input: $input) {
  ... on CredentialBatch { credentials } ... on Fault { __typename code } } }"""
CHALLENGE = """mutation ($service: ID!) { createChallenge(serviceCode: $service) {
  nonce audience expiresAt requestUri } }"""
REVOKE = """mutation ($input: RevokeCardInput!) { revokeCard(input: $input) {
  __typename ... on Fault { code } } }"""
SERVICE = "medical-green-channel"


@dataclass
class Abroad:
    """A card of another district, and the till here that it is shown to."""

    home: standing.Standing
    here: standing.Standing
    till: till.Till
    key: ECKey
    card: str

    async def challenge(self) -> dict:
        answer = await self.till.ask(CHALLENGE, {"service": self.till.service})
        return answer.json()["data"]["createChallenge"]

    async def shown(self, *, wanted=("tier",), nonce=None, audience=None, key=None) -> dict:
        """Show the card to the till, and return what it hears."""
        asked = await self.challenge()
        token = sd_jwt.present(
            self.card,
            list(wanted),
            holder=key or self.key,
            audience=audience or asked["audience"],
            nonce=nonce or asked["nonce"],
            now=self.here.clock(),
        )
        return await self.till.verify(
            presented={"sdJwtVc": {"token": token, "nonce": nonce or asked["nonce"]}}
        )


@pytest.fixture
async def abroad(stand, furnished, tmp_path, clock):
    """Putuo's hub on loopback, and ours, which has agreed on one service with it."""
    async with contextlib.AsyncExitStack() as stack:
        here = stand()
        folder = tmp_path / "putuo"
        folder.mkdir()
        [port] = ports.free(1)
        url = f"http://127.0.0.1:{port}"
        copy = await stack.enter_async_context(standing.copied(furnished, folder))
        home = standing.Standing.over(folder, copy, {}, clock, public_url=url, district="putuo")
        await stack.enter_async_context(asgi.served(home.app, port))
        tills = await till.tills(here)
        hospital = tills["hospital"]
        await till.grant(here, hospital.code, Scope.VERIFY_OFFLINE)
        # An issuer is named by its address, which is on loopback here.
        hospital.leaks = tuple(one for one in standing.LEAKS if not one.startswith(b"http"))
        key = ECKey.generate_key("P-256")
        said = key.as_dict(private=False)
        points = [{name: said[name] for name in ("x", "y")}]
        given = {"input": {"publicKeys": points}}
        issued = await home.ask(BATCH, given, viewer="holder", person=demo.PILOT)
        [card] = issued.json()["data"]["issueCredentials"]["credentials"]
        await home.hub.lists.refreshed()
        yield Abroad(home, here, hospital, key, card)


async def agree(abroad: Abroad, *services: str) -> None:
    keys = await asgi.call(abroad.home.app, path="/.well-known/jwks.json")
    said = {
        "issuer": abroad.home.hub.authority.issuer,
        "district": "putuo",
        "jwks": keys.json(),
        "vcts": [CITY_TYPE],
        "services": list(services),
        "from": "2026-01-01T00:00:00+08:00",
        "until": "2027-01-01T00:00:00+08:00",
    }
    authority = abroad.here.hub.authority
    await abroad.challenge()  # By the first query the menu is read.
    known = abroad.here.hub.catalogue.services
    await authority.issuers.trust(agreements.agreed(said, known, authority.issuer))


async def test_a_card_is_honoured_for_what_was_agreed_and_its_issuer_is_named(abroad):
    before = await abroad.shown()
    await agree(abroad, SERVICE)

    answer = await abroad.shown()

    assert before["__typename"] == "CardNotAccepted"
    assert answer["__typename"] == "CardAccepted"
    assert (answer["recognition"], answer["evidence"]) == ("RECIPROCAL", "SD_JWT_VC")
    assert answer["issuer"] == {"id": abroad.home.hub.authority.issuer, "district": "putuo"}
    assert answer["disclosed"] == {"__typename": "TierDisclosure", "policy": "tier-1", "tier": "A"}


async def test_a_good_card_for_what_was_not_agreed_is_no_no_but_not_recognised(abroad):
    await agree(abroad, "film-tickets")

    answer = await abroad.shown()

    assert answer["__typename"] == "NotEntitled"
    assert answer["entitlementProblem"] == "NOT_RECOGNISED_HERE"


async def test_what_its_own_hub_revokes_is_refused_here_too(abroad):
    await agree(abroad, SERVICE)
    first = await abroad.shown()
    revoked = await abroad.home.ask(
        REVOKE,
        {"input": {"card": {"holder": demo.handle(demo.PILOT)}, "reason": Reason.MISUSE}},
        viewer="officer",
    )
    await abroad.home.hub.lists.refreshed()
    abroad.here.clock.pass_seconds(301)
    await abroad.home.hub.lists.refreshed()

    assert "Fault" not in revoked.json()["data"]["revokeCard"]["__typename"]
    assert first["__typename"] == "CardAccepted"
    assert (await abroad.shown())["__typename"] == "CardNotAccepted"


async def test_a_presentation_is_for_one_partner_one_nonce_and_its_holder(abroad):
    await agree(abroad, SERVICE)
    asked = await abroad.challenge()

    answers = [
        await abroad.shown(audience=f"{abroad.here.hub.authority.issuer}/verifiers/other"),
        await abroad.shown(nonce="never-given"),
        await abroad.shown(key=ECKey.generate_key("P-256")),
    ]
    first, second = [await abroad.shown(nonce=asked["nonce"]) for _ in range(2)]

    assert {one["__typename"] for one in answers} == {"CardNotAccepted"}
    assert [one["__typename"] for one in (first, second)] == ["CardAccepted", "CardNotAccepted"]


async def test_our_own_portable_card_is_checked_at_once_when_it_is_revoked(abroad):
    key = abroad.key.as_dict(private=False)
    given = {"input": {"publicKeys": [{name: key[name] for name in ("x", "y")}]}}
    issued = await abroad.here.ask(BATCH, given, viewer="holder", person=demo.PILOT)
    [abroad.card] = issued.json()["data"]["issueCredentials"]["credentials"]

    first = await abroad.shown()
    await abroad.here.ask(
        REVOKE,
        {"input": {"card": {"holder": demo.handle(demo.PILOT)}, "reason": Reason.MISUSE}},
        viewer="officer",
    )
    second = await abroad.shown()

    # A hospital would learn the name, so the holder is asked.
    assert first["__typename"] == "ConsentRequired"
    assert second["__typename"] == "CardNotAccepted"

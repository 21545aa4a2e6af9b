"""What a hub issues, read by verifiers that others wrote, with the keys it publishes."""

from __future__ import annotations

import asyncio
import warnings

import cbor2
import cwt
import pytest
import sqlalchemy as sa
from joserfc.jwk import ECKey
from jwcrypto.jwk import JWK
from sd_jwt.holder import SDJWTHolder
from sd_jwt.verifier import SDJWTVerifier

from credentials import base64url
from credentials.keyring import Purpose
from models import demo
from models.status import StatusEntry
from models.verifier import Scope
from resolvers import ledger
from tests import asgi, server
from tests import till as partners
from tests.till import shown

pytestmark = pytest.mark.any_database

BATCH = """mutation ($input: IssueCredentialsInput!) { issueCredentials(input: $input) {
  ... on CredentialBatch { credentials vct } } }"""
LINK = """mutation ($input: LinkDeviceInput!) { linkDevice(input: $input) {
  ... on Device { id } } }"""
OFFLINE = """mutation ($input: IssuePassInput!) { issuePass(input: $input) {
  ... on OfflinePass { cwt } } }"""
CHALLENGE = """mutation { createChallenge(serviceCode: "medical-green-channel") {
  nonce audience } }"""
FOR_HOSPITAL = {"partnerCode": "ember-hospital", "serviceCode": "medical-green-channel"}


@pytest.fixture
async def hospital(hub):
    found = (await partners.tills(hub))["hospital"]
    await partners.grant(hub, found.code, Scope.VERIFY_OFFLINE)
    return found


@pytest.fixture
def phone() -> ECKey:
    return ECKey.generate_key("P-256")


@pytest.fixture
def act(hub):
    async def act(document, **given):
        answer = await hub.ask(document, {"input": given}, viewer="holder", person=demo.PILOT)
        return next(iter(answer.json()["data"].values()))

    return act


@pytest.fixture
async def presented(hub, hospital, phone, act):
    """A portable credential as somebody else's wallet shows it, and the challenge it answers."""
    [card] = (await act(BATCH, publicKeys=[point(phone)]))["credentials"]
    asked = (await hospital.ask(CHALLENGE, {})).json()["data"]["createChallenge"]
    wallet = SDJWTHolder(card)
    wallet.create_presentation(
        {"tier": True}, asked["nonce"], asked["audience"], JWK(**phone.as_dict(private=True))
    )
    return wallet.sd_jwt_presentation, asked


def point(key: ECKey) -> dict[str, str]:
    said = key.as_dict(private=False)
    return {name: said[name] for name in ("x", "y")}


async def fetched(hub, path):
    answer = await asgi.call(hub.app, path=path)
    assert answer.status == 200
    return answer


async def told(script, given):
    """Run a script on Node.js beside the hub, which answers it meanwhile."""
    return await asyncio.to_thread(server.told, script, given)


async def test_python_s_sd_jwt_reads_our_credentials(hub, presented):
    presentation, asked = presented
    published = (await fetched(hub, "/.well-known/jwt-vc-issuer")).json()

    def key(issuer, header):
        assert issuer == published["issuer"]
        return JWK(**next(one for one in published["jwks"]["keys"] if one["kid"] == header["kid"]))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it warns of is its own
        found = SDJWTVerifier(
            presentation, key, asked["audience"], asked["nonce"]
        ).get_verified_payload()

    assert found["tier"] == "A"
    assert "legal_name" not in found
    assert found["vct"] == f"{published['issuer']}/vct/talent-card/1"


async def test_node_s_sd_jwt_vc_reads_our_credentials_until_our_list_says_they_are_revoked(
    hub, presented
):
    presentation, asked = presented
    published = (await fetched(hub, "/.well-known/jwt-vc-issuer")).json()
    given = {
        "issuers": {published["issuer"]: published["jwks"]["keys"]},
        "statusKeys": (await fetched(hub, "/.well-known/jwks.json")).json()["keys"],
        "now": int(hub.clock().timestamp()),
        "skew": 0,
        "shown": [{"token": presentation, "nonce": asked["nonce"]}],
    }

    async with asgi.served(hub.app) as url:
        [good] = await told("credentials.js", {**given, "base": url})
        async with hub.hub.database.begin() as session:
            await session.execute(sa.update(StatusEntry).values(ended_at=hub.clock()))
        await hub.hub.lists.refreshed()
        [revoked] = await told("credentials.js", {**given, "base": url})

    assert good["said"]["tier"] == "A"
    assert "legal_name" not in good["said"]
    assert revoked == {"refused": "Status is not valid"}


async def test_node_s_jose_reads_all_that_a_hub_signs_with_the_keys_it_publishes(
    hub, hospital, presented
):
    issuer = hub.hub.authority.issuer
    access = await hospital.by.token()
    answer = await hospital.verify(await shown(hospital))
    await ledger.sequence(hub.hub.authority)
    head = (await fetched(hub, "/ledger/head")).json()["signed"]
    signed = {
        "receipt": {"text": answer["receipt"]["jws"], "typ": "tc-receipt+jwt"},
        "access": {"text": access, "typ": "at+jwt", "issuer": issuer, "audience": issuer},
        "status": {
            "text": (await fetched(hub, "/status/1")).body.decode(),
            "typ": "statuslist+jwt",
        },
        "trust": {
            "text": (await fetched(hub, "/.well-known/trust-list")).body.decode(),
            "typ": "tc-trustlist+jwt",
            "issuer": issuer,
        },
        "head": {"text": head, "typ": "tc-loghead+jwt"},
        "a receipt as a card": {"text": answer["receipt"]["jws"], "typ": "dc+sd-jwt"},
        "another audience": {"text": access, "typ": "at+jwt", "audience": "https://x.example"},
    }

    async with asgi.served(hub.app) as url:
        found = await told(
            "tokens.js",
            {
                "keys": f"{url}/.well-known/jwks.json",
                "now": int(hub.clock().timestamp()),
                "tokens": list(signed.values()),
            },
        )

    by_name = dict(zip(signed, found, strict=True))
    assert by_name["receipt"]["said"]["jti"] == answer["receipt"]["id"]
    assert by_name["access"]["said"]["client_id"] == hospital.code
    assert by_name["status"]["said"]["sub"] == f"{issuer}/status/1"
    assert by_name["trust"]["said"]["entries"] == []
    assert by_name["head"]["said"]["size"] == 1
    assert [one for one in by_name if "refused" in by_name[one]] == list(signed)[-2:]


async def test_python_s_cwt_reads_our_passes(hub, hospital, phone, act):
    linked = await act(LINK, name="blue phone", publicKey=point(phone))
    raw = base64url.decode((await act(OFFLINE, device=linked["id"], **FOR_HOSPITAL))["cwt"])
    signer = hub.hub.authority.keys.signer(Purpose.PASS)
    published = (await fetched(hub, "/.well-known/jwks.json")).json()["keys"]
    jwk = next(one for one in published if one["kid"] == signer.id)
    numbers = {-2: base64url.decode(jwk["x"]), -3: base64url.decode(jwk["y"])}
    name = base64url.decode(jwk["kid"])[:8]

    key = cwt.COSEKey.new({1: 2, 2: name, 3: -7, -1: 1, **numbers})
    protected, unprotected, payload = cwt.COSE.new().decode_with_headers(raw, key)

    said = cbor2.loads(payload)
    assert (protected[1], protected[4], unprotected) == (-7, name, {})
    assert said[3] == hospital.code
    assert said[4] - said[6] == 7 * 24 * 3600

from __future__ import annotations

import json

import pytest
from joserfc.jwk import ECKey

from credentials import base64url
from credentials.keyring import Purpose
from models import demo
from tests import asgi

pytestmark = pytest.mark.any_database


async def test_the_type_of_a_card_is_described_where_its_name_leads(hub):
    answer = await asgi.call(hub.app, path="/vct/talent-card/1")

    said = answer.json()
    assert said["vct"] == f"{hub.hub.authority.issuer}/vct/talent-card/1"
    assert {one["sd"] for one in said["claims"]} == {"always"}


async def test_every_claim_of_a_card_is_described(hub):
    key = ECKey.generate_key("P-256").as_dict(private=False)
    answer = await hub.ask(
        """mutation ($input: IssueCredentialsInput!) { issueCredentials(input: $input) {
          ... on CredentialBatch { credentials } } }""",
        {"input": {"publicKeys": [{"x": key["x"], "y": key["y"]}]}},
        viewer="holder",
        person=demo.PILOT,
    )

    [card] = answer.json()["data"]["issueCredentials"]["credentials"]
    issued = {json.loads(base64url.decode(one))[1] for one in card.split("~")[1:-1]}
    described = (await asgi.call(hub.app, path="/vct/talent-card/1")).json()["claims"]
    assert len(issued) == 8
    assert issued == {name for one in described for name in one["path"]}


async def test_the_issuer_shows_the_keys_of_cards_and_no_others(hub):
    said = (await asgi.call(hub.app, path="/.well-known/jwt-vc-issuer")).json()

    authority = hub.hub.authority
    signer = authority.keys.signer(Purpose.CARD)
    assert said["issuer"] == authority.issuer
    assert [one["kid"] for one in said["jwks"]["keys"]] == [signer.id]
    assert not [one for one in said["jwks"]["keys"] if "d" in one]

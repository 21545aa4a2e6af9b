"""A receipt proves a check: to the partner, to the holder, to whoever has it in hand."""

from __future__ import annotations

import hmac
import json
from datetime import datetime

import pytest
import sqlalchemy as sa

from credentials import log_head, merkle
from credentials.keyring import Purpose
from models import demo
from models.verification import Verification
from resolvers import audit, ledger
from tests import asgi, check
from tests import till as partners

RECEIPT = """query ($id: ID!) { receipt(id: $id) {
  id jws salt inclusion { leafIndex treeSize leafHash hashes checkpoint } } }"""
CONFIRM = """query ($jws: String!) { confirmReceipt(jws: $jws) {
  id partnerCode outcome service areas claims checkedAt statusAsOf rules policy consent
  keyCompromised inclusion { leafIndex treeSize } } }"""
TRUST = """mutation ($input: TrustIssuerInput!) { trustIssuer(input: $input) {
  __typename ... on TrustedIssuer { id district keys vcts services trustedUntil }
  ... on Fault { code message } } }"""
UNTRUST = """mutation ($input: UntrustIssuerInput!) { untrustIssuer(input: $input) {
  __typename ... on TrustedIssuer { id } ... on Fault { code } } }"""
ISSUERS = "{ trustedIssuers { id services } }"


@pytest.fixture
async def tills(hub):
    return await partners.tills(hub)


@pytest.fixture
async def receipt(tills):
    """The receipt of a card that the cinema accepted."""
    answer = await tills["cinema"].verify(await partners.shown(tills["cinema"]))
    assert answer["__typename"] == "CardAccepted"
    return answer["receipt"]


async def read(asked, receipt):
    return (await asked).json()["data"]["receipt"]


def proved(hub, told) -> bool:
    """Do what a holder of a receipt does to find it in the log."""
    entry = hmac.digest(told["salt"].encode(), told["jws"].encode(), "sha256")
    proof = told["inclusion"]
    head = log_head.read(
        proof["checkpoint"], lambda kid: hub.hub.authority.keys.ring.known(Purpose.LOG, kid)
    )
    leaf = merkle.leaf(entry)
    hashes = [bytes.fromhex(one) for one in proof["hashes"]]
    return (
        leaf.hex() == proof["leafHash"]
        and head.size == proof["treeSize"]
        and merkle.includes(head.root, head.size, proof["leafIndex"], leaf, hashes)
    )


async def test_the_partner_proves_that_its_receipt_is_in_the_log(hub, tills, receipt):
    given = {"id": receipt["id"]}
    before = await read(tills["cinema"].ask(RECEIPT, given), receipt)
    await check.filed(hub.hub.authority, *range(6))
    await ledger.sequence(hub.hub.authority)

    after = await read(tills["cinema"].ask(RECEIPT, given), receipt)

    assert before["jws"] == after["jws"] == receipt["jws"]
    assert before["inclusion"] is None
    assert proved(hub, after)


async def test_the_holder_and_officers_see_it_too_and_nobody_else(hub, tills, receipt):
    given = {"id": receipt["id"]}

    own = await hub.ask(RECEIPT, given, viewer="holder", person=demo.PILOT)
    officer = await hub.ask(RECEIPT, given, viewer="officer")
    other = await hub.ask(RECEIPT, given, viewer="holder", person=demo.RETURNEE)
    hospital = await tills["hospital"].ask(RECEIPT, given)
    sandbox = await tills["sandbox"].ask(RECEIPT, given)
    nobody = await hub.ask(RECEIPT, given)

    assert [one.json()["data"]["receipt"]["jws"] for one in (own, officer)] == [receipt["jws"]] * 2
    assert [one.json()["data"]["receipt"] for one in (other, hospital, sandbox)] == [None] * 3
    assert nobody.codes == ["UNAUTHENTICATED"]


async def test_whoever_has_a_receipt_is_told_what_it_proves(hub, tills, receipt):
    await ledger.sequence(hub.hub.authority)

    answer = await hub.ask(CONFIRM, {"jws": receipt["jws"]})

    told = answer.json()["data"]["confirmReceipt"]
    assert (told["id"], told["outcome"]) == (receipt["id"], "CardAccepted")
    assert (told["partnerCode"], told["service"]) == (tills["cinema"].code, "film-tickets")
    assert datetime.fromisoformat(told["checkedAt"]) == hub.clock()
    assert told["areas"] == list(hub.hub.catalogue.services["film-tickets"].areas)
    assert told["rules"] == hub.hub.catalogue.version("film-tickets")
    assert told["claims"] == ["TIER"]
    assert told["inclusion"] == {"leafIndex": 0, "treeSize": 1}
    assert told["keyCompromised"] is False


async def test_a_receipt_that_is_not_ours_is_none(hub, receipt):
    await ledger.sequence(hub.hub.authority)
    forged = check.row(hub.hub.authority, 1).receipt  # Signed with our key, and never filed.
    head, body, signature = receipt["jws"].split(".")

    other = ("B" if signature.startswith("A") else "A") + signature[1:]

    for wrong in (forged, f"{head}.{body}.{other}", "x", "", "x" * 20_000):
        assert (await hub.ask(CONFIRM, {"jws": wrong})).codes == ["BAD_RECEIPT"]


async def test_a_receipt_of_a_compromised_key_is_proved_by_its_place_in_the_log(hub, receipt):
    lost = hub.hub.authority.keys.signer(Purpose.RECEIPT).id
    await hub.hub.authority.keys.compromised(lost)
    before = await hub.ask(CONFIRM, {"jws": receipt["jws"]})

    await ledger.sequence(hub.hub.authority)
    after = (await hub.ask(CONFIRM, {"jws": receipt["jws"]})).json()["data"]["confirmReceipt"]

    assert before.codes == ["BAD_RECEIPT"]
    assert (after["keyCompromised"], after["inclusion"]["leafIndex"]) == (True, 0)


async def test_every_answer_of_the_hub_passes_the_audit(hub, tills, receipt):
    for till in (tills["cinema"], tills["hospital"], tills["sandbox"]):
        await till.verify("HTTPS://GREENWAY.EXAMPLE/T/" + "0" * 26)
    await ledger.sequence(hub.hub.authority)

    one = audit.Audit(hub.hub.authority.keys.ring)
    async with hub.hub.database.session() as session:
        found = [str(finding) async for finding in one.findings(session)]

    assert found == []
    assert one.tally.leaves == one.tally.checks >= 3


async def test_an_erased_person_is_in_no_check_and_receipts_are_still_confirmed(hub, receipt):
    await audit.erase(hub.hub.authority, demo.handle(demo.PILOT))

    own = await hub.ask(RECEIPT, {"id": receipt["id"]}, viewer="holder", person=demo.PILOT)
    told = await hub.ask(CONFIRM, {"jws": receipt["jws"]})
    async with hub.hub.database.session() as session:
        row = await session.scalar(sa.select(Verification))

    assert own.json()["data"]["receipt"] is None
    assert told.json()["data"]["confirmReceipt"]["inclusion"]["leafIndex"] == 0
    assert (row.salt, row.card_id) == ("", None)


# ── districts ────────────────────────────────────────────────────────────────────────────────


async def agreement(hub, **changed) -> dict:
    published = await asgi.call(hub.app, path="/.well-known/jwks.json")
    return {
        "issuer": check.NEIGHBOUR,
        "district": "putuo",
        "jwks": published.body.decode(),
        "vcts": [f"{check.NEIGHBOUR}/vct/talent-card/1"],
        "services": ["film-tickets"],
        "trustedFrom": "2026-11-01T00:00:00+08:00",
        "trustedUntil": "2027-11-01T00:00:00+08:00",
        **changed,
    }


async def test_an_admin_has_the_cards_of_a_district_count_and_no_more(hub):
    given = await agreement(hub)

    trusted = (await hub.ask(TRUST, {"input": given}, viewer="admin")).json()["data"]["trustIssuer"]
    listed = await hub.ask(ISSUERS, viewer="admin")
    issuer = {"issuer": check.NEIGHBOUR}
    struck = (await hub.ask(UNTRUST, {"input": issuer}, viewer="admin")).json()["data"]
    again = (await hub.ask(UNTRUST, {"input": issuer}, viewer="admin")).json()["data"]
    after = await hub.ask(ISSUERS, viewer="admin")

    keys = {one["kid"] for one in json.loads(given["jwks"])["keys"]}
    assert (trusted["id"], set(trusted["keys"])) == (check.NEIGHBOUR, keys)
    assert listed.json()["data"]["trustedIssuers"] == [
        {"id": check.NEIGHBOUR, "services": ["film-tickets"]}
    ]
    assert struck["untrustIssuer"] == {"__typename": "TrustedIssuer", "id": check.NEIGHBOUR}
    assert again["untrustIssuer"] == {"__typename": "UnknownCodeFault", "code": "UNKNOWN_CODE"}
    assert after.json()["data"]["trustedIssuers"] == []


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"issuer": "http://putuo.example"}, "AgreementFault"),
        ({"issuer": "https://greenway.example"}, "AgreementFault"),
        ({"jwks": "{}"}, "AgreementFault"),
        ({"trustedUntil": "2026-11-01T00:00:00+08:00"}, "AgreementFault"),
        ({"services": ["film-ticket"]}, "UnknownCodeFault"),
    ],
)
async def test_what_cannot_be_agreed_is_a_fault(hub, changed, fault):
    given = await agreement(hub, **changed)

    answer = await hub.ask(TRUST, {"input": given}, viewer="admin")

    assert answer.json()["data"]["trustIssuer"]["__typename"] == fault
    assert hub.hub.authority.issuers.entries(hub.clock()) == []


@pytest.mark.any_database
async def test_nobody_else_decides_whom_the_hub_trusts(hub):
    given = {"input": await agreement(hub)}

    for viewer in ("holder", "partner", "officer", "integrator"):
        assert (await hub.ask(TRUST, given, viewer=viewer)).codes == ["FORBIDDEN"]
        assert (await hub.ask(ISSUERS, viewer=viewer)).codes == ["FORBIDDEN"]

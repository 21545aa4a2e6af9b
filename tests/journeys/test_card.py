"""The card office issues and changes cards in the graph; a holder reports theirs lost."""

from __future__ import annotations

import pytest

from models import demo
from models.card import Reason

pytestmark = [pytest.mark.viewer("officer"), pytest.mark.any_database]

_RECORD = "serial holder status tier validUntil isTest history { change reason by }"
_FAULT = "... on Fault { __typename code message hint }"
ISSUE = f"""mutation ($input: IssueCardsInput!) {{ issueCards(input: $input) {{
  ... on CardBatch {{ cards {{ {_RECORD} }} }} {_FAULT}
  ... on CardsNotIssuedFault {{ rows {{ position problem }} }} }} }}"""
LOST = f"""mutation ($input: ReportCardLostInput!) {{ reportCardLost(input: $input) {{
  ... on LostCardReport {{ status phonesUnlinked }} {_FAULT} }} }}"""
REPLACE = f"""mutation ($input: ReplaceCardInput!) {{ replaceCard(input: $input) {{
  ... on CardReplacement {{ card {{ {_RECORD} }} replaced {{ {_RECORD} }} }} {_FAULT}
  ... on CardStateFault {{ state }} }} }}"""
RECORDS = f"query ($card: WhichCard!) {{ cardRecords(card: $card) {{ {_RECORD} }} }}"
ENGINEER = f"Talent:{demo.handle(demo.ENGINEER)}"


def change(act):
    name = f"{act}Card"
    return f"""mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{
      ... on CardRecord {{ {_RECORD} }} {_FAULT} ... on CardStateFault {{ state }} }} }}"""


@pytest.fixture
def act(ask):
    """Do one act and return what came of it."""

    async def act(document, given, **who):
        answer = (await ask(document, {"input": given}, **who)).json()
        assert "errors" not in answer
        (came,) = answer["data"].values()
        return came

    return act


async def test_a_card_lives_from_issue_to_replacement(act, ask):
    batch = await act(ISSUE, {"holders": [ENGINEER]})
    [issued] = batch["cards"]
    card = {"serial": issued["serial"].lower()}
    lost = await act(LOST, {}, viewer="holder", person=demo.ENGINEER)
    came = await act(REPLACE, {"card": {"holder": ENGINEER}, "reason": "LOST"})

    found = (await ask(RECORDS, {"card": {"holder": ENGINEER}})).json()["data"]["cardRecords"]

    assert (issued["holder"], issued["tier"], issued["isTest"]) == (ENGINEER, "MEDIUM", False)
    assert lost == {"status": "SUSPENDED", "phonesUnlinked": 0}
    assert came["replaced"]["serial"] == issued["serial"]
    assert [one["serial"] for one in found] == [came["card"]["serial"], issued["serial"]]
    assert [one["change"] for one in found[1]["history"]] == ["REPLACED", "SUSPENDED", "ISSUED"]
    assert found[1]["history"][1] == {
        "change": "SUSPENDED",
        "reason": "LOST",
        "by": demo.handle(demo.ENGINEER),
    }
    by_serial = (await ask(RECORDS, {"card": card})).json()["data"]["cardRecords"]
    assert by_serial == found[1:]


async def test_an_officer_finds_a_card_with_its_holder_by_its_serial(act, ask):
    [issued] = (await act(ISSUE, {"holders": [ENGINEER]}))["cards"]
    card = "query ($serial: String!) { card(serial: $serial) { serial status talent { id } } }"

    found = await ask(card, {"serial": issued["serial"].lower()})
    none = await ask(card, {"serial": "GW-0000-0000-0"})
    denied = await ask(card, {"serial": issued["serial"]}, viewer="holder", person=demo.ENGINEER)

    shown = {"serial": issued["serial"], "status": "ACTIVE", "talent": {"id": ENGINEER}}
    assert found.json()["data"]["card"] == shown
    assert none.json()["data"] == {"card": None}
    assert denied.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_acts_that_cannot_be_are_faults_with_codes(act):
    pilot = {"holder": demo.handle(demo.PILOT)}
    for name in ("suspend", "resume", "renew", "revoke"):
        given = {"card": pilot} if name == "renew" else {"card": pilot, "reason": Reason.MISTAKE}
        assert "serial" in await act(change(name), given)

    again = [
        await act(change("resume"), {"card": pilot, "reason": "MISTAKE"}),
        await act(REPLACE, {"card": pilot, "reason": "LOST"}),
        await act(change("suspend"), {"card": {"serial": "nonsense"}, "reason": "MISUSE"}),
        await act(ISSUE, {"holders": [ENGINEER, "nobody"]}),
        await act(LOST, {}, viewer="holder", person=demo.PILOT),
    ]

    assert [one["code"] for one in again] == [
        "CARD_STATE",
        "CARD_STATE",
        "UNKNOWN_CARD",
        "CARDS_NOT_ISSUED",
        "UNKNOWN_CARD",
    ]
    assert again[0]["state"] == "REVOKED"
    assert again[3]["rows"] == [{"position": 1, "problem": "UNKNOWN_HOLDER"}]


@pytest.mark.parametrize("which", [{}, {"serial": "x", "holder": "y"}])
async def test_a_card_is_named_in_exactly_one_way(ask, which):
    answer = await ask(change("revoke"), {"input": {"card": which, "reason": "MISUSE"}})

    assert answer.codes
    assert not (answer.json().get("data") or {}).get("revokeCard")


@pytest.mark.parametrize("viewer", ["anonymous", "holder", "partner", "integrator"])
async def test_nobody_but_officers_may(ask, viewer):
    acts = [
        (ISSUE, {"input": {"holders": [ENGINEER]}}),
        (change("revoke"), {"input": {"card": {"holder": ENGINEER}, "reason": "MISUSE"}}),
        (RECORDS, {"card": {"holder": demo.handle(demo.PILOT)}}),
    ]

    for document, variables in acts:
        answer = await ask(document, variables, viewer=viewer)
        assert answer.codes[0] in {"UNAUTHENTICATED", "FORBIDDEN"}
        assert set(answer.json()["data"].values()) == {None}

"""A person drafts, is told what changed, submits; what comes later changes nothing of that."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from joserfc import jws
from joserfc.jwk import KeySet

from connectors.registry import PARTNERS
from models import demo, offer, talent
from resolvers import publication
from tests import asgi

MENU = Path(__file__).parents[2] / "menu"
KNOWN = {path.stem: frozenset(offer.Capability) for path in PARTNERS.glob("*.yaml")}

_STATEMENT = "{ outcome revision version asOf facts { name value isGiven } reasons { clause met } }"
_DECISION = f"""... on Decision {{ id service state receipt submittedAt statement {_STATEMENT}
  changes {{ ruleChanged facts {{ name before now }} before {{ outcome }} now {{ outcome }} }} }}
  ... on Fault {{ __typename code }}"""
SAVE = f"mutation($input: SaveDraftInput!) {{ saveDraft(input: $input) {{ {_DECISION} }} }}"
SUBMIT = f"""mutation($input: SubmitDraftInput!) {{ submitDraft(input: $input) {{ {_DECISION}
  ... on DraftChangedFault {{ draft {{ changes {{ facts {{ name before now }} }} }} }} }} }}"""
DISCARD = (
    f"mutation($input: DiscardDraftInput!) {{ discardDraft(input: $input) {{ {_DECISION} }} }}"
)
MINE = f"{{ decisions {{ {_DECISION} }} }}".replace("... on Fault { __typename code }", "")
REPLAY = f"""query($receipt: String!) {{ replay(receipt: $receipt) {{
  confirmed outcomeNow statement {_STATEMENT} }} }}"""
APARTMENT = {"service": "talent-apartment"}

pytestmark = pytest.mark.viewer("holder", demo.RETURNEE)


@pytest.fixture
def act(ask):
    """Do one act and return what came of it."""

    async def act(document: str, **given):
        answer = (await ask(document, {"input": given})).json()
        assert "errors" not in answer
        (came,) = answer["data"].values()
        return came

    return act


@pytest.fixture
def replay(ask):
    async def replay(receipt: str, **who):
        return (await ask(REPLAY, {"receipt": receipt}, **who)).json()["data"]["replay"]

    return replay


@pytest.fixture
def stricter(hub, tmp_path, clock):
    """Publish a menu in which the apartment is for whoever returned less than 3 months ago."""

    async def stricter() -> None:
        folder = Path(shutil.copytree(MENU, tmp_path / "menu"))
        path = folder / "services" / "talent-apartment.yaml"
        text = path.read_text(encoding="utf-8").replace("less_than: 12", "less_than: 3")
        path.write_text(text.partition("\nexamples:")[0] + _AN_EXAMPLE, encoding="utf-8")
        await publication.publish(hub.hub.database, folder, lambda: KNOWN, clock())
        hub.hub.catalogue = None

    return stricter


_AN_EXAMPLE = """
examples:
  - name: nothing is known
    given: {}
    outcome: NEEDS_FACTS
"""


async def buy_a_home(hub, clock) -> None:
    async with hub.hub.database.begin() as session:
        person = sa.select(talent.Talent.id).where(
            talent.Talent.handle == demo.handle(demo.RETURNEE)
        )
        session.add(
            talent.Attestation(
                talent_id=await session.scalar(person),
                name="owns_home",
                value=True,
                valid_from=date(2026, 11, 1),
                valid_until=None,
                source="housing register (demo)",
                recorded_at=clock(),
            )
        )


async def test_a_draft_is_saved_found_again_and_saved_anew_in_its_place(ask, act):
    first = await act(SAVE, **APARTMENT)
    again = await act(SAVE, **APARTMENT, facts=[{"name": "school_rank", "value": 7}])

    mine = (await ask(MINE)).json()["data"]["decisions"]

    assert first["id"] == again["id"]
    assert [one["id"] for one in mine] == [first["id"]]
    assert (again["state"], again["receipt"], again["changes"]) == ("DRAFT", None, None)
    assert again["statement"]["outcome"] == "ELIGIBLE"
    given = [fact for fact in mine[0]["statement"]["facts"] if fact["isGiven"]]
    assert given == [{"name": "school_rank", "value": "7", "isGiven": True}]


async def test_a_draft_is_told_what_changed_and_is_not_submitted_unseen(hub, act, ask, clock):
    draft = await act(SAVE, **APARTMENT)
    await buy_a_home(hub, clock)

    (told,) = (await ask(MINE)).json()["data"]["decisions"]
    refused = await act(SUBMIT, id=draft["id"])
    accepted = await act(SUBMIT, id=draft["id"], acceptChanges=True)

    changed = [{"name": "owns_home_in_city", "before": "false", "now": "true"}]
    assert told["changes"] == {
        "ruleChanged": False,
        "facts": changed,
        "before": {"outcome": "ELIGIBLE"},
        "now": {"outcome": "INELIGIBLE"},
    }
    assert refused["code"] == "DRAFT_CHANGED"
    assert refused["draft"]["changes"]["facts"] == changed
    assert accepted["statement"]["outcome"] == "INELIGIBLE"
    assert accepted["statement"]["reasons"] == [{"clause": "own-home", "met": True}]


async def test_what_is_submitted_stays_and_replays_to_the_byte_whatever_comes_later(
    hub, act, ask, replay, stricter, clock
):
    draft = await act(SAVE, **APARTMENT)
    submitted = await act(SUBMIT, id=draft["id"])
    await stricter()
    await buy_a_home(hub, clock)

    (mine,) = (await ask(MINE)).json()["data"]["decisions"]
    replayed = await replay(submitted["receipt"], viewer="anonymous")

    assert submitted["state"] == "SUBMITTED"
    assert mine == submitted
    assert replayed["confirmed"] is True
    assert replayed["statement"] == submitted["statement"]
    # The same facts, by the rule that is in force now.
    assert (replayed["statement"]["outcome"], replayed["outcomeNow"]) == ("ELIGIBLE", "INELIGIBLE")


async def test_submitting_again_changes_nothing(act, hub):
    draft = await act(SAVE, **APARTMENT)
    first = await act(SUBMIT, id=draft["id"])
    hub.clock.now += timedelta(hours=1)

    assert await act(SUBMIT, id=draft["id"]) == first
    assert await act(DISCARD, id=draft["id"]) == first


async def test_a_rule_that_changes_is_told_to_a_draft(act, ask, stricter):
    await act(SAVE, **APARTMENT)
    await stricter()

    (told,) = (await ask(MINE)).json()["data"]["decisions"]

    assert told["changes"]["ruleChanged"] is True
    assert told["changes"]["facts"] == []
    assert told["changes"]["now"]["outcome"] == "INELIGIBLE"


async def test_a_draft_is_discarded_and_gone(act, ask):
    draft = await act(SAVE, **APARTMENT)

    gone = await act(DISCARD, id=draft["id"])

    assert gone["id"] == draft["id"]
    assert (await ask(MINE)).json()["data"]["decisions"] == []
    assert (await act(DISCARD, id=draft["id"]))["code"] == "UNKNOWN_DECISION"


async def test_nobody_gets_at_the_decision_of_another(act, ask):
    draft = await act(SAVE, **APARTMENT)

    other = {"viewer": "holder", "person": demo.PILOT}
    mine = await ask(MINE, **other)
    submitted = await ask(SUBMIT, {"input": {"id": draft["id"]}}, **other)

    assert mine.json()["data"]["decisions"] == []
    assert submitted.json()["data"]["submitDraft"]["code"] == "UNKNOWN_DECISION"


@pytest.mark.parametrize(
    ("viewer", "code"), [("anonymous", "UNAUTHENTICATED"), ("officer", "FORBIDDEN")]
)
async def test_only_people_draft(ask, viewer, code):
    answer = await ask(SAVE, {"input": APARTMENT}, viewer=viewer)

    assert answer.json()["data"] == {"saveDraft": None}
    assert answer.codes == [code]


async def test_a_code_that_stands_in_no_list_is_a_fault_with_the_nearest(act):
    fault = await act(SAVE, service="talent-appartment")

    assert (fault["__typename"], fault["code"]) == ("UnknownCodeFault", "UNKNOWN_CODE")


async def test_a_receipt_changed_in_one_place_is_refused(ask, act):
    draft = await act(SAVE, **APARTMENT)
    receipt = (await act(SUBMIT, id=draft["id"]))["receipt"]
    head, body, signature = receipt.split(".")

    answer = await ask(REPLAY, {"receipt": f"{head}.{body[:-1]}A.{signature}"})

    assert answer.codes == ["BAD_RECEIPT"]


async def test_anybody_can_check_a_receipt_with_the_published_keys(hub, ask):
    asked = '{ service(code: "talent-apartment") { ... on Service { verdict { receipt } } } }'
    receipt = (await ask(asked)).json()["data"]["service"]["verdict"]["receipt"]

    published = await asgi.call(hub.app, path="/.well-known/jwks.json")

    keys = KeySet.import_key_set(json.loads(published.body))
    stated = json.loads(jws.deserialize_compact(receipt, keys, algorithms=["ES256"]).payload)
    assert stated["subject"] == demo.handle(demo.RETURNEE)
    assert stated["outcome"] == "ELIGIBLE"


async def test_an_act_is_never_done_by_get(hub):
    answer = await asgi.call(
        hub.app, query={"query": 'mutation { saveDraft(input: {service: "x"}) { __typename } }'}
    )

    assert answer.status == 405

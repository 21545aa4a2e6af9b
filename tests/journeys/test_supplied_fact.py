"""A fact that a partner supplies: asked when it can still decide, and only of whoever asks."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, date, timedelta

import pytest
import sqlalchemy as sa

from models import demo, talent
from sandbox import school
from sandbox.fault import Fault, Mode
from tests.hub import NOW

OFFICE = "changning-school-office"
FACT = "children_at_district_school"
KEY = {"pairwise": "the tests call everybody by this key"}
#: Holders of a card of whose household no child is on record.
CHILDLESS = (1, 5, 8, 11, 13, 16, 18, 21, 22, 23, 26, 29, 30, 34)

_VERDICT = """{ outcome missing { name question { text } } silentPartners eligibleFrom lapsesOn
  reasons { clause met } receipt }"""
ASK = f"""query ($facts: [FactInput!], $asOf: Date, $knownAt: DateTime) {{
  service(code: "children-tutoring") {{ ... on Service {{
    verdict(facts: $facts, asOf: $asOf, knownAt: $knownAt) {_VERDICT} }} }}
  stations {{ code }} }}"""
EVERYWHERE = """{
  one: service(code: "children-tutoring") { ... on Service { verdict { outcome } } }
  two: service(code: "children-tutoring") { ... on Service {
    verdict { outcome reasons { clause } } } }
  three: service(code: "children-tutoring") { ... on Service {
    verdict(facts: [{name: "age", value: 40}]) { outcome } } }
  eligibleServices(first: 100) { nodes { service { code } verdict { outcome } } }
  decisions { changes { ruleChanged } }
  categories { services { verdict { outcome } } }
}"""
OFFERS = """{ service(code: "children-tutoring") { ... on Service {
  offers { withheld { outcome } pages { partner { code } freshness } } } } }"""
QUESTIONS = "{ journeys { code questions { name } } }"
SAVE = """mutation { saveDraft(input: {service: "children-tutoring"}) { ... on Decision {
  id statement { outcome facts { name value isGiven } silentPartners } } } }"""
SUBMIT = """mutation ($id: ID!, $accept: Boolean!) {
  submitDraft(input: {id: $id, acceptChanges: $accept}) {
    ... on Decision { state receipt statement { outcome silentPartners } }
    ... on DraftChangedFault { code draft { changes {
      facts { name before now } now { outcome } } } } } }"""
REPLAY = """query ($receipt: String!) {
  replay(receipt: $receipt) { confirmed outcomeNow statement { outcome silentPartners } } }"""


@pytest.fixture
def hub(stand):
    return stand(secrets=KEY).asked_by("holder")


@pytest.fixture
def parent(hub):
    """Ask from now on as somebody of whom the office says this: so many children, or nothing."""

    def parent(children: int | None) -> int:
        number = next(one for one in CHILDLESS if said_of(hub, one) == children)
        hub.asked_by("holder", number)
        return number

    return parent


def said_of(hub, person: int) -> int | None:
    subject = hub.hub.authority.pseudonyms.of(OFFICE, demo.handle(person))
    return school.children(OFFICE, subject)


@pytest.fixture
def verdict(hub):
    async def verdict(**asked):
        told = (await hub.ask(ASK, asked)).json()
        assert told["data"]["stations"]
        return told["data"]["service"]["verdict"], told.get("errors", [])

    return verdict


# --- When it is asked ---------------------------------------------------------------------------


async def test_what_the_hub_has_not_on_record_the_school_office_knows(hub, parent, verdict):
    parent(2)

    found, errors = await verdict()

    assert errors == []
    assert hub.calls() == {OFFICE: 1}
    assert found["outcome"] == "ELIGIBLE"
    assert found["reasons"] == [
        {"clause": "card", "met": True},
        {"clause": "at-school", "met": True},
    ]
    assert found["eligibleFrom"] == NOW.date().isoformat()


async def test_where_the_office_says_none_there_is_none(parent, verdict):
    parent(0)

    found, _ = await verdict()

    assert found["outcome"] == "INELIGIBLE"
    assert {"clause": "at-school", "met": False} in found["reasons"]


async def test_what_the_office_does_not_know_the_person_is_asked(hub, parent, verdict):
    parent(None)

    found, errors = await verdict()

    assert errors == []
    assert hub.calls() == {OFFICE: 1}
    assert found["outcome"] == "NEEDS_FACTS"
    assert [one["name"] for one in found["missing"]] == [FACT]
    assert found["missing"][0]["question"]["text"].startswith("How many of your children go to")
    assert found["silentPartners"] == []


@pytest.mark.parametrize(
    ("person", "outcome"), [(demo.PILOT, "ELIGIBLE"), (demo.ENGINEER, "INELIGIBLE")]
)
async def test_who_is_settled_without_it_is_not_asked_about(hub, verdict, person, outcome):
    hub.asked_by("holder", person)

    found, _ = await verdict()

    assert found["outcome"] == outcome
    assert hub.calls() == {}


@pytest.mark.any_database
@pytest.mark.parametrize(
    "asked",
    [
        {"facts": [{"name": FACT, "value": 1}]},
        {"facts": [{"name": "holds_card", "value": False}]},
        {"asOf": (NOW.date() + timedelta(1)).isoformat()},
        {"knownAt": NOW.isoformat()},
    ],
)
async def test_nobody_is_asked_what_if_nor_for_another_day_or_knowledge(
    hub, parent, verdict, asked
):
    parent(2)

    await verdict(**asked)

    assert hub.calls() == {}


async def test_what_was_attested_is_not_asked(hub, parent, verdict):
    handle = demo.handle(parent(0))
    async with hub.hub.database.begin() as session:
        person = sa.select(talent.Talent.id).where(talent.Talent.handle == handle)
        session.add(
            talent.Attestation(
                talent_id=await session.scalar(person),
                name=FACT,
                value=1,
                valid_from=date(2026, 9, 1),
                valid_until=None,
                source="school certificate (demo)",
                recorded_at=NOW.astimezone(UTC),
            )
        )

    found, _ = await verdict()

    assert found["outcome"] == "ELIGIBLE"
    assert hub.calls() == {}


@pytest.mark.any_database
@pytest.mark.parametrize("role", ["anonymous", "officer", "admin", "partner", "integrator"])
async def test_it_is_asked_in_nobody_elses_name(hub, parent, verdict, role):
    hub.asked_by(role, parent(2))

    found, _ = await verdict()

    assert found["outcome"] == "NEEDS_FACTS"
    assert FACT in [one["name"] for one in found["missing"]]
    assert hub.calls() == {}


# --- How often, and what is told ----------------------------------------------------------------


async def test_however_often_a_query_wants_it_the_office_is_asked_once(hub, parent):
    parent(2)
    await hub.ask(SAVE)
    hub.calls()

    told = (await hub.ask(EVERYWHERE)).json()

    assert "errors" not in told
    assert hub.calls() == {OFFICE: 1}
    data = told["data"]
    assert {data[name]["verdict"]["outcome"] for name in ("one", "two", "three")} == {"ELIGIBLE"}
    ranked = {one["service"]["code"]: one["verdict"] for one in data["eligibleServices"]["nodes"]}
    assert ranked["children-tutoring"] == {"outcome": "ELIGIBLE"}
    assert data["decisions"] == [{"changes": None}]


async def test_what_is_known_of_a_person_is_not_kept_for_their_next_query(hub, parent, verdict):
    parent(2)

    await verdict()
    await verdict()

    assert hub.calls() == {OFFICE: 2}


async def test_offers_wait_for_the_same_verdict(hub, parent):
    parent(2)
    open_ = (await hub.ask(OFFERS)).json()["data"]["service"]["offers"]
    calls = hub.calls()
    parent(0)
    closed = (await hub.ask(OFFERS)).json()["data"]["service"]["offers"]

    assert open_["withheld"] is None
    assert {page["freshness"] for page in open_["pages"]} == {"LIVE"}
    assert calls == {OFFICE: 2, "tianshan-school-office": 1}
    assert closed == {"withheld": {"outcome": "INELIGIBLE"}, "pages": []}
    assert hub.calls() == {OFFICE: 1}


async def test_a_person_is_not_asked_what_a_partner_is_asked_and_a_visitor_is(hub, parent):
    async def questions(**who):
        told = (await hub.ask(QUESTIONS, **who)).json()["data"]["journeys"]
        return {one["name"] for journey in told for one in journey["questions"]}

    parent(None)

    assert FACT not in await questions()
    assert FACT in await questions(viewer="anonymous")
    assert hub.calls() == {}


async def test_no_line_of_the_log_tells_whom_it_was_about(hub, parent, verdict, caplog):
    handle = demo.handle(parent(2))

    with caplog.at_level(logging.DEBUG, "greenway"):
        await verdict()

    assert OFFICE in caplog.text
    assert handle not in caplog.text
    assert hub.hub.authority.pseudonyms.of(OFFICE, handle) not in caplog.text


async def test_a_person_has_one_name_for_each_partner_in_every_hub_of_the_same_key(stand):
    handle, other = demo.handle(demo.PILOT), "tianshan-school-office"
    one, again = stand(secrets=KEY).hub, stand(secrets=KEY).hub
    else_ = stand(secrets={"pairwise": "q" * 32}).hub

    names = {hub.authority.pseudonyms.of(OFFICE, handle) for hub in (one, again, else_)}

    assert len(names) == 2
    assert one.authority.pseudonyms.of(other, handle) not in names


async def test_without_a_key_one_is_made_and_kept(stand):
    first, second = stand().hub, stand().hub

    assert first.authority.pseudonyms == second.authority.pseudonyms
    assert (first.settings.data / "pairwise-key").stat().st_mode & 0o777 == 0o600


# --- A silent partner ---------------------------------------------------------------------------

#: How the office can fail, and what is then said of it.
BROKEN = {
    Fault(Mode.DOWN): "PARTNER_UNREACHABLE",
    Fault(Mode.HANG): "PARTNER_TIMEOUT",
    Fault(Mode.DRIP): "PARTNER_TIMEOUT",
    Fault(Mode.HTML): "PARTNER_WRONG_TYPE",
    Fault(Mode.TRUNCATED): "PARTNER_UNREADABLE",
    Fault(Mode.WRONG): "PARTNER_BAD_ANSWER",
    Fault(Mode.HUGE): "PARTNER_TOO_LARGE",
    Fault(Mode.ERROR): "PARTNER_UNWELL",
    Fault(Mode.UNAUTHORIZED): "PARTNER_UNAUTHORIZED",
    Fault(Mode.BUSY): "PARTNER_RATE_LIMITED",
}
HOPELESS = {
    "PARTNER_BAD_ANSWER",
    "PARTNER_TOO_LARGE",
    "PARTNER_UNAUTHORIZED",
    "PARTNER_UNREADABLE",
    "PARTNER_WRONG_TYPE",
}
DEADLINE_SECONDS = 0.3
#: Far more than that deadline, for the noise; and less than the 2 s that partners have by default.
MOST_SECONDS = 1.9


@pytest.fixture
def spoil(systems):
    async def spoil(how: Fault) -> None:
        await systems["school"].inject(how, OFFICE)

    return spoil


@pytest.mark.any_database
@pytest.mark.parametrize("how", BROKEN, ids=str)
async def test_a_silent_partner_leaves_it_undetermined_and_is_named_and_comes_back(
    stand, limited, spoil, how
):
    code = BROKEN[how]
    seconds = DEADLINE_SECONDS if code == "PARTNER_TIMEOUT" else 2.0
    folder = limited(OFFICE, f"deadline_seconds: {seconds}, breaker_failures: 100")
    hub = stand(secrets=KEY, partners=folder)
    hub.asked_by("holder", next(one for one in CHILDLESS if said_of(hub, one) == 2))
    clock = asyncio.get_running_loop().time

    await spoil(how)
    began = clock()
    answer = await hub.ask(ASK)
    took = clock() - began
    ranked = (await hub.ask(EVERYWHERE)).json()
    await spoil(Fault())
    if how.mode is Mode.BUSY:
        hub = stand(secrets=KEY).asked_by("holder", hub.person)
    back = await hub.ask(ASK)

    told = answer.json()
    found = told["data"]["service"]["verdict"]
    [error] = told["errors"]
    assert answer.status == 294
    assert took < MOST_SECONDS
    assert (found["outcome"], found["missing"]) == ("UNDETERMINED", [])
    assert found["silentPartners"] == [OFFICE]
    assert {"clause": "at-school", "met": None} in found["reasons"]
    assert told["data"]["stations"]
    assert error["path"] == ["service", "verdict"]
    assert error["extensions"]["code"] == code
    assert error["extensions"]["partner"] == OFFICE
    assert error["extensions"]["freshness"] == "UNAVAILABLE"
    assert ("retryAfter" in error["extensions"]) is (code not in HOPELESS)
    assert [one["extensions"]["partner"] for one in ranked["errors"]] == [OFFICE]
    assert ranked["data"]["one"]["verdict"]["outcome"] == "UNDETERMINED"
    assert back.json()["data"]["service"]["verdict"]["outcome"] == "ELIGIBLE"
    assert back.codes == []


@pytest.mark.any_database
async def test_a_query_out_of_time_does_not_wait_for_the_partner(stand, spoil):
    hub = stand(secrets=KEY, deadline_seconds=DEADLINE_SECONDS)
    hub.asked_by("holder", next(one for one in CHILDLESS if said_of(hub, one) == 2))
    clock = asyncio.get_running_loop().time

    await spoil(Fault(Mode.HANG))
    began = clock()
    answer = await hub.ask(ASK)
    took = clock() - began

    assert answer.codes == ["PARTNER_TIMEOUT"]
    assert answer.json()["data"]["service"]["verdict"]["outcome"] == "UNDETERMINED"
    assert took < MOST_SECONDS


async def test_offers_are_withheld_while_the_partner_is_silent(hub, parent, spoil):
    parent(2)
    await spoil(Fault(Mode.ERROR))

    told = (await hub.ask(OFFERS)).json()

    assert told["data"]["service"]["offers"] == {
        "withheld": {"outcome": "UNDETERMINED"},
        "pages": [],
    }
    assert [one["path"] for one in told["errors"]] == [["service", "offers"]]


# --- Decisions ----------------------------------------------------------------------------------


async def test_a_decision_states_what_was_supplied_and_who_was_silent_and_replays(
    hub, parent, spoil
):
    parent(2)
    saved = (await hub.ask(SAVE)).json()["data"]["saveDraft"]
    await spoil(Fault(Mode.DOWN))
    refused = await hub.ask(SUBMIT, {"id": saved["id"], "accept": False})
    submitted = await hub.ask(SUBMIT, {"id": saved["id"], "accept": True})
    decided = submitted.json()["data"]["submitDraft"]
    await spoil(Fault())
    replayed = await hub.ask(REPLAY, {"receipt": decided["receipt"]}, viewer="anonymous")

    assert saved["statement"]["outcome"] == "ELIGIBLE"
    assert {"name": FACT, "value": "2", "isGiven": False} in saved["statement"]["facts"]
    assert saved["statement"]["silentPartners"] == []
    fault = refused.json()["data"]["submitDraft"]
    assert fault["code"] == "DRAFT_CHANGED"
    assert fault["draft"]["changes"] == {
        "facts": [{"name": FACT, "before": "2", "now": None}],
        "now": {"outcome": "UNDETERMINED"},
    }
    assert refused.codes == submitted.codes == ["PARTNER_UNREACHABLE"]
    assert submitted.json()["errors"][0]["path"] == ["submitDraft"]
    assert decided["state"] == "SUBMITTED"
    assert decided["statement"] == {"outcome": "UNDETERMINED", "silentPartners": [OFFICE]}
    assert replayed.json()["data"]["replay"] == {
        "confirmed": True,
        "outcomeNow": "UNDETERMINED",
        "statement": decided["statement"],
    }


async def test_a_verdict_on_what_was_supplied_replays_to_the_byte(hub, parent, verdict):
    parent(2)
    found, _ = await verdict()

    replayed = (await hub.ask(REPLAY, {"receipt": found["receipt"]})).json()["data"]["replay"]

    assert (replayed["confirmed"], replayed["outcomeNow"]) == (True, "ELIGIBLE")

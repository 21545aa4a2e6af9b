"""Holders are asked: for a serial that somebody typed, and before anything personal is told."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from models import card, demo
from models.verification import AccessEntry, Category, Verification
from models.verifier import Scope
from tests import till as partners
from tests.till import shown

PROMPTS = """{ prompts {
  verification needsConsent partner { name } service { code } expiresAt } }"""
ANSWER = """mutation ($input: AnswerPromptInput!) { answerPrompt(input: $input) {
  __typename ... on Fault { code } } }"""
DISCLOSURE = """query ($partner: String!, $service: String!, $members: [ID!]) {
  disclosure(partnerCode: $partner, serviceCode: $service, members: $members) {
    ... on DisclosureNotice { digest text } } }"""
GIVE = """mutation ($input: GiveConsentInput!) { giveConsent(input: $input) {
  __typename ... on ConsentGiven { consents { id } } ... on Fault { code } } }"""
WITHDRAW = """mutation ($id: ID!) { withdrawConsent(input: {id: $id}) { __typename } }"""
NEVER = "GW-0000-0000-0"


@pytest.fixture
async def tills(hub):
    found = await partners.tills(hub)
    for one in ("hospital", "school"):
        await partners.grant(hub, found[one].code, Scope.VERIFY_SERIAL)
    return found


@pytest.fixture
async def hospital(tills):
    return tills["hospital"]


@pytest.fixture
async def serial(hub):
    """The serial on the pilot's card."""
    async with hub.hub.database.session() as session:
        return await session.scalar(
            sa.select(card.Card.serial).where(card.Card.talent_id == demo.PILOT)
        )


@pytest.fixture
def pilot(hub):
    """Ask as the pilot."""

    async def pilot(document, variables=None):
        answer = await hub.ask(document, variables, viewer="holder", person=demo.PILOT)
        told = answer.json()
        assert "errors" not in told, told
        return told["data"]

    return pilot


@pytest.fixture
def agree(pilot):
    """The digest of what the pilot would agree to."""

    async def agree(till, **more):
        said = {"partner": till.code, "service": till.service, **more}
        return (await pilot(DISCLOSURE, said))["disclosure"]["digest"]

    return agree


async def test_a_serial_asks_the_holder_and_proves_nothing(hospital, serial, pilot):
    asked = await hospital.verify(presented={"serial": serial.lower()})
    before = await hospital.again(asked["verificationId"])
    [prompt] = (await pilot(PROMPTS))["prompts"]
    said = await pilot(ANSWER, {"input": {"verification": prompt["verification"], "accept": True}})
    after = await hospital.again(asked["verificationId"])

    assert asked["__typename"] == before["__typename"] == "HolderConfirmationPending"
    assert prompt["verification"] == asked["verificationId"]
    assert "Fault" not in said["answerPrompt"]["__typename"]
    assert (after["__typename"], after["evidence"]) == ("CardAccepted", "SERIAL_CONFIRMED")
    assert after["disclosed"] == {
        "__typename": "TierDisclosure",
        "policy": "tier-1",
        "tier": "A",
    }


async def test_a_serial_that_nobody_has_is_answered_the_same_and_ends_as_the_one_no(
    hub, hospital, serial
):
    known = await hospital.verify(presented={"serial": serial})
    unknown = await hospital.verify(presented={"serial": NEVER})
    hub.clock.pass_seconds(121)
    ends = [await hospital.again(one["verificationId"]) for one in (known, unknown)]
    again = [await hospital.again(one["verificationId"]) for one in (known, unknown)]

    assert {name: len(str(value)) for name, value in known.items()} == {
        name: len(str(value)) for name, value in unknown.items()
    }
    assert known["expiresAt"] == unknown["expiresAt"]
    assert [one["__typename"] for one in ends] == ["CardNotAccepted"] * 2
    sized = [{**one, "receipt": len(str(one["receipt"]))} for one in ends]
    assert sized[0] == sized[1]
    assert again == ends


async def test_who_says_no_is_not_told_apart_from_who_is_not_there(hospital, serial, pilot):
    asked = await hospital.verify(presented={"serial": serial})

    await pilot(ANSWER, {"input": {"verification": asked["verificationId"], "accept": False}})

    assert (await hospital.again(asked["verificationId"]))["__typename"] == "CardNotAccepted"


async def test_a_prompt_is_answered_once_and_by_its_holder_alone(hub, hospital, serial, pilot):
    asked = await hospital.verify(presented={"serial": serial})
    said = {"input": {"verification": asked["verificationId"], "accept": True}}

    other = await hub.ask(ANSWER, said, viewer="holder", person=demo.RETURNEE)
    await pilot(ANSWER, said)
    twice = await pilot(ANSWER, said)

    assert other.json()["data"]["answerPrompt"]["code"] == "UNKNOWN_PROMPT"
    assert twice["answerPrompt"]["code"] == "UNKNOWN_PROMPT"


async def test_a_holder_is_asked_three_times_in_ten_minutes_and_nobody_notices(
    hospital, serial, pilot
):
    answers = [await hospital.verify(presented={"serial": serial}) for _ in range(5)]

    assert {one["__typename"] for one in answers} == {"HolderConfirmationPending"}
    assert len((await pilot(PROMPTS))["prompts"]) == 3


async def test_a_hospital_learns_the_name_on_consent_and_never_before(hub, hospital, pilot, agree):
    code = await shown(hospital)
    asked = await hospital.verify(code)
    said = {
        "verification": asked["verificationId"],
        "accept": True,
        "agreedTo": await agree(hospital),
    }
    await pilot(ANSWER, {"input": said})
    after = await hospital.again(asked["verificationId"])

    assert asked["__typename"] == "ConsentRequired"
    assert asked["categories"] == ["TIER", "NAME", "BIRTH_DATE"]
    assert "Ondrix" not in str(asked)
    assert after["disclosed"]["__typename"] == "PatientDisclosure"
    assert after["disclosed"]["legalName"] == "Ondrix O'Tallowmere"
    async with hub.hub.database.session() as session:
        left = (await session.scalars(sa.select(AccessEntry))).all()
    assert {one.category for one in left} >= {Category.NAME, Category.BIRTH_DATE}
    assert {one.consent for one in left if one.category is Category.NAME} == {
        after["disclosed"]["consent"]
    }


async def test_who_declines_has_a_good_card_all_the_same(hospital, pilot):
    asked = await hospital.verify(await shown(hospital))

    await pilot(ANSWER, {"input": {"verification": asked["verificationId"], "accept": False}})

    after = await hospital.again(asked["verificationId"])
    assert (after["__typename"], after["disclosed"]["__typename"]) == (
        "CardAccepted",
        "TierDisclosure",
    )


async def test_a_code_carries_the_consent_it_was_minted_with(hospital, agree):
    code = await shown(hospital, agreedTo=await agree(hospital))

    answer = await hospital.verify(code)

    assert answer["disclosed"]["__typename"] == "PatientDisclosure"
    assert answer["disclosed"]["birthDate"]


async def test_a_consent_that_is_withdrawn_bites_on_the_next_request(hospital, pilot, agree):
    given = await pilot(
        GIVE,
        {
            "input": {
                "partnerCode": hospital.code,
                "serviceCode": hospital.service,
                "agreedTo": await agree(hospital),
            }
        },
    )
    [consent] = given["giveConsent"]["consents"]
    key = hospital.input(await shown(hospital))
    first = await hospital.verify(**key)
    await pilot(WITHDRAW, {"id": consent["id"]})
    second = await hospital.verify(await shown(hospital))
    again = await hospital.verify(**key)

    assert first["disclosed"]["__typename"] == "PatientDisclosure"
    assert second["__typename"] == "ConsentRequired"
    # The answer on record is the same but for what may no longer be told.
    assert again["receipt"] == first["receipt"]
    assert again["disclosed"] == {"__typename": "NothingDisclosed", "policy": "nothing-1"}


async def test_a_school_learns_of_the_children_agreed_to_and_not_of_the_tier(
    hub, tills, pilot, agree
):
    school = tills["school"]
    household = "{ me { household { id relation name } } }"
    children = [
        one for one in (await pilot(household))["me"]["household"] if one["relation"] == "CHILD"
    ]
    first = children[0]
    digest = await agree(school, members=[first["id"]])

    answer = await school.verify(await shown(school, agreedTo=digest, members=[first["id"]]))

    assert answer["disclosed"]["__typename"] == "GuardianDisclosure"
    assert [one["legalName"] for one in answer["disclosed"]["dependants"]] == [first["name"]]
    assert answer["disclosed"]["dependants"][0]["id"] != first["id"]
    assert "tier" not in answer["disclosed"]
    async with hub.hub.database.session() as session:
        rows = (await session.scalars(sa.select(Verification))).all()
    assert not [one for one in rows if first["name"] in str(one.told)]

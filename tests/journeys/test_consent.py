"""Consents that stand: given for one partner and service, listed, ended, withdrawn at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models import demo
from models.verifier import Scope
from resolvers import consent
from tests import till, verifiers

_CONSENT = "id partnerCode partnerName contact serviceCode member categories means alive endsAt"
GIVE = f"""mutation ($input: GiveConsentInput!) {{ giveConsent(input: $input) {{
  ... on ConsentGiven {{ consents {{ {_CONSENT} }} }}
  ... on Fault {{ __typename code }} }} }}"""
WITHDRAW = """mutation ($input: WithdrawConsentInput!) { withdrawConsent(input: $input) {
  ... on Consent { id alive withdrawnAt } ... on Fault { __typename code } } }"""
MINE = f"{{ consents {{ {_CONSENT} service {{ code }} }} }}"
TEXT = """query ($partner: String!, $service: String!, $members: [ID!]) {
  disclosure(partnerCode: $partner, serviceCode: $service, members: $members) {
    ... on DisclosureNotice { digest } } }"""
CARE = {"partnerCode": verifiers.HOSPITAL, "serviceCode": "medical-green-channel"}
ENROL = {"partnerCode": verifiers.SCHOOL, "serviceCode": "school-enrolment-preference"}

pytestmark = pytest.mark.viewer("holder", demo.PILOT)


@pytest.fixture
async def tills(hub):
    return await till.tills(hub)


@pytest.fixture
def act(ask, tills):
    """Do one act and return what came of it."""

    async def act(document: str, given, **who):
        answer = (await ask(document, {"input": given}, **who)).json()
        assert "errors" not in answer, answer
        (came,) = answer["data"].values()
        return came

    return act


@pytest.fixture
def agree(ask, act):
    """Read the text for a partner, and agree to it."""

    async def agree(given, members=(), **more):
        said = {"partner": given["partnerCode"], "service": given["serviceCode"]}
        shown = (await ask(TEXT, {**said, "members": list(members)})).json()
        digest = shown["data"]["disclosure"]["digest"]
        named = {"members": list(members)} if members else {}
        return await act(GIVE, {**given, **named, "agreedTo": digest, **more})

    return agree


@pytest.fixture
def children(ask):
    async def children():
        answer = (await ask("{ me { household { id relation } } }")).json()
        household = answer["data"]["me"]["household"]
        return [one["id"] for one in household if one["relation"] == "CHILD"]

    return children


async def test_a_text_is_agreed_to_in_no_language_but_one_that_is(ask, tills):
    said = {"agreedTo": "0" * 64, "language": "zh_CN"}

    answer = await ask(GIVE, {"input": {**CARE, **said}})

    assert answer.codes == ["BAD_INPUT"]


async def test_a_standing_consent_lasts_180_days_unless_its_giver_says_otherwise(agree, clock):
    [usual] = (await agree(CARE))["consents"]
    until = clock.now + timedelta(days=10)
    [short] = (await agree(CARE, until=until.isoformat()))["consents"]

    assert usual["endsAt"].startswith(str((clock.now + consent.STANDING).date()))
    assert short["endsAt"].startswith(str(until.date()))
    assert usual["categories"] == ["TIER", "NAME", "BIRTH_DATE"]
    assert (usual["means"], usual["alive"], usual["partnerName"]) == (
        "STANDING",
        True,
        "Ember Hospital",
    )


@pytest.mark.parametrize("days", [-1, 0, 367])
async def test_a_consent_ends_ahead_and_within_a_year(ask, agree, tills, clock, days):
    given = {**CARE, "agreedTo": "", "until": (clock.now + timedelta(days=days)).isoformat()}
    shown = await ask(TEXT, {"partner": verifiers.HOSPITAL, "service": "medical-green-channel"})
    given["agreedTo"] = shown.json()["data"]["disclosure"]["digest"]

    answer = await ask(GIVE, {"input": given})

    assert answer.codes == ["BAD_INPUT"]


async def test_a_hospital_is_told_at_a_check_what_was_agreed_to_for_it(tills, agree):
    hospital = tills["hospital"]
    [given] = (await agree(CARE))["consents"]

    answer = await hospital.verify(await till.shown(hospital))

    assert answer["disclosed"]["__typename"] == "PatientDisclosure"
    assert answer["disclosed"]["consent"] == given["id"]


async def test_withdrawing_bites_on_a_code_that_is_on_the_screen(tills, act, agree):
    hospital = tills["hospital"]
    [given] = (await agree(CARE))["consents"]
    code = await till.shown(hospital)

    await act(WITHDRAW, {"id": given["id"]})
    answer = await hospital.verify(code)

    assert "Ondrix" not in str(answer)
    assert answer["__typename"] == "ConsentRequired"


async def test_a_consent_that_ended_tells_nothing(tills, agree, clock):
    hospital = tills["hospital"]
    await agree(CARE, until=(clock.now + timedelta(seconds=30)).isoformat())
    code = await till.shown(hospital)

    clock.pass_seconds(31)
    answer = await hospital.verify(code)

    assert answer["__typename"] == "ConsentRequired"


async def test_a_consent_for_one_service_tells_nothing_for_another(tills, agree):
    hospital = tills["hospital"]
    await agree(CARE)
    hospital.service = "physical-check"

    answer = await hospital.verify(await till.shown(hospital))

    assert "Ondrix" not in str(answer)


async def test_withdrawing_again_changes_nothing(act, agree, clock):
    [given] = (await agree(CARE))["consents"]

    first = await act(WITHDRAW, {"id": given["id"]})
    clock.pass_seconds(60)
    second = await act(WITHDRAW, {"id": given["id"]})

    assert first == second
    assert first["alive"] is False


async def test_a_guardian_s_own_consent_takes_the_children_s_with_it(ask, act, agree, children):
    own, *others = (await agree(ENROL, members=await children()))["consents"]

    await act(WITHDRAW, {"id": own["id"]})

    listed = (await ask(MINE)).json()["data"]["consents"]
    assert len(others) == 2
    assert [one["alive"] for one in listed] == [False, False, False]


async def test_a_school_is_told_of_the_children_agreed_to_alone(tills, act, agree, children):
    school, [first, second] = tills["school"], await children()
    _, of_first, of_second = (await agree(ENROL, members=[first, second]))["consents"]

    await act(WITHDRAW, {"id": of_second["id"]})
    answer = await school.verify(await till.shown(school))

    [told] = answer["disclosed"]["dependants"]
    assert told["guardianConsent"] == of_first["id"]
    assert of_first["member"] == first


async def test_a_hospital_s_text_speaks_of_health_and_a_school_s_of_the_under_14(
    ask, tills, children
):
    texts = {}
    for name, given, members in (("hospital", CARE, []), ("school", ENROL, await children())):
        answer = await ask(
            TEXT.replace("digest", "text"),
            {
                "partner": given["partnerCode"],
                "service": given["serviceCode"],
                "members": members,
            },
        )
        texts[name] = answer.json()["data"]["disclosure"]["text"]

    assert "health" in texts["hospital"]
    assert "under 14" in texts["school"]
    assert "tier" not in texts["school"]


async def test_a_new_version_of_a_policy_needs_to_be_agreed_to_anew(hub, tills, agree):
    hospital = tills["hospital"]
    await agree(CARE)
    async with hub.hub.database.begin() as session:
        row = await consent.live(
            session, demo.PILOT, verifiers.HOSPITAL, "medical-green-channel", hub.clock()
        )
        row.policy = "patient-0"

    answer = await hospital.verify(await till.shown(hospital))

    assert answer["__typename"] == "ConsentRequired"


async def test_everything_agreed_to_is_listed_for_its_giver_alone(ask, agree):
    await agree(CARE)

    mine = (await ask(MINE)).json()["data"]["consents"]
    others = (await ask(MINE, viewer="holder", person=demo.RETURNEE)).json()["data"]["consents"]

    assert [one["service"]["code"] for one in mine] == ["medical-green-channel"]
    assert others == []


async def test_nobody_withdraws_another_s_consent(act, agree):
    [given] = (await agree(CARE))["consents"]

    found = [
        await act(WITHDRAW, {"id": id_}, viewer="holder", person=demo.RETURNEE)
        for id_ in (given["id"], "nothing")
    ]

    assert [one["code"] for one in found] == ["UNKNOWN_CONSENT"] * 2


async def test_a_partner_that_lost_its_scope_is_told_nothing_more(hub, tills, agree):
    hospital = tills["hospital"]
    await agree(CARE)
    async with hub.hub.database.begin() as session:
        known = hub.hub.authority.verifiers.by_code[verifiers.HOSPITAL]
        row = await session.get(type(known), known.id)
        row.scopes = [Scope.VERIFY_CODE, Scope.DISCLOSE_TIER]
    await hub.hub.authority.refreshed()

    answer = await hospital.verify(await till.shown(hospital))

    assert answer["disclosed"]["__typename"] == "TierDisclosure"

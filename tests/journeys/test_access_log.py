"""A holder sees who asked about them, what for, and what they were told; nobody else does."""

from __future__ import annotations

import logging

import pytest
import sqlalchemy as sa

from models import demo, verification
from models.verifier import Scope
from resolvers import talent
from tests import booth as cinema
from tests import partner, till, verifiers

LOG = """query ($first: Int, $after: String) { accessLog(first: $first, after: $after) {
  nodes { at partnerCode partnerName purpose service { code } result terminal receipt
    told { category fields member consent } }
  pageInfo { hasNextPage endCursor } } }"""
PROMPTS = """{ prompts { verification partner { code } serviceCode service { code } needsConsent
  categories expiresAt terminal } }"""
ANSWER = """mutation ($input: AnswerPromptInput!) { answerPrompt(input: $input) {
  __typename ... on PromptAnswer { accepted } ... on Fault { code }
  ... on ConsentTextFault { disclosure { digest } } } }"""
ASSIST = """mutation ($input: AssistVerificationInput!) { assistVerification(input: $input) {
  __typename ... on PromptAnswer { accepted } ... on Fault { code } } }"""
TEXT = """query ($partner: String!, $service: String!, $members: [ID!]) {
  disclosure(partnerCode: $partner, serviceCode: $service, members: $members) {
    ... on DisclosureNotice { digest } } }"""
CARD = "{ me { card { serial } household { id relation } } }"
CARE = {"partner": verifiers.HOSPITAL, "service": "medical-green-channel"}
ENROL = {"partner": verifiers.SCHOOL, "service": "school-enrolment-preference"}

#: A person, as officers come by them, and what of them they are shown.
PERSON = f"Talent:{demo.handle(demo.PILOT)}"
_FOUND = 'talents(filter: {text: "Ondrix"})'
LOOKS = {
    f"{{ {_FOUND} {{ nodes {{ id name }} }} }}": ["id", "name"],
    f"{{ {_FOUND} {{ edges {{ cursor node {{ birthDate }} }} }} }}": [
        "birthDate",
        "name",
    ],
    f"{{ {_FOUND} {{ ...here }} }} fragment here on TalentConnection "
    "{ edges { ...place } } fragment place on TalentEdge { node { ... { permits { number } } } }": [
        "name",
        "permits",
    ],
    f"{{ {_FOUND} {{ nodes {{ name }} }} also: {_FOUND} {{ nodes {{ card {{ tier }} }} }} }}": [
        "card",
        "name",
    ],
    f'{{ node(id: "{PERSON}") {{ __typename id ... on Talent {{ full: name }} }} }}': [
        "id",
        "name",
    ],
    f'{{ nodes(ids: ["{PERSON}", "{PERSON}"]) {{ ... on Talent {{ household {{ name }} }} }} }}': [
        "household"
    ],
    f"""{{ _entities(representations: [{{__typename: "Talent", id: "{PERSON}"}}]) {{
      ... on _Entity {{ ... on Talent {{ nationality }} }} }} }}""": ["nationality"],
    f'{{ cardRecords(card: {{holder: "{PERSON}"}}) {{ serial }} }}': ["card"],
    f'{{ node(id: "{PERSON}") {{ ... on Talent {{ card {{ talent {{ district }} }} }} }} }}': [
        "card",
        "district",
    ],
}
#: Acts of the card office that change nothing, and all the same tell of a card.
PILOTS = f'card: {{serial: "{demo.serial(demo.PILOT)}"}}'
HELD = f'card: {{holder: "{PERSON}"}}'
_ACTED = "{ ... on CardRecord { holder status } ... on CardStateFault { state } }"
CARD_ACTS = {
    "resumed though it counts": f"resumeCard(input: {{{PILOTS}, reason: REVIEW_ENDED}}) {_ACTED}",
    "suspended by its holder": f"suspendCard(input: {{{HELD}, reason: MISUSE}}) {_ACTED}",
    "renewed": f"renewCard(input: {{{PILOTS}}}) {_ACTED}",
    "revoked, then a fault": f"""revokeCard(input: {{{HELD}, reason: MISUSE}}) {_ACTED}
      resumeCard(input: {{{PILOTS}, reason: MISTAKE}}) {_ACTED}""",
    "replaced": f"""replaceCard(input: {{{PILOTS}, reason: DAMAGED}}) {{
      ... on CardReplacement {{ card {{ serial }} }} }}""",
    "issued where there is one": f"""issueCards(input: {{holders: ["{PERSON}"]}}) {{
      ... on CardsNotIssuedFault {{ rows {{ problem }} }} }}""",
}
#: Whether the pilot, whose class is MEDIUM, is of a class: asked by the name, without their fields.
NAMED = 'text: "Ondrix", talentClass'
SEARCHES = [
    f"{{ talents(first: 0, filter: {{{NAMED}: MEDIUM}}) {{ totalCount }} }}",
    f"{{ talents(first: 0, filter: {{{NAMED}: HIGH}}) {{ totalCount }} }}",
    f"{{ talents(first: 0, filter: {{{NAMED}: MEDIUM}}) {{ pageInfo {{ hasNextPage }} }} }}",
    f"{{ talents(first: 1, filter: {{{NAMED}: MEDIUM}}) {{ edges {{ cursor }} }} }}",
]
COVERED = """{ coverage(service: "arrival-guide") { people(first: 100) {
  nodes { name } edges { node { listedOn } } } } }"""
TUTORING = 'service(code: "children-tutoring") { ... on Service { verdict { outcome } } }'
OFFICE = "changning-school-office"
#: A holder of a card of whose household no child is on record.
CHILDLESS = 1

pytestmark = pytest.mark.viewer("holder", demo.PILOT)


@pytest.fixture
async def tills(hub):
    found = await till.tills(hub)
    for code in (verifiers.CINEMA, verifiers.HOSPITAL):
        await till.grant(hub, code, Scope.VERIFY_SERIAL)
    return found


@pytest.fixture
def log(ask):
    """Read the log, whole or page by page."""

    async def log(first=100, after=None, **who):
        answer = (await ask(LOG, {"first": first, "after": after}, **who)).json()
        assert "errors" not in answer, answer
        return answer["data"]["accessLog"]

    return log


@pytest.fixture
def act(ask):
    async def act(document: str, given, **who):
        answer = (await ask(document, {"input": given}, **who)).json()
        assert "errors" not in answer, answer
        (came,) = answer["data"].values()
        return came

    return act


@pytest.fixture
def agreed_to(ask):
    async def agreed_to(given, members=()):
        answer = await ask(TEXT, {**given, "members": list(members)})
        return answer.json()["data"]["disclosure"]["digest"]

    return agreed_to


@pytest.fixture
def children(ask):
    async def children():
        household = (await ask(CARD)).json()["data"]["me"]["household"]
        return [one["id"] for one in household if one["relation"] == "CHILD"]

    return children


@pytest.fixture
async def waiting(ask, tills):
    """A hospital that waits for the pilot, whose serial it typed."""
    hospital = tills["hospital"]
    serial = (await ask(CARD)).json()["data"]["me"]["card"]["serial"]
    answer = await hospital.verify(presented={"serial": serial}, terminal="desk 3")
    assert answer["__typename"] == "HolderConfirmationPending"
    return answer["verificationId"]


async def test_a_check_is_in_the_log_with_all_that_was_told(tills, log):
    cinema = tills["cinema"]
    answer = await cinema.verify(await till.shown(cinema), terminal="till 2")

    [entry] = (await log())["nodes"]

    assert entry["at"] == answer["checkedAt"]
    assert (entry["partnerCode"], entry["partnerName"]) == (verifiers.CINEMA, "Quill Cinema")
    assert (entry["purpose"], entry["service"]) == ("film-tickets", {"code": "film-tickets"})
    assert (entry["result"], entry["terminal"]) == ("ACCEPTED", "till 2")
    assert entry["receipt"] == answer["receipt"]["id"]
    assert [one["category"] for one in entry["told"]] == ["TIER", "PSEUDONYM"]


async def test_each_piece_that_left_names_the_consent_it_left_on(tills, log, agreed_to):
    hospital = tills["hospital"]
    code = await till.shown(hospital, agreedTo=await agreed_to(CARE))
    answer = await hospital.verify(code)

    [entry] = (await log())["nodes"]

    assert {one["category"] for one in entry["told"]} >= {"TIER", "NAME", "BIRTH_DATE"}
    assert {one["consent"] for one in entry["told"]} == {answer["disclosed"]["consent"]}


async def test_a_child_is_in_its_guardian_s_log_by_the_household_s_own_name(
    tills, log, agreed_to, children
):
    school, [first, _] = tills["school"], await children()
    digest = await agreed_to(ENROL, [first])
    await school.verify(await till.shown(school, agreedTo=digest, members=[first]))

    [entry] = (await log())["nodes"]

    told = {(one["category"], one["member"]) for one in entry["told"]}
    assert told == {
        ("NAME", None),
        ("DEPENDANT_NAME", first),
        ("DEPENDANT_BIRTH_DATE", first),
    }


async def test_the_log_is_read_page_by_page_the_newest_first(tills, log, clock):
    cinema = tills["cinema"]
    for number in range(5):
        await cinema.verify(await till.shown(cinema), terminal=f"till {number}")
        clock.pass_seconds(1 if number % 2 else 0)

    pages, after = [], None
    while True:
        page = await log(2, after)
        pages.append([one["terminal"] for one in page["nodes"]])
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert pages == [["till 4", "till 3"], ["till 2", "till 1"], ["till 0"]]


async def test_nobody_reads_another_s_log_nor_goes_on_in_it(ask, tills, log):
    cinema = tills["cinema"]
    for _ in range(2):
        await cinema.verify(await till.shown(cinema))
    cursor = (await log(1))["pageInfo"]["endCursor"]

    other = await log(viewer="holder", person=demo.RETURNEE)
    stolen = await ask(LOG, {"after": cursor}, viewer="holder", person=demo.RETURNEE)

    assert other["nodes"] == []
    assert stolen.codes == ["BAD_CURSOR"]


@pytest.mark.any_database
@pytest.mark.parametrize("viewer", ["anonymous", "officer", "partner", "admin"])
@pytest.mark.parametrize("document", [LOG, PROMPTS, "{ consents { id } }", "{ devices { id } }"])
async def test_what_is_a_holder_s_own_is_nobody_else_s(ask, tills, document, viewer):
    answer = (await ask(document, viewer=viewer)).json()

    (given,) = answer["data"].values()
    assert given is None


async def test_who_waits_for_the_holder_is_told_with_what_they_would_learn(ask, tills, waiting):
    [prompt] = (await ask(PROMPTS)).json()["data"]["prompts"]

    assert prompt["verification"] == waiting
    assert (prompt["partner"], prompt["terminal"]) == ({"code": verifiers.HOSPITAL}, "desk 3")
    assert (prompt["serviceCode"], prompt["needsConsent"]) == ("medical-green-channel", False)


async def test_a_serial_that_its_holder_confirms_is_accepted(ask, act, tills, waiting):
    answered = await act(ANSWER, {"verification": waiting, "accept": True})

    answer = await tills["hospital"].again(waiting)
    assert answered == {"__typename": "PromptAnswer", "accepted": True}
    assert (answer["__typename"], answer["evidence"]) == ("CardAccepted", "SERIAL_CONFIRMED")
    assert answer["disclosed"]["__typename"] == "TierDisclosure"
    assert (await ask(PROMPTS)).json()["data"]["prompts"] == []


async def test_what_is_agreed_to_with_the_answer_is_told_by_it(act, tills, waiting, agreed_to):
    digest = await agreed_to(CARE)

    await act(ANSWER, {"verification": waiting, "accept": True, "agreedTo": digest})

    answer = await tills["hospital"].again(waiting)
    assert answer["disclosed"]["__typename"] == "PatientDisclosure"
    assert "Ondrix" in answer["disclosed"]["legalName"]


async def test_another_text_answers_nothing(ask, act, tills, waiting, agreed_to):
    fault = await act(ANSWER, {"verification": waiting, "accept": True, "agreedTo": "0"})

    assert fault["code"] == "CONSENT_TEXT"
    assert fault["disclosure"]["digest"] == await agreed_to(CARE)
    assert len((await ask(PROMPTS)).json()["data"]["prompts"]) == 1


async def test_a_serial_that_its_holder_does_not_confirm_is_a_plain_no(act, tills, waiting):
    await act(ANSWER, {"verification": waiting, "accept": False})

    answer = await tills["hospital"].again(waiting)
    assert answer["__typename"] == "CardNotAccepted"


async def test_a_prompt_is_answered_once_in_time_and_by_its_holder(act, clock, waiting, ask):
    given = {"verification": waiting, "accept": True}

    other = await act(ANSWER, given, viewer="holder", person=demo.RETURNEE)
    first, second = await act(ANSWER, given), await act(ANSWER, given)

    assert (other["code"], first["__typename"]) == ("UNKNOWN_PROMPT", "PromptAnswer")
    assert second["code"] == "UNKNOWN_PROMPT"


async def test_a_prompt_runs_out(act, ask, clock, waiting):
    clock.pass_seconds(121)

    assert (await ask(PROMPTS)).json()["data"]["prompts"] == []
    late = await act(ANSWER, {"verification": waiting, "accept": True})
    assert late["code"] == "UNKNOWN_PROMPT"


async def test_a_code_shown_without_agreement_asks_for_it_and_goes_on(ask, act, tills, agreed_to):
    hospital = tills["hospital"]
    answer = await hospital.verify(await till.shown(hospital))
    [prompt] = (await ask(PROMPTS)).json()["data"]["prompts"]

    await act(
        ANSWER,
        {
            "verification": prompt["verification"],
            "accept": True,
            "agreedTo": await agreed_to(CARE),
        },
    )

    assert answer["__typename"] == "ConsentRequired"
    assert prompt["needsConsent"] is True
    assert {"NAME", "BIRTH_DATE"} <= set(prompt["categories"])
    later = await hospital.again(prompt["verification"])
    assert later["disclosed"]["__typename"] == "PatientDisclosure"


async def test_an_officer_confirms_for_who_is_there_and_the_holder_reads_why(
    act, tills, waiting, log
):
    reason = "Recognised by passport; phone lost."

    answered = await act(ASSIST, {"verification": waiting, "reason": reason}, viewer="officer")

    answer = await tills["hospital"].again(waiting)
    assert answered["accepted"] is True
    assert answer["disclosed"]["__typename"] == "TierDisclosure"
    [by_officer] = [one for one in (await log())["nodes"] if one["receipt"] is None]
    assert (by_officer["purpose"], by_officer["result"]) == (reason, None)
    assert by_officer["partnerCode"].startswith("officer:")
    assert "demo-officer" not in str(by_officer)
    assert [one["category"] for one in by_officer["told"]] == ["RECORD"]


async def test_who_cannot_be_noted_to_have_confirmed_has_not_confirmed(hub, ask, waiting):
    given = {"verification": waiting, "reason": "Recognised by passport."}
    await _lose_the_log(hub)

    answer = await ask(ASSIST, {"input": given}, viewer="officer")

    [prompt] = (await ask(PROMPTS)).json()["data"]["prompts"]
    assert (answer.codes, prompt["verification"]) == (["INTERNAL"], waiting)


@pytest.mark.any_database
@pytest.mark.parametrize("reason", ["", " ", "x" * 201, "a\nb"])
async def test_an_officer_says_why(ask, waiting, reason):
    given = {"verification": waiting, "reason": reason}

    assert (await ask(ASSIST, {"input": given}, viewer="officer")).codes == ["BAD_INPUT"]


async def test_an_officer_confirms_nothing_that_waits_for_nobody(act, tills):
    given = {"verification": "nothing", "reason": "A reason."}

    assert (await act(ASSIST, given, viewer="officer"))["code"] == "UNKNOWN_PROMPT"


@pytest.mark.any_database
@pytest.mark.parametrize("viewer", ["anonymous", "partner", "holder", "integrator"])
async def test_nobody_but_an_officer_confirms_for_another(ask, waiting, viewer):
    given = {"verification": waiting, "reason": "A reason."}

    answer = (await ask(ASSIST, {"input": given}, viewer=viewer)).json()

    assert answer["data"] == {"assistVerification": None}


async def test_an_officer_does_not_agree_for_anybody(act, tills):
    hospital = tills["hospital"]
    answer = await hospital.verify(await till.shown(hospital))

    given = {"verification": answer["verificationId"], "reason": "A reason."}
    assert (await act(ASSIST, given, viewer="officer"))["code"] == "UNKNOWN_PROMPT"


async def test_a_booking_is_in_the_log_by_the_name_that_its_partner_hears(hub, act, log):
    booth = cinema.Booth()
    async with partner.running(booth.does) as loopback:
        await cinema.join(hub, loopback.url)
        await act(cinema.RESERVE, cinema.SEAT)
        await act(cinema.RESERVE, cinema.SEAT)

    [entry] = (await log())["nodes"]

    assert (entry["purpose"], entry["result"]) == ("film-tickets", None)
    assert [one["category"] for one in entry["told"]] == ["PSEUDONYM"]


@pytest.mark.parametrize("viewer", ["officer", "admin"])
@pytest.mark.parametrize(("look", "fields"), LOOKS.items())
async def test_whoever_is_shown_a_record_is_in_the_log_with_what_of_it(
    ask, log, viewer, look, fields
):
    answer = await ask(look, viewer=viewer)

    [entry] = (await log())["nodes"]

    assert "errors" not in answer.json()
    assert entry["partnerCode"].startswith("officer:")
    assert (entry["purpose"], entry["service"]) == ("talent-database", None)
    assert [(one["category"], one["fields"]) for one in entry["told"]] == [("RECORD", fields)]


@pytest.mark.any_database
@pytest.mark.parametrize("acts", CARD_ACTS.values(), ids=CARD_ACTS)
async def test_whoever_hears_of_a_card_by_an_act_is_in_the_log(ask, log, acts):
    answer = await ask(f"mutation {{ {acts} }}", viewer="officer")

    [entry] = (await log())["nodes"]

    assert "errors" not in answer.json()
    assert entry["partnerCode"].startswith("officer:")
    assert [(one["category"], one["fields"]) for one in entry["told"]] == [("RECORD", ["card"])]


async def test_a_card_whose_act_cannot_be_noted_is_not_shown(hub, ask):
    await _lose_the_log(hub)

    answer = await ask(f"mutation {{ {CARD_ACTS['renewed']} }}", viewer="officer")

    assert (answer.status, answer.codes) == (500, ["INTERNAL"])


async def test_who_has_no_card_reads_that_somebody_looked(ask, log):
    engineer = demo.handle(demo.ENGINEER)
    await ask(f'{{ cardRecords(card: {{holder: "{engineer}"}}) {{ serial }} }}', viewer="officer")

    [entry] = (await log(viewer="holder", person=demo.ENGINEER))["nodes"]

    assert entry["told"][0]["fields"] == ["card"]


@pytest.mark.parametrize("search", SEARCHES)
async def test_who_is_looked_for_by_name_reads_it_whatever_is_asked_and_found(ask, log, search):
    answer = await ask(search, viewer="officer")

    [entry] = (await log())["nodes"]

    assert "errors" not in answer.json()
    assert entry["told"][0]["fields"] == ["name", "talentClass"]


@pytest.mark.any_database
async def test_a_search_for_many_is_noted_for_those_on_the_page(hub, ask, monkeypatch):
    monkeypatch.setattr(talent, "FEW", 2)
    answer = await ask(
        '{ talents(first: 1, filter: {text: "e"}) { totalCount } }', viewer="officer"
    )

    async with hub.hub.database.session() as session:
        wanted = sa.select(sa.func.count()).select_from(verification.AccessEntry)
        noted = await session.scalar(wanted)
    assert answer.json()["data"]["talents"]["totalCount"] > 2
    assert noted == 1


async def test_who_is_listed_as_covered_by_a_rule_reads_of_which_service(ask, log):
    await ask(COVERED, viewer="officer")

    [entry] = (await log())["nodes"]

    assert entry["service"] == {"code": "arrival-guide"}
    assert entry["told"][0]["fields"] == ["listedOn", "name"]


@pytest.mark.parametrize(
    "document",
    [
        "{ talents { totalCount pageInfo { endCursor } nodes { __typename } edges { cursor } } }",
        '{ coverage(service: "arrival-guide") { counts { eligible } people { totalCount } } }',
        f'{{ node(id: "{PERSON}") {{ __typename }} menu {{ nodes {{ id code }} }} }}',
    ],
)
async def test_who_counts_people_is_shown_nobody(ask, log, document):
    answer = await ask(document, viewer="officer")

    assert "errors" not in answer.json()
    assert (await log())["nodes"] == []


async def test_neither_who_looks_at_themselves_nor_a_plan_alone_is_noted(ask, log):
    look = f'{{ node(id: "{PERSON}") {{ ... on Talent {{ name }} }} }}'
    await ask("{ me { name } }")
    await ask(look)
    await ask(look, viewer="officer", headers={"x-greenway-plan": "only"})
    await ask(look, viewer="partner")

    assert (await log())["nodes"] == []


async def test_an_officer_is_one_to_each_person_and_another_to_the_next(ask, log):
    for _ in range(2):
        await ask("{ talents(first: 100) { nodes { name } } }", viewer="officer")

    mine = [one["partnerCode"] for one in (await log())["nodes"]]
    other = (await log(viewer="holder", person=demo.RETURNEE))["nodes"]

    assert (len(mine), len(set(mine)), len(other)) == (2, 1, 2)
    assert other[0]["partnerCode"] not in mine


@pytest.mark.any_database  # PostgreSQL's COPY is the driver's alone: nobody else sees it
async def test_a_page_of_people_is_noted_in_one_statement(ask, queries):
    await ask("{ talents(first: 100) { nodes { name } edges { node { id } } } }", viewer="officer")

    assert len([one for one in queries if "access_entry" in one]) == 1


async def test_a_look_that_cannot_be_noted_shows_nothing(hub, ask):
    await _lose_the_log(hub)

    answer = await ask(
        f'{{ node(id: "{PERSON}") {{ ... on Talent {{ name }} }} }}', viewer="officer"
    )

    assert (answer.status, answer.codes) == (500, ["INTERNAL"])
    assert b"Ondrix" not in answer.body


async def test_a_partner_that_is_asked_for_facts_is_in_the_log_once_a_query_and_service(ask, log):
    await ask(f"{{ one: {TUTORING} two: {TUTORING} }}", person=CHILDLESS)
    await ask(f"{{ {TUTORING} }}", person=CHILDLESS, headers={"x-greenway-plan": "only"})

    [entry] = (await log(person=CHILDLESS))["nodes"]

    assert (entry["partnerCode"], entry["purpose"]) == (OFFICE, "children-tutoring")
    assert entry["partnerName"]
    assert [(one["category"], one["fields"]) for one in entry["told"]] == [("PSEUDONYM", None)]


async def test_a_verdict_is_given_where_it_cannot_be_noted_who_was_asked(hub, ask, caplog):
    await _lose_the_log(hub)

    with caplog.at_level(logging.ERROR, "greenway"):
        answer = await ask(f"{{ {TUTORING} }}", person=CHILDLESS)

    assert answer.json()["data"]["service"]["verdict"]["outcome"]
    assert "missing in a log: 1 entries" in caplog.text
    assert demo.handle(CHILDLESS) not in caplog.text


async def _lose_the_log(hub) -> None:
    async with hub.hub.database.begin() as session:
        await session.execute(sa.text("DROP TABLE access_entry"))


async def test_the_card_shows_its_areas_with_what_they_open_and_who_takes_it(ask, tills):
    asked = """{ me { card { areas { area { code } unitsLeft renewsOn
      services { code } partners { code name contact } } } } }"""

    areas = (await ask(asked)).json()["data"]["me"]["card"]["areas"]

    assert len(areas) == 12
    assert all(one["services"] for one in areas)
    [films] = [
        one for one in areas if "film-tickets" in [service["code"] for service in one["services"]]
    ]
    assert verifiers.CINEMA in [one["code"] for one in films["partners"]]

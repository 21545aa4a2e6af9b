"""A holder mints a live code: for one partner, one service, and what they agreed to."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
import sqlalchemy as sa
import zxingcpp

from credentials import code
from models import card, demo, talent
from models.consent import Consent, Means
from models.presentation import Ticket
from models.verifier import Verifier
from tests import hub as standing
from tests import picture, verifiers

PRESENT = """mutation ($input: PresentCardInput!) { presentCard(input: $input) {
  __typename
  ... on LiveCode {
    code png svg expiresAt renewAfter partner { code name } service { code } terminal
    policy discloses consent }
  ... on Fault { code message }
  ... on NoLiveCardFault { cardStatus }
  ... on ConsentTextFault { disclosure { digest text } } } }"""
DISCLOSURE = """query ($partner: String!, $service: String!, $language: String, $members: [ID!]) {
  disclosure(partnerCode: $partner, serviceCode: $service, language: $language, members: $members) {
    __typename ... on Fault { code }
    ... on DisclosureNotice { policy categories consentNeeded text language version digest } } }"""
YESTERDAY = (standing.NOW - timedelta(days=1)).date()
FILM = {"partnerCode": verifiers.CINEMA, "serviceCode": "film-tickets"}
CARE = {"partnerCode": verifiers.HOSPITAL, "serviceCode": "medical-green-channel"}
ENROL = {"partnerCode": verifiers.SCHOOL, "serviceCode": "school-enrolment-preference"}

pytestmark = pytest.mark.viewer("holder", demo.PILOT)


@pytest.fixture
async def present(hub, ask):
    """Mint a code, or hear why not."""
    await verifiers.registered(hub)

    async def present(**given):
        answer = (await ask(PRESENT, {"input": given})).json()
        assert "errors" not in answer
        return answer["data"]["presentCard"]

    return present


@pytest.fixture
def text_of(ask):
    """Ask for the text that is agreed to."""

    async def text_of(given, **more):
        said = {"partner": given["partnerCode"], "service": given["serviceCode"], **more}
        return (await ask(DISCLOSURE, said)).json()["data"]["disclosure"]

    return text_of


@pytest.fixture
def kept(hub):
    """Return what is kept of codes and of what was agreed to with them."""

    async def kept(table):
        async with hub.hub.database.session() as session:
            return (await session.scalars(sa.select(table))).all()

    return kept


@pytest.fixture
def pilots(hub):
    """Change the pilot's card."""

    async def pilots(**values):
        async with hub.hub.database.begin() as session:
            whose = sa.select(talent.Talent.id).where(
                talent.Talent.handle == demo.handle(demo.PILOT)
            )
            await session.execute(
                sa.update(card.Card)
                .where(card.Card.talent_id == whose.scalar_subquery())
                .values(**values)
            )

    return pilots


async def test_a_live_code_is_for_one_partner_and_service_and_lasts_a_minute(
    hub, present, kept, clock
):
    live = await present(**FILM)

    [ticket] = await kept(Ticket)
    found = code.parse(live["code"])
    assert isinstance(found, code.LiveCode)
    assert found.host == hub.hub.authority.host
    assert (ticket.digest, ticket.verifier, ticket.service) == (
        found.ticket.digest.hex(),
        verifiers.CINEMA,
        "film-tickets",
    )
    assert (ticket.expires_at, ticket.used_at) == (clock.now + timedelta(seconds=60), None)
    assert live["partner"] == {"code": verifiers.CINEMA, "name": "Quill Cinema"}
    assert live["discloses"] == ["TIER"]
    assert (live["consent"], live["terminal"]) == (None, None)


async def test_the_pictures_of_a_code_are_read_by_a_scanner_as_the_code(present):
    live = await present(**FILM)

    [seen] = zxingcpp.read_barcodes(picture.grey(base64.b64decode(live["png"])))
    assert seen.text == live["code"]
    assert live["svg"].startswith("<svg")


async def test_nothing_of_a_code_is_kept_but_its_digest(present, kept):
    live = await present(**FILM)

    secret = live["code"].rpartition("/")[2]
    [ticket] = await kept(Ticket)
    assert secret not in repr(vars(ticket))


async def test_without_agreement_a_hospital_learns_the_tier_alone(present, kept):
    live = await present(**CARE)

    assert (live["policy"], live["discloses"], live["consent"]) == ("tier-1", ["TIER"], None)
    assert not await kept(Consent)


async def test_what_is_agreed_to_with_a_code_ends_with_the_code(present, text_of, kept):
    shown = await text_of(CARE)

    live = await present(**CARE, agreedTo=shown["digest"])

    [ticket], [given] = await kept(Ticket), await kept(Consent)
    assert live["discloses"] == ["TIER", "NAME", "BIRTH_DATE"]
    assert (live["consent"], given.means) == (given.handle, Means.CODE)
    assert ticket.consent_id == given.id
    assert given.ends_at == ticket.expires_at
    assert given.text_digest == shown["digest"]
    assert (given.partner_name, given.contact) == (
        "Ember Hospital",
        "privacy@ember-hospital.example",
    )


async def test_agreeing_to_another_text_mints_nothing_and_gives_the_text_anew(
    present, text_of, kept
):
    shown = await text_of(CARE)

    fault = await present(**CARE, agreedTo="0" * 64)

    assert (fault["__typename"], fault["code"]) == ("ConsentTextFault", "CONSENT_TEXT")
    assert fault["disclosure"] == {"digest": shown["digest"], "text": shown["text"]}
    assert not await kept(Ticket)
    assert not await kept(Consent)


async def test_a_text_names_recipient_purpose_categories_and_term_in_either_language(
    present, text_of
):
    english, chinese = await text_of(CARE), await text_of(CARE, language="zh-CN")

    for said in ("Ember Hospital", "privacy@ember-hospital.example", "birth date", "withdraw"):
        assert said in english["text"]
    assert "privacy@ember-hospital.example" in chinese["text"]
    assert "出生日期" in chinese["text"]
    assert english["digest"] != chinese["digest"]
    assert (english["language"], chinese["language"]) == ("en", "zh")


async def test_agreeing_to_the_other_language_s_text_counts_where_that_was_shown(present, text_of):
    shown = await text_of(CARE, language="zh")

    unsaid = await present(**CARE, agreedTo=shown["digest"])
    said = await present(**CARE, agreedTo=shown["digest"], language="zh")

    assert (unsaid["__typename"], said["__typename"]) == ("ConsentTextFault", "LiveCode")


async def test_a_cinema_asks_for_nothing_personal_so_there_is_nothing_to_agree_to(present, text_of):
    shown = await text_of(FILM)

    fault = await present(**FILM, agreedTo=shown["digest"])

    assert shown["consentNeeded"] is False
    assert fault["code"] == "CONSENT_TEXT"


async def test_a_guardian_agrees_for_each_child_by_itself(ask, present, text_of, kept):
    household = (await ask("{ me { household { id relation name } } }")).json()
    children = [one for one in household["data"]["me"]["household"] if one["relation"] == "CHILD"]
    ids = [one["id"] for one in children]
    shown = await text_of(ENROL, members=ids)

    live = await present(**ENROL, agreedTo=shown["digest"], members=ids)

    own, *others = await kept(Consent)
    assert len(ids) == 2
    assert all(one["name"] in shown["text"] for one in children)
    assert live["consent"] == own.handle
    assert (own.member_id, own.categories) == (None, ["NAME"])
    assert [str(one.member_id) for one in others] == ids
    assert {tuple(one.categories) for one in others} == {("DEPENDANT_NAME", "DEPENDANT_BIRTH_DATE")}


async def test_a_guardian_s_text_is_another_for_other_children(ask, present, text_of):
    household = (await ask("{ me { household { id relation } } }")).json()
    one, other = (
        child["id"]
        for child in household["data"]["me"]["household"]
        if child["relation"] == "CHILD"
    )
    shown = await text_of(ENROL, members=[one])

    fault = await present(**ENROL, agreedTo=shown["digest"], members=[one, other])

    assert fault["code"] == "CONSENT_TEXT"


@pytest.mark.parametrize("members", [[], ["1"], ["0"], ["x"]])
async def test_nobody_agrees_for_who_is_no_child_of_theirs(hub, ask, present, members):
    given = {**ENROL, "agreedTo": "0" * 64, "members": members}

    answer = await ask(PRESENT, {"input": given})

    assert answer.codes == ["BAD_INPUT"]


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"status": card.Status.SUSPENDED}, "SUSPENDED"),
        ({"status": card.Status.REVOKED}, "REVOKED"),
        ({"valid_until": YESTERDAY}, "EXPIRED"),
    ],
)
async def test_a_card_that_is_not_to_be_used_mints_no_code(present, pilots, kept, values, status):
    await pilots(**values)

    fault = await present(**FILM)

    assert (fault["code"], fault["cardStatus"]) == ("NO_LIVE_CARD", status)
    assert not await kept(Ticket)


@pytest.mark.viewer("holder", 3)
async def test_who_has_no_card_hears_so(present):
    fault = await present(**FILM)

    assert (fault["code"], fault["cardStatus"]) == ("NO_LIVE_CARD", None)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({**FILM, "partnerCode": "quill-cinemas"}, "UNKNOWN_CODE"),
        ({**FILM, "serviceCode": "no-such-service"}, "UNKNOWN_CODE"),
        ({**FILM, "serviceCode": "physical-check"}, "NOT_SERVED"),
        ({"serviceCode": "film-tickets", "venueCode": "a poster"}, "NOT_SERVED"),
    ],
)
async def test_a_code_for_nobody_is_not_minted(present, kept, given, fault):
    found = await present(**given)

    assert found["code"] == fault
    assert not await kept(Ticket)


async def test_a_suspended_partner_is_shown_nothing(hub, present):
    async with hub.hub.database.begin() as session:
        await session.execute(
            sa.update(Verifier)
            .where(Verifier.code == verifiers.CINEMA)
            .values(suspended_at=standing.NOW)
        )
    await hub.hub.authority.refreshed()

    assert (await present(**FILM))["code"] == "NOT_SERVED"


async def test_a_scanned_counter_names_the_partner_and_itself(hub, present):
    authority = hub.hub.authority
    printed = code.venue(authority.issuer, authority.master, verifiers.CINEMA, "door-2")

    live = await present(serviceCode="film-tickets", venueCode=printed)

    assert (live["partner"]["code"], live["terminal"]) == (verifiers.CINEMA, "door-2")


async def test_a_counter_s_code_that_somebody_else_printed_counts_for_nothing(hub, present):
    issuer = hub.hub.authority.issuer
    forged = code.venue(issuer, b"x" * 32, verifiers.CINEMA, "door-2")
    foreign = code.venue(
        "https://other.example", hub.hub.authority.master, verifiers.CINEMA, "door-2"
    )

    found = [await present(serviceCode="film-tickets", venueCode=one) for one in (forged, foreign)]

    assert [one["code"] for one in found] == ["NOT_SERVED", "NOT_SERVED"]


@pytest.mark.parametrize("both", [{}, {"venueCode": "x", "partnerCode": verifiers.CINEMA}])
async def test_a_partner_is_named_once(ask, present, both):
    answer = await ask(PRESENT, {"input": {"serviceCode": "film-tickets", **both}})

    assert answer.codes == ["BAD_INPUT"]


async def test_codes_nobody_scanned_are_forgotten_with_what_was_agreed_to_for_them(
    present, text_of, kept, clock
):
    digest = (await text_of(CARE))["digest"]
    await present(**CARE, agreedTo=digest)
    clock.pass_seconds(3700)

    await present(**CARE, agreedTo=digest)

    assert len(await kept(Ticket)) == len(await kept(Consent)) == 1


@pytest.mark.parametrize("viewer", ["anonymous", "officer", "partner", "admin"])
async def test_nobody_but_a_holder_shows_a_card(hub, ask, present, kept, viewer):
    answer = await ask(PRESENT, {"input": FILM}, viewer=viewer)

    assert answer.json()["data"] == {"presentCard": None}
    assert not await kept(Ticket)

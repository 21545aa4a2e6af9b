"""A holder's phone: linked, its codes without a network, its passes and portable credentials."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from joserfc.jwk import ECKey

from credentials import base64url, code, offline_pass, sd_jwt, status
from credentials.keyring import Purpose
from models import card, demo
from models.status import StatusEntry
from models.verification import AccessEntry, Category
from models.verifier import Scope
from resolvers import device, issuer, presented
from tests import asgi, till, verifiers

LINK = """mutation ($input: LinkDeviceInput!) { linkDevice(input: $input) {
  ... on Device { id name hasKey unlinkedAt } ... on Fault { __typename code } } }"""
UNLINK = """mutation ($input: UnlinkDeviceInput!) { unlinkDevice(input: $input) {
  ... on Device { id unlinkedAt } ... on Fault { __typename code } } }"""
SEEDS = """query ($id: ID!) { fallbackSeeds(device: $id) {
  ... on FallbackSeeds { base stepSeconds seeds { secret beginsAt endsAt } }
  ... on Fault { __typename code } } }"""
OFFLINE = """mutation ($input: IssuePassInput!) { issuePass(input: $input) {
  ... on OfflinePass { cwt expiresAt discloses consent partner { code } }
  ... on Fault { __typename code } } }"""
BATCH = """mutation ($input: IssueCredentialsInput!) { issueCredentials(input: $input) {
  ... on CredentialBatch { credentials vct expiresAt } ... on Fault { __typename code } } }"""
WITHDRAW = """mutation ($input: WithdrawConsentInput!) { withdrawConsent(input: $input) {
  ... on Consent { alive } ... on Fault { code } } }"""
TEXT = """{ disclosure(partnerCode: "ember-hospital", serviceCode: "medical-green-channel") {
  ... on DisclosureNotice { digest } } }"""
FILM = {"partnerCode": verifiers.CINEMA, "serviceCode": "film-tickets"}
CARE = {"partnerCode": verifiers.HOSPITAL, "serviceCode": "medical-green-channel"}

pytestmark = pytest.mark.viewer("holder", demo.PILOT)


@pytest.fixture
async def tills(hub):
    found = await till.tills(hub)
    for partner in (verifiers.CINEMA, verifiers.HOSPITAL):
        await till.grant(hub, partner, Scope.VERIFY_OFFLINE)
    return found


@pytest.fixture
def act(ask, tills):
    async def act(document: str, given, **who):
        answer = (await ask(document, {"input": given}, **who)).json()
        assert "errors" not in answer, answer
        (came,) = answer["data"].values()
        return came

    return act


@pytest.fixture
def key() -> ECKey:
    """The phone's own key."""
    return ECKey.generate_key("P-256")


@pytest.fixture
async def phone(act, key) -> str:
    """A linked phone, by id."""
    return (await act(LINK, {"name": "blue phone", "publicKey": point(key)}))["id"]


@pytest.fixture
def seeds(ask):
    async def seeds(id_, **who):
        return (await ask(SEEDS, {"id": id_}, **who)).json()["data"]["fallbackSeeds"]

    return seeds


@pytest.fixture
def rows(hub):
    async def rows(table):
        async with hub.hub.database.session() as session:
            return (await session.scalars(sa.select(table).order_by(table.id))).all()

    return rows


def point(key: ECKey) -> dict[str, str]:
    said = key.as_dict(private=False)
    return {name: said[name] for name in ("x", "y")}


async def test_a_phone_without_a_network_shows_codes_that_a_partner_verifies(
    tills, phone, seeds, clock
):
    cinema, handle = tills["cinema"], bytes.fromhex(phone)
    found = await seeds(phone)
    step = code.step_at(clock.now)
    today, tomorrow = (base64url.decode(one["secret"]) for one in found["seeds"])

    now = await cinema.verify(code.fallback(found["base"], today, handle, step))
    again = await cinema.verify(code.fallback(found["base"], today, handle, step))
    clock.pass_seconds(24 * 3600)
    later = code.fallback(found["base"], tomorrow, handle, code.step_at(clock.now))
    stolen = code.fallback(found["base"], today, handle, code.step_at(clock.now))

    assert (now["__typename"], now["evidence"]) == ("CardAccepted", "FALLBACK_CODE")
    assert again["codeProblem"] == "ALREADY_USED"
    assert (await cinema.verify(later))["__typename"] == "CardAccepted"
    assert (await cinema.verify(stolen))["__typename"] == "CardNotAccepted"
    assert found["stepSeconds"] == code.STEP_SECONDS


async def test_an_unlinked_phone_shows_nothing_that_counts(act, ask, tills, phone, seeds, clock):
    cinema, found = tills["cinema"], await seeds(phone)
    secret = base64url.decode(found["seeds"][0]["secret"])

    await act(UNLINK, {"id": phone})
    shown = code.fallback(found["base"], secret, bytes.fromhex(phone), code.step_at(clock.now))

    assert (await cinema.verify(shown))["__typename"] == "CardNotAccepted"
    assert (await seeds(phone))["code"] == "UNKNOWN_DEVICE"
    assert (await ask("{ devices { id } }")).json()["data"]["devices"] == []


async def test_unlinking_again_changes_nothing(act, phone, clock):
    first = await act(UNLINK, {"id": phone})
    clock.pass_seconds(60)

    assert await act(UNLINK, {"id": phone}) == first


async def test_a_phone_is_its_holder_s_alone(ask, act, phone, seeds):
    other = {"viewer": "holder", "person": demo.RETURNEE}

    assert (await ask("{ devices { id } }", **other)).json()["data"]["devices"] == []
    assert (await seeds(phone, **other))["code"] == "UNKNOWN_DEVICE"
    assert (await act(UNLINK, {"id": phone}, **other))["code"] == "UNKNOWN_DEVICE"
    assert (await act(OFFLINE, {**FILM, "device": phone}, **other))["code"] == "UNKNOWN_DEVICE"


async def test_no_more_phones_are_linked_than_a_person_has(ask, act):
    for number in range(device.MOST):
        await act(LINK, {"name": f"phone {number}"})

    answer = await ask(LINK, {"input": {"name": "one more"}})

    assert answer.codes == ["BAD_INPUT"]


@pytest.mark.any_database
@pytest.mark.parametrize(
    "given",
    [
        {"name": ""},
        {"name": "x" * 61},
        {"name": "a\nb"},
        {"name": "a", "publicKey": {"x": "AAAA", "y": "AAAA"}},
        {"name": "a", "publicKey": {"x": base64url.encode(bytes(32)), "y": "no"}},
    ],
)
async def test_what_is_no_name_or_key_links_no_phone(ask, act, given):
    answer = await ask(LINK, {"input": given})

    assert answer.codes == ["BAD_INPUT"]


@pytest.mark.viewer("holder", 3)
async def test_who_has_no_card_links_no_phone(act):
    assert (await act(LINK, {"name": "a"}))["code"] == "NO_LIVE_CARD"


async def test_a_pass_is_read_without_the_hub_and_names_nobody(hub, act, phone, key, clock):
    issued = await act(OFFLINE, {**FILM, "device": phone})

    cwt, step = base64url.decode(issued["cwt"]), code.step_at(clock.now)
    ring = hub.hub.authority.keys.ring
    found = offline_pass.read(
        offline_pass.show(cwt, key, step),
        lambda named: ring.named(Purpose.PASS, named, clock.now),
        audience=verifiers.CINEMA,
        now=clock.now,
    )
    assert found.terms.services == ("film-tickets",)
    assert (found.terms.name, found.terms.birth_date) == (None, None)
    assert found.expires_at - found.issued_at == timedelta(days=7)
    assert (issued["discloses"], issued["consent"]) == (["TIER"], None)
    assert demo.handle(demo.PILOT) not in repr(found)


async def test_a_hospital_s_pass_says_a_name_where_that_was_agreed_to(
    hub, ask, act, phone, key, rows, clock
):
    digest = (await ask(TEXT)).json()["data"]["disclosure"]["digest"]

    plain = await act(OFFLINE, {**CARE, "device": phone})
    issued = await act(OFFLINE, {**CARE, "device": phone, "agreedTo": digest})

    ring = hub.hub.authority.keys.ring
    shown = [
        offline_pass.opened(
            offline_pass.show(base64url.decode(one["cwt"]), key, code.step_at(clock.now)),
            lambda named: ring.named(Purpose.PASS, named, clock.now),
        )
        for one in (plain, issued)
    ]
    assert plain["discloses"] == ["TIER"]
    assert shown[0].terms.name is None
    assert issued["discloses"] == ["TIER", "NAME", "BIRTH_DATE"]
    assert "Ondrix" in shown[1].terms.name
    told = [one for one in await rows(AccessEntry) if one.consent == issued["consent"]]
    assert {one.category for one in told} >= {Category.NAME, Category.BIRTH_DATE}


async def test_withdrawing_what_a_pass_says_on_ends_that_pass_alone(ask, act, phone, rows):
    digest = (await ask(TEXT)).json()["data"]["disclosure"]["digest"]
    issued = await act(OFFLINE, {**CARE, "device": phone, "agreedTo": digest})
    await act(BATCH, {"publicKeys": [point(ECKey.generate_key("P-256"))], "device": phone})

    await act(WITHDRAW, {"id": issued["consent"]})

    of_pass, of_card = await rows(StatusEntry)
    assert of_pass.ended_at is not None
    assert of_card.ended_at is None


async def test_unlinking_a_phone_ends_what_was_issued_for_it_alone(act, phone, rows):
    await act(OFFLINE, {**FILM, "device": phone})
    await act(BATCH, {"publicKeys": [point(ECKey.generate_key("P-256"))]})

    await act(UNLINK, {"id": phone})

    of_phone, of_wallet = await rows(StatusEntry)
    assert (of_phone.ended_at is None, of_wallet.ended_at is None) == (False, True)


async def test_a_phone_without_a_key_has_no_passes(ask, act):
    bare = (await act(LINK, {"name": "old phone"}))["id"]

    answer = await ask(OFFLINE, {"input": {**FILM, "device": bare}})

    assert answer.codes == ["BAD_INPUT"]


async def test_a_partner_that_is_not_to_read_passes_gets_none(hub, act, phone):
    given = {
        "device": phone,
        "partnerCode": verifiers.SCHOOL,
        "serviceCode": "school-enrolment-preference",
    }

    assert (await act(OFFLINE, given))["code"] == "NOT_SERVED"


async def test_portable_credentials_come_in_a_batch_with_nothing_in_common(hub, act, rows, clock):
    keys = [ECKey.generate_key("P-256") for _ in range(10)]

    batch = await act(BATCH, {"publicKeys": [point(one) for one in keys]})

    authority = hub.hub.authority
    seen = [
        sd_jwt.verify(
            sd_jwt.present(
                token,
                ["legal_name", "areas"],
                holder=key,
                audience=presented.audience(authority, verifiers.HOSPITAL),
                nonce="nonce",
                now=clock.now,
            ),
            lambda _, kid: authority.keys.ring.verifying(Purpose.CARD, kid, clock.now),
            vcts={issuer.CITY_TYPE},
            audience=presented.audience(authority, verifiers.HOSPITAL),
            nonce="nonce",
            now=clock.now,
        )
        for token, key in zip(batch["credentials"], keys, strict=True)
    ]
    assert len({one.status_index for one in seen}) == len({one.holder for one in seen}) == 10
    assert (
        {one.vct for one in seen} == {batch["vct"]} == {f"{authority.issuer}{presented.VCT_PATH}"}
    )
    assert all("Ondrix" in one.claims["legal_name"] for one in seen)
    assert len(seen[0].claims["areas"]) == 12
    assert not [one for one in batch["credentials"] if "Ondrix" in one]
    assert len(await rows(StatusEntry)) == 10
    assert max(len(one) for one in batch["credentials"]) < sd_jwt.MOST_LENGTH


async def test_no_credential_outlives_its_card(hub, act, clock):
    async with hub.hub.database.begin() as session:
        await session.execute(
            sa.update(card.Card)
            .where(card.Card.talent_id == demo.PILOT)
            .values(valid_until=clock.now.date() + timedelta(days=2))
        )

    batch = await act(BATCH, {"publicKeys": [point(ECKey.generate_key("P-256"))]})

    assert batch["expiresAt"].startswith("2026-11-24T16:00")


@pytest.mark.any_database
@pytest.mark.parametrize("many", [0, 11])
async def test_a_batch_is_of_one_to_ten(ask, act, many):
    given = [point(ECKey.generate_key("P-256"))] * many

    answer = await ask(BATCH, {"input": {"publicKeys": given}})

    assert answer.codes == ["BAD_INPUT"]


async def test_nobody_has_credentials_made_without_end(act):
    given = {"publicKeys": [point(ECKey.generate_key("P-256"))]}

    found = [await act(BATCH, given) for _ in range(61)]

    assert [one.get("code") for one in found[:60]] == [None] * 60
    assert found[60]["code"] == "TOO_OFTEN"


async def test_an_unlinked_phone_s_credential_is_revoked_in_its_list(hub, act, phone):
    key = ECKey.generate_key("P-256")
    await act(BATCH, {"publicKeys": [point(key)], "device": phone})

    await act(UNLINK, {"id": phone})

    answer = await asgi.call(hub.app, path="/status/1")
    authority = hub.hub.authority
    found = status.read(
        answer.body.decode(),
        lambda kid: authority.keys.ring.verifying(Purpose.STATUS, kid, hub.clock()),
        uri=f"{authority.issuer}/status/1",
        now=hub.clock(),
    )
    async with hub.hub.database.session() as session:
        [entry] = (await session.scalars(sa.select(StatusEntry))).all()
    assert found.statuses[entry.place] == status.Status.INVALID

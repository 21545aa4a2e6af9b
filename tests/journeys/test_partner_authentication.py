"""A partner is registered, gets its keys, asks by them, changes them, and is heard no more."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from credentials import token
from models.verifier import KeySort, Scope
from resolvers import enrolment
from tests import asgi, client, server
from tests import hub as standing
from tests import port as ports

REGISTER = """mutation ($input: RegisterVerifierInput!) { registerVerifier(input: $input) {
  __typename
  ... on Verifier { code tier kind scopes services suspendedAt keys { name } }
  ... on NotGrantableFault { code grantable }
  ... on Fault { code message hint }
} }"""
ADD = """mutation ($input: AddVerifierKeyInput!) { addVerifierKey(input: $input) {
  __typename
  ... on AddedVerifierKey { secret key { name sort live endedAt } }
  ... on Fault { code message }
} }"""
END = """mutation ($input: EndVerifierKeyInput!) { endVerifierKey(input: $input) {
  __typename ... on VerifierKey { name endedAt } ... on UnknownCodeFault { nearest }
} }"""
CHANGE = """mutation ($input: ChangeVerifierInput!) { changeVerifier(input: $input) {
  __typename ... on Verifier { name tier scopes services } ... on Fault { code }
} }"""
SUSPEND = """mutation ($input: SuspendVerifierInput!) { suspendVerifier(input: $input) {
  __typename ... on Verifier { suspendedAt } ... on UnknownCodeFault { nearest }
} }"""
RESUME = """mutation ($input: ResumeVerifierInput!) { resumeVerifier(input: $input) {
  __typename ... on Verifier { suspendedAt }
} }"""
ROTATE = """mutation ($input: RotateVerifierKeyInput!) { rotateVerifierKey(input: $input) {
  __typename ... on AddedVerifierKey { secret key { name live } } ... on Fault { code message }
} }"""
LIST = "{ verifiers { code keys { name sort live endedAt } } }"

CLINIC = {
    "code": "ember-clinic",
    "name": "Ember Clinic",
    "contact": "privacy@ember-clinic.example",
    "kind": "HOSPITAL",
    "tier": 2,
    "scopes": ["VERIFY_CODE", "DISCLOSE_PATIENT"],
    "services": ["physical-check"],
}


async def acted(one, document, viewer="admin", **said):
    answer = await one.ask(document, {"input": said}, viewer=viewer)
    assert answer.codes == []
    [found] = answer.json()["data"].values()
    return found


async def till(one):
    """Register the clinic and give it an API key."""
    await acted(one, REGISTER, **CLINIC)
    return (await acted(one, ADD, code=CLINIC["code"], sort="API_KEY", live=True))["secret"]


async def status(one, key):
    answer = await one.ask(
        client.WHO, viewer="anonymous", headers={"authorization": f"Bearer {key}"}
    )
    return answer.status


async def test_a_partner_is_registered_gets_a_key_and_is_heard(hub):
    registered = await acted(hub, REGISTER, **CLINIC)
    added = await acted(hub, ADD, code=CLINIC["code"], sort="API_KEY", live=True)
    listed = (await hub.ask(LIST, viewer="integrator")).json()["data"]["verifiers"]

    assert registered == {
        "__typename": "Verifier",
        **{name: CLINIC[name] for name in ("code", "tier", "kind", "scopes", "services")},
        "suspendedAt": None,
        "keys": [],
    }
    assert await status(hub, added["secret"]) == 200
    [clinic] = [one for one in listed if one["code"] == CLINIC["code"]]
    assert clinic["keys"] == [added["key"]]
    assert added["secret"] not in str(listed)


async def test_nothing_kept_of_an_api_key_tells_it(hub):
    secret = await till(hub)

    found = await enrolment.everybody(hub.hub.authority.verifiers)

    [row] = [key for one in found for key in one.keys if one.row.code == CLINIC["code"]]
    kept = " ".join(map(str, (row.name, row.digest, row.public)))
    assert secret.split("_")[3] not in kept


@pytest.mark.any_database
@pytest.mark.parametrize("viewer", ["anonymous", "holder", "officer", "integrator", "partner"])
async def test_only_admins_enrol(hub, viewer):
    answer = await hub.ask(REGISTER, {"input": CLINIC}, viewer=viewer)

    assert answer.codes == ["UNAUTHENTICATED" if viewer == "anonymous" else "FORBIDDEN"]


@pytest.mark.any_database
@pytest.mark.parametrize("viewer", ["anonymous", "holder", "partner"])
async def test_who_checks_cards_is_no_business_of_others(hub, viewer):
    answer = await hub.ask(LIST, viewer=viewer)

    assert answer.codes == ["UNAUTHENTICATED" if viewer == "anonymous" else "FORBIDDEN"]


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scopes": ["DISCLOSE_GUARDIAN"]}, "NOT_GRANTABLE"),
        ({"scopes": ["SANDBOX"]}, "NOT_GRANTABLE"),
        ({"tier": 1}, "NOT_GRANTABLE"),
        ({"kind": "CINEMA"}, "NOT_GRANTABLE"),
        ({"services": ["physical-chek"]}, "UNKNOWN_CODE"),
    ],
)
async def test_the_kind_the_tier_and_the_menu_cap_what_may_be_granted(hub, changes, code):
    found = await acted(hub, REGISTER, **{**CLINIC, **changes})

    assert found["code"] == code


@pytest.mark.any_database
async def test_a_refused_grant_says_what_may_be_granted(hub):
    found = await acted(hub, REGISTER, **{**CLINIC, "kind": "CINEMA", "tier": 1})

    assert found["grantable"] == ["VERIFY_CODE", "REDEEM", "DISCLOSE_TIER"]
    assert "disclose:patient" in found["message"]


@pytest.mark.any_database
@pytest.mark.parametrize(
    "changes", [{"code": "Ember Clinic"}, {"code": ""}, {"name": " "}, {"contact": ""}, {"tier": 4}]
)
async def test_what_nobody_can_be_called_is_no_name(hub, changes):
    answer = await hub.ask(REGISTER, {"input": {**CLINIC, **changes}}, viewer="admin")

    assert answer.codes == ["BAD_INPUT"]


async def test_a_code_is_of_one_verifier(hub):
    await acted(hub, REGISTER, **CLINIC)

    again = await acted(hub, REGISTER, **CLINIC)

    assert (again["__typename"], again["code"]) == ("CodeTakenFault", "CODE_TAKEN")


async def test_what_a_verifier_may_do_can_be_changed_within_its_kind(hub):
    await acted(hub, REGISTER, **CLINIC)

    changed = await acted(hub, CHANGE, code=CLINIC["code"], scopes=["VERIFY_CODE"], tier=3)
    refused = await acted(hub, CHANGE, code=CLINIC["code"], scopes=["DISCLOSE_IDENTITY"])
    unknown = await acted(hub, CHANGE, code="nobody", name="Nobody")

    assert (changed["scopes"], changed["tier"], changed["name"]) == (
        ["VERIFY_CODE"], 3, CLINIC["name"],
    )  # fmt: skip
    assert (refused["code"], unknown["code"]) == ("NOT_GRANTABLE", "UNKNOWN_CODE")


async def test_two_keys_of_a_sort_and_a_world_count_at_once(hub):
    await till(hub)
    code = CLINIC["code"]

    second = await acted(hub, ADD, code=code, sort="API_KEY", live=True)
    third = await acted(hub, ADD, code=code, sort="API_KEY", live=True)
    test = await acted(hub, ADD, code=code, sort="API_KEY", live=False)
    await acted(hub, END, code=code, name=second["key"]["name"])
    after = await acted(hub, ADD, code=code, sort="API_KEY", live=True)

    assert third["code"] == "TOO_MANY_KEYS"
    assert {one["__typename"] for one in (second, test, after)} == {"AddedVerifierKey"}
    assert await status(hub, second["secret"]) == 401
    assert await status(hub, after["secret"]) == 200


async def test_of_keys_added_at_once_no_third_one_counts(hub):
    await acted(hub, REGISTER, **CLINIC)

    found = await asyncio.gather(
        *(acted(hub, ADD, code=CLINIC["code"], sort="API_KEY", live=True) for _ in range(5))
    )

    assert sorted(one["__typename"] for one in found) == [
        *["AddedVerifierKey"] * 2, *["TooManyKeysFault"] * 3,
    ]  # fmt: skip


@pytest.mark.any_database
@pytest.mark.parametrize(
    "said",
    [
        {"sort": "JWK"},
        {"sort": "JWK", "publicKey": "{}"},
        {"sort": "JWK", "publicKey": "no JSON"},
        {"sort": "JWK", "publicKey": json.dumps(token.new_key().as_dict(private=True))},
        {"sort": "CERTIFICATE", "thumbprint": "ab:cd"},
        {"sort": "CERTIFICATE"},
    ],
)
async def test_what_is_no_public_key_is_none(hub, said):
    await acted(hub, REGISTER, **CLINIC)

    found = await acted(hub, ADD, code=CLINIC["code"], live=True, **said)

    assert found["code"] == "BAD_KEY"


async def test_a_key_is_of_one_verifier_and_never_returns(hub):
    await acted(hub, REGISTER, **CLINIC)
    await acted(hub, REGISTER, **{**CLINIC, "code": "other-clinic"})
    said = {
        "sort": "JWK",
        "live": True,
        "publicKey": json.dumps(token.new_key().as_dict(private=False)),
    }

    first = await acted(hub, ADD, code=CLINIC["code"], **said)
    other = await acted(hub, ADD, code="other-clinic", **said)
    await acted(hub, END, code=CLINIC["code"], name=first["key"]["name"])
    again = await acted(hub, ADD, code=CLINIC["code"], **said)

    assert first["__typename"] == "AddedVerifierKey"
    assert first["secret"] is None
    assert (other["code"], again["code"]) == ("BAD_KEY", "BAD_KEY")


async def test_a_suspended_verifier_is_refused_until_it_is_resumed(hub):
    key = await till(hub)
    suspended = await acted(hub, SUSPEND, code=CLINIC["code"])
    during = await status(hub, key)
    resumed = await acted(hub, RESUME, code=CLINIC["code"])

    assert suspended["suspendedAt"]
    assert resumed["suspendedAt"] is None
    assert (during, await status(hub, key)) == (401, 200)
    assert (await acted(hub, SUSPEND, code="ember-clinik"))["nearest"] == [CLINIC["code"]]


async def test_a_suspension_bites_in_every_process_within_a_second(stand):
    here, there = stand(), stand()
    key = await till(here)
    async with asgi.alive(there.app):
        heard = standing.eventually(lambda: _is(there, key, 200))
        await heard
        await acted(here, SUSPEND, code=CLINIC["code"])
        await standing.eventually(lambda: _is(there, key, 401), seconds=2.0)


async def _is(one, key, wanted):
    return await status(one, key) == wanted


async def test_a_refusal_says_what_to_show_and_nothing_else(hub):
    answers = [
        await hub.ask(client.WHO, viewer="anonymous", headers={"authorization": said})
        for said in ("Bearer tck_live_x", "DPoP x", "DPoP", f"Bearer {await till(hub)}x")
    ]

    assert {one.status for one in answers} == {401}
    assert len({one.body for one in answers}) == 1
    assert "DPoP" in answers[0].headers["www-authenticate"]


async def test_a_token_bound_to_a_key_is_worth_nothing_without_it(hub):
    hospital = await client.verifier(hub)
    by = await hospital.token()

    bearer = await hub.ask(
        client.WHO, viewer="anonymous", headers={"authorization": f"Bearer {by}"}
    )
    bound = await client.post(hub.app, client.body(), hospital.headers(by))
    replayed = {"dpop": hospital.proof("POST", "/graphql", await hospital.token())}
    other = await client.post(hub.app, client.body(), {**hospital.headers(by), **replayed})

    assert [one.status for one in (bearer, bound, other)] == [401, 200, 401]


async def test_a_request_is_signed_over_its_body_to_the_byte(hub):
    school = await client.verifier(hub, tier=3)
    by, said = await school.token(), client.body()

    good = await client.post(hub.app, said, {**school.headers(by), **school.signed(said)})
    bad = await client.post(hub.app, said + b" ", {**school.headers(by), **school.signed(said)})

    assert (good.status, bad.status) == (200, 401)


async def test_a_verifier_behind_a_proxy_proves_the_address_that_others_see(stand):
    one = stand(public_url="https://hub.example")
    hospital = await client.verifier(one)

    answer = await client.post(one.app, client.body(), hospital.headers(await hospital.token()))

    assert hospital.issuer == "https://hub.example"
    assert answer.status == 200


async def test_a_certificate_counts_where_a_proxy_of_ours_hands_it_on(stand, clock):
    plain, behind = stand(), stand(client_cert_header="client-cert")
    hospital = await client.verifier(plain)
    await behind.hub.authority.refreshed()
    by, forged = await hospital.token(), {"client-cert": ":AAAA:"}

    ignored = await client.post(plain.app, client.body(), {**hospital.headers(by), **forged})
    refused = await client.post(behind.app, client.body(), {**hospital.headers(by), **forged})

    assert (ignored.status, refused.status) == (200, 401)


async def rotated(hospital, new, *, end=False, current=None, following=None, headers=None):
    by = headers or hospital.headers(await hospital.token())
    said = {
        "current": current or hospital.statement(new, hospital.key),
        "following": following or hospital.statement(new, new, new=True),
        "endCurrent": end,
    }
    return await client.post(hospital.standing.app, client.body(ROTATE, {"input": said}), by)


async def test_a_verifier_brings_a_new_key_signed_by_the_old_and_the_new(hub):
    hospital, new = await client.verifier(hub), token.new_key()

    answer = await rotated(hospital, new)
    both = [await hospital.ask_token()]
    hospital.key = new
    both.append(await hospital.ask_token())

    assert answer.json()["data"]["rotateVerifierKey"] == {
        "__typename": "AddedVerifierKey",
        "secret": None,
        "key": {"name": new.thumbprint(), "live": True},
    }
    assert [one.status for one in both] == [200, 200]


async def test_the_old_key_may_end_with_the_new_one(hub):
    hospital, new = await client.verifier(hub), token.new_key()

    await rotated(hospital, new, end=True)
    old = await hospital.ask_token()
    hospital.key = new

    assert old.status == 401
    assert (await hospital.ask_token()).status == 200


async def test_a_request_that_brings_a_key_counts_once(hub):
    hospital = await client.verifier(hub)
    by = hospital.headers(await hospital.token())

    first = await rotated(hospital, token.new_key(), headers=by)
    again = await rotated(hospital, token.new_key(), end=True, headers=by)

    assert first.codes == []
    assert again.codes == ["UNAUTHENTICATED"]


async def test_no_key_comes_by_less_than_two_signatures(hub):
    hospital, other = await client.verifier(hub), await client.verifier(hub, "other-hospital")
    new, thief = token.new_key(), token.new_key()
    bad = [
        {"current": hospital.statement(new, thief)},
        {"current": other.statement(new, other.key)},
        {"current": hospital.statement(thief, hospital.key)},
        {"current": hospital.statement(new, hospital.key, aud="https://other.example")},
        {"current": hospital.statement(new, hospital.key, iss=other.code)},
        {"current": hospital.statement(new, hospital.key, exp=hospital.now + 61)},
        {"current": hospital.statement(new, hospital.key, iat=1, exp=61)},
        {"following": hospital.statement(new, hospital.key)},
        {"following": hospital.statement(thief, thief, new=True)},
        {"following": hospital.statement(thief, new, new=True)},
    ]

    answers = [await rotated(hospital, new, **one) for one in bad]

    told = [one.json()["data"]["rotateVerifierKey"] for one in answers]
    assert {one["code"] for one in told} == {"BAD_KEY"}
    hospital.key = new
    assert (await hospital.ask_token()).status == 401


async def test_a_third_key_comes_only_in_place_of_one(hub):
    hospital = await client.verifier(hub)
    await rotated(hospital, token.new_key())

    refused = await rotated(hospital, token.new_key())
    instead = await rotated(hospital, token.new_key(), end=True)

    assert refused.json()["data"]["rotateVerifierKey"]["code"] == "TOO_MANY_KEYS"
    assert instead.json()["data"]["rotateVerifierKey"]["__typename"] == "AddedVerifierKey"


async def test_a_partner_of_the_identity_provider_brings_no_key(hub):
    said = {"input": {"current": "a", "following": "b"}}

    answer = await hub.ask(ROTATE, said, viewer="partner")

    assert answer.codes == ["FORBIDDEN"]


async def test_a_test_key_brings_test_keys_alone(hub):
    twin, new = await client.verifier(hub, live=False), token.new_key()

    answer = await rotated(twin, new)

    assert answer.json()["data"]["rotateVerifierKey"]["key"]["live"] is False
    twin.key = new
    assert Scope.SANDBOX in (await twin.ask_token()).json()["scope"].split()
    assert KeySort.JWK in {key.sort for key in hub.hub.authority.verifiers.keys.values()}


@pytest.mark.any_database
async def test_a_client_that_others_wrote_gets_a_token_and_asks(stand, clock):
    clock.now = datetime.now(UTC)
    [port] = ports.free(1)
    one = stand(public_url=f"http://127.0.0.1:{port}")
    hospital = await client.verifier(one)
    key = {**hospital.key.as_dict(private=True), "kid": hospital.key.thumbprint()}
    fed = {"issuer": hospital.issuer, "code": hospital.code, "key": key, "query": client.WHO}

    async with asgi.served(one.app, port):
        found = await asyncio.to_thread(server.told, "partner.js", fed)

    assert found["granted"]["token_type"] == "dpop"  # noqa: S105 - a word of OAuth
    assert found["granted"]["scope"] == "disclose:patient disclose:tier redeem verify:code"
    assert found["asked"]["status"] == 200
    assert found["asked"]["data"] == {"__typename": "Query"}
    assert found["withAnotherKey"]["status"] == found["without"]["status"] == 401
    assert found["without"]["schemes"] == ["bearer", "dpop"]
    assert found["tooMuch"] == {"status": 400, "error": "invalid_scope"}

"""Access tokens are given to whoever shows a registered key, once, and bound to the key named."""

import asyncio
import json
import secrets

import pytest
from joserfc import jws
from joserfc.jwk import OctKey

from credentials import access, base64url, token
from credentials.keyring import Purpose
from models.verifier import Kind, Scope
from resolvers import enrolment
from tests import asgi, client


@pytest.fixture
async def hospital(hub):
    return await client.verifier(hub)


def granted(hospital, answer):
    authority = hospital.standing.hub.authority
    ring, now = authority.keys.ring, hospital.standing.clock()
    return access.read(
        answer.json()["access_token"],
        lambda kid: ring.verifying(Purpose.ACCESS, kid, now),
        issuer=authority.issuer,
        audience=authority.issuer,
        now=now,
    )


async def test_a_registered_key_gets_a_token_of_five_minutes_bound_to_the_proving_key(hospital):
    answer = await hospital.ask_token()

    told, found = answer.json(), granted(hospital, answer)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert (told["token_type"], told["expires_in"]) == ("DPoP", 300)
    assert told["scope"] == "disclose:patient disclose:tier redeem verify:code"
    assert found.client == hospital.code
    assert found.jkt == hospital.proving.thumbprint()
    assert found.scopes == set(told["scope"].split())


async def test_a_token_is_for_what_was_asked_of_what_may_be(hospital):
    answer = await hospital.ask_token(hospital.form(scope="verify:code"))

    assert answer.json()["scope"] == "verify:code"


@pytest.mark.parametrize(
    "scope", ["disclose:guardian", "verify:code disclose:guardian", "everything", "sandbox", "a  b"]
)
async def test_no_token_is_for_more_than_may_be(hospital, scope):
    answer = await hospital.ask_token(hospital.form(scope=scope))

    assert (answer.status, answer.json()["error"]) == (400, "invalid_scope")
    assert "disclose:patient" in answer.json()["error_description"]


async def test_the_kind_caps_what_was_granted_by_mistake(hub):
    cinema = await client.verifier(
        hub, "quill-cinema", kind=Kind.CINEMA, scopes=(Scope.DISCLOSE_TIER, Scope.DISCLOSE_PATIENT)
    )

    answer = await cinema.ask_token()

    assert answer.json()["scope"] == "disclose:tier"


async def test_a_test_key_gets_tokens_of_the_sandbox_alone(hub):
    twin = await client.verifier(hub, live=False)

    whole = await twin.ask_token()
    part = await twin.ask_token(twin.form(scope="verify:code"))

    assert "sandbox" in whole.json()["scope"].split()
    assert part.json()["scope"] == "sandbox verify:code"


BAD_CLAIMS = {
    "of_another_issuer": {"iss": "somebody-else"},
    "of_another_subject": {"sub": "somebody-else"},
    "without_subject": {"sub": None},
    "for_another_hub": {"aud": "https://other.example"},
    "for_the_token_address": {"aud": "http://127.0.0.1:8000/oauth/token"},
    "for_several": {"aud": ["http://127.0.0.1:8000", "https://other.example"]},
    "for_us_in_a_list": {"aud": ["http://127.0.0.1:8000"]},
    "without_audience": {"aud": None},
    "without_id": {"jti": None},
    "with_an_empty_id": {"jti": ""},
    "with_an_endless_id": {"jti": "x" * 129},
    "without_end": {"exp": None},
    "without_begin": {"iat": None},
}


@pytest.mark.any_database
@pytest.mark.parametrize("claims", BAD_CLAIMS.values(), ids=BAD_CLAIMS)
async def test_an_assertion_that_says_something_else_is_refused(hospital, claims):
    answer = await hospital.ask_token(hospital.form(client_assertion=hospital.assertion(**claims)))

    assert (answer.status, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.any_database
@pytest.mark.parametrize(("begins", "lasts"), [(-121, 60), (61, 60), (0, 61), (0, 3600)], ids=str)
async def test_an_assertion_out_of_its_time_is_refused(hospital, begins, lasts):
    begin = hospital.now + begins
    said = hospital.assertion(iat=begin, exp=begin + lasts)

    answer = await hospital.ask_token(hospital.form(client_assertion=said))

    assert (answer.status, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.any_database
@pytest.mark.parametrize("ahead", [-60, 10, 60])
async def test_clocks_may_differ_by_a_minute(hospital, ahead):
    begin = hospital.now + ahead
    said = hospital.assertion(iat=begin, exp=begin + 60)
    proof = hospital.proof(path=client.TOKEN_PATH, iat=begin)

    answer = await hospital.ask_token(hospital.form(client_assertion=said), proof)

    assert answer.status == 200


def _unsigned(one):
    header, claims, _ = one.assertion(header={"alg": "none"}).split(".")
    return f"{header}.{claims}."


def _with_the_public_key_as_a_secret(one):
    said = json.loads(base64url.decode(one.assertion().split(".")[1]))
    secret = OctKey.import_key(json.dumps(one.key.as_dict(private=False)).encode())
    header = {"alg": "HS256", "kid": one.key.thumbprint()}
    return jws.serialize_compact(header, json.dumps(said).encode(), secret)


BAD_ASSERTIONS = {
    "unsigned": _unsigned,
    "HS256": _with_the_public_key_as_a_secret,
    "by a key nobody knows": lambda one: one.assertion(
        key=(key := token.new_key()), header={"kid": key.thumbprint()}
    ),
    "by another key under this name": lambda one: one.assertion(key=token.new_key()),
    "with its key inside": lambda one: one.assertion(
        header={"jwk": one.key.as_dict(private=False)}
    ),
    "a DPoP proof": lambda one: one.proof(path=client.TOKEN_PATH, key=one.key),
    "of another type": lambda one: one.assertion(header={"typ": "at+jwt"}),
    "nothing": lambda one: "",  # noqa: ARG005 - as the others
    "no token": lambda one: "a.b.c",  # noqa: ARG005 - as the others
}


@pytest.mark.any_database
@pytest.mark.parametrize("bad", BAD_ASSERTIONS.values(), ids=BAD_ASSERTIONS)
async def test_an_assertion_signed_otherwise_is_refused_in_the_same_words(hospital, bad):
    stranger = client.Client(hospital.standing, "nobody-there")
    reference = await hospital.ask_token(stranger.form())

    answer = await hospital.ask_token({**hospital.form(), "client_assertion": bad(hospital)})

    assert answer.status == 401
    assert answer.json() == reference.json()
    assert answer.json()["error"] == "invalid_client"


async def test_the_key_of_one_client_shows_no_other(hub, hospital):
    other = await client.verifier(hub, "other-hospital")
    said = other.assertion(iss=hospital.code, sub=hospital.code)

    answer = await hospital.ask_token(hospital.form(client_assertion=said))

    assert answer.json()["error"] == "invalid_client"


async def test_an_assertion_is_used_once(hospital):
    form = hospital.form()

    first, second = await hospital.ask_token(form), await hospital.ask_token(form)

    assert (first.status, second.status) == (200, 401)


async def test_of_two_processes_that_see_one_assertion_at_once_one_gives_a_token(stand):
    one, other = stand(), stand()
    hospital = await client.verifier(one)
    await other.hub.authority.refreshed()
    form = hospital.form()

    answers = await asyncio.gather(
        *(hospital.ask_token(form, app=hub.app) for hub in (one, other, one, other))
    )

    assert sorted(answer.status for answer in answers) == [200, 401, 401, 401]


async def test_a_proof_is_used_once(hospital):
    proof = hospital.proof(path=client.TOKEN_PATH)

    first = await hospital.ask_token(proof=proof)
    second = await hospital.ask_token(proof=proof)

    assert first.status == 200
    assert (second.status, second.json()["error"]) == (400, "invalid_dpop_proof")


async def test_what_was_shown_beside_a_used_proof_is_not_used_up(hospital):
    proof, form = hospital.proof(path=client.TOKEN_PATH), hospital.form()
    await hospital.ask_token(proof=proof)

    refused = await hospital.ask_token(form, proof)
    answer = await hospital.ask_token(form)

    assert (refused.status, answer.status) == (400, 200)


BAD_PROOFS = {
    "for another method": {"method": "GET"},
    "for another address": {"path": "/graphql"},
    "for another host": {"htu": "https://other.example/oauth/token"},
    "old": {"iat": 1},
    "without a time": {"iat": None},
    "without an id": {"jti": None},
    "with a short id": {"jti": "abc"},
    "of another type": {"header": {"typ": "JWT"}},
    "unsigned": {"header": {"alg": "none"}},
    "with a private key": {"header": {"jwk": token.new_key().as_dict(private=True)}},
    "by another key": {"header": {"jwk": token.new_key().as_dict(private=False)}},
}


@pytest.mark.any_database
@pytest.mark.parametrize("changes", BAD_PROOFS.values(), ids=BAD_PROOFS)
async def test_a_proof_of_something_else_is_refused(hospital, changes):
    proof = hospital.proof(**{"path": client.TOKEN_PATH, **changes})

    answer = await hospital.ask_token(proof=proof)

    assert (answer.status, answer.json()["error"]) == (400, "invalid_dpop_proof")


@pytest.mark.any_database
async def test_without_a_proof_no_token_is_given(hospital):
    answer = await hospital.ask_token(headers={"dpop": ""})

    assert (answer.status, answer.json()["error"]) == (400, "invalid_dpop_proof")


BAD_FORMS = {
    "another grant": ({"grant_type": "password"}, "unsupported_grant_type", 400),
    "no grant": ({"grant_type": None}, "invalid_request", 400),
    "another assertion": ({"client_assertion_type": "urn:x"}, "invalid_client", 401),
    "another client's name": ({"client_id": "somebody-else"}, "invalid_client", 401),
}


@pytest.mark.any_database
@pytest.mark.parametrize(("changes", "error", "status"), BAD_FORMS.values(), ids=BAD_FORMS)
async def test_a_form_that_says_something_else_is_refused(hospital, changes, error, status):
    answer = await hospital.ask_token(hospital.form(**changes))

    assert (answer.status, answer.json()["error"]) == (status, error)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"grant_type=client_credentials&grant_type=client_credentials", {}),
        (b"grant_type", {}),
        (b"grant_type=%ff", {}),
        ("grant_type=ü".encode(), {}),
        (b"", {}),
        (b'{"grant_type": "client_credentials"}', {"content-type": "application/json"}),
        (b"&".join(b"a%d=1" % n for n in range(30)), {}),
    ],
    ids=["twice", "no value", "no UTF-8", "no ASCII", "empty", "JSON", "many"],
)
async def test_what_is_no_form_is_refused(hospital, body, headers):
    answer = await hospital.ask_token(body=body, headers=headers)

    assert (answer.status, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.any_database
async def test_a_body_that_is_too_large_is_not_read_to_its_end(hospital):
    answer = await hospital.ask_token(body=[b"a=" + b"x" * 10_000, b"x" * 10_000, b"x"])

    assert (answer.status, answer.json()["error"]) == (413, "invalid_request")
    assert answer.headers["connection"] == "close"


@pytest.mark.any_database
async def test_tokens_are_given_by_post_alone(hub):
    answer = await asgi.call(hub.app, "GET", path="/oauth/token")

    assert answer.status == 405


async def test_a_suspended_verifier_and_an_ended_key_get_none(hub, hospital):
    directory, now = hub.hub.authority.verifiers, hub.clock()
    await enrolment.suspend(directory, hospital.code, now)
    suspended = await hospital.ask_token()
    await enrolment.resume(directory, hospital.code)
    resumed = await hospital.ask_token()
    await enrolment.end_key(directory, hospital.code, hospital.key.thumbprint(), now)
    ended = await hospital.ask_token()

    assert [one.status for one in (suspended, resumed, ended)] == [401, 200, 401]
    assert suspended.json() == ended.json()


@pytest.mark.any_database
async def test_a_client_that_asks_without_end_is_told_to_wait(hospital):
    answers = [await hospital.ask_token() for _ in range(25)]

    late = [one for one in answers if one.status != 200]
    assert late
    assert {one.status for one in late} == {429}
    assert int(late[0].headers["retry-after"]) >= 1


@pytest.mark.any_database
async def test_what_clients_must_know_is_published(hub):
    answer = await asgi.call(hub.app, path="/.well-known/oauth-authorization-server")

    told, issuer = answer.json(), hub.hub.authority.issuer
    assert told["issuer"] == issuer
    assert told["token_endpoint"] == f"{issuer}/oauth/token"
    assert told["grant_types_supported"] == ["client_credentials"]
    assert told["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert told["dpop_signing_alg_values_supported"] == ["ES256"]
    assert told["scopes_supported"] == sorted(Scope)
    assert told["tls_client_certificate_bound_access_tokens"] is False


@pytest.mark.any_database
async def test_whatever_is_said_of_a_key_no_token_comes_of_it(hospital):
    said = [secrets.token_urlsafe(300) for _ in range(3)]

    answer = await hospital.ask_token({**hospital.form(), "client_assertion": ".".join(said)})

    assert answer.status == 401


@pytest.mark.any_database
async def test_a_token_got_by_a_certificate_is_worth_nothing_without_it(stand):
    behind = stand(client_cert_header="client-cert")
    clinic = await client.verifier(behind, tier=3)
    (name, field), (other, another), (_, nobodys) = (client.certified() for _ in range(3))
    for one in (name, other):
        await client.certify(clinic, one)

    answer = await clinic.ask_token(headers={"client-cert": field})
    by = answer.json()["access_token"]
    asked = [
        await client.post(
            behind.app,
            client.body(),
            {**clinic.headers(by), **({"client-cert": one} if one else {})},
        )
        for one in (field, another, nobodys, None)
    ]

    assert granted(clinic, answer).x5t == name
    assert [one.status for one in asked] == [200, 401, 401, 401]


@pytest.mark.any_database
async def test_no_token_is_given_by_the_certificate_of_nobody_or_of_another(stand):
    behind = stand(client_cert_header="client-cert")
    clinic, other = await client.verifier(behind), await client.verifier(behind, "other-clinic")
    (name, of_other), (_, of_nobody) = client.certified(), client.certified()
    await client.certify(other, name)

    answers = [
        await clinic.ask_token(headers={"client-cert": one}) for one in (of_other, of_nobody, ":x:")
    ]

    assert {(one.status, one.json()["error"]) for one in answers} == {(401, "invalid_client")}


@pytest.mark.any_database
async def test_a_hub_behind_a_proxy_that_checks_certificates_says_so(stand):
    answer = await asgi.call(
        stand(client_cert_header="client-cert").app, path="/.well-known/oauth-authorization-server"
    )

    assert answer.json()["tls_client_certificate_bound_access_tokens"] is True

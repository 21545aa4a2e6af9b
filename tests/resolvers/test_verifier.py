"""Which verifier asks, is told by its keys alone; and what it shows once counts once."""

import asyncio
import contextlib
import datetime

import pytest
import sqlalchemy as sa

from credentials import api_key, base64url, compact, token
from credentials.keyring import Purpose
from models import errors
from models import verifier as rows
from models.verifier import Kind, Scope
from resolvers import enrolment, verifier
from resolvers.viewer import Role
from tests import client

UNSIGNED = b'{"alg": "none", "typ": "at+jwt"}'
BODY = b'{"query": "{ __typename }"}'


@pytest.fixture
async def hospital(hub):
    return await client.verifier(hub)


@pytest.fixture
async def tier_3(hub):
    return await client.verifier(hub, "vault-hospital", tier=3)


def heard(standing, headers, body=BODY, came_by=None, now=None):
    """Who a POST with these headers and this body is of."""
    authority = standing.hub.authority
    several = headers.items() if isinstance(headers, dict) else headers
    shown = verifier.Shown(
        "POST",
        f"{authority.issuer}/graphql",
        [*((k.lower(), v) for k, v in several)],
        body,
        came_by,
    )
    return verifier.viewer(authority, shown, now or standing.clock())


def refused(standing, headers, **more):
    with pytest.raises(errors.UnauthenticatedError) as found:
        heard(standing, headers, **more)
    assert found.value.sentence == verifier.REFUSED
    return True


async def test_an_api_key_shows_a_till(hub):
    await client.verifier(hub, "quill-cinema", kind=Kind.CINEMA, tier=1)
    key = await client.api_key(hub, "quill-cinema")

    viewer = heard(hub, {"authorization": f"Bearer {key}"})

    assert (viewer.role, viewer.subject, viewer.sandbox) == (Role.PARTNER, "quill-cinema", False)
    assert (viewer.verifier.tier, viewer.verifier.live) == (1, True)
    assert viewer.verifier.scopes == {Scope.VERIFY_CODE, Scope.REDEEM, Scope.DISCLOSE_TIER}
    assert viewer.verifier.proof is None


async def test_an_api_key_is_heard_as_a_till_whatever_its_verifier_may(hub, hospital):
    key = await client.api_key(hub, hospital.code)

    viewer = heard(hub, {"authorization": f"Bearer {key}"})

    assert not viewer.verifier.may(Scope.DISCLOSE_PATIENT)
    assert viewer.verifier.may(Scope.VERIFY_CODE)


async def test_a_test_key_is_of_the_sandbox(hub, hospital):
    key = await client.api_key(hub, hospital.code, live=False)

    viewer = heard(hub, {"authorization": f"Bearer {key}"})

    assert key.startswith("tck_test_")
    assert (viewer.sandbox, viewer.verifier.live) == (True, False)


async def test_an_api_key_that_does_not_hold_is_refused_in_the_same_words(hub, hospital):
    key = await client.api_key(hub, hospital.code)
    other = await client.api_key(hub, hospital.code, live=False)
    swapped = key[:25] + other[25:]

    for bad in (
        key[:-1] + ("a" if key[-1] != "a" else "b"),
        key[:-7],
        key.upper(),
        swapped,
        "tck_",
    ):
        assert refused(hub, {"authorization": f"Bearer {bad}"})


async def test_an_api_key_never_given_out_is_refused(hub, hospital):
    assert refused(hub, {"authorization": f"Bearer {api_key.new(live=True)}"})


async def test_an_ended_api_key_is_refused(hub, hospital):
    key = await client.api_key(hub, hospital.code)
    name = key.split("_")[2]
    await enrolment.end_key(hub.hub.authority.verifiers, hospital.code, name, hub.clock())

    assert refused(hub, {"authorization": f"Bearer {key}"})


async def test_a_token_with_its_proof_shows_a_verifier_of_tier_2(hub, hospital):
    by = await hospital.token()

    viewer = heard(hub, hospital.headers(by))

    asking = viewer.verifier
    assert (viewer.role, asking.code, asking.tier, asking.live) == (
        Role.PARTNER, hospital.code, 2, True,
    )  # fmt: skip
    assert asking.may(Scope.DISCLOSE_PATIENT)
    assert asking.services == {"medical-green-channel"}


async def test_a_token_is_worth_what_it_was_asked_for(hub, hospital):
    by = await hospital.token(scope="verify:code")

    assert heard(hub, hospital.headers(by)).verifier.scopes == {Scope.VERIFY_CODE}


async def test_what_is_taken_from_a_verifier_its_tokens_lose_at_once(hub, hospital):
    by, directory = await hospital.token(), hub.hub.authority.verifiers
    less = {"scopes": (Scope.VERIFY_CODE,)}
    await enrolment.change(directory, hospital.code, less, ["medical-green-channel"])

    assert heard(hub, hospital.headers(by)).verifier.scopes == {Scope.VERIFY_CODE}


async def test_a_suspended_verifier_is_not_heard_by_any_key(hub, hospital):
    key, by = await client.api_key(hub, hospital.code), await hospital.token()
    await enrolment.suspend(hub.hub.authority.verifiers, hospital.code, hub.clock())

    assert refused(hub, {"authorization": f"Bearer {key}"})
    assert refused(hub, hospital.headers(by))


async def test_a_token_of_the_sandbox_stays_there(hub):
    twin = await client.verifier(hub, live=False)

    asking = heard(hub, twin.headers(await twin.token(scope="verify:code"))).verifier

    assert not asking.live
    assert asking.scopes == {Scope.VERIFY_CODE, Scope.SANDBOX}


BAD_PROOFS = {
    "for another method": {"method": "GET"},
    "for another path": {"path": "/v1/verify"},
    "for another host": {"htu": "https://other.example/graphql"},
    "of another token": {"ath": "A" * 43},
    "of no token": {"ath": None},
    "old": {"back": 61},
    "ahead": {"back": -61},
    "of another key": {"key": token.new_key()},
}


@pytest.mark.any_database
@pytest.mark.parametrize("changes", BAD_PROOFS.values(), ids=BAD_PROOFS)
async def test_a_token_without_a_proof_for_this_request_is_refused(hub, hospital, changes):
    by, said = await hospital.token(), dict(changes)
    if "back" in said:
        said["iat"] = hospital.now - said.pop("back")

    assert refused(hub, hospital.headers(by, **said))
    assert refused(hub, {"authorization": f"DPoP {by}"})


@pytest.mark.any_database
async def test_a_query_and_a_default_port_make_no_other_address(hub, hospital):
    by = await hospital.token()

    assert heard(hub, hospital.headers(by, htu=f"{hospital.issuer}/graphql?x=1#y")).verifier


@pytest.mark.any_database
async def test_a_header_that_stands_twice_counts_for_nothing(hub, hospital):
    said = hospital.headers(await hospital.token())

    assert heard(hub, said).verifier
    for name in said:
        assert refused(hub, [*said.items(), (name, said[name])])


@pytest.mark.any_database
async def test_a_token_is_over_after_five_minutes_and_our_clocks_difference(hub, hospital):
    by = await hospital.token()
    hub.clock.pass_seconds(359)
    late = heard(hub, hospital.headers(by))
    hub.clock.pass_seconds(2)

    assert late.verifier
    assert refused(hub, hospital.headers(by))


@pytest.mark.any_database
@pytest.mark.parametrize("tampering", ["claims", "signature", "unsigned"])
async def test_a_token_that_was_changed_is_refused(hub, hospital, tampering):
    header, claims, signature = (await hospital.token()).split(".")
    other = (await hospital.token(scope="redeem")).split(".")
    changed = {
        "claims": f"{header}.{other[1]}.{signature}",
        "signature": f"{header}.{claims}.{other[2]}",
        "unsigned": f"{base64url.encode(UNSIGNED)}.{claims}.",
    }[tampering]

    assert refused(hub, hospital.headers(changed))


@pytest.mark.any_database
async def test_an_assertion_or_a_key_of_ours_for_something_else_is_no_token(hub, hospital):
    good = await hospital.token()
    claims = compact.json_object(base64url.decode(good.split(".")[1]))
    signer = hub.hub.authority.keys.signer
    for purpose in set(Purpose) - {Purpose.ACCESS}:
        forged = compact.write(
            signer(purpose).jwk,
            claims,
            {"alg": "ES256", "kid": signer(purpose).id, "typ": "at+jwt"},
        )
        assert refused(hub, hospital.headers(forged))
    assert refused(hub, hospital.headers(hospital.assertion()))


@pytest.mark.any_database
async def test_a_signed_request_shows_tier_3(hub, tier_3):
    by = await tier_3.token()

    viewer = heard(hub, {**tier_3.headers(by), **tier_3.signed(BODY)})

    assert viewer.verifier.tier == 3
    assert viewer.verifier.may(Scope.DISCLOSE_PATIENT)


@pytest.mark.any_database
async def test_who_must_sign_and_does_not_is_heard_as_a_till(hub, tier_3):
    by = await tier_3.token()

    viewer = heard(hub, tier_3.headers(by))

    assert viewer.verifier.tier == 2
    assert viewer.verifier.scopes == {Scope.VERIFY_CODE, Scope.REDEEM, Scope.DISCLOSE_TIER}


BAD_SIGNATURES = {
    "of another body": lambda one: one.signed(BODY + b" "),
    "for another address": lambda one: one.signed(BODY, url="https://other.example/graphql"),
    "for another path": lambda one: one.signed(BODY, url=f"{one.issuer}/v1/verify"),
    "for another method": lambda one: one.signed(BODY, method="PUT"),
    "by a key that is not registered": lambda one: one.signed(BODY, key=token.new_key()),
    "by the proving key": lambda one: one.signed(BODY, key=one.proving),
    "old": lambda one: one.signed(
        BODY, now=one.standing.clock() - datetime.timedelta(seconds=61)
    ),
    "half": lambda one: {
        k: v for k, v in one.signed(BODY).items() if k.lower() != "signature"
    },
    "without a digest": lambda one: {
        k: v for k, v in one.signed(BODY).items() if k.lower() != "content-digest"
    },
}  # fmt: skip


@pytest.mark.any_database
@pytest.mark.parametrize("bad", BAD_SIGNATURES.values(), ids=BAD_SIGNATURES)
async def test_a_signature_that_does_not_hold_refuses_the_request(hub, tier_3, bad):
    by = await tier_3.token()

    assert refused(hub, {**tier_3.headers(by), **bad(tier_3)})


@pytest.mark.any_database
async def test_the_signature_of_another_verifier_refuses_the_request(hub, tier_3, hospital):
    by = await tier_3.token()

    assert refused(hub, {**tier_3.headers(by), **hospital.signed(BODY)})


@pytest.mark.any_database
async def test_a_registered_certificate_shows_tier_3(hub, tier_3):
    name, field = client.certified()
    await client.certify(tier_3, name)
    by = await tier_3.token()

    assert heard(hub, tier_3.headers(by), came_by=field).verifier.tier == 3


@pytest.mark.any_database
async def test_a_certificate_of_nobody_of_another_or_for_the_sandbox_refuses_the_request(
    hub, tier_3, hospital
):
    (of_other, other), (of_test, test), (_, nobodys) = (
        client.certified(),
        client.certified(),
        client.certified(),
    )
    await client.certify(hospital, of_other)
    await client.certify(tier_3, of_test, live=False)
    by = await tier_3.token()

    for field in (other, test, nobodys, ":AAAA:", "::", "", "text", f"{other}, {other}"):
        assert refused(hub, tier_3.headers(by), came_by=field)


@pytest.mark.any_database
async def test_a_proof_counts_once_and_for_all_fields_of_its_request(hub, hospital):
    said = hospital.headers(await hospital.token())
    first, second = heard(hub, said).verifier, heard(hub, said).verifier
    database = hub.hub.database

    async with database.begin() as session:
        await verifier.spend(session, first)
        await verifier.spend(session, first)
    async with database.begin() as session:
        await verifier.spend(session, first)
        for _ in range(2):
            with pytest.raises(errors.UnauthenticatedError):
                await verifier.spend(session, second)


async def test_a_proof_whose_act_was_undone_is_used_by_the_next_act(hub, hospital):
    said = hospital.headers(await hospital.token())
    first, second = heard(hub, said).verifier, heard(hub, said).verifier
    database = hub.hub.database

    with contextlib.suppress(ZeroDivisionError):
        async with database.begin() as session:
            await verifier.spend(session, first)
            raise ZeroDivisionError
    async with database.begin() as session:
        await verifier.spend(session, first)

    async with database.begin() as session:
        with pytest.raises(errors.UnauthenticatedError):
            await verifier.spend(session, second)


async def test_a_proof_whose_act_was_undone_may_be_used_by_another_request_then_by_that_alone(
    hub, hospital
):
    said = hospital.headers(await hospital.token())
    first, second = heard(hub, said).verifier, heard(hub, said).verifier
    database = hub.hub.database

    with contextlib.suppress(ZeroDivisionError):
        async with database.begin() as session:
            await verifier.spend(session, first)
            raise ZeroDivisionError
    async with database.begin() as session:
        await verifier.spend(session, second)

    async with database.begin() as session:
        with pytest.raises(errors.UnauthenticatedError):
            await verifier.spend(session, first)


async def test_of_requests_at_once_with_one_proof_one_is_heard(stand):
    one, other = stand(), stand()
    hospital = await client.verifier(one)
    await other.hub.authority.refreshed()
    said = hospital.headers(await hospital.token())

    async def act(standing):
        asking = heard(standing, said).verifier
        async with standing.hub.database.begin() as session:
            await verifier.spend(session, asking)
        return True

    ended = await asyncio.gather(*map(act, (one, other, one, other)), return_exceptions=True)

    assert sorted(map(str, ended)) == sorted(["True", *[verifier.REFUSED] * 3])


async def test_what_a_till_shows_is_not_used_up(hub, hospital):
    key = await client.api_key(hub, hospital.code)
    asking = heard(hub, {"authorization": f"Bearer {key}"}).verifier

    async with hub.hub.database.begin() as session:
        await verifier.spend(session, asking)

    assert not asking.spent


async def test_a_used_proof_is_remembered_while_it_might_count(hub, hospital):
    said = hospital.headers(await hospital.token())
    asking, database = heard(hub, said).verifier, hub.hub.database
    async with database.begin() as session:
        await verifier.spend(session, asking)

    remembered = []
    for seconds in (0, 60 + verifier.CLOCKS.total_seconds(), 61):
        hub.clock.pass_seconds(seconds)
        await verifier.forget(hub.hub.authority)
        async with database.session() as session:
            remembered.append(len((await session.execute(sa.select(rows.spent))).all()))

    assert remembered == [3, 3, 0]

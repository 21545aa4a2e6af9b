"""The kit at a running hub: each case through POST /v1/verify, with its clock at the kit's now."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest
import sqlalchemy as sa

from credentials import keyring
from models import demo
from models.card import Card
from models.key import SigningKey
from models.presentation import Challenge, Device, Ticket
from models.status import StatusEntry
from models.verifier import KeySort, Kind, Scope, spent
from resolvers import enrolment
from server import CODES
from tests import asgi, client, hub, verifiers
from tests.kit import codes, credentials, inputs, keys, make, passes, requests

pytestmark = [pytest.mark.any_database]

#: What it answers where the kit says no more than that it refuses.
NO = "CardNotAccepted"


@pytest.fixture
async def standing(stand):
    """A hub that has the kit's keys, and the card, phone and ticket that its good cases are of."""
    one = stand(secrets={CODES: keys.CODES})
    assert one.clock() == keys.NOW
    authority = one.hub.authority
    await authority.begun()
    async with one.hub.database.begin() as session:
        session.add_all(_rows(authority.keys._kek))
        held = await session.scalar(
            sa.select(Card.id).where(Card.talent_id == demo.PILOT).order_by(Card.id.desc())
        )
        session.add(_phone())
        session.add_all(_places(held))
        session.add(_ticket(held))
    await authority.refreshed()
    return one


@pytest.fixture
async def cinema(standing):
    """A cinema with a server, which may check everything that is shown without asking anybody."""
    return await client.verifier(
        standing,
        keys.PARTNER,
        kind=Kind.CINEMA,
        scopes=(Scope.VERIFY_CODE, Scope.VERIFY_OFFLINE, Scope.DISCLOSE_TIER),
        services=(keys.SERVICE,),
    )


def _rows(kek):
    for key in (*keys.OURS.values(), keys.STOLEN, keys.STOLEN_PASS, keys.FORMER, keys.COMING):
        yield SigningKey(
            id=key.id,
            purpose=key.purpose,
            public=key.jwk.as_dict(private=False),
            sealed=keyring.sealed(key, kek),
            published_at=key.published_at,
            signs_from=key.signs_from,
            signs_until=key.signs_until,
            public_until=key.public_until,
            compromised_at=key.compromised_at,
        )


def _phone():
    return Device(
        handle=keys.PHONE.hex(),
        talent_id=demo.PILOT,
        name="Kit",
        public=keys.public(keys.DEVICE),
        linked_at=keys.NOW,
        unlinked_at=None,
    )


def _places(held):
    for place in (credentials.PLACE, passes.PLACE):
        yield StatusEntry(
            list_number=1,
            place=place,
            card_id=held,
            device_id=None,
            expires_at=keys.NOW + timedelta(days=90),
            ended_at=None,
        )


def _ticket(held):
    return Ticket(
        digest=codes.TICKET.digest.hex(),
        card_id=held,
        verifier=keys.PARTNER,
        service=keys.SERVICE,
        consent_id=None,
        minted_at=keys.NOW,
        expires_at=keys.NOW + timedelta(seconds=60),
        used_at=None,
    )


async def as_new(standing):
    """Bring what may be used once back to where it was: each case is judged by itself.

    So are the limits, as if hours lay between two cases.
    """
    async with standing.hub.database.begin() as session:
        await session.execute(sa.update(Ticket).values(used_at=None))
        await session.execute(sa.delete(Challenge))
        await session.execute(spent.delete())
        session.add(
            Challenge(
                nonce=credentials.NONCE,
                verifier=keys.PARTNER,
                service=keys.SERVICE,
                live=True,
                expires_at=keys.NOW + timedelta(minutes=5),
                used_at=None,
            )
        )
    standing.hub.authority.limits._buckets.clear()


def presented(name, case):
    if name == "credentials":
        return {"sdJwtVc": {"token": case["input"], "nonce": credentials.NONCE}}
    return {"code": case["input"]}


def told(answer) -> str:
    """What it says in a word: its type, or the refusal."""
    said = answer.json()
    return said.get("refusal") or said.get("__typename") or said["code"]


def no_more(answer) -> dict:
    """A NO without what is another each time, and how long its receipt is."""
    said = answer.json()
    length = len(said.pop("receipt")["jws"])
    return {**said, "checkedAt": None, "statusAsOf": None, "length": length}


@pytest.mark.parametrize("name", ["credentials", "passes", "codes"])
async def test_the_hub_answers_each_case_as_the_kit_says(standing, cinema, name, caplog):
    caplog.set_level(logging.INFO)
    family = make.family(name)
    access = await cinema.token()
    found, expected, refusals = {}, {}, []

    for number, case in enumerate(family["cases"]):
        await as_new(standing)
        given = {
            "presented": presented(name, case),
            "serviceCode": keys.SERVICE,
            "idempotencyKey": f"{name}-{number}",
        }
        answer = await asgi.call(
            standing.app,
            "POST",
            path="/v1/verify",
            headers={
                "content-type": "application/json",
                **cinema.headers(access, path="/v1/verify"),
            },
            body=json.dumps(given).encode(),
        )
        assert answer.status < 500
        assert not [leak for leak in hub.LEAKS if leak in answer.body]
        found[case["id"]] = told(answer)
        expected[case["id"]] = case.get("answer", NO)
        if found[case["id"]] == NO:
            refusals.append(no_more(answer))

    assert found == expected
    assert all(one == refusals[0] for one in refusals)
    assert not [case["id"] for case in family["cases"] if _logged(case["input"], caplog.text)]


async def checked(standing, cinema, presented, key):
    given = {"presented": presented, "serviceCode": keys.SERVICE, "idempotencyKey": key}
    sent = cinema.headers(await cinema.token(), path="/v1/verify")
    answer = await asgi.call(
        standing.app,
        "POST",
        path="/v1/verify",
        headers={"content-type": "application/json", **sent},
        body=json.dumps(given).encode(),
    )
    return answer.json()


@pytest.mark.parametrize("name", ["credentials", "passes", "codes"])
async def test_what_is_presented_twice_counts_once_in_whatever_spelling(standing, cinema, name):
    good = [one for one in make.family(name)["cases"] if one.get("answer") == "CardAccepted"]
    same = [one for one in good if one["id"] in ("good", "good-mirrored", "live-good")]
    same += [one for one in good if one["id"] in ("live-good-small", "live-good-spaces")]

    await as_new(standing)
    answers = [
        await checked(standing, cinema, presented(name, case), f"{name}-{number}")
        for number, case in enumerate([*same, same[0]])
    ]

    assert len(same) >= 2
    assert [one["__typename"] == "CardAccepted" for one in answers] == [True] + [False] * len(same)
    if name != "credentials":
        assert {one["codeProblem"] for one in answers[1:]} == {"ALREADY_USED"}


def _logged(said: str, log: str) -> bool:
    return len(said.strip()) > 12 and said.strip()[:200] in log


@pytest.fixture
async def hospital(standing):
    """A hospital, one of whose keys is the client's of the kit."""
    one = await client.verifier(standing, requests.WHO)
    directory = standing.hub.authority.verifiers
    public = json.dumps(keys.public(keys.CLIENT))
    new = enrolment.NewKey(KeySort.JWK, live=True, public=public)
    await enrolment.add_key(directory, requests.WHO, new, standing.clock())
    one.proving = keys.PROVING
    return one


async def test_who_asks_as_the_kit_says_is_heard_or_not(standing, hospital, caplog):
    caplog.set_level(logging.INFO)
    found, expected, refusals = {}, {}, set()

    for case in make.family("requests")["cases"]:
        await as_new(standing)
        answer = await asked(standing, hospital, case)
        assert answer.status < 500
        assert not [leak for leak in hub.LEAKS if leak in answer.body]
        found[case["id"]] = "REFUSED" if answer.status == 401 else "ACCEPTED"
        expected[case["id"]] = case["outcome"]
        if answer.status == 401:
            refusals.add((case["given"]["kind"] == "assertion", answer.body))
        if isinstance(case["input"], str):
            assert case["input"][:100] not in caplog.text

    assert found == expected
    assert (
        len(refusals) == 2
    )  # one sentence where tokens are asked for, one where cards are checked


async def asked(standing, hospital, case):
    """Ask for a token, or check a card, by what the case shows."""
    kind, shown = case["given"]["kind"], case["input"]
    if kind == "assertion":
        return await hospital.ask_token(hospital.form(client_assertion=shown))
    access = shown if kind == "token" else requests.token()
    proof = shown if kind == "proof" else hospital.proof("POST", "/v1/verify", access)
    return await asgi.call(
        standing.app,
        "POST",
        path="/v1/verify",
        headers={
            "content-type": "application/json",
            "authorization": f"DPoP {access}",
            "dpop": proof,
            **(shown if kind == "signature" else {}),
        },
        # No service is named: who is heard is told that the request is malformed.
        body=requests.BODY.encode(),
    )


def _body(body, spaces=0, headers=()):
    return b" " * spaces + body.encode("utf-8", "surrogatepass")


async def test_the_hub_refuses_each_bad_request_as_the_kit_says(standing, caplog):
    caplog.set_level(logging.INFO)
    family = make.family("inputs")
    await verifiers.registered(standing)
    directory = standing.hub.authority.verifiers
    await enrolment.keep(directory, verifiers.CINEMA, enrolment.api(inputs.TILL, standing.clock()))
    found, expected = {}, {}

    for case in family["cases"]:
        await as_new(standing)
        said = {
            "content-type": "application/json",
            "authorization": f"Bearer {inputs.TILL}",
            **case["input"].get("headers", {}),
        }
        answer = await asgi.call(
            standing.app,
            "POST",
            path="/v1/verify",
            headers={name: value for name, value in said.items() if value is not None},
            body=_body(**case["input"]),
        )
        assert not [leak for leak in hub.LEAKS if leak in answer.body]
        found[case["id"]] = (answer.status, told(answer))
        expected[case["id"]] = (case["given"]["status"], case["answer"])

    assert found == expected
    assert inputs.TILL not in caplog.text
    assert codes.LIVE not in caplog.text

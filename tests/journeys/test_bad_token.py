"""A bearer token that does not hold refuses the whole request, whatever is wrong with it."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

import server

pytestmark = [pytest.mark.any_database, pytest.mark.asyncio(loop_scope="module")]

WHO = "{ talents(first: 1) { totalCount } }"


@pytest.fixture
def hub(shared_hub):
    return shared_hub


@pytest.fixture
def clock(shared_hub):
    return shared_hub.clock


def bearer(presented: str) -> dict[str, str]:
    return {"authorization": f"Bearer {presented}"}


def development(hub, clock, **claims) -> str:
    """Return a token of the development issuer, with these claims instead of its own."""
    key = server.development_key(hub.hub.settings)
    now = int(clock().timestamp())
    said = {
        "iss": server.DEVELOPMENT_ISSUER,
        "aud": "greenway",
        "sub": "demo-officer",
        "role": "officer",
        "iat": now,
        "exp": now + 3600,
        **claims,
    }
    return jwt.encode({"alg": "ES256", "kid": key.kid}, said, key)


def _segment(value) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _garbage(hub, clock):
    return "garbage"


def _empty(hub, clock):
    return ""


def _nine_kilobytes(hub, clock):
    return development(hub, clock, padding="x" * 9000)


def _foreign_key_of_the_same_name(hub, clock):
    known = server.development_key(hub.hub.settings)
    foreign = ECKey.generate_key("P-256", {"kid": known.kid})
    _, claims, _ = development(hub, clock).split(".")
    said = json.loads(base64.urlsafe_b64decode(claims + "=="))
    return jwt.encode({"alg": "ES256", "kid": known.kid}, said, foreign)


def _unsigned(hub, clock):
    _, claims, _ = development(hub, clock).split(".")
    kid = server.development_key(hub.hub.settings).kid
    return f"{_segment({'alg': 'none', 'kid': kid})}.{claims}."


def _none_with_the_old_signature(hub, clock):
    _, claims, signature = development(hub, clock).split(".")
    kid = server.development_key(hub.hub.settings).kid
    return f"{_segment({'alg': 'none', 'kid': kid})}.{claims}.{signature}"


def _the_public_key_as_a_shared_secret(hub, clock):
    known = server.development_key(hub.hub.settings)
    _, claims, _ = development(hub, clock).split(".")
    signed = f"{_segment({'alg': 'HS256', 'kid': known.kid})}.{claims}"
    mac = hmac.digest(known.as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _other_claims_under_the_signature(hub, clock):
    header, _, signature = development(hub, clock, role="holder").split(".")
    _, claims, _ = development(hub, clock).split(".")
    return f"{header}.{claims}.{signature}"


def _expired(hub, clock):
    return development(hub, clock, exp=int((clock() - timedelta(minutes=2)).timestamp()))


def _not_yet_valid(hub, clock):
    return development(hub, clock, nbf=int((clock() + timedelta(minutes=2)).timestamp()))


def _without_an_end(hub, clock):
    return development(hub, clock, exp=None)


def _of_another_issuer(hub, clock):
    return development(hub, clock, iss="urn:elsewhere")


def _for_another_audience(hub, clock):
    return development(hub, clock, aud="elsewhere")


def _of_nobody(hub, clock):
    return development(hub, clock, sub=None)


def _of_no_role(hub, clock):
    return development(hub, clock, role="emperor")


def _of_the_role_of_nobody(hub, clock):
    return development(hub, clock, role="anonymous")


def _of_many_roles(hub, clock):
    return development(hub, clock, role=["officer", "admin"])


BAD = (
    _garbage,
    _empty,
    _nine_kilobytes,
    _foreign_key_of_the_same_name,
    _unsigned,
    _none_with_the_old_signature,
    _the_public_key_as_a_shared_secret,
    _other_claims_under_the_signature,
    _expired,
    _not_yet_valid,
    _without_an_end,
    _of_another_issuer,
    _for_another_audience,
    _of_nobody,
    _of_no_role,
    _of_the_role_of_nobody,
    _of_many_roles,
)


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.__name__.strip("_"))
async def test_a_token_that_does_not_hold_refuses_the_whole_request(hub, clock, bad):
    good = await hub.ask(WHO, headers=bearer(development(hub, clock)))

    answer = await hub.ask(WHO, headers=bearer(bad(hub, clock)))

    assert good.status == 200
    assert answer.status == 401
    assert answer.codes == ["UNAUTHENTICATED"]
    assert "data" not in answer.json()
    assert answer.headers["www-authenticate"] == 'Bearer, DPoP algs="ES256"'


@pytest.mark.parametrize("scheme", ["Basic", "", "Bearer"])
async def test_what_is_no_bearer_token_is_never_taken_for_nobody(hub, scheme):
    answer = await hub.ask(WHO, headers={"authorization": f"{scheme} "})

    assert answer.status == 401


async def test_an_expired_token_says_that_it_is(hub, clock):
    answer = await hub.ask(WHO, headers=bearer(_expired(hub, clock)))

    assert answer.json()["errors"][0]["message"] == "The token has expired."

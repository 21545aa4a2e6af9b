from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, RSAKey

from credentials import assertion, compact
from credentials.flaw import Flaw, NotGenuineError
from tests.refusal import refused_as

NOW = datetime(2026, 11, 28, 2, tzinfo=UTC)
AT = int(NOW.timestamp())
KEY = ECKey.generate_key("P-256", {"kid": "till-1"})
SECRET = json.dumps(KEY.as_dict(private=True))
HUB = "https://hub.example"
CLAIMS = {
    "iss": "first-cinema",
    "sub": "first-cinema",
    "aud": HUB,
    "iat": AT,
    "exp": AT + 60,
    "jti": "-BwC3ESc6acc2lTc",
}


def written(*, key=KEY, header=None, **changes):
    claims = {name: said for name, said in {**CLAIMS, **changes}.items() if said is not ...}
    head = {"alg": "ES256", "kid": "till-1", **(header or {})}
    return compact.write(key, claims, {name: one for name, one in head.items() if one is not ...})


def verified(presented, **changes):
    expected = {"issuer": HUB, "now": NOW, **changes}
    return assertion.verify(presented, {"till-1": KEY}.get, **expected)


def test_what_our_own_client_signs_holds():
    signed = assertion.sign(SECRET, "first-cinema", HUB, NOW)

    assert assertion.client_of(signed) == "first-cinema"
    assert verified(signed).client_id == "first-cinema"


def test_an_assertion_says_how_long_its_id_must_be_remembered():
    assert verified(written()) == assertion.Assertion(
        "first-cinema", CLAIMS["jti"], NOW + timedelta(seconds=120)
    )


@pytest.mark.parametrize("typ", [..., "JWT", "client-authentication+jwt"])
def test_an_assertion_may_say_what_it_is(typ):
    assert verified(written(header={"typ": typ}))


@pytest.mark.parametrize("seconds", [-60, -10, 0, 10, 60])
def test_the_clients_clock_may_differ_by_a_minute(seconds):
    assert verified(written(iat=AT + seconds, exp=AT + seconds + 30))


RSA = RSAKey.generate_key(2048, {"kid": "till-1"})


@pytest.mark.parametrize(
    ("presented", "flaw"),
    [
        pytest.param(written(exp=AT + 61), Flaw.LASTS_TOO_LONG, id="lasts too long"),
        pytest.param(written(iat=AT - 120, exp=AT - 60), Flaw.EXPIRED, id="is over"),
        pytest.param(written(iat=AT + 61), Flaw.NOT_YET_VALID, id="is of tomorrow"),
        pytest.param(written(nbf=AT + 61), Flaw.NOT_YET_VALID, id="has not begun"),
        pytest.param(written(exp=...), Flaw.MALFORMED, id="has no end"),
        pytest.param(written(iat=...), Flaw.MALFORMED, id="has no beginning"),
        pytest.param(written(aud=f"{HUB}/token"), Flaw.WRONG_AUDIENCE, id="is for the endpoint"),
        pytest.param(written(aud=[HUB]), Flaw.WRONG_AUDIENCE, id="is for a list"),
        pytest.param(written(aud=f"{HUB}/"), Flaw.WRONG_AUDIENCE, id="is for a slash more"),
        pytest.param(written(aud=...), Flaw.WRONG_AUDIENCE, id="is for nobody"),
        pytest.param(written(sub="other"), Flaw.WRONG_SUBJECT, id="is about another"),
        pytest.param(written(sub=...), Flaw.WRONG_SUBJECT, id="is about nobody"),
        pytest.param(written(iss=...), Flaw.MALFORMED, id="is of nobody"),
        pytest.param(written(jti=...), Flaw.MALFORMED, id="has no id"),
        pytest.param(written(jti="x" * 129), Flaw.MALFORMED, id="has a long id"),
        pytest.param(written(header={"kid": ...}), Flaw.MALFORMED, id="names no key"),
        pytest.param(written(header={"kid": "till-2"}), Flaw.UNKNOWN_KEY, id="names no key of it"),
        pytest.param(written(header={"typ": "at+jwt"}), Flaw.WRONG_TYPE, id="is a token"),
        pytest.param(written(header={"typ": "dpop+jwt"}), Flaw.WRONG_TYPE, id="is a proof"),
        pytest.param(written(header={"alg": "none"}), Flaw.WRONG_ALGORITHM, id="is unsigned"),
        pytest.param(
            assertion.sign(json.dumps(RSA.as_dict(private=True)), "first-cinema", HUB, NOW),
            Flaw.WRONG_ALGORITHM,
            id="is signed with RSA",
        ),
        pytest.param(
            written(key=ECKey.generate_key("P-256")), Flaw.BAD_SIGNATURE, id="is a stranger's"
        ),
        pytest.param("x" * (compact.MOST_LENGTH + 1), Flaw.TOO_LARGE, id="is endless"),
    ],
)
def test_an_assertion_is_refused_that(presented, flaw):
    with refused_as(flaw):
        verified(presented)


@pytest.mark.parametrize("secret", ["", "{}", "[]", "secret", '{"kty":"EC"}', '{"kty":"oct"}'])
def test_what_is_no_private_key_signs_nothing(secret):
    with pytest.raises(assertion.KeyUnfitError):
        assertion.sign(secret, "first-cinema", HUB, NOW)


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", fullmatch=True))
def test_whatever_is_presented_names_a_client_or_is_refused(presented):
    try:
        assert assertion.client_of(presented)
    except NotGenuineError as refused:
        assert isinstance(refused.flaw, Flaw)  # noqa: PT017 - both ways are right

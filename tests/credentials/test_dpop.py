from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from credentials import base64url, compact, dpop
from credentials.flaw import Flaw, NotGenuineError
from tests.refusal import refused_as

NOW = datetime(2026, 11, 28, 2, tzinfo=UTC)
AT = int(NOW.timestamp())
KEY = ECKey.generate_key("P-256")
URL = "https://hub.example/graphql"
TOKEN = "e30.e30.AA"  # noqa: S105 - it opens nothing
HEADER = {"alg": "ES256", "typ": "dpop+jwt", "jwk": KEY.as_dict(private=False)}
CLAIMS = {
    "jti": "-BwC3ESc6acc2lTc",
    "htm": "POST",
    "htu": URL,
    "iat": AT,
    "ath": base64url.digest(TOKEN),
    "nonce": "n-1",
}


def proof(*, key=KEY, header=None, **changes):
    claims = {name: said for name, said in {**CLAIMS, **changes}.items() if said is not ...}
    head = {name: said for name, said in {**HEADER, **(header or {})}.items() if said is not ...}
    return compact.write(key, claims, head)


def checked(presented, **changes):
    request = {"method": "POST", "url": URL, "now": NOW, "access_token": TOKEN, **changes}
    return dpop.check(presented, **request)


def test_a_proof_names_its_key_and_how_long_its_id_must_be_remembered():
    assert checked(proof()) == dpop.Proof(
        KEY.thumbprint(), CLAIMS["jti"], NOW + timedelta(seconds=60)
    )


def test_a_proof_of_another_library_holds():
    header = {**HEADER, "jwk": KEY.as_dict(private=False)}

    assert checked(jwt.encode(header, CLAIMS, KEY)).jkt == KEY.thumbprint()


@pytest.mark.parametrize("seconds", [-60, -1, 0, 10, 60])
def test_clocks_may_differ_by_a_minute_either_way(seconds):
    assert checked(proof(iat=AT + seconds)).expires_at == NOW + timedelta(seconds=60 + seconds)


@pytest.mark.parametrize(
    "url",
    [
        "https://hub.example/graphql?query=x",
        "https://hub.example/graphql#fragment",
        "HTTPS://HUB.EXAMPLE/graphql",
        "https://hub.example:443/graphql",
    ],
)
def test_a_proof_is_for_an_address_without_query_however_it_is_spelt(url):
    assert checked(proof(htu=url))
    assert checked(proof(), url=url)


def test_before_there_is_a_token_none_is_named():
    assert checked(proof(ath=...), access_token=None)


def test_a_nonce_counts_where_one_was_given():
    assert checked(proof(nonce=...))
    assert checked(proof(), nonce="n-1")
    for said in ("n-2", ..., None):
        with refused_as(Flaw.WRONG_NONCE):
            checked(proof(nonce=said), nonce="n-1")


OTHER = ECKey.generate_key("P-256")


@pytest.mark.parametrize(
    ("presented", "flaw"),
    [
        pytest.param(proof(iat=AT - 61), Flaw.STALE, id="old"),
        pytest.param(proof(iat=AT + 61), Flaw.NOT_YET_VALID, id="ahead"),
        pytest.param(proof(iat=...), Flaw.MALFORMED, id="of no time"),
        pytest.param(proof(iat=str(AT)), Flaw.MALFORMED, id="of a time in words"),
        pytest.param(proof(exp=AT - 60), Flaw.EXPIRED, id="over"),
        pytest.param(proof(htm="GET"), Flaw.WRONG_REQUEST, id="for another method"),
        pytest.param(proof(htm="post"), Flaw.WRONG_REQUEST, id="for a small method"),
        pytest.param(proof(htm=...), Flaw.WRONG_REQUEST, id="for no method"),
        pytest.param(proof(htu=...), Flaw.MALFORMED, id="for no address"),
        pytest.param(proof(htu="https://[", iat=AT), Flaw.MALFORMED, id="for half an address"),
        *(
            pytest.param(proof(htu=url), Flaw.WRONG_REQUEST, id=f"for {url}")
            for url in (
                *("http://hub.example/graphql", "https://hub.example", "/graphql"),
                *("https://hub.example/graphql/", "https://hub.example:444/graphql"),
                *("https://other.example/graphql", "https://hub.example/GraphQL"),
            )
        ),
        pytest.param(proof(ath=...), Flaw.WRONG_REQUEST, id="for no token"),
        pytest.param(proof(ath=base64url.digest("x")), Flaw.WRONG_REQUEST, id="for another token"),
        pytest.param(proof(jti="short"), Flaw.MALFORMED, id="of a short id"),
        pytest.param(proof(jti="x" * 129), Flaw.MALFORMED, id="of a long id"),
        pytest.param(proof(jti=...), Flaw.MALFORMED, id="of no id"),
        pytest.param(proof(key=OTHER), Flaw.BAD_SIGNATURE, id="by another key"),
        pytest.param(proof(header={"typ": "JWT"}), Flaw.WRONG_TYPE, id="any token"),
        pytest.param(proof(header={"typ": "kb+jwt"}), Flaw.WRONG_TYPE, id="a card's binding"),
        pytest.param(proof(header={"alg": "none"}), Flaw.WRONG_ALGORITHM, id="unsigned"),
        pytest.param(proof(header={"jwk": ...}), Flaw.MALFORMED, id="without its key"),
        pytest.param(proof(header={"jwk": "x"}), Flaw.MALFORMED, id="with half a key"),
        pytest.param(
            proof(header={"jwk": KEY.as_dict(private=True)}),
            Flaw.MALFORMED,
            id="with its private key",
        ),
        pytest.param(
            proof(header={"jwk": ECKey.generate_key("P-384").as_dict(private=False)}),
            Flaw.MALFORMED,
            id="with a key of another curve",
        ),
        pytest.param(proof(header={"crit": ["x"], "x": 1}), Flaw.MALFORMED, id="critical"),
        pytest.param("x" * (compact.MOST_LENGTH + 1), Flaw.TOO_LARGE, id="endless"),
    ],
)
def test_a_proof_is_refused_if_it_is(presented, flaw):
    with refused_as(flaw):
        checked(presented)


@given(st.text(), st.text())
def test_whatever_address_a_proof_names_it_holds_or_is_refused(url, token):
    try:
        assert checked(proof(htu=url), access_token=token)
    except NotGenuineError as refused:
        assert isinstance(refused.flaw, Flaw)  # noqa: PT017 - both ways are right

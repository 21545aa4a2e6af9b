from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwt

from credentials import access, compact, keyring
from credentials.flaw import Flaw
from credentials.keyring import Purpose
from tests.refusal import refused_as

NOW = datetime(2026, 11, 28, 2, tzinfo=UTC)
KEY = keyring.new(Purpose.ACCESS, published_at=NOW, signs_from=NOW)
HERE = {"issuer": "https://hub.example", "audience": "https://hub.example/graphql"}
PARTNER = {"client_id": "first-cinema", "scopes": ["verify:code", "redeem"], "jkt": "thumbprint"}


def issued(**changes):
    return access.issue(KEY, **{**HERE, **PARTNER, "now": NOW, **changes})


def read(token, **changes):
    expected = {**HERE, "now": NOW, **changes}
    return access.read(token, {KEY.id: KEY}.get, **expected)


def test_a_token_allows_what_was_granted_for_five_minutes():
    grant = read(issued())

    assert grant == access.Grant(
        client="first-cinema",
        scopes=frozenset({"verify:code", "redeem"}),
        jkt="thumbprint",
        x5t=None,
        jti=grant.jti,
        expires_at=NOW + timedelta(minutes=5),
    )


def test_a_token_may_be_bound_to_a_certificate_as_well():
    assert read(issued(x5t="certificate")).x5t == "certificate"


def test_each_token_has_an_id_of_its_own():
    assert read(issued()).jti != read(issued()).jti


def test_another_library_reads_our_tokens():
    token = jwt.decode(issued(), KEY.jwk, algorithms=["ES256"])

    assert token.header == {"alg": "ES256", "kid": KEY.id, "typ": "at+jwt"}
    assert token.claims["sub"] == token.claims["client_id"] == "first-cinema"
    assert token.claims["scope"] == "redeem verify:code"
    assert token.claims["cnf"] == {"jkt": "thumbprint"}


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"issuer": "https://other.example"}, Flaw.WRONG_ISSUER),
        ({"audience": "https://hub.example"}, Flaw.WRONG_AUDIENCE),
        ({"now": NOW + timedelta(minutes=6)}, Flaw.EXPIRED),
        ({"now": NOW - timedelta(seconds=61)}, Flaw.NOT_YET_VALID),
    ],
)
def test_a_token_counts_here_and_now_only(changes, flaw):
    with refused_as(flaw):
        read(issued(), **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"cnf": None},
        {"cnf": {}},
        {"cnf": {"jkt": 1}},
        {"cnf": {"jkt": "a", "x5t#S256": None}},
        {"scope": ["redeem"]},
        {"scope": ""},
        {"client_id": None},
        {"jti": None},
        {"exp": None},
    ],
)
def test_a_token_that_says_less_is_refused(changes):
    said = jwt.decode(issued(), KEY.jwk, algorithms=["ES256"]).claims

    with refused_as(Flaw.MALFORMED):
        read(compact.sign(KEY, {**said, **changes}))


def test_a_token_of_another_type_or_key_is_refused():
    said = jwt.decode(issued(), KEY.jwk, algorithms=["ES256"]).claims
    other = keyring.new(Purpose.ACCESS, published_at=NOW, signs_from=NOW)

    with refused_as(Flaw.WRONG_TYPE):
        read(compact.sign(KEY, said, {"typ": "JWT"}))
    with refused_as(Flaw.UNKNOWN_KEY):
        read(compact.sign(other, said))
    with refused_as(Flaw.BAD_SIGNATURE):
        read(compact.sign(other, said, {"kid": KEY.id}))

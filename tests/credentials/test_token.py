from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey

from credentials import token
from models import errors

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
KEY = token.new_key()
HOUR = timedelta(hours=1)
EXPECTED = {"issuer": "urn:issuer", "audience": "hub", "now": NOW}


def signed(subject="somebody", role="holder", **given):
    wanted = {"issuer": "urn:issuer", "audience": "hub", "now": NOW, "lifetime": HOUR, **given}
    return token.sign(KEY, token.Claims(subject, role), **wanted)


def test_what_is_signed_holds_and_says_the_same():
    presented = signed("h4ndle", "officer")

    assert token.key_id(presented) == KEY.thumbprint()
    assert token.verify(presented, KEY, **EXPECTED) == token.Claims("h4ndle", "officer")


@pytest.mark.parametrize("seconds", [-token.LEEWAY_SECONDS, 0, HOUR.total_seconds()])
def test_a_token_holds_from_its_issue_to_its_end_give_or_take_a_minute(seconds):
    at = NOW + timedelta(seconds=seconds)

    assert token.verify(signed(), KEY, **{**EXPECTED, "now": at}).subject == "somebody"


@pytest.mark.parametrize(
    "seconds", [-token.LEEWAY_SECONDS - 1, HOUR.total_seconds() + token.LEEWAY_SECONDS + 1]
)
def test_a_token_does_not_hold_outside_its_time(seconds):
    at = NOW + timedelta(seconds=seconds)

    with pytest.raises(errors.UnauthenticatedError):
        token.verify(signed(), KEY, **{**EXPECTED, "now": at})


@pytest.mark.parametrize(
    "other", [{"issuer": "urn:other"}, {"audience": "other"}, {"issuer": "URN:ISSUER"}]
)
def test_a_token_of_another_issuer_or_for_another_audience_does_not_hold(other):
    with pytest.raises(errors.UnauthenticatedError):
        token.verify(signed(), KEY, **{**EXPECTED, **other})


def test_a_token_for_several_audiences_holds_for_each():
    said = {
        "iss": "urn:issuer",
        "aud": ["elsewhere", "hub"],
        "sub": "x",
        "role": "holder",
        "exp": int(NOW.timestamp()) + 60,
    }
    presented = jwt.encode({"alg": "ES256", "kid": KEY.kid}, said, KEY)

    assert token.verify(presented, KEY, **EXPECTED) == token.Claims("x", "holder")


def test_another_key_does_not_open_the_door():
    with pytest.raises(errors.UnauthenticatedError):
        token.verify(signed(), token.new_key(), **EXPECTED)


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", fullmatch=True))
def test_whatever_is_presented_is_a_token_or_malformed(presented):
    try:
        assert isinstance(token.key_id(presented), str)
    except errors.UnauthenticatedError as refused:
        assert refused.sentence == "The token is malformed."  # noqa: PT017 - both ways are right


def _checked(presented: str) -> token.Claims:
    token.key_id(presented)
    return token.verify(presented, KEY, **EXPECTED)


@given(st.integers(0, 2), st.integers(0, 50), st.characters(codec="ascii"))
def test_no_part_of_a_token_can_be_changed(part, place, letter):
    parts = signed().split(".")
    place %= len(parts[part]) - 1  # the last letter has bits that mean nothing
    changed = parts[part][:place] + letter + parts[part][place + 1 :]
    if changed == parts[part]:
        return
    parts[part] = changed

    with pytest.raises(errors.UnauthenticatedError):
        _checked(".".join(parts))


def test_a_token_is_refused_unread_when_it_is_too_long():
    long = signed("x" * token.MOST_BYTES)

    with pytest.raises(errors.UnauthenticatedError, match="malformed"):
        token.key_id(long)


@pytest.mark.parametrize("header", [{"alg": "ES256"}, {"alg": "ES384", "kid": "x"}])
def test_a_token_without_a_key_id_or_of_another_algorithm_is_malformed(header):
    key = ECKey.generate_key("P-384" if header["alg"] == "ES384" else "P-256")
    presented = jwt.encode(header, {"sub": "x"}, key, algorithms=["ES256", "ES384"])

    with pytest.raises(errors.UnauthenticatedError, match="malformed"):
        token.key_id(presented)


def test_of_a_key_set_the_signature_keys_are_used_and_others_passed_over():
    keys = {
        "rsa": RSAKey.generate_key(2048, {"kid": "rsa"}),
        "ec": ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"}),
        "okp": OKPKey.generate_key("Ed25519", {"kid": "okp"}),
        "enc": ECKey.generate_key("P-256", {"kid": "enc", "use": "enc"}),
        "oct": OctKey.generate_key(256, {"kid": "oct"}),
    }
    document = KeySet(list(keys.values())).as_dict(private=True)

    assert set(token.keys_of(document)) == {"rsa", "ec", "okp"}


@pytest.mark.parametrize(
    "document", [None, [], "keys", {}, {"keys": None}, {"keys": [1]}, {"keys": [{"kty": "?"}]}]
)
def test_what_is_no_key_set_is_refused(document):
    with pytest.raises(ValueError, match="no JWK set"):
        token.keys_of(document)


def test_a_key_survives_being_written_down():
    again = token.key_of(KEY.as_dict(private=True))

    assert again.thumbprint() == KEY.thumbprint()

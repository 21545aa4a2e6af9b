from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws

from credentials import base64url, compact, evidence, keyring
from credentials.flaw import Flaw, NotGenuineError

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)
KEY = keyring.new(keyring.Purpose.RECEIPT, published_at=NOW, signs_from=NOW)
RECEIPT = evidence.Receipt(
    id="r-1",
    partner="star-cinema",
    holder="yzl7agtnqgeowphgpvt7ljem3vwaxqvk",
    outcome="ACCEPTED",
    evidence="LIVE_CODE",
    service="cinema-tickets",
    policy="cinema-1",
    consent="c-1",
    claims=("tier", "valid"),
    status_as_of=NOW - timedelta(seconds=40),
    checked_at=NOW,
    rules="7",
    presented=evidence.commitment(bytes(32), b"a code"),
    record="ab" * 32,
)
BARE = dataclasses.replace(RECEIPT, holder=None, evidence=None, consent=None, claims=())


def keys(kid):
    return KEY if kid == KEY.id else None


def said_by(receipt):
    return json.loads(base64url.decode(evidence.sign(KEY, receipt).split(".")[1]))


@pytest.mark.parametrize("receipt", [RECEIPT, BARE])
def test_a_receipt_gives_back_what_was_attested(receipt):
    assert evidence.read(evidence.sign(KEY, receipt), keys) == receipt


def test_equal_receipts_are_equal_to_the_byte():
    assert evidence.sign(KEY, RECEIPT) == evidence.sign(KEY, dataclasses.replace(RECEIPT))


def test_anybody_can_check_a_receipt_with_the_published_key():
    public = KEY.jwk.import_key(KEY.jwk.as_dict(private=False))

    found = jws.deserialize_compact(evidence.sign(KEY, RECEIPT), public, algorithms=["ES256"])

    assert found.headers()["typ"] == "tc-receipt+jwt"


def test_a_receipt_names_claims_and_says_nothing_of_who_was_not_named():
    assert said_by(RECEIPT)["claims"] == ["tier", "valid"]
    assert not {"holder", "evidence", "consent"} & said_by(BARE).keys()


@pytest.mark.parametrize(
    "changed",
    [
        *[{name: None} for name in said_by(RECEIPT) if name not in {"holder", "consent"}],
        *[{name: 1} for name in said_by(RECEIPT) if name not in {"iat", "status_as_of"}],
        *[{"claims": ["x", 1]}, {"presented": "AA"}, {"iat": -1}, {"iat": True}, {"partner": ""}],
    ],
)
def test_what_is_signed_but_no_receipt_is_refused(changed):
    with pytest.raises(NotGenuineError) as refused:
        evidence.read(compact.sign(KEY, {**said_by(RECEIPT), **changed}), keys)

    assert refused.value.flaw is Flaw.MALFORMED


def test_a_receipt_of_a_stranger_is_refused():
    stranger = keyring.new(keyring.Purpose.RECEIPT, published_at=NOW, signs_from=NOW)

    with pytest.raises(NotGenuineError) as refused:
        evidence.read(evidence.sign(stranger, RECEIPT), keys)

    assert refused.value.flaw is Flaw.UNKNOWN_KEY


def test_another_statement_of_the_same_key_is_no_receipt():
    head = {"alg": "ES256", "kid": KEY.id, "typ": "tc-loghead+jwt"}

    with pytest.raises(NotGenuineError) as refused:
        evidence.read(compact.write(KEY.jwk, said_by(RECEIPT), head), keys)

    assert refused.value.flaw is Flaw.WRONG_TYPE


@given(st.text())
def test_whatever_is_presented_as_a_receipt_is_refused(token):
    with pytest.raises(NotGenuineError):
        evidence.read(token, keys)


@given(st.binary(min_size=32, max_size=32), st.binary(), st.binary())
def test_a_commitment_binds_to_salt_and_statement(salt, one, other):
    made = evidence.commitment(salt, one)

    assert len(made) == 32
    assert (made == evidence.commitment(salt, other)) is (one == other)
    assert made != evidence.commitment(b"another salt".ljust(32), one)

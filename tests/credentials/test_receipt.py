from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import KeySet

from credentials import receipt, token
from models import errors

KEY = token.new_key()
OLDER = token.new_key()
NOTARY = receipt.Notary([KEY, OLDER])
STATEMENT = b'{"outcome":"ELIGIBLE"}'


@given(st.binary(min_size=1, max_size=2000))
def test_a_receipt_gives_back_what_was_stated(statement):
    assert NOTARY.statement(NOTARY.sign(statement)) == statement


def test_the_same_statement_has_the_same_receipt_to_the_byte():
    assert NOTARY.sign(STATEMENT) == receipt.Notary([KEY]).sign(STATEMENT)


def test_anybody_can_check_a_receipt_with_the_published_keys():
    public = KeySet.import_key_set(NOTARY.jwks)

    found = jws.deserialize_compact(NOTARY.sign(STATEMENT), public, algorithms=["ES256"])

    assert found.payload == STATEMENT
    assert found.headers()["typ"] == receipt.TYPE
    assert all("d" not in key for key in NOTARY.jwks["keys"])


def test_a_key_that_signs_no_more_still_counts():
    before = receipt.Notary([OLDER]).sign(STATEMENT)

    assert NOTARY.statement(before) == STATEMENT
    assert NOTARY.sign(STATEMENT) != before


def test_a_receipt_of_a_stranger_is_refused():
    with pytest.raises(errors.BadReceiptError):
        NOTARY.statement(receipt.Notary([token.new_key()]).sign(STATEMENT))


def test_every_single_character_of_a_receipt_counts():
    good = NOTARY.sign(STATEMENT)

    for place, character in enumerate(good):
        other = "A" if character != "A" else "B"
        with pytest.raises(errors.BadReceiptError):
            NOTARY.statement(good[:place] + other + good[place + 1 :])


@pytest.mark.parametrize(
    "presented",
    [
        *["", ".", "..", "a.b", "a.b.c.d", "é.b.c", "a" * (receipt.MOST_LENGTH + 1)],
        NOTARY.sign(STATEMENT).partition(".")[0] + ".A.A",
    ],
)
def test_what_is_no_receipt_at_all_is_refused(presented):
    with pytest.raises(errors.BadReceiptError):
        NOTARY.statement(presented)


def test_a_bearer_token_of_the_same_key_is_no_receipt():
    other = jws.serialize_compact({"alg": "ES256", "kid": KEY.thumbprint()}, STATEMENT, KEY)

    with pytest.raises(errors.BadReceiptError):
        NOTARY.statement(other)

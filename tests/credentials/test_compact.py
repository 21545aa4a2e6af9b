from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from jwcrypto import jwk as other_jwk
from jwcrypto import jws as other_jws

from credentials import base64url, compact, es256, keyring
from credentials.flaw import Flaw, NotGenuineError
from credentials.keyring import Purpose
from tests.refusal import refused_as

NOW = datetime(2026, 11, 28, 2, tzinfo=UTC)
KEY = keyring.new(Purpose.STATUS, published_at=NOW, signs_from=NOW)
TYPE = keyring.TYPES[Purpose.STATUS]
HEADER = {"alg": "ES256", "kid": KEY.id, "typ": TYPE}
CLAIMS = {"sub": "https://hub.example/status/1", "n": 1}
GOOD = compact.sign(KEY, CLAIMS)
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def found(kid):
    return KEY if kid == KEY.id else None


def read(token, **changes):
    return compact.read(token, **{"keys": found, "typ": TYPE, **changes})


def signed(header, claims):
    """Return bytes signed as they are, whatever they say."""
    said = f"{base64url.encode(header)}.{base64url.encode(claims)}"
    return f"{said}.{base64url.encode(es256.sign(KEY.jwk, said.encode()))}"


def headed(**changes):
    header = {name: said for name, said in {**HEADER, **changes}.items() if said is not ...}
    return signed(json.dumps(header).encode(), json.dumps(CLAIMS).encode())


claims = st.dictionaries(st.text(), st.none() | st.booleans() | st.text() | st.integers(0, 2**53))


@given(claims)
def test_what_is_signed_is_read_again(said):
    assert read(compact.sign(KEY, said)) == said


def test_the_same_claims_give_the_same_token_to_the_byte():
    assert compact.sign(KEY, CLAIMS) == GOOD


def test_a_header_may_say_more_where_both_sides_know_it():
    token = compact.sign(KEY, CLAIMS, {"x5c": ["MA"]})

    assert read(token, allowed=["x5c"]) == CLAIMS
    with refused_as(Flaw.MALFORMED):
        read(token)


def test_other_libraries_read_our_tokens():
    public = KEY.jwk.as_dict(private=False)
    other = other_jws.JWS()
    other.deserialize(GOOD, other_jwk.JWK(**public), alg="ES256")

    assert json.loads(other.payload) == CLAIMS
    assert jws.deserialize_compact(GOOD, KEY.jwk, algorithms=["ES256"]).headers() == HEADER


def test_we_read_tokens_of_other_libraries():
    private = KEY.jwk.as_dict(private=True)
    other = other_jws.JWS(json.dumps(CLAIMS))
    other.add_signature(other_jwk.JWK(**private), protected=json.dumps(HEADER))

    assert read(other.serialize(compact=True)) == CLAIMS
    assert read(jws.serialize_compact(HEADER, json.dumps(CLAIMS), KEY.jwk)) == CLAIMS


@pytest.mark.parametrize(
    ("token", "flaw"),
    [
        pytest.param(headed(alg="none"), Flaw.WRONG_ALGORITHM, id="unsigned"),
        pytest.param(headed(alg="HS256"), Flaw.WRONG_ALGORITHM, id="with a shared secret"),
        pytest.param(headed(alg="ES384"), Flaw.WRONG_ALGORITHM, id="of another curve"),
        pytest.param(headed(alg="es256"), Flaw.WRONG_ALGORITHM, id="in small letters"),
        pytest.param(headed(alg=["ES256"]), Flaw.WRONG_ALGORITHM, id="of a list"),
        pytest.param(headed(alg=...), Flaw.MALFORMED, id="of no algorithm"),
        pytest.param(headed(typ=...), Flaw.MALFORMED, id="of no type"),
        pytest.param(headed(typ=None), Flaw.WRONG_TYPE, id="of a null type"),
        pytest.param(headed(typ="JWT"), Flaw.WRONG_TYPE, id="of any type"),
        pytest.param(headed(typ=TYPE.upper()), Flaw.WRONG_TYPE, id="of a type in capitals"),
        pytest.param(headed(typ=f"application/{TYPE}"), Flaw.WRONG_TYPE, id="of a longer type"),
        pytest.param(headed(typ=[TYPE]), Flaw.WRONG_TYPE, id="of a list of types"),
        pytest.param(headed(kid=...), Flaw.MALFORMED, id="of no key"),
        pytest.param(headed(kid=1), Flaw.MALFORMED, id="of a numbered key"),
        pytest.param(headed(kid=None), Flaw.MALFORMED, id="of a null key"),
        pytest.param(headed(kid=KEY.id.lower()), Flaw.UNKNOWN_KEY, id="of another key"),
        pytest.param(headed(crit=["exp"], exp=1), Flaw.MALFORMED, id="critical"),
        pytest.param(headed(crit=[]), Flaw.MALFORMED, id="critical of nothing"),
        pytest.param(headed(b64=False, crit=["b64"]), Flaw.MALFORMED, id="not encoded"),
        pytest.param(
            headed(jwk=KEY.jwk.as_dict(private=False)), Flaw.MALFORMED, id="with its own key"
        ),
        pytest.param(headed(jku="https://a.example"), Flaw.MALFORMED, id="with keys elsewhere"),
        pytest.param(headed(x5u="https://a.example"), Flaw.MALFORMED, id="with a certificate"),
        pytest.param(headed(zip="DEF"), Flaw.MALFORMED, id="packed"),
        pytest.param(
            signed(b'{"alg":"none","alg":"ES256","kid":"x","typ":"x"}', b"{}"),
            Flaw.MALFORMED,
            id="of two algorithms",
        ),
        pytest.param(
            signed(json.dumps(HEADER).encode(), b'{"sub":"a","sub":"b"}'),
            Flaw.MALFORMED,
            id="of two subjects",
        ),
        pytest.param(
            signed(json.dumps(HEADER).encode(), b'{"a":{"sub":"a","sub":"b"}}'),
            Flaw.MALFORMED,
            id="of two subjects further in",
        ),
        *(
            pytest.param(signed(json.dumps(HEADER).encode(), said), Flaw.MALFORMED, id=repr(said))
            for said in (
                *(b"", b"[]", b"1", b"null", b'"a"', b"{", b"{}{}", b'{"a":NaN}', b'{"a":"\xff"}'),
                *(b'{"a":"\\ud800"}', b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b"{'a':1}"),
            )
        ),
        pytest.param(
            signed(json.dumps(HEADER).encode(), b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}"),
            Flaw.MALFORMED,
            id="without a bottom",
        ),
        pytest.param(signed(b"[]", b"{}"), Flaw.MALFORMED, id="headed by a list"),
        *(
            pytest.param(token, Flaw.MALFORMED, id=what)
            for what, token in {
                "empty": "",
                "of one part": GOOD.replace(".", ""),
                "of two parts": GOOD.rpartition(".")[0],
                "of four parts": GOOD + ".AA",
                "of five parts": GOOD + ".AA.AA",
                "with padding": GOOD + "==",
                "with a space": GOOD + " ",
                "with a line's end": GOOD + "\n",
                "in two lines": GOOD[:9] + "\n" + GOOD[9:],
                "of other letters": GOOD.replace(".", ".é"),
                "of half a letter": GOOD + "\ud800",
                "as JSON": json.dumps({"payload": "e30", "signatures": []}),
            }.items()
        ),
        pytest.param(GOOD.rpartition(".")[0] + ".", Flaw.BAD_SIGNATURE, id="without signature"),
        pytest.param(GOOD[:-2], Flaw.BAD_SIGNATURE, id="cut short"),
        pytest.param(
            f"{GOOD.rpartition('.')[0]}.{base64url.encode(bytes(64))}",
            Flaw.BAD_SIGNATURE,
            id="signed with nought",
        ),
    ],
)
def test_a_token_is_refused_if_it_is(token, flaw):
    with refused_as(flaw):
        read(token)


def test_every_single_character_of_a_token_counts():
    for place, character in enumerate(GOOD):
        for other in ("A", "B", "-"):
            if other != character:
                with pytest.raises(NotGenuineError):
                    read(GOOD[:place] + other + GOOD[place + 1 :])


def test_of_the_last_character_no_bit_is_without_meaning():
    # 64 bytes leave four bits of the last letter over: all sixteen spell the same bytes elsewhere.
    for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
        if last != GOOD[-1]:
            with pytest.raises(NotGenuineError):
                read(GOOD[:-1] + last)


def test_a_token_with_the_twin_of_its_signature_says_the_same():
    said, _, last = GOOD.rpartition(".")
    raw = base64url.decode(last)
    twin = raw[:32] + (ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")

    other = f"{said}.{base64url.encode(twin)}"

    assert other != GOOD
    assert read(other) == CLAIMS


def test_a_token_that_another_key_signed_under_our_name_is_refused():
    stranger = keyring.new(Purpose.STATUS, published_at=NOW, signs_from=NOW)

    with refused_as(Flaw.BAD_SIGNATURE):
        read(compact.write(stranger.jwk, CLAIMS, HEADER))


@pytest.mark.parametrize("purpose", [one for one in Purpose if one != Purpose.STATUS])
def test_what_is_signed_for_another_purpose_is_refused_even_under_the_same_key(purpose):
    header = {**HEADER, "typ": keyring.TYPES[purpose]}

    with refused_as(Flaw.WRONG_TYPE):
        read(compact.write(KEY.jwk, CLAIMS, header))


def test_a_token_that_is_too_long_is_refused_unread():
    for length in (compact.MOST_LENGTH + 1, 20_000_000):
        token = "." * length
        began = time.perf_counter()

        with refused_as(Flaw.TOO_LARGE):
            read(token)

        assert time.perf_counter() - began < 0.05


@given(
    st.text()
    | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", fullmatch=True)
    | st.builds(signed, st.binary(), st.binary())
    | st.builds(signed, st.just(json.dumps(HEADER).encode()), st.binary())
)
def test_whatever_is_presented_is_read_or_refused(token):
    try:
        assert isinstance(read(token), dict)
    except NotGenuineError as refused:
        assert isinstance(refused.flaw, Flaw)  # noqa: PT017 - both ways are right

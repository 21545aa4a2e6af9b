from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, RSAKey

from credentials import base64url, es256
from credentials.flaw import Flaw
from tests.refusal import refused_as

#: The key and two of the signatures of RFC 6979, appendix A.2.5.
KEY = ECKey.import_key(
    {
        "kty": "EC",
        "crv": "P-256",
        "d": base64url.encode(
            bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
        ),
        "x": base64url.encode(
            bytes.fromhex("60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6")
        ),
        "y": base64url.encode(
            bytes.fromhex("7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299")
        ),
    }
)
PUBLIC = KEY.as_dict(private=False)
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.mark.parametrize(
    ("said", "signature"),
    [
        (
            b"sample",
            (
                "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
                "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
            ),
        ),
        (
            b"test",
            (
                "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
                "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083"
            ),
        ),
    ],
)
def test_signatures_are_those_of_the_standard(said, signature):
    assert es256.sign(KEY, said).hex().upper() == signature
    assert es256.holds(KEY, said, bytes.fromhex(signature))


@given(st.binary(max_size=100), st.integers(0, 511))
def test_a_signature_with_one_bit_changed_does_not_hold(said, bit):
    signed = int.from_bytes(es256.sign(KEY, said), "big") ^ 1 << bit

    assert not es256.holds(KEY, said, signed.to_bytes(64, "big"))


@given(st.binary(max_size=80))
def test_whatever_is_no_signature_does_not_hold(signature):
    assert not es256.holds(KEY, b"sample", signature)


def test_a_signature_has_a_twin_that_holds_as_well():
    signed = es256.sign(KEY, b"sample")
    s = ORDER - int.from_bytes(signed[32:], "big")

    assert es256.holds(KEY, b"sample", signed[:32] + s.to_bytes(32, "big"))


@pytest.mark.parametrize(
    "signature", [bytes(64), b"\xff" * 64, ORDER.to_bytes(32, "big") * 2, b"", bytes(63), bytes(65)]
)
def test_numbers_that_no_signature_has_do_not_hold(signature):
    assert not es256.holds(KEY, b"sample", signature)


def test_a_key_of_another_curve_verifies_nothing():
    assert not es256.holds(ECKey.generate_key("P-384"), b"sample", es256.sign(KEY, b"sample"))


def test_a_public_key_is_read_whatever_else_it_says():
    said = {**PUBLIC, "use": "sig", "key_ops": ["verify"], "ext": True, "kid": "mine"}

    assert es256.public_key(said).thumbprint() == KEY.thumbprint()


@pytest.mark.parametrize(
    "jwk",
    [
        pytest.param(None, id="nothing"),
        pytest.param("key", id="a word"),
        pytest.param(KEY.as_dict(private=True), id="with its private part"),
        pytest.param({**PUBLIC, "k": "AAAA"}, id="with a shared secret"),
        pytest.param(ECKey.generate_key("P-384").as_dict(private=False), id="another curve"),
        pytest.param(RSAKey.generate_key(2048).as_dict(private=False), id="RSA"),
        pytest.param(OctKey.generate_key(256).as_dict(private=True), id="a shared key"),
        pytest.param({**PUBLIC, "kty": "OKP"}, id="of no such sort"),
        pytest.param({**PUBLIC, "crv": ["P-256"]}, id="a list of curves"),
        pytest.param({**PUBLIC, "x": PUBLIC["y"]}, id="a point beside the curve"),
        pytest.param({**PUBLIC, "x": "AA"}, id="a short coordinate"),
        pytest.param({**PUBLIC, "x": PUBLIC["x"] + "="}, id="padding"),
        pytest.param({**PUBLIC, "x": 1}, id="a number"),
        pytest.param({**PUBLIC, "use": "enc"}, id="for secrecy"),
        pytest.param({**PUBLIC, "key_ops": ["deriveKey"]}, id="for agreement"),
        pytest.param({**PUBLIC, "key_ops": 1}, id="for a number"),
    ],
)
def test_what_is_no_public_signing_key_of_the_curve_is_refused(jwk):
    with refused_as(Flaw.MALFORMED):
        es256.public_key(jwk)


@pytest.mark.skipif(
    "GREENWAY_TEST_VECTORS" not in os.environ,
    reason="GREENWAY_TEST_VECTORS names no folder with the published vectors of Wycheproof",
)
def test_every_published_signature_holds_or_not_as_it_should():
    folder = Path(os.environ["GREENWAY_TEST_VECTORS"])
    groups = json.loads((folder / "ecdsa_secp256r1_sha256_p1363_test.json").read_bytes())

    for group in groups["testGroups"]:
        point = bytes.fromhex(group["publicKey"]["uncompressed"])
        x, y = base64url.encode(point[1:33]), base64url.encode(point[33:])
        key = es256.public_key({"kty": "EC", "crv": "P-256", "x": x, "y": y})
        for one in group["tests"]:
            said, signature = bytes.fromhex(one["msg"]), bytes.fromhex(one["sig"])
            assert es256.holds(key, said, signature) is (one["result"] == "valid"), one["comment"]

"""ES256 (RFC 7518, section 3.4): the one signature of every credential here.

It is the deterministic signature of RFC 6979: equal words under one key give equal bytes.
"""

from __future__ import annotations

from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from joserfc import errors as jose
from joserfc.jwk import ECKey

from credentials import base64url, claim
from credentials.flaw import Flaw, NotGenuineError

_CURVE = "P-256"
_HALF = 32  # bytes of each of a signature's two numbers, and of each coordinate of a key
#: What a JWK of any sort says only of a private or a shared key (RFC 7518, section 6).
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


def sign(key: ECKey, said: bytes) -> bytes:
    """Return the signature of what is said: 64 bytes."""
    private: Any = key.get_op_key("sign")
    signed = private.sign(said, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    r, s = decode_dss_signature(signed)
    return r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")


def holds(key: ECKey, said: bytes, signature: bytes) -> bool:
    """Return whether this key has signed what is said.

    (r, n - s) holds wherever (r, s) does: two signatures that differ may be one person's one word.
    """
    if len(signature) != 2 * _HALF or key.curve_name != _CURVE:
        return False
    r, s = (int.from_bytes(half, "big") for half in (signature[:_HALF], signature[_HALF:]))
    try:
        key.public_key.verify(encode_dss_signature(r, s), said, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def public_key(jwk: object) -> ECKey:
    """Return the public key that a JWK of somebody else's is, of which only the point counts.

    Raises:
        NotGenuineError: it is no P-256 key in its one spelling, is for something else than
            checking signatures, or tells a private key as well.
    """
    said = claim.members(jwk)
    point = {name: claim.text(said.get(name)) for name in ("kty", "crv", "x", "y")}
    if (
        (point["kty"], point["crv"]) != ("EC", _CURVE)
        or {len(base64url.decode(point[name])) for name in ("x", "y")} != {_HALF}
        or _PRIVATE & said.keys()
        or said.get("use", "sig") != "sig"
        or "verify" not in claim.values(said.get("key_ops", ["verify"]))
    ):
        raise NotGenuineError(Flaw.MALFORMED)
    try:
        return ECKey.import_key(dict(point))
    except (ValueError, jose.JoseError):
        raise NotGenuineError(Flaw.MALFORMED) from None

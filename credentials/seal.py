"""What is kept sealed: a few bytes under a 256-bit key of the hub's, bound to what they are of."""

from __future__ import annotations

from joserfc import errors as jose
from joserfc import jwe
from joserfc.jwk import OctKey

from credentials.keyring import SealBrokenError


def sealed(said: bytes, name: str, kek: bytes) -> str:
    """Return what is said as it is kept: a JWE (RFC 7516) that holds for this name alone."""
    header = {"alg": "dir", "enc": "A256GCM", "kid": name}
    return jwe.encrypt_compact(header, said, OctKey.import_key(kek))


def opened(text: str, name: str, kek: bytes) -> bytes:
    """Return what was sealed under a name.

    Raises:
        SealBrokenError: it was sealed otherwise, under another name, or was changed since.
    """
    try:
        found = jwe.decrypt_compact(text, OctKey.import_key(kek), algorithms=["dir", "A256GCM"])
        if found.headers().get("kid") == name and found.plaintext is not None:
            return found.plaintext
    except (ValueError, TypeError, KeyError, jose.JoseError):
        pass
    raise SealBrokenError

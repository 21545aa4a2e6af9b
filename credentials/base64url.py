"""Base64url without padding (RFC 7515, appendix C), where bytes have one spelling and no other."""

from __future__ import annotations

import base64
import binascii
import hashlib

from credentials.flaw import Flaw, NotGenuineError


def encode(raw: bytes) -> str:
    """Return the one spelling of these bytes."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Return the bytes that a text spells.

    Raises:
        NotGenuineError: this is not how any bytes are spelt: a foreign letter, padding, or bits
            at the end that mean nothing, by which one signature would have several texts.
    """
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        raise NotGenuineError(Flaw.MALFORMED) from None
    if encode(raw) != text:
        raise NotGenuineError(Flaw.MALFORMED)
    return raw


def digest(text: str) -> str:
    """Return the SHA-256 of a text, as proofs and disclosures name it."""
    # Half a character that no encoding has must have a digest, not an error: it fits nothing.
    return encode(hashlib.sha256(text.encode(errors="surrogatepass")).digest())

"""A client's certificate as a proxy hands it on (RFC 9440), and the name that it goes by."""

from __future__ import annotations

import base64
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from credentials import base64url
from credentials.flaw import Flaw, NotGenuineError

#: A longer field is refused unread, in characters.
MOST_LENGTH = 16_384


def thumbprint(field: str) -> str:
    """Return the thumbprint (RFC 8705, section 3.1) of the certificate in a Client-Cert field.

    Raises:
        NotGenuineError: it holds no certificate, or something beside one.
    """
    if len(field) > MOST_LENGTH:
        raise NotGenuineError(Flaw.TOO_LARGE)
    if len(field) < len("::") or (field[0], field[-1]) != (":", ":"):
        raise NotGenuineError(Flaw.MALFORMED)
    try:
        found = base64.b64decode(field[1:-1], validate=True)
        x509.load_der_x509_certificate(found)
    except ValueError:
        raise NotGenuineError(Flaw.MALFORMED) from None
    return name(found)


def of_pem(text: str) -> str:
    """Return the thumbprint of a certificate in PEM.

    Raises:
        NotGenuineError: it is none.
    """
    try:
        found = x509.load_pem_x509_certificate(text.encode())
    except ValueError:
        raise NotGenuineError(Flaw.MALFORMED) from None
    return name(found.public_bytes(serialization.Encoding.DER))


def name(der: bytes) -> str:
    """Return the thumbprint of a certificate in DER."""
    return base64url.encode(hashlib.sha256(der).digest())

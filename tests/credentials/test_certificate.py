"""A certificate goes by the SHA-256 of its bytes, however it is handed on."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from credentials import base64url, certificate
from credentials.flaw import Flaw, NotGenuineError

DAY = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def made():
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "clinic.example")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(DAY)
        .not_valid_after(DAY + timedelta(365))
        .sign(key, hashes.SHA256())
    )


def test_a_field_and_a_file_of_one_certificate_name_it_alike(made):
    der = made.public_bytes(serialization.Encoding.DER)
    pem = made.public_bytes(serialization.Encoding.PEM).decode()

    found = certificate.thumbprint(f":{base64.b64encode(der).decode()}:")

    assert found == certificate.of_pem(pem) == certificate.name(der)
    assert base64url.decode(found) == hashlib.sha256(der).digest()


@pytest.mark.parametrize("field", ["", ":", "::", "text", ":AAAA:", ":!:", ":AAAA:, :AAAA:"])
def test_what_holds_no_certificate_names_none(field):
    with pytest.raises(NotGenuineError) as found:
        certificate.thumbprint(field)

    assert found.value.flaw is Flaw.MALFORMED


def test_a_certificate_with_something_after_it_is_none(made):
    der = made.public_bytes(serialization.Encoding.DER) + b"\0"

    with pytest.raises(NotGenuineError):
        certificate.thumbprint(f":{base64.b64encode(der).decode()}:")


def test_an_endless_field_is_not_read():
    with pytest.raises(NotGenuineError) as found:
        certificate.thumbprint(f":{'A' * certificate.MOST_LENGTH}:")

    assert found.value.flaw is Flaw.TOO_LARGE


@pytest.mark.parametrize("text", ["", "text", "-----BEGIN CERTIFICATE-----"])
def test_a_file_without_a_certificate_names_none(text):
    with pytest.raises(NotGenuineError):
        certificate.of_pem(text)

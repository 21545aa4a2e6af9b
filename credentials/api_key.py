"""API keys of tills: made once, known by a digest, and refused unread when mistyped."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import zlib
from dataclasses import dataclass

from models import errors

_ID_BYTES = 10
_SECRET_BYTES = 32
_FORM = re.compile(r"(tck_(live|test)_([a-z2-7]{16})_[a-z2-7]{52})([a-z2-7]{7})")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of a key: its secret has 256 random bits, so one hash of it is enough."""

    id: str
    live: bool
    digest: bytes


class MalformedError(errors.UnauthenticatedError):
    """A text that is no API key, or one with a slip in it."""

    def __init__(self) -> None:
        super().__init__("The API key is malformed.")


def new(*, live: bool) -> str:
    """Return a new key, to be shown once; a key that is not live opens the sandbox alone."""
    id_, secret = secrets.token_bytes(_ID_BYTES), secrets.token_bytes(_SECRET_BYTES)
    said = f"tck_{'live' if live else 'test'}_{_text(id_)}_{_text(secret)}"
    return said + _checksum(said)


def read(text: str) -> ApiKey:
    """Return what a key says it is; whether there is such a key, its digest tells.

    Raises:
        MalformedError: it is none, which its checksum (CRC-32) shows without a look at any store.
    """
    found = _FORM.fullmatch(text)
    if not found or _checksum(found[1]) != found[4]:
        raise MalformedError
    return ApiKey(found[3], found[2] == "live", hashlib.sha256(text.encode()).digest())


def _checksum(said: str) -> str:
    return _text(zlib.crc32(said.encode()).to_bytes(4, "big"))


def _text(raw: bytes) -> str:
    return base64.b32encode(raw).rstrip(b"=").decode().lower()

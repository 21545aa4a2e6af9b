"""Messages to partners' addresses, signed as Standard Webhooks are: with a shared secret."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from credentials.flaw import Flaw, NotGenuineError

ID = "webhook-id"
TIMESTAMP = "webhook-timestamp"
SIGNATURE = "webhook-signature"
#: A message that is older, or newer than the clock, by more than this is refused, in seconds.
TOLERANCE_SECONDS = 300

_PREFIX = "whsec_"
_SECRET_BYTES = 32
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_MOST_SIGNATURES = 8


def new_secret() -> str:
    """Return a new secret, to be shown to a partner once."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def headers(id_: str, now: datetime, body: bytes, using: Sequence[str]) -> dict[str, str]:
    """Return the headers of a message.

    Args:
        id_: Its own name: the same each time it is sent, so that a double is known.
        now: When it is sent.
        body: What it says.
        using: The secrets that count: two of them, while one takes the other's place.
    """
    seconds = str(int(now.timestamp()))
    signatures = " ".join(_signature(secret, id_, seconds, body) for secret in using)
    return {ID: id_, TIMESTAMP: seconds, SIGNATURE: signatures}


def verify(
    said: Mapping[str, str],
    body: bytes,
    secret: str,
    now: datetime,
    tolerance: int = TOLERANCE_SECONDS,
) -> str:
    """Return the id of a message that somebody with the secret has just sent.

    Args:
        said: Its headers, in lower case.
        body: What it says.
        secret: The secret that both sides have.
        now: When it came.
        tolerance: How many seconds it may be off.

    Raises:
        NotGenuineError: nobody has sent it so, or not just now.
    """
    id_, seconds, signatures = (said.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not id_ or not _SECONDS.fullmatch(seconds):
        raise NotGenuineError(Flaw.MALFORMED)
    expected = _signature(secret, id_, seconds, body).encode()
    given = signatures.split(" ", _MOST_SIGNATURES)[:_MOST_SIGNATURES]
    if not any(hmac.compare_digest(expected, one.encode("utf-8", "replace")) for one in given):
        raise NotGenuineError(Flaw.BAD_SIGNATURE)
    if abs(now.timestamp() - int(seconds)) > tolerance:
        raise NotGenuineError(Flaw.STALE)
    return id_


def _signature(secret: str, id_: str, seconds: str, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    said = f"{id_}.{seconds}.".encode("utf-8", "replace") + body
    return "v1," + base64.b64encode(hmac.digest(key, said, "sha256")).decode()

"""What can be wrong with a credential, in one list; outsiders are told one sentence for all."""

from __future__ import annotations

from enum import StrEnum

from models import errors


class Flaw(StrEnum):
    """Why a credential does not hold: for our eyes, our tests and the kit of bad credentials."""

    TOO_LARGE = "TOO_LARGE"
    MALFORMED = "MALFORMED"
    WRONG_TYPE = "WRONG_TYPE"
    WRONG_ALGORITHM = "WRONG_ALGORITHM"
    UNKNOWN_KEY = "UNKNOWN_KEY"
    BAD_SIGNATURE = "BAD_SIGNATURE"
    BAD_DISCLOSURE = "BAD_DISCLOSURE"
    EXPIRED = "EXPIRED"
    NOT_YET_VALID = "NOT_YET_VALID"
    LASTS_TOO_LONG = "LASTS_TOO_LONG"
    STALE = "STALE"
    WRONG_ISSUER = "WRONG_ISSUER"
    WRONG_SUBJECT = "WRONG_SUBJECT"
    WRONG_AUDIENCE = "WRONG_AUDIENCE"
    WRONG_NONCE = "WRONG_NONCE"
    WRONG_HOLDER = "WRONG_HOLDER"
    WRONG_REQUEST = "WRONG_REQUEST"


class NotGenuineError(errors.GreenwayError):
    """A credential that does not hold; ``flaw`` says why, and is not for whoever showed it."""

    code = "UNAUTHENTICATED"

    def __init__(self, flaw: Flaw) -> None:
        self.flaw = flaw
        super().__init__("This credential is not accepted.")

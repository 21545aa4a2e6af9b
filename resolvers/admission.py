"""What a verifier may ask: the shape of a check, the scopes it takes, and how often."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field

import orjson

from credentials import code, sd_jwt
from models import card, errors
from models.answer import Refusal
from models.verifier import Scope
from resolvers import limit
from resolvers.context import Context
from resolvers.directory import Asking
from resolvers.presented import Portable

MOST_AT_ONCE = 100
LONGEST_KEY = 100
LONGEST_TERMINAL = 100

_log = logging.getLogger("greenway")


@dataclass(frozen=True, slots=True)
class Asked:
    """One check: exactly one of ``code``, ``portable`` and ``serial`` is given."""

    service: str
    idempotency_key: str
    code: str | None = field(default=None, repr=False)
    portable: Portable | None = field(default=None, repr=False)
    serial: str | None = field(default=None, repr=False)
    terminal: str | None = None
    redeems: bool = False
    holds: bool = False
    #: The code is an offline pass that was accepted before now.
    reported: bool = False

    @property
    def digest(self) -> str:
        """A digest of all that is asked, but for the key it is asked under."""
        shown = [self.code, self.portable and [self.portable.token, self.portable.nonce]]
        said = [*shown, self.serial, self.service, self.terminal, self.redeems, self.holds]
        return hashlib.sha256(orjson.dumps([*said, self.reported])).hexdigest()


class RefusedError(errors.AskerError):
    """A check for which nothing is looked up; whatever was begun is undone."""

    code = "CHECK_REFUSED"

    def __init__(self, refusal: Refusal, retry_after_seconds: float | None = None) -> None:
        self.refusal = refusal
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"This check is refused: {refusal}.", "See docs/verifying.md, “Refused”.")


async def admit(context: Context, asking: Asking, asked: Asked) -> None:
    """Let pass what a verifier may ask at all, as often as it may.

    Raises:
        RefusedError: it may not.
    """
    _check_shape(asked)
    limits = context.authority.limits
    if wait := await limits.take(limit.CHECKS, asking.code):
        raise RefusedError(Refusal.RATE_LIMITED, wait)
    if not all(map(asking.may, _scopes(asked))):
        raise RefusedError(Refusal.SCOPE_MISSING)
    if asked.service not in asking.services or asked.service not in context.catalogue.services:
        raise RefusedError(Refusal.SERVICE_NOT_YOURS)
    if asked.serial is not None:
        if wait := await limits.wait(limit.NOES, asking.code):
            _log.warning("verifier %s has heard too many noes about serials", asking.code)
            raise RefusedError(Refusal.RATE_LIMITED, wait)
        # Counted by what was typed, whether or not there is such a card.
        typed = hashlib.sha256(_typed(asked.serial).encode()).hexdigest()
        if wait := await limits.take(limit.CARD, f"serial:{typed}"):
            raise RefusedError(Refusal.RATE_LIMITED, wait)


def _check_shape(asked: Asked) -> None:
    key, terminal = asked.idempotency_key, asked.terminal
    if not (1 <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise RefusedError(Refusal.MALFORMED)
    if terminal is not None and not (
        1 <= len(terminal) <= LONGEST_TERMINAL and terminal.isprintable()
    ):
        raise RefusedError(Refusal.MALFORMED)
    if asked.redeems and asked.holds:
        raise RefusedError(Refusal.MALFORMED)
    token = asked.portable.token if asked.portable else ""
    if len(asked.code or "") > code.MOST_LENGTH or len(token) > sd_jwt.MOST_LENGTH:
        raise RefusedError(Refusal.TOO_LARGE)
    if len(asked.serial or "") > code.MOST_LENGTH:
        raise RefusedError(Refusal.TOO_LARGE)
    _check_kind(asked)


def _check_kind(asked: Asked) -> None:
    """Refuse at once what can be no code and no serial of ours."""
    if asked.serial is not None and card.normal_serial(asked.serial) is None:
        raise RefusedError(Refusal.MALFORMED)
    if asked.code is not None:
        found = code.parse(asked.code)
        if isinstance(found, code.Unknown | code.VenueCode | code.SerialText):
            raise RefusedError(Refusal.MALFORMED)
        if asked.reported and not isinstance(found, code.PassText):
            raise RefusedError(Refusal.MALFORMED)


def _scopes(asked: Asked) -> list[Scope]:
    """Return what a verifier must be granted for this."""
    wanted = [Scope.REDEEM] if asked.redeems or asked.holds else []
    if asked.serial is not None:
        return [*wanted, Scope.VERIFY_SERIAL]
    if asked.portable is not None:
        return [*wanted, Scope.VERIFY_OFFLINE]
    is_pass = isinstance(code.parse(asked.code or ""), code.PassText)
    return [*wanted, Scope.VERIFY_OFFLINE if is_pass else Scope.VERIFY_CODE]


def _typed(serial: str) -> str:
    return card.normal_serial(serial) or ""

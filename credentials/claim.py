"""What a claim must be before it is believed: of the right sort, in bounds, and of its time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from credentials.flaw import Flaw, NotGenuineError

#: How far the clock of whoever signed may be from ours.
LEEWAY_SECONDS = 60

_YEAR_10K = 253_402_300_800  # 10000-01-01, in seconds since 1970


def text(found: object, most_length: int = 512) -> str:
    """Return a claim that must be a text, and neither an empty nor a boundless one.

    Raises:
        NotGenuineError: it is none.
    """
    if not isinstance(found, str) or not 0 < len(found) <= most_length:
        raise NotGenuineError(Flaw.MALFORMED)
    return found


def texts(found: object) -> tuple[str, ...]:
    """Return a claim that must be a list of texts.

    Raises:
        NotGenuineError: it is none.
    """
    return tuple(text(one) for one in values(found))


def values(found: object) -> list[Any]:
    """Return a claim that must be a list.

    Raises:
        NotGenuineError: it is none.
    """
    if not isinstance(found, list):
        raise NotGenuineError(Flaw.MALFORMED)
    return found


def members(found: object) -> dict[str, Any]:
    """Return a claim that must be an object.

    Raises:
        NotGenuineError: it is none.
    """
    if not isinstance(found, dict):
        raise NotGenuineError(Flaw.MALFORMED)
    return found


def whole(found: object) -> int:
    """Return a claim that must be a whole number, zero or more.

    Raises:
        NotGenuineError: it is none; true and false are none, though Python counts with them.
    """
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        raise NotGenuineError(Flaw.MALFORMED)
    return found


def seconds(found: object) -> float:
    """Return a claim that must be a NumericDate (RFC 7519, section 2), before the year 10000.

    Raises:
        NotGenuineError: it is none.
    """
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found < _YEAR_10K:
        raise NotGenuineError(Flaw.MALFORMED)
    return found


def moment(found: object) -> datetime:
    """Return the time that a NumericDate names.

    Raises:
        NotGenuineError: it is none.
    """
    return datetime.fromtimestamp(seconds(found), UTC)


def times(
    claims: Mapping[str, Any],
    now: datetime,
    *,
    leeway: int = LEEWAY_SECONDS,
    required: Collection[str] = ("iat", "exp"),
) -> None:
    """Check the times that claims give: that they are times, and that it is not early or late.

    Args:
        claims: Which may say ``iat``, ``nbf`` and ``exp`` (RFC 7519, section 4.1).
        now: The hub's time.
        leeway: How many seconds the other's clock may be off.
        required: Which of the three must be there.

    Raises:
        NotGenuineError: a time is missing or no time, is past (``exp``) or to come (the others).
    """
    today = now.timestamp()
    if not set(required) <= claims.keys():
        raise NotGenuineError(Flaw.MALFORMED)
    if any(seconds(claims[name]) > today + leeway for name in ("iat", "nbf") if name in claims):
        raise NotGenuineError(Flaw.NOT_YET_VALID)
    if "exp" in claims and seconds(claims["exp"]) <= today - leeway:
        raise NotGenuineError(Flaw.EXPIRED)

"""Reads how long a partner asks to be left alone: Retry-After, and what it says of its quota.

Servers tell their quota in three ways, which are all read:

* ``RateLimit: "day";r=0;t=30`` and ``RateLimit-Policy: "day";q=100;w=60``
  (draft-ietf-httpapi-ratelimit-headers-08 and later, lists of RFC 9651), or
  ``RateLimit: limit=100, remaining=0, reset=30`` (version 07);
* ``RateLimit-Limit``, ``RateLimit-Remaining`` and ``RateLimit-Reset`` (versions up to 06);
* the same three with ``X-``, which no document defines: their reset is seconds from now, or a
  UNIX time in seconds or milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

#: A partner that asks to be left alone for a year is asked again within the hour.
MOST_SECONDS = 3600.0

#: A reset beyond these is a time since 1970, in seconds or in milliseconds, and no duration.
_UNIX_SECONDS = 1e9
_UNIX_MILLISECONDS = 1e12
#: A member of a structured list, up to its parameters; a parameter or a member of a dictionary.
_MEMBER = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^\s",;=]+)((?:[^",]|"(?:[^"\\]|\\.)*")*)')
_PAIR = re.compile(r"(?:^|[;,])\s*([a-z]+)\s*=\s*(\d{1,15})(?=\s*(?:[;,]|$))")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that Retry-After asks for (RFC 9110, section 10.2.3), bounded; or None."""
    asked = headers.get("Retry-After", "").strip()
    if asked.isdecimal():
        return min(float(asked), MOST_SECONDS)
    try:
        # A date is read by the partner's own clock, so the two clocks need not agree.
        seconds = (parsedate_to_datetime(asked) - _date(headers)).total_seconds()
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
    return min(max(seconds, 0.0), MOST_SECONDS)


def spent(headers: Mapping[str, str]) -> float:
    """Return the seconds until a partner's spent quota is there again, bounded; 0 where it is not.

    A quota that is spent until nobody knows when counts as not spent. Where Retry-After is given
    too, it is what counts.
    """
    left = max(_listed(headers), _single(headers, ""), _single(headers, "X-"))
    if left <= 0:
        return 0.0
    asked = retry_after(headers)
    return min(left, MOST_SECONDS) if asked is None else asked


def _listed(headers: Mapping[str, str]) -> float:
    """Return the seconds by the fields ``RateLimit`` and ``RateLimit-Policy``."""
    given = headers.get("RateLimit", "")
    whole = dict(_PAIR.findall(given))
    if "remaining" in whole:
        return float(whole.get("reset", 0)) if int(whole["remaining"]) == 0 else 0.0
    windows = {
        name: params.get("w", 0) for name, params in _members(headers.get("RateLimit-Policy", ""))
    }
    return max(
        (
            float(params.get("t", windows.get(name, 0)))
            for name, params in _members(given)
            if params.get("r") == 0
        ),
        default=0.0,
    )


def _members(field: str) -> list[tuple[str, dict[str, int]]]:
    """Return the members of a structured list, each with its whole-number parameters."""
    return [
        (name.strip('"'), {key: int(value) for key, value in _PAIR.findall(params)})
        for name, params in _MEMBER.findall(field)
    ]


def _single(headers: Mapping[str, str], prefix: str) -> float:
    """Return the seconds by the three fields that hold one number each."""
    remaining, reset = (
        headers.get(f"{prefix}RateLimit-{name}", "").strip() for name in ("Remaining", "Reset")
    )
    if not remaining.isdecimal() or float(remaining) > 0 or not reset.isdecimal():
        return 0.0
    seconds = float(reset)
    if seconds < _UNIX_SECONDS:
        return seconds
    at = seconds / 1000 if seconds >= _UNIX_MILLISECONDS else seconds
    try:
        return at - _date(headers).timestamp()
    except (ValueError, KeyError, OverflowError):
        return 0.0


def _date(headers: Mapping[str, str]) -> datetime:
    """Return the time at the partner.

    Raises:
        KeyError: it does not say.
        ValueError: what it says is none.
    """
    return parsedate_to_datetime(headers["Date"])

"""Finds in a recording what looks like a secret, or like somebody's personal data."""

from __future__ import annotations

import re
from collections.abc import Iterator

from connectors import exchange

#: A value under a telling name is a secret where it is as long as one, and of letters and digits.
_SECRET_VALUE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9_\-+/=.~]{20,}")
_SECRETS = {
    "a JSON Web Token": re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\."),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "credentials of HTTP": re.compile(r"\b(?:Basic|Bearer) [\w\-+/.~]{16,}=*"),
}
#: Addresses below these names are nobody's (RFC 2606, RFC 6761).
_NOBODYS = r"(?:[\w-]+\.)*(?:example(?:\.(?:com|org|net|cn))?|test|invalid|localhost)\b"
_PEOPLE = {
    "an e-mail address": re.compile(rf"[\w.+-]+@(?!{_NOBODYS})[\w-]+(?:\.[\w-]+)+"),
    "a telephone number": re.compile(r"(?<![\w.+-])(?:\+?86[ -]?)?1[3-9]\d{9}(?![\w-])"),
}
#: A resident identity number (GB 11643): region, birth date, sequence, check character.
_IDENTITY = re.compile(r"(?<!\w)[1-9]\d{5}(?:19|20)\d{9}[\dX](?!\w)")
_IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_IDENTITY_CHECKS = "10X98765432"


def indiscretions(text: str) -> Iterator[str]:
    """Yield what a recorded text seems to hold, each sort once: never the thing itself.

    Args:
        text: A body, a path, a header's value.
    """
    yield from secrets(text)
    for what, pattern in _PEOPLE.items():
        if pattern.search(text):
            yield what
    if any(_is_identity(found.group()) for found in _IDENTITY.finditer(text)):
        yield "an identity number"


def secrets(text: str) -> Iterator[str]:
    """Yield what sorts of secret a text seems to hold: never the thing itself."""
    return (what for what, pattern in _SECRETS.items() if pattern.search(text))


def secretive(name: str, value: str) -> bool:
    """Return whether a value looks like the secret that its name speaks of.

    >>> secretive("X-Api-Key", "9f8e7d6c5b4a39281706f5e4")
    True
    >>> secretive("page_token", "second")
    False
    """
    telling = any(word in name.lower() for word in exchange.REDACTED)
    return telling and _SECRET_VALUE.fullmatch(value) is not None


def _is_identity(number: str) -> bool:
    """Return whether the check character of an identity number holds (ISO 7064, MOD 11-2)."""
    total = sum(
        weight * int(digit) for weight, digit in zip(_IDENTITY_WEIGHTS, number, strict=False)
    )
    return _IDENTITY_CHECKS[total % 11] == number[-1]

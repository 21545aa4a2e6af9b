"""Base45 (RFC 9285): bytes in the alphanumeric alphabet of QR codes, in one spelling alone."""

from __future__ import annotations

from credentials.flaw import Flaw, NotGenuineError

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_BASE = len(_DIGITS)
_GROUP = 3  # digits that spell two bytes; one byte at the end is spelt with two


def encode(raw: bytes) -> str:
    """Return the one spelling of these bytes.

    >>> encode(b"Hello!!")
    '%69 VD92EX0'
    """
    return "".join(_spelt(raw[start : start + 2]) for start in range(0, len(raw), 2))


def decode(text: str) -> bytes:
    """Return the bytes that a text spells.

    Raises:
        NotGenuineError: this is not how any bytes are spelt: a foreign digit, one digit too many,
            or a group that means more than its bytes hold.
    """
    try:
        values = [_VALUES[digit] for digit in text]
        groups = (values[start : start + _GROUP] for start in range(0, len(values), _GROUP))
        return b"".join(map(_bytes, groups))
    except (KeyError, OverflowError):
        raise NotGenuineError(Flaw.MALFORMED) from None


def _spelt(raw: bytes) -> str:
    number, digits = int.from_bytes(raw, "big"), ""
    for _ in range(len(raw) + 1):
        number, digit = divmod(number, _BASE)
        digits += _DIGITS[digit]
    return digits


def _bytes(group: list[int]) -> bytes:
    # A lone digit would have to spell no byte at all, which only zero would fit.
    if len(group) == 1:
        raise OverflowError
    number = 0
    for value in reversed(group):
        number = number * _BASE + value
    return number.to_bytes(len(group) - 1, "big")

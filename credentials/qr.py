"""QR codes: a text as a picture that any camera reads."""

from __future__ import annotations

import io

import segno

#: A longer text makes no code that a phone's screen shows well, in characters.
MOST_LENGTH = 2048
#: The white frame that readers count on, in modules (ISO/IEC 18004, section 9.1).
QUIET_ZONE = 4


def svg(text: str) -> str:
    """Return the code of a text as an SVG picture, black on white whatever lies below it."""
    picture = io.BytesIO()
    _code(text).save(
        picture,
        kind="svg",
        border=QUIET_ZONE,
        light="white",
        xmldecl=False,
        nl=False,
        omitsize=True,
    )
    return picture.getvalue().decode()


def png(text: str, scale: int = 4) -> bytes:
    """Return the code of a text as a PNG picture, each module so many pixels wide."""
    picture = io.BytesIO()
    _code(text).save(picture, kind="png", border=QUIET_ZONE, scale=scale)
    return picture.getvalue()


def version(text: str) -> int:
    """Return how large the code of a text is: from 1, with 21 modules a side, to 40, with 177."""
    return int(_code(text).version)


def _code(text: str) -> segno.QRCode:
    if not 0 < len(text) <= MOST_LENGTH:
        raise ValueError("A QR code holds some text, up to 2,048 characters.")
    # Level M or better: where a code has room left, more of it may be soiled.
    return segno.make_qr(text, error="m", boost_error=True)

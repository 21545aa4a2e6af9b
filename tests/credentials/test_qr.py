from __future__ import annotations

import struct
import zlib
from xml.etree import ElementTree as ET

import pytest
import zxingcpp

from credentials import code, qr

BASE = "https://hub.sh.cn"
LIVE = code.Ticket(bytes(range(16))).text(BASE)
FALLBACK = code.fallback(BASE, bytes(32), b"device-1", 59_000_000)
SCALE = 4


def pixels(png):
    """The grey pixels of a PNG of one bit each, whose rows are as they are or as they differ."""
    width, height, depth, *_ = struct.unpack(">IIBBBBB", png[16:29])
    assert depth == 1
    data, at = b"", 8
    while at < len(png):
        (length,), kind = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        data += png[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += length + 12
    raw, stride = zlib.decompress(data), (width + 7) // 8 + 1
    grey, above = bytearray(), bytes(stride - 1)
    for start in range(0, len(raw), stride):
        sort, row = raw[start], raw[start + 1 : start + stride]
        assert sort in {0, 2}
        if sort:
            row = bytes((byte + upper) & 255 for byte, upper in zip(row, above, strict=True))
        above = row
        bits = "".join(f"{byte:08b}" for byte in row)[:width]
        grey += bytes(255 * int(bit) for bit in bits)
    return memoryview(grey).cast("B", (height, width))


@pytest.mark.parametrize("text", [LIVE, FALLBACK, "GWP1:%69 VD92EX0", "人才卡", "A" * 2048])
def test_a_camera_reads_what_was_written(text):
    (found,) = zxingcpp.read_barcodes(pixels(qr.png(text, SCALE)))

    assert found.text == text


def test_a_picture_has_a_white_frame_of_four_modules():
    picture = pixels(qr.png(LIVE, SCALE))
    frame = qr.QUIET_ZONE * SCALE

    assert all(picture[frame - 1, x] == 255 for x in range(picture.shape[1]))
    assert picture[frame, frame] == 0


def test_an_svg_is_a_picture_of_the_same_modules_on_white():
    picture = ET.fromstring(qr.svg(LIVE))  # noqa: S314 - we wrote it ourselves

    side = 17 + 4 * qr.version(LIVE) + 2 * qr.QUIET_ZONE
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    assert picture.attrib["viewBox"] == f"0 0 {side} {side}"
    assert picture[0].attrib["fill"] == "#fff"


@pytest.mark.parametrize("text", [LIVE, FALLBACK])
def test_live_and_fallback_codes_fit_version_3(text):
    assert qr.version(text) == 3


@pytest.mark.parametrize("text", ["", "A" * (qr.MOST_LENGTH + 1)])
def test_no_code_is_drawn_of_nothing_or_of_too_much(text):
    with pytest.raises(ValueError, match="up to 2,048"):
        qr.svg(text)

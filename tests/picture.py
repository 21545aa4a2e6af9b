"""Pictures as a scanner sees them: the grey pixels of a PNG, by what PNG itself says."""

from __future__ import annotations

import struct
import zlib


def grey(png: bytes) -> memoryview:
    """Return a picture's pixels, row by row: of one bit each, or of eight bits a colour."""
    width, height, depth, colour = struct.unpack(">IIBB", png[16:26])
    samples = {0: 1, 2: 3, 6: 4}[colour]
    raw = zlib.decompress(b"".join(_data(png)))
    stride, step = (width * depth * samples + 7) // 8, max(1, samples * depth // 8)
    found, above = bytearray(), bytearray(stride)
    for start in range(0, len(raw), stride + 1):
        above = _unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + stride]), above, step)
        found += _greys(above, width, depth, step)
    return memoryview(found).cast("B", (height, width))


def _data(png):
    at = 8
    while at < len(png):
        (length,), kind = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        if kind == b"IDAT":
            yield png[at + 8 : at + 8 + length]
        at += length + 12


def _greys(row, width, depth, step):
    if depth == 1:
        bits = "".join(f"{byte:08b}" for byte in row)[:width]
        return bytes(255 * int(bit) for bit in bits)
    return bytes(row[0::step])


def _unfiltered(sort, row, above, step):
    if sort == 0:
        return row
    for at, byte in enumerate(row):
        left = row[at - step] if at >= step else 0
        corner = above[at - step] if at >= step else 0
        row[at] = (byte + _guess(sort, left, above[at], corner)) & 255
    return row


def _guess(sort, left, upper, corner):
    if sort == 4:
        about = left + upper - corner
        return min((left, upper, corner), key=lambda one: abs(about - one))
    return {1: left, 2: upper, 3: (left + upper) // 2}[sort]

"""An answer is packed as whoever asks knows it, and the same whichever way it comes."""

from __future__ import annotations

import zlib

import brotli
import pytest
import zstandard

from schema.execution import packing
from schema.execution.answer import Answer
from tests import asgi

UNPACKED = {
    "zstd": lambda body: zstandard.ZstdDecompressor().decompress(body),
    "br": brotli.decompress,
    "gzip": lambda body: zlib.decompress(body, wbits=31),
}
LONG = "x" * 5_000


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        (None, None),
        (b"", None),
        (b"identity", None),
        (b"gzip", "gzip"),
        (b"gzip, deflate, br, zstd", "zstd"),
        (b"gzip, deflate, br", "br"),
        (b"br;q=0.5, gzip;q=0.9", "gzip"),
        (b"zstd;q=0, br;q=0, gzip;q=0", None),
        (b"*", "gzip"),
        (b"*;q=0", None),
        (b"ZSTD", "zstd"),
    ],
)
def test_the_coding_is_the_one_that_is_wanted_most(accept, coding):
    assert packing.preferred(accept) == coding


@pytest.mark.parametrize("coding", packing.CODINGS)
async def test_a_packed_answer_is_the_same_answer(app, coding):
    document = f'{{ hello(name: "{LONG}") }}'
    plain = await asgi.ask(app, document)

    packed = await asgi.ask(app, document, headers={"accept-encoding": coding})

    assert packed.headers["content-encoding"] == coding
    assert packed.headers["content-length"] == str(len(packed.body))
    assert UNPACKED[coding](packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 10
    assert "accept-encoding" in plain.headers["vary"]


async def test_a_small_answer_is_sent_as_it_is(app):
    answer = await asgi.ask(app, "{ hello }", headers={"accept-encoding": "zstd"})

    assert "content-encoding" not in answer.headers
    assert answer.json()["data"]


def test_another_representation_has_another_tag():
    answer = Answer(200, ((b"etag", b'"a"'), (b"content-length", b"5000")), LONG.encode())

    tags = {dict(answer.packed(coding).headers)[b"etag"] for coding in packing.CODINGS}

    assert tags == {b'"a-zstd"', b'"a-br"', b'"a-gzip"'}
    assert answer.packed(None) is answer

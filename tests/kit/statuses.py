"""Status lists as they are published, with a place to look at: good ones, and forged ones."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from credentials import base64url, status
from credentials.flaw import Flaw
from credentials.keyring import Purpose
from tests.kit import keys
from tests.kit.keys import AT, DAY, ISSUER, THIEF, Case

URI = f"{ISSUER}/status/1"
GIVEN = {"uri": URI, "place": 4711}
ABOUT = (
    "Status lists (IETF Token Status List, draft 21). `uri` is where the list was found, `place` "
    "where the card says its status stands; the lists have 8,192 places of 2 bits. An accepted one "
    "says `status`, a refused one says nothing of any card."
)
KEY = keys.OURS[Purpose.STATUS]
HEADER = {"alg": "ES256", "kid": KEY.id, "typ": "statuslist+jwt"}
PLACES = 8192


def listed(marked=None, bits: int = 2) -> bytes:
    return status.of(marked or {}, places=PLACES, bits=bits).packed


def packed(raw: bytes) -> bytes:
    """The bytes as zlib stores them unpacked: of that there is one way."""
    return zlib.compress(raw, 0)


def made(lst=None, *, bits=2, key=KEY.jwk, header=None, raw=None, **changes) -> str:
    said = {
        "sub": URI,
        "iat": AT,
        "exp": AT + 3600,
        "ttl": 300,
        "status_list": {
            "bits": bits,
            "lst": base64url.encode(
                packed(raw if raw is not None else listed()) if lst is None else lst
            ),
        },
        **changes,
    }
    return keys.token(key, said, {**HEADER, **(header or {})})


def cases() -> Iterator[Case]:
    yield from good()
    yield from claims()
    yield from who()
    yield from lists()


def good() -> Iterator[Case]:
    for id_, what, marked, says in (
        ("good-valid", "The card counts.", {}, 0),
        ("good-revoked", "The card is revoked.", {4711: 1}, 1),
        ("good-suspended", "The card is suspended.", {4711: 2}, 2),
        ("good-neighbours", "The places beside it are revoked, it is not.", {4710: 1, 4712: 1}, 0),
        (
            "good-unknown-value",
            "The card has a value of no meaning: it does not count.",
            {4711: 3},
            3,
        ),
    ):
        yield Case(id_, what, made(raw=listed(marked)), given={"status": says})
    for bits in (1, 4, 8):
        raw = listed({4711: 1}, bits)
        yield Case(
            f"good-{bits}-bit",
            f"A list of {bits} bit a place, by others.",
            made(raw=raw, bits=bits),
            given={"status": 1},
        )


def claims() -> Iterator[Case]:
    for id_, what, changes, flaw in (
        ("sub-other", "It is another list.", {"sub": f"{ISSUER}/status/2"}, Flaw.WRONG_SUBJECT),
        ("sub-missing", "It does not say which list it is.", {"sub": ...}, Flaw.WRONG_SUBJECT),
        ("sub-slash", "Its address has a slash more.", {"sub": f"{URI}/"}, Flaw.WRONG_SUBJECT),
        ("expired", "It ended a minute ago.", {"iat": AT - DAY, "exp": AT - 60}, Flaw.EXPIRED),
        ("exp-missing", "It has no end.", {"exp": ...}, Flaw.MALFORMED),
        ("iat-missing", "It was made at no time.", {"iat": ...}, Flaw.MALFORMED),
        ("iat-future", "It was made in an hour.", {"iat": AT + 3600}, Flaw.NOT_YET_VALID),
        ("list-missing", "There is no list in it.", {"status_list": ...}, Flaw.MALFORMED),
        ("list-text", "The list is a text.", {"status_list": "eNpjYAAAAAEAAQ"}, Flaw.MALFORMED),
    ):
        yield Case(id_, what, made(**changes), flaw)


def who() -> Iterator[Case]:
    card = keys.OURS[Purpose.CARD]
    for id_, what, token, flaw in (
        ("strangers-key", "A stranger signed it.", made(key=THIEF), Flaw.BAD_SIGNATURE),
        (
            "unknown-kid",
            "Signed by a key that nobody knows.",
            made(key=THIEF, header={"kid": THIEF.thumbprint()}),
            Flaw.UNKNOWN_KEY,
        ),
        (
            "key-of-card",
            "Signed with the key for cards.",
            made(key=card.jwk, header={"kid": card.id}),
            Flaw.UNKNOWN_KEY,
        ),
        ("typ-card", "It says it is a card.", made(header={"typ": "dc+sd-jwt"}), Flaw.WRONG_TYPE),
        ("typ-missing", "It does not say what it is.", made(header={"typ": ...}), Flaw.MALFORMED),
        (
            "alg-none",
            "It is not signed.",
            f"{made(header={'alg': 'none'}).rpartition('.')[0]}.",
            Flaw.WRONG_ALGORITHM,
        ),
        ("crit", "A critical header.", made(header={"crit": ["x"], "x": 1}), Flaw.MALFORMED),
        ("padding", "Its signature is padded.", made() + "==", Flaw.MALFORMED),
        ("last-bits", "Its signature in another spelling.", keys.last_bits(made()), Flaw.MALFORMED),
    ):
        yield Case(id_, what, token, flaw)


def lists() -> Iterator[Case]:
    whole = packed(listed())
    spoilt = whole[:-1] + bytes([whole[-1] ^ 1])
    for id_, what, token, flaw in (
        ("bits-three", "Its places have three bits.", made(bits=3), Flaw.MALFORMED),
        ("bits-zero", "Its places have no bits.", made(bits=0), Flaw.MALFORMED),
        ("bits-text", "Its bits are a text.", made(bits="2"), Flaw.MALFORMED),
        ("bits-true", "Its bits are `true`.", made(bits=True), Flaw.MALFORMED),
        ("bytes-after", "Bytes follow the packed list.", made(whole + b"more"), Flaw.MALFORMED),
        ("list-after", "Another packed list follows it.", made(whole + whole), Flaw.MALFORMED),
        ("cut", "The packed list is cut.", made(whole[:-8]), Flaw.MALFORMED),
        ("checksum", "The packed list's checksum is wrong.", made(spoilt), Flaw.MALFORMED),
        ("not-packed", "The list is not packed.", made(listed()), Flaw.MALFORMED),
        ("gzip", "It is packed as gzip.", made(b"\x1f\x8b\x08\x00" + bytes(20)), Flaw.MALFORMED),
        ("raw-deflate", "It is packed without zlib's frame.", made(whole[2:-4]), Flaw.MALFORMED),
        (
            "dictionary",
            "It needs a dictionary.",
            made(b"\x78\xbb\x00\x00\x00\x01" + whole[2:]),
            Flaw.MALFORMED,
        ),
        (
            "lst-padding",
            "The packed list is padded.",
            made(status_list={"bits": 2, "lst": base64url.encode(whole) + "="}),
            Flaw.MALFORMED,
        ),
        (
            "lst-number",
            "The packed list is a number.",
            made(status_list={"bits": 2, "lst": 1}),
            Flaw.MALFORMED,
        ),
        (
            "bomb",
            "A few hundred bytes that unpack to a megabyte of zeros.",
            made(bomb(1_000_000)),
            Flaw.TOO_LARGE,
        ),
    ):
        yield Case(id_, what, token, flaw)
    for id_, what, place in (
        ("place-beyond", "The card's place is one beyond the list.", PLACES),
        ("place-far", "The card's place is far beyond the list.", 10**9),
    ):
        yield Case(id_, what, made(), Flaw.MALFORMED, given={"place": place})


def bomb(count: int) -> bytes:
    """Zeros as zlib would pack them, made by hand: programs that pack differ (RFC 1951, 3.2.6)."""
    runs = count // 258
    # One last block of fixed codes: one zero, then runs of 258 at distance 1, then the end.
    bits = "1" + "10" + "00110000" + ("11000101" + "00000") * runs + "0000000"
    bits += "0" * (-len(bits) % 8)
    raw = bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))
    checksum = zlib.adler32(bytes(1 + 258 * runs))
    return b"\x78\xda" + raw + checksum.to_bytes(4, "big")

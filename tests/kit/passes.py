"""Offline passes as a device shows them: good ones, and forged ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import cbor2

from credentials import base45, code, es256, offline_pass
from credentials.flaw import Flaw
from credentials.keyring import Purpose
from tests.kit import keys
from tests.kit.keys import AT, DAY, DEVICE, ISSUER, NOW, PARTNER, SERVICE, THIEF, Case

GIVEN = {"audience": PARTNER}
PLACE = 4712
STEP = code.step_at(NOW)
ABOUT = (
    "Offline passes: COSE_Sign1 CWTs with a step of 30 seconds and the device's signature, in "
    "base45. `audience` is the partner that reads; keys.json has the issuer's keys, which passes "
    "name by the first 8 bytes of their thumbprint."
)

KEY = keys.OURS[Purpose.PASS]
NAME = offline_pass.key_id(KEY.jwk)
TERMS = offline_pass.Terms(
    PARTNER, "A", PLACE, f"{ISSUER}/status/1", holder="kit-holder", services=(SERVICE,)
)
PATIENT = offline_pass.Terms(
    "ember-hospital",
    "B",
    PLACE,
    f"{ISSUER}/status/1",
    services=("physical-check",),
    name="测试员甲",
    birth_date=date(1990, 2, 28),
)
CWT = offline_pass.issue(KEY, TERMS, DEVICE, NOW)
SHOWN = offline_pass.show(CWT, DEVICE, STEP)
RAW = base45.decode(SHOWN.removeprefix(code.PASS_PREFIX))
PARTS = cbor2.loads(CWT).value
CLAIMS = cbor2.loads(PARTS[2])
HEADER = {1: -7, 4: NAME, 16: "application/tc-pass+cwt"}
TAG_SIGN1 = 18


def text(raw: bytes) -> str:
    return code.PASS_PREFIX + base45.encode(raw)


def enveloped(protected, unprotected, payload, *, context="Signature1", key=KEY.jwk) -> bytes:
    """A CWT in whatever spelling, under a signature that holds."""
    said = cbor2.dumps([context, protected, b"", payload])
    return cbor2.dumps(
        cbor2.CBORTag(TAG_SIGN1, [protected, unprotected, payload, es256.sign(key, said)])
    )


def made(payload=None, header=None, unprotected=None, key=KEY.jwk, claims=None) -> str:
    """What a device shows of a pass that the hub has signed, however odd."""
    if payload is None:
        kept = {
            name: value for name, value in {**CLAIMS, **(claims or {})}.items() if value is not ...
        }
        payload = cbor2.dumps(kept, canonical=True)
    protected = cbor2.dumps(header or HEADER, canonical=True)
    return offline_pass.show(
        enveloped(protected, unprotected or {}, payload, key=key), DEVICE, STEP
    )


def cases() -> Iterator[Case]:
    for family in (good, times, signatures, headers, envelopes, claimed, scanned):
        yield from family()


def good() -> Iterator[Case]:
    accepted = {"answer": "CardAccepted"}
    yield Case("good", "A good pass.", SHOWN, **accepted)
    yield Case("good-before", "Shown one step ago.", _shown(STEP - 1), **accepted)
    yield Case("good-after", "Shown by a clock one step ahead.", _shown(STEP + 1), **accepted)
    patient = offline_pass.show(offline_pass.issue(KEY, PATIENT, DEVICE, NOW), DEVICE, STEP)
    yield Case(
        "good-patient",
        "A good pass that tells a hospital a name and a birth date.",
        patient,
        given={"audience": "ember-hospital"},
        answer="CodeNotUsable",
    )
    yield Case(
        "good-mirrored",
        "The device's signature is (r, n - s): the same showing in another spelling.",
        text(RAW[:-64] + keys.mirrored(RAW[-64:])),
        **accepted,
    )


def _shown(step: int, cwt: bytes = CWT, device=DEVICE) -> str:
    return offline_pass.show(cwt, device, step)


def times() -> Iterator[Case]:
    unusable = {"answer": "CodeNotUsable"}
    old = offline_pass.issue(KEY, TERMS, DEVICE, NOW - timedelta(days=8))
    for id_, what, said, flaw, more in (
        ("step-two-ago", "Shown two steps ago.", _shown(STEP - 2), Flaw.STALE, unusable),
        ("step-two-ahead", "Shown two steps from now.", _shown(STEP + 2), Flaw.STALE, unusable),
        (
            "step-yesterday",
            "Shown yesterday: a photo.",
            _shown(STEP - code.STEPS_A_DAY),
            Flaw.STALE,
            unusable,
        ),
        ("step-zero", "Shown in 1970.", _shown(0), Flaw.STALE, unusable),
        ("step-last", "Shown in the last step there is.", _shown(2**32 - 1), Flaw.STALE, unusable),
        ("expired", "It ended yesterday.", _shown(STEP, old), Flaw.EXPIRED, unusable),
        ("exp-missing", "It has no end.", made(claims={4: ...}), Flaw.MALFORMED, {}),
        ("exp-text", "Its end is a text.", made(claims={4: "soon"}), Flaw.MALFORMED, {}),
        ("exp-true", "Its end is `true`.", made(claims={4: True}), Flaw.MALFORMED, {}),
        ("exp-negative", "It ended before 1970.", made(claims={4: -1}), Flaw.MALFORMED, {}),
        (
            "iat-future",
            "It was issued tomorrow.",
            made(claims={6: AT + DAY}),
            Flaw.NOT_YET_VALID,
            {},
        ),
        (
            "iat-nan",
            "It was issued at no number.",
            made(claims={6: float("nan")}),
            Flaw.MALFORMED,
            {},
        ),
        (
            "nbf",
            "It says when it begins, which no pass does.",
            made(claims={5: AT + DAY}),
            Flaw.MALFORMED,
            {},
        ),
    ):
        yield Case(id_, what, said, flaw, **more)


def signatures() -> Iterator[Case]:
    stolen, abroad = keys.STOLEN_PASS, keys.secret("neighbour pass")
    bit = RAW[:-65] + bytes([RAW[-65] ^ 1]) + RAW[-64:]
    cut = RAW[:-64] + bytes(64)
    card = keys.OURS[Purpose.CARD].jwk
    for id_, what, said, flaw in (
        (
            "device-thief",
            "Another device shows it.",
            _shown(STEP, device=THIEF),
            Flaw.BAD_SIGNATURE,
        ),
        ("device-hub", "The hub's key shows it.", _shown(STEP, device=KEY.jwk), Flaw.BAD_SIGNATURE),
        ("device-zero", "The device's signature is all zeros.", text(cut), Flaw.BAD_SIGNATURE),
        (
            "step-changed",
            "Its step was changed after it was signed.",
            text(bit),
            Flaw.BAD_SIGNATURE,
        ),
        (
            "strangers-key",
            "A stranger signed it under our key's name.",
            made(key=THIEF),
            Flaw.BAD_SIGNATURE,
        ),
        ("unknown-key", "Signed by a key that nobody knows.", _by(THIEF), Flaw.UNKNOWN_KEY),
        ("neighbours-key", "Signed by a neighbour's key.", _by(abroad), Flaw.UNKNOWN_KEY),
        ("stolen-key", "Signed by a compromised key.", _by(stolen.jwk), Flaw.UNKNOWN_KEY),
        ("key-of-card", "Signed by the issuer's key for cards.", _by(card), Flaw.UNKNOWN_KEY),
        (
            "claims-changed",
            "Its claims were changed.",
            text(RAW.replace(b"quill-cinema", b"quill-cinemb", 1)),
            Flaw.BAD_SIGNATURE,
        ),
        (
            "context",
            "The hub signed the words for something else.",
            _shown(STEP, enveloped(PARTS[0], {}, PARTS[2], context="CounterSignature")),
            Flaw.BAD_SIGNATURE,
        ),
    ):
        yield Case(id_, what, said, flaw)


def _by(key) -> str:
    return made(key=key, header={**HEADER, 4: offline_pass.key_id(key)})


def headers() -> Iterator[Case]:
    typ = HEADER[16]
    for id_, what, header, unprotected in (
        ("kid-twice", "Its key stands in the open header as well.", HEADER, {4: NAME}),
        ("kid-two", "Another key stands in the open header.", HEADER, {4: b"another!"}),
        ("kid-open", "Its key stands in the open header alone.", {1: -7, 16: typ}, {4: NAME}),
        (
            "kid-wrong-open-right",
            "A wrong key is signed, the right one stands open.",
            {1: -7, 4: b"another!", 16: typ},
            {4: NAME},
        ),
        ("alg-es384", "It says ES384.", {1: -35, 4: NAME, 16: typ}, {}),
        ("alg-eddsa", "It says EdDSA.", {1: -8, 4: NAME, 16: typ}, {}),
        ("alg-open", "Its algorithm stands in the open header.", {4: NAME, 16: typ}, {1: -7}),
        ("alg-missing", "It says no algorithm.", {4: NAME, 16: typ}, {}),
        ("typ-missing", "It does not say what it is.", {1: -7, 4: NAME}, {}),
        ("typ-cwt", "It says it is any CWT.", {1: -7, 4: NAME, 16: "application/cwt"}, {}),
        ("typ-open", "What it is stands in the open header too.", HEADER, {16: typ}),
        ("crit", "A critical header.", {1: -7, 2: [16], 4: NAME, 16: typ}, {}),
        ("kid-long", "Its key's name is a byte longer.", {1: -7, 4: NAME + b"0", 16: typ}, {}),
        ("iv", "A header that no pass has.", {**HEADER, 5: b""}, {}),
    ):
        yield Case(
            f"header-{id_}", what, made(header=header, unprotected=unprotected), Flaw.MALFORMED
        )


def envelopes() -> Iterator[Case]:
    tag = cbor2.CBORTag
    shuffled = cbor2.dumps({16: HEADER[16], 4: NAME, 1: -7})
    for id_, what, cwt in (
        ("untagged", "It has no tag.", CWT[1:]),
        ("tag-twice", "Its tag stands twice.", cbor2.dumps(tag(18, tag(18, PARTS)))),
        ("tag-cwt", "It is tagged as CWT as well.", cbor2.dumps(tag(61, tag(18, PARTS)))),
        ("tag-mac", "It is tagged as a MAC.", cbor2.dumps(tag(17, PARTS))),
        ("five-parts", "It has five parts.", cbor2.dumps(tag(18, [*PARTS, b""]))),
        ("three-parts", "It has three parts.", cbor2.dumps(tag(18, PARTS[:3]))),
        ("byte-after", "A byte follows it.", CWT + b"\x00"),
        (
            "indefinite",
            "Its list has no length.",
            CWT.replace(b"\xd2\x84", b"\xd2\x9f", 1) + b"\xff",
        ),
        (
            "long-length",
            "A length in more bytes than it takes.",
            CWT.replace(b"\xd2\x84\x58", b"\xd2\x84\x59\x00", 1),
        ),
        (
            "header-order",
            "Its signed header is in another order.",
            enveloped(shuffled, {}, PARTS[2]),
        ),
        ("empty", "There is no pass, only a device.", b""),
        ("deep", "Lists in lists.", b"\x81" * 400),
    ):
        yield Case(f"envelope-{id_}", what, offline_pass.show(cwt, DEVICE, STEP), Flaw.MALFORMED)
    for id_, what, payload in (
        ("byte-after", "A byte follows the claims.", PARTS[2] + b"\x00"),
        ("order", "The claims are in another order.", cbor2.dumps(dict(reversed(CLAIMS.items())))),
        (
            "label-twice",
            "A claim stands twice.",
            bytes([PARTS[2][0] + 1]) + b"\x03\x60" + PARTS[2][1:],
        ),
        ("tagged", "The claims are tagged.", cbor2.dumps(tag(61, CLAIMS), canonical=True)),
        ("list", "The claims are in a list.", cbor2.dumps([CLAIMS], canonical=True)),
        ("indefinite", "The claims have no length.", b"\xbf" + PARTS[2][1:] + b"\xff"),
        (
            "bignum",
            "A number that takes all memory.",
            b"\xc5\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01".ljust(30, b"\x00"),
        ),
    ):
        yield Case(f"claims-{id_}", what, made(payload), Flaw.MALFORMED)


def claimed() -> Iterator[Case]:
    point = CLAIMS[8][1]
    other = {"answer": "CodeNotUsable"}
    elsewhere = made(claims={3: "ember-hospital"})
    yield Case("aud-other", "It is for another partner.", elsewhere, Flaw.WRONG_AUDIENCE, **other)
    yield Case(
        "aud-capitals",
        "Its partner is in capitals.",
        made(claims={3: "QUILL-CINEMA"}),
        Flaw.WRONG_AUDIENCE,
        **other,
    )
    for id_, what, claims in (
        ("aud-missing", "It is for nobody.", {3: ...}),
        ("aud-list", "It is for a list.", {3: [PARTNER]}),
        ("aud-bytes", "Its partner is no text.", {3: PARTNER.encode()}),
        ("iss", "It names an issuer, which no pass does.", {1: ISSUER}),
        ("jti", "It has an id, which no pass has.", {7: b"1"}),
        ("cnf-missing", "It is bound to no device.", {8: ...}),
        ("cnf-empty", "It is bound to nothing.", {8: {}}),
        ("cnf-short", "Its device's key is a byte short.", {8: {1: {**point, -2: bytes(31)}}}),
        (
            "cnf-off-curve",
            "Its device's key is no point of the curve.",
            {8: {1: {**point, -2: b"\xff" * 32}}},
        ),
        ("cnf-p384", "Its device's key is of another curve.", {8: {1: {**point, -1: 2}}}),
        ("cnf-private", "It tells its device's private key.", {8: {1: {**point, -4: bytes(32)}}}),
        ("status-missing", "Nobody can revoke it.", {65535: ...}),
        (
            "status-negative",
            "Its place comes before the first.",
            {65535: {"status_list": {"idx": -1, "uri": "x"}}},
        ),
        ("status-nowhere", "Its status list is nowhere.", {65535: {"status_list": {"idx": 1}}}),
        ("terms-missing", "It tells nothing.", {-65537: ...}),
        ("terms-no-tier", "It tells no tier.", {-65537: {}}),
        ("terms-more", "It tells what no pass tells.", {-65537: {1: "A", 9: 1}}),
        ("terms-services-text", "Its services are one text.", {-65537: {1: "A", 2: "x"}}),
        ("terms-birth-date", "Its birth date is no date.", {-65537: {1: "A", 4: "1990-02-30"}}),
    ):
        yield Case(id_, what, made(claims=claims), Flaw.MALFORMED)


def scanned() -> Iterator[Case]:
    refused = {"answer": "MALFORMED"}
    for id_, what, said, flaw, more in (
        ("prefix-missing", "Its prefix is missing.", SHOWN[5:], Flaw.MALFORMED, refused),
        (
            "prefix-lower-case",
            "Its prefix is in small letters.",
            "gwp1:" + SHOWN[5:],
            Flaw.MALFORMED,
            refused,
        ),
        (
            "prefix-two",
            "Its prefix is of another version.",
            "GWP2:" + SHOWN[5:],
            Flaw.MALFORMED,
            refused,
        ),
        ("prefix-alone", "There is a prefix and nothing else.", "GWP1:", Flaw.MALFORMED, {}),
        (
            "base45-digit",
            "A digit that base45 does not have.",
            SHOWN[:-1] + "a",
            Flaw.MALFORMED,
            {},
        ),
        (
            "base45-big",
            "Three digits that mean more than two bytes.",
            "GWP1::::" + SHOWN[8:],
            Flaw.MALFORMED,
            {},
        ),
        ("base45-cut", "The last digit is missing.", SHOWN[:-1], Flaw.MALFORMED, {}),
        (
            "truncated",
            "The second half is missing.",
            SHOWN[: len(SHOWN) // 6 * 3],
            Flaw.MALFORMED,
            {},
        ),
        ("dcc", "It is a health certificate.", "HC1:NCFOXN%TSMAHN-H", Flaw.MALFORMED, refused),
    ):
        yield Case(id_, what, said, flaw, **more)
    long = "GWP1:" + "A" * offline_pass.MOST_LENGTH
    yield Case("oversize", "It is too long.", long, Flaw.TOO_LARGE, answer="TOO_LARGE")

"""Offline passes, of which another library is the judge as well."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta

import cbor2
import cwt as judge
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import base45, code, es256, keyring, offline_pass, qr, token
from credentials.flaw import Flaw, NotGenuineError

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)
STEP = code.step_at(NOW)
WEEK = timedelta(days=7)
KEY = keyring.new(keyring.Purpose.PASS, published_at=NOW, signs_from=NOW)
NAME = offline_pass.key_id(KEY.jwk)
DEVICE = token.new_key()
TERMS = offline_pass.Terms("star-cinema", "A", 131_071, "https://hub.sh.cn/s/1")
PATIENT = offline_pass.Terms(
    audience="first-hospital",
    tier="B",
    status_index=7,
    status_uri="https://hub.sh.cn/s/1",
    holder="yzl7agtnqgeowphgpvt7ljem3vwaxqvk",
    services=("outpatient", "physical-check"),
    name="测试员甲",
    birth_date=date(1990, 2, 28),
)
CWT = offline_pass.issue(KEY, TERMS, DEVICE, NOW)
SHOWN = offline_pass.show(CWT, DEVICE, STEP)
CLAIMS = cbor2.loads(cbor2.loads(CWT).value[2])
HEADER = {1: -7, 4: NAME, 16: "application/tc-pass+cwt"}


def keys(named):
    return KEY if named == NAME else None


def read(text, **given):
    return offline_pass.read(text, keys, **{"audience": "star-cinema", "now": NOW, **given})


def flaw_of(text, **given):
    with pytest.raises(NotGenuineError) as refused:
        read(text, **given)
    return refused.value.flaw


def enveloped(protected, unprotected, payload, *, context="Signature1"):
    """A CWT in whatever spelling, with a signature of the hub's key that holds."""
    said = cbor2.dumps([context, protected, b"", payload])
    parts = [protected, unprotected, payload, es256.sign(KEY.jwk, said)]
    return cbor2.dumps(cbor2.CBORTag(18, parts))


def made(payload=None, header=None, unprotected=None, **claims):
    """What a device shows of a pass that the hub has signed, however odd."""
    changed = {**CLAIMS, **{int(label[1:]): value for label, value in claims.items()}}
    payload = cbor2.dumps(changed, canonical=True) if payload is None else payload
    protected = cbor2.dumps(header or HEADER, canonical=True)
    return offline_pass.show(enveloped(protected, unprotected or {}, payload), DEVICE, STEP)


@pytest.mark.parametrize("terms", [TERMS, PATIENT])
def test_a_pass_says_what_the_hub_signed_and_when_the_device_showed_it(terms):
    shown = offline_pass.show(offline_pass.issue(KEY, terms, DEVICE, NOW), DEVICE, STEP)

    found = read(shown, audience=terms.audience)

    assert found == offline_pass.Pass(terms, NOW, NOW + WEEK, NAME, DEVICE.thumbprint(), STEP)
    assert found.shown_at == NOW


@pytest.mark.parametrize("terms", [TERMS, PATIENT])
def test_another_library_reads_our_cwt(terms):
    century = timedelta(days=36_500)
    cwt = offline_pass.issue(KEY, terms, DEVICE, NOW, century)
    key = judge.COSEKey.new({1: 2, 2: NAME, 3: -7, -1: 1, **_coordinates(KEY.jwk)})

    claims = judge.decode(cwt, key)

    assert (claims[3], claims[4] - claims[6]) == (terms.audience, century.total_seconds())
    assert claims[65535] == {"status_list": {"idx": terms.status_index, "uri": terms.status_uri}}


def _coordinates(key):
    point = key.public_key.public_numbers()
    return {-2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}


def test_what_a_partner_may_not_learn_is_not_in_its_pass():
    assert set(CLAIMS) == {3, 4, 6, 8, 65535, -65537}
    assert CLAIMS[-65537] == {1: "A"}


def test_a_pass_of_a_cinema_fits_version_13():
    assert qr.version(SHOWN) == 13
    assert len(base45.decode(SHOWN.removeprefix("GWP1:"))) == 311


def test_a_pass_is_told_among_codes():
    assert code.parse(SHOWN) == code.PassText(SHOWN)


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_pass_holds_in_its_step_and_beside_it(steps):
    assert read(SHOWN, now=NOW + timedelta(seconds=30 * steps)).step == STEP


@pytest.mark.parametrize(
    ("later", "flaw"),
    [
        (timedelta(seconds=60), Flaw.STALE),
        (timedelta(seconds=-31), Flaw.STALE),
        (timedelta(seconds=-61), Flaw.NOT_YET_VALID),
        (WEEK + timedelta(seconds=60), Flaw.EXPIRED),
    ],
)
def test_a_photo_of_a_pass_holds_a_minute_and_no_longer(later, flaw):
    assert flaw_of(SHOWN, now=NOW + later) is flaw


def test_a_pass_dies_after_a_week_though_its_device_lives():
    later = NOW + WEEK + timedelta(seconds=60)
    shown = offline_pass.show(CWT, DEVICE, code.step_at(later))

    assert flaw_of(shown, now=later) is Flaw.EXPIRED


def test_a_pass_is_for_one_partner():
    assert flaw_of(SHOWN, audience="moon-cinema") is Flaw.WRONG_AUDIENCE


def test_what_was_accepted_can_be_looked_at_later():
    found = offline_pass.opened(SHOWN, keys)

    found.check("star-cinema", found.shown_at)


def test_a_pass_that_another_device_shows_is_refused():
    stolen = offline_pass.show(CWT, token.new_key(), STEP)

    assert flaw_of(stolen) is Flaw.BAD_SIGNATURE


def test_the_step_is_signed_by_the_device():
    raw = base45.decode(SHOWN.removeprefix("GWP1:"))
    changed = raw[:-65] + bytes([raw[-65] ^ 1]) + raw[-64:]

    assert flaw_of("GWP1:" + base45.encode(changed)) is Flaw.BAD_SIGNATURE


def test_a_pass_of_a_stranger_is_refused():
    stranger = keyring.new(keyring.Purpose.PASS, published_at=NOW, signs_from=NOW)
    forged = offline_pass.show(offline_pass.issue(stranger, TERMS, DEVICE, NOW), DEVICE, STEP)

    assert flaw_of(forged) is Flaw.UNKNOWN_KEY
    with pytest.raises(NotGenuineError) as refused:
        offline_pass.opened(forged, lambda _: KEY.jwk)
    assert refused.value.flaw is Flaw.BAD_SIGNATURE


def test_no_bit_of_a_pass_can_be_changed():
    raw = base45.decode(SHOWN.removeprefix("GWP1:"))

    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 4]) + raw[place + 1 :]
        shown = "GWP1:" + base45.encode(changed)
        with pytest.raises(NotGenuineError):
            read(shown)


@pytest.mark.parametrize(
    ("header", "unprotected"),
    [
        (HEADER, {4: NAME}),
        (HEADER, {4: b"another!"}),
        (HEADER, {16: "application/tc-pass+cwt"}),
        ({1: -7, 16: HEADER[16]}, {4: NAME}),
        ({1: -7, 4: b"another!", 16: HEADER[16]}, {4: NAME}),
        ({1: -35, 4: NAME, 16: HEADER[16]}, {}),
        ({4: NAME, 16: HEADER[16]}, {1: -7}),
        ({1: -7, 4: NAME}, {}),
        ({1: -7, 4: NAME, 16: "application/cwt"}, {}),
        ({1: -7, 2: [16], 4: NAME, 16: HEADER[16]}, {}),
        ({1: -7, 4: NAME + b"0", 16: HEADER[16]}, {}),
        ({16: HEADER[16], 4: NAME, 1: -7, 5: b""}, {}),
    ],
)
def test_a_header_that_says_more_less_or_elsewhere_is_refused(header, unprotected):
    assert flaw_of(made(header=header, unprotected=unprotected)) is Flaw.MALFORMED


PARTS = cbor2.loads(CWT).value


@pytest.mark.parametrize(
    "cwt",
    [
        CWT[1:],
        cbor2.dumps(cbor2.CBORTag(18, cbor2.CBORTag(18, PARTS))),
        cbor2.dumps(cbor2.CBORTag(61, cbor2.CBORTag(18, PARTS))),
        cbor2.dumps(cbor2.CBORTag(17, PARTS)),
        cbor2.dumps(cbor2.CBORTag(18, [*PARTS, b""])),
        cbor2.dumps(cbor2.CBORTag(18, PARTS[:3])),
        CWT + b"\x00",
        CWT.replace(b"\xd2\x84", b"\xd2\x9f", 1) + b"\xff",
        CWT.replace(b"\xd2\x84\x58", b"\xd2\x84\x59\x00", 1),
        enveloped(cbor2.dumps({16: HEADER[16], 4: NAME, 1: -7}), {}, PARTS[2]),
        b"",
    ],
)
def test_an_envelope_in_any_other_spelling_is_refused(cwt):
    assert flaw_of(offline_pass.show(cwt, DEVICE, STEP)) is Flaw.MALFORMED


def test_a_signature_of_the_hub_for_something_else_is_refused():
    protected = cbor2.dumps(HEADER, canonical=True)
    other = enveloped(protected, {}, PARTS[2], context="CounterSignature")

    assert flaw_of(offline_pass.show(other, DEVICE, STEP)) is Flaw.BAD_SIGNATURE


@pytest.mark.parametrize(
    "payload",
    [
        PARTS[2] + b"\x00",
        b"\xa7\x03\x60" + PARTS[2][1:],
        cbor2.dumps(dict(reversed(CLAIMS.items()))),
        cbor2.dumps(cbor2.CBORTag(61, CLAIMS), canonical=True),
        cbor2.dumps([CLAIMS], canonical=True),
        b"\xbf" + PARTS[2][1:] + b"\xff",
        b"\xc5\x82\x1b\x7f\xff\xff\xff\xff\xff\xff\xff\x01".ljust(30, b"\x00"),
    ],
)
def test_claims_in_any_other_spelling_are_refused(payload):
    assert flaw_of(made(payload)) is Flaw.MALFORMED


POINT = CLAIMS[8][1]


@pytest.mark.parametrize(
    ("label", "value"),
    [
        *[("_3", None), ("_3", b"star-cinema"), ("_3", ["star-cinema"]), ("_2", 1), ("_2", "")],
        *[("_4", None), ("_4", "soon"), ("_4", True), ("_4", -1), ("_6", float("nan"))],
        *[("_5", 0), ("_1", "https://hub.sh.cn"), ("_8", None), ("_8", {}), ("_8", {1: {}})],
        ("_8", {1: {**POINT, -3: bytes(32)}}),
        ("_8", {1: {**POINT, -3: []}}),
        ("_8", {1: {**POINT, -2: bytes(31)}}),
        ("_8", {1: {**POINT, -2: b"\xff" * 32}}),
        ("_8", {1: {**POINT, -4: bytes(32)}}),
        ("_8", {1: {**POINT, -1: 2}}),
        ("_65535", {"status_list": {"idx": -1, "uri": "x"}}),
        ("_65535", {"status_list": {"idx": 1}}),
        ("_65535", None),
        *[("_-65537", None), ("_-65537", {}), ("_-65537", {1: "A", 9: 1})],
        *[("_-65537", {1: "A", 2: "x"}), ("_-65537", {1: "A", 2: [1]})],
        *[("_-65537", {1: "A", 3: 1}), ("_-65537", {1: "A", 4: "1990-02-30"})],
    ],
)
def test_claims_of_another_sort_are_refused(label, value):
    assert flaw_of(made(**{label: value})) is Flaw.MALFORMED


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.floats(),
        lambda inner: st.lists(inner) | st.dictionaries(st.integers() | st.text(), inner),
    )
)
def test_whatever_the_hub_signs_is_a_pass_or_refused(value):
    assert flaw_of(made(cbor2.dumps(value, canonical=True)))


@given(st.binary(max_size=300))
def test_whatever_bytes_the_hub_signs_are_a_pass_or_refused(payload):
    assert flaw_of(made(payload))


@given(st.text() | st.text(base45._DIGITS) | st.binary().map(base45.encode))
def test_whatever_is_scanned_is_refused(text):
    assert flaw_of(text)
    assert flaw_of("GWP1:" + text)


def test_a_long_text_is_refused_unread():
    assert flaw_of("GWP1:" + "A" * 20_000_000) is Flaw.TOO_LARGE


def test_a_pass_with_its_numbers_mirrored_is_the_same_pass():
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    raw = base45.decode(SHOWN.removeprefix("GWP1:"))
    mirrored = (order - int.from_bytes(raw[-32:], "big")).to_bytes(32, "big")

    found = read("GWP1:" + base45.encode(raw[:-32] + mirrored))

    # What is used once is the device's step, for one word has several signatures.
    assert (found.device, found.step) == (DEVICE.thumbprint(), STEP)


def test_names_do_not_show_when_a_pass_is_printed():
    assert "测试员甲" not in repr(PATIENT)


def test_the_device_signs_the_whole_cwt():
    raw = base45.decode(SHOWN.removeprefix("GWP1:"))

    said = hashlib.sha256(CWT).digest() + STEP.to_bytes(4, "big")

    assert es256.holds(DEVICE, said, raw[-64:])

from __future__ import annotations

import hashlib
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import base64url, compact, keyring, status
from credentials.flaw import Flaw, NotGenuineError

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)
KEY = keyring.new(keyring.Purpose.STATUS, published_at=NOW, signs_from=NOW)
URI = "https://hub.example/status/1"
SMALL = status.of({1: status.Status.INVALID, 3: status.Status.SUSPENDED}, places=8)


def keys(kid):
    return KEY if kid == KEY.id else None


def read(token, **given):
    return status.read(token, keys, **{"uri": URI, "now": NOW, **given})


def signed(bits=2, lst="", **claims):
    """A list as somebody else might sign it."""
    seconds = int(NOW.timestamp())
    said = {"sub": URI, "iat": seconds, "exp": seconds + 3600, "ttl": 300}
    return compact.sign(KEY, {**said, "status_list": {"bits": bits, "lst": lst}, **claims})


def compressed(packed):
    return base64url.encode(zlib.compress(packed, 9))


def flaw_of(token, **given):
    with pytest.raises(NotGenuineError) as refused:
        read(token, **given)
    return refused.value.flaw


# The two short examples that the draft prints.
@pytest.mark.parametrize(
    ("bits", "values", "lst"),
    [
        (1, [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1], "eNrbuRgAAhcBXQ"),
        (2, [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3], "eNo76fITAAPfAgc"),
    ],
)
def test_the_examples_of_the_draft_are_written_and_read_so(bits, values, lst):
    written = status.of(dict(enumerate(values)), places=len(values), bits=bits)
    found = read(signed(bits, lst)).statuses

    assert base64url.encode(written.compressed) == lst
    assert [found[index] for index in range(len(values))] == values


@given(st.data())
def test_what_is_marked_is_read_back_and_everything_else_is_valid(data):
    bits = data.draw(st.sampled_from([1, 2, 4, 8]))
    values = st.integers(0, (1 << bits) - 1)
    marked = data.draw(st.dictionaries(st.integers(0, 499), values))

    found = read(status.sign(KEY, status.of(marked, places=500, bits=bits), URI, NOW)).statuses

    assert [found[index] for index in range(500)] == [marked.get(at, 0) for at in range(500)]


@pytest.mark.parametrize("index", [-1, 8, 1 << 40])
def test_a_card_whose_place_is_not_in_the_list_is_none(index):
    with pytest.raises(NotGenuineError):
        SMALL[index]


def test_a_list_says_how_fresh_it_is_and_when_it_is_over():
    found = read(status.sign(KEY, SMALL, URI, NOW))

    assert found == status.Published(SMALL, NOW, NOW + timedelta(hours=1))


def test_equal_lists_are_equal_to_the_byte():
    assert status.sign(KEY, SMALL, URI, NOW) == status.sign(KEY, SMALL, URI, NOW)


@pytest.mark.parametrize(("later", "flaw"), [(-61, Flaw.NOT_YET_VALID), (3600 + 60, Flaw.EXPIRED)])
def test_a_list_counts_from_its_issue_to_its_end_give_or_take_a_minute(later, flaw):
    token = status.sign(KEY, SMALL, URI, NOW)
    step = timedelta(seconds=1 if later < 0 else -1)

    assert read(token, now=NOW + timedelta(seconds=later) + step).statuses == SMALL
    assert flaw_of(token, now=NOW + timedelta(seconds=later)) is flaw


def test_a_list_of_another_address_is_refused():
    assert flaw_of(signed(lst=compressed(b"\0"), sub=URI + "0")) is Flaw.WRONG_SUBJECT


def test_a_card_of_the_same_key_is_no_list():
    as_card = compact.write(
        KEY.jwk, {"sub": URI}, {"alg": "ES256", "kid": KEY.id, "typ": "dc+sd-jwt"}
    )

    assert flaw_of(as_card) is Flaw.WRONG_TYPE


@pytest.mark.parametrize("bits", [0, 3, 16, True, 2.0, "2", None])
def test_a_width_that_the_draft_does_not_know_is_refused(bits):
    assert flaw_of(signed(bits, compressed(b"\0"))) is Flaw.MALFORMED


@pytest.mark.parametrize(
    "lst",
    [
        None,
        "",
        "====",
        compressed(b"\0") + "AA",
        base64url.encode(zlib.compress(b"\0") + b"x"),
        base64url.encode(zlib.compress(b"\0")[:-1]),
        base64url.encode(b"\0"),
    ],
)
def test_a_list_that_is_not_compressed_exactly_so_is_refused(lst):
    assert flaw_of(signed(2, lst)) is Flaw.MALFORMED


@pytest.mark.parametrize("said", [None, [], "x", {}, {"lst": compressed(b"\0")}])
def test_what_is_no_list_at_all_is_refused(said):
    assert flaw_of(signed(status_list=said)) is Flaw.MALFORMED


def test_a_list_is_inflated_as_far_as_the_caller_allows_and_no_further():
    token = signed(2, compressed(bytes(1000)))

    assert len(read(token, most_bytes=1000).statuses.packed) == 1000
    assert flaw_of(token, most_bytes=999) is Flaw.TOO_LARGE


def test_boundless_zeros_are_not_inflated():
    deflater = zlib.compressobj(9)
    bomb = b"".join(deflater.compress(bytes(1 << 20)) for _ in range(256)) + deflater.flush()

    assert len(bomb) < 300_000
    assert flaw_of(signed(2, base64url.encode(bomb))) is Flaw.TOO_LARGE


def test_a_list_of_ours_is_small_with_one_card_in_a_hundred_revoked():
    hashed = (hashlib.sha256(b"%d" % number).digest() for number in range(status.PLACES // 100))
    marked = {int.from_bytes(one) % status.PLACES: status.Status.INVALID for one in hashed}

    token = status.sign(KEY, status.of(marked), URI, NOW)

    assert 3000 < len(token) < 5500


@given(st.binary(max_size=64))
def test_whatever_stands_in_a_list_is_a_list_or_refused(packed):
    try:
        assert read(signed(2, base64url.encode(packed) or "A")).statuses.bits == 2
    except NotGenuineError as refused:
        assert refused.flaw in {Flaw.MALFORMED, Flaw.TOO_LARGE}  # noqa: PT017 - both ways are right


@given(st.text())
def test_whatever_is_presented_as_a_list_is_refused(token):
    with pytest.raises(NotGenuineError):
        read(token)

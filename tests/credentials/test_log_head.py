from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import compact, keyring, log_head
from credentials.flaw import Flaw, NotGenuineError

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)
KEY, NEIGHBOUR = (
    keyring.new(keyring.Purpose.LOG, published_at=NOW, signs_from=NOW) for _ in range(2)
)
HEAD = log_head.Head("https://hub.example/log", 200_000, bytes(range(32)), NOW)
WITNESS = "https://neighbour.example"


def ours(kid):
    return KEY if kid == KEY.id else None


def theirs(kid):
    return NEIGHBOUR if kid == NEIGHBOUR.id else None


def test_a_head_gives_back_what_was_signed():
    assert log_head.read(log_head.sign(KEY, HEAD), ours) == HEAD


def test_a_neighbour_signs_the_same_head_in_its_own_name():
    token = log_head.cosign(NEIGHBOUR, HEAD, WITNESS)

    assert log_head.read_cosigned(token, theirs, issuer=WITNESS) == HEAD


def test_a_cosigned_head_is_no_head_of_the_cosigner_and_none_of_another_neighbour():
    token = log_head.cosign(NEIGHBOUR, HEAD, WITNESS)

    with pytest.raises(NotGenuineError) as refused:
        log_head.read(token, theirs)
    assert refused.value.flaw is Flaw.WRONG_ISSUER
    with pytest.raises(NotGenuineError) as refused:
        log_head.read_cosigned(token, theirs, issuer="https://other.example")
    assert refused.value.flaw is Flaw.WRONG_ISSUER


def test_a_head_is_not_cosigned_by_itself():
    with pytest.raises(NotGenuineError):
        log_head.read_cosigned(log_head.sign(NEIGHBOUR, HEAD), theirs, issuer=WITNESS)


@pytest.mark.parametrize("key", [NEIGHBOUR])
def test_a_head_of_a_stranger_is_refused(key):
    with pytest.raises(NotGenuineError) as refused:
        log_head.read(log_head.sign(key, HEAD), ours)

    assert refused.value.flaw is Flaw.UNKNOWN_KEY


@pytest.mark.parametrize(
    "changed",
    [
        *[{"root": "AA"}, {"root": None}, {"size": -1}, {"size": True}, {"size": "1"}],
        *[{"log": ""}, {"log": None}, {"iat": None}, {"iat": "now"}],
    ],
)
def test_what_is_signed_but_no_head_is_refused(changed):
    said = log_head._claims(HEAD)

    with pytest.raises(NotGenuineError) as refused:
        log_head.read(compact.sign(KEY, {**said, **changed}), ours)

    assert refused.value.flaw is Flaw.MALFORMED


@given(st.text())
def test_whatever_is_presented_as_a_head_is_refused(token):
    with pytest.raises(NotGenuineError):
        log_head.read(token, ours)

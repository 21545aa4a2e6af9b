"""A new key comes by two statements: of a key in force, and of its own."""

from datetime import UTC, datetime

import pytest

from credentials import compact, rotation, token
from credentials.flaw import Flaw, NotGenuineError

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
OLD, NEW = token.new_key(), token.new_key()
ISSUER, CLIENT = "https://hub.example", "ember-clinic"


def said(about=NEW, **changes):
    now = int(NOW.timestamp())
    claims = {"iss": CLIENT, "aud": ISSUER, "iat": now, "exp": now + 60}
    return {**claims, "jkt": about.thumbprint(), **changes}


def current(by=OLD, *, header=None, **changes):
    head = {"alg": "ES256", "typ": rotation.TYPE, "kid": by.thumbprint(), **(header or {})}
    return compact.write(by, said(**changes), head)


def following(by=NEW, *, header=None, **changes):
    public = by.as_dict(private=False)
    head = {"alg": "ES256", "typ": rotation.TYPE, "jwk": public, **(header or {})}
    return compact.write(by, said(**changes), head)


def checked(one, other):
    known = {OLD.thumbprint(): OLD}
    return rotation.check(one, other, known.get, client=CLIENT, issuer=ISSUER, now=NOW)


def test_two_statements_bring_a_key():
    kid, key = checked(current(), following())

    assert kid == OLD.thumbprint()
    assert key.thumbprint() == NEW.thumbprint()


THIEF = token.new_key()
BAD = {
    "of another client": (current(iss="x"), following(), Flaw.WRONG_ISSUER),
    "for another hub": (current(), following(aud="x"), Flaw.WRONG_AUDIENCE),
    "for long": (current(exp=int(NOW.timestamp()) + 61), following(), Flaw.LASTS_TOO_LONG),
    "without end": (current(), following(exp=None), Flaw.MALFORMED),
    "old": (current(iat=0, exp=60), following(), Flaw.EXPIRED),
    "of another key": (current(about=THIEF), following(), Flaw.UNKNOWN_KEY),
    "of a thief's key": (current(), following(THIEF, about=THIEF), Flaw.UNKNOWN_KEY),
    "by nobody's key": (current(THIEF), following(), Flaw.UNKNOWN_KEY),
    "by another key": (
        current(THIEF, header={"kid": OLD.thumbprint()}), following(), Flaw.BAD_SIGNATURE,
    ),
    "by another new key": (
        current(), following(THIEF, header={"jwk": NEW.as_dict(private=False)}), Flaw.BAD_SIGNATURE,
    ),
    "with the private key": (
        current(), following(header={"jwk": NEW.as_dict(private=True)}), Flaw.MALFORMED,
    ),
    "the same twice": (current(), current(), Flaw.MALFORMED),
    "of another type": (current(header={"typ": "JWT"}), following(), Flaw.WRONG_TYPE),
}  # fmt: skip


@pytest.mark.parametrize(("one", "other", "flaw"), BAD.values(), ids=BAD)
def test_less_than_that_brings_none(one, other, flaw):
    with pytest.raises(NotGenuineError) as found:
        checked(one, other)

    assert found.value.flaw is flaw

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwe
from joserfc.jwk import KeySet, OctKey

from credentials import keyring
from credentials.keyring import LIFETIMES, NOTICE, ROTATION, Keyring, Purpose

NOW = datetime(2026, 11, 28, 2, tzinfo=UTC)
SECOND = timedelta(seconds=1)
KEK = b"k" * 32


def a_key(purpose=Purpose.CARD, signs_from=NOW, **changes):
    new = keyring.new(purpose, published_at=signs_from - NOTICE, signs_from=signs_from)
    return dataclasses.replace(new, **changes)


def test_each_purpose_has_a_type_of_its_own_and_a_lifetime():
    assert len({keyring.TYPES[purpose] for purpose in Purpose}) == len(Purpose)
    assert LIFETIMES.keys() == set(Purpose)


def test_a_key_is_called_by_its_thumbprint_and_its_text_tells_nothing_of_it():
    key = a_key()

    assert key.id == key.jwk.thumbprint()
    assert key.jwk.as_dict(private=True)["d"] not in repr(key)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_key_signs_for_one_rotation_and_counts_until_the_last_it_signed_is_over(purpose):
    key = a_key(purpose)
    ring = Keyring([key])
    last = NOW + ROTATION - SECOND

    assert ring.signer(purpose, NOW) == ring.signer(purpose, last) == key
    assert ring.verifying(purpose, key.id, last + LIFETIMES[purpose] + SECOND) == key
    assert ring.verifying(purpose, key.id, last + LIFETIMES[purpose] + 2 * SECOND) is None


@pytest.mark.parametrize("at", [NOW - SECOND, NOW + ROTATION])
def test_nothing_signs_before_or_after_its_time(at):
    with pytest.raises(keyring.NoSigningKeyError, match="No key signs for CARD now"):
        Keyring([a_key()]).signer(Purpose.CARD, at)


def test_a_key_signs_and_verifies_for_its_own_purpose_only():
    ring = Keyring([a_key()])
    (kid,) = (key["kid"] for key in ring.jwks(NOW)["keys"])

    assert ring.verifying(Purpose.CARD, kid, NOW)
    assert ring.verifying(Purpose.RECEIPT, kid, NOW) is None
    with pytest.raises(keyring.NoSigningKeyError):
        ring.signer(Purpose.RECEIPT, NOW)


def test_of_two_keys_that_sign_the_newer_does():
    older, newer = a_key(signs_from=NOW - timedelta(days=30)), a_key(signs_from=NOW)

    assert Keyring([newer, older]).signer(Purpose.CARD, NOW) == newer
    assert Keyring([older, newer]).signer(Purpose.CARD, NOW) == newer


def test_a_key_is_shown_before_it_signs_and_not_before_it_is_published():
    key = a_key(signs_from=NOW)
    ring = Keyring([key])

    assert ring.jwks(NOW - NOTICE - SECOND) == {"keys": []}
    assert [one["kid"] for one in ring.jwks(NOW - NOTICE)["keys"]] == [key.id]
    assert ring.verifying(Purpose.CARD, key.id, NOW - NOTICE - SECOND) is None


def test_the_published_keys_are_public_and_say_what_they_are_for():
    published = Keyring([a_key(purpose) for purpose in Purpose]).jwks(NOW)

    assert len(KeySet.import_key_set(published).keys) == len(Purpose)
    for key in published["keys"]:
        assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg", "purpose"}
        assert (key["use"], key["alg"], key["crv"]) == ("sig", "ES256", "P-256")
    assert [key["purpose"] for key in published["keys"]] == [one.lower() for one in Purpose]


def test_of_a_compromised_key_nothing_counts_whatever_its_date():
    stolen = keyring.compromise(a_key(), NOW)
    ring = Keyring([stolen])

    assert stolen.compromised_at == NOW
    assert ring.verifying(Purpose.CARD, stolen.id, NOW) is None
    assert ring.verifying(Purpose.CARD, stolen.id, NOW - SECOND) is None
    assert ring.jwks(NOW) == {"keys": []}
    with pytest.raises(keyring.NoSigningKeyError):
        ring.signer(Purpose.CARD, NOW)


def test_an_unknown_key_verifies_nothing():
    assert Keyring([a_key()]).verifying(Purpose.CARD, "unknown", NOW) is None


def test_a_hub_without_keys_makes_one_for_each_purpose_that_signs_at_once():
    made = Keyring([]).due(NOW)

    assert {key.purpose for key in made} == set(Purpose)
    assert len({key.id for key in made}) == len(made) == len(Purpose)
    assert all(Keyring(made).signer(purpose, NOW) for purpose in Purpose)
    assert Keyring(made).due(NOW) == []


def test_a_successor_is_made_two_days_ahead_and_takes_over_without_a_gap():
    first = Keyring([]).due(NOW)
    at = NOW + ROTATION - NOTICE

    assert Keyring(first).due(at - SECOND) == []
    second = Keyring(first).due(at)
    ring = Keyring([*first, *second])

    assert {key.purpose for key in second} == set(Purpose)
    assert ring.due(at) == []
    for purpose in Purpose:
        assert ring.signer(purpose, at) in first
        assert ring.signer(purpose, NOW + ROTATION - SECOND) in first
        assert ring.signer(purpose, NOW + ROTATION) in second


def test_instead_of_a_compromised_key_another_signs_at_once():
    first = Keyring([]).due(NOW)
    rest = [keyring.compromise(k, NOW) if k.purpose == Purpose.CARD else k for k in first]

    (made,) = Keyring(rest).due(NOW)

    assert made.purpose == Purpose.CARD
    assert Keyring([*rest, made]).signer(Purpose.CARD, NOW) == made


def test_a_hub_that_slept_past_a_rotation_signs_again_at_once():
    ring = Keyring([a_key()])
    late = NOW + ROTATION + timedelta(days=3)

    made = [key for key in ring.due(late) if key.purpose == Purpose.CARD]

    assert [key.signs_from for key in made] == [late]


def test_a_key_is_kept_sealed_and_comes_out_as_it_went_in():
    key = a_key()
    text = keyring.sealed(key, KEK)

    assert keyring.unsealed(text, KEK).as_dict(private=True) == key.jwk.as_dict(private=True)
    assert key.jwk.as_dict(private=True)["d"] not in text


def test_a_seal_opens_with_its_own_key_only_and_says_nothing_else():
    text = keyring.sealed(a_key(), KEK)
    head, _, rest = text.partition(".")

    for bad, kek in (
        (text, b"j" * 32),
        (text, b"k" * 16),
        (text[:-2] + ("AA" if text[-2:] != "AA" else "BB"), KEK),
        (f"{head[:-1]}.{rest}", KEK),
        ("", KEK),
        ("a.b.c.d.e", KEK),
    ):
        with pytest.raises(keyring.SealBrokenError) as broken:
            keyring.unsealed(bad, kek)
        assert str(broken.value) == str(keyring.SealBrokenError())


@pytest.mark.parametrize("inside", [b"{}", b"no key", b"[]"])
def test_a_seal_around_something_else_does_not_open(inside):
    header = {"alg": "dir", "enc": "A256GCM", "kid": "x"}
    text = jwe.encrypt_compact(header, inside, OctKey.import_key(KEK))

    with pytest.raises(keyring.SealBrokenError):
        keyring.unsealed(text, KEK)


def test_a_sealed_key_is_the_one_it_is_called():
    one, other = a_key(), a_key()
    swapped = keyring.sealed(dataclasses.replace(one, id=other.id), KEK)

    with pytest.raises(keyring.SealBrokenError):
        keyring.unsealed(swapped, KEK)

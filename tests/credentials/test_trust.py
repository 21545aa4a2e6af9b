from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from joserfc.jwk import ECKey, OKPKey

from credentials import compact, keyring, trust
from credentials.flaw import Flaw
from credentials.keyring import Purpose
from tests.refusal import refused_as

NOW = datetime(2026, 11, 28, 2, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
CITY = "https://city.example"
CARD = f"{CITY}/vct/talent-card/1"
KEY = keyring.new(Purpose.TRUST, published_at=NOW, signs_from=NOW)


def a_key():
    return ECKey.generate_key("P-256", private=False)


def an_entry(district="putuo", key=None, **changes):
    one = key or a_key()
    entry = trust.Entry(
        issuer=f"https://{district}.example",
        district=district,
        keys={one.thumbprint(): one},
        vcts=frozenset({CARD}),
        services=frozenset({"cinema-evening", "library-loan"}),
        begins_at=NOW - DAY,
        ends_at=NOW + 30 * DAY,
    )
    return dataclasses.replace(entry, **changes)


PUTUO = an_entry("putuo")
CHANGNING = an_entry("changning", services=frozenset({"library-loan"}))
KID = next(iter(PUTUO.keys))


def signed(*entries, **changes):
    return trust.sign(KEY, entries, **{"issuer": CITY, "sequence": 7, "now": NOW, **changes})


def read(token, **changes):
    return trust.read(token, {KEY.id: KEY}.get, **{"issuer": CITY, "now": NOW, **changes})


LIST = read(signed(PUTUO, CHANGNING))


def test_a_list_says_what_was_signed():
    assert (LIST.issuer, LIST.sequence) == (CITY, 7)
    assert (LIST.issued_at, LIST.expires_at) == (NOW, NOW + DAY)
    assert [dataclasses.replace(entry, keys={}) for entry in LIST.entries] == [
        dataclasses.replace(entry, keys={}) for entry in (PUTUO, CHANGNING)
    ]
    assert [set(entry.keys) for entry in LIST.entries] == [set(PUTUO.keys), set(CHANGNING.keys)]


def test_a_key_counts_for_its_own_issuer_only():
    assert LIST.key(PUTUO.issuer, KID, NOW).thumbprint() == KID
    assert LIST.key(CHANGNING.issuer, KID, NOW) is None
    assert LIST.key("https://other.example", KID, NOW) is None
    assert LIST.key(PUTUO.issuer, "other", NOW) is None


def test_a_service_is_open_to_the_cards_it_is_agreed_for():
    (other,) = CHANGNING.keys

    assert LIST.honours(PUTUO.issuer, KID, CARD, "cinema-evening", NOW)
    assert not LIST.honours(PUTUO.issuer, KID, CARD, "hospital-visit", NOW)
    assert not LIST.honours(PUTUO.issuer, KID, "another type", "cinema-evening", NOW)
    assert not LIST.honours(PUTUO.issuer, other, CARD, "cinema-evening", NOW)
    assert not LIST.honours(CHANGNING.issuer, other, CARD, "cinema-evening", NOW)
    assert LIST.honours(CHANGNING.issuer, other, CARD, "library-loan", NOW)


@pytest.mark.parametrize(
    ("begins", "ends", "counts"),
    [(0, 60, True), (-60, 1, True), (1, 60, False), (-60, 0, False)],
)
def test_an_entry_counts_from_its_beginning_to_its_end(begins, ends, counts):
    entry = an_entry(begins_at=NOW + begins * SECOND, ends_at=NOW + ends * SECOND)
    (kid,) = entry.keys
    found = read(signed(entry))

    assert (found.key(entry.issuer, kid, NOW) is not None) is counts
    assert found.honours(entry.issuer, kid, CARD, "library-loan", NOW) is counts


def test_an_old_list_trusts_nobody():
    assert LIST.key(PUTUO.issuer, KID, NOW + DAY - SECOND)
    assert LIST.key(PUTUO.issuer, KID, NOW + DAY) is None
    assert not LIST.honours(PUTUO.issuer, KID, CARD, "cinema-evening", NOW + DAY)


def test_an_issuer_may_have_two_keys_and_two_agreements():
    new = a_key()
    more = dataclasses.replace(PUTUO, keys={**PUTUO.keys, new.thumbprint(): new})
    health = an_entry("putuo", new, services=frozenset({"hospital-visit"}))
    found = read(signed(more, health))

    assert found.key(PUTUO.issuer, new.thumbprint(), NOW)
    assert found.honours(PUTUO.issuer, new.thumbprint(), CARD, "hospital-visit", NOW)
    assert not found.honours(PUTUO.issuer, KID, CARD, "hospital-visit", NOW)


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"issuer": "https://other.example"}, Flaw.WRONG_ISSUER),
        ({"now": NOW + DAY + timedelta(minutes=1)}, Flaw.EXPIRED),
        ({"now": NOW - timedelta(seconds=61)}, Flaw.NOT_YET_VALID),
        ({"least_sequence": 8}, Flaw.STALE),
    ],
)
def test_a_list_is_refused_that_is_anothers_or_not_of_now(changes, flaw):
    with refused_as(flaw):
        read(signed(PUTUO), **changes)


def test_the_list_that_was_seen_last_is_read_again():
    assert read(signed(PUTUO), least_sequence=7).sequence == 7


def said_of(entry):
    return compact.parse(signed(entry), [trust.TYPE]).claims


def test_a_key_of_an_algorithm_to_come_is_passed_over():
    said = said_of(PUTUO)
    other = OKPKey.generate_key("Ed25519", private=False)
    said["entries"][0]["jwks"]["keys"].append({**other.as_dict(), "alg": "Ed25519"})
    said["entries"][0]["keys"].append(other.thumbprint())

    assert set(read(compact.sign(KEY, said)).entries[0].keys) == set(PUTUO.keys)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("iss", None),
        ("district", 1),
        ("keys", []),
        ("keys", "thumbprint"),
        ("jwks", None),
        ("jwks", {"keys": [None]}),
        ("jwks", {"keys": [{"alg": "ES256"}]}),
        ("vcts", CARD),
        ("services", [1]),
        ("from", "now"),
        ("until", None),
    ],
)
def test_an_entry_that_says_less_spoils_the_list(name, value):
    said = said_of(PUTUO)
    said["entries"][0][name] = value

    with refused_as(Flaw.MALFORMED):
        read(compact.sign(KEY, said))


@pytest.mark.parametrize(
    "changes", [{"entries": None}, {"entries": [1]}, {"sequence": True}, {"sequence": "7"}]
)
def test_a_list_that_is_none_is_refused(changes):
    with refused_as(Flaw.MALFORMED):
        read(compact.sign(KEY, {**said_of(PUTUO), **changes}))


def test_a_list_that_another_key_signed_or_that_is_no_list_is_refused():
    other = keyring.new(Purpose.TRUST, published_at=NOW, signs_from=NOW)

    with refused_as(Flaw.UNKNOWN_KEY):
        read(compact.sign(other, said_of(PUTUO)))
    with refused_as(Flaw.WRONG_TYPE):
        read(compact.sign(KEY, said_of(PUTUO), {"typ": "statuslist+jwt"}))
    with refused_as(Flaw.TOO_LARGE):
        read("." * (trust.MOST_LENGTH + 1))

from __future__ import annotations

import dataclasses
import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey
from jwcrypto.jwk import JWK
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer, SDObj
from sd_jwt.verifier import SDJWTVerifier

from credentials import base64url, compact, keyring
from credentials import sd_jwt as cards
from credentials.flaw import Flaw, NotGenuineError
from credentials.keyring import Purpose
from tests.refusal import refused_as

NOW = datetime(2026, 11, 28, 2, tzinfo=UTC)
AT = int(NOW.timestamp())
DAYS_90 = timedelta(days=90).total_seconds()
ISSUER = "https://putuo.example"
VCT = f"{ISSUER}/vct/talent-card/1"
CITY = "https://city.example/vct/talent-card/1"
US = "https://hub.example"
NONCE = "n-0S6_WzA2Mj"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

KEY = keyring.new(Purpose.CARD, published_at=NOW, signs_from=NOW)
HOLDER = ECKey.generate_key("P-256")
CARD = cards.Card(
    issuer=ISSUER,
    vct=VCT,
    aka_vcts=(CITY,),
    status_index=4711,
    status_uri=f"{ISSUER}/status/1",
    claims={
        "legal_name": "测试·样例",
        "birth_date": "1990-01-01",
        "tier": "A",
        "employer": "Example Works",
        "dependants": [{"legal_name": "Sample Child", "birth_date": "2018-02-03"}],
    },
    plain={"district": "putuo"},
)
ISSUED = cards.issue(KEY, CARD, holder=HOLDER, now=NOW)
HEADER = {"alg": "ES256", "kid": KEY.id, "typ": "dc+sd-jwt"}
SIGNED = compact.parse(ISSUED.split("~")[0], ["dc+sd-jwt"]).claims
TIER = base64url.encode(b'["salt-of-the-tier","tier","A"]')


def found(issuer, kid):
    return KEY if (issuer, kid) == (ISSUER, KEY.id) else None


def shown(card=ISSUED, wanted=("tier",), **changes):
    to = {"holder": HOLDER, "audience": US, "nonce": NONCE, "now": NOW, **changes}
    return cards.present(card, wanted, **to)


def verified(presentation, **changes):
    expected = {"vcts": [CITY], "audience": US, "nonce": NONCE, "now": NOW, **changes}
    return cards.verify(presentation, found, **expected)


def forged(*disclosures, header=None, key=KEY.jwk, **changes):
    """Return a card that says other things than ours do, `...` for what it leaves out."""
    said = {**SIGNED, "_sd": [base64url.digest(one) for one in disclosures], **changes}
    claims = {name: value for name, value in said.items() if value is not ...}
    return "~".join([compact.write(key, claims, {**HEADER, **(header or {})}), *disclosures, ""])


def bound(said, *, header=None, key=HOLDER, **changes):
    """Return what is shown under a binding that says other things than a holder's does."""
    usual = {"iat": AT, "aud": US, "nonce": NONCE, "sd_hash": base64url.digest(said)}
    claims = {name: value for name, value in {**usual, **changes}.items() if value is not ...}
    head = {"alg": "ES256", "typ": "kb+jwt", **(header or {})}
    return said + compact.write(key, claims, head)


def disclosure(*parts):
    return base64url.encode(json.dumps(parts).encode())


def test_a_card_tells_what_its_holder_shows_and_no_more():
    told = verified(shown(wanted=["tier", "legal_name"]))

    assert told == cards.Presented(
        issuer=ISSUER,
        vct=VCT,
        aka_vcts=(CITY,),
        status_index=4711,
        status_uri=f"{ISSUER}/status/1",
        claims={"district": "putuo", "tier": "A", "legal_name": "测试·样例"},
        holder=HOLDER.thumbprint(),
        issued_at=NOW,
        expires_at=NOW + timedelta(days=90),
        nonce=NONCE,
    )


@given(st.sets(st.sampled_from(sorted(CARD.claims))))
def test_any_choice_of_claims_can_be_shown(wanted):
    told = verified(shown(wanted=wanted))

    assert told.claims == {**CARD.plain, **{name: CARD.claims[name] for name in wanted}}


def test_a_card_says_nothing_that_is_hidden():
    token = ISSUED.split("~")[0]
    said = base64url.decode(token.split(".")[1]).decode()

    assert all(name not in said for name in CARD.claims)
    assert "Example" not in said
    assert HOLDER.as_dict(private=True)["d"] not in said


def test_the_digests_tell_neither_how_many_claims_there_are_nor_which_is_which():
    assert len(SIGNED["_sd"]) == len(CARD.claims) + 4
    assert SIGNED["_sd"] == sorted(SIGNED["_sd"])


def test_two_cards_of_one_person_have_no_digest_in_common():
    again = cards.issue(KEY, CARD, holder=HOLDER, now=NOW)
    other = compact.parse(again.split("~")[0], ["dc+sd-jwt"]).claims

    assert not set(other["_sd"]) & set(SIGNED["_sd"])


def test_with_the_same_salt_a_card_is_the_same_to_the_byte():
    one, other = (
        cards.issue(KEY, CARD, holder=HOLDER, now=NOW, decoys=0, salt=lambda: b"salt" * 4)
        for _ in range(2)
    )

    assert one == other


@pytest.mark.parametrize("vct", [VCT, CITY])
def test_a_card_counts_under_each_of_its_types(vct):
    assert verified(shown(), vcts=["https://elsewhere.example", vct]).vct == VCT


def test_a_card_may_be_of_one_type_only():
    plain = cards.issue(
        KEY, dataclasses.replace(CARD, aka_vcts=()), holder=HOLDER, now=NOW, decoys=0
    )

    assert verified(shown(plain), vcts=[VCT]).aka_vcts == ()
    with refused_as(Flaw.WRONG_TYPE):
        verified(shown(plain), vcts=[CITY])


@pytest.mark.parametrize("seconds", [-300, -1, 0, 60])
def test_a_binding_may_be_five_minutes_old_and_its_clock_a_minute_ahead(seconds):
    assert verified(shown(now=NOW + timedelta(seconds=seconds)))


def test_a_showing_in_another_spelling_is_told_by_its_nonce_to_be_the_same():
    said, _, last = shown().rpartition(".")
    raw = base64url.decode(last)
    twin = raw[:32] + (ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")

    other = f"{said}.{base64url.encode(twin)}"

    assert other != shown()
    assert verified(other) == verified(shown())


def test_of_the_last_character_of_a_showing_there_is_one_spelling():
    good = shown()

    for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
        if last != good[-1]:
            with pytest.raises(NotGenuineError):
                verified(good[:-1] + last)


SECRETS = ISSUED.split("~")[1:-1]
SHOWN = shown()
SAID = SHOWN.rpartition("~")[0] + "~"
OTHER = keyring.new(Purpose.CARD, published_at=NOW, signs_from=NOW)
DEEP = json.loads("[" * 9 + "]" * 9)
NESTED = disclosure("salt", "address", {"_sd": [base64url.digest(TIER)]})

BAD = {
    # Time
    "is over": (bound(forged(exp=AT - 60)), Flaw.EXPIRED),
    "has no end": (bound(forged(exp=...)), Flaw.MALFORMED),
    "ends in words": (bound(forged(exp="never")), Flaw.MALFORMED),
    "ends at true": (bound(forged(exp=True)), Flaw.MALFORMED),
    "ends after all time": (bound(forged(exp=10**18)), Flaw.MALFORMED),
    "has not begun": (bound(forged(nbf=AT + 61)), Flaw.NOT_YET_VALID),
    "begins in words": (bound(forged(nbf="now")), Flaw.MALFORMED),
    "was issued tomorrow": (bound(forged(iat=AT + 86_400)), Flaw.NOT_YET_VALID),
    "was issued in words": (bound(forged(iat=str(AT))), Flaw.MALFORMED),
    # Who, and what
    "is a stranger's": (bound(forged(key=OTHER.jwk)), Flaw.BAD_SIGNATURE),
    "names an unknown key": (bound(forged(header={"kid": OTHER.id})), Flaw.UNKNOWN_KEY),
    "names another issuer": (bound(forged(iss="https://other.example")), Flaw.UNKNOWN_KEY),
    "names no issuer": (bound(forged(iss=...)), Flaw.MALFORMED),
    "names many issuers": (bound(forged(iss=[ISSUER])), Flaw.MALFORMED),
    "is a receipt": (bound(forged(header={"typ": "tc-receipt+jwt"})), Flaw.WRONG_TYPE),
    "is a status list": (bound(forged(header={"typ": "statuslist+jwt"})), Flaw.WRONG_TYPE),
    "is of an older draft": (bound(forged(header={"typ": "vc+sd-jwt"})), Flaw.WRONG_TYPE),
    "is any token": (bound(forged(header={"typ": "JWT"})), Flaw.WRONG_TYPE),
    "is unsigned": (bound(forged(header={"alg": "none"})), Flaw.WRONG_ALGORITHM),
    "is critical": (bound(forged(header={"crit": ["x"], "x": 1})), Flaw.MALFORMED),
    "brings its key": (bound(forged(header={"jwk": {}})), Flaw.MALFORMED),
    "is of another type": (bound(forged(vct="x", aka_vcts=...)), Flaw.WRONG_TYPE),
    "is of no type": (bound(forged(vct=...)), Flaw.MALFORMED),
    "is of many types": (bound(forged(vct=[VCT])), Flaw.MALFORMED),
    "is of no other types": (bound(forged(vct=CITY, aka_vcts=[])), Flaw.MALFORMED),
    "is of its own type twice": (bound(forged(vct=CITY)), Flaw.MALFORMED),
    "is of other types in words": (bound(forged(aka_vcts=CITY)), Flaw.MALFORMED),
    "cannot be revoked": (bound(forged(status=...)), Flaw.MALFORMED),
    "has a status of true": (
        bound(forged(status={"status_list": {"idx": True, "uri": "u"}})),
        Flaw.MALFORMED,
    ),
    "has a status before the first": (
        bound(forged(status={"status_list": {"idx": -1, "uri": "u"}})),
        Flaw.MALFORMED,
    ),
    "has a status nowhere": (bound(forged(status={"status_list": {"idx": 1}})), Flaw.MALFORMED),
    # The holder
    "is nobody's": (bound(forged(cnf=...)), Flaw.MALFORMED),
    "is somebody's by name": (bound(forged(cnf={"kid": "me"})), Flaw.MALFORMED),
    "tells its holder's private key": (
        bound(forged(cnf={"jwk": HOLDER.as_dict(private=True)})),
        Flaw.MALFORMED,
    ),
    "is not bound": (SAID, Flaw.MALFORMED),
    "is bound by another": (bound(SAID, key=ECKey.generate_key("P-256")), Flaw.BAD_SIGNATURE),
    "is bound by its issuer": (bound(SAID, key=KEY.jwk), Flaw.BAD_SIGNATURE),
    "is bound for another": (bound(SAID, aud="https://cinema.example"), Flaw.WRONG_AUDIENCE),
    "is bound for many": (bound(SAID, aud=[US]), Flaw.WRONG_AUDIENCE),
    "is bound for nobody": (bound(SAID, aud=...), Flaw.WRONG_AUDIENCE),
    "is bound with a slash more": (bound(SAID, aud=US + "/"), Flaw.WRONG_AUDIENCE),
    "is bound to another nonce": (bound(SAID, nonce="another"), Flaw.WRONG_NONCE),
    "is bound to no nonce": (bound(SAID, nonce=...), Flaw.WRONG_NONCE),
    "was bound six minutes ago": (bound(SAID, iat=AT - 301), Flaw.STALE),
    "was bound a year ago": (bound(SAID, iat=AT - 31_536_000), Flaw.STALE),
    "is bound two minutes from now": (bound(SAID, iat=AT + 61), Flaw.NOT_YET_VALID),
    "is bound at no time": (bound(SAID, iat=...), Flaw.MALFORMED),
    "is bound in words": (bound(SAID, iat="now"), Flaw.MALFORMED),
    "is bound until just now": (bound(SAID, exp=AT - 60), Flaw.EXPIRED),
    "is bound to other disclosures": (
        bound(SAID, sd_hash=base64url.digest(ISSUED)),
        Flaw.BAD_DISCLOSURE,
    ),
    "is bound to none": (bound(SAID, sd_hash=...), Flaw.BAD_DISCLOSURE),
    "is bound by another type": (bound(SAID, header={"typ": "JWT"}), Flaw.WRONG_TYPE),
    "is bound by a proof": (bound(SAID, header={"typ": "dpop+jwt"}), Flaw.WRONG_TYPE),
    "is bound unsigned": (bound(SAID, header={"alg": "none"}), Flaw.WRONG_ALGORITHM),
    "lost a disclosure": (SHOWN.replace(f"~{SHOWN.split('~')[1]}", ""), Flaw.BAD_DISCLOSURE),
    # Disclosures
    "discloses what it does not say": (bound(forged(TIER, _sd=[])), Flaw.BAD_DISCLOSURE),
    "discloses it twice": (
        bound(forged(TIER) + TIER + "~"),
        Flaw.BAD_DISCLOSURE,
    ),
    "says a digest twice": (
        bound(forged(TIER, _sd=[base64url.digest(TIER)] * 2)),
        Flaw.BAD_DISCLOSURE,
    ),
    "says a digest in two places": (
        bound(forged(TIER, more={"_sd": [base64url.digest(TIER)]})),
        Flaw.BAD_DISCLOSURE,
    ),
    "says a digest in a disclosure again": (
        bound(forged(TIER, NESTED)),
        Flaw.BAD_DISCLOSURE,
    ),
    "says a name again": (bound(forged(TIER, tier="B")), Flaw.BAD_DISCLOSURE),
    "says two values of a name": (
        bound(forged(TIER, disclosure("salt", "tier", "B"))),
        Flaw.BAD_DISCLOSURE,
    ),
    **{
        f"discloses {name}": (bound(forged(disclosure("salt", name, [1]))), Flaw.BAD_DISCLOSURE)
        for name in (
            *("_sd", "...", "_sd_alg", "iss", "iat", "nbf", "vct#integrity", "aka_vcts"),
            *("exp", "cnf", "vct", "status"),
        )
    },
    "hides a part of its status": (
        bound(
            forged(
                disclosure("salt", "x", 1),
                _sd=[],
                status={**SIGNED["status"], "_sd": [base64url.digest(disclosure("salt", "x", 1))]},
            )
        ),
        Flaw.BAD_DISCLOSURE,
    ),
    "discloses an element as a claim": (
        bound(forged(disclosure("salt", "DE"))),
        Flaw.BAD_DISCLOSURE,
    ),
    "discloses a claim as an element": (
        bound(forged(TIER, _sd=[], all=[{"...": base64url.digest(TIER)}])),
        Flaw.BAD_DISCLOSURE,
    ),
    "has an element with more": (
        bound(forged(all=[{"...": base64url.digest(TIER), "more": 1}])),
        Flaw.BAD_DISCLOSURE,
    ),
    "has a claim like an element": (bound(forged(**{"...": "x"})), Flaw.BAD_DISCLOSURE),
    "has a digest in words": (bound(forged(_sd="x")), Flaw.BAD_DISCLOSURE),
    "has a digest of a number": (bound(forged(_sd=[1])), Flaw.BAD_DISCLOSURE),
    "discloses an object": (bound(forged(base64url.encode(b"{}"))), Flaw.BAD_DISCLOSURE),
    "discloses one part": (bound(forged(disclosure("salt"))), Flaw.BAD_DISCLOSURE),
    "discloses four parts": (
        bound(forged(disclosure("salt", "a", 1, 2))),
        Flaw.BAD_DISCLOSURE,
    ),
    "discloses a numbered name": (bound(forged(disclosure("salt", 1, 1))), Flaw.BAD_DISCLOSURE),
    "discloses without salt": (bound(forged(disclosure(None, "a", 1))), Flaw.BAD_DISCLOSURE),
    "discloses no JSON": (bound(forged(base64url.encode(b"["))), Flaw.MALFORMED),
    "discloses with padding": (bound(forged(TIER + "=")), Flaw.MALFORMED),
    "discloses nothing": (bound(forged("")), Flaw.MALFORMED),
    "discloses half a letter": (SAID + "\ud800~" + SHOWN.rpartition("~")[2], Flaw.BAD_DISCLOSURE),
    "discloses a name twice inside": (
        bound(forged(base64url.encode(b'["s","a",{"b":1,"b":2}]'))),
        Flaw.MALFORMED,
    ),
    "discloses too much": (
        bound(forged(*(disclosure(str(one), str(one), 1) for one in range(65)))),
        Flaw.TOO_LARGE,
    ),
    "is too deep": (bound(forged(all=DEEP)), Flaw.TOO_LARGE),
    "discloses too deep": (bound(forged(disclosure("salt", "all", DEEP))), Flaw.TOO_LARGE),
    "is hashed otherwise": (bound(forged(_sd_alg="sha-512")), Flaw.WRONG_ALGORITHM),
    "is hashed by a number": (bound(forged(_sd_alg=None)), Flaw.WRONG_ALGORITHM),
    # Form
    "is empty": ("", Flaw.MALFORMED),
    "is bare": (ISSUED.split("~")[0], Flaw.MALFORMED),
    "is all tildes": ("~" * 1000, Flaw.MALFORMED),
    "is JSON": (json.dumps({"payload": "e30", "signature": "AA"}), Flaw.MALFORMED),
    "is followed by a space": (SHOWN + " ", Flaw.MALFORMED),
}


@pytest.mark.parametrize(("presentation", "flaw"), BAD.values(), ids=BAD)
def test_a_card_is_refused_that(presentation, flaw):
    with refused_as(flaw):
        verified(presentation)


def test_the_forger_of_these_tests_can_make_a_good_card_too():
    assert verified(bound(forged(TIER))).claims == {"district": "putuo", "tier": "A"}
    assert verified(bound(forged(iat=..., _sd_alg=...))).issued_at is None


@pytest.mark.parametrize(
    ("days", "flaw"), [(90, None), (91, Flaw.EXPIRED), (-1, Flaw.NOT_YET_VALID)]
)
def test_a_card_holds_for_its_ninety_days(days, flaw):
    at = NOW + timedelta(days=days)

    if flaw is None:
        assert verified(shown(now=at), now=at)
    else:
        with refused_as(flaw):
            verified(shown(now=at), now=at)


def test_what_is_too_long_is_refused_unread():
    for length in (cards.MOST_LENGTH + 1, 20_000_000):
        presentation = "~" * length
        began = time.perf_counter()

        with refused_as(Flaw.TOO_LARGE):
            verified(presentation)

        assert time.perf_counter() - began < 0.05


@given(st.text() | st.lists(st.sampled_from([*SHOWN.split("~"), "", "a.b.c"])).map("~".join))
def test_whatever_is_presented_is_a_good_card_or_refused(presentation):
    try:
        assert verified(presentation).issuer == ISSUER
    except NotGenuineError as refused:
        assert isinstance(refused.flaw, Flaw)  # noqa: PT017 - both ways are right


def test_every_character_of_a_showing_counts():
    for place, character in enumerate(SHOWN[::7]):
        other = "A" if character != "A" else "B"
        with pytest.raises(NotGenuineError):
            verified(SHOWN[: place * 7] + other + SHOWN[place * 7 + 1 :])


def other_key(key, *, private=False):
    return JWK(**key.as_dict(private=private))


def test_another_verifier_reads_our_cards():
    judged = SDJWTVerifier(
        shown(wanted=["tier", "dependants"]), lambda *_: other_key(KEY.jwk), US, NONCE
    ).get_verified_payload()

    assert judged["tier"] == "A"
    assert judged["dependants"] == CARD.claims["dependants"]
    assert "legal_name" not in judged
    assert judged["vct"] == VCT


def test_another_wallet_shows_our_cards():
    now = datetime.now(UTC)  # which the wallet takes from the clock
    wallet = SDJWTHolder(cards.issue(KEY, CARD, holder=HOLDER, now=now))

    wallet.create_presentation({"tier": True}, NONCE, US, other_key(HOLDER, private=True))

    told = verified(wallet.sd_jwt_presentation, now=now)
    assert told.claims == {"district": "putuo", "tier": "A"}


def test_we_read_cards_of_another_issuer():
    now = datetime.now(UTC)
    claims = {
        "iss": ISSUER,
        "iat": int(now.timestamp()),
        "exp": int(now.timestamp()) + 60,
        "vct": VCT,
        "status": {"status_list": {"idx": 1, "uri": "https://putuo.example/status/1"}},
        SDObj("tier"): "B",
        SDObj("address"): {SDObj("city"): "上海", SDObj("street"): "Sample Road"},
        "languages": [SDObj("zh"), SDObj("de"), "en"],
    }
    issuer = SDJWTIssuer(
        claims,
        other_key(KEY.jwk, private=True),
        other_key(HOLDER),
        add_decoy_claims=True,
        extra_header_parameters={"typ": "dc+sd-jwt", "kid": KEY.id},
    )
    wallet = SDJWTHolder(issuer.sd_jwt_issuance)
    wallet.create_presentation(
        {"tier": True, "address": {"city": True}, "languages": [False, True]},
        NONCE,
        US,
        other_key(HOLDER, private=True),
    )

    told = verified(wallet.sd_jwt_presentation, vcts=[VCT], now=now)

    assert told.claims == {"tier": "B", "address": {"city": "上海"}, "languages": ["de", "en"]}

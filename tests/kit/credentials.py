"""Portable credentials (SD-JWT VC) as they are shown: good ones, and forged ones."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from credentials import base64url, compact, sd_jwt
from credentials.flaw import Flaw
from credentials.keyring import Key, Purpose
from tests.kit import keys
from tests.kit.keys import AT, DAY, HOLDER, ISSUER, NEIGHBOUR, THIEF, Case

VCT = f"{ISSUER}/vct/talent-card/1"
CITY = "https://talent.shanghai.example/vct/talent-card/1"
AUDIENCE = f"{ISSUER}/verifiers/{keys.PARTNER}"
NONCE = "kit-nonce-7hQ2vXc9Lr4"
GIVEN = {"audience": AUDIENCE, "nonce": NONCE, "vcts": [VCT, CITY]}
PLACE = 4711
ABOUT = (
    "SD-JWT VC presentations (RFC 9901). `audience`, `nonce` and `vcts` are what the verifier "
    "expects; keys.json has the issuer's keys. Expect a nonce once: then the accepted ones that "
    "differ in their spelling alone are one presentation."
)

KEY = keys.OURS[Purpose.CARD]
CARD = sd_jwt.Card(
    issuer=ISSUER,
    vct=VCT,
    aka_vcts=(CITY,),
    status_index=PLACE,
    status_uri=f"{ISSUER}/status/1",
    claims={
        "legal_name": "测试·样例",
        "birth_date": "1990-01-01",
        "tier": "A",
        "employer": "Example Works (demo)",
        "dependants": [{"legal_name": "Sample Child", "birth_date": "2018-02-03"}],
    },
    plain={"district": "changning"},
)


def issued(key: Key = KEY, name: str = "card") -> str:
    salts = iter(range(100))
    return sd_jwt.issue(
        key,
        CARD,
        holder=HOLDER,
        now=keys.NOW,
        salt=lambda: keys.drawn(f"{name} salt {next(salts)}"),
    )


ISSUED = issued()
HEADER = {"alg": "ES256", "kid": KEY.id, "typ": "dc+sd-jwt"}
SIGNED = compact.parse(ISSUED.split("~")[0], ["dc+sd-jwt"]).claims


def shown(card: str = ISSUED, wanted=("tier",), **changes) -> str:
    to = {"holder": HOLDER, "audience": AUDIENCE, "nonce": NONCE, "now": keys.NOW, **changes}
    return sd_jwt.present(card, wanted, **to)


def disclosure(*parts: object) -> str:
    return base64url.encode(keys.plain(list(parts)))


TIER = disclosure("salt-of-the-tier", "tier", "A")
SHOWN = shown()
SAID, _, BINDING = SHOWN.rpartition("~")
SAID += "~"


def claims(*disclosures: str, **changes) -> dict:
    return {**SIGNED, "_sd": [base64url.digest(one) for one in disclosures], **changes}


def forged(*disclosures: str, header=None, key=KEY.jwk, **changes) -> str:
    """A card that says other things than ours do, `...` for what it leaves out."""
    made = keys.token(key, claims(*disclosures, **changes), {**HEADER, **(header or {})})
    return "~".join([made, *disclosures, ""])


def bound(said: str, *, header=None, key=HOLDER, **changes) -> str:
    """What is shown, under a binding that says other things than a holder's does."""
    usual = {"iat": AT, "aud": AUDIENCE, "nonce": NONCE, "sd_hash": base64url.digest(said)}
    head = {"alg": "ES256", "typ": "kb+jwt", **(header or {})}
    return said + keys.token(key, {**usual, **changes}, head)


def raw(header: bytes | None = None, said: bytes | None = None) -> str:
    """A card of bytes that need not be JSON."""
    made = keys.raw_token(
        keys.plain(HEADER) if header is None else header,
        keys.plain(claims()) if said is None else said,
        KEY.jwk,
    )
    return bound(f"{made}~")


def status(**place) -> dict:
    return {"status_list": {"idx": PLACE, "uri": CARD.status_uri, **place}}


def cases() -> Iterator[Case]:
    for family in (good, time, who, header, body, holder, disclosures, spelling):
        yield from family()


def good() -> Iterator[Case]:
    everything = tuple(CARD.claims)
    yield Case("good", "A good presentation of one claim.", SHOWN, answer="CardAccepted")
    yield Case(
        "good-all", "A good one of all claims.", shown(wanted=everything), answer="CardAccepted"
    )
    yield Case("good-none", "A good one of no claim.", shown(wanted=()), answer="CardAccepted")
    yield Case(
        "good-city",
        "A good one, where only the city's common type is accepted.",
        SHOWN,
        given={"vcts": [CITY]},
        answer="CardAccepted",
    )
    yield Case(
        "good-late",
        "Bound 300 seconds ago: just in time.",
        bound(SAID, iat=AT - 300),
        answer="CardAccepted",
    )
    yield Case(
        "good-ahead",
        "Bound by a clock that is a minute ahead.",
        bound(SAID, iat=AT + 60),
        answer="CardAccepted",
    )
    yield Case(
        "good-mirrored",
        "The binding's signature is (r, n - s): the same presentation in another spelling.",
        keys.resigned(SHOWN, keys.mirrored(keys.signature_of(SHOWN))),
        answer="CardAccepted",
    )
    twin = keys.resigned(
        ISSUED.split("~")[0], keys.mirrored(keys.signature_of(ISSUED.split("~")[0]))
    )
    yield Case(
        "good-mirrored-card",
        "The issuer's signature is (r, n - s).",
        bound("~".join([twin, *SAID.split("~")[1:]])),
        answer="CardAccepted",
    )


def time() -> Iterator[Case]:
    for id_, what, changes, flaw in (
        ("expired", "It ended a minute ago.", {"exp": AT - 60}, Flaw.EXPIRED),
        ("expired-long-ago", "It ended a year ago.", {"exp": AT - 365 * DAY}, Flaw.EXPIRED),
        ("exp-missing", "It has no end.", {"exp": ...}, Flaw.MALFORMED),
        ("exp-text", "Its end is a text.", {"exp": str(AT + DAY)}, Flaw.MALFORMED),
        ("exp-true", "Its end is `true`.", {"exp": True}, Flaw.MALFORMED),
        ("exp-null", "Its end is null.", {"exp": None}, Flaw.MALFORMED),
        ("exp-negative", "It ended before 1970.", {"exp": -1}, Flaw.MALFORMED),
        ("exp-beyond", "It ends after the year 9999.", {"exp": 10**18}, Flaw.MALFORMED),
        ("nbf-future", "It begins in an hour.", {"nbf": AT + 3600}, Flaw.NOT_YET_VALID),
        ("nbf-text", "Its beginning is a text.", {"nbf": "now"}, Flaw.MALFORMED),
        ("iat-future", "It was issued tomorrow.", {"iat": AT + DAY}, Flaw.NOT_YET_VALID),
        ("iat-text", "It was issued in words.", {"iat": str(AT)}, Flaw.MALFORMED),
    ):
        yield Case(id_, what, bound(forged(TIER, **changes)), flaw)


def who() -> Iterator[Case]:
    for id_, what, said, flaw in (
        (
            "strangers-key",
            "Signed by a stranger under our key's name.",
            forged(key=THIEF),
            Flaw.BAD_SIGNATURE,
        ),
        (
            "unknown-kid",
            "Signed by a key that nobody knows.",
            forged(key=THIEF, header={"kid": THIEF.thumbprint()}),
            Flaw.UNKNOWN_KEY,
        ),
        (
            "neighbours-key",
            "Signed with a trusted neighbour's key, in our name.",
            forged(key=keys.ABROAD, header={"kid": keys.ABROAD.thumbprint()}),
            Flaw.UNKNOWN_KEY,
        ),
        (
            "our-key-abroad",
            "Signed with our key, in a trusted neighbour's name.",
            forged(iss=NEIGHBOUR),
            Flaw.UNKNOWN_KEY,
        ),
        (
            "stranger",
            "Issued by a stranger, with a good signature.",
            forged(iss=keys.STRANGER, key=THIEF, header={"kid": THIEF.thumbprint()}),
            Flaw.UNKNOWN_KEY,
        ),
        ("stolen-key", "Signed with a compromised key.", _by(keys.STOLEN), Flaw.UNKNOWN_KEY),
        (
            "stolen-key-backdated",
            "Signed with a compromised key, in a time before it was stolen.",
            forged(
                key=keys.STOLEN.jwk,
                header={"kid": keys.STOLEN.id},
                iat=AT - 5 * DAY,
            ),
            Flaw.UNKNOWN_KEY,
        ),
        ("former-key", "Signed with a key whose time is over.", _by(keys.FORMER), Flaw.UNKNOWN_KEY),
        ("coming-key", "Signed with a key not yet published.", _by(keys.COMING), Flaw.UNKNOWN_KEY),
        ("iss-missing", "It names no issuer.", forged(iss=...), Flaw.MALFORMED),
        ("iss-list", "It names a list of issuers.", forged(iss=[ISSUER]), Flaw.MALFORMED),
        ("iss-slash", "Its issuer has a slash more.", forged(iss=f"{ISSUER}/"), Flaw.UNKNOWN_KEY),
        ("iss-case", "Its issuer is in capitals.", forged(iss=ISSUER.upper()), Flaw.UNKNOWN_KEY),
    ):
        yield Case(id_, what, bound(said), flaw)
    for purpose, key in keys.OURS.items():
        if purpose is not Purpose.CARD:
            yield Case(
                f"key-of-{purpose.lower()}",
                f"Signed with the issuer's key for another purpose ({purpose}).",
                bound(forged(key=key.jwk, header={"kid": key.id})),
                Flaw.UNKNOWN_KEY,
            )


def _by(key: Key) -> str:
    return forged(key=key.jwk, header={"kid": key.id})


def header() -> Iterator[Case]:
    thief = keys.public(THIEF)
    for id_, what, changes, flaw in (
        ("alg-hs512", "It says HS512.", {"alg": "HS512"}, Flaw.WRONG_ALGORITHM),
        ("alg-eddsa", "It says EdDSA.", {"alg": "EdDSA"}, Flaw.WRONG_ALGORITHM),
        ("alg-ed25519", "It says Ed25519.", {"alg": "Ed25519"}, Flaw.WRONG_ALGORITHM),
        ("alg-es384", "It says ES384.", {"alg": "ES384"}, Flaw.WRONG_ALGORITHM),
        ("alg-es256k", "It says ES256K.", {"alg": "ES256K"}, Flaw.WRONG_ALGORITHM),
        ("alg-rs256", "It says RS256.", {"alg": "RS256"}, Flaw.WRONG_ALGORITHM),
        ("alg-lower-case", "It says es256.", {"alg": "es256"}, Flaw.WRONG_ALGORITHM),
        ("alg-list", "It says a list of algorithms.", {"alg": ["ES256"]}, Flaw.WRONG_ALGORITHM),
        ("alg-missing", "It says no algorithm.", {"alg": ...}, Flaw.MALFORMED),
        (
            "crit-unknown",
            "A critical header unknown to all.",
            {"crit": ["x"], "x": 1},
            Flaw.MALFORMED,
        ),
        ("crit-empty", "It has an empty list of critical headers.", {"crit": []}, Flaw.MALFORMED),
        (
            "b64-false",
            "Its payload is not encoded.",
            {"crit": ["b64"], "b64": False},
            Flaw.MALFORMED,
        ),
        ("jku", "It says where its key is fetched.", {"jku": keys.STRANGER}, Flaw.MALFORMED),
        ("x5u", "It says where its certificate is.", {"x5u": keys.STRANGER}, Flaw.MALFORMED),
        ("x5c", "It brings a certificate.", {"x5c": ["MIIB"]}, Flaw.MALFORMED),
        (
            "jwk-beside",
            "It brings a key that it is not signed with.",
            {"jwk": thief},
            Flaw.MALFORMED,
        ),
        ("typ-missing", "It does not say what it is.", {"typ": ...}, Flaw.MALFORMED),
        ("typ-jwt", "It says it is a JWT.", {"typ": "JWT"}, Flaw.WRONG_TYPE),
        ("typ-older", "It is of an older draft.", {"typ": "vc+sd-jwt"}, Flaw.WRONG_TYPE),
        ("typ-capitals", "Its type is in capitals.", {"typ": "DC+SD-JWT"}, Flaw.WRONG_TYPE),
        (
            "typ-receipt",
            "A receipt, signed with the card's key.",
            {"typ": "tc-receipt+jwt"},
            Flaw.WRONG_TYPE,
        ),
        (
            "typ-status",
            "A status list, signed with it.",
            {"typ": "statuslist+jwt"},
            Flaw.WRONG_TYPE,
        ),
        ("typ-access", "An access token, signed with it.", {"typ": "at+jwt"}, Flaw.WRONG_TYPE),
        ("typ-binding", "It says it is the binding.", {"typ": "kb+jwt"}, Flaw.WRONG_TYPE),
        ("kid-missing", "It names no key.", {"kid": ...}, Flaw.MALFORMED),
        ("kid-list", "It names a list of keys.", {"kid": [KEY.id]}, Flaw.MALFORMED),
        ("kid-number", "It names its key by a number.", {"kid": 0}, Flaw.MALFORMED),
        ("kid-null", "It names its key by null.", {"kid": None}, Flaw.MALFORMED),
        ("kid-empty", "It names its key by nothing.", {"kid": ""}, Flaw.UNKNOWN_KEY),
        ("kid-path", "It names a file as its key.", {"kid": "../../dev/null"}, Flaw.UNKNOWN_KEY),
        ("kid-query", "It names its key in SQL.", {"kid": "' OR '1'='1"}, Flaw.UNKNOWN_KEY),
        ("kid-cut", "It names its key by half.", {"kid": KEY.id[:20]}, Flaw.UNKNOWN_KEY),
    ):
        yield Case(id_, what, bound(forged(TIER, header=changes)), flaw)
    brought = forged(TIER, key=THIEF, header={"jwk": thief})
    yield Case("jwk", "It brings the key that it is signed with.", bound(brought), Flaw.MALFORMED)
    unsigned = f"{keys.token(KEY.jwk, claims(), {**HEADER, 'alg': 'none'}).rpartition('.')[0]}."
    yield Case(
        "alg-none", "It is not signed, and says so.", bound(f"{unsigned}~"), Flaw.WRONG_ALGORITHM
    )
    said = f"{_part({**HEADER, 'alg': 'None'})}.{_part(claims())}."
    yield Case(
        "alg-none-spelt", "It says None, with a capital.", bound(f"{said}~"), Flaw.WRONG_ALGORITHM
    )
    yield Case(
        "alg-hs256",
        "An HMAC whose secret is the issuer's public key.",
        bound(f"{_hmac({**HEADER, 'alg': 'HS256'})}~"),
        Flaw.WRONG_ALGORITHM,
    )
    twice = keys.plain(HEADER)[:-1] + b',"alg":"ES256"}'
    yield Case("header-name-twice", "Its header says `alg` twice.", raw(twice), Flaw.MALFORMED)
    yield Case("header-list", "Its header is a list.", raw(b'["ES256"]'), Flaw.MALFORMED)
    yield Case("header-no-json", "Its header is no JSON.", raw(b"{"), Flaw.MALFORMED)
    yield Case("header-empty", "Its header is empty.", raw(b""), Flaw.MALFORMED)


def _part(said: object) -> str:
    return base64url.encode(keys.plain(said))


def _hmac(head: dict) -> str:
    pem = KEY.jwk.public_key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    said = f"{_part(head)}.{_part(claims())}"
    return f"{said}.{base64url.encode(hmac.digest(pem, said.encode(), 'sha256'))}"


def body() -> Iterator[Case]:
    for id_, what, changes, flaw in (
        (
            "vct-other",
            "It is of another type.",
            {"vct": f"{ISSUER}/vct/permit/1", "aka_vcts": ...},
            Flaw.WRONG_TYPE,
        ),
        (
            "vct-version",
            "It is of another version of the type.",
            {"vct": VCT[:-1] + "2", "aka_vcts": ...},
            Flaw.WRONG_TYPE,
        ),
        ("vct-missing", "It is of no type.", {"vct": ...}, Flaw.MALFORMED),
        ("vct-list", "It is of a list of types.", {"vct": [VCT]}, Flaw.MALFORMED),
        ("aka-text", "Its further types are one text.", {"aka_vcts": CITY}, Flaw.MALFORMED),
        ("aka-empty", "Its further types are none.", {"aka_vcts": []}, Flaw.MALFORMED),
        ("aka-own", "Its own type is among the further ones.", {"aka_vcts": [VCT]}, Flaw.MALFORMED),
        ("status-missing", "Nobody can revoke it.", {"status": ...}, Flaw.MALFORMED),
        ("status-null", "Its status is null.", {"status": None}, Flaw.MALFORMED),
        ("status-text", "Its status is a text.", {"status": "valid"}, Flaw.MALFORMED),
        (
            "status-elsewhere",
            "Its status is of a sort unknown here.",
            {"status": {"url": "x"}},
            Flaw.MALFORMED,
        ),
        (
            "idx-negative",
            "Its place comes before the first.",
            {"status": status(idx=-1)},
            Flaw.MALFORMED,
        ),
        ("idx-true", "Its place is `true`.", {"status": status(idx=True)}, Flaw.MALFORMED),
        ("idx-text", "Its place is a text.", {"status": status(idx="4711")}, Flaw.MALFORMED),
        (
            "uri-missing",
            "Its status list is nowhere.",
            {"status": {"status_list": {"idx": 1}}},
            Flaw.MALFORMED,
        ),
        (
            "uri-long",
            "Its status list has a boundless address.",
            {"status": status(uri="u" * 600)},
            Flaw.MALFORMED,
        ),
        ("sd-alg", "It is hashed with SHA-512.", {"_sd_alg": "sha-512"}, Flaw.WRONG_ALGORITHM),
        ("sd-alg-null", "It is hashed with null.", {"_sd_alg": None}, Flaw.WRONG_ALGORITHM),
    ):
        yield Case(id_, what, bound(forged(TIER, **changes)), flaw)
    twice = keys.plain(claims())[:-1] + f',"exp":{AT + DAY}}}'.encode()
    yield Case("claims-name-twice", "It says `exp` twice.", raw(said=twice), Flaw.MALFORMED)
    yield Case("claims-list", "Its claims are a list.", raw(said=b"[]"), Flaw.MALFORMED)
    yield Case("claims-nan", "A claim is no number.", raw(said=b'{"exp":NaN}'), Flaw.MALFORMED)
    deep = keys.plain(claims())[:-1] + b',"deep":' + b"[" * 2000 + b"]" * 2000 + b"}"
    yield Case("claims-deep", "It is two thousand lists deep.", raw(said=deep), Flaw.MALFORMED)
    nine = json.loads("[" * 9 + "]" * 9)
    yield Case(
        "claims-nine-deep", "It is nine lists deep.", bound(forged(deep=nine)), Flaw.TOO_LARGE
    )


def holder() -> Iterator[Case]:
    private = {**keys.public(HOLDER), "d": HOLDER.as_dict(private=True)["d"]}
    point = keys.public(HOLDER)
    for id_, what, changes in (
        ("cnf-missing", "It is bound to nobody.", {"cnf": ...}),
        ("cnf-kid", "It is bound to a name.", {"cnf": {"kid": "me"}}),
        ("cnf-empty", "It is bound to nothing.", {"cnf": {}}),
        ("cnf-text", "It is bound to a text.", {"cnf": "me"}),
        ("cnf-private", "It tells its holder's private key.", {"cnf": {"jwk": private}}),
        (
            "cnf-p384",
            "Its holder's key says it is of another curve.",
            {"cnf": {"jwk": {**point, "crv": "P-384"}}},
        ),
        (
            "cnf-oct",
            "Its holder's key is a shared secret.",
            {"cnf": {"jwk": {"kty": "oct", "k": "AAAA"}}},
        ),
        (
            "cnf-off-curve",
            "Its holder's key is no point of the curve.",
            {"cnf": {"jwk": {**point, "y": point["x"]}}},
        ),
        (
            "cnf-encryption",
            "Its holder's key is for encryption.",
            {"cnf": {"jwk": {**point, "use": "enc"}}},
        ),
    ):
        yield Case(id_, what, bound(forged(TIER, **changes)), Flaw.MALFORMED)
    yield Case("kb-missing", "Nobody shows it.", SAID, Flaw.MALFORMED)
    for id_, what, changes, flaw in (
        ("kb-thief", "A thief shows it.", {"key": THIEF}, Flaw.BAD_SIGNATURE),
        ("kb-issuer", "Its issuer shows it.", {"key": KEY.jwk}, Flaw.BAD_SIGNATURE),
        (
            "kb-aud-other",
            "Shown to another partner.",
            {"aud": f"{ISSUER}/verifiers/ember-hospital"},
            Flaw.WRONG_AUDIENCE,
        ),
        ("kb-aud-list", "Shown to a list of partners.", {"aud": [AUDIENCE]}, Flaw.WRONG_AUDIENCE),
        ("kb-aud-missing", "Shown to nobody.", {"aud": ...}, Flaw.WRONG_AUDIENCE),
        (
            "kb-aud-slash",
            "Shown to a partner with a slash more.",
            {"aud": f"{AUDIENCE}/"},
            Flaw.WRONG_AUDIENCE,
        ),
        ("kb-aud-issuer", "Shown to the issuer.", {"aud": ISSUER}, Flaw.WRONG_AUDIENCE),
        ("kb-nonce-other", "With another nonce.", {"nonce": "another-nonce"}, Flaw.WRONG_NONCE),
        ("kb-nonce-missing", "Without a nonce.", {"nonce": ...}, Flaw.WRONG_NONCE),
        ("kb-nonce-empty", "With an empty nonce.", {"nonce": ""}, Flaw.WRONG_NONCE),
        ("kb-nonce-list", "With a list of nonces.", {"nonce": [NONCE]}, Flaw.WRONG_NONCE),
        ("kb-old", "Shown 301 seconds ago.", {"iat": AT - 301}, Flaw.STALE),
        ("kb-year-old", "Shown a year ago.", {"iat": AT - 365 * DAY}, Flaw.STALE),
        ("kb-future", "Shown 61 seconds from now.", {"iat": AT + 61}, Flaw.NOT_YET_VALID),
        ("kb-iat-missing", "Shown at no time.", {"iat": ...}, Flaw.MALFORMED),
        ("kb-iat-text", "Shown at a time in words.", {"iat": str(AT)}, Flaw.MALFORMED),
        ("kb-expired", "Its binding has ended.", {"exp": AT - 60}, Flaw.EXPIRED),
        (
            "kb-sd-hash-other",
            "Signed over other disclosures.",
            {"sd_hash": base64url.digest(ISSUED)},
            Flaw.BAD_DISCLOSURE,
        ),
        (
            "kb-sd-hash-missing",
            "Signed over no disclosures.",
            {"sd_hash": ...},
            Flaw.BAD_DISCLOSURE,
        ),
        (
            "kb-sd-hash-bare",
            "Signed over the card without its last tilde.",
            {"sd_hash": base64url.digest(SAID[:-1])},
            Flaw.BAD_DISCLOSURE,
        ),
        (
            "kb-typ-jwt",
            "The binding says it is a JWT.",
            {"header": {"typ": "JWT"}},
            Flaw.WRONG_TYPE,
        ),
        (
            "kb-typ-proof",
            "The binding is the proof of a request.",
            {"header": {"typ": "dpop+jwt"}},
            Flaw.WRONG_TYPE,
        ),
        (
            "kb-typ-missing",
            "The binding does not say what it is.",
            {"header": {"typ": ...}},
            Flaw.MALFORMED,
        ),
        (
            "kb-alg-none",
            "The binding says it is not signed.",
            {"header": {"alg": "none"}},
            Flaw.WRONG_ALGORITHM,
        ),
        (
            "kb-alg-es384",
            "The binding says ES384.",
            {"header": {"alg": "ES384"}},
            Flaw.WRONG_ALGORITHM,
        ),
        (
            "kb-jwk",
            "The binding brings a thief's key.",
            {"key": THIEF, "header": {"jwk": keys.public(THIEF)}},
            Flaw.MALFORMED,
        ),
        (
            "kb-crit",
            "The binding has a critical header.",
            {"header": {"crit": ["x"], "x": 1}},
            Flaw.MALFORMED,
        ),
    ):
        yield Case(id_, what, bound(SAID, **changes), flaw)
    yield Case(
        "kb-zero",
        "The binding's signature is all zeros.",
        keys.resigned(SHOWN, bytes(64)),
        Flaw.BAD_SIGNATURE,
    )
    yield Case(
        "kb-unsigned",
        "The binding's signature is empty.",
        SHOWN.rpartition(".")[0] + ".",
        Flaw.BAD_SIGNATURE,
    )
    other = issued(name="another card")
    yield Case(
        "kb-of-another",
        "The binding of another card of the same holder.",
        other.rpartition("~")[0] + "~" + BINDING,
        Flaw.BAD_DISCLOSURE,
    )
    yield Case("kb-twice", "Two bindings.", f"{SHOWN}~{BINDING}", Flaw.BAD_DISCLOSURE)


def disclosures() -> Iterator[Case]:
    nested = disclosure("salt", "address", {"_sd": [base64url.digest(TIER)]})
    more = base64url.digest(disclosure("salt", "x", 1))
    hidden = {**SIGNED["status"], "_sd": [more]}
    for id_, what, said in (
        ("d-unreferenced", "It discloses what the issuer never hid.", forged(TIER, _sd=[])),
        (
            "d-added",
            "A disclosure of another card is added.",
            forged(TIER) + disclosure("s", "tier", "B") + "~",
        ),
        ("d-twice", "It discloses a claim twice.", forged(TIER) + TIER + "~"),
        (
            "d-digest-twice",
            "A digest stands twice.",
            forged(TIER, _sd=[base64url.digest(TIER)] * 2),
        ),
        (
            "d-digest-two-places",
            "A digest stands in two places.",
            forged(TIER, more={"_sd": [base64url.digest(TIER)]}),
        ),
        ("d-digest-again", "A digest stands again inside a disclosure.", forged(TIER, nested)),
        ("d-name-plain", "It discloses a name that stands open.", forged(TIER, tier="B")),
        (
            "d-name-twice",
            "It discloses one name with two values.",
            forged(TIER, disclosure("salt", "tier", "B")),
        ),
        (
            "d-status-part",
            "It hides a part of its status.",
            forged(disclosure("salt", "x", 1), _sd=[], status=hidden),
        ),
        (
            "d-element-as-claim",
            "It discloses an element as a claim.",
            forged(disclosure("salt", "DE")),
        ),
        (
            "d-claim-as-element",
            "It discloses a claim as an element.",
            forged(TIER, _sd=[], all=[{"...": base64url.digest(TIER)}]),
        ),
        (
            "d-element-more",
            "An element says more than its digest.",
            forged(all=[{"...": base64url.digest(TIER), "more": 1}]),
        ),
        ("d-claim-dots", "A claim is called `...`.", forged(**{"...": "x"})),
        ("d-sd-text", "Its digests are a text.", forged(_sd="x")),
        ("d-sd-number", "A digest is a number.", forged(_sd=[1])),
        ("d-object", "A disclosure is an object.", forged(base64url.encode(b"{}"))),
        ("d-one-part", "A disclosure has one part.", forged(disclosure("salt"))),
        ("d-four-parts", "A disclosure has four parts.", forged(disclosure("salt", "a", 1, 2))),
        ("d-name-number", "A disclosed name is a number.", forged(disclosure("salt", 1, 1))),
        ("d-salt-null", "A disclosure has no salt.", forged(disclosure(None, "a", 1))),
    ):
        yield Case(id_, what, bound(said), Flaw.BAD_DISCLOSURE)
    for name in (
        "_sd",
        "...",
        "_sd_alg",
        "iss",
        "iat",
        "nbf",
        "exp",
        "cnf",
        "vct",
        "aka_vcts",
        "status",
        "vct#integrity",
    ):
        id_ = f"d-{name.replace('...', 'dots').replace('#', '-').replace('_', '-').strip('-')}"
        what = f"It discloses `{name}`."
        left = {} if name in ("_sd", "_sd_alg", "...") else {name: ...}
        value = SIGNED.get(name, [1]) if left else [1]
        kept = left if name in ("iat", "nbf", "aka_vcts", "vct#integrity") else {}
        yield Case(
            id_ + "-hidden" if id_ == "d-sd" else id_,
            what,
            bound(forged(disclosure("salt", name, value), **kept)),
            Flaw.BAD_DISCLOSURE,
        )
    for id_, what, said in (
        ("d-no-json", "A disclosure is no JSON.", forged(base64url.encode(b"["))),
        ("d-padding", "A disclosure is padded.", forged(TIER + "=")),
        ("d-empty", "A disclosure is empty.", forged("")),
        ("d-space", "A disclosure has a space in it.", forged(TIER[:8] + " " + TIER[8:])),
        (
            "d-inner-name-twice",
            "A disclosed object says a name twice.",
            forged(base64url.encode(b'["s","a",{"b":1,"b":2}]')),
        ),
    ):
        yield Case(id_, what, bound(said), Flaw.MALFORMED)
    many = forged(*(disclosure("s", str(one), 1) for one in range(65)))
    yield Case("d-many", "It discloses 65 claims.", bound(many), Flaw.TOO_LARGE)
    lost = SHOWN.replace(f"~{SHOWN.split('~')[1]}", "", 1)
    yield Case(
        "d-lost", "A disclosure was taken away after it was bound.", lost, Flaw.BAD_DISCLOSURE
    )
    whole = shown(wanted=("tier", "employer")).split("~")
    swapped = "~".join([whole[0], whole[2], whole[1], whole[3]])
    yield Case(
        "d-order", "Disclosures changed places after it was bound.", swapped, Flaw.BAD_DISCLOSURE
    )


def spelling() -> Iterator[Case]:
    card, *rest = SAID.split("~")
    der = encode_dss_signature(
        *(int.from_bytes(keys.signature_of(card)[i : i + 32], "big") for i in (0, 32))
    )
    changed = bytearray(keys.signature_of(card))
    changed[0] ^= 1

    def again(made: str) -> str:
        return bound("~".join([made, *rest]))

    for id_, what, said, flaw in (
        (
            "signature-changed",
            "A bit of the issuer's signature is changed.",
            again(keys.resigned(card, bytes(changed))),
            Flaw.BAD_SIGNATURE,
        ),
        (
            "signature-zero",
            "The issuer's signature is all zeros.",
            again(keys.resigned(card, bytes(64))),
            Flaw.BAD_SIGNATURE,
        ),
        (
            "signature-der",
            "The issuer's signature is DER.",
            again(keys.resigned(card, der)),
            Flaw.BAD_SIGNATURE,
        ),
        (
            "signature-short",
            "The issuer's signature is a byte short.",
            again(keys.resigned(card, bytes(changed[:-1]))),
            Flaw.BAD_SIGNATURE,
        ),
        (
            "signature-long",
            "The issuer's signature is a byte long.",
            again(keys.resigned(card, keys.signature_of(card) + b"\0")),
            Flaw.BAD_SIGNATURE,
        ),
        (
            "signature-order",
            "The signature's second number is beyond the order.",
            again(keys.resigned(card, keys.signature_of(card)[:32] + b"\xff" * 32)),
            Flaw.BAD_SIGNATURE,
        ),
        (
            "signature-empty",
            "The issuer's signature is empty.",
            again(card.rpartition(".")[0] + "."),
            Flaw.BAD_SIGNATURE,
        ),
        (
            "last-bits",
            "The issuer's signature in another spelling.",
            again(keys.last_bits(card)),
            Flaw.MALFORMED,
        ),
        (
            "kb-last-bits",
            "The binding's signature in another spelling.",
            keys.last_bits(SHOWN),
            Flaw.MALFORMED,
        ),
        ("padding", "The issuer's signature is padded.", again(card + "=="), Flaw.MALFORMED),
        ("kb-padding", "The binding's signature is padded.", SHOWN + "==", Flaw.MALFORMED),
        (
            "standard-alphabet",
            "Letters of the other alphabet.",
            again(card.replace("-", "+").replace("_", "/")),
            Flaw.MALFORMED,
        ),
        (
            "space-inside",
            "A space in the claims.",
            again(card[:200] + " " + card[200:]),
            Flaw.MALFORMED,
        ),
        (
            "line-break-inside",
            "A line break in the claims.",
            again(card[:200] + "\n" + card[200:]),
            Flaw.MALFORMED,
        ),
        ("space-after", "A space after it.", SHOWN + " ", Flaw.MALFORMED),
        ("space-before", "A space before it.", " " + SHOWN, Flaw.MALFORMED),
        ("claims-changed", "Its claims were changed.", again(_changed(card)), Flaw.BAD_SIGNATURE),
        ("two-parts", "The card has two parts.", again(card.rpartition(".")[0]), Flaw.MALFORMED),
        ("four-parts", "The card has four parts.", again(card + ".e30"), Flaw.MALFORMED),
        ("empty", "It is empty.", "", Flaw.MALFORMED),
        ("bare", "A card without tilde.", card, Flaw.MALFORMED),
        ("tildes", "A thousand tildes.", "~" * 1000, Flaw.MALFORMED),
        ("binding-alone", "A binding alone.", BINDING, Flaw.MALFORMED),
        (
            "json",
            "JSON serialization.",
            json.dumps({"payload": "e30", "signature": "AA"}),
            Flaw.MALFORMED,
        ),
        (
            "base64-json",
            "Standard base64 of it.",
            base64.b64encode(SHOWN.encode()).decode(),
            Flaw.MALFORMED,
        ),
        ("encrypted", "Five parts, as if encrypted.", "e30.e30.e30.e30.e30~", Flaw.MALFORMED),
    ):
        yield Case(id_, what, said, flaw)
    yield Case(
        "oversize",
        "It is one character too long.",
        "~" * (sd_jwt.MOST_LENGTH + 1),
        Flaw.TOO_LARGE,
        answer="TOO_LARGE",
    )


def _changed(card: str) -> str:
    head, _, signature = card.split(".")
    return f"{head}.{_part({**SIGNED, 'exp': SIGNED['exp'] + DAY})}.{signature}"

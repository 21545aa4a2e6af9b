"""What partners show of themselves when they ask: good proofs and signatures, and forged ones."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

from credentials import base64url, es256
from credentials.flaw import Flaw
from credentials.keyring import Purpose
from tests.kit import keys
from tests.kit.keys import AT, CLIENT, ISSUER, PROVING, THIEF, Case

URL = f"{ISSUER}/v1/verify"
WHO = "ember-hospital"
GIVEN = {"method": "POST", "url": URL}
ABOUT = (
    "What partners show of themselves. `kind` says as what each is read: a client assertion "
    "(private_key_jwt) by its `issuer`, an access token at `audience`, a proof (DPoP) for "
    "`method`, `url` and `access_token`, or the headers that sign a request (RFC 9421) with "
    "`body`. Each id (`jti`) counts once."
)
ACCESS = keys.OURS[Purpose.ACCESS]
BODY = '{"presented":{"code":"HTTPS://GREENWAY.EXAMPLE/T/00000000000000000000000000"}}'


def cases() -> Iterator[Case]:
    for family in (assertions, tokens, proofs, signatures):
        yield from family()


def assertion(*, key=CLIENT, header=None, **changes) -> str:
    said = {
        "iss": WHO,
        "sub": WHO,
        "aud": ISSUER,
        "iat": AT,
        "exp": AT + 60,
        "jti": "kit-assertion-1",
        **changes,
    }
    return keys.token(key, said, {"alg": "ES256", "kid": CLIENT.thumbprint(), **(header or {})})


def assertions() -> Iterator[Case]:
    given = {"kind": "assertion", "issuer": ISSUER}
    good = assertion()
    for id_, what, said, flaw in (
        ("good", "A good one.", good, None),
        ("good-ahead", "By a clock a minute ahead.", assertion(iat=AT + 60, exp=AT + 120), None),
        (
            "good-typ",
            "One that says what it is.",
            assertion(header={"typ": "client-authentication+jwt"}),
            None,
        ),
        ("thief", "A thief signed it.", assertion(key=THIEF), Flaw.BAD_SIGNATURE),
        (
            "unknown-key",
            "By a key that is not registered.",
            assertion(key=THIEF, header={"kid": THIEF.thumbprint()}),
            Flaw.UNKNOWN_KEY,
        ),
        (
            "aud-token-endpoint",
            "It is for an address, not for the issuer.",
            assertion(aud=f"{ISSUER}/oauth/token"),
            Flaw.WRONG_AUDIENCE,
        ),
        ("aud-list", "It is for a list.", assertion(aud=[ISSUER]), Flaw.WRONG_AUDIENCE),
        ("aud-other", "It is for another hub.", assertion(aud=keys.NEIGHBOUR), Flaw.WRONG_AUDIENCE),
        ("aud-missing", "It is for nobody.", assertion(aud=...), Flaw.WRONG_AUDIENCE),
        (
            "sub-other",
            "It is about another client.",
            assertion(sub="quill-cinema"),
            Flaw.WRONG_SUBJECT,
        ),
        ("sub-missing", "It is about nobody.", assertion(sub=...), Flaw.WRONG_SUBJECT),
        ("iss-missing", "It is by nobody.", assertion(iss=...), Flaw.MALFORMED),
        ("expired", "It ended a minute ago.", assertion(iat=AT - 120, exp=AT - 60), Flaw.EXPIRED),
        ("exp-missing", "It has no end.", assertion(exp=...), Flaw.MALFORMED),
        (
            "iat-future",
            "It was made in an hour.",
            assertion(iat=AT + 3600, exp=AT + 3660),
            Flaw.NOT_YET_VALID,
        ),
        ("iat-missing", "It was made at no time.", assertion(iat=...), Flaw.MALFORMED),
        ("lasts-an-hour", "It holds for an hour.", assertion(exp=AT + 3600), Flaw.LASTS_TOO_LONG),
        ("jti-missing", "It has no id.", assertion(jti=...), Flaw.MALFORMED),
        ("jti-long", "Its id is boundless.", assertion(jti="j" * 129), Flaw.MALFORMED),
        ("kid-missing", "It names no key.", assertion(header={"kid": ...}), Flaw.MALFORMED),
        ("kid-list", "It names a list of keys.", assertion(header={"kid": ["a"]}), Flaw.MALFORMED),
        (
            "jwk",
            "It brings its own key.",
            assertion(key=THIEF, header={"jwk": keys.public(THIEF)}),
            Flaw.MALFORMED,
        ),
        (
            "alg-none",
            "It is not signed.",
            f"{assertion(header={'alg': 'none'}).rpartition('.')[0]}.",
            Flaw.WRONG_ALGORITHM,
        ),
        ("alg-hs256", "It says HS256.", assertion(header={"alg": "HS256"}), Flaw.WRONG_ALGORITHM),
        (
            "typ-proof",
            "It says it is a proof.",
            assertion(header={"typ": "dpop+jwt"}),
            Flaw.WRONG_TYPE,
        ),
        (
            "typ-access",
            "It says it is an access token.",
            assertion(header={"typ": "at+jwt"}),
            Flaw.WRONG_TYPE,
        ),
        ("padding", "Its signature is padded.", good + "==", Flaw.MALFORMED),
    ):
        yield Case(f"assertion-{id_}", what, said, flaw, given)


def token(*, key=ACCESS.jwk, header=None, **changes) -> str:
    said = {
        "iss": ISSUER,
        "aud": ISSUER,
        "sub": WHO,
        "client_id": WHO,
        "scope": "disclose:tier verify:code",
        "iat": AT,
        "exp": AT + 300,
        "jti": "kit-token-1",
        "cnf": {"jkt": PROVING.thumbprint()},
        **changes,
    }
    head = {"alg": "ES256", "kid": ACCESS.id, "typ": "at+jwt", **(header or {})}
    return keys.token(key, said, head)


def tokens() -> Iterator[Case]:
    card = keys.OURS[Purpose.CARD]
    given = {"kind": "token", "issuer": ISSUER, "audience": ISSUER}
    for id_, what, said, flaw in (
        ("good", "A good one.", token(), None),
        ("thief", "A thief signed it.", token(key=THIEF), Flaw.BAD_SIGNATURE),
        (
            "client",
            "Its client signed it.",
            token(key=CLIENT, header={"kid": CLIENT.thumbprint()}),
            Flaw.UNKNOWN_KEY,
        ),
        (
            "key-of-card",
            "Signed with the key for cards.",
            token(key=card.jwk, header={"kid": card.id}),
            Flaw.UNKNOWN_KEY,
        ),
        ("expired", "It ended a minute ago.", token(exp=AT - 60), Flaw.EXPIRED),
        ("exp-missing", "It has no end.", token(exp=...), Flaw.MALFORMED),
        ("iat-future", "It was issued in an hour.", token(iat=AT + 3600), Flaw.NOT_YET_VALID),
        ("iss-other", "A neighbour's.", token(iss=keys.NEIGHBOUR), Flaw.WRONG_ISSUER),
        ("aud-other", "It is for a neighbour.", token(aud=keys.NEIGHBOUR), Flaw.WRONG_AUDIENCE),
        ("aud-list", "It is for a list.", token(aud=[ISSUER]), Flaw.WRONG_AUDIENCE),
        ("unbound", "It is bound to no key.", token(cnf=...), Flaw.MALFORMED),
        ("bound-to-nothing", "It is bound to nothing.", token(cnf={}), Flaw.MALFORMED),
        ("scope-missing", "It allows nothing.", token(scope=...), Flaw.MALFORMED),
        ("scope-list", "What it allows is a list.", token(scope=["verify:code"]), Flaw.MALFORMED),
        ("client-missing", "It is nobody's.", token(client_id=...), Flaw.MALFORMED),
        ("typ-jwt", "It says it is any JWT.", token(header={"typ": "JWT"}), Flaw.WRONG_TYPE),
        (
            "typ-receipt",
            "It says it is a receipt.",
            token(header={"typ": "tc-receipt+jwt"}),
            Flaw.WRONG_TYPE,
        ),
        (
            "alg-none",
            "It is not signed.",
            f"{token(header={'alg': 'none'}).rpartition('.')[0]}.",
            Flaw.WRONG_ALGORITHM,
        ),
    ):
        yield Case(f"token-{id_}", what, said, flaw, given)


def proof(*, key=PROVING, header=None, **changes) -> str:
    said = {
        "htm": "POST",
        "htu": URL,
        "iat": AT,
        "jti": "kit-proof-1",
        "ath": base64url.digest(token()),
        **changes,
    }
    head = {"alg": "ES256", "typ": "dpop+jwt", "jwk": keys.public(key), **(header or {})}
    return keys.token(key, said, head)


def proofs() -> Iterator[Case]:
    given = {"kind": "proof", "access_token": token()}
    private = {**keys.public(PROVING), "d": PROVING.as_dict(private=True)["d"]}
    good = proof()
    for id_, what, said, flaw in (
        ("good", "A good one.", good, None),
        (
            "good-query",
            "Its address has a query, which is not compared.",
            proof(htu=f"{URL}?x=1"),
            None,
        ),
        (
            "good-port",
            "Its address says its port.",
            proof(htu="https://greenway.example:443/v1/verify"),
            None,
        ),
        ("good-minute", "Made a minute ago.", proof(iat=AT - 60), None),
        ("htm-get", "For another method.", proof(htm="GET"), Flaw.WRONG_REQUEST),
        (
            "htm-lower-case",
            "Its method is in small letters.",
            proof(htm="post"),
            Flaw.WRONG_REQUEST,
        ),
        ("htm-missing", "For no method.", proof(htm=...), Flaw.WRONG_REQUEST),
        ("htu-path", "For another path.", proof(htu=f"{ISSUER}/graphql"), Flaw.WRONG_REQUEST),
        (
            "htu-host",
            "For another host.",
            proof(htu=f"{keys.STRANGER}/v1/verify"),
            Flaw.WRONG_REQUEST,
        ),
        (
            "htu-http",
            "For the same address without TLS.",
            proof(htu=URL.replace("https", "http")),
            Flaw.WRONG_REQUEST,
        ),
        (
            "htu-port",
            "For another port.",
            proof(htu="https://greenway.example:8443/v1/verify"),
            Flaw.WRONG_REQUEST,
        ),
        (
            "htu-bad-port",
            "For a port that there is not.",
            proof(htu="https://greenway.example:99999/v1/verify"),
            Flaw.MALFORMED,
        ),
        ("htu-missing", "For no address.", proof(htu=...), Flaw.MALFORMED),
        (
            "ath-other",
            "For another access token.",
            proof(ath=base64url.digest("another")),
            Flaw.WRONG_REQUEST,
        ),
        ("ath-missing", "For no access token.", proof(ath=...), Flaw.WRONG_REQUEST),
        ("old", "Made 61 seconds ago.", proof(iat=AT - 61), Flaw.STALE),
        ("future", "Made 61 seconds from now.", proof(iat=AT + 61), Flaw.NOT_YET_VALID),
        ("iat-missing", "Made at no time.", proof(iat=...), Flaw.MALFORMED),
        ("iat-text", "Made at a time in words.", proof(iat=str(AT)), Flaw.MALFORMED),
        ("jti-missing", "It has no id.", proof(jti=...), Flaw.MALFORMED),
        (
            "jti-short",
            "Its id is so short that another has it too.",
            proof(jti="1"),
            Flaw.MALFORMED,
        ),
        ("jti-long", "Its id is boundless.", proof(jti="j" * 129), Flaw.MALFORMED),
        (
            "jwk-other",
            "It shows a key that it is not signed with.",
            proof(header={"jwk": keys.public(THIEF)}),
            Flaw.BAD_SIGNATURE,
        ),
        (
            "jwk-private",
            "It tells its private key.",
            proof(header={"jwk": private}),
            Flaw.MALFORMED,
        ),
        ("jwk-missing", "It shows no key.", proof(header={"jwk": ...}), Flaw.MALFORMED),
        (
            "jwk-oct",
            "It shows a shared secret.",
            proof(header={"jwk": {"kty": "oct", "k": "AAAA"}}),
            Flaw.MALFORMED,
        ),
        ("kid", "It names a key as well.", proof(header={"kid": "1"}), Flaw.MALFORMED),
        ("typ-jwt", "It says it is any JWT.", proof(header={"typ": "JWT"}), Flaw.WRONG_TYPE),
        (
            "typ-binding",
            "It is the binding of a card.",
            proof(header={"typ": "kb+jwt"}),
            Flaw.WRONG_TYPE,
        ),
        (
            "alg-none",
            "It is not signed.",
            f"{proof(header={'alg': 'none'}).rpartition('.')[0]}.",
            Flaw.WRONG_ALGORITHM,
        ),
        ("alg-hs256", "It says HS256.", proof(header={"alg": "HS256"}), Flaw.WRONG_ALGORITHM),
        ("last-bits", "Its signature in another spelling.", keys.last_bits(good), Flaw.MALFORMED),
        ("two", "Two of them, as if the header stood twice.", f"{good}, {good}", Flaw.MALFORMED),
    ):
        yield Case(f"proof-{id_}", what, said, flaw, given)


PARTS = ("@method", "@authority", "@target-uri", "content-digest")
KEY_NAME = CLIENT.thumbprint()
PARAMS = f';created={AT};keyid="{KEY_NAME}";alg="ecdsa-p256-sha256"'


def signed(covered=PARTS, params=PARAMS, *, key=CLIENT, values=None, **changes) -> dict[str, str]:
    """The headers that sign a request, by the letter of RFC 9421, section 2.5."""
    digest = base64.b64encode(hashlib.sha256(BODY.encode()).digest()).decode()
    told = {
        "@method": "POST",
        "@authority": "greenway.example",
        "@target-uri": URL,
        "content-digest": f"sha-256=:{digest}:",
        **(values or {}),
    }
    names = " ".join(f'"{name}"' for name in covered)
    lines = [f'"{name}": {told[name]}' for name in covered]
    said = "\n".join([*lines, f'"@signature-params": ({names}){params}'])
    raw = es256.sign(key, said.encode())
    found = {
        "content-digest": told["content-digest"],
        "signature-input": f"sig1=({names}){params}",
        "signature": f"sig1=:{base64.b64encode(raw).decode()}:",
        **changes,
    }
    return {name: value for name, value in found.items() if value is not ...}


def signatures() -> Iterator[Case]:
    given: dict[str, Any] = {"kind": "signature", "body": BODY}
    other = base64.b64encode(hashlib.sha256(b"another body").digest()).decode()
    stranger = THIEF.thumbprint()
    for id_, what, headers, flaw in (
        ("good", "A good one.", signed(), None),
        ("method-open", "It does not cover the method.", signed(PARTS[1:]), Flaw.BAD_SIGNATURE),
        (
            "authority-open",
            "It does not cover the host.",
            signed(("@method", *PARTS[2:])),
            Flaw.BAD_SIGNATURE,
        ),
        (
            "target-open",
            "It does not cover the address.",
            signed((*PARTS[:2], PARTS[3])),
            Flaw.BAD_SIGNATURE,
        ),
        ("body-open", "It does not cover the body.", signed(PARTS[:3]), Flaw.BAD_SIGNATURE),
        ("nothing", "It covers nothing.", signed(()), Flaw.BAD_SIGNATURE),
        ("thief", "A thief signed it.", signed(key=THIEF), Flaw.BAD_SIGNATURE),
        (
            "unknown-key",
            "By a key that is not registered.",
            signed(params=PARAMS.replace(KEY_NAME, stranger), key=THIEF),
            Flaw.BAD_SIGNATURE,
        ),
        (
            "other-body",
            "It covers another body.",
            signed(values={"content-digest": f"sha-256=:{other}:"}),
            Flaw.BAD_SIGNATURE,
        ),
        (
            "digest-changed",
            "The body's digest was changed after it was signed.",
            signed(**{"content-digest": f"sha-256=:{other}:"}),
            Flaw.BAD_SIGNATURE,
        ),
        (
            "other-method",
            "It covers another method.",
            signed(values={"@method": "GET"}),
            Flaw.BAD_SIGNATURE,
        ),
        (
            "other-host",
            "It covers another host.",
            signed(values={"@authority": "stranger.example"}),
            Flaw.BAD_SIGNATURE,
        ),
        (
            "other-target",
            "It covers another address.",
            signed(values={"@target-uri": f"{URL}?x=1"}),
            Flaw.BAD_SIGNATURE,
        ),
        (
            "old",
            "Made 61 seconds ago.",
            signed(params=PARAMS.replace(str(AT), str(AT - 61))),
            Flaw.STALE,
        ),
        (
            "future",
            "Made 11 seconds from now.",
            signed(params=PARAMS.replace(str(AT), str(AT + 11))),
            Flaw.NOT_YET_VALID,
        ),
        (
            "created-missing",
            "Made at no time.",
            signed(params=PARAMS.replace(f";created={AT}", "")),
            Flaw.MALFORMED,
        ),
        (
            "expired",
            "It said itself when it ends.",
            signed(params=f"{PARAMS.replace(str(AT), str(AT - 20))};expires={AT - 10}"),
            Flaw.STALE,
        ),
        ("signature-missing", "There is no signature.", signed(signature=...), Flaw.BAD_SIGNATURE),
        (
            "input-missing",
            "It does not say what it covers.",
            signed(**{"signature-input": ...}),
            Flaw.BAD_SIGNATURE,
        ),
        (
            "alg-hmac",
            "It says it is an HMAC.",
            signed(params=PARAMS.replace("ecdsa-p256-sha256", "hmac-sha256")),
            Flaw.BAD_SIGNATURE,
        ),
        (
            "zeros",
            "It is all zeros.",
            signed(signature=f"sig1=:{base64.b64encode(bytes(64)).decode()}:"),
            Flaw.BAD_SIGNATURE,
        ),
        (
            "oversize",
            "It is boundless.",
            signed(signature=f"sig1=:{'A' * 17_000}:"),
            Flaw.TOO_LARGE,
        ),
    ):
        yield Case(f"signature-{id_}", what, headers, flaw, given)

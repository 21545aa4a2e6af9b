"""Receipts, trust lists and heads of the log: good ones, and forged ones."""

from __future__ import annotations

from collections.abc import Iterator

from credentials import base64url
from credentials.flaw import Flaw
from credentials.keyring import TYPES, Purpose
from tests.kit import keys
from tests.kit.keys import ABROAD, AT, DAY, ISSUER, NEIGHBOUR, THIEF, Case

GIVEN = {"issuer": ISSUER}
ABOUT = (
    "What the hub attests: `kind` says as what each is read, as a receipt, a trust list or a head "
    "of the log. `least_sequence` is that of the newest trust list seen before."
)
DIGEST = base64url.encode(keys.drawn("digest", 32))
CLAIMS = {
    Purpose.RECEIPT: {
        "jti": "9f2c7d5e8b1a4036",
        "partner": keys.PARTNER,
        "outcome": "CardAccepted",
        "evidence": "LIVE_CODE",
        "service": keys.SERVICE,
        "policy": "tier-1",
        "claims": ["TIER"],
        "status_as_of": AT - 20,
        "iat": AT,
        "rules": "menu-1",
        "presented": DIGEST,
        "record": "0" * 64,
    },
    Purpose.TRUST: {
        "iss": ISSUER,
        "sequence": 7,
        "iat": AT,
        "exp": AT + DAY,
        "entries": [
            {
                "iss": NEIGHBOUR,
                "district": "neighbour",
                "keys": [ABROAD.thumbprint()],
                "jwks": {
                    "keys": [
                        {
                            **keys.public(ABROAD),
                            "kid": ABROAD.thumbprint(),
                            "use": "sig",
                            "alg": "ES256",
                        }
                    ]
                },
                "vcts": [f"{NEIGHBOUR}/vct/talent-card/1"],
                "services": [keys.SERVICE],
                "from": AT - 30 * DAY,
                "until": AT + 300 * DAY,
            }
        ],
    },
    Purpose.LOG: {"log": ISSUER, "size": 1024, "root": DIGEST, "iat": AT},
}


def made(purpose: Purpose, *, key=None, header=None, **changes) -> str:
    signer = keys.OURS[purpose]
    head = {"alg": "ES256", "kid": signer.id, "typ": TYPES[purpose], **(header or {})}
    return keys.token(key or signer.jwk, {**CLAIMS[purpose], **changes}, head)


def cases() -> Iterator[Case]:
    for purpose in CLAIMS:
        yield from alike(purpose)
    yield from receipts()
    yield from trust()
    yield from heads()


def alike(purpose: Purpose) -> Iterator[Case]:
    """What is wrong with any of them in the same way."""
    name, other = purpose.lower(), keys.OURS[Purpose.CARD]
    good = made(purpose)
    unknown = {"kid": THIEF.thumbprint()}
    for id_, what, token, flaw in (
        ("good", "A good one.", good, None),
        ("strangers-key", "A stranger signed it.", made(purpose, key=THIEF), Flaw.BAD_SIGNATURE),
        (
            "unknown-kid",
            "Signed by a key that nobody knows.",
            made(purpose, key=THIEF, header=unknown),
            Flaw.UNKNOWN_KEY,
        ),
        (
            "key-of-card",
            "Signed with the key for cards.",
            made(purpose, key=other.jwk, header={"kid": other.id}),
            Flaw.UNKNOWN_KEY,
        ),
        (
            "typ-jwt",
            "It says it is any JWT.",
            made(purpose, header={"typ": "JWT"}),
            Flaw.WRONG_TYPE,
        ),
        (
            "alg-none",
            "It is not signed.",
            f"{made(purpose, header={'alg': 'none'}).rpartition('.')[0]}.",
            Flaw.WRONG_ALGORITHM,
        ),
        ("last-bits", "Its signature in another spelling.", keys.last_bits(good), Flaw.MALFORMED),
        ("iat-text", "It was made at a time in words.", made(purpose, iat="now"), Flaw.MALFORMED),
    ):
        yield Case(f"{name}-{id_}", what, token, flaw, {"kind": name})


def receipts() -> Iterator[Case]:
    for id_, what, changes in (
        ("jti-missing", "It has no id.", {"jti": ...}),
        ("partner-list", "It is for a list of partners.", {"partner": [keys.PARTNER]}),
        ("outcome-missing", "It says no outcome.", {"outcome": ...}),
        ("claims-text", "The claims told are one text.", {"claims": "TIER"}),
        ("presented-short", "The hash of what was presented is too short.", {"presented": "AAAA"}),
        (
            "status-as-of-missing",
            "It does not say how fresh the status was.",
            {"status_as_of": ...},
        ),
    ):
        yield Case(
            f"receipt-{id_}",
            what,
            made(Purpose.RECEIPT, **changes),
            Flaw.MALFORMED,
            {"kind": "receipt"},
        )
    trust = made(Purpose.TRUST)
    yield Case(
        "receipt-trust",
        "A good trust list, read as a receipt.",
        trust,
        Flaw.WRONG_TYPE,
        {"kind": "receipt"},
    )


def trust() -> Iterator[Case]:
    [entry] = CLAIMS[Purpose.TRUST]["entries"]
    private = {**entry["jwks"]["keys"][0], "d": ABROAD.as_dict(private=True)["d"]}
    for id_, what, changes, flaw, more in (
        ("expired", "It ended a minute ago.", {"exp": AT - 60}, Flaw.EXPIRED, {}),
        ("exp-missing", "It has no end.", {"exp": ...}, Flaw.MALFORMED, {}),
        ("iss-other", "It is another hub's.", {"iss": NEIGHBOUR}, Flaw.WRONG_ISSUER, {}),
        ("older", "It is older than one seen before.", {}, Flaw.STALE, {"least_sequence": 8}),
        ("sequence-negative", "Its number is below zero.", {"sequence": -1}, Flaw.MALFORMED, {}),
        ("entries-missing", "It has no entries.", {"entries": ...}, Flaw.MALFORMED, {}),
        (
            "entry-no-end",
            "An agreement has no end.",
            {"entries": [{k: v for k, v in entry.items() if k != "until"}]},
            Flaw.MALFORMED,
            {},
        ),
        (
            "entry-unlisted-key",
            "A key is not among the named ones.",
            {"entries": [{**entry, "keys": []}]},
            Flaw.MALFORMED,
            {},
        ),
        (
            "entry-private-key",
            "It tells a neighbour's private key.",
            {"entries": [{**entry, "jwks": {"keys": [private]}}]},
            Flaw.MALFORMED,
            {},
        ),
        (
            "entry-services-text",
            "The services recognised are one text.",
            {"entries": [{**entry, "services": "all"}]},
            Flaw.MALFORMED,
            {},
        ),
    ):
        yield Case(
            f"trust-{id_}", what, made(Purpose.TRUST, **changes), flaw, {"kind": "trust", **more}
        )


def heads() -> Iterator[Case]:
    for id_, what, changes, flaw in (
        ("root-short", "Its root is too short.", {"root": "AAAA"}, Flaw.MALFORMED),
        ("root-missing", "It has no root.", {"root": ...}, Flaw.MALFORMED),
        ("size-negative", "Its tree is smaller than nothing.", {"size": -1}, Flaw.MALFORMED),
        ("size-true", "Its tree is as large as `true`.", {"size": True}, Flaw.MALFORMED),
        (
            "cosigned",
            "A neighbour's cosignature, read as the log's own.",
            {"iss": NEIGHBOUR},
            Flaw.WRONG_ISSUER,
        ),
    ):
        yield Case(f"log-{id_}", what, made(Purpose.LOG, **changes), flaw, {"kind": "log"})

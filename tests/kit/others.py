"""How verifiers that others wrote judge the kit's credentials: `python -m tests.kit.others`.

They are asked as their documents have it, with the keys of the issuers and nothing checked by hand
around them. Some of what they let pass is the caller's to check; a reader should know all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jwcrypto.jwk import JWK
from sd_jwt.verifier import SDJWTVerifier

from credentials.keyring import Purpose
from tests import server
from tests.kit import credentials, keys, make, statuses


def issuers() -> dict[str, list[dict[str, Any]]]:
    """The keys that issuers publish for their cards."""
    ours = keys.RING.jwks(keys.NOW, Purpose.CARD)["keys"]
    abroad = {**keys.public(keys.ABROAD), "kid": keys.ABROAD.thumbprint()}
    return {keys.ISSUER: ours, keys.NEIGHBOUR: [abroad]}


def cases() -> list[dict[str, Any]]:
    return make.family("credentials")["cases"]


def by_sd_jwt() -> dict[str, bool]:
    """Which cases PyPI sd-jwt accepts."""
    return {case["id"]: _accepted(case["input"]) for case in cases()}


def _accepted(presentation: str) -> bool:
    try:
        found = SDJWTVerifier(presentation, _key, credentials.AUDIENCE, credentials.NONCE)
        return bool(found.get_verified_payload())
    except Exception:  # noqa: BLE001 - it raises whatever it meets
        return False


def _key(issuer: Any, header: Mapping[str, Any]) -> JWK:
    known = issuers().get(issuer, [])
    return JWK(**next(one for one in known if one["kid"] == header.get("kid")))


def by_sd_jwt_vc() -> dict[str, bool]:
    """Which cases npm @sd-jwt/sd-jwt-vc accepts; skips without Node.js."""
    every = cases()
    answers = server.told(
        "credentials.js",
        {
            "issuers": issuers(),
            "now": keys.AT,
            "skew": 0,
            "status": statuses.made(),
            "statusKeys": keys.RING.jwks(keys.NOW, Purpose.STATUS)["keys"],
            "shown": [{"token": case["input"], "nonce": credentials.NONCE} for case in every],
        },
    )
    return {case["id"]: "said" in answer for case, answer in zip(every, answers, strict=True)}


def missed(accepted: Mapping[str, bool]) -> list[str]:
    """The bad cases that were accepted."""
    return [case["id"] for case in cases() if case["outcome"] == "REFUSED" and accepted[case["id"]]]


def denied(accepted: Mapping[str, bool]) -> list[str]:
    """The good cases that were refused."""
    good = [case["id"] for case in cases() if case["outcome"] == "ACCEPTED"]
    return [one for one in good if not accepted[one]]


def table() -> Iterator[str]:
    """Lines for docs/kit/README.md."""
    bad = sum(case["outcome"] == "REFUSED" for case in cases())
    for name, accepted in (
        ("PyPI sd-jwt 0.10.4", by_sd_jwt()),
        ("npm @sd-jwt/sd-jwt-vc 0.19.0", by_sd_jwt_vc()),
    ):
        passed = missed(accepted)
        yield f"| {name} | {len(denied(accepted))} | {len(passed)} of {bad} | {', '.join(passed)} |"


if __name__ == "__main__":
    print("\n".join(table()))  # noqa: T201 - it is a command line

"""Writes docs/kit: `python -m tests.kit.make`. The same files come of it each time."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.kit import codes, credentials, inputs, keys, passes, requests, statements, statuses

FOLDER = Path(__file__).parents[2] / "docs/kit"
FAMILIES: dict[str, ModuleType] = {
    "credentials": credentials,
    "passes": passes,
    "status-lists": statuses,
    "statements": statements,
    "codes": codes,
    "requests": requests,
    "inputs": inputs,
}


def family(name: str) -> dict[str, Any]:
    """The cases of a family, as its file has them."""
    module = FAMILIES[name]
    return {
        "about": module.ABOUT,
        "now": keys.AT,
        "given": module.GIVEN,
        "cases": [one.written for one in module.cases()],
    }


def known() -> dict[str, Any]:
    """The keys and secrets of everybody in the kit: worth nothing, since everybody has them."""
    return {
        "about": (
            "Test keys, known to everybody: trust none of them anywhere. `jwks` is what the issuer "
            "publishes; `private` has the private halves, to make further cases with."
        ),
        "now": keys.AT,
        "issuer": keys.ISSUER,
        "jwks": keys.RING.jwks(keys.NOW),
        "purposes": {str(purpose): key.id for purpose, key in keys.OURS.items()},
        "neighbour": {"issuer": keys.NEIGHBOUR, "jwks": {"keys": [_named(keys.ABROAD)]}},
        "clients": {requests.WHO: {"jwks": {"keys": [_named(keys.CLIENT)]}}},
        "master": keys.MASTER.hex(),
        "phone": keys.PHONE.hex(),
        "till": inputs.TILL,
        "private": {
            **{str(purpose): _private(key.jwk) for purpose, key in keys.OURS.items()},
            "holder": _private(keys.HOLDER),
            "device": _private(keys.DEVICE),
            "client": _private(keys.CLIENT),
            "proof": _private(keys.PROVING),
            "neighbour": _private(keys.ABROAD),
            "thief": _private(keys.THIEF),
        },
    }


def _named(key: Any) -> dict[str, str]:
    return {**keys.public(key), "kid": key.thumbprint(), "alg": "ES256", "use": "sig"}


def _private(key: Any) -> dict[str, str]:
    return {**keys.public(key), "d": key.as_dict(private=True)["d"]}


def files() -> dict[str, str]:
    """Every file of the kit by name, with its text."""
    made = {"keys": known(), **{name: family(name) for name in FAMILIES}}
    return {
        f"{name}.json": json.dumps(said, ensure_ascii=True, indent=1) + "\n"
        for name, said in made.items()
    }


if __name__ == "__main__":
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")

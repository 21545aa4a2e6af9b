"""What wallets and other districts read of our portable credentials: their type, and their keys."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from credentials.keyring import Purpose
from resolvers.authority import Authority
from resolvers.issuer import CITY_TYPE
from resolvers.presented import VCT_PATH

#: What is said of a type never changes: another number is another type.
TYPE_SECONDS = 86_400
KEYS_SECONDS = 3600

_CLAIMS = (
    ("legal_name", "Legal name", "姓名"),
    ("birth_date", "Birth date", "出生日期"),
    ("tier", "Tier", "等级"),
    ("nationality", "Nationality", "国籍"),
    ("employer", "Employer", "工作单位"),
    ("card_valid_until", "Card valid until", "卡片有效期至"),
    ("district", "District", "所属区"),
    ("areas", "Benefit areas", "服务领域"),
)


def routes(authority: Authority) -> list[Route]:
    """Return the addresses that the credentials themselves name."""

    async def described(_: Request) -> Response:
        said = _type(authority.issuer + VCT_PATH)
        return JSONResponse(said, headers={"cache-control": f"max-age={TYPE_SECONDS}"})

    async def issuer(_: Request) -> Response:
        await authority.begun()
        keys = authority.keys.ring.jwks(authority.clock(), Purpose.CARD)
        said = {"issuer": authority.issuer, "jwks": keys}
        return JSONResponse(said, headers={"cache-control": f"max-age={KEYS_SECONDS}"})

    return [
        Route(VCT_PATH, described),
        Route("/.well-known/jwt-vc-issuer", issuer),
    ]


def _type(vct: str) -> dict[str, Any]:
    """Return what is said of the type (SD-JWT VC, draft 19, type metadata)."""
    return {
        "vct": vct,
        "name": "Talent card",
        "description": f"A talent card of one district; all are {CITY_TYPE} as well.",
        "display": [
            {"locale": "en", "name": "Talent card"},
            {"locale": "zh", "name": "人才卡"},
        ],
        "claims": [
            {
                "path": [name],
                "display": [{"locale": "en", "label": en}, {"locale": "zh", "label": zh}],
                "sd": "always",
            }
            for name, en, zh in _CLAIMS
        ],
    }

"""The log of receipts over plain HTTP: its heads, and proofs that anybody may ask for."""

from __future__ import annotations

from datetime import UTC
from functools import partial
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from models import errors
from resolvers import ledger
from resolvers.authority import Authority
from resolvers.ledger import Signed

#: A cosignature is a few hundred bytes; more is not read.
MOST_BYTES = 16_384

_LEAF_BYTES = 32
_DIGITS = 10
#: How long an answer about the newest head may be kept by whoever stands between.
_FRESH = {"cache-control": "max-age=5"}


def routes(authority: Authority) -> list[Route]:
    """Return the routes of the log."""
    return [
        Route("/ledger/head", partial(_newest, authority)),
        Route("/ledger/consistency", partial(_consistency, authority)),
        Route("/ledger/inclusion", partial(_inclusion, authority)),
        Route("/ledger/cosignatures", partial(_cosignature, authority), methods=["POST"]),
    ]


async def _newest(authority: Authority, _: Request) -> Response:
    found = await ledger.newest(authority)
    if found is None:
        return _problem(404, "NO_HEAD", "Nothing is in the log yet.")
    return JSONResponse(_head(found), headers=_FRESH)


async def _consistency(authority: Authority, request: Request) -> Response:
    old, new = (_number(request, name) for name in ("from", "to"))
    if old is None or new is None:
        return _problem(400, "BAD_INPUT", "Give `from` and `to`, two sizes of the log.")
    try:
        hashes = await ledger.consistent(authority, old, new)
    except errors.BadInputError as wrong:
        return _problem(400, wrong.code, wrong.sentence)
    return JSONResponse({"from": old, "to": new, "hashes": [one.hex() for one in hashes]})


async def _inclusion(authority: Authority, request: Request) -> Response:
    leaf = _bytes(request.query_params.get("leaf", ""))
    if leaf is None:
        return _problem(400, "BAD_INPUT", "Give `leaf`, the hash of a leaf in hex.")
    found = await ledger.included(authority, leaf)
    if found is None:
        return _problem(404, "NO_LEAF", "No signed head of the log holds this leaf.")
    told = {
        "leafIndex": found.index,
        "treeSize": found.size,
        "leafHash": found.leaf.hex(),
        "hashes": [one.hex() for one in found.hashes],
        "checkpoint": found.head,
    }
    return JSONResponse(told, headers=_FRESH)


async def _cosignature(authority: Authority, request: Request) -> Response:
    said = await _said(request)
    if said is None:
        return _problem(400, "BAD_INPUT", "Send JSON with `issuer` and `cosigned`.")
    try:
        await ledger.take_cosigned(authority, *said)
    except errors.BadInputError as wrong:
        return _problem(403, wrong.code, wrong.sentence)
    return Response(status_code=204)


def _head(found: Signed) -> dict[str, Any]:
    return {
        "log": found.log,
        "size": found.size,
        "root": found.root,
        "signedAt": found.signed_at.astimezone(UTC).isoformat(),
        "signed": found.signed,
        "cosignatures": [{"issuer": iss, "cosigned": jws} for iss, jws in found.cosigned],
    }


async def _said(request: Request) -> tuple[str, str] | None:
    """Return the issuer and the cosignature that a body has; None of one that is not so."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    try:
        said = orjson.loads(body)
        issuer, cosigned = said["issuer"], said["cosigned"]
    except (ValueError, TypeError, KeyError):
        return None
    return (issuer, cosigned) if isinstance(issuer, str) and isinstance(cosigned, str) else None


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _DIGITS else None


def _bytes(text: str) -> bytes | None:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        return None
    return found if len(found) == _LEAF_BYTES else None


def _problem(status: int, code: str, message: str) -> Response:
    return JSONResponse({"code": code, "message": message}, status_code=status)

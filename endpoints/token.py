"""Where verifiers get access tokens (RFC 6749), and what they must know for that (RFC 8414)."""

from __future__ import annotations

import logging
import math
from functools import partial
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from endpoints import request as reading
from models import errors
from models.verifier import Scope
from resolvers import grant
from resolvers.authority import Authority
from resolvers.grant import Asked, Refusal, RefusedError

PATH = "/oauth/token"
METADATA_PATH = "/.well-known/oauth-authorization-server"

_MEDIA = "application/x-www-form-urlencoded"
_MOST_FIELDS = 20
#: Tokens are for whoever asked (RFC 6749, section 5.1).
_HEADERS = {"cache-control": "no-store", "pragma": "no-cache"}
_STATUS = {Refusal.CLIENT: 401, Refusal.LATER: 429}
_log = logging.getLogger("greenway.token")


def routes(authority: Authority, certificate_header: str = "") -> list[Route]:
    """Return the routes; a proxy hands on clients' certificates in the header named, if in any."""
    return [
        Route(PATH, partial(_token, authority, certificate_header), methods=["POST"]),
        Route(METADATA_PATH, JSONResponse(metadata(authority.issuer, bool(certificate_header)))),
    ]


def metadata(issuer: str, certificates: bool) -> dict[str, object]:  # noqa: FBT001 - as RFC 8705
    """Return what clients must know (RFC 8414, section 2)."""
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}{PATH}",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "scopes_supported": sorted(Scope),
        "response_types_supported": [],
        "grant_types_supported": [grant.GRANT_TYPE],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
        "dpop_signing_alg_values_supported": ["ES256"],
        "tls_client_certificate_bound_access_tokens": certificates,
    }


async def _token(authority: Authority, certificate_header: str, request: Request) -> Response:
    try:
        await authority.begun()
        body = await reading.body(request)
        shown = reading.shown(request, body, authority.issuer, certificate_header)
        found = await grant.grant(authority, shown, _asked(request, body), authority.clock())
    except reading.UnreadableError as error:
        return _refusal(Refusal.REQUEST, error.sentence, error.status, error.headers)
    except RefusedError as error:
        after = {"retry-after": str(math.ceil(error.after))} if error.after else {}
        return _refusal(error.why, error.sentence, _STATUS.get(error.why, 400), after)
    except errors.HubError:
        _log.exception("no token can be given")
        return _refusal(Refusal.LATER, "No token can be given now.", 503, {})
    content = {
        "access_token": found.token,
        "token_type": "DPoP",
        "expires_in": int(grant.LIFETIME.total_seconds()),
        "scope": " ".join(sorted(found.scopes)),
    }
    return JSONResponse(content, headers=_HEADERS)


def _refusal(why: Refusal, sentence: str, status: int, headers: dict[str, str]) -> Response:
    content = {"error": why, "error_description": sentence}
    return JSONResponse(content, status, {**_HEADERS, **headers})


def _asked(request: Request, body: bytes) -> Asked:
    """Return what a form says (RFC 6749, appendix B), in which nothing stands twice.

    Raises:
        RefusedError: it is no such form.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != _MEDIA:
        raise RefusedError(Refusal.REQUEST, f"Send `content-type: {_MEDIA}`.")
    try:
        pairs = parse_qsl(
            body.decode("ascii"), strict_parsing=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise RefusedError(Refusal.REQUEST, "The body is no form.") from None
    said = dict(pairs)
    if len(said) != len(pairs):
        raise RefusedError(Refusal.REQUEST, "A parameter stands twice.")
    if "grant_type" not in said:
        raise RefusedError(Refusal.REQUEST, "`grant_type` is missing.")
    return Asked(
        said["grant_type"],
        said.get("client_assertion_type", ""),
        said.get("client_assertion", ""),
        client_id=said.get("client_id"),
        scope=said.get("scope"),
    )

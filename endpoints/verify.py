"""POST /v1/verify: the check of a card for tills without GraphQL; the same answer by the same way.

The body is the JSON of ``VerifyCardInput``, and the answer what ``Mutation.verifyCard`` gives with
every field of every type selected: there is one implementation, and it is the graph's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from endpoints import request as requests
from models import errors
from schema.execution import CHALLENGE, Schema

PATH = "/v1/verify"

_DOCUMENT = """
mutation Verify($input: VerifyCardInput!) {
  verifyCard(input: $input) {
    __typename
    ... on Verification { checkedAt statusAsOf receipt { id jws } }
    ... on CardAccepted {
      holder evidence recognition
      issuer { id district }
      entitlement { ...whole }
      disclosed {
        __typename
        ... on NothingDisclosed { policy }
        ... on TierDisclosure { policy tier }
        ... on PatientDisclosure { policy consent tier legalName birthDate }
        ... on IdentityDisclosure { policy consent tier legalName }
        ... on TenantDisclosure { policy consent tier legalName employer }
        ... on GuardianDisclosure {
          policy consent legalName
          dependants { id legalName birthDate relation guardianConsent }
        }
      }
    }
    ... on CardNotAccepted { fix }
    ... on CodeNotUsable { codeProblem fix }
    ... on NotEntitled { entitlementProblem current { ...whole } }
    ... on HolderConfirmationPending { verificationId expiresAt }
    ... on ConsentRequired { verificationId categories expiresAt }
    ... on VerificationRefused { refusal retryAfterSeconds }
  }
}
fragment whole on Entitlement { serviceCode unitsLeft resetsAt redemption }
"""
_STATUSES = {
    "SCOPE_MISSING": 403,
    "SERVICE_NOT_YOURS": 403,
    "RATE_LIMITED": 429,
    "MALFORMED": 400,
    "TOO_LARGE": 413,
    "IDEMPOTENCY_CONFLICT": 409,
}
_REFUSED = "VerificationRefused"
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}

#: Makes the surroundings of a query of a scope, of how a plan is asked for, and of the body.
MakeContext = Callable[[Scope, str | None, bytes], Awaitable[Any]]


def routes(schema: Schema, context: MakeContext) -> list[Route]:
    """Return the route of the check."""

    async def verify(request: Request) -> Response:
        try:
            body = await requests.body(request, schema.bounds.body_bytes)
            asked = _asked(request, body)
            if asked is None:
                return _refusal("MALFORMED")
            made = await context(request.scope, None, body)
            result = await schema.execute(
                _DOCUMENT, variable_values={"input": asked}, context_value=made
            )
        except requests.UnreadableError as unread:
            refused = "TOO_LARGE" if unread.status == _STATUSES["TOO_LARGE"] else "MALFORMED"
            return _refusal(refused, unread.headers)
        except errors.UnauthenticatedError as error:
            return _unauthenticated(error.sentence)
        except errors.RateLimitedError as error:
            return _refusal("RATE_LIMITED", wait=error.wait)
        except errors.GreenwayError as error:
            status = 400 if isinstance(error, errors.AskerError) else 503
            return _json({"code": error.code, "message": error.sentence}, status)
        return _response(result.data, result.errors)

    return [Route(PATH, verify, methods=["POST"])]


def _asked(request: Request, body: bytes) -> object:
    """Return the input that a body is, or None where it is none."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        return None
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _response(data: Mapping[str, Any] | None, wrong: list[Any] | None) -> Response:
    answer = (data or {}).get("verifyCard")
    if answer is not None:
        if answer["__typename"] != _REFUSED:
            return _json(answer, 200)
        return _refusal(answer["refusal"], wait=answer["retryAfterSeconds"])
    code = (wrong[0].extensions or {}).get("code") if wrong else None
    if code in {errors.UnauthenticatedError.code, errors.ForbiddenError.code}:
        return _unauthenticated("This needs a key or a token of a verifier.")
    if data is None:
        # The input does not fit its type, so that nothing was begun.
        return _refusal("MALFORMED")
    return _json({"code": code, "message": wrong[0].message if wrong else ""}, 500)


def _refusal(
    refusal: str, headers: Mapping[str, str] | None = None, *, wait: int | None = None
) -> Response:
    said = {"__typename": _REFUSED, "refusal": refusal, "retryAfterSeconds": wait}
    more = {"retry-after": str(wait)} if wait else {}
    return _json(said, _STATUSES[refusal], {**(headers or {}), **more})


def _unauthenticated(sentence: str) -> Response:
    said = {"code": errors.UnauthenticatedError.code, "message": sentence}
    return _json(said, 401, {"www-authenticate": CHALLENGE})


def _json(content: object, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        orjson.dumps(content),
        status,
        {**_HEADERS, **(headers or {}), "content-type": "application/json; charset=utf-8"},
    )

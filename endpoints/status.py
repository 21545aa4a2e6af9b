"""Status lists for whoever checks cards: each as it is signed; and what is revoked, in brief."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from resolvers.status import Lists, Text

#: Whoever holds a list asks again after this, so that a revocation is known within its ttl.
_CACHE = "public, max-age=60"
#: What is revoked in brief is asked for by those who cannot wait.
_CACHE_BRIEF = "public, max-age=1"


def routes(lists: Lists) -> list[Route]:
    """Return the addresses at which the lists are published."""

    async def listed(request: Request) -> Response:
        found = (await lists.current()).lists.get(request.path_params["number"])
        if found is None:
            return Response(status_code=404)
        return _answer(request, found, "application/statuslist+jwt", _CACHE)

    async def revocations(request: Request) -> Response:
        found = (await lists.current()).revocations
        return _answer(request, found, "application/json", _CACHE_BRIEF)

    return [
        Route("/status/{number:int}", listed),
        Route("/revocations", revocations),
    ]


def _answer(request: Request, found: Text, media_type: str, cache: str) -> Response:
    """Return a text, or that whoever asks has it already (RFC 9110, 13.1.2)."""
    headers = {"etag": f'"{found.tag}"', "cache-control": cache}
    known = {
        one.strip().removeprefix("W/")
        for one in request.headers.get("if-none-match", "").split(",")
    }
    if known & {headers["etag"], "*"}:
        return Response(status_code=304, headers=headers)
    return Response(found.body, media_type=media_type, headers=headers)

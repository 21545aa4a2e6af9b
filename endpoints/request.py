"""What endpoints read of a request: its body, within bounds, and what shows who sent it."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from resolvers.verifier import Shown

#: A body has at most so many bytes, and is there within so many seconds.
MOST_BYTES = 16_384
SECONDS = 10.0


class UnreadableError(Exception):
    """A body that is too large or too slow; what may still come of it ends the connection."""

    headers = {"connection": "close", "cache-control": "no-store"}  # noqa: RUF012 - never changed

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


async def body(request: Request, most_bytes: int = MOST_BYTES, seconds: float = SECONDS) -> bytes:
    """Return a request's body.

    Raises:
        UnreadableError: it is larger than that, or slower.
    """
    found = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                found += chunk
                if len(found) > most_bytes:
                    raise UnreadableError(413, f"A request body has at most {most_bytes} bytes.")
    except TimeoutError:
        raise UnreadableError(408, "The request body came too slowly.") from None
    return bytes(found)


def shown(request: Request, body: bytes, issuer: str, certificate_header: str = "") -> Shown:
    """Return what a request shows of its sender.

    Args:
        request: It.
        body: Its body, as it came.
        issuer: Our address as others reach it, which a proxy may have changed in the request.
        certificate_header: Where a proxy hands on the client's certificate, if one does.
    """
    where, query = request.url.path, request.url.query
    came_by = request.headers.getlist(certificate_header) if certificate_header else []
    return Shown(
        request.method,
        f"{issuer}{where}{f'?{query}' if query else ''}",
        request.headers.items(),
        body,
        certificate=", ".join(came_by) if came_by else None,
    )

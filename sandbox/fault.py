"""What can go wrong on demand: each fault mode and how it spoils an answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web

HUGE_BYTES = 50_000_000
_PIECE = b" " * 1_000_000

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Mode(StrEnum):
    """The closed list of faults, as `POST …/faults` names them."""

    NONE = "none"
    DOWN = "down"
    HANG = "hang"
    LATENCY = "latency"
    ERROR = "error"
    HTML = "html"
    TRUNCATED = "truncated"
    HUGE = "huge"
    DRIP = "drip"
    BUSY = "busy"
    UNAUTHORIZED = "unauthorized"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: `milliseconds` is its delay, pace or Retry-After, `status` the error's."""

    mode: Mode = Mode.NONE
    milliseconds: int = 0
    status: int = 500


async def play(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer the request as the fault wants it answered."""
    if fault.mode is Mode.NONE:
        return await handler(request)
    return await _PLAYERS[fault.mode](fault, request, handler)


async def _down(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    del fault, handler
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)  # Nobody is left to read it.


async def _hang(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    del fault
    await asyncio.Event().wait()
    return await handler(request)


async def _latency(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    await asyncio.sleep(fault.milliseconds / 1000)
    return await handler(request)


async def _error(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    del request, handler
    return web.json_response({"error": "the system is unwell"}, status=fault.status)


async def _html(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    del fault, request, handler
    page = "<!doctype html><title>Maintenance</title><h1>We will be back soon.</h1>"
    return web.Response(text=page, content_type="text/html")


async def _truncated(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    del fault
    whole, content_type = await _whole(request, handler)
    return web.Response(body=whole[: len(whole) // 2], headers={"Content-Type": content_type})


async def _huge(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    del fault
    _, content_type = await _whole(request, handler)
    response = web.StreamResponse(headers={"Content-Type": content_type})
    await response.prepare(request)
    # Whoever counts what it reads hangs up long before the end.
    with contextlib.suppress(ConnectionResetError):
        for _ in range(HUGE_BYTES // len(_PIECE)):
            await response.write(_PIECE)
    return response


async def _drip(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    whole, content_type = await _whole(request, handler)
    response = web.StreamResponse(headers={"Content-Type": content_type})
    await response.prepare(request)
    for byte in whole:
        await response.write(bytes([byte]))
        await asyncio.sleep((fault.milliseconds or 1000) / 1000)
    return response


async def _busy(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    del request, handler
    seconds = str(max(1, (fault.milliseconds or 5000) // 1000))
    headers = {
        "Retry-After": seconds,
        "RateLimit-Limit": "20",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": seconds,
    }
    return web.json_response({"error": "too many requests"}, status=429, headers=headers)


async def _unauthorized(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    del fault, request, handler
    return web.json_response({"error": "who are you?"}, status=401)


async def _wrong(fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer sound syntax of the right content type, and nothing the protocol promises."""
    del fault
    _, content_type = await _whole(request, handler)
    body = "<wrong/>" if "xml" in content_type else '{"data": 42, "entry": "none", "orgs": null}'
    return web.Response(body=body.encode(), headers={"Content-Type": content_type})


async def _whole(request: web.Request, handler: Handler) -> tuple[bytes, str]:
    response = await handler(request)
    body = response.body if isinstance(response, web.Response) else None
    return body if isinstance(body, bytes) else b"", response.headers.get(
        "Content-Type", response.content_type
    )


_PLAYERS: dict[Mode, Callable[[Fault, web.Request, Handler], Awaitable[web.StreamResponse]]] = {
    Mode.DOWN: _down,
    Mode.HANG: _hang,
    Mode.LATENCY: _latency,
    Mode.ERROR: _error,
    Mode.HTML: _html,
    Mode.TRUNCATED: _truncated,
    Mode.HUGE: _huge,
    Mode.DRIP: _drip,
    Mode.BUSY: _busy,
    Mode.UNAUTHORIZED: _unauthorized,
    Mode.WRONG: _wrong,
}

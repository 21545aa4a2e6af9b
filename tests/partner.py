"""A partner on loopback that plays what it is told: an example's replies, or one of the faults."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import chain

from aiohttp import web

from connectors import base, board, egress, exchange, http, proof

Does = Callable[[web.Request], Awaitable[web.StreamResponse]]


def client(common: board.Board | None = None) -> http.HTTPClient:
    """Return a client that may call partners on loopback."""
    return http.HTTPClient(common=common, allow=egress.LOOPBACK)


class Loopback:
    """The running partner: ``does`` may be changed at any time, ``calls`` are the requests seen."""

    def __init__(self, does: Does) -> None:
        self.does = does
        self.calls: list[web.Request] = []
        self.left = 0
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Listen; the second time on the port of the first."""
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(
            application, handler_cancellation=True, shutdown_timeout=0.1, access_log=None
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Refuse every connection from now on."""
        if self._runner:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.calls.append(request)
        try:
            return await self.does(request)
        except asyncio.CancelledError:
            self.left += 1
            raise


@contextlib.asynccontextmanager
async def running(does: Does) -> AsyncIterator[Loopback]:
    loopback = Loopback(does)
    await loopback.start()
    try:
        yield loopback
    finally:
        await loopback.stop()


def says(
    body: str | bytes = "{}",
    *,
    status: int = 200,
    content_type: str = "application/json",
    after: float = 0,
    **headers: str,
) -> Does:
    """Return what answers this; underscores in header names are hyphens."""

    async def does(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(after)
        spelt = {name.replace("_", "-"): value for name, value in headers.items()}
        raw = body.encode() if isinstance(body, str) else body
        return web.Response(
            body=raw, status=status, headers={"Content-Type": content_type, **spelt}
        )

    return does


def one_after_another(*several: Does) -> Does:
    """Return what does each in turn, and the last for ever."""
    turns = chain(several, iter(lambda: several[-1], None))

    async def does(request: web.Request) -> web.StreamResponse:
        return await next(turns)(request)

    return does


async def hangs(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(60)
    return web.Response()


async def resets(request: web.Request) -> web.StreamResponse:
    """Hang up before the first byte."""
    request.transport.abort()
    return web.Response()


async def resets_midway(request: web.Request) -> web.StreamResponse:
    """Promise a hundred bytes, send one, hang up."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = 100
    await response.prepare(request)
    await response.write(b"{")
    request.transport.close()
    return response


async def drips(request: web.Request) -> web.StreamResponse:
    """Send a byte now and then, for ever."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.05)


def streams(megabytes: int, sent: list[int]) -> Does:
    """Return what sends a body of so many megabytes, noting the bytes it got rid of."""

    async def does(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for _ in range(megabytes * 16):
            await response.write(b" " * 65_536)
            sent.append(65_536)
        return response

    return does


def bomb(megabytes: int) -> Does:
    """Return what answers a small packed body that unpacks to so many megabytes."""
    packed = gzip.compress(bytes(megabytes * 1_000_000))
    return says(packed, Content_Encoding="gzip")


async def packs_nothing(request: web.Request) -> web.StreamResponse:
    """Send for ever what is packed and unpacks to nothing: empty blocks (RFC 1951, 3.2.4)."""
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    await response.write(gzip.compress(b"")[:10])
    while True:
        await response.write(b"\x00\x00\x00\xff\xff" * 10_000)


def plays(waiting: list[base.Reply], mismatches: list[str]) -> Does:
    """Return what plays replies in order, used up, and notes requests that it does not expect.

    A token is given unless the replies tell of it. ``{address}`` in a body or a header stands for
    the partner's own address.
    """
    playback = proof.Playback(waiting, mismatches)

    async def does(request: web.Request) -> web.StreamResponse:
        asked = exchange.Request(
            request.method,
            request.url,
            headers=tuple(request.headers.items()),
            content=await request.read(),
        )
        reply = await playback.send(asked, sys.maxsize)
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)

    return does

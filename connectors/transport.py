"""Carries requests over sockets, and guards what they cost: the only place that knows aiohttp."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import weakref
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import aiohttp

from connectors import egress, errors, exchange

#: Of an answer that is no good one, so much of the body is kept for what it says.
COMPLAINT_BYTES = 65_536

_CHUNK_BYTES = 65_536
_GZIP = 31


class Sockets:
    """One session for all partners of the hub; opened by its first request, in that one's loop.

    Args:
        allow: Where it connects to although it is inside.
    """

    def __init__(self, allow: Sequence[egress.Place] = ()) -> None:
        self._allow = allow
        self._session: aiohttp.ClientSession | None = None
        self._closed: weakref.WeakSet[asyncio.Future[None]] = weakref.WeakSet()

    async def send(self, request: exchange.Request, body_bytes: int) -> exchange.Reply:
        """Send one request and return what came back, whatever its status; no redirect is followed.

        Args:
            request: What is sent.
            body_bytes: The largest body taken, unpacked.

        Raises:
            Passing: the partner cannot be reached, or hung up.
            Misconfigured: FORBIDDEN_ADDRESS, the partner is inside, and nothing was sent;
                TOO_LARGE; UNREADABLE, the answer cannot be unpacked, or is not HTTP;
                MISCONFIGURED, the request cannot be sent.
        """
        try:
            async with self._open().request(
                request.method,
                request.url,
                headers={"Accept": request.accept, **dict(request.headers)},
                data=request.content,
                allow_redirects=False,
            ) as response:
                with self._ending(response):
                    if response.status // 100 == 2:  # noqa: PLR2004 - 2xx
                        body = await _body(response, body_bytes)
                    else:
                        body = await _complaint(response, min(body_bytes, COMPLAINT_BYTES))
                return exchange.Reply(response.status, response.headers.copy(), body)
        # What aiohttp raises may spell out the address with its key, so it is never chained.
        except (aiohttp.ClientError, OSError, ValueError, zlib.error) as failure:
            raise _told(failure) from None

    @contextlib.contextmanager
    def _ending(self, response: aiohttp.ClientResponse) -> Iterator[None]:
        """Let whoever reads the body know when its connection ends.

        aiohttp does not where a chunk cannot be read: it closes the connection, and the reader
        waits for ever.
        """
        content, connection = response.content, response.connection

        def end(_: object = None) -> None:
            if not content.is_eof() and content.exception() is None:
                content.set_exception(errors.unreadable("is not HTTP"))

        if connection is None or connection.protocol is None:
            # The whole body is there.
            yield
            return
        closed = connection.protocol.closed
        if closed is None:
            end()
            yield
            return
        if closed not in self._closed:
            # Nobody asks how an idle connection ended, and asyncio need not complain of that.
            closed.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._closed.add(closed)
        closed.add_done_callback(end)
        try:
            yield
        finally:
            closed.remove_done_callback(end)

    async def close(self) -> None:
        """End every connection."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # Each partner's own concurrency is the limit: a shared one would let partners
                # that hang starve the others.
                connector=aiohttp.TCPConnector(limit=0, socket_factory=self._socket),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "Greenway", "Accept-Encoding": "gzip"},
                timeout=aiohttp.ClientTimeout(total=None),
                # Bodies are unpacked here, where the unpacked bytes can be counted.
                auto_decompress=False,
            )
            # Attempts are counted by the client of a partner; aiohttp would add one of its own,
            # even to a probe, and offers no public way to say so.
            self._session._retry_connection = False  # noqa: SLF001
        return self._session

    def _socket(self, found: aiohttp.AddrInfoType) -> socket.socket:
        """Return a socket for an address that a name was found to have.

        It connects to this very address: a name that has another one by then is not asked again.
        """
        family, sort, protocol, _, (address, port, *_) = found
        if not egress.permits(str(address), int(port), self._allow):
            raise _InsideError
        return socket.socket(family, sort, protocol)


class _InsideError(OSError):
    """The address is inside: of several that a name has, the next one is tried."""


_UNREACHED = partial(
    errors.Passing,
    errors.Problem.UNREACHABLE,
    "The partner cannot be reached.",
    errors.RETRY_SECONDS,
)
_UNSENT = partial(
    errors.Misconfigured,
    errors.Problem.MISCONFIGURED,
    "The partner's address or secret cannot be sent.",
)
_UNTRUSTED = partial(
    errors.Misconfigured,
    errors.Problem.MISCONFIGURED,
    "The partner's certificate does not hold.",
)
#: What a failure of aiohttp, or of its sockets, is to the hub: the first that fits.
_MEANINGS: Sequence[tuple[type[Exception], Callable[[], errors.PartnerError]]] = (
    (aiohttp.ClientSSLError, _UNTRUSTED),
    (aiohttp.ClientResponseError, partial(errors.unreadable, "is not HTTP")),
    (zlib.error, partial(errors.unreadable, "is packed, and cannot be unpacked")),
    # A number that sockets take for an address, and people do not: `127.1`.
    (aiohttp.InvalidUrlClientError, errors.forbidden_address),
    (ValueError, _UNSENT),
    (aiohttp.ClientConnectorError, _UNREACHED),
    (Exception, errors.HungUp),
)


def _told(failure: Exception) -> errors.PartnerError:
    if isinstance(getattr(failure, "os_error", None), _InsideError):
        return errors.forbidden_address()
    return next(told() for sort, told in _MEANINGS if isinstance(failure, sort))


async def _body(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Return the body unpacked, never holding more than the limit and one chunk."""
    coding = response.headers.get("Content-Encoding", "identity").lower()
    if coding not in ("identity", "gzip"):
        raise errors.unreadable("is packed in a way that was not asked for")
    if (response.content_length or 0) > most:
        # What is announced need not be read to be refused, packed or not.
        raise _too_large()
    unpacking = zlib.decompressobj(_GZIP) if coding == "gzip" else None
    # Pieces are joined once all are there: a buffer that grows is held twice while it moves.
    pieces, came, held = [], 0, 0
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        piece = unpacking.decompress(chunk, most + 1 - held) if unpacking else chunk
        pieces.append(piece)
        came += len(chunk)
        held += len(piece)
        # What comes is counted too: it need not unpack to anything.
        if max(came, held) > most:
            raise _too_large()
        if unpacking and unpacking.unused_data:
            # It would be kept, all of it, and read by nobody.
            raise errors.unreadable("is packed, and goes on after its end")
    if unpacking and not unpacking.eof:
        raise errors.unreadable("is packed, and cut short")
    return b"".join(pieces)


def _too_large() -> errors.Misconfigured:
    return errors.Misconfigured(
        errors.Problem.TOO_LARGE, "The partner's answer is larger than its limit."
    )


async def _complaint(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Return the body of an answer whose status says enough: where it cannot be had, nothing."""
    try:
        return await _body(response, most)
    except (errors.Misconfigured, aiohttp.ClientError, OSError, zlib.error):
        return b""

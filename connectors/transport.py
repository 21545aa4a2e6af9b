"""Carries requests over sockets, and guards what they cost: the only place that knows aiohttp."""

from __future__ import annotations

import zlib

import aiohttp

from connectors import errors, exchange

#: Of an answer that is no good one, so much of the body is kept for what it says.
COMPLAINT_BYTES = 65_536

_CHUNK_BYTES = 65_536
_GZIP = 31


class Sockets:
    """One session for all partners of the hub; opened by its first request, in that one's loop."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: exchange.Request, body_bytes: int) -> exchange.Reply:
        """Send one request and return what came back, whatever its status; no redirect is followed.

        Args:
            request: What is sent.
            body_bytes: The largest body taken, unpacked.

        Raises:
            Passing: the partner cannot be reached, or hung up.
            Misconfigured: TOO_LARGE; UNREADABLE, the answer cannot be unpacked, or is not HTTP;
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
                if response.status // 100 == 2:  # noqa: PLR2004 - 2xx
                    body = await _body(response, body_bytes)
                else:
                    body = await _complaint(response, min(body_bytes, COMPLAINT_BYTES))
                return exchange.Reply(response.status, response.headers.copy(), body)
        # What aiohttp raises may spell out the address with its key, so it is never chained.
        except aiohttp.ClientSSLError:
            raise errors.Misconfigured(
                errors.Problem.MISCONFIGURED, "The partner's certificate does not hold."
            ) from None
        except aiohttp.ClientResponseError:
            raise errors.unreadable("is not HTTP") from None
        except zlib.error:
            raise errors.unreadable("is packed, and cannot be unpacked") from None
        except ValueError:
            raise errors.Misconfigured(
                errors.Problem.MISCONFIGURED, "The partner's address or secret cannot be sent."
            ) from None
        except aiohttp.ClientConnectorError:
            raise errors.Passing(
                errors.Problem.UNREACHABLE, "The partner cannot be reached.", errors.RETRY_SECONDS
            ) from None
        except (aiohttp.ClientError, OSError):
            raise errors.HungUp from None

    async def close(self) -> None:
        """End every connection."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # Each partner's own concurrency is the limit: a shared one would let partners
                # that hang starve the others.
                connector=aiohttp.TCPConnector(limit=0),
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


async def _body(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Return the body unpacked, never holding more than the limit and one chunk."""
    coding = response.headers.get("Content-Encoding", "identity").lower()
    if coding not in ("identity", "gzip"):
        raise errors.unreadable("is packed in a way that was not asked for")
    unpacking = zlib.decompressobj(_GZIP) if coding == "gzip" else None
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        body += unpacking.decompress(chunk, most + 1 - len(body)) if unpacking else chunk
        if len(body) > most:
            raise errors.Misconfigured(
                errors.Problem.TOO_LARGE, "The partner's answer is larger than its limit."
            )
    if unpacking and not unpacking.eof:
        raise errors.unreadable("is packed, and cut short")
    return bytes(body)


async def _complaint(response: aiohttp.ClientResponse, most: int) -> bytes:
    """Return the body of an answer whose status says enough: where it cannot be had, nothing."""
    try:
        return await _body(response, most)
    except (errors.Misconfigured, aiohttp.ClientError, OSError, zlib.error):
        return b""

"""The server that the board stands on, Valkey or Redis: alone in knowing its library.

The library takes memory, so nobody imports this by name: the board loads it where it has an
address.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from connectors.board import Arguments, RefusedError, Standing


class Valkey:
    """One process's connections to it; while it is away, each call raises ``OSError``.

    Args:
        url: Where it is: ``redis://``, ``rediss://`` or ``unix://``.
        seconds: The longest that connecting may take.

    Raises:
        ValueError: this is no such address.
    """

    def __init__(self, url: str, seconds: float) -> None:
        self._redis = Redis.from_url(
            url,
            socket_connect_timeout=seconds,
            # Whoever asks sets a bound of their own. The library's is asyncio.wait_for, which until
            # Python 3.12 may lose that a task was cancelled.
            socket_timeout=None,
            # Trying again is for whoever follows: a query goes on without the board.
            retry=Retry(NoBackoff(), 0),
        )

    async def run(self, script: str, keys: Sequence[str], arguments: Arguments) -> Any:  # noqa: ANN401 scripts differ
        """Return what a script gives."""
        with _told():
            return await self._redis.eval(script, len(keys), *keys, *arguments)

    async def standing(self, opened: str, rest: str, answers: str) -> Standing:
        """Return what stands under these keys, read in one round trip."""
        with _told():
            async with self._redis.pipeline(transaction=False) as asked:
                asked.pttl(opened)
                asked.pttl(rest)
                asked.get(rest)
                asked.hvals(answers)
                return Standing(*await asked.execute())

    @contextlib.asynccontextmanager
    async def channel(self, name: str) -> AsyncIterator[Channel]:
        """Hear a channel until the block ends."""
        async with self._redis.pubsub() as heard:
            with _told():
                await heard.subscribe(name)
            yield Channel(heard)

    async def close(self) -> None:
        """End every connection."""
        await self._redis.aclose()


class Channel:
    """A channel that is heard."""

    def __init__(self, heard: PubSub) -> None:
        self._heard = heard

    async def said(self, seconds: float) -> bytes | None:
        """Return what is said next, empty where it is but a sign of life; None after silence."""
        with _told():
            message = await self._heard.get_message(timeout=seconds)
        if message is None:
            return None
        said: bytes = message["data"] if message["type"] == "message" else b""
        return said

    async def ping(self) -> None:
        """Ask for a sign of life."""
        with _told():
            await self._heard.ping()


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Tell in words without the library that the server is away, or does not take what it is told.

    Raises:
        RefusedError, ConnectionError: it is so.
    """
    try:
        yield
    except ResponseError as wrong:
        raise RefusedError(type(wrong).__name__) from wrong
    except RedisError as wrong:
        raise ConnectionError(type(wrong).__name__) from wrong

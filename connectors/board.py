"""The board on which the hub's processes tell each other of partners; it stands on a Valkey.

What is on it: which breakers are open, who probes, which partners asked to be left alone, how full
their buckets are, and their last answers to what is not about a person. Times on it are durations
by the server's own clock, so the clocks of the processes need not agree.

Nothing waits for the board but a probe and a token, and these for ``PATIENCE_SECONDS``. A board
that is away, slow or not given changes nothing for a query: each process goes on by what it knows.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from uuid import uuid4

import orjson

from models import errors

#: The longest a query waits for the board.
PATIENCE_SECONDS = 0.05
#: A board that is away is tried again this often.
AGAIN_SECONDS = 1.0
#: After such a silence the board is asked whether it lives; a second one says that it is away.
SILENCE_SECONDS = 5.0
#: An opened breaker that nobody probes is forgotten so long after its rest.
UNPROBED_SECONDS = 3600.0

#: Of what processes of another version write, these would understand nothing.
_PREFIX = "greenway:1"
_CHANNEL = f"{_PREFIX}:news"
#: Where joining, reading a sheet or writing on it takes longer, the board is away.
_JOIN_SECONDS = 5.0
#: The most errands that wait while the board is slow; further ones are dropped.
_UNSENT = 1024
_MICROSECONDS = 1_000_000

# KEYS: open, probe. ARGV: whose the probe would be, milliseconds left (0 closes), channel, news.
_SETTLE = """
if ARGV[2] == '0' then redis.call('DEL', KEYS[1])
else redis.call('SET', KEYS[1], '', 'PX', ARGV[2]) end
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
redis.call('PUBLISH', ARGV[3], ARGV[4])
"""
# KEYS: probe. ARGV: whose.
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"
# KEYS: open, probe. ARGV: whose, milliseconds it lasts at most, milliseconds open after the rest.
# Gives the milliseconds to wait, or 0.
_PROBE = """
local rest = redis.call('PTTL', KEYS[1]) - ARGV[3]
if rest > 0 then return rest end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
return math.max(1, redis.call('PTTL', KEYS[2]))
"""
# KEYS: rest. ARGV: problem, milliseconds, channel, news. A rest is never shortened.
_REST = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
redis.call('PUBLISH', ARGV[3], ARGV[4])
"""
# As bucket.Bucket.take, in microseconds. KEYS: bucket. ARGV: interval, burst, patience.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval = tonumber(ARGV[1])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local wait = math.max(0, full_at - (ARGV[2] - 1) * interval - now)
if wait <= tonumber(ARGV[3]) then
  full_at = full_at + interval
  local lasts = math.ceil((full_at - now) / 1000)
  redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', lasts)
end
return math.ceil(wait)
"""
# KEYS: bucket. ARGV: interval in microseconds, tokens, which are taken whether or not there are.
_SPEND = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) + ARGV[1] * ARGV[2]
local lasts = math.ceil((full_at - now) / 1000)
redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', lasts)
return math.ceil((full_at - now) / ARGV[1])
"""
# KEYS: answers, their order. ARGV: question, answer, milliseconds, most, channel, news.
_ANSWER = """
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
local time = redis.call('TIME')
redis.call('ZADD', KEYS[2], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
local over = redis.call('ZCARD', KEYS[2]) - ARGV[4]
if over > 0 then
  local oldest = redis.call('ZPOPMIN', KEYS[2], over)
  for place = 1, #oldest, 2 do redis.call('HDEL', KEYS[1], oldest[place]) end
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[3]) end
redis.call('PUBLISH', ARGV[5], ARGV[6])
"""
# KEYS: answers, their order. ARGV: how the forgotten questions begin, channel, news.
_FORGET = """
for _, question in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(question, 1, #ARGV[1]) == ARGV[1] then
    redis.call('HDEL', KEYS[1], question)
    redis.call('ZREM', KEYS[2], question)
  end
end
redis.call('PUBLISH', ARGV[2], ARGV[3])
"""

#: What reading raises of what others wrote in a way that nobody here writes.
_UNREAD = (ValueError, TypeError, KeyError, AttributeError)
_log = logging.getLogger("greenway.connectors")


@dataclass(frozen=True, slots=True)
class Opened:
    """A breaker was opened: the partner rests so long, or may be probed where that is past."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Closed:
    """A breaker was closed: the partner lives."""


@dataclass(frozen=True, slots=True)
class Rests:
    """A partner asked to be left alone for so long, and for what reason."""

    seconds: float
    problem: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A partner answered a question; ``answer`` is JSON, as whoever told it made it."""

    answer: Any


@dataclass(frozen=True, slots=True)
class Forgot:
    """Answers are true no more: those to questions that begin so."""

    questions: str


News = Opened | Closed | Rests | Answered | Forgot
Hear = Callable[[News], None]

_NEWS: dict[str, type[News]] = {
    news.__name__: news for news in (Opened, Closed, Rests, Answered, Forgot)
}
Arguments = Sequence[str | bytes | float]


class RefusedError(ConnectionError):
    """The server is there, and does not take what it is told."""


class Standing(NamedTuple):
    """What stands on a sheet: milliseconds, the problem of a rest, and answers as JSON."""

    opened: int
    rests: int
    problem: bytes | None
    answers: Sequence[bytes]


class Channel(Protocol):
    """A channel of the server's, while it is heard."""

    async def said(self, seconds: float) -> bytes | None:
        """Return what is said next, empty where it is but a sign of life; None after silence."""

    async def ping(self) -> None:
        """Ask for a sign of life."""


class Server(Protocol):
    """What the board stands on; while that is away, each call raises ``OSError``."""

    async def run(self, script: str, keys: Sequence[str], arguments: Arguments) -> Any:  # noqa: ANN401 scripts differ
        """Return what a script gives."""

    async def standing(self, opened: str, rest: str, answers: str) -> Standing:
        """Return what stands under these keys."""

    def channel(self, name: str) -> AbstractAsyncContextManager[Channel]:
        """Hear a channel until the block ends."""

    async def close(self) -> None:
        """End every connection."""


#: What is to be done at the board, once it has its turn.
_Errand = Callable[[Server], Awaitable[None]]


def name(slug: str, *parts: str) -> str:
    """Return the name of a sheet: a partner's slug, and a digest of what it must not outlive."""
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"{slug}.{digest[:16]}"


class Board:
    """One process's place at the board; without an address it is always away.

    ``joined`` is set while the board is there and this process hears what the others tell.
    """

    def __init__(self, url: str = "") -> None:
        """Take a place at the board at this address: ``redis://``, ``rediss://`` or ``unix://``.

        Raises:
            HubError: this is no such address.
        """
        self.joined = asyncio.Event()
        self._server = _server(url) if url else None
        self._sheets: dict[str, list[Sheet]] = {}
        self._errands: asyncio.Queue[_Errand] = asyncio.Queue(_UNSENT)
        self._lost = asyncio.Event()
        self._complained = False

    def sheet(self, name: str, hear: Hear) -> Sheet:
        """Return a hold on a sheet, which hears what others tell who hold it too.

        What stands on it already is heard soon, or once the board has been joined.
        """
        one = Sheet(self, name, hear)
        self._sheets.setdefault(name, []).append(one)
        self.run(one.read)
        return one

    def drop(self, sheet: Sheet) -> None:
        """Let a sheet hear nothing any more."""
        holders = self._sheets.get(sheet.name, [])
        if sheet in holders:
            holders.remove(sheet)
        if not holders:
            self._sheets.pop(sheet.name, None)

    async def follow(self) -> None:
        """Hear the others and tell them, until cancelled; a board that is away is tried again."""
        while self._server is not None:
            # A group whose tasks fail at the moment it is cancelled tells of the failures alone, so
            # it has a task of its own, and this one hears that it is cancelled.
            attending = asyncio.create_task(self._attend(self._server))
            try:
                await asyncio.wait([attending])
            except asyncio.CancelledError:
                attending.cancel()
                await asyncio.gather(attending, return_exceptions=True)
                raise
            try:
                attending.result()
            except* OSError as wrong:
                self._complain(_first(wrong))
            await asyncio.sleep(AGAIN_SECONDS)

    async def close(self) -> None:
        """End every connection, once nothing follows any more."""
        self.joined.clear()
        if self._server is not None:
            await self._server.close()

    def run(self, errand: _Errand) -> None:
        """Have an errand run in its turn, unawaited; not at all while the board is away."""
        if self.joined.is_set():
            with contextlib.suppress(asyncio.QueueFull):
                self._errands.put_nowait(errand)

    async def ask(self, script: str, keys: Sequence[str], arguments: Arguments) -> int | None:
        """Return what a script gives, or None where the board is away or too slow."""
        if self._server is None or not self.joined.is_set():
            return None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return int(await self._server.run(script, keys, arguments))
        except RefusedError as wrong:
            self._complain(wrong)
            return None
        except OSError:
            # Who comes next does not wait for it, until it has been joined again.
            self.joined.clear()
            self._lost.set()
            return None

    async def take(
        self, bucket: str, per_second: float, burst: int, patience: float
    ) -> float | None:
        """Take a token of a bucket that all share, as ``bucket.Bucket.take``.

        Returns:
            The seconds until it is there; None while the board is away.
        """
        limits = (_MICROSECONDS / per_second, burst, patience * _MICROSECONDS)
        wait = await self.ask(_TAKE, (f"{_PREFIX}:{bucket}",), limits)
        return None if wait is None else wait / _MICROSECONDS

    @property
    def is_shared(self) -> bool:
        """Whether there is an address at which others may be."""
        return self._server is not None

    async def spend(self, bucket: str, per_second: float, tokens: float) -> float | None:
        """Take tokens of a bucket that all share, there or not, since they are spent already.

        Returns:
            How many are missing for it to be full; None while the board is away.
        """
        limits = (_MICROSECONDS / per_second, tokens)
        return await self.ask(_SPEND, (f"{_PREFIX}:{bucket}",), limits)

    async def _attend(self, server: Server) -> None:
        """Hear and tell until the board is away.

        Raises:
            OSError: it is, alone or in a group.
        """
        try:
            async with contextlib.AsyncExitStack() as stack:
                async with asyncio.timeout(_JOIN_SECONDS):
                    channel = await stack.enter_async_context(server.channel(_CHANNEL))
                self._join()
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._listen(channel))
                    tasks.create_task(self._work(server))
                    tasks.create_task(self._until_lost())
        finally:
            self.joined.clear()

    def _join(self) -> None:
        self._errands = asyncio.Queue(_UNSENT)
        self._lost.clear()
        self.joined.set()
        # Read after subscribing: what changes meanwhile is heard twice, and never missed.
        self.run(self._read)
        if self._complained:
            _log.warning("The board of the hub's processes is back")
        self._complained = False

    def _complain(self, wrong: BaseException) -> None:
        if not self._complained:
            _log.warning(
                "The board of the hub's processes is away, each goes on by itself: %s",
                type(wrong.__cause__ or wrong).__name__,
            )
        self._complained = True

    async def _listen(self, channel: Channel) -> None:
        silent = False
        while True:
            said = await channel.said(SILENCE_SECONDS)
            if said is None:
                if silent:
                    raise TimeoutError
                await channel.ping()
            elif said:
                self._spread(said)
            silent = said is None

    def _spread(self, said: bytes) -> None:
        """Let everybody here who holds the sheet hear the news, but for who told it."""
        try:
            by, where, what, details = orjson.loads(said)
            news = _NEWS[what](**details)
            sheets = self._sheets.get(where, [])
        except _UNREAD:
            _log.debug("The board tells what this version of the hub cannot read")
            return
        for sheet in sheets:
            if sheet.holder != by:
                sheet.hear(news)

    async def _read(self, server: Server) -> None:
        for sheet in [one for several in self._sheets.values() for one in several]:
            await sheet.read(server)

    async def _work(self, server: Server) -> None:
        while True:
            errand = await self._errands.get()
            try:
                await errand(server)
            except RefusedError as wrong:
                # It is there, and does not take this: too full, or a copy to read from.
                self._complain(wrong)

    async def _until_lost(self) -> None:
        await self._lost.wait()
        raise TimeoutError


class Sheet:
    """What is on the board about one partner, as one of those who tell and hear it holds it."""

    def __init__(self, board: Board, name: str, hear: Hear) -> None:
        self.name = name
        self.holder = uuid4().hex
        self._hear = hear
        self._left = False
        #: How often answers ceased to be true, here or elsewhere.
        self._forgotten = 0
        self._board = board
        self._open, self._probe, self._rest, self._answers, self._order = (
            f"{_PREFIX}:{name}:{what}" for what in ("open", "probe", "rest", "answers", "order")
        )

    @property
    def is_heard(self) -> bool:
        """Whether somebody may hear what is told here."""
        return self._board.joined.is_set()

    def opened(self, seconds: float) -> None:
        """Tell that the breaker was opened for so long, and end the probe, if it was ours."""
        self._settle(_milliseconds(seconds + UNPROBED_SECONDS), Opened(seconds))

    def closed(self) -> None:
        """Tell that the breaker was closed, and end the probe, if it was ours."""
        self._settle(0, Closed())

    def released(self) -> None:
        """Let somebody else probe: our own probe was given up."""
        self._write(_RELEASE, (self._probe,), (self.holder,))

    def rests(self, seconds: float, problem: str) -> None:
        """Tell that the partner asked to be left alone for so long."""
        news = Rests(seconds, problem)
        self._write(_REST, (self._rest,), (problem, _milliseconds(seconds)), news)

    def answered(self, question: str, answer: object, seconds: float, most: int) -> None:
        """Tell what the partner answered.

        Args:
            question: What was asked; never about a person.
            answer: JSON, which whoever hears it gets as it is.
            seconds: How long the answers of this partner are kept from now.
            most: How many of them are kept; the oldest go first.
        """
        arguments = (question, orjson.dumps(answer), _milliseconds(seconds), most)
        self._write(_ANSWER, (self._answers, self._order), arguments, Answered(answer))

    def forgot(self, questions: str) -> None:
        """Tell that the answers to questions that begin so are true no more."""
        self._forgotten += 1
        keys = (self._answers, self._order)
        self._write(_FORGET, keys, (questions,), Forgot(questions))

    async def probe(self, seconds: float) -> float:
        """Take the turn to probe for so long at most, and return 0; or the seconds to wait.

        While the board is away the turn is always given.
        """
        limits = (_milliseconds(seconds), _milliseconds(UNPROBED_SECONDS))
        wait = await self._board.ask(_PROBE, (self._open, self._probe), (self.holder, *limits))
        return 0.0 if wait is None else wait / 1000

    async def take(self, per_second: float, burst: int, patience: float) -> float | None:
        """Take a token of the partner's bucket, as ``Board.take``."""
        return await self._board.take(f"{self.name}:bucket", per_second, burst, patience)

    async def read(self, server: Server) -> None:
        """Hear what stands on the sheet.

        Raises:
            OSError: the board is away.
        """
        forgotten = self._forgotten
        async with asyncio.timeout(_JOIN_SECONDS):
            found = await server.standing(self._open, self._rest, self._answers)
        opened, resting, problem, answers = found
        if forgotten != self._forgotten:
            # What was read may be older than what made it untrue.
            answers = ()
        if opened > 0:
            self.hear(Opened(opened / 1000 - UNPROBED_SECONDS))
        if problem:
            self.hear(Rests(resting / 1000, problem.decode(errors="replace")))
        for answer in answers:
            with contextlib.suppress(orjson.JSONDecodeError):
                self.hear(Answered(orjson.loads(answer)))

    def hear(self, news: News) -> None:
        """Let whoever holds this know the news, if it can be understood."""
        if self._left:
            return
        self._forgotten += isinstance(news, Forgot)
        try:
            self._hear(news)
        except _UNREAD:
            _log.debug("The board tells what this version of the hub cannot read")

    def leave(self) -> None:
        """Hear nothing any more, not even what is being read."""
        self._left = True
        self._board.drop(self)

    def _settle(self, milliseconds: int, news: News) -> None:
        self._write(_SETTLE, (self._open, self._probe), (self.holder, milliseconds), news)

    def _write(
        self,
        script: str,
        keys: Sequence[str],
        arguments: Arguments,
        news: News | None = None,
    ) -> None:
        """Have a script run, after whose arguments come the channel and the news, if there are."""
        told = () if news is None else (_CHANNEL, self._told(news))

        async def write(server: Server) -> None:
            async with asyncio.timeout(_JOIN_SECONDS):
                await server.run(script, keys, (*arguments, *told))

        self._board.run(write)

    def _told(self, news: News) -> bytes:
        return orjson.dumps([self.holder, self.name, type(news).__name__, news])


def _milliseconds(seconds: float) -> int:
    return max(1, math.ceil(seconds * 1000))


def _first(wrong: BaseException) -> BaseException:
    """Return the first that is no group."""
    while isinstance(wrong, BaseExceptionGroup):
        wrong = wrong.exceptions[0]
    return wrong


def _server(url: str) -> Server:
    # By name, and only here: the library takes memory, and most hubs have no address.
    valkey = importlib.import_module("connectors.valkey")
    try:
        found: Server = valkey.Valkey(url, _JOIN_SECONDS)
    except ValueError as wrong:
        raise errors.HubError(f"GREENWAY_SHARED_URL: {wrong}", "See docs/operating.md.") from wrong
    return found

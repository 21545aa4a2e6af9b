"""The one HTTP client: every call to a partner is bounded in time, size, number and place.

A call passes, in this order: single flight, the partner's gate (breaker, rest), a place among the
partner's concurrent calls, the attempts, the redirects, the credentials, its token of the rate
limit, the exchange, its judgement.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType

import yarl

from connectors import (
    board,
    breaker,
    bucket,
    cache,
    credential,
    egress,
    errors,
    exchange,
    flight,
    gate,
    quota,
    transport,
)
from connectors.exchange import Pairs, Reply, Request
from models import trace

#: The most redirects that one request follows.
REDIRECTS = 3

_JITTER_SECONDS = (0.02, 0.1)
_LATENCIES = 256
_REDIRECTING = frozenset({301, 302, 303, 307, 308})
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})

_REFUSALS = {
    404: errors.Problem.NOT_FOUND,
    410: errors.Problem.NOT_FOUND,
    409: errors.Problem.CONFLICT,
    412: errors.Problem.CONFLICT,
}

_log = logging.getLogger("greenway.connectors")
_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)
_count: ContextVar[Count | None] = ContextVar("count", default=None)
_age: ContextVar[Age | None] = ContextVar("age", default=None)
_private: ContextVar[bool] = ContextVar("private", default=False)


@dataclass(frozen=True, slots=True)
class Policy:
    """How much one partner may cost us; ``limits`` in its file."""

    deadline_seconds: float = 2.0
    attempts: int = 2
    concurrency: int = 8
    body_bytes: int = 2_000_000
    breaker_failures: int = 5
    breaker_seconds: float = 10.0
    per_second: float | None = None
    burst: int = 10
    pages: int = 20
    poll_seconds: float = 0.0


class HTTPClient:
    """What all partners of the hub are called through.

    Args:
        send: What carries requests, in place of sockets.
        common: Where this process and the others tell each other of partners.
        allow: Where partners may be although it is inside.
    """

    def __init__(
        self,
        send: exchange.Transport | None = None,
        common: board.Board | None = None,
        allow: Sequence[egress.Place] = (),
    ) -> None:
        self.board = common or board.Board()
        self._sockets = transport.Sockets(allow)
        self._send = send or self._sockets.send
        self._partners: list[PartnerClient] = []

    async def __aenter__(self) -> HTTPClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def partner(
        self,
        slug: str,
        address: str,
        policy: Policy = Policy(),
        credentials: credential.Credentials | None = None,
        hosts: Sequence[str] = (),
    ) -> PartnerClient:
        """Return the client of one partner, which calls this address's origin, and these hosts'.

        Credentials are shown to the address's origin, and to no other.
        """
        client = PartnerClient(slug, address, policy, credentials, hosts, self._send, self.board)
        self._partners.append(client)
        return client

    async def forget(self, client: PartnerClient) -> None:
        """Close the client of a partner that nobody asks any more."""
        self._partners.remove(client)
        await client.close()

    async def close(self) -> None:
        """End every call in flight and every connection."""
        for client in self._partners:
            await client.close()
        await self._sockets.close()


@contextlib.contextmanager
def within(deadline: float) -> Iterator[None]:
    """Bound every call made inside, all together, by this time of the running loop."""
    token = _deadline.set(min(deadline, _deadline.get()))
    try:
        yield
    finally:
        _deadline.reset(token)


@dataclass(slots=True)
class Count:
    """How many exchanges with partners were begun."""

    exchanges: int = 0


@contextlib.contextmanager
def counted() -> Iterator[Count]:
    """Count the exchanges that are made for calls inside: whoever joins a flight makes none."""
    count = Count()
    token = _count.set(count)
    try:
        yield count
    finally:
        _count.reset(token)


@contextlib.contextmanager
def in_private() -> Iterator[None]:
    """Keep out of the log what the calls made inside ask: they are about somebody."""
    token = _private.set(True)
    try:
        yield
    finally:
        _private.reset(token)


@dataclass(slots=True)
class Age:
    """How old the oldest answer is that was given without asking the partner."""

    seconds: float = 0.0


@contextlib.contextmanager
def from_memory() -> Iterator[Age]:
    """Let calls made inside be answered by what still holds; whoever tells of it tells its age."""
    token = _age.set(found := Age())
    try:
        yield found
    finally:
        _age.reset(token)


class PartnerClient:
    """HTTP with one partner. Every method raises PartnerError, and nothing else, on failure."""

    def __init__(
        self,
        slug: str,
        address: str,
        policy: Policy,
        credentials: credential.Credentials | None,
        hosts: Sequence[str],
        send: exchange.Transport,
        common: board.Board,
    ) -> None:
        self.slug = slug
        self.policy = policy
        self.calls = 0
        self.latencies: deque[float] = deque(maxlen=_LATENCIES)
        self.breaker = breaker.Breaker(policy.breaker_failures, policy.breaker_seconds)
        self._board = common
        self._sheets: list[board.Sheet] = []
        self._address = yarl.URL(address.rstrip("/") + "/")
        rate = bucket.Bucket(policy.per_second, policy.burst) if policy.per_second else None
        self._gate = gate.Gate(slug, self.breaker, rate, self.sheet)
        self._origins = {self._address.origin(), *(yarl.URL(host).origin() for host in hosts)}
        self._credentials = credentials
        self._hidden = (*exchange.REDACTED, *credential.named(credentials))
        self._send = send
        self._cache = cache.Cache(policy.poll_seconds)
        self._places = asyncio.Semaphore(policy.concurrency)
        self._flights: flight.Flights[tuple[int, Request], Reply] = flight.Flights()
        self._acts = 0
        self._badge = None if credentials is None else self._shown(credentials)

    def apart(self, spoil: Callable[[exchange.Transport], exchange.Transport]) -> PartnerClient:
        """Return a client of the same partner that shares no flight, breaker or count with this.

        Args:
            spoil: Makes what carries its requests, of what carries this one's.
        """
        hosts = [str(origin) for origin in self._origins]
        return PartnerClient(
            self.slug,
            str(self._address),
            self.policy,
            self._credentials,
            hosts,
            spoil(self._send),
            board.Board(),
        )

    async def get(
        self,
        path: str,
        *,
        query: Pairs = (),
        headers: Mapping[str, str] = _NO_HEADERS,
        accept: str = "application/json",
    ) -> Reply:
        """Return the answer to a GET below the partner's address.

        Args:
            path: Relative to the address; its segments are percent-encoded by the caller.
            query: Names and values in order; a name may come more than once.
            headers: Further request headers.
            accept: The media type asked for. An answer of another family than the JSON or XML
                asked for is a bad answer; ``*/*`` takes any.

        Raises:
            PartnerError: no such answer within the deadline.
        """
        url = self._below(path).extend_query(list(query))
        return await self._get(url, headers, accept)

    async def follow(
        self,
        url: str,
        *,
        headers: Mapping[str, str] = _NO_HEADERS,
        accept: str = "application/json",
    ) -> Reply:
        """Return the answer to a GET of a link that the partner gave, absolute or relative.

        Raises:
            PartnerError: as ``get``; FORBIDDEN_ADDRESS, the link leaves the partner's hosts.
        """
        return await self._get(self._link(url, self._address), headers, accept)

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: Pairs = (),
        headers: Mapping[str, str] = _NO_HEADERS,
        content: bytes | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
        reads: bool = False,
    ) -> Reply:
        """Return the answer to a request with a body.

        Args:
            method: The HTTP method.
            path: As for ``get``.
            query: As for ``get``.
            headers: As for ``get``.
            content: The body.
            content_type: The body's media type.
            accept: As for ``get``.
            reads: The request changes nothing at the partner (a search by POST): it may be shared
                and repeated like a GET. One that acts is sent once, and alone.

        Raises:
            PartnerError: as ``get``; where a request that acts may have reached the partner, with
                ``may_have_acted``.
        """
        url = self._below(path).extend_query(list(query))
        typed = {**headers, "Content-Type": content_type} if content is not None else headers
        request = Request(method, url, accept, tuple(typed.items()), content, reads)
        if reads:
            return await self._shared(request)
        try:
            return await self._call(request, self._ends())
        finally:
            # Who asks after an act is not told what was so before it.
            self._acts += 1
            self._cache.clear()

    def held(self) -> errors.PartnerError | None:
        """Return why the partner would not be called now; None where it would be."""
        try:
            self._gate.check()
        except gate.Held as held:
            return held
        return None

    def sheet(self, hear: board.Hear, *version: str) -> board.Sheet:
        """Return a sheet of the common board about this partner, as long as it is asked.

        Args:
            hear: Is told what others tell on it.
            version: What else, beside its address, has its own sheet once it changes.
        """
        name = board.name(self.slug, str(self._address), *version)
        self._sheets.append(self._board.sheet(name, hear))
        return self._sheets[-1]

    async def close(self) -> None:
        """End every call in flight."""
        for sheet in self._sheets:
            sheet.leave()
        await self._flights.close()

    async def _get(self, url: yarl.URL, headers: Mapping[str, str], accept: str) -> Reply:
        return await self._shared(Request("GET", url, accept, tuple(headers.items())))

    async def _shared(self, request: Request) -> Reply:
        age = _age.get()
        if age and _is_kept(request) and (known := self._cache.fresh(request, _now())):
            age.seconds = max(age.seconds, _now() - known.came)
            return known.reply
        ends = self._ends()
        try:
            return await self._flights.join(
                (self._acts, request), partial(self._call, request, ends), ends=ends, deadline=ends
            )
        except TimeoutError:
            raise errors.too_slow() from None

    def _below(self, path: str) -> yarl.URL:
        return yarl.URL(f"{self._address}{path.lstrip('/')}")

    def _link(self, url: str, base: yarl.URL) -> yarl.URL:
        """Return a link that the partner gave, absolute.

        Raises:
            Misconfigured: it cannot be read, or leads to where the partner's file does not.
        """
        try:
            link = base.join(yarl.URL(url)).with_user(None)
            origin = link.origin()
        except ValueError:
            raise errors.bad_answer("holds a link that cannot be read") from None
        if origin not in self._origins:
            raise errors.forbidden_address()
        return link

    def _ends(self) -> float:
        return min(_now() + self.policy.deadline_seconds, _deadline.get())

    async def _call(self, request: Request, deadline: float) -> Reply:
        self._gate.check()
        try:
            async with asyncio.timeout_at(deadline):
                await self._places.acquire()
        except TimeoutError:
            raise errors.Retriable(
                errors.Problem.BUSY,
                "Too many calls to this partner are under way.",
                errors.RETRY_SECONDS,
            ) from None
        try:
            return await self._recorded(request, deadline)
        finally:
            self._places.release()

    async def _recorded(self, request: Request, deadline: float) -> Reply:
        """Make the call, and let the gate know how it went."""
        # The partner may have failed while this call waited for its place.
        turn = await self._gate.enter(deadline - _now())
        attempts = self.policy.attempts if request.reads and not turn else 1
        try:
            with within(deadline):
                async with asyncio.timeout_at(deadline):
                    reply = await self._attempt(request, attempts, deadline)
        except TimeoutError:
            failure = errors.too_slow()
            failure.may_have_acted = not request.reads
            self._gate.failed(failure, turn)
            raise failure from None
        except errors.PartnerError as failure:
            failure.may_have_acted &= not request.reads
            self._gate.failed(failure, turn)
            raise
        except BaseException:
            # Whatever happened, the turn to probe is given back.
            self._gate.abandoned(turn)
            raise
        self._gate.succeeded()
        return reply

    async def _attempt(self, request: Request, attempts: int, deadline: float) -> Reply:
        try:
            return await self._followed(request)
        except errors.Passing as failure:
            pause = self._gate.rest_seconds + random.uniform(*_JITTER_SECONDS)  # noqa: S311 - no secret
            if attempts == 1 or _now() + pause >= deadline:
                raise
            _log.debug("%s is asked again: %s", self.slug, failure.problem)
            await asyncio.sleep(pause)
            try:
                return await self._attempt(request, attempts - 1, deadline)
            except gate.Held:
                # How the partner failed says more than that it may not be called again yet.
                raise failure from None

    async def _followed(self, request: Request) -> Reply:
        """Return the good answer to a request, after the redirects of one that fetches."""
        for _ in range(REDIRECTS + 1):
            reply = await self._fetched(request)
            if request.method != "GET" or reply.status not in _REDIRECTING:
                return reply
            link = self._link(reply.headers.get("Location", ""), request.url)
            request = replace(request, url=link)
        raise errors.bad_answer("leads from one address to the next without end")

    async def _fetched(self, request: Request) -> Reply:
        """Return the good answer to a request, or a redirect; the one kept, if it still holds."""
        kept, acts = self._cache.get(request) if _is_kept(request) else None, self._acts
        reply = await self._authorised(kept.asked_after(request) if kept else request)
        if request.method == "GET" and reply.status in _REDIRECTING:
            return reply
        reply = self._judged(kept.renewed(reply) if kept else reply, request)
        if _is_kept(request) and acts == self._acts:
            self._cache.keep(request, reply, _now())
        return reply

    async def _authorised(self, request: Request) -> Reply:
        """Return the answer to a request that shows who asks: to the partner's own origin only."""
        if self._badge is None or request.url.origin() != self._address.origin():
            return await self._exchange(request)
        return await self._badge.carry(request)

    def _shown(self, credentials: credential.Credentials) -> credential.Badge:
        return credential.Badge(
            credentials,
            self._exchange,
            self._granted,
            lambda path: self._link(path.lstrip("/"), self._address),
            lambda: datetime.now(UTC),
        )

    async def _granted(self, request: Request) -> Reply:
        """Return the answer of whoever gives tokens."""
        try:
            reply = await self._exchange(request)
            if 400 <= reply.status < 404:  # noqa: PLR2004 - the OAuth 2.0 refusals, RFC 6749 5.2
                raise errors.unauthorized()
            return self._judged(reply, request)
        except errors.PartnerError as failure:
            failure.may_have_acted = False
            raise

    async def _exchange(self, request: Request) -> Reply:
        """Send one request and return what came back, whatever its status."""
        await self._gate.token(_deadline.get())
        began = _now()
        self.calls += 1
        if (count := _count.get()) is not None:
            count.exchanges += 1
        status = 0
        try:
            # No ``traceparent`` goes with it: by that, partners could tell who asked both of them.
            with trace.span("call", partner=self.slug, method=request.method) as span:
                reply = await self._send(request, self.policy.body_bytes)
                span.tell(status=reply.status)
            status = reply.status
            return reply
        finally:
            took = _now() - began
            self.latencies.append(took)
            if _log.isEnabledFor(logging.DEBUG):
                self._note(request, status, took)

    def _note(self, request: Request, status: int, took: float) -> None:
        """Tell the log of an exchange: in private, nothing of what was asked."""
        hidden = ("",) if _private.get() else self._hidden
        _log.debug(
            "%s %s %s %s: %d in %.3f s",
            self.slug,
            request.method,
            exchange.HIDDEN if _private.get() else request.url.path,
            exchange.redact([*request.url.query.items(), *request.headers], hidden),
            status,
            took,
        )

    def _judged(self, reply: Reply, request: Request) -> Reply:
        """Return the reply if its status and type are what was asked for."""
        if (wait := quota.spent(reply.headers)) > 0:
            self._gate.rest(wait, errors.Problem.RATE_LIMITED)
        if reply.status // 100 == 2:  # noqa: PLR2004 - 2xx
            if reply.body:
                _check_family(request.accept, reply.headers.get("Content-Type", ""))
            elif request.reads:
                raise errors.no_content()
            return reply
        if reply.status == 429:  # noqa: PLR2004 - Too Many Requests
            raise self._sent_away(reply, errors.Retriable, errors.Problem.RATE_LIMITED)
        if reply.status == 503 and "Retry-After" in reply.headers:  # noqa: PLR2004 - Unavailable
            raise self._sent_away(reply, errors.Passing, errors.Problem.BUSY)
        raise _failure(reply)

    def _sent_away(
        self, reply: Reply, kind: type[errors.Retriable], problem: errors.Problem
    ) -> errors.Retriable:
        """Return the error of a call that is to come back later, and leave the partner alone."""
        asked = quota.retry_after(reply.headers)
        wait = (quota.spent(reply.headers) or errors.RETRY_SECONDS) if asked is None else asked
        self._gate.rest(wait, problem)
        return kind(problem, gate.RESTS[problem], wait)


def _is_kept(request: Request) -> bool:
    """Return whether the answer to this request may be kept: it fetches, and is about nobody."""
    return request.method == "GET" and not _private.get()


def _now() -> float:
    return asyncio.get_running_loop().time()


def _check_family(asked: str, given: str) -> None:
    for family in ("json", "xml"):
        if family in asked and family not in given.lower():
            raise errors.Misconfigured(
                errors.Problem.WRONG_TYPE,
                f"The partner's answer is not the {family.upper()} that was asked for.",
            )


def _failure(reply: Reply) -> errors.PartnerError:
    """Return the error for a status that is neither 2xx nor a request to come back later."""
    status = reply.status
    if status in (401, 403, 407):
        return errors.unauthorized()
    if 400 <= status < 500:  # noqa: PLR2004 - 4xx
        problem = _REFUSALS.get(status, errors.Problem.REFUSED)
        sentence = f"The partner refused this (HTTP {status})."
        return errors.Refused(sentence, problem, status, reply.body)
    if status < 500:  # noqa: PLR2004 - 1xx and 3xx
        return errors.bad_answer(f"points elsewhere or nowhere (HTTP {status})")
    kind = errors.Passing if status in (502, 503, 504) else errors.Retriable
    sentence = f"The partner failed inside (HTTP {status})."
    return kind(errors.Problem.UNWELL, sentence, errors.RETRY_SECONDS)

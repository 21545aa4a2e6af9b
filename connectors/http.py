"""The one HTTP client: every call to a partner is bounded in time, size, number and place.

A call passes, in this order: single flight, the partner's rest (breaker, Retry-After), a place
among the partner's concurrent calls, the attempts, the credentials, the exchange, its judgement.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
import zlib
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from functools import partial
from types import MappingProxyType
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element, ParseError

import aiohttp
import orjson
import yarl
from defusedxml import DefusedXmlException, ElementTree

from connectors import breaker, errors, flight

Pairs = Sequence[tuple[str, str]]

#: Names of headers, query keys and form fields whose values stand in no log and no recording.
REDACTED = (
    "authorization",
    "cookie",
    "key",
    "password",
    "secret",
    "session",
    "signature",
    "token",
)
HIDDEN = "[hidden]"

#: When a partner does not say when to come back, and its breaker is closed.
RETRY_SECONDS = 1.0
#: A partner that asks to be left alone for a year is asked again within the hour.
RETRY_MOST_SECONDS = 3600.0
#: A token is renewed this long before it ends, so that it never ends on its way.
TOKEN_SKEW_SECONDS = 30.0

_JITTER_SECONDS = (0.02, 0.1)
_LATENCIES = 256
_CHUNK_BYTES = 65_536
_GZIP = 31
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})

#: Problems that say the partner, or the way to it, is unwell; the others prove that it lives.
_UNWELL = frozenset(
    {
        errors.Problem.TIMEOUT,
        errors.Problem.UNREACHABLE,
        errors.Problem.UNWELL,
        errors.Problem.TOO_LARGE,
    }
)

_log = logging.getLogger("greenway.connectors")
_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)
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


@dataclass(frozen=True, slots=True)
class Header:
    """A secret sent as it is in a header."""

    name: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Basic:
    """A user and a password (RFC 7617)."""

    user: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class QueryKey:
    """A secret sent as a key of the query."""

    name: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OAuth2:
    """OAuth 2.0 client credentials (RFC 6749, section 4.4), the client shown by Basic."""

    token_path: str
    client_id: str
    secret: str = field(repr=False)
    scopes: tuple[str, ...] = ()


Credentials = Header | Basic | QueryKey | OAuth2


@dataclass(frozen=True, slots=True)
class Reply:
    """A partner's answer with a 2xx status, whole and unpacked; header names fold case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:  # noqa: ANN401 - whatever the partner sent; the kind judges it
        """Return the body read as JSON.

        Raises:
            Misconfigured: it is not JSON.
        """
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise errors.bad_answer("is not JSON, or is cut short") from None

    def xml(self) -> Element:
        """Return the root of the body read as XML; a DTD or an entity is refused.

        Raises:
            Misconfigured: it is not such XML.
        """
        try:
            return ElementTree.fromstring(self.body, forbid_dtd=True)
        except (ParseError, DefusedXmlException, ValueError, LookupError):
            raise errors.bad_answer("is not XML that may be read, or is cut short") from None

    def text(self) -> str:
        """Return the body read as UTF-8.

        Raises:
            Misconfigured: it is not UTF-8.
        """
        try:
            return self.body.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise errors.bad_answer("is not UTF-8 text") from None


class HTTPClient:
    """One session for all partners of the hub; opened by its first call, in that call's loop."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
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
        credentials: Credentials | None = None,
    ) -> PartnerClient:
        """Return the client of one partner, which calls this address's origin and no other."""
        client = PartnerClient(slug, address, policy, credentials, self._open)
        self._partners.append(client)
        return client

    async def close(self) -> None:
        """End every call in flight and every connection."""
        for client in self._partners:
            await client.close()
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
            # Attempts are counted here; aiohttp would add one of its own, even to a probe, and
            # offers no public way to say so.
            self._session._retry_connection = False  # noqa: SLF001
        return self._session


@dataclass(frozen=True, slots=True)
class _Request:
    """One request; equal ones share a flight."""

    method: str
    url: yarl.URL
    accept: str
    headers: tuple[tuple[str, str], ...] = ()
    form: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True, slots=True)
class _Token:
    text: str = field(repr=False)
    ends: float


class _Passing(errors.Retriable):
    """A failure that may be gone at once: worth another attempt within the same call."""


@contextlib.contextmanager
def within(deadline: float) -> Iterator[None]:
    """Bound every call made inside, all together, by this time of the running loop."""
    token = _deadline.set(min(deadline, _deadline.get()))
    try:
        yield
    finally:
        _deadline.reset(token)


@contextlib.contextmanager
def in_private() -> Iterator[None]:
    """Keep out of the log what the calls made inside ask: they are about somebody."""
    token = _private.set(True)
    try:
        yield
    finally:
        _private.reset(token)


def too_slow() -> errors.Retriable:
    """Return the error of whoever waited for a partner until the deadline."""
    return errors.Retriable(
        errors.Problem.TIMEOUT, "The partner did not answer in time.", RETRY_SECONDS
    )


def redact(pairs: Pairs, words: Sequence[str] = REDACTED) -> list[tuple[str, str]]:
    """Return the pairs, the values hidden whose names hold one of these words."""
    return [
        (name, HIDDEN if any(word in name.lower() for word in words) else value)
        for name, value in pairs
    ]


class PartnerClient:
    """HTTP with one partner. Every method raises PartnerError, and nothing else, on failure."""

    def __init__(
        self,
        slug: str,
        address: str,
        policy: Policy,
        credentials: Credentials | None,
        session: Callable[[], aiohttp.ClientSession],
    ) -> None:
        self.slug = slug
        self.policy = policy
        self.calls = 0
        self.latencies: deque[float] = deque(maxlen=_LATENCIES)
        self.breaker = breaker.Breaker(policy.breaker_failures, policy.breaker_seconds)
        self._address = yarl.URL(address.rstrip("/") + "/")
        self._credentials = credentials
        own = (credentials.name.lower(),) if isinstance(credentials, Header | QueryKey) else ()
        self._hidden = (*REDACTED, *own)
        self._session = session
        self._places = asyncio.Semaphore(policy.concurrency)
        self._flights: flight.Flights[_Request, Reply] = flight.Flights()
        self._not_before = 0.0
        self._token: _Token | None = None
        self._token_turn = asyncio.Lock()

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
            PartnerError: as ``get``; or the link leaves the partner's origin.
        """
        try:
            link = self._address.join(yarl.URL(url)).with_user(None)
        except ValueError:
            raise errors.bad_answer("holds a link that cannot be read") from None
        if link.origin() != self._address.origin():
            raise errors.bad_answer("holds a link to another address")
        return await self._get(link, headers, accept)

    async def post_form(self, path: str, form: Pairs, *, accept: str = "application/json") -> Reply:
        """Return the answer to a form sent once: never shared, never repeated.

        Raises:
            PartnerError: as ``get``.
        """
        request = _Request("POST", self._below(path), accept, form=tuple(form))
        return await self._call(request, self._ends())

    async def close(self) -> None:
        """End every call in flight."""
        await self._flights.close()

    async def _get(self, url: yarl.URL, headers: Mapping[str, str], accept: str) -> Reply:
        request = _Request("GET", url, accept, tuple(headers.items()))
        ends = self._ends()
        try:
            return await self._flights.join(
                request, partial(self._call, request, ends), ends=ends, deadline=ends
            )
        except TimeoutError:
            raise too_slow() from None

    def _below(self, path: str) -> yarl.URL:
        return yarl.URL(f"{self._address}{path.lstrip('/')}")

    def _ends(self) -> float:
        return min(_now() + self.policy.deadline_seconds, _deadline.get())

    async def _call(self, request: _Request, deadline: float) -> Reply:
        self._refuse_while_resting()
        try:
            async with asyncio.timeout_at(deadline):
                await self._places.acquire()
        except TimeoutError:
            raise errors.Retriable(
                errors.Problem.BUSY,
                "Too many calls to this partner are under way.",
                RETRY_SECONDS,
            ) from None
        try:
            return await self._recorded(request, deadline)
        finally:
            self._places.release()

    def _refuse_while_resting(self) -> None:
        now = _now()
        if (wait := self._not_before - now) > 0:
            raise _busy(wait)
        if (wait := self.breaker.wait(now)) > 0:
            raise errors.Retriable(
                errors.Problem.RESTING,
                "This partner failed several times in a row and is left to rest.",
                wait,
            )

    async def _recorded(self, request: _Request, deadline: float) -> Reply:
        """Make the call, and let the breaker know how it went."""
        # The partner may have failed while this call waited for its place.
        self._refuse_while_resting()
        attempts = 1 if self.breaker.begin() or request.method != "GET" else self.policy.attempts
        try:
            async with asyncio.timeout_at(deadline):
                reply = await self._attempt(request, attempts, deadline)
        except TimeoutError:
            failure = too_slow()
            self._failed(failure)
            raise failure from None
        except errors.PartnerError as failure:
            self._failed(failure)
            raise
        except BaseException:
            # Whatever happened, the turn to probe is given back.
            self.breaker.abandoned()
            raise
        self._lives()
        return reply

    def _failed(self, failure: errors.PartnerError) -> None:
        if failure.problem not in _UNWELL:
            self._lives()
            return
        now = _now()
        resting = self.breaker.state(now) is not breaker.State.CLOSED
        self.breaker.failed(now)
        wait = self.breaker.wait(now)
        if failure.retry_after_seconds is not None:
            failure.retry_after_seconds = max(failure.retry_after_seconds, wait)
        if wait and not resting:
            _log.warning("%s rests for %g s: %s", self.slug, wait, failure.problem)

    def _lives(self) -> None:
        if self.breaker.opened_at is not None:
            _log.warning("%s is back", self.slug)
        self.breaker.succeeded()

    async def _attempt(self, request: _Request, attempts: int, deadline: float) -> Reply:
        for _ in range(attempts - 1):
            try:
                return await self._authorised(request)
            except _Passing as failure:
                asked = max(0.0, self._not_before - _now())
                pause = asked + random.uniform(*_JITTER_SECONDS)  # noqa: S311 - no secret
                if _now() + pause >= deadline:
                    raise
                _log.debug("%s is asked again: %s", self.slug, failure.problem)
            await asyncio.sleep(pause)
        return await self._authorised(request)

    async def _authorised(self, request: _Request) -> Reply:
        match self._credentials:
            case None:
                reply = await self._exchange(request)
            case OAuth2() as oauth2:
                token = await self._live_token(oauth2)
                reply = await self._exchange(_with_header(request, *_bearer(token)))
                if reply.status == 401:  # noqa: PLR2004 - Unauthorized
                    token = await self._live_token(oauth2, instead_of=token)
                    reply = await self._exchange(_with_header(request, *_bearer(token)))
            case Header(name, secret):
                reply = await self._exchange(_with_header(request, name, secret))
            case Basic(user, secret):
                reply = await self._exchange(_with_header(request, *_basic(user, secret)))
            case QueryKey(name, secret):
                url = request.url.update_query({name: secret})
                reply = await self._exchange(replace(request, url=url))
        return self._judged(reply, request.accept)

    async def _live_token(self, oauth2: OAuth2, instead_of: _Token | None = None) -> _Token:
        """Return a token that holds; one fetch is in flight, the others wait for it."""
        async with self._token_turn:
            token = self._token
            if token is None or token is instead_of or token.ends <= _now():
                self._token = token = await self._fetched_token(oauth2)
            return token

    async def _fetched_token(self, oauth2: OAuth2) -> _Token:
        form = [("grant_type", "client_credentials")]
        if oauth2.scopes:
            form.append(("scope", " ".join(oauth2.scopes)))
        request = _Request(
            "POST", self._below(oauth2.token_path), "application/json", form=tuple(form)
        )
        # RFC 6749, section 2.3.1: both are form-encoded before they are joined.
        header = _basic(quote(oauth2.client_id, safe=""), quote(oauth2.secret, safe=""))
        reply = await self._exchange(_with_header(request, *header))
        if 400 <= reply.status < 404:  # noqa: PLR2004 - the OAuth 2.0 refusals, RFC 6749 5.2
            raise _rejected()
        match self._judged(reply, request.accept).json():
            case {"access_token": str(text), **rest} if text.isascii() and text.isprintable():
                # A token that does not say when it ends is used until it is refused.
                seconds: Any = rest.get("expires_in", math.inf)
            case _:
                raise errors.bad_answer("holds no token")
        try:
            return _Token(text, _now() + float(seconds) - TOKEN_SKEW_SECONDS)
        except (TypeError, ValueError):
            raise errors.bad_answer("holds a token without an end") from None

    async def _exchange(self, request: _Request) -> Reply:
        """Send one request and return what came back, whatever its status."""
        began = _now()
        self.calls += 1
        status = 0
        try:
            async with self._session().request(
                request.method,
                request.url,
                headers={"Accept": request.accept, **dict(request.headers)},
                data=None if request.form is None else aiohttp.FormData(request.form),
                allow_redirects=False,
            ) as response:
                status = response.status
                # Only the body of a good answer is worth its bytes.
                body = await self._body(response) if response.status // 100 == 2 else b""  # noqa: PLR2004 - 2xx
                return Reply(status, response.headers.copy(), body)
        # What aiohttp raises may spell out the address with its key, so it is never chained.
        except aiohttp.ClientSSLError:
            raise errors.Misconfigured(
                errors.Problem.MISCONFIGURED, "The partner's certificate does not hold."
            ) from None
        except aiohttp.ClientResponseError:
            raise errors.bad_answer("is not HTTP") from None
        except zlib.error:
            raise errors.bad_answer("is packed, and cannot be unpacked") from None
        except ValueError:
            raise errors.Misconfigured(
                errors.Problem.MISCONFIGURED, "The partner's address or secret cannot be sent."
            ) from None
        except (aiohttp.ClientError, OSError):
            raise _Passing(
                errors.Problem.UNREACHABLE,
                "The partner cannot be reached, or hung up.",
                RETRY_SECONDS,
            ) from None
        finally:
            took = _now() - began
            self.latencies.append(took)
            _log.debug(
                "%s %s %s %s: %d in %.3f s",
                self.slug,
                request.method,
                HIDDEN if _private.get() else request.url.path,
                redact([*request.url.query.items(), *request.headers], self._logged()),
                status,
                took,
            )

    def _logged(self) -> Sequence[str]:
        """Return the words whose values are hidden: in private, every name has one."""
        return ("",) if _private.get() else self._hidden

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        """Return the body unpacked, never holding more than the limit and one chunk."""
        coding = response.headers.get("Content-Encoding", "identity").lower()
        if coding not in ("identity", "gzip"):
            raise errors.bad_answer("is packed in a way that was not asked for")
        unpacking = zlib.decompressobj(_GZIP) if coding == "gzip" else None
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            room = self.policy.body_bytes + 1 - len(body)
            body += unpacking.decompress(chunk, room) if unpacking else chunk
            if len(body) > self.policy.body_bytes:
                raise errors.Misconfigured(
                    errors.Problem.TOO_LARGE, "The partner's answer is larger than its limit."
                )
        if unpacking and not unpacking.eof:
            raise errors.bad_answer("is packed, and cut short")
        return bytes(body)

    def _judged(self, reply: Reply, accept: str) -> Reply:
        """Return the reply if its status and type are what was asked for."""
        if reply.status // 100 == 2:  # noqa: PLR2004 - 2xx
            _check_family(accept, reply.headers.get("Content-Type", ""))
            return reply
        if reply.status == 429 or (  # noqa: PLR2004 - Too Many Requests
            reply.status == 503 and "Retry-After" in reply.headers  # noqa: PLR2004 - Unavailable
        ):
            wait = _retry_after(reply.headers)
            self._not_before = _now() + wait
            raise _busy(wait, again=reply.status == 503)  # noqa: PLR2004 - Unavailable
        raise _failure(reply.status)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _with_header(request: _Request, name: str, value: str) -> _Request:
    return replace(request, headers=(*request.headers, (name, value)))


def _bearer(token: _Token) -> tuple[str, str]:
    return "Authorization", f"Bearer {token.text}"


def _basic(user: str, secret: str) -> tuple[str, str]:
    return "Authorization", f"Basic {b64encode(f'{user}:{secret}'.encode()).decode()}"


def _check_family(asked: str, given: str) -> None:
    for family in ("json", "xml"):
        if family in asked and family not in given.lower():
            raise errors.bad_answer(f"is not the {family.upper()} that was asked for")


def _retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds a Retry-After asks for (RFC 9110, section 10.2.3), bounded."""
    asked = headers.get("Retry-After", "").strip()
    try:
        if asked.isdecimal():
            seconds = float(asked)
        else:
            # A date is read by the partner's own clock, so the two clocks need not agree.
            until, since = (parsedate_to_datetime(text) for text in (asked, headers["Date"]))
            seconds = (until - since).total_seconds()
    except (ValueError, TypeError, KeyError):
        seconds = RETRY_SECONDS
    return min(max(seconds, 0.0), RETRY_MOST_SECONDS)


def _busy(wait: float, *, again: bool = False) -> errors.Retriable:
    kind = _Passing if again else errors.Retriable
    return kind(errors.Problem.BUSY, "The partner is busy and asks to be left alone a while.", wait)


def _rejected() -> errors.Misconfigured:
    return errors.Misconfigured(
        errors.Problem.MISCONFIGURED, "The partner does not take the credentials it was shown."
    )


def _failure(status: int) -> errors.PartnerError:
    """Return the error for a status that is neither 2xx nor a request to come back later."""
    if status in (401, 403):
        return _rejected()
    if 400 <= status < 500:  # noqa: PLR2004 - 4xx
        return errors.Refused(f"The partner refused this (HTTP {status}).")
    if status < 500:  # noqa: PLR2004 - 1xx and 3xx
        return errors.bad_answer(f"points elsewhere or nowhere (HTTP {status})")
    kind = _Passing if status in (502, 503, 504) else errors.Retriable
    return kind(errors.Problem.UNWELL, f"The partner failed inside (HTTP {status}).", RETRY_SECONDS)

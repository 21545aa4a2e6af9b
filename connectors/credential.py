"""How the hub shows a partner who asks: the ways there are, and the tokens of one of them."""

from __future__ import annotations

import asyncio
import contextlib
import math
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

import yarl

from connectors import errors, exchange
from credentials import assertion

#: A token is renewed this long before it ends, so that it never ends on its way.
TOKEN_SKEW_SECONDS = 30.0

_UNAUTHORIZED = 401
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

Exchange = Callable[[exchange.Request], Awaitable[exchange.Reply]]


#: What the secret may be by now: looked up when the one in use is refused.
Others = Callable[[], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Header:
    """A secret sent as it is in a header."""

    name: str
    secret: str = field(repr=False)
    others: Others = field(default=tuple, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Basic:
    """A user and a password (RFC 7617)."""

    user: str
    secret: str = field(repr=False)
    others: Others = field(default=tuple, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class QueryKey:
    """A secret sent as a key of the query."""

    name: str
    secret: str = field(repr=False)
    others: Others = field(default=tuple, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class OAuth2:
    """OAuth 2.0 client credentials (RFC 6749, section 4.4).

    ``method`` is one of OpenID Connect Core 1.0, section 9; for `private_key_jwt` the secret is
    a private JWK.
    """

    token_path: str
    client_id: str
    secret: str = field(repr=False)
    scopes: tuple[str, ...] = ()
    method: str = "client_secret_basic"
    audience: str | None = None
    others: Others = field(default=tuple, repr=False, compare=False)


Credentials = Header | Basic | QueryKey | OAuth2


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, and when it ends in the running loop's time."""

    text: str = field(repr=False)
    ends: float


def named(credentials: Credentials | None) -> tuple[str, ...]:
    """Return the name, in lower case, of the header or query key that carries the secret."""
    return (credentials.name.lower(),) if isinstance(credentials, Header | QueryKey) else ()


def shown(request: exchange.Request, credentials: Header | Basic | QueryKey) -> exchange.Request:
    """Return the request with the secret where it belongs."""
    match credentials:
        case Header(name, secret):
            return request.with_header(name, secret)
        case Basic(user, secret):
            return request.with_header(*_basic(user, secret))
        case QueryKey(name, secret):
            return replace(request, url=request.url.update_query({name: secret}))


def bearer(request: exchange.Request, token: Token) -> exchange.Request:
    """Return the request with a token (RFC 6750)."""
    return request.with_header("Authorization", f"Bearer {token.text}")


class Badge:
    """What one partner is shown.

    While a secret is being changed two are in force: when the one in use is refused, another that
    the operator has given by now is tried with the same request, and taken once it has passed.

    Args:
        credentials: Those in use.
        exchange: Sends a request as it is.
        grant: Asks for a token; ``link`` is where, of what the credentials say.
        clock: Tells the time, for what is signed.
    """

    def __init__(
        self,
        credentials: Credentials,
        exchange: Exchange,
        grant: Exchange,
        link: Callable[[str], yarl.URL],
        clock: Callable[[], datetime],
    ) -> None:
        self._credentials = credentials
        self._exchange = exchange
        self._tokens_of = partial(Tokens, ask=grant, link=link, clock=clock)
        self._carry = self._carrier(credentials)

    async def carry(self, request: exchange.Request) -> exchange.Reply:
        """Return the answer to a request that shows who asks.

        Raises:
            PartnerError: UNAUTHORIZED, no token is given for any of the secrets; or any other.
        """
        try:
            reply = await self._carry(request)
        except errors.PartnerError as refused:
            if refused.problem is not errors.Problem.UNAUTHORIZED:
                raise
            if (passed := await self._otherwise(request)) is None:
                raise
            return passed
        if reply.status != _UNAUTHORIZED:
            return reply
        return await self._otherwise(request) or reply

    async def _otherwise(self, request: exchange.Request) -> exchange.Reply | None:
        """Return the answer to the request under another secret, if one passes."""
        for secret in self._credentials.others():
            if secret == self._credentials.secret:
                continue
            following = replace(self._credentials, secret=secret)
            carry = self._carrier(following)
            with contextlib.suppress(errors.Misconfigured):
                if (reply := await carry(request)).status != _UNAUTHORIZED:
                    self._credentials, self._carry = following, carry
                    return reply
        return None

    def _carrier(self, credentials: Credentials) -> Exchange:
        if isinstance(credentials, OAuth2):
            return partial(self._with_token, self._tokens_of(credentials))
        return partial(self._with_secret, credentials)

    async def _with_secret(
        self, credentials: Header | Basic | QueryKey, request: exchange.Request
    ) -> exchange.Reply:
        return await self._exchange(shown(request, credentials))

    async def _with_token(self, tokens: Tokens, request: exchange.Request) -> exchange.Reply:
        token = await tokens.live()
        reply = await self._exchange(bearer(request, token))
        if reply.status == _UNAUTHORIZED:
            token = await tokens.live(instead_of=token)
            reply = await self._exchange(bearer(request, token))
        return reply


class Tokens:
    """The access tokens of one OAuth 2.0 client: one fetch is in flight, the others wait for it."""

    def __init__(
        self,
        oauth2: OAuth2,
        ask: Exchange,
        link: Callable[[str], yarl.URL],
        clock: Callable[[], datetime],
    ) -> None:
        self._oauth2 = oauth2
        self._ask = ask
        self._link = link
        self._clock = clock
        self._token: Token | None = None
        self._turn = asyncio.Lock()

    async def live(self, instead_of: Token | None = None) -> Token:
        """Return a token that holds, and is another than one that was refused.

        Raises:
            PartnerError: none is given.
        """
        async with self._turn:
            token = self._token
            if token is None or token is instead_of or token.ends <= _now():
                self._token = token = await self._fetched()
            return token

    async def _fetched(self) -> Token:
        match (await self._ask(self._asking())).json():
            case {"access_token": str(text), **rest} if text.isascii() and text.isprintable():
                # A token that does not say when it ends is used until it is refused.
                seconds: Any = rest.get("expires_in", math.inf)
            case _:
                raise errors.bad_answer("holds no token")
        try:
            return Token(text, _now() + float(seconds) - TOKEN_SKEW_SECONDS)
        except (TypeError, ValueError):
            raise errors.bad_answer("holds a token without an end") from None

    def _asking(self) -> exchange.Request:
        oauth2 = self._oauth2
        url = self._link(oauth2.token_path)
        form = [("grant_type", "client_credentials")]
        if oauth2.scopes:
            form.append(("scope", " ".join(oauth2.scopes)))
        headers = [("Content-Type", "application/x-www-form-urlencoded")]
        match oauth2.method:
            case "private_key_jwt":
                form += self._asserted(oauth2.audience or str(url))
            case "client_secret_post":
                form += [("client_id", oauth2.client_id), ("client_secret", oauth2.secret)]
            case _:
                # RFC 6749, section 2.3.1: both are form-encoded before they are joined.
                user, password = quote(oauth2.client_id, safe=""), quote(oauth2.secret, safe="")
                headers.append(_basic(user, password))
        if oauth2.audience and oauth2.method != "private_key_jwt":
            form.append(("audience", oauth2.audience))
        content = urlencode(form).encode()
        return exchange.Request("POST", url, "application/json", tuple(headers), content)

    def _asserted(self, audience: str) -> list[tuple[str, str]]:
        """Return what shows the client by a signature of its own (RFC 7523, section 2.2)."""
        oauth2 = self._oauth2
        try:
            signed = assertion.sign(oauth2.secret, oauth2.client_id, audience, self._clock())
        except assertion.KeyUnfitError as unfit:
            raise errors.Misconfigured(errors.Problem.MISCONFIGURED, f"{unfit}") from None
        return [
            ("client_id", oauth2.client_id),
            ("client_assertion_type", _ASSERTION),
            ("client_assertion", signed),
        ]


def _basic(user: str, secret: str) -> tuple[str, str]:
    return "Authorization", f"Basic {b64encode(f'{user}:{secret}'.encode()).decode()}"


def _now() -> float:
    return asyncio.get_running_loop().time()

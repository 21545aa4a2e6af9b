"""How the hub shows a partner who asks: the ways there are, and the tokens of one of them."""

from __future__ import annotations

import asyncio
import math
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

import yarl

from connectors import errors, exchange

#: A token is renewed this long before it ends, so that it never ends on its way.
TOKEN_SKEW_SECONDS = 30.0


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


class Tokens:
    """The access tokens of one OAuth 2.0 client: one fetch is in flight, the others wait for it."""

    def __init__(
        self,
        oauth2: OAuth2,
        url: yarl.URL,
        ask: Callable[[exchange.Request], Awaitable[exchange.Reply]],
    ) -> None:
        self._oauth2 = oauth2
        self._url = url
        self._ask = ask
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
        form = [("grant_type", "client_credentials")]
        if oauth2.scopes:
            form.append(("scope", " ".join(oauth2.scopes)))
        request = exchange.Request(
            "POST",
            self._url,
            "application/json",
            (("Content-Type", "application/x-www-form-urlencoded"),),
            urlencode(form).encode(),
        )
        # RFC 6749, section 2.3.1: both are form-encoded before they are joined.
        return request.with_header(
            *_basic(quote(oauth2.client_id, safe=""), quote(oauth2.secret, safe=""))
        )


def _basic(user: str, secret: str) -> tuple[str, str]:
    return "Authorization", f"Basic {b64encode(f'{user}:{secret}'.encode()).decode()}"


def _now() -> float:
    return asyncio.get_running_loop().time()

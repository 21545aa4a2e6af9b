"""What every answer says to browsers: take it for what it is, and show it to nobody else."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: What answers say that say nothing else: a page has a policy of its own.
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    # No more than this, since it also holds for the scripts of the editor that run by themselves.
    (b"content-security-policy", b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
)
#: By what a page of another site may tell us something, beside what any page may.
_ASKED = (
    "authorization",
    "dpop",
    "x-greenway-app",
    "x-greenway-app-version",
    "x-greenway-fault",
    "x-greenway-plan",
    "apollo-require-preflight",
    "apollographql-client-name",
    "apollographql-client-version",
    "graphql-client-name",
    "graphql-client-version",
    "traceparent",
)
_TOLD = ("etag", "retry-after", "www-authenticate")
#: Browsers ask no more often than this; some keep what they are told for two hours at most.
_PREFLIGHT_SECONDS = 7200


def headers(hsts_seconds: int = 0) -> tuple[tuple[bytes, bytes], ...]:
    """Return what every answer says; with seconds, that the hub is asked by https alone so long."""
    https = (b"strict-transport-security", b"max-age=%d" % hsts_seconds)
    return (*HEADERS, https) if hsts_seconds else HEADERS


class Polite:
    """An application whose every answer has these headers, unless it says otherwise itself.

    What answers at one of the paths ``apart`` says them itself.
    """

    def __init__(
        self, app: ASGIApp, said: Iterable[tuple[bytes, bytes]] = HEADERS, apart: Iterable[str] = ()
    ) -> None:
        self._app = app
        self._said = dict(said)
        self._apart = frozenset(apart)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in self._apart:
            await self._app(scope, receive, send)
            return

        async def sends(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*self._with(message.get("headers", ()))]}
            await send(message)

        await self._app(scope, receive, sends)

    def _with(self, given: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[bytes, bytes]]:
        own = dict(given)
        yield from given
        yield from ((name, value) for name, value in self._said.items() if name not in own)


def shared(app: ASGIApp, origins: Collection[str]) -> ASGIApp:
    """Return the application as pages of these origins may ask it; ``*`` is any.

    Browsers send no cookie and no certificate along: who asks is what the page itself shows.
    """
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=("GET", "POST"),
        allow_headers=_ASKED,
        expose_headers=_TOLD,
        max_age=_PREFLIGHT_SECONDS,
    )

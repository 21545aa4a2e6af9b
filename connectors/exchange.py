"""One request to a partner and what came back: values, how they are read, what no log shows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import orjson
import yarl
from defusedxml import DefusedXmlException, ElementTree

from connectors import errors

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


@dataclass(frozen=True, slots=True)
class Request:
    """One request; equal ones that only read share a flight.

    ``reads`` is whether it changes nothing at the partner: what acts is sent once, and alone.
    """

    method: str
    url: yarl.URL
    accept: str = "*/*"
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    content: bytes | None = field(default=None, repr=False)
    reads: bool = True

    def with_header(self, name: str, value: str) -> Request:
        """Return this request with one header more."""
        return replace(self, headers=(*self.headers, (name, value)))


@dataclass(frozen=True, slots=True)
class Reply:
    """A partner's answer, whole and unpacked; header names fold case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> Any:  # noqa: ANN401 - whatever the partner sent; the kind judges it
        """Return the body read as JSON.

        Raises:
            Misconfigured: NO_CONTENT, there is none; UNREADABLE, it is not JSON.
        """
        if not self.body:
            raise errors.no_content()
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise errors.unreadable("is not JSON, or is cut short") from None

    def xml(self) -> Element:
        """Return the root of the body read as XML; a DTD or an entity is refused.

        Raises:
            Misconfigured: UNREADABLE, it is not such XML.
        """
        try:
            return ElementTree.fromstring(self.body, forbid_dtd=True)
        except (ParseError, DefusedXmlException, ValueError, LookupError):
            raise errors.unreadable("is not XML that may be read, or is cut short") from None

    def text(self) -> str:
        """Return the body read as UTF-8.

        Raises:
            Misconfigured: UNREADABLE, it is not UTF-8.
        """
        try:
            return self.body.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise errors.unreadable("is not UTF-8 text") from None


#: Sends one request and returns what came back, whatever its status; ``int`` is the most bytes of
#: the body. What plays a recording, takes one or spoils an answer stands in for the one over
#: sockets.
Transport = Callable[[Request, int], Awaitable[Reply]]


def redact(pairs: Pairs, words: Sequence[str] = REDACTED) -> list[tuple[str, str]]:
    """Return the pairs, the values hidden whose names hold one of these words."""
    return [
        (name, HIDDEN if any(word in name.lower() for word in words) else value)
        for name, value in pairs
    ]

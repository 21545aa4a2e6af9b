"""What HTTP lets the hub keep of a partner's answers (RFC 9111), and how it asks for changes."""

from __future__ import annotations

import re
from collections import ChainMap, OrderedDict
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import cast

from connectors import exchange

#: The most answers, and the most bytes of their bodies, kept of one partner; the oldest go first.
ENTRIES = 128
BYTES = 4_000_000
#: Whatever a partner says, it is asked again after this time.
MOST_SECONDS = 3600.0

#: What asks whether an answer still holds, by the header of that answer (RFC 9110, section 13.1).
_VALIDATORS: Mapping[str, str] = MappingProxyType(
    {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
)
#: RFC 9111, section 3: not to be kept, or not by one who answers many.
_UNKEPT = frozenset({"no-store", "private"})
_NOT_MODIFIED = 304
_OK = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer: when it came, and until when it need not be asked for, in the loop's time."""

    reply: exchange.Reply
    came: float
    fresh_until: float

    def asked_after(self, request: exchange.Request) -> exchange.Request:
        """Return the request that this answers, asking only for what has changed."""
        for given, asked in _VALIDATORS.items():
            if value := self.reply.headers.get(given):
                request = request.with_header(asked, value)
        return request

    def renewed(self, reply: exchange.Reply) -> exchange.Reply:
        """Return this answer in place of one that says it still holds; any other as it is."""
        if reply.status != _NOT_MODIFIED:
            return reply
        # Only what was said first and last is looked up, however often the answer is renewed.
        first = self.reply.headers
        first = first.maps[-1] if isinstance(first, ChainMap) else first
        return replace(self.reply, headers=ChainMap(*map(_changing, (reply.headers, first))))


class Cache:
    """One partner's answers to requests that fetch; never to those about a person.

    It is the partner's client's own, and so is never read under another partner's credentials.
    """

    def __init__(self, poll_seconds: float = 0.0) -> None:
        """Keep answers as they say, and each at least so long as the partner is not to be asked."""
        self._poll_seconds = poll_seconds
        self._kept: OrderedDict[exchange.Request, Kept] = OrderedDict()
        self._bytes = 0

    def get(self, request: exchange.Request) -> Kept | None:
        """Return the last answer to this request, of whatever age."""
        return self._kept.get(request)

    def fresh(self, request: exchange.Request, now: float) -> Kept | None:
        """Return the last answer to this request, if it need not be asked for again yet.

        A request with a Cache-Control of its own wants none that nobody has asked after.
        """
        if any(name.lower() == "cache-control" for name, _ in request.headers):
            return None
        kept = self._kept.get(request)
        return kept if kept and now < kept.fresh_until else None

    def keep(self, request: exchange.Request, reply: exchange.Reply, now: float) -> None:
        """Keep a good answer, if it may be kept and will be of use."""
        self._drop(request)
        said = _directives(reply.headers.get("Cache-Control", ""))
        if reply.status != _OK or not _UNKEPT.isdisjoint(said):
            return
        # Whatever else an answer varies by is the same in equal requests.
        if reply.headers.get("Vary", "").strip() == "*":
            return
        seconds = max(_lifetime(said, reply.headers.get("Age", "0")), self._poll_seconds)
        if seconds <= 0 and not any(one in reply.headers for one in _VALIDATORS):
            return
        self._kept[request] = Kept(reply, now, now + seconds)
        self._bytes += len(reply.body)
        while self._bytes > BYTES or len(self._kept) > ENTRIES:
            self._drop(next(iter(self._kept)))

    def clear(self) -> None:
        """Forget all: an act may have changed any of it (RFC 9111, section 4.4)."""
        self._kept.clear()
        self._bytes = 0

    def _drop(self, request: exchange.Request) -> None:
        if kept := self._kept.pop(request, None):
            self._bytes -= len(kept.reply.body)


def _changing(headers: Mapping[str, str]) -> MutableMapping[str, str]:
    """Return headers as a chain takes them; nobody changes them there."""
    return cast("MutableMapping[str, str]", headers)


def _directives(text: str) -> dict[str, str]:
    """Return what a Cache-Control header says, by name (RFC 9111, section 5.2)."""
    named = re.findall(r'([\w-]+)(?:\s*=\s*"?([^",]*)"?)?', text.lower())
    return {name: value.strip() for name, value in named}


def _lifetime(said: Mapping[str, str], age: str) -> float:
    """Return for how many seconds more an answer holds by its own word; what is odd is 0."""
    most = said.get("max-age", "")
    if "no-cache" in said or not _is_seconds(most):
        return 0.0
    spent = float(age) if _is_seconds(age) else 0.0
    return min(float(most) - spent, MOST_SECONDS)


def _is_seconds(text: str) -> bool:
    return bool(re.fullmatch(r"\d{1,10}", text, re.ASCII))

"""Heads of requests that were read before: who asks again sends the same lines again."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

_END = b"\r\n\r\n"
#: So many are known at most, the last used; and none that is longer than this.
_MOST = 256
_MOST_BYTES = 4 * 1024
#: A head that says one of these asks for more than an answer.
_UNUSUAL = frozenset({b"expect", b"transfer-encoding", b"upgrade"})


class Head:
    """A head, what it comes to, and how long a body it has."""

    __slots__ = ("known", "length", "scope")

    def __init__(self, scope: dict[str, Any], length: int) -> None:
        self.scope = scope
        self.length = length
        #: What whoever answers makes of it.
        self.known: dict[object, Any] = {}


class Heads:
    """The heads of whole requests that the parser has read, by their bytes.

    The same bytes are the same head, so what it comes to need not be worked out again: that takes
    longer than many an answer.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}

    def of(self, request: bytes) -> Head | None:
        """Return the head of a request that is whole, if it is known."""
        end = request.find(_END) + len(_END)
        raw = request[:end]
        found = self._known.get(raw)
        if found is None or len(request) - end != found.length:
            return None
        # The last used is the last to go.
        del self._known[raw]
        self._known[raw] = found
        return found

    def learn(self, request: bytes, read: RequestResponseCycle) -> None:
        """Know the head of a request from now on, if what was read of it is just that request."""
        end = request.find(_END) + len(_END)
        fields = read.scope["headers"]
        is_usual = read.keep_alive and _UNUSUAL.isdisjoint(name for name, _ in fields)
        # An answer to HEAD has no body, whatever it says.
        is_usual = is_usual and read.scope["method"] != "HEAD"
        if read.more_body or len(request) - end != len(read.body) or not is_usual:
            return
        if end > _MOST_BYTES:
            return
        scope = {**read.scope, "headers": tuple(fields)}
        self._known[request[:end]] = Head(scope, len(read.body))
        if len(self._known) > _MOST:
            del self._known[next(iter(self._known))]

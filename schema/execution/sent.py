"""A request as it was sent: its head, worked out once for all that send the same, and its body."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from starlette.requests import Request
from starlette.types import Receive, Scope

from schema.execution import negotiation, packing, stream, tracing
from schema.execution.departure import Departure, Received
from schema.execution.seat import address_of

#: The extension of ASGI by which a server hands over a request whose head it has seen before. Its
#: ``known`` is one mapping for all requests with that head, where an application keeps what it
#: makes of it; its ``body`` is the whole body; its ``departure`` is told that the client has left.
#: And such a request may be answered by one message of this type, with a ``status``, the ``head``'s
#: lines with the empty one after them, and a ``body``.
WHOLE = "greenway.whole"

#: How a plan of the query is asked for: alone, or with the answer.
PLAN_HEADER = "x-greenway-plan"
_FAULT = b"x-greenway-fault"
#: Whoever sends one of these is answered anew: for a fresh answer, a plan, a fault, or a trace.
_FRESH = frozenset({b"cache-control", PLAN_HEADER.encode(), _FAULT, tracing.HEADER.encode()})


class Said:
    """What the head of a request says; nothing in it changes."""

    __slots__ = (
        "_fields", "coding", "has_fault", "has_origin", "is_json", "is_nobodys", "is_packed",
        "is_traced", "language", "may_be_kept", "media", "method", "offered", "plan", "query",
        "tags", "traceparent", "wants_parts",
    )  # fmt: skip

    def __init__(self, scope: Scope, *, has_page: bool) -> None:
        # An answer to HEAD is that to GET, of which the server keeps the body back.
        self.method: str = "GET" if scope["method"] == "HEAD" else scope["method"]
        self.query: bytes = scope["query_string"]
        self._fields = fields(scope["headers"])
        accept = self.header(b"accept")
        types = negotiation.ranked(accept)
        #: The media types that it may have, and the one that it has; None where none is accepted.
        self.offered = negotiation.offered(
            page=has_page and self.method == "GET" and not self.query
        )
        self.media = negotiation.preferred(accept, self.offered)
        #: How the answer is packed.
        self.coding = packing.preferred(self._fields.get(b"accept-encoding"))
        #: Whether an answer in parts may be wanted.
        self.wants_parts = stream.wanted(types) and scope["method"] != "HEAD"
        #: Whether its answer may be one that was kept, or be kept.
        self.may_be_kept = _FRESH.isdisjoint(self._fields) and not stream.wants_events(types)
        #: Whether partners are to fail for it.
        self.has_fault = _FAULT in self._fields
        #: Whether it shows nobody in particular.
        self.is_nobodys = b"authorization" not in self._fields
        #: Whether a page sent it, which others must let read the answer.
        self.has_origin = b"origin" in self._fields
        #: Whether its body is packed, and whether it is JSON in UTF-8.
        self.is_packed = (self.header(b"content-encoding") or "identity").lower() != "identity"
        kind, parameters = negotiation.media_type(self.header(b"content-type"))
        self.is_json = kind == negotiation.JSON and parameters.get("charset", "utf-8") == "utf-8"
        self.plan = self.header(PLAN_HEADER.encode())
        self.traceparent = self.header(b"traceparent")
        self.is_traced = self.header(tracing.HEADER.encode()) == tracing.WANTED
        self.language = self._fields.get(b"accept-language")
        #: The tags of answers that whoever asks has (RFC 9110, section 13.1.2).
        self.tags = self.header(b"if-none-match")

    def header(self, name: bytes) -> str | None:
        """Return a header."""
        found = self._fields.get(name)
        return None if found is None else found.decode("latin-1")


class Sent:
    """A request: what its ``said`` head says, and its ``body``, once that is read."""

    __slots__ = ("_request", "_whole", "body", "receive", "said", "scope")

    def __init__(self, scope: Scope, receive: Receive, *, has_page: bool) -> None:
        self.scope = scope
        self.receive = receive
        self._request: Request | None = None
        self._whole = whole = scope["extensions"].get(WHOLE) if "extensions" in scope else None
        if whole is None:
            self.said, self.body = Said(scope, has_page=has_page), b""
            return
        self.body = whole["body"]
        said = whole["known"].get(has_page)
        if said is None:
            said = whole["known"][has_page] = Said(scope, has_page=has_page)
        self.said = said

    @property
    def is_whole(self) -> bool:
        """Whether the server knew its head: then its body is here from the first."""
        return self._whole is not None

    def departure(self) -> Departure:
        """Return what tells that the client has left; the body must have been read."""
        if self._whole is None:
            return Received(self.receive)
        departure: Departure = self._whole["departure"]
        return departure

    @property
    def address(self) -> str:
        """Where it comes from."""
        return address_of(self.scope)

    def raw(self) -> Hashable:
        """Return what the answer depends on that is the same for everybody: all that was sent."""
        said = self.said
        asked = said.query if said.method == "GET" else self.body
        # Whoever takes parts may be answered in parts.
        return said.method, asked, said.media, said.wants_parts, said.coding, said.language

    def request(self) -> Request:
        """Return it as Starlette has it."""
        if self._request is None:
            self._request = Request(self.scope, self.receive)
        return self._request


def fields(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return headers by name; several of one name are one list (RFC 9110, section 5.3)."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        found[name] = b"%s, %s" % (found[name], value) if name in found else value
    return found

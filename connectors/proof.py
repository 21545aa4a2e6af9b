"""Plays the examples of partner files and kinds, without a socket, and tells what differs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson
from multidict import CIMultiDict

from connectors import base, credential, errors, exchange, http
from eligibility import rulebook
from models import offer

#: Where the played partner is; `.invalid` is nobody's name (RFC 6761, section 6.4).
ADDRESS = "https://partner.invalid"
TOKEN = "example-token"  # noqa: S105 - no secret

_POLICY = http.Policy(deadline_seconds=30.0, attempts=1)


async def play(
    kind: type[base.Connector[Any]],
    options: base.Options,
    example: base.Example,
    credentials: credential.Credentials | None = None,
    hosts: Sequence[str] = (),
) -> list[str]:
    """Return how what comes of an example differs from what it says, a sentence each.

    Args:
        kind: The kind of partner.
        options: The partner's, as the kind reads them.
        example: What is played: its replies in order, each to the request it expects.
        credentials: What the partner is shown; an OAuth 2.0 token is given unless the replies tell
            of it.
        hosts: Further origins that links may lead to.
    """
    script = _Script(example.replies)
    async with http.HTTPClient(script.answer) as client:
        partner = client.partner("example", ADDRESS, _POLICY, credentials, hosts)
        found = await _outcome(kind(options, partner), example)
    return [*script.differences, *script.unplayed(), *_differences(example, found)]


class _Outcome:
    """What came of an example."""

    def __init__(self) -> None:
        self.offers: Sequence[Sequence[offer.Offer]] = ()
        self.facts: Mapping[str, object] = {}
        self.booked: base.Booked | None = None
        self.problem: errors.Problem | None = None


async def _outcome(connector: base.Connector[Any], example: base.Example) -> _Outcome:
    found = _Outcome()
    try:
        with http.within(asyncio.get_running_loop().time() + _POLICY.deadline_seconds):
            if example.inquiries:
                found.offers = await connector.answer(example.inquiries)
            if example.wanted:
                found.facts = await connector.facts(example.subject, example.wanted)
            if example.order:
                found.booked = await _booked(connector, example.order, example.steps)
    except errors.PartnerError as failure:
        found.problem = failure.problem
    return found


async def _booked(
    connector: base.Connector[Any], order: base.Order, steps: Sequence[base.Act]
) -> base.Booked | None:
    """Return what the last of these steps gives, each going on from the one before."""
    booked: base.Booked | None = None
    for step in steps:
        match step, booked:
            case base.Act.RESERVE, _:
                booked = await connector.reserve(order)
            case base.Act.FIND, _:
                booked = await connector.find(order)
            case base.Act.CONFIRM, base.Booked():
                booked = await connector.confirm(order, booked)
            case base.Act.CANCEL, base.Booked():
                booked = await connector.cancel(order, booked)
    return booked


def _differences(example: base.Example, found: _Outcome) -> Iterator[str]:
    if found.problem != example.problem:
        yield f"The problem is {_word(found.problem)}, expected was {_word(example.problem)}."
        return
    if found.problem is not None:
        return
    for place, (inquiry, offers, expected) in enumerate(
        zip(example.inquiries, found.offers, example.offers, strict=False)
    ):
        yield from _offers_differ(f"offers[{place}]", inquiry, offers, expected)
    if len(found.offers) != len(example.inquiries):
        yield f"Lists of offers: {len(found.offers)}, inquiries: {len(example.inquiries)}."
    yield from _mappings_differ("facts", found.facts, example.facts)
    known = rulebook.known_facts()
    for name, value in found.facts.items():
        if known[name].taken(value) is None:
            yield f"facts.{name}: is no value of this fact."
    booked = {name: text(getattr(found.booked, name, None)) for name in example.booked}
    yield from _mappings_differ("booked", booked, example.booked)


def _offers_differ(
    at: str,
    inquiry: base.Inquiry,
    offers: Sequence[offer.Offer],
    expected: Sequence[Mapping[str, str]],
) -> Iterator[str]:
    if len(offers) != len(expected):
        yield f"{at}: came {len(offers)}, expected were {len(expected)}."
    for place, (one, fields) in enumerate(zip(offers, expected, strict=False)):
        if type(one) is not offer.SHAPES[inquiry.capability]:
            yield f"{at}[{place}]: is no {inquiry.capability}."
        shown = {name: text(getattr(one, name, None)) for name in fields}
        yield from _mappings_differ(f"{at}[{place}]", shown, fields)


def _mappings_differ(
    at: str, found: Mapping[str, object], expected: Mapping[str, object]
) -> Iterator[str]:
    for name in sorted({*found, *expected}):
        if found.get(name) != expected.get(name):
            yield f"{at}.{name}: is “{found.get(name)}”, expected was “{expected.get(name)}”."


def text(value: object) -> str:
    """Return a field's value as examples write it; times as ISO 8601."""
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _word(problem: str | None) -> str:
    return problem or "none"


class _Script:
    """The played partner: gives the replies in order, and notes what it does not expect."""

    def __init__(self, replies: Sequence[base.Reply]) -> None:
        self._waiting = list(replies)
        self.differences: list[str] = []

    def unplayed(self) -> Iterator[str]:
        """Yield the replies that nobody asked for."""
        for reply in self._waiting:
            yield f"Nobody asked for {reply.method} {reply.path}."

    async def answer(self, request: exchange.Request, _: int) -> exchange.Reply:
        """Answer as a transport does; a request that is not expected is failed."""
        if _asks_for_token(request) and not self._tells_of(request):
            body = orjson.dumps({"access_token": TOKEN, "expires_in": 3600})
            return _reply(200, "application/json", body)
        reply = self._waiting.pop(0) if self._waiting else None
        wrong = _wrong(request, reply)
        if reply is None or wrong:
            self.differences.append(f"{request.method} {request.url.path}: {wrong}")
            return _reply(500, "text/plain", b"")
        headers = {name: _addressed(told) for name, told in reply.headers.items()}
        return _reply(reply.status, reply.content_type, _addressed(reply.body).encode(), headers)

    def _tells_of(self, request: exchange.Request) -> bool:
        return bool(self._waiting) and _is_at(request, self._waiting[0])


def _reply(
    status: int, content_type: str, body: bytes, headers: Mapping[str, str] | None = None
) -> exchange.Reply:
    return exchange.Reply(
        status, CIMultiDict({"Content-Type": content_type, **(headers or {})}), body
    )


def _addressed(text_: str) -> str:
    return text_.replace("{address}", ADDRESS)


def _asks_for_token(request: exchange.Request) -> bool:
    return request.method == "POST" and b"grant_type=" in (request.content or b"")


def _is_at(request: exchange.Request, reply: base.Reply) -> bool:
    """Return whether a request goes where a reply waits."""
    path = reply.path.removeprefix(ADDRESS).lstrip("/")
    there = request.url.raw_path.lstrip("/"), request.url.path.lstrip("/")
    return request.method == reply.method and path in there


def _wrong(request: exchange.Request, reply: base.Reply | None) -> str:
    """Return what is wrong with a request, or nothing."""
    if reply is None:
        return "no further request was expected."
    if not _is_at(request, reply):
        return f"{reply.method} {reply.path} was expected."
    asked = request.url.query
    for name, value in reply.query.items():
        expected = [value] if isinstance(value, str) else list(value)
        if sorted(asked.getall(name, [])) != sorted(expected):
            return f"the query's `{name}` should be {expected}, is {asked.getall(name, [])}."
    if reply.sends:
        return _lacks(_content(request), reply.sends, "the body")
    return ""


def _content(request: exchange.Request) -> Any:  # noqa: ANN401 - what the body holds
    content = request.content or b""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return dict(parse_qsl(content.decode(errors="replace"), keep_blank_values=True))


def _lacks(found: Any, expected: Any, at: str) -> str:  # noqa: ANN401 - data of any shape
    """Return where data lacks what is expected of it: further keys may be there."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        wrong = (_lacks(found.get(key), one, f"{at}.{key}") for key, one in expected.items())
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(found, expected, strict=True))
        wrong = (_lacks(one, wanted, f"{at}[{place}]") for place, (one, wanted) in pairs)
    else:
        return "" if found == expected else f"{at} should be {expected!r}, is {found!r}."
    return next(filter(None, wrong), "")

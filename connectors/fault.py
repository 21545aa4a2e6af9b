"""Partners that fail on request: what a script says becomes of each, in one query alone.

A partner that fails so is made for the query: its memory, flights, breaker and counts are its own.
Only what carries its requests is spoilt; whatever comes of that passes the code that every answer
passes.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from connectors import base, errors, exchange, partner
from models import errors as mistakes

#: The longest delay that a script may ask for.
MOST_SECONDS = 86_400.0

_SAYS = re.compile(r"(?P<whom>[a-z0-9-]+)\s*=\s*(?P<mode>[a-z-]+)(?::(?P<more>\w+))?")
_TIME = re.compile(r"(?P<number>\d{1,6})(?P<unit>ms|s|m|h)")
_UNITS = MappingProxyType({"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0})
_JSON = MappingProxyType({"Content-Type": "application/json"})
_PAGE = b"<!doctype html><title>Maintenance</title><h1>We will be back soon.</h1>"


class Mode(StrEnum):
    """How a partner fails: the closed list, also in docs/querying.md."""

    SLOW = "slow"
    DOWN = "down"
    HANG = "hang"
    ERROR = "error"
    HTML = "html"
    TRUNCATED = "truncated"
    STALE = "stale"
    RATE_LIMITED = "rate-limited"


@dataclass(frozen=True, slots=True)
class Fault:
    """How one partner fails.

    ``seconds`` is how much later it answers, how long ago it last did, or when to come back;
    ``status`` is an error's.
    """

    mode: Mode
    seconds: float = 0.0
    status: int = 500


#: What is said where the script says no more than the mode.
_PLAIN = MappingProxyType(
    {
        Mode.SLOW: Fault(Mode.SLOW, 1.0),
        Mode.STALE: Fault(Mode.STALE, 600.0),
        Mode.RATE_LIMITED: Fault(Mode.RATE_LIMITED, 5.0),
    }
)


class Asked(Protocol):
    """Whom a query asks: a partner at work, or one that stands in for it."""

    async def ask(self, inquiries: Sequence[base.Inquiry], deadline: float) -> list[partner.Answer]:
        """As ``Partner.ask``."""

    async def supply(self, subject: str, names: frozenset[str], deadline: float) -> partner.Supply:
        """As ``Partner.supply``."""

    async def book(
        self, act: base.Act, order: base.Order, booked: base.Booked | None, deadline: float
    ) -> base.Booked | None:
        """As ``Partner.book``."""


def read(script: str) -> dict[str, Fault]:
    """Return what a script says, by partner or kind: ``hospital=slow:2s, xinhua-bank=down``.

    Raises:
        BadInputError: it cannot be read.
    """
    return dict(_said(part.strip()) for part in script.split(","))


def applied(script: str, partners: Mapping[str, partner.Partner]) -> dict[str, Asked]:
    """Return those who stand in for partners of whom a script says something, by slug.

    What is said of a partner counts before what is said of its kind.

    Raises:
        BadInputError: the script cannot be read, or there is no such partner or kind.
    """
    faults = read(script)
    known = {*partners, *(one.kind.slug for one in partners.values())}
    for name in faults:
        if name not in known:
            near = mistakes.did_you_mean(mistakes.nearest(name, known))
            raise mistakes.BadInputError(f"There is no partner or kind “{name}” to fail.", near)
    return {
        slug: stand_in(one, faults.get(slug) or faults[one.kind.slug])
        for slug, one in partners.items()
        if slug in faults or one.kind.slug in faults
    }


def stand_in(one: partner.Partner, fault: Fault) -> Asked:
    """Return a partner that fails so, and shares nothing with the one at work."""
    if fault.mode is Mode.STALE:
        return _Stale(one, timedelta(seconds=fault.seconds))
    return one.apart(lambda send: _spoilt(fault, send))


class _Stale:
    """A partner that said what it says a while ago, and has been down since."""

    def __init__(self, one: partner.Partner, age: timedelta) -> None:
        self._one = one
        self._age = age
        self._down = one.apart(lambda _: _down)

    async def ask(self, inquiries: Sequence[base.Inquiry], deadline: float) -> list[partner.Answer]:
        """Return what it says, as it is remembered after that time."""
        is_over = False

        def spoil(send: exchange.Transport) -> exchange.Transport:
            async def carried(request: exchange.Request, body_bytes: int) -> exchange.Reply:
                return await (_down if is_over else send)(request, body_bytes)

            return carried

        def at(now: datetime) -> datetime:
            return now if is_over else now - self._age

        one = self._one.apart(spoil, at)
        await one.ask(inquiries, deadline)
        is_over = True
        return await one.ask(inquiries, deadline)

    async def supply(self, subject: str, names: frozenset[str], deadline: float) -> partner.Supply:
        """Return that it is down: what it knows of people is not remembered."""
        return await self._down.supply(subject, names, deadline)

    async def book(
        self, act: base.Act, order: base.Order, booked: base.Booked | None, deadline: float
    ) -> base.Booked | None:
        """Fail, as whoever is down.

        Raises:
            PartnerError: always.
        """
        return await self._down.book(act, order, booked, deadline)


def _said(part: str) -> tuple[str, Fault]:
    found = _SAYS.fullmatch(part)
    if found is None:
        raise mistakes.BadInputError(
            f"“{mistakes.shown(part)}” says no fault.", "Say: hospital=slow:2s, xinhua-bank=down."
        )
    whom, named, more = found["whom"], found["mode"], found["more"]
    if named not in set(Mode):
        near = mistakes.did_you_mean(mistakes.nearest(named, set(Mode)))
        known = ", ".join(Mode)
        raise mistakes.BadInputError(f"There is no fault “{named}”.", near or f"Known: {known}.")
    plain = _PLAIN.get(Mode(named), Fault(Mode(named)))
    return whom, plain if more is None else _more(plain, more)


def _more(plain: Fault, more: str) -> Fault:
    """Return a fault with what its script says of it: a status or a time."""
    if plain.mode is Mode.ERROR and re.fullmatch(r"[45]\d\d", more):
        return replace(plain, status=int(more))
    time = _TIME.fullmatch(more)
    if plain.mode in _PLAIN and time is not None:
        seconds = int(time["number"]) * _UNITS[time["unit"]]
        if seconds <= MOST_SECONDS:
            return replace(plain, seconds=seconds)
    raise mistakes.BadInputError(
        f"“{plain.mode}:{mistakes.shown(more)}” says no fault.",
        f"An error has a status (error:503); {', '.join(_PLAIN)} have a time (500ms, 2s, 10m, 1h).",
    )


def _spoilt(fault: Fault, send: exchange.Transport) -> exchange.Transport:
    """Return what carries requests as the fault wants it."""

    async def slow(request: exchange.Request, body_bytes: int) -> exchange.Reply:
        await asyncio.sleep(fault.seconds)
        return await send(request, body_bytes)

    async def truncated(request: exchange.Request, body_bytes: int) -> exchange.Reply:
        reply = await send(request, body_bytes)
        return replace(reply, body=reply.body[: len(reply.body) // 2])

    ways: Mapping[Mode, exchange.Transport] = {
        Mode.SLOW: slow,
        Mode.DOWN: _down,
        Mode.HANG: _hang,
        Mode.ERROR: _says(exchange.Reply(fault.status, _JSON, b"{}")),
        Mode.HTML: _says(exchange.Reply(200, {"Content-Type": "text/html"}, _PAGE)),
        Mode.TRUNCATED: truncated,
        Mode.RATE_LIMITED: _says(
            exchange.Reply(429, {"Retry-After": str(math.ceil(fault.seconds))}, b"")
        ),
    }
    return ways[fault.mode]


def _says(reply: exchange.Reply) -> exchange.Transport:
    async def says(_: exchange.Request, __: int) -> exchange.Reply:
        return reply

    return says


async def _down(_: exchange.Request, __: int) -> exchange.Reply:
    raise errors.Passing(
        errors.Problem.UNREACHABLE, "The partner cannot be reached.", errors.RETRY_SECONDS
    )


async def _hang(_: exchange.Request, __: int) -> exchange.Reply:
    await asyncio.Event().wait()
    raise errors.too_slow()

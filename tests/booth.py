"""A cinema on loopback that can be booked, the kind that asks it, and a hub that has it at work.

Run as a module it is a hub of its own process, which books one seat and may be killed over it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

from aiohttp import web

from connectors import base, errors, partner
from connectors.base import Booked, Step
from models import offer
from tests import hub

SLUG = "hongqiao-cinema"
#: What one person asks of it; both seats are of tomorrow.
SEAT = {"service": "film-tickets", "partner": SLUG, "offer": "a-1", "idempotencyKey": "first"}
OTHER_SEAT = {**SEAT, "offer": "a-2", "idempotencyKey": "second"}
RESERVE = """mutation ($input: ReserveOfferInput!) { reserveOffer(input: $input) {
  ... on Booking { id state title startsAt reference expiresAt retryAfter problem { code message }
    partner { code } }
  ... on Fault { __typename code message hint }
  ... on NotDoneFault { booking { id state } } ... on NotEligibleFault { outcome } } }"""
HOLD = timedelta(minutes=15)
_START = hub.NOW + timedelta(days=1)


class Booth:
    """The cinema: what it has sold, by key, and how it answers.

    ``answering`` is cleared to let it do what it is asked and never say so; ``acted`` is set when
    it has done something. ``fails`` is the status of every answer, instead of doing anything.
    """

    def __init__(self) -> None:
        self.bookings: dict[str, dict[str, object]] = {}
        self.fails: int | None = None
        self.answering = asyncio.Event()
        self.answering.set()
        self.acted = asyncio.Event()

    async def does(self, request: web.Request) -> web.StreamResponse:
        if self.fails is not None:
            return web.json_response({}, status=self.fails)
        if request.path == "/showings":
            taken = {one["seat"] for one in self.bookings.values() if one["state"] != "cancelled"}
            return web.json_response([seat for seat in ("a-1", "a-2") if seat not in taken])
        if request.method == "GET":
            return web.json_response(self.bookings.get(request.query["key"]))
        said = await request.json()
        if request.method == "POST":
            if any(one["seat"] == said["seat"] for one in self.bookings.values()):
                return web.json_response({}, status=409)
            self.bookings[said["key"]] = {
                **said,
                "state": "held",
                "reference": f"R-{len(self.bookings) + 1}",
                "until": (hub.NOW + HOLD).isoformat(),
            }
        else:
            self.bookings[said["key"]]["state"] = said["state"]
        self.acted.set()
        await self.answering.wait()
        return web.json_response(self.bookings[said["key"]])


class Kind(base.Connector[base.Options]):
    """Asks the booth."""

    slug = "booth"
    label: ClassVar = {"en": "Booth", "zh": "票亭"}
    capabilities = books = frozenset({offer.Capability.SHOWING})
    options_model = base.Options

    async def answer(self, inquiries):
        seats = (await self.partner.get("showings")).json()
        showings = [
            offer.Showing(id=seat, title="The Lantern Maker", start=_START, venue="Hall 1")
            for seat in seats
        ]
        return [showings] * len(inquiries)

    async def reserve(self, order):
        said = {"key": order.key, "seat": order.offer, "person": order.subject}
        try:
            return await self._sent("POST", said)
        except errors.Refused as refused:
            if refused.status == web.HTTPConflict.status_code:
                raise errors.Refused("This is taken.", errors.Problem.CONFLICT) from None
            raise

    async def confirm(self, order, booked):
        return await self._stepped(order, booked, "confirmed")

    async def cancel(self, order, booked):
        return await self._stepped(order, booked, "cancelled")

    async def find(self, order):
        found = (await self.partner.get("bookings", query=[("key", order.key)])).json()
        return _booked(found) if found else None

    async def _stepped(self, order, booked, state):
        said = {"key": order.key, "reference": booked.reference, "state": state}
        return await self._sent("PUT", said)

    async def _sent(self, method: str, said: dict[str, str]) -> Booked:
        return _booked((await self.partner.send(method, "bookings", content=_json(said))).json())


def _json(said: dict[str, str]) -> bytes:
    return web.json_response(said).body  # type: ignore[return-value] - a payload of bytes


def _booked(told) -> Booked:
    until = datetime.fromisoformat(told["until"]) if told["state"] == "held" else None
    return Booked(Step(told["state"]), told["reference"], until)


async def join(standing: hub.Standing, address: str, **changed: object) -> None:
    """Put the booth to work in a hub, in the place of the sandbox's cinema."""
    registry = await standing.hub.partners.current()
    known = registry.partners[SLUG].manifest
    limits = known.limits.model_copy(update={"deadline_seconds": 1.0})
    described = known.model_copy(
        update={"books": [offer.Capability.SHOWING], "limits": limits, **changed}
    )
    client = standing.hub.client.partner(SLUG, address, described.limits.policy())
    joined = partner.Partner(described, Kind(base.Options(), client), standing.clock)
    partners = {**registry.partners, SLUG: joined}
    standing.hub.partners.registry = dataclasses.replace(registry, partners=partners)


async def book(url: str, folder: Path, address: str) -> None:
    """Book a seat in a hub of this process."""
    standing = hub.Standing.over(folder, url, {}, hub.Clock())
    await join(standing, address)
    await standing.ask(RESERVE, {"input": SEAT}, viewer="holder")


if __name__ == "__main__":
    asyncio.run(book(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))

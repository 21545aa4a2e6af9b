"""A hospital that speaks FHIR R4 or R5: its free slots are appointments, and can be booked."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal
from urllib.parse import quote

import pydantic

from connectors import base, errors, exchange, fhir, wire
from models import offer

_MIME_VERSION = {"R4": "4.0", "R5": "5.0"}
#: The hub's names for a booking and for a person, as FHIR names things of others.
_BOOKING = "urn:greenway:booking"
_PERSON = "urn:greenway:person"
#: What is about to be changed is read anew, whatever a cache on the way remembers.
_FRESH = {"Cache-Control": "no-cache"}
#: What was changed comes back whole, with its new version.
_WHOLE = {"Prefer": "return=representation"}
#: How far an appointment of each status is (FHIR's AppointmentStatus, R4 and R5).
_STEPS = {
    "proposed": base.Step.HELD,
    "pending": base.Step.HELD,
    "waitlist": base.Step.HELD,
    "booked": base.Step.CONFIRMED,
    "arrived": base.Step.CONFIRMED,
    "checked-in": base.Step.CONFIRMED,
    "fulfilled": base.Step.CONFIRMED,
    "cancelled": base.Step.CANCELLED,
    "noshow": base.Step.CANCELLED,
    "entered-in-error": base.Step.CANCELLED,
}


class Options(base.Options):
    """What a hospital's file says beside its address."""

    fhir_version: Literal["R4", "R5"] = pydantic.Field(
        default="R4", description="The FHIR version asked for; R5 wraps a slot's service types."
    )
    codes: Mapping[str, str] = pydantic.Field(
        default={},
        description="The hospital's own service type code by topic, where the two differ.",
    )
    page_size: int = pydantic.Field(
        default=200, ge=1, le=1000, description="Slots asked for in one page."
    )


class _Link(wire.Record):
    relation: str
    url: str


class _Entry(wire.Record):
    resource: fhir.Resource


class _Bundle(wire.Record):
    type: Literal["searchset"]
    link: tuple[_Link, ...] = ()
    entry: tuple[_Entry, ...] = ()

    @property
    def next(self) -> str | None:
        """Where the next page is."""
        return next((link.url for link in self.link if link.relation == "next"), None)


class Hospital(base.Connector[Options]):
    """Slots are searched once for all service types and windows asked; each status is read.

    A booking takes the slot first, in the version that was read (`If-Match`), and marks it with
    the booking's key; then it makes the appointment. So two never have one slot, and whatever is
    lost on the way, the key finds how far it came.
    """

    slug = "hospital"
    label: ClassVar[Mapping[str, str]] = {"en": "Hospital", "zh": "医院"}
    capabilities = frozenset({offer.Capability.APPOINTMENT})
    books = frozenset({offer.Capability.APPOINTMENT})
    options_model = Options

    async def answer(self, inquiries: Sequence[base.Inquiry]) -> Sequence[Sequence[offer.Offer]]:
        """Return the free slots for each inquiry.

        A server that knows no `_include` is asked for the schedules by one call more.
        """
        codes = [self.options.codes.get(one.topic, one.topic) for one in inquiries]
        found = await self._search(
            "Slot",
            [
                ("status", "free"),
                ("service-type", ",".join(sorted(set(codes)))),
                ("start", f"ge{min(one.since for one in inquiries).isoformat()}"),
                ("start", f"lt{max(one.until for one in inquiries).isoformat()}"),
                ("_include", "Slot:schedule"),
                ("_sort", "start"),
                ("_count", str(self.options.page_size)),
            ],
        )
        if absent := fhir.absent_schedules(found):
            count = ("_count", str(len(absent)))
            found += await self._search("Schedule", [("_id", ",".join(absent)), count])
        slots = fhir.Slots(found)
        return [
            slots.appointments(inquiry, code)
            for inquiry, code in zip(inquiries, codes, strict=True)
        ]

    async def reserve(self, order: base.Order) -> base.Booked:
        """Take the slot, then propose the appointment; refused, the slot is given back."""
        if order.units != 1:
            raise errors.Refused("An appointment is for one.")
        slot = await self._read(_slot(order))
        if slot.get("status") != "free":
            raise errors.Refused("This slot is taken already.", errors.Problem.CONFLICT)
        await self._replace(_taken(slot, order))
        try:
            return await self._make(order, slot, "proposed")
        except errors.PartnerError as failure:
            # Where nobody knows whether there is an appointment, nothing is undone: `find` tells.
            undo, failure.may_have_acted = not failure.may_have_acted, True
            if undo:
                with contextlib.suppress(errors.PartnerError):
                    await self._give_back(order)
                    failure.may_have_acted = False
            raise

    async def confirm(self, order: base.Order, booked: base.Booked) -> base.Booked:
        """Book the appointment; its slot, which was tentatively busy, is busy."""
        slot = await self._read(_slot(order))
        if slot.get("status") == "busy-tentative":
            await self._replace({**slot, "status": "busy"})
        if booked.reference == _slot(order):
            return await self._make(order, slot, "booked")
        return await self._turn(booked, "booked")

    async def cancel(self, order: base.Order, booked: base.Booked) -> base.Booked:
        """Cancel the appointment, then free its slot: it is never booked and free at once."""
        if booked.reference == _slot(order):
            await self._give_back(order)
            return base.Booked(base.Step.CANCELLED, booked.reference)
        cancelled = await self._turn(booked, "cancelled")
        try:
            await self._give_back(order)
        except errors.PartnerError as failure:
            failure.may_have_acted = True
            raise
        return cancelled

    async def find(self, order: base.Order) -> base.Booked | None:
        """Return the appointment with the order's key, or the slot that was taken for it."""
        token = ("identifier", f"{_BOOKING}|{order.key}")
        found = await self._search("Appointment", [token], headers=_FRESH)
        for appointment in fhir.identified(found, _BOOKING, order.key):
            return _booked(appointment)
        try:
            slot = await self._read(_slot(order))
        except errors.Refused as failure:
            if failure.problem is errors.Problem.NOT_FOUND:
                return None
            raise
        held = any(fhir.identified([slot], _BOOKING, order.key))
        return base.Booked(base.Step.HELD, _slot(order)) if held else None

    @property
    def _accept(self) -> str:
        return f"application/fhir+json; fhirVersion={_MIME_VERSION[self.options.fhir_version]}"

    async def _search(
        self, resource_type: str, query: exchange.Pairs, headers: Mapping[str, str] = {}
    ) -> list[fhir.Resource]:
        """Return what all pages of a search hold."""
        accept = self._accept
        reply = await self.partner.get(resource_type, query=query, headers=headers, accept=accept)
        bundles = [wire.read(_Bundle, reply.json())]
        most = self.partner.policy.pages
        while (following := bundles[-1].next) is not None:
            if len(bundles) == most:
                raise errors.bad_answer(f"goes on for more than {most} pages")
            reply = await self.partner.follow(following, headers=headers, accept=accept)
            bundles.append(wire.read(_Bundle, reply.json()))
        return [entry.resource for bundle in bundles for entry in bundle.entry]

    async def _read(self, reference: str) -> fhir.Resource:
        """Return a resource as it is now, its version in `meta` even where only a header has it."""
        reply = await self.partner.get(reference, headers=_FRESH, accept=self._accept)
        resource = wire.read(fhir.Resource, reply.json())
        tag = reply.headers.get("ETag", "").removeprefix("W/").strip('"')
        resource["meta"] = {"versionId": tag, **resource.get("meta", {})}
        if not resource["meta"]["versionId"]:
            raise errors.bad_answer("says of no version that it is the present one")
        return resource

    async def _replace(self, resource: fhir.Resource) -> exchange.Reply:
        """Put a changed resource in the place of the version that was read."""
        return await self.partner.send(
            "PUT",
            f"{resource['resourceType']}/{quote(resource['id'], safe='')}",
            headers={**_WHOLE, "If-Match": f'W/"{resource["meta"]["versionId"]}"'},
            content=json.dumps(resource).encode(),
            content_type="application/fhir+json",
            accept=self._accept,
        )

    async def _make(self, order: base.Order, slot: fhir.Resource, status: str) -> base.Booked:
        """Create the appointment, unless one with this key is there already."""
        reply = await self.partner.send(
            "POST",
            "Appointment",
            headers={**_WHOLE, "If-None-Exist": f"identifier={_BOOKING}|{order.key}"},
            content=json.dumps(_appointment(order, slot, status)).encode(),
            content_type="application/fhir+json",
            accept=self._accept,
        )
        return _booked(reply.json())

    async def _turn(self, booked: base.Booked, status: str) -> base.Booked:
        """Give an appointment another status, unless it has come as far already."""
        appointment = await self._read(booked.reference)
        now = _booked(appointment)
        if now.step is _STEPS[status]:
            return now
        if now.step is base.Step.CANCELLED:
            raise errors.Refused("The appointment was cancelled.", errors.Problem.CONFLICT)
        return _booked((await self._replace({**appointment, "status": status})).json())

    async def _give_back(self, order: base.Order) -> None:
        slot = await self._read(_slot(order))
        if any(fhir.identified([slot], _BOOKING, order.key)):
            await self._replace(_given_back(slot, order))


class _Appointment(wire.Record):
    id: str
    status: str


def _booked(resource: object) -> base.Booked:
    appointment = wire.read(_Appointment, resource)
    if appointment.status not in _STEPS:
        raise errors.bad_answer("gives an appointment a status that FHIR does not know")
    return base.Booked(_STEPS[appointment.status], f"Appointment/{quote(appointment.id, safe='')}")


def _slot(order: base.Order) -> str:
    return f"Slot/{quote(order.offer, safe='')}"


def _taken(slot: fhir.Resource, order: base.Order) -> fhir.Resource:
    """Return the slot with the order's mark; the last it takes makes it busy."""
    taken, left = _counted(slot, -1)
    marks = [*slot.get("identifier", ()), {"system": _BOOKING, "value": order.key}]
    return {**taken, "status": "free" if left > 0 else "busy-tentative", "identifier": marks}


def _given_back(slot: fhir.Resource, order: base.Order) -> fhir.Resource:
    mark = {"system": _BOOKING, "value": order.key}
    freed, _ = _counted(slot, +1)
    return {
        **freed,
        "status": "free",
        "identifier": [one for one in slot["identifier"] if one != mark],
    }


def _counted(slot: fhir.Resource, change: int) -> tuple[fhir.Resource, int]:
    """Return the slot with its capacity changed, and what is left of it: 0 where it has none."""
    capacity = wire.read(fhir.Slot, slot).extensions.capacity
    if capacity is None:
        return slot, 0
    left = capacity.value_integer + change
    others = [one for one in slot["extension"] if one.get("url") != fhir.CAPACITY]
    return {**slot, "extension": [*others, {"url": fhir.CAPACITY, "valueInteger": left}]}, left


def _appointment(order: base.Order, slot: fhir.Resource, status: str) -> fhir.Resource:
    person = {"type": "Patient", "identifier": {"system": _PERSON, "value": order.subject}}
    return {
        "resourceType": "Appointment",
        "identifier": [{"system": _BOOKING, "value": order.key}],
        "status": status,
        "serviceType": slot.get("serviceType", []),
        "start": slot["start"],
        "end": slot["end"],
        "slot": [{"reference": _slot(order)}],
        "participant": [{"actor": person, "status": "accepted"}],
    }

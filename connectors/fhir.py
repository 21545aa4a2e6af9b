"""What FHIR's scheduling resources are read as, in R4 and R5: free slots become appointments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, Literal

import pydantic

from connectors import base, errors, wire
from models import offer

#: The two extensions of SMART Scheduling Links that say how many a slot takes and where to book.
CAPACITY = "http://fhir-registry.smarthealthit.org/StructureDefinition/slot-capacity"
BOOKING = "http://fhir-registry.smarthealthit.org/StructureDefinition/booking-deep-link"

#: A resource as it came: what is sent back must hold what nobody here reads.
Resource = dict[str, Any]


class Coding(wire.Record):
    """One code of a concept."""

    code: str | None = None
    display: str | None = None


class Concept(wire.Record):
    """A CodeableConcept."""

    coding: tuple[Coding, ...] = ()
    text: str | None = None


class ServiceType(Concept):
    """An R4 concept, or an R5 reference that holds one."""

    concept: Concept | None = None


class Reference(wire.Record):
    """A reference to another resource."""

    reference: str = ""
    display: str | None = None

    @property
    def key(self) -> str:
        """The `Type/id` a relative and an absolute reference have in common."""
        return "/".join(self.reference.partition("/_history/")[0].split("/")[-2:])


class _Capacity(wire.Record):
    value_integer: int = pydantic.Field(ge=0)


class _Booking(wire.Record):
    value_url: wire.WebAddress


class Extensions(wire.Record):
    """The extensions of a slot that are read."""

    capacity: _Capacity | None = pydantic.Field(default=None, validation_alias=CAPACITY)
    booking: _Booking | None = pydantic.Field(default=None, validation_alias=BOOKING)


class Slot(wire.Record):
    """A time that can be booked."""

    id: str
    status: Literal["free", "busy", "busy-unavailable", "busy-tentative", "entered-in-error"]
    start: pydantic.AwareDatetime
    end: pydantic.AwareDatetime
    schedule: Reference
    service_type: tuple[ServiceType, ...] = ()
    extension: tuple[Resource, ...] = ()
    comment: str | None = None

    @property
    def extensions(self) -> Extensions:
        """Those that are used; what others hold is nobody's concern, the first of several holds."""
        used = {one["url"]: one for one in reversed(self.extension) if one.get("url") in _USED}
        return wire.read(Extensions, used)


_USED = (CAPACITY, BOOKING)


class Schedule(wire.Record):
    """Whose slots they are."""

    id: str
    actor: tuple[Reference, ...] = ()
    service_type: tuple[ServiceType, ...] = ()


class _Address(wire.Record):
    line: tuple[str, ...] = ()
    city: str | None = None


class Location(wire.Record):
    """A place."""

    id: str
    name: str
    address: _Address | None = None

    @property
    def where(self) -> str:
        """The place's name and, where it is given, its address."""
        address = self.address or _Address()
        return ", ".join(filter(None, (self.name, *address.line, address.city)))


class Slots:
    """The free slots among resources, by service type; of two with one id, the later is read."""

    def __init__(self, resources: Sequence[Resource]) -> None:
        slots = {slot.id: slot for slot in of_type(Slot, resources)}.values()
        self._schedules = {f"Schedule/{one.id}": one for one in of_type(Schedule, resources)}
        self._locations = {f"Location/{one.id}": one for one in of_type(Location, resources)}
        self._places: dict[str, str] = {}
        self._by_code: defaultdict[str | None, list[tuple[Slot, Concept]]] = defaultdict(list)
        free = (slot for slot in slots if slot.status == "free")
        for slot in sorted(free, key=attrgetter("start", "id")):
            # A slot without service types of its own has its schedule's.
            for one in slot.service_type or self._schedule(slot).service_type:
                concept = one.concept or one
                for code in {coding.code for coding in concept.coding}:
                    self._by_code[code].append((slot, concept))

    def appointments(self, inquiry: base.Inquiry, code: str) -> list[offer.Appointment]:
        """Return the free slots of one service type that start in the inquiry's window."""
        return [
            self._appointment(slot, concept)
            for slot, concept in self._by_code[code]
            if inquiry.since <= slot.start < inquiry.until
        ]

    def _appointment(self, slot: Slot, concept: Concept) -> offer.Appointment:
        extensions = slot.extensions
        return offer.Appointment(
            id=slot.id,
            title=concept.text or concept.coding[0].display or "Appointment",
            url=str(extensions.booking.value_url) if extensions.booking else None,
            start=slot.start,
            end=slot.end,
            where=self._where(slot),
            remaining=extensions.capacity.value_integer if extensions.capacity else None,
            attributes=(offer.Attribute("note", "Note", slot.comment),) if slot.comment else (),
        )

    def _schedule(self, slot: Slot) -> Schedule:
        try:
            return self._schedules[slot.schedule.key]
        except KeyError:
            raise errors.bad_answer("leaves out the schedule of a slot") from None

    def _where(self, slot: Slot) -> str:
        reference = slot.schedule.reference
        if reference not in self._places:
            self._places[reference] = self._place(self._schedule(slot))
        return self._places[reference]

    def _place(self, schedule: Schedule) -> str:
        for actor in schedule.actor:
            location = self._locations.get(actor.key)
            name = actor.display or (location.where if location else None)
            if actor.key.startswith("Location/") and name:
                return name
        raise errors.bad_answer("names no place for a slot")


def absent_schedules(resources: Sequence[Resource]) -> list[str]:
    """Return the ids of the schedules that slots refer to and that are not among the resources."""
    there = {f"Schedule/{one.id}" for one in of_type(Schedule, resources)}
    wanted = {slot.schedule.key for slot in of_type(Slot, resources) if slot.status == "free"}
    return sorted(key.partition("/")[2] for key in wanted - there)


def of_type(shape: type[wire.T], resources: Sequence[Mapping[str, Any]]) -> list[wire.T]:
    """Read the resources of one type: an answer may also hold outcomes and what was included."""
    return wire.read(
        list[shape],  # type: ignore[valid-type]  # a shape is a type like any other
        [one for one in resources if one.get("resourceType") == shape.__name__],
    )


def identified(resources: Sequence[Resource], system: str, value: str) -> Iterator[Resource]:
    """Yield the resources that bear this identifier."""
    for one in resources:
        if {"system": system, "value": value} in one.get("identifier", ()):
            yield one

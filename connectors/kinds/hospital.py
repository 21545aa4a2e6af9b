"""A hospital that speaks FHIR R4 or R5: its free slots are appointments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, ClassVar, Literal, get_args

import pydantic

from connectors import base, errors, wire
from models import offer

#: The two extensions of SMART Scheduling Links that say how many a slot takes and where to book.
_CAPACITY = "http://fhir-registry.smarthealthit.org/StructureDefinition/slot-capacity"
_BOOKING = "http://fhir-registry.smarthealthit.org/StructureDefinition/booking-deep-link"
_USED = (_CAPACITY, _BOOKING)

_MIME_VERSION = {"R4": "4.0", "R5": "5.0"}
_MOST_PAGES = 20


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


class _Coding(wire.Record):
    code: str | None = None
    display: str | None = None


class _Concept(wire.Record):
    coding: tuple[_Coding, ...] = ()
    text: str | None = None


class _ServiceType(_Concept):
    """An R4 concept, or an R5 reference that holds one."""

    concept: _Concept | None = None


class _Reference(wire.Record):
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


class _Extensions(wire.Record):
    capacity: _Capacity | None = pydantic.Field(default=None, validation_alias=_CAPACITY)
    booking: _Booking | None = pydantic.Field(default=None, validation_alias=_BOOKING)


class _Slot(wire.Record):
    id: str
    status: Literal["free", "busy", "busy-unavailable", "busy-tentative", "entered-in-error"]
    start: pydantic.AwareDatetime
    end: pydantic.AwareDatetime
    schedule: _Reference
    service_type: tuple[_ServiceType, ...] = ()
    extension: tuple[dict[str, Any], ...] = ()
    comment: str | None = None


class _Schedule(wire.Record):
    id: str
    actor: tuple[_Reference, ...] = ()
    service_type: tuple[_ServiceType, ...] = ()


class _Location(wire.Record):
    id: str
    name: str


class _Link(wire.Record):
    relation: str
    url: str


class _Entry(wire.Record):
    resource: dict[str, Any]


class _Bundle(wire.Record):
    type: Literal["searchset"]
    link: tuple[_Link, ...] = ()
    entry: tuple[_Entry, ...] = ()

    @property
    def next(self) -> str | None:
        """Where the next page is."""
        return next((link.url for link in self.link if link.relation == "next"), None)


class _Found:
    """What all pages of a search hold, by reference; a slot that moved between pages is one."""

    def __init__(self, bundles: Sequence[_Bundle]) -> None:
        resources = [entry.resource for bundle in bundles for entry in bundle.entry]
        slots = {slot.id: slot for slot in _read(list[_Slot], resources)}.values()
        self.schedules = {f"Schedule/{one.id}": one for one in _read(list[_Schedule], resources)}
        locations = _read(list[_Location], resources)
        self.locations = {f"Location/{one.id}": one.name for one in locations}
        self.places: dict[str, str] = {}
        self.by_code: defaultdict[str | None, list[tuple[_Slot, _Concept]]] = defaultdict(list)
        free = (slot for slot in slots if slot.status == "free")
        for slot in sorted(free, key=attrgetter("start", "id")):
            # A slot without service types of its own has its schedule's.
            for one in slot.service_type or self._schedule(slot).service_type:
                concept = one.concept or one
                for code in {coding.code for coding in concept.coding}:
                    self.by_code[code].append((slot, concept))

    def appointments(self, inquiry: base.Inquiry, code: str) -> list[offer.Appointment]:
        """Return the free slots of one service type that start in the inquiry's window."""
        return [
            self._appointment(slot, concept)
            for slot, concept in self.by_code[code]
            if inquiry.since <= slot.start < inquiry.until
        ]

    def _appointment(self, slot: _Slot, concept: _Concept) -> offer.Appointment:
        # What other extensions hold is nobody's concern; the first of several is read.
        used = {one["url"]: one for one in reversed(slot.extension) if one.get("url") in _USED}
        extensions = wire.read(_Extensions, used)
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

    def _schedule(self, slot: _Slot) -> _Schedule:
        try:
            return self.schedules[slot.schedule.key]
        except KeyError:
            raise errors.bad_answer("leaves out the schedule of a slot") from None

    def _where(self, slot: _Slot) -> str:
        reference = slot.schedule.reference
        if reference not in self.places:
            self.places[reference] = self._place(self._schedule(slot))
        return self.places[reference]

    def _place(self, schedule: _Schedule) -> str:
        for actor in schedule.actor:
            name = actor.display or self.locations.get(actor.key)
            if actor.key.startswith("Location/") and name:
                return name
        raise errors.bad_answer("names no place for a slot")


class Hospital(base.Connector[Options]):
    """Slots are searched once for all service types and windows asked; each status is read."""

    slug = "hospital"
    label: ClassVar[Mapping[str, str]] = {"en": "Hospital", "zh": "医院"}
    capabilities = frozenset({offer.Capability.APPOINTMENT})
    options_model = Options

    async def answer(self, inquiries: Sequence[base.Inquiry]) -> Sequence[Sequence[offer.Offer]]:
        """Return the free slots for each inquiry."""
        codes = [self.options.codes.get(one.topic, one.topic) for one in inquiries]
        found = _Found(await self._search(inquiries, codes))
        return [
            found.appointments(inquiry, code)
            for inquiry, code in zip(inquiries, codes, strict=True)
        ]

    async def _search(
        self, inquiries: Sequence[base.Inquiry], codes: Sequence[str]
    ) -> list[_Bundle]:
        version = _MIME_VERSION[self.options.fhir_version]
        accept = f"application/fhir+json; fhirVersion={version}"
        reply = await self.partner.get(
            "Slot",
            query=[
                ("status", "free"),
                ("service-type", ",".join(sorted(set(codes)))),
                ("start", f"ge{min(one.since for one in inquiries).isoformat()}"),
                ("start", f"lt{max(one.until for one in inquiries).isoformat()}"),
                ("_include", "Slot:schedule"),
                ("_sort", "start"),
                ("_count", str(self.options.page_size)),
            ],
            accept=accept,
        )
        bundles = [wire.read(_Bundle, reply.json())]
        while (following := bundles[-1].next) is not None:
            if len(bundles) == _MOST_PAGES:
                raise errors.bad_answer(f"goes on for more than {_MOST_PAGES} pages")
            reply = await self.partner.follow(following, accept=accept)
            bundles.append(wire.read(_Bundle, reply.json()))
        return bundles


def _read(shape: type[list[wire.T]], resources: Sequence[Mapping[str, Any]]) -> list[wire.T]:
    """Read the resources of one type; a bundle may also hold outcomes and what was included."""
    name = get_args(shape)[0].__name__.lstrip("_")
    return wire.read(shape, [one for one in resources if one.get("resourceType") == name])

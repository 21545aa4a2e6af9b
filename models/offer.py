"""What partners give: a closed set of capability shapes that every kind of partner fills in.

A new partner, or a new kind of partner, never adds a shape (docs/adr/0005). What a shape has no
field for goes into ``attributes``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Self

from models.once import Once


class Capability(StrEnum):
    """The closed list of shapes; the value is the word used in service and partner files."""

    APPOINTMENT = "appointment"
    QUOTE = "quote"
    PLACE = "place"
    SHOWING = "showing"
    PASS = "pass"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One more fact about an offer that its shape has no field for."""

    name: str
    label: str
    value: str
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What all offers share. ``id`` is stable within its partner; ``url`` is where to act on it."""

    id: str
    title: str
    url: str | None = None
    attributes: tuple[Attribute, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment(Offer):
    """A time somebody can be seen: ``start`` and ``end`` are aware; ``remaining`` counts seats."""

    start: datetime
    end: datetime
    where: str
    remaining: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote(Offer):
    """A price or a rate for an instrument; a reference rate is no selling price and says so."""

    instrument: str
    currency: str
    amount: Decimal | None = None
    rate: Decimal | None = None
    observed_on: date | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place(Offer):
    """A place in an intake: a school year, a course, a tower of apartments."""

    where: str
    intake: str
    capacity: int | None = None
    remaining: int | None = None
    apply_by: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Showing(Offer):
    """A film, a concert, an exhibition at a time: ``seats`` are left at ``price`` each."""

    start: datetime
    venue: str
    end: datetime | None = None
    seats: int | None = None
    price: Decimal | None = None
    price_currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass(Offer):
    """A right to be let through: ``units`` uses within ``window_start`` to ``window_end``."""

    where: str
    units: int | None = None
    window_start: datetime | None = None
    window_end: datetime | None = None


class Offers(tuple[Offer, ...]):  # noqa: SLOT001 - a tuple has no place for one
    """What a partner offers who is asked one question; ``once`` has what was made of it.

    A partner that says the same again offers the very same.
    """

    once: Once

    def __new__(cls, given: Iterable[Offer] = ()) -> Self:
        """Return these offers, in their order."""
        made = super().__new__(cls, given)
        made.once = Once()
        return made

    @classmethod
    def of(cls, given: Iterable[Offer]) -> Self:
        """Return these offers: as they are, where they are such already."""
        return given if isinstance(given, cls) else cls(given)


SHAPES: dict[Capability, type[Offer]] = {
    Capability.APPOINTMENT: Appointment,
    Capability.QUOTE: Quote,
    Capability.PLACE: Place,
    Capability.SHOWING: Showing,
    Capability.PASS: Pass,
}

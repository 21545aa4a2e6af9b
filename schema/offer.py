"""The closed vocabulary of what partners give, typed where a front end draws it."""

from __future__ import annotations

from dataclasses import field
from datetime import date, datetime
from decimal import Decimal

import strawberry

from connectors.partner import Freshness
from models import offer
from schema import scalars
from schema.caching import OPEN
from schema.execution.told import Texts

scalars.describe(
    offer.Capability,
    "What a partner can be asked for; each has one shape of offer.",
    {
        "APPOINTMENT": "A time to be seen: Appointment.",
        "QUOTE": "A price or a rate: Quote.",
        "PLACE": "A place in an intake: Place.",
        "SHOWING": "A film, a concert, an exhibition: Showing.",
        "PASS": "A right to be let through: Pass.",
    },
)
scalars.describe(
    Freshness,
    "How true a partner's answer is.",
    {
        "LIVE": "The partner said so for this query.",
        "CACHED": "The partner said so a moment ago, within its agreed freshness.",
        "STALE": "The partner failed; this is what it said last, at `observedAt`.",
        "UNAVAILABLE": "The partner failed, and nothing is remembered.",
    },
)


@strawberry.type(
    description="One more fact about an offer that its type has no field for.", directives=[OPEN]
)
class OfferAttribute:
    name: str = strawberry.field(description="A stable name.")
    label: str = strawberry.field(description="What to show it as.")
    value: str = strawberry.field(description="The value, as text.")
    unit: str | None = strawberry.field(description="The unit of the value.")


@strawberry.interface(
    description="Something a partner offers. New partners add no new types.", directives=[OPEN]
)
class Offer:
    id: strawberry.ID = strawberry.field(description="Stable within its partner.")
    title: str = strawberry.field(description="What it is, in the partner's own words.")
    url: str | None = strawberry.field(description="Where to act on it, at the partner's.")
    attributes: list[OfferAttribute] = strawberry.field(description="What else there is to say.")
    texts: strawberry.Private[Texts] = field(default_factory=Texts)


@strawberry.type(description="A time somebody can be seen.", directives=[OPEN])
class Appointment(Offer):
    start: datetime = strawberry.field(description="When it begins.")
    end: datetime | None = strawberry.field(description="When it ends, if said.")
    where: str = strawberry.field(description="Where it is.")
    remaining: int | None = strawberry.field(description="How many seats are left, if said.")


@strawberry.type(
    description="A price or a rate. A reference rate is nobody's selling price.", directives=[OPEN]
)
class Quote(Offer):
    instrument: str = strawberry.field(description="What is priced, such as `USD/CNY`.")
    currency: str = strawberry.field(description="The currency it is in (ISO 4217).")
    amount: Decimal | None = strawberry.field(description="The price, for a price.")
    rate: Decimal | None = strawberry.field(description="Units of `currency` for one, for a rate.")
    observed_on: date | None = strawberry.field(description="The day it was observed.")
    valid_until: datetime | None = strawberry.field(description="Until when it holds, if said.")


@strawberry.type(description="A place in an intake: a school year, a course.", directives=[OPEN])
class Place(Offer):
    where: str = strawberry.field(description="Where the place is.")
    intake: str = strawberry.field(description="The intake it belongs to.")
    capacity: int | None = strawberry.field(description="How many places there are.")
    remaining: int | None = strawberry.field(description="How many are left.")
    apply_by: date | None = strawberry.field(description="The last day to apply.")


@strawberry.type(description="A film, a concert, an exhibition, at a time.", directives=[OPEN])
class Showing(Offer):
    start: datetime = strawberry.field(description="When it begins.")
    end: datetime | None = strawberry.field(description="When it ends, if said.")
    venue: str = strawberry.field(description="Where it is.")
    seats: int | None = strawberry.field(description="How many seats are left, if said.")
    price: Decimal | None = strawberry.field(description="The price of a seat, if said.")
    price_currency: str | None = strawberry.field(
        description="The currency of the price (ISO 4217)."
    )


@strawberry.type(description="A right to be let through, such as past a queue.", directives=[OPEN])
class Pass(Offer):
    where: str = strawberry.field(description="Where it holds.")
    units: int | None = strawberry.field(description="How often it may be used.")
    window_start: datetime | None = strawberry.field(description="From when it holds.")
    window_end: datetime | None = strawberry.field(description="Until when it holds.")


#: The type of each shape; `build_schema` lists them, since fields only name the interface.
TYPES: dict[type[offer.Offer], type[Offer]] = {
    offer.Appointment: Appointment,
    offer.Quote: Quote,
    offer.Place: Place,
    offer.Showing: Showing,
    offer.Pass: Pass,
}


def of(found: offer.Offer) -> Offer:
    """Return an offer as the graph says it: the shapes' fields bear the same names."""
    attributes = [
        OfferAttribute(name=one.name, label=one.label, value=one.value, unit=one.unit)
        for one in found.attributes
    ]
    shape = type(found)
    fields = {name: getattr(found, name) for name in shape.__dataclass_fields__}
    return TYPES[shape](**{**fields, "attributes": attributes})

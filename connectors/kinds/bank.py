"""A bank that publishes open data: its branches are passes, its reference rates are quotes."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal
from typing import Annotated, ClassVar, Literal, get_args
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

import pydantic
from pydantic.alias_generators import to_pascal

from connectors import base, errors, wire
from models import offer

#: Opening hours are local wherever the bank's computer is; the locator's offsets are noise.
_HERE = ZoneInfo("Asia/Shanghai")
_BRANCHES = "open-banking/v{version}/branches"
_BRANCH_JSON = "application/prs.openbanking.opendata.v{version}+json"
_RATES = "eurofxref-daily.xml"
_CUBE = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"
_HOME = "CNY"
#: As many significant digits as the feed gives: a cross rate is no more exact than its parts.
_DIGITS = Context(prec=6)


class Options(base.Options):
    """What a bank's file says beside its address."""

    serves: Literal["branches", "rates"] = pydantic.Field(
        description="Its branch locator (passes), or its daily reference rates (quotes)."
    )
    version: Literal["2.2", "2.3"] = pydantic.Field(
        default="2.3", description="The version of the branch locator."
    )
    services: Mapping[str, tuple[str, ...]] = pydantic.Field(
        default={},
        description="By topic, the locator's service codes of which a branch must have one.",
    )
    currencies: tuple[str, ...] = pydantic.Field(
        default=(), description="The currencies quoted against CNY; all of the feed's when empty."
    )


class _Named(wire.Record):
    """The locator writes its names in Pascal case."""

    model_config = pydantic.ConfigDict(alias_generator=to_pascal)


def _local(text: object) -> time:
    return time.fromisoformat(str(text)).replace(tzinfo=None)


_Weekday = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_LocalTime = Annotated[time, pydantic.PlainValidator(_local)]


class _Hours(_Named):
    opening_time: _LocalTime
    closing_time: _LocalTime


class _Day(_Named):
    name: _Weekday
    opening_hours: tuple[_Hours, ...] = ()


class _Standard(_Named):
    day: tuple[_Day, ...] = ()


class _NonStandard(_Standard):
    """Days on which the standard hours do not hold; without hours the branch is closed."""

    from_date: datetime
    to_date: datetime


class _Availability(_Named):
    standard_availability: _Standard
    non_standard_availability: tuple[_NonStandard, ...] = ()

    def hours(self, on: date) -> list[_Hours]:
        """Return the opening hours of one day, in order."""
        holding: _Standard = self.standard_availability
        for exception in self.non_standard_availability:
            if exception.from_date.date() <= on <= exception.to_date.date():
                holding = exception
        name = get_args(_Weekday)[on.weekday()]
        hours = [hours for day in holding.day if day.name == name for hours in day.opening_hours]
        return sorted(hours, key=lambda one: one.opening_time)


class _Coordinates(_Named):
    latitude: Decimal
    longitude: Decimal


class _GeoLocation(_Named):
    geographic_coordinates: _Coordinates


class _Address(_Named):
    address_line: tuple[str, ...] = ()
    street_name: str | None = None
    building_number: str | None = None
    town_name: str | None = None
    geo_location: _GeoLocation | None = None

    @property
    def lines(self) -> Iterator[str]:
        """The address from the house outward."""
        street = " ".join(filter(None, (self.building_number, self.street_name)))
        yield from filter(None, (*self.address_line, street, self.town_name))


class _Branch(_Named):
    identification: str
    name: str
    service_and_facility: tuple[str, ...] = ()
    accessibility: tuple[str, ...] = ()
    availability: _Availability | None = None
    postal_address: _Address


class _Brand(_Named):
    branch: tuple[_Branch, ...]


class _Brands(_Named):
    brand: tuple[_Brand, ...]


class _Locator(wire.Record):
    data: tuple[_Brands, ...]


class Bank(base.Connector[Options]):
    """One call answers all: neither the locator nor the feed can be asked for less than all."""

    slug = "bank"
    label: ClassVar[Mapping[str, str]] = {"en": "Bank", "zh": "银行"}
    capabilities = frozenset({offer.Capability.PASS, offer.Capability.QUOTE})
    options_model = Options

    @classmethod
    def capabilities_of(cls, options: Options) -> frozenset[offer.Capability]:
        """Return passes for a locator, quotes for a feed of rates."""
        if options.serves == "rates":
            return frozenset({offer.Capability.QUOTE})
        return frozenset({offer.Capability.PASS})

    async def answer(self, inquiries: Sequence[base.Inquiry]) -> Sequence[Sequence[offer.Offer]]:
        """Return the branches, or the latest rates, for each inquiry.

        A branch's window is the first of its opening hours within the inquiry's, and none if
        the locator does not give its hours; a branch that stays closed gives no pass. Rates are
        the latest there are, whatever the inquiry's window.
        """
        if self.options.serves == "rates":
            reply = await self.partner.get(_RATES, accept="text/xml")
            quotes = _quotes(reply.xml(), self.options.currencies)
            return [quotes if _asks(one, offer.Capability.QUOTE) else [] for one in inquiries]
        version = self.options.version
        reply = await self.partner.get(
            _BRANCHES.format(version=version), accept=_BRANCH_JSON.format(version=version)
        )
        locator = wire.read(_Locator, reply.json())
        branches = [one for data in locator.data for brand in data.brand for one in brand.branch]
        return [
            self._passes(one, branches) if _asks(one, offer.Capability.PASS) else []
            for one in inquiries
        ]

    def _passes(self, inquiry: base.Inquiry, branches: Sequence[_Branch]) -> list[offer.Pass]:
        codes = set(self.options.services.get(inquiry.topic, (inquiry.topic,)))
        passes = [
            _pass(branch, window)
            for branch in branches
            if codes & set(branch.service_and_facility)
            for window in _windows(branch, inquiry)
        ]
        return sorted(passes, key=lambda one: (one.window_start or inquiry.until, one.id))


def _asks(inquiry: base.Inquiry, capability: offer.Capability) -> bool:
    return inquiry.capability is capability


def _windows(
    branch: _Branch, inquiry: base.Inquiry
) -> Iterator[tuple[datetime, datetime] | tuple[None, None]]:
    """Yield the one window a branch's pass has; nothing if it is closed all the time."""
    if branch.availability is None:
        yield None, None
        return
    on = inquiry.since.astimezone(_HERE).date()
    while datetime.combine(on, time.min, _HERE) < inquiry.until:
        for hours in branch.availability.hours(on):
            start = datetime.combine(on, hours.opening_time, _HERE)
            end = datetime.combine(on, hours.closing_time, _HERE)
            if end <= start:
                end += timedelta(days=1)
            if end > inquiry.since and start < inquiry.until:
                yield start, end
                return
        on += timedelta(days=1)


def _pass(branch: _Branch, window: tuple[datetime, datetime] | tuple[None, None]) -> offer.Pass:
    codes = (*branch.service_and_facility, *branch.accessibility)
    where = branch.postal_address.geo_location
    return offer.Pass(
        id=branch.identification,
        title=f"Green channel at {branch.name}",
        where=", ".join((branch.name, *branch.postal_address.lines)),
        window_start=window[0],
        window_end=window[1],
        attributes=(
            *(offer.Attribute(code, _label(code), "yes") for code in codes),
            *(_position(where.geographic_coordinates) if where else ()),
        ),
    )


@functools.lru_cache
def _label(code: str) -> str:
    """Return `BureauDeChange` as “Bureau de change”."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", code).capitalize()


def _position(coordinates: _Coordinates) -> tuple[offer.Attribute, ...]:
    return (
        offer.Attribute("latitude", "Latitude (WGS84)", str(coordinates.latitude), "°"),
        offer.Attribute("longitude", "Longitude (WGS84)", str(coordinates.longitude), "°"),
    )


def _rate(text: str) -> Decimal:
    """Return a rate; what is not finite or not above nothing is none, though it is a Decimal."""
    rate = Decimal(text)
    if not rate.is_finite() or rate <= 0:
        raise ValueError
    return rate


def _quotes(root: Element, wanted: Sequence[str]) -> list[offer.Quote]:
    """Return the rates of the feed crossed from the euro to CNY."""
    cube = root.find(f"{_CUBE}/{_CUBE}[@time]")
    if cube is None:
        raise errors.bad_answer("holds no dated rates")
    try:
        observed_on = date.fromisoformat(cube.attrib["time"])
        rates = {row.attrib["currency"]: _rate(row.attrib["rate"]) for row in cube}
        rates["EUR"] = Decimal(1)
        home = rates.pop(_HOME)
        return [
            offer.Quote(
                id=f"{currency}-{_HOME}",
                title=f"Reference rate of 1 {currency} in {_HOME}",
                instrument=f"{currency}/{_HOME}",
                currency=_HOME,
                rate=_DIGITS.divide(home, rate),
                observed_on=observed_on,
                attributes=(
                    offer.Attribute("nature", "Nature", "reference rate, not a selling price"),
                ),
            )
            for currency, rate in sorted(rates.items())
            if not wanted or currency in wanted
        ]
    except (KeyError, ValueError, ArithmeticError):
        raise errors.bad_answer("holds a rate or a day that cannot be read") from None

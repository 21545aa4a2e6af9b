"""Two banks' open branch locators and one exchange's daily reference rates, open to all."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from aiohttp import web

from sandbox import day

_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_BRANCH_JSON = "application/prs.openbanking.opendata.v2.3+json"


@dataclass(frozen=True)
class Branch:
    """One branch: what it does, where it is and when it opens."""

    number: str
    name: str
    street: str
    post_code: str
    latitude: str
    longitude: str
    services: Sequence[str]
    accessibility: Sequence[str]
    hours: Sequence[tuple[str, str]]
    days: int = 5


@dataclass(frozen=True)
class Bank:
    """One bank: its brand and branches, and how it spells a time of day."""

    brand: str
    spelling: str
    branches: Sequence[Branch]


_COUNTER = ("AssistedServiceCounter",)
_BANKS: Mapping[str, Bank] = {
    "xinhua-bank": Bank(
        "Xinhua Bank (sandbox)",
        "{}",
        (
            Branch(
                "XH-001",
                "Hongqiao Hub Branch",
                "99 Hongqiao Road",
                "200336",
                "31.1966",
                "121.4012",
                (*_COUNTER, "SelfServiceAccountOpening", "BureauDeChange", "MeetingRooms"),
                ("WheelchairAccess", "LevelAccess"),
                (("09:00", "12:00"), ("13:00", "17:00")),
            ),
            Branch(
                "XH-002",
                "Xinhua Road Branch",
                "365 Xinhua Road",
                "200052",
                "31.2057",
                "121.4218",
                (*_COUNTER, "OnDemandCurrency"),
                ("WheelchairAccess",),
                (("09:00", "17:00"),),
                7,
            ),
            Branch(
                "XH-003",
                "Zhongshan Park Branch",
                "780 Changning Road",
                "200042",
                "31.2203",
                "121.4165",
                ("SelfServiceAccountOpening",),
                (),
                (("10:00", "19:00"),),
                6,
            ),
        ),
    ),
    "jiangsu-road-bank": Bank(
        "Jiangsu Road Bank (sandbox)",
        "{}:00+0000",
        (
            Branch(
                "0017",
                "Jiangsu Road Main Office",
                "398 Jiangsu Road",
                "200050",
                "31.2196",
                "121.4310",
                (*_COUNTER, "BureauDeChange", "OnDemandCurrency", "VideoBanking"),
                ("WheelchairAccess", "InductionLoop"),
                (("08:30", "17:30"),),
            ),
            Branch(
                "0018",
                "Yuyuan Road Branch",
                "1088 Yuyuan Road",
                "200050",
                "31.2211",
                "121.4259",
                (*_COUNTER, "SelfServiceAccountOpening"),
                (),
                (("09:00", "16:30"),),
                6,
            ),
        ),
    ),
}
_RATES = "hongqiao-exchange"
_PER_EURO = {
    "USD": "1.1584",
    "JPY": "179.62",
    "GBP": "0.86710",
    "CHF": "0.9321",
    "AUD": "1.7604",
    "CAD": "1.6188",
    "CNY": "8.2317",
    "HKD": "9.0146",
    "KRW": "1668.40",
    "SGD": "1.5071",
}
TENANTS = (*_BANKS, _RATES)


def routes(clock: day.Clock) -> list[web.RouteDef]:
    """Return the branch locators and the rates feed."""
    locators = [
        web.get(f"/{slug}/open-banking/v2.3/branches", _Locator(bank).answer)
        for slug, bank in _BANKS.items()
    ]
    feed = web.get(f"/{_RATES}/stats/eurofxref/eurofxref-daily.xml", _Feed(clock).answer)
    return [*locators, feed]


class _Locator:
    """A branch locator: one list, no paging, revalidated by ETag."""

    def __init__(self, bank: Bank) -> None:
        self.body = json.dumps(_branches(bank)).encode()
        self.tag = f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request."""
        headers = {"ETag": self.tag, "Cache-Control": "max-age=60"}
        if request.headers.get("If-None-Match") == self.tag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=self.body, headers=headers | {"Content-Type": _BRANCH_JSON})


def _branches(bank: Bank) -> dict[str, Any]:
    branches = [_branch(bank, branch) for branch in bank.branches]
    return {
        "meta": {
            "LastUpdated": "2026-01-05T00:00:00+08:00",
            "TotalResults": len(branches),
            "Agreement": "Fictitious data for development",
            "License": "https://sandbox.example/licence",
            "TermsOfUse": "https://sandbox.example/terms",
        },
        "data": [{"Brand": [{"BrandName": bank.brand, "Branch": branches}]}],
    }


def _branch(bank: Bank, branch: Branch) -> dict[str, Any]:
    hours = [
        {
            "OpeningTime": bank.spelling.format(opening),
            "ClosingTime": bank.spelling.format(closing),
        }
        for opening, closing in branch.hours
    ]
    return {
        "Identification": branch.number,
        "Name": branch.name,
        "Type": "Physical",
        "CustomerSegment": ["Personal"],
        "ServiceAndFacility": list(branch.services),
        "Accessibility": list(branch.accessibility),
        "Availability": {
            "StandardAvailability": {
                "Day": [{"Name": name, "OpeningHours": hours} for name in _WEEK[: branch.days]]
            },
            "NonStandardAvailability": [
                {
                    "Name": "New Year's Day",
                    "FromDate": "2027-01-01T00:00:00Z",
                    "ToDate": "2027-01-01T00:00:00Z",
                }
            ],
        },
        "PostalAddress": {
            "AddressLine": [branch.street],
            "TownName": "Shanghai",
            "CountrySubDivision": ["Changning"],
            "Country": "CN",
            "PostCode": branch.post_code,
            "GeoLocation": {
                "GeographicCoordinates": {
                    "Latitude": branch.latitude,
                    "Longitude": branch.longitude,
                }
            },
        },
    }


class _Feed:
    """The daily reference rates against the euro, as of the last working day."""

    def __init__(self, clock: day.Clock) -> None:
        self.clock = clock

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request."""
        del request
        body = _envelope(day.today(self.clock))
        return web.Response(body=body, headers={"Content-Type": "text/xml"})


@functools.lru_cache(maxsize=4)
def _envelope(today: date) -> bytes:
    on = today - timedelta(days=max(0, today.weekday() - 4))
    rows = "".join(
        f"<Cube currency='{currency}' rate='{_drifted(rate, on, place)}'/>"
        for place, (currency, rate) in enumerate(_PER_EURO.items())
    )
    return (
        "<?xml version='1.0' encoding='UTF-8'?>"
        "<gesmes:Envelope xmlns:gesmes='http://www.gesmes.org/xml/2002-08-01'"
        " xmlns='http://www.ecb.int/vocabulary/2002-08-01/eurofxref'>"
        "<gesmes:subject>Reference rates</gesmes:subject>"
        "<gesmes:Sender><gesmes:name>Hongqiao Exchange (sandbox)</gesmes:name></gesmes:Sender>"
        f"<Cube><Cube time='{on}'>{rows}</Cube></Cube></gesmes:Envelope>"
    ).encode()


def _drifted(rate: str, on: date, place: int) -> Decimal:
    """Move a rate by at most half a percent, the same way on the same day."""
    base = Decimal(rate)
    steps = (on.toordinal() * 7 + place * 3) % 11 - 5
    return (base + base * steps / 1000).quantize(base)

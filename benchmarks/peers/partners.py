"""The partner systems: four interfaces in one process, each call as slow as the next, all counted.

``GET /bank/quotes?ids=1,2`` and ``/bank/quotes/1``, and likewise ``hospital/slots``,
``school/places`` and ``cinema/showings``. A gateway that has no database finds the services under
``/catalog/services?kind=bank&first=10``, at once and uncounted.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop
from aiohttp import web

from benchmarks.peers.dataset import KINDS, Dataset

SECONDS = 0.05

_Answer = dict[str, Any]
_Handler = Callable[[web.Request], Awaitable[web.Response]]


def _bank(number: int) -> _Answer:
    rates = (("USD", 7.1), ("EUR", 7.8), ("GBP", 9.1))
    return {
        "branch": f"Branch {number:02d}",
        "rates": [
            {
                "currency": currency,
                "buy": round(base + number / 100, 4),
                "sell": round(base + number / 100 + 0.05, 4),
            }
            for currency, base in rates
        ],
    }


# What has begun is offered to nobody, so these days are far off.
def _hospital(number: int) -> _Answer:
    slots = [
        {
            "department": department,
            "at": f"2126-03-{(number + place) % 27 + 1:02d}T09:30:00",
            "free": (number * 7 + place) % 12,
        }
        for place, department in enumerate(("general", "dental", "paediatric"))
    ]
    return {"slots": slots}


def _school(number: int) -> _Answer:
    return {"places": [{"grade": one, "free": (number * 5 + one) % 30} for one in (1, 4, 7)]}


def _cinema(number: int) -> _Answer:
    showings = [
        {
            "film": film,
            "at": f"2126-03-{(number * 3 + place) % 27 + 1:02d}T20:00:00",
            "seats": (number * 11 + place) % 90,
        }
        for place, film in enumerate(("Harbour Lights", "The Long Train", "Paper Boats"))
    ]
    return {"showings": showings}


_ANSWERS = {
    "bank/quotes": _bank,
    "hospital/slots": _hospital,
    "school/places": _school,
    "cinema/showings": _cinema,
}
#: By the partner's kind: its interface, and the field of the shared schema it answers.
INTERFACES = dict(zip(KINDS, _ANSWERS, strict=True))
FIELDS = dict(
    zip(KINDS, ("fxQuote", "hospitalSlots", "schoolPlaces", "cinemaShowings"), strict=True)
)


def answer(kind: str, number: int) -> _Answer:
    """Return what the system of a kind says of one of its partners."""
    return {"partnerId": number, **_ANSWERS[INTERFACES[kind]](number)}


def app(data: Dataset, seconds: float = SECONDS) -> web.Application:
    """Return all of them as one application; ``GET /calls`` counts what was asked."""
    calls: Counter[str] = Counter()
    found = web.Application()
    for kind, path in INTERFACES.items():
        found.router.add_get(f"/{path}", _asked(kind, seconds, calls))
        found.router.add_get(f"/{path}/{{id}}", _asked(kind, seconds, calls))

    async def services(request: web.Request) -> web.Response:
        first = int(request.query["first"])
        listed = [
            {"id": service.id, "code": service.code, "name": service.name, "partnerId": partner.id}
            for service, partner in data.served(request.query["kind"], first)
        ]
        return web.json_response(listed)

    async def counted(_: web.Request) -> web.Response:
        return web.json_response(calls)

    found.router.add_get("/catalog/services", services)
    found.router.add_get("/calls", counted)
    return found


def _asked(kind: str, seconds: float, calls: Counter[str]) -> _Handler:
    async def handler(request: web.Request) -> web.Response:
        calls[kind] += 1
        await asyncio.sleep(seconds)
        if one := request.match_info.get("id"):
            return web.json_response(answer(kind, int(one)))
        asked = [int(one) for one in request.query["ids"].split(",")]
        return web.json_response([answer(kind, one) for one in asked])

    return handler


def main(port: int) -> None:
    """Serve until SIGTERM."""
    uvloop.install()
    web.run_app(app(Dataset.of(0)), host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))

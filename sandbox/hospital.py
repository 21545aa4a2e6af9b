"""Two hospitals on one FHIR server, in R4 and in R5: slots are searched, taken and booked."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from aiohttp import web

from sandbox import day, secret

DAYS = 14
MOST_ROWS = 500
_CAPACITY = "http://fhir-registry.smarthealthit.org/StructureDefinition/slot-capacity"
_BOOKING = "http://fhir-registry.smarthealthit.org/StructureDefinition/booking-deep-link"

Resource = dict[str, Any]


@dataclass(frozen=True)
class Tenant:
    """One hospital: its FHIR base, version, secret and where each service is given."""

    base: str
    version: str
    secret: str
    user: str | None
    services: Mapping[str, tuple[str, str]]


SERVICES = {
    "medical-green-channel": ("Green channel consultation", 30),
    "physical-check": ("Physical check", 60),
    "paediatrics": ("Paediatrics", 20),
    "dental": ("Dental care", 30),
    "vaccination": ("Vaccination", 15),
    "health-certificate": ("Health certificate examination", 45),
}
TENANTS = {
    "jinzhong-road-hospital": Tenant(
        "/jinzhong-road-hospital/fhir/r4",
        "4.0.1",
        "jinzhong-road-hospital-key",
        None,
        {
            "medical-green-channel": ("International Clinic, Building 2", "1"),
            "physical-check": ("Check-up Centre, Building 5", "2"),
            "dental": ("Dental Clinic, Building 1", "3"),
            "health-certificate": ("Check-up Centre, Building 5", "2"),
        },
    ),
    "tianshan-clinic": Tenant(
        "/tianshan-clinic/fhir/r5",
        "5.0.0",
        "tianshan-clinic-password",
        "greenway",
        {
            "medical-green-channel": ("Tianshan Clinic, Room 101", "1"),
            "paediatrics": ("Tianshan Clinic, Children's Floor", "2"),
            "vaccination": ("Tianshan Clinic, Vaccination Room", "3"),
            "dental": ("Tianshan Clinic, Room 204", "4"),
        },
    ),
}


def routes(clock: day.Clock) -> list[web.RouteDef]:
    """Return both hospitals' interactions: capabilities, slot search, and booking."""
    return [route for tenant in TENANTS.values() for route in _routes(_Books(tenant, clock))]


def _routes(books: _Books) -> list[web.RouteDef]:
    base, desk = books.tenant.base, _Desk(books)
    return [
        web.get(f"{base}/metadata", _Metadata(books.tenant).answer),
        web.get(f"{base}/Slot", _SlotSearch(books).answer),
        web.get(f"{base}/Appointment", desk.search),
        web.post(f"{base}/Appointment", desk.create),
        web.get(f"{base}/{{type:Slot|Appointment}}/{{id}}", desk.read),
        web.put(f"{base}/{{type:Slot|Appointment}}/{{id}}", desk.update),
    ]


class _Books:
    """What a hospital has: its slots as they are made up, and whatever was changed or added."""

    def __init__(self, tenant: Tenant, clock: day.Clock) -> None:
        self.tenant = tenant
        self.clock = clock
        self.written: dict[str, Resource] = {}

    def slots(self) -> list[tuple[datetime, str, Resource]]:
        """Return the slots of the coming days as they are now."""
        made = _slots(self.tenant.base, day.today(self.clock))
        return [
            (start, service, self.written.get(f"Slot/{slot['id']}", slot))
            for start, service, slot in made
        ]

    def read(self, reference: str) -> Resource | None:
        """Return a resource by its `Type/id`."""
        if reference in self.written or not reference.startswith("Slot/"):
            return self.written.get(reference)
        name = reference.removeprefix("Slot/")
        return next((slot for *_, slot in self.slots() if slot["id"] == name), None)

    def write(self, resource: Resource) -> Resource:
        """Keep a resource as its next version."""
        reference = f"{resource['resourceType']}/{resource['id']}"
        version = 1 + int(_version(self.read(reference)))
        self.written[reference] = {**resource, "meta": {"versionId": str(version)}}
        return self.written[reference]

    def appointments(self, token: str) -> list[Resource]:
        """Return the appointments with this `system|value`."""
        system, _, value = token.partition("|")
        identifier = {"system": system, "value": value}
        return [
            one
            for one in self.written.values()
            if one["resourceType"] == "Appointment" and identifier in one.get("identifier", ())
        ]


def _version(resource: Resource | None) -> str:
    return str(resource.get("meta", {}).get("versionId", "1")) if resource else "0"


class _Desk:
    """Booking: a slot is replaced in the version that was read, an appointment is made once."""

    def __init__(self, books: _Books) -> None:
        self.books = books

    async def search(self, request: web.Request) -> web.Response:
        """Answer with the appointments that have an identifier."""
        if not _knows(self.books.tenant, request):
            return _outcome(401, "login", "Credentials are missing or wrong.")
        found = self.books.appointments(request.query.get("identifier", ""))
        base = str(request.url.with_path(self.books.tenant.base).with_query(None))
        entries = [_entry(base, one, "match") for one in found]
        return _fhir({"resourceType": "Bundle", "type": "searchset", "entry": entries})

    async def create(self, request: web.Request) -> web.Response:
        """Make an appointment, unless the one that must not exist is there."""
        if not _knows(self.books.tenant, request):
            return _outcome(401, "login", "Credentials are missing or wrong.")
        made = await _sent(request)
        if made is None or made.get("resourceType") != "Appointment":
            return _outcome(400, "invalid", "This is no appointment.")
        token = request.headers.get("If-None-Exist", "").removeprefix("identifier=")
        if token and (found := self.books.appointments(token)):
            return _fhir(found[0])
        number = f"appointment-{len(self.books.written) + 1}"
        return _fhir(self.books.write({**made, "id": number}), 201)

    async def read(self, request: web.Request) -> web.Response:
        """Answer with one resource and its version."""
        if not _knows(self.books.tenant, request):
            return _outcome(401, "login", "Credentials are missing or wrong.")
        found = self.books.read(_reference(request))
        if found is None:
            return _outcome(404, "not-found", "There is no such resource.")
        return _tagged(found)

    async def update(self, request: web.Request) -> web.Response:
        """Replace one resource, in the version that the request names."""
        if not _knows(self.books.tenant, request):
            return _outcome(401, "login", "Credentials are missing or wrong.")
        found, sent = self.books.read(_reference(request)), await _sent(request)
        if found is None:
            return _outcome(404, "not-found", "There is no such resource.")
        if sent is None or any(sent.get(name) != found[name] for name in ("resourceType", "id")):
            return _outcome(400, "invalid", "This is another resource.")
        if request.headers.get("If-Match") != f'W/"{_version(found)}"':
            return _outcome(412, "conflict", "This is not the present version.")
        return _tagged(self.books.write(sent))


def _reference(request: web.Request) -> str:
    return f"{request.match_info['type']}/{request.match_info['id']}"


async def _sent(request: web.Request) -> Resource | None:
    try:
        sent = json.loads(await request.read())
    except ValueError:
        return None
    return sent if isinstance(sent, dict) else None


def _tagged(resource: Resource) -> web.Response:
    response = _fhir(resource)
    response.headers["ETag"] = f'W/"{_version(resource)}"'
    return response


class _Metadata:
    """The CapabilityStatement; open to all, as the standard wants it."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request."""
        del request
        search = ["status", "start", "service-type", "schedule"]
        return _fhir(
            {
                "resourceType": "CapabilityStatement",
                "status": "active",
                "date": "2026-01-01",
                "kind": "instance",
                "fhirVersion": self.tenant.version,
                "format": ["json"],
                "rest": [
                    {
                        "mode": "server",
                        "resource": [
                            {
                                "type": "Slot",
                                "interaction": [{"code": "search-type"}],
                                "searchInclude": ["Slot:schedule"],
                                "searchParam": [{"name": name, "type": "token"} for name in search],
                            }
                        ],
                    }
                ],
            }
        )


class _SlotSearch:
    """The search: filters, sorts, pages by its own next link, includes the schedules."""

    def __init__(self, books: _Books) -> None:
        self.books = books
        self.tenant = books.tenant

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request."""
        if not _knows(self.tenant, request):
            return _outcome(401, "login", "Credentials are missing or wrong.")
        version = self.tenant.version.rpartition(".")[0]
        if "fhirVersion=" in (accept := request.headers.get("Accept", "")) and (
            f"fhirVersion={version}" not in accept
        ):
            return _outcome(406, "not-supported", f"This server speaks FHIR {version}.")
        try:
            wanted = _Wanted(request)
        except ValueError:
            return _outcome(400, "invalid", "A search parameter has an invalid value.")
        return _fhir(self._bundle(request, wanted))

    def _bundle(self, request: web.Request, wanted: _Wanted) -> Resource:
        slots = self.books.slots()
        found = [slot for start, service, slot in slots if wanted.holds(start, service, slot)]
        page = found[wanted.offset : wanted.offset + wanted.count]
        links = [{"relation": "self", "url": str(request.url)}]
        if wanted.offset + wanted.count < len(found):
            following = request.url.update_query(_offset=wanted.offset + wanted.count)
            links.append({"relation": "next", "url": str(following)})
        base = str(request.url.with_path(self.tenant.base).with_query(None))
        matches = [_entry(base, slot, "match") for slot in page]
        included = [_entry(base, one, "include") for one in self._included(request, page)]
        return {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(found),
            "link": links,
            "entry": matches + included,
        }

    def _included(self, request: web.Request, page: list[Resource]) -> list[Resource]:
        if "Slot:schedule" not in request.query.getall("_include", []):
            return []
        wanted = {slot["schedule"]["reference"] for slot in page}
        schedules = _schedules(self.tenant)
        return [one for one in schedules if f"Schedule/{one['id']}" in wanted]


def _knows(tenant: Tenant, request: web.Request) -> bool:
    if tenant.user is None:
        return secret.matches(tenant.secret, request.headers.get("X-Api-Key"))
    return secret.basic_user(request, tenant.secret) == tenant.user


class _Wanted:
    """The search parameters, read once; a ValueError names the request bad."""

    def __init__(self, request: web.Request) -> None:
        query = request.query
        self.statuses = set(",".join(query.getall("status", [])).split(",")) - {""}
        self.types = {
            token.rpartition("|")[2] for token in query.get("service-type", "").split(",") if token
        }
        self.bounds = [_bound(text) for text in query.getall("start", [])]
        self.count = min(int(query.get("_count", "100")), MOST_ROWS)
        self.offset = int(query.get("_offset", "0"))
        if self.count < 1 or self.offset < 0:
            raise ValueError

    def holds(self, start: datetime, service: str, slot: Resource) -> bool:
        """Say whether a slot is among those searched for."""
        return (
            (not self.statuses or slot["status"] in self.statuses)
            and (not self.types or service in self.types)
            and all(low <= start < high for low, high in self.bounds)
        )


def _bound(text: str) -> tuple[datetime, datetime]:
    """Read a `ge…` or `lt…` bound, the two prefixes this server supports."""
    moment = datetime.fromisoformat(text[2:])
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=day.SHANGHAI)
    always = datetime.min.replace(tzinfo=day.SHANGHAI), datetime.max.replace(tzinfo=day.SHANGHAI)
    bounds = {"ge": (moment, always[1]), "lt": (always[0], moment)}
    if text[:2] not in bounds:
        raise ValueError(text[:2])
    return bounds[text[:2]]


@functools.lru_cache(maxsize=8)
def _slots(base: str, today: date) -> list[tuple[datetime, str, Resource]]:
    tenant = next(tenant for tenant in TENANTS.values() if tenant.base == base)
    return sorted(_made(tenant, today), key=lambda slot: (slot[0], slot[2]["id"]))


def _made(tenant: Tenant, today: date) -> Iterator[tuple[datetime, str, Resource]]:
    for ahead in range(DAYS):
        on = today + timedelta(days=ahead)
        for turn, service in enumerate(tenant.services):
            for hour in (8, 10, 13, 15):
                start = datetime.combine(on, time(hour, 15 * (turn % 4)), day.SHANGHAI)
                taken = (on.toordinal() + turn + hour) % 4 == 0
                yield start, service, _slot(tenant, service, start, taken=taken)


def _slot(tenant: Tenant, service: str, start: datetime, *, taken: bool) -> Resource:
    name, minutes = SERVICES[service]
    concept = {"coding": [{"code": service, "display": name}], "text": name}
    slug = tenant.base.split("/")[1]
    number = f"{service}-{start:%Y%m%d-%H%M}"
    capacity = 1 + start.toordinal() % 3
    return {
        "resourceType": "Slot",
        "id": number,
        # The narrative is old on purpose: who reads it instead of the field sees a busy slot.
        "text": {"status": "generated", "div": "<div>Busy</div>"},
        "extension": [
            {"url": _CAPACITY, "valueInteger": capacity},
            {"url": _BOOKING, "valueUrl": f"https://{slug}.example/book?slot={number}"},
        ],
        "serviceType": [{"concept": concept}] if tenant.version.startswith("5") else [concept],
        "schedule": {"reference": f"Schedule/{service}"},
        "status": "busy" if taken else "free",
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=minutes)).isoformat(),
    }


def _schedules(tenant: Tenant) -> list[Resource]:
    return [
        {
            "resourceType": "Schedule",
            "id": service,
            "active": True,
            "actor": [
                {"reference": f"HealthcareService/{service}", "display": SERVICES[service][0]},
                {"reference": f"Location/{number}", "display": where},
            ],
        }
        for service, (where, number) in tenant.services.items()
    ]


def _entry(base: str, resource: Resource, mode: str) -> Resource:
    return {
        "fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}",
        "resource": resource,
        "search": {"mode": mode},
    }


def _outcome(status: int, code: str, diagnostics: str) -> web.Response:
    issue = {"severity": "error", "code": code, "diagnostics": diagnostics}
    return _fhir({"resourceType": "OperationOutcome", "issue": [issue]}, status)


def _fhir(resource: Resource, status: int = 200) -> web.Response:
    body = json.dumps(resource).encode()
    headers = {"Content-Type": "application/fhir+json; charset=utf-8"}
    return web.Response(body=body, status=status, headers=headers)

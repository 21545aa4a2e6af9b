"""Vanilla Strawberry: starlette + strawberry.asgi + SQLAlchemy async ORM + strawberry DataLoaders.

PEERS_TUNED=1 adds Strawberry's own parser and validation caches.
PEERS_NAIVE=1 leaves the partner loaders out (one HTTP request per service), the N+1 trap of W4."""

from __future__ import annotations

import os

import data
import strawberry
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.types import Info

NAIVE = bool(os.environ.get("PEERS_NAIVE"))


@strawberry.type
class Document:
    name: str


@strawberry.type
class Partner:
    id: strawberry.ID
    kind: str
    name: str


@strawberry.type
class Service:
    id: strawberry.ID
    code: str
    name: str
    summary: str
    sla_days: int

    @strawberry.field
    async def documents(self, info: Info) -> list[Document]:
        rows = await info.context["documents"].load(self.id)
        return [Document(name=r.name) for r in rows]

    @strawberry.field
    async def partners(self, info: Info) -> list[Partner]:
        rows = await info.context["partners"].load(self.id)
        return [Partner(id=r.id, kind=r.kind, name=r.name) for r in rows]

    @classmethod
    def of(cls, r: data.Service) -> Service:
        return cls(id=r.id, code=r.code, name=r.name, summary=r.summary, sla_days=r.sla_days)


@strawberry.type
class Category:
    id: strawberry.ID
    name: str

    @strawberry.field
    async def services(self, info: Info) -> list[Service]:
        return [Service.of(r) for r in await info.context["services"].load(self.id)]


@strawberry.type
class Talent:
    name: str
    category: str


@strawberry.type
class Card:
    serial: str
    status: str
    talent: Talent


@strawberry.type
class Rate:
    currency: str
    buy: float
    sell: float


@strawberry.type
class FxQuote:
    partner_id: strawberry.ID
    branch: str
    rates: list[Rate]


@strawberry.type
class Slot:
    department: str
    at: str
    free: int


@strawberry.type
class HospitalSlots:
    partner_id: strawberry.ID
    slots: list[Slot]


@strawberry.type
class Place:
    grade: int
    free: int


@strawberry.type
class SchoolPlaces:
    partner_id: strawberry.ID
    places: list[Place]


@strawberry.type
class Showing:
    film: str
    at: str
    seats: int


@strawberry.type
class CinemaShowings:
    partner_id: strawberry.ID
    showings: list[Showing]


async def fetch(info: Info, path: str, pid: int):
    return await (data.partner_one(path, pid) if NAIVE else info.context[path].load(pid))


@strawberry.type
class Offer:
    id: strawberry.ID
    code: str
    name: str
    pid: strawberry.Private[int]

    @strawberry.field
    async def fx_quote(self, info: Info) -> FxQuote:
        d = await fetch(info, "bank/quotes", self.pid)
        return FxQuote(
            partner_id=d["partnerId"], branch=d["branch"], rates=[Rate(**r) for r in d["rates"]]
        )

    @strawberry.field
    async def hospital_slots(self, info: Info) -> HospitalSlots:
        d = await fetch(info, "hospital/slots", self.pid)
        return HospitalSlots(partner_id=d["partnerId"], slots=[Slot(**r) for r in d["slots"]])

    @strawberry.field
    async def school_places(self, info: Info) -> SchoolPlaces:
        d = await fetch(info, "school/places", self.pid)
        return SchoolPlaces(partner_id=d["partnerId"], places=[Place(**r) for r in d["places"]])

    @strawberry.field
    async def cinema_showings(self, info: Info) -> CinemaShowings:
        d = await fetch(info, "cinema/showings", self.pid)
        return CinemaShowings(
            partner_id=d["partnerId"], showings=[Showing(**r) for r in d["showings"]]
        )


@strawberry.type
class Query:
    @strawberry.field
    async def categories(self) -> list[Category]:
        return [Category(id=r.id, name=r.name) for r in await data.all_categories()]

    @strawberry.field
    async def services(self, category_ids: list[int], first: int = 20) -> list[Service]:
        return [Service.of(r) for r in await data.services_page(category_ids, first)]

    @strawberry.field
    async def card(self, serial: str) -> Card | None:
        c = await data.card_by_serial(serial)
        return c and Card(
            serial=c.serial,
            status=c.status,
            talent=Talent(name=c.talent.name, category=c.talent.category),
        )

    @strawberry.field
    async def partner_services(self, kind: str, first: int = 10) -> list[Offer]:
        return [
            Offer(id=s.id, code=s.code, name=s.name, pid=pid)
            for s, pid in await data.offers(kind, first)
        ]


class App(GraphQL):
    async def get_context(self, request, response=None):
        ctx = {
            "services": DataLoader(data.services_of),
            "documents": DataLoader(data.documents_of),
            "partners": DataLoader(data.partners_of),
        }
        for path in ("bank/quotes", "hospital/slots", "school/places", "cinema/showings"):
            ctx[path] = DataLoader(data.partner_batch(path))
        return ctx


schema = strawberry.Schema(
    Query, extensions=[ParserCache(), ValidationCache()] if os.environ.get("PEERS_TUNED") else []
)
app = Starlette(routes=[Route("/graphql", App(schema, graphql_ide=None))])

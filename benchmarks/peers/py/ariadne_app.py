"""Ariadne (schema first) on starlette + SQLAlchemy async ORM + aiodataloader."""

from __future__ import annotations

import data
from aiodataloader import DataLoader
from ariadne import ObjectType, QueryType, make_executable_schema
from ariadne.asgi import GraphQL
from starlette.applications import Starlette
from starlette.routing import Route

TYPES = """
type Query {
  categories: [Category!]!
  services(categoryIds: [Int!]!, first: Int = 20): [Service!]!
  card(serial: String!): Card
  partnerServices(kind: String!, first: Int = 10): [Offer!]!
}
type Category { id: ID! name: String! services: [Service!]! }
type Service { id: ID! code: String! name: String! summary: String! slaDays: Int! documents: [Document!]! partners: [Partner!]! }
type Document { name: String! }
type Partner { id: ID! kind: String! name: String! }
type Card { serial: String! status: String! talent: Talent! }
type Talent { name: String! category: String! }
type Offer { id: ID! code: String! name: String! fxQuote: FxQuote! hospitalSlots: HospitalSlots! schoolPlaces: SchoolPlaces! cinemaShowings: CinemaShowings! }
type FxQuote { partnerId: ID! branch: String! rates: [Rate!]! }
type Rate { currency: String! buy: Float! sell: Float! }
type HospitalSlots { partnerId: ID! slots: [Slot!]! }
type Slot { department: String! at: String! free: Int! }
type SchoolPlaces { partnerId: ID! places: [Place!]! }
type Place { grade: Int! free: Int! }
type CinemaShowings { partnerId: ID! showings: [Showing!]! }
type Showing { film: String! at: String! seats: Int! }
"""
query, category, service, offer = (
    QueryType(),
    ObjectType("Category"),
    ObjectType("Service"),
    ObjectType("Offer"),
)


@query.field("categories")
async def _(*_):
    return await data.all_categories()


@query.field("services")
async def _(_, info, categoryIds, first=20):
    return await data.services_page(categoryIds, first)


@query.field("card")
async def _(_, info, serial):
    return await data.card_by_serial(serial)


@query.field("partnerServices")
async def _(_, info, kind, first=10):
    return [
        {"id": s.id, "code": s.code, "name": s.name, "pid": pid}
        for s, pid in await data.offers(kind, first)
    ]


@category.field("services")
async def _(c, info):
    return await info.context["services"].load(c.id)


service.set_alias("slaDays", "sla_days")


@service.field("documents")
async def _(s, info):
    return await info.context["documents"].load(s.id)


@service.field("partners")
async def _(s, info):
    return await info.context["partners"].load(s.id)


def partner_field(field, path):
    @offer.field(field)
    async def _(o, info):
        return await info.context[path].load(o["pid"])


for f, p in (
    ("fxQuote", "bank/quotes"),
    ("hospitalSlots", "hospital/slots"),
    ("schoolPlaces", "school/places"),
    ("cinemaShowings", "cinema/showings"),
):
    partner_field(f, p)


def context(request, _data=None):
    ctx = {
        "request": request,
        "services": DataLoader(data.services_of),
        "documents": DataLoader(data.documents_of),
        "partners": DataLoader(data.partners_of),
    }
    for path in ("bank/quotes", "hospital/slots", "school/places", "cinema/showings"):
        ctx[path] = DataLoader(data.partner_batch(path))
    return ctx


schema = make_executable_schema(TYPES, query, category, service, offer)
app = Starlette(routes=[Route("/graphql", GraphQL(schema, context_value=context, debug=False))])

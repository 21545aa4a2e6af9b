"""The baseline: the hub's answers from a plain Strawberry server, written as its guide advises.

It reads the same database, menu, rules, tokens and partner files, and reads partners' answers by
the same kinds. It has DataLoaders, the caches of parsed and validated documents, orjson and one
aiohttp session; it has no limits, no masked errors, and nothing that helps when a partner fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any

import aiohttp
import orjson
import strawberry
import uvicorn
import yarl
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache

import server
import settings as configuration
from connectors import credential, exchange, http, manifest, registry
from connectors.base import Connector, Inquiry
from connectors.partner import Freshness
from credentials import token
from eligibility import fact as facts
from eligibility import rulebook, verdict
from models import card, dossier, menu, offer, page, talent
from models.database import Database
from models.text import Text, wanted
from resolvers import menu as catalogue
from resolvers.context import ZONE
from resolvers.viewer import Door, Viewer
from sandbox import secret, system

_NONE: Mapping[str, str] = MappingProxyType({})

# ── what lives as long as the process ────────────────────────────────────────────────────────


class Line:
    """What a kind asks its partner through: one GET, no second try, nothing remembered."""

    def __init__(
        self, session: aiohttp.ClientSession, address: str, shown: credential.Credentials | None
    ) -> None:
        self._session = session
        self._address = yarl.URL(address)
        self._shown = shown
        self._token: asyncio.Task[str] | None = None
        self.policy = http.Policy()

    async def get(
        self,
        path: str,
        *,
        query: exchange.Pairs = (),
        headers: Mapping[str, str] = _NONE,
        accept: str = "application/json",
    ) -> exchange.Reply:
        """Return the answer to a GET below the partner's address."""
        url = self._address.join(yarl.URL(path)).extend_query(query)
        return await self._got(url, {"accept": accept, **headers})

    async def follow(
        self, url: str, *, headers: Mapping[str, str] = _NONE, accept: str = "application/json"
    ) -> exchange.Reply:
        """Return the answer to a GET of a link that the partner gave."""
        return await self._got(self._address.join(yarl.URL(url)), {"accept": accept, **headers})

    async def _got(self, url: yarl.URL, headers: Mapping[str, str]) -> exchange.Reply:
        shown, query = await self._credentials()
        asked = self._session.get(
            url.update_query(query), headers={**headers, **shown}, raise_for_status=True
        )
        async with asked as response:
            return exchange.Reply(response.status, response.headers, await response.read())

    async def _credentials(self) -> tuple[dict[str, str], dict[str, str]]:
        match self._shown:
            case credential.Header(name, given):
                return {name: given}, {}
            case credential.Basic(user, given):
                return {"authorization": aiohttp.encode_basic_auth(user, given)}, {}
            case credential.QueryKey(name, given):
                return {}, {name: given}
            case credential.OAuth2() as oauth2:
                self._token = self._token or asyncio.create_task(self._fetched(oauth2))
                return {"authorization": f"Bearer {await self._token}"}, {}
            case None:
                return {}, {}

    async def _fetched(self, oauth2: credential.OAuth2) -> str:
        client = aiohttp.encode_basic_auth(oauth2.client_id, oauth2.secret)
        asked = self._session.post(
            self._address.join(yarl.URL(oauth2.token_path)),
            data={"grant_type": "client_credentials", "scope": " ".join(oauth2.scopes)},
            headers={"authorization": client},
            raise_for_status=True,
        )
        async with asked as response:
            return str((await response.json())["access_token"])


@dataclass(frozen=True, slots=True)
class Store:
    """All that requests share."""

    database: Database
    door: Door
    edition: catalogue.Catalogue
    by_category: Mapping[str, Sequence[menu.Service]]
    manifests: Mapping[str, manifest.Manifest]
    connectors: Mapping[str, Connector[Any]]

    @classmethod
    async def of(cls, settings: configuration.Settings, session: aiohttp.ClientSession) -> Store:
        """Read the menu and the partner files."""
        database = Database(settings.database_url)
        found = await catalogue.newest(database)
        by_category = defaultdict(list)
        for service in found.on_menu(datetime.now(ZONE).date()):
            by_category[service.category].append(service)
        entries = [
            manifest.load(path, registry.kinds())
            for path in registry.files([registry.PARTNERS]).values()
        ]
        places = {
            name: f"http://127.0.0.1:{settings.sandbox_port + place}"
            for place, name in enumerate(system.ROUTES, start=1)
        }

        def connector(entry: manifest.Entry) -> Connector[Any]:
            shown = manifest.credentials(entry, secret.VALUES)
            line: Any = Line(session, manifest.address(entry, places), shown)
            return entry.kind(entry.options, line)

        return cls(
            database=database,
            door=_door(settings),
            edition=found,
            by_category=by_category,
            manifests={entry.manifest.slug: entry.manifest for entry in entries},
            connectors={entry.manifest.slug: connector(entry) for entry in entries},
        )


def _door(settings: configuration.Settings) -> Door:
    known = server.development_key(settings)

    async def key(key_id: str) -> token.Key | None:
        return known if known.kid == key_id else None

    return Door(server.DEVELOPMENT_ISSUER, settings.audience, key)


# ── what lives as long as a request ──────────────────────────────────────────────────────────


Asked = tuple[str, Inquiry]


class Context:
    """One request's viewer, languages, moment and loaders."""

    def __init__(self, store: Store, viewer: Viewer, languages: Sequence[str]) -> None:
        self.store = store
        self.viewer = viewer
        self.languages = languages
        self.now = datetime.now(UTC)
        self.today = self.now.astimezone(ZONE).date()
        self.people = DataLoader(load_fn=partial(_batch, store, dossier.by_handles))
        self.cards = DataLoader(load_fn=partial(_batch, store, card.by_holders))
        self.used = DataLoader(load_fn=partial(_batch, store, card.used))
        self.offers = DataLoader(load_fn=partial(_offers, store))
        self._facts: Mapping[str, facts.Value | None] | None = None

    async def person(self) -> talent.Talent | None:
        """Return the person asking."""
        return await self.people.load(self.viewer.subject) if self.viewer.subject else None

    async def facts(self) -> Mapping[str, facts.Value | None]:
        """Return what is known of the person asking."""
        person = await self.person()
        if self._facts is None:
            every = rulebook.known_facts().values()
            self._facts = rulebook.facts_of(person, self.today, every) if person else {}
        return self._facts


async def _batch(store: Store, batch: Any, keys: list[Any]) -> list[Any]:
    async with store.database.session() as session:
        found: list[Any] = await batch(session, keys)
    return found


async def _offers(store: Store, keys: list[Asked]) -> list[Sequence[offer.Offer]]:
    by_partner: defaultdict[str, list[Inquiry]] = defaultdict(list)
    for slug, inquiry in keys:
        by_partner[slug].append(inquiry)
    answers = await asyncio.gather(
        *(store.connectors[slug].answer(asked) for slug, asked in by_partner.items())
    )
    found = {
        (slug, inquiry): offers
        for (slug, asked), answer in zip(by_partner.items(), answers, strict=True)
        for inquiry, offers in zip(asked, answer, strict=True)
    }
    return [found[key] for key in keys]


Info = strawberry.Info[Context, None]

# ── the graph ────────────────────────────────────────────────────────────────────────────────


@strawberry.type
class LocalizedText:
    text: str
    language: str
    is_fallback: bool


def text(found: Text, info: Info, language: str | None) -> LocalizedText:
    said = found.said(wanted(language) if language else info.context.languages)
    return LocalizedText(text=said.text, language=said.language, is_fallback=said.fallback)


@strawberry.type
class Named:
    row: strawberry.Private[Any]
    code: str

    @strawberry.field
    def name(self, info: Info, language: str | None = None) -> LocalizedText:
        return text(self.row.name, info, language)


@strawberry.type
class Area(Named):
    source: str

    @classmethod
    def of(cls, row: menu.Area) -> Area:
        return cls(row=row, code=row.code, source="HUB" if row.citation.source == "hub" else "SEED")


@strawberry.type
class Station(Named):
    @strawberry.field
    def place(self, info: Info, language: str | None = None) -> LocalizedText:
        return text(self.row.place, info, language)


@strawberry.type
class RequiredDocument(Named):
    need: strawberry.Private[menu.DocumentNeed]
    classes: list[strawberry.enum(menu.TalentClass)]  # type: ignore[valid-type]  # Strawberry's way


@strawberry.type
class Step:
    row: strawberry.Private[menu.Step]
    channel: strawberry.enum(menu.Channel)  # type: ignore[valid-type]  # Strawberry's way

    @strawberry.field
    def text(self, info: Info, language: str | None = None) -> LocalizedText:
        return text(self.row.text, info, language)


@strawberry.type
class Fee:
    amount: Decimal
    currency: str


@strawberry.type
class Where:
    row: strawberry.Private[menu.Where]

    @strawberry.field
    def stations(self, info: Info) -> list[Station]:
        rows = info.context.store.edition.lists.stations
        return [Station(row=row, code=row.code) for row in rows if row.code in self.row.stations]

    @strawberry.field
    def online(self, info: Info, language: str | None = None) -> LocalizedText | None:
        return text(self.row.online, info, language) if self.row.online else None


@strawberry.type
class MissingFact:
    row: strawberry.Private[facts.Fact]
    name: str

    @strawberry.field
    def question(self, info: Info, language: str | None = None) -> LocalizedText:
        return text(self.row.question, info, language)


@strawberry.type
class Verdict:
    outcome: strawberry.enum(verdict.Outcome)  # type: ignore[valid-type]  # Strawberry's way
    missing: list[MissingFact]


@strawberry.interface
class Offer:
    id: strawberry.ID
    title: str


@strawberry.type
class Appointment(Offer):
    start: datetime
    end: datetime | None
    where: str
    remaining: int | None


@strawberry.type
class Quote(Offer):
    instrument: str
    rate: Decimal | None
    currency: str
    observed_on: date | None


@strawberry.type
class Place(Offer):
    where: str
    intake: str
    remaining: int | None
    apply_by: date | None


@strawberry.type
class Showing(Offer):
    start: datetime
    venue: str
    seats: int | None
    price: Decimal | None
    price_currency: str | None


@strawberry.type
class Pass(Offer):
    where: str
    units: int | None
    window_start: datetime | None
    window_end: datetime | None


SHAPES: dict[type[offer.Offer], type[Offer]] = {
    offer.Appointment: Appointment,
    offer.Quote: Quote,
    offer.Place: Place,
    offer.Showing: Showing,
    offer.Pass: Pass,
}


def shaped(row: offer.Offer) -> Offer:
    shape = SHAPES[type(row)]
    names = [field.python_name for field in shape.__strawberry_definition__.fields]  # type: ignore[attr-defined]  # Strawberry's mark
    return shape(**{name: getattr(row, name) for name in names})


@strawberry.type
class PartnerProblem:
    code: str
    message: str


@strawberry.type
class OfferPage:
    partner: Named
    freshness: strawberry.enum(Freshness)  # type: ignore[valid-type]  # Strawberry's way
    observed_at: datetime | None
    retry_after: datetime | None
    problem: PartnerProblem | None
    nodes: list[Offer]


@strawberry.type
class OffersWithheld:
    outcome: strawberry.enum(verdict.Outcome)  # type: ignore[valid-type]  # Strawberry's way
    message: str


@strawberry.type
class ServiceOffers:
    withheld: OffersWithheld | None
    pages: list[OfferPage]


@strawberry.type
class Service(Named):
    @strawberry.field
    def summary(self, info: Info, language: str | None = None) -> LocalizedText:
        return text(self.row.summary, info, language)

    @strawberry.field
    def description(self, info: Info, language: str | None = None) -> LocalizedText:
        return text(self.row.description, info, language)

    @strawberry.field
    def audience(self) -> list[strawberry.enum(menu.Audience)]:  # type: ignore[valid-type]  # Strawberry's way
        return list(self.row.audience)

    @strawberry.field
    def category(self, info: Info) -> Category:
        rows = info.context.store.edition.lists.categories
        row = next(one for one in rows if one.code == self.row.category)
        return Category(row=row, code=row.code)

    @strawberry.field
    def areas(self, info: Info) -> list[Area]:
        rows = info.context.store.edition.lists.areas
        return [Area.of(row) for row in rows if row.code in self.row.areas]

    @strawberry.field
    def documents(self, info: Info) -> list[RequiredDocument]:
        kinds = {one.code: one for one in info.context.store.edition.lists.documents}
        return [
            RequiredDocument(
                row=kinds[need.document],
                code=need.document,
                need=need,
                classes=list(need.classes),
            )
            for need in self.row.documents
        ]

    @strawberry.field
    def steps(self) -> list[Step]:
        return [Step(row=row, channel=row.channel) for row in self.row.steps]

    @strawberry.field
    def fee(self) -> Fee:
        return Fee(amount=self.row.fee.amount, currency=self.row.fee.currency)

    @strawberry.field
    def working_days(self) -> int:
        return int(self.row.promise.working_days(menu.TalentClass.LOW))

    @strawberry.field
    def where(self) -> Where:
        return Where(row=self.row.where)

    @strawberry.field
    async def verdict(self, info: Info) -> Verdict:
        context = info.context
        judge = context.store.edition.rulebook.judge(self.code, context.today)
        found = judge.judge(await context.facts())
        asked = judge.tree.facts
        missing = [MissingFact(row=asked[name], name=name) for name in found.missing]
        return Verdict(outcome=found.outcome, missing=missing)

    @strawberry.field
    async def offers(self, info: Info, first: int = 20) -> ServiceOffers:
        context = info.context
        judge = context.store.edition.rulebook.judge(self.code, context.today)
        judged = judge.judge(await context.facts())
        if judged.outcome is not verdict.Outcome.ELIGIBLE:
            withheld = OffersWithheld(outcome=judged.outcome, message="Its verdict says why.")
            return ServiceOffers(withheld=withheld, pages=[])
        since = datetime.combine(context.today, time(tzinfo=ZONE))
        until = since + timedelta(days=15)
        found = await context.offers.load_many(
            [
                (ask.partner, Inquiry(ask.capability, ask.topic, since, until))
                for ask in self.row.partners
            ]
        )
        pages = [
            _page(context, ask.partner, offers, first)
            for ask, offers in zip(self.row.partners, found, strict=True)
        ]
        return ServiceOffers(withheld=None, pages=pages)


def _page(context: Context, slug: str, found: Sequence[offer.Offer], first: int) -> OfferPage:
    ahead = [one for one in found if getattr(one, "start", context.now) >= context.now]
    return OfferPage(
        partner=Named(row=context.store.manifests[slug], code=slug),
        freshness=Freshness.LIVE,
        observed_at=context.now,
        retry_after=None,
        problem=None,
        nodes=[shaped(one) for one in ahead[:first]],
    )


@strawberry.type
class Category(Named):
    @strawberry.field
    def services(self, info: Info) -> list[Service]:
        return [
            Service(row=row, code=row.code) for row in info.context.store.by_category[self.code]
        ]


@strawberry.type
class CardArea:
    area: Area
    units_left: int | None
    renews_on: date | None


@strawberry.type
class Card:
    row: strawberry.Private[card.Card]
    serial: str
    valid_until: date

    @strawberry.field
    async def areas(self, info: Info) -> list[CardArea]:
        today = info.context.today
        rows = info.context.store.edition.lists.areas
        used = await info.context.used.load_many(
            [
                card.Spell(
                    info.context.viewer.subject,
                    row.code,
                    _begun(row.quota, today),
                    info.context.now,
                )
                for row in rows
            ]
        )
        return [
            CardArea(
                area=Area.of(row),
                units_left=max(0, row.quota.units - units) if row.quota else None,
                renews_on=_renewed(row.quota, today) if row.quota else None,
            )
            for row, units in zip(rows, used, strict=True)
        ]


def _begun(quota: menu.Quota | None, today: date) -> datetime:
    yearly = quota is not None and quota.period == "YEAR"
    first = today.replace(month=1, day=1) if yearly else today.replace(day=1)
    return datetime.combine(first, time(tzinfo=ZONE))


def _renewed(quota: menu.Quota, today: date) -> date:
    begun = _begun(quota, today).date()
    return (begun + timedelta(days=366 if quota.period == "YEAR" else 31)).replace(day=1)


@strawberry.type
class Talent:
    row: strawberry.Private[talent.Talent]
    name: str
    talent_class: strawberry.enum(menu.TalentClass) | None  # type: ignore[valid-type]  # Strawberry's way
    class_alias: str | None

    @strawberry.field
    async def card(self, info: Info) -> Card | None:
        row = await info.context.cards.load(self.row.id)
        return Card(row=row, serial=row.serial, valid_until=row.valid_until) if row else None


@strawberry.type
class UnknownCodeFault:
    message: str
    nearest: list[str]


ServiceOutcome = Annotated[Service | UnknownCodeFault, strawberry.union("ServiceOutcome")]


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class ServiceConnection:
    nodes: list[Service]
    page_info: PageInfo
    total_count: int


@strawberry.type
class Query:
    @strawberry.field
    async def me(self, info: Info) -> Talent | None:
        row = await info.context.person()
        if row is None:
            return None
        alias = row.talent_class.alias if row.talent_class else None
        return Talent(row=row, name=row.name, talent_class=row.talent_class, class_alias=alias)

    @strawberry.field
    def categories(self, info: Info) -> list[Category]:
        rows = info.context.store.edition.lists.categories
        return [Category(row=row, code=row.code) for row in rows]

    @strawberry.field
    def menu(self, info: Info, first: int = 20, after: str | None = None) -> ServiceConnection:
        rows = list(info.context.store.edition.on_menu(info.context.today))
        passed = int(page.Scope("plain").key(after)) if after else 0
        ends = min(passed + first, len(rows))
        return ServiceConnection(
            nodes=[Service(row=row, code=row.code) for row in rows[passed:ends]],
            page_info=PageInfo(
                has_next_page=ends < len(rows), end_cursor=page.Scope("plain").cursor(str(ends))
            ),
            total_count=len(rows),
        )

    @strawberry.field
    def service(self, info: Info, code: str) -> ServiceOutcome:
        row = info.context.store.edition.services.get(code)
        if row is None:
            return UnknownCodeFault(message="There is none.", nearest=[])
        return Service(row=row, code=row.code)

    @strawberry.field
    def stations(self, info: Info) -> list[Station]:
        rows = info.context.store.edition.lists.stations
        return [Station(row=row, code=row.code) for row in rows]


# ── the server ───────────────────────────────────────────────────────────────────────────────


class View(GraphQL[Context, None]):
    """Strawberry's own ASGI application, with our context and a faster JSON."""

    store: Store

    async def get_context(self, request: Any, response: Any) -> Context:
        del response
        now = datetime.now(UTC)
        viewer = await self.store.door.viewer(request.headers.get("authorization"), now)
        return Context(self.store, viewer, wanted(request.headers.get("accept-language")))

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)


def app(settings: configuration.Settings) -> Starlette:
    """Return the baseline's ASGI application."""
    schema = strawberry.Schema(
        query=Query,
        types=list(SHAPES.values()),
        extensions=[ParserCache, ValidationCache],
    )
    view = View(schema)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with aiohttp.ClientSession() as session:
            view.store = await Store.of(settings, session)
            yield
            await view.store.database.close()

    async def ready(_: Request) -> Response:
        return JSONResponse({"ready": True})

    return Starlette(routes=[Route("/graphql", view), Route("/readyz", ready)], lifespan=lifespan)


def main() -> None:
    """Serve until SIGTERM."""
    settings = configuration.read(os.environ)
    uvicorn.run(
        app(settings),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()

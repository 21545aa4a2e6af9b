"""The service menu: services, what sorts them, and the partners they are had from."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import field
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Annotated

import strawberry

from connectors import partner as partners
from connectors.partner import Freshness
from connectors.registry import Registry
from eligibility.verdict import Outcome
from models import menu, page
from models.offer import Capability
from resolvers import menu as catalogue
from resolvers import offer as offers
from resolvers import verdict as verdicts
from schema import cost, offer, scalars
from schema.caching import OPEN, PRIVATE, PUBLIC
from schema.entry import Citation, Entry
from schema.execution.told import Texts
from schema.info import Info
from schema.node import Node, PageInfo, global_id, key_in
from schema.scalars import Language, LocalizedText
from schema.station import Station, stations
from schema.verdict import AsOf, Facts, KnownAt, MissingFact, Verdict, asked

First = Annotated[
    int | None, strawberry.argument(description="How many, 0 to 100; 20 where nobody says.")
]
After = Annotated[
    str | None, strawberry.argument(description="The cursor after which the page begins.")
]

scalars.describe(
    menu.TalentClass,
    "The class of a foreign talent, in the words of the Changning pilot.",
    {
        "HIGH": "High-level; class A of the work permit.",
        "MEDIUM": "Medium-level; class B of the work permit.",
        "LOW": "Low-level; class C of the work permit.",
    },
)
scalars.describe(
    menu.Audience,
    "Whom a service is for.",
    {
        "FOREIGN_NATIONAL": "Nationals of other countries.",
        "RETURNEE": "People who return from study or work abroad.",
        "DOMESTIC_TALENT": "Talent from home.",
        "BUSINESS": "Employers and other businesses.",
    },
)
scalars.describe(
    menu.Channel,
    "Where a step is taken.",
    {"ONLINE": "Online.", "WINDOW": "At a service point.", "PARTNER": "At the partner's."},
)


@strawberry.federation.type(
    keys=["id", "code"], description="One of the 14 categories of the menu.", directives=[PUBLIC]
)
class Category(Node, Entry):
    row: strawberry.Private[menu.Category]

    @classmethod
    def of(cls, row: menu.Category) -> Category:
        return cls(id=global_id("Category", row.code), row=row)

    @classmethod
    def resolve_reference(cls, info: Info, id: str = "", code: str = "") -> Category | None:
        key = code or key_in(id, "Category")
        return next((one for one in categories(info) if one.row.code == key), None)

    @strawberry.field(
        directives=[cost.sized(25)], description="Its services on the menu today, by code."
    )
    def services(self, info: Info) -> list[Service]:
        day = info.context.catalogue.day(info.context.today)
        return day.once(
            ("category", self.row.code),
            lambda: [Service.of(row, info) for row in day.by_category[self.row.code]],
        )


@strawberry.type(
    description="How often a benefit may be used in each calendar period.", directives=[PUBLIC]
)
class Quota:
    units: int = strawberry.field(description="How many units.")
    period: str = strawberry.field(description="In each `MONTH` or `YEAR`.")


@strawberry.federation.type(
    keys=["id", "code"],
    description="One of the 12 benefit areas of the talent card.",
    directives=[PUBLIC],
)
class Area(Node, Entry):
    row: strawberry.Private[menu.Area]

    @classmethod
    def of(cls, row: menu.Area) -> Area:
        return cls(id=global_id("Area", row.code), row=row)

    @classmethod
    def resolve_reference(cls, info: Info, id: str = "", code: str = "") -> Area | None:
        key = code or key_in(id, "Area")
        return next((one for one in areas(info) if one.row.code == key), None)

    @strawberry.field(
        description="`SEED` for the four groups that the article names, `HUB` for our own."
    )
    def source(self) -> str:
        return "HUB" if self.row.citation.source == "hub" else "SEED"

    @strawberry.field(description="The policy family it belongs to, by code.")
    def policy(self) -> str:
        return self.row.policy

    @strawberry.field(description="How often it may be used; null for no limit.")
    def quota(self) -> Quota | None:
        quota = self.row.quota
        return Quota(units=quota.units, period=quota.period) if quota else None

    @strawberry.field(
        directives=[cost.sized(40)],
        description="Its services on the menu today, in the menu's order.",
    )
    def services(self, info: Info) -> list[Service]:
        return _services(info, catalogue.Filter(area=self.row.code))


@strawberry.type(
    description="One of the five menu areas of the first platform.", directives=[PUBLIC]
)
class PlatformArea(Entry):
    row: strawberry.Private[menu.PlatformArea]

    @strawberry.field(
        directives=[cost.sized(60)],
        description="Its services on the menu today: the walk across to the 14.",
    )
    def services(self, info: Info) -> list[Service]:
        return _services(info, catalogue.Filter(platform_area=self.row.code))

    @strawberry.field(
        directives=[cost.sized(14)],
        description="The categories its services are in, in the menu's order.",
    )
    def categories(self, info: Info) -> list[Category]:
        found = _rows(info, catalogue.Filter(platform_area=self.row.code))
        used = {row.category for row in found}
        return [one for one in categories(info) if one.row.code in used]


@strawberry.type(description="A life event, and the services it takes.", directives=[PUBLIC])
class Journey(Entry):
    row: strawberry.Private[menu.Journey]

    @strawberry.field(
        directives=[cost.sized(15)],
        description="Its services that are on the menu today, in order.",
    )
    def services(self, info: Info) -> list[Service]:
        return [Service.of(row, info) for row in self._rows(info)]

    @strawberry.field(
        description="What is still to be asked of whoever asks, over all its services, once each.",
        directives=[PRIVATE, cost.READ, cost.sized(50)],
    )
    def questions(self, info: Info) -> list[MissingFact]:
        context = info.context
        missing: dict[str, MissingFact] = {}
        for row in self._rows(info):
            judged = verdicts.on(context, row)
            known_by_partners = verdicts.outstanding(context, judged)
            for one in Verdict.of(judged).missing():
                if one.name() not in known_by_partners:
                    missing[one.name()] = one
        return list(missing.values())

    def _rows(self, info: Info) -> list[menu.Service]:
        found = {row.code: row for row in _rows(info, catalogue.Filter())}
        return [found[code] for code in self.row.services if code in found]


@strawberry.type(
    description="A figure that was published; never computed from the hub's data.",
    directives=[PUBLIC],
)
class Figure(Entry):
    row: strawberry.Private[menu.Figure]

    @strawberry.field(description="The figure.")
    def value(self) -> Decimal:
        return self.row.value

    @strawberry.field(description="What it counts in.")
    def unit(self) -> str:
        return self.row.unit

    @strawberry.field(description="When it held, as the source says it.")
    def as_of(self) -> str:
        return self.row.as_of

    @strawberry.field(description="The figure it is counted inside of, by code.")
    def part_of(self) -> str | None:
        return self.row.part_of


@strawberry.type(description="A document a service asks for.", directives=[PUBLIC])
class RequiredDocument:
    kind: strawberry.Private[menu.DocumentKind]
    need: strawberry.Private[menu.DocumentNeed]

    @classmethod
    def all(cls, row: menu.Service, info: Info) -> list[RequiredDocument]:
        """Return the documents that a service asks for."""
        kinds = info.context.catalogue.kinds_of_document
        return [cls(kind=kinds[need.document], need=need) for need in row.documents]

    @strawberry.field(description="Its code.")
    def code(self) -> str:
        return self.kind.code

    @strawberry.field(description="Its name.")
    def name(self, info: Info, language: Language = None) -> LocalizedText:
        return LocalizedText.of(self.kind.name, info, language)

    @strawberry.field(description="The classes of applicants it is asked of.")
    def classes(self) -> list[menu.TalentClass]:
        return list(self.need.classes)

    @strawberry.field(description="When or how it is asked for, where that needs saying.")
    def note(self, info: Info, language: Language = None) -> LocalizedText | None:
        return LocalizedText.of(self.need.note, info, language) if self.need.note else None

    @strawberry.field(description="How many months old it may be; null for no limit.")
    def valid_months(self) -> int | None:
        return self.kind.valid_months


@strawberry.type(description="A step of a service.", directives=[PUBLIC])
class Step:
    row: strawberry.Private[menu.Step]

    @strawberry.field(description="What is done.")
    def text(self, info: Info, language: Language = None) -> LocalizedText:
        return LocalizedText.of(self.row.text, info, language)

    @strawberry.field(description="Where it is done.")
    def channel(self) -> menu.Channel:
        return self.row.channel

    @strawberry.field(description="The classes of applicants who take it.")
    def classes(self) -> list[menu.TalentClass]:
        return list(self.row.classes)


@strawberry.type(description="What a service takes of an applicant of one class.")
class Requirements:
    talent_class: menu.TalentClass | None = strawberry.field(
        description="The class they are for; null where it is not known, and all is listed."
    )
    documents: list[RequiredDocument] = strawberry.field(
        directives=[cost.sized(15)],
        description="The documents to bring; those on record are not asked for again.",
    )
    on_record: list[RequiredDocument] = strawberry.field(
        description="The documents it takes that are on record of whoever asks."
    )
    steps: list[Step] = strawberry.field(description="The steps to take, in order.")
    working_days: int = strawberry.field(description="Within how many working days it is done.")


@strawberry.type(description="What a service costs the applicant.", directives=[PUBLIC])
class Fee:
    amount: Decimal = strawberry.field(description="The amount; nought is free.")
    currency: str = strawberry.field(description="Its currency (ISO 4217).")
    citation: Citation = strawberry.field(description="Who set it.")


@strawberry.type(description="Where a service is had.", directives=[PUBLIC])
class Where:
    row: strawberry.Private[menu.Where]

    @strawberry.field(description="The service points.")
    def stations(self, info: Info) -> list[Station]:
        return [one for one in stations(info) if one.row.code in self.row.stations]

    @strawberry.field(description="The windows inside service points, as `station/window`.")
    def windows(self) -> list[str]:
        return list(self.row.windows)

    @strawberry.field(description="Where it is had online.")
    def online(self, info: Info, language: Language = None) -> LocalizedText | None:
        return LocalizedText.of(self.row.online, info, language) if self.row.online else None


@strawberry.federation.type(
    keys=["id", "code"],
    description="A partner of the hub: a bank, a hospital, a school, a cinema.",
    directives=[PUBLIC],
)
class Partner(Node):
    row: strawberry.Private[partners.Partner]

    @classmethod
    def of(cls, row: partners.Partner, info: Info) -> Partner:
        """Return the partner as the graph says it: made once for each registry."""
        return info.context.registry.once(
            row, lambda: cls(id=global_id("Partner", row.slug), row=row)
        )

    @classmethod
    def resolve_reference(cls, info: Info, id: str = "", code: str = "") -> Partner | None:
        row = info.context.registry.partners.get(code or key_in(id, "Partner"))
        return cls.of(row, info) if row else None

    @strawberry.field(description="Its code.")
    def code(self) -> str:
        return self.row.slug

    @strawberry.field(description="The code of its kind, such as `hospital`.")
    def kind(self) -> str:
        return self.row.kind.slug

    @strawberry.field(description="Its name.")
    def name(self, info: Info, language: Language = None) -> LocalizedText:
        return LocalizedText.of(self.row.manifest.name, info, language)

    @strawberry.field(description="What it is.")
    def about(self, info: Info, language: Language = None) -> LocalizedText:
        return LocalizedText.of(self.row.manifest.about, info, language)

    @strawberry.field(description="Who answers for its connector.")
    def owner(self) -> str:
        return self.row.manifest.owner

    @strawberry.field(description="The code of its district.")
    def district(self) -> str:
        return self.row.manifest.district

    @strawberry.field(description="What it can be asked for.")
    def capabilities(self) -> list[Capability]:
        return sorted(self.row.kind.capabilities)

    @strawberry.field(description="What it can be asked to keep for a person: `reserveOffer`.")
    def books(self) -> list[Capability]:
        return sorted(self.row.books)

    @strawberry.field(
        directives=[cost.sized(20)], description="The services on the menu today that ask it."
    )
    def services(self, info: Info) -> list[Service]:
        return _services(info, catalogue.Filter(partner=self.row.slug))


@strawberry.type(
    description="Why a partner gave no fresh answer, and when to ask again.", directives=[OPEN]
)
class PartnerProblem:
    code: str = strawberry.field(description="One word of the list in docs/querying.md.")
    partner: str = strawberry.field(description="The partner's code.")
    message: str = strawberry.field(description="What is wrong, in a sentence to show.")
    retry_after: datetime | None = strawberry.field(
        description="When to ask again; null where that would be pointless."
    )


@strawberry.type(
    description="What one partner offers for a service, and how true that is.", directives=[OPEN]
)
class OfferPage:
    partner_code: str = strawberry.field(description="The partner's code.")
    capability: Capability = strawberry.field(description="What it was asked for.")
    freshness: Freshness = strawberry.field(description="How true the offers are.")
    observed_at: datetime | None = strawberry.field(description="When the partner said so.")
    retry_after: datetime | None = strawberry.field(
        description="When to ask again; null where that would be pointless or nothing failed."
    )
    problem: PartnerProblem | None = strawberry.field(
        description="Why this is not fresh; also in `errors`, once a partner."
    )
    nodes: list[offer.Offer] = strawberry.field(description="The offers, the next one first.")
    texts: strawberry.Private[Texts] = field(default_factory=Texts)

    @classmethod
    def of(cls, found: offers.Page) -> OfferPage:
        """Return the page as the graph says it: made once, whoever is given it."""
        return found.once(cls, lambda: cls._of(found))

    @classmethod
    def _of(cls, found: offers.Page) -> OfferPage:
        answer = found.answer
        problem = answer.problem
        return cls(
            partner_code=found.ask.partner,
            capability=found.ask.capability,
            freshness=answer.freshness,
            observed_at=answer.observed_at,
            retry_after=found.retry_after,
            problem=PartnerProblem(
                code=problem.value,
                partner=answer.partner,
                message=answer.sentence or "",
                retry_after=found.retry_after,
            )
            if problem
            else None,
            nodes=found.offers.once(cls, lambda: [offer.of(one) for one in found.offers]),
        )

    @strawberry.field(description="The partner; null while its file is set aside.")
    def partner(self, info: Info) -> Partner | None:
        row = info.context.registry.partners.get(self.partner_code)
        return Partner.of(row, info) if row else None


@strawberry.type(
    description="Why partners were not asked: the verdict does not allow it.", directives=[OPEN]
)
class OffersWithheld:
    outcome: Outcome = strawberry.field(description="The verdict's outcome.")
    message: str = strawberry.field(description="What to do, in a sentence to show.")


@strawberry.type(
    description="What partners offer for a service: a page a partner.", directives=[OPEN]
)
class ServiceOffers:
    withheld: OffersWithheld | None = strawberry.field(
        description="Why no partner was asked; null where they were."
    )
    pages: list[OfferPage] = strawberry.field(description="A page a partner, in the menu's order.")
    texts: strawberry.Private[Texts] = field(default_factory=Texts)

    @classmethod
    def of(cls, info: Info, found: offers.Offered) -> ServiceOffers:
        """Return the offers as the graph says them; whoever is given them is told of failures."""
        said: ServiceOffers = found.once.get(cls) or found.once(cls, lambda: cls._of(found))
        for place, one in enumerate(said.pages):
            if one.problem:
                _tell(info, one, one.problem, [*info.path.as_list(), "pages", place])
        return said

    @classmethod
    def _of(cls, found: offers.Offered) -> ServiceOffers:
        pages = [OfferPage.of(one) for one in found.pages]
        return cls(withheld=_withheld(found.withheld), pages=pages)


def _tell(info: Info, found: OfferPage, problem: PartnerProblem, path: list[str | int]) -> None:
    """Tell of a partner's failure in the answer's errors."""
    info.context.tell(
        path,
        problem.code,
        problem.message,
        partner=found.partner_code,
        freshness=found.freshness,
        retry_after=found.retry_after,
    )


def _withheld(outcome: Outcome | None) -> OffersWithheld | None:
    if outcome is None:
        return None
    messages = {
        Outcome.INELIGIBLE: "This service is not open to you; its verdict says why.",
        Outcome.NEEDS_FACTS: "Facts are missing; its verdict names them.",
        Outcome.UNDETERMINED: "A partner is silent; its verdict names it.",
    }
    return OffersWithheld(outcome=outcome, message=messages[outcome])


@strawberry.federation.type(
    keys=["id", "code"], description="One service on the menu.", directives=[PUBLIC]
)
class Service(Node):
    row: strawberry.Private[menu.Service]
    #: The documents it asks for, of whichever class.
    needs: strawberry.Private[list[RequiredDocument]]
    texts: strawberry.Private[Texts] = field(default_factory=Texts)
    #: The partners it is had from, and by which registry.
    had_from: strawberry.Private[tuple[Registry, list[Partner]] | None] = None

    @classmethod
    def of(cls, row: menu.Service, info: Info) -> Service:
        """Return the service as the graph says it: made once for each revision of the menu."""
        name = global_id("Service", row.code)
        return info.context.catalogue.nodes(
            name, lambda: cls(id=name, row=row, needs=RequiredDocument.all(row, info))
        )

    @classmethod
    def resolve_reference(cls, info: Info, id: str = "", code: str = "") -> Service | None:
        row = info.context.catalogue.services.get(code or key_in(id, "Service"))
        return cls.of(row, info) if row else None

    @strawberry.field(description="Its code.")
    def code(self) -> str:
        return self.row.code

    @strawberry.field(description="Its name.")
    def name(self, info: Info, language: Language = None) -> LocalizedText:
        return LocalizedText.of(self.row.name, info, language)

    @strawberry.field(description="What it is, in a sentence.")
    def summary(self, info: Info, language: Language = None) -> LocalizedText:
        return LocalizedText.of(self.row.summary, info, language)

    @strawberry.field(description="What it is, at length.")
    def description(self, info: Info, language: Language = None) -> LocalizedText:
        return LocalizedText.of(self.row.description, info, language)

    @strawberry.field(description="Its category.")
    def category(self, info: Info) -> Category:
        return next(one for one in categories(info) if one.row.code == self.row.category)

    @strawberry.field(description="The card areas it belongs to.")
    def areas(self, info: Info) -> list[Area]:
        return [one for one in areas(info) if one.row.code in self.row.areas]

    @strawberry.field(description="The menu areas of the first platform it belongs to, by code.")
    def platform_areas(self) -> list[str]:
        return list(self.row.platform_areas)

    @strawberry.field(description="The policy families it belongs to, by code.")
    def policies(self) -> list[str]:
        return list(self.row.policies)

    @strawberry.field(description="The key industries it is for, by code; empty for all.")
    def industries(self) -> list[str]:
        return list(self.row.industries)

    @strawberry.field(description="Whom it is for.")
    def audience(self) -> list[menu.Audience]:
        return list(self.row.audience)

    @strawberry.field(
        directives=[cost.sized(15)],
        description="The documents it asks for; of one class, where one is given.",
    )
    def documents(
        self,
        talent_class: Annotated[
            menu.TalentClass | None, strawberry.argument(description="The applicant's class.")
        ] = None,
    ) -> list[RequiredDocument]:
        if talent_class is None:
            return self.needs
        return [one for one in self.needs if talent_class in one.need.classes]

    @strawberry.field(description="Its steps in order; of one class, where one is given.")
    def steps(
        self,
        talent_class: Annotated[
            menu.TalentClass | None, strawberry.argument(description="The applicant's class.")
        ] = None,
    ) -> list[Step]:
        return [
            Step(row=row)
            for row in self.row.steps
            if talent_class is None or talent_class in row.classes
        ]

    @strawberry.field(description="What it costs.")
    def fee(self, info: Info) -> Fee:
        fee = self.row.fee
        cited = Citation.of(fee.citation, info)
        return Fee(amount=fee.amount, currency=fee.currency, citation=cited)

    @strawberry.field(description="Within how many working days it is done.")
    def working_days(
        self,
        talent_class: Annotated[
            menu.TalentClass, strawberry.argument(description="The applicant's class.")
        ] = menu.TalentClass.LOW,
    ) -> int:
        return self.row.promise.working_days(talent_class)

    @strawberry.field(description="Where it is had.")
    def where(self) -> Where:
        return Where(row=self.row.where)

    @strawberry.field(description="The partners it is had from.")
    def partners(self, info: Info) -> list[Partner]:
        registry = info.context.registry
        if self.had_from is None or self.had_from[0] is not registry:
            rows = registry.partners
            codes = dict.fromkeys(ask.partner for ask in self.row.partners)
            found = [Partner.of(rows[code], info) for code in codes if code in rows]
            self.had_from = registry, found
        return self.had_from[1]

    @strawberry.field(description="The sources it rests on.")
    def citations(self, info: Info) -> list[Citation]:
        return [Citation.of(one, info) for one in self.row.citations]

    @strawberry.field(description="The first day it is on the menu.")
    def valid_from(self) -> date:
        return self.row.valid.since

    @strawberry.field(description="The last day it is on the menu, if there is one.")
    def valid_until(self) -> date | None:
        return self.row.valid.until

    @strawberry.field(description="The day this entry was last checked.")
    def assured_at(self) -> date:
        return self.row.assured.at

    @strawberry.field(description="Who checked it.")
    def assured_by(self) -> str:
        return self.row.assured.by

    @strawberry.field(description="The last day that check counts for.")
    def stale_after(self) -> date:
        return self.row.assured.stale_after

    @strawberry.field(description="Whether the check is too old.")
    def is_stale(self, info: Info) -> bool:
        return catalogue.is_stale(self.row, info.context.today)

    @strawberry.field(
        description="What it takes of whoever asks: by their class, where known.",
        directives=[PRIVATE, cost.JUDGED],
    )
    def requirements(self, info: Info) -> Requirements | None:
        person = info.context.person
        known = person.talent_class if person else None
        held = verdicts.on_record(info.context)
        documents = self.documents(known)
        return Requirements(
            talent_class=known,
            documents=[one for one in documents if one.kind.code not in held],
            on_record=[one for one in documents if one.kind.code in held],
            steps=self.steps(known),
            working_days=self.working_days(known or menu.TalentClass.LOW),
        )

    @strawberry.field(
        description="Whether whoever asks may have it, and why.",
        directives=[PRIVATE, cost.JUDGED],
        graphql_type=Verdict | None,
    )
    def verdict(
        self, info: Info, facts: Facts = None, as_of: AsOf = None, known_at: KnownAt = None
    ) -> Verdict | Awaitable[Verdict]:
        wanted = asked(facts, as_of, known_at)
        # Hardly ever is there anything to wait for: another day, or what a partner supplies.
        if known_at is not None:
            return _known_before(info, self.row, wanted)
        found = verdicts.at_once(info.context, self.row, wanted)
        if found is None:
            return _passed(info, self.row, wanted)
        if verdicts.outstanding(info.context, found):
            return _settled(info, found)
        return Verdict.of(found)

    @strawberry.field(
        description="What its partners offer whoever asks, if the verdict allows it.",
        directives=[OPEN, cost.ASKED],
        graphql_type=ServiceOffers | None,
    )
    def offers(
        self,
        info: Info,
        first: Annotated[
            int | None,
            strawberry.argument(description="How many a partner, 1 to 100; 20 where nobody says."),
        ] = None,
        since: Annotated[
            date | None,
            strawberry.argument(
                description="From this day on: yesterday to 365 days ahead; today, if not given."
            ),
        ] = None,
        until: Annotated[
            date | None,
            strawberry.argument(
                description=(
                    "Until this day, included: today to 92 days after `since`; 14 days after it, "
                    "if not given."
                )
            ),
        ] = None,
    ) -> Awaitable[ServiceOffers]:
        wanted = offers.wanted(first, since, until)
        tell = partial(ServiceOffers.of, info)
        at_once = offers.for_eligible(info.context, self.row, wanted, tell)
        return _offered(info, self.row, wanted) if at_once is None else at_once


async def _offered(info: Info, row: menu.Service, wanted: offers.Wanted) -> ServiceOffers:
    found = await offers.for_viewer(info.context, row, wanted, info.path.as_list())
    return ServiceOffers.of(info, found)


async def _settled(info: Info, found: verdicts.Judged) -> Verdict:
    return Verdict.of(await verdicts.settled(info.context, found, info.path.as_list()))


async def _passed(info: Info, row: menu.Service, wanted: verdicts.Asked) -> Verdict:
    return await _settled(info, await verdicts.passed(info.context, row, wanted))


async def _known_before(info: Info, row: menu.Service, wanted: verdicts.Asked) -> Verdict:
    return Verdict.of(await verdicts.known_at(info.context, row, wanted))


@strawberry.type(description="A service in its place in a list.", directives=[PUBLIC])
class ServiceEdge:
    node: Service = strawberry.field(description="The service.")
    cursor: str = strawberry.field(description="Its place.")


@strawberry.type(description="A page of services.", directives=[PUBLIC])
class ServiceConnection:
    found: strawberry.Private[page.Page[menu.Service]]
    wanted: strawberry.Private[catalogue.Filter]
    after: strawberry.Private[str | None]

    @classmethod
    def of(
        cls, found: page.Page[menu.Service], wanted: catalogue.Filter, after: str | None
    ) -> ServiceConnection:
        """Return the page as the graph says it: made once, whoever asks for it."""
        return found.once(cls, lambda: cls(found=found, wanted=wanted, after=after))

    @strawberry.field(description="The services in their places.")
    def edges(self, info: Info) -> list[ServiceEdge]:
        cursors = self.found.cursors
        return [
            ServiceEdge(node=node, cursor=cursor)
            for node, cursor in zip(self.nodes(info), cursors, strict=True)
        ]

    @strawberry.field(description="Where the page stands.")
    def page_info(self) -> PageInfo:
        return PageInfo.of(self.found.cursors, has_next=self.found.has_next, after=self.after)

    @strawberry.field(description="The services of the page.")
    def nodes(self, info: Info) -> list[Service]:
        items = self.found.items
        return self.found.once("nodes", lambda: [Service.of(row, info) for row in items])

    @strawberry.field(directives=[cost.SIEVED], description="How many there are on all pages.")
    def total_count(self, info: Info) -> int:
        return len(_rows(info, self.wanted))


@strawberry.type(description="A service with the verdict it is ranked by.")
class RankedService:
    service: Service = strawberry.field(description="The service.")
    verdict: Verdict = strawberry.field(description="The verdict.")


@strawberry.type(description="A ranked service in its place.")
class RankedServiceEdge:
    node: RankedService = strawberry.field(description="The service and its verdict.")
    cursor: str = strawberry.field(description="Its place.")


@strawberry.type(description="A page of services, the nearest first.")
class RankedServiceConnection:
    edges: list[RankedServiceEdge] = strawberry.field(description="The services in their places.")
    page_info: PageInfo = strawberry.field(description="Where the page stands.")
    total_count: int = strawberry.field(description="How many there are on all pages.")

    @classmethod
    def of(
        cls, found: page.Page[verdicts.Judged], total: int, after: str | None, info: Info
    ) -> RankedServiceConnection:
        nodes = (
            RankedService(service=Service.of(one.service, info), verdict=Verdict.of(one))
            for one in found.items
        )
        return cls(
            edges=[
                RankedServiceEdge(node=node, cursor=cursor)
                for node, cursor in zip(nodes, found.cursors, strict=True)
            ],
            page_info=PageInfo.of(found.cursors, has_next=found.has_next, after=after),
            total_count=total,
        )

    @strawberry.field(description="The services and verdicts of the page.")
    def nodes(self) -> list[RankedService]:
        return [edge.node for edge in self.edges]


@strawberry.input(description="Which services are wanted: those that match all that is given.")
class MenuFilter:
    category: str | None = strawberry.field(default=None, description="In this category, by code.")
    area: str | None = strawberry.field(default=None, description="In this card area, by code.")
    platform_area: str | None = strawberry.field(
        default=None, description="In this menu area of the first platform, by code."
    )
    policy: str | None = strawberry.field(default=None, description="Of this policy family.")
    industry: str | None = strawberry.field(
        default=None, description="For this key industry: its code or one of its wordings."
    )
    audience: menu.Audience | None = strawberry.field(default=None, description="For these people.")
    station: str | None = strawberry.field(default=None, description="Had at this service point.")
    partner: str | None = strawberry.field(default=None, description="Had from this partner.")
    text: str | None = strawberry.field(
        default=None, description="With all these words in name, summary or description."
    )
    stale: bool | None = strawberry.field(
        default=None, description="Whose last check is too old, or is not."
    )

    def wanted(self, info: Info) -> catalogue.Filter:
        found = catalogue.Filter._make(map(vars(self).get, catalogue.Filter._fields))
        if self.partner is not None:
            info.context.catalogue.partner(self.partner, info.context.registry)
        if not self.industry:
            return found
        return found._replace(industry=info.context.catalogue.industry(self.industry))


def _rows(info: Info, wanted: catalogue.Filter) -> tuple[menu.Service, ...]:
    return info.context.catalogue.on_menu(info.context.today, wanted)


def _services(info: Info, wanted: catalogue.Filter) -> list[Service]:
    return [Service.of(row, info) for row in _rows(info, wanted)]


def categories(info: Info) -> list[Category]:
    """Return the categories as the graph says them, in the menu's order."""
    found = info.context.catalogue
    return found.once("categories", lambda: [Category.of(row) for row in found.lists.categories])


def areas(info: Info) -> list[Area]:
    """Return the card areas as the graph says them, in the menu's order."""
    found = info.context.catalogue
    return found.once("areas", lambda: [Area.of(row) for row in found.lists.areas])

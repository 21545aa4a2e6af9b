"""All that may be asked: the roots of the graph."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Iterable, Mapping
from typing import Annotated, Protocol, cast

import strawberry

from models import errors
from resolvers import access, enrolment
from resolvers import booking as bookings
from resolvers import card as cards
from resolvers import confirmation as confirmations
from resolvers import consent as consents
from resolvers import decision as decisions
from resolvers import device as devices
from resolvers import document as documents
from resolvers import menu as catalogue
from resolvers import receipt as receipts
from resolvers import talent as people
from resolvers import verdict as verdicts
from resolvers import verification as checks
from resolvers import webhook as webhooks
from resolvers.context import Context
from schema import cost
from schema.access import AccessEntryConnection, Prompt
from schema.booking import Booking
from schema.caching import OPEN, PUBLIC
from schema.card import CardRecord, WhichCard
from schema.connector import Connector, connectors
from schema.consent import (
    Consent,
    DisclosureNotice,
    DisclosureOutcome,
    Members,
    NotServedFault,
)
from schema.coverage import Coverage
from schema.decision import Decision, Replay
from schema.device import (
    Device,
    FallbackSeedsOutcome,
    UnknownDeviceFault,
    fallback,
)
from schema.document import ApplicationRelease
from schema.edition import MenuEdition
from schema.errors import UnknownCodeFault
from schema.impact import RuleImpactInput, RuleImpactOutcome, rule_impact
from schema.info import Info
from schema.issuer import TrustedIssuer
from schema.menu import (
    After,
    Area,
    Category,
    Figure,
    First,
    Journey,
    MenuFilter,
    Partner,
    PlatformArea,
    RankedServiceConnection,
    Service,
    ServiceConnection,
    areas,
    categories,
)
from schema.node import Node
from schema.permissions import admins, holders, officers, operators
from schema.permissions import verifiers as only_verifiers
from schema.presentation import NoLiveCardFault
from schema.receipt import Receipt, ReceiptConfirmation
from schema.scalars import Language
from schema.station import Station, stations
from schema.talent import Card, Talent, TalentConnection, TalentFilter
from schema.verdict import AsOf, Facts, asked
from schema.verification import VerifyCardOutcome, outcome
from schema.verifier import Verifier
from schema.webhook import CardNoticeConnection, Webhook

#: The most ids that `nodes` takes, as a connection's page.
MOST_IDS = 100

#: Fields that ask about whoever asks. Where a document has one, that person is read before it is
#: run, in one go, so that none of its hundreds of verdicts has anything to wait for.
PERSONAL = frozenset(
    {
        *("bookings", "cancelBooking", "confirmBooking", "reserveOffer", "settleBooking"),
        *("decisions", "discardDraft", "saveDraft", "submitDraft"),
        "reportCardLost",
        *("eligibleServices", "me", "offers", "questions", "requirements", "verdict"),
        *("consents", "disclosure", "giveConsent", "presentCard", "withdrawConsent"),
        *("devices", "fallbackSeeds", "issueCredentials", "issuePass", "linkDevice"),
        *("accessLog", "answerPrompt", "prompts", "unlinkDevice"),
    }
)

ServiceOutcome = Annotated[
    Service | UnknownCodeFault,
    strawberry.union("ServiceOutcome", description="A service, or that there is none so called."),
]


@strawberry.type(description="A service that is not as it was.", directives=[PUBLIC])
class MenuChange:
    code: str = strawberry.field(description="The service's code.")
    kind: catalogue.ChangeKind = strawberry.field(description="What became of it.")
    service: Service | None = strawberry.field(description="The service as it is; null if removed.")


@strawberry.type(description="All that may be asked.")
class Query:
    @strawberry.field(description="The menu that is in force.", directives=[PUBLIC])
    def edition(self, info: Info) -> MenuEdition:
        return MenuEdition.of(info.context.catalogue)

    @strawberry.field(
        description="The 14 categories of the menu, in its order.",
        directives=[PUBLIC, cost.sized(14)],
    )
    def categories(self, info: Info) -> list[Category]:
        return categories(info)

    @strawberry.field(
        description="The 12 benefit areas of the talent card.",
        directives=[PUBLIC, cost.sized(12)],
    )
    def areas(self, info: Info) -> list[Area]:
        return areas(info)

    @strawberry.field(description="The five menu areas of the first platform.", directives=[PUBLIC])
    def platform_areas(self, info: Info) -> list[PlatformArea]:
        return [PlatformArea(row=row) for row in info.context.catalogue.lists.platform_areas]

    @strawberry.field(
        description="Life events, and the services each takes in order.", directives=[PUBLIC]
    )
    def journeys(self, info: Info) -> list[Journey]:
        return [Journey(row=row) for row in info.context.catalogue.lists.journeys]

    @strawberry.field(
        description="Published figures about talent in the district.",
        directives=[PUBLIC, cost.sized(50)],
    )
    def figures(self, info: Info) -> list[Figure]:
        return [Figure(row=row) for row in info.context.catalogue.lists.figures]

    @strawberry.field(
        description="The services on the menu today, in its order, page by page.",
        directives=[PUBLIC, cost.paged()],
    )
    def menu(
        self,
        info: Info,
        filter: Annotated[
            MenuFilter | None,
            strawberry.argument(description="Which services are wanted.", directives=[cost.SOUGHT]),
        ] = None,
        first: First = None,
        after: After = None,
    ) -> ServiceConnection | None:
        wanted = filter.wanted(info) if filter else catalogue.Filter()
        found = info.context.catalogue.page(info.context.today, wanted, first, after)
        return ServiceConnection.of(found, wanted, after)

    @strawberry.field(
        directives=[cost.RANKED, cost.paged()],
        description=(
            "The services on the menu of the day, tailored to whoever asks: first those they may "
            "have, then those that need facts, fewest first, then those that wait for a partner, "
            "then the others; page by page."
        ),
    )
    async def eligible_services(
        self,
        info: Info,
        filter: Annotated[
            MenuFilter | None, strawberry.argument(description="Which services are wanted.")
        ] = None,
        facts: Facts = None,
        as_of: AsOf = None,
        first: First = None,
        after: After = None,
    ) -> RankedServiceConnection | None:
        wanted = filter.wanted(info) if filter else catalogue.Filter()
        given, path = asked(facts, as_of), info.path.as_list()
        found, total = await verdicts.ranked(info.context, wanted, given, first, after, path)
        return RankedServiceConnection.of(found, total, after, info)

    @strawberry.field(
        description="The services that are not as they were in an earlier revision, by code.",
        directives=[PUBLIC, cost.COMPARED, cost.sized(200)],
    )
    async def menu_changes(
        self,
        info: Info,
        since: Annotated[int, strawberry.argument(description="The number of that revision.")],
    ) -> list[MenuChange] | None:
        context = info.context
        found = await catalogue.changes(context.database, context.catalogue, since)
        services = context.catalogue.services
        return [
            MenuChange(
                code=one.code,
                kind=one.kind,
                service=Service.of(services[one.code], info) if one.code in services else None,
            )
            for one in found
        ]

    @strawberry.field(
        description="One service, whether or not it is on the menu today.", directives=[PUBLIC]
    )
    def service(
        self,
        info: Info,
        code: Annotated[
            str, strawberry.argument(description="Its code.", directives=[cost.SOUGHT])
        ],
    ) -> ServiceOutcome | None:
        try:
            return Service.of(info.context.catalogue.service(code), info)
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

    @strawberry.field(
        description="The district's service points.",
        directives=[PUBLIC, cost.sized(20)],
    )
    def stations(
        self,
        info: Info,
        service: Annotated[
            str | None,
            strawberry.argument(
                description="Where this service is had, by code.", directives=[cost.SOUGHT]
            ),
        ] = None,
    ) -> list[Station] | None:
        if service is None:
            return stations(info)
        had = catalogue.stations_of(info.context.catalogue.service(service))
        return [one for one in stations(info) if one.row.code in had]

    @strawberry.field(
        description="The partners at work, by code.",
        directives=[PUBLIC, cost.sized(50)],
    )
    def partners(
        self,
        info: Info,
        kind: Annotated[
            str | None,
            strawberry.argument(
                description="Of this kind, such as `hospital`.", directives=[cost.SOUGHT]
            ),
        ] = None,
        district: Annotated[
            str | None, strawberry.argument(description="In this district, by code.")
        ] = None,
    ) -> list[Partner] | None:
        registry = info.context.registry
        if kind is not None and kind not in registry.kinds:
            raise errors.UnknownCodeError("kind of partner", kind, registry.kinds)
        return [
            Partner.of(row, info)
            for row in registry.partners.values()
            if kind in {None, row.kind.slug} and district in {None, row.manifest.district}
        ]

    @strawberry.field(
        directives=[cost.sized(50)],
        description="The line to each partner, set-aside ones included, by code.",
    )
    def connectors(self, info: Info) -> list[Connector]:
        return connectors(info)

    @strawberry.field(
        directives=[cost.READ, cost.sized(100)],
        description=(
            "The versions of applications whose documents were published, the last published "
            "first; at most 100. Integrators, officers and admins."
        ),
        extensions=[operators()],
    )
    async def application_releases(
        self,
        info: Info,
        application: Annotated[
            str | None, strawberry.argument(description="Of this application alone.")
        ] = None,
    ) -> list[ApplicationRelease] | None:
        found = await documents.listed(info.context.database, application)
        return [ApplicationRelease.of(one) for one in found]

    @strawberry.field(
        directives=[cost.READ, cost.sized(50)],
        description="The partners that check cards, by code. Integrators, officers and admins.",
        extensions=[operators()],
    )
    async def verifiers(self, info: Info) -> list[Verifier] | None:
        found = await enrolment.everybody(info.context.authority.verifiers)
        return [Verifier.of(one) for one in found]

    @strawberry.field(
        directives=[cost.READ],
        description="The person asking; null where the database does not know them. Holders.",
        extensions=[holders()],
    )
    def me(self, info: Info) -> Talent | None:
        found = people.me(info.context)
        return Talent.of(found) if found else None

    @strawberry.field(
        directives=[cost.READ, cost.sized(100)],
        description="What the person asking asked for, the newest first; at most 100. Holders.",
        extensions=[holders()],
    )
    async def decisions(self, info: Info) -> list[Decision] | None:
        return [Decision.of(row) for row in await decisions.mine(info.context)]

    @strawberry.field(
        directives=[cost.READ, cost.sized(100)],
        description="What the person asking booked, the newest first; at most 100. Holders.",
        extensions=[holders()],
    )
    async def bookings(self, info: Info) -> list[Booking] | None:
        return [Booking.of(row, info) for row in await bookings.mine(info.context)]

    @strawberry.field(
        directives=[cost.READ, cost.sized(100)],
        description="What the person asking agreed to, the newest first; at most 100. Holders.",
        extensions=[holders()],
    )
    async def consents(self, info: Info) -> list[Consent] | None:
        return [Consent.of(row, info) for row in await consents.mine(info.context)]

    @strawberry.field(
        directives=[cost.READ, cost.paged()],
        description=(
            "Who asked about the person asking, for what, and what they were told; the newest "
            "first, page by page. Holders."
        ),
        extensions=[holders()],
    )
    async def access_log(
        self, info: Info, first: First = None, after: After = None
    ) -> AccessEntryConnection | None:
        found = await access.log(info.context, first, after)
        return AccessEntryConnection.of(found, after, info)

    @strawberry.field(
        directives=[cost.READ, cost.sized(10)],
        description="The checks that wait for the person asking, the oldest first. Holders.",
        extensions=[holders()],
    )
    async def prompts(self, info: Info) -> list[Prompt] | None:
        return [Prompt.of(row, info) for row in await confirmations.mine(info.context)]

    @strawberry.field(
        directives=[cost.READ, cost.sized(10)],
        description="The phones that the person asking has linked. Holders.",
        extensions=[holders()],
    )
    async def devices(self, info: Info) -> list[Device] | None:
        return [Device.of(row) for row in await devices.mine(info.context)]

    @strawberry.field(
        directives=[cost.READ],
        description="What a linked phone makes its fallback codes of. Holders.",
        extensions=[holders()],
    )
    async def fallback_seeds(
        self,
        info: Info,
        device: Annotated[strawberry.ID, strawberry.argument(description="The phone, by id.")],
    ) -> FallbackSeedsOutcome | None:
        try:
            return fallback(await devices.seeds(info.context, device), info)
        except errors.NoLiveCardError as error:
            return NoLiveCardFault.of(error)
        except errors.UnknownDeviceError as error:
            return UnknownDeviceFault.of(error)

    @strawberry.field(
        directives=[cost.READ],
        description="What a partner would learn of the person asking, and the text. Holders.",
        extensions=[holders()],
    )
    def disclosure(
        self,
        info: Info,
        partner_code: Annotated[str, strawberry.argument(description="The partner, by code.")],
        service_code: Annotated[str, strawberry.argument(description="The service, by code.")],
        language: Language = None,
        members: Members = None,
    ) -> DisclosureOutcome | None:
        wanted = consents.Wanted(partner_code, service_code, tuple(members or ()), language)
        try:
            return DisclosureNotice.of(consents.disclosed(info.context, wanted), info)
        except errors.NotServedError as error:
            return NotServedFault.of(error)
        except errors.UnknownCodeError as error:
            return UnknownCodeFault.of(error)

    @strawberry.field(
        directives=[cost.READ],
        description="A receipt gone through again: by the rule and on the facts that it states.",
    )
    async def replay(
        self,
        info: Info,
        receipt: Annotated[str, strawberry.argument(description="The receipt, whole.")],
    ) -> Replay | None:
        return Replay.of(await decisions.replay(info.context, receipt))

    @strawberry.field(
        directives=[cost.READ, cost.paged()],
        description="People, in the order they were recorded, page by page. Officers.",
        extensions=[officers()],
    )
    async def talents(
        self,
        info: Info,
        filter: Annotated[
            TalentFilter | None, strawberry.argument(description="Which people are wanted.")
        ] = None,
        first: First = None,
        after: After = None,
    ) -> TalentConnection | None:
        wanted = (filter or TalentFilter()).wanted(info)
        found = await people.listed(info.context, wanted, first, after)
        return TalentConnection.of(found, wanted, after)

    @strawberry.field(
        directives=[cost.LOOKED_UP],
        description="A card by its printed serial, in any spelling. Officers.",
        extensions=[officers()],
    )
    async def card(
        self,
        info: Info,
        serial: Annotated[str, strawberry.argument(description="Its printed serial.")],
    ) -> Card | None:
        return await Card.resolve_reference(info, serial=serial)

    @strawberry.field(
        directives=[cost.READ, cost.sized(100)],
        description=(
            "A card with what befell it; of a holder all their cards, the newest first. Officers."
        ),
        extensions=[officers()],
    )
    async def card_records(
        self,
        info: Info,
        card: Annotated[WhichCard, strawberry.argument(description="Which card, or whose.")],
    ) -> list[CardRecord] | None:
        found = await cards.history(info.context, card.wanted())
        return [CardRecord.of(one) for one in found]

    @strawberry.field(
        directives=[cost.READ, cost.paged()],
        description=(
            "What befell the cards that the verifier asking had accepted before, in order, page by "
            "page: what its webhooks are sent. Verifiers."
        ),
        extensions=[only_verifiers()],
    )
    async def card_changes(
        self, info: Info, first: First = None, after: After = None
    ) -> CardNoticeConnection | None:
        found = await webhooks.changes(info.context, first, after)
        return CardNoticeConnection.of(found, after)

    @strawberry.field(
        directives=[cost.LOOKED_UP, cost.sized(10)],
        description="The webhooks of the verifier asking that have not ended. Verifiers.",
        extensions=[only_verifiers()],
    )
    async def webhooks(self, info: Info) -> list[Webhook] | None:
        return [Webhook.of(row) for row in await webhooks.mine(info.context)]

    @strawberry.field(
        directives=[cost.GUARDED],
        description="Whom the rule of a service covers today. Officers.",
        extensions=[officers()],
    )
    def coverage(
        self,
        info: Info,
        service: Annotated[
            str,
            strawberry.argument(description="The code of the service.", directives=[cost.SOUGHT]),
        ],
    ) -> Coverage | None:
        return Coverage(row=info.context.catalogue.service(service))

    @strawberry.field(
        directives=[cost.POPULATION],
        description="What another rule for a service would do to people, today. Officers.",
        extensions=[officers()],
    )
    async def rule_impact(
        self,
        info: Info,
        input: Annotated[
            RuleImpactInput, strawberry.argument(description="The service, and its other rule.")
        ],
    ) -> RuleImpactOutcome | None:
        return await rule_impact(info, input)

    @strawberry.field(
        directives=[cost.LOOKED_UP],
        description=(
            "What came of a check of the partner's asking: the latest, where a holder was asked; "
            "null where there is none so called. Partners."
        ),
        extensions=[only_verifiers()],
    )
    async def verification(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The `verificationId`.")],
    ) -> VerifyCardOutcome | None:
        found = await checks.by_handle(info.context, id)
        return outcome(found, info) if found else None

    @strawberry.field(
        directives=[cost.LOOKED_UP],
        description=(
            "A receipt, to the partner who made the check, the holder it was about, and officers; "
            "null to others, as where there is none."
        ),
    )
    async def receipt(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")],
    ) -> Receipt | None:
        row = await receipts.shown(info.context, id)
        return Receipt.of(row) if row else None

    @strawberry.field(
        directives=[cost.READ],
        description=(
            "What a receipt of this hub says, to whoever has one in hand, with its place in the "
            "log; one that is not ours is an error."
        ),
    )
    async def confirm_receipt(
        self,
        info: Info,
        jws: Annotated[str, strawberry.argument(description="The receipt, whole.")],
    ) -> ReceiptConfirmation | None:
        return ReceiptConfirmation.of(await receipts.confirmed(info.context, jws), info)

    @strawberry.field(
        directives=[cost.sized(20)],
        description="The districts whose cards count here, by address. Admins.",
        extensions=[admins()],
    )
    def trusted_issuers(self, info: Info) -> list[TrustedIssuer] | None:
        now = info.context.now
        return [TrustedIssuer.of(one) for one in info.context.authority.issuers.entries(now)]

    @strawberry.field(
        directives=[OPEN, cost.LOOKED_UP],
        description="The thing with this id; null where there is none the viewer may know of.",
        graphql_type=Node | None,
    )
    def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> Node | Awaitable[Node | None] | None:
        return _node(info, id)

    @strawberry.field(
        directives=[OPEN, cost.LOOKED_UP, cost.sized(100)],
        description="The things with these ids, in their order; at most 100.",
        graphql_type=list[Node | None],
    )
    def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="Their ids.")],
    ) -> list[Node | None] | Awaitable[list[Node | None]]:
        if len(ids) > MOST_IDS:
            raise errors.BadInputError(f"`ids` has {len(ids)}; at most {MOST_IDS} may be asked.")
        known: list[Node | None] = list(map(info.context.catalogue.nodes.get, ids))
        if None not in known:
            return known
        if _LOOKED_UP.isdisjoint({one.partition(":")[0] for one in ids}):
            return cast("list[Node | None]", [_node(info, one) for one in ids])
        return _looked_up(info, ids)


def before(context: Context, fields: frozenset[str]) -> Awaitable[None] | None:
    """Read what the fields of a document will need of whoever asks, if they do."""
    if fields.isdisjoint(PERSONAL):
        return None
    return people.read_viewer(context, with_units="unitsLeft" in fields)


class _Entity(Protocol):
    """A type whose things are found by their id, through the door a federation gateway uses."""

    def resolve_reference(self, info: Info, id: str) -> Node | Awaitable[Node | None] | None: ...


_ENTITIES: Mapping[str, _Entity] = {
    "Area": Area,
    "Card": Card,
    "Category": Category,
    "Connector": Connector,
    "Partner": Partner,
    "Service": Service,
    "Station": Station,
    "Talent": Talent,
}


#: Those of them that are read from the database.
_LOOKED_UP = frozenset(
    name
    for name, entity in _ENTITIES.items()
    if inspect.iscoroutinefunction(entity.resolve_reference)
)


def _node(info: Info, id: str) -> Node | Awaitable[Node | None] | None:
    known: Node | None = info.context.catalogue.nodes.get(id)
    if known is not None:
        return known
    entity = _ENTITIES.get(id.partition(":")[0])
    return entity.resolve_reference(info, id) if entity else None


async def _looked_up(info: Info, ids: Iterable[str]) -> list[Node | None]:
    async def one(id: str) -> Node | None:
        found = _node(info, id)
        return await found if inspect.isawaitable(found) else found

    return list(await asyncio.gather(*map(one, ids)))

"""People and their cards. Whoever holds an object of these types was let see that person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, TypeVar

import strawberry
from strawberry.types.base import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from models import card, page, talent
from models.menu import TalentClass
from resolvers import access
from resolvers import classification as classing
from resolvers import talent as people
from schema import cost, scalars
from schema.card import CardStatus
from schema.classification import Classification
from schema.consent import CardPartner
from schema.info import Info, named
from schema.menu import Area, Service
from schema.node import Node, PageInfo, global_id, key_in

scalars.describe(
    talent.OrganisationKind,
    "Where talent comes from.",
    {
        "UNIVERSITY": "A university.",
        "RESEARCH_INSTITUTE": "A research institute.",
        "ENTERPRISE": "An enterprise.",
    },
)
scalars.describe(
    talent.DegreeLevel,
    "Levels of degree, lowest first.",
    {"BACHELOR": "A bachelor's.", "MASTER": "A master's.", "DOCTOR": "A doctor's."},
)
scalars.describe(
    talent.PermitKind,
    "Papers with a number; every number leads to the same person.",
    {
        "WORK_PERMIT": "The Foreigner's Work Permit.",
        "RESIDENCE_PERMIT": "A residence permit.",
        "RESIDENCE_PERMIT_B": "The Overseas Talent Residence Permit (B).",
        "PERMANENT_RESIDENCE": "The permanent residence ID card.",
        "FOREIGN_EXPERT_CERTIFICATE": "The former Foreign Expert Certificate.",
        "EMPLOYMENT_LICENCE": "The former Foreigner's Employment License.",
        "VISA": "A visa.",
        "DOMESTIC_ID": "The resident identity card.",
    },
)
scalars.describe(
    talent.Relation,
    "What a member of the household is to the person.",
    {"SPOUSE": "The spouse.", "CHILD": "A child."},
)
scalars.describe(
    talent.AwardLevel,
    "Levels of the district's awards; the top ones count among the excellent.",
    {"TOP": "A top talent.", "EXCELLENT": "An excellent professional."},
)


@strawberry.type(description="An organisation that talent comes from.")
class Organisation:
    code: str = strawberry.field(description="Its code.")
    name_en: str = strawberry.field(description="Its English name.")
    name_zh: str = strawberry.field(description="Its Chinese name.")
    kind: talent.OrganisationKind = strawberry.field(description="What sort it is.")
    district: str = strawberry.field(description="The code of its district.")
    region: str = strawberry.field(description="The code of its province or city.")

    @classmethod
    def of(cls, row: talent.Organisation) -> Organisation:
        return cls(
            code=row.slug,
            name_en=row.name_en,
            name_zh=row.name_zh,
            kind=row.kind,
            district=row.district,
            region=row.region,
        )


@strawberry.type(description="A degree.")
class Degree:
    level: talent.DegreeLevel = strawberry.field(description="Its level.")
    school: str = strawberry.field(description="The school that awarded it.")
    country: str = strawberry.field(description="The school's country (ISO 3166).")
    awarded_on: date = strawberry.field(description="The day it was awarded.")
    school_rank: int | None = strawberry.field(description="The school's world rank, if known.")
    subject_rank: int | None = strawberry.field(description="Its rank in the subject, if known.")
    source: str = strawberry.field(description="Who said so.")


@strawberry.type(description="A post held.")
class Employment:
    organisation: Organisation = strawberry.field(description="The employer.")
    title: str = strawberry.field(description="The post.")
    valid_from: date = strawberry.field(description="The first day.")
    valid_until: date | None = strawberry.field(description="The last day, if it has ended.")
    annual_salary: Decimal | None = strawberry.field(description="Yuan a year, if known.")
    source: str = strawberry.field(description="Who said so.")


@strawberry.type(description="A paper with a number.")
class Permit:
    kind: talent.PermitKind = strawberry.field(description="What paper it is.")
    number: str = strawberry.field(description="Its number.")
    authority: str = strawberry.field(description="Who issued it.")
    valid_from: date = strawberry.field(description="The first day it holds.")
    valid_until: date | None = strawberry.field(description="The last day it holds, if any.")
    source: str = strawberry.field(description="Who said so.")


@strawberry.type(description="A member of a person's household.")
class HouseholdMember:
    id: strawberry.ID = strawberry.field(description="Their id among this person's own.")
    relation: talent.Relation = strawberry.field(description="What they are to the person.")
    name: str = strawberry.field(description="Their name.")
    birth_date: date | None = strawberry.field(description="Their birth date, if known.")
    nationality: str | None = strawberry.field(description="Their nationality (ISO 3166).")
    source: str = strawberry.field(description="Who said so.")


@strawberry.type(description="An award of the district.")
class Award:
    level: talent.AwardLevel = strawberry.field(description="Its level.")
    year: int = strawberry.field(description="The year it was given.")
    source: str = strawberry.field(description="Who said so.")


@strawberry.type(description="A team in one edition of the entrepreneurship competition.")
class Team:
    edition: int = strawberry.field(description="The year of the edition.")
    name: str = strawberry.field(description="The team's name.")
    field: str = strawberry.field(description="Its field.")
    overseas: bool = strawberry.field(description="Whether it came from overseas.")
    result: str | None = strawberry.field(description="How it ended, if it has.")


@strawberry.type(description="What is left of one area on a card.")
class CardArea:
    area: Area = strawberry.field(description="The area.")
    units_left: int | None = strawberry.field(
        description="Units left in the present period; null where there is no limit."
    )
    renews_on: date | None = strawberry.field(description="The day the units are whole again.")
    code: strawberry.Private[str]

    @classmethod
    def of(cls, use: people.AreaUse) -> CardArea:
        return cls(
            area=Area.of(use.area),
            units_left=use.units_left,
            renews_on=use.renews_on,
            code=use.area.code,
        )

    @strawberry.field(
        directives=[cost.sized(40)], description="What of the menu it opens today; each says where."
    )
    def services(self, info: Info) -> list[Service]:
        return [Service.of(row, info) for row in people.services_in(info.context, self.code)]

    @strawberry.field(
        directives=[cost.sized(20)],
        description="The partners that take the card for one of these services.",
    )
    def partners(self, info: Info) -> list[CardPartner]:
        return [CardPartner.of(row) for row in people.takers_in(info.context, self.code)]


@strawberry.federation.type(
    keys=["id", "serial"], description="A talent card. Shown to its holder and officers."
)
class Card(Node):
    holder: strawberry.Private[talent.Talent]
    serial: str = strawberry.field(description="The printed serial. It is no secret.")
    batch: int = strawberry.field(description="The batch it was issued in.")
    issued_on: date = strawberry.field(description="The day it was issued.")
    valid_until: date = strawberry.field(description="The last day it is valid.")
    status: CardStatus = strawberry.field(description="Whether it may be used.")
    tier: TalentClass = strawberry.field(description="The class it was issued for.")

    @classmethod
    def of(cls, row: card.Card, holder: talent.Talent) -> Card:
        return cls(
            id=global_id("Card", row.serial),
            holder=holder,
            serial=row.serial,
            batch=row.batch,
            issued_on=row.issued_on,
            valid_until=row.valid_until,
            status=row.status,
            tier=row.tier,
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: str = "", serial: str = "") -> Card | None:
        found = await people.card_by_serial(info.context, serial or key_in(id, "Card"))
        if found is None:
            return None
        row, holder = found
        if access.watched(info.context):
            access.looked(info.context, [holder.handle], ["card"])
        return cls.of(row, holder)

    @strawberry.field(
        directives=[cost.KNOWN, cost.sized(12)],
        description="Each of the 12 areas, with what is left of it.",
    )
    async def areas(self, info: Info) -> list[CardArea]:
        return [CardArea.of(use) for use in await people.areas_of(info.context, self.holder.handle)]

    # A method of this name would hide the module from the annotations above.
    @strawberry.field(name="talent", description="The person it is of.")
    def person(self, info: Info) -> Talent:
        note(info, [self.holder])
        return Talent.of(self.holder)


T = TypeVar("T")


def _alike(kind: type[T], rows: Sequence[object]) -> list[T]:
    """Return rows as a type whose every field is the row's column of that name."""
    names = kind.__annotations__
    return [kind(**{name: getattr(row, name) for name in names}) for row in rows]


@strawberry.federation.type(
    keys=["id"],
    description="A person in the talent database. Shown to themselves and officers.",
)
class Talent(Node):
    row: strawberry.Private[talent.Talent]
    name: str = strawberry.field(description="The name as the person writes it.")
    name_latin: str | None = strawberry.field(description="The name in Latin letters, if known.")
    birth_date: date | None = strawberry.field(description="The birth date, if known.")
    nationality: str | None = strawberry.field(description="The nationality (ISO 3166), if known.")
    district: str = strawberry.field(description="The code of the district that keeps the record.")
    talent_class: TalentClass | None = strawberry.field(description="The class, if known.")
    industry: str | None = strawberry.field(description="The code of the key industry, if any.")
    listed_on: date | None = strawberry.field(
        description="Since when the person is listed in the talent database."
    )

    @classmethod
    def of(cls, row: talent.Talent) -> Talent:
        return cls(
            id=global_id("Talent", row.handle),
            row=row,
            name=row.name,
            name_latin=row.name_latin,
            birth_date=row.birth_date,
            nationality=row.nationality,
            district=row.district,
            talent_class=row.talent_class,
            industry=row.industry,
            listed_on=row.listed_on,
        )

    @classmethod
    async def resolve_reference(cls, info: Info, id: str) -> Talent | None:
        found = await people.by_handle(info.context, key_in(id, "Talent"))
        if found is None:
            return None
        note(info, [found])
        return cls.of(found)

    @strawberry.field(description="The class in the work permit's letters: A, B or C.")
    def class_alias(self) -> str | None:
        return self.row.talent_class.alias if self.row.talent_class else None

    @strawberry.field(directives=[cost.KNOWN], description="The degrees known of.")
    async def degrees(self, info: Info) -> list[Degree]:
        return _alike(Degree, (await people.whole(info.context, self.row)).degrees)

    @strawberry.field(directives=[cost.KNOWN], description="The posts known of.")
    async def employments(self, info: Info) -> list[Employment]:
        rows = (await people.whole(info.context, self.row)).employments
        return [
            Employment(
                organisation=Organisation.of(row.organisation),
                title=row.title,
                valid_from=row.valid_from,
                valid_until=row.valid_until,
                annual_salary=row.annual_salary,
                source=row.source,
            )
            for row in rows
        ]

    @strawberry.field(directives=[cost.KNOWN], description="The papers known of.")
    async def permits(self, info: Info) -> list[Permit]:
        return _alike(Permit, (await people.whole(info.context, self.row)).permits)

    @strawberry.field(directives=[cost.KNOWN], description="The household known of.")
    async def household(self, info: Info) -> list[HouseholdMember]:
        return _alike(HouseholdMember, (await people.whole(info.context, self.row)).household)

    @strawberry.field(directives=[cost.KNOWN], description="The awards of the district.")
    async def awards(self, info: Info) -> list[Award]:
        return _alike(Award, (await people.whole(info.context, self.row)).awards)

    @strawberry.field(
        directives=[cost.KNOWN], description="The teams in the entrepreneurship competition."
    )
    async def teams(self, info: Info) -> list[Team]:
        return _alike(Team, (await people.whole(info.context, self.row)).teams)

    @strawberry.field(
        directives=[cost.KNOWN],
        description=(
            "How the person is classed on a day: on record, by points line by line, by pay."
        ),
    )
    async def classification(
        self,
        info: Info,
        as_of: Annotated[
            date | None,
            strawberry.argument(
                description="The day in Shanghai, at most ten years from today, which it else is."
            ),
        ] = None,
    ) -> Classification:
        return Classification.of(await classing.of(info.context, self.row, as_of))

    @strawberry.field(
        directives=[cost.KNOWN],
        description="The card: the newest active one, else the newest; or none.",
    )
    async def card(self, info: Info) -> Card | None:
        found = await people.card_of(info.context, self.row)
        return Card.of(found, self.row) if found else None


#: The fields of a person, by their names in the graph.
_OF_A_PERSON = frozenset(
    to_camel_case(one.name) for one in get_object_definition(Talent, strict=True).fields
)


def note(
    info: Info,
    shown: Iterable[talent.Talent],
    *places: str,
    purpose: str = access.LOOKED_UP,
) -> None:
    """Note for people's logs which fields of theirs the field under way is to show an officer.

    ``places`` are the fields between that field and the people.
    """
    if not access.watched(info.context):
        return
    names = _OF_A_PERSON & named(info, *places)
    access.looked(info.context, [row.handle for row in shown], names, purpose)


@strawberry.type(description="A person in their place in a list.")
class TalentEdge:
    node: Talent = strawberry.field(description="The person.")
    cursor: str = strawberry.field(description="Their place.")

    @classmethod
    def all(cls, found: page.Page[talent.Talent]) -> list[TalentEdge]:
        return [
            cls(node=Talent.of(row), cursor=cursor)
            for row, cursor in zip(found.items, found.cursors, strict=True)
        ]


@strawberry.type(description="A page of people.")
class TalentConnection:
    page_info: PageInfo = strawberry.field(description="Where the page stands.")
    found: strawberry.Private[page.Page[talent.Talent]]
    wanted: strawberry.Private[talent.Filter]

    @classmethod
    def of(
        cls, found: page.Page[talent.Talent], wanted: talent.Filter, after: str | None
    ) -> TalentConnection:
        return cls(
            page_info=PageInfo.of(found.cursors, has_next=found.has_next, after=after),
            found=found,
            wanted=wanted,
        )

    @strawberry.field(description="The people in their places.")
    def edges(self, info: Info) -> list[TalentEdge]:
        note(info, self.found.items, "node")
        return TalentEdge.all(self.found)

    @strawberry.field(description="The people of the page.")
    def nodes(self, info: Info) -> list[Talent]:
        note(info, self.found.items)
        return [Talent.of(row) for row in self.found.items]

    @strawberry.field(
        directives=[cost.READ],
        description="How many there are on all pages; counted when asked for.",
    )
    async def total_count(self, info: Info) -> int:
        return await people.counted(info.context, self.wanted)


@strawberry.input(description="Which people are wanted: those that match all that is given.")
class TalentFilter:
    talent_class: TalentClass | None = strawberry.field(default=None, description="Of this class.")
    industry: str | None = strawberry.field(
        default=None, description="In this key industry: its code or one of its wordings."
    )
    district: str | None = strawberry.field(default=None, description="Of this district, by code.")
    text: str | None = strawberry.field(
        default=None,
        description=(
            "With names that have words so begun, whatever case or width. Who is so named reads in "
            "their log that they were looked for, shown or not, "
            f"where they are {people.FEW} at most."
        ),
    )

    def wanted(self, info: Info) -> talent.Filter:
        industry = self.industry
        return talent.Filter(
            talent_class=self.talent_class,
            industry=info.context.catalogue.industry(industry) if industry is not None else None,
            district=self.district,
            text=self.text,
        )

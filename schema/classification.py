"""How a person is classed, explained: points line by line, pay lines, the class on record."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import strawberry

from eligibility import condition, points
from eligibility.tree import Known
from models import menu
from models.menu import TalentClass
from resolvers import classification
from schema.entry import Citation
from schema.info import Info
from schema.scalars import Language, LocalizedText
from schema.verdict import Question, written


@strawberry.type(description="A fact that points are counted by, as it is known of a person.")
class PointsFact(Question):
    known_as: strawberry.Private[condition.Value | None]

    @strawberry.field(description="Whether it is known.")
    def known(self) -> bool:
        return self.known_as is not None

    @strawberry.field(
        description="Its value as text (`true`, `41`, `MASTER`); null where it is not known."
    )
    def value(self) -> str | None:
        return None if self.known_as is None else written(self.known_as)


@strawberry.type(description="A line of a table of points, and what it brings a person.")
class PointsLine:
    line: strawberry.Private[points.Line]
    known: strawberry.Private[Known]

    @strawberry.field(description="Its code within the table.")
    def code(self) -> str:
        return self.line.id

    @strawberry.field(description="What it counts.")
    def name(self, info: Info, language: Language = None) -> LocalizedText:
        return LocalizedText.of(self.line.name, info, language)

    @strawberry.field(description="The most points that it brings anybody.")
    def most(self) -> int:
        return self.line.most

    @strawberry.field(description="The least points it brings, whatever is not known turns out.")
    def least_points(self) -> int:
        return self.line.span(self.known)[0]

    @strawberry.field(description="The most points it may bring; known where it is the least too.")
    def most_points(self) -> int:
        return self.line.span(self.known)[1]

    @strawberry.field(description="The facts it is counted by; the one that brings most counts.")
    def facts(self) -> list[PointsFact]:
        facts = (entry.fact for entry in self.line.entries)
        return [PointsFact(fact=one, known_as=self.known.get(one.name)) for one in facts]


@strawberry.type(description="A version of a table of points, and what it gives a person.")
class PointsTable:
    table: strawberry.Private[points.Table]
    known: strawberry.Private[Known]
    in_force: bool = strawberry.field(description="Whether it is in force on the day.")

    @strawberry.field(description="The table's code.")
    def code(self) -> str:
        return self.table.code

    @strawberry.field(description="The version's code within the table.")
    def version(self) -> str:
        return self.table.version

    @strawberry.field(description="What the version is called.")
    def name(self, info: Info, language: Language = None) -> LocalizedText:
        return LocalizedText.of(self.table.name, info, language)

    @strawberry.field(description="The first day it was in force.")
    def since(self) -> date:
        return self.table.since

    @strawberry.field(description="The last day it was in force, if it has ended.")
    def until(self) -> date | None:
        return self.table.until

    @strawberry.field(description="Where it comes from.")
    def citation(self, info: Info) -> Citation:
        return Citation.of(menu.Citation(source=self.table.reference), info)

    @strawberry.field(description="From how many points on the high class is reached.")
    def high(self) -> int:
        return self.table.high

    @strawberry.field(description="From how many points on the medium class is reached.")
    def medium(self) -> int:
        return self.table.medium

    @strawberry.field(description="The least points in all, whatever is not known turns out.")
    def least_points(self) -> int:
        return self.table.span(self.known)[0]

    @strawberry.field(description="The most points in all; the sum where it is the least too.")
    def most_points(self) -> int:
        return self.table.span(self.known)[1]

    @strawberry.field(
        description="The class the points reach, null where it depends on what is not known. "
        "`LOW`: they reach neither of the others."
    )
    def talent_class(self) -> TalentClass | None:
        return self.table.reached(self.known)

    @strawberry.field(description="Its lines, in its order.")
    def lines(self) -> list[PointsLine]:
        return [PointsLine(line=line, known=self.known) for line in self.table.lines]


@strawberry.type(description="A pay line that is in force on the day.")
class PayLine:
    pay: strawberry.Private[classification.Pay]

    @strawberry.field(description="Its code.")
    def code(self) -> str:
        return self.pay.line.code

    @strawberry.field(description="What it is called.")
    def name(self, info: Info, language: Language = None) -> LocalizedText:
        return LocalizedText.of(self.pay.line.name, info, language)

    @strawberry.field(description="Yuan a year.")
    def amount(self) -> Decimal:
        return Decimal(self.pay.value.amount)

    @strawberry.field(description="The first day of this amount.")
    def since(self) -> date:
        return self.pay.value.since

    @strawberry.field(description="The last day of this amount, if it has ended.")
    def until(self) -> date | None:
        return self.pay.value.until

    @strawberry.field(description="Whether the person's pay reaches it; null if not known.")
    def reached(self) -> bool | None:
        return self.pay.reached

    @strawberry.field(description="Where the amount comes from.")
    def citation(self, info: Info) -> Citation:
        return Citation.of(self.pay.value.citation, info)


@strawberry.type(description="How a person is classed on a day, and by what.")
class Classification:
    found: strawberry.Private[classification.Classification]

    @classmethod
    def of(cls, found: classification.Classification) -> Classification:
        return cls(found=found)

    @strawberry.field(description="The day.")
    def as_of(self) -> date:
        return self.found.as_of

    @strawberry.field(description="The class on record, if known. It is the authority's word.")
    def talent_class(self) -> TalentClass | None:
        return self.found.person.talent_class

    @strawberry.field(description="The class on record in the permit's letters: A, B or C.")
    def class_alias(self) -> str | None:
        recorded = self.found.person.talent_class
        return recorded.alias if recorded else None

    @strawberry.field(description="Who put it on record; null where no class is.")
    def source(self) -> str | None:
        person = self.found.person
        return person.source if person.talent_class else None

    @strawberry.field(description="When it was put on record; null where no class is.")
    def recorded_at(self) -> datetime | None:
        person = self.found.person
        return person.recorded_at if person.talent_class else None

    @strawberry.field(
        description="Every version of every table of points, oldest first. They are made for "
        "foreigners who work here."
    )
    def points(self) -> list[PointsTable]:
        return [
            PointsTable(table=score.table, known=self.found.known, in_force=score.in_force)
            for score in self.found.scores
        ]

    @strawberry.field(description="The pay lines in force on the day.")
    def pay_lines(self) -> list[PayLine]:
        return [PayLine(pay=pay) for pay in self.found.pay]

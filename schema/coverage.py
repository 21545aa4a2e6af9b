"""Whom the rule of a service covers: counts by outcome, and lists of the people themselves."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry

from eligibility.verdict import Outcome
from models import menu, page, talent
from models.standing import Counts
from resolvers import coverage
from schema import cost
from schema.info import Info
from schema.menu import After, First
from schema.node import PageInfo
from schema.talent import Talent, TalentEdge, note


@strawberry.type(description="How many people there are of each outcome.")
class CoverageCounts:
    eligible: int = strawberry.field(description="Those who may have the service.")
    ineligible: int = strawberry.field(description="Those who may not.")
    needs_facts: int = strawberry.field(description="Those of whom too little is known.")

    @classmethod
    def of(cls, found: Counts) -> CoverageCounts:
        return cls(eligible=found.true, ineligible=found.false, needs_facts=found.unknown)


@strawberry.type(description="A page of the people of one outcome.")
class CoveredConnection:
    service: strawberry.Private[menu.Service]
    outcome: strawberry.Private[Outcome]
    found: strawberry.Private[page.Page[talent.Talent]]
    page_info: PageInfo = strawberry.field(description="Where the page stands.")

    @classmethod
    def of(
        cls,
        found: page.Page[talent.Talent],
        service: menu.Service,
        outcome: Outcome,
        after: str | None,
    ) -> CoveredConnection:
        return cls(
            service=service,
            outcome=outcome,
            found=found,
            page_info=PageInfo.of(found.cursors, has_next=found.has_next, after=after),
        )

    @strawberry.field(description="The people in their places.")
    def edges(self, info: Info) -> list[TalentEdge]:
        note(info, self.found.items, "node", purpose=self.service.code)
        return TalentEdge.all(self.found)

    @strawberry.field(description="The people of the page.")
    def nodes(self, info: Info) -> list[Talent]:
        note(info, self.found.items, purpose=self.service.code)
        return [Talent.of(row) for row in self.found.items]

    @strawberry.field(
        directives=[cost.POPULATION],
        description="How many there are on all pages; counted when asked for.",
    )
    async def total_count(self, info: Info) -> int:
        return await coverage.counted(info.context, self.service, self.outcome)


@strawberry.type(
    description="Whom the rule of a service covers today, on what is known. No partner is asked."
)
class Coverage:
    row: strawberry.Private[menu.Service]

    @strawberry.field(description="The day it is told for.")
    def as_of(self, info: Info) -> date:
        return info.context.today

    @strawberry.field(
        directives=[cost.POPULATION], description="How many people there are of each outcome."
    )
    async def counts(self, info: Info) -> CoverageCounts | None:
        return CoverageCounts.of(await coverage.counts(info.context, self.row))

    @strawberry.field(
        directives=[cost.POPULATION, cost.paged()],
        description="The people of one outcome, in the order they were recorded.",
    )
    async def people(
        self,
        info: Info,
        outcome: Annotated[
            Outcome, strawberry.argument(description="Of which outcome.")
        ] = Outcome.ELIGIBLE,
        first: First = None,
        after: After = None,
    ) -> CoveredConnection | None:
        found = await coverage.listed(info.context, self.row, outcome, first, after)
        return CoveredConnection.of(found, self.row, outcome, after)

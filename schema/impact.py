"""What a change of rules does to people, as officers see it before it is published."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import strawberry

from eligibility import fact
from models import errors
from resolvers import impact
from resolvers.context import Context
from schema import cost
from schema.coverage import CoverageCounts
from schema.errors import MistakesFault, UnknownCodeFault
from schema.info import Info
from schema.menu import Service
from schema.scalars import Language, LocalizedText


@strawberry.input(description="Another rule for a service; nothing of it is kept.")
class RuleImpactInput:
    service: str = strawberry.field(description="The service's code.")
    eligibility: str = strawberry.field(
        description="The `eligibility:` of the service's file, as it would stand there (YAML)."
    )


@strawberry.type(description="How many people go which way; each of them goes one.")
class ImpactTally:
    people: int = strawberry.field(description="How many there are in all.")
    gains: int | None = strawberry.field(description="They may now have it, and could not.")
    loses: int | None = strawberry.field(description="They could have it, and may no longer.")
    ruled_out: int | None = strawberry.field(
        description="It was not known whether they may have it; they may not."
    )
    becomes_unknown: int | None = strawberry.field(
        description="It was known whether they may have it, and now depends on missing facts."
    )
    stays: int | None = strawberry.field(description="Nothing changes for them.")

    @classmethod
    def of(cls, found: impact.Part) -> ImpactTally:
        return cls(people=found.tally.people, **found.told)


@strawberry.type(
    description="Some groups told together, so that nobody in them stands out. A way that too few "
    "go in all is null, and so is who stays, from whom it would follow."
)
class ImpactPart:
    groups: list[str] = strawberry.field(
        description="The groups; `none` is of those of whom nothing is recorded."
    )
    tally: ImpactTally = strawberry.field(description="How many of them go which way.")

    @classmethod
    def of(cls, found: impact.Part) -> ImpactPart:
        return cls(groups=found.names, tally=ImpactTally.of(found))


@strawberry.type(description="A fact that a rule asks for.")
class ImpactFact:
    row: strawberry.Private[fact.Fact]
    name: str = strawberry.field(description="Its name in rules.")

    @strawberry.field(description="What it is called.")
    def label(self, info: Info, language: Language = None) -> LocalizedText:
        return LocalizedText.of(self.row.label, info, language)

    @strawberry.field(description="The partner that supplies it, by code; null where none does.")
    def supplier(self, info: Info) -> str | None:
        return info.context.registry.suppliers.get(self.name)

    @classmethod
    def of(cls, row: fact.Fact) -> ImpactFact:
        return cls(row=row, name=row.name)


@strawberry.type(description="What becomes of the people of one service.")
class ServiceImpact:
    service: Service = strawberry.field(description="The service, as it is in force.")
    tally: ImpactTally = strawberry.field(description="How many people go which way.")
    before: CoverageCounts = strawberry.field(description="Whom the rule in force covers.")
    after: CoverageCounts = strawberry.field(description="Whom it would cover.")
    by_class: list[ImpactPart] = strawberry.field(description="By class; fewer than 10 are hidden.")
    by_industry: list[ImpactPart] = strawberry.field(
        directives=[cost.sized(20)], description="By industry; fewer than 10 are hidden."
    )
    by_district: list[ImpactPart] = strawberry.field(
        directives=[cost.sized(20)], description="By district; fewer than 10 are hidden."
    )
    asks: list[ImpactFact] = strawberry.field(description="Facts that it asks for anew.")
    drops: list[ImpactFact] = strawberry.field(description="Facts that it no longer asks for.")

    @classmethod
    def of(cls, found: impact.Impact, info: Info) -> ServiceImpact:
        return cls(
            service=Service.of(info.context.catalogue.service(found.service), info),
            tally=ImpactTally.of(impact.Part((), found.tally)),
            before=CoverageCounts.of(found.before),
            after=CoverageCounts.of(found.after),
            by_class=[ImpactPart.of(part) for part in found.by_class],
            by_industry=[ImpactPart.of(part) for part in found.by_industry],
            by_district=[ImpactPart.of(part) for part in found.by_district],
            asks=[ImpactFact.of(one) for one in found.asks],
            drops=[ImpactFact.of(one) for one in found.drops],
        )


@strawberry.type(description="What another rule would do today, on what is known of everybody.")
class RuleImpact:
    as_of: date = strawberry.field(description="The day it is told for.")
    services: list[ServiceImpact] = strawberry.field(
        directives=[cost.sized(50)],
        description="The service itself, then those whose rule builds on its rule.",
    )


RuleImpactOutcome = Annotated[
    RuleImpact | UnknownCodeFault | MistakesFault,
    strawberry.union(
        "RuleImpactOutcome",
        description="What another rule would do, or what is wrong with what was given.",
    ),
]


async def rule_impact(
    info: Info, asked: RuleImpactInput
) -> RuleImpact | UnknownCodeFault | MistakesFault:
    """Return what another rule would do, or the fault of what was given."""
    context: Context = info.context
    try:
        found = await impact.of_rule(context, asked.service, asked.eligibility)
    except errors.UnknownCodeError as error:
        return UnknownCodeFault.of(error)
    except errors.MistakesError as error:
        return MistakesFault.of(error)
    return RuleImpact(as_of=context.today, services=[ServiceImpact.of(one, info) for one in found])

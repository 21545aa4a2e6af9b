"""A clause as a reason: what it says, whether it holds, whose layer it is of."""

from __future__ import annotations

from datetime import date

import strawberry

from eligibility import tree, verdict
from schema import scalars
from schema.info import Info
from schema.scalars import Language, LocalizedText

scalars.describe(
    tree.Level,
    "Whose rule a clause is of.",
    {
        "CITY": "The city's, which the district's builds on.",
        "DISTRICT": "The district's own, beside the city's or in its place.",
        "ZONE": "That of a zone, which holds there alone.",
    },
    name="RuleLevel",
)


@strawberry.type(description="The layer of a rule: whose it is, where it holds, and when.")
class RuleLayer:
    level: tree.Level = strawberry.field(description="Whose it is.")
    zone: str | None = strawberry.field(description="The zone it holds in, by code; null for all.")
    since: date | None = strawberry.field(description="The first day it holds; null for no first.")
    until: date | None = strawberry.field(description="The last day it holds; null for no last.")

    @classmethod
    def of(cls, found: tree.Layer) -> RuleLayer:
        return cls(level=found.level, zone=found.zone, since=found.since, until=found.until)


@strawberry.type(
    description="A clause and how it stands; of a rule, one that decided or that holds it open."
)
class Reason:
    said: strawberry.Private[tree.Said]
    met: bool | None = strawberry.field(
        description="Whether what the clause says holds; null where that is not known."
    )

    @classmethod
    def of(cls, found: verdict.Reason) -> Reason:
        return cls(said=found.said, met=found.truth)

    @strawberry.field(description="The clause's id within its rule.")
    def clause(self) -> str:
        return self.said.id

    @strawberry.field(description="What the clause says. Whether it holds is `met`.")
    def text(self, info: Info, language: Language = None) -> LocalizedText:
        return LocalizedText.of(self.said.text, info, language)

    @strawberry.field(description="The source the clause rests on.")
    def reference(self) -> str:
        return self.said.reference

    @strawberry.field(
        description="The layer it comes from; null where the rule is the service's own alone."
    )
    def layer(self) -> RuleLayer | None:
        return RuleLayer.of(self.said.layer) if self.said.layer else None

"""A subsidy as the graph says it: month by month, and in all."""

from __future__ import annotations

from decimal import Decimal

import strawberry

from eligibility import subsidy
from models import menu
from schema import cost
from schema.entry import Citation
from schema.info import Info
from schema.reason import Reason


@strawberry.type(description="One month of a subsidy.")
class SubsidyMonth:
    month: int = strawberry.field(description="Which month it is, from 1.")
    amount: Decimal | None = strawberry.field(
        description="What is paid; null where it depends on what is not known."
    )
    currency: str = strawberry.field(description="In which currency (ISO 4217).")
    condition: Reason | None = strawberry.field(
        description="What must hold then, and whether it does on the day; null for nothing more."
    )

    @classmethod
    def of(cls, found: subsidy.Month, currency: str) -> SubsidyMonth:
        return cls(
            month=found.number,
            amount=found.amount,
            currency=currency,
            condition=Reason.of(found.condition) if found.condition else None,
        )

    @strawberry.field(description="Whether it is paid without a further condition.")
    def sure(self) -> bool:
        return self.condition is None


@strawberry.type(description="What a service pays month by month.")
class Subsidy:
    row: strawberry.Private[menu.Subsidy]
    months: list[SubsidyMonth] = strawberry.field(
        directives=[cost.sized(36)],
        description="Each month; none where this person's case brings nothing.",
    )
    total: Decimal | None = strawberry.field(
        description="All months together, every condition met; null where not known."
    )
    sure_total: Decimal | None = strawberry.field(
        description="The months without a condition together; null where not known."
    )
    currency: str = strawberry.field(description="In which currency (ISO 4217).")

    @classmethod
    def of(cls, row: menu.Subsidy, found: subsidy.Schedule) -> Subsidy:
        return cls(
            row=row,
            months=[SubsidyMonth.of(month, found.currency) for month in found.months],
            total=found.total,
            sure_total=found.sure,
            currency=found.currency,
        )

    @strawberry.field(description="Where it comes from.")
    def citation(self, info: Info) -> Citation:
        return Citation.of(self.row.citation, info)

"""Connectors: how well each partner's line works."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import strawberry

from connectors import grade as grades
from connectors import partner
from connectors.breaker import State as BreakerState
from models import errors
from schema import cost, scalars
from schema.info import Info
from schema.node import Node, global_id
from schema.partner import PartnerVersion
from schema.permissions import operators


class ConnectorState(Enum):
    """Whether a partner file is at work."""

    ACTIVE = "ACTIVE"
    MISCONFIGURED = "MISCONFIGURED"


scalars.describe(
    ConnectorState,
    "Whether a partner's file is at work.",
    {
        "ACTIVE": "The partner is asked: by its file, or by the last one without mistakes.",
        "MISCONFIGURED": "It failed its check, and this partner alone is set aside.",
    },
)
scalars.describe(
    BreakerState,
    "The circuit breaker of a partner.",
    {
        "CLOSED": "The partner is asked.",
        "OPEN": "It failed several times in a row, and is not asked until it has rested.",
        "HALF_OPEN": "It has rested; one call probes it.",
    },
    name="BreakerState",
)
scalars.describe(
    grades.Grade,
    "How far a partner's line can be leaned on; each grade has all that those before it have.",
    {
        "BRONZE": "Its file has no mistake.",
        "SILVER": "Its examples hold, and nothing in them looks like a secret or like somebody.",
        "GOLD": "Its examples show all it does and how it fails; lately it was quick and good.",
        "PLATINUM": "Over many asks it nearly never failed, and answered as its file expects.",
    },
    name="ConnectorGrade",
)
scalars.describe(
    grades.Criterion,
    "What counts for a grade.",
    {
        "VALID_FILE": "For bronze: its file has no mistake.",
        "EXAMPLES_HOLD": "For silver: every example of its file comes out as it says.",
        "RECORDINGS_CLEAN": "For silver: no example holds what looks like a secret or a person.",
        "ALL_SHOWN": "For gold: examples show all that it gives, supplies and books.",
        "FAILURES_SHOWN": "For gold: an example shows what becomes of a failure.",
        "SELDOM_FAILS": "For gold: few of its latest asks were in vain.",
        "FAST": "For gold: it nearly always takes less than half of its deadline.",
        "NO_DRIFT": "For platinum: of many asks none was answered otherwise than its file expects.",
        "STEADY": "For platinum: of many asks nearly none was in vain, and its breaker is closed.",
    },
    name="GradeCriterion",
)


@strawberry.type(description="One piece of evidence for or against a partner's grade.")
class GradeReason:
    criterion: grades.Criterion = strawberry.field(description="What counts.")
    grade: grades.Grade = strawberry.field(description="The lowest grade that needs it.")
    is_met: bool = strawberry.field(description="Whether it is there.")
    message: str = strawberry.field(description="What was found, in a sentence.")

    @classmethod
    def of(cls, row: grades.Reason) -> GradeReason:
        return cls(
            criterion=row.criterion, grade=row.grade, is_met=row.is_met, message=row.sentence
        )


@strawberry.federation.type(
    keys=["id"],
    description="The line to one partner, and how well it works in this process.",
)
class Connector(Node):
    row: strawberry.Private[partner.Partner | None]
    found: strawberry.Private[tuple[errors.Mistake, ...]]
    code: str = strawberry.field(description="The partner's code.")
    state: ConnectorState = strawberry.field(description="Whether its file is at work.")
    kind: str = strawberry.field(
        description="The code of the partner's kind; empty while its file is set aside."
    )
    version: str | None = strawberry.field(
        description="Which edition of its file is in force; null while that is set aside."
    )
    breaker: BreakerState | None = strawberry.field(description="Its circuit breaker.")
    calls: int = strawberry.field(description="HTTP exchanges since the hub started.")
    failures: int = strawberry.field(description="How often it was asked in vain.")
    error_rate: float | None = strawberry.field(
        description="The share of its latest 100 asks that were in vain, 0 to 1; null before any."
    )
    p95: float | None = strawberry.field(
        description="Within how many milliseconds 95 of 100 of the latest exchanges were done."
    )
    last_success: datetime | None = strawberry.field(description="When it last answered well.")
    opened_at: datetime | None = strawberry.field(description="When its breaker last opened.")

    @classmethod
    def of(cls, row: partner.Partner, found: tuple[errors.Mistake, ...] = ()) -> Connector:
        health = row.health()
        return cls(
            id=global_id("Connector", row.slug),
            row=row,
            found=found,
            code=row.slug,
            state=ConnectorState.ACTIVE,
            kind=row.kind.slug,
            version=row.manifest.version,
            breaker=health.state,
            calls=health.calls,
            failures=health.failed,
            error_rate=health.error_rate,
            p95=None if health.p95_seconds is None else round(health.p95_seconds * 1000, 1),
            last_success=health.last_success,
            opened_at=health.opened_at,
        )

    @classmethod
    def resolve_reference(cls, info: Info, id: str) -> Connector | None:
        return next((one for one in connectors(info) if one.id == id), None)

    @classmethod
    def set_aside(cls, code: str, found: tuple[errors.Mistake, ...]) -> Connector:
        return cls(
            id=global_id("Connector", code),
            row=None,
            found=found,
            code=code,
            state=ConnectorState.MISCONFIGURED,
            kind="",
            version=None,
            breaker=None,
            calls=0,
            failures=0,
            error_rate=None,
            p95=None,
            last_success=None,
            opened_at=None,
        )

    @strawberry.field(
        description="How far it can be leaned on by the evidence; null while its file is set aside."
    )
    async def grade(self) -> grades.Grade | None:
        return grades.reached(await self._evidence()) if self.row else None

    @strawberry.field(
        directives=[cost.sized(10)],
        description="The evidence for its grade, and what is missing for the next.",
    )
    async def grade_reasons(self) -> list[GradeReason]:
        return [GradeReason.of(one) for one in await self._evidence()]

    async def _evidence(self) -> tuple[grades.Reason, ...]:
        if self.row is None:
            return ()
        return (grades.of_refused(len(self.found)), *await self.row.reasons())

    @strawberry.field(
        description="The mistakes in its file: file, line, path, what would be right. Operators.",
        extensions=[operators()],
    )
    def mistakes(self) -> list[str] | None:
        return [str(mistake) for mistake in self.found]

    @strawberry.field(
        directives=[cost.LOOKED_UP, cost.sized(20)],
        description=(
            "The latest 20 versions of its file, the last changed first: in force, on trial, taken "
            "back and why. Operators."
        ),
        extensions=[operators()],
    )
    async def versions(self, info: Info) -> list[PartnerVersion] | None:
        rows = await info.context.loaders.versions_by_partner.load(self.code)
        return [PartnerVersion.of(row) for row in rows]


def connectors(info: Info) -> list[Connector]:
    """Return the line to every partner, set-aside ones included, by code."""
    registry = info.context.registry
    found = [
        Connector.of(row, registry.refused.get(slug, ())) for slug, row in registry.in_force.items()
    ]
    found += [Connector.set_aside(*one) for one in registry.set_aside.items()]
    return sorted(found, key=lambda one: one.code)

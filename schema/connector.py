"""Connectors: how well each partner's line works."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import strawberry

from connectors import partner
from connectors.breaker import State as BreakerState
from models import errors
from schema import scalars
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


@strawberry.federation.type(
    keys=["id"],
    description="The line to one partner, and how well it works in this process.",
)
class Connector(Node):
    found: strawberry.Private[tuple[errors.Mistake, ...]]
    code: str = strawberry.field(description="The partner's code.")
    state: ConnectorState = strawberry.field(description="Whether its file is at work.")
    protocol: str | None = strawberry.field(
        description="The kind of partner it speaks to, by code; null while its file is set aside."
    )
    breaker: BreakerState | None = strawberry.field(description="Its circuit breaker.")
    calls: int = strawberry.field(description="HTTP exchanges since the hub started.")
    failures: int = strawberry.field(description="How often it was asked in vain.")
    p95_milliseconds: float | None = strawberry.field(
        description="The 95th percentile of the latest exchanges."
    )
    last_success: datetime | None = strawberry.field(description="When it last answered well.")
    opened_at: datetime | None = strawberry.field(description="When its breaker last opened.")

    @classmethod
    def of(cls, row: partner.Partner, found: tuple[errors.Mistake, ...] = ()) -> Connector:
        health = row.health()
        return cls(
            id=global_id("Connector", row.slug),
            found=found,
            code=row.slug,
            state=ConnectorState.ACTIVE,
            protocol=row.kind.slug,
            breaker=health.state,
            calls=health.calls,
            failures=health.failed,
            p95_milliseconds=None if health.p95_seconds is None else health.p95_seconds * 1000,
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
            found=found,
            code=code,
            state=ConnectorState.MISCONFIGURED,
            protocol=None,
            breaker=None,
            calls=0,
            failures=0,
            p95_milliseconds=None,
            last_success=None,
            opened_at=None,
        )

    @strawberry.field(
        description="The mistakes in its file: file, line, path, what would be right. Operators.",
        extensions=[operators()],
    )
    def mistakes(self) -> list[str] | None:
        return [str(mistake) for mistake in self.found]

    @strawberry.field(
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

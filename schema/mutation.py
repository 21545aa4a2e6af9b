"""All that may be done: each noun offers its acts, which name who may do them."""

from __future__ import annotations

import strawberry
from strawberry.types import get_object_definition

from schema import (
    access,
    booking,
    card,
    consent,
    cost,
    decision,
    device,
    document,
    edition,
    issuer,
    partner,
    presentation,
    verification,
    verifier,
    webhook,
)


@strawberry.type(description="All that may be done.")
class Mutation(
    decision.Acts,
    booking.Acts,
    verification.Acts,
    presentation.Acts,
    consent.Acts,
    device.Acts,
    document.Acts,
    access.Acts,
    card.Acts,
    verifier.Acts,
    webhook.Acts,
    edition.Acts,
    partner.Acts,
    issuer.Acts,
):
    pass


for _act in get_object_definition(Mutation, strict=True).fields:
    _act.directives = [*_act.directives, cost.DONE]

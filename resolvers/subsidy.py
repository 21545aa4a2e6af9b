"""What a service pays whoever asks, month by month."""

from __future__ import annotations

from eligibility import subsidy
from eligibility.verdict import Outcome
from resolvers.verdict import Judged


def schedule(judged: Judged) -> subsidy.Schedule | None:
    """Return the months of a judged service's subsidy, on the facts and the day it was judged on.

    None where the service pays nothing, or may not be had.
    """
    service = judged.service
    if service.subsidy is None or judged.verdict.outcome is Outcome.INELIGIBLE:
        return None
    return subsidy.of(service.code, service.subsidy).schedule(judged.known, judged.as_of)

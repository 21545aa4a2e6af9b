"""A verdict: what is true of a rule for one person, why, and what is still to be asked.

Unknown is not no (docs/adr/0006): Kleene's three-valued truth, with ``None`` for unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: True, False, or None for unknown.
Truth = bool | None


class Outcome(StrEnum):
    """What the outside hears. A missing fact or a silent partner never turns a verdict."""

    ELIGIBLE = "ELIGIBLE"
    INELIGIBLE = "INELIGIBLE"
    NEEDS_FACTS = "NEEDS_FACTS"
    UNDETERMINED = "UNDETERMINED"


@dataclass(frozen=True, slots=True)
class Reason:
    """One clause that decided the verdict, or that holds it open, with how it stands."""

    clause: str
    truth: Truth


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one rule; ``missing`` names facts, ``silent`` the partners not heard."""

    outcome: Outcome
    reasons: tuple[Reason, ...] = ()
    missing: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()

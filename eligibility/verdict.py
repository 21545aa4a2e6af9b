"""A verdict: what is true of a rule for one person, why, and what is still to be asked.

Unknown is not no (docs/adr/0006): Kleene's three-valued truth, with ``None`` for unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from eligibility.condition import Value
from eligibility.fact import Fact
from eligibility.tree import Said

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

    said: Said
    truth: Truth


@dataclass(frozen=True, slots=True)
class Change:
    """One fact that would have to be otherwise: which clauses it would then meet, or fail.

    ``example`` is a value that would do; None where any other than those named would.
    """

    fact: Fact
    clauses: tuple[Reason, ...]
    example: Value | None


#: Facts that would turn a verdict if they all changed so, and not if one of them did not.
Alternative = tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one rule; ``missing`` names facts, ``silent`` the partners not heard."""

    outcome: Outcome
    reasons: tuple[Reason, ...] = ()
    missing: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()

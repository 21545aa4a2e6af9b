"""What a check of a card answers, as it is kept: nothing personal, names of claims alone."""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.verification import Category, Evidence


class CodeProblem(enum.StrEnum):
    """Why a genuine code is of no use."""

    STALE = "STALE"
    ALREADY_USED = "ALREADY_USED"
    FOR_ANOTHER_PARTNER = "FOR_ANOTHER_PARTNER"
    FOR_ANOTHER_SERVICE = "FOR_ANOTHER_SERVICE"


class EntitlementProblem(enum.StrEnum):
    """Why a good card does not open a service."""

    NOT_IN_TIER = "NOT_IN_TIER"
    QUOTA_USED = "QUOTA_USED"
    NOT_RECOGNISED_HERE = "NOT_RECOGNISED_HERE"
    OUTSIDE_DATES = "OUTSIDE_DATES"


class Fix(enum.StrEnum):
    """What whoever checks may do about it."""

    ASK_HOLDER_TO_REFRESH = "ASK_HOLDER_TO_REFRESH"
    ASK_HOLDER_TO_CHOOSE_YOU = "ASK_HOLDER_TO_CHOOSE_YOU"
    CALL_SERVICE_DESK = "CALL_SERVICE_DESK"
    RETRY_LATER = "RETRY_LATER"


class Recognition(enum.StrEnum):
    """By whom a card was issued: this district, or one it has an agreement with."""

    LOCAL = "LOCAL"
    RECIPROCAL = "RECIPROCAL"


class Refusal(enum.StrEnum):
    """Why nothing was looked up at all."""

    SCOPE_MISSING = "SCOPE_MISSING"
    SERVICE_NOT_YOURS = "SERVICE_NOT_YOURS"
    RATE_LIMITED = "RATE_LIMITED"
    MALFORMED = "MALFORMED"
    TOO_LARGE = "TOO_LARGE"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is kept of one answer; what does not belong to its outcome is None.

    ``holder`` is the holder's name before this partner. ``claims`` were told, ``wanted`` would be
    if the holder agreed. ``redeems`` and ``holds`` are what was asked, for an answer that is yet
    to come.
    """

    evidence: Evidence | None = None
    code_problem: CodeProblem | None = None
    entitlement_problem: EntitlementProblem | None = None
    fix: Fix | None = None
    holder: str | None = None
    issuer: str | None = None
    district: str | None = None
    recognition: Recognition | None = None
    units_left: int | None = None
    resets_at: datetime | None = None
    redemption: str | None = None
    policy: str | None = None
    consent: str | None = None
    claims: tuple[Category, ...] = ()
    tier: str | None = None
    wanted: tuple[Category, ...] = ()
    redeems: bool = False
    holds: bool = False

    def kept(self) -> dict[str, Any]:
        """Return it as JSON has it, without what it does not say."""
        said = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: _plain(value) for name, value in said.items() if not _is_unsaid(value)}

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Answer:
        """Return the answer that was kept so."""
        return cls(**{name: _READ.get(name, _same)(value) for name, value in kept.items()})


def _is_unsaid(value: object) -> bool:
    # Nothing left (0) is said, though it equals False.
    return value is None or value is False or value == ()


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _same(value: Any) -> Any:  # noqa: ANN401 - whatever it is, it stays so
    return value


def _categories(value: list[str]) -> tuple[Category, ...]:
    return tuple(map(Category, value))


_READ: dict[str, Any] = {
    "evidence": Evidence,
    "code_problem": CodeProblem,
    "entitlement_problem": EntitlementProblem,
    "fix": Fix,
    "recognition": Recognition,
    "resets_at": datetime.fromisoformat,
    "claims": _categories,
    "wanted": _categories,
}

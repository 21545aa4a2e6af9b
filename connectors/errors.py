"""Partner errors by recovery: what the caller does next is the type, why is the code.

PartnerError (models.errors.GreenwayError)
├── Retriable        may work later: ``retry_after_seconds`` says when
│     PARTNER_TIMEOUT · PARTNER_UNREACHABLE · PARTNER_BUSY · PARTNER_UNWELL · PARTNER_RESTING
├── Refused          the partner understood and said no: asking the same again is pointless
│     PARTNER_REFUSED
└── Misconfigured    its file, address, secret or protocol does not fit: a person must mend
      PARTNER_BAD_ANSWER · PARTNER_TOO_LARGE · PARTNER_MISCONFIGURED

KindError (models.errors.HubError)   a module of kinds/ is no kind: the hub does not start

The sentences never hold an address, a secret or a piece of the partner's answer.
"""

from __future__ import annotations

from enum import StrEnum

from models import errors


class Problem(StrEnum):
    """Why a partner gave no fresh answer: the closed list, also in docs/querying.md."""

    TIMEOUT = "PARTNER_TIMEOUT"
    UNREACHABLE = "PARTNER_UNREACHABLE"
    BUSY = "PARTNER_BUSY"
    UNWELL = "PARTNER_UNWELL"
    RESTING = "PARTNER_RESTING"
    REFUSED = "PARTNER_REFUSED"
    BAD_ANSWER = "PARTNER_BAD_ANSWER"
    TOO_LARGE = "PARTNER_TOO_LARGE"
    MISCONFIGURED = "PARTNER_MISCONFIGURED"


class PartnerError(errors.GreenwayError):
    """A partner failed; ``problem`` says how, ``retry_after_seconds`` when to try again."""

    def __init__(
        self, problem: Problem, sentence: str, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(sentence)
        self.problem = problem
        self.code = problem.value
        self.retry_after_seconds = retry_after_seconds


class Retriable(PartnerError):  # noqa: N818 - the recovery is the name
    """May work later; always says when to try."""

    retry_after_seconds: float

    def __init__(self, problem: Problem, sentence: str, retry_after_seconds: float) -> None:
        super().__init__(problem, sentence, retry_after_seconds)


class Refused(PartnerError):  # noqa: N818 - the recovery is the name
    """Understood, and refused."""

    def __init__(self, sentence: str) -> None:
        super().__init__(Problem.REFUSED, sentence)


class Misconfigured(PartnerError):  # noqa: N818 - the recovery is the name
    """Does not fit what its file says; a person must mend it."""


def bad_answer(what: str) -> Misconfigured:
    """Return the error for an answer that is not what the protocol promises."""
    return Misconfigured(Problem.BAD_ANSWER, f"The partner's answer {what}.")


class KindError(errors.HubError):
    """A module of kinds/ that is no kind of partner."""

    code = "MISCONFIGURED"

    def __init__(self, module: str) -> None:
        super().__init__(
            f"{module} is no kind of partner.",
            "A kind's module holds one Connector whose slug is the module's name.",
        )

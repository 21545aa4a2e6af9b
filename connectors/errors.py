"""Partner errors by recovery: what the caller does next is the type, why is the code.

PartnerError (models.errors.GreenwayError)
├── Retriable        may work later: ``retry_after_seconds`` says when
│     PARTNER_TIMEOUT · PARTNER_UNREACHABLE · PARTNER_BUSY · PARTNER_RATE_LIMITED
│     PARTNER_UNWELL · PARTNER_RESTING
├── Refused          the partner understood and said no: asking the same again is pointless
│     PARTNER_REFUSED · PARTNER_NOT_FOUND · PARTNER_CONFLICT
└── Misconfigured    its file, address, secret or protocol does not fit: a person must mend
      PARTNER_UNAUTHORIZED · PARTNER_NO_CONTENT · PARTNER_WRONG_TYPE · PARTNER_UNREADABLE
      PARTNER_BAD_ANSWER · PARTNER_TOO_LARGE · PARTNER_FORBIDDEN_ADDRESS · PARTNER_MISCONFIGURED

KindError (models.errors.HubError)   a module of kinds/ is no kind: the hub does not start

The sentences never hold an address, a secret or a piece of the partner's answer.
"""

from __future__ import annotations

from enum import StrEnum

from models import errors

#: When a partner does not say when to come back, and its breaker is closed.
RETRY_SECONDS = 1.0


class Problem(StrEnum):
    """Why a partner gave no fresh answer: the closed list, also in docs/querying.md."""

    TIMEOUT = "PARTNER_TIMEOUT"
    UNREACHABLE = "PARTNER_UNREACHABLE"
    BUSY = "PARTNER_BUSY"
    RATE_LIMITED = "PARTNER_RATE_LIMITED"
    UNWELL = "PARTNER_UNWELL"
    RESTING = "PARTNER_RESTING"
    REFUSED = "PARTNER_REFUSED"
    NOT_FOUND = "PARTNER_NOT_FOUND"
    CONFLICT = "PARTNER_CONFLICT"
    UNAUTHORIZED = "PARTNER_UNAUTHORIZED"
    NO_CONTENT = "PARTNER_NO_CONTENT"
    WRONG_TYPE = "PARTNER_WRONG_TYPE"
    UNREADABLE = "PARTNER_UNREADABLE"
    BAD_ANSWER = "PARTNER_BAD_ANSWER"
    TOO_LARGE = "PARTNER_TOO_LARGE"
    FORBIDDEN_ADDRESS = "PARTNER_FORBIDDEN_ADDRESS"
    MISCONFIGURED = "PARTNER_MISCONFIGURED"


#: After these nobody knows whether an act was done; the others came before it, or refused it.
_UNSETTLED = frozenset(
    {
        Problem.TIMEOUT,
        Problem.UNWELL,
        Problem.NO_CONTENT,
        Problem.WRONG_TYPE,
        Problem.UNREADABLE,
        Problem.BAD_ANSWER,
        Problem.TOO_LARGE,
    }
)


class PartnerError(errors.GreenwayError):
    """A partner failed; ``problem`` says how, ``retry_after_seconds`` when to try again.

    ``may_have_acted`` is whether an act that ended so may be done all the same: it is looked up,
    never sent again blindly.
    """

    def __init__(
        self, problem: Problem, sentence: str, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(sentence)
        self.problem = problem
        self.code = problem.value
        self.retry_after_seconds = retry_after_seconds
        self.may_have_acted = problem in _UNSETTLED


class Retriable(PartnerError):  # noqa: N818 - the recovery is the name
    """May work later; always says when to try."""

    retry_after_seconds: float

    def __init__(self, problem: Problem, sentence: str, retry_after_seconds: float) -> None:
        super().__init__(problem, sentence, retry_after_seconds)


class Passing(Retriable):
    """May be gone at once: worth another attempt within the same call."""


class HungUp(Passing):
    """The connection was lost when the request may have been read already."""

    def __init__(self) -> None:
        super().__init__(Problem.UNREACHABLE, "The partner hung up.", RETRY_SECONDS)
        self.may_have_acted = True


class Refused(PartnerError):  # noqa: N818 - the recovery is the name
    """Understood, and refused; ``status`` and ``body`` are the partner's, for its kind to read.

    No ``body`` is ever shown or logged as it is.
    """

    def __init__(
        self,
        sentence: str,
        problem: Problem = Problem.REFUSED,
        status: int = 0,
        body: bytes = b"",
    ) -> None:
        super().__init__(problem, sentence)
        self.status = status
        self.body = body


class Misconfigured(PartnerError):  # noqa: N818 - the recovery is the name
    """Does not fit what its file says; a person must mend it."""


def bad_answer(what: str) -> Misconfigured:
    """Return the error for an answer that is not what the protocol promises."""
    return Misconfigured(Problem.BAD_ANSWER, f"The partner's answer {what}.")


def unreadable(what: str) -> Misconfigured:
    """Return the error for an answer that is not even its media type."""
    return Misconfigured(Problem.UNREADABLE, f"The partner's answer {what}.")


def no_content() -> Misconfigured:
    """Return the error for an answer without a body where one was promised."""
    return Misconfigured(Problem.NO_CONTENT, "The partner's answer is empty.")


def forbidden_address() -> Misconfigured:
    """Return the error for a place that a partner's file does not lead to, or that is inside."""
    return Misconfigured(
        Problem.FORBIDDEN_ADDRESS, "The partner's file or answer leads to where the hub may not go."
    )


def unauthorized() -> Misconfigured:
    """Return the error of a partner that does not know the hub, or not as one who may."""
    return Misconfigured(
        Problem.UNAUTHORIZED, "The partner does not take the credentials it was shown."
    )


def too_slow() -> Retriable:
    """Return the error of whoever waited for a partner until the deadline."""
    return Retriable(Problem.TIMEOUT, "The partner did not answer in time.", RETRY_SECONDS)


def faulty() -> Misconfigured:
    """Return the error of a kind that failed in a way nobody foresaw, however far it had come."""
    found = Misconfigured(Problem.MISCONFIGURED, "The hub's connector to this partner has a fault.")
    found.may_have_acted = True
    return found


class KindError(errors.HubError):
    """A module of kinds/ that is no kind of partner."""

    code = "MISCONFIGURED"

    def __init__(self, module: str) -> None:
        super().__init__(
            f"{module} is no kind of partner.",
            "A kind's module holds one Connector whose slug is the module's name.",
        )

"""What an answer says of what went wrong: every error coded, nothing unexpected told.

Three kinds of error reach an answer. One raised on purpose (``models.errors.GreenwayError``) tells
its sentence, code and hint. One of the request's own making (a variable that does not fit) keeps
GraphQL's sentence. Anything else is ours to mend: the answer has a reference, the log has the rest.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import graphql

from models import errors
from schema.execution.code import Code

#: What is said of a stream that would begin with less than nothing.
UNSTREAMED = "`initialCount` of `@stream` must be a whole number, 0 or more."
# So graphql-core says it, as if it were no error of whoever asks.
_UNSTREAMED = "initialCount must be a positive integer"

# What a sentence of graphql-core about a variable ends with, and how GraphQL has it. Texts that
# somebody gave are quoted there, so that these are no part of one.
_SPELT = {
    " None.": " null.",
    ": True": ": true",
    ": True.": ": true.",
    ": False": ": false",
    ": False.": ": false.",
}

_log = logging.getLogger("greenway")


class Problem(Protocol):
    """A failure that left its field answered all the same, such as a partner out of reach."""

    @property
    def path(self) -> Sequence[str | int]: ...
    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def extensions(self) -> Mapping[str, object]: ...


def coded(error: graphql.GraphQLError, code: Code) -> graphql.GraphQLError:
    """Return the error with this code, without the raw text of what raised it."""
    cause = _cause(error)
    if isinstance(cause, errors.GreenwayError):
        return _told(error, cause)
    message = error.message
    if cause is not error:
        # A scalar that raised is quoted; the value that it could not read says enough.
        message = message.replace(f", but encountered error '{cause}'", "")
    return _copy(error, message, {"code": code.value})


def timeout(seconds: float) -> graphql.GraphQLError:
    """Return the error for an operation that was ended by the clock."""
    return graphql.GraphQLError(
        f"The operation was ended after {seconds:g} s.",
        extensions={"code": Code.OPERATION_TIMEOUT.value},
    )


def leaving() -> graphql.GraphQLError:
    """Return the error for what is ended, or not begun, because the process ends."""
    return graphql.GraphQLError(
        "The hub is about to end; ask again, and another answers.",
        extensions={"code": Code.HUB_LEAVING.value},
    )


def masked(cause: Exception) -> graphql.GraphQLError:
    """Log what nobody expected, and return the error that refers to the line in the log."""
    return graphql.GraphQLError("Internal error", extensions=_filed(cause, None))


def settled(
    found: Iterable[graphql.GraphQLError], context: object
) -> Iterator[graphql.GraphQLError]:
    """Yield the errors as the asker may see them, then the problems the context collected."""
    filed: dict[int, dict[str, object]] = {}
    for error in found:
        yield _settled(error, filed)
    problems: Iterable[Problem] = getattr(context, "problems", ())
    for problem in problems:
        yield graphql.GraphQLError(
            problem.message,
            path=list(problem.path),
            extensions={"code": problem.code, **problem.extensions},
        )


def _settled(
    error: graphql.GraphQLError, filed: dict[int, dict[str, object]]
) -> graphql.GraphQLError:
    cause = _cause(error)
    if isinstance(cause, errors.GreenwayError):
        return _told(error, cause)
    if "code" in (error.extensions or {}):
        return error
    if isinstance(cause, ValueError) and str(cause) == _UNSTREAMED:
        return _copy(error, UNSTREAMED, {"code": Code.BAD_USER_INPUT.value})
    if _is_the_askers(error, cause):
        found = coded(error, Code.BAD_USER_INPUT)
        return _copy(found, _spelt(found.message), found.extensions or {})
    if id(cause) not in filed:
        # One failure can surface at many paths; the log needs it once.
        filed[id(cause)] = _filed(cause, error.path)
    return _copy(error, "Internal error", filed[id(cause)])


def _spelt(message: str) -> str:
    for end, said in _SPELT.items():
        if message.endswith(end):
            return message.removesuffix(end) + said
    return message


def _filed(cause: Exception, path: Sequence[str | int] | None) -> dict[str, object]:
    reference = secrets.token_hex(6)
    _log.error(
        "internal error, reference %s, at %s",
        reference,
        path,
        exc_info=cause,
        extra={"reference": reference},
    )
    return {"code": Code.INTERNAL.value, "reference": reference}


def _cause(error: graphql.GraphQLError) -> Exception:
    """Return what was raised first: GraphQL wraps it once for each place it passes."""
    cause: Exception = error
    while isinstance(cause, graphql.GraphQLError) and cause.original_error:
        cause = cause.original_error
    return cause


def _is_the_askers(error: graphql.GraphQLError, cause: Exception) -> bool:
    """Say whether a variable or an argument did not fit, which happens before a resolver runs.

    GraphQL reports a variable without a path and an argument with its own place in the document;
    a result that does not fit its type has neither, and its text may show the result.
    """
    if error.path is None and error.nodes:
        return True
    return isinstance(cause, graphql.GraphQLError) and (error.path is None or bool(cause.nodes))


def _told(error: graphql.GraphQLError, cause: errors.GreenwayError) -> graphql.GraphQLError:
    extensions: dict[str, object] = {"code": cause.code}
    if cause.hint:
        extensions["hint"] = cause.hint
    if isinstance(cause, errors.UnknownCodeError):
        extensions["nearest"] = list(cause.nearest)
    if isinstance(cause, errors.RateLimitedError):
        extensions["retryAfterSeconds"] = cause.wait
    return _copy(error, cause.sentence, extensions)


def _copy(
    error: graphql.GraphQLError, message: str, extensions: dict[str, object]
) -> graphql.GraphQLError:
    found = graphql.GraphQLError(message, path=error.path, extensions=extensions)
    # Where it stands need not be found out anew, which takes long in a long document.
    found.nodes, found.source = error.nodes, error.source
    found.positions, found.locations = error.positions, error.locations
    return found

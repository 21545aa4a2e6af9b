"""What is said of a result, or of a piece of one, as JSON has it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import graphql
from graphql.execution import PendingResult

from schema.execution import problems
from schema.execution.schema import Outcome

#: One part of an answer, as JSON has it.
Part = dict[str, Any]


def of(outcome: Outcome) -> Part:
    """Return what came of an operation as JSON has it."""
    said = told(outcome.result, outcome.result.errors or ())
    if not outcome.began:
        del said["data"]
    if outcome.result.extensions:
        said["extensions"] = outcome.result.extensions
    return said


def told(result: Any, errors: Iterable[graphql.GraphQLError]) -> Part:  # noqa: ANN401 - strawberry's, or graphql's
    """Return a result with these errors as JSON has it."""
    return {"data": result.data, **_wrong(errors)}


def alike(one: Part, other: Part) -> bool:
    """Return whether two answers say the same, whatever they cost."""
    return all(one.get(key) == other.get(key) for key in ("data", "errors"))


def _wrong(found: Iterable[graphql.GraphQLError]) -> Part:
    formatted = [error.formatted for error in found]
    return {"errors": formatted} if formatted else {}


class Delivery:
    """Says the pieces of an answer as clients of either protocol read them: by id, and by path."""

    def __init__(self, context: object) -> None:
        self._context = context
        self._pending: dict[str, PendingResult] = {}
        self._problems = 0

    def first(self, result: graphql.InitialIncrementalExecutionResult) -> Part:
        """Return the first piece."""
        self._problems = len(self._collected())
        return {
            **told(result, problems.settled(result.errors or (), self._context)),
            **self._announced(result.pending),
            "hasNext": result.has_next,
        }

    def next(self, result: graphql.SubsequentIncrementalExecutionResult) -> Part:
        """Return a later piece."""
        part = {**self._announced(result.pending), "hasNext": result.has_next}
        if result.incremental:
            part["incremental"] = [self._piece(one) for one in result.incremental]
            self._tell_problems(part["incremental"][-1])
        if result.completed:
            part["completed"] = [
                {"id": one.id, **_wrong(problems.settled(one.errors or (), None))}
                for one in result.completed
            ]
        return part

    def _collected(self) -> list[graphql.GraphQLError]:
        return list(problems.settled((), self._context))

    def _tell_problems(self, piece: Part) -> None:
        """Tell with a piece what the context has collected since the one before."""
        found = self._collected()
        if new := _wrong(found[self._problems :]):
            piece["errors"] = [*piece.get("errors", ()), *new["errors"]]
        self._problems = len(found)

    def _announced(self, pending: Iterable[PendingResult] | None) -> Part:
        found = list(pending or ())
        self._pending.update({one.id: one for one in found})
        return {"pending": [one.formatted for one in found]} if found else {}

    def _piece(self, piece: Any) -> Part:  # noqa: ANN401 - either of two that share no type
        place = self._pending[piece.id]
        told = {**piece.formatted, "path": [*place.path, *(piece.sub_path or ())]}
        if place.label is not None:
            told["label"] = place.label
        if piece.errors:
            told.update(_wrong(problems.settled(piece.errors, None)))
        return told

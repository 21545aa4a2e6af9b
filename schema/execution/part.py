"""What is said of a result, or of a piece of one, as JSON has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import graphql
from graphql.execution import PendingResult

from schema.execution import problems
from schema.execution.schema import Outcome

#: One part of an answer, as JSON has it.
Part = dict[str, Any]

#: Where something stands in the data: names of fields, and indices.
Path = Sequence[str | int]


def of(outcome: Outcome) -> Part:
    """Return what came of an operation that began as JSON has it."""
    said = told(outcome.result, outcome.result.errors or ())
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
        #: How many items were told of each list that is streamed, by what it is called.
        self._begun: dict[str, int] = {}
        self._problems = 0

    def first(self, result: graphql.InitialIncrementalExecutionResult) -> Part:
        """Return the first piece."""
        self._problems = len(self._collected())
        announced = self._announced(result.pending)
        self._begin(result.pending, [((), result.data)])
        return {
            **told(result, problems.settled(result.errors or (), self._context)),
            **announced,
            "hasNext": result.has_next,
        }

    def next(self, result: graphql.SubsequentIncrementalExecutionResult) -> Part:
        """Return a later piece."""
        announced = self._announced(result.pending)
        pieces = [self._piece(one, result.pending or ()) for one in result.incremental or ()]
        completed = [
            {"id": one.id, **_wrong(problems.settled(one.errors or (), None))}
            for one in result.completed or ()
        ]
        return {**announced, "hasNext": result.has_next, **self._later(pieces, completed)}

    def ended(self, found: list[Any]) -> Part:
        """Return the last piece where nothing more comes; errors, as JSON has them, say why."""
        completed = [{"id": one, "errors": found} for one in self._pending]
        return {"hasNext": False, **self._later([], completed)}

    def _later(self, pieces: list[Part], completed: list[Part]) -> Part:
        # Who reads by path does not look at what is completed. Null for data, or for items, would
        # take from who reads by id what is there already.
        failed = [{**one, **self._place(one["id"])} for one in completed if "errors" in one]
        for one in completed:
            del self._pending[one["id"]]
        incremental = [*pieces, *failed]
        if incremental:
            self._tell_problems(incremental[-1])
        said = {"incremental": incremental, "completed": completed}
        return {name: found for name, found in said.items() if found}

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

    def _piece(self, piece: Any, announced: Sequence[PendingResult]) -> Part:  # noqa: ANN401 - either of two that share no type
        said = {**piece.formatted, **self._place(piece.id, piece.sub_path)}
        if piece.errors:
            said.update(_wrong(problems.settled(piece.errors, None)))
        if "items" not in said:
            self._begin(announced, [(said["path"], piece.data)])
            return said
        path, begun = self._pending[piece.id].path, self._begun.get(piece.id, 0)
        self._begun[piece.id] = begun + len(piece.items)
        self._begin(announced, [([*path, at], one) for at, one in enumerate(piece.items, begun)])
        return said

    def _place(self, id_: str, below: Iterable[str | int] | None = None) -> Part:
        """Return where something belongs: in a list, with the index of the item that is next."""
        place, begun = self._pending[id_], self._begun.get(id_)
        path = [*place.path, *(below or ()), *([] if begun is None else [begun])]
        return {"path": path} if place.label is None else {"path": path, "label": place.label}

    def _begin(
        self, announced: Iterable[PendingResult] | None, given: Iterable[tuple[Path, object]]
    ) -> None:
        """Note of each list that is to be streamed how many items of it are in what is given."""
        for one in announced or ():
            for path, data in given:
                if one.path[: len(path)] == [*path] and isinstance(
                    found := _at(data, one.path[len(path) :]), list
                ):
                    self._begun[one.id] = len(found)


def _at(data: Any, path: Path) -> object:  # noqa: ANN401 - data
    """Return what stands at a path in some data; None where nothing does."""
    try:
        for key in path:
            data = data[key]
    except (LookupError, TypeError):
        return None
    return data

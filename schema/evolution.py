"""How the contract may change: nothing goes before its deprecation has run its course."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import graphql
from graphql.utilities import BreakingChangeType, find_schema_changes

#: The contract as it was last released: what others may count on.
RELEASED = Path(__file__).with_name("released.graphql")

#: Where a breaking change says what it is of: `Type`, `Type.field`, `Type.field(argument:)`.
_PLACE = re.compile(r"(\w+)(?:\.(\w+)(?:\((\w+):\))?)?")
#: How a deprecation says on which day it ends: what goes may go after that day.
_UNTIL = re.compile(r"\buntil (\d{4}-\d{2}-\d{2})\b")
#: What a change says before its place.
_WORDS = re.compile(r"^(?:Field|Argument|Enum value|A required field|A required argument) ")
#: `Int` and the like stand in no contract's text; who reads it sees those alone that are used.
_BUILT_IN = "Standard scalar "


@dataclass(frozen=True, slots=True)
class Break:
    """A change that breaks who counts on what was released: what it is, and what is to be done."""

    sentence: str
    hint: str

    def __str__(self) -> str:
        return f"{self.sentence} {self.hint}"


def breaks(released: str, now: str, on: date) -> list[Break]:
    """Return the changes, from one contract in SDL to another, that may not be made on a day.

    What was deprecated as released, ``until`` a day that has passed, may be changed and go; and a
    type, once nothing that may stay is of it.
    """
    old, new = (graphql.build_schema(one, assume_valid_sdl=True) for one in (released, now))
    return [
        found
        for change in find_schema_changes(old, new)
        if isinstance(change.type, BreakingChangeType)
        and not change.description.startswith(_BUILT_IN)
        and (found := _judged(_WORDS.sub("", change.description), change.description, old, on))
    ]


def _judged(place: str, sentence: str, old: graphql.GraphQLSchema, on: date) -> Break | None:
    named = _PLACE.match(place)
    name, member, argument = named.groups() if named else ("", None, None)
    kind = old.type_map.get(name)
    if kind is None or member is None:
        users = list(_of_type(old, name)) if kind is not None else []
        over = bool(users) and all(_over(reason, on) for reason in users)
        hint = "All that is of this type must be deprecated first, until a day that has passed."
        return None if over else Break(sentence, hint)
    return _course(sentence, _reason(kind, member, argument), on)


def _course(sentence: str, reason: str | None, on: date) -> Break | None:
    """Return the break that a change is, unless the deprecation for a reason has run its course."""
    if reason is None:
        return Break(sentence, "Deprecate it first: `… until 2027-01-31` in the reason.")
    until = _UNTIL.search(reason)
    if until is None:
        return Break(sentence, "Its deprecation names no day: `until 2027-01-31`.")
    return None if _over(reason, on) else Break(sentence, f"It may go after {until[1]}.")


def _over(reason: str | None, on: date) -> bool:
    until = _UNTIL.search(reason or "")
    return until is not None and date.fromisoformat(until[1]) < on


def _reason(kind: graphql.GraphQLNamedType, member: str, argument: str | None) -> str | None:
    """Return why a field, an input field, an enum's value or an argument is deprecated, if it is.

    An argument of a field that is deprecated is so with it.
    """
    if isinstance(kind, graphql.GraphQLEnumType):
        return kind.values[member].deprecation_reason if member in kind.values else None
    field = getattr(kind, "fields", {}).get(member)
    if field is None:
        return None
    own: str | None = field.deprecation_reason
    if argument is None or argument not in field.args:
        return own
    said: str | None = field.args[argument].deprecation_reason
    return said or own


def _of_type(schema: graphql.GraphQLSchema, name: str) -> Iterator[str | None]:
    """Yield, for each field and argument that is of a type, why it is deprecated, or None."""
    for kind in schema.type_map.values():
        for field_name, field in getattr(kind, "fields", {}).items():
            if graphql.get_named_type(field.type).name == name:
                yield _reason(kind, field_name, None)
            for argument, one in getattr(field, "args", {}).items():
                if graphql.get_named_type(one.type).name == name:
                    yield _reason(kind, field_name, argument)

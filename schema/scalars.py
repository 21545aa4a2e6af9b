"""Scalars with their specifications, texts that say their language, and described closed lists."""

from __future__ import annotations

import datetime
import decimal
import enum
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from models.text import Said, Text, wanted
from schema.caching import PUBLIC
from schema.info import Info


def _parser(parse: Callable[[str], Any]) -> Callable[[object], Any]:
    def parsed(value: object) -> Any:  # noqa: ANN401 - each scalar has its own type
        if not isinstance(value, str):
            raise TypeError("This scalar is written as a string.")
        try:
            return parse(value)
        except (ValueError, decimal.InvalidOperation):
            raise ValueError("This is not how this scalar is written.") from None

    return parsed


def _moment(text: str) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("A moment has its offset.")
    try:
        return moment.astimezone(datetime.UTC)
    except OverflowError:
        raise ValueError("No calendar has this moment.") from None


#: What a fact is said to be: plain JSON, read by the fact it is said of.
FactValue = NewType("FactValue", object)


def _fact_value(value: object) -> object:
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return value
    raise TypeError("A fact is true or false, a whole number, a text, a list of texts or null.")


#: The hub's scalars by the Python type they stand for.
SCALARS: Mapping[object, ScalarDefinition] = {
    datetime.date: strawberry.scalar(
        name="Date",
        description="A day, as `2024-02-29`. Days begin and end in Shanghai.",
        specified_by_url="https://scalars.graphql.org/andimarek/local-date",
        serialize=datetime.date.isoformat,
        parse_value=_parser(datetime.date.fromisoformat),
    ),
    datetime.datetime: strawberry.scalar(
        name="DateTime",
        description="A moment with its offset, as `2024-02-29T09:00:00+08:00`.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        serialize=datetime.datetime.isoformat,
        parse_value=_parser(_moment),
    ),
    decimal.Decimal: strawberry.scalar(
        name="Decimal",
        description='An exact decimal number, written as a string: `"7.1893"`.',
        specified_by_url="https://speleotrove.com/decimal/decarith.html",
        serialize=lambda value: format(value, "f"),
        parse_value=_parser(decimal.Decimal),
    ),
    FactValue: strawberry.scalar(
        name="FactValue",
        description=(
            "What a fact is said to be: `true` or `false`, a whole number, a text (a day is "
            "`2024-02-29`), a list of texts, or `null` where there is known to be none."
        ),
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        parse_value=_fact_value,
    ),
}


def describe(
    closed: type[enum.Enum], description: str, values: Mapping[str, str], name: str | None = None
) -> None:
    """Make a closed list of ours an enum of the graph, every value described.

    Raises:
        KeyError: a value is not described.
    """
    definition = strawberry.enum(closed, name=name, description=description)
    for value in definition.__strawberry_definition__.values:  # type: ignore[attr-defined]  # strawberry's mark
        value.description = values[value.name]


Language = Annotated[
    str | None,
    strawberry.argument(
        description="A language range such as `zh-CN`; without it, Accept-Language counts."
    ),
]


@strawberry.type(
    description="A text, and the language it is in: a fallback is never silent.",
    directives=[PUBLIC],
)
class LocalizedText:
    text: str = strawberry.field(description="The text.")
    language: str = strawberry.field(description="The language it is in: `en`, `zh`.")
    is_fallback: bool = strawberry.field(
        description="Whether another language was asked for first, which this text has not."
    )

    @classmethod
    def of(cls, found: Text, info: Info, language: str | None = None) -> LocalizedText:
        languages = wanted(language) if language else info.context.languages
        view: LocalizedText | None = found.views.get(languages)
        return view or found.view(languages, cls._said)

    @classmethod
    def _said(cls, found: Said) -> LocalizedText:
        return cls(text=found.text, language=found.language, is_fallback=found.fallback)

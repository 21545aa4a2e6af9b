"""Scalars with their specifications, texts that say their language, and described closed lists."""

from __future__ import annotations

import datetime
import decimal
import enum
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NewType

import graphql
import strawberry
from graphql.language import ast
from strawberry.types.scalar import ScalarDefinition

from models.text import Said, Text, asked
from schema.caching import PUBLIC
from schema.info import Info

#: RFC 3339, section 5.6: ``full-date`` and ``date-time``. The calendar is asked after these.
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]"
    r"(?:[01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(?:\.\d+)?"
    r"(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_LEAP = "60"


def _day(text: str) -> datetime.date:
    if _DAY.fullmatch(text) is None:
        raise ValueError("A `Date` is written as `2024-02-29`.")
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise ValueError("The calendar has no such day; a `Date` is one as `2024-02-29`.") from None


def _moment(text: str) -> datetime.datetime:
    found = _MOMENT.fullmatch(text)
    if found is None:
        raise ValueError(
            "A `DateTime` is written as `2024-02-29T09:00:00+08:00`: with seconds and an offset."
        )
    if found[1] == _LEAP:
        raise ValueError("A `DateTime` has no leap second: write second 59, or the minute after.")
    try:
        # What of a second is below a microsecond is cut off.
        return datetime.datetime.fromisoformat(text.upper()).astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            "The calendar has no such moment; a `DateTime` is one as `2024-02-29T09:00:00+08:00`."
        ) from None


def _decimal(text: str) -> decimal.Decimal:
    try:
        return decimal.Decimal(text)
    except decimal.InvalidOperation:
        raise ValueError("A `Decimal` is written as `7.1893`.") from None


def _written(
    name: str,
    description: str,
    specified_by_url: str,
    serialize: Callable[[Any], str],
    read: Callable[[str], Any],
    example: str,
) -> ScalarDefinition:
    """Return a scalar that is written as a string; ``read`` says what is wrong with one.

    Of what is raised, GraphQL tells whoever asks its own errors alone.
    """

    def value(given: object, node: ast.ValueNode | None = None) -> object:
        try:
            if isinstance(given, str):
                return read(given)
        except ValueError as wrong:
            raise graphql.GraphQLError(str(wrong), node) from None
        raise graphql.GraphQLError(f'A `{name}` is written as a string: `"{example}"`.', node)

    def literal(node: ast.ValueNode, _: object = None) -> object:
        return value(node.value if isinstance(node, ast.StringValueNode) else None, node)

    return strawberry.scalar(
        name=name,
        description=description,
        specified_by_url=specified_by_url,
        serialize=serialize,
        parse_value=value,
        parse_literal=literal,
    )


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
    datetime.date: _written(
        "Date",
        "A day, as `2024-02-29` (RFC 3339). Days begin and end in Shanghai.",
        "https://scalars.graphql.org/andimarek/local-date",
        datetime.date.isoformat,
        _day,
        "2024-02-29",
    ),
    datetime.datetime: _written(
        "DateTime",
        "A moment with its offset, as `2024-02-29T09:00:00+08:00` (RFC 3339); no leap second.",
        "https://scalars.graphql.org/andimarek/date-time",
        datetime.datetime.isoformat,
        _moment,
        "2024-02-29T09:00:00+08:00",
    ),
    decimal.Decimal: _written(
        "Decimal",
        'An exact decimal number, written as a string: `"7.1893"`.',
        "https://speleotrove.com/decimal/decarith.html",
        lambda value: format(value, "f"),
        _decimal,
        "7.1893",
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
        languages = info.context.languages if language is None else asked(language)
        view: LocalizedText | None = found.views.get(languages)
        return view or found.view(languages, cls._said)

    @classmethod
    def _said(cls, found: Said) -> LocalizedText:
        return cls(text=found.text, language=found.language, is_fallback=found.fallback)

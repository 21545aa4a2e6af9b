"""Mapping: rows of an answer become offers, each field found, looked up and cast, or refused."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from operator import itemgetter
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import pydantic

from connectors import base, errors, expression, template, wire
from models import offer

#: The most rows of one answer, those within rows included.
MOST_ROWS = 20_000

#: A number of more digits is none of money, and a count has to fit GraphQL's Int.
_MOST_DIGITS = 15
_MOST_COUNT = 2**31 - 1
#: What lies before is no time of an offer.
_FIRST_YEAR = 1900


class Level(base.Options):
    """One level of rows: the answer's own, or those within each row of the level before."""

    foreach: expression.Written = pydantic.Field(
        description="The list of rows; a single object counts as a list of one."
    )
    with_: Mapping[str, expression.Written] = pydantic.Field(
        default={}, alias="with", description="What rows within these know of them, as `with.name`."
    )


class Source(base.Options):
    """Where a field comes from, and how it is read."""

    from_: expression.Written = pydantic.Field(alias="from", description="What is found.")
    table: Mapping[str, str | int | float | None] | None = pydantic.Field(
        default=None, description="What each word found stands for; any other is a bad answer."
    )
    otherwise: str | int | float | None = pydantic.Field(
        default=None, description="What any other word stands for, `null` included."
    )
    zone: ZoneInfo | None = pydantic.Field(
        default=None, description="The zone of a time without an offset, if not `options.zone`."
    )
    format: str | None = pydantic.Field(
        default=None,
        description="How a time is written, if not as ISO 8601: `unix`, `unix_ms`, or with `%`.",
    )


def _tag(given: object) -> str:
    return "whole" if isinstance(given, dict | Source) else "short"


#: An expression alone, or a source in full.
Sought = Annotated[
    Annotated[expression.Written, pydantic.Tag("short")] | Annotated[Source, pydantic.Tag("whole")],
    pydantic.Discriminator(_tag),
]


class Attribute(base.Options):
    """One more fact about an offer; left out where nothing is found."""

    name: str = pydantic.Field(description="Its name.")
    label: str = pydantic.Field(description="What people call it.")
    value: Sought = pydantic.Field(description="What is found.")
    unit: str | None = pydantic.Field(default=None, description="Its unit.")


class Records(base.Options):
    """How offers are made of an answer."""

    records: tuple[Level, ...] = pydantic.Field(
        min_length=1, max_length=4, description="Where the rows are, level by level."
    )
    where: expression.Written | None = pydantic.Field(
        default=None, description="What must hold of a row; the others are passed over."
    )
    window: Literal["starts", "overlaps", "any"] | None = pydantic.Field(
        default=None,
        description="Which offers are in the time asked for: `any` trusts the partner.",
    )
    fields: Mapping[str, Sought] = pydantic.Field(description="Where each field comes from.")
    attributes: tuple[Attribute, ...] = pydantic.Field(
        default=(), description="What the shape has no field for."
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Locale:
    """How times and texts of a partner are taken that do not say it themselves."""

    zone: ZoneInfo
    languages: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class _Field:
    """What is read of each row: ``keys`` and ``table`` are the source's, looked up once."""

    name: str
    source: Source
    keys: tuple[str, ...] | None
    table: bool
    cast: Callable[[Any, Source, Locale], Any]
    required: bool

    @classmethod
    def of(
        cls,
        name: str,
        sought: expression.Expression | Source,
        cast: Callable[[Any, Source, Locale], Any],
        *,
        required: bool = False,
    ) -> _Field:
        source = _source(sought)
        return cls(name, source, source.from_.keys, source.table is not None, cast, required)

    def value(self, seen: Mapping[str, Any], locale: Locale, budget: expression.Budget) -> Any:  # noqa: ANN401 - a field of any type
        """Return what is read of a row; a step for each key is paid."""
        keys, source = self.keys, self.source
        found = budget.find(source.from_, seen) if keys is None else expression.at(seen, keys)
        if self.table:
            found = _looked_up(source, found, self.name)
        if found is None or found == "":
            if self.required:
                raise errors.bad_answer(f"lacks what `{self.name}` is read from")
            return None
        try:
            return self.cast(found, source, locale)
        except (ArithmeticError, LookupError, OSError, TypeError, ValueError):
            raise errors.bad_answer(f"holds a `{self.name}` that is none") from None


class Reader:
    """Makes offers of one shape.

    Args:
        shape: The shape.
        records: How offers are made.
        locale: How times and texts are taken.
    """

    def __init__(self, shape: type[offer.Offer], records: Records, locale: Locale) -> None:
        self._shape = shape
        self._records = records
        self._locale = locale
        known = shape_of(shape)
        self._fields = [
            _Field.of(name, sought, CASTS[known[name][0]], required=known[name][1])
            for name, sought in records.fields.items()
        ]
        self._attributes = [
            (one, _Field.of(one.name, one.value, _text)) for one in records.attributes
        ]
        #: The steps of a row for what is read by keys alone.
        read = (*self._fields, *(one for _, one in self._attributes))
        self._steps = sum(one.keys is not None for one in read)
        starts = shape in (offer.Appointment, offer.Showing)
        self.window = records.window or ("starts" if starts else "overlaps")

    def top(self, data: Any, budget: expression.Budget) -> list[Any]:  # noqa: ANN401 - data of any shape
        """Return the rows of a page."""
        return _rows(self._records.records[0], data, budget)

    def within(
        self,
        row: Any,  # noqa: ANN401 - data of any shape
        budget: expression.Budget,
        **more: object,
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows of the last level within one of the first, as expressions see them.

        Args:
            row: One of the first level.
            budget: What expressions may cost.
            more: What else they see.
        """
        return _within(self._records.records, row, {}, budget, more)

    def made(self, seen: Mapping[str, Any], budget: expression.Budget) -> offer.Offer | None:
        """Return the offer that a row is, None where it is passed over.

        Raises:
            Misconfigured: BAD_ANSWER, a field is missing or misshapen; the sentence names it.
        """
        if self._records.where is not None and not budget.holds(self._records.where, seen):
            return None
        budget.begin(self._steps)
        locale = self._locale
        given = {one.name: one.value(seen, locale, budget) for one in self._fields}
        if not self._attributes:
            return self._shape(**given)
        attributes = tuple(
            offer.Attribute(one.name, one.label, text, one.unit)
            for one, field in self._attributes
            if (text := field.value(seen, locale, budget)) is not None
        )
        return self._shape(**given, attributes=attributes)

    def chosen(
        self, offers: Sequence[offer.Offer], since: datetime, until: datetime
    ) -> list[offer.Offer]:
        """Return the offers in a time, by time and then id."""
        zone, window = self._locale.zone, self.window
        kept = []
        for one in offers:
            begin, end = span(one, zone)
            if window == "any" or _meets(begin, end, since, until, window):
                first = begin or end
                kept.append((first.timestamp() if first else math.inf, one.id, one))
        kept.sort(key=itemgetter(0, 1))
        return [one for _, _, one in kept]


def read(
    sought: expression.Expression | Source,
    cast: Callable[[Any, Source, Locale], Any],
    name: str,
    seen: Mapping[str, Any],
    locale: Locale,
    budget: expression.Budget,
) -> Any:  # noqa: ANN401 - what the cast gives
    """Return what a source finds, looked up and cast; None where there is nothing.

    Raises:
        Misconfigured: BAD_ANSWER, it is not what the field holds; the sentence names the field.
    """
    one = _Field.of(name, sought, cast)
    budget.begin(one.keys is not None)
    return one.value(seen, locale, budget)


def shape_of(shape: type[Any]) -> dict[str, tuple[Any, bool]]:
    """Return the fields of a dataclass that files map: the type of each, and whether it must be."""
    hints = typing.get_type_hints(shape)
    found = {}
    for one in dataclasses.fields(shape):
        types = [kind for kind in typing.get_args(hints[one.name]) if kind is not type(None)]
        plain = types[0] if types else hints[one.name]
        missing = one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
        if one.name != "attributes":
            found[one.name] = (_WEB if one.name == "url" else plain, missing)
    return found


def check(names: Iterable[str], shape: type[Any]) -> list[Any]:
    """Return the mistakes in which fields are mapped, as Pydantic has them."""
    mapped = [str(name) for name in names]
    known = shape_of(shape)
    unknown = [
        template.mistaken(
            f"There is no field “{name}” here ({template.instead(name, known)})",
            ("fields", name),
            name,
        )
        for name in mapped
        if name not in known
    ]
    return unknown + [
        template.mistaken(f"The field “{name}” must be there", ("fields",), name)
        for name, (_, required) in known.items()
        if required and name not in mapped
    ]


def span(one: offer.Offer, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """Return when an offer begins and when it is over; None where it does not say."""
    match one:
        case offer.Appointment() | offer.Showing():
            return one.start, one.end or one.start
        case offer.Pass():
            return one.window_start, one.window_end
        case offer.Place(apply_by=date() as last) if last < date.max:
            return None, datetime.combine(last + timedelta(days=1), time.min, zone)
        case offer.Quote():
            return None, one.valid_until
    return None, None


def moment(found: Any, source: Source, locale: Locale) -> datetime:  # noqa: ANN401 - whatever was found
    """Return a time, aware.

    Raises:
        ValueError: it is none.
    """
    zone = source.zone or locale.zone
    if source.format in ("unix", "unix_ms"):
        seconds = float(found) / (1000 if source.format == "unix_ms" else 1)
        return datetime.fromtimestamp(seconds, zone)
    if not isinstance(found, str):
        raise TypeError
    when = (
        datetime.strptime(found, source.format)  # noqa: DTZ007 - its zone follows
        if source.format
        else datetime.fromisoformat(found.strip())
    )
    if when.year < _FIRST_YEAR:
        raise ValueError(_FIRST_YEAR)
    return when if when.tzinfo else when.replace(tzinfo=zone)


def _source(sought: expression.Expression | Source) -> Source:
    if isinstance(sought, Source):
        return sought
    return Source.model_construct(from_=sought, table=None, otherwise=None, zone=None, format=None)


def _looked_up(source: Source, found: Any, name: str) -> Any:  # noqa: ANN401 - whatever was found
    table = source.table or {}
    word = str(found).lower() if isinstance(found, bool) else str(found)
    if found is not None and word in table:
        return table[word]
    if found is None or "otherwise" in source.model_fields_set:
        return source.otherwise
    raise errors.bad_answer(f"holds a word for `{name}` that its table does not have")


def _rows(level: Level, data: Any, budget: expression.Budget) -> list[Any]:  # noqa: ANN401 - data of any shape
    found = budget.find(level.foreach, data)
    if isinstance(found, dict):
        return [found]
    if not isinstance(found, list):
        raise errors.bad_answer("has no rows where its file says")
    if len(found) > MOST_ROWS:
        raise errors.bad_answer(f"holds more than {MOST_ROWS:,} rows")
    return found


def _within(
    levels: Sequence[Level],
    row: Any,  # noqa: ANN401 - data of any shape
    above: Mapping[str, Any],
    budget: expression.Budget,
    more: Mapping[str, object],
) -> Iterator[dict[str, Any]]:
    below = levels[1:]
    if not below:
        yield expression.scope(row, {"with": above, **more})
        return
    seen = expression.scope(row, {"with": above})
    known = {**above, **{name: budget.find(one, seen) for name, one in levels[0].with_.items()}}
    rows = _rows(below[0], seen, budget)
    if len(below) == 1:
        around = {"with": known, **more}
        for inner in rows:
            yield expression.scope(inner, around)
        return
    for inner in rows:
        yield from _within(below, inner, known, budget, more)


def _meets(
    begin: datetime | None, end: datetime | None, since: datetime, until: datetime, how: str
) -> bool:
    if how == "starts" and begin is not None:
        return since <= begin < until
    # What takes no time at all is over when it begins.
    last = begin if end == begin else end
    over = last is not None and (last < since or (last == since and last != begin))
    return not over and (begin is None or begin < until)


def _text(found: Any, _: Source, locale: Locale) -> str:  # noqa: ANN401 - whatever was found
    if type(found) is str:
        return found
    if isinstance(found, dict):
        # A text by language: the first of the partner's languages that it has.
        told = [found[language] for language in locale.languages if found.get(language)]
        found = told[0]
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        raise TypeError
    return str(found)


def _web(found: Any, source: Source, locale: Locale) -> str:  # noqa: ANN401 - whatever was found
    address = _text(found, source, locale)
    wire.read(wire.WebAddress, address)
    return address


def _amount(found: Any, *_: object) -> Decimal:  # noqa: ANN401 - whatever was found
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        raise TypeError
    amount = Decimal(str(found).strip())
    if not amount.is_finite() or amount.adjusted() > _MOST_DIGITS:
        raise InvalidOperation
    return amount


def _count(found: Any, *_: object) -> int:  # noqa: ANN401 - whatever was found
    if type(found) is int and 0 <= found <= _MOST_COUNT:
        return found
    amount = _amount(found)
    if not 0 <= amount <= _MOST_COUNT or amount != int(amount):
        raise ValueError
    return int(amount)


def _day(found: Any, source: Source, locale: Locale) -> date:  # noqa: ANN401 - whatever was found
    return moment(found, source, locale).astimezone(source.zone or locale.zone).date()


_WEB = "web"
#: How what was found becomes a field's type.
CASTS: Mapping[Any, Callable[[Any, Source, Locale], Any]] = {
    str: _text,
    _WEB: _web,
    int: _count,
    Decimal: _amount,
    date: _day,
    datetime: moment,
}

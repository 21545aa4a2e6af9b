"""Template: text of a partner file with placeholders; no value that is filled in leaves its place.

A placeholder is `{name}` or `{name|filter}`; a brace that is none is written twice.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NoReturn
from urllib.parse import quote
from xml.sax import saxutils
from zoneinfo import ZoneInfo

import pydantic
import pydantic_core

from connectors import errors
from models import errors as mistakes

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NAME = re.compile(r"[a-z_]+(\.[A-Za-z0-9_]+)?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
#: What a path may hold outside placeholders: RFC 3986, section 3.3, and percent-encoded octets.
_PATH = re.compile(r"[A-Za-z0-9/%:@!$&'()*+,;=~._-]*")

#: Keys made from the hub's own, for partners that demand UUIDs (RFC 9562, version 5).
_KEYS = uuid.UUID("8b5c2f0e-6a0d-5f43-9a52-0d6c3f1f7f10")

Filter = Callable[[Any, ZoneInfo], str | int]

_OF_TIMES: dict[str, Filter] = {
    "date": lambda when, zone: f"{when.astimezone(zone):%Y-%m-%d}",
    "last_date": lambda when, zone: f"{(when - timedelta(seconds=1)).astimezone(zone):%Y-%m-%d}",
    "local": lambda when, zone: f"{when.astimezone(zone):%Y-%m-%dT%H:%M:%S}",
    "utc": lambda when, _: f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
    "unix": lambda when, _: int(when.timestamp()),
    "unix_ms": lambda when, _: int(when.timestamp() * 1000),
}
_OF_TEXTS: dict[str, Filter] = {
    # OData 4.01, section 5.1.1.6.2, and OneRoster 1.2, section 3.4.5, quote so.
    "quoted": lambda text, _: str(text).replace("'", "''"),
    "uuid": lambda text, _: str(uuid.uuid5(_KEYS, str(text))),
}
_FILTERS: Mapping[type, Mapping[str, Filter]] = {datetime: _OF_TIMES, str: _OF_TEXTS}

#: What placeholders there are in some place of a file, and what each stands for.
Names = Mapping[str, type]


@dataclass(frozen=True, slots=True)
class Values:
    """What placeholders stand for in one request; times are told in ``zone``."""

    named: Mapping[str, Any]
    zone: ZoneInfo

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - a text, a number, a time or a list
        """Return what a placeholder stands for.

        Raises:
            Misconfigured: nothing; what was kept for a booking is of an older file.
        """
        if name not in self.named:
            raise errors.Misconfigured(
                errors.Problem.MISCONFIGURED, f"There is no value for “{name}”."
            )
        return self.named[name]


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A name to fill in, and how it is told."""

    name: str
    filter: str = ""

    def value(self, values: Values) -> Any:  # noqa: ANN401 - a text, a number or a list
        """Return what this stands for; a time as text."""
        found = values[self.name]
        if self.filter.startswith("%"):
            return found.astimezone(values.zone).strftime(self.filter)
        if self.filter:
            return (_OF_TIMES | _OF_TEXTS)[self.filter](found, values.zone)
        return found.astimezone(values.zone).isoformat() if isinstance(found, datetime) else found

    def mistake(self, names: Names) -> str:
        """Return what is wrong with this where there are these names, or nothing."""
        if self.name not in names:
            known = instead(self.name, names)
            return f"There is no placeholder “{mistakes.shown(self.name)}” here ({known})"
        filters = _FILTERS.get(names[self.name], {})
        if self.filter.startswith("%") and filters is _OF_TIMES:
            return ""
        if self.filter and self.filter not in filters:
            known = instead(self.filter, filters)
            return f"“{self.name}” cannot be told as “{mistakes.shown(self.filter)}” ({known})"
        return ""


@dataclass(frozen=True, slots=True)
class Template:
    """Text with placeholders."""

    parts: tuple[str | Placeholder, ...]

    @classmethod
    def parse(cls, source: object) -> Template:
        """Return a template that has been read.

        Raises:
            ValueError: it is no text, or a brace in it is no placeholder's.
        """
        if not isinstance(source, str):
            raise ValueError("This is text, with placeholders")  # noqa: TRY004 - for Pydantic
        return cls(tuple(_parts(source)))

    @property
    def placeholders(self) -> Iterator[Placeholder]:
        """Every name to fill in."""
        return (part for part in self.parts if isinstance(part, Placeholder))

    def text(self, values: Values, encode: Callable[[str], str] = str) -> str:
        """Return the text, what is filled in being encoded."""
        return "".join(
            part if isinstance(part, str) else encode(str(part.value(values)))
            for part in self.parts
        )

    def value(self, values: Values) -> Any:  # noqa: ANN401 - a text, a number or a list
        """Return the text; or, of a placeholder alone, its value as it is."""
        match self.parts:
            case (Placeholder() as alone,):
                return alone.value(values)
        return self.text(values)


@dataclass(frozen=True, slots=True)
class Path:
    """A path below a partner's address: each value that is filled in stays in its segment."""

    segments: tuple[Template, ...]

    @classmethod
    def parse(cls, source: object) -> Path:
        """Return a path that has been read.

        Raises:
            ValueError: it is none below the address.
        """
        whole = Template.parse(source)
        fixed = "".join(part for part in whole.parts if isinstance(part, str))
        if not _PATH.fullmatch(fixed):
            raise ValueError("This is no path below the address; a query stands under `query`")
        segments = tuple(Template.parse(one) for one in str(source).lstrip("/").split("/"))
        if any(one.parts in ((".",), ("..",)) for one in segments):
            raise ValueError("A path leads nowhere but down")
        return cls(segments)

    @property
    def placeholders(self) -> Iterator[Placeholder]:
        """Every name to fill in."""
        return (found for segment in self.segments for found in segment.placeholders)

    def text(self, values: Values) -> str:
        """Return the path, percent-encoded (RFC 3986).

        Raises:
            Refused: NOT_FOUND, a value would be no segment of its own: it names nothing.
        """
        return "/".join(_segment(one, values) for one in self.segments)


def _segment(template: Template, values: Values) -> str:
    try:
        text = template.text(values, lambda value: quote(value, safe=""))
    except UnicodeEncodeError:
        unaskable()
    # A value of dots alone would be taken for a step up, and an empty one for no step at all.
    if any(True for _ in template.placeholders) and text in ("", ".", ".."):
        unaskable()
    return text


def header(template: Template, values: Values) -> str:
    """Return a header's value.

    Raises:
        Refused: NOT_FOUND, a value holds what would end the header: it names nothing.
    """
    text = template.text(values)
    if _CONTROL.search(text):
        unaskable()
    return text


def xml(template: Template, values: Values) -> str:
    """Return a document in which values are text, or part of an attribute in quotes.

    Raises:
        Refused: NOT_FOUND, a value holds what XML cannot.
    """
    text = template.text(
        values, lambda value: saxutils.escape(value, {'"': "&quot;", "'": "&#39;"})
    )
    if _CONTROL.search(text.translate({9: None, 10: None, 13: None})):
        unaskable()
    return text


def data(template: Any, values: Values) -> Any:  # noqa: ANN401 - data of any shape
    """Return data in which every text is filled in."""
    match template:
        case Template():
            return template.value(values)
        case dict():
            return {key: data(one, values) for key, one in template.items()}
        case list():
            return [data(one, values) for one in template]
    return template


def unaskable() -> NoReturn:
    """Refuse to ask for what a request cannot say.

    Raises:
        Refused: NOT_FOUND, always.
    """
    raise errors.Refused("The partner cannot have what is so called.", errors.Problem.NOT_FOUND)


def _read_data(given: Any) -> Any:  # noqa: ANN401 - data of any shape
    match given:
        case str():
            return Template.parse(given)
        case dict():
            return {key: _read_data(one) for key, one in given.items()}
        case list():
            return [_read_data(one) for one in given]
    return given


#: Templates as they stand in a partner file.
Text = Annotated[
    Template, pydantic.PlainValidator(Template.parse), pydantic.WithJsonSchema({"type": "string"})
]
Way = Annotated[
    Path, pydantic.PlainValidator(Path.parse), pydantic.WithJsonSchema({"type": "string"})
]
Data = Annotated[Any, pydantic.PlainValidator(_read_data), pydantic.WithJsonSchema({})]


def wrong(form: pydantic.BaseModel, names: Names) -> list[pydantic_core.InitErrorDetails]:
    """Return the placeholders in a part of a partner file that stand for nothing there.

    Args:
        form: The part, with templates anywhere in it.
        names: What there is to fill in.
    """
    return [
        mistaken(sentence, where, found.name)
        for where, template in _templates(form)
        for found in template.placeholders
        if (sentence := found.mistake(names))
    ]


def check(form: pydantic.BaseModel, names: Names) -> None:
    """Refuse the placeholders in a part of a partner file that stand for nothing there.

    Raises:
        ValidationError: every such placeholder, with its place.
    """
    if found := wrong(form, names):
        raise pydantic_core.ValidationError.from_exception_data(type(form).__name__, found)


def mistaken(
    sentence: str, at: tuple[str | int, ...], found: str
) -> pydantic_core.InitErrorDetails:
    """Return a mistake at a place below what is being validated."""
    told = pydantic_core.PydanticCustomError("value_error", "{sentence}", {"sentence": sentence})
    return pydantic_core.InitErrorDetails(type=told, loc=at, input=found)


def joined(
    error: pydantic.ValidationError, wrong: Sequence[pydantic_core.InitErrorDetails]
) -> pydantic.ValidationError:
    """Return an error that tells of further mistakes too."""
    told = [
        pydantic_core.InitErrorDetails(
            type=pydantic_core.PydanticCustomError(
                one["type"], "{sentence}", {**one.get("ctx", {}), "sentence": one["msg"]}
            ),
            loc=one["loc"],
            input=one["input"],
        )
        for one in error.errors(include_url=False)
    ]
    return pydantic_core.ValidationError.from_exception_data(error.title, [*told, *wrong])


def instead(found: str, known: Iterable[str]) -> str:
    """Return what could be written instead: the nearest right spellings, or all there are."""
    near = mistakes.did_you_mean(mistakes.nearest(found, known))
    return f"{near[0].lower()}{near[1:]}" if near else f"there is: {', '.join(sorted(known))}"


def _templates(thing: Any) -> Iterator[tuple[tuple[str | int, ...], Template | Path]]:  # noqa: ANN401 - any part of a file
    match thing:
        case Template() | Path():
            yield (), thing
        case pydantic.BaseModel():
            for name, one in type(thing).model_fields.items():
                yield from _below(one.alias or name, getattr(thing, name))
        case dict():
            for key, one in thing.items():
                yield from _below(key, one)
        case list() | tuple():
            for place, one in enumerate(thing):
                yield from _below(place, one)


def _below(step: str | int, thing: Any) -> Iterator[tuple[tuple[str | int, ...], Template | Path]]:  # noqa: ANN401 - any part of a file
    for where, template in _templates(thing):
        yield (step, *where), template


def _parts(source: str) -> Iterator[str | Placeholder]:
    literal, end = "", 0
    for token in _TOKEN.finditer(source):
        literal += source[end : token.start()]
        end = token.end()
        if token[0] in ("{{", "}}"):
            literal += token[0][0]
            continue
        name, _, told = (token[1] or "").partition("|")
        if not _NAME.fullmatch(name):
            raise ValueError("A brace that begins no placeholder is written twice")
        if literal:
            yield literal
        literal = ""
        yield Placeholder(name, told)
    if literal := literal + source[end:]:
        yield literal

"""Decode: a partner's answer, in whatever format it is written, as data that expressions read."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from html.parser import HTMLParser
from typing import Any, Literal
from xml.etree.ElementTree import Element

import orjson
import pydantic

from connectors import base, calendar, errors, exchange

Format = Literal["json", "ndjson", "xml", "csv", "ical", "html"]
Window = tuple[datetime, datetime]

MOST_DEPTH = 100

#: XML of this size is read in some 25 ms.
_LARGE_BYTES = 250_000
#: The media types asked for. What is said of the rest is too various to insist on one.
_ACCEPTED: Mapping[Format, str] = {"json": "application/json", "xml": "application/xml"}


class Answer(base.Options):
    """How a partner writes its answers."""

    format: Format = pydantic.Field(
        default="json", description="How it is written; `html` is JSON-LD inside a page."
    )
    accept: str | None = pydantic.Field(
        default=None, description="The media type asked for; the format's own, if not said."
    )
    lists: tuple[str, ...] = pydantic.Field(
        default=(), description="XML: the elements that are lists even where there is one."
    )
    delimiter: str = pydantic.Field(
        default=",", min_length=1, max_length=1, description="CSV: what stands between cells."
    )
    header: tuple[str, ...] = pydantic.Field(
        default=(), description="CSV: the columns' names, where the first line is not they."
    )

    @property
    def accepted(self) -> str:
        """The media type to ask for."""
        return self.accept or _ACCEPTED.get(self.format, "*/*")


async def read(answer: Answer, reply: exchange.Reply, window: Window | None = None) -> Any:  # noqa: ANN401 - whatever the partner sent
    """Return a reply's body as data: objects, lists, text, numbers.

    Args:
        answer: How it is written.
        reply: What the partner answered.
        window: The time in which events of a calendar recur; none do without it.

    Raises:
        Misconfigured: NO_CONTENT, WRONG_TYPE or UNREADABLE, it is not so written.
    """
    if not reply.body:
        raise errors.no_content()
    # To read a calendar, or much of anything, takes a while: the others need not wait for it.
    if answer.format == "ical":
        return await asyncio.to_thread(_events, _text(reply), window)
    if len(reply.body) > _LARGE_BYTES:
        return await asyncio.to_thread(_READERS[answer.format], answer, reply)
    return _READERS[answer.format](answer, reply)


def json_ld(page: str) -> list[Any]:
    """Return the JSON-LD nodes of an HTML page, those of lists and graphs one by one.

    Raises:
        Misconfigured: UNREADABLE, a script that says it is JSON-LD is not JSON.
    """
    scripts = _Scripts()
    scripts.feed(page)
    scripts.close()
    return [node for text in scripts.found for node in _nodes(_json(text))]


def _json(text: str | bytes) -> Any:  # noqa: ANN401 - whatever the partner sent
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise errors.unreadable("is not JSON, or is cut short") from None


def _nodes(data: Any) -> Iterator[Any]:  # noqa: ANN401 - whatever the partner sent
    match data:
        case list():
            for one in data:
                yield from _nodes(one)
        case {"@graph": list() as graph}:
            yield from _nodes(graph)
        case _:
            yield data


class _Scripts(HTMLParser):
    """Finds the scripts that are JSON-LD."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        type_ = (dict(attrs).get("type") or "").partition(";")[0].strip().lower()
        self._inside = tag == "script" and type_ == "application/ld+json"
        if self._inside:
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - a script ends with whatever ends
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1] += data


def _text(reply: exchange.Reply) -> str:
    """Return the body as text.

    Raises:
        Misconfigured: WRONG_TYPE, it is a page for people; UNREADABLE, it is not UTF-8.
    """
    if "html" in reply.headers.get("Content-Type", "").lower():
        raise errors.Misconfigured(
            errors.Problem.WRONG_TYPE, "The partner's answer is a page for people, and no data."
        )
    return reply.text()


def _lines(_: Answer, reply: exchange.Reply) -> list[Any]:
    return [_json(line) for line in _text(reply).splitlines() if line.strip()]


def _table(answer: Answer, reply: exchange.Reply) -> list[dict[str, str]]:
    lines = csv.reader(io.StringIO(_text(reply), newline=""), delimiter=answer.delimiter)
    try:
        rows = [row for row in lines if row]
    except csv.Error:
        raise errors.unreadable("is not CSV that may be read") from None
    names, *cells = [list(answer.header), *rows] if answer.header else rows or [[]]
    if any(len(row) != len(names) for row in cells):
        raise errors.bad_answer("has rows of another length than its header")
    return [dict(zip(names, row, strict=True)) for row in cells]


def _tree(answer: Answer, reply: exchange.Reply) -> dict[str, Any]:
    root = reply.xml()
    return {_local(root.tag): _element(root, frozenset(answer.lists), MOST_DEPTH)}


def _element(element: Element, lists: frozenset[str], depth: int) -> Any:  # noqa: ANN401 - a text or an object
    """Return an element: its text; or by name its children, `@` attributes and `#text`."""
    if not depth:
        raise errors.bad_answer("is nested too deeply")
    text = (element.text or "").strip()
    found: dict[str, Any] = {f"@{_local(name)}": value for name, value in element.items()}
    many: dict[str, list[Any]] = {}
    for child in element:
        many.setdefault(_local(child.tag), []).append(_element(child, lists, depth - 1))
    for name, ones in many.items():
        found[name] = ones if len(ones) > 1 or name in lists else ones[0]
    if not found:
        return text
    return found | {"#text": text} if text else found


def _local(name: str) -> str:
    """Return a name without its namespace."""
    return name.rpartition("}")[2]


def _events(text: str, window: Window | None) -> list[dict[str, Any]]:
    """Return the events of a calendar, those that recur once for every time in a window.

    Raises:
        Misconfigured: UNREADABLE, it is no calendar; BAD_ANSWER, it recurs too often to be true.
    """
    events = calendar.unfolded([text], *window) if window else calendar.events([text])
    try:
        return [_event(event) for event in events]
    except (AttributeError, TypeError, ValueError):
        raise errors.unreadable("is not a calendar, or is cut short") from None


def _event(event: Any) -> dict[str, Any]:  # noqa: ANN401 - the library's own component
    """Return an event by its properties' names, in lower case and with underscores.

    `start` and `end` are ISO 8601, as days or without an offset where the calendar has them so;
    `occurrence` is the event's uid and its start: unique, where one event recurs.
    """
    found = {name.lower().replace("-", "_"): _property(value) for name, value in event.items()}
    start, end = _told(event.start), _told(event.end)
    return {**found, "start": start, "end": end, "occurrence": f"{found.get('uid', '')}/{start}"}


def _property(value: Any) -> Any:  # noqa: ANN401 - a property of any type
    if isinstance(value, list):
        return [_property(one) for one in value]
    if (categories := getattr(value, "cats", None)) is not None:
        return [str(one) for one in categories]
    moment = getattr(value, "dt", None)
    return _told(moment) if isinstance(moment, date) else str(value)


def _told(moment: date) -> str:
    return moment.isoformat()


_READERS: Mapping[Format, Callable[[Answer, exchange.Reply], Any]] = {
    "json": lambda _, reply: reply.json(),
    "ndjson": _lines,
    "xml": _tree,
    "csv": _table,
    "html": lambda _, reply: json_ld(reply.text()),
}

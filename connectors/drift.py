"""Compares what a partner answers with what was recorded of it: by path, never by value."""

from __future__ import annotations

import csv
import difflib
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException, ElementTree

from connectors import base, errors, exchange, http, manifest, recording

#: How alike two names must be, of 1, for one of several to be taken for the other's new name.
_ALIKE = 0.4
_NOTHING = "null"
_PLACE = "[]"

#: Where something stands in an answer: keys, and `[]` for any place of a list.
Steps = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What is another at a path; ``breaks`` is whether something that was there is there no more.

    What is more, or is not always there, breaks nothing by itself.
    """

    path: str
    sentence: str
    breaks: bool = True

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}"


@dataclass(slots=True)
class Shape:
    """What stands where in answers: of which types, and how often."""

    types: dict[Steps, set[str]] = field(default_factory=dict)
    seen: Counter[Steps] = field(default_factory=Counter)

    def add(self, path: Steps, data: object) -> None:
        """Add what stands at a path, and all below it."""
        self.types.setdefault(path, set()).add(_type(data))
        self.seen[path] += 1
        if isinstance(data, Mapping):
            for name, one in data.items():
                self.add((*path, str(name)), one)
        elif isinstance(data, list):
            for one in data:
                self.add((*path, _PLACE), one)

    def lacks(self, path: Steps) -> int:
        """Return how many of those that could have this path have it not."""
        return self.seen[path[:-1]] - self.seen[path]

    def could_have(self, path: Steps) -> bool:
        """Return whether what a path stands in is there, whether or not the path is."""
        return path[-1:] != (_PLACE,) and "object" in self.types.get(path[:-1], ())


async def drifted(
    entry: manifest.Entry,
    address: str,
    secrets: Mapping[str, str],
    carry: exchange.Transport,
    since: datetime | None = None,
) -> dict[str, list[Difference]]:
    """Return, by the example's name, how a partner answers otherwise than was recorded.

    Only examples with inquiries that went well are asked again: others are about a person, act, or
    need a failure.

    Args:
        entry: The partner's file.
        address: Where the partner is.
        secrets: The secrets by the names that partner files use.
        carry: What carries requests.
        since: Where the earliest time asked for is moved to, the others along with it; None asks
            as it was recorded.
    """
    described = entry.manifest
    credentials = manifest.credentials(entry, secrets)
    found = {}
    for example in described.examples:
        if example.problem is not None or not example.inquiries:
            continue
        recorder = recording.Recorder(carry)
        inquiries = _moved(example.played().inquiries, since)
        failed = []
        async with http.HTTPClient(recorder.send) as client:
            asked = client.partner(
                described.slug, address, described.limits.policy(), credentials, described.hosts
            )
            try:
                await entry.kind(entry.options, asked).answer(inquiries)
            except errors.PartnerError as failure:
                failed = [Difference(failure.problem, failure.sentence)]
        recorded = shapes((one.path, one.played().body.encode()) for one in example.replies)
        lived = shapes(
            (recording.path_below(request.url, address), reply.body)
            for request, reply in recorder.asked
        )
        found[example.name] = [*failed, *_compared(recorded, lived)]
    return found


def differences(recorded: Shape, live: Shape) -> Iterator[Difference]:
    """Yield how answers have another shape than those recorded; what is empty tells nothing.

    What is missing breaks where at least half of those recorded had it.
    """
    new = [path for path in live.types if path not in recorded.types and recorded.could_have(path)]
    for path, types in recorded.types.items():
        if path in live.types:
            yield from _changed(path, recorded, live)
        elif live.could_have(path):
            usual = recorded.seen[path] >= recorded.lacks(path)
            renamed = _renamed(path, types, live, new) if usual else None
            hint = f" It may be “{renamed[-1]}” now." if renamed else ""
            yield Difference(_spelt(path), f"This is missing.{hint}", breaks=usual)
    for path in new:
        yield Difference(_spelt(path), "This is new.", breaks=False)


def _changed(path: Steps, recorded: Shape, live: Shape) -> Iterator[Difference]:
    types, now = recorded.types[path] - {_NOTHING}, live.types[path]
    if types and not types & now:
        sentence = f"This was {' or '.join(sorted(types))}, and is {' or '.join(sorted(now))}."
        yield Difference(_spelt(path), sentence)
    elif live.could_have(path) and not recorded.lacks(path) and (lacking := live.lacks(path)):
        sentence = f"This is missing in {lacking} of {live.seen[path[:-1]]}."
        yield Difference(_spelt(path), sentence, breaks=False)


def _renamed(path: Steps, types: set[str], live: Shape, new: Sequence[Steps]) -> Steps | None:
    """Return which new path may be an old one's: the one of its type beside it, or the likest."""
    beside = {one[-1]: one for one in new if one[:-1] == path[:-1] and live.types[one] & types}
    likest = difflib.get_close_matches(path[-1], beside, 1, 0 if len(beside) == 1 else _ALIKE)
    return beside[likest[0]] if likest else None


def _compared(recorded: Mapping[str, Shape], live: Mapping[str, Shape]) -> Iterator[Difference]:
    """Yield the differences of each path asked, where it was asked; else of those in its turn."""
    turns = dict(zip(recorded, live, strict=False))
    for path, shape in recorded.items():
        if (now := live.get(path) or live.get(turns.get(path, ""))) is None:
            yield Difference(
                path, "This was asked when it was recorded, and is not now.", breaks=False
            )
            continue
        for one in differences(shape, now):
            yield replace(one, path=f"{path}: {one.path}")


def shapes(answers: Iterable[tuple[str, bytes]]) -> dict[str, Shape]:
    """Return the shape of all answers of one path together, by the path."""
    found: dict[str, Shape] = {}
    for path, body in answers:
        found.setdefault(path.lstrip("/"), Shape()).add((), _data(body))
    return found


def _moved(inquiries: Sequence[base.Inquiry], since: datetime | None) -> list[base.Inquiry]:
    if since is None:
        return list(inquiries)
    further = since - min(one.since for one in inquiries)
    return [one._replace(since=one.since + further, until=one.until + further) for one in inquiries]


def _data(body: bytes) -> object:
    """Return what a body says: JSON, JSON by lines, XML, a table, or text without a shape."""
    try:
        return json.loads(body)
    except ValueError:
        text = body.decode("utf-8-sig", "replace").strip()
    if text.startswith("<"):
        return _xml(text)
    lines = text.splitlines()
    if text.startswith("{"):
        return [_data(line.encode()) for line in lines if len(line) < len(text)]
    return list(csv.DictReader(io.StringIO(text))) if len(lines) > 1 and "," in lines[0] else text


def _xml(text: str) -> object:
    try:
        root = ElementTree.fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        return text
    return {_tag(root): _element(root)}


def _element(element: Element) -> object:
    """Return an element as data: attributes by `@name`, children by tag as lists, else its text."""
    found: dict[str, object] = {f"@{name}": value for name, value in element.attrib.items()}
    for child in element:
        several = found.setdefault(_tag(child), [])
        if isinstance(several, list):
            several.append(_element(child))
    return found or (element.text or "")


def _type(data: object) -> str:
    match data:
        case None:
            return _NOTHING
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
    return "object"


def _tag(element: Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def _spelt(path: Steps) -> str:
    """Return a path as JSONPath has it.

    >>> _spelt(("orgs", "[]", "name"))
    '$.orgs[].name'
    """
    return "$" + "".join(step if step == _PLACE else f".{step}" for step in path)

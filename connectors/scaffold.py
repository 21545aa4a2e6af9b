"""Scaffold: a partner file begun from a `curl` line or an OpenAPI file, with its first example.

What cannot be known is guessed from names and values, and the guess is proved: what is written
replays, or nothing is written.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import re
import shlex
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import multidict
import yarl
from ruamel.yaml import YAML

from connectors import base, credential, exchange, form, manifest, recording
from models import errors as mistakes
from models import offer, source

#: Where the hub serves the schema that editors check new files with.
_SCHEMA = f"http://127.0.0.1:8000{form.PATH}"
_HERE = ZoneInfo("Asia/Shanghai")
#: Where a partner is whose document does not say it.
_NOWHERE = yarl.URL("https://partner.example/")
#: What of a `curl` line counts; the rest is about how it is shown.
_CURL = argparse.ArgumentParser(add_help=False, exit_on_error=False, allow_abbrev=False)
_CURL.add_argument("-X", "--request", default="")
_CURL.add_argument("-H", "--header", action="append", default=[])
_CURL.add_argument("-u", "--user", default="")
_CURL.add_argument("-d", "--data", "--data-raw", "--json", dest="data", default="")
_WORD = re.compile(r"[A-Za-z_]\w*")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_DEEPEST = 4

#: By field, what partners call it; the first that is there and fits is taken.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "identifier", "@id", "uuid", "code", "key", "number"),
    "title": ("title", "name", "label", "summary", "subject"),
    "url": ("url", "link", "href", "web_url", "website"),
    "start": (
        "start",
        "starts",
        "starts_at",
        "start_date",
        "start_time",
        "begins",
        "begin",
        "date",
        "time",
    ),
    "end": ("end", "ends_at", "end_date", "end_time", "ends", "until", "finish"),
    "where": ("where", "location", "place", "address", "room", "branch", "site", "venue"),
    "venue": ("venue", "location", "room", "hall", "place", "screen", "where", "site"),
    "seats": ("seats", "remaining", "available", "seats_left", "free", "places_left", "capacity"),
    "remaining": ("remaining", "available", "free", "places_left", "seats"),
    "price": ("price", "cost", "fee", "amount"),
    "price_currency": ("price_currency", "currency", "currency_code"),
    "instrument": ("instrument", "pair", "product", "name", "title"),
    "currency": ("currency", "price_currency", "currency_code"),
    "amount": ("amount", "price", "premium", "cost"),
    "rate": ("rate",),
    "intake": ("intake", "term", "year", "session"),
    "capacity": ("capacity", "total", "size"),
    "units": ("units", "uses"),
}
_NAMING = ("_id", "_no", "_nr", "_number", "_code")
_TIMES = frozenset({"start", "end"})
_NUMBERS = frozenset({"seats", "remaining", "price", "amount", "rate", "capacity", "units"})
#: The shapes, the one with the most particular fields first.
_SHAPES: Mapping[offer.Capability, tuple[str, ...]] = {
    offer.Capability.APPOINTMENT: ("id", "title", "start", "end", "where"),
    offer.Capability.SHOWING: ("id", "title", "start", "venue"),
    offer.Capability.PLACE: ("id", "title", "where", "intake"),
    offer.Capability.QUOTE: ("id", "title", "instrument", "currency"),
    offer.Capability.PASS: ("id", "title", "where"),
}
_SINCE = ("since", "from", "start", "after", "begin", "date_from", "min_date")
_UNTIL = ("until", "to", "end", "before", "date_to", "max_date")
_PAGE_NUMBERS = ("page", "page_number", "pageno", "p")
_OFFSETS = ("offset", "skip", "start_index", "$skip")
_LINKS = ("next", "next_url", "@odata.next_link", "links.next", "_links.next.href", "paging.next")
_LAST_PAGES = (
    "pages",
    "total_pages",
    "last_page",
    "page_count",
    "meta.total_pages",
    "meta.pages",
    "meta.last_page",
)


#: Values by the format or the type of a JSON Schema.
_SAMPLES: Mapping[str | None, object] = {
    "date-time": "2026-11-24T10:00:00+08:00",
    "date": "2026-11-24",
    "uri": "https://partner.example/",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
}


@dataclass(frozen=True, slots=True)
class Begun:
    """What a new file is begun from: one request, and how it shows who asks.

    ``answer`` is what the partner answers, where it is known without asking.
    """

    request: exchange.Request
    credentials: dict[str, Any] | None = None
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    answer: bytes | None = field(default=None, repr=False)
    address: str = ""


@dataclass(slots=True)
class Canned:
    """Carries requests to an answer that is known: once, and an empty page ever after."""

    answer: bytes
    rows: Sequence[str]
    given: bool = False

    async def send(self, _: exchange.Request, __: int) -> exchange.Reply:
        """Return the answer; without its rows from the second time on."""
        body = _without_rows(self.answer, self.rows) if self.given else self.answer
        self.given = True
        headers = multidict.CIMultiDict({"Content-Type": "application/json"})
        return exchange.Reply(200, headers, body)


def from_curl(line: str, slug: str) -> Begun:
    """Return what a `curl` line asks.

    Raises:
        HubError: it is none, or names no URL.
    """
    try:
        given, rest = _CURL.parse_known_args(shlex.split(line.replace("\\\n", " ")))
    except (ValueError, argparse.ArgumentError):
        raise mistakes.HubError("This line cannot be read as one of curl.") from None
    url = next((word for word in rest if "://" in word), "")
    if not url:
        raise mistakes.HubError("This line holds no URL.", "Give it whole: curl 'https://…'.")
    method = given.request or ("POST" if given.data else "GET")
    pairs = (one.partition(":") for one in given.header)
    headers = [(name.strip(), value.strip()) for name, _, value in pairs]
    if given.user:
        name, _, secret = given.user.partition(":")
        shown = {"basic": {"user": name, "secret": f"{slug}-password"}}
        return _begun(method, url, headers, given.data, shown, secret)
    return _begun(method, url, *_shown(headers, yarl.URL(url), slug, given.data))


def from_openapi(path: Path, operation: str, slug: str) -> Begun:
    """Return what an operation of an OpenAPI 3 document asks, and its example as the answer.

    Args:
        path: The document, JSON or YAML.
        operation: An `operationId` or a path; the first that lists objects, if empty.
        slug: The partner's slug.

    Raises:
        HubError: there is no such operation, or it shows no answer.
    """
    described = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    for way, told in described.get("paths", {}).items():
        one = told.get("get", {})
        if operation and operation not in (way, one.get("operationId")):
            continue
        answer = _example_of(described, one)
        if answer is not None and _rows(answer) is not None:
            break
    else:
        raise mistakes.HubError(
            f"No operation {f'“{operation}” ' if operation else ''}lists objects by GET.",
            "Name one by its `operationId`: --operation.",
        )
    servers = described.get("servers") or [{"url": ""}]
    base_url = _NOWHERE.join(yarl.URL(servers[0]["url"].rstrip("/") + "/"))
    wanted = [
        _resolved(described, each)
        for each in [*told.get("parameters", []), *one.get("parameters", [])]
    ]
    query = {
        each["name"]: str(_parameter(each))
        for each in wanted
        if each.get("in") == "query" and (each.get("required") or _is_known(each["name"]))
    }
    filled = re.sub(r"\{[^}]*\}", "{topic}", way.lstrip("/"))
    request = exchange.Request("GET", yarl.URL(f"{base_url}{filled}").with_query(query))
    credentials = _secured(described, slug)
    return Begun(request, credentials, {}, json.dumps(answer, default=str).encode(), str(base_url))


async def file(
    slug: str,
    begun: Begun,
    carry: exchange.Transport | None,
    kinds: manifest.Kinds,
    capability: offer.Capability | None = None,
) -> str:
    """Return the text of a new partner file, with an example that holds.

    Args:
        slug: The partner's slug.
        begun: What it is begun from.
        carry: What carries requests; None where nobody is to be asked.
        kinds: The kinds there are.
        capability: What its offers are; guessed, if not said.

    Raises:
        PartnerError: the partner failed.
        HubError: no rows, or no offers, can be made of its answer.
    """
    answer = begun.answer
    if carry is not None:
        answer = (await carry(_signed(begun), 2_000_000)).body
    data = _json(answer)
    path = _rows(data)
    if path is None:
        raise mistakes.HubError("The answer holds no list of objects.", "Give another address.")
    rows: list[Any] = _at(data, path)
    shape, fields = _fields(rows, capability, slug)
    address, way = _split(begun)
    inquiry = _inquiry(shape, rows, fields)
    offering = {
        "call": _call(begun, way),
        **_pages(begun.request.url, data, path),
        "records": [{"foreach": _expression(path) or "@"}],
        "fields": fields,
    }
    described = {
        "slug": slug,
        "kind": "http",
        "name": {"en": slug.replace("-", " ").title()},
        "owner": "Integration team",
        "about": {"en": f"What {slug.replace('-', ' ').title()} offers."},
        "documentation": str(begun.request.url.origin()),
        "district": "changning",
        "address": address,
        **({"credentials": begun.credentials} if begun.credentials else {}),
        "options": {"offers": {str(shape): offering}},
        # Until it is recorded.
        "examples": [{**_asked(inquiry), "name": "begun", "replies": [], "offers": [[]]}],
    }
    entry = manifest.read(source.parse(_text(described), f"{slug}.yaml"), slug, kinds)
    carried = carry or Canned(answer or b"", path).send
    example = await recording.record(
        entry,
        [inquiry],
        f"{shape}, as it was first",
        address,
        begun.secrets or _any(begun),
        carried,
    )
    if not example["offers"][0]:
        raise mistakes.HubError("No offer can be made of the answer.", "Give `--capability`.")
    described["examples"] = [example]
    text = _text(described)
    manifest.read(source.parse(text, f"{slug}.yaml"), slug, kinds)
    return f"# yaml-language-server: $schema={_SCHEMA}\n{text}"


def _begun(
    method: str,
    url: str,
    headers: Sequence[tuple[str, str]],
    content: str,
    credentials: dict[str, Any] | None,
    secret: str,
) -> Begun:
    name = next(iter(credentials.values()))["secret"] if credentials else ""
    request = exchange.Request(
        method, yarl.URL(url), "application/json", tuple(headers), content.encode() or None
    )
    return Begun(request, credentials, {name: secret} if name else {})


def _shown(
    headers: Sequence[tuple[str, str]], url: yarl.URL, slug: str, content: str
) -> tuple[list[tuple[str, str]], str, dict[str, Any] | None, str]:
    """Return the headers without the one that shows who asks, and how that is shown."""
    for name, value in headers:
        rest = [one for one in headers if one[0] != name]
        if name.lower() == "authorization" and value.startswith("Basic "):
            user, _, secret = b64decode(value[6:]).decode().partition(":")
            return rest, content, {"basic": {"user": user, "secret": f"{slug}-password"}}, secret
        if _is_telling(name):
            return rest, content, {"header": {"name": name, "secret": f"{slug}-key"}}, value
    for name, value in url.query.items():
        if _is_telling(name):
            shown = {"query": {"name": name, "secret": f"{slug}-key"}}
            return list(headers), content, shown, value
    return list(headers), content, None, ""


def _is_telling(name: str) -> bool:
    return any(word in name.lower() for word in exchange.REDACTED)


def _signed(begun: Begun) -> exchange.Request:
    """Return the request as it is sent the first time."""
    if begun.credentials is None:
        return begun.request
    _, way = manifest.Credentials.model_validate(begun.credentials).given
    shown = way.signed(begun.secrets[way.secret])
    if isinstance(shown, credential.Header | credential.Basic | credential.QueryKey):
        return credential.shown(begun.request, shown)
    return begun.request


def _any(begun: Begun) -> dict[str, str]:
    """Return a secret for the name in the file, where none is known; nobody is shown it."""
    if begun.credentials is None:
        return {}
    return {next(iter(begun.credentials.values()))["secret"]: "example-secret"}


def _split(begun: Begun) -> tuple[str, str]:
    """Return the base URL, and the path below it."""
    url = begun.request.url.with_query(None)
    address = begun.address or str(url.parent).rstrip("/") + "/"
    return address, str(url).removeprefix(address)


def _call(begun: Begun, way: str) -> dict[str, Any]:
    call: dict[str, Any] = {"path": re.sub(r"%7Btopic%7D", "{topic}", way, flags=re.IGNORECASE)}
    if begun.request.method != "GET":
        call["method"] = begun.request.method
    query = {
        name: _filled(name, value)
        for name, value in begun.request.url.query.items()
        if not _is_telling(name) and _snake(name) not in (*_PAGE_NUMBERS, *_OFFSETS)
    }
    headers = {
        name: _literal(value)
        for name, value in begun.request.headers
        if name.lower() not in ("accept", "content-type", "cookie", "user-agent", "host")
    }
    sent = {"json": _json(begun.request.content)} if begun.request.content else {}
    return (
        call
        | ({"query": query} if query else {})
        | ({"headers": headers} if headers else {})
        | sent
    )


def _filled(name: str, value: str) -> str:
    """Return a value of the query: a time asked for where it is one, else as it was given."""
    told = "|date" if _DAY.fullmatch(value) else ""
    if _snake(name) in _SINCE and _DAY.match(value):
        return f"{{since{told}}}"
    if _snake(name) in _UNTIL and _DAY.match(value):
        return f"{{until{told}}}"
    return _literal(value)


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _pages(url: yarl.URL, data: Any, rows: Sequence[str]) -> dict[str, Any]:  # noqa: ANN401 - data of any shape
    """Return how the answer goes on, as far as names tell."""
    leaves = {_snake(".".join(path)): path for path, _ in _leaves(data, ())}
    for parameter in url.query:
        if _snake(parameter) in _PAGE_NUMBERS:
            last = next((leaves[name] for name in _LAST_PAGES if name in leaves), None)
            number = {"parameter": parameter, **({"last": _expression(last)} if last else {})}
            return {"pages": {"number": number}}
        if _snake(parameter) in _OFFSETS:
            return {"pages": {"offset": {"parameter": parameter}}}
    link = next((leaves[name] for name in _LINKS if name in leaves and rows), None)
    return {"pages": {"link": {"url": _expression(link)}}} if link else {}


def _fields(
    rows: Sequence[Any], wanted: offer.Capability | None, slug: str
) -> tuple[offer.Capability, dict[str, Any]]:
    """Return the shape whose fields the rows have, and where each comes from.

    Raises:
        HubError: they have those of none.
    """
    leaves = dict(_leaves(rows[0], ()))
    for capability, required in _SHAPES.items():
        if wanted not in (None, capability):
            continue
        known = [one for one in _NAMES if one in offer.SHAPES[capability].__dataclass_fields__]
        fields = {name: _expression(path) for name in known if (path := _likest(name, leaves))}
        if wanted and "where" in required and "where" not in fields:
            fields["where"] = f"'{slug.replace('-', ' ').title()}'"
        if wanted and "venue" in required and "venue" not in fields:
            fields["venue"] = f"'{slug.replace('-', ' ').title()}'"
        if all(name in fields for name in required):
            return capability, fields
        lacking = ", ".join(name for name in required if name not in fields)
    missing = f"{wanted}: {lacking}" if wanted else "any shape"
    raise mistakes.HubError(
        f"The records lack fields for {missing}. They have: "
        f"{', '.join('.'.join(path) for path in leaves)}.",
        "Say which shape they are (--capability), or write the file by hand.",
    )


def _likest(name: str, leaves: Mapping[tuple[str, ...], Any]) -> tuple[str, ...] | None:
    """Return the leaf that is most likely a field: by the first of its names that fits."""
    for called in _NAMES[name]:
        for path, value in leaves.items():
            last = path[-2] if len(path) > 1 and path[-1] in ("name", "title", "en") else path[-1]
            if called in (_snake(path[-1]) if len(path) == 1 else None, _snake(last)) and _fits(
                name, value
            ):
                return path
    if name == "id":
        # `tour_no`, `sessionId`: named after what it names.
        return next((path for path in leaves if _snake(path[-1]).endswith(_NAMING)), None)
    return None


def _fits(name: str, value: object) -> bool:
    if name in _TIMES:
        return (
            isinstance(value, str) and len(value) > len("2026-11-24") and _time(value) is not None
        )
    if name in _NUMBERS:
        return isinstance(value, int | float) or (
            isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value) is not None
        )
    return value is not None and not isinstance(value, bool)


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=_HERE)


def _inquiry(
    shape: offer.Capability, rows: Sequence[Any], fields: Mapping[str, Any]
) -> base.Inquiry:
    """Return an inquiry for the days that the rows are of."""
    times = [
        when
        for row in rows
        for path, value in _leaves(row, ())
        if _expression(path) in (fields.get("start"), fields.get("end"))
        and isinstance(value, str)
        and (when := _time(value))
    ] or [datetime.now(_HERE)]
    first, last = (
        datetime(one.year, one.month, one.day, tzinfo=one.tzinfo)
        for one in (min(times), max(times))
    )
    return base.Inquiry(shape, "all", first, last + timedelta(days=1))


def _asked(inquiry: base.Inquiry) -> dict[str, Any]:
    return {
        "inquiries": [
            {
                "capability": str(inquiry.capability),
                "topic": inquiry.topic,
                "since": inquiry.since.isoformat(),
                "until": inquiry.until.isoformat(),
            }
        ]
    }


def _rows(data: Any) -> tuple[str, ...] | None:  # noqa: ANN401 - data of any shape
    """Return where the list of the fullest objects is, the nearest first; None, if nowhere."""
    if isinstance(data, list):
        return () if data and isinstance(data[0], dict) else None
    found: list[tuple[str, ...]] = []
    for name, one in data.items() if isinstance(data, dict) else ():
        below = _rows(one)
        if below is not None:
            found.append((name, *below))
    return max(found, key=lambda path: len([*_leaves(_at(data, path)[0], ())]), default=None)


def _leaves(
    data: Any,  # noqa: ANN401 - data of any shape
    path: tuple[str, ...],
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield what is no object in data, with where it is; lists are passed over."""
    if isinstance(data, dict) and len(path) < _DEEPEST:
        for name, one in data.items():
            yield from _leaves(one, (*path, name))
    elif path and not isinstance(data, dict | list):
        yield path, data


def _at(data: Any, path: Sequence[str]) -> Any:  # noqa: ANN401 - data of any shape
    for step in path:
        data = data[step]
    return data


def _without_rows(answer: bytes, rows: Sequence[str]) -> bytes:
    data = copy.deepcopy(_json(answer))
    if not rows:
        return b"[]"
    _at(data, rows[:-1])[rows[-1]] = []
    return json.dumps(data).encode()


def _expression(path: Sequence[str]) -> str:
    """Return a path in JMESPath."""
    return ".".join(step if _WORD.fullmatch(step) else json.dumps(step) for step in path)


def _json(body: bytes | None) -> Any:  # noqa: ANN401 - data of any shape
    try:
        return json.loads(body or b"")
    except ValueError:
        raise mistakes.HubError(
            "The answer is no JSON.", "docs/declaring.md says how others are written down."
        ) from None


def _snake(name: str) -> str:
    """Return a name in lower case, its words joined by underscores.

    >>> _snake("startDate")
    'start_date'
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|-", "_", name).lower()


def _text(described: Mapping[str, Any]) -> str:
    yaml = YAML()
    yaml.width = 110
    yaml.indent(mapping=2, sequence=4, offset=2)
    written = io.StringIO()
    yaml.dump(dict(described), written)
    return written.getvalue()


def _is_known(name: str) -> bool:
    return _snake(name) in (*_SINCE, *_UNTIL, *_PAGE_NUMBERS, *_OFFSETS)


def _parameter(told: Mapping[str, Any]) -> object:
    """Return a value for a parameter: its example, its default, or one that fits its name."""
    shape = told.get("schema", {})
    if _snake(told["name"]) in (*_SINCE, *_UNTIL):
        return "2026-11-24"
    known = told.get("example", shape.get("example", shape.get("default")))
    return known if known is not None else (shape.get("enum") or ["1"])[0]


def _secured(described: Mapping[str, Any], slug: str) -> dict[str, Any] | None:
    """Return how the document says that who asks is shown, of its ways the first that is ours."""
    schemes = described.get("components", {}).get("securitySchemes", {})
    for one in (_resolved(described, scheme) for scheme in schemes.values()):
        match one:
            case {"type": "apiKey", "in": "header" | "query" as place, "name": name}:
                return {place: {"name": name, "secret": f"{slug}-key"}}
            case {"type": "http", "scheme": "basic"}:
                return {"basic": {"user": "greenway", "secret": f"{slug}-password"}}
            case {"type": "http", "scheme": "bearer"}:
                return {"header": {"name": "Authorization", "secret": f"{slug}-bearer"}}
            case {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": url}}}:
                way = {"token_path": url, "client_id": "greenway", "secret": f"{slug}-secret"}
                return {"oauth2": way}
    return None


def _example_of(described: Mapping[str, Any], operation: Mapping[str, Any]) -> Any:  # noqa: ANN401 - data of any shape
    """Return what an operation answers: its example, or one made of its schema; None of none."""
    good = _resolved(described, operation.get("responses", {}).get("200", {}))
    told = next((one for name, one in good.get("content", {}).items() if "json" in name), None)
    if told is None:
        return None
    if "example" in told:
        return told["example"]
    for one in told.get("examples", {}).values():
        return _resolved(described, one).get("value")
    return _made(described, told.get("schema", {}), 0)


def _made(described: Mapping[str, Any], given: Mapping[str, Any], depth: int) -> Any:  # noqa: ANN401 - data of any shape
    """Return data that fit a schema."""
    shape = _resolved(described, given)
    if "example" in shape or shape.get("enum"):
        return shape.get("example", shape.get("enum", [""])[0])
    parts = [_made(described, one, depth + 1) for one in shape.get("allOf", ())]
    if "properties" in shape and depth < _DEEPEST * 2:
        names = shape["properties"].items()
        parts.append({name: _made(described, one, depth + 1) for name, one in names})
    if parts:
        return {name: one for part in parts if isinstance(part, dict) for name, one in part.items()}
    if shape.get("type") == "array":
        return [_made(described, shape.get("items", {}), depth + 1)]
    return _SAMPLES.get(shape.get("format")) or _SAMPLES.get(shape.get("type"), "example")


def _resolved(described: Mapping[str, Any], given: Any) -> Any:  # noqa: ANN401 - a part of the document
    """Return what a part refers to, within the document; else itself."""
    if not isinstance(given, dict) or "$ref" not in given:
        return given
    found: Any = described
    for step in given["$ref"].removeprefix("#/").split("/"):
        found = found.get(step.replace("~1", "/").replace("~0", "~"), {})
    return found

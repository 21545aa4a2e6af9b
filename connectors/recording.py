"""Records what a partner answers as an example of its file: without a secret, before it is written.

Only inquiries are recorded, which are never about a person.
"""

from __future__ import annotations

import io
import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yarl
from ruamel.yaml import YAML

from connectors import base, credential, discretion, errors, exchange, http, manifest, proof
from models import errors as mistakes
from models import source

#: The headers of an answer that a kind may read; no other is kept.
HEADERS = (
    "Content-Location",
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "X-Total-Count",
)
#: What stands between words, in a text or an address.
_SPACE = r"(?:\s|\+|%20)"
_PRIVATE_KEY = (
    rf"-----BEGIN{_SPACE}(?:[A-Z]+{_SPACE})*PRIVATE{_SPACE}KEY-----.*?"
    rf"(?:-----END{_SPACE}(?:[A-Z]+{_SPACE})*PRIVATE{_SPACE}KEY-----|\Z)"
)
_TOKENS = r"eyJ[\w-]{4,}\.[\w-]+(?:\.[\w-]*){0,3}"
_CREDENTIALS = rf"(?:Basic|Bearer){_SPACE}(?=\S*[\d=])[\w+/=.~%-]{{8,}}"
_LOOKS_SECRET = re.compile(f"{_PRIVATE_KEY}|{_TOKENS}|{_CREDENTIALS}", re.DOTALL)
#: A key and its value, in a URL or a form.
_PAIR = re.compile(r"(?<=[?&;])([^=&;?\s\"'<>]+)=([^&;\s\"'<>]+)")
_TOKEN_FIELDS = ("access_token", "refresh_token", "id_token", "client_assertion")
_LONG_NUMBER = re.compile(rb"(?<![\w.])-?\d{16,}")
#: Characters that HTML has names for.
_NAMED = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_ASCII = 128
#: Less of a secret in Base64 could be any word.
_SHORT = 4
_WIDE = 110


@dataclass(slots=True)
class Recorder:
    """Carries requests by another transport, and keeps each with what came back."""

    carry: exchange.Transport
    kept: list[tuple[exchange.Request, exchange.Reply]] = field(default_factory=list)

    async def send(self, request: exchange.Request, body_bytes: int) -> exchange.Reply:
        """Return what came back.

        Raises:
            PartnerError: as the transport that carries it.
        """
        reply = await self.carry(request, body_bytes)
        self.kept.append((request, reply))
        return reply

    @property
    def asked(self) -> list[tuple[exchange.Request, exchange.Reply]]:
        """What was asked and answered, without what was done to be given a token."""
        return [one for one in self.kept if not proof.asks_for_token(one[0])]

    def shown(self) -> Iterator[str]:
        """Yield what these requests and answers showed of who asks: tokens and credentials."""
        for request, reply in self.kept:
            shown = dict(request.headers).get("Authorization", "").partition(" ")[2]
            if shown:
                yield shown
            if proof.asks_for_token(request):
                yield from _tokens(reply)


class Discreet:
    """Hides secrets in texts, however they are spelt: the same one always under the same word.

    Args:
        secrets: The secrets themselves.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({one for one in secrets if one}, key=len, reverse=True)
        self._known = [re.compile(_spellings(one), re.IGNORECASE) for one in known]
        self._words: dict[str, str] = {}

    def text(self, given: str) -> str:
        """Return a text without secrets: those known, and what looks like one."""
        for place, secret in enumerate(self._known):
            if secret.search(given):
                given = secret.sub(self._word(str(place)), given)
        given = _LOOKS_SECRET.sub(lambda found: self._word(found[0]), given)
        return _PAIR.sub(lambda pair: f"{pair[1]}={self.value(pair[1], pair[2])}", given)

    def value(self, name: str, given: str) -> str:
        """Return a value without secrets: it may be one because of the name it stands under."""
        return self._word(given) if discretion.secretive(name, given) else given

    def data(self, given: Any, name: str = "") -> Any:  # noqa: ANN401 - data of any shape
        """Return data, as JSON has it, without secrets in its names and texts."""
        match given:
            case str():
                return self.value(name, self.text(given))
            case dict():
                return {self.text(key): self.data(one, key) for key, one in given.items()}
            case list():
                return [self.data(one, name) for one in given]
        return given

    def _word(self, secret: str) -> str:
        return self._words.setdefault(secret, f"hidden-{len(self._words) + 1}")


async def record(
    entry: manifest.Entry,
    inquiries: Sequence[base.Inquiry],
    name: str,
    address: str,
    secrets: Mapping[str, str],
    carry: exchange.Transport,
) -> dict[str, Any]:
    """Ask a partner and return the example that follows, as it stands in a file.

    Args:
        entry: The partner's file.
        inquiries: What is asked.
        name: What the example shows.
        address: Where the partner is.
        secrets: The secrets by the names that partner files use; none of them is in the example.
        carry: What carries requests.

    Raises:
        PartnerError: the partner failed.
        HubError: what was recorded, without its secrets, does not replay.
    """
    recorder = Recorder(carry)
    described = entry.manifest
    credentials = manifest.credentials(entry, secrets)
    async with http.HTTPClient(recorder.send) as client:
        asked = client.partner(
            described.slug, address, described.limits.policy(), credentials, described.hosts
        )
        await entry.kind(entry.options, asked).answer(inquiries)
    discreet = Discreet([*secrets.values(), *recorder.shown()])
    replies = [_told(*one, address, credentials, discreet) for one in recorder.asked]
    return {
        "name": name,
        "inquiries": [_inquiry(one) for one in inquiries],
        "replies": replies,
        "offers": await _offers(entry, inquiries, replies),
    }


def append(path: Path, example: Mapping[str, Any], kinds: manifest.Kinds) -> None:
    """Write an example at the end of a partner file's; its comments stay.

    Raises:
        MistakesError: with it the file would have mistakes, and is left as it was.
    """
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = _WIDE
    yaml.indent(mapping=2, sequence=4, offset=2)
    whole = yaml.load(path.read_text(encoding="utf-8"))
    whole["examples"].append(example)
    written = io.StringIO()
    yaml.dump(whole, written)
    manifest.read(source.parse(written.getvalue(), manifest.shown(path)), path.stem, kinds)
    path.write_text(written.getvalue(), encoding="utf-8")


def cautions(example: Mapping[str, Any]) -> list[str]:
    """Return what somebody must look at before a recording is shared: sorts of personal data."""
    return list(discretion.indiscretions(json.dumps(example, ensure_ascii=False, default=str)))


def placed(text: str, address: str) -> str:
    """Return a text, or data in JSON, in which the place of the partner's own address is marked."""
    base_url = yarl.URL(address.rstrip("/") + "/")
    marked = text.replace(str(base_url), f"{proof.PLACE_OF_ADDRESS}/")
    marked = marked.replace(str(base_url.origin()), proof.PLACE_OF_ADDRESS)
    # A link may begin at the root of the partner's host, which an example has not.
    rooted = rf"(?:^|(?<=[\"<])){re.escape(base_url.path)}"
    place = f"{proof.PLACE_OF_ADDRESS}/"
    return re.sub(rooted, place, marked) if base_url.path != "/" else marked


async def _offers(
    entry: manifest.Entry, inquiries: Sequence[base.Inquiry], replies: Sequence[Mapping[str, Any]]
) -> list[list[dict[str, str]]]:
    """Return the offers that follow from what was recorded, as it will be played.

    Raises:
        HubError: none do.
    """
    described = entry.manifest
    played = [manifest.Reply.model_validate(one).played() for one in replies]
    playback = proof.Playback(played)
    try:
        async with proof.rehearsed(
            entry.kind,
            entry.options,
            playback.send,
            proof.stand_in(described.credentials),
            described.limits.policy(),
            described.hosts,
        ) as connector:
            offers = await connector.answer(inquiries)
    except errors.PartnerError as failure:
        why = "; ".join(playback.wrong) or failure.sentence
        raise mistakes.HubError(
            f"What was recorded does not replay without its secrets: {why}",
            "Nothing was written.",
        ) from None
    return [
        [{"problem": some.problem.value}]
        if isinstance(some, errors.PartnerError)
        else [_fixed(proof.fields_of(one)) for one in some]
        for some in offers
    ]


def _fixed(fields: Mapping[str, str]) -> dict[str, str]:
    """Return the fields without links to where the partner is: that is another place each time."""
    return {name: one for name, one in fields.items() if not one.startswith(proof.ADDRESS)}


def _inquiry(asked: base.Inquiry) -> dict[str, str]:
    return {
        "capability": str(asked.capability),
        "topic": asked.topic,
        "since": asked.since.isoformat(),
        "until": asked.until.isoformat(),
    }


def _told(
    request: exchange.Request,
    reply: exchange.Reply,
    address: str,
    credentials: credential.Credentials | None,
    discreet: Discreet,
) -> dict[str, Any]:
    """Return a reply as it stands in a file; what is as usual is left out."""
    told: dict[str, Any] = {"path": discreet.text(path_below(request.url, address))}
    if request.method != "GET":
        told["method"] = request.method
    if query := _query(request.url, credential.named(credentials), discreet):
        told["query"] = query
    if sent := _data(request.content or b""):
        told["sends"] = discreet.data(sent)
    if reply.status != 200:  # noqa: PLR2004 - what is not said otherwise
        told["status"] = reply.status
    media_type = reply.headers.get("Content-Type", "application/octet-stream")
    told["content_type"] = discreet.text(media_type)
    kept = {name: reply.headers[name] for name in HEADERS if name in reply.headers}
    if kept:
        told["headers"] = {
            name: discreet.value(name, discreet.text(placed(value, address)))
            for name, value in kept.items()
        }
    return told | _body(reply.body, address, discreet)


def _body(body: bytes, address: str, discreet: Discreet) -> dict[str, Any]:
    data = _data(body)
    if data is None:
        return {"body": discreet.text(placed(body.decode("utf-8-sig", "replace"), address))}
    spelt = placed(json.dumps(data, ensure_ascii=False), address)
    return {"json": discreet.data(json.loads(spelt))}


def _data(body: bytes) -> Any:  # noqa: ANN401 - data of any shape
    """Return what a body says in JSON; None, where it is none that a file of ours can hold."""
    try:
        data = json.loads(body)
    except ValueError:
        return None
    return None if _LONG_NUMBER.search(body) else data


def path_below(url: yarl.URL, address: str) -> str:
    """Return a path as partner files have it: below the address, else whole."""
    base_url = yarl.URL(address.rstrip("/") + "/")
    if url.origin() != base_url.origin():
        return str(url.with_query(None))
    return url.path.removeprefix(base_url.path).lstrip("/")


def _query(url: yarl.URL, named: Sequence[str], discreet: Discreet) -> dict[str, Any]:
    """Return the query without what is secret in it."""
    found: dict[str, Any] = {}
    for name in url.query:
        values = url.query.getall(name)
        if name.lower() not in named and discreet.data(values, name) == values:
            found[discreet.text(name)] = values[0] if len(values) == 1 else values
    return found


def _tokens(reply: exchange.Reply) -> Iterator[str]:
    found = _data(reply.body)
    for name in _TOKEN_FIELDS if isinstance(found, dict) else ():
        if isinstance(found.get(name), str):
            yield found[name]


def _spellings(secret: str) -> str:
    """Return a pattern of all ways in which a secret may be spelt in an answer or an address.

    Each character may be written as itself, percent-encoded once or twice, or escaped as in JSON
    and HTML; the whole may be written in Base64, whatever stands before it.
    """
    spelt = "".join(map(_character, secret))
    return "|".join([spelt, *(re.escape(one) for one in _base64(secret) if len(one) > _SHORT)])


def _character(one: str) -> str:
    before = f"{_octet(92)}*"
    hash_ = f"{_octet(38)}{_octet(35)}"
    ways = [
        f"{before}{re.escape(one)}",
        before + "".join(map(_octet, one.encode())),
        rf"{_octet(92)}+u{ord(one):04x}",
        f"{hash_}(?:0*{ord(one)}|x0*{ord(one):x}){_octet(59)}",
    ]
    if one in _NAMED:
        ways.append(f"{_octet(38)}{_NAMED[one]}{_octet(59)}")
    if one == " ":
        ways.append(_octet(43))
    return f"(?:{'|'.join(ways)})"


def _octet(octet: int) -> str:
    """Return a pattern of an octet as it is, or percent-encoded however often."""
    plain = f"|{re.escape(chr(octet))}" if octet < _ASCII else ""
    return f"(?:%(?:25)*{octet:02x}{plain})"


def _base64(secret: str) -> Iterator[str]:
    """Yield what Base64 makes of a secret within any other text, by where it begins there."""
    raw = secret.encode()
    for before, cut in ((0, 0), (1, 2), (2, 3)):
        whole = b64encode(b"\0" * before + raw).decode().rstrip("=")
        # The last letter holds bits of what follows, where the octets do not end with it.
        inner = whole[cut : len(whole) - (1 if (before + len(raw)) % 3 else 0)]
        yield inner
        yield inner.replace("+", "-").replace("/", "_")
        yield quote(inner, safe="")

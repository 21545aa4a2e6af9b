"""Plays the examples of partner files and kinds without sockets, and says where they do not hold.

What is played is the whole way but its last step: the kind, the partner's client and its
credentials are those at work; only what carries requests answers from the example.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qs

import multidict
from joserfc import jwk

from connectors import base, credential, errors, exchange, http, manifest
from eligibility import rulebook
from models import errors as mistakes
from models import offer

#: Where the partner of an example is; nobody can be there (RFC 6761, section 6.4).
ADDRESS = "https://partner.invalid/"
#: What stands in an example's texts for the partner's own address.
PLACE_OF_ADDRESS = "{address}"

_SECRET = "example-secret"  # noqa: S105 - nobody's
_TOKEN = "example-token"  # noqa: S105 - nobody's
_DEADLINE_SECONDS = 30.0
_POLICY = http.Policy()
_ABSENT: Any = object()

_log = logging.getLogger("greenway.connectors")


@dataclass(slots=True)
class Playback:
    """A partner that answers from replies, in order; ``wrong`` says what it was not to be asked.

    A token is given to who asks for one, unless the replies tell of it.
    """

    waiting: list[base.Reply]
    wrong: list[str] = field(default_factory=list)

    async def send(self, request: exchange.Request, body_bytes: int) -> exchange.Reply:
        """Return the next reply, where this is the request that it answers; else HTTP 500.

        Raises:
            Misconfigured: TOO_LARGE, the reply's body is larger than that.
        """
        reply = self._next(request)
        if len(reply.body) > body_bytes:
            raise errors.Misconfigured(
                errors.Problem.TOO_LARGE, "The partner's answer is larger than its limit."
            )
        return reply

    def _next(self, request: exchange.Request) -> exchange.Reply:
        why = unlike(request, self.waiting[0]) if self.waiting else "nothing more was expected"
        if not why:
            return _told(self.waiting.pop(0), request)
        if asks_for_token(request):
            token = json.dumps({"access_token": _TOKEN, "expires_in": 3600})
            return _told(base.Reply(path="", body=token), request)
        self.wrong.append(f"{request.method} {_shown(request)} was asked; {why}.")
        return _told(base.Reply(path="", body="", status=500), request)


def unlike(request: exchange.Request, reply: base.Reply) -> str:
    """Return how a request is not the one that a reply answers; nothing, if it is."""
    if request.method != reply.method or not _is_at(request, reply.path):
        return f"{reply.method} {reply.path} was expected"
    asked = request.url.query
    for name, value in reply.query.items():
        expected = [value] if isinstance(value, str) else list(value)
        if sorted(asked.getall(name, [])) != sorted(expected):
            return f"expected in the query was {name}={_quoted(expected)}"
    return next(_differences("its body", reply.sends, _sent(request)), "")


async def prove(entry: manifest.Entry) -> list[list[str]]:
    """Return what is wrong with each example of a partner file, in their order; [] is nothing."""
    described = entry.manifest
    return [
        await play(
            entry.kind,
            entry.options,
            example.played(),
            stand_in(described.credentials),
            described.limits.policy(),
            described.hosts,
        )
        for example in described.examples
    ]


async def play(
    kind: type[base.Connector[Any]],
    options: base.Options,
    example: base.Example,
    credentials: credential.Credentials | None = None,
    policy: http.Policy = _POLICY,
    hosts: Sequence[str] = (),
) -> list[str]:
    """Return what is wrong with an example, a sentence each; [] is nothing.

    Args:
        kind: What is asked.
        options: The kind's options.
        example: What is asked of it, what the partner answers, and what must follow.
        credentials: What the partner's client shows.
        policy: The partner's limits. A failure is not tried again, and no time matters.
        hosts: Where links may lead beside the address.
    """
    playback = Playback(list(example.replies))
    async with rehearsed(kind, options, playback.send, credentials, policy, hosts) as connector:
        wrong = await judge(connector, example)
    # What was asked wrongly was answered wrongly: what follows from that tells nothing.
    unasked = [f"{one.method} {one.path} was never asked." for one in playback.waiting]
    return playback.wrong or [*wrong, *unasked]


@contextlib.asynccontextmanager
async def rehearsed(
    kind: type[base.Connector[Any]],
    options: base.Options,
    send: exchange.Transport,
    credentials: credential.Credentials | None = None,
    policy: http.Policy = _POLICY,
    hosts: Sequence[str] = (),
) -> AsyncIterator[base.Connector[Any]]:
    """Give a connector whose requests this carries; for the rest as ``play``."""
    patient = replace(
        policy,
        attempts=1,
        deadline_seconds=_DEADLINE_SECONDS,
        per_second=None,
        poll_seconds=0.0,
    )
    async with http.HTTPClient(send) as client:
        yield kind(options, client.partner("example", ADDRESS, patient, credentials, hosts))


async def judge(connector: base.Connector[Any], example: base.Example) -> list[str]:
    """Return what is wrong with what a connector makes of an example, a sentence each.

    Its partner is whatever the connector's client calls.
    """
    try:
        found = await _asked(connector, example)
    except errors.PartnerError as failure:
        if failure.problem == example.problem:
            return []
        expected = f"{example.problem} was expected" if example.problem else "none was expected"
        return [f"The problem is {failure.problem}: {failure.sentence} But {expected}."]
    except Exception as fault:  # noqa: BLE001 - whatever it is, the other examples are played
        _log.exception("The kind %s failed at an example", connector.slug)
        return [f"The kind failed in a way nobody foresaw: {type(fault).__name__}."]
    return [f"{example.problem} was expected; it went well."] if example.problem else found


def stand_in(given: manifest.Credentials | None) -> credential.Credentials | None:
    """Return credentials of this shape around a secret that is nobody's."""
    if given is None:
        return None
    _, way = given.given
    signs = isinstance(way, manifest.OAuth2) and way.method == "private_key_jwt"
    return way.signed(_key() if signs else _SECRET)


async def _asked(connector: base.Connector[Any], example: base.Example) -> list[str]:
    wrong: list[str] = []
    if example.inquiries:
        answers = await connector.answer(example.inquiries)
        wrong += _misanswered(example, answers)
    if example.wanted:
        facts = await connector.facts(example.subject, example.wanted)
        wrong += _misinformed(example, facts)
    if example.order:
        booked = await _booked(connector, example.order, example.steps)
        wrong += _misfilled("booked", example.booked, booked)
    return wrong


async def _booked(
    connector: base.Connector[Any], order: base.Order, steps: Sequence[base.Act]
) -> base.Booked | None:
    """Return what the last of these steps gives, each done with what the one before gave."""
    booked: base.Booked | None = None
    for act in steps:
        match act, booked:
            case base.Act.RESERVE, _:
                booked = await connector.reserve(order)
            case base.Act.CONFIRM, base.Booked():
                booked = await connector.confirm(order, booked)
            case base.Act.CANCEL, base.Booked():
                booked = await connector.cancel(order, booked)
            case _:
                booked = await connector.find(order)
    return booked


def _misanswered(
    example: base.Example, answers: Sequence[Sequence[offer.Offer] | errors.PartnerError]
) -> Iterator[str]:
    if len(answers) != len(example.inquiries):
        yield f"There are {len(example.inquiries)} inquiries, and {len(answers)} answers."
        return
    for place, (inquiry, expected, offers) in enumerate(
        zip(example.inquiries, example.offers, answers, strict=False)
    ):
        at = f"offers[{place}]"
        if isinstance(offers, errors.PartnerError):
            # What has no offers of its own has a problem in their place.
            if expected != ({"problem": offers.problem.value},):
                yield f"{at}: The problem is {offers.problem}: {offers.sentence}"
        else:
            yield from _misoffered(at, inquiry.capability, expected, offers)


def _misoffered(
    at: str,
    capability: offer.Capability,
    expected: Sequence[Mapping[str, str]],
    offers: Sequence[offer.Offer],
) -> Iterator[str]:
    if any(type(one) is not offer.SHAPES[capability] for one in offers):
        yield f"{at}: One is no {capability}."
    if len(offers) != len(expected):
        ids = ", ".join(one.id for one in offers) or "none"
        yield f"{at}: {len(expected)} were expected; there are {len(offers)}: {ids}."
        return
    for turn, (fields, one) in enumerate(zip(expected, offers, strict=True)):
        yield from _misfilled(f"{at}[{turn}]", fields, one)


def _misinformed(example: base.Example, facts: Mapping[str, object]) -> Iterator[str]:
    for difference in _differences("facts", example.facts, facts):
        yield f"{difference}."
    known = rulebook.known_facts()
    for name, value in facts.items():
        if name not in example.facts:
            yield f"facts.{name} was not expected."
        elif name not in known or known[name].taken(value) is None:
            yield f"facts.{name}: {_quoted(value)} is no value of such a fact."


def _misfilled(at: str, fields: Mapping[str, str], thing: object) -> Iterator[str]:
    if thing is None and fields:
        yield f"{at}: There is none."
        return
    for name, expected in fields.items():
        found = field_of(thing, name)
        if found is None:
            yield f"{at}: There is no `{name}`."
        elif found != expected:
            yield f"{at}.{name}: “{expected}” was expected; it is “{found}”."


def field_of(thing: object, name: str) -> str | None:
    """Return a field of an offer or a booking as examples have it: as text; None, if none is so.

    ``attributes.<name>`` is an attribute's value, ``handle.<name>`` what a booking keeps.
    """
    first, _, below = name.partition(".")
    found = getattr(thing, first, _ABSENT)
    if found is _ABSENT:
        return None
    if below and isinstance(thing, offer.Offer):
        found = {one.name: one.value for one in thing.attributes}.get(below, _ABSENT)
    elif below:
        found = found.get(below, _ABSENT)
    return None if found is _ABSENT else _text(found)


def fields_of(one: offer.Offer) -> dict[str, str]:
    """Return all fields of an offer that are given, as examples have them."""
    given = {each.name: getattr(one, each.name) for each in dataclasses.fields(one)}
    attributes = given.pop("attributes")
    told = {name: _text(value) for name, value in given.items() if value is not None}
    return told | {f"attributes.{each.name}": each.value for each in attributes}


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def _differences(at: str, expected: object, found: object) -> Iterator[str]:
    """Yield where what was found lacks something of what was expected, by path; more may be."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for name, one in expected.items():
            if name in found:
                yield from _differences(f"{at}.{name}", one, found[name])
            else:
                yield f"{at}.{name} is missing"
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for place, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from _differences(f"{at}[{place}]", one, other)
    elif expected != found:
        yield f"{at} was to be {_quoted(expected)}, not {_quoted(found)}"


def _told(reply: base.Reply, request: exchange.Request) -> exchange.Reply:
    address = str(request.url.origin())
    headers = multidict.CIMultiDict({"Content-Type": reply.content_type})
    for name, text in reply.headers.items():
        headers[name] = text.replace(PLACE_OF_ADDRESS, address)
    body = reply.body.replace(PLACE_OF_ADDRESS, address).encode()
    return exchange.Reply(reply.status, headers, body)


def _is_at(request: exchange.Request, path: str) -> bool:
    if "://" in path:
        return str(request.url.with_query(None)) == path
    # A path may be given as it is sent, or as it is read.
    return path.lstrip("/") in (request.url.raw_path.lstrip("/"), request.url.path.lstrip("/"))


def asks_for_token(request: exchange.Request) -> bool:
    """Return whether a request is one for an OAuth 2.0 token."""
    return request.method == "POST" and "grant_type" in _form(request)


def _sent(request: exchange.Request) -> object:
    """Return what a request's body holds, as JSON or as the fields of a form."""
    try:
        return json.loads(request.content or b"{}")
    except ValueError:
        return _form(request)


def _form(request: exchange.Request) -> dict[str, str]:
    read = parse_qs((request.content or b"").decode(errors="replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in read.items()}


def _shown(request: exchange.Request) -> str:
    query = dict(exchange.redact([*request.url.query.items()]))
    return str(request.url.relative().with_query(query) if query else request.url.relative().path)


def _quoted(value: object) -> str:
    return mistakes.shown(json.dumps(value, ensure_ascii=False, default=str))


@functools.cache
def _key() -> str:
    """Return a private key that is nobody's (a JWK), for partners that let the hub sign."""
    key = jwk.ECKey.generate_key("P-256", private=True)
    return json.dumps(key.as_dict(private=True))

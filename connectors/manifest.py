"""Manifest: the strict shape of a partner file, and every mistake one can hold."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import pydantic
from pydantic import AwareDatetime, ConfigDict, Field

from connectors import base, credential, discretion, errors, http
from models import errors as mistakes
from models import offer, source, text
from models.offer import Capability

SANDBOX = "sandbox:"
#: After the name of a secret that is to follow another.
NEXT = "-next"

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
Kinds = Mapping[str, type[base.Connector[Any]]]
_Shape = type[offer.Offer] | type[base.Booked]

#: A secret's name is words joined by hyphens; what mixes letters and digits, holds capitals or
#: runs on without a hyphen looks like the secret itself.
_SECRET_NAME = re.compile(r"[a-z]{1,20}\d{0,2}(-([a-z]{1,20}\d{0,2}|\d{1,4})){0,7}")
_CREDENTIALS = "credentials"
_SANDBOX_ADDRESS = re.compile(rf"{SANDBOX}[a-z]+(/[^\s?#]*)?")
_ROOT = Path(__file__).parents[1]


class Form(pydantic.BaseModel):
    """A part of a partner file: unknown keys are refused, values are never bent to fit."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Header(Form):
    """A secret sent as it is in a header."""

    name: str = Field(description="The header's name.")
    secret: str = Field(description="The name of the secret it carries.")

    def signed(self, secret: str) -> credential.Header:
        """Return these credentials around the secret itself."""
        return credential.Header(self.name, secret)


class Basic(Form):
    """A user and a password (HTTP Basic)."""

    user: str = Field(description="The user's name.")
    secret: str = Field(description="The name of the secret that is the password.")

    def signed(self, secret: str) -> credential.Basic:
        """Return these credentials around the secret itself."""
        return credential.Basic(self.user, secret)


class QueryKey(Form):
    """A secret sent as a key of the query."""

    name: str = Field(description="The query key's name.")
    secret: str = Field(description="The name of the secret it carries.")

    def signed(self, secret: str) -> credential.QueryKey:
        """Return these credentials around the secret itself."""
        return credential.QueryKey(self.name, secret)


class OAuth2(Form):
    """OAuth 2.0 client credentials."""

    token_path: str = Field(
        description="Where tokens are given: relative to the address, or a URL on one of `hosts`."
    )
    client_id: str = Field(description="The hub's client id at this partner.")
    secret: str = Field(
        description="The name of the secret that is the client's: a password, or a private JWK."
    )
    scopes: list[str] = Field(default=[], description="The scopes to ask for.")
    method: Literal["client_secret_basic", "client_secret_post", "private_key_jwt"] = Field(
        default="client_secret_basic", description="How the client shows itself (OAuth 2.0)."
    )
    audience: str | None = Field(
        default=None, description="The audience to ask for, or to sign an assertion for."
    )

    def signed(self, secret: str) -> credential.OAuth2:
        """Return these credentials around the secret itself."""
        return credential.OAuth2(
            self.token_path,
            self.client_id,
            secret,
            tuple(self.scopes),
            self.method,
            self.audience,
        )


class Credentials(Form):
    """How the hub shows the partner who asks: exactly one of these."""

    header: Header | None = Field(default=None, description="A secret in a header.")
    basic: Basic | None = Field(default=None, description="A user and a password.")
    query: QueryKey | None = Field(default=None, description="A secret in the query.")
    oauth2: OAuth2 | None = Field(default=None, description="OAuth 2.0 client credentials.")

    @pydantic.model_validator(mode="after")
    def _one(self) -> Credentials:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"Give exactly one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def given(self) -> tuple[str, Header | Basic | QueryKey | OAuth2]:
        """The one that is given, after its key."""
        (way,) = self.model_fields_set
        return way, getattr(self, way)


class Limits(Form):
    """How much this partner may cost the hub."""

    deadline_seconds: float = Field(
        default=2.0, gt=0, le=30, description="The longest a query waits for this partner."
    )
    attempts: int = Field(
        default=2, ge=1, le=5, description="The most attempts at one call, the first included."
    )
    concurrency: int = Field(default=8, ge=1, le=100, description="The most calls at once.")
    body_bytes: int = Field(
        default=2_000_000, ge=1, le=50_000_000, description="The largest answer, unpacked."
    )
    breaker_failures: int = Field(
        default=5, ge=1, le=100, description="Failures in a row after which it is left to rest."
    )
    breaker_seconds: float = Field(
        default=10.0, gt=0, le=3600, description="How long it rests before one call probes it."
    )
    per_second: float | None = Field(
        default=None, gt=0, le=1000, description="The most calls a second, in the long run."
    )
    burst: int = Field(
        default=10, ge=1, le=1000, description="The most calls at once after a rest, of those."
    )
    pages: int = Field(default=20, ge=1, le=1000, description="The most pages of one answer.")
    poll_seconds: float = Field(
        default=0.0, ge=0, le=3600, description="The same is not called for again within this time."
    )

    def policy(self) -> http.Policy:
        """Return these limits as the HTTP client keeps them."""
        return http.Policy(**self.model_dump())


class Freshness(Form):
    """How long this partner's answers hold."""

    fresh_seconds: float = Field(
        default=30.0, ge=0, description="Served as CACHED, unasked, up to this age; 0 is never."
    )
    stale_seconds: float = Field(
        default=86_400.0, ge=0, description="Served as STALE up to this age while it fails."
    )


class Rollout(Form):
    """How a changed file comes into force: on a share of asks first, or at once without this."""

    percent: int = Field(ge=1, le=99, description="The share of asks that the new file answers.")
    asks: int = Field(
        default=50, ge=1, le=10_000, description="After so many good asks it answers all."
    )
    failures: int = Field(
        default=3, ge=1, le=1000, description="At so many asks in vain the old file is back."
    )


class Inquiry(Form):
    """What an example asks."""

    # Strict mode would refuse the enum's word and the date's text, which are all YAML has.
    capability: Annotated[Capability, Field(strict=False)] = Field(
        description="The shape asked for."
    )
    topic: str = Field(description="The partner's word for what is asked.")
    since: Annotated[AwareDatetime, Field(strict=False)] = Field(
        description="The earliest time, with its zone."
    )
    until: Annotated[AwareDatetime, Field(strict=False)] = Field(
        description="The end of the time, excluded, with its zone."
    )


class About(Form):
    """Of whom an example wants facts, and which."""

    subject: str = Field(min_length=1, description="What the person is called before the partner.")
    facts: list[str] = Field(min_length=1, description="The facts that are wanted, by name.")


class Order(Form):
    """What an example books, and what is done about it."""

    capability: Annotated[Capability, Field(strict=False)] = Field(description="The shape booked.")
    topic: str = Field(description="The partner's word for what is booked.")
    offer: str = Field(description="The id of the offer.")
    units: int = Field(default=1, ge=1, description="How many of it.")
    subject: str = Field(
        default="example-person", description="What the person is called before the partner."
    )
    key: str = Field(default="example0booking0key000", description="The hub's key of the booking.")
    steps: list[Annotated[base.Act, Field(strict=False)]] = Field(
        min_length=1, description="What is done, one after another."
    )

    def played(self) -> base.Order:
        """Return the order as kinds know it."""
        return base.Order(**self.model_dump(exclude={"steps"}))


class Reply(Form):
    """What the partner answers in an example, and what it demands of the request."""

    path: str = Field(description="The path asked for, relative to the address.")
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "REPORT"] = Field(
        default="GET", description="The method used."
    )
    query: dict[str, str | list[str]] = Field(
        default={}, description="Query keys that must be there, with their values."
    )
    sends: dict[str, Any] = Field(
        default={}, description="What the request's body must hold: JSON, or a form's fields."
    )
    status: int = Field(default=200, ge=200, le=599, description="The status answered.")
    content_type: str = Field(
        default="application/json", description="The media type of the answer."
    )
    headers: dict[str, str] = Field(default={}, description="Further headers of the answer.")
    body: str | None = Field(default=None, description="The answer as text.")
    json_: Any = Field(default=None, alias="json", description="The answer as data, sent as JSON.")

    def played(self) -> base.Reply:
        """Return the reply as the loopback partner plays it."""
        fields = self.model_dump(exclude={"body", "json_"})
        body = json.dumps(self.json_, ensure_ascii=False) if self.body is None else self.body
        return base.Reply(body=body, **fields)


class Example(Form):
    """A proof that this file works: asked this and answered that, this is what comes."""

    name: str = Field(description="What the example shows.")
    inquiries: list[Inquiry] = Field(default=[], description="What is asked.")
    about: About | None = Field(
        default=None, description="Of whom facts are wanted, instead of `inquiries`."
    )
    order: Order | None = Field(default=None, description="What is booked, instead of `inquiries`.")
    replies: list[Reply] = Field(description="What the partner answers, in order.")
    offers: list[list[dict[str, str]]] = Field(
        default=[],
        description="Per inquiry, the offers, each by the fields it must have, as text.",
    )
    facts: dict[str, Any] = Field(
        default={}, description="The facts that come, by name; the rest the partner does not know."
    )
    booked: dict[str, str] = Field(
        default={}, description="The fields of the booking after its last step, as text."
    )
    problem: Annotated[errors.Problem, Field(strict=False)] | None = Field(
        default=None, description="The problem expected instead of offers, facts or a booking."
    )

    @pydantic.model_validator(mode="after")
    def _whole(self) -> Example:
        if sum(map(bool, (self.inquiries, self.about, self.order))) != 1:
            raise ValueError("Give inquiries, or about whom facts are wanted, or an order")
        if self.problem is None and len(self.offers) != len(self.inquiries):
            raise ValueError("Give one list of offers for each inquiry, or a problem")
        return self

    def played(self) -> base.Example:
        """Return the example as the contract tests play it."""
        return base.Example(
            name=self.name,
            replies=tuple(one.played() for one in self.replies),
            inquiries=tuple(base.Inquiry(**one.model_dump()) for one in self.inquiries),
            offers=tuple(tuple(dict(one) for one in offers) for offers in self.offers),
            subject=self.about.subject if self.about else "",
            wanted=frozenset(self.about.facts if self.about else ()),
            facts=self.facts,
            order=self.order.played() if self.order else None,
            steps=tuple(self.order.steps) if self.order else (),
            booked=self.booked,
            problem=self.problem,
        )


class Manifest(Form):
    """One partner: who it is, where, how it is asked, and the proof that this works."""

    slug: Slug = Field(description="The partner's name in the graph; the file's name.")
    kind: Slug = Field(description="What it speaks: a module of connectors/kinds/.")
    name: text.Text = Field(description="Its name, by language; English is required.")
    owner: str = Field(min_length=1, description="Who answers for this file.")
    about: text.Text = Field(description="What it gives, in a sentence, by language.")
    documentation: str = Field(min_length=1, description="Where its interface is described.")
    district: Slug = Field(description="The district it is in.")
    version: str = Field(
        default="1", min_length=1, max_length=40, description="Which edition of this file this is."
    )
    address: str = Field(description="Its base URL, or sandbox:<system>/<path>.")
    hosts: list[str] = Field(
        default=[],
        description="Further origins that its links and redirects may lead to, each a base URL.",
    )
    credentials: Credentials | None = Field(
        default=None, description="How the hub shows who asks; secrets by name only."
    )
    limits: Limits = Field(default=Limits(), description="How much this partner may cost the hub.")
    freshness: Freshness = Field(
        default=Freshness(), description="How long this partner's answers hold."
    )
    rollout: Rollout | None = Field(
        default=None, description="How a change of this file comes into force."
    )
    options: dict[str, Any] = Field(default={}, description="What its kind lets it choose.")
    supplies: list[str] = Field(
        default=[], description="The facts about people that it supplies, by name."
    )
    books: list[Annotated[Capability, Field(strict=False)]] = Field(
        default=[], description="What it lets the hub book; nothing, if not said."
    )
    examples: list[Example] = Field(
        min_length=1, description="Requests, replies and the offers or facts that follow."
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """A partner file without mistakes: its shape, its kind, and its options as that reads them."""

    manifest: Manifest
    kind: type[base.Connector[Any]]
    options: base.Options
    document: source.Document = field(repr=False)


def load(path: Path, kinds: Kinds) -> Entry:
    """Return a partner file that holds no mistake.

    Raises:
        MistakesError: every mistake in the file at once.
    """
    return read(source.read(path, shown(path)), path.stem, kinds)


def read(document: source.Document, slug: str, kinds: Kinds) -> Entry:
    """Return what a document of the partner called so says, if it holds no mistake.

    Raises:
        MistakesError: every mistake in the document at once.
    """
    found: list[mistakes.Mistake] = []
    described = options = kind = None
    with _collected(found):
        described = source.validate(document, Manifest)
    if isinstance(document.data, dict):
        found += [*_misnamed(document, slug), *_indiscreet(document), *_misplaced(document)]
        found += _secretive(document)
        with _collected(found):
            kind = _kind_of(document, kinds)
            options = source.validate(document, kind.options_model, at=("options",))
    if described and kind and options:
        can = kind.supplies_of(options)
        found += [*_unsupported(document, described, kind, options)]
        found += [*_unshown(document, described), *_unfitting(document, described)]
        found += _unreachable(document, described)
        found += _unsupplied(document, described, can, kind.slug)
    if found or described is None or kind is None or options is None:
        raise mistakes.MistakesError(list(dict.fromkeys(found)))
    return Entry(described, kind, options, document)


def address(entry: Entry, sandbox: Mapping[str, str]) -> str:
    """Return the partner's base URL.

    Raises:
        MistakesError: it is in a system of the sandbox that does not run.
    """
    given = entry.manifest.address
    if not given.startswith(SANDBOX):
        return given
    system, _, path = given.removeprefix(SANDBOX).partition("/")
    if system not in sandbox:
        hint = mistakes.did_you_mean(mistakes.nearest(system, sandbox))
        sentence = f"The sandbox's system “{mistakes.shown(system)}” does not run."
        raise mistakes.MistakesError([entry.document.mistake(("address",), sentence, hint)])
    return f"{sandbox[system].rstrip('/')}/{path}"


def credentials(entry: Entry, secrets: Mapping[str, str]) -> credential.Credentials | None:
    """Return what the hub shows the partner, the secret itself included.

    Raises:
        MistakesError: the hub was given no secret of this name.
    """
    if entry.manifest.credentials is None:
        return None
    way, given = entry.manifest.credentials.given
    if given.secret not in secrets:
        raise mistakes.MistakesError(
            [
                entry.document.mistake(
                    (_CREDENTIALS, way, "secret"),
                    f"The hub was given no secret named “{given.secret}”.",
                    "How to give one: docs/operating.md.",
                )
            ]
        )
    return replace(
        given.signed(secrets[given.secret]), others=partial(_live, secrets, given.secret)
    )


def _live(secrets: Mapping[str, str], name: str) -> list[str]:
    """Return what a secret is, and is to be: while it is changed, both are in force."""
    return [secrets[one] for one in (name, f"{name}{NEXT}") if one in secrets]


def shown(path: Path) -> str:
    """Return a file's name for complaints: short inside the repository."""
    return str(path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else path)


@contextlib.contextmanager
def _collected(found: list[mistakes.Mistake]) -> Iterator[None]:
    try:
        yield
    except mistakes.MistakesError as wrong:
        found += map(_discreet, wrong.mistakes)


def _discreet(mistake: mistakes.Mistake) -> mistakes.Mistake:
    """Return the mistake without what was found, where that may be a secret."""
    secretive = mistake.path.startswith(_CREDENTIALS) and mistake.hint.startswith("Found")
    return replace(mistake, hint="") if secretive else mistake


def _misnamed(document: source.Document, stem: str) -> Iterator[mistakes.Mistake]:
    if document.data.get("slug", stem) != stem:
        yield document.mistake(("slug",), f"The slug is not the file's name, “{stem}”.")


def _indiscreet(document: source.Document) -> Iterator[mistakes.Mistake]:
    given = document.data.get(_CREDENTIALS)
    for way, one in given.items() if isinstance(given, dict) else ():
        name = one.get("secret") if isinstance(one, dict) else None
        if isinstance(name, str) and not _SECRET_NAME.fullmatch(name):
            yield document.mistake(
                (_CREDENTIALS, way, "secret"),
                "This looks like a secret itself; here stands only a secret's name.",
                "Names are words joined by hyphens, such as “first-bank-token”.",
            )


def _misplaced(document: source.Document) -> Iterator[mistakes.Mistake]:
    given = document.data.get("address")
    if isinstance(given, str) and not (_SANDBOX_ADDRESS.fullmatch(given) or _is_base_url(given)):
        yield document.mistake(
            ("address",),
            "This is not a base URL: http or https, a host, a path, and nothing else.",
            f"Or “{SANDBOX}<system>/<path>” for a system of the sandbox.",
        )
    hosts = document.data.get("hosts")
    for place, host in enumerate(hosts if isinstance(hosts, list) else []):
        if isinstance(host, str) and not _is_base_url(host):
            yield document.mistake(
                ("hosts", place),
                "This is not a base URL: http or https, a host, a path, and nothing else.",
            )


def _is_base_url(given: str) -> bool:
    try:
        url = urlsplit(given)
        host = url.hostname and url.port != 0
    except ValueError:
        return False
    return bool(host) and url.scheme in ("http", "https") and not re.search(r"[@?#\s]", given)


def _kind_of(document: source.Document, kinds: Kinds) -> type[base.Connector[Any]]:
    named = document.data.get("kind")
    if not isinstance(named, str):
        # The shape has complained already.
        raise mistakes.MistakesError([])
    if named in kinds:
        return kinds[named]
    known = mistakes.did_you_mean(mistakes.nearest(named, kinds))
    raise mistakes.MistakesError(
        [
            document.mistake(
                ("kind",),
                f"There is no kind “{mistakes.shown(named)}”.",
                known or f"Allowed: {', '.join(sorted(kinds))}.",
            )
        ]
    )


def _unsupported(
    document: source.Document,
    read: Manifest,
    kind: type[base.Connector[Any]],
    options: base.Options,
) -> Iterator[mistakes.Mistake]:
    """Yield what the kind, with these options, cannot be asked for or book."""
    given, booked = kind.capabilities_of(options), kind.books_of(options)
    asked: list[tuple[source.Location, Capability]] = []
    ordered: list[tuple[source.Location, Capability]] = [
        (("books", place), capability) for place, capability in enumerate(read.books)
    ]
    for place, example in enumerate(read.examples):
        asked += [
            (("examples", place, "inquiries", order, "capability"), inquiry.capability)
            for order, inquiry in enumerate(example.inquiries)
        ]
        if example.order:
            ordered.append((("examples", place, "order", "capability"), example.order.capability))
    for can, places, verb in ((given, asked, "give"), (booked, ordered, "book")):
        for at, capability in places:
            if capability not in can:
                yield document.mistake(
                    at,
                    f"The kind “{kind.slug}” {verb}s no {capability} here.",
                    f"It {verb}s: {', '.join(sorted(can)) or 'nothing'}.",
                )


def _unshown(document: source.Document, read: Manifest) -> Iterator[mistakes.Mistake]:
    shown = {example.order.capability for example in read.examples if example.order}
    for place, capability in enumerate(read.books):
        if capability not in shown:
            yield document.mistake(
                ("books", place), f"No example books: {capability}.", "Add one under `examples`."
            )


def _unfitting(document: source.Document, read: Manifest) -> Iterator[mistakes.Mistake]:
    """Yield the fields that an example expects and no such offer or booking has."""
    for place, example in enumerate(read.examples):
        expected: list[tuple[source.Location, _Shape, Mapping[str, str]]] = [
            (("offers", turn, order), offer.SHAPES[inquiry.capability], fields)
            for turn, (inquiry, offers) in enumerate(
                zip(example.inquiries, example.offers, strict=False)
            )
            for order, fields in enumerate(offers)
            # An inquiry that has no offers of its own has its problem in their place.
            if [*fields] != ["problem"]
        ]
        expected.append((("booked",), base.Booked, example.booked))
        for at, shape, given in expected:
            known = [one.name for one in dataclasses.fields(shape)]
            for name in given:
                if name.partition(".")[0] not in (*known, "problem"):
                    near = mistakes.did_you_mean(mistakes.nearest(name, known))
                    yield document.mistake(
                        ("examples", place, *at, name),
                        f"A {shape.__name__.lower()} has no field “{mistakes.shown(name)}”.",
                        near or f"It has: {', '.join(known)}.",
                    )


def _unreachable(document: source.Document, read: Manifest) -> Iterator[mistakes.Mistake]:
    """Yield the places on origins that the file does not declare."""
    declared = {_origin(one) for one in (read.address, *read.hosts)}
    places: list[tuple[source.Location, str]] = [
        (("examples", place, "replies", order, "path"), reply.path)
        for place, example in enumerate(read.examples)
        for order, reply in enumerate(example.replies)
    ]
    if read.credentials and read.credentials.oauth2:
        token_path = read.credentials.oauth2.token_path
        places.append(((_CREDENTIALS, "oauth2", "token_path"), token_path))
    for at, place in places:
        if "://" in place and _origin(place) not in declared:
            yield document.mistake(
                at,
                f"This file does not lead to “{mistakes.shown(_origin(place))}”.",
                "Name its origin under `hosts`.",
            )


def _origin(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}".lower()


def _secretive(document: source.Document) -> Iterator[mistakes.Mistake]:
    """Yield where the file itself seems to hold a secret, wherever that is."""
    for at, name, value in _texts((), "", document.data):
        found = [*discretion.secrets(value)] if at[:1] != (_CREDENTIALS,) else []
        if at[:1] == ("examples",) and discretion.secretive(name, value):
            found.append("a secret")
        if found:
            yield document.mistake(
                at,
                f"This seems to hold {' and '.join(found)}.",
                "`greenway connectors record` leaves such things out.",
            )


def _texts(
    at: tuple[str | int, ...], name: str, data: object
) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Yield every text of a document with its path, and the name it stands under."""
    if isinstance(data, str):
        yield at, name, data
    elif isinstance(data, dict):
        for key, one in data.items():
            yield from _texts((*at, key), str(key), one)
    elif isinstance(data, list):
        for place, one in enumerate(data):
            yield from _texts((*at, place), name, one)


def _unsupplied(
    document: source.Document, read: Manifest, can: frozenset[str], kind: str
) -> Iterator[mistakes.Mistake]:
    for place, name in enumerate(read.supplies):
        at = ("supplies", place)
        if name not in can:
            near = mistakes.did_you_mean(mistakes.nearest(name, can))
            hint = near or f"It supplies: {', '.join(sorted(can)) or 'nothing'}."
            sentence = f"The kind “{kind}” supplies no “{mistakes.shown(name)}”."
            yield document.mistake(at, sentence, hint)
        elif not any(name in example.facts for example in read.examples):
            yield document.mistake(at, f"No example shows `{name}`.", "Add one under `examples`.")
    for place, example in enumerate(read.examples):
        for order, name in enumerate(example.about.facts if example.about else ()):
            if name not in read.supplies:
                yield document.mistake(
                    ("examples", place, "about", "facts", order),
                    f"This file supplies no “{mistakes.shown(name)}”.",
                    mistakes.did_you_mean(mistakes.nearest(name, read.supplies)),
                )

"""The composition root: settings become a hub, a hub a server; the command line ends here."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hashlib
import importlib
import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from time import monotonic
from typing import Annotated, Protocol
from urllib.parse import unquote, urlsplit

import typer
import uvicorn
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.supervisors import Multiprocess

import commands
import schema
import settings as configuration
from commands.means import Means
from connectors import command, egress, form, http
from connectors.board import Board
from connectors.issuer import Issuer
from connectors.registry import PARTNERS, File, Registry, Watch, Workshop, kinds
from credentials import api_key, token
from credentials.pseudonym import Pseudonyms
from credentials.receipt import Notary
from endpoints import credential as portable
from endpoints import frame, header, metrics, protocol, verify, wellknown
from endpoints import ledger as log
from endpoints import page as pages
from endpoints import request as requests
from endpoints import status as lists
from endpoints import token as tokens
from endpoints.leaving import Leaving
from models import demo, errors, talent, tester, text, trace
from models.database import Database
from models.document import Sent, Trust
from models.line import Line
from resolvers import (
    enrolment,
    feed,
    ledger,
    limit,
    measure,
    menu,
    publication,
    standing,
    verifier,
)
from resolvers import partner as partner_files
from resolvers.authority import Authority
from resolvers.context import ZONE, Context
from resolvers.directory import Directory
from resolvers.document import Published
from resolvers.issuer import Trusted
from resolvers.key import Keys, Store
from resolvers.limit import Limits, Points
from resolvers.plan import Mode
from resolvers.rounds import Rounds, within
from resolvers.status import Lists
from resolvers.together import Shared
from resolvers.viewer import ANONYMOUS, Door, Role, Viewer
from resolvers.webhook import Courier
from sandbox import outline
from schema import execution
from schema.execution import documents, limits
from schema.execution.review import Review
from schema.execution.seat import address_of
from settings import Settings

DEVELOPMENT_ISSUER = "urn:greenway:development"
#: The secret under which people get their names before partners.
PAIRWISE = "pairwise"
#: The secret from which the codes of phones and venues are derived.
CODES = "codes"
#: The secret that seals what is kept sealed: signing keys, webhooks' secrets.
SEALING = "sealing"
_OWN_SECRETS = frozenset({PAIRWISE, CODES, SEALING})
_KEY_LETTERS = 32
#: Which partners fail in this query, where who asks is of the sandbox.
FAULT_HEADER = b"x-greenway-fault"
_CREDENTIALS = b"authorization"

_LOOK_SECONDS = 0.5
#: What changes by the clock alone is looked at so often.
_CALM_SECONDS = 5.0
_FORGET_SECONDS = 60.0
#: Objects made before a first look, and looks before the next wider one; Python's own: 700, 10, 10.
#: A home page leaves 30 KB in cycles, and hardly anything else leaves any: wide looks find little.
#: At 50,000 queries that wait for partners take a tenth less, and a hub under load 9 MB more.
_COLLECTOR = (10_000, 3, 2)
_SANDBOX_SECONDS = 10.0
#: An operation has ten seconds; when the process ends, each under way comes to its own end.
_GRACE_SECONDS = 12
_LOADING_SECONDS = 30
#: A database that takes longer to answer is away.
_READY_SECONDS = 2.0
_log = logging.getLogger("greenway")

Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Edition:
    """What the same question has the same answer by, whoever asks: a menu, partners, a day."""

    catalogue: menu.Catalogue
    registry: Registry
    since: datetime
    until: datetime

    @classmethod
    def of(cls, catalogue: menu.Catalogue, registry: Registry, now: datetime) -> Edition:
        """Return the edition of this day."""
        since = datetime.combine(now.astimezone(ZONE).date(), time(), ZONE)
        return cls(catalogue, registry, since, since + timedelta(days=1))

    def holds(self, catalogue: menu.Catalogue, registry: Registry, now: datetime) -> bool:
        """Say whether it is still that menu, those partners and that day."""
        same = self.catalogue is catalogue and self.registry is registry
        return same and self.since <= now < self.until


# ── the hub ──────────────────────────────────────────────────────────────────────────────────


class Hub:
    """Everything that lives as long as the process, built once from the settings.

    ``sandbox`` is where the sandbox's systems are, by name, if not where the settings have them.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock = _now,
        sandbox: Mapping[str, str] | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self._collector = _collector(settings)
        self.database = Database(settings.database_url)
        self.board = Board(settings.shared_url)
        self.client = http.HTTPClient(
            common=self.board, allow=_allowed(settings, sandbox or _sandbox(settings))
        )
        self.partners = partner_files.Partners(
            self.database,
            workshop_of(settings, self.client, clock, sandbox),
            Watch(_partner_folders(settings)),
            clock,
        )
        self.door = Door(
            settings.issuer or DEVELOPMENT_ISSUER,
            settings.audience,
            _keys(settings, self.client, clock),
            sandbox=settings.demo and not settings.issuer,
        )
        self.notary = notary_of(settings)
        self.authority = authority_of(settings, self.database, self.client, clock)
        self.lists = Lists(self.authority)
        self.gathering = _Gathering(settings)
        self.shared = Shared(self.database)
        self.keeper = standing.Keeper(self.database, self.gathering.start)
        self.catalogue: menu.Catalogue | None = None
        self.published = Published(self.database)
        self.courier = Courier(self.authority, self.client, lambda: self.catalogue)
        self.measures = measure.Measures(settings.slow_seconds)
        self.metrics = metrics.Metrics(
            metrics.Work(self.measures, self.database),
            metrics.Health(self.partners),
            folder=settings.data / "metrics" if settings.processes > 1 else None,
        )
        #: Whether it ends soon: it still answers, and asks to be sent nothing new.
        self.leaving = asyncio.Event()
        #: What callers may spend on what they ask.
        self.points = Points(
            self.board,
            settings.points_per_second,
            settings.points_burst,
            lambda caller: self.authority.pseudonyms.of("points", caller),
        )
        self._pulse = Line(self.database)
        self.rounds = Rounds(self._mark, _LOOK_SECONDS)
        self._edition: Edition | None = None
        self._has_begun = False
        self._closing = asyncio.Event()
        self.feeds = feed.Feeds(
            self.database, clock, lambda: self.catalogue, lambda: self.partners.registry
        )

    async def asking(self, scope: Scope, body: bytes) -> Viewer:
        """Return who sent a request with this scope and this body, and shows who they are.

        What does not hold is charged to where it comes from: finding out is work.

        Raises:
            UnauthenticatedError: what it shows does not hold.
            RateLimitedError: nor are there points left to find that out again.
        """
        try:
            return await self._shown(scope, body)
        except errors.UnauthenticatedError:
            self.charge(address_of(scope), limits.REFUSED)
            raise

    async def _shown(self, scope: Scope, body: bytes) -> Viewer:
        credentials = [value for name, value in scope["headers"] if name == _CREDENTIALS]
        shown_first = credentials[0].decode("latin-1")
        scheme, _, presented = shown_first.partition(" ")
        if len(credentials) == 1 and not verifier.is_verifiers(scheme.lower(), presented.strip()):
            return await self.door.viewer(shown_first, self.clock())
        shown = requests.shown(
            Request(scope), body, self.authority.issuer, self.settings.client_cert_header
        )
        await self.authority.begun()
        return verifier.viewer(self.authority, shown, self.clock())

    async def context(self, scope: Scope, plan: str | None = None, body: bytes = b"") -> Context:
        """Return the context of one query, with a plan where one is asked for: ``only``, ``with``.

        Raises:
            UnauthenticatedError, RateLimitedError: as ``asking``.
            BadInputError: somebody of the sandbox asks for faults that there are not.
            MenuMissingError: nothing has been published yet.
        """
        now, seen = self.clock(), execution.fields(scope["headers"])
        viewer = await self.asking(scope, body) if _CREDENTIALS in seen else ANONYMOUS
        if self.catalogue is None or not self._has_begun:
            self.catalogue = self.catalogue or await menu.newest(self.database)
            await self.authority.begun()
            self._has_begun = True
        registry = self.partners.registry or await self.partners.current()
        return Context.of(
            viewer=viewer,
            languages=text.wanted(seen.get(b"accept-language", b"en").decode("latin-1")),
            now=now,
            database=self.database,
            registry=registry.begun(),
            catalogue=self.catalogue,
            notary=self.notary,
            authority=self.authority,
            deadline=monotonic() + self.settings.deadline_seconds,
            keeper=self.keeper,
            shared=self.shared,
            faults=seen.get(FAULT_HEADER, b"").decode("latin-1"),
            plan=Mode(plan) if plan else None,
            points=self.points,
            address=address_of(scope),
        )

    def edition(self) -> Edition | None:
        """Return what answers hold for that are the same for everybody; None where none is kept.

        While a partner's new file is on trial, whose turn it is tells answers apart.
        """
        catalogue, registry = self.catalogue, self.partners.registry
        if not self.settings.response_cache or catalogue is None or registry is None:
            return None
        if registry.candidates:
            return None
        now, known = self.clock(), self._edition
        if known is None or not known.holds(catalogue, registry, now):
            known = self._edition = Edition.of(catalogue, registry, now)
        return known

    def charge(self, address: str, points: int) -> None:
        """Charge whoever asks from an address and shows nobody.

        Raises:
            RateLimitedError: they have not so many points left.
        """
        caller = limit.caller(Role.ANONYMOUS, "", address)
        if wait := self.points.charge(caller, points):
            raise errors.RateLimitedError(wait, points, self.points.left(caller))

    async def follow(self) -> None:
        """Keep what is newest in force; a database that is away changes nothing.

        None of them waits for another.
        """
        await asyncio.gather(
            self.rounds.run(),
            self._keep_up("menu", self._take_menu),
            self._keep_up("partners", self.partners.refreshed),
            self._keep_up("verifiers and keys", self.authority.refreshed),
            self._keep_up("status lists", self.lists.refreshed),
            self._keep_up("webhooks", self.courier.refreshed),
            self._keep_up("ledger", partial(ledger.sequence, self.authority)),
            self._keep_up("documents", self.published.refreshed),
            self._keep("feeds", self.feeds.refreshed, _LOOK_SECONDS),
            self._keep("used proofs", partial(verifier.forget, self.authority), _FORGET_SECONDS),
            self._keep("event loop", self.measures.turned, measure.TURN_SECONDS),
            self._keep("metrics", self.metrics.write, metrics.WRITE_SECONDS),
        )

    async def _keep_up(self, what: str, take: Callable[[], Awaitable[object]]) -> None:
        """Look in each round, and now and then in any case."""
        seen = await self.rounds.next(-1, _CALM_SECONDS)
        while not self._closing.is_set():
            await self._taken(what, take)
            seen = await self.rounds.next(seen, _CALM_SECONDS)

    async def _keep(self, what: str, take: Callable[[], Awaitable[object]], seconds: float) -> None:
        while not self._closing.is_set():
            await self._taken(what, take)
            await within(seconds, self._closing)

    async def _taken(self, what: str, take: Callable[[], Awaitable[object]]) -> None:
        try:
            await take()
        except errors.MenuMissingError:
            _log.debug("no menu has been published yet")
        except Exception:
            _log.exception("the %s could not be refreshed; what was stays in force", what)

    async def _mark(self) -> Hashable:
        """Return what is another when there may be anything to look at."""
        return await self._pulse.mark(), await self.partners.mark()

    async def _take_menu(self) -> None:
        found = await self._newest()
        if found is not self.catalogue:
            self.catalogue = found
            _spare_the_collector()

    async def _newest(self) -> menu.Catalogue:
        if self.catalogue is None:
            return await menu.newest(self.database)
        return await menu.refreshed(self.database, self.catalogue)

    def drain(self) -> None:
        """Ask to be sent nothing new, and answer what comes all the same."""
        self.leaving.set()

    def stop_following(self) -> None:
        """Let ``follow`` end by itself: cut off in a query, it would leave a connection."""
        self._closing.set()
        self.rounds.stop()

    async def close(self) -> None:
        """End every connection."""
        self.gathering.stop()
        await self.client.close()
        await self.courier.settled()
        await self.board.close()
        await self.database.close()
        if self._collector is not None:
            trace.to(None)
            await asyncio.to_thread(self._collector.close)


class _Collector(trace.Tracer, Protocol):
    """What takes spans until it is closed."""

    def close(self) -> None:
        """Send what waits, and end."""


def _collector(settings: Settings) -> _Collector | None:
    """Return what spans are told to from now on, if they are told.

    It is loaded by name, and only here: it takes memory, and is an optional part of the hub.

    Raises:
        HubError: that part is not installed.
    """
    if not settings.traces_url:
        return None
    try:
        loaded = importlib.import_module("connectors.collector")
    except ImportError as missing:
        raise errors.HubError(
            "GREENWAY_TRACES_URL is set, and OpenTelemetry is not installed.",
            "Run `pip install greenway[traces]`.",
        ) from missing
    found: _Collector = loaded.Collector(settings.traces_url, settings.traces_share)
    trace.to(found)
    return found


class _Gathering:
    """Runs `greenway standing` beside the hub, one at a time, where a query needs it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, on: date) -> None:
        """Start it for a day, unless it runs."""
        if self._process is None or self._process.poll() is not None:
            said = {
                f"{configuration.PREFIX}DATABASE_URL": self._settings.database_url,
                f"{configuration.PREFIX}DATA": str(self._settings.data),
            }
            self._process = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
                [sys.executable, "-m", "server", "standing", "--on", on.isoformat()],
                cwd=configuration.HOME,
                env={**os.environ, **said},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )

    def stop(self) -> None:
        """End it, where it runs; what is not whole is not kept."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


def _spare_the_collector() -> None:
    """Keep the garbage collector from walking the whole menu again and again.

    What lives until the next revision is set apart from what a query leaves behind; and a query
    makes thousands of objects, nearly none in a cycle, so it is looked for them less often.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTOR)


def partners_of(settings: Settings, client: http.HTTPClient, clock: Clock) -> Registry:
    """Return the registry of the partner files in the folders that these settings name."""
    return workshop_of(settings, client, clock).load(_partner_folders(settings))


def workshop_of(
    settings: Settings,
    client: http.HTTPClient,
    clock: Clock,
    sandbox: Mapping[str, str] | None = None,
) -> Workshop:
    """Return what makes partners of partner files, as these settings say."""
    return Workshop(
        client,
        (sandbox or _sandbox(settings)) if settings.demo else {},
        _partner_secrets(settings),
        clock,
        always_live=settings.always_live,
        deadline_seconds=settings.deadline_seconds,
    )


def _partner_secrets(settings: Settings) -> dict[str, str]:
    """Return the secrets that partner files may name: the hub's own are none of theirs."""
    given = {k: value for k, value in settings.secrets.items() if k not in _OWN_SECRETS}
    return {**outline.SECRETS, **given} if settings.demo else given


def _partner_folders(settings: Settings) -> list[Path]:
    return [PARTNERS] if settings.partners is None else [PARTNERS, settings.partners]


def means() -> Means:
    """Return what commands work with, as the settings say."""
    settings = configuration.read()
    return Means(
        data=settings.data,
        menu=settings.menu,
        keys_elsewhere=bool(settings.keys_url),
        now=_now,
        database=partial(_open, settings),
        authority=partial(_standing_authority, settings),
        capabilities=partial(_capabilities, settings),
        bench=partial(_bench, settings),
    )


@contextlib.asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_url)
    try:
        yield database
    finally:
        await database.close()


@contextlib.asynccontextmanager
async def _standing_authority(settings: Settings) -> AsyncIterator[Authority]:
    """Open what cards are issued and checked with."""
    allowed = _allowed(settings, {})
    async with _open(settings) as database, http.HTTPClient(allow=allowed) as client:
        found = authority_of(settings, database, client, _now)
        await found.begun()
        yield found


def _bench(settings: Settings) -> command.Bench:
    """Return what commands about partner files work with."""
    sandbox = _sandbox(settings) if settings.demo else {}
    secrets = _partner_secrets(settings)
    return command.Bench(_partner_folders(settings), sandbox, secrets, _allowed(settings, sandbox))


def _allowed(settings: Settings, sandbox: Mapping[str, str]) -> tuple[egress.Place, ...]:
    """Return where partners may be although it is inside; in demo mode, the sandbox too.

    Raises:
        HubError: the setting names something that is no network.
    """
    try:
        given = egress.places(settings.egress_allow)
    except ValueError as wrong:
        sentence = f"GREENWAY_EGRESS_ALLOW: {wrong}."
        raise errors.HubError(sentence, "See docs/operating.md.") from wrong
    systems = sandbox.values() if settings.demo else ()
    return (*given, *(egress.Place.of(urlsplit(one).netloc) for one in systems))


def _sandbox(settings: Settings) -> dict[str, str]:
    """Return where the sandbox's systems are: the ports above the control port, in their order."""
    return {
        name: f"http://127.0.0.1:{settings.sandbox_port + place}"
        for place, name in enumerate(outline.SYSTEMS, start=1)
    }


def _keys(
    settings: Settings, client: http.HTTPClient, clock: Clock
) -> Callable[[str], Awaitable[token.Key | None]]:
    """Return what finds the keys that tokens are signed with."""
    if settings.issuer:
        return Issuer(client, settings.issuer, clock).key
    known = development_key(settings) if settings.demo else None
    known_id = known.kid if known else None

    async def key(key_id: str) -> token.Key | None:
        return known if key_id == known_id else None

    return key


def development_key(settings: Settings) -> ECKey:
    """Return the development issuer's key, made the first time; only demo mode may use it."""
    return _kept_key(settings.data / "development-issuer.json")


def notary_of(settings: Settings) -> Notary:
    """Return who signs receipts: with the keys these settings name, or one of its own.

    Raises:
        HubError: the file named is no JWK set of private P-256 keys.
    """
    if settings.receipt_keys is None:
        return Notary([_kept_key(settings.data / "receipt-key.json")])
    try:
        listed = json.loads(settings.receipt_keys.read_text(encoding="utf-8"))["keys"]
        return Notary([token.key_of(one) for one in listed if one["d"]])
    except (OSError, ValueError, TypeError, KeyError, IndexError, JoseError) as wrong:
        raise errors.HubError(
            f"GREENWAY_RECEIPT_KEYS: {settings.receipt_keys} is no JWK set of private P-256 keys.",
            "See docs/operating.md.",
        ) from wrong


def authority_of(
    settings: Settings, database: Database, client: http.HTTPClient, clock: Clock
) -> Authority:
    """Return what cards are issued and checked with; raises as ``_own_secret``."""
    return Authority(
        issuer=settings.public_url or f"http://{settings.host}:{settings.port}",
        district=settings.district,
        database=database,
        clock=clock,
        pseudonyms=Pseudonyms(_own_secret(settings, PAIRWISE)),
        master=_digest(_own_secret(settings, CODES)),
        keys=Keys(
            database, _digest(_own_secret(settings, SEALING)), clock, _key_store(settings, client)
        ),
        verifiers=Directory(database),
        issuers=Trusted(database, clock, client),
        limits=Limits(client.board),
    )


def _key_store(settings: Settings, client: http.HTTPClient) -> Store | None:
    """Return what reads the signing keys outside the database, where these settings name a place.

    Raises:
        HubError: it is neither a file nor behind https.
    """
    url = urlsplit(settings.keys_url)
    if not settings.keys_url:
        return None
    if url.scheme == "file" and not url.netloc:
        return partial(asyncio.to_thread, Path(unquote(url.path)).read_bytes)
    if url.scheme != "https":
        raise errors.HubError(
            "GREENWAY_KEYS_URL is no place of keys.", "Write `file:///path` or `https://…`."
        )
    place = client.partner("signing-keys", settings.keys_url)

    async def fetched() -> bytes:
        return (await place.follow(settings.keys_url)).body

    return fetched


def _digest(said: bytes) -> bytes:
    return hashlib.sha256(said).digest()


def _own_secret(settings: Settings, name: str) -> bytes:
    """Return a secret of the hub's own: the one given, or one made the first time.

    Raises:
        HubError: the one given is so short that it might be guessed.
    """
    given = settings.secrets.get(name)
    if given is None:
        given = _kept(settings.data / f"{name}-key", lambda: secrets.token_urlsafe(32))
    if len(given) < _KEY_LETTERS:
        raise errors.HubError(
            f"GREENWAY_SECRET_{name.upper()} has {len(given)} characters; "
            f"give {_KEY_LETTERS} or more.",
            "See docs/operating.md.",
        )
    return given.encode()


def _kept_key(path: Path) -> ECKey:
    """Return the key in a file, made the first time."""
    found = _kept(path, lambda: json.dumps(token.new_key().as_dict(private=True)))
    return token.key_of(json.loads(found))


def _kept(path: Path, make: Callable[[], str]) -> str:
    """Return the text of a file, made the first time; of several processes one makes it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = path.with_suffix(f".{os.getpid()}")
        made.touch(mode=0o600)
        made.write_text(make(), encoding="utf-8")
        with contextlib.suppress(FileExistsError):
            os.link(made, path)
        made.unlink()
    return path.read_text(encoding="utf-8")


def development_token(settings: Settings, role: Role, subject: str, days: int = 1) -> str:
    """Return a token of the development issuer."""
    return token.sign(
        development_key(settings),
        token.Claims(subject, role),
        issuer=DEVELOPMENT_ISSUER,
        audience=settings.audience,
        now=_now(),
        lifetime=timedelta(days=days),
    )


# ── the server ───────────────────────────────────────────────────────────────────────────────


def app(hub: Hub) -> ASGIApp:
    """Return the ASGI application of a hub."""
    built = schema.build_schema(
        introspection=hub.settings.introspection,
        measures=hub.measures,
        traces=hub.settings.gateway_traces,
    )
    live = execution.Live(built, hub.feeds, hub.leaving.wait)
    seats = execution.Seats(hub.settings.streams, hub.settings.streams_per_address)
    found = documents_of(hub, built)
    socket = execution.GraphQLSocket(
        live,
        hub.context,
        seats=seats,
        limits=execution.SocketLimits(
            init_seconds=hub.settings.socket_init_seconds,
            idle_seconds=hub.settings.socket_idle_seconds,
        ),
        documents=found,
        leaving=hub.leaving.wait,
        origins=origins_of(hub.settings),
    )
    view = execution.GraphQLView(
        built,
        hub.context,
        around=execution.Surroundings(hub.edition, hub.charge, hub.clock),
        documents=found,
        said=header.headers(hub.settings.hsts_seconds),
        # What is sent past the answers to other sites' pages is another where such a page asks.
        past=((b"vary", b"origin"),) if origins_of(hub.settings) else (),
        page=execution.ASSETS if hub.settings.ide else None,
        streams=execution.Streams(live, seats=seats),
    )

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, object]]:
        following = asyncio.create_task(hub.follow())
        sharing = asyncio.create_task(hub.board.follow())
        # A proxy says of each request where it comes from: that is looked at where it is asked.
        yield {} if hub.settings.trusted_proxies else {protocol.INSTANT: {"/graphql": view.instant}}
        await live.settled()
        sharing.cancel()
        hub.stop_following()
        await asyncio.wait([following, sharing])
        await hub.close()

    routes: list[BaseRoute] = [
        Route("/graphql", view),
        WebSocketRoute("/graphql", socket),
        Route("/schema.graphql", PlainTextResponse(schema.SDL.read_text(encoding="utf-8"))),
        Route(form.PATH, JSONResponse(form.schema(kinds()))),
        *verify.routes(built, hub.context),
        *wellknown.routes(hub.authority, hub.notary.jwks),
        *log.routes(hub.authority),
        *tokens.routes(hub.authority, hub.settings.client_cert_header),
        *lists.routes(hub.lists),
        *portable.routes(hub.authority),
        Route("/healthz", JSONResponse({"alive": True})),
        Route("/readyz", partial(_readyz, hub)),
        Route("/metrics", hub.metrics.answer),
        Route("/", RedirectResponse("/graphql")),
    ]
    if hub.settings.demo:
        routes += pages.routes()
    if hub.settings.ide and execution.ASSETS.is_dir():
        routes.append(Mount(execution.ASSETS_URL, StaticFiles(directory=execution.ASSETS)))
    said = header.headers(hub.settings.hsts_seconds)
    rest = header.Polite(Starlette(routes=routes, lifespan=lifespan), said)
    return _ahead(header.shared(view, origins_of(hub.settings)), rest)


def documents_of(hub: Hub, built: execution.Schema) -> documents.Documents:
    """Return what finds the documents that requests of a hub name; the log hears of broken ones."""
    review = Review(built.graph, built.bounds)

    async def hear(published: Sequence[Sent]) -> None:
        names = {name for one in published for name in review.operations(one.text)}
        hub.measures.names = frozenset(names)
        await documents.warn(review, published)

    hub.published.heard = hear
    trusted_only = hub.settings.documents is Trust.TRUSTED
    return documents.Documents(hub.published, review.holds, trusted_only=trusted_only)


def _ahead(view: ASGIApp, rest: ASGIApp) -> ASGIApp:
    """Return an application that asks the graph first: what is asked most passes the least."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        is_graphs = scope["type"] == "http" and scope["path"] == "/graphql"
        await (view if is_graphs else rest)(scope, receive, send)

    return app


async def _readyz(hub: Hub, _: Request) -> Response:
    """Answer whether queries can be answered: of partners, only whether their files are read."""
    why = await _missing(hub)
    if why or hub.catalogue is None:
        return JSONResponse({"ready": False, "why": why}, status_code=503)
    return JSONResponse({"ready": True, "menu": hub.catalogue.revision})


async def _missing(hub: Hub) -> str:
    """Return the first thing for want of which a query would fail; nothing, where none would."""
    if hub.leaving.is_set():
        return "draining"
    try:
        async with asyncio.timeout(_READY_SECONDS):
            behind = await hub.database.is_behind()
    except Exception:
        _log.exception("the database does not answer")
        return "database"
    wanting = {
        "migrations": behind,
        "menu": hub.catalogue is None,
        "partners": hub.partners.registry is None,
    }
    return next((one for one, is_so in wanting.items() if is_so), "")


# ── the demo ─────────────────────────────────────────────────────────────────────────────────


async def prepare(settings: Settings, people: int | None = None, clock: Clock = _now) -> None:
    """Bring schema, menu and demo people in place; ``people`` replaces those there are.

    Raises:
        MistakesError: the menu folder has mistakes; what was published before stays in force.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    async with _open(settings) as database:
        await database.upgrade()
        try:
            known = partial(_capabilities, settings, await partner_files.installed(database))
            await publication.publish(database, settings.menu, known, clock())
        except errors.MenuAheadError as ahead:
            # What officers published is no reason not to start; what is in force stays so.
            _log.warning("%s %s", ahead.sentence, ahead.hint)
        async with database.session() as session:
            empty = not await talent.count(session, talent.Filter())
        if people is not None or empty:
            today = clock().astimezone(ZONE).date()
            await demo.build(database, people or demo.PEOPLE, today)


@contextlib.contextmanager
def sandbox_running(settings: Settings) -> Iterator[Callable[[], None]]:
    """Run the sandbox's systems beside the hub, and stop them with it.

    Yields what waits until they answer, and raises HubError where they do not start.
    """
    port = str(settings.sandbox_port)
    with subprocess.Popen(  # noqa: S603 - our own module, our own arguments
        [sys.executable, "-m", "sandbox", "--port", port, "--while-stdin"],
        cwd=configuration.HOME,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:

        def wait() -> None:
            if process.stdout is None or not process.stdout.readline():
                raise errors.HubError(
                    f"The sandbox did not start on ports {settings.sandbox_port} and above.",
                    "Free them, or set GREENWAY_SANDBOX_PORT.",
                )

        try:
            yield wait
        finally:
            process.terminate()
            process.wait(_SANDBOX_SECONDS)


def _capabilities(settings: Settings, installed: Iterable[File] = ()) -> publication.Capabilities:
    """Return what may be asked of each partner that has a file, sandbox ones included."""
    workshop = workshop_of(replace(settings, demo=True), http.HTTPClient(), _now)
    known = workshop.load(_partner_folders(settings), installed)
    return {slug: partner.capabilities for slug, partner in known.partners.items()}


def _welcome(settings: Settings, till_key: str) -> str:
    """Return one screen: what to open, which tokens to paste."""
    place = f"http://{settings.host}:{settings.port}"
    people = {
        "a returnee, with a card": (Role.HOLDER, demo.handle(demo.RETURNEE)),
        "a pilot, with a card and two children": (Role.HOLDER, demo.handle(demo.PILOT)),
        "an officer, who sees everybody": (Role.OFFICER, "demo-officer"),
    }
    tokens = [
        f"  {who}:\n  {development_token(settings, role, subject)}"
        for who, (role, subject) in people.items()
    ]
    return "\n".join(
        [
            "",
            f"Greenway  {place}/graphql   open it in a browser, or send queries there",
            f"  the schema {place}/schema.graphql   health {place}/readyz   {place}/metrics",
            f"  partners to break: http://127.0.0.1:{settings.sandbox_port}/systems",
            "",
            'Paste as a header { "Authorization": "Bearer <token>" }; each lasts a day:',
            *tokens,
            *([f"  {demo.VERIFIERS[0].name}, which checks cards:\n  {till_key}"] * bool(till_key)),
            "  others that check cards: greenway verifier list, greenway verifier key --help",
            "",
            "The member's home page in one query is in docs/querying.md. Ctrl-C stops everything.",
        ]
    )


# ── the command line ─────────────────────────────────────────────────────────────────────────

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="The talent hub.")


@cli.callback()
def with_settings(context: typer.Context) -> None:
    """The talent hub."""
    context.obj = means


@cli.command()
def serve() -> None:
    """Run the hub. With GREENWAY_DEMO=1: with menu, demo people and sandbox partners."""
    settings = configuration.read()
    _log_to_stderr(settings)
    # What was begun is ended on either signal: by itself, SIGTERM would leave the sandbox running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket_of(settings))
        welcome = ""
        if settings.demo:
            sandbox_answers = stack.enter_context(sandbox_running(settings))
            asyncio.run(prepare(settings))
            asyncio.run(_testers(settings))
            till_key = asyncio.run(_tills(settings))
            sandbox_answers()
            welcome = _welcome(settings, till_key)
        run(settings, listening, welcome)


def run(settings: Settings, listening: socket.socket, welcome: str = "") -> None:
    """Run the hub on a socket until it is told to end; ``welcome`` is printed once it listens."""
    config = uvicorn.Config(
        "server:application",
        factory=True,
        workers=settings.processes,
        http=_crowd(settings).protocol(),
        ws=frame.Sockets(settings.head_seconds).protocol(),
        # A warning is what anybody may cause: there is no line for each bad request.
        log_level="error",
        # Its lines are written as ours are.
        log_config=None,
        access_log=False,
        server_header=False,
        ws_max_size=execution.SocketLimits().message_bytes,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=proxies_of(settings),
        timeout_graceful_shutdown=_GRACE_SECONDS,
        # On a busy machine a process takes long to load what it is made of, and is not hung.
        timeout_worker_healthcheck=_LOADING_SECONDS,
    )
    if settings.processes == 1:
        _Server(config, welcome).run([listening])
    else:
        typer.echo(welcome)
        Multiprocess(config, [listening]).run()


def application() -> Leaving:
    """Return the ASGI application of a process: a hub of its own, from the environment."""
    settings = configuration.read()
    _log_to_stderr(settings)
    hub = Hub(settings)
    return Leaving(app(hub), settings.leaving_seconds, hub.drain)


def _crowd(settings: Settings) -> protocol.Crowd:
    """Return the bounds of connections, as the settings say."""
    return protocol.Crowd(
        protocol.Bounds(
            head_seconds=settings.head_seconds,
            head_bytes=settings.head_bytes,
            idle_seconds=settings.idle_seconds,
            connections=settings.connections,
            each=settings.connections_per_address,
            proxies=proxies_of(settings),
        )
    )


def proxies_of(settings: Settings) -> list[str]:
    """Return whose word is taken for where a request comes from: addresses and networks.

    Raises:
        HubError: one of them is neither.
    """
    try:
        found = [one.strip() for one in settings.trusted_proxies.split(",") if one.strip()]
        return [str(ip_network(one)) for one in found]
    except ValueError as wrong:
        sentence = f"GREENWAY_TRUSTED_PROXIES: {wrong}."
        raise errors.HubError(sentence, "See docs/operating.md.") from wrong


def origins_of(settings: Settings) -> tuple[str, ...]:
    """Return whose pages may ask the graph.

    Raises:
        HubError: one of them is no origin.
    """
    found = tuple(one.strip() for one in settings.cors_origins.split(",") if one.strip())
    for one in found:
        url = urlsplit(one)
        if one != "*" and (one != f"{url.scheme}://{url.netloc}" or not url.netloc):
            sentence = f"GREENWAY_CORS_ORIGINS: “{errors.shown(one)}” is no origin."
            raise errors.HubError(sentence, "Write `https://app.example`, without a path, or `*`.")
    return found


def _log_to_stderr(settings: Settings) -> None:
    # The level is for our own words: what libraries say at length spells out whom a query is about.
    lines = logging.StreamHandler()
    lines.setFormatter(settings.log_format.formatter())
    logging.basicConfig(handlers=[lines])
    _log.setLevel(settings.log_level)


def socket_of(settings: Settings) -> socket.socket:
    """Return the socket to serve on, taken before anything else is begun.

    Raises:
        HubError: it cannot be had.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as wrong:
        raise errors.HubError(
            f"The hub cannot listen on {settings.host}:{settings.port}: {wrong.strerror}.",
            "Free the port, or set GREENWAY_PORT.",
        ) from wrong


class _Server(uvicorn.Server):
    """A server that says what to open once it listens."""

    def __init__(self, config: uvicorn.Config, welcome: str) -> None:
        super().__init__(config)
        self._welcome = welcome

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            typer.echo(self._welcome)


def _demo_settings() -> Settings:
    """Return the settings of demo mode.

    Raises:
        HubError: it is off; neither tokens nor people may be made up then.
    """
    settings = configuration.read()
    if not settings.demo:
        raise errors.HubError("This is for demo mode only.", "Set GREENWAY_DEMO=1.")
    return settings


@cli.command(name="demo")
def demo_anew(
    people: Annotated[int, typer.Option(min=1, help="How many people.")] = demo.PEOPLE,
) -> None:
    """Make the demo data anew: schema, menu, and this many plainly fictitious people."""
    asyncio.run(prepare(_demo_settings(), people))
    asyncio.run(_testers(_demo_settings()))
    asyncio.run(_tills(_demo_settings()))
    typer.echo(f"{people} demo people are in place.")


async def _testers(settings: Settings) -> int:
    async with _open(settings) as database:
        return await tester.build(database, _now())


async def _tills(settings: Settings) -> str:
    """Register the demo's verifiers, unless there are any; return a key of the first, if it has."""
    text = _kept(settings.data / "till-key", lambda: api_key.new(live=True))
    async with _open(settings) as database:
        services = (await menu.newest(database)).services
        directory = Directory(database)
        if not await enrolment.everybody(directory):
            for one in demo.VERIFIERS:
                await enrolment.register(directory, one, services, _now())
            key = enrolment.api(text, _now())
            await enrolment.keep(directory, demo.VERIFIERS[0].code, key)
        await directory.refreshed()
        return text if api_key.read(text).id in directory.keys else ""


@cli.command(name="token")
def print_token(
    role: Annotated[Role, typer.Argument(help="In which role.")],
    subject: Annotated[
        str, typer.Option(help="Whom it is for: a handle, a partner's code, a login.")
    ] = "",
    person: Annotated[int, typer.Option(min=1, help="For a holder: the demo person's number.")] = 1,
    days: Annotated[int, typer.Option(help="How long it lasts; -1 has expired.")] = 1,
) -> None:
    """Print a token of the development issuer; refused outside demo mode."""
    settings = _demo_settings()
    holder = demo.handle(person) if role is Role.HOLDER else f"demo-{role}"
    typer.echo(development_token(settings, role, subject or holder, days))


cli.add_typer(commands.app)


def main() -> None:
    """Run the command line; an error of ours is its sentence, never a traceback."""
    try:
        cli()
    except errors.GreenwayError as wrong:
        typer.echo(f"{wrong.sentence} {wrong.hint}".strip(), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()

"""The composition root: settings become a hub, a hub a server; the command line ends here."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import hashlib
import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import unquote, urlsplit

import prometheus_client
import typer
import uvicorn
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from prometheus_client.core import (
    CollectorRegistry,
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from uvicorn.supervisors import Multiprocess

import schema
import settings as configuration
from connectors import command, egress, form, http
from connectors.board import Board
from connectors.issuer import Issuer
from connectors.registry import PARTNERS, File, Registry, Watch, Workshop, kinds
from credentials import api_key, certificate, key_store, keyring, token
from credentials.keyring import Key, Keyring, Purpose
from credentials.pseudonym import Pseudonyms
from credentials.receipt import Notary
from credentials.trust import Entry
from endpoints import credential as portable
from endpoints import ledger as log
from endpoints import page as pages
from endpoints import request as requests
from endpoints import status as lists
from endpoints import token as tokens
from endpoints import verify, wellknown
from models import demo, errors, talent, tester, text
from models.database import Database
from models.verifier import KeySort, Kind, Profile, Scope
from resolvers import (
    audit,
    enrolment,
    issuer,
    ledger,
    menu,
    neighbour,
    publication,
    standing,
    verifier,
)
from resolvers import partner as partner_files
from resolvers.authority import Authority
from resolvers.context import ZONE, Context
from resolvers.directory import Directory
from resolvers.impact import WAYS, Impact, Part
from resolvers.issuer import Trusted
from resolvers.key import Keys, Store
from resolvers.limit import Limits
from resolvers.plan import Mode
from resolvers.status import Lists
from resolvers.viewer import Door, Role, Viewer
from resolvers.webhook import Courier
from sandbox import secret, system
from schema import execution
from settings import Settings

SDL = configuration.HOME / "schema" / "schema.graphql"
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
FAULT_HEADER = "x-greenway-fault"

_LOOK_SECONDS = 0.5
_FORGET_SECONDS = 60.0
#: Objects made before a first look, and looks before the next wider one; Python's own: 700, 10, 10.
_COLLECTOR = (5_000, 10, 5)
_SANDBOX_SECONDS = 10.0
#: By how much gathering the standing yields to whatever else runs on the machine.
_NICE = 10
_log = logging.getLogger("greenway")

Clock = Callable[[], datetime]
T = TypeVar("T")


def _now() -> datetime:
    return datetime.now(UTC)


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
        self.keeper = standing.Keeper(self.database, self.gathering.start)
        self.catalogue: menu.Catalogue | None = None
        self.courier = Courier(self.authority, self.client, lambda: self.catalogue)
        self._closing = asyncio.Event()

    async def asking(self, request: Request, body: bytes) -> Viewer:
        """Return who sent a request with this body.

        Raises:
            UnauthenticatedError: what it shows does not hold.
        """
        shown = requests.shown(
            request, body, self.authority.issuer, self.settings.client_cert_header
        )
        if not shown.by_verifier:
            return await self.door.viewer(request.headers.get("authorization"), self.clock())
        await self.authority.begun()
        return verifier.viewer(self.authority, shown, self.clock())

    async def context(
        self, request: Request, plan: str | None = None, body: bytes = b""
    ) -> Context:
        """Return the context of one query, with a plan where one is asked for: ``only``, ``with``.

        Raises:
            UnauthenticatedError: what the request shows does not hold.
            BadInputError: somebody of the sandbox asks for faults that there are not.
            MenuMissingError: nothing has been published yet.
        """
        now = self.clock()
        viewer = await self.asking(request, body)
        if self.catalogue is None:
            self.catalogue = await menu.newest(self.database)
        await self.authority.begun()
        return Context.of(
            viewer=viewer,
            languages=text.wanted(request.headers.get("accept-language")),
            now=now,
            database=self.database,
            registry=(await self.partners.current()).begun(),
            catalogue=self.catalogue,
            notary=self.notary,
            authority=self.authority,
            deadline=asyncio.get_running_loop().time() + self.settings.deadline_seconds,
            keeper=self.keeper,
            faults=request.headers.get(FAULT_HEADER, ""),
            plan=Mode(plan) if plan else None,
        )

    async def follow(self) -> None:
        """Keep what is newest in force; a database that is away changes nothing.

        None of them waits for another.
        """
        await asyncio.gather(
            self._keep("menu", self._take_menu),
            self._keep("partners", self.partners.refreshed),
            self._keep("verifiers and keys", self.authority.refreshed),
            self._keep("used proofs", partial(verifier.forget, self.authority), _FORGET_SECONDS),
            self._keep("status lists", self.lists.refreshed),
            self._keep("webhooks", self.courier.refreshed),
            self._keep("ledger", partial(ledger.sequence, self.authority)),
        )

    async def _keep(
        self, what: str, take: Callable[[], Awaitable[object]], seconds: float = _LOOK_SECONDS
    ) -> None:
        while not self._closing.is_set():
            try:
                await take()
            except errors.MenuMissingError:
                _log.debug("no menu has been published yet")
            except Exception:
                _log.exception("the %s could not be refreshed; what was stays in force", what)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), seconds)

    async def _take_menu(self) -> None:
        found = await self._newest()
        if found is not self.catalogue:
            self.catalogue = found
            _spare_the_collector()

    async def _newest(self) -> menu.Catalogue:
        if self.catalogue is None:
            return await menu.newest(self.database)
        return await menu.refreshed(self.database, self.catalogue)

    def stop_following(self) -> None:
        """Let ``follow`` end by itself: cut off in a query, it would leave a connection."""
        self._closing.set()

    async def close(self) -> None:
        """End every connection."""
        self.gathering.stop()
        await self.client.close()
        await self.courier.settled()
        await self.board.close()
        await self.database.close()


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
    return {**secret.VALUES, **given} if settings.demo else given


def _partner_folders(settings: Settings) -> list[Path]:
    return [PARTNERS] if settings.partners is None else [PARTNERS, settings.partners]


def bench() -> command.Bench:
    """Return what commands about partner files work with, as the settings say."""
    settings = configuration.read()
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
        for place, name in enumerate(system.ROUTES, start=1)
    }


def _keys(
    settings: Settings, client: http.HTTPClient, clock: Clock
) -> Callable[[str], Awaitable[token.Key | None]]:
    """Return what finds the keys that tokens are signed with."""
    if settings.issuer:
        return Issuer(client, settings.issuer, clock).key
    known = development_key(settings) if settings.demo else None

    async def key(key_id: str) -> token.Key | None:
        return known if known is not None and known.kid == key_id else None

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


def app(hub: Hub) -> Starlette:
    """Return the ASGI application of a hub."""
    built = schema.build_schema(introspection=hub.settings.introspection)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        following = asyncio.create_task(hub.follow())
        sharing = asyncio.create_task(hub.board.follow())
        yield
        sharing.cancel()
        hub.stop_following()
        await asyncio.wait([following, sharing])
        await hub.close()

    routes: list[BaseRoute] = [
        Route("/graphql", execution.GraphQLView(built, hub.context, page=hub.settings.ide)),
        Route("/schema.graphql", PlainTextResponse(SDL.read_text(encoding="utf-8"))),
        Route(form.PATH, JSONResponse(form.schema(kinds()))),
        *verify.routes(built, hub.context),
        *wellknown.routes(hub.authority, hub.notary.jwks),
        *log.routes(hub.authority),
        *tokens.routes(hub.authority, hub.settings.client_cert_header),
        *lists.routes(hub.lists),
        *portable.routes(hub.authority),
        Route("/healthz", JSONResponse({"alive": True})),
        Route("/readyz", partial(_readyz, hub)),
        Route("/metrics", partial(_metrics, _metrics_of(hub))),
        Route("/", RedirectResponse("/graphql")),
    ]
    if hub.settings.demo:
        routes += pages.routes()
    if hub.settings.ide and execution.ASSETS.is_dir():
        routes.append(Mount(execution.ASSETS_URL, StaticFiles(directory=execution.ASSETS)))
    return Starlette(routes=routes, lifespan=lifespan)


async def _readyz(hub: Hub, _: Request) -> Response:
    """Answer whether queries can be answered: of partners, only whether their files are read."""
    try:
        await hub.database.ping()
    except Exception:
        _log.exception("the database does not answer")
        return JSONResponse({"ready": False, "why": "database"}, status_code=503)
    if hub.catalogue is None:
        return JSONResponse({"ready": False, "why": "menu"}, status_code=503)
    if hub.partners.registry is None:
        return JSONResponse({"ready": False, "why": "partners"}, status_code=503)
    return JSONResponse({"ready": True, "menu": hub.catalogue.revision})


async def _metrics(found: CollectorRegistry, _: Request) -> Response:
    body = prometheus_client.generate_latest(found)
    return Response(body, media_type=prometheus_client.CONTENT_TYPE_LATEST)


def _metrics_of(hub: Hub) -> CollectorRegistry:
    found = CollectorRegistry()
    found.register(_PartnerMetrics(hub.partners))
    prometheus_client.ProcessCollector(registry=found)
    return found


class _PartnerMetrics(Collector):
    """Each partner's health, read when somebody asks."""

    def __init__(self, partners: partner_files.Partners) -> None:
        self._partners = partners

    def collect(self) -> Iterable[Metric]:
        calls = CounterMetricFamily(
            "greenway_partner_calls", "HTTP exchanges with a partner.", labels=["partner"]
        )
        asked = CounterMetricFamily(
            "greenway_partner_asks", "Times a partner was asked.", labels=["partner"]
        )
        failed = CounterMetricFamily(
            "greenway_partner_failures", "Times a partner was asked in vain.", labels=["partner"]
        )
        breaker = GaugeMetricFamily(
            "greenway_partner_breaker", "1 for a breaker's state.", labels=["partner", "state"]
        )
        registry = self._partners.registry
        for slug, partner in registry.partners.items() if registry else ():
            health = partner.health()
            calls.add_metric([slug], health.calls)
            asked.add_metric([slug], health.asked)
            failed.add_metric([slug], health.failed)
            breaker.add_metric([slug, health.state], 1)
        set_aside = GaugeMetricFamily(
            "greenway_partners_set_aside",
            "Partner files with mistakes.",
            value=len(registry.set_aside) if registry else 0,
        )
        return [calls, asked, failed, breaker, set_aside]


# ── the demo ─────────────────────────────────────────────────────────────────────────────────


async def prepare(settings: Settings, people: int | None = None, clock: Clock = _now) -> None:
    """Bring schema, menu and demo people in place; ``people`` replaces those there are.

    Raises:
        MistakesError: the menu folder has mistakes; what was published before stays in force.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_url)
    try:
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
    finally:
        await database.close()


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
menu_cli = typer.Typer(no_args_is_help=True, help="The service menu.")
cli.add_typer(menu_cli, name="menu")
verifier_cli = typer.Typer(no_args_is_help=True, help="Partners that check cards.")
cli.add_typer(verifier_cli, name="verifier")
audit_cli = typer.Typer(no_args_is_help=True, help="The log of receipts, gone through.")
cli.add_typer(audit_cli, name="audit")
keys_cli = typer.Typer(no_args_is_help=True, help="Signing keys.")
cli.add_typer(keys_cli, name="keys")
districts_cli = typer.Typer(no_args_is_help=True, help="Districts whose cards count here.")
cli.add_typer(districts_cli, name="districts")


@cli.callback()
def with_settings(context: typer.Context) -> None:
    """The talent hub."""
    context.obj = bench


cli.add_typer(command.app, name="connectors")


@cli.command()
def serve() -> None:
    """Run the hub. With GREENWAY_DEMO=1: with menu, demo people and sandbox partners."""
    settings = configuration.read()
    _log_to_stderr(settings)
    # What was begun is ended on either signal: by itself, SIGTERM would leave the sandbox running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(_listening(settings))
        welcome = ""
        if settings.demo:
            sandbox_answers = stack.enter_context(sandbox_running(settings))
            asyncio.run(prepare(settings))
            asyncio.run(_testers(settings))
            till_key = asyncio.run(_tills(settings))
            sandbox_answers()
            welcome = _welcome(settings, till_key)
        config = uvicorn.Config(
            "server:application",
            factory=True,
            workers=settings.processes,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        if settings.processes == 1:
            _Server(config, welcome).run([listening])
        else:
            typer.echo(welcome)
            Multiprocess(config, [listening]).run()


def application() -> Starlette:
    """Return the ASGI application of a process: a hub of its own, from the environment."""
    settings = configuration.read()
    _log_to_stderr(settings)
    return app(Hub(settings))


def _log_to_stderr(settings: Settings) -> None:
    # The level is for our own words: what libraries say at length spells out whom a query is about.
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    _log.setLevel(settings.log_level)


def _listening(settings: Settings) -> socket.socket:
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


@cli.command()
def migrate() -> None:
    """Bring the database's schema to the newest revision."""

    async def run() -> None:
        database = Database(configuration.read().database_url)
        try:
            await database.upgrade()
        finally:
            await database.close()

    asyncio.run(run())


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


@cli.command(name="testers")
def add_testers() -> None:
    """Add the test people, whose test cards are all that a partner's test keys see."""
    added = asyncio.run(_testers(configuration.read()))
    typer.echo(f"Test people added: {added}, of {len(tester.TESTERS)}. Their cards:")
    for number in range(1, len(tester.TESTERS) + 1):
        typer.echo(f"  {tester.serial(number)}")


async def _testers(settings: Settings) -> int:
    database = Database(settings.database_url)
    try:
        return await tester.build(database, _now())
    finally:
        await database.close()


async def _tills(settings: Settings) -> str:
    """Register the demo's verifiers, unless there are any; return a key of the first, if it has."""
    text = _kept(settings.data / "till-key", lambda: api_key.new(live=True))
    database = Database(settings.database_url)
    try:
        services = (await menu.newest(database)).services
        directory = Directory(database)
        if not await enrolment.everybody(directory):
            for one in demo.VERIFIERS:
                await enrolment.register(directory, one, services, _now())
            key = enrolment.api(text, _now())
            await enrolment.keep(directory, demo.VERIFIERS[0].code, key)
        await directory.refreshed()
        return text if api_key.read(text).id in directory.keys else ""
    finally:
        await database.close()


@cli.command(name="standing")
def gather_standing(
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day; today, if not given.")
    ] = None,
) -> None:
    """Gather everybody's facts as they stand on a day, which lists and counts of people read."""
    settings = configuration.read()
    day = on.date() if on else _now().astimezone(ZONE).date()
    # Whoever waits for the hub comes first; and what is read makes no cycles to be looked for.
    os.nice(_NICE)
    gc.disable()

    async def run() -> int | None:
        database = Database(settings.database_url)
        try:
            return await standing.make(database, day)
        finally:
            await database.close()

    began = time.monotonic()
    with _alone(settings) as is_alone:
        many = asyncio.run(run()) if is_alone else None
    if many is None:
        raise errors.HubError("Another process gathers it already.", "Wait for that one.")
    took = time.monotonic() - began
    typer.echo(f"The standing of {many} people on {day} is there, after {took:.1f} s.")


@contextlib.contextmanager
def _alone(settings: Settings) -> Iterator[bool]:
    """Say whether no other process of this machine, with this data, is in here as well."""
    settings.data.mkdir(parents=True, exist_ok=True)
    with (settings.data / "standing.lock").open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


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


@cli.command(name="schema")
def print_schema(
    *, write: Annotated[bool, typer.Option(help="Write schema/schema.graphql instead.")] = False
) -> None:
    """Print the contract in SDL."""
    if write:
        SDL.write_text(schema.sdl(), encoding="utf-8")
    else:
        typer.echo(schema.sdl(), nl=False)


@menu_cli.command(name="check")
def menu_check() -> None:
    """Check the menu folder; print every mistake with its file, line and path."""
    settings = configuration.read()
    found = publication.read(settings.menu, _capabilities(settings))
    typer.echo(f"{len(found.services)} services in {len(found.categories)} categories: no mistake.")


@menu_cli.command(name="publish")
def menu_publish(
    *,
    replace: Annotated[
        bool, typer.Option(help="Undo what was published through the endpoint.")
    ] = False,
) -> None:
    """Check the menu folder and publish it whole; every hub process has it within a second."""

    async def run() -> tuple[int, bool]:
        settings = configuration.read()
        database = Database(settings.database_url)
        try:
            known = partial(_capabilities, settings, await partner_files.installed(database))
            return await publication.publish(
                database, settings.menu, known, _now(), replace=replace
            )
        finally:
            await database.close()

    revision, is_new = asyncio.run(run())
    typer.echo(f"Revision {revision} {'is published' if is_new else 'was in force already'}.")


@menu_cli.command(name="preview")
def menu_preview(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Say what publishing the menu folder would do to people: who gains, who loses."""
    # Polars and everybody's facts are more than a hub may hold: this command alone loads them.
    from resolvers import population  # noqa: PLC0415 - as said above

    settings = configuration.read()
    today = _now().astimezone(ZONE).date()

    async def run() -> list[Impact]:
        database = Database(settings.database_url)
        try:
            known = _capabilities(settings, await partner_files.installed(database))
            found = publication.read(settings.menu, known)
            return await population.preview(database, found, today)
        finally:
            await database.close()

    impacts = asyncio.run(run())
    if as_json:
        plain = [one.plain() for one in impacts]
        typer.echo(json.dumps({"asOf": today.isoformat(), "services": plain}, indent=2))
        return
    typer.echo(f"Services whose rule would change: {len(impacts)}; people as of {today}.")
    for one in impacts:
        typer.echo("\n".join(_told(one)))


def _told(found: Impact) -> Iterator[str]:
    """Yield what becomes of one service's people, line by line; `-` is not told."""
    plain = found.plain()
    before, after = plain["before"], plain["after"]
    yield f"\n{found.service}"
    yield "  " + ", ".join(
        f"{said} {before[key]} → {after[key]}"
        for said, key in (
            ("eligible", "eligible"),
            ("ineligible", "ineligible"),
            ("needs facts", "needsFacts"),
        )
    )
    for said, key in (("asks for anew", "asks"), ("no longer asks for", "drops")):
        if plain[key]:
            yield f"  {said}: {', '.join(plain[key])}"
    heads = ("people", *WAYS)
    yield "  " + "".join(f"{head.replace('_', ' '):>17}" for head in heads)
    for group, parts in (
        ("", [Part(("everybody",), found.tally)]),
        ("class", found.by_class),
        ("industry", found.by_industry),
        ("district", found.by_district),
    ):
        for part in parts:
            cells = (part.tally.people, *part.told.values())
            row = "".join(f"{'-' if cell is None else cell:>17}" for cell in cells)
            yield f"  {row}  {group} {', '.join(part.names)}".rstrip()


@menu_cli.command(name="pull")
def menu_pull() -> None:
    """Take what was published through the endpoint since into the menu folder."""

    async def run() -> list[str]:
        settings = configuration.read()
        database = Database(settings.database_url)
        try:
            return await publication.pull(database, settings.menu)
        finally:
            await database.close()

    typer.echo(f"Taken into the folder: {', '.join(asyncio.run(run())) or 'nothing'}.")


def _with_directory(act: Callable[[Directory], Awaitable[T]]) -> T:
    async def run() -> T:
        database = Database(configuration.read().database_url)
        try:
            return await act(Directory(database))
        finally:
            await database.close()

    return asyncio.run(run())


Code = Annotated[str, typer.Argument(help="The verifier's code.")]


@verifier_cli.command(name="register")
def register_verifier(
    code: Code,
    *,
    name: Annotated[str, typer.Option(help="Its name, as holders read it.")],
    contact: Annotated[str, typer.Option(help="Whom holders turn to there.")],
    kind: Annotated[Kind, typer.Option(help="What sort of partner it is.")],
    tier: Annotated[int, typer.Option(help="How it must show itself: 1, 2 or 3.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; once for each.")],
    service: Annotated[list[str], typer.Option(help="A service it asks about; once for each.")],
) -> None:
    """Register a partner that checks cards; `greenway verifier key` gives it its first key."""
    profile = Profile(code, name, contact, kind, tier, tuple(scope), tuple(service))

    async def act(directory: Directory) -> None:
        services = (await menu.newest(directory.database)).services
        await enrolment.register(directory, profile, services, _now())

    _with_directory(act)
    typer.echo(f"{code} is registered.")


@verifier_cli.command(name="key")
def add_verifier_key(
    code: Code,
    *,
    test: Annotated[bool, typer.Option(help="For test cards alone.")] = False,
    jwk: Annotated[
        Path | None, typer.Option(help="A file with a public P-256 key as a JWK.")
    ] = None,
    cert: Annotated[Path | None, typer.Option(help="A file with a certificate, in PEM.")] = None,
) -> None:
    """Give a verifier a key: the JWK or certificate named, else an API key, printed once."""
    new = enrolment.NewKey(KeySort.API_KEY, live=not test)
    if jwk is not None:
        new = replace(new, sort=KeySort.JWK, public=_text_of(jwk))
    elif cert is not None:
        new = replace(new, sort=KeySort.CERTIFICATE, name=certificate.of_pem(_text_of(cert)))
    key, secret = _with_directory(lambda all_: enrolment.add_key(all_, code, new, _now()))
    typer.echo(secret or f"The key {key.name} of {code} counts.")


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        raise errors.HubError(f"{path} cannot be read.") from None


@verifier_cli.command(name="end-key")
def end_verifier_key(
    code: Code, name: Annotated[str, typer.Argument(help="The key's public name.")]
) -> None:
    """End a key of a verifier, for good."""
    _with_directory(lambda all_: enrolment.end_key(all_, code, name, _now()))
    typer.echo(f"The key {name} of {code} counts no more.")


@verifier_cli.command(name="suspend")
def suspend_verifier(code: Code) -> None:
    """Hear a verifier no more, in any process, from a second on."""
    _with_directory(lambda all_: enrolment.suspend(all_, code, _now()))
    typer.echo(f"{code} is suspended.")


@verifier_cli.command(name="resume")
def resume_verifier(code: Code) -> None:
    """Hear a verifier again, by the keys it had."""
    _with_directory(lambda all_: enrolment.resume(all_, code))
    typer.echo(f"{code} is heard again.")


@verifier_cli.command(name="list")
def list_verifiers() -> None:
    """List the verifiers, with the keys that count."""
    for one in _with_directory(enrolment.everybody):
        row = one.row
        state = "suspended" if row.suspended_at else f"tier {row.tier}"
        typer.echo(f"{row.code}: {row.name}, {row.kind}, {state}, {' '.join(row.scopes)}")
        for key in one.keys:
            if key.ended_at is None:
                typer.echo(f"  {key.sort} {key.name}{'' if key.live else ', for test cards'}")


@contextlib.asynccontextmanager
async def _standing_authority() -> AsyncIterator[Authority]:
    """Open what cards are issued and checked with, as the settings say."""
    settings = configuration.read()
    database = Database(settings.database_url)
    async with http.HTTPClient(allow=_allowed(settings, {})) as client:
        try:
            found = authority_of(settings, database, client, _now)
            await found.begun()
            yield found
        finally:
            await database.close()


@audit_cli.command(name="verify")
def audit_verify() -> None:
    """Go through all checks, the log and its heads; name whatever is not as it was, and exit 1."""

    async def run() -> audit.Tally:
        async with _standing_authority() as found, found.database.session() as session:
            one = audit.Audit(found.keys.ring)
            async for finding in one.findings(session):
                typer.echo(finding)
            return one.tally

    tally = asyncio.run(run())
    typer.echo(
        f"{tally.checks} checks ({tally.erased} of erased people), {tally.leaves} leaves, "
        f"{tally.heads} heads: {tally.findings or 'no'} finding{'s' * (tally.findings != 1)}."
    )
    if tally.findings:
        raise typer.Exit(1)


@audit_cli.command(name="erase")
def audit_erase(
    holder: Annotated[str, typer.Option(help="The person's handle.")],
) -> None:
    """Forget of whom the checks of a person were; the log stands."""

    async def run() -> int:
        async with _standing_authority() as found:
            return await audit.erase(found, holder)

    typer.echo(f"Checks that are of nobody now: {asyncio.run(run())}.")


@audit_cli.command(name="cosign")
def audit_cosign(
    url: Annotated[str, typer.Argument(help="The address of the other district's hub.")],
) -> None:
    """Sign the newest head of a neighbour's log, if it only adds to what was seen of it before."""
    url = url.rstrip("/")
    memory = configuration.read().data / "cosigned.json"
    kept = json.loads(memory.read_text(encoding="utf-8")) if memory.exists() else {}

    async def run() -> neighbour.Seen:
        before = kept.get(url)
        seen = before and neighbour.Seen(before["size"], bytes.fromhex(before["root"]))
        async with _standing_authority() as found:
            return await neighbour.cosign(found, url, seen)

    now = asyncio.run(run())
    said = json.dumps({**kept, url: {"size": now.size, "root": now.root.hex()}}, indent=2)
    new = memory.with_suffix(f".{os.getpid()}")
    new.write_text(said, encoding="utf-8")
    new.replace(memory)
    typer.echo(f"The head of {now.size} leaves of {url} is signed.")


@keys_cli.command(name="list")
def list_keys() -> None:
    """List the signing keys, with what each is for and until when."""

    async def run() -> Keyring:
        async with _standing_authority() as found:
            return found.keys.ring

    now = _now()
    for key in asyncio.run(run()).every():
        state = "compromised" if key.compromised_at else "signs" if key.signs(now) else "is shown"
        typer.echo(
            f"{key.purpose} {key.id}: {state}, signs {key.signs_from:%Y-%m-%d %H:%M} to "
            f"{key.signs_until:%Y-%m-%d %H:%M}, counts until {key.public_until:%Y-%m-%d %H:%M}"
        )


@keys_cli.command(name="rotate")
def rotate_key(
    purpose: Annotated[Purpose, typer.Argument(help="What the key is for.")],
) -> None:
    """Make the successor of a key: shown from now on, it signs in 48 hours.

    Where the keys are at GREENWAY_KEYS_URL, it is printed, private part and all, to be put there.
    """

    async def run() -> Key | None:
        async with _standing_authority() as found:
            return None if found.keys.elsewhere else await found.keys.rotated(purpose)

    if not configuration.read().keys_url:
        made = asyncio.run(run())
        typer.echo(made and f"{made.purpose} {made.id} signs from {made.signs_from:%Y-%m-%d %H:%M}")
        return
    now = _now()
    new = keyring.new(purpose, published_at=now, signs_from=now + keyring.NOTICE)
    typer.echo(json.dumps(key_store.written(new), indent=2))


@keys_cli.command(name="compromise")
def compromise_key(
    name: Annotated[str, typer.Argument(help="The key's id, as `greenway keys list` has it.")],
) -> None:
    """Take a key out of force at once: nothing it ever signed counts; its successor signs."""

    async def run() -> bool:
        async with _standing_authority() as found:
            return await found.keys.compromised(name)

    if not asyncio.run(run()):
        raise errors.HubError("There is no key so called.", "`greenway keys list` has them all.")
    typer.echo("The key counts no more. See “Signing keys” in docs/operating.md for what follows.")


@districts_cli.command(name="trust")
def trust_district(
    file: Annotated[Path, typer.Argument(help="A JSON file with what was agreed.")],
) -> None:
    """Have the cards of another district count, in place of what was agreed with it before."""
    try:
        said = json.loads(_text_of(file))
    except ValueError:
        raise errors.HubError(f"{file} is not JSON.") from None

    async def run() -> str:
        async with _standing_authority() as found:
            services = (await menu.newest(found.database)).services
            agreement = issuer.agreed(said, services, found.issuer)
            await found.issuers.trust(agreement)
            return agreement.issuer

    typer.echo(f"Cards of {asyncio.run(run())} count.")


@districts_cli.command(name="remove")
def remove_district(
    url: Annotated[str, typer.Argument(help="The address of its hub.")],
) -> None:
    """Have the cards of another district count no more, from now on."""

    async def run() -> None:
        async with _standing_authority() as found:
            await found.issuers.untrust(url.rstrip("/"))

    asyncio.run(run())
    typer.echo(f"Cards of {url} count no more.")


@districts_cli.command(name="list")
def list_districts() -> None:
    """List the districts whose cards count, with the services they open."""

    async def run() -> list[Entry]:
        async with _standing_authority() as found:
            return found.issuers.entries(_now())

    for one in asyncio.run(run()):
        typer.echo(
            f"{one.issuer}: {one.district}, {len(one.keys)} keys, "
            f"{one.begins_at:%Y-%m-%d} to {one.ends_at:%Y-%m-%d}"
        )
        typer.echo(f"  {' '.join(sorted(one.services)) or 'no service'}")


def main() -> None:
    """Run the command line; an error of ours is its sentence, never a traceback."""
    try:
        cli()
    except errors.GreenwayError as wrong:
        typer.echo(f"{wrong.sentence} {wrong.hint}".strip(), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()

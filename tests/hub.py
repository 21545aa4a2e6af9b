"""A hub as it stands in a test: real menu and demo people, sandbox systems, a clock to set."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.ext import asyncio as aio

import server
from connectors import registry
from connectors.http import HTTPClient
from credentials import token
from models import demo, menu
from models.database import Database
from resolvers import menu as catalogue
from resolvers import publication
from resolvers.viewer import Role
from sandbox import system
from settings import Settings
from tests import asgi

#: What no answer may hold, whatever went wrong: stacks, SQL, where partners are.
LEAKS = (b"Traceback", b"sqlalchemy", b"SELECT ", b"http://127.0.0.1", b"site-packages")
_copies = count(1)
NOW = datetime(2026, 11, 22, 10, tzinfo=ZoneInfo("Asia/Shanghai"))


@dataclass
class Clock:
    """Tells the time it was set to."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Standing:
    """A hub, its application, and the partner systems around it, all in this process."""

    hub: server.Hub
    clock: Clock
    systems: Mapping[str, system.System]
    #: Who asks where a question does not say.
    role: Role = Role.ANONYMOUS
    person: int = demo.RETURNEE
    app: object = field(init=False)

    def __post_init__(self) -> None:
        self.app = server.app(self.hub)

    @classmethod
    def over(
        cls,
        folder: Path,
        url: str,
        systems: Mapping[str, system.System],
        clock: Clock,
        **settings: object,
    ) -> Standing:
        """Return a hub over a database, with its partners in these systems."""
        inside = Settings(
            data=folder,
            database_url=url,
            demo=True,
            egress_allow="127.0.0.0/8",
            public_url="https://greenway.example",
            # Who is charged has less left each time, and answers say how much.
            points_per_second=0,
        )
        wanted = replace(inside, **settings)
        addresses = {name: one.url for name, one in systems.items()}
        return cls(server.Hub(wanted, clock, addresses), clock, systems)

    def asked_by(self, role: str, person: int = demo.RETURNEE) -> Standing:
        """Name who asks from now on, where a question does not say."""
        self.role, self.person = Role(role), person
        return self

    def calls(self) -> Counter[str]:
        """Return how often each partner was called since last asked, token fetches apart."""
        found: Counter[str] = Counter()
        for one in self.systems.values():
            found += Counter({name: n for name, n in one.calls.items() if "/token" not in name})
            one.calls.clear()
        return found

    def bearer(self, role: str, person: int = demo.RETURNEE) -> dict[str, str]:
        """Return the headers of somebody in a role: a holder is the demo person of a number."""
        if role == Role.ANONYMOUS:
            return {}
        subject = demo.handle(person) if role == Role.HOLDER else f"demo-{role}"
        signed = token.sign(
            server.development_key(self.hub.settings),
            token.Claims(subject, role),
            issuer=server.DEVELOPMENT_ISSUER,
            audience=self.hub.settings.audience,
            now=self.clock(),
            lifetime=timedelta(hours=1),
        )
        return {"authorization": f"Bearer {signed}"}

    async def ask(self, document, variables=None, *, viewer=None, person=None, headers=()):
        """Ask one operation in somebody's name: the test's viewer, unless one is named."""
        who = self.bearer(viewer or self.role, person or self.person)
        found = await asgi.ask(self.app, document, variables, headers={**who, **dict(headers)})
        assert not [leak for leak in LEAKS if leak in found.body]
        return found


@dataclass
class Known:
    """What hubs over copies of a furnished database need not read: the menu, our partner files."""

    catalogue: catalogue.Catalogue
    files: Mapping[object, object]

    def told(self, hub: server.Hub) -> None:
        """Tell a hub, over a copy that nobody has changed yet."""
        hub.catalogue = self.catalogue
        hub.partners._workshop._read.update(self.files)


async def furnish(folder: Path, url: str, known: Known | None = None) -> Known:
    """Put the real menu and the demo people of NOW into a database.

    Reading and checking the folder takes seconds: ``known`` is what another database was found to
    have, so that this one need not read it again.
    """
    settings = Settings(data=folder, database_url=url, demo=True)
    database = Database(url)
    if known is not None:
        await database.upgrade()
        async with database.begin() as session:
            files = publication.digest(settings.menu)
            found = known.catalogue
            menu.publish(session, found.lists, files, found.published_at)
    await server.prepare(settings, demo.PEOPLE, lambda: NOW)
    async with HTTPClient() as client:
        workshop = server.workshop_of(settings, client, lambda: NOW)
        workshop.checked(map(registry.File.at, registry.files([registry.PARTNERS]).values()))
    found = Known(await catalogue.newest(database), workshop._read)
    await database.close()
    return found


@contextlib.asynccontextmanager
async def copied(url: str, folder: Path) -> AsyncIterator[str]:
    """Copy a database that nobody has open, and give the copy's address while it lives."""
    if url.startswith("sqlite"):
        yield f"sqlite:///{shutil.copy(url.removeprefix('sqlite:///'), folder / 'hub.db')}"
        return
    name, template = f"copy_{next(_copies)}", sa.make_url(url).database
    await command(named(url, "postgres"), f"CREATE DATABASE {name} TEMPLATE {template}")
    yield named(url, name)
    await command(named(url, "postgres"), f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.asynccontextmanager
async def alone(url: str, folder: Path, known: Known) -> AsyncIterator[Standing]:
    """Run a hub over a copy of a database, for tests that change nothing and share it."""
    clock = Clock()
    async with copied(url, folder) as copy:
        systems = {name: await system.start(name, clock=clock) for name in system.ROUTES}
        one = Standing.over(folder, copy, systems, clock)
        known.told(one.hub)
        yield one
        await one.hub.close()
        for running in systems.values():
            await running.stop()


async def command(url: str, *statements: str) -> None:
    """Run statements on a PostgreSQL server, each outside a transaction."""
    address = sa.make_url(url).set(drivername="postgresql+asyncpg")
    engine = aio.create_async_engine(address, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for one in statements:
            await connection.execute(sa.text(one))
    await engine.dispose()


def named(url: str, database: str) -> str:
    """Return the address of another database of the same server."""
    return sa.make_url(url).set(database=database).render_as_string(hide_password=False)


async def eventually(question, seconds: float = 15.0) -> None:
    """Wait until an awaitable question says yes."""
    async with asyncio.timeout(seconds):
        while not await question():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.05)

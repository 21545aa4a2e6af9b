"""One running partner system: its port, its clock, its faults and the calls it counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from sandbox import bank, cinema, fault, hospital, school
from sandbox.day import SHANGHAI, Clock

ROUTES: dict[str, Callable[[Clock], list[web.RouteDef]]] = {
    "bank": bank.routes,
    "hospital": hospital.routes,
    "school": school.routes,
    "cinema": cinema.routes,
}
TENANTS: dict[str, tuple[str, ...]] = {
    "bank": tuple(bank.TENANTS),
    "hospital": tuple(hospital.TENANTS),
    "school": tuple(school.TENANTS),
    "cinema": tuple(cinema.TENANTS),
}
EVERYONE = ""


class System:
    """A running system: `calls` per tenant (tokens apart) and `faults` per tenant or EVERYONE."""

    def __init__(self, name: str, port: int, clock: Clock, latency_seconds: float) -> None:
        self.name = name
        self.clock = clock
        self.port = port
        self.latency_seconds = latency_seconds
        self.calls: Counter[str] = Counter()
        self.faults: dict[str, fault.Fault] = {}
        app = web.Application(middlewares=[self._answer])
        app.add_routes(ROUTES[name](clock))
        # A hung or dripping answer ends when its caller goes, and never delays stopping.
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        self._site: web.TCPSite | None = None

    @property
    def url(self) -> str:
        """The system's own address; a tenant's is below it."""
        return f"http://127.0.0.1:{self.port}"

    async def inject(self, what: fault.Fault, tenant: str = EVERYONE) -> None:
        """Spoil every answer to a tenant, or to all; a NONE for all heals everything."""
        if tenant == EVERYONE and what.mode is fault.Mode.NONE:
            self.faults.clear()
        else:
            self.faults[tenant] = what
        everyone = self.faults.get(EVERYONE, fault.Fault())
        await (self._close() if everyone.mode is fault.Mode.DOWN else self._listen())

    async def stop(self) -> None:
        """Close the port and every connection."""
        await self._runner.cleanup()

    async def open(self) -> None:
        """Start to listen; a port of 0 becomes the one the system gave."""
        await self._runner.setup()
        await self._listen()
        self.port = self._runner.addresses[0][1]

    async def _listen(self) -> None:
        if self._site is None:
            self._site = web.TCPSite(self._runner, "127.0.0.1", self.port)
            await self._site.start()

    async def _close(self) -> None:
        if self._site is not None:
            await self._site.stop()
            self._site = None

    @web.middleware
    async def _answer(self, request: web.Request, handler: fault.Handler) -> web.StreamResponse:
        tenant = request.path.split("/")[1]
        self.calls[f"{tenant}/token" if request.path.endswith("/token") else tenant] += 1
        if self.latency_seconds:
            await asyncio.sleep(self.latency_seconds)
        own = self.faults.get(tenant) or self.faults.get(EVERYONE) or fault.Fault()
        return await fault.play(own, request, handler)


def now() -> datetime:
    """Return the present moment in the district."""
    return datetime.now(SHANGHAI)


async def start(
    name: str, port: int = 0, clock: Clock = now, latency_seconds: float = 0.0
) -> System:
    """Start the named system on loopback and return it running."""
    system = System(name, port, clock, latency_seconds)
    await system.open()
    return system

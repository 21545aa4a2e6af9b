"""The control port: which systems run, what they are told to do wrong, what they were asked."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aiohttp import web

from sandbox import fault, system


def app(systems: Mapping[str, system.System]) -> web.Application:
    """Return the control application over the running systems.

    `GET /systems` lists them; `POST /systems/{system}/faults` takes
    `{"mode": …, "milliseconds": …, "status": …, "tenant": …}` (all but the mode may be left out);
    `GET` and `DELETE /systems/{system}/calls` read and reset the counts.
    """

    def named(request: web.Request) -> system.System:
        name = request.match_info["system"]
        if name not in systems:
            raise web.HTTPNotFound(text=f"The systems are {', '.join(systems)}.")
        return systems[name]

    async def listed(request: web.Request) -> web.Response:
        del request
        return web.json_response({name: _described(one) for name, one in systems.items()})

    async def spoil(request: web.Request) -> web.Response:
        one = named(request)
        what, tenant = _fault(await request.text(), one.name)
        await one.inject(what, tenant)
        return web.json_response(_described(one))

    async def calls(request: web.Request) -> web.Response:
        return web.json_response(named(request).calls)

    async def reset(request: web.Request) -> web.Response:
        named(request).calls.clear()
        return web.json_response({})

    control = web.Application()
    control.add_routes(
        [
            web.get("/systems", listed),
            web.post("/systems/{system}/faults", spoil),
            web.get("/systems/{system}/calls", calls),
            web.delete("/systems/{system}/calls", reset),
        ]
    )
    return control


def _described(one: system.System) -> dict[str, object]:
    return {
        "url": one.url,
        "tenants": system.TENANTS[one.name],
        "calls": one.calls,
        "faults": {tenant: what.mode for tenant, what in one.faults.items()},
    }


def _fault(text: str, name: str) -> tuple[fault.Fault, str]:
    try:
        asked = json.loads(text)
        what = fault.Fault(
            fault.Mode(asked["mode"]),
            int(asked.get("milliseconds", 0)),
            int(asked.get("status", 500)),
        )
        tenant = asked.get("tenant", system.EVERYONE)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        modes = ", ".join(fault.Mode)
        raise web.HTTPBadRequest(text=f"Send JSON with a mode of {modes}.") from error
    if tenant not in (system.EVERYONE, *system.TENANTS[name]):
        raise web.HTTPBadRequest(text=f"The tenants are {', '.join(system.TENANTS[name])}.")
    return what, tenant

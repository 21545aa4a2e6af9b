from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.routing import Route, WebSocketRoute

from endpoints import frame
from models import errors
from schema import execution
from tests import asgi, follow

HERE = Path(__file__).parent


@pytest.fixture
async def source():
    return follow.Source()


@pytest.fixture
async def served(source) -> AsyncIterator[str]:
    """The address of the small schema, by request, as a stream and over sockets.

    At `/hasty` time is over before what is slow is there.
    """
    live = follow.live(source)

    async def context(scope, *_):
        if Headers(scope=scope).get("authorization") == "Bearer gone":
            raise errors.UnauthenticatedError("The token has expired.")
        return follow.context(source)

    limits = execution.SocketLimits(init_seconds=0.5)

    def view(**bounds):
        streams = execution.Streams(follow.live(source, **bounds))
        return execution.GraphQLView(follow.schema(**bounds), context, streams=streams)

    routes = [
        Route("/graphql", view()),
        Route("/hasty", view(seconds=0.5)),
        WebSocketRoute("/graphql", execution.GraphQLSocket(live, context, limits=limits)),
    ]
    async with asgi.served(Starlette(routes=routes), ws=frame.Sockets().protocol()) as url:
        yield f"{url}/graphql"


async def test_the_client_of_graphql_transport_ws_is_served_as_its_protocol_says(
    served, faults, source
):
    found = await faults(HERE / "socket.js", served.replace("http", "ws", 1))

    assert {name: fault for name, fault in found.items() if fault} == {}
    assert len(found) == 16
    await follow.until(lambda: source.followed == 0)


async def test_the_client_of_graphql_sse_is_served_as_its_protocol_says(served, faults, source):
    found = await faults(HERE / "events.js", served)

    assert {name: fault for name, fault in found.items() if fault} == {}
    assert len(found) == 10
    await follow.until(lambda: source.followed == 0)


async def test_what_comes_later_is_read_as_what_comes_at_once(served, faults, source):
    found = await faults(HERE / "pieces.js", served, served.replace("graphql", "hasty"))

    assert {name: fault for name, fault in found.items() if fault} == {}
    assert len(found) == 29
    await follow.until(lambda: source.followed == 0)
